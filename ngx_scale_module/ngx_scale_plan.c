
/*
 * From directives to methods: what each request has to evaluate, run, look up
 * and purge is decided here, once, and what does not fit is refused.
 */

#include "ngx_scale_conf.h"
#include <ngx_murmurhash.h>


static char *ngx_scale_plan_stores(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_statement(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_query_t *query);
static ngx_scale_declared_t *ngx_scale_plan_param(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_str_t *name,
    ngx_scale_place_in_conf_t *place);
static char *ngx_scale_plan_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_uint_t method);
static void ngx_scale_plan_transaction(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static char *ngx_scale_plan_default_key(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *get);
static char *ngx_scale_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get);
static uint64_t ngx_scale_plan_hash(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get);
static uint64_t ngx_scale_plan_mix(uint64_t hash, u_char *data, size_t len);
static char *ngx_scale_plan_tags(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static ngx_uint_t ngx_scale_plan_holds(ngx_array_t *parts, ngx_str_t *name);
static char *ngx_scale_plan_use(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_str_t *name, ngx_scale_place_in_conf_t *place);
static char *ngx_scale_plan_use_parts(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_array_t *parts,
    ngx_scale_place_in_conf_t *place);
static char *ngx_scale_plan_use_keys(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_array_t *keys);
static char *ngx_scale_plan_write(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static char *ngx_scale_plan_unused(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_plan_allow(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_purge(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_scale_purge_t *purge);
static char *ngx_scale_plan_target(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_purge_t *purge);
static ngx_uint_t ngx_scale_plan_is_cached(ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_purge_value(ngx_conf_t *cf,
    ngx_scale_purge_t *purge, ngx_scale_purge_value_t *value);
static char *ngx_scale_plan_unique(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_uint_t n);
static ngx_uint_t ngx_scale_plan_same_tags(ngx_scale_loc_conf_t *a,
    ngx_scale_loc_conf_t *b);
static ngx_uint_t ngx_scale_plan_same_key(ngx_scale_key_t *a,
    ngx_scale_key_t *b);


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
    statement->index = loc->database->conf.statements.nelts;

    if (query->empty == 0 && (query->shape == NGX_SCALE_SHAPE_ROW
                              || query->shape == NGX_SCALE_SHAPE_VALUE))
    {
        query->empty = NGX_HTTP_NOT_FOUND;
    }

    statement->oids = ngx_pcalloc(cf->pool, (n + 1) * sizeof(ngx_uint_t));
    query->args = ngx_pcalloc(cf->pool, (n + 1) * sizeof(ngx_uint_t));
    slot = ngx_array_push(&loc->database->conf.statements);

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


static ngx_scale_declared_t *
ngx_scale_plan_param(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *name, ngx_scale_place_in_conf_t *place)
{
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_conf_find_param(loc, name);

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

    return ngx_scale_plan_key(cf, loc, m);
}


/* the method needs a parameter's value */

static char *
ngx_scale_plan_use(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_str_t *name, ngx_scale_place_in_conf_t *place)
{
    ngx_uint_t             i, index;
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_plan_param(cf, loc, name, place);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    index = declared - (ngx_scale_declared_t *) loc->params->elts;

    for (i = 0; i < m->nparams; i++) {
        if (m->params[i] == index) {
            return NGX_CONF_OK;
        }
    }

    m->params[m->nparams++] = index;

    m->json |= declared->param.source == NGX_SCALE_SOURCE_JSON;
    m->body |= declared->param.source == NGX_SCALE_SOURCE_JSON
               || declared->param.source == NGX_SCALE_SOURCE_BODY;

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_use_parts(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_array_t *parts,
    ngx_scale_place_in_conf_t *place)
{
    char                  *rv;
    ngx_uint_t             i, type;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {

        if (part[i].name.len == 0 || part[i].row) {
            continue;
        }

        rv = ngx_scale_plan_use(cf, loc, m, &part[i].name, place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        declared = ngx_scale_conf_find_param(loc, &part[i].name);
        type = declared->param.type;

        if (type == NGX_SCALE_JSON || type == NGX_SCALE_JSONB) {
            ngx_scale_conf_error(cf, place,
                                 "parameter \":%V\" is JSON and cannot be part "
                                 "of a key or tag: equal values have many "
                                 "spellings; declare the members it needs",
                                 &part[i].name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_use_keys(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_array_t *keys)
{
    char             *rv;
    ngx_uint_t        i;
    ngx_scale_key_t  *key;

    if (keys == NULL) {
        return NGX_CONF_OK;
    }

    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        rv = ngx_scale_plan_use_parts(cf, loc, m, &key[i].parts,
                                      &key[i].place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    char               *rv;
    ngx_str_t          *name;
    ngx_uint_t          i, j;
    ngx_scale_query_t  *query;

    if (loc->key == NULL) {
        rv = ngx_scale_plan_default_key(cf, loc, get);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    loc->statement = ngx_scale_plan_hash(loc, get);

    for (i = 0; i < get->nqueries; i++) {
        query = get->queries[i];
        name = query->template.params.elts;

        for (j = 0; j < query->template.params.nelts; j++) {

            if (!ngx_scale_plan_holds(&loc->key->parts, &name[j])) {
                ngx_scale_conf_error(cf, &loc->key->place,
                                     "key \"%V\" lacks \":%V\", which the GET "
                                     "statement binds; add it to the key",
                                     &loc->key->text, &name[j]);
                return NGX_CONF_ERROR;
            }
        }
    }

    rv = ngx_scale_plan_use_parts(cf, loc, get, &loc->key->parts,
                                  &loc->key->place);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_use_keys(cf, loc, get, loc->tags);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_scale_plan_tags(cf, loc);
}


/* what makes the answer, beside the values of the parameters */

static uint64_t
ngx_scale_plan_hash(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *get)
{
    uint64_t                   hash;
    ngx_uint_t                 i;
    ngx_scale_pg_statement_t  *statement;

    hash = ngx_scale_plan_mix(0, loc->database->conf.name.data,
                              loc->database->conf.name.len);

    for (i = 0; i < get->nqueries; i++) {
        statement = &get->queries[i]->statement;

        hash = ngx_scale_plan_mix(hash ^ get->queries[i]->shape,
                                  statement->sql.data, statement->sql.len);
        hash = ngx_scale_plan_mix(hash, (u_char *) statement->oids,
                                  statement->nparams * sizeof(ngx_uint_t));
    }

    return hash;
}


static uint64_t
ngx_scale_plan_mix(uint64_t hash, u_char *data, size_t len)
{
    return (hash << 7) ^ (hash >> 57)
           ^ ((uint64_t) ngx_murmur_hash2(data, len) << 32)
           ^ ngx_crc32_long(data, len);
}


/* an entry has one value of each tag */

static char *
ngx_scale_plan_tags(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i, j;
    ngx_scale_key_t       *tag;
    ngx_scale_key_part_t  *part;

    tag = loc->tags ? loc->tags->elts : NULL;

    for (i = 0; loc->tags && i < loc->tags->nelts; i++) {
        part = tag[i].parts.elts;

        for (j = 0; j < tag[i].parts.nelts; j++) {

            if (part[j].name.len == 0
                || ngx_scale_plan_holds(&loc->key->parts, &part[j].name))
            {
                continue;
            }

            ngx_scale_conf_error(cf, &tag[i].place,
                                 "tag \"%V\" holds \":%V\", which the key "
                                 "lacks, so one entry would have several; add "
                                 "it to scale_cache_key", &tag[i].text,
                                 &part[j].name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* the route's name and every parameter that GET binds */

static char *
ngx_scale_plan_default_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    ngx_uint_t             i;
    ngx_scale_key_t       *key;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    key = ngx_pcalloc(cf->pool, sizeof(ngx_scale_key_t));
    if (key == NULL
        || ngx_array_init(&key->parts, cf->pool, 2 * get->nparams + 1,
                          sizeof(ngx_scale_key_part_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    loc->key = key;
    key->place = loc->place;
    key->text = loc->http.route;
    declared = loc->params ? loc->params->elts : NULL;

    part = ngx_array_push_n(&key->parts, 2 * get->nparams + 1);
    ngx_memzero(part, (2 * get->nparams + 1) * sizeof(ngx_scale_key_part_t));

    part[0].literal = loc->http.route;

    for (i = 0; i < get->nparams; i++) {
        ngx_str_set(&part[2 * i + 1].literal, ":");
        part[2 * i + 2].name = declared[get->params[i]].param.name;
    }

    return NGX_CONF_OK;
}


/* its number among the parts, from 1; 0: it is none of them */

static ngx_uint_t
ngx_scale_plan_holds(ngx_array_t *parts, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {
        if (part[i].name.len == name->len && !part[i].row
            && ngx_strncmp(part[i].name.data, name->data, name->len) == 0)
        {
            return i + 1;
        }
    }

    return 0;
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

    if (loc->key && loc->ttl && loc->store) {
        part = loc->key->parts.elts;
        declared = loc->params ? loc->params->elts : NULL;

        for (i = 0; i < loc->key->parts.nelts; i++) {

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


char *
ngx_scale_plan_purges(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    char                   *rv;
    ngx_uint_t              i, j;
    ngx_scale_purge_t      *purge;
    ngx_scale_loc_conf_t  **route;

    route = main->routes.elts;

    for (i = 0; i < main->routes.nelts; i++) {

        rv = ngx_scale_plan_unique(cf, main, i);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (route[i]->purges == NULL) {
            continue;
        }

        purge = route[i]->purges->elts;

        for (j = 0; j < route[i]->purges->nelts; j++) {
            rv = ngx_scale_plan_purge(cf, main, route[i], &purge[j]);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
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

    part = purge->target->key->parts.elts;

    for (i = 0; i < purge->target->key->parts.nelts; i++) {
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
    ngx_scale_key_part_t  *part;

    if (!ngx_scale_plan_holds(&purge->target->key->parts, &value->name)) {
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
    ngx_memzero(&param, sizeof(ngx_scale_param_t));

    raw.kind = NGX_SCALE_RAW_TEXT;
    raw.text = part->literal;
    param.type = ngx_scale_conf_find_param(purge->target, &value->name)
                     ->param.type;

    rc = ngx_scale_param_value(cf->pool, &param, &raw, &typed, &reason);

    if (rc == NGX_DECLINED) {
        ngx_scale_conf_error(cf, &purge->place,
                             "\"%V\" of route \"%V\" %s, which \"%V\" is not",
                             &value->name, &purge->route, reason,
                             &part->literal);
    }

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_plan_unique(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_scale_loc_conf_t  **route;

    route = main->routes.elts;

    for (i = 0; i < n; i++) {

        if (route[i]->key == NULL || route[n]->key == NULL
            || route[i]->ttl == 0 || route[n]->ttl == 0
            || route[i]->store != route[n]->store
            || !ngx_scale_plan_same_key(route[i]->key, route[n]->key))
        {
            continue;
        }

        if (route[i]->statement == route[n]->statement
            && ngx_scale_plan_same_tags(route[i], route[n]))
        {
            continue;
        }

        ngx_scale_conf_error(cf, &route[n]->key->place,
                             "key \"%V\" is already that of %s, in %V:%ui; "
                             "give one of them another scale_route or "
                             "scale_cache_key", &route[n]->key->text,
                             route[i]->statement == route[n]->statement
                             ? "entries with other tags"
                             : "another statement",
                             &route[i]->key->place.file,
                             route[i]->key->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_plan_same_tags(ngx_scale_loc_conf_t *a, ngx_scale_loc_conf_t *b)
{
    ngx_uint_t             i, j, n;
    ngx_scale_key_t       *x, *y;
    ngx_scale_key_part_t  *p, *q;

    n = a->tags ? a->tags->nelts : 0;

    if (n != (b->tags ? b->tags->nelts : 0)) {
        return 0;
    }

    x = n ? a->tags->elts : NULL;
    y = n ? b->tags->elts : NULL;

    for (i = 0; i < n; i++) {

        if (!ngx_scale_plan_same_key(&x[i], &y[i])) {
            return 0;
        }

        p = x[i].parts.elts;
        q = y[i].parts.elts;

        for (j = 0; j < x[i].parts.nelts; j++) {
            if (ngx_scale_plan_holds(&a->key->parts, &p[j].name)
                != ngx_scale_plan_holds(&b->key->parts, &q[j].name))
            {
                return 0;
            }
        }
    }

    return 1;
}


/* whatever the parameters are called: their values may be the same */

static ngx_uint_t
ngx_scale_plan_same_key(ngx_scale_key_t *a, ngx_scale_key_t *b)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *x, *y;

    if (a->parts.nelts != b->parts.nelts) {
        return 0;
    }

    x = a->parts.elts;
    y = b->parts.elts;

    for (i = 0; i < a->parts.nelts; i++) {
        if ((x[i].name.len == 0) != (y[i].name.len == 0)
            || x[i].literal.len != y[i].literal.len
            || ngx_strncmp(x[i].literal.data, y[i].literal.data,
                           x[i].literal.len) != 0)
        {
            return 0;
        }
    }

    return 1;
}
