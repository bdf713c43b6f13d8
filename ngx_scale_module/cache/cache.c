
/*
 * The nodes of a cache: where a key lives, and who is in use.  A server that
 * fails once is probed, and put out of use by its silence, never by traffic.
 */

#include "cache/cache_int.h"
#include <ngx_murmurhash.h>


static ngx_uint_t ngx_scale_cache_is_ours(ngx_scale_cache_node_t *node,
    uint64_t word);
static void ngx_scale_cache_move(ngx_scale_cache_node_t *node,
    ngx_addr_t *addr, uint64_t address);
static void ngx_scale_cache_assert(ngx_scale_cache_node_t *node);
static void ngx_scale_cache_down(void *data);
static void ngx_scale_cache_watch(ngx_scale_cache_t *cache);
static void ngx_scale_cache_tick_handler(ngx_event_t *ev);
static void ngx_scale_cache_heal(ngx_scale_cache_node_t *node);
static void ngx_scale_cache_probe(ngx_scale_cache_node_t *node);
static void ngx_scale_cache_probed(ngx_scale_memc_op_t *op);


#define NGX_SCALE_CACHE_TICK     100       /* ms between probes */
#define NGX_SCALE_CACHE_PROBES   3         /* in a row decide */


uint64_t
ngx_scale_cache_signature(ngx_scale_cache_conf_t *conf)
{
    uint64_t                   signature;
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *server;

    signature = conf->servers.nelts;
    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {
        signature = signature * 31 + server[i].weight;
        signature = signature << 32
                    ^ (signature >> 29) * 2654435761u
                    ^ ngx_murmur_hash2(server[i].name.data,
                                       server[i].name.len);
    }

    return conf->local ? signature ^ ngx_scale_local_id(conf->local)
                       : signature;
}


ngx_scale_cache_t *
ngx_scale_cache_create(ngx_pool_t *pool, ngx_scale_cache_conf_t *conf,
    ngx_scale_zone_cache_t *record, ngx_log_t *log)
{
    ngx_uint_t                 i;
    ngx_scale_cache_t         *cache;
    ngx_scale_cache_node_t    *node;
    ngx_scale_ring_server_t   *place;
    ngx_scale_cache_server_t  *server;

    cache = ngx_pcalloc(pool, sizeof(ngx_scale_cache_t));
    if (cache == NULL) {
        return NULL;
    }

    server = conf->servers.elts;

    cache->conf = conf;
    cache->record = record;
    cache->signature = ngx_scale_cache_signature(conf);
    cache->nnodes = conf->servers.nelts;
    cache->log = log;

    ngx_rbtree_init(&cache->flights, &cache->sentinel,
                    ngx_str_rbtree_insert_value);

    ngx_queue_init(&cache->notes);

    cache->tick.handler = ngx_scale_cache_tick_handler;
    cache->tick.data = cache;
    cache->tick.log = log;
    cache->tick.cancelable = 1;

    if (conf->local) {
        cache->local = ngx_palloc(pool, sizeof(ngx_scale_local_t));
        if (cache->local == NULL) {
            return NULL;
        }

        ngx_scale_local_open(cache->local, conf->local);
    }

    cache->nodes = ngx_pcalloc(pool, cache->nnodes
                                     * sizeof(ngx_scale_cache_node_t));
    place = ngx_pcalloc(pool, cache->nnodes * sizeof(ngx_scale_ring_server_t));

    if (cache->nodes == NULL || place == NULL
        || ngx_array_init(&cache->large, pool, 4, sizeof(uint64_t)) != NGX_OK)
    {
        return NULL;
    }

    for (i = 0; i < cache->nnodes; i++) {
        place[i].host = server[i].host;
        place[i].port = server[i].port;
        place[i].weight = server[i].weight;

        node = &cache->nodes[i];
        node->cache = cache;
        node->server = &server[i];
        node->index = i;
        node->memc = ngx_scale_memc_create(pool, server[i].addr,
                                           conf->timeout, log);
        if (node->memc == NULL || ngx_scale_check_node(pool, node) != NGX_OK)
        {
            return NULL;
        }

        if (server[i].addr->sockaddr) {
            node->address = ngx_scale_zone_address(&server[i].addr->name);
            ngx_scale_cache_assert(node);
        }

        ngx_scale_memc_on_down(node->memc, ngx_scale_cache_down, node);
    }

    cache->ring = ngx_scale_ring_create(pool, place, cache->nnodes);
    if (cache->ring == NULL || ngx_scale_owner_start(pool, cache) != NGX_OK) {
        return NULL;
    }

    return cache;
}


