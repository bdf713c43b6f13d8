
/* what is wrong with a memcached, said once: its connections come often */

#include "cache/node_int.h"


static ngx_int_t ngx_scale_check_host(ngx_scale_cache_node_t *node,
    ngx_str_t *host);
static void ngx_scale_check_told(void *data, ngx_uint_t faults,
    ngx_str_t *detail);
static void ngx_scale_check_log(ngx_scale_cache_node_t *node,
    const ngx_scale_fault_t *fault, ngx_str_t *detail);


ngx_int_t
ngx_scale_check_node(ngx_scale_cache_node_t *node)
{
    ngx_scale_cache_conf_t     *conf;
    ngx_scale_memc_greeting_t  *greeting;

    conf = node->cache->conf;
    greeting = &node->greeting;

    greeting->tls = conf->tls;
    greeting->auth = &conf->auth;
    greeting->told = ngx_scale_check_told;
    greeting->data = node;

    if (conf->tls_name.len) {
        greeting->name = conf->tls_name;

    } else if (ngx_scale_check_host(node, &greeting->name) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_memc_greeting(node->memc, greeting);

    return NGX_OK;
}


/* what its certificate is for: the host as written, without brackets */

static ngx_int_t
ngx_scale_check_host(ngx_scale_cache_node_t *node, ngx_str_t *host)
{
    u_char  *p, *last, end;

    p = node->name.data;
    last = p + node->name.len;
    end = ':';

    if (node->name.len > 5 && ngx_strncmp(p, "unix:", 5) == 0) {
        return NGX_OK;
    }

    if (p < last && *p == '[') {
        p++;
        end = ']';
    }

    host->data = ngx_pnalloc(node->cache->pool, last - p + 1);
    if (host->data == NULL) {
        return NGX_ERROR;
    }

    while (p < last && *p != end) {
        host->data[host->len++] = *p++;
    }

    host->data[host->len] = '\0';

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
                  &cache->conf->name, &node->name, fault->text,
                  detail->len ? " (" : "", detail, detail->len ? ")" : "",
                  fatal ? "; it is not used" : "");
}
