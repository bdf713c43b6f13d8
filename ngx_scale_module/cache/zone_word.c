
/* the words and seals of a ring that is the zone's own */

#include "cache/zone.h"
#include "cache/checksum.h"


static uint64_t ngx_scale_zone_unseal(uint64_t seal, uint64_t word);
static ngx_int_t ngx_scale_zone_turn(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t out, uint64_t address);
static ngx_int_t ngx_scale_zone_change(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t word, uint64_t out, uint64_t address);


/* the upper 16 bits of what a seal hides, the rest is the address */
#define NGX_SCALE_ZONE_SEAL     ((uint64_t) 0x5ea1 << 48)
#define NGX_SCALE_ZONE_ADDRESS  (((uint64_t) 1 << 48) - 1)


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

    hash = ngx_scale_checksum_finish(hash) & NGX_SCALE_ZONE_ADDRESS;

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

    hidden = seal ^ ngx_scale_checksum_finish(word);

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

    if (record->words[node] == word
        && ngx_scale_zone_unseal(seal, word) == 0)
    {
        (void) ngx_atomic_cmp_set(&record->seals[node], seal,
                                  (NGX_SCALE_ZONE_SEAL | address)
                                  ^ ngx_scale_checksum_finish(word));
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

    word = record->words[node];

    if (ngx_scale_view_is_out(word) == out
        || ngx_scale_zone_sealed(record, node, word) != address)
    {
        return NGX_DECLINED;
    }

    if (ngx_scale_zone_change(record, node, word, out, address) != NGX_OK) {
        return NGX_DECLINED;
    }

    (void) ngx_atomic_fetch_add(out ? &record->counts.ejected
                                    : &record->counts.readmitted, 1);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_zone_change(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t word, uint64_t out, uint64_t address)
{
    uint64_t  next;

    next = (ngx_scale_zone_random() & ~(uint64_t) 1) | out;

    if (!ngx_atomic_cmp_set(&record->words[node], word, next)) {
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
    while (ngx_scale_zone_change(record, node, record->words[node], 1,
                                 address)
           != NGX_OK)
    {
        /* void */
    }
}


void
ngx_scale_zone_renew(ngx_scale_zone_cache_t *record)
{
    ngx_uint_t  i;

    if (record->shared) {
        record->renew = 1;
        return;
    }

    /* first of all: the master may be about to write the words */

    (void) ngx_atomic_fetch_add(&record->renewals, 1);

    for (i = 0; i < NGX_SCALE_VIEW_NODES; i++) {
        ngx_scale_zone_renew_node(record, i);
    }
}


void
ngx_scale_zone_renew_node(ngx_scale_zone_cache_t *record, ngx_uint_t node)
{
    uint64_t  word;

    do {
        word = record->words[node];

    } while (ngx_scale_zone_change(record, node, word,
                                   ngx_scale_view_is_out(word),
                                   ngx_scale_zone_sealed(record, node, word))
             != NGX_OK);
}
