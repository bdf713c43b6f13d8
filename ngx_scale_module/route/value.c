#include "route/type.h"


ngx_int_t
ngx_scale_value_set(ngx_pool_t *pool, ngx_scale_value_t *value, u_char *data,
    size_t len)
{
    u_char  *p;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(p, data, len) = '\0';

    value->text.data = p;
    value->text.len = len;
    value->canon = value->text;

    return NGX_OK;
}
