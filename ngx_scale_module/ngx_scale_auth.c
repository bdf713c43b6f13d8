
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
