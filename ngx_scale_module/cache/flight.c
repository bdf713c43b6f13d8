
/*
 * Reads: one flight per key and worker, so that a herd costs one command and
 * one statement.  A flight goes in rounds.  A round answers the readers that
 * came before its deciding command was sent (the mg for a hit, the statement
 * for a miss); later ones wait for the next round.
 */

#include "cache/flight_int.h"


static ngx_uint_t ngx_scale_flight_is_late(ngx_scale_flight_t *flight);
static ngx_scale_flight_t *ngx_scale_flight_create(ngx_scale_cache_t *cache,
    ngx_scale_read_t *read, uint32_t hash);
static void ngx_scale_flight_event(ngx_event_t *ev);
static void ngx_scale_flight_ask(ngx_scale_flight_t *flight);
static ngx_int_t ngx_scale_flight_find_places(ngx_scale_flight_t *flight);
static void ngx_scale_flight_get(ngx_scale_flight_t *flight,
    ngx_scale_place_t *place, ngx_scale_memc_op_t *op);
static void ngx_scale_flight_tag_reply(ngx_scale_memc_op_t *op);
static void ngx_scale_flight_reply(ngx_scale_memc_op_t *op);
static void ngx_scale_flight_decide(ngx_scale_flight_t *flight);
static ngx_uint_t ngx_scale_flight_is_tagged(ngx_scale_flight_t *flight);
static void ngx_scale_flight_stub(ngx_scale_flight_t *flight,
    ngx_uint_t tagged);
static void ngx_scale_flight_value(ngx_scale_flight_t *flight);
static void ngx_scale_flight_clear(ngx_scale_flight_t *flight,
    ngx_uint_t keep);
static void ngx_scale_flight_cleared(ngx_scale_memc_op_t *op);
static void ngx_scale_flight_wait(ngx_scale_flight_t *flight);
static void ngx_scale_flight_lead(ngx_scale_flight_t *flight);


#define NGX_SCALE_FLIGHT_DELAY_MIN  5     /* ms between polls */
#define NGX_SCALE_FLIGHT_DELAY_MAX  50


ngx_int_t
ngx_scale_cache_read(ngx_scale_cache_t *cache, ngx_scale_read_t *read)
{
    uint32_t             hash;
    ngx_scale_flight_t  *flight;

    hash = ngx_crc32_short(read->key.data, read->key.len);

    flight = (ngx_scale_flight_t *)
                 ngx_str_rbtree_lookup(&cache->flights, &read->key, hash);

    if (flight == NULL) {
        flight = ngx_scale_flight_create(cache, read, hash);
        if (flight == NULL) {
            return NGX_ERROR;
        }

        read->flight = flight;
        ngx_queue_insert_tail(&flight->readers, &read->queue);
        ngx_scale_flight_ask(flight);

        return NGX_OK;
    }

    read->flight = flight;

    ngx_queue_insert_tail(ngx_scale_flight_is_late(flight) ? &flight->late
                                                           : &flight->readers,
                          &read->queue);
    return NGX_OK;
}


/* the deciding command has left, or goes to where the key no longer lives */

static ngx_uint_t
ngx_scale_flight_is_late(ngx_scale_flight_t *flight)
{
    ngx_uint_t  i, late;

    switch (flight->state) {

    case NGX_SCALE_FLIGHT_ASKING:
        late = ngx_scale_memc_is_sent(&flight->op)
               || !ngx_scale_cache_placed(&flight->place);

        /* a tag's may leave before the key's, which waits for a connection */

        for (i = 0; i < flight->ntags; i++) {
            late |= ngx_scale_memc_is_sent(&flight->tags[i].op)
                    || !ngx_scale_cache_placed(&flight->tags[i].place);
        }

        return late;

    case NGX_SCALE_FLIGHT_FILLING:
        return 1;

    default:
        return 0;
    }
}


