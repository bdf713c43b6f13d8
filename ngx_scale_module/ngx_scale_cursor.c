
/*
 * {signature; for each column: length of the value, 16 bits, big endian; the
 * value}.  What is signed begins with the route's name and a NUL.
 */

#include "ngx_scale_cursor.h"
#include "ngx_scale_rows.h"


static u_char *ngx_scale_cursor_create(ngx_pool_t *pool,
    ngx_scale_page_t *page, size_t len, u_char **payload);


#define NGX_SCALE_CURSOR_MAX_VALUE  1024
#define NGX_SCALE_CURSOR_MAX        8192

static const char  ngx_scale_cursor_context[] = "page";


ngx_int_t
ngx_scale_cursor_make(ngx_pool_t *pool, ngx_scale_page_t *page,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *cursor,
    ngx_str_t **column)
{
    u_char                  *p, *signed_data, *payload, *mac;
    size_t                   len;
    ngx_str_t                values[NGX_SCALE_PAGE_MAX_KEYSET], src;
    ngx_uint_t               i, n, c;
    ngx_scale_shard_sort_t  *by;

    by = page->keyset->elts;
    n = page->keyset->nelts;
    len = 0;

    for (i = 0; i < n; i++) {
        c = ngx_scale_meta_find(rows, &by[i].column);

        if (c == rows->ncolumns
            || rows->get(rows, row, c, &values[i]) != NGX_OK
            || values[i].len > NGX_SCALE_CURSOR_MAX_VALUE)
        {
            *column = &by[i].column;
            return NGX_DECLINED;
        }

        len += 2 + values[i].len;
    }

    signed_data = ngx_scale_cursor_create(pool, page, len, &payload);
    mac = ngx_pnalloc(pool, NGX_SCALE_SIGN_MAC + len);
    cursor->data = ngx_pnalloc(pool,
                               ngx_base64_encoded_length(NGX_SCALE_SIGN_MAC
                                                         + len));
    if (signed_data == NULL || mac == NULL || cursor->data == NULL) {
        return NGX_ERROR;
    }

    p = payload;

    for (i = 0; i < n; i++) {
        *p++ = (u_char) (values[i].len >> 8);
        *p++ = (u_char) values[i].len;
        p = ngx_cpymem(p, values[i].data, values[i].len);
    }

    if (ngx_scale_sign(page->secrets, ngx_scale_cursor_context, signed_data,
                       p - signed_data, mac)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(mac + NGX_SCALE_SIGN_MAC, payload, len);

    src.data = mac;
    src.len = NGX_SCALE_SIGN_MAC + len;

    ngx_encode_base64url(cursor, &src);

    return NGX_OK;
}


/* the route's name, and room for the payload */

static u_char *
ngx_scale_cursor_create(ngx_pool_t *pool, ngx_scale_page_t *page, size_t len,
    u_char **payload)
{
    u_char  *p, *data;

    data = ngx_pnalloc(pool, page->scope->len + 1 + len);
    if (data == NULL) {
        return NULL;
    }

    p = ngx_cpymem(data, page->scope->data, page->scope->len);
    *p++ = '\0';
    *payload = p;

    return data;
}


ngx_int_t
ngx_scale_cursor_read(ngx_pool_t *pool, ngx_scale_page_t *page,
    ngx_str_t *cursor, ngx_str_t *values)
{
    u_char      *p, *last, *signed_data, *payload;
    size_t       len;
    ngx_str_t    raw;
    ngx_uint_t   i;

    if (cursor->len > NGX_SCALE_CURSOR_MAX) {
        return NGX_DECLINED;
    }

    raw.data = ngx_pnalloc(pool, ngx_base64_decoded_length(cursor->len));
    if (raw.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_decode_base64url(&raw, cursor) != NGX_OK
        || raw.len < NGX_SCALE_SIGN_MAC)
    {
        return NGX_DECLINED;
    }

    len = raw.len - NGX_SCALE_SIGN_MAC;

    signed_data = ngx_scale_cursor_create(pool, page, len, &payload);
    if (signed_data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(payload, raw.data + NGX_SCALE_SIGN_MAC, len);

    if (ngx_scale_sign_verify(page->secrets, ngx_scale_cursor_context,
                              signed_data, payload + len - signed_data,
                              raw.data)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* of an older configuration perhaps */

    p = payload;
    last = payload + len;

    for (i = 0; i < page->keyset->nelts; i++) {

        if (last - p < 2 || last - p - 2 < (p[0] << 8) + p[1]) {
            return NGX_DECLINED;
        }

        values[i].len = (p[0] << 8) + p[1];
        values[i].data = p + 2;
        p = values[i].data + values[i].len;
    }

    return p == last ? NGX_OK : NGX_DECLINED;
}
