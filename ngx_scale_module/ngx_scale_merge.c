
/* the levels of the configuration: made, merged, and a route where one is */

#include "ngx_scale_merge.h"
#include "ngx_scale_apikey.h"
#include "ngx_scale_directives.h"
#include "ngx_scale_handler.h"
#include "ngx_scale_object.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_secrets.h"
#include "ngx_scale_signed.h"
#include "ngx_scale_stores.h"


static void ngx_scale_merge_values(ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf);
static char *ngx_scale_merge_route(ngx_conf_t *cf, ngx_scale_loc_conf_t *conf,
    ngx_http_core_loc_conf_t *clcf);
static void ngx_scale_merge_inherit(ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf);


void *
ngx_scale_merge_create_main(ngx_conf_t *cf)
{
    ngx_uint_t              i;
    ngx_scale_main_conf_t  *main;

    main = ngx_pcalloc(cf->pool, sizeof(ngx_scale_main_conf_t));
    if (main == NULL
        || ngx_array_init(&main->databases, cf->pool, 2, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->caches, cf->pool, 2, sizeof(void *)) != NGX_OK
        || ngx_array_init(&main->queues, cf->pool, 2, sizeof(void *)) != NGX_OK
        || ngx_array_init(&main->routes, cf->pool, 16, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->limits, cf->pool, 4, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->documents, cf->pool, 1, sizeof(void *))
           != NGX_OK
        || ngx_scale_secrets_create(cf, main) != NGX_OK
        || ngx_array_init(&main->credentials, cf->pool, 2, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&main->objects, cf->pool, 2, sizeof(void *))
           != NGX_OK
        || ngx_scale_names_create(cf, &main->names) != NGX_OK)
    {
        return NULL;
    }

    for (i = 0; i < NGX_SCALE_AUTH_NKINDS; i++) {
        if (ngx_array_init(&main->auth[i], cf->pool, 1, sizeof(void *))
            != NGX_OK)
        {
            return NULL;
        }
    }

    main->seed = (uint32_t) ngx_scale_zone_random();

    return main;
}


char *
ngx_scale_merge_init_main(ngx_conf_t *cf, void *conf)
{
    char  *rv;

    rv = ngx_scale_stores_init(cf, conf);

    return rv == NGX_CONF_OK ? ngx_scale_apikey_plan(cf, conf) : rv;
}


void *
ngx_scale_merge_create_loc(ngx_conf_t *cf)
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
    loc->auth = NGX_CONF_UNSET_UINT;
    loc->csrf = NGX_CONF_UNSET;
    loc->ttl = NGX_CONF_UNSET;
    loc->audit = NGX_CONF_UNSET_UINT;
    loc->scope = NGX_CONF_UNSET_UINT;
    loc->bypass = NGX_CONF_UNSET_PTR;
    loc->limits = NGX_CONF_UNSET_PTR;
    loc->if_match = NGX_CONF_UNSET_UINT;
    loc->idempotency = NGX_CONF_UNSET_UINT;
    loc->cdn = NGX_CONF_UNSET_UINT;
    loc->cors = NGX_CONF_UNSET_PTR;
    loc->error_detail = NGX_CONF_UNSET;

    return loc;
}


char *
ngx_scale_merge_loc(ngx_conf_t *cf, void *parent, void *child)
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

    if (ngx_scale_plan_closed(cf, conf) != NGX_CONF_OK
        || ngx_scale_verified_merge(cf, prev, conf) != NGX_CONF_OK
        || ngx_scale_signed_merge(cf, prev, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (clcf->noname && conf->document == NULL) {
        conf->document = prev->document;
        conf->allow = prev->allow;
    }

    if (conf->ends && conf->queries == NULL) {
        conf->queries = ngx_array_create(cf->pool, 1,
                                         sizeof(ngx_scale_query_t));
        if (conf->queries == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (conf->queries || conf->document) {
        conf->core = clcf;
        conf->server = ngx_http_conf_get_module_srv_conf(cf,
                                                        ngx_http_core_module);
    }

    if (conf->queries) {
        return ngx_scale_merge_route(cf, conf, clcf);
    }

    if (conf->document) {
        return ngx_scale_cors_plan(cf, conf);
    }

    /* an "if" or limit_except inside a route is still that route */

    if (clcf->noname && prev->methods) {
        ngx_scale_merge_inherit(prev, conf);

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
    ngx_uint_t  i;

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
    ngx_conf_merge_uint_value(conf->scope, prev->scope,
                              NGX_SCALE_SCOPE_PRIVATE);

    for (i = 0; i < NGX_SCALE_AUTH_NKINDS; i++) {
        ngx_conf_merge_str_value(conf->use_auth[i], prev->use_auth[i], "");
    }

    if (conf->auth == NGX_CONF_UNSET_UINT) {
        conf->auth = prev->auth == NGX_CONF_UNSET_UINT ? 0 : prev->auth;
        conf->authed = prev->authed;
    }

    if (conf->csrf == NGX_CONF_UNSET) {
        conf->csrf = prev->csrf == NGX_CONF_UNSET ? 1 : prev->csrf;
        conf->origins = prev->origins;
    }

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
ngx_scale_merge_route(ngx_conf_t *cf, ngx_scale_loc_conf_t *conf,
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
ngx_scale_merge_inherit(ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf)
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
    ngx_memcpy(conf->by, prev->by, sizeof(conf->by));
    conf->key = prev->key;
    conf->reach = prev->reach;
    conf->private = prev->private;
    conf->tags = prev->tags;
    conf->purges = prev->purges;
    conf->purge_tags = prev->purge_tags;
    conf->statement = prev->statement;
    conf->edge = prev->edge;
    conf->presigns = prev->presigns;
    conf->http.cors = prev->http.cors;
}
