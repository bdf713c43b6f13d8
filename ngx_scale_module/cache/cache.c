
/* a worker's cache, from its beginning to its end */

#include "cache/flight_int.h"
#include "cache/node_int.h"


static uint64_t ngx_scale_cache_tier(ngx_scale_cache_conf_t *conf);
static ngx_int_t ngx_scale_cache_open_local(ngx_scale_cache_t *cache);


ngx_scale_zone_cache_t *
ngx_scale_cache_join(ngx_scale_zone_t *zone, ngx_slab_pool_t *pool,
    ngx_scale_cache_conf_t *conf)
{
    ngx_scale_zone_cache_t  *record;

    record = ngx_scale_zone_join(zone, pool, &conf->name, conf->shared);

    if (record && !conf->shared
        && ngx_scale_zone_set(record, conf->servers.elts, conf->servers.nelts)
           != NGX_OK)
    {
        return NULL;
    }

    if (record) {
        record->tier = ngx_scale_cache_tier(conf);
    }

    return record;
}


static uint64_t
ngx_scale_cache_tier(ngx_scale_cache_conf_t *conf)
{
    return conf->local ? ngx_scale_local_id(conf->local) : 0;
}


ngx_scale_cache_t *
ngx_scale_cache_create(ngx_pool_t *pool, ngx_scale_cache_conf_t *conf,
    ngx_scale_zone_cache_t *record, ngx_log_t *log)
{
    ngx_scale_cache_t  *cache;

    cache = ngx_pcalloc(pool, sizeof(ngx_scale_cache_t));
    if (cache == NULL) {
        return NULL;
    }

    cache->conf = conf;
    cache->record = record;
    cache->pool = pool;
    cache->log = log;

    ngx_rbtree_init(&cache->flights, &cache->sentinel,
                    ngx_str_rbtree_insert_value);

    ngx_queue_init(&cache->nodes);
    ngx_queue_init(&cache->notes);
    ngx_queue_init(&cache->renewals);
    ngx_scale_warm_init(cache);

    if (ngx_array_init(&cache->large, pool, 4, sizeof(uint64_t)) != NGX_OK) {
        return NULL;
    }

    cache->tick.handler = ngx_scale_probe_on_tick;
    cache->tick.data = cache;
    cache->tick.log = log;
    cache->tick.cancelable = 1;

    if (ngx_scale_cache_open_local(cache) != NGX_OK) {
        return NULL;
    }

    /* this worker's addresses count from its start */

    (void) ngx_scale_cache_ring(cache);

    if (!record->shared && ngx_scale_owner_start(cache) != NGX_OK) {
        return NULL;
    }

    return cache;
}


static ngx_int_t
ngx_scale_cache_open_local(ngx_scale_cache_t *cache)
{
    cache->tier = ngx_scale_cache_tier(cache->conf);

    if (cache->conf->local == NULL) {
        return NGX_OK;
    }

    cache->local = ngx_palloc(cache->pool, sizeof(ngx_scale_local_t));
    if (cache->local == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_local_open(cache->local, cache->conf->local);

    return NGX_OK;
}


void
ngx_scale_cache_destroy(ngx_scale_cache_t *cache)
{
    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;

    if (cache->tick.timer_set) {
        ngx_del_timer(&cache->tick);
    }

    ngx_scale_owner_stop(cache);

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);
        ngx_scale_memc_destroy(node->memc);
    }

    ngx_scale_cache_free_notes(cache);

    if (cache->ring) {
        ngx_destroy_pool(cache->ring->pool);
    }
}


void
ngx_scale_cache_on_report(ngx_scale_cache_t *cache,
    ngx_scale_cache_report_pt report, void *data)
{
    cache->report = report;
    cache->data = data;
}


void
ngx_scale_cache_look(ngx_scale_cache_t *cache)
{
    (void) ngx_scale_cache_ring(cache);
}
