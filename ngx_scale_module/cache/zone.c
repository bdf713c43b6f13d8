
#include "cache/zone.h"


static void ngx_scale_zone_take(ngx_scale_zone_cache_t *record,
    ngx_scale_view_t *view);
static void ngx_scale_zone_carry(ngx_scale_zone_cache_t *record,
    ngx_scale_view_t *view);
static void ngx_scale_zone_publish(ngx_scale_zone_cache_t *record,
    ngx_scale_zone_slot_t *slot);
static uint32_t ngx_scale_zone_checksum(ngx_scale_zone_slot_t *slot);
static ngx_uint_t ngx_scale_zone_is_whole(ngx_scale_zone_cache_t *record);
static ngx_int_t ngx_scale_zone_replace(ngx_scale_zone_cache_t *record,
    ngx_scale_view_t *view);


/* a lease is its end in ms, and the tag of what is leased */

#define NGX_SCALE_ZONE_TAG_BITS  24
#define NGX_SCALE_ZONE_TAG       (((uint64_t) 1 << NGX_SCALE_ZONE_TAG_BITS) - 1)
#define NGX_SCALE_ZONE_FOREVER                                                \
    (((uint64_t) 1 << (64 - NGX_SCALE_ZONE_TAG_BITS)) - 1)

/* a claim is when it was made, in ms, and who made it */

#define NGX_SCALE_ZONE_PID_BITS  22

#define ngx_scale_zone_lease(end, tag)                                        \
    ((uint64_t) (end) << NGX_SCALE_ZONE_TAG_BITS | (tag))


ngx_scale_zone_cache_t *
ngx_scale_zone_join(ngx_scale_zone_t *zone, ngx_slab_pool_t *pool,
    ngx_str_t *name, ngx_uint_t shared)
{
    ngx_uint_t               i;
    ngx_scale_zone_cache_t  *record;

    for (i = 0; i < zone->ncaches; i++) {
        record = zone->caches[i];

        if (ngx_strlen(record->name) == name->len
            && ngx_memcmp(record->name, name->data, name->len) == 0)
        {
            /* a view of the one kind is nothing for the other */

            if (record->shared != shared) {
                record->lease = 0;
                ngx_memory_barrier();
                record->shared = shared;
                record->slot.checksum = 0;
                ngx_memzero(&record->slot.now, sizeof(ngx_scale_view_t));
            }

            ngx_memzero((void *) record->faults, sizeof(record->faults));
            record->asked = 0;

            return record;
        }
    }

    if (zone->ncaches == NGX_SCALE_ZONE_CACHES
        || name->len >= sizeof(record->name))
    {
        return NULL;
    }

    record = ngx_slab_calloc(pool, sizeof(ngx_scale_zone_cache_t));
    if (record == NULL) {
        return NULL;
    }

    ngx_memcpy(record->name, name->data, name->len);
    record->shared = shared;

    zone->caches[zone->ncaches++] = record;

    return record;
}


ngx_int_t
ngx_scale_zone_set(ngx_scale_zone_cache_t *record,
    ngx_scale_view_server_t *servers, ngx_uint_t n)
{
    ngx_int_t              rc;
    ngx_atomic_uint_t      renewals;
    ngx_scale_zone_slot_t  slot;

    renewals = record->renewals;

    ngx_memzero(&slot, sizeof(ngx_scale_zone_slot_t));

    if (ngx_scale_zone_is_whole(record)) {
        ngx_memcpy(&slot.now, &record->slot.now, sizeof(ngx_scale_view_t));
    }

    if (ngx_scale_view_same(&slot.now, servers, n)) {
        return NGX_OK;
    }

    /* no worker may read a word in the place of another one's */

    record->lease = 0;
    ngx_memory_barrier();

    ngx_scale_zone_take(record, &slot.now);

    rc = ngx_scale_view_change(&slot.now, servers, n, ngx_scale_zone_random);

    if (rc == NGX_OK) {
        ngx_scale_zone_carry(record, &slot.now);
        ngx_scale_zone_publish(record, &slot);

        record->lease = ngx_scale_zone_lease(NGX_SCALE_ZONE_FOREVER,
                                             slot.tag);
        ngx_memory_barrier();

        /* a worker's renewal meanwhile was of words that are not used */

        if (record->renewals != renewals) {
            ngx_scale_zone_renew(record);
        }
    }

    return rc;
}


/*
 * The words, out of the hands of the workers: one that has put a node out of
 * use meanwhile is heard, one that tries later finds a word without a seal.
 */

static void
ngx_scale_zone_take(ngx_scale_zone_cache_t *record, ngx_scale_view_t *view)
{
    uint64_t    word;
    ngx_uint_t  i;

    for (i = 0; i < view->nnodes; i++) {

        do {
            word = record->words[i];

        } while (!ngx_atomic_cmp_set(&record->words[i], word,
                                     ngx_scale_zone_random()));

        view->nodes[i].word = word;
        record->taken[i] = word;
    }
}


/* a word that stays takes with it what belongs to it, to its new place */

static void
ngx_scale_zone_carry(ngx_scale_zone_cache_t *record, ngx_scale_view_t *view)
{
    uint64_t    seals[NGX_SCALE_VIEW_NODES], others[NGX_SCALE_VIEW_NODES];
    ngx_uint_t  i, n;

    for (n = 0; n < view->nnodes; n++) {
        seals[n] = 0;
        others[n] = 0;

        for (i = 0; i < NGX_SCALE_VIEW_NODES; i++) {
            if (record->taken[i] == view->nodes[n].word) {
                seals[n] = record->seals[i];
                others[n] = record->others[i];
            }
        }
    }

    for (n = 0; n < NGX_SCALE_VIEW_NODES; n++) {
        record->words[n] = n < view->nnodes ? view->nodes[n].word : 0;
        record->seals[n] = n < view->nnodes ? seals[n] : 0;
        record->others[n] = n < view->nnodes ? others[n] : 0;
    }
}


