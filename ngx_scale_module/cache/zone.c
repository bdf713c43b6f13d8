
#include "cache/zone.h"
#include <sys/random.h>


static ngx_int_t ngx_scale_zone_turn(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t out, uint64_t address);
static ngx_int_t ngx_scale_zone_set(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t word, uint64_t out, uint64_t address);
static uint64_t ngx_scale_zone_unseal(uint64_t seal, uint64_t word);
static void ngx_scale_zone_forget(ngx_scale_zone_cache_t *record);
static uint64_t ngx_scale_zone_mix(uint64_t word);


/* the upper 16 bits of what a seal hides, the rest is the address */
#define NGX_SCALE_ZONE_SEAL     ((uint64_t) 0x5ea1 << 48)
#define NGX_SCALE_ZONE_ADDRESS  (((uint64_t) 1 << 48) - 1)


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
                ngx_scale_zone_forget(record);
                ngx_memzero((void *) record->others, sizeof(record->others));
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

    record = &zone->caches[zone->ncaches++];

    ngx_memzero(record, sizeof(ngx_scale_zone_cache_t));
    ngx_memcpy(record->name, name->data, name->len);
    record->signature = signature;
    ngx_scale_zone_forget(record);

    return record;
}


/* FNV-1a */

uint64_t
ngx_scale_zone_address(ngx_str_t *text)
{
    size_t    i;
    uint64_t  hash;

    hash = 0xcbf29ce484222325;

    for (i = 0; i < text->len; i++) {
        hash = (hash ^ text->data[i]) * 0x100000001b3;
    }

    hash = ngx_scale_zone_mix(hash) & NGX_SCALE_ZONE_ADDRESS;

    return hash ? hash : 1;
}


uint64_t
ngx_scale_zone_sealed(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t word)
{
    return ngx_scale_zone_unseal(record->seals[node], word);
}


static uint64_t
ngx_scale_zone_unseal(uint64_t seal, uint64_t word)
{
    uint64_t  hidden;

    hidden = seal ^ ngx_scale_zone_mix(word);

    return (hidden & ~NGX_SCALE_ZONE_ADDRESS) == NGX_SCALE_ZONE_SEAL
           ? hidden & NGX_SCALE_ZONE_ADDRESS : 0;
}


void
ngx_scale_zone_claim(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t word, uint64_t address)
{
    uint64_t  seal;

    seal = record->seals[node];

    ngx_memory_barrier();

    /* so the seal was seen while the word was this one */

    if (record->nodes[node] == word
        && ngx_scale_zone_unseal(seal, word) == 0)
    {
        (void) ngx_atomic_cmp_set(&record->seals[node], seal,
                                  (NGX_SCALE_ZONE_SEAL | address)
                                  ^ ngx_scale_zone_mix(word));
    }
}


ngx_int_t
ngx_scale_zone_eject(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t address)
{
    return ngx_scale_zone_turn(record, node, 1, address);
}


ngx_int_t
ngx_scale_zone_readmit(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t address)
{
    return ngx_scale_zone_turn(record, node, 0, address);
}


static ngx_int_t
ngx_scale_zone_turn(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t out, uint64_t address)
{
    uint64_t  word;

    word = record->nodes[node];

    if (ngx_scale_zone_is_out(word) == out
        || ngx_scale_zone_sealed(record, node, word) != address)
    {
        return NGX_DECLINED;
    }

    return ngx_scale_zone_set(record, node, word, out, address);
}


static ngx_int_t
ngx_scale_zone_set(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t word, uint64_t out, uint64_t address)
{
    uint64_t  next;

    next = (ngx_scale_zone_random() & ~(uint64_t) 1) | out;

    if (!ngx_atomic_cmp_set(&record->nodes[node], word, next)) {
        return NGX_DECLINED;
    }

    if (address) {
        ngx_scale_zone_claim(record, node, next, address);
    }

    return NGX_OK;
}


void
ngx_scale_zone_move(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t address)
{
    while (ngx_scale_zone_set(record, node, record->nodes[node], 1, address)
           != NGX_OK)
    {
        /* void */
    }
}


void
ngx_scale_zone_renew(ngx_scale_zone_cache_t *record)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_SCALE_ZONE_NODES; i++) {
        ngx_scale_zone_renew_node(record, i);
    }
}


void
ngx_scale_zone_renew_node(ngx_scale_zone_cache_t *record, ngx_uint_t node)
{
    uint64_t  word;

    do {
        word = record->nodes[node];

    } while (ngx_scale_zone_set(record, node, word,
                                ngx_scale_zone_is_out(word),
                                ngx_scale_zone_sealed(record, node, word))
             != NGX_OK);
}


/* new words that go with no address: the nodes are others */

static void
ngx_scale_zone_forget(ngx_scale_zone_cache_t *record)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_SCALE_ZONE_NODES; i++) {
        while (ngx_scale_zone_set(record, i, record->nodes[i], 0, 0)
               != NGX_OK)
        {
            /* void */
        }
    }
}


/* the finalizer of MurmurHash3: one to one */

static uint64_t
ngx_scale_zone_mix(uint64_t word)
{
    word = (word ^ (word >> 33)) * 0xff51afd7ed558ccd;
    word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53;

    return word ^ (word >> 33);
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
