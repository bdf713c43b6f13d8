
/*
 * Whether servers answer.  One that fails once is probed, and put out of use by
 * its silence, never by traffic; one that is out of use is probed until it
 * answers.
 */

#include "cache/node_int.h"


#define NGX_SCALE_PROBE_DECIDES  3         /* so many in a row do */
#define NGX_SCALE_PROBE_REPORT   500       /* ms between reports */


static void ngx_scale_probe_dismiss(ngx_scale_cache_t *cache);
static void ngx_scale_probe_ask(ngx_scale_cache_node_t *node);
static void ngx_scale_probe_told(ngx_scale_memc_op_t *op);
static void ngx_scale_probe_judge(ngx_scale_cache_node_t *node, uint64_t word);
static void ngx_scale_probe_report(ngx_scale_cache_node_t *node,
    ngx_scale_cache_finding_e finding, uint64_t word);
static void ngx_scale_probe_report_on(ngx_scale_cache_t *cache);


void
ngx_scale_probe_on_tick(ngx_event_t *ev)
{
    ngx_scale_cache_t  *cache = ev->data;

    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;
    ngx_scale_cache_ring_t  *ring;

    ngx_scale_probe_dismiss(cache);

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
            ngx_scale_seal_heal(node);
        }

        if (node->doubted || ring->slot.now.off
            || ngx_scale_view_is_out(ring->now.words[node->index]))
        {
            ngx_scale_probe_ask(node);
            ngx_scale_node_watch(cache);
        }
    }

    if (ring->slot.now.off && cache->report) {
        ngx_scale_probe_report_on(cache);
    }
}


/* here, since a connection is not closed under the handler of a command */

static void
ngx_scale_probe_dismiss(ngx_scale_cache_t *cache)
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
ngx_scale_probe_ask(ngx_scale_cache_node_t *node)
{
    ngx_scale_memc_op_t  *op;

    if (node->asking) {
        return;
    }

    op = &node->probe;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = NGX_SCALE_MEMC_MN;
    op->handler = ngx_scale_probe_told;
    op->data = node;

    node->asking = 1;

    ngx_scale_memc_send(node->memc, op);
}


static void
ngx_scale_probe_told(ngx_scale_memc_op_t *op)
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

    if (node->answers >= NGX_SCALE_PROBE_DECIDES) {
        node->doubted = 0;
    }

    /* where the ring is off, too: sessions go by the servers' own states */

    if (node->present) {
        ngx_scale_probe_judge(node, ring->now.words[node->index]);
    }
}


static void
ngx_scale_probe_judge(ngx_scale_cache_node_t *node, uint64_t word)
{
    ngx_uint_t          out;
    ngx_scale_cache_t  *cache;

    cache = node->cache;
    out = ngx_scale_view_is_out(word);

    if (!out && node->misses >= NGX_SCALE_PROBE_DECIDES) {

        if (cache->record->shared) {
            ngx_scale_probe_report(node, NGX_SCALE_CACHE_DOWN, word);

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

    if (out && node->answers >= NGX_SCALE_PROBE_DECIDES) {

        if (cache->record->shared) {
            ngx_scale_probe_report(node, NGX_SCALE_CACHE_UP, word);

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
ngx_scale_probe_report(ngx_scale_cache_node_t *node,
    ngx_scale_cache_finding_e finding, uint64_t word)
{
    ngx_scale_cache_t         *cache;
    ngx_scale_cache_report_t   report;

    cache = node->cache;

    if (cache->report == NULL
        || ngx_current_msec - node->reported < NGX_SCALE_PROBE_REPORT)
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
ngx_scale_probe_report_on(ngx_scale_cache_t *cache)
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
            up += node->answers >= NGX_SCALE_PROBE_DECIDES;
        }

        if (node->answers >= NGX_SCALE_PROBE_DECIDES) {
            answering[report.nanswering++] = node->name;
        }
    }

    if (members == 0 || 3 * up < 2 * members
        || ngx_current_msec - cache->reported < NGX_SCALE_PROBE_REPORT)
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
