
#include "ngx_scale_auth.h"


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