static ngx_scale_flight_t *
ngx_scale_flight_create(ngx_scale_cache_t *cache, ngx_scale_read_t *read,
    uint32_t hash)
{
    ngx_scale_flight_t  *flight;

    flight = ngx_scale_flight_alloc(cache, read);
    if (flight == NULL) {
        return NULL;
    }

    flight->event.handler = ngx_scale_flight_event;
    flight->event.data = flight;
    flight->event.log = cache->log;
    flight->event.cancelable = 1;

    flight->node.node.key = hash;
    ngx_rbtree_insert(&cache->flights, &flight->node.node);

    return flight;
}


static void
ngx_scale_flight_event(ngx_event_t *ev)
{
    ngx_scale_flight_t  *flight = ev->data;

    if (flight->bypassed || flight->leased) {
        ngx_scale_flight_lead(flight);
        return;
    }

    ngx_scale_flight_ask(flight);
}


static void
ngx_scale_flight_ask(ngx_scale_flight_t *flight)
{
    ngx_uint_t               i;
    ngx_scale_flight_tag_t  *tag;

    if (!ngx_queue_empty(&flight->late)) {
        ngx_queue_add(&flight->readers, &flight->late);
        ngx_queue_init(&flight->late);
    }

    if (ngx_queue_empty(&flight->readers)) {
        ngx_scale_flight_destroy(flight);
        return;
    }

    if (ngx_scale_flight_find_places(flight) != NGX_OK) {
        flight->bypassed = 1;
        ngx_scale_flight_again(flight);
        return;
    }

    if (ngx_scale_tier_ask(flight) != NGX_OK) {
        return;
    }

    SCALE_STEP("read.ask");

    flight->state = NGX_SCALE_FLIGHT_ASKING;
    flight->pending = flight->ntags + 1;

    for (i = 0; i < flight->ntags; i++) {
        tag = &flight->tags[i];

        ngx_scale_flight_get(flight, &tag->place, &tag->op);
        tag->op.handler = ngx_scale_flight_tag_reply;
        tag->op.data = tag;
        tag->flight = flight;
        tag->known = 0;

        ngx_scale_cache_send(&tag->place, &tag->op);
    }

    ngx_scale_flight_get(flight, &flight->place, &flight->op);
    flight->op.recache = ngx_scale_life_recache(&flight->place, flight->ttl,
                                                flight->overtime);
    flight->op.handler = ngx_scale_flight_reply;
    flight->op.data = flight;

    ngx_scale_cache_send(&flight->place, &flight->op);
}


