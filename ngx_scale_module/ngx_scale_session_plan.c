
/* which sessions there are, and which methods of a location change one */

#include "ngx_scale_auth.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_login.h"


static char *ngx_scale_session_init_one(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_session_conf_t *session);
static char *ngx_scale_session_find_store(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_session_conf_t *session);
static char *ngx_scale_session_find_database(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_session_conf_t *session);
static char *ngx_scale_session_statements(ngx_conf_t *cf,
    ngx_scale_session_conf_t *session);
static char *ngx_scale_session_ends(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);
static char *ngx_scale_session_add_method(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_uint_t method);
static ngx_scale_method_t *ngx_scale_session_method(ngx_scale_loc_conf_t *loc,
    ngx_uint_t method);
static char *ngx_scale_session_starts(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);
static char *ngx_scale_session_changes(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m,
    ngx_scale_place_in_conf_t *place);


/* ms in which memcached says what a table could say, too */
#define NGX_SCALE_SESSION_PATIENCE  300


typedef struct {
    ngx_str_t      sql;
    ngx_uint_t     nparams;
    ngx_uint_t     oids[NGX_SCALE_SESSION_MAX_ARGS];
} ngx_scale_session_sql_t;


/* text, integer and json as pg_type.dat numbers them */

static ngx_scale_session_sql_t  ngx_scale_session_sql[] = {

    [NGX_SCALE_SESSION_START] = {
        ngx_string("SELECT scale.session_start($1, $2, $3, $4, $5, $6)"), 6,
        { 25, 25, 114, 23, 25, 25 } },

    [NGX_SCALE_SESSION_END] = {
        ngx_string("SELECT scale.session_end($1, $2)"), 2,
        { 25, 25, 0, 0, 0, 0 } },

    [NGX_SCALE_SESSION_READ] = {
        ngx_string("SELECT created, value, due "
                   "FROM scale.session_read($1, $2)"), 2,
        { 25, 23, 0, 0, 0, 0 } },

    [NGX_SCALE_SESSION_SEEN] = {
        ngx_string("SELECT scale.session_seen($1, $2)"), 2,
        { 25, 23, 0, 0, 0, 0 } }
};


