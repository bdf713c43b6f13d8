
/*
 * Where keys live.  A place is sure as long as the view it was found in is
 * leased and, where the ring is the zone's own, the nodes that were asked have
 * the state they had.
 */

#include "cache/cache_int.h"


static ngx_scale_cache_ring_t *ngx_scale_cache_adopt(ngx_scale_cache_t *cache);
static ngx_int_t ngx_scale_cache_prepare(ngx_scale_cache_t *cache,
    ngx_scale_cache_ring_t *ring, ngx_pool_t *pool);
static ngx_int_t ngx_scale_cache_find_nodes(ngx_scale_cache_t *cache,
    ngx_scale_view_t *view, ngx_scale_cache_node_t **nodes);
static ngx_uint_t ngx_scale_cache_is_early(ngx_scale_cache_ring_t *ring,
    ngx_scale_place_t *place, u_char room, ngx_str_t *key);
static ngx_uint_t ngx_scale_cache_is_active(ngx_scale_cache_ring_t *ring);
static void ngx_scale_cache_disown_node(ngx_scale_cache_node_t *node);


#define NGX_SCALE_PLACE_RETRY  10      /* ms */


ngx_int_t
ngx_scale_cache_place(ngx_scale_cache_t *cache, ngx_scale_place_t *place,
    u_char room, ngx_str_t *key)
{
    ngx_scale_spot_t        *spot;
    ngx_scale_cache_ring_t  *ring;

    place->cache = cache;
    place->node = NULL;
    place->tag = 0;
    place->early = 0;
    place->gutter = 0;

    ring = ngx_scale_cache_ring(cache);

    if (ring == NULL) {
        (void) ngx_atomic_fetch_add(&cache->record->counts.unleased, 1);
        return NGX_AGAIN;
    }

    place->tag = ring->slot.tag;
    spot = &place->spot;

    ngx_scale_layout_find(&ring->now, room, key, spot);

    if (spot->node != NGX_SCALE_LAYOUT_NOWHERE) {
        place->node = ring->nodes[spot->node];
        place->gutter = spot->gutter != NGX_SCALE_LAYOUT_NOWHERE;

        ngx_scale_cache_wire_key(place->buf, &place->wire,
                                 ngx_scale_weak("prefix") ? 0 : spot->stamp,
                                 room, key);

        if (!ngx_scale_node_is_ours(place->node, place->gutter
                                                 ? spot->gutter_word
                                                 : spot->home_word))
        {
            place->node = NULL;
            ngx_scale_node_watch(cache);
        }
    }

    if (!ngx_scale_cache_is_active(ring)
        && ngx_scale_cache_is_early(ring, place, room, key))
    {
        place->early = 1;
        (void) ngx_atomic_fetch_add(&cache->record->counts.early, 1);
    }

    /* the states that were read are this view's, and the lease was one */

    ngx_memory_barrier();

    if (!ngx_scale_zone_is_leased(cache->record, place->tag)) {
        (void) ngx_atomic_fetch_add(&cache->record->counts.unleased, 1);
        return NGX_AGAIN;
    }

    if (spot->home != NGX_SCALE_LAYOUT_NOWHERE && spot->node != spot->home) {
        ngx_scale_node_watch(cache);
    }

    if (place->early) {
        return NGX_BUSY;
    }

    return place->node ? NGX_OK : NGX_DECLINED;
}


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

    return ngx_scale_cache_adopt(cache);
}


static ngx_scale_cache_ring_t *
ngx_scale_cache_adopt(ngx_scale_cache_t *cache)
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
        || ngx_scale_cache_prepare(cache, ring, pool) != NGX_OK)
    {
        cache->again = ngx_current_msec + NGX_SCALE_PLACE_RETRY;
        ngx_destroy_pool(pool);
        return NULL;
    }

    if (cache->ring) {
        ngx_destroy_pool(cache->ring->pool);
    }

    cache->again = ngx_current_msec;
    cache->ring = ring;

    ngx_scale_node_arrange(cache);

    return ring;
}


