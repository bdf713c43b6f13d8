
/*
 * From directives to methods: what each request has to evaluate, run, look up
 * and purge is decided here, once, and what does not fit is refused.
 */

#include "ngx_scale_auth.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_login.h"


static char *ngx_scale_plan_place(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_tokens(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_methods(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_stores(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_statement(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_query_t *query);
static char *ngx_scale_plan_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_uint_t method);
static char *ngx_scale_plan_queries(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_plan_query(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_query_t *query);
static char *ngx_scale_plan_unused(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_names(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_plan_allow(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_plan_offer(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);


/* in this order; one that needs no more than the location has the first */

static struct {
    char  *(*plan)(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
    char  *(*among)(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
                    ngx_scale_loc_conf_t *loc);
} ngx_scale_plan_aspects[] = {
    { ngx_scale_plan_place, NULL },
    { NULL, ngx_scale_plan_stores },
    { ngx_scale_plan_limits, NULL },
    { NULL, ngx_scale_plan_tokens },
    { NULL, ngx_scale_plan_page },
    { ngx_scale_plan_if_match, NULL },
    { ngx_scale_plan_identity, NULL },
    { NULL, ngx_scale_plan_methods },
    { NULL, ngx_scale_auth_plan },
    { NULL, ngx_scale_session_plan },
    { ngx_scale_plan_presigned, NULL },
    { ngx_scale_plan_kept, NULL },
    { ngx_scale_plan_shards, NULL },
    { ngx_scale_plan_vary, NULL },
    { ngx_scale_cdn_plan, NULL },
    { ngx_scale_cors_plan, NULL },
    { ngx_scale_plan_names, NULL },
    { ngx_scale_plan_unused, NULL },
    { NULL, NULL }
};


char *
ngx_scale_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char        *rv;
    ngx_uint_t   i;

    for (i = 0; ngx_scale_plan_aspects[i].plan
                || ngx_scale_plan_aspects[i].among; i++)
    {
        rv = ngx_scale_plan_aspects[i].plan
             ? ngx_scale_plan_aspects[i].plan(cf, loc)
             : ngx_scale_plan_aspects[i].among(cf, main, loc);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* the name is not inherited: keys are made of it */

static char *
ngx_scale_plan_place(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_query_t  *query;

    if (loc->place.file.len) {
        return NGX_CONF_OK;
    }

    query = loc->queries->elts;

    ngx_scale_conf_error(cf, loc->queries->nelts ? &query->place : &loc->ended,
                         "a location with scale_query or scale_session_end "
                         "needs a scale_route");

    return NGX_CONF_ERROR;
}


static char *
ngx_scale_plan_tokens(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    if (loc->consistency != NGX_SCALE_BOUNDED || main->secrets->n) {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &loc->place,
                         "route \"%V\" is \"scale_consistency bounded\", "
                         "whose tokens are signed; write "
                         "\"scale_secret_file path;\" in http{}",
                         &loc->http.route);

    return NGX_CONF_ERROR;
}


/* GET comes first: the others need its key */

static char *
ngx_scale_plan_methods(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char               *rv;
    ngx_uint_t          i, methods, method;
    ngx_scale_query_t  *query;

    loc->methods = ngx_array_create(cf->pool, 4, sizeof(ngx_scale_method_t));
    if (loc->methods == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_plan_presigns(cf, main, loc);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    methods = 0;
    query = loc->queries->elts;

    for (i = 0; i < loc->queries->nelts; i++) {
        methods |= query[i].methods;

        rv = ngx_scale_plan_statement(cf, loc, &query[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        rv = query[i].next
             ? ngx_scale_plan_statement(cf, loc, query[i].next) : NGX_CONF_OK;
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    for (method = NGX_HTTP_GET; method <= NGX_HTTP_PATCH; method <<= 1) {

        if (methods & method) {
            rv = ngx_scale_plan_method(cf, loc, method);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    return NGX_CONF_OK;
}


/* the named ones, or the only ones; a cache may be missing */

static char *
ngx_scale_plan_stores(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_scale_database_t     **database;
    ngx_scale_cache_store_t  **store;

    database = main->databases.elts;
    name = &loc->use_database;

    for (i = 0; i < main->databases.nelts; i++) {
        if ((name->len == 0 && main->databases.nelts == 1)
            || ngx_scale_same(name, &database[i]->conf.name))
        {
            loc->database = database[i];
        }
    }

    if (loc->database == NULL) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" has no database%s%V; declare it by "
                             "scale_database in http{}, and where there are "
                             "several name it by %s",
                             &loc->http.route, name->len ? " " : "", name,
                             loc->core ? "scale_use database="
                                       : "\"database\"");
        return NGX_CONF_ERROR;
    }

    store = main->caches.elts;
    name = &loc->use_cache;

    for (i = 0; i < main->caches.nelts; i++) {
        if ((name->len == 0 && main->caches.nelts == 1)
            || ngx_scale_same(name, &store[i]->conf.name))
        {
            loc->store = store[i];
        }
    }

    if (loc->store == NULL && (name->len || main->caches.nelts > 1)) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" has no cache%s%V; name one of the "
                             "declared ones by %s", &loc->http.route,
                             name->len ? " " : "", name,
                             loc->core ? "scale_use cache=" : "\"cache\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_statement(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_query_t *query)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i, n;
    ngx_scale_declared_t       *declared;
    ngx_scale_pg_statement_t  **slot, *statement;

    n = query->template.params.nelts;
    name = query->template.params.elts;
    statement = &query->statement;

    statement->sql = query->template.sql;
    statement->nparams = n;
    statement->index = loc->database->conf.statements->nelts;

    if (query->empty == 0 && (query->shape == NGX_SCALE_SHAPE_ROW
                              || query->shape == NGX_SCALE_SHAPE_VALUE))
    {
        query->empty = NGX_HTTP_NOT_FOUND;
    }

    statement->oids = ngx_pcalloc(cf->pool, (n + 1) * sizeof(ngx_uint_t));
    query->args = ngx_pcalloc(cf->pool, (n + 1) * sizeof(ngx_uint_t));
    slot = ngx_array_push(loc->database->conf.statements);

    if (statement->oids == NULL || query->args == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = statement;

    for (i = 0; i < n; i++) {
        declared = ngx_scale_plan_param(cf, loc, &name[i], &query->place);
        if (declared == NULL) {
            return NGX_CONF_ERROR;
        }

        statement->oids[i] = declared->untyped
                             ? 0 : ngx_scale_pg_type_oid(declared->param.type);
        query->args[i] = declared
                         - (ngx_scale_declared_t *) loc->params->elts;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_uint_t method)
{
    char                *rv;
    ngx_scale_method_t  *m;

    m = ngx_array_push(loc->methods);
    if (m == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(m, sizeof(ngx_scale_method_t));

    m->method = method;
    m->queries = ngx_pcalloc(cf->pool,
                             (loc->queries->nelts + 1) * sizeof(void *));
    m->params = ngx_pcalloc(cf->pool, ((loc->params ? loc->params->nelts : 0)
                                       + 1) * sizeof(ngx_uint_t));
    if (m->queries == NULL || m->params == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_plan_queries(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_guard(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_claim(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (m->ncalls > NGX_SCALE_PG_MAX_CALLS) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" has more than %d statements for one "
                             "method; put them into a function",
                             &loc->http.route, NGX_SCALE_PG_MAX_CALLS);
        return NGX_CONF_ERROR;
    }

    m->cached = method == NGX_HTTP_GET && !m->write && loc->ttl && loc->store;

    rv = ngx_scale_plan_scope(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_identity_plan(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_batch(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_keyed(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (m->write) {
        return ngx_scale_plan_write(cf, loc, m);
    }

    if (!m->cached) {
        return NGX_CONF_OK;
    }

    rv = ngx_scale_plan_lifetime(cf, loc);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_scale_plan_key(cf, loc, m);
}


/* GET reads; any other method writes, unless all of its statements read */

static char *
ngx_scale_plan_queries(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char               *rv;
    ngx_uint_t          i, reads;
    ngx_scale_query_t  *query;

    reads = 0;
    query = loc->queries->elts;

    for (i = 0; i < loc->queries->nelts; i++) {

        if (!(query[i].methods & m->method)) {
            continue;
        }

        reads += query[i].read;

        rv = ngx_scale_plan_query(cf, loc, m, &query[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (m->method != NGX_HTTP_GET && reads != m->nqueries) {
        m->write = 1;
    }

    m->ncalls = m->nqueries;
    m->transaction = m->nqueries > 1;

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_query(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_query_t *query)
{
    char                  *rv;
    ngx_str_t             *name;
    ngx_uint_t             i;
    ngx_scale_template_t  *template;

    m->queries[m->nqueries++] = query;
    m->write |= query->write;
    m->primary |= query->primary;
    m->timeout = ngx_max(m->timeout, query->timeout);

    if (query->shape != NGX_SCALE_SHAPE_NONE) {
        m->answer = query;
    }

    /* those of a page have the others, too */

    template = query->next ? &query->next->template : &query->template;
    name = template->params.elts;

    for (i = 0; i < template->params.nelts; i++) {
        rv = ngx_scale_plan_use(cf, loc, m, &name[i], &query->place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_unused(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    if (loc->params == NULL) {
        return NGX_CONF_OK;
    }

    declared = loc->params->elts;

    for (i = 0; i < loc->params->nelts; i++) {

        if (!declared[i].used && !declared[i].inherited) {
            ngx_scale_conf_error(cf, &declared[i].place,
                                 "parameter \"%V\" is declared and never "
                                 "bound; remove it, or bind :%V",
                                 &declared[i].param.name,
                                 &declared[i].param.name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_names(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    if (ngx_scale_plan_allow(cf, loc) != NGX_OK
        || ngx_scale_plan_offer(cf, loc) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_plan_allow(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    u_char              *p;
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    p = ngx_pnalloc(cf->pool, sizeof("GET, HEAD, POST, PUT, PATCH, DELETE, "
                                     "OPTIONS"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    loc->allow.data = p;
    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        p = ngx_sprintf(p, "%V, ", ngx_scale_conf_method_name(m[i].method));

        if (m[i].method == NGX_HTTP_GET && m[i].queue == NULL) {
            p = ngx_sprintf(p, "HEAD, ");
        }
    }

    p = ngx_sprintf(p, "OPTIONS");
    loc->allow.len = p - loc->allow.data;

    return NGX_OK;
}


/* the same for who reads the problem */

static ngx_int_t
ngx_scale_plan_offer(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    u_char              *p;
    ngx_str_t           *name;
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    p = ngx_pnalloc(cf->pool, sizeof("this resource has GET, POST, PUT, PATCH, "
                                     "DELETE"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    loc->offer.data = p;
    p = ngx_cpymem(p, "this resource has ", sizeof("this resource has ") - 1);
    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        if (i) {
            p = ngx_cpymem(p, ", ", 2);
        }

        name = ngx_scale_conf_method_name(m[i].method);
        p = ngx_cpymem(p, name->data, name->len);
    }

    loc->offer.len = p - loc->offer.data;

    return NGX_OK;
}
