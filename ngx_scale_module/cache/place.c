
/*
 * Where keys live.  A place is sure as long as the view it was found in is
 * leased and, where the ring is the zone's own, the nodes that were asked have
 * the state they had.
 */

#include "cache/node_int.h"


static void ngx_scale_place_look(ngx_scale_cache_ring_t *ring,
    ngx_scale_place_t *place, u_char room, ngx_str_t *key);
static ngx_int_t ngx_scale_place_unleased(ngx_scale_cache_t *cache);
static ngx_uint_t ngx_scale_place_is_early(ngx_scale_cache_ring_t *ring,
    ngx_scale_place_t *place, u_char room, ngx_str_t *key);
static ngx_uint_t ngx_scale_place_is_active(ngx_scale_cache_ring_t *ring);
static ngx_uint_t ngx_scale_place_former(ngx_scale_cache_ring_t *ring,
    ngx_str_t *key, ngx_scale_spot_t *spots, ngx_uint_t n);
static void ngx_scale_place_copy(ngx_scale_cache_t *cache,
    ngx_scale_place_t *place, ngx_scale_spot_t *spot, ngx_str_t *key);
static ngx_scale_cache_ring_t *ngx_scale_place_ring(ngx_scale_place_t *place);


ngx_int_t
ngx_scale_cache_place(ngx_scale_cache_t *cache, ngx_scale_place_t *place,
    u_char room, ngx_str_t *key)
{
    ngx_scale_cache_ring_t  *ring;

    place->cache = cache;
    place->node = NULL;
    place->tag = 0;
    place->early = 0;
    place->gutter = 0;

    ring = ngx_scale_cache_ring(cache);

    if (ring == NULL) {
        return ngx_scale_place_unleased(cache);
    }

    place->tag = ring->slot.tag;

    ngx_scale_place_look(ring, place, room, key);

    if (!ngx_scale_place_is_active(ring)
        && ngx_scale_place_is_early(ring, place, room, key))
    {
        place->early = 1;
        (void) ngx_atomic_fetch_add(&cache->record->counts.early, 1);
    }

    /* the states that were read are this view's, and the lease was one */

    ngx_memory_barrier();

    if (!ngx_scale_zone_is_leased(cache->record, place->tag)) {
        return ngx_scale_place_unleased(cache);
    }

    if (place->spot.home != place->spot.node) {
        ngx_scale_node_watch(cache);
    }

    if (place->early) {
        return NGX_BUSY;
    }

    return place->node ? NGX_OK : NGX_DECLINED;
}


static void
ngx_scale_place_look(ngx_scale_cache_ring_t *ring, ngx_scale_place_t *place,
    u_char room, ngx_str_t *key)
{
    uint64_t           word;
    ngx_scale_spot_t  *spot;

    spot = &place->spot;

    ngx_scale_layout_find(&ring->now, room, key, spot);

    if (spot->node == NGX_SCALE_LAYOUT_NOWHERE) {
        return;
    }

    place->gutter = spot->gutter != NGX_SCALE_LAYOUT_NOWHERE;
    word = place->gutter ? spot->gutter_word : spot->home_word;

    ngx_scale_cache_wire_key(place->buf, &place->wire,
                             ngx_scale_weak("prefix") ? 0 : spot->stamp,
                             room, key);

    if (ngx_scale_seal_is_ours(ring->nodes[spot->node], word)) {
        place->node = ring->nodes[spot->node];

    } else {
        ngx_scale_node_watch(place->cache);
    }
}


static ngx_int_t
ngx_scale_place_unleased(ngx_scale_cache_t *cache)
{
    (void) ngx_atomic_fetch_add(&cache->record->counts.unleased, 1);

    return NGX_AGAIN;
}


/* where it was is where it is: nodes that do not know yet use the same */

