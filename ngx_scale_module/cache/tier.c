
/*
 * The local tier (local.h) beside the flights: what a read finds there, what
 * a hit of memcached leaves there, what a write removes.
 */

#include "cache/flight_int.h"


static ngx_int_t ngx_scale_tier_find(ngx_scale_cache_t *cache, uint64_t hash,
    uint64_t now, uint64_t age, ngx_scale_local_found_t *found);
static ngx_int_t ngx_scale_tier_take(ngx_scale_cache_t *cache,
    ngx_scale_local_found_t *found, u_char *value);
static ngx_uint_t ngx_scale_tier_tagged(ngx_scale_cache_t *cache,
    ngx_scale_read_t *read, ngx_scale_entry_t *entry, uint64_t now,
    uint64_t age);
static void ngx_scale_tier_note(ngx_scale_cache_t *cache,
    ngx_scale_tier_note_t *note, u_char room, ngx_str_t *key);
static ngx_int_t ngx_scale_tier_wait(ngx_scale_flight_t *flight);
static void ngx_scale_tier_look(ngx_scale_flight_t *flight, ngx_msec_t delay);
static ngx_int_t ngx_scale_tier_answer(ngx_scale_flight_t *flight,
    uint64_t now);
static void ngx_scale_tier_store(ngx_scale_flight_t *flight,
    ngx_scale_tier_note_t *note, ngx_scale_place_t *place,
    ngx_scale_memc_op_t *op, u_char *value, size_t len);
static uint32_t ngx_scale_tier_life(ngx_scale_flight_t *flight,
    ngx_scale_memc_op_t *op);


#define NGX_SCALE_TIER_POLL   2        /* ms, while another worker asks */
#define NGX_SCALE_TIER_POLLS  5
#define NGX_SCALE_TIER_POOL   1024

/* ms, of an entry that memcached may soon want to be read anew */
#define NGX_SCALE_TIER_EARLY  500


ngx_int_t
ngx_scale_cache_use_local(ngx_scale_cache_conf_t *conf, void *memory,
    size_t size, ngx_uint_t fresh)
{
    conf->local = memory;

    return fresh ? ngx_scale_local_format(memory, size,
                                          ngx_scale_zone_random())
                 : NGX_OK;
}


