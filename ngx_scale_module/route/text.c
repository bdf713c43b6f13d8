
/*
 * Text and JSON, which PostgreSQL takes as they come: only what it could not
 * be sent is refused, a NUL and what is not UTF-8.
 */

#include "route/type.h"


static ngx_int_t ngx_scale_text_quote(ngx_pool_t *pool, ngx_str_t *text,
    ngx_scale_value_t *value);
static size_t ngx_scale_text_quoted(ngx_str_t *text);
static ngx_uint_t ngx_scale_text_valid(u_char *p, u_char *end);
static u_char *ngx_scale_text_skip_ascii(u_char *p, u_char *end);
static size_t ngx_scale_text_sequence(u_char *p, u_char *end);


#define NGX_SCALE_TEXT_ONES   0x0101010101010101u
#define NGX_SCALE_TEXT_HIGHS  0x8080808080808080u


static const char  ngx_scale_text_invalid[] =
    "must be valid UTF-8 without NUL";


ngx_int_t
ngx_scale_text_read(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_str_t  *text;

    if (!ngx_scale_raw_is_text(raw)) {
        *reason = "must be text";
        return NGX_DECLINED;
    }

    text = &raw->text;

    if (!ngx_scale_text_valid(text->data, text->data + text->len)) {
        *reason = ngx_scale_text_invalid;
        return NGX_DECLINED;
    }

    return ngx_scale_value_set(pool, value, text->data, text->len);
}


/*
 * PostgreSQL is the one that checks the syntax of a TEXT; a NUL would cut it
 * short on its way there.
 */

ngx_int_t
ngx_scale_text_json(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_int_t  rc;

    if (raw->kind == NGX_SCALE_RAW_STRING) {
        rc = ngx_scale_text_quote(pool, &raw->text, value);

    } else {
        rc = ngx_scale_value_set(pool, value, raw->text.data, raw->text.len);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_scale_text_valid(value->text.data,
                              value->text.data + value->text.len))
    {
        *reason = ngx_scale_text_invalid;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* RFC 8259, 7: a quote, a backslash and controls are to be escaped */

static ngx_int_t
ngx_scale_text_quote(ngx_pool_t *pool, ngx_str_t *text,
    ngx_scale_value_t *value)
{
    u_char  *p, *data, ch;
    size_t   i;

    data = ngx_pnalloc(pool, ngx_scale_text_quoted(text) + 1);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = data;
    *p++ = '"';

    for (i = 0; i < text->len; i++) {
        ch = text->data[i];

        if (ch < 0x20) {
            p = ngx_sprintf(p, "\\u%04Xi", (ngx_uint_t) ch);
            continue;
        }

        if (ch == '"' || ch == '\\') {
            *p++ = '\\';
        }

        *p++ = ch;
    }

    *p++ = '"';
    *p = '\0';

    value->text.data = data;
    value->text.len = p - data;
    value->canon = value->text;

    return NGX_OK;
}


static size_t
ngx_scale_text_quoted(ngx_str_t *text)
{
    u_char  ch;
    size_t  i, len;

    len = sizeof("\"\"") - 1;

    for (i = 0; i < text->len; i++) {
        ch = text->data[i];
        len += (ch < 0x20) ? 6 : (ch == '"' || ch == '\\') ? 2 : 1;
    }

    return len;
}


size_t
ngx_scale_text_length(ngx_str_t *text)
{
    u_char  *p, *end;
    size_t   n;

    end = text->data + text->len;
    p = ngx_scale_text_skip_ascii(text->data, end);
    n = p - text->data;

    for ( /* void */ ; p < end; p++) {
        n += (*p & 0xc0) != 0x80;
    }

    return n;
}


static ngx_uint_t
ngx_scale_text_valid(u_char *p, u_char *end)
{
    size_t  n;

    for ( ;; ) {
        p = ngx_scale_text_skip_ascii(p, end);

        if (p == end) {
            return 1;
        }

        n = ngx_scale_text_sequence(p, end);

        if (n == 0) {
            return 0;
        }

        p += n;
    }
}


/* most text is long and plain: eight bytes at once, but for a NUL */

static u_char *
ngx_scale_text_skip_ascii(u_char *p, u_char *end)
{
    uint64_t  word;

    for ( /* void */ ; end - p >= 8; p += 8) {
        ngx_memcpy(&word, p, 8);

        if ((word | (word - NGX_SCALE_TEXT_ONES)) & NGX_SCALE_TEXT_HIGHS) {
            break;
        }
    }

    return p;
}


/*
 * RFC 3629, 4.  Only the second byte tells an overlong form, a surrogate or
 * a character past U+10FFFF.  The length of the sequence; 0: not one.
 */

static size_t
ngx_scale_text_sequence(u_char *p, u_char *end)
{
    u_char  lo, hi;
    size_t  i, n;

    if (*p < 0x80) {
        return *p != '\0';
    }

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (end - p) < n) {
        return 0;
    }

    lo = (*p == 0xe0) ? 0xa0 : (*p == 0xf0) ? 0x90 : 0x80;
    hi = (*p == 0xed) ? 0x9f : (*p == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < lo || p[1] > hi) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}