static ngx_uint_t
ngx_scale_place_is_early(ngx_scale_cache_ring_t *ring,
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
ngx_scale_place_is_active(ngx_scale_cache_ring_t *ring)
{
    if (!ring->active && (ngx_scale_zone_now() >= ring->slot.active
                          || ngx_scale_weak("wait")))
    {
        ring->active = 1;
    }

    return ring->active;
}


ngx_int_t
ngx_scale_cache_copies(ngx_scale_cache_t *cache, ngx_scale_place_t *places,
    ngx_uint_t n, ngx_str_t *key)
{
    ngx_uint_t               i, k, found, nformer;
    ngx_scale_spot_t         spots[NGX_SCALE_VIEW_COPIES];
    ngx_scale_spot_t         former[NGX_SCALE_VIEW_COPIES];
    ngx_scale_cache_ring_t  *ring;

    ring = ngx_scale_cache_ring(cache);

    if (ring == NULL) {
        return ngx_scale_place_unleased(cache);
    }

    found = ngx_scale_layout_copies(&ring->now, key, spots, n);
    nformer = ngx_scale_place_former(ring, key, former, n);

    for (i = 0; i < found; i++) {
        ngx_scale_place_copy(cache, &places[i], &spots[i], key);

        places[i].early = !ring->active;

        for (k = 0; k < nformer; k++) {
            if (former[k].stamp == spots[i].stamp) {
                places[i].early = 0;
            }
        }
    }

    ngx_memory_barrier();

    return ngx_scale_zone_is_leased(cache->record, ring->slot.tag)
           ? (ngx_int_t) found : ngx_scale_place_unleased(cache);
}


/* until the view is active, those of before; a stamp says all of a copy */

static ngx_uint_t
ngx_scale_place_former(ngx_scale_cache_ring_t *ring, ngx_str_t *key,
    ngx_scale_spot_t *spots, ngx_uint_t n)
{
    return !ngx_scale_place_is_active(ring) && ring->slot.has_old
           ? ngx_scale_layout_copies(&ring->old, key, spots, n) : 0;
}


static void
ngx_scale_place_copy(ngx_scale_cache_t *cache, ngx_scale_place_t *place,
    ngx_scale_spot_t *spot, ngx_str_t *key)
{
    ngx_scale_cache_node_t  *node;

    ngx_memzero(place, offsetof(ngx_scale_place_t, buf));

    place->cache = cache;
    place->tag = cache->ring->slot.tag;
    place->spot = *spot;

    ngx_scale_cache_wire_key(place->buf, &place->wire, spot->stamp,
                             NGX_SCALE_CACHE_ROOM_SESSION, key);

    node = cache->ring->nodes[spot->home];

    if (spot->node != NGX_SCALE_LAYOUT_NOWHERE
        && ngx_scale_seal_is_ours(node, spot->home_word))
    {
        place->node = node;

    } else {
        ngx_scale_node_watch(cache);
    }
}


ngx_uint_t
ngx_scale_cache_placed(ngx_scale_place_t *place)
{
    return !ngx_scale_cache_is_moved(place)
           && ngx_scale_zone_is_leased(place->cache->record, place->tag)
           && (!place->early
               || ngx_scale_place_is_active(place->cache->ring));
}


void
ngx_scale_cache_disown(ngx_scale_place_t *place)
{
    ngx_uint_t               foreign;
    ngx_scale_cache_ring_t  *ring;

    ring = ngx_scale_place_ring(place);

    if (ring == NULL || place->spot.home == NGX_SCALE_LAYOUT_NOWHERE) {
        return;
    }

    foreign = ngx_scale_cache_is_foreign(place->cache);

    ngx_scale_seal_disown(ring->nodes[place->spot.home], foreign);

    if (place->spot.gutter != NGX_SCALE_LAYOUT_NOWHERE) {
        ngx_scale_seal_disown(ring->nodes[place->spot.gutter], foreign);
    }
}


void
ngx_scale_cache_disown_copy(ngx_scale_place_t *place)
{
    ngx_scale_cache_ring_t  *ring;

    ring = ngx_scale_place_ring(place);

    if (ring) {
        ngx_scale_seal_disown(ring->nodes[place->spot.home], 0);
    }
}


/* the one it was found in, where that is the zone's own */

static ngx_scale_cache_ring_t *
ngx_scale_place_ring(ngx_scale_place_t *place)
{
    ngx_scale_cache_ring_t  *ring;

    ring = place->cache->ring;

    return !place->cache->record->shared && ring
           && ring->slot.tag == place->tag ? ring : NULL;
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


ngx_uint_t
ngx_scale_cache_is_moved(ngx_scale_place_t *place)
{
    ngx_scale_cache_ring_t  *ring;

    ring = place->cache->ring;

    return ring == NULL || ring->slot.tag != place->tag
           || ngx_scale_zone_tag(place->cache->record) != place->tag
           || ngx_scale_layout_has_changed(&ring->now, &place->spot);
}


void
ngx_scale_cache_send(ngx_scale_place_t *place, ngx_scale_memc_op_t *op)
{
    ngx_scale_memc_send(place->node->memc, op);
}
