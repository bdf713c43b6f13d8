
/* the block scale_cache */

#include "ngx_scale_directives.h"
#include "ngx_scale_cache_tls.h"


static char *ngx_scale_cache_check(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_cache_store_t *store);
static char *ngx_scale_cache_server(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_cache_local_tier(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_cache_max_ttl(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_int_t ngx_scale_cache_server_option(
    ngx_scale_cache_server_t *server, ngx_str_t *word);
static char *ngx_scale_cache_ring(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);


/* an outcome that nobody knows may show so late: an hour by default */
#define NGX_SCALE_CACHE_MAX_TTL    3600
#define NGX_SCALE_CACHE_MAX_TTL_T  2350000
#define NGX_SCALE_CACHE_LOCAL_MIN      (1024 * 1024)
#define NGX_SCALE_CACHE_LOCAL_TTL      60000
#define NGX_SCALE_CACHE_LOCAL_MAX_TTL  86400000

/* ms that another node's local tier may have what is written here */
#define NGX_SCALE_CACHE_LOCAL_LEASE    20


static ngx_scale_block_directive_t  ngx_scale_cache_block[] = {
    { ngx_string("server"), 1, 3, ngx_scale_cache_server, 0 },
    { ngx_string("timeout"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_cache_store_t, conf.timeout) },
    { ngx_string("max_ttl"), 1, 1, ngx_scale_cache_max_ttl, 0 },
    { ngx_string("ring"), 1, 1, ngx_scale_cache_ring, 0 },
    { ngx_string("local"), 1, 2, ngx_scale_cache_local_tier, 0 },
    { ngx_string("tls"), 1, 5, ngx_scale_cache_tls_set, 0 },
    { ngx_string("auth_file"), 1, 1, ngx_scale_cache_tls_auth, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_cache_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                     *rv;
    ngx_str_t                *word;
    ngx_uint_t                i;
    ngx_scale_cache_store_t  *store, **slot;

    word = cf->args->elts;
    slot = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        if (ngx_scale_same(&slot[i]->conf.name, &word[1])) {
            return "has the name of another; give one of them "
                   "another name";
        }
    }

    store = ngx_pcalloc(cf->pool, sizeof(ngx_scale_cache_store_t));
    slot = ngx_array_push(&main->caches);

    if (store == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = store;

    ngx_scale_conf_here(cf, &store->place);
    store->conf.name = word[1];
    store->conf.timeout = NGX_CONF_UNSET_MSEC;
    store->conf.max_ttl = NGX_CONF_UNSET;

    if (ngx_array_init(&store->conf.servers, cf->pool, 4,
                       sizeof(ngx_scale_cache_server_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_block_parse(cf, ngx_scale_cache_block, store);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_msec_value(store->conf.timeout, 50);
    ngx_conf_init_value(store->conf.max_ttl, NGX_SCALE_CACHE_MAX_TTL);

    return ngx_scale_cache_check(cf, main, store);
}


static char *
ngx_scale_cache_check(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_cache_store_t *store)
{
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *server;

    if (store->conf.servers.nelts == 0
        || store->conf.servers.nelts > NGX_SCALE_VIEW_NODES
        || main->caches.nelts > NGX_SCALE_ZONE_CACHES)
    {
        ngx_scale_conf_error(cf, &store->place,
                             "cache \"%V\" needs 1 to %d \"server\" lines; at "
                             "most %d caches may be declared",
                             &store->conf.name, NGX_SCALE_VIEW_NODES,
                             NGX_SCALE_ZONE_CACHES);
        return NGX_CONF_ERROR;
    }

    server = store->conf.servers.elts;

    for (i = 0; i < store->conf.servers.nelts; i++) {
        if (!server[i].gutter) {
            return ngx_scale_cache_tls_names(cf, store);
        }
    }

    ngx_scale_conf_error(cf, &store->place,
                         "cache \"%V\" has \"gutter\" servers only; they "
                         "take the place of others", &store->conf.name);

    return NGX_CONF_ERROR;
}


/* server address [weight=n] [gutter] */

static char *
ngx_scale_cache_server(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_store_t  *store = block;

    ngx_url_t                  u;
    ngx_str_t                 *word;
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *server;

    word = cf->args->elts;
    server = store->conf.servers.elts;

    for (i = 0; i < store->conf.servers.nelts; i++) {
        if (ngx_scale_same(&server[i].name, &word[1])) {
            return "names a server twice; leave one";
        }
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = word[1];
    u.default_port = NGX_SCALE_VIEW_PORT;

    if (word[1].len > NGX_SCALE_VIEW_NAME) {
        return "takes an address of at most 112 bytes";
    }

    server = ngx_array_push(&store->conf.servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_scale_cache_server_t));
    server->name = word[1];
    server->weight = 1;
    server->addr = ngx_scale_names_parse(cf, &u);

    if (server->addr == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_scale_cache_server_option(server, &word[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "server knows weight= (1 to %d) and gutter, "
                               "not \"%V\"", NGX_SCALE_CACHE_MAX_WEIGHT,
                               &word[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_cache_server_option(ngx_scale_cache_server_t *server,
    ngx_str_t *word)
{
    ngx_int_t  n;

    if (ngx_strcmp(word->data, "gutter") == 0) {
        server->gutter = 1;
        return NGX_OK;
    }

    if (ngx_strncmp(word->data, "weight=", 7) != 0) {
        return NGX_ERROR;
    }

    n = ngx_atoi(word->data + 7, word->len - 7);
    server->weight = n;

    return n >= 1 && n <= NGX_SCALE_CACHE_MAX_WEIGHT ? NGX_OK : NGX_ERROR;
}


/* local size [ttl=time] */

static char *
ngx_scale_cache_local_tier(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_store_t  *store = block;

    ssize_t     size;
    ngx_int_t   ttl;
    ngx_str_t  *word, value;

    if (store->conf.local_size) {
        return "is duplicate";
    }

    word = cf->args->elts;
    size = ngx_parse_size(&word[1]);
    ttl = NGX_SCALE_CACHE_LOCAL_TTL;

    if (cf->args->nelts == 3) {
        value.data = word[2].data + 4;
        value.len = word[2].len - 4;

        ttl = ngx_strncmp(word[2].data, "ttl=", 4) == 0
              ? ngx_parse_time(&value, 0) : NGX_ERROR;
    }

    if (size < NGX_SCALE_CACHE_LOCAL_MIN || ttl <= 0
        || ttl > NGX_SCALE_CACHE_LOCAL_MAX_TTL)
    {
        return "takes a size of at least 1m, and ttl= of 1ms to 1d, such as "
               "\"local 32m ttl=1m;\"";
    }

    store->conf.local_size = size;
    store->conf.local_ttl = ttl;

    return NGX_CONF_OK;
}


static char *
ngx_scale_cache_max_ttl(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_store_t  *store = block;

    time_t      value;
    ngx_str_t  *word;

    word = cf->args->elts;
    value = ngx_parse_time(&word[1], 1);

    if (store->conf.max_ttl != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (value == (time_t) NGX_ERROR || value == 0
        || value > NGX_SCALE_CACHE_MAX_TTL_T)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"max_ttl %V\": write a time of 1s to 27d",
                           &word[1]);
        return NGX_CONF_ERROR;
    }

    store->conf.max_ttl = value;

    return NGX_CONF_OK;
}


/* ring zone | database=name */

static char *
ngx_scale_cache_ring(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_store_t  *store = block;

    ngx_str_t  *word;

    word = cf->args->elts;

    if (store->ring.data) {
        return "is duplicate";
    }

    ngx_str_set(&store->ring, "");

    if (ngx_strcmp(word[1].data, "zone") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word[1].data, "database=", 9) != 0 || word[1].len == 9) {
        return "is \"ring zone\", for one web node, or \"ring "
               "database=name\", for several";
    }

    store->ring.data = word[1].data + 9;
    store->ring.len = word[1].len - 9;
    store->conf.shared = 1;
    store->conf.lease = NGX_SCALE_CACHE_LOCAL_LEASE;

    return NGX_CONF_OK;
}
