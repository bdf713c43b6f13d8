
#include "http/context.h"


typedef struct {
    ngx_scale_ctx_t        *ctx;
    ngx_pool_cleanup_pt     done;
} ngx_scale_ctx_holder_t;


static void ngx_scale_ctx_cleanup(void *data);


ngx_scale_ctx_t *
ngx_scale_ctx_create(ngx_http_request_t *r, size_t size,
    ngx_pool_cleanup_pt done)
{
    ngx_scale_ctx_t         *ctx;
    ngx_pool_cleanup_t      *cln;
    ngx_scale_ctx_holder_t  *holder;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_scale_ctx_holder_t));
    if (cln == NULL) {
        return NULL;
    }

    holder = cln->data;

    ctx = ngx_pcalloc(r->pool, size);
    if (ctx == NULL) {
        return NULL;
    }

    ctx->db_time = -1;
    ctx->cache_time = -1;

    holder->ctx = ctx;
    holder->done = done;
    cln->handler = ngx_scale_ctx_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_scale_module);

    return ctx;
}


ngx_scale_ctx_t *
ngx_scale_ctx_get(ngx_http_request_t *r)
{
    ngx_scale_ctx_t         *ctx;
    ngx_pool_cleanup_t      *cln;
    ngx_scale_ctx_holder_t  *holder;

    ctx = ngx_http_get_module_ctx(r, ngx_scale_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    /* an internal redirect has cleared r->ctx; the pool still knows */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_scale_ctx_cleanup) {
            holder = cln->data;
            return holder->ctx;
        }
    }

    return NULL;
}


static void
ngx_scale_ctx_cleanup(void *data)
{
    ngx_scale_ctx_holder_t  *holder = data;

    if (holder->done) {
        holder->done(holder->ctx);
    }
}
