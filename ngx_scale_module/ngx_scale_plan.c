
/*
 * From directives to methods: what each request has to evaluate, run, look up
 * and purge is decided here, once, and what does not fit is refused.
 */

#include "ngx_scale_conf.h"


static char *ngx_scale_plan_stores(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_statement(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_query_t *query);
static char *ngx_scale_plan_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_uint_t method);
static void ngx_scale_plan_transaction(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static char *ngx_scale_plan_write(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static char *ngx_scale_plan_reaches_all(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_plan_unused(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_plan_allow(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);


char *
ngx_scale_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char               *rv;
    ngx_uint_t          i, methods, method;
    ngx_scale_query_t  *query;

    query = loc->queries->elts;

    /* the name is not inherited: keys are made of it */

    if (loc->place.file.len == 0) {
        ngx_scale_conf_error(cf, &query->place,
                             "a location with scale_query needs a scale_route");
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_plan_stores(cf, main, loc);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (loc->consistency == NGX_SCALE_BOUNDED && main->secrets.n == 0) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" is \"scale_consistency bounded\", "
                             "whose tokens are signed; write "
                             "\"scale_secret_file path;\" in http{}",
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    loc->methods = ngx_array_create(cf->pool, 4, sizeof(ngx_scale_method_t));
    if (loc->methods == NULL) {
        return NGX_CONF_ERROR;
    }

    methods = 0;

    for (i = 0; i < loc->queries->nelts; i++) {
        methods |= query[i].methods;

        rv = ngx_scale_plan_statement(cf, loc, &query[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    /* GET comes first: the others need its key */

    for (method = NGX_HTTP_GET; method <= NGX_HTTP_PATCH; method <<= 1) {

        if (methods & method) {
            rv = ngx_scale_plan_method(cf, loc, method);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    rv = ngx_scale_plan_shards(cf, loc);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_scale_plan_allow(cf, loc) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_scale_plan_unused(cf, loc);
}


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
            || (name->len == database[i]->conf.name.len
                && ngx_strncmp(name->data, database[i]->conf.name.data,
                               name->len) == 0))
        {
            loc->database = database[i];
        }
    }

    if (loc->database == NULL) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" has no database%s%V; declare it by "
                             "scale_database in http{}, and where there are "
                             "several name it by scale_use database=",
                             &loc->http.route, name->len ? " " : "", name);
        return NGX_CONF_ERROR;
    }

    store = main->caches.elts;
    name = &loc->use_cache;

    for (i = 0; i < main->caches.nelts; i++) {
        if ((name->len == 0 && main->caches.nelts == 1)
            || (name->len == store[i]->conf.name.len
                && ngx_strncmp(name->data, store[i]->conf.name.data, name->len)
                   == 0))
        {
            loc->store = store[i];
        }
    }

    if (loc->store == NULL && (name->len || main->caches.nelts > 1)) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" has no cache%s%V; name one of the "
                             "declared ones by scale_use cache=",
                             &loc->http.route, name->len ? " " : "", name);
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

        statement->oids[i] = ngx_scale_pg_type_oid(declared->param.type);
        query->args[i] = declared
                         - (ngx_scale_declared_t *) loc->params->elts;
    }

    return NGX_CONF_OK;
}


ngx_scale_declared_t *
ngx_scale_plan_param(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *name, ngx_scale_place_in_conf_t *place)
{
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_conf_find_param(loc, name);

    if (declared == NULL && ngx_scale_plan_is_row(name)) {
        ngx_scale_conf_error(cf, place,
                             "\":row\" names no column; write such as "
                             "\":row.id\"");
        return NULL;
    }

    if (declared == NULL) {
        ngx_scale_conf_error(cf, place,
                             "parameter \":%V\" is not declared; add "
                             "\"scale_param %V <source> <type>;\"",
                             name, name);
        return NULL;
    }

    declared->used = 1;

    return declared;
}


ngx_uint_t
ngx_scale_plan_is_row(ngx_str_t *name)
{
    return name->len == 3 && ngx_strncmp(name->data, "row", 3) == 0;
}


static char *
ngx_scale_plan_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_uint_t method)
{
    char                *rv;
    ngx_uint_t           i, j, reads;
    ngx_scale_query_t   *query;
    ngx_scale_method_t  *m;

    m = ngx_array_push(loc->methods);
    if (m == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(m, sizeof(ngx_scale_method_t));

    m->method = method;
    m->queries = ngx_pcalloc(cf->pool,
                             loc->queries->nelts * sizeof(void *));
    m->params = ngx_pcalloc(cf->pool, ((loc->params ? loc->params->nelts : 0)
                                       + 1) * sizeof(ngx_uint_t));
    if (m->queries == NULL || m->params == NULL) {
        return NGX_CONF_ERROR;
    }

    reads = 0;
    query = loc->queries->elts;

    for (i = 0; i < loc->queries->nelts; i++) {

        if (!(query[i].methods & method)) {
            continue;
        }

        m->queries[m->nqueries++] = &query[i];
        m->write |= query[i].write;
        m->primary |= query[i].primary;
        m->timeout = ngx_max(m->timeout, query[i].timeout);
        reads += query[i].read;

        if (query[i].shape != NGX_SCALE_SHAPE_NONE) {
            m->answer = &query[i];
        }

        for (j = 0; j < query[i].template.params.nelts; j++) {
            rv = ngx_scale_plan_use(cf, loc, m,
                            (ngx_str_t *) query[i].template.params.elts + j,
                            &query[i].place);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    rv = ngx_scale_identity_plan(cf, loc, m);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (m->nqueries > NGX_SCALE_PG_MAX_CALLS) {
        ngx_scale_conf_error(cf, &loc->place,
                             "route \"%V\" has more than %d statements for one "
                             "method; put them into a function",
                             &loc->http.route, NGX_SCALE_PG_MAX_CALLS);
        return NGX_CONF_ERROR;
    }

    if (method != NGX_HTTP_GET && reads != m->nqueries) {
        m->write = 1;
    }

    m->transaction = m->nqueries > 1;

    if (m->write) {
        return ngx_scale_plan_write(cf, loc, m);
    }

    if (method != NGX_HTTP_GET || loc->ttl == 0 || loc->store == NULL) {
        return NGX_CONF_OK;
    }

    m->cached = 1;

    rv = ngx_scale_plan_lifetime(cf, loc);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_scale_plan_key(cf, loc, m);
}


/* what a write invalidates must be nameable by what it binds */

static char *
ngx_scale_plan_write(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char                     *rv;
    ngx_str_t                *missing;
    ngx_uint_t                i, j, k;
    ngx_scale_purge_t        *purge;
    ngx_scale_declared_t     *declared;
    ngx_scale_key_part_t     *part;
    ngx_scale_purge_value_t  *value;

    missing = NULL;

    if (loc->reach && loc->ttl && loc->store) {
        part = loc->reach->parts.elts;
        declared = loc->params ? loc->params->elts : NULL;

        for (i = 0; i < loc->reach->parts.nelts; i++) {

            if (part[i].name.len == 0) {
                continue;
            }

            for (k = 0; k < m->nparams; k++) {
                if (declared[m->params[k]].param.name.len == part[i].name.len
                    && ngx_strncmp(declared[m->params[k]].param.name.data,
                                   part[i].name.data, part[i].name.len) == 0)
                {
                    break;
                }
            }

            if (k == m->nparams) {
                missing = &part[i].name;
            }
        }

        m->own_key = missing == NULL;
    }

    if (m->own_key && loc->purge_tags == NULL && loc->purges == NULL) {
        rv = ngx_scale_plan_reaches_all(cf, loc, m);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (missing && loc->purge_tags == NULL && loc->purges == NULL) {
        ngx_scale_conf_error(cf, &m->queries[0]->place,
                             "this %V does not bind \":%V\", so it cannot name "
                             "the cached entry of route \"%V\" that it makes "
                             "old; bind it, or give the entries a tag "
                             "(scale_cache_tags) and purge that "
                             "(scale_purge_tags)",
                             ngx_scale_conf_method_name(m->method), missing,
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_plan_use_keys(cf, loc, m, loc->purge_tags);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

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

    ngx_scale_plan_transaction(loc, m);

    return ngx_scale_plan_store(cf, loc, m);
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


/*
 * A look before COMMIT where returned rows name keys, or where an empty result
 * must undo something.  A single INSERT, UPDATE, DELETE or MERGE that touched
 * no row has nothing to undo.
 */

static void
ngx_scale_plan_transaction(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m)
{
    ngx_uint_t          i;
    ngx_scale_key_t    *tag;
    ngx_scale_purge_t  *purge;
    ngx_scale_query_t  *query;

    tag = loc->purge_tags ? loc->purge_tags->elts : NULL;

    for (i = 0; loc->store && loc->purge_tags && i < loc->purge_tags->nelts;
         i++)
    {
        m->look |= tag[i].row;
    }

    purge = loc->purges ? loc->purges->elts : NULL;

    for (i = 0; loc->store && loc->purges && i < loc->purges->nelts; i++) {
        m->look |= purge[i].row;
    }

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

        if (m[i].method == NGX_HTTP_GET) {
            p = ngx_sprintf(p, "HEAD, ");
        }
    }

    p = ngx_sprintf(p, "OPTIONS");
    loc->allow.len = p - loc->allow.data;

    return NGX_OK;
}
