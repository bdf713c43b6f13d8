
/*
 * An entry's age.  Its life in memcached is its ttl and, where one is declared,
 * an overtime in which it answers while it is read anew (stale=), or where no
 * row can be read (error=).  memcached counts: what is left is its clock's,
 * and no other clock is asked.
 */

#include "cache/flight_int.h"


static ngx_uint_t ngx_scale_due_is_valid(ngx_scale_flight_t *flight,
    ngx_scale_entry_t *entry);
static ngx_scale_due_e ngx_scale_due_past(ngx_scale_flight_t *flight,
    ngx_scale_entry_t *entry);
static ngx_scale_due_e ngx_scale_due_tagged(ngx_scale_flight_t *flight,
    ngx_scale_entry_t *entry);
static time_t ngx_scale_due_tag_age(ngx_scale_flight_t *flight,
    ngx_scale_entry_t *entry);
static void ngx_scale_due_refuse(ngx_scale_flight_t *flight,
    ngx_queue_t *others, time_t tagged);
static void ngx_scale_due_serve(ngx_scale_flight_t *flight,
    ngx_scale_entry_t *entry, ngx_queue_t *others, time_t since);
static ngx_uint_t ngx_scale_due_is_renewed(ngx_scale_cache_t *cache,
    ngx_str_t *key);


#define NGX_SCALE_DUE_NOT_TAGGED  (-1)


ngx_scale_due_e
ngx_scale_due_judge(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry)
{
    ngx_scale_memc_op_t  *op;

    op = &flight->op;

    flight->overdue = op->rttl < 0 ? -1 : entry->overtime - op->rttl;

    if (!ngx_scale_due_is_valid(flight, entry)) {
        return ngx_scale_due_tagged(flight, entry);
    }

    if (flight->overdue >= 0 && entry->overtime) {
        return ngx_scale_due_past(flight, entry);
    }

    /* the lease that R gives is the renewal's; an absent row is not renewed */

    flight->due = op->won && !entry->negative;

    ngx_scale_tier_keep(flight);
    ngx_scale_flight_answer(flight, NGX_SCALE_CACHE_HIT, entry, NULL);

    return NGX_SCALE_DUE_ENDED;
}


static ngx_uint_t
ngx_scale_due_is_valid(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry)
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


static ngx_scale_due_e
ngx_scale_due_past(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry)
{
    ngx_queue_t  others;

    ngx_scale_due_refuse(flight, &others, NGX_SCALE_DUE_NOT_TAGGED);
    ngx_scale_due_serve(flight, entry, &others, flight->overdue);

    if (ngx_queue_empty(&flight->readers)) {
        ngx_scale_flight_end(flight);
        return NGX_SCALE_DUE_ENDED;
    }

    /*
     * The entry's own CAS is as good a token as a lease: it came before the
     * row is read, and any invalidation changes it.
     */

    flight->lease = flight->op.rtoken;
    flight->leased = 1;
    flight->renewing = 1;

    if (ngx_scale_flight_hold(flight) == NGX_OK) {
        flight->keeps = ngx_scale_codec_decode(&flight->op.rvalue,
                                               &flight->node.str,
                                               flight->statement,
                                               &flight->kept)
                        == NGX_OK;
    }

    return NGX_SCALE_DUE_LEAD;
}


/* a write has made a tag new: nobody sees that entry who must not */

static ngx_scale_due_e
ngx_scale_due_tagged(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry)
{
    time_t       age;
    ngx_queue_t  others;

    age = ngx_scale_due_tag_age(flight, entry);

    ngx_scale_due_refuse(flight, &others, age);

    if (!ngx_queue_empty(&flight->readers)
        && !flight->op.old && !flight->noted)
    {
        ngx_queue_add(&flight->readers, &others);
        return NGX_SCALE_DUE_NOTE;
    }

    ngx_scale_due_serve(flight, entry, &others, age);

    if (ngx_queue_empty(&flight->readers)) {
        ngx_scale_flight_end(flight);
        return NGX_SCALE_DUE_ENDED;
    }

    return NGX_SCALE_DUE_CLEAR;
}


