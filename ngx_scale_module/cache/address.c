
/*
 * What the names of servers stand for, of a ring that is the zone's own.  In a
 * database's ring a name is an address.
 */

#include "cache/node_int.h"


static ngx_scale_cache_node_t *ngx_scale_address_node(ngx_scale_cache_t *cache,
    ngx_uint_t server);
static void ngx_scale_address_move(ngx_scale_cache_node_t *node,
    ngx_addr_t *addr, uint64_t address);


/*
 * The address that the other workers go by, if the name stands for it, too;
 * else the one this worker has, if it still does.
 */

void
ngx_scale_cache_address(ngx_scale_cache_t *cache, ngx_uint_t server,
    ngx_addr_t *addrs, ngx_uint_t n, ngx_uint_t fresh)
{
    uint64_t                 address, agreed;
    ngx_uint_t               i, chosen;
    ngx_scale_cache_node_t  *node;
    ngx_scale_zone_cache_t  *record;

    node = ngx_scale_address_node(cache, server);
    record = cache->record;

    if (node == NULL) {
        return;
    }

    agreed = ngx_scale_zone_sealed(record, node->index,
                                   record->words[node->index]);
    chosen = n;

    for (i = 0; i < n; i++) {
        address = ngx_scale_zone_address(&addrs[i].name);

        if (address == agreed) {
            chosen = i;
            break;
        }

        if (address == node->address) {
            chosen = i;
        }
    }

    chosen = chosen < n ? chosen : 0;
    address = ngx_scale_zone_address(&addrs[chosen].name);

    if (address != node->address) {
        ngx_scale_address_move(node, &addrs[chosen], address);
        fresh = 1;
    }

    /* an answer of long ago does not overrule the others */

    if (fresh || agreed == 0) {
        ngx_scale_seal_assert(node);
    }
}


/* NULL: the ring is not known yet, or does without it, or is a database's */

static ngx_scale_cache_node_t *
ngx_scale_address_node(ngx_scale_cache_t *cache, ngx_uint_t server)
{
    ngx_queue_t               *q;
    ngx_scale_cache_node_t    *node;
    ngx_scale_cache_server_t  *servers;

    servers = cache->conf->servers.elts;

    if (cache->record->shared || ngx_scale_cache_ring(cache) == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);

        if (node->present
            && ngx_scale_same(&node->name, &servers[server].name))
        {
            return node;
        }
    }

    return NULL;
}


static void
ngx_scale_address_move(ngx_scale_cache_node_t *node, ngx_addr_t *addr,
    uint64_t address)
{
    if (node->address) {
        ngx_log_error(NGX_LOG_NOTICE, node->cache->log, 0,
                      "cache \"%V\": server \"%V\" is at %V now",
                      &node->cache->conf->name, &node->name,
                      &addr->name);
    }

    node->address = address;
    node->misses = 0;
    node->answers = 0;
    node->doubted = 0;

    ngx_scale_memc_address(node->memc, addr);
}