static ngx_int_t
ngx_scale_flight_find_places(ngx_scale_flight_t *flight)
{
    ngx_uint_t  i;

    for (i = 0; i < flight->ntags; i++) {
        if (ngx_scale_cache_place(flight->cache, &flight->tags[i].place,
                                  NGX_SCALE_CACHE_ROOM_TAG,
                                  &flight->tags[i].tag)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    return ngx_scale_cache_place(flight->cache, &flight->place,
                                 NGX_SCALE_CACHE_ROOM_CONTENT,
                                 &flight->node.str);
}


static void
ngx_scale_flight_get(ngx_scale_flight_t *flight, ngx_scale_place_t *place,
    ngx_scale_memc_op_t *op)
{
    time_t  lease;

    lease = (time_t) (flight->patience / 1000) + 1;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = NGX_SCALE_MEMC_MG;
    op->key = place->wire;
    op->lease = ngx_max(NGX_SCALE_CACHE_LEASE_MIN,
                        ngx_min(lease, NGX_SCALE_CACHE_LEASE_MAX));
}


/* a tag's value is its generation; a missing one gets a new one by a lease */

static void
ngx_scale_flight_tag_reply(ngx_scale_memc_op_t *op)
{
    ngx_scale_flight_tag_t  *tag = op->data;

    if (op->status == NGX_SCALE_MEMC_VA) {

        if (op->rflags == NGX_SCALE_CACHE_VALUE
            && op->rvalue.len == sizeof(uint64_t))
        {
            ngx_memcpy(&tag->generation, op->rvalue.data, sizeof(uint64_t));
            tag->age = ngx_scale_cache_tag_ttl(&tag->place) - op->rttl;
            tag->known = 1;

        } else if (op->rflags == NGX_SCALE_CACHE_STUB && op->won) {
            tag->generation = ngx_scale_zone_draw(&tag->flight->cache->chance);
            tag->age = 0;
            tag->known = 1;
            ngx_scale_flight_new_tag(tag->flight, tag, &op->rtoken);
        }
    }

    if (--tag->flight->pending == 0) {
        ngx_scale_flight_decide(tag->flight);
    }
}


static void
ngx_scale_flight_reply(ngx_scale_memc_op_t *op)
{
    ngx_scale_flight_t  *flight = op->data;

    if (--flight->pending == 0) {
        ngx_scale_flight_decide(flight);
        return;
    }

    /* the value is valid now only, and a tag of another node is awaited */

    if (ngx_scale_flight_hold(flight) != NGX_OK) {
        op->status = NGX_SCALE_MEMC_FAILED;
    }
}


static void
ngx_scale_flight_decide(ngx_scale_flight_t *flight)
{
    ngx_uint_t            tagged;
    ngx_scale_memc_op_t  *op;

    SCALE_STEP("read.told");

    op = &flight->op;
    tagged = ngx_scale_flight_is_tagged(flight);

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, flight->cache->log, 0,
                   "scale cache \"%V\" status:%ui flags:%uD tagged:%ui",
                   &flight->node.str, op->status, op->rflags, tagged);

    flight->marked = 0;

    if (op->status != NGX_SCALE_MEMC_VA) {
        ngx_scale_flight_lead(flight);
        return;
    }

    if (op->rflags == NGX_SCALE_CACHE_STUB) {
        ngx_scale_flight_stub(flight, tagged);
        return;
    }

    if (tagged && (op->rflags == NGX_SCALE_CACHE_VALUE
                   || op->rflags == NGX_SCALE_CACHE_NEGATIVE))
    {
        ngx_scale_flight_value(flight);
        return;
    }

    flight->marked = op->rflags == NGX_SCALE_CACHE_PENDING;

    ngx_scale_flight_lead(flight);
}


static ngx_uint_t
ngx_scale_flight_is_tagged(ngx_scale_flight_t *flight)
{
    ngx_uint_t  i;

    for (i = 0; i < flight->ntags; i++) {
        if (!flight->tags[i].known) {
            return 0;
        }
    }

    return 1;
}


/* what is filled without the generations of its tags is nobody's */

static void
ngx_scale_flight_stub(ngx_scale_flight_t *flight, ngx_uint_t tagged)
{
    if (flight->op.won) {
        flight->lease = flight->op.rtoken;
        flight->leased = 1;

        ngx_scale_warm_count(flight->cache, 1);

        if (!tagged) {
            ngx_scale_flight_free_lease(flight);
        }

    } else if (flight->op.wait) {
        ngx_scale_flight_wait(flight);
        return;
    }

    ngx_scale_flight_lead(flight);
}


static void
ngx_scale_flight_value(ngx_scale_flight_t *flight)
{
    ngx_scale_due_e    due;
    ngx_scale_entry_t  entry;

    due = NGX_SCALE_DUE_CLEAR;

    if (ngx_scale_codec_decode(&flight->op.rvalue, &flight->node.str,
                               flight->statement, &entry)
        == NGX_OK)
    {
        ngx_scale_warm_count(flight->cache, 0);
        due = ngx_scale_due_judge(flight, &entry);
    }

    switch (due) {

    case NGX_SCALE_DUE_LEAD:
        ngx_scale_flight_lead(flight);
        return;

    case NGX_SCALE_DUE_NOTE:
    case NGX_SCALE_DUE_CLEAR:
        ngx_scale_flight_clear(flight, due == NGX_SCALE_DUE_NOTE);
        return;

    default:                           /* ENDED: the flight may be gone */
        return;
    }
}


/*
 * An invalid entry gives no lease, and a filler that died keeps its own: that
 * is removed, and asked for again.  Where the entry is kept, one of those who
 * ask is told to read the row anew.
 */

static void
ngx_scale_flight_clear(ngx_scale_flight_t *flight, ngx_uint_t keep)
{
    ngx_scale_token_t     token;
    ngx_scale_memc_op_t  *op;

    if (flight->cleared) {
        ngx_scale_flight_lead(flight);
        return;
    }

    op = &flight->op;
    token = op->rtoken;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = NGX_SCALE_MEMC_MD;
    op->key = flight->place.wire;
    op->guarded = 1;
    op->token = token;
    op->keep = keep;
    op->handler = ngx_scale_flight_cleared;
    op->data = flight;

    flight->noted = keep;
    flight->cleared = !keep;
    flight->state = NGX_SCALE_FLIGHT_CLEARING;

    ngx_scale_cache_send(&flight->place, op);
}


static void
ngx_scale_flight_cleared(ngx_scale_memc_op_t *op)
{
    ngx_scale_flight_ask(op->data);
}


/*
 * A lease may be nobody's: its filler was killed, or memcached gave it to a
 * connection that had been closed while it was silent.  A new one is not: it
 * is waited for as long as the first.
 */

static void
ngx_scale_flight_wait(ngx_scale_flight_t *flight)
{
    if (flight->delay == 0 || flight->awaited != flight->op.rtoken.cas) {
        flight->until = ngx_current_msec + flight->patience;
        flight->awaited = flight->op.rtoken.cas;

    } else if ((ngx_msec_int_t) (flight->until - ngx_current_msec) <= 0) {
        flight->delay = 0;
        flight->cleared = 0;
        ngx_scale_flight_clear(flight, 0);
        return;
    }

    flight->delay = flight->delay
                    ? ngx_min(flight->delay * 2, NGX_SCALE_FLIGHT_DELAY_MAX)
                    : NGX_SCALE_FLIGHT_DELAY_MIN;

    flight->state = NGX_SCALE_FLIGHT_WAITING;

    ngx_add_timer(&flight->event, flight->delay);
}


static void
ngx_scale_flight_lead(ngx_scale_flight_t *flight)
{
    ngx_queue_t       *q;
    ngx_scale_read_t  *leader;

    if (!ngx_queue_empty(&flight->late)) {
        ngx_queue_add(&flight->readers, &flight->late);
        ngx_queue_init(&flight->late);
    }

    if (ngx_queue_empty(&flight->readers)) {
        ngx_scale_warm_leave(flight);
        ngx_scale_flight_give_up(flight);
        ngx_scale_flight_end(flight);
        return;
    }

    flight->bypassed = !flight->leased;

    if (ngx_scale_warm_enter(flight) != NGX_OK) {
        flight->state = NGX_SCALE_FLIGHT_RESTING;
        return;
    }

    q = ngx_queue_head(&flight->readers);
    ngx_queue_remove(q);

    leader = ngx_queue_data(q, ngx_scale_read_t, queue);

    flight->state = NGX_SCALE_FLIGHT_FILLING;
    flight->leader = leader;

    leader->verdict = NGX_SCALE_CACHE_FILL;
    leader->bypassed = flight->bypassed;
    leader->pending = flight->marked;
    leader->handler(leader);
}


void
ngx_scale_cache_read_cancel(ngx_scale_read_t *read)
{
    ngx_scale_flight_t  *flight;

    flight = read->flight;
    if (flight == NULL) {
        return;
    }

    read->flight = NULL;

    if (flight->leader != read) {
        ngx_queue_remove(&read->queue);
        return;
    }

    flight->leader = NULL;

    ngx_scale_warm_leave(flight);

    if (flight->detached) {
        ngx_scale_flight_end(flight);
        return;
    }

    ngx_scale_flight_again(flight);
}
