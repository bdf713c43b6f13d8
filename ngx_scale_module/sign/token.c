
#include "sign/sign.h"


static u_char *ngx_scale_token_put(u_char *p, uint64_t n, ngx_uint_t bytes);
static uint64_t ngx_scale_token_get(u_char **p, ngx_uint_t bytes);


#define NGX_SCALE_TOKEN_VERSION  1
#define NGX_SCALE_TOKEN_FIELDS   29
#define NGX_SCALE_TOKEN_BYTES    (NGX_SCALE_TOKEN_FIELDS + NGX_SCALE_SIGN_MAC)

static const char  ngx_scale_token_context[] = "token";


void
ngx_scale_token_write(ngx_scale_sign_keys_t *keys,
    ngx_scale_written_t *written, u_char *text)
{
    u_char     *p, bytes[NGX_SCALE_TOKEN_BYTES];
    ngx_str_t   src, dst;

    p = ngx_scale_token_put(bytes, NGX_SCALE_TOKEN_VERSION, 1);
    p = ngx_scale_token_put(p, written->system, 8);
    p = ngx_scale_token_put(p, written->timeline, 4);
    p = ngx_scale_token_put(p, written->lsn, 8);
    p = ngx_scale_token_put(p, written->time, 8);

    (void) ngx_scale_sign(keys, ngx_scale_token_context, bytes,
                          NGX_SCALE_TOKEN_FIELDS, p);

    src.data = bytes;
    src.len = NGX_SCALE_TOKEN_BYTES;
    dst.data = text;

    ngx_encode_base64url(&dst, &src);
}


ngx_int_t
ngx_scale_token_read(ngx_scale_sign_keys_t *keys, ngx_str_t *text,
    ngx_scale_written_t *written)
{
    u_char     *p, bytes[NGX_SCALE_TOKEN_BYTES + 3];
    ngx_str_t   dst;

    dst.data = bytes;

    if (text->len != NGX_SCALE_TOKEN_LEN
        || ngx_decode_base64url(&dst, text) != NGX_OK
        || dst.len != NGX_SCALE_TOKEN_BYTES
        || bytes[0] != NGX_SCALE_TOKEN_VERSION
        || ngx_scale_sign_verify(keys, ngx_scale_token_context, bytes,
                                 NGX_SCALE_TOKEN_FIELDS,
                                 bytes + NGX_SCALE_TOKEN_FIELDS)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = bytes + 1;

    written->system = ngx_scale_token_get(&p, 8);
    written->timeline = (uint32_t) ngx_scale_token_get(&p, 4);
    written->lsn = ngx_scale_token_get(&p, 8);
    written->time = ngx_scale_token_get(&p, 8);

    return NGX_OK;
}


static u_char *
ngx_scale_token_put(u_char *p, uint64_t n, ngx_uint_t bytes)
{
    while (bytes--) {
        *p++ = (u_char) (n >> (8 * bytes));
    }

    return p;
}


static uint64_t
ngx_scale_token_get(u_char **p, ngx_uint_t bytes)
{
    uint64_t  n;

    for (n = 0; bytes; bytes--) {
        n = n << 8 | *(*p)++;
    }

    return n;
}
