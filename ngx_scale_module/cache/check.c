
/* what is wrong with a memcached, said once: its connections come often */

#include "cache/cache_int.h"


static void ngx_scale_check_told(void *data, ngx_uint_t faults,
    ngx_str_t *detail);
static void ngx_scale_check_log(ngx_scale_cache_node_t *node,
    const ngx_scale_fault_t *fault, ngx_str_t *detail);


ngx_int_t
ngx_scale_check_node(ngx_pool_t *pool, ngx_scale_cache_node_t *node)
{
    ngx_str_t                  *host;
    ngx_scale_cache_conf_t     *conf;
    ngx_scale_memc_greeting_t  *greeting;

    conf = node->cache->conf;
    host = &node->server->host;
    greeting = &node->greeting;

    greeting->tls = conf->tls;
    greeting->auth = conf->auth;
    greeting->told = ngx_scale_check_told;
    greeting->data = node;

    if (conf->tls_name.len) {
        greeting->name = conf->tls_name;

    } else if (host->len > 2 && host->data[0] == '[') {

        /* an IPv6 address; certificates have no brackets */

        greeting->name.len = host->len - 2;
        greeting->name.data = ngx_pnalloc(pool, host->len - 1);

        if (greeting->name.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_cpystrn(greeting->name.data, host->data + 1,
                           host->len - 1);

    } else if (node->server->port) {
        greeting->name = *host;
    }

    ngx_scale_memc_greeting(node->memc, greeting);

    return NGX_OK;
}


/* by whichever worker of the node hears it first */

static void
ngx_scale_check_told(void *data, ngx_uint_t faults, ngx_str_t *detail)
{
    ngx_scale_cache_node_t  *node = data;

    ngx_atomic_uint_t         before;
    ngx_atomic_t             *shared;
    const ngx_scale_fault_t  *fault;

    shared = &node->cache->record->faults[node->index];
    before = *shared;

    if (before == faults || ngx_scale_cache_is_foreign(node->cache)
        || !ngx_atomic_cmp_set(shared, before, faults))
    {
        return;
    }

    for (fault = ngx_scale_faults; fault->fault; fault++) {
        if (faults & ~before & fault->fault) {
            ngx_scale_check_log(node, fault, detail);
        }
    }
}


static void
ngx_scale_check_log(ngx_scale_cache_node_t *node,
    const ngx_scale_fault_t *fault, ngx_str_t *detail)
{
    ngx_uint_t          fatal, level;
    ngx_scale_cache_t  *cache;

    static ngx_str_t  none = ngx_string("");

    cache = node->cache;
    fatal = fault->fault & NGX_SCALE_FAULT_FATAL;
    level = fatal ? NGX_LOG_ERR : NGX_LOG_WARN;
    detail = detail ? detail : &none;

    ngx_log_error(level, cache->log, 0,
                  "cache \"%V\": memcached \"%V\" %s%s%V%s%s",
                  &cache->conf->name, &node->server->name, fault->text,
                  detail->len ? " (" : "", detail, detail->len ? ")" : "",
                  fatal ? "; it is not used" : "");
}
