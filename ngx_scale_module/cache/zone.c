
#include "cache/zone.h"
#include <sys/random.h>


static ngx_int_t ngx_scale_zone_turn(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t out);


ngx_scale_zone_cache_t *
ngx_scale_zone_join(ngx_scale_zone_t *zone, ngx_str_t *name,
    uint64_t signature)
{
    ngx_uint_t               i;
    ngx_scale_zone_cache_t  *record;

    for (i = 0; i < zone->ncaches; i++) {
        record = &zone->caches[i];

        if (ngx_strlen(record->name) == name->len
            && ngx_memcmp(record->name, name->data, name->len) == 0)
        {
            /* the signature first: an old worker must not trust new stamps */

            if (record->signature != signature) {
                record->signature = signature;
                ngx_memory_barrier();
                ngx_scale_zone_renew(record);
            }

            return record;
        }
    }

    if (zone->ncaches == NGX_SCALE_ZONE_CACHES
        || name->len >= sizeof(record->name))
    {
        return NULL;
    }

    record = &zone->caches[zone->ncaches++];

    ngx_memzero(record, sizeof(ngx_scale_zone_cache_t));
    ngx_memcpy(record->name, name->data, name->len);
    record->signature = signature;
    ngx_scale_zone_renew(record);

    return record;
}


ngx_int_t
ngx_scale_zone_eject(ngx_scale_zone_cache_t *record, ngx_uint_t node)
{
    return ngx_scale_zone_turn(record, node, 1);
}


ngx_int_t
ngx_scale_zone_readmit(ngx_scale_zone_cache_t *record, ngx_uint_t node)
{
    return ngx_scale_zone_turn(record, node, 0);
}


static ngx_int_t
ngx_scale_zone_turn(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t out)
{
    uint64_t  word;

    word = record->nodes[node];

    if (ngx_scale_zone_is_out(word) != out
        && ngx_atomic_cmp_set(&record->nodes[node], word,
                              (ngx_scale_zone_random() & ~(uint64_t) 1) | out))
    {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_scale_zone_renew(ngx_scale_zone_cache_t *record)
{
    uint64_t    word;
    ngx_uint_t  i;

    for (i = 0; i < NGX_SCALE_ZONE_NODES; i++) {

        do {
            word = record->nodes[i];

        } while (!ngx_atomic_cmp_set(&record->nodes[i], word,
                                     ngx_scale_zone_random()
                                     & ~(uint64_t) 1));
    }
}


uint64_t
ngx_scale_zone_random(void)
{
    uint64_t  value;

    if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value)) {
        value = (uint64_t) ngx_random() << 32 ^ (uint64_t) ngx_random()
                ^ (uint64_t) ngx_pid << 48;
    }

    return value;
}
