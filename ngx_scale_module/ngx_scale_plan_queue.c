
/* methods that claim jobs, and whom a queue is open to */

#include "ngx_scale_plan.h"


typedef struct {
    const char    *name;                   /* of nginx's module */
    size_t         size;                   /* of what it begins with */
} ngx_scale_plan_door_t;


static ngx_uint_t ngx_scale_plan_is_closed(ngx_conf_t *cf);


/*
 * What a location's configuration of these modules begins with is not zero
 * where the location has one of their directives: the list of rules, the
 * realm, the length of the URI.  nginx merges them before this module's.
 */

static ngx_scale_plan_door_t  ngx_scale_plan_doors[] = {
    { "ngx_http_access_module", sizeof(ngx_array_t *) },
    { "ngx_http_auth_basic_module", sizeof(ngx_http_complex_value_t *) },
    { "ngx_http_auth_request_module", sizeof(size_t) },
    { NULL, 0 }
};


char *
ngx_scale_plan_claim(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char               *rv;
    ngx_uint_t          i;
    ngx_scale_query_t  *query;

    static ngx_str_t  wait = ngx_string("wait");

    m->wait = NGX_CONF_UNSET_UINT;

    for (i = 0; i < m->nqueries; i++) {
        if (m->queries[i]->queue) {
            m->queue = m->queries[i]->queue;
        }
    }

    if (m->queue == NULL) {
        return NGX_CONF_OK;
    }

    query = m->queries[0];

    if (m->nqueries > 1 || query->shape != NGX_SCALE_SHAPE_ROWS || !m->write
        || loc->database != m->queue->database)
    {
        ngx_scale_conf_error(cf, &query->place,
                             "a statement with \"claim=%V\" is the only one "
                             "of its method, of the shape \"rows\", with "
                             "\"write\" if that is GET, and of the database "
                             "\"%V\"", &m->queue->name,
                             &m->queue->database->conf.name);
        return NGX_CONF_ERROR;
    }

    if (ngx_scale_conf_find_param(loc, &wait) == NULL) {
        return NGX_CONF_OK;
    }

    rv = ngx_scale_plan_use(cf, loc, m, &wait, &query->place);

    if (rv == NGX_CONF_OK) {
        m->wait = ngx_scale_conf_find_param(loc, &wait)
                  - (ngx_scale_declared_t *) loc->params->elts;
    }

    return rv;
}


char *
ngx_scale_plan_closed(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    if (loc->closed.file.len == 0 || loc->auth
        || ngx_scale_plan_is_closed(cf))
    {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &loc->closed,
                         "this location is open to everybody; say who may ask "
                         "by \"allow ...; deny all;\", scale_auth, "
                         "auth_basic, auth_request or \"internal\"");

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_scale_plan_is_closed(ngx_conf_t *cf)
{
    u_char                    *conf;
    size_t                     i;
    ngx_uint_t                 n;
    ngx_module_t              *module;
    ngx_http_conf_ctx_t       *ctx;
    ngx_scale_plan_door_t     *door;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->internal) {
        return 1;
    }

    ctx = cf->ctx;

    for (n = 0; cf->cycle->modules[n]; n++) {
        module = cf->cycle->modules[n];

        for (door = ngx_scale_plan_doors; door->name; door++) {

            if (ngx_strcmp(module->name, door->name) != 0) {
                continue;
            }

            conf = ctx->loc_conf[module->ctx_index];

            for (i = 0; i < door->size; i++) {
                if (conf[i]) {
                    return 1;
                }
            }
        }
    }

    return 0;
}
