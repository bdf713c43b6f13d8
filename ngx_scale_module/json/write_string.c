
/*
 * JSON strings (RFC 8259, section 7).
 */

#include "json/value.h"

#if (__SSE2__)
#include <emmintrin.h>
#endif


#define NGX_SCALE_JSON_BLOCK  16


static size_t ngx_scale_json_copy_clean(u_char *dst, u_char *src,
    u_char *last);
#if (__SSE2__)
static ngx_inline __m128i ngx_scale_json_copy_block(u_char *dst,
    u_char *src);
#endif
static u_char *ngx_scale_json_escape(u_char *dst, u_char ch);


/* what follows the backslash; 'u': four hexadecimal digits */

static u_char  ngx_scale_json_escapes[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";


ngx_int_t
ngx_scale_json_write_string(ngx_scale_json_out_t *out, ngx_str_t *text)
{
    u_char  *p, *last;
    size_t   n;

    p = text->data;
    last = p + text->len;

    /* two quotes, the rest of the text, one escape */

    if (ngx_scale_json_out_reserve(out, text->len + 8) != NGX_OK) {
        return NGX_ERROR;
    }

    *out->pos++ = '"';

    for ( ;; ) {
        n = ngx_scale_json_copy_clean(out->pos, p, last);
        out->pos += n;
        p += n;

        if (p == last) {
            break;
        }

        if (ngx_scale_json_out_reserve(out, last - p + 8) != NGX_OK) {
            return NGX_ERROR;
        }

        out->pos = ngx_scale_json_escape(out->pos, *p++);
    }

    *out->pos++ = '"';

    return NGX_OK;
}


/*
 * Copies up to the first byte that needs an escape, and returns how far it
 * came.  It may write behind that, but never more than there is to read.
 */

static size_t
ngx_scale_json_copy_clean(u_char *dst, u_char *src, u_char *last)
{
    u_char   *p;
#if (__SSE2__)
    int       mask;
    __m128i   found;
#endif

    p = src;

#if (__SSE2__)

    /* long text: a block that needs an escape is met again below */

    while (last - p >= 4 * NGX_SCALE_JSON_BLOCK) {
        found = ngx_scale_json_copy_block(dst, p);
        found = _mm_or_si128(found, ngx_scale_json_copy_block(dst + 16,
                                                              p + 16));
        found = _mm_or_si128(found, ngx_scale_json_copy_block(dst + 32,
                                                              p + 32));
        found = _mm_or_si128(found, ngx_scale_json_copy_block(dst + 48,
                                                              p + 48));

        if (_mm_movemask_epi8(found)) {
            break;
        }

        p += 4 * NGX_SCALE_JSON_BLOCK;
        dst += 4 * NGX_SCALE_JSON_BLOCK;
    }

    while (last - p >= NGX_SCALE_JSON_BLOCK) {
        mask = _mm_movemask_epi8(ngx_scale_json_copy_block(dst, p));

        if (mask) {
            return p - src + __builtin_ctz(mask);
        }

        p += NGX_SCALE_JSON_BLOCK;
        dst += NGX_SCALE_JSON_BLOCK;
    }

#endif

    while (p < last && *p >= 0x20 && *p != '"' && *p != '\\') {
        *dst++ = *p++;
    }

    return p - src;
}


#if (__SSE2__)

/* the bytes that need an escape are all ones */

static ngx_inline __m128i
ngx_scale_json_copy_block(u_char *dst, u_char *src)
{
    __m128i  block, found;

    block = _mm_loadu_si128((__m128i *) src);
    _mm_storeu_si128((__m128i *) dst, block);

    found = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                         _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));

    /* the lesser of a byte and 0x1f is the byte: it is a control */

    return _mm_or_si128(found,
                        _mm_cmpeq_epi8(_mm_min_epu8(block,
                                                    _mm_set1_epi8(0x1f)),
                                       block));
}

#endif


static u_char *
ngx_scale_json_escape(u_char *dst, u_char ch)
{
    static u_char  hex[] = "0123456789abcdef";

    *dst++ = '\\';

    if (ch >= 0x20) {
        *dst++ = ch;
        return dst;
    }

    *dst++ = ngx_scale_json_escapes[ch];

    if (dst[-1] == 'u') {
        *dst++ = '0';
        *dst++ = '0';
        *dst++ = hex[ch >> 4];
        *dst++ = hex[ch & 0xf];
    }

    return dst;
}
