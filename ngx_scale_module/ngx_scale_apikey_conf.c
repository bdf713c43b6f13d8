
/* the block scale_key */

#include "ngx_scale_apikey.h"
#include "ngx_scale_block.h"
#include "ngx_scale_directives.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"


static ngx_scale_apikey_t *ngx_scale_apikey_create(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_str_t *name);
static ngx_int_t ngx_scale_apikey_hash(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *route);
static char *ngx_scale_apikey_check(ngx_conf_t *cf,
    ngx_scale_apikey_t *apikey);
static char *ngx_scale_apikey_database(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_apikey_cache(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_apikey_use(ngx_conf_t *cf, ngx_str_t *field);
static char *ngx_scale_apikey_query(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_apikey_valid(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_apikey_value(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_uint_t ngx_scale_apikey_is_sharded(ngx_scale_main_conf_t *main,
    ngx_str_t *name);


/* ms that reading a verdict anew may take, where nobody waits for it */
#define NGX_SCALE_APIKEY_DEADLINE  10000


static ngx_str_t  ngx_scale_apikey_param = ngx_string("hash");


static ngx_scale_block_directive_t  ngx_scale_key_block[] = {
    { ngx_string("database"), 1, 1, ngx_scale_apikey_database, 0 },
    { ngx_string("cache"), 1, 1, ngx_scale_apikey_cache, 0 },
    { ngx_string("query"), 1, 1, ngx_scale_apikey_query, 0 },
    { ngx_string("valid"), 1, 4, ngx_scale_apikey_valid, 0 },
    { ngx_string("header"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_apikey_t, header) },
    { ngx_string("key"), 1, 1, ngx_scale_apikey_value, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_apikey_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                 *rv;
    size_t                i;
    ngx_str_t            *word;
    ngx_array_t          *apikeys;
    ngx_scale_apikey_t   *apikey, **slot;

    word = cf->args->elts;

    for (i = 0; i < word[1].len; i++) {
        if (!ngx_scale_conf_is_name(word[1].data[i])) {
            return "takes a name of letters, digits, \"_\", \"-\" and \".\"";
        }
    }

    apikeys = &main->auth[NGX_SCALE_AUTH_KEY];
    slot = apikeys->elts;

    for (i = 0; i < apikeys->nelts; i++) {
        if (ngx_scale_same(&slot[i]->block.name, &word[1])) {
            return "has the name of another; give one of them another name";
        }
    }

    apikey = ngx_scale_apikey_create(cf, main, &word[1]);
    if (apikey == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_block_parse(cf, ngx_scale_key_block, apikey);

    return rv == NGX_CONF_OK ? ngx_scale_apikey_check(cf, apikey) : rv;
}


/* the route has no location: nothing is inherited, and all else is off */

static ngx_scale_apikey_t *
ngx_scale_apikey_create(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_str_t *name)
{
    ngx_scale_apikey_t     *apikey, **slot;
    ngx_scale_loc_conf_t   *route, **routes;

    apikey = ngx_pcalloc(cf->pool, sizeof(ngx_scale_apikey_t));
    route = ngx_pcalloc(cf->pool, sizeof(ngx_scale_loc_conf_t));
    slot = ngx_array_push(&main->auth[NGX_SCALE_AUTH_KEY]);
    routes = ngx_array_push(&main->routes);

    if (apikey == NULL || route == NULL || slot == NULL || routes == NULL) {
        return NULL;
    }

    *slot = apikey;
    *routes = route;

    apikey->block.name = *name;
    apikey->route = route;
    ngx_scale_conf_here(cf, &apikey->block.place);

    route->http.route = *name;
    route->place = apikey->block.place;
    route->deadline = NGX_SCALE_APIKEY_DEADLINE;
    route->ttl = NGX_CONF_UNSET;

    return ngx_scale_apikey_hash(cf, route) == NGX_OK ? apikey : NULL;
}


/* :hash, whose value nobody writes but ngx_scale_apikey.c */

static ngx_int_t
ngx_scale_apikey_hash(ngx_conf_t *cf, ngx_scale_loc_conf_t *route)
{
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_plan_declare(cf, route, &ngx_scale_apikey_param,
                                      NGX_SCALE_TEXT, &route->place);
    if (declared == NULL) {
        return NGX_ERROR;
    }

    declared->digest = 1;

    return NGX_OK;
}


static char *
ngx_scale_apikey_check(ngx_conf_t *cf, ngx_scale_apikey_t *apikey)
{
    ngx_str_t             *name;
    ngx_scale_query_t     *query;
    ngx_scale_loc_conf_t  *route;

    route = apikey->route;

    if (route->ttl == NGX_CONF_UNSET) {
        route->ttl = 0;
    }

    query = route->queries ? route->queries->elts : NULL;
    name = query ? query->template.params.elts : NULL;

    if (query == NULL || query->template.params.nelts != 1
        || !ngx_scale_same(name, &ngx_scale_apikey_param))
    {
        ngx_scale_conf_error(cf, &apikey->block.place,
                             "scale_key \"%V\" needs a \"query\" that binds "
                             ":hash and nothing else, such as \"SELECT id, "
                             "plan FROM api_keys WHERE hash = :hash\"",
                             &route->http.route);
        return NGX_CONF_ERROR;
    }

    if (apikey->header.len && apikey->value) {
        ngx_scale_conf_error(cf, &apikey->block.place,
                             "scale_key \"%V\" has a \"header\" and a "
                             "\"key\"; remove one", &route->http.route);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_apikey_database(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_apikey_t  *apikey = block;

    return ngx_scale_apikey_use(cf, &apikey->route->use_database);
}


static char *
ngx_scale_apikey_cache(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_apikey_t  *apikey = block;

    return ngx_scale_apikey_use(cf, &apikey->route->use_cache);
}


static char *
ngx_scale_apikey_use(ngx_conf_t *cf, ngx_str_t *field)
{
    ngx_str_t  *word;

    if (field->data) {
        return "is duplicate";
    }

    word = cf->args->elts;
    *field = word[1];

    return NGX_CONF_OK;
}


/* query "SQL" | file=name: of a GET that answers a row */

static char *
ngx_scale_apikey_query(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_apikey_t  *apikey = block;

    char         *rv;
    ngx_str_t    *word, words[4];
    ngx_array_t  *args, query;

    if (apikey->route->queries) {
        return "is duplicate";
    }

    args = cf->args;
    word = args->elts;

    words[0] = word[0];
    ngx_str_set(&words[1], "GET");
    ngx_str_set(&words[2], "row");
    words[3] = word[1];

    query = *args;
    query.elts = words;
    query.nelts = 4;

    cf->args = &query;
    rv = ngx_scale_directives_query(cf, NULL, apikey->route);
    cf->args = args;

    return rv;
}


/* valid ttl [missing=] [stale=] [error=] */

static char *
ngx_scale_apikey_valid(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_apikey_t  *apikey = block;

    return ngx_scale_directives_valid(cf, NULL, apikey->route);
}


/* key $variable: what is in the URL is in the log of each request */

static char *
ngx_scale_apikey_value(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_apikey_t  *apikey = block;

    ngx_str_t                         *word, rest, name;
    ngx_http_compile_complex_value_t   ccv;

    if (apikey->value) {
        return "is duplicate";
    }

    word = cf->args->elts;
    rest = word[1];

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {
        if (ngx_scale_source_is_url(cf, &name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"$%V\" is of the URL, which is in logs: a key "
                               "has no place there; take it from a request "
                               "field", &name);
            return NGX_CONF_ERROR;
        }
    }

    apikey->value = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (apikey->value == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));
    ccv.cf = cf;
    ccv.value = &word[1];
    ccv.complex_value = apikey->value;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


/* when all databases and caches are known */

char *
ngx_scale_apikey_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    char                  *rv;
    ngx_uint_t             i;
    ngx_array_t           *apikeys;
    ngx_scale_apikey_t   **apikey;
    ngx_scale_loc_conf_t  *route;

    apikeys = &main->auth[NGX_SCALE_AUTH_KEY];
    apikey = apikeys->elts;

    for (i = 0; i < apikeys->nelts; i++) {
        route = apikey[i]->route;

        if (ngx_scale_apikey_is_sharded(main, &route->use_database)) {
            ngx_scale_conf_error(cf, &apikey[i]->block.place,
                                 "scale_key \"%V\" reads of a database with "
                                 "shards, and no shard has all keys; keep "
                                 "them in one without, and name that by "
                                 "\"database\"", &route->http.route);
            return NGX_CONF_ERROR;
        }

        rv = ngx_scale_plan(cf, main, route);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_apikey_is_sharded(ngx_scale_main_conf_t *main, ngx_str_t *name)
{
    ngx_uint_t              i;
    ngx_scale_database_t  **database;

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if ((name->len == 0 || ngx_scale_same(name, &database[i]->conf.name))
            && database[i]->map)
        {
            return 1;
        }
    }

    return 0;
}
