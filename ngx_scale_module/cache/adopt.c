
/* the ring in use, and who is in it: a worker's copy of the zone's view */

#include "cache/node_int.h"


#define NGX_SCALE_ADOPT_RETRY  10      /* ms */


static ngx_scale_cache_ring_t *ngx_scale_adopt_view(ngx_scale_cache_t *cache);
static ngx_int_t ngx_scale_adopt_prepare(ngx_scale_cache_t *cache,
    ngx_scale_cache_ring_t *ring, ngx_pool_t *pool);
static ngx_int_t ngx_scale_adopt_nodes(ngx_scale_cache_t *cache,
    ngx_scale_view_t *view, ngx_scale_cache_node_t **nodes);
static void ngx_scale_adopt_arrange(ngx_scale_cache_t *cache);
static void ngx_scale_adopt_node(ngx_scale_cache_node_t *node,
    ngx_uint_t index);


ngx_scale_cache_ring_t *
ngx_scale_cache_ring(ngx_scale_cache_t *cache)
{
    uint64_t  tag;

    tag = ngx_scale_zone_tag(cache->record);

    if (cache->ring && cache->ring->slot.tag == tag) {
        return cache->ring;
    }

    if ((ngx_msec_int_t) (cache->again - ngx_current_msec) > 0) {
        return NULL;
    }

    return ngx_scale_adopt_view(cache);
}


static ngx_scale_cache_ring_t *
ngx_scale_adopt_view(ngx_scale_cache_t *cache)
{
    ngx_pool_t              *pool;
    ngx_scale_cache_ring_t  *ring;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, cache->log);
    if (pool == NULL) {
        return NULL;
    }

    ring = ngx_pcalloc(pool, sizeof(ngx_scale_cache_ring_t));

    if (ring == NULL
        || ngx_scale_zone_read(cache->record, &ring->slot) != NGX_OK
        || ngx_scale_adopt_prepare(cache, ring, pool) != NGX_OK)
    {
        cache->again = ngx_current_msec + NGX_SCALE_ADOPT_RETRY;
        ngx_destroy_pool(pool);
        return NULL;
    }

    if (cache->ring) {
        ngx_destroy_pool(cache->ring->pool);
    }

    cache->again = ngx_current_msec;
    cache->ring = ring;

    ngx_scale_adopt_arrange(cache);

    return ring;
}


static ngx_int_t
ngx_scale_adopt_prepare(ngx_scale_cache_t *cache, ngx_scale_cache_ring_t *ring,
    ngx_pool_t *pool)
{
    ngx_atomic_t  *words;

    ring->pool = pool;
    words = cache->record->shared ? NULL : cache->record->words;

    if (ngx_scale_layout_init(&ring->now, pool, &ring->slot.now, words)
        != NGX_OK
        || ngx_scale_adopt_nodes(cache, &ring->slot.now, ring->nodes)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ring->slot.has_old) {
        return NGX_OK;
    }

    if (ngx_scale_layout_init(&ring->old, pool, &ring->slot.old, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_adopt_nodes(cache, &ring->slot.old, ring->old_nodes);
}


static ngx_int_t
ngx_scale_adopt_nodes(ngx_scale_cache_t *cache, ngx_scale_view_t *view,
    ngx_scale_cache_node_t **nodes)
{
    ngx_uint_t  i;

    for (i = 0; i < view->nnodes; i++) {

        if (view->nodes[i].role == NGX_SCALE_VIEW_PAST) {
            continue;
        }

        nodes[i] = ngx_scale_node_get(cache, &view->nodes[i]);

        if (nodes[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_scale_adopt_arrange(ngx_scale_cache_t *cache)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;
    ngx_scale_cache_ring_t  *ring;

    ring = cache->ring;

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);
        node->departed = 1;
        node->present = 0;
    }

    for (i = 0; i < NGX_SCALE_VIEW_NODES; i++) {

        if (ring->old_nodes[i]) {
            ring->old_nodes[i]->departed = 0;
        }

        if (ring->nodes[i]) {
            ngx_scale_adopt_node(ring->nodes[i], i);
        }
    }

    ngx_scale_node_watch(cache);
}


static void
ngx_scale_adopt_node(ngx_scale_cache_node_t *node, ngx_uint_t index)
{
    node->departed = 0;
    node->present = 1;
    node->index = index;

    if (node->fresh && !node->cache->record->shared) {
        ngx_scale_seal_assert(node);
    }

    node->fresh = 0;
}
