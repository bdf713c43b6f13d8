
/*
 * How a filler ends, and what its flight stores then: a value, the generation
 * of a tag, or the lease given back.  Nobody waits for the replies.
 */

#include "cache/flight_int.h"


static ngx_scale_flight_t *ngx_scale_flight_leave(ngx_scale_read_t *read);
static ngx_int_t ngx_scale_flight_too_large(ngx_scale_flight_t *flight);
static ngx_int_t ngx_scale_flight_store(ngx_scale_flight_t *flight,
    ngx_scale_read_t *read, ngx_scale_entry_t *entry);
static ngx_scale_memc_op_t *ngx_scale_flight_note(ngx_scale_flight_t *flight,
    ngx_scale_place_t *place, size_t len, ngx_scale_token_t *token);


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
    ngx_scale_memc_op_t      *note;

    e = *entry;
    e.key = flight->node.str;
    e.statement = flight->statement;
    e.stored = ngx_time();
    e.ntags = flight->ntags;
    e.generations = (u_char *) generations;

    for (i = 0; i < flight->ntags; i++) {
        generations[i] = flight->tags[i].generation;
    }

    ttl = ngx_scale_life_draw(&flight->place, read, &e);
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

    (void) ngx_scale_codec_encode(note->value.data, &e);

    note->verb = NGX_SCALE_MEMC_MS;
    note->flags = e.negative ? NGX_SCALE_CACHE_NEGATIVE
                             : NGX_SCALE_CACHE_VALUE;
    note->ttl = ttl;
    note->guarded = !ngx_scale_weak("lease");

    ngx_scale_cache_send(&flight->place, note);

    return NGX_OK;
}


void
ngx_scale_flight_free_lease(ngx_scale_flight_t *flight)
{
    ngx_scale_memc_op_t  *note;

    if (!flight->leased) {
        return;
    }

    flight->leased = 0;

    note = ngx_scale_flight_note(flight, &flight->place, 0, &flight->lease);

    if (note) {
        note->verb = NGX_SCALE_MEMC_MD;
        ngx_scale_cache_send(&flight->place, note);
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
    ngx_scale_memc_op_t  *note;

    note = ngx_scale_flight_note(flight, &tag->place, sizeof(uint64_t), token);
    if (note == NULL) {
        return;
    }

    ngx_memcpy(note->value.data, &tag->generation, sizeof(uint64_t));

    note->verb = NGX_SCALE_MEMC_MS;
    note->flags = NGX_SCALE_CACHE_VALUE;
    note->ttl = ngx_scale_cache_tag_ttl(&tag->place);

    ngx_scale_cache_send(&tag->place, note);
}


static ngx_scale_memc_op_t *
ngx_scale_flight_note(ngx_scale_flight_t *flight, ngx_scale_place_t *place,
    size_t len, ngx_scale_token_t *token)
{
    ngx_scale_memc_op_t  *note;

    note = ngx_scale_cache_note(flight->cache, &place->wire, len);

    if (note) {
        note->guarded = 1;
        note->token = *token;
    }

    return note;
}
