
/* which servers there are */

#include "cache/node_int.h"


static ngx_scale_cache_node_t *ngx_scale_node_create(ngx_scale_cache_t *cache,
    ngx_scale_view_node_t *view);
static ngx_addr_t *ngx_scale_node_address(ngx_scale_cache_t *cache,
    ngx_scale_view_node_t *view, ngx_addr_t *known);
static void ngx_scale_node_down(void *data);


#define NGX_SCALE_NODE_TICK    100         /* ms between probes */


ngx_scale_cache_node_t *
ngx_scale_node_get(ngx_scale_cache_t *cache, ngx_scale_view_node_t *view)
{
    ngx_str_t                name;
    ngx_queue_t             *q;
    ngx_scale_cache_node_t  *node;

    name.data = view->name;
    name.len = view->len;

    for (q = ngx_queue_head(&cache->nodes);
         q != ngx_queue_sentinel(&cache->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_scale_cache_node_t, queue);

        if (ngx_scale_same(&node->name, &name)) {
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
