
/* what a method that writes makes old, and when that is decided */

#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"


static char *ngx_scale_plan_own_key(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static ngx_str_t *ngx_scale_plan_unbound(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_plan_binds(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_str_t *name);
static char *ngx_scale_plan_reaches_all(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_plan_use_purges(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static void ngx_scale_plan_transaction(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_plan_purges_rows(ngx_scale_loc_conf_t *loc);


char *
ngx_scale_plan_write(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char  *rv;

    if (loc->reach && loc->ttl && loc->store) {
        rv = ngx_scale_plan_own_key(cf, loc, m);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    rv = ngx_scale_plan_use_keys(cf, loc, m, loc->purge_tags);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_use_purges(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_scale_plan_transaction(loc, m);

    return ngx_scale_plan_store(cf, loc, m);
}


/* what a write invalidates must be nameable by what it binds */

static char *
ngx_scale_plan_own_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_str_t  *missing;

    missing = ngx_scale_plan_unbound(loc, m);
    m->own_key = missing == NULL;

    if (loc->purge_tags || loc->purges) {
        return NGX_CONF_OK;
    }

    if (missing == NULL) {
        return ngx_scale_plan_reaches_all(cf, loc, m);
    }

    ngx_scale_conf_error(cf, &m->queries[0]->place,
                         "this %V does not bind \":%V\", so it cannot name the "
                         "cached entry of route \"%V\" that it makes old; bind "
                         "it, or give the entries a tag (scale_cache_tags) and "
                         "purge that (scale_purge_tags)",
                         ngx_scale_conf_method_name(m->method), missing,
                         &loc->http.route);
    return NGX_CONF_ERROR;
}


/* the last parameter of the entry's key that the method does not bind */

static ngx_str_t *
ngx_scale_plan_unbound(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m)
{
    ngx_str_t             *missing;
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    missing = NULL;
    part = loc->reach->parts.elts;

    for (i = 0; i < loc->reach->parts.nelts; i++) {
        if (part[i].name.len && !ngx_scale_plan_binds(loc, m, &part[i].name)) {
            missing = &part[i].name;
        }
    }

    return missing;
}


static ngx_uint_t
ngx_scale_plan_binds(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m,
    ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    declared = loc->params ? loc->params->elts : NULL;

    for (i = 0; i < m->nparams; i++) {
        if (ngx_scale_same(&declared[m->params[i]].param.name, name)) {
            return 1;
        }
    }

    return 0;
}


/*
 * One path has several entries where their key holds what is beside it, and a
 * write knows its own values only.  Those who ask share a tag already.
 */

static char *
ngx_scale_plan_reaches_all(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    part = loc->reach->parts.elts;

    for (i = 0; i < loc->reach->parts.nelts; i++) {

        if (part[i].name.len == 0) {
            continue;
        }

        declared = ngx_scale_conf_find_param(loc, &part[i].name);

        if (ngx_scale_source_is_path(&declared->param)) {
            continue;
        }

        ngx_scale_conf_error(cf, &m->queries[0]->place,
                             "the key of route \"%V\" holds \":%V\", which is "
                             "not of its path: this %V makes only the entry "
                             "old that has its own value; give the entries a "
                             "tag (scale_cache_tags) and purge that "
                             "(scale_purge_tags), or say by scale_purge which "
                             "it means", &loc->http.route, &part[i].name,
                             ngx_scale_conf_method_name(m->method));
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_use_purges(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char                     *rv;
    ngx_uint_t                i, j;
    ngx_scale_purge_t        *purge;
    ngx_scale_purge_value_t  *value;

    purge = loc->purges ? loc->purges->elts : NULL;

    for (i = 0; loc->purges && i < loc->purges->nelts; i++) {
        value = purge[i].given.elts;

        for (j = 0; j < purge[i].given.nelts; j++) {
            rv = ngx_scale_plan_use_parts(cf, loc, m, &value[j].parts,
                                          &purge[i].place);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    return NGX_CONF_OK;
}


/*
 * A look before COMMIT where returned rows name keys, or where an empty result
 * must undo something.  A single INSERT, UPDATE, DELETE or MERGE that touched
 * no row has nothing to undo.
 */

static void
ngx_scale_plan_transaction(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m)
{
    ngx_uint_t          i;
    ngx_scale_query_t  *query;

    m->look |= loc->store && ngx_scale_plan_purges_rows(loc);

    for (i = 0; i < m->nqueries; i++) {
        query = m->queries[i];

        if (query->empty >= NGX_HTTP_BAD_REQUEST
            && (m->nqueries > 1 || !query->template.dml))
        {
            m->look = 1;
        }
    }

    m->transaction |= m->look;
}


static ngx_uint_t
ngx_scale_plan_purges_rows(ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t          i;
    ngx_scale_key_t    *tag;
    ngx_scale_purge_t  *purge;

    tag = loc->purge_tags ? loc->purge_tags->elts : NULL;

    for (i = 0; loc->purge_tags && i < loc->purge_tags->nelts; i++) {
        if (tag[i].row) {
            return 1;
        }
    }

    purge = loc->purges ? loc->purges->elts : NULL;

    for (i = 0; loc->purges && i < loc->purges->nelts; i++) {
        if (purge[i].row) {
            return 1;
        }
    }

    return 0;
}
