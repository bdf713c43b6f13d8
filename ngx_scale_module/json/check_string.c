
/*
 * One JSON string, raw: its UTF-8 (RFC 3629, section 4), its escapes
 * (RFC 8259, section 7) and, for names, its value.
 */

#include "json/check_string.h"

#if (__SSE2__)
#include <emmintrin.h>
#endif


static u_char *ngx_scale_json_skip_ascii(u_char *p, u_char *last);
static ngx_int_t ngx_scale_json_skip_utf8(u_char **pos, u_char *last);
static ngx_int_t ngx_scale_json_skip_escape(u_char **pos, u_char *last,
    const char **reason);
static u_char ngx_scale_json_unescape(u_char ch);
static ngx_int_t ngx_scale_json_unit(u_char *p, u_char *last);
static u_char *ngx_scale_json_encode(u_char *dst, uint32_t ch);


const char  ngx_scale_json_truncated[] = "the body ends in the middle";


ngx_int_t
ngx_scale_json_check_string(u_char **pos, u_char *last, ngx_uint_t *escaped,
    const char **reason)
{
    u_char     *p;
    ngx_int_t   rc;

    p = *pos;
    *escaped = 0;

    do {
        p = ngx_scale_json_skip_ascii(p, last);

        if (p == last) {
            *reason = ngx_scale_json_truncated;
            rc = NGX_DECLINED;

        } else if (*p == '"') {
            *pos = p + 1;
            return NGX_OK;

        } else if (*p == '\\') {
            *escaped = 1;
            rc = ngx_scale_json_skip_escape(&p, last, reason);

        } else if (*p >= 0x80) {
            *reason = "invalid UTF-8";
            rc = ngx_scale_json_skip_utf8(&p, last);

        } else {
            *reason = "a control character in a string is not escaped";
            rc = NGX_DECLINED;
        }

    } while (rc == NGX_OK);

    *pos = p;

    return NGX_DECLINED;
}


/* up to a quote, a backslash, a control or a byte that is not ASCII */

static u_char *
ngx_scale_json_skip_ascii(u_char *p, u_char *last)
{
#if (__SSE2__)
    int      mask;
    __m128i  block, found, quote, backslash, blank;

    quote = _mm_set1_epi8('"');
    backslash = _mm_set1_epi8('\\');
    blank = _mm_set1_epi8(' ');

    while (last - p >= 16) {
        block = _mm_loadu_si128((__m128i *) p);

        /* signed: bytes over 0x7f are less than a blank as well */

        found = _mm_or_si128(_mm_cmpeq_epi8(block, quote),
                             _mm_cmpeq_epi8(block, backslash));
        found = _mm_or_si128(found, _mm_cmplt_epi8(block, blank));
        mask = _mm_movemask_epi8(found);

        if (mask) {
            return p + __builtin_ctz(mask);
        }

        p += 16;
    }

#endif

    while (p < last && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/* to the next ASCII character, or to one that is not UTF-8 */

static ngx_int_t
ngx_scale_json_skip_utf8(u_char **pos, u_char *last)
{
    u_char      *p, low, high;
    ngx_uint_t   n;

    for (p = *pos; p < last && *p >= 0x80; p += n) {

        *pos = p;

        if (*p < 0xc2 || *p > 0xf4) {
            return NGX_DECLINED;
        }

        /* the range of the second byte excludes longer forms and surrogates */

        low = (*p == 0xe0) ? 0xa0 : (*p == 0xf0) ? 0x90 : 0x80;
        high = (*p == 0xed) ? 0x9f : (*p == 0xf4) ? 0x8f : 0xbf;

        n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

        if ((size_t) (last - p) < n || p[1] < low || p[1] > high
            || (n > 2 && (p[2] & 0xc0) != 0x80)
            || (n > 3 && (p[3] & 0xc0) != 0x80))
        {
            return NGX_DECLINED;
        }
    }

    *pos = p;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_skip_escape(u_char **pos, u_char *last, const char **reason)
{
    u_char     *p;
    ngx_int_t   unit;

    p = *pos;
    *reason = "an invalid escape in a string";

    if (last - p < 2) {
        return NGX_DECLINED;
    }

    if (p[1] != 'u') {
        if (!ngx_scale_json_unescape(p[1])) {
            return NGX_DECLINED;
        }

        *pos = p + 2;

        return NGX_OK;
    }

    unit = ngx_scale_json_unit(p, last);

    if (unit == NGX_ERROR) {
        return NGX_DECLINED;
    }

    if (unit == 0) {
        *reason = "\\u0000 in a string";
        return NGX_DECLINED;
    }

    if ((unit & 0xf800) != 0xd800) {
        *pos = p + 6;
        return NGX_OK;
    }

    *reason = "an unpaired surrogate in a string";

    if (unit >= 0xdc00) {
        return NGX_DECLINED;
    }

    unit = ngx_scale_json_unit(p + 6, last);

    if (unit < 0xdc00 || unit > 0xdfff) {
        return NGX_DECLINED;
    }

    *pos = p + 12;

    return NGX_OK;
}


/* what a backslash and "ch" stand for, or zero */

static u_char
ngx_scale_json_unescape(u_char ch)
{
    ngx_uint_t  i;

    static u_char  from[] = "\"\\/bfnrt";
    static u_char  to[] = "\"\\/\b\f\n\r\t";

    for (i = 0; from[i]; i++) {
        if (from[i] == ch) {
            return to[i];
        }
    }

    return '\0';
}


/* the value of a \u escape */

static ngx_int_t
ngx_scale_json_unit(u_char *p, u_char *last)
{
    if (last - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return NGX_ERROR;
    }

    return ngx_hextoi(p + 2, 4);
}


/* "src" was checked; the value is never longer */

size_t
ngx_scale_json_decode(u_char *dst, ngx_str_t *src)
{
    u_char    *p, *last, *start;
    uint32_t   ch;

    start = dst;
    p = src->data;
    last = p + src->len;

    while (p < last) {

        if (*p != '\\') {
            *dst++ = *p++;
            continue;
        }

        if (p[1] != 'u') {
            *dst++ = ngx_scale_json_unescape(p[1]);
            p += 2;
            continue;
        }

        ch = ngx_hextoi(p + 2, 4);
        p += 6;

        if ((ch & 0xfc00) == 0xd800) {
            ch = 0x10000 + ((ch & 0x3ff) << 10)
                 + (ngx_hextoi(p + 2, 4) & 0x3ff);
            p += 6;
        }

        dst = ngx_scale_json_encode(dst, ch);
    }

    return dst - start;
}


static u_char *
ngx_scale_json_encode(u_char *dst, uint32_t ch)
{
    if (ch < 0x80) {
        *dst++ = (u_char) ch;
        return dst;
    }

    if (ch < 0x800) {
        *dst++ = (u_char) (0xc0 | ch >> 6);

    } else {

        if (ch < 0x10000) {
            *dst++ = (u_char) (0xe0 | ch >> 12);

        } else {
            *dst++ = (u_char) (0xf0 | ch >> 18);
            *dst++ = (u_char) (0x80 | (ch >> 12 & 0x3f));
        }

        *dst++ = (u_char) (0x80 | (ch >> 6 & 0x3f));
    }

    *dst++ = (u_char) (0x80 | (ch & 0x3f));

    return dst;
}