void
ngx_scale_cache_destroy(ngx_scale_cache_t *cache)
{
    ngx_uint_t  i;

    if (cache->tick.timer_set) {
        ngx_del_timer(&cache->tick);
    }

    ngx_scale_owner_stop(cache);

    for (i = 0; i < cache->nnodes; i++) {
        ngx_scale_memc_destroy(cache->nodes[i].memc);
    }

    ngx_scale_flight_free_notes(cache);
}


ngx_uint_t
ngx_scale_cache_is_foreign(ngx_scale_cache_t *cache)
{
    return cache->record->signature != cache->signature;
}


ngx_int_t
ngx_scale_cache_place(ngx_scale_cache_t *cache, ngx_scale_place_t *place,
    u_char room, ngx_str_t *key)
{
    ngx_uint_t  i;

    i = ngx_scale_ring_node(cache->ring, key);

    place->node = &cache->nodes[i];
    place->word = cache->record->nodes[i];

    ngx_memory_barrier();

    if (ngx_scale_cache_is_foreign(cache)) {
        return NGX_DECLINED;
    }

    if (ngx_scale_zone_is_out(place->word)
        || !ngx_scale_cache_is_ours(place->node, place->word))
    {
        ngx_scale_cache_watch(cache);
        return NGX_DECLINED;
    }

    ngx_scale_cache_wire_key(place->buf, &place->wire, place->word, room, key);

    return NGX_OK;
}


ngx_uint_t
ngx_scale_cache_placed(ngx_scale_place_t *place)
{
    ngx_scale_cache_node_t  *node;

    node = place->node;

    return node->cache->record->nodes[node->index] == place->word;
}


void
ngx_scale_cache_disown(ngx_scale_place_t *place)
{
    uint64_t                 word;
    ngx_scale_cache_node_t  *node;
    ngx_scale_zone_cache_t  *record;

    node = place->node;
    record = node->cache->record;
    word = record->nodes[node->index];

    ngx_memory_barrier();

    if (!ngx_scale_zone_is_out(word)
        && !ngx_scale_cache_is_ours(node, word))
    {
        ngx_scale_zone_renew_node(record, node->index);
    }
}


static ngx_uint_t
ngx_scale_cache_is_ours(ngx_scale_cache_node_t *node, uint64_t word)
{
    return node->address
           && node->address == ngx_scale_zone_sealed(node->cache->record,
                                                     node->index, word);
}


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

    node = &cache->nodes[server];
    record = cache->record;
    agreed = ngx_scale_zone_sealed(record, server, record->nodes[server]);
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
        ngx_scale_cache_move(node, &addrs[chosen], address);
        fresh = 1;
    }

    /* an answer of long ago does not overrule the others */

    if (fresh || agreed == 0) {
        ngx_scale_cache_assert(node);
    }
}


static void
ngx_scale_cache_move(ngx_scale_cache_node_t *node, ngx_addr_t *addr,
    uint64_t address)
{
    if (node->address) {
        ngx_log_error(NGX_LOG_NOTICE, node->cache->log, 0,
                      "cache \"%V\": server \"%V\" is at %V now",
                      &node->cache->conf->name, &node->server->name,
                      &addr->name);
    }

    node->address = address;
    node->misses = 0;
    node->answers = 0;
    node->doubted = 0;

    ngx_scale_memc_address(node->memc, addr);
}


/*
 * This worker knows where the node is.  Others, who are elsewhere, leave it
 * alone from now on, until they know as well.
 */

