
#include "cache/local.h"
#include "cache/checksum.h"


/* all counts are powers of two */

struct ngx_scale_local_zone_s {
    uint64_t                     id;
    uint64_t                     generations;
    uint64_t                     turns;
    uint64_t                     slots;
    uint64_t                     sketch;     /* words */
    uint64_t                     ring_size;
    u_char                       pad[NGX_CPU_CACHE_LINE];
    ngx_atomic_t                 head;       /* bytes ever written */
};


typedef struct {
    uint64_t                     position;   /* where "head" was */
    ngx_scale_local_meta_t       meta;
    uint64_t                     sum;
} ngx_scale_local_record_t;


static uint64_t ngx_scale_local_share(size_t size, size_t divisor);
static ngx_inline uint64_t ngx_scale_local_place(uint64_t slot,
    uint64_t head);
static ngx_inline uint64_t ngx_scale_local_since(uint64_t then, uint64_t now);
static ngx_atomic_t *ngx_scale_local_set(ngx_scale_local_t *local,
    uint64_t hash);
static ngx_int_t ngx_scale_local_look(ngx_scale_local_t *local,
    uint64_t position, uint64_t hash, ngx_scale_local_found_t *found);
static uint64_t ngx_scale_local_sum(uint64_t position,
    ngx_scale_local_meta_t *meta, u_char *value);
static ngx_uint_t ngx_scale_local_is_past(ngx_scale_local_t *local,
    uint64_t position, uint64_t head);
static ngx_int_t ngx_scale_local_reserve(ngx_scale_local_t *local,
    size_t size, uint64_t *position);
static ngx_int_t ngx_scale_local_publish(ngx_scale_local_t *local,
    uint64_t hash, uint64_t position);
static u_char *ngx_scale_local_count(ngx_scale_local_t *local, uint64_t hash,
    ngx_uint_t row);


#define NGX_SCALE_LOCAL_WAYS      8          /* of a set: a cache line */
#define NGX_SCALE_LOCAL_UNIT      16         /* records begin at these */
#define NGX_SCALE_LOCAL_ATTEMPTS  4
#define NGX_SCALE_LOCAL_MIN_RING  (2 * NGX_SCALE_LOCAL_MAX_VALUE)

/* a slot: 20 bits of the hash, 44 of the position in units */

#define NGX_SCALE_LOCAL_TAG       44
#define NGX_SCALE_LOCAL_MASK      (((uint64_t) 1 << NGX_SCALE_LOCAL_TAG) - 1)

#define NGX_SCALE_LOCAL_COUNT     15         /* the most that is counted */
#define NGX_SCALE_LOCAL_ADMITTED  2
#define NGX_SCALE_LOCAL_HALVES    0x7f7f7f7f7f7f7f7fu


ngx_int_t
ngx_scale_local_format(void *memory, size_t size, uint64_t id)
{
    size_t                   tables;
    ngx_scale_local_zone_t  *zone;

    if (size < NGX_SCALE_LOCAL_MIN_SIZE) {
        return NGX_ERROR;
    }

    zone = memory;

    ngx_memzero(zone, sizeof(ngx_scale_local_zone_t));

    zone->id = id;
    zone->generations = ngx_scale_local_share(size, 512);
    zone->turns = ngx_scale_local_share(size, 4096);
    zone->slots = ngx_scale_local_share(size, 256);
    zone->sketch = ngx_scale_local_share(size, 1024);

    tables = (zone->generations + zone->turns + zone->slots + zone->sketch)
             * sizeof(uint64_t);

    ngx_memzero(ngx_align_ptr(zone + 1, NGX_CPU_CACHE_LINE), tables);

    zone->ring_size = (size - tables - sizeof(ngx_scale_local_zone_t)
                       - NGX_CPU_CACHE_LINE)
                      & ~(uint64_t) (NGX_SCALE_LOCAL_UNIT - 1);

    /* no record is at 0, so an empty slot is nobody's */

    zone->head = zone->ring_size;

    return zone->ring_size < NGX_SCALE_LOCAL_MIN_RING ? NGX_ERROR : NGX_OK;
}


static uint64_t
ngx_scale_local_share(size_t size, size_t divisor)
{
    uint64_t  n;

    for (n = NGX_SCALE_LOCAL_WAYS; n * 2 <= size / divisor; n *= 2) {
        /* void */
    }

    return n;
}


void
ngx_scale_local_open(ngx_scale_local_t *local, void *memory)
{
    ngx_scale_local_zone_t  *zone;

    zone = memory;

    local->zone = zone;
    local->generations = (ngx_atomic_t *) ngx_align_ptr(zone + 1,
                                                        NGX_CPU_CACHE_LINE);
    local->turns = local->generations + zone->generations;
    local->slots = local->turns + zone->turns;
    local->sketch = (uint64_t *) (local->slots + zone->slots);
    local->ring = (u_char *) (local->sketch + zone->sketch);
    local->ring_size = zone->ring_size;
    local->aged = 0;
}


