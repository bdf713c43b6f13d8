
/*
 * The servers of a ring.  One that fails once is probed, and put out of use by
 * its silence, never by traffic; one that is out of use is probed until it
 * answers.
 */

#include "cache/cache_int.h"


static ngx_scale_cache_node_t *ngx_scale_node_create(ngx_scale_cache_t *cache,
    ngx_scale_view_node_t *view);
static ngx_addr_t *ngx_scale_node_address(ngx_scale_cache_t *cache,
    ngx_scale_view_node_t *view, ngx_addr_t *known);
static void ngx_scale_node_down(void *data);
static void ngx_scale_node_leave(ngx_scale_cache_t *cache);
static void ngx_scale_node_probe(ngx_scale_cache_node_t *node);
static void ngx_scale_node_probed(ngx_scale_memc_op_t *op);
static void ngx_scale_node_judge(ngx_scale_cache_node_t *node, uint64_t word);
static void ngx_scale_node_report(ngx_scale_cache_node_t *node,
    ngx_scale_cache_finding_e finding, uint64_t word);
static void ngx_scale_node_report_on(ngx_scale_cache_t *cache);


#define NGX_SCALE_NODE_TICK    100         /* ms between probes */
#define NGX_SCALE_NODE_PROBES  3           /* in a row decide */
#define NGX_SCALE_NODE_REPORT  500         /* ms between reports */


ngx_scale_cache_node_t *
ngx_scale_node_get(ngx_scale_cache_t *cache, ngx_scale_view_node_t *view)
{
    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);

        if (node->name.len == view->len
            && ngx_memcmp(node->name.data, view->name, view->len) == 0)
        {
            return node;
        }
    }

    return ngx_scale_node_create(cache, view);
}


/* places that were found keep it: it goes with the worker */

static ngx_scale_cache_node_t *
ngx_scale_node_create(ngx_scale_cache_t *cache, ngx_scale_view_node_t *view)
{
    u_char                   text[NGX_SOCKADDR_STRLEN];
    ngx_addr_t               addr, known;
    ngx_scale_cache_node_t  *node;

    node = ngx_pcalloc(cache->pool, sizeof(ngx_scale_cache_node_t));
    if (node == NULL) {
        return NULL;
    }

    ngx_memzero(&known, sizeof(ngx_addr_t));
    addr = *ngx_scale_node_address(cache, view, &known);

    if (addr.sockaddr) {
        addr.name.data = text;
        addr.name.len = ngx_sock_ntop(addr.sockaddr, addr.socklen, text,
                                      sizeof(text), 1);
        node->address = ngx_scale_zone_address(&addr.name);
        node->fresh = 1;
    }

    node->cache = cache;
    node->name.len = view->len;
    node->name.data = ngx_pnalloc(cache->pool, view->len);
    node->memc = ngx_scale_memc_create(cache->pool, &addr,
                                       cache->conf->timeout, cache->log);

    if (node->name.data == NULL || node->memc == NULL) {
        return NULL;
    }

    ngx_memcpy(node->name.data, view->name, view->len);

    if (ngx_scale_check_node(node) != NGX_OK) {
        return NULL;
    }

    ngx_scale_memc_on_down(node->memc, ngx_scale_node_down, node);

    ngx_queue_insert_tail(&cache->nodes, &node->queue);

    return node;
}


/* this configuration's, where it knows the name: it is the worker's own */

static ngx_addr_t *
ngx_scale_node_address(ngx_scale_cache_t *cache, ngx_scale_view_node_t *view,
    ngx_addr_t *known)
{
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *server;

    server = cache->conf->servers.elts;

    for (i = 0; i < cache->conf->servers.nelts; i++) {
        if (!cache->record->shared && server[i].name.len == view->len
            && ngx_memcmp(server[i].name.data, view->name, view->len) == 0)
        {
            return server[i].addr;
        }
    }

    known->sockaddr = view->socklen ? &view->sockaddr.sockaddr : NULL;
    known->socklen = view->socklen;

    return known;
}


static void
ngx_scale_node_down(void *data)
{
    ngx_scale_cache_node_t  *node = data;

    node->doubted = 1;

    ngx_scale_node_watch(node->cache);
}


void
ngx_scale_node_watch(ngx_scale_cache_t *cache)
{
    if (!cache->tick.timer_set) {
        ngx_add_timer(&cache->tick, NGX_SCALE_NODE_TICK);
    }
}


void
ngx_scale_node_arrange(ngx_scale_cache_t *cache)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;
    ngx_scale_cache_ring_t  *ring;

    ring = cache->ring;

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);
        node->departed = 1;
        node->present = 0;
    }

    for (i = 0; i < NGX_SCALE_VIEW_NODES; i++) {

        if (ring->old_nodes[i]) {
            ring->old_nodes[i]->departed = 0;
        }

        if (ring->nodes[i]) {
            ring->nodes[i]->departed = 0;
            ring->nodes[i]->present = 1;
            ring->nodes[i]->index = i;

            if (ring->nodes[i]->fresh && !cache->record->shared) {
                ngx_scale_node_assert(ring->nodes[i]);
            }

            ring->nodes[i]->fresh = 0;
        }
    }

    ngx_scale_node_watch(cache);
}