ngx_int_t
ngx_scale_cache_local(ngx_scale_cache_t *cache, ngx_scale_read_t *read,
    ngx_pool_t *pool, uint64_t now, ngx_scale_entry_t *entry)
{
    uint64_t                  hash, age;
    ngx_str_t                 value;
    ngx_scale_local_found_t   found;

    if (cache->local == NULL) {
        return NGX_DECLINED;
    }

    age = cache->conf->lease;

    if (age && read->bounded) {
        age = read->bounded;
    }

    hash = ngx_scale_local_hash(cache->local, NGX_SCALE_CACHE_ROOM_CONTENT,
                                &read->key);

    if (ngx_scale_tier_find(cache, hash, now, age, &found) != NGX_OK) {
        ngx_scale_local_miss(cache->local, hash);
        return NGX_DECLINED;
    }

    value.len = found.meta.len;
    value.data = ngx_pnalloc(pool, value.len);

    if (value.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_scale_tier_take(cache, &found, value.data) != NGX_OK
        || ngx_scale_codec_parse(&value, &read->key, read->statement, entry)
           != NGX_OK
        || !ngx_scale_tier_tagged(cache, read, entry, now, age))
    {
        return NGX_DECLINED;
    }

    ngx_scale_warm_count(cache, 0);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_tier_find(ngx_scale_cache_t *cache, uint64_t hash, uint64_t now,
    uint64_t age, ngx_scale_local_found_t *found)
{
    ngx_int_t  rc;

    rc = ngx_scale_local_find(cache->local, hash, now, age, found);

    if (rc != NGX_DECLINED
        && !ngx_scale_cache_is_state(cache, found->meta.node,
                                     found->meta.word))
    {
        return NGX_DECLINED;
    }

    return rc;
}


/* what is still asked for does not go with the oldest */

static ngx_int_t
ngx_scale_tier_take(ngx_scale_cache_t *cache, ngx_scale_local_found_t *found,
    u_char *value)
{
    if (ngx_scale_local_take(cache->local, found, value) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (found->old) {
        (void) ngx_scale_local_store(cache->local, &found->meta, value);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_tier_tagged(ngx_scale_cache_t *cache, ngx_scale_read_t *read,
    ngx_scale_entry_t *entry, uint64_t now, uint64_t age)
{
    uint64_t                  hash, generation;
    ngx_uint_t                i;
    ngx_scale_local_found_t   found;

    if (entry->ntags != read->ntags) {
        return 0;
    }

    for (i = 0; i < read->ntags; i++) {
        hash = ngx_scale_local_hash(cache->local, NGX_SCALE_CACHE_ROOM_TAG,
                                    &read->tags[i]);

        if (ngx_scale_tier_find(cache, hash, now, age, &found) != NGX_OK
            || found.meta.len != sizeof(uint64_t)
            || ngx_scale_tier_take(cache, &found, (u_char *) &generation)
               != NGX_OK
            || generation != ngx_scale_codec_generation(entry, i))
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_scale_tier_ask(ngx_scale_flight_t *flight)
{
    ngx_uint_t          i;
    ngx_scale_cache_t  *cache;

    cache = flight->cache;

    if (cache->local == NULL) {
        return NGX_OK;
    }

    flight->sent = ngx_scale_zone_now();

    ngx_scale_tier_note(cache, &flight->note, NGX_SCALE_CACHE_ROOM_CONTENT,
                        &flight->node.str);

    for (i = 0; i < flight->ntags; i++) {
        ngx_scale_tier_note(cache, &flight->tags[i].note,
                            NGX_SCALE_CACHE_ROOM_TAG, &flight->tags[i].tag);
    }

    return cache->conf->lease ? ngx_scale_tier_wait(flight) : NGX_OK;
}


static void
ngx_scale_tier_note(ngx_scale_cache_t *cache, ngx_scale_tier_note_t *note,
    u_char room, ngx_str_t *key)
{
    note->hash = ngx_scale_local_hash(cache->local, room, key);
    note->generation = ngx_scale_local_generation(cache->local, note->hash);
}


/*
 * All workers' leases of a hot key end at once: one of them asks for it again,
 * the others look whether its answer has come.  It may have come already,
 * since the reader looked, or while he was late for a round.
 */

static ngx_int_t
ngx_scale_tier_wait(ngx_scale_flight_t *flight)
{
    ngx_int_t                 rc;
    ngx_scale_cache_t        *cache;
    ngx_scale_local_found_t   found;

    cache = flight->cache;

    rc = ngx_scale_tier_find(cache, flight->note.hash, flight->sent,
                             cache->conf->lease, &found);

    if (rc == NGX_OK && flight->polls == 0) {
        ngx_scale_tier_look(flight, 0);
        return NGX_AGAIN;
    }

    if (rc == NGX_OK && ngx_scale_tier_answer(flight, flight->sent) == NGX_OK)
    {
        return NGX_AGAIN;
    }

    if (rc != NGX_AGAIN
        || flight->polls == NGX_SCALE_TIER_POLLS
        || ngx_scale_local_turn(cache->local, flight->note.hash,
                                flight->sent, cache->conf->lease)
           == NGX_OK)
    {
        flight->polls = 0;
        return NGX_OK;
    }

    ngx_scale_tier_look(flight, NGX_SCALE_TIER_POLL);

    return NGX_AGAIN;
}


/* later, also where it is there already: no handler runs within its verb */

static void
ngx_scale_tier_look(ngx_scale_flight_t *flight, ngx_msec_t delay)
{
    flight->polls++;
    flight->state = NGX_SCALE_FLIGHT_WAITING;

    if (delay) {
        ngx_add_timer(&flight->event, delay);

    } else {
        ngx_post_event(&flight->event, &ngx_posted_events);
    }
}


/* a pool of its own: the first reader may take its memory with it */

static ngx_int_t
ngx_scale_tier_answer(ngx_scale_flight_t *flight, uint64_t now)
{
    ngx_int_t           rc;
    ngx_pool_t         *pool;
    ngx_queue_t        *q;
    ngx_scale_entry_t   entry;

    pool = ngx_create_pool(NGX_SCALE_TIER_POOL, flight->cache->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    q = ngx_queue_head(&flight->readers);

    rc = ngx_scale_cache_local(flight->cache,
                               ngx_queue_data(q, ngx_scale_read_t, queue),
                               pool, now, &entry);
    if (rc == NGX_OK) {
        flight->polls = 0;
        flight->op.rtoken.cas = 0;
        ngx_scale_flight_answer(flight, NGX_SCALE_CACHE_HIT, &entry, NULL);
    }

    ngx_destroy_pool(pool);

    return rc;
}


void
ngx_scale_tier_keep(ngx_scale_flight_t *flight)
{
    ngx_uint_t               i;
    ngx_scale_cache_t       *cache;
    ngx_scale_flight_tag_t  *tag;

    cache = flight->cache;

    if (cache->local == NULL
        || !ngx_scale_local_admits(cache->local, flight->note.hash))
    {
        return;
    }

    ngx_scale_tier_store(flight, &flight->note, &flight->place, &flight->op,
                         flight->op.rvalue.data, flight->op.rvalue.len);

    for (i = 0; i < flight->ntags; i++) {
        tag = &flight->tags[i];

        ngx_scale_tier_store(flight, &tag->note, &tag->place, &tag->op,
                             (u_char *) &tag->generation, sizeof(uint64_t));
    }
}


static void
ngx_scale_tier_store(ngx_scale_flight_t *flight, ngx_scale_tier_note_t *note,
    ngx_scale_place_t *place, ngx_scale_memc_op_t *op, u_char *value,
    size_t len)
{
    ngx_scale_local_meta_t  meta;

    meta.life = ngx_scale_tier_life(flight, op);

    /* a tag's stub: its new generation is not yet stored */

    if (op->rflags == NGX_SCALE_CACHE_STUB || meta.life == 0
        || len > NGX_SCALE_LOCAL_MAX_VALUE)
    {
        return;
    }

    if (ngx_scale_cache_state(place, &meta.node, &meta.word) != NGX_OK) {
        return;
    }

    meta.hash = note->hash;
    meta.generation = note->generation;
    meta.sent = flight->sent;
    meta.len = len;

    (void) ngx_scale_local_store(flight->cache->local, &meta, value);
}


/*
 * Never longer than it is fresh: of a lifetime of T seconds only T - 1 are
 * certain.  And hardly when it is to be read anew, which memcached tells.
 */

static uint32_t
ngx_scale_tier_life(ngx_scale_flight_t *flight, ngx_scale_memc_op_t *op)
{
    time_t      left, early;
    ngx_msec_t  life;

    if (op->rttl < 0) {
        return flight->cache->conf->local_ttl;
    }

    left = op->rttl - 1;
    early = 0;

    if (op == &flight->op) {
        left = -flight->overdue - 1;
        early = op->rflags == NGX_SCALE_CACHE_VALUE
                ? op->recache - (op->rttl + flight->overdue) : 0;
    }

    if (left <= 0) {
        return 0;
    }

    life = left > early ? (ngx_msec_t) (left - early) * 1000
                        : NGX_SCALE_TIER_EARLY;

    return ngx_min(flight->cache->conf->local_ttl, life);
}


void
ngx_scale_tier_remove(ngx_scale_cache_t *cache, u_char room, ngx_str_t *key)
{
    if (cache->local) {
        ngx_scale_local_remove(cache->local,
                               ngx_scale_local_hash(cache->local, room, key));
    }
}
