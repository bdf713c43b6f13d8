#include "json/out.h"


ngx_int_t
ngx_scale_json_out_init(ngx_scale_json_out_t *out, ngx_pool_t *pool,
    size_t size)
{
    ngx_memzero(out, sizeof(ngx_scale_json_out_t));

    out->pool = pool;
    out->start = ngx_pnalloc(pool, size);
    if (out->start == NULL) {
        return NGX_ERROR;
    }

    out->pos = out->start;
    out->end = out->start + size;

    return NGX_OK;
}


ngx_int_t
ngx_scale_json_out_grow(ngx_scale_json_out_t *out, size_t size)
{
    u_char  *p;
    size_t   used, total;

    used = out->pos - out->start;
    total = 2 * ngx_max((size_t) (out->end - out->start), used + size);

    p = ngx_pnalloc(out->pool, total);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, out->start, used);
    ngx_pfree(out->pool, out->start);

    out->start = p;
    out->pos = p + used;
    out->end = p + total;

    return NGX_OK;
}


ngx_int_t
ngx_scale_json_out_append(ngx_scale_json_out_t *out, u_char *data, size_t len)
{
    if (ngx_scale_json_out_reserve(out, len) != NGX_OK) {
        return NGX_ERROR;
    }

    out->pos = ngx_cpymem(out->pos, data, len);

    return NGX_OK;
}
