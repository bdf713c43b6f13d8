
/* scale_purge: the route that it names, and the key that its values make */

#include "ngx_scale_plan.h"


static char *ngx_scale_plan_purge(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_scale_purge_t *purge);
static char *ngx_scale_plan_target(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_purge_t *purge);
static ngx_uint_t ngx_scale_plan_is_cached(ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_purge_value(ngx_conf_t *cf,
    ngx_scale_purge_t *purge, ngx_scale_purge_value_t *value);


char *
ngx_scale_plan_purges(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char               *rv;
    ngx_uint_t          i;
    ngx_scale_purge_t  *purge;

    if (loc->purges == NULL) {
        return NGX_CONF_OK;
    }

    purge = loc->purges->elts;

    for (i = 0; i < loc->purges->nelts; i++) {
        rv = ngx_scale_plan_purge(cf, main, loc, &purge[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_purge(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_scale_purge_t *purge)
{
    char                     *rv;
    ngx_uint_t                i;
    ngx_scale_key_part_t     *part;
    ngx_scale_purge_value_t  *value;

    rv = ngx_scale_plan_target(cf, main, purge);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (purge->target->store != loc->store) {
        ngx_scale_conf_error(cf, &purge->place,
                             "route \"%V\" uses another cache than \"%V\"; "
                             "give both the same by scale_use cache=",
                             &purge->route, &loc->http.route);
        return NGX_CONF_ERROR;
    }

    if (loc->store == NULL) {
        return NGX_CONF_OK;
    }

    part = purge->target->reach->parts.elts;

    for (i = 0; i < purge->target->reach->parts.nelts; i++) {
        if (part[i].name.len && !ngx_scale_conf_given(purge, &part[i].name)) {
            ngx_scale_conf_error(cf, &purge->place,
                                 "the key of route \"%V\" has \"%V\"; give it "
                                 "as %V=:name", &purge->route, &part[i].name,
                                 &part[i].name);
            return NGX_CONF_ERROR;
        }
    }

    value = purge->given.elts;

    for (i = 0; i < purge->given.nelts; i++) {
        rv = ngx_scale_plan_purge_value(cf, purge, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* a name may be that of several locations if their entries are the same */

static char *
ngx_scale_plan_target(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_purge_t *purge)
{
    ngx_uint_t              i;
    ngx_scale_loc_conf_t  **route;

    route = main->routes.elts;

    for (i = 0; i < main->routes.nelts; i++) {

        if (route[i]->http.route.len != purge->route.len
            || ngx_strncmp(route[i]->http.route.data, purge->route.data,
                           purge->route.len) != 0
            || (main->caches.nelts && !ngx_scale_plan_is_cached(route[i])))
        {
            continue;
        }

        if (purge->target == NULL) {
            purge->target = route[i];
            continue;
        }

        if (main->caches.nelts
            && (purge->target->store != route[i]->store
                || !ngx_scale_plan_same_key(purge->target->key,
                                            route[i]->key)))
        {
            ngx_scale_conf_error(cf, &purge->place,
                                 "two routes with entries of their own have "
                                 "the name \"%V\"; give one of them another "
                                 "scale_route", &purge->route);
            return NGX_CONF_ERROR;
        }
    }

    if (purge->target == NULL) {
        ngx_scale_conf_error(cf, &purge->place,
                             "no cached route has the name \"%V\"; it needs a "
                             "GET statement and scale_cache_valid",
                             &purge->route);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_plan_is_cached(ngx_scale_loc_conf_t *loc)
{
    ngx_scale_method_t  *m;

    if (loc->methods == NULL) {
        return 0;
    }

    m = loc->methods->elts;

    return m[0].cached;
}


static char *
ngx_scale_plan_purge_value(ngx_conf_t *cf, ngx_scale_purge_t *purge,
    ngx_scale_purge_value_t *value)
{
    ngx_int_t              rc;
    const char            *reason;
    ngx_scale_raw_t        raw;
    ngx_scale_param_t      param;
    ngx_scale_value_t      typed;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    if (!ngx_scale_plan_holds(&purge->target->reach->parts, &value->name)) {
        ngx_scale_conf_error(cf, &purge->place,
                             "the key of route \"%V\" has no \"%V\"; remove "
                             "it, or add it to that key", &purge->route,
                             &value->name);
        return NGX_CONF_ERROR;
    }

    part = value->parts.elts;

    if (part->name.len) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&raw, sizeof(ngx_scale_raw_t));

    raw.kind = NGX_SCALE_RAW_TEXT;
    raw.text = part->literal;
    declared = ngx_scale_conf_find_param(purge->target, &value->name);

    ngx_scale_param_of_type(&param, declared->param.type);

    rc = ngx_scale_param_value(cf->pool, &param, &raw, &typed, &reason);

    if (rc == NGX_DECLINED) {
        ngx_scale_conf_error(cf, &purge->place,
                             "\"%V\" of route \"%V\" %s, which \"%V\" is not",
                             &value->name, &purge->route, reason,
                             &part->literal);
    }

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}
