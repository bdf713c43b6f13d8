
/*
 * Bytes: base64 of either alphabet (RFC 4648) from clients, hexadecimal digits
 * for PostgreSQL (manual, 8.4.1).
 */

#include "route/type.h"


static ngx_int_t ngx_scale_bytea_decode(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *bytes);


ngx_int_t
ngx_scale_bytea_read(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   bytes;

    *reason = "must be base64";

    if (!ngx_scale_raw_is_text(raw)) {
        return NGX_DECLINED;
    }

    rc = ngx_scale_bytea_decode(pool, &raw->text, &bytes);

    if (rc != NGX_OK) {
        return rc;
    }

    value->text.len = sizeof("\\x") - 1 + 2 * bytes.len;

    p = ngx_pnalloc(pool, value->text.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->text.data = p;
    value->canon = value->text;

    p = ngx_cpymem(p, "\\x", sizeof("\\x") - 1);
    p = ngx_hex_dump(p, bytes.data, bytes.len);
    *p = '\0';

    return NGX_OK;
}


size_t
ngx_scale_bytea_length(ngx_str_t *text)
{
    return (text->len - (sizeof("\\x") - 1)) / 2;
}


/* ngx_decode_base64() ends at the first "=" and ignores what follows it */

static ngx_int_t
ngx_scale_bytea_decode(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *bytes)
{
    u_char     *end;
    ngx_int_t   rc;
    ngx_str_t   src;

    src = *text;

    while (src.len && text->len - src.len < 2
           && src.data[src.len - 1] == '=')
    {
        src.len--;
    }

    if (src.len != text->len && text->len % 4) {
        return NGX_DECLINED;
    }

    end = src.data + src.len;

    if (ngx_strlchr(src.data, end, '=')) {
        return NGX_DECLINED;
    }

    bytes->data = ngx_pnalloc(pool, ngx_base64_decoded_length(src.len));
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_strlchr(src.data, end, '-') || ngx_strlchr(src.data, end, '_')) {
        rc = ngx_decode_base64url(bytes, &src);

    } else {
        rc = ngx_decode_base64(bytes, &src);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_DECLINED;
}