static void
ngx_scale_zone_publish(ngx_scale_zone_cache_t *record,
    ngx_scale_zone_slot_t *slot)
{
    do {
        slot->tag = ngx_scale_zone_random() & NGX_SCALE_ZONE_TAG;

    } while (slot->tag == 0 || slot->tag == ngx_scale_zone_tag(record));

    slot->checksum = ngx_scale_zone_checksum(slot);

    ngx_memzero((void *) record->faults, sizeof(record->faults));
    ngx_memcpy(&record->slot, slot, sizeof(ngx_scale_zone_slot_t));

    ngx_memory_barrier();
}


static uint32_t
ngx_scale_zone_checksum(ngx_scale_zone_slot_t *slot)
{
    return ngx_crc32_long((u_char *) slot,
                          offsetof(ngx_scale_zone_slot_t, checksum));
}


static ngx_uint_t
ngx_scale_zone_is_whole(ngx_scale_zone_cache_t *record)
{
    return record->slot.tag
           && ngx_scale_zone_checksum(&record->slot) == record->slot.checksum;
}


ngx_int_t
ngx_scale_zone_confirm(ngx_scale_zone_cache_t *record, ngx_scale_view_t *view,
    uint64_t sent)
{
    uint64_t   lease, next;
    ngx_int_t  rc;

    lease = record->lease;

    /* a keeper that was frozen comes too late: it is another one's lease */

    if (sent + NGX_SCALE_ZONE_LEASE <= ngx_scale_zone_now()
        || sent + NGX_SCALE_ZONE_LEASE < lease >> NGX_SCALE_ZONE_TAG_BITS)
    {
        return NGX_DECLINED;
    }

    rc = ngx_scale_zone_replace(record, view);

    next = ngx_scale_zone_lease(sent + NGX_SCALE_ZONE_LEASE,
                                record->slot.tag);

    (void) ngx_atomic_cmp_set(&record->lease, lease, next);

    return rc;
}


/*
 * What was in use stays so until the new view is active: it is "old" until
 * then, however often "now" changes.
 */

static ngx_int_t
ngx_scale_zone_replace(ngx_scale_zone_cache_t *record, ngx_scale_view_t *view)
{
    uint64_t                now;
    ngx_uint_t              whole;
    ngx_scale_zone_slot_t   slot, *was;

    was = &record->slot;
    whole = ngx_scale_zone_is_whole(record);

    if (whole && ngx_memcmp(view, &was->now, sizeof(ngx_scale_view_t)) == 0) {
        return NGX_DECLINED;
    }

    ngx_memzero(&slot, sizeof(ngx_scale_zone_slot_t));

    now = ngx_scale_zone_now();

    slot.active = now + NGX_SCALE_ZONE_WAIT;
    ngx_memcpy(&slot.now, view, sizeof(ngx_scale_view_t));

    if (whole && was->active <= now) {
        slot.has_old = 1;
        ngx_memcpy(&slot.old, &was->now, sizeof(ngx_scale_view_t));

    } else if (whole && was->has_old) {
        slot.has_old = 1;
        ngx_memcpy(&slot.old, &was->old, sizeof(ngx_scale_view_t));
    }

    ngx_scale_zone_publish(record, &slot);

    return NGX_OK;
}


void
ngx_scale_zone_drop(ngx_scale_zone_cache_t *record)
{
    uint64_t  lease;

    lease = record->lease;

    (void) ngx_atomic_cmp_set(&record->lease, lease,
                              lease & NGX_SCALE_ZONE_TAG);
}


ngx_int_t
ngx_scale_zone_read(ngx_scale_zone_cache_t *record,
    ngx_scale_zone_slot_t *slot)
{
    ngx_memcpy(slot, &record->slot, sizeof(ngx_scale_zone_slot_t));

    ngx_memory_barrier();

    if (slot->tag == 0 || slot->tag != ngx_scale_zone_tag(record)
        || ngx_scale_zone_checksum(slot) != slot->checksum)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


uint64_t
ngx_scale_zone_tag(ngx_scale_zone_cache_t *record)
{
    return record->lease & NGX_SCALE_ZONE_TAG;
}


ngx_uint_t
ngx_scale_zone_is_leased(ngx_scale_zone_cache_t *record, uint64_t tag)
{
    uint64_t  lease, end;

    lease = record->lease;
    end = lease >> NGX_SCALE_ZONE_TAG_BITS;

    return (lease & NGX_SCALE_ZONE_TAG) == tag
           && (end == NGX_SCALE_ZONE_FOREVER || ngx_scale_zone_now() < end);
}


ngx_int_t
ngx_scale_zone_keep(ngx_scale_zone_cache_t *record, uint64_t patience)
{
    uint64_t  claim, mine, now, pid;

    now = ngx_scale_zone_now();
    claim = record->keeper;
    pid = claim & (((uint64_t) 1 << NGX_SCALE_ZONE_PID_BITS) - 1);

    if (pid != (uint64_t) ngx_pid
        && now < (claim >> NGX_SCALE_ZONE_PID_BITS) + patience)
    {
        return NGX_DECLINED;
    }

    mine = now << NGX_SCALE_ZONE_PID_BITS | (uint64_t) ngx_pid;

    return ngx_atomic_cmp_set(&record->keeper, claim, mine) ? NGX_OK
                                                            : NGX_DECLINED;
}
