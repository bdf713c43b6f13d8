
#include "session/sessions.h"


#define NGX_SCALE_SESSION_BYTES  (NGX_SCALE_SESSION_ID                        \
                                  + NGX_SCALE_SESSION_TAG                     \
                                  + NGX_SCALE_SESSION_MAC)


ngx_int_t
ngx_scale_session_token_read(ngx_scale_session_token_t *token,
    ngx_str_t *text)
{
    u_char      bytes[NGX_SCALE_SESSION_BYTES + 3];
    ngx_str_t   decoded;

    decoded.data = bytes;

    if (text->len != NGX_SCALE_SESSION_TEXT
        || ngx_decode_base64url(&decoded, text) != NGX_OK
        || decoded.len != NGX_SCALE_SESSION_BYTES)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(token, bytes, NGX_SCALE_SESSION_BYTES);

    return NGX_OK;
}


void
ngx_scale_session_token_write(ngx_scale_session_token_t *token, u_char *text)
{
    ngx_str_t  src, dst;

    src.data = (u_char *) token;
    src.len = NGX_SCALE_SESSION_BYTES;
    dst.data = text;

    ngx_encode_base64url(&dst, &src);
}


size_t
ngx_scale_session_token_signed(ngx_scale_session_token_t *token,
    ngx_str_t *name, u_char *bytes)
{
    u_char  *p;

    p = ngx_cpymem(bytes, name->data, name->len);
    *p++ = '\0';
    p = ngx_cpymem(p, token->id, NGX_SCALE_SESSION_ID);
    p = ngx_cpymem(p, token->tag, NGX_SCALE_SESSION_TAG);

    return p - bytes;
}


u_char *
ngx_scale_session_key(u_char *p, ngx_str_t *name, u_char kind, u_char *digest)
{
    p = ngx_cpymem(p, name->data, name->len);
    *p++ = '/';
    *p++ = kind;
    *p++ = '/';

    return ngx_cpymem(p, digest, NGX_SCALE_SESSION_DIGEST);
}