char *
ngx_scale_session_init(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    char                       *rv;
    ngx_uint_t                  i;
    ngx_array_t                *blocks;
    ngx_scale_session_conf_t  **session;

    blocks = &main->auth[NGX_SCALE_AUTH_SESSION];
    session = blocks->elts;

    for (i = 0; i < blocks->nelts; i++) {
        rv = ngx_scale_session_init_one(cf, main, session[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_session_init_one(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_session_conf_t *session)
{
    char  *rv;

    if (main->secrets->n == 0) {
        ngx_scale_conf_error(cf, &session->block.place,
                             "the cookies of session \"%V\" are signed; write "
                             "\"scale_secret_file path;\" in http{}",
                             &session->block.name);
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_session_find_store(cf, main, session);

    return rv == NGX_CONF_OK ? ngx_scale_session_find_database(cf, main,
                                                               session)
                             : rv;
}


/* the named one, or the only one */

static char *
ngx_scale_session_find_store(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_session_conf_t *session)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_scale_cache_store_t  **store;

    store = main->caches.elts;
    name = &session->cache;

    for (i = 0; i < main->caches.nelts; i++) {
        if ((name->len == 0 && main->caches.nelts == 1)
            || ngx_scale_same(name, &store[i]->conf.name))
        {
            session->store = store[i];
            return NGX_CONF_OK;
        }
    }

    ngx_scale_conf_error(cf, &session->block.place,
                         "session \"%V\" has no cache%s%V; declare one by "
                         "scale_cache in http{}, and where there are several "
                         "name it by \"cache name;\"", &session->block.name,
                         name->len ? " " : "", name);

    return NGX_CONF_ERROR;
}


static char *
ngx_scale_session_find_database(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_session_conf_t *session)
{
    ngx_uint_t              i;
    ngx_scale_database_t  **database;

    if (session->table.len == 0) {
        return NGX_CONF_OK;
    }

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if (ngx_scale_same(&session->table, &database[i]->conf.name)
            && database[i]->map == NULL)
        {
            session->database = database[i];
            session->patience = NGX_SCALE_SESSION_PATIENCE;
            return ngx_scale_session_statements(cf, session);
        }
    }

    ngx_scale_conf_error(cf, &session->block.place,
                         "session \"%V\" has \"store database=%V\", and there "
                         "is no such scale_database without shards; name one "
                         "of those declared in http{}", &session->block.name,
                         &session->table);

    return NGX_CONF_ERROR;
}


static char *
ngx_scale_session_statements(ngx_conf_t *cf,
    ngx_scale_session_conf_t *session)
{
    ngx_uint_t                  i;
    ngx_array_t                *statements;
    ngx_scale_pg_statement_t  **slot;

    statements = session->database->conf.statements;

    for (i = 0; i < NGX_SCALE_SESSION_NCALLS; i++) {
        slot = ngx_array_push(statements);
        if (slot == NULL) {
            return NGX_CONF_ERROR;
        }

        *slot = &session->calls[i];

        session->calls[i].sql = ngx_scale_session_sql[i].sql;
        session->calls[i].nparams = ngx_scale_session_sql[i].nparams;
        session->calls[i].oids = ngx_scale_session_sql[i].oids;
        session->calls[i].index = statements->nelts - 1;
    }

    return NGX_CONF_OK;
}


/*
 * POST starts one.  POST and DELETE end one, where they have no statement, too;
 * in a location that does both POST ends what was, and starts anew.
 */

char *
ngx_scale_session_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char  *rv;

    if (!loc->starts && !loc->ends) {
        return NGX_CONF_OK;
    }

    rv = ngx_scale_auth_use(cf, main, loc, NGX_SCALE_AUTH_SESSION,
                            loc->starts ? &loc->started : &loc->ended);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (loc->ends) {
        rv = ngx_scale_session_ends(cf, loc);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return loc->starts ? ngx_scale_session_starts(cf, loc) : NGX_CONF_OK;
}


static char *
ngx_scale_session_ends(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    char                *rv;
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    static ngx_uint_t  methods[] = { NGX_HTTP_POST, NGX_HTTP_DELETE };

    for (i = 0; i < 2; i++) {
        m = ngx_scale_session_method(loc, methods[i]);

        if (m == NULL && (methods[i] == NGX_HTTP_DELETE
                          || loc->queries->nelts == 0))
        {
            rv = ngx_scale_session_add_method(cf, loc, methods[i]);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

            m = ngx_scale_session_method(loc, methods[i]);
        }

        if (m == NULL) {
            continue;
        }

        m->ends = loc->ends;

        /* of whom: a token that is dead could otherwise end what lives */

        if (loc->ends == NGX_SCALE_SESSION_ALL && !loc->starts) {
            m->asks |= ngx_scale_auth_bit(NGX_SCALE_AUTH_SESSION);
            m->needs |= ngx_scale_auth_bit(NGX_SCALE_AUTH_SESSION);
        }

        rv = ngx_scale_session_changes(cf, loc, m, &loc->ended);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* it goes on when its client has gone, as a write does */

static char *
ngx_scale_session_add_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_uint_t method)
{
    ngx_scale_method_t  *m;

    m = ngx_array_push(loc->methods);
    if (m == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(m, sizeof(ngx_scale_method_t));

    m->method = method;
    m->write = 1;
    m->asks = loc->auth;

    return NGX_CONF_OK;
}


static ngx_scale_method_t *
ngx_scale_session_method(ngx_scale_loc_conf_t *loc, ngx_uint_t method)
{
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        if (m[i].method == method) {
            return &m[i];
        }
    }

    return NULL;
}


static char *
ngx_scale_session_starts(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_method_t  *m;

    m = ngx_scale_session_method(loc, NGX_HTTP_POST);

    if (m == NULL || m->answer == NULL
        || m->answer->shape != NGX_SCALE_SHAPE_ROW)
    {
        ngx_scale_conf_error(cf, &loc->started,
                             "route \"%V\" starts a session and has no POST "
                             "whose answer is a \"row\", which is what it "
                             "keeps; add one that returns who has logged in",
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    m->starts = 1;

    return ngx_scale_session_changes(cf, loc, m, &loc->started);
}


/* what is stored is stored in the method's own transaction, as its last part */

static char *
ngx_scale_session_changes(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_place_in_conf_t *place)
{
    ngx_scale_session_conf_t  *session;

    session = (ngx_scale_session_conf_t *) loc->by[NGX_SCALE_AUTH_SESSION];

    if (m->nqueries == 0) {
        return NGX_CONF_OK;
    }

    if (m->keyed || m->batch || (m->answer && m->answer->fanout)) {
        ngx_scale_conf_error(cf, place,
                             "route \"%V\" starts or ends a session, which "
                             "scale_idempotency, scale_batch and fanout "
                             "cannot have; write \"scale_idempotency off\", or "
                             "give it a location of its own",
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    if (session->database == NULL) {
        return NGX_CONF_OK;
    }

    if (!m->write || loc->database != session->database) {
        ngx_scale_conf_error(cf, place,
                             "session \"%V\" is stored in database \"%V\", in "
                             "the transaction of the statement; let route "
                             "\"%V\" use that database, and remove \"read\"",
                             &session->block.name, &session->table,
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    m->durable = 1;

    return NGX_CONF_OK;
}