uint64_t
ngx_scale_local_id(void *memory)
{
    ngx_scale_local_zone_t  *zone = memory;

    return zone->id;
}


uint64_t
ngx_scale_local_hash(ngx_scale_local_t *local, u_char room, ngx_str_t *key)
{
    return ngx_scale_checksum(key->data, key->len, local->zone->id ^ room);
}


uint64_t
ngx_scale_local_generation(ngx_scale_local_t *local, uint64_t hash)
{
    return local->generations[hash & (local->zone->generations - 1)];
}


void
ngx_scale_local_remove(ngx_scale_local_t *local, uint64_t hash)
{
    (void) ngx_atomic_fetch_add(&local->generations[hash
                                         & (local->zone->generations - 1)],
                                1);
}


ngx_int_t
ngx_scale_local_find(ngx_scale_local_t *local, uint64_t hash, uint64_t now,
    uint64_t age, ngx_scale_local_found_t *found)
{
    uint64_t       slot, head;
    ngx_int_t      rc;
    ngx_uint_t     i;
    ngx_atomic_t  *set;

    set = ngx_scale_local_set(local, hash);
    head = local->zone->head;
    rc = NGX_DECLINED;

    for (i = 0; i < NGX_SCALE_LOCAL_WAYS; i++) {
        slot = set[i];

        if (slot >> NGX_SCALE_LOCAL_TAG != hash >> NGX_SCALE_LOCAL_TAG
            || ngx_scale_local_look(local, ngx_scale_local_place(slot, head),
                                    hash, found)
               != NGX_OK
            || ngx_scale_local_since(found->meta.sent, now)
               >= found->meta.life)
        {
            continue;
        }

        if (age == 0 || ngx_scale_local_since(found->meta.sent, now) < age) {
            return NGX_OK;
        }

        rc = NGX_AGAIN;
    }

    return rc;
}


/* another worker may have looked at the clock later than the caller */

static ngx_inline uint64_t
ngx_scale_local_since(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}


static ngx_atomic_t *
ngx_scale_local_set(ngx_scale_local_t *local, uint64_t hash)
{
    return &local->slots[(hash >> 16) * NGX_SCALE_LOCAL_WAYS
                         & (local->zone->slots - 1)];
}


/* the latest position before the head that the slot may mean */

static ngx_inline uint64_t
ngx_scale_local_place(uint64_t slot, uint64_t head)
{
    head /= NGX_SCALE_LOCAL_UNIT;

    return (head - ((head - slot) & NGX_SCALE_LOCAL_MASK))
           * NGX_SCALE_LOCAL_UNIT;
}


