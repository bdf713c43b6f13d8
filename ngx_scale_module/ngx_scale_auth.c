
#include "ngx_scale_auth.h"


static u_char *ngx_scale_auth_part(u_char *p, ngx_str_t *text);


ngx_int_t
ngx_scale_auth_step(ngx_scale_flow_t *f)
{
    ngx_uint_t  i, found;

    if (f->method->asks == 0) {
        return NGX_OK;
    }

    found = 0;

    for (i = 0; i < NGX_SCALE_AUTH_NKINDS; i++) {
        if (f->who[i].found) {
            found |= ngx_scale_auth_bit(i);
        }
    }

    if ((f->loc->auth && !(f->loc->auth & found))
        || (f->method->needs & ~found))
    {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_IDENTITY);
    }

    return NGX_OK;
}


/* a number in a token is a text in a setting, and a text there may be one */

void
ngx_scale_auth_member(ngx_scale_param_t *param, ngx_scale_raw_t *member,
    ngx_scale_raw_t *raw)
{
    *raw = *member;

    switch (raw->kind) {

    case NGX_SCALE_RAW_STRING:
    case NGX_SCALE_RAW_NUMBER:
    case NGX_SCALE_RAW_BOOL:

        if (param->type != NGX_SCALE_JSON && param->type != NGX_SCALE_JSONB) {
            raw->kind = NGX_SCALE_RAW_TEXT;
        }

        break;

    default:
        break;
    }
}


/*
 * Of each kind its number, its block and its text, with their lengths: no two
 * are the same bytes.
 */

ngx_int_t
ngx_scale_auth_identity(ngx_scale_flow_t *f, ngx_str_t *text)
{
    u_char      *p, *data;
    size_t       len;
    ngx_uint_t   kind;

    len = NGX_SCALE_SIGN_DIGEST;

    for (kind = 0; kind < NGX_SCALE_AUTH_NKINDS; kind++) {
        if (f->who[kind].found) {
            len += sizeof(ngx_uint_t) + 2 * sizeof(size_t)
                   + f->loc->by[kind]->name.len + f->who[kind].user.len;
        }
    }

    if (len == NGX_SCALE_SIGN_DIGEST) {
        return NGX_DECLINED;
    }

    text->len = NGX_SCALE_SIGN_DIGEST;
    text->data = ngx_pnalloc(f->r->pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    data = text->data + text->len;
    p = data;

    for (kind = 0; kind < NGX_SCALE_AUTH_NKINDS; kind++) {
        if (f->who[kind].found) {
            p = ngx_cpymem(p, &kind, sizeof(ngx_uint_t));
            p = ngx_scale_auth_part(p, &f->loc->by[kind]->name);
            p = ngx_scale_auth_part(p, &f->who[kind].user);
        }
    }

    ngx_scale_sign_digest(data, p - data, text->data);

    return NGX_OK;
}


static u_char *
ngx_scale_auth_part(u_char *p, ngx_str_t *text)
{
    p = ngx_cpymem(p, &text->len, sizeof(size_t));

    return ngx_cpymem(p, text->data, text->len);
}
