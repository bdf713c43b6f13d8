
/* which writes are made only of the version that their client has read */

#include "ngx_scale_plan.h"


static char *ngx_scale_plan_guard_write(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_plan_guard_unguarded(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_plan_guard_binds(ngx_scale_query_t *query);


static ngx_str_t  ngx_scale_plan_guard_name = ngx_string("if_match");


/* a parameter whose type is what the statement compares it with */

char *
ngx_scale_plan_if_match(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_declared_t  *declared;

    if (loc->if_match == NGX_SCALE_OFF) {
        return NGX_CONF_OK;
    }

    declared = ngx_scale_conf_find_param(loc, &ngx_scale_plan_guard_name);

    if (declared) {
        ngx_scale_conf_error(cf, &declared->place,
                             "\"if_match\" is the parameter that "
                             "scale_if_match declares; give this one another "
                             "name");
        return NGX_CONF_ERROR;
    }

    declared = ngx_scale_plan_declare(cf, loc, &ngx_scale_plan_guard_name,
                                      NGX_SCALE_TEXT, &loc->guarded);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    declared->param.source = NGX_SCALE_SOURCE_IF_MATCH;
    declared->untyped = 1;

    return NGX_CONF_OK;
}


char *
ngx_scale_plan_guard(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_uint_t  i;

    if (loc->etag && m->answer && m->answer->shape == NGX_SCALE_SHAPE_ROW) {
        m->etag = loc->etag;
    }

    if (loc->if_match == NGX_SCALE_OFF) {
        return NGX_CONF_OK;
    }

    for (i = 0; i < m->nqueries; i++) {
        m->guard_arg = ngx_scale_plan_guard_binds(m->queries[i]);

        if (m->guard_arg) {
            m->guard = i;
            return ngx_scale_plan_guard_write(cf, loc, m);
        }
    }

    return ngx_scale_plan_guard_unguarded(cf, loc, m);
}


/*
 * Where a guarded statement touches no row, GET's says why: there is none, or
 * it is another version.  Both see the same, being of one transaction.
 */

static char *
ngx_scale_plan_guard_write(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char                *rv;
    ngx_str_t           *name;
    ngx_uint_t           i;
    ngx_scale_method_t  *get;

    get = loc->methods->elts;

    if (!m->write || get->method != NGX_HTTP_GET || get->etag == NULL
        || get->etag->version.len == 0 || get->fanout)
    {
        ngx_scale_conf_error(cf, &m->queries[m->guard]->place,
                             "\":if_match\" is for a write beside a GET that "
                             "answers a row with the column of \"scale_etag "
                             "column=\"; add those, or compare with another "
                             "parameter");
        return NGX_CONF_ERROR;
    }

    m->current = get->answer;
    m->queries[m->nqueries] = get->answer;
    m->ncalls = m->nqueries + 1;
    m->if_match = ngx_scale_conf_find_param(loc, &ngx_scale_plan_guard_name)
                  - (ngx_scale_declared_t *) loc->params->elts;

    m->transaction = 1;
    m->look |= m->nqueries > 1;

    name = m->current->template.params.elts;

    for (i = 0; i < m->current->template.params.nelts; i++) {
        rv = ngx_scale_plan_use(cf, loc, m, &name[i], &m->current->place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* a POST has nothing to match yet */

static char *
ngx_scale_plan_guard_unguarded(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    if (loc->if_match != NGX_SCALE_REQUIRED || !m->write
        || m->method == NGX_HTTP_POST)
    {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &m->queries[0]->place,
                         "this %V requires If-Match and does not compare with "
                         "it; add such as \"AND version = :if_match\", or "
                         "write \"scale_if_match off\"",
                         ngx_scale_conf_method_name(m->method));

    return NGX_CONF_ERROR;
}


/* its $n, or 0 */

static ngx_uint_t
ngx_scale_plan_guard_binds(ngx_scale_query_t *query)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    name = query->template.params.elts;

    for (i = 0; i < query->template.params.nelts; i++) {
        if (ngx_scale_same(&name[i], &ngx_scale_plan_guard_name)) {
            return i + 1;
        }
    }

    return 0;
}
