
/* the shared memory of the caches' local tiers: a zone each */

#include "ngx_scale_stores.h"


static ngx_int_t ngx_scale_local_init_zone(ngx_shm_zone_t *zone, void *data);


char *
ngx_scale_local_add_zones(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_shm_zone_t            *zone;
    ngx_scale_cache_store_t  **store;

    static ngx_str_t  prefix = ngx_string("ngx_scale_local_");

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {

        if (store[i]->conf.local_size == 0) {
            continue;
        }

        name.len = prefix.len + store[i]->conf.name.len;
        name.data = ngx_pnalloc(cf->pool, name.len);
        if (name.data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(ngx_cpymem(name.data, prefix.data, prefix.len),
                   store[i]->conf.name.data, store[i]->conf.name.len);

        if (ngx_scale_zone_keep_size(cf, &name, store[i]->conf.local_size,
                                     "\"local\"")
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        zone = ngx_shared_memory_add(cf, &name, store[i]->conf.local_size,
                                     &ngx_scale_module);
        if (zone == NULL) {
            return NGX_CONF_ERROR;
        }

        zone->init = ngx_scale_local_init_zone;
        zone->data = store[i];
    }

    return NGX_CONF_OK;
}


/* all that the slab pool has is one piece, and the tier's own business */

static ngx_int_t
ngx_scale_local_init_zone(ngx_shm_zone_t *zone, void *data)
{
    size_t                    size;
    ngx_uint_t                fresh;
    ngx_slab_pool_t          *pool;
    ngx_scale_cache_store_t  *store;

    store = zone->data;
    pool = (ngx_slab_pool_t *) zone->shm.addr;
    fresh = pool->data == NULL;
    size = 0;

    if (fresh) {
        size = pool->pfree * ngx_pagesize;

        pool->data = ngx_slab_alloc(pool, size);
        if (pool->data == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_scale_cache_use_local(&store->conf, pool->data, size, fresh);
}
