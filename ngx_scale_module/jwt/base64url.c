
#include "jwt/base64url.h"


static ngx_int_t ngx_scale_jwt_sextet(u_char ch);


ngx_int_t
ngx_scale_jwt_decode(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *bytes)
{
    size_t     i, rest;
    ngx_int_t  sextet;

    sextet = 0;

    for (i = 0; i < text->len; i++) {
        sextet = ngx_scale_jwt_sextet(text->data[i]);

        if (sextet == NGX_DECLINED) {
            return NGX_DECLINED;
        }
    }

    /* the bits of the last character that no byte has are 0 */

    rest = text->len % 4;

    if (rest == 1
        || (rest == 2 && sextet & 0x0f)
        || (rest == 3 && sextet & 0x03))
    {
        return NGX_DECLINED;
    }

    bytes->data = ngx_pnalloc(pool, ngx_base64_decoded_length(text->len) + 1);
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    return ngx_decode_base64url(bytes, text) == NGX_OK ? NGX_OK
                                                       : NGX_DECLINED;
}


static ngx_int_t
ngx_scale_jwt_sextet(u_char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }

    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }

    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }

    switch (ch) {

    case '-':
        return 62;

    case '_':
        return 63;

    default:
        return NGX_DECLINED;
    }
}
