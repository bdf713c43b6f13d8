
#include "limit/limit.h"


/*
 * A time that has passed says as much as none, so that a slot whose time has
 * passed is anybody's: changing the key is all.
 */

typedef struct {
    ngx_atomic_t              key;        /* 0: nobody's yet */
    ngx_atomic_t              time;
} ngx_scale_limit_slot_t;

struct ngx_scale_limit_table_s {
    uint64_t                  sets;
    uint64_t                  reserved[7];
};


static ngx_scale_limit_slot_t *ngx_scale_limit_set(
    ngx_scale_limit_table_t *table, uint64_t hash);
static ngx_scale_limit_slot_t *ngx_scale_limit_find(
    ngx_scale_limit_table_t *table, uint64_t hash);
static ngx_scale_limit_slot_t *ngx_scale_limit_claim(
    ngx_scale_limit_table_t *table, uint64_t hash, uint64_t now);


#define NGX_SCALE_LIMIT_WAYS      8       /* slots that a key may have */
#define NGX_SCALE_LIMIT_ATTEMPTS  8


ngx_int_t
ngx_scale_limit_format(void *memory, size_t size)
{
    size_t                    set;
    ngx_scale_limit_table_t  *table = memory;

    set = NGX_SCALE_LIMIT_WAYS * sizeof(ngx_scale_limit_slot_t);

    if (size < sizeof(ngx_scale_limit_table_t) + set) {
        return NGX_ERROR;
    }

    ngx_memzero(memory, size);

    table->sets = (size - sizeof(ngx_scale_limit_table_t)) / set;

    return NGX_OK;
}


static ngx_scale_limit_slot_t *
ngx_scale_limit_set(ngx_scale_limit_table_t *table, uint64_t hash)
{
    ngx_scale_limit_slot_t  *slots;

    slots = (ngx_scale_limit_slot_t *) (table + 1);

    return &slots[(hash % table->sets) * NGX_SCALE_LIMIT_WAYS];
}


static ngx_scale_limit_slot_t *
ngx_scale_limit_find(ngx_scale_limit_table_t *table, uint64_t hash)
{
    ngx_uint_t               i;
    ngx_scale_limit_slot_t  *set;

    set = ngx_scale_limit_set(table, hash);

    for (i = 0; i < NGX_SCALE_LIMIT_WAYS; i++) {
        if (set[i].key == hash) {
            return &set[i];
        }
    }

    return NULL;
}


/*
 * NULL: others are faster, again and again.  Who has found a slot that becomes
 * another key's charges that key, once.
 */

static ngx_scale_limit_slot_t *
ngx_scale_limit_claim(ngx_scale_limit_table_t *table, uint64_t hash,
    uint64_t now)
{
    uint64_t                 key, time, least;
    ngx_uint_t               i, attempt;
    ngx_scale_limit_slot_t  *set, *slot;

    set = ngx_scale_limit_set(table, hash);

    for (attempt = 0; attempt < NGX_SCALE_LIMIT_ATTEMPTS; attempt++) {

        slot = ngx_scale_limit_find(table, hash);
        if (slot) {
            return slot;
        }

        slot = set;
        least = (uint64_t) -1;
        key = 0;

        for (i = 0; i < NGX_SCALE_LIMIT_WAYS; i++) {
            time = set[i].time;

            if (time < least) {
                slot = &set[i];
                least = time;
                key = set[i].key;
            }
        }

        /* the time first: killed in between, it is the old key's loss */

        if (least > now && !ngx_atomic_cmp_set(&slot->time, least, now)) {
            continue;
        }

        if (ngx_atomic_cmp_set(&slot->key, key, hash)) {
            return slot;
        }
    }

    return NULL;
}


ngx_int_t
ngx_scale_limit_take(ngx_scale_limit_table_t *table, uint64_t hash,
    ngx_scale_limit_rate_t *rate, uint64_t now)
{
    uint64_t                 time, next;
    ngx_scale_limit_slot_t  *slot;

    slot = ngx_scale_limit_claim(table, hash, now);
    if (slot == NULL) {
        return NGX_OK;
    }

    do {
        time = slot->time;

        if (ngx_scale_limit_gcra_take(rate, time, now, &next) != NGX_OK) {
            return NGX_DECLINED;
        }

    } while (!ngx_atomic_cmp_set(&slot->time, time, next));

    return NGX_OK;
}


void
ngx_scale_limit_return(ngx_scale_limit_table_t *table, uint64_t hash,
    ngx_scale_limit_rate_t *rate)
{
    uint64_t                 time;
    ngx_scale_limit_slot_t  *slot;

    slot = ngx_scale_limit_find(table, hash);
    if (slot == NULL) {
        return;
    }

    do {
        time = slot->time;

        if (time < rate->interval) {
            return;
        }

    } while (!ngx_atomic_cmp_set(&slot->time, time, time - rate->interval));
}


void
ngx_scale_limit_raise(ngx_scale_limit_table_t *table, uint64_t hash,
    uint64_t time, uint64_t now)
{
    uint64_t                 old;
    ngx_scale_limit_slot_t  *slot;

    slot = ngx_scale_limit_claim(table, hash, now);
    if (slot == NULL) {
        return;
    }

    do {
        old = slot->time;

        if (old >= time) {
            return;
        }

    } while (!ngx_atomic_cmp_set(&slot->time, old, time));
}


void
ngx_scale_limit_state(ngx_scale_limit_table_t *table, uint64_t hash,
    ngx_scale_limit_rate_t *rate, uint64_t now,
    ngx_scale_limit_state_t *state)
{
    ngx_scale_limit_slot_t  *slot;

    slot = ngx_scale_limit_find(table, hash);

    ngx_scale_limit_gcra_state(rate, slot ? slot->time : 0, now, state);
}
