
/*
 * Sharding, when the configuration is read: a statement is bound to the shard
 * that its key names, or runs on all of them.
 */

#include "ngx_scale_plan.h"


static char *ngx_scale_plan_shard_args(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_shard_type(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_declared_t *declared);
static char *ngx_scale_plan_one_shard(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_plan_fanout(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static char *ngx_scale_plan_limit(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_query_t *query);
static ngx_uint_t ngx_scale_plan_is_asker(ngx_scale_loc_conf_t *loc,
    ngx_str_t *name);
static ngx_uint_t ngx_scale_plan_binds(ngx_scale_query_t *query,
    ngx_str_t *name);


char *
ngx_scale_plan_shards(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    char                *rv;
    ngx_uint_t           i, j, fanout, keyed;
    ngx_scale_method_t  *m;

    keyed = loc->shard_key && loc->shard_key->level == loc;
    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        fanout = 0;

        for (j = 0; j < m[i].nqueries; j++) {
            fanout |= m[i].queries[j]->fanout;
        }

        if (fanout) {
            rv = ngx_scale_plan_fanout(cf, loc, &m[i]);

        } else if (loc->database->map && m[i].nqueries) {
            keyed = loc->shard_key != NULL;
            rv = ngx_scale_plan_one_shard(cf, loc, &m[i]);

        } else {
            continue;
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return keyed ? ngx_scale_plan_shard_args(cf, loc) : NGX_CONF_OK;
}


static char *
ngx_scale_plan_shard_args(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    char                   *rv;
    ngx_str_t              *name;
    ngx_uint_t              i, n;
    ngx_scale_declared_t   *declared;
    ngx_scale_shard_map_t  *map;

    n = loc->shard_key->names.nelts;
    name = loc->shard_key->names.elts;
    map = loc->database->map;

    loc->shard_args = ngx_palloc(cf->pool, n * sizeof(ngx_uint_t));
    if (loc->shard_args == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        declared = ngx_scale_plan_param(cf, loc, &name[i],
                                        &loc->shard_key->place);
        if (declared == NULL) {
            return NGX_CONF_ERROR;
        }

        rv = ngx_scale_plan_shard_type(cf, loc, declared);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        loc->shard_args[i] = declared
                             - (ngx_scale_declared_t *) loc->params->elts;
    }

    if (map && map->ranges.nelts && n > 1) {
        ngx_scale_conf_error(cf, &loc->shard_key->place,
                             "the ranges of database \"%V\" are of one "
                             "parameter; leave one, or write \"buckets\"",
                             &loc->database->conf.name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* types whose text is the same here and in SQL; numbers are no text in order */

static char *
ngx_scale_plan_shard_type(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_declared_t *declared)
{
    ngx_uint_t  ranges;

    ranges = loc->database->map && loc->database->map->ranges.nelts;

    switch (declared->param.type) {

    case NGX_SCALE_TEXT:
    case NGX_SCALE_UUID:
    case NGX_SCALE_DATE:
        return NGX_CONF_OK;

    case NGX_SCALE_INT:
    case NGX_SCALE_BIGINT:

        if (!ranges) {
            return NGX_CONF_OK;
        }

        /* fall through */

    default:
        ngx_scale_conf_error(cf, &loc->shard_key->place,
                             "\":%V\" cannot be a shard's key%s; its type has "
                             "to be %stext, uuid or date",
                             &declared->param.name,
                             ranges ? " in a range" : "",
                             ranges ? "" : "int, bigint, ");
        return NGX_CONF_ERROR;
    }
}


static char *
ngx_scale_plan_one_shard(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_str_t   *name;
    ngx_uint_t   i, j;

    if (loc->shard_key == NULL) {
        ngx_scale_conf_error(cf, &m->queries[0]->place,
                             "database \"%V\" has shards, and nothing says "
                             "which one this %V is for; write "
                             "\"scale_shard_key :param;\" and bind it, or add "
                             "\"fanout\" to read from all",
                             &loc->database->conf.name,
                             ngx_scale_conf_method_name(m->method));
        return NGX_CONF_ERROR;
    }

    name = loc->shard_key->names.elts;

    for (i = 0; i < m->nqueries; i++) {
        for (j = 0; j < loc->shard_key->names.nelts; j++) {

            if (ngx_scale_plan_binds(m->queries[i], &name[j])
                || ngx_scale_plan_is_asker(loc, &name[j]))
            {
                continue;
            }

            ngx_scale_conf_error(cf, &m->queries[i]->place,
                                 "this statement does not bind \":%V\", the "
                                 "key of its shard (scale_shard_key); bind "
                                 "it, or add \"fanout\" to read from all",
                                 &name[j]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_fanout(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_uint_t          i;
    const char         *remedy;
    ngx_scale_query_t  *query;

    for (i = 0; !m->queries[i]->fanout; i++) { /* void */ }

    query = m->queries[i];

    if (m->nqueries > 1) {
        remedy = "is one of several statements; it has to be the only one of "
                 "its method, as there is no transaction over shards";

    } else if (m->write) {
        remedy = "writes; write to one shard by its key, or add \"read\"";

    } else if (query->shape != NGX_SCALE_SHAPE_ROWS) {
        remedy = "has another shape than rows; only rows can be joined";

    } else {
        m->fanout = 1;
        return ngx_scale_plan_limit(cf, loc, query);
    }

    ngx_scale_conf_error(cf, &query->place, "a statement with \"fanout\" %s",
                         remedy);

    return NGX_CONF_ERROR;
}


static char *
ngx_scale_plan_limit(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_query_t *query)
{
    ngx_scale_declared_t  *declared;

    if (query->limit_name.len == 0) {
        return NGX_CONF_OK;
    }

    declared = ngx_scale_plan_param(cf, loc, &query->limit_name,
                                    &query->place);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    query->limit_arg = declared - (ngx_scale_declared_t *) loc->params->elts;

    if (ngx_scale_plan_binds(query, &query->limit_name)
        && (declared->param.type == NGX_SCALE_INT
            || declared->param.type == NGX_SCALE_BIGINT))
    {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &query->place,
                         "limit= takes an int or bigint that the statement "
                         "binds as its LIMIT, which \":%V\" is not",
                         &query->limit_name);

    return NGX_CONF_ERROR;
}


/* policies of the tables bind who asks, whatever the statement says */

static ngx_uint_t
ngx_scale_plan_is_asker(ngx_scale_loc_conf_t *loc, ngx_str_t *name)
{
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_conf_find_param(loc, name);

    return declared && declared->identity;
}


static ngx_uint_t
ngx_scale_plan_binds(ngx_scale_query_t *query, ngx_str_t *name)
{
    ngx_str_t   *bound;
    ngx_uint_t   i;

    bound = query->template.params.elts;

    for (i = 0; i < query->template.params.nelts; i++) {
        if (ngx_scale_same(&bound[i], name)) {
            return 1;
        }
    }

    return 0;
}