/* for how many seconds it has not been valid, at least */

static time_t
ngx_scale_due_tag_age(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry)
{
    time_t      age;
    ngx_uint_t  i;

    age = 0;

    if (entry->ntags != flight->ntags) {
        return NGX_SCALE_CACHE_TAG_TTL;
    }

    for (i = 0; i < flight->ntags; i++) {
        if (ngx_scale_codec_generation(entry, i)
            != flight->tags[i].generation)
        {
            age = ngx_max(age, flight->tags[i].age);
        }
    }

    return age;
}


/* those for whom the entry is too old go to "others" */

static void
ngx_scale_due_refuse(ngx_scale_flight_t *flight, ngx_queue_t *others,
    time_t tagged)
{
    ngx_queue_t       *q, *next;
    ngx_scale_read_t  *read;

    ngx_queue_init(others);

    for (q = ngx_queue_head(&flight->readers);
         q != ngx_queue_sentinel(&flight->readers);
         q = next)
    {
        next = ngx_queue_next(q);
        read = ngx_queue_data(q, ngx_scale_read_t, queue);

        if (flight->overdue >= read->stale
            || tagged >= read->lenience)
        {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(others, q);
        }
    }
}


/* whoever was to read it anew and has not in all that time has gone */

static void
ngx_scale_due_serve(ngx_scale_flight_t *flight, ngx_scale_entry_t *entry,
    ngx_queue_t *others, time_t since)
{
    flight->old = 1;
    flight->due = flight->op.won
                  || since > (time_t) (flight->patience / 1000) + 1;

    ngx_scale_flight_tell(flight, NGX_SCALE_CACHE_HIT, entry, NULL);

    flight->due = 0;

    if (!ngx_queue_empty(others)) {
        ngx_queue_add(&flight->readers, others);
    }
}


ngx_scale_entry_t *
ngx_scale_cache_kept(ngx_scale_read_t *read)
{
    ngx_scale_flight_t  *flight;

    flight = read->flight;

    return flight->keeps && flight->overdue < read->error ? &flight->kept
                                                          : NULL;
}


ngx_int_t
ngx_scale_cache_renew(ngx_scale_read_t *read, ngx_scale_read_t *renewal)
{
    ngx_uint_t           i;
    ngx_scale_cache_t   *cache;
    ngx_scale_flight_t  *flight, *own;

    flight = read->due;
    cache = flight->cache;

    if (cache->nrenewals == NGX_SCALE_CACHE_RENEWALS
        || ngx_scale_due_is_renewed(cache, &flight->node.str))
    {
        return NGX_DECLINED;
    }

    own = ngx_scale_flight_alloc(cache, read);
    if (own == NULL) {
        return NGX_DECLINED;
    }

    own->state = NGX_SCALE_FLIGHT_FILLING;
    own->place = flight->place;
    own->place.wire.data = own->place.buf;
    own->lease = flight->op.rtoken;
    own->leased = 1;
    own->renewing = 1;
    own->detached = 1;
    own->leader = renewal;

    for (i = 0; i < own->ntags; i++) {
        own->tags[i].generation = flight->tags[i].generation;
    }

    ngx_queue_insert_tail(&cache->renewals, &own->queue);
    cache->nrenewals++;

    renewal->key = own->node.str;
    renewal->statement = read->statement;
    renewal->ttl = read->ttl;
    renewal->missing = read->missing;
    renewal->stale = read->stale;
    renewal->error = read->error;
    renewal->patience = read->patience;
    renewal->verdict = NGX_SCALE_CACHE_FILL;
    renewal->flight = own;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_due_is_renewed(ngx_scale_cache_t *cache, ngx_str_t *key)
{
    ngx_queue_t         *q;
    ngx_scale_flight_t  *flight;

    for (q = ngx_queue_head(&cache->renewals);
         q != ngx_queue_sentinel(&cache->renewals);
         q = ngx_queue_next(q))
    {
        flight = ngx_queue_data(q, ngx_scale_flight_t, queue);

        if (ngx_scale_same(&flight->node.str, key)) {
            return 1;
        }
    }

    return 0;
}