static ngx_int_t
ngx_scale_cache_prepare(ngx_scale_cache_t *cache, ngx_scale_cache_ring_t *ring,
    ngx_pool_t *pool)
{
    ngx_atomic_t  *words;

    ring->pool = pool;
    words = cache->record->shared ? NULL : cache->record->words;

    if (ngx_scale_layout_init(&ring->now, pool, &ring->slot.now, words)
        != NGX_OK
        || ngx_scale_cache_find_nodes(cache, &ring->slot.now, ring->nodes)
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

    return ngx_scale_cache_find_nodes(cache, &ring->slot.old, ring->old_nodes);
}


static ngx_int_t
ngx_scale_cache_find_nodes(ngx_scale_cache_t *cache, ngx_scale_view_t *view,
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


/* where it was is where it is: nodes that do not know yet use the same */

static ngx_uint_t
ngx_scale_cache_is_early(ngx_scale_cache_ring_t *ring,
    ngx_scale_place_t *place, u_char room, ngx_str_t *key)
{
    ngx_scale_spot_t         spot;
    ngx_scale_cache_node_t  *node;

    if (!ring->slot.has_old) {
        return 1;
    }

    ngx_scale_layout_find(&ring->old, room, key, &spot);

    node = spot.node == NGX_SCALE_LAYOUT_NOWHERE ? NULL
                                                 : ring->old_nodes[spot.node];

    return node != place->node || spot.stamp != place->spot.stamp;
}


static ngx_uint_t
ngx_scale_cache_is_active(ngx_scale_cache_ring_t *ring)
{
    if (!ring->active && (ngx_scale_zone_now() >= ring->slot.active
                          || ngx_scale_weak("wait")))
    {
        ring->active = 1;
    }

    return ring->active;
}


ngx_uint_t
ngx_scale_cache_placed(ngx_scale_place_t *place)
{
    return !ngx_scale_cache_is_moved(place)
           && ngx_scale_zone_is_leased(place->cache->record, place->tag)
           && (!place->early
               || ngx_scale_cache_is_active(place->cache->ring));
}


void
ngx_scale_cache_disown(ngx_scale_place_t *place)
{
    ngx_scale_cache_ring_t  *ring;

    ring = place->cache->ring;

    if (place->cache->record->shared || ring == NULL
        || ring->slot.tag != place->tag
        || place->spot.home == NGX_SCALE_LAYOUT_NOWHERE)
    {
        return;
    }

    ngx_scale_cache_disown_node(ring->nodes[place->spot.home]);

    if (place->spot.gutter != NGX_SCALE_LAYOUT_NOWHERE) {
        ngx_scale_cache_disown_node(ring->nodes[place->spot.gutter]);
    }
}


ngx_int_t
ngx_scale_cache_state(ngx_scale_place_t *place, uint64_t *node, uint64_t *word)
{
    if (place->gutter) {
        return NGX_DECLINED;
    }

    *node = place->tag << 8 | place->spot.home;
    *word = place->spot.home_word;

    return NGX_OK;
}


ngx_uint_t
ngx_scale_cache_is_state(ngx_scale_cache_t *cache, uint64_t node,
    uint64_t word)
{
    uint64_t                 tag, index;
    ngx_scale_cache_ring_t  *ring;

    tag = node >> 8;
    index = node & 0xff;
    ring = ngx_scale_cache_ring(cache);

    return ring && ring->slot.tag == tag && index < ring->slot.now.nnodes
           && ring->now.words[index] == word
           && ngx_scale_zone_is_leased(cache->record, tag)
           && !ngx_scale_cache_is_foreign(cache);
}


static void
ngx_scale_cache_disown_node(ngx_scale_cache_node_t *node)
{
    uint64_t                 word;
    ngx_scale_zone_cache_t  *record;

    record = node->cache->record;
    word = record->words[node->index];

    ngx_memory_barrier();

    if (!ngx_scale_view_is_out(word)
        && (!ngx_scale_node_is_ours(node, word)
            || ngx_scale_cache_is_foreign(node->cache)))
    {
        ngx_scale_zone_renew_node(record, node->index);
    }
}


ngx_uint_t
ngx_scale_cache_is_moved(ngx_scale_place_t *place)
{
    ngx_scale_cache_ring_t  *ring;

    ring = place->cache->ring;

    return ring == NULL || ring->slot.tag != place->tag
           || ngx_scale_zone_tag(place->cache->record) != place->tag
           || ngx_scale_layout_has_changed(&ring->now, &place->spot);
}