void
ngx_scale_node_tick_handler(ngx_event_t *ev)
{
    ngx_scale_cache_t  *cache = ev->data;

    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;
    ngx_scale_cache_ring_t  *ring;

    ngx_scale_node_leave(cache);

    ring = cache->ring;

    if (ring == NULL) {
        return;
    }

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);

        if (!node->present || node->address == 0) {
            continue;
        }

        if (!cache->record->shared) {
            ngx_scale_node_heal(node);
        }

        if (node->doubted || ring->slot.now.off
            || ngx_scale_view_is_out(ring->now.words[node->index]))
        {
            ngx_scale_node_probe(node);
            ngx_scale_node_watch(cache);
        }
    }

    if (ring->slot.now.off && cache->report) {
        ngx_scale_node_report_on(cache);
    }
}


/* here, since a connection is not closed under the handler of a command */

static void
ngx_scale_node_leave(ngx_scale_cache_t *cache)
{
    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);

        if (node->departed) {
            node->departed = 0;
            node->doubted = 0;
            ngx_scale_memc_rest(node->memc);
        }
    }
}


static void
ngx_scale_node_probe(ngx_scale_cache_node_t *node)
{
    ngx_scale_memc_op_t  *op;

    if (node->asking) {
        return;
    }

    op = &node->probe;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = NGX_SCALE_MEMC_MN;
    op->handler = ngx_scale_node_probed;
    op->data = node;

    node->asking = 1;

    ngx_scale_memc_send(node->memc, op);
}


static void
ngx_scale_node_probed(ngx_scale_memc_op_t *op)
{
    ngx_scale_cache_node_t  *node = op->data;

    ngx_scale_cache_ring_t  *ring;

    ring = node->cache->ring;
    node->asking = 0;

    if (op->status == NGX_SCALE_MEMC_FAILED) {
        node->answers = 0;
        node->misses++;
        node->doubted = 1;

    } else {
        node->misses = 0;
        node->answers++;
    }

    if (node->answers >= NGX_SCALE_NODE_PROBES) {
        node->doubted = 0;
    }

    if (node->present && !ring->slot.now.off) {
        ngx_scale_node_judge(node, ring->now.words[node->index]);
    }
}


static void
ngx_scale_node_judge(ngx_scale_cache_node_t *node, uint64_t word)
{
    ngx_uint_t          out;
    ngx_scale_cache_t  *cache;

    cache = node->cache;
    out = ngx_scale_view_is_out(word);

    if (!out && node->misses >= NGX_SCALE_NODE_PROBES) {

        if (cache->record->shared) {
            ngx_scale_node_report(node, NGX_SCALE_CACHE_DOWN, word);

        } else if (ngx_scale_zone_eject(cache->record, node->index,
                                        node->address)
                   == NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, cache->log, 0,
                          "cache \"%V\": \"%V\" does not answer and is out of "
                          "use until it does", &cache->conf->name,
                          &node->name);
        }
    }

    if (out && node->answers >= NGX_SCALE_NODE_PROBES) {

        if (cache->record->shared) {
            ngx_scale_node_report(node, NGX_SCALE_CACHE_UP, word);

        } else if (!ngx_scale_owner_is_other(node)
                   && ngx_scale_zone_readmit(cache->record, node->index,
                                             node->address)
                      == NGX_OK)
        {
            ngx_log_error(NGX_LOG_NOTICE, cache->log, 0,
                          "cache \"%V\": \"%V\" answers again and is in use, "
                          "empty", &cache->conf->name, &node->name);
        }
    }
}


static void
ngx_scale_node_report(ngx_scale_cache_node_t *node,
    ngx_scale_cache_finding_e finding, uint64_t word)
{
    ngx_scale_cache_t         *cache;
    ngx_scale_cache_report_t   report;

    cache = node->cache;

    if (cache->report == NULL
        || ngx_current_msec - node->reported < NGX_SCALE_NODE_REPORT)
    {
        return;
    }

    ngx_memzero(&report, sizeof(ngx_scale_cache_report_t));

    report.finding = finding;
    report.server = node->name;
    report.stamp = word >> 1;

    if (cache->report(cache->data, &report) == NGX_OK) {
        node->reported = ngx_current_msec;
    }
}


static void
ngx_scale_node_report_on(ngx_scale_cache_t *cache)
{
    ngx_uint_t                 members, up;
    ngx_queue_t               *q;
    ngx_scale_view_t          *view;
    ngx_scale_cache_node_t    *node;
    ngx_str_t                  answering[NGX_SCALE_VIEW_NODES];
    ngx_scale_cache_report_t   report;

    ngx_memzero(&report, sizeof(ngx_scale_cache_report_t));

    view = &cache->ring->slot.now;
    members = 0;
    up = 0;

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);

        if (!node->present) {
            continue;
        }

        if (view->nodes[node->index].role == NGX_SCALE_VIEW_MEMBER) {
            members++;
            up += node->answers >= NGX_SCALE_NODE_PROBES;
        }

        if (node->answers >= NGX_SCALE_NODE_PROBES) {
            answering[report.nanswering++] = node->name;
        }
    }

    if (members == 0 || 3 * up < 2 * members
        || ngx_current_msec - cache->reported < NGX_SCALE_NODE_REPORT)
    {
        return;
    }

    report.finding = NGX_SCALE_CACHE_ON;
    report.stamp = view->epoch;
    report.answering = answering;

    if (cache->report(cache->data, &report) == NGX_OK) {
        cache->reported = ngx_current_msec;
    }
}
