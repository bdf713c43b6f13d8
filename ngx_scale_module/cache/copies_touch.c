
/* what is read again and again lives on */

#include "cache/copies_int.h"


static void ngx_scale_copies_touched(ngx_scale_memc_op_t *op);


void
ngx_scale_copies_touch(ngx_scale_cache_t *cache, ngx_str_t *key, ngx_uint_t n,
    time_t ttl)
{
    ngx_int_t             i, found;
    ngx_scale_place_t     places[NGX_SCALE_COPIES_MAX];
    ngx_scale_memc_op_t  *op;

    found = ngx_scale_cache_copies(cache, places, n, key);

    for (i = 0; i < found; i++) {

        if (places[i].node == NULL || places[i].early) {
            continue;
        }

        op = ngx_scale_cache_note(cache, &places[i].wire, 0);
        if (op == NULL) {
            return;
        }

        op->verb = NGX_SCALE_MEMC_MG;
        op->ttl = ttl;
        op->handler = ngx_scale_copies_touched;

        ngx_scale_cache_send(&places[i], op);
    }
}


/* what was there is no value: it is to end as soon as it would have */

static void
ngx_scale_copies_touched(ngx_scale_memc_op_t *op)
{
    op->handler = ngx_scale_cache_noted;

    if (op->status != NGX_SCALE_MEMC_VA
        || op->rflags == NGX_SCALE_CACHE_VALUE)
    {
        ngx_scale_cache_noted(op);
        return;
    }

    op->ttl = op->rflags == NGX_SCALE_CACHE_STUB ? NGX_SCALE_COPY_LEASE
                                                 : NGX_SCALE_COPY_TOMBSTONE;

    ngx_scale_memc_send(op->memc, op);
}
