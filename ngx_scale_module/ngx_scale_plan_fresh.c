
/* how long an entry lives, and which writes leave one behind */

#include "ngx_scale_plan.h"


static const char *ngx_scale_plan_no_store(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_query_t *query);


/* a lifetime for many locations is no error where there is nothing to keep */

char *
ngx_scale_plan_kept(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_method_t  *get;

    get = loc->methods->elts;

    if (!loc->own_valid || loc->ttl == 0 || get->method == NGX_HTTP_GET) {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &loc->valid,
                         "route \"%V\" has no GET whose answers could be "
                         "kept; remove scale_cache_valid, or write the "
                         "scale_query of GET into this location",
                         &loc->http.route);

    return NGX_CONF_ERROR;
}


char *
ngx_scale_plan_lifetime(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    time_t                   max;
    ngx_scale_cache_conf_t  *cache;

    cache = &loc->store->conf;
    max = cache->max_ttl;

    if (loc->ttl + ngx_max(loc->stale, loc->error) <= max
        && loc->missing <= max)
    {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &loc->valid,
                         "route \"%V\" keeps answers for longer than cache "
                         "\"%V\" has \"max_ttl\" (%T seconds), which counts "
                         "the ttl and the longer of stale= and error=; write "
                         "less, or \"max_ttl\" in that block",
                         &loc->http.route, &cache->name, max);

    return NGX_CONF_ERROR;
}


char *
ngx_scale_plan_store(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_uint_t   i;
    const char  *reason;

    for (i = 0; i < m->nqueries; i++) {

        if (!m->queries[i]->store) {
            continue;
        }

        reason = ngx_scale_plan_no_store(loc, m, m->queries[i]);

        if (reason) {
            ngx_scale_conf_error(cf, &m->queries[i]->place,
                                 "this %V cannot \"store\" what it returns: "
                                 "%s; remove \"store\"",
                                 ngx_scale_conf_method_name(m->method),
                                 reason);
            return NGX_CONF_ERROR;
        }

        m->store = 1;
    }

    return NGX_CONF_OK;
}


/*
 * What is stored must be what GET would store.  The generations of tags are
 * read before the row is, which no write can do for the tags it changes.
 */

static const char *
ngx_scale_plan_no_store(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m,
    ngx_scale_query_t *query)
{
    ngx_scale_method_t  *get;

    get = loc->methods->elts;

    if (get->method != NGX_HTTP_GET || !get->cached || !m->own_key) {
        return "there is no cached GET whose key it binds";
    }

    if (get->anonymous && m->personal) {
        return "GET runs without the identity that it has";
    }

    if (loc->tags) {
        return loc->private ? "the entries depend on who asks"
                            : "the entries have tags";
    }

    if (query != m->answer || query->shape == NGX_SCALE_SHAPE_ROWS
        || query->shape != get->answer->shape
        || query->type.len != get->answer->type.len
        || ngx_strncmp(query->type.data, get->answer->type.data,
                       query->type.len)
           != 0)
    {
        return "it does not answer with a row or value as GET does";
    }

    if ((query->status && query->status != NGX_HTTP_OK)
        || (get->answer->status && get->answer->status != NGX_HTTP_OK))
    {
        return "its status and GET's are not both 200";
    }

    return NULL;
}
