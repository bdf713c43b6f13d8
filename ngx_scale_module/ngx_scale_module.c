
#include "ngx_scale_directives.h"
#include "ngx_scale_handler.h"
#include "ngx_scale_job.h"
#include "ngx_scale_openapi.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_stores.h"


static void *ngx_scale_create_main_conf(ngx_conf_t *cf);
static char *ngx_scale_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_scale_create_loc_conf(ngx_conf_t *cf);
static char *ngx_scale_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void ngx_scale_merge_values(ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf);
static char *ngx_scale_make_route(ngx_conf_t *cf, ngx_scale_loc_conf_t *conf,
    ngx_http_core_loc_conf_t *clcf);
static void ngx_scale_inherit_plan(ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf);
static ngx_int_t ngx_scale_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_scale_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_scale_add_preflight(ngx_conf_t *cf);
static ngx_int_t ngx_scale_init_process(ngx_cycle_t *cycle);
static void ngx_scale_exit_process(ngx_cycle_t *cycle);


#define NGX_SCALE_ANY_CONF                                                    \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF


static ngx_command_t  ngx_scale_commands[] = {

    { ngx_string("scale_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_database_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_cache_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_secret_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_secret_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_use"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_use,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_deadline"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_deadline,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_consistency"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_consistency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_stale_if_primary_down"),
      NGX_SCALE_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, stale_down),
      NULL },

    { ngx_string("scale_shard_key"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_shard_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_route"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_route,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_param"),
      NGX_SCALE_ANY_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_param,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_identity"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE2,
      ngx_scale_directives_identity,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_query"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_query,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_valid"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1234,
      ngx_scale_directives_valid,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_audit"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_audit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_key"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_tags"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_tags,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, tags),
      NULL },

    { ngx_string("scale_cache_bypass"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, bypass),
      NULL },

    { ngx_string("scale_purge"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_purge,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_purge_tags"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_tags,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, purge_tags),
      NULL },

    { ngx_string("scale_etag"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_etag,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_batch"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_batch,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_page"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_page,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_idempotency"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_idempotency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_if_match"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_if_match,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_limit"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cdn"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_cdn_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cors"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_cors_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_openapi"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_scale_openapi_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_sqlstate"),
      NGX_SCALE_ANY_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_sqlstate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_error_detail"),
      NGX_SCALE_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, error_detail),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_scale_module_ctx = {
    ngx_scale_preconfiguration,        /* preconfiguration */
    ngx_scale_postconfiguration,       /* postconfiguration */

    ngx_scale_create_main_conf,        /* create main configuration */
    ngx_scale_init_main_conf,          /* init main configuration */

    NULL,                              /* create server configuration */
    NULL,                              /* merge server configuration */

    ngx_scale_create_loc_conf,         /* create location configuration */
    ngx_scale_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_scale_module = {
    NGX_MODULE_V1,
    &ngx_scale_module_ctx,             /* module context */
    ngx_scale_commands,                /* module directives */
    NGX_HTTP_MODULE,                   /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    ngx_scale_init_process,            /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    ngx_scale_exit_process,            /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_scale_create_main_conf(ngx_conf_t *cf)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_pcalloc(cf->pool, sizeof(ngx_scale_main_conf_t));
    if (main == NULL
        || ngx_array_init(&main->databases, cf->pool, 2, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->caches, cf->pool, 2, sizeof(void *)) != NGX_OK
        || ngx_array_init(&main->routes, cf->pool, 16, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->limits, cf->pool, 4, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->documents, cf->pool, 1, sizeof(void *))
           != NGX_OK
        || ngx_scale_names_create(cf, &main->names) != NGX_OK)
    {
        return NULL;
    }

    main->seed = (uint32_t) ngx_scale_zone_random();

    return main;
}


static char *
ngx_scale_init_main_conf(ngx_conf_t *cf, void *conf)
{
    return ngx_scale_stores_init(cf, conf);
}


static void *
ngx_scale_create_loc_conf(ngx_conf_t *cf)
{
    ngx_scale_loc_conf_t  *loc;

    loc = ngx_pcalloc(cf->pool, sizeof(ngx_scale_loc_conf_t));
    if (loc == NULL) {
        return NULL;
    }

    loc->http.enabled = NGX_CONF_UNSET;
    loc->deadline = NGX_CONF_UNSET_MSEC;
    loc->consistency = NGX_CONF_UNSET_UINT;
    loc->wait = NGX_CONF_UNSET_MSEC;
    loc->stale_down = NGX_CONF_UNSET;
    loc->ttl = NGX_CONF_UNSET;
    loc->audit = NGX_CONF_UNSET_UINT;
    loc->bypass = NGX_CONF_UNSET_PTR;
    loc->limits = NGX_CONF_UNSET_PTR;
    loc->if_match = NGX_CONF_UNSET_UINT;
    loc->idempotency = NGX_CONF_UNSET_UINT;
    loc->cdn = NGX_CONF_UNSET_UINT;
    loc->cors = NGX_CONF_UNSET_PTR;
    loc->error_detail = NGX_CONF_UNSET;

    return loc;
}


static char *
ngx_scale_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_scale_loc_conf_t  *prev = parent;
    ngx_scale_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_scale_merge_values(prev, conf);

    if (ngx_scale_directives_merge_params(cf, prev, conf) != NGX_OK
        || ngx_scale_directives_merge_identities(cf, prev, conf) != NGX_OK
        || ngx_scale_directives_merge_limits(cf, prev, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (clcf->noname && conf->document == NULL) {
        conf->document = prev->document;
        conf->allow = prev->allow;
    }

    if (conf->queries || conf->document) {
        conf->core = clcf;
        conf->server = ngx_http_conf_get_module_srv_conf(cf,
                                                        ngx_http_core_module);
    }

    if (conf->queries) {
        return ngx_scale_make_route(cf, conf, clcf);
    }

    if (conf->document) {
        return ngx_scale_cors_plan(cf, conf);
    }

    /* an "if" or limit_except inside a route is still that route */

    if (clcf->noname && prev->methods) {
        ngx_scale_inherit_plan(prev, conf);

        if (clcf->handler == NULL) {
            clcf->handler = ngx_scale_handler;
        }
    }

    return NGX_CONF_OK;
}


/* what an inner level has not set is the outer one's */

static void
ngx_scale_merge_values(ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf)
{
    ngx_conf_merge_value(conf->http.enabled, prev->http.enabled, 0);
    ngx_conf_merge_str_value(conf->http.route, prev->http.route, "");
    ngx_conf_merge_str_value(conf->use_database, prev->use_database, "");
    ngx_conf_merge_str_value(conf->use_cache, prev->use_cache, "");
    ngx_conf_merge_msec_value(conf->deadline, prev->deadline, 10000);
    ngx_conf_merge_uint_value(conf->consistency, prev->consistency,
                              NGX_SCALE_STRICT);
    ngx_conf_merge_msec_value(conf->wait, prev->wait, 100);
    ngx_conf_merge_value(conf->stale_down, prev->stale_down, 0);
    ngx_conf_merge_ptr_value(conf->bypass, prev->bypass, NULL);
    ngx_conf_merge_ptr_value(conf->cors, prev->cors, NULL);
    ngx_conf_merge_value(conf->error_detail, prev->error_detail, 0);
    ngx_conf_merge_uint_value(conf->audit, prev->audit, 0);

    if (conf->ttl == NGX_CONF_UNSET) {
        conf->ttl = prev->ttl == NGX_CONF_UNSET ? 0 : prev->ttl;
        conf->missing = prev->missing;
        conf->stale = prev->stale;
        conf->error = prev->error;
        conf->valid = prev->valid;
    }

    if (conf->etag == NULL) {
        conf->etag = prev->etag;
    }

    if (conf->if_match == NGX_CONF_UNSET_UINT) {
        conf->if_match = prev->if_match == NGX_CONF_UNSET_UINT
                         ? NGX_SCALE_OFF : prev->if_match;
        conf->guarded = prev->guarded;
    }

    if (conf->idempotency == NGX_CONF_UNSET_UINT) {
        conf->idempotency = prev->idempotency == NGX_CONF_UNSET_UINT
                            ? NGX_SCALE_OFF : prev->idempotency;
        conf->key_ttl = prev->key_ttl;
    }

    if (conf->cdn == NGX_CONF_UNSET_UINT) {
        conf->cdn = prev->cdn == NGX_CONF_UNSET_UINT ? NGX_SCALE_CDN_OFF
                                                     : prev->cdn;
        conf->cdn_shared = prev->cdn_shared;
        conf->cdn_revalidate = prev->cdn_revalidate;
        conf->cdn_place = prev->cdn_place;
    }

    conf->http.shared = conf->cdn != NGX_SCALE_CDN_OFF;

    if (conf->shard_key == NULL) {
        conf->shard_key = prev->shard_key;
    }

    if (conf->sqlstates == NULL) {
        conf->sqlstates = prev->sqlstates;
    }
}


static char *
ngx_scale_make_route(ngx_conf_t *cf, ngx_scale_loc_conf_t *conf,
    ngx_http_core_loc_conf_t *clcf)
{
    char                   *rv;
    ngx_scale_main_conf_t  *main;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    rv = ngx_scale_plan(cf, main, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (clcf->handler) {
        ngx_scale_conf_error(cf, &conf->place,
                             "route \"%V\" has scale_query and another "
                             "directive that answers, such as proxy_pass; "
                             "remove one, or give each a location",
                             &conf->http.route);
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_scale_handler;

    return NGX_CONF_OK;
}


static void
ngx_scale_inherit_plan(ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf)
{
    conf->params = prev->params;
    conf->identities = prev->identities;
    conf->methods = prev->methods;
    conf->allow = prev->allow;
    conf->offer = prev->offer;
    conf->database = prev->database;
    conf->shard_key = prev->shard_key;
    conf->shard_args = prev->shard_args;
    conf->store = prev->store;
    conf->key = prev->key;
    conf->reach = prev->reach;
    conf->private = prev->private;
    conf->tags = prev->tags;
    conf->purges = prev->purges;
    conf->purge_tags = prev->purge_tags;
    conf->statement = prev->statement;
    conf->edge = prev->edge;
    conf->http.cors = prev->http.cors;
}


static ngx_int_t
ngx_scale_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_scale_variables_add(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_counters_add_variables(cf);
}


static ngx_int_t
ngx_scale_postconfiguration(ngx_conf_t *cf)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    if (ngx_scale_plan_routes(cf, main) != NGX_CONF_OK) {
        return NGX_ERROR;
    }

    if (ngx_scale_openapi_write(cf, main) != NGX_OK
        || ngx_scale_add_preflight(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_filter_init(cf);
}


static ngx_int_t
ngx_scale_add_preflight(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *handler;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    handler = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (handler == NULL) {
        return NGX_ERROR;
    }

    *handler = ngx_scale_handler_preflight;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_init_process(ngx_cycle_t *cycle)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_cycle_get_module_main_conf(cycle, ngx_scale_module);

    if (main == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_scale_jobs_init(&main->jobs);

    return ngx_scale_stores_open(cycle, main);
}


static void
ngx_scale_exit_process(ngx_cycle_t *cycle)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_cycle_get_module_main_conf(cycle, ngx_scale_module);

    if (main) {
        ngx_scale_jobs_cancel(&main->jobs);
        ngx_scale_stores_close(main);
    }
}
