
/* where a server is, of a ring that is the zone's own: zone.h has the seals */

#include "cache/node_int.h"


ngx_uint_t
ngx_scale_seal_is_ours(ngx_scale_cache_node_t *node, uint64_t word)
{
    ngx_scale_zone_cache_t  *record;

    record = node->cache->record;

    return record->shared
           || (node->address
               && node->address == ngx_scale_zone_sealed(record, node->index,
                                                         word));
}


/*
 * This worker knows where the node is.  Others, who are elsewhere, leave it
 * alone from now on, until they know as well.
 */

void
ngx_scale_seal_assert(ngx_scale_cache_node_t *node)
{
    uint64_t                 word;
    ngx_scale_cache_t       *cache;
    ngx_scale_zone_cache_t  *record;

    cache = node->cache;
    record = cache->record;
    word = record->words[node->index];

    ngx_memory_barrier();

    ngx_scale_zone_claim(record, node->index, word, node->address);

    if (ngx_scale_seal_is_ours(node, record->words[node->index])
        || ngx_exiting)
    {
        return;
    }

    ngx_scale_zone_move(record, node->index, node->address);
    ngx_scale_node_watch(cache);
}


/* whoever changed the word was killed before it was sealed */

void
ngx_scale_seal_heal(ngx_scale_cache_node_t *node)
{
    uint64_t                 word;
    ngx_scale_zone_cache_t  *record;

    record = node->cache->record;
    word = record->words[node->index];

    if (ngx_scale_zone_sealed(record, node->index, word)) {
        node->unsealed = 0;
        return;
    }

    if (node->unsealed) {
        ngx_scale_seal_assert(node);
    }

    node->unsealed = 1;
    ngx_scale_node_watch(node->cache);
}


void
ngx_scale_seal_disown(ngx_scale_cache_node_t *node, ngx_uint_t foreign)
{
    uint64_t                 word;
    ngx_scale_zone_cache_t  *record;

    record = node->cache->record;
    word = record->words[node->index];

    ngx_memory_barrier();

    if (!ngx_scale_view_is_out(word)
        && (foreign || !ngx_scale_seal_is_ours(node, word)))
    {
        ngx_scale_zone_renew_node(record, node->index);
    }
}
