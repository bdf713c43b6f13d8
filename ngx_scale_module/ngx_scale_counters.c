
/* what this node has counted since its start, as variables */

#include "ngx_scale_stores.h"


static ngx_int_t ngx_scale_counters_node(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_counters_caches(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_counters_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_atomic_uint_t n);


static ngx_http_variable_t  ngx_scale_counters_vars[] = {

    { ngx_string("scale_audit_total"), NULL, ngx_scale_counters_node,
      offsetof(ngx_scale_counters_t, audits), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_stale_total"), NULL, ngx_scale_counters_node,
      offsetof(ngx_scale_counters_t, stale), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_cache_contended"), NULL, ngx_scale_counters_caches,
      offsetof(ngx_scale_zone_counts_t, contended),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_cache_lost_marks"), NULL, ngx_scale_counters_caches,
      offsetof(ngx_scale_zone_counts_t, lost), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_cache_ejections"), NULL, ngx_scale_counters_caches,
      offsetof(ngx_scale_zone_counts_t, ejected),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    ngx_http_null_variable
};


static ngx_int_t
ngx_scale_counters_node(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_get_module_main_conf(r, ngx_scale_module);

    if (main->counters == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_scale_counters_value(r, v, *(ngx_atomic_t *)
                                       ((u_char *) main->counters + data));
}


/* of all caches together */

static ngx_int_t
ngx_scale_counters_caches(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_uint_t                 i;
    ngx_atomic_uint_t          n;
    ngx_scale_main_conf_t     *main;
    ngx_scale_cache_store_t  **store;

    main = ngx_http_get_module_main_conf(r, ngx_scale_module);
    store = main->caches.elts;
    n = 0;

    for (i = 0; i < main->caches.nelts; i++) {
        n += *(ngx_atomic_t *) ((u_char *) &store[i]->record->counts + data);
    }

    return ngx_scale_counters_value(r, v, n);
}


static ngx_int_t
ngx_scale_counters_value(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    ngx_atomic_uint_t n)
{
    v->data = ngx_pnalloc(r->pool, NGX_ATOMIC_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%uA", n) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


ngx_int_t
ngx_scale_counters_add_variables(ngx_conf_t *cf)
{
    return ngx_scale_variables_add_table(cf, ngx_scale_counters_vars);
}