static ngx_int_t
ngx_scale_local_look(ngx_scale_local_t *local, uint64_t position,
    uint64_t hash, ngx_scale_local_found_t *found)
{
    u_char                    *p;
    uint64_t                   head, offset;
    ngx_scale_local_record_t   record;

    head = local->zone->head;
    offset = position % local->ring_size;

    if (ngx_scale_local_is_past(local, position, head)
        || offset + sizeof(ngx_scale_local_record_t) > local->ring_size)
    {
        return NGX_DECLINED;
    }

    p = local->ring + offset;

    ngx_memcpy(&record, p, sizeof(ngx_scale_local_record_t));

    p += sizeof(ngx_scale_local_record_t);

    if (record.position != position
        || record.meta.hash != hash
        || record.meta.generation != ngx_scale_local_generation(local, hash)
        || record.meta.len > NGX_SCALE_LOCAL_MAX_VALUE
        || record.meta.len > (size_t) (local->ring + local->ring_size - p))
    {
        return NGX_DECLINED;
    }

    found->meta = record.meta;
    found->position = position;
    found->sum = record.sum;
    found->value = p;
    found->old = head - position > local->ring_size / 4 * 3;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_local_is_past(ngx_scale_local_t *local, uint64_t position,
    uint64_t head)
{
    return position == 0 || head - position > local->ring_size;
}


ngx_int_t
ngx_scale_local_take(ngx_scale_local_t *local, ngx_scale_local_found_t *found,
    u_char *value)
{
    ngx_memcpy(value, found->value, found->meta.len);

    ngx_memory_barrier();

    if (ngx_scale_local_is_past(local, found->position, local->zone->head)
        || found->sum != ngx_scale_local_sum(found->position, &found->meta,
                                             value))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static uint64_t
ngx_scale_local_sum(uint64_t position, ngx_scale_local_meta_t *meta,
    u_char *value)
{
    return ngx_scale_checksum(value, meta->len,
                              ngx_scale_checksum((u_char *) meta,
                                               sizeof(ngx_scale_local_meta_t),
                                               position));
}


ngx_int_t
ngx_scale_local_store(ngx_scale_local_t *local, ngx_scale_local_meta_t *meta,
    u_char *value)
{
    u_char                    *p;
    size_t                     size;
    ngx_scale_local_record_t   record;

    size = sizeof(ngx_scale_local_record_t) + meta->len;

    record.meta = *meta;

    if (meta->len > NGX_SCALE_LOCAL_MAX_VALUE
        || meta->generation != ngx_scale_local_generation(local, meta->hash)
        || ngx_scale_local_reserve(local, size, &record.position) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    record.sum = ngx_scale_local_sum(record.position, &record.meta, value);

    p = local->ring + record.position % local->ring_size;
    p = ngx_cpymem(p, &record, sizeof(ngx_scale_local_record_t));
    ngx_memcpy(p, value, meta->len);

    return ngx_scale_local_publish(local, meta->hash, record.position);
}


/* a record does not go over the ring's end: it begins at the beginning */

static ngx_int_t
ngx_scale_local_reserve(ngx_scale_local_t *local, size_t size,
    uint64_t *position)
{
    uint64_t    head, begin, offset;
    ngx_uint_t  attempt;

    size = ngx_align(size, NGX_SCALE_LOCAL_UNIT);

    for (attempt = 0; attempt < NGX_SCALE_LOCAL_ATTEMPTS; attempt++) {
        head = local->zone->head;
        offset = head % local->ring_size;
        begin = head;

        if (offset + size > local->ring_size) {
            begin += local->ring_size - offset;
        }

        if (ngx_atomic_cmp_set(&local->zone->head, head, begin + size)) {
            *position = begin;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* in place of its last record, else of one that is gone, else of the oldest */

static ngx_int_t
ngx_scale_local_publish(ngx_scale_local_t *local, uint64_t hash,
    uint64_t position)
{
    uint64_t       slot, old, head, age, most;
    ngx_uint_t     i;
    ngx_atomic_t  *set, *victim;

    set = ngx_scale_local_set(local, hash);
    head = local->zone->head;
    victim = set;
    old = *set;
    most = 0;

    for (i = 0; i < NGX_SCALE_LOCAL_WAYS; i++) {
        slot = set[i];
        age = head - ngx_scale_local_place(slot, head);

        if (slot >> NGX_SCALE_LOCAL_TAG == hash >> NGX_SCALE_LOCAL_TAG) {
            age = (uint64_t) -1;
        }

        if (age >= most) {
            most = age;
            victim = &set[i];
            old = slot;
        }
    }

    slot = hash >> NGX_SCALE_LOCAL_TAG << NGX_SCALE_LOCAL_TAG
           | (position / NGX_SCALE_LOCAL_UNIT & NGX_SCALE_LOCAL_MASK);

    return ngx_atomic_cmp_set(victim, old, slot) ? NGX_OK : NGX_DECLINED;
}


/* each miss also makes eight counters forget half */

void
ngx_scale_local_miss(ngx_scale_local_t *local, uint64_t hash)
{
    u_char      *count;
    uint64_t    *word;
    ngx_uint_t   row;

    for (row = 0; row < 2; row++) {
        count = ngx_scale_local_count(local, hash, row);

        if (*count < NGX_SCALE_LOCAL_COUNT) {
            ++*count;
        }
    }

    word = &local->sketch[local->aged++ & (local->zone->sketch - 1)];
    *word = *word >> 1 & NGX_SCALE_LOCAL_HALVES;
}


ngx_uint_t
ngx_scale_local_admits(ngx_scale_local_t *local, uint64_t hash)
{
    return *ngx_scale_local_count(local, hash, 0) >= NGX_SCALE_LOCAL_ADMITTED
           && *ngx_scale_local_count(local, hash, 1)
              >= NGX_SCALE_LOCAL_ADMITTED;
}


static u_char *
ngx_scale_local_count(ngx_scale_local_t *local, uint64_t hash, ngx_uint_t row)
{
    uint64_t  n;

    n = local->zone->sketch * sizeof(uint64_t);

    return (u_char *) local->sketch + ((row ? hash >> 32 : hash) & (n - 1));
}


ngx_int_t
ngx_scale_local_turn(ngx_scale_local_t *local, uint64_t hash, uint64_t now,
    uint64_t period)
{
    uint64_t       last;
    ngx_atomic_t  *turn;

    turn = &local->turns[hash & (local->zone->turns - 1)];
    last = *turn;

    return ngx_scale_local_since(last, now) >= period
           && ngx_atomic_cmp_set(turn, last, now)
           ? NGX_OK : NGX_DECLINED;
}