static void
ngx_scale_cache_assert(ngx_scale_cache_node_t *node)
{
    uint64_t                 word;
    ngx_scale_cache_t       *cache;
    ngx_scale_zone_cache_t  *record;

    cache = node->cache;
    record = cache->record;
    word = record->nodes[node->index];

    ngx_memory_barrier();

    if (ngx_scale_cache_is_foreign(cache)) {
        return;
    }

    ngx_scale_zone_claim(record, node->index, word, node->address);

    if (ngx_scale_cache_is_ours(node, record->nodes[node->index])
        || ngx_exiting)
    {
        return;
    }

    ngx_scale_zone_move(record, node->index, node->address);
    ngx_scale_cache_watch(cache);
}


ngx_uint_t
ngx_scale_cache_is_state(ngx_scale_cache_t *cache, ngx_uint_t index,
    uint64_t word)
{
    return index < cache->nnodes && cache->record->nodes[index] == word
           && !ngx_scale_cache_is_foreign(cache);
}


static void
ngx_scale_cache_down(void *data)
{
    ngx_scale_cache_node_t  *node = data;

    node->doubted = 1;

    ngx_scale_cache_watch(node->cache);
}


static void
ngx_scale_cache_watch(ngx_scale_cache_t *cache)
{
    if (!cache->tick.timer_set) {
        ngx_add_timer(&cache->tick, NGX_SCALE_CACHE_TICK);
    }
}


static void
ngx_scale_cache_tick_handler(ngx_event_t *ev)
{
    ngx_scale_cache_t  *cache = ev->data;

    ngx_uint_t               i;
    ngx_scale_cache_node_t  *node;

    for (i = 0; i < cache->nnodes; i++) {
        node = &cache->nodes[i];

        if (node->address == 0) {
            continue;
        }

        ngx_scale_cache_heal(node);

        if (node->doubted
            || ngx_scale_zone_is_out(cache->record->nodes[i]))
        {
            ngx_scale_cache_probe(node);
            ngx_scale_cache_watch(cache);
        }
    }
}


/* whoever changed the word was killed before it was sealed */

static void
ngx_scale_cache_heal(ngx_scale_cache_node_t *node)
{
    uint64_t                 word;
    ngx_scale_zone_cache_t  *record;

    record = node->cache->record;
    word = record->nodes[node->index];

    if (ngx_scale_zone_sealed(record, node->index, word)) {
        node->unsealed = 0;
        return;
    }

    if (node->unsealed) {
        ngx_scale_cache_assert(node);
    }

    node->unsealed = 1;
    ngx_scale_cache_watch(node->cache);
}


static void
ngx_scale_cache_probe(ngx_scale_cache_node_t *node)
{
    ngx_scale_memc_op_t  *op;

    if (node->asking) {
        return;
    }

    op = &node->probe;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = NGX_SCALE_MEMC_MN;
    op->handler = ngx_scale_cache_probed;
    op->data = node;

    node->asking = 1;

    ngx_scale_memc_send(node->memc, op);
}


static void
ngx_scale_cache_probed(ngx_scale_memc_op_t *op)
{
    ngx_scale_cache_node_t  *node = op->data;

    ngx_uint_t               out;
    ngx_scale_zone_cache_t  *record;

    record = node->cache->record;
    out = ngx_scale_zone_is_out(record->nodes[node->index]);

    node->asking = 0;

    if (op->status == NGX_SCALE_MEMC_FAILED) {
        node->answers = 0;
        node->misses++;
        node->doubted = 1;

    } else {
        node->misses = 0;
        node->answers++;
    }

    if (node->misses >= NGX_SCALE_CACHE_PROBES && !out
        && ngx_scale_zone_eject(record, node->index, node->address) == NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, node->cache->log, 0,
                      "cache \"%V\": \"%V\" does not answer and is out of use "
                      "until it does", &node->cache->conf->name,
                      &node->server->name);
    }

    if (node->answers < NGX_SCALE_CACHE_PROBES) {
        return;
    }

    node->doubted = 0;

    if (out && !ngx_scale_owner_is_other(node)
        && ngx_scale_zone_readmit(record, node->index, node->address)
           == NGX_OK)
    {
        ngx_log_error(NGX_LOG_NOTICE, node->cache->log, 0,
                      "cache \"%V\": \"%V\" answers again and is in use, empty",
                      &node->cache->conf->name, &node->server->name);
    }
}
