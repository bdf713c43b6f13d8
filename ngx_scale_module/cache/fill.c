
/*
 * How a filler ends, and what its flight stores then: a value, the generation
 * of a tag, or the lease given back.  Nobody waits for the replies.
 */

#include "cache/flight_int.h"


/* a command whose reply nobody waits for; it owns its value */

typedef struct {
    ngx_queue_t                  queue;
    ngx_scale_memc_op_t          op;
    u_char                       wire[NGX_SCALE_CACHE_WIRE_MAX];
    u_char                       value[1];
} ngx_scale_flight_note_t;


static ngx_scale_flight_t *ngx_scale_flight_leave(ngx_scale_read_t *read);
static ngx_int_t ngx_scale_flight_too_large(ngx_scale_flight_t *flight);
static ngx_int_t ngx_scale_flight_store(ngx_scale_flight_t *flight,
    ngx_scale_read_t *read, ngx_scale_entry_t *entry);
static ngx_scale_flight_note_t *ngx_scale_flight_note(
    ngx_scale_flight_t *flight, ngx_scale_place_t *place, size_t len,
    ngx_scale_token_t *token);
static void ngx_scale_flight_noted(ngx_scale_memc_op_t *op);


ngx_uint_t
ngx_scale_flight_valid(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry)
{
    ngx_uint_t  i;

    if (entry->ntags != flight->ntags) {
        return 0;
    }

    for (i = 0; i < flight->ntags; i++) {
        if (ngx_scale_codec_generation(entry, i)
            != flight->tags[i].generation)
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_scale_cache_fill(ngx_scale_read_t *read, ngx_scale_entry_t *entry)
{
    ngx_int_t            rc;
    ngx_scale_flight_t  *flight;

    rc = NGX_OK;
    flight = ngx_scale_flight_leave(read);

    if (entry->unverified || entry->partial) {
        ngx_scale_flight_give_up(flight);

    } else if (flight->leased) {
        rc = ngx_scale_flight_store(flight, read, entry);
    }

    ngx_scale_flight_answer(flight, NGX_SCALE_CACHE_HIT, entry, NULL);

    return rc;
}


void
ngx_scale_cache_fail(ngx_scale_read_t *read, void *failure)
{
    ngx_scale_flight_t  *flight;

    flight = ngx_scale_flight_leave(read);

    ngx_scale_flight_give_up(flight);

    if (failure || !flight->keeps) {
        ngx_scale_flight_answer(flight, NGX_SCALE_CACHE_FAILED, NULL, failure);
        return;
    }

    flight->old = 1;
    ngx_scale_flight_answer(flight, NGX_SCALE_CACHE_HIT, &flight->kept, NULL);
}


ngx_int_t
ngx_scale_cache_decline(ngx_scale_read_t *read)
{
    ngx_int_t            rc;
    ngx_scale_flight_t  *flight;

    flight = ngx_scale_flight_leave(read);
    rc = ngx_scale_flight_too_large(flight);

    ngx_scale_flight_free_lease(flight);
    ngx_scale_flight_answer(flight, NGX_SCALE_CACHE_BYPASS, NULL, NULL);

    return rc;
}


static ngx_scale_flight_t *
ngx_scale_flight_leave(ngx_scale_read_t *read)
{
    ngx_scale_flight_t  *flight;

    flight = read->flight;
    flight->leader = NULL;
    read->flight = NULL;

    ngx_scale_warm_leave(flight);

    return flight;
}


static ngx_int_t
ngx_scale_flight_too_large(ngx_scale_flight_t *flight)
{
    uint64_t     *statement;
    ngx_uint_t    i;
    ngx_array_t  *large;

    large = &flight->cache->large;
    statement = large->elts;

    for (i = 0; i < large->nelts; i++) {
        if (statement[i] == flight->statement) {
            return NGX_OK;
        }
    }

    statement = ngx_array_push(large);
    if (statement == NULL) {
        return NGX_OK;
    }

    *statement = flight->statement;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_scale_flight_store(ngx_scale_flight_t *flight, ngx_scale_read_t *read,
    ngx_scale_entry_t *entry)
{
    size_t                    len;
    time_t                    ttl;
    uint64_t                  generations[NGX_SCALE_CACHE_MAX_TAGS];
    ngx_uint_t                i;
    ngx_scale_entry_t         e;
    ngx_scale_flight_note_t  *note;

    e = *entry;
    e.key = flight->node.str;
    e.statement = flight->statement;
    e.stored = ngx_time();
    e.ntags = flight->ntags;
    e.generations = (u_char *) generations;

    for (i = 0; i < flight->ntags; i++) {
        generations[i] = flight->tags[i].generation;
    }

    ttl = ngx_scale_due_life(&flight->place, read, &e);
    len = ngx_scale_codec_header_len(&e) + e.body.len;

    if (ttl == 0 || len > NGX_SCALE_CACHE_MAX_VALUE) {
        ngx_scale_flight_free_lease(flight);
        return ttl ? ngx_scale_flight_too_large(flight) : NGX_OK;
    }

    note = ngx_scale_flight_note(flight, &flight->place, len, &flight->lease);
    if (note == NULL) {
        return NGX_OK;
    }

    SCALE_STEP("fill.store");

    (void) ngx_scale_codec_encode(note->value, &e);

    note->op.verb = NGX_SCALE_MEMC_MS;
    note->op.flags = e.negative ? NGX_SCALE_CACHE_NEGATIVE
                                : NGX_SCALE_CACHE_VALUE;
    note->op.ttl = ttl;
    note->op.guarded = !ngx_scale_weak("lease");

    ngx_scale_memc_send(flight->place.node->memc, &note->op);

    return NGX_OK;
}


void
ngx_scale_flight_free_lease(ngx_scale_flight_t *flight)
{
    ngx_scale_flight_note_t  *note;

    if (!flight->leased) {
        return;
    }

    flight->leased = 0;

    note = ngx_scale_flight_note(flight, &flight->place, 0, &flight->lease);

    if (note) {
        note->op.verb = NGX_SCALE_MEMC_MD;
        ngx_scale_memc_send(flight->place.node->memc, &note->op);
    }
}


void
ngx_scale_flight_give_up(ngx_scale_flight_t *flight)
{
    if (flight->renewing) {
        flight->leased = 0;
        return;
    }

    ngx_scale_flight_free_lease(flight);
}


/* refused, where somebody was first: what is filled now is invalid then */

void
ngx_scale_flight_new_tag(ngx_scale_flight_t *flight,
    ngx_scale_flight_tag_t *tag, ngx_scale_token_t *token)
{
    ngx_scale_flight_note_t  *note;

    note = ngx_scale_flight_note(flight, &tag->place, sizeof(uint64_t), token);
    if (note == NULL) {
        return;
    }

    ngx_memcpy(note->value, &tag->generation, sizeof(uint64_t));

    note->op.verb = NGX_SCALE_MEMC_MS;
    note->op.flags = NGX_SCALE_CACHE_VALUE;
    note->op.ttl = ngx_scale_cache_tag_ttl(&tag->place);

    ngx_scale_memc_send(tag->place.node->memc, &note->op);
}


static ngx_scale_flight_note_t *
ngx_scale_flight_note(ngx_scale_flight_t *flight, ngx_scale_place_t *place,
    size_t len, ngx_scale_token_t *token)
{
    ngx_scale_flight_note_t  *note;

    note = ngx_alloc(sizeof(ngx_scale_flight_note_t) + len,
                     flight->cache->log);
    if (note == NULL) {
        return NULL;
    }

    ngx_memzero(&note->op, sizeof(ngx_scale_memc_op_t));
    ngx_memcpy(note->wire, place->wire.data, place->wire.len);

    note->op.key.data = note->wire;
    note->op.key.len = place->wire.len;
    note->op.value.data = note->value;
    note->op.value.len = len;
    note->op.guarded = 1;
    note->op.token = *token;
    note->op.handler = ngx_scale_flight_noted;
    note->op.data = note;

    ngx_queue_insert_tail(&flight->cache->notes, &note->queue);

    return note;
}


static void
ngx_scale_flight_noted(ngx_scale_memc_op_t *op)
{
    ngx_scale_flight_note_t  *note = op->data;

    ngx_queue_remove(&note->queue);
    ngx_free(note);
}


void
ngx_scale_flight_free_notes(ngx_scale_cache_t *cache)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cache->notes)) {
        q = ngx_queue_head(&cache->notes);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_scale_flight_note_t, queue));
    }
}
