#include "route/fault.h"


ngx_int_t
ngx_scale_route_fault(ngx_pool_t *pool, ngx_str_t *error, const char *fmt,
    ...)
{
    u_char     *p, buf[NGX_MAX_ERROR_STR];
    va_list     args;
    ngx_str_t   text;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    text.data = buf;
    text.len = p - buf;

    error->data = ngx_pstrdup(pool, &text);
    if (error->data) {
        error->len = text.len;
    }

    return NGX_ERROR;
}
