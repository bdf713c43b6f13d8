
/* scale_database, scale_cache, scale_zone and scale_use */

#include "ngx_scale_conf.h"
#include "ngx_scale_block.h"


static char *ngx_scale_database_server(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_database_unix(ngx_conf_t *cf, ngx_str_t *path,
    ngx_scale_pg_server_conf_t *server);
static char *ngx_scale_database_password(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_database_queue(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_database_check(ngx_conf_t *cf,
    ngx_scale_database_t *database);
static char *ngx_scale_cache_server(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_cache_ring(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_int_t ngx_scale_zone_init(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_scale_zone_keeps_size(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);
static u_char *ngx_scale_stores_copy(ngx_pool_t *pool, u_char *data,
    size_t len, ngx_str_t *s);


#define NGX_SCALE_ZONE_SIZE      (8 * 1024 * 1024)
#define NGX_SCALE_ZONE_MIN_SIZE  (128 * 1024)


static ngx_scale_block_directive_t  ngx_scale_database_block[] = {
    { ngx_string("server"), 1, 1, ngx_scale_database_server, 0 },
    { ngx_string("conninfo"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_pg_conf_t, conninfo) },
    { ngx_string("password_file"), 1, 1, ngx_scale_database_password, 0 },
    { ngx_string("connections"), 1, 1, ngx_scale_block_set_num,
      offsetof(ngx_scale_pg_conf_t, connections) },
    { ngx_string("queue"), 1, 2, ngx_scale_database_queue, 0 },
    { ngx_string("timeout"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, timeout) },
    { ngx_string("connect_timeout"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, connect_timeout) },
    { ngx_null_string, 0, 0, NULL, 0 }
};


static ngx_scale_block_directive_t  ngx_scale_cache_block[] = {
    { ngx_string("server"), 1, 2, ngx_scale_cache_server, 0 },
    { ngx_string("timeout"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_cache_conf_t, timeout) },
    { ngx_string("ring"), 1, 1, ngx_scale_cache_ring, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_conf_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                  *rv;
    ngx_str_t             *word;
    ngx_uint_t             i;
    ngx_scale_pg_conf_t   *pg;
    ngx_scale_database_t  *database, **slot;

    word = cf->args->elts;
    slot = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if (slot[i]->conf.name.len == word[1].len
            && ngx_strcmp(slot[i]->conf.name.data, word[1].data) == 0)
        {
            return "has the name of another; give one of them "
                   "another name";
        }
    }

    database = ngx_pcalloc(cf->pool, sizeof(ngx_scale_database_t));
    slot = ngx_array_push(&main->databases);

    if (database == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = database;

    ngx_scale_conf_here(cf, &database->place);

    pg = &database->conf;
    pg->name = word[1];
    pg->connections = NGX_CONF_UNSET_UINT;
    pg->queue = NGX_CONF_UNSET_UINT;
    pg->queue_timeout = NGX_CONF_UNSET_MSEC;
    pg->timeout = NGX_CONF_UNSET_MSEC;
    pg->connect_timeout = NGX_CONF_UNSET_MSEC;

    if (ngx_array_init(&pg->servers, cf->pool, 2,
                       sizeof(ngx_scale_pg_server_conf_t))
        != NGX_OK
        || ngx_array_init(&pg->statements, cf->pool, 32, sizeof(void *))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_block_parse(cf, ngx_scale_database_block, pg);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_uint_value(pg->connections, 16);
    ngx_conf_init_uint_value(pg->queue, 1024);
    ngx_conf_init_msec_value(pg->queue_timeout, 500);
    ngx_conf_init_msec_value(pg->timeout, 2000);
    ngx_conf_init_msec_value(pg->connect_timeout, 2000);

    return ngx_scale_database_check(cf, database);
}


static char *
ngx_scale_database_check(ngx_conf_t *cf, ngx_scale_database_t *database)
{
    ngx_int_t   rc;
    ngx_str_t   error;

    if (database->conf.servers.nelts == 0) {
        ngx_scale_conf_error(cf, &database->place,
                             "database \"%V\" has no \"server\"; write "
                             "\"server host:port\"",
                             &database->conf.name);
        return NGX_CONF_ERROR;
    }

    if (database->conf.conninfo.data == NULL) {
        ngx_scale_conf_error(cf, &database->place,
                             "database \"%V\" needs a \"conninfo\" such as "
                             "\"dbname=app user=api\"", &database->conf.name);
        return NGX_CONF_ERROR;
    }

    rc = ngx_scale_pg_conf_check(cf->pool, &database->conf, &error);

    if (rc == NGX_DECLINED) {
        ngx_scale_conf_error(cf, &database->place,
                             "conninfo of database \"%V\": %V",
                             &database->conf.name, &error);
    }

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_database_server(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_pg_conf_t  *pg = block;

    u_char                       port[NGX_INT_T_LEN], text[NGX_SOCKADDR_STRLEN];
    ngx_url_t                    u;
    ngx_str_t                   *word;
    ngx_scale_pg_server_conf_t  *server;

    word = cf->args->elts;

    server = ngx_array_push(&pg->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_scale_pg_server_conf_t));
    server->name = word[1];

    if (word[1].len > 5 && ngx_strncmp(word[1].data, "unix:", 5) == 0) {
        return ngx_scale_database_unix(cf, &word[1], server);
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = word[1];
    u.default_port = 5432;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "server \"%V\": %s", &u.url,
                           u.err ? u.err : "has no address");
        return NGX_CONF_ERROR;
    }

    if (ngx_scale_stores_copy(cf->pool, u.host.data, u.host.len,
                              &server->host)
        == NULL
        || ngx_scale_stores_copy(cf->pool, port,
                                 ngx_sprintf(port, "%ui", (ngx_uint_t) u.port)
                                 - port, &server->port)
           == NULL
        || ngx_scale_stores_copy(cf->pool, text,
                                 ngx_sock_ntop(u.addrs[0].sockaddr,
                                               u.addrs[0].socklen, text,
                                               sizeof(text), 0),
                                 &server->hostaddr)
           == NULL)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* libpq wants the directory and the port of <directory>/.s.PGSQL.<port> */

static char *
ngx_scale_database_unix(ngx_conf_t *cf, ngx_str_t *url,
    ngx_scale_pg_server_conf_t *server)
{
    u_char  *p, *last, *path;

    static ngx_str_t  file = ngx_string("/.s.PGSQL.");

    path = url->data + 5;
    last = url->data + url->len;
    p = ngx_strnstr(path, (char *) file.data, last - path);

    if (p == NULL || ngx_atoi(p + file.len, last - p - file.len) == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a PostgreSQL socket; write "
                           "unix:<directory>/.s.PGSQL.<port>", url);
        return NGX_CONF_ERROR;
    }

    if (ngx_scale_stores_copy(cf->pool, path, p - path, &server->host) == NULL
        || ngx_scale_stores_copy(cf->pool, p + file.len, last - p - file.len,
                                 &server->port)
           == NULL)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_database_password(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_pg_conf_t  *pg = block;

    u_char      buf[1024];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_str_t  *word;

    if (pg->password.data) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_conf_full_name(cf->cycle, &word[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(word[1].data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &word[1]);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    while (n > 0 && (buf[n - 1] == LF || buf[n - 1] == CR)) {
        n--;
    }

    if (n <= 0 || n == sizeof(buf)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must hold the password and nothing else",
                           &word[1]);
        return NGX_CONF_ERROR;
    }

    return ngx_scale_stores_copy(cf->pool, buf, n, &pg->password)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_database_queue(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_pg_conf_t  *pg = block;

    ngx_int_t   n, msec;
    ngx_str_t  *word, value;

    word = cf->args->elts;

    if (pg->queue != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    n = ngx_atoi(word[1].data, word[1].len);
    msec = 500;

    if (cf->args->nelts == 3) {
        msec = NGX_ERROR;

        if (ngx_strncmp(word[2].data, "timeout=", 8) == 0) {
            value.data = word[2].data + 8;
            value.len = word[2].len - 8;
            msec = ngx_parse_time(&value, 0);
        }
    }

    if (n < 1 || msec < 1) {
        return "takes a number of operations and timeout=, "
               "such as \"queue 1024 timeout=500ms;\"";
    }

    pg->queue = n;
    pg->queue_timeout = msec;

    return NGX_CONF_OK;
}


char *
ngx_scale_conf_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                     *rv;
    ngx_str_t                *word;
    ngx_uint_t                i;
    ngx_scale_cache_store_t  *store, **slot;

    word = cf->args->elts;
    slot = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        if (slot[i]->conf.name.len == word[1].len
            && ngx_strcmp(slot[i]->conf.name.data, word[1].data) == 0)
        {
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

    if (ngx_array_init(&store->conf.servers, cf->pool, 4,
                       sizeof(ngx_scale_cache_server_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_block_parse(cf, ngx_scale_cache_block, &store->conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_msec_value(store->conf.timeout, 50);

    if (store->conf.servers.nelts == 0
        || store->conf.servers.nelts > NGX_SCALE_ZONE_NODES
        || main->caches.nelts > NGX_SCALE_ZONE_CACHES)
    {
        ngx_scale_conf_error(cf, &store->place,
                             "cache \"%V\" needs 1 to %d \"server\" lines; at "
                             "most %d caches may be declared",
                             &store->conf.name, NGX_SCALE_ZONE_NODES,
                             NGX_SCALE_ZONE_CACHES);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_cache_server(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_conf_t  *cache = block;

    ngx_int_t                  weight;
    ngx_url_t                  u;
    ngx_str_t                 *word;
    ngx_scale_cache_server_t  *server;

    word = cf->args->elts;
    weight = 1;

    if (cf->args->nelts == 3) {
        weight = NGX_ERROR;

        if (ngx_strncmp(word[2].data, "weight=", 7) == 0) {
            weight = ngx_atoi(word[2].data + 7, word[2].len - 7);
        }

        if (weight < 1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\": write weight= and a number from 1",
                               &word[2]);
            return NGX_CONF_ERROR;
        }
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = word[1];
    u.default_port = 11211;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "server \"%V\": %s", &u.url,
                           u.err ? u.err : "has no address");
        return NGX_CONF_ERROR;
    }

    server = ngx_array_push(&cache->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    server->name = word[1];
    server->addr = u.addrs[0];
    server->port = u.family == AF_UNIX ? 0 : u.port;
    server->weight = weight;

    if (u.family == AF_UNIX) {
        u.host.data = word[1].data + 5;
        u.host.len = word[1].len - 5;
    }

    return ngx_scale_stores_copy(cf->pool, u.host.data, u.host.len,
                                 &server->host)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_cache_ring(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_str_t  *word;

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "zone") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ring %V\" is not available in this version; one "
                           "web node needs \"ring zone\" or no line",
                           &word[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    ssize_t     size;
    ngx_str_t  *word;

    if (main->zone_size) {
        return "is duplicate";
    }

    word = cf->args->elts;
    size = ngx_parse_size(&word[1]);

    if (size < NGX_SCALE_ZONE_MIN_SIZE) {
        return "takes a size of at least 128k, such as \"scale_zone 8m;\"";
    }

    main->zone_size = size;

    return NGX_CONF_OK;
}


char *
ngx_scale_conf_use(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t   *word, *field;
    ngx_uint_t   i;

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(word[i].data, "database=", 9) == 0) {
            field = &loc->use_database;
            word[i].data += 9;
            word[i].len -= 9;

        } else if (ngx_strncmp(word[i].data, "cache=", 6) == 0) {
            field = &loc->use_cache;
            word[i].data += 6;
            word[i].len -= 6;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "scale_use knows database= and cache=, not "
                               "\"%V\"", &word[i]);
            return NGX_CONF_ERROR;
        }

        if (field->data) {
            return "names the same kind twice; leave one";
        }

        *field = word[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_conf_init_stores(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_int_t               workers;
    ngx_str_t               name;
    ngx_uint_t              i;
    ngx_core_conf_t        *ccf;
    ngx_scale_database_t  **database;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);
    workers = ngx_max(ccf->worker_processes, 1);
    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {

        if (database[i]->conf.connections
            < (ngx_uint_t) workers * NGX_SCALE_PG_MIN_CONNECTIONS)
        {
            ngx_scale_conf_error(cf, &database[i]->place,
                                 "\"connections %ui\" of database \"%V\" are "
                                 "too few for %i workers, which need %d each; "
                                 "write at least %i, or fewer "
                                 "worker_processes",
                                 database[i]->conf.connections,
                                 &database[i]->conf.name, workers,
                                 NGX_SCALE_PG_MIN_CONNECTIONS,
                                 workers * NGX_SCALE_PG_MIN_CONNECTIONS);
            return NGX_CONF_ERROR;
        }
    }

    if (main->caches.nelts == 0) {
        return NGX_CONF_OK;
    }

    ngx_str_set(&name, "ngx_scale");

    if (main->zone_size == 0) {
        main->zone_size = NGX_SCALE_ZONE_SIZE;
    }

    if (ngx_scale_zone_keeps_size(cf, &name, main->zone_size) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    main->zone = ngx_shared_memory_add(cf, &name, main->zone_size,
                                       &ngx_scale_module);
    if (main->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    main->zone->init = ngx_scale_zone_init;
    main->zone->data = main;

    return NGX_CONF_OK;
}


/* old workers would go on with the old zone, and not see the new one's keys */

static ngx_int_t
ngx_scale_zone_keeps_size(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    if (ngx_is_init_cycle(cf->cycle->old_cycle)) {
        return NGX_OK;
    }

    part = &cf->cycle->old_cycle->shared_memory.part;
    zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            zone = part->elts;
            i = 0;
        }

        if (zone[i].shm.name.len == name->len
            && ngx_strncmp(zone[i].shm.name.data, name->data, name->len) == 0
            && zone[i].shm.size != size)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "scale_zone cannot change its size by a "
                               "reload; restart nginx");
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_scale_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_uint_t                 i;
    ngx_slab_pool_t           *pool;
    ngx_scale_zone_t          *zone;
    ngx_scale_main_conf_t     *main;
    ngx_scale_cache_store_t  **store;

    main = shm_zone->data;
    pool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    zone = pool->data;

    if (zone == NULL) {
        zone = ngx_slab_calloc(pool, sizeof(ngx_scale_zone_t));
        if (zone == NULL) {
            return NGX_ERROR;
        }

        pool->data = zone;
    }

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        store[i]->record = ngx_scale_zone_join(zone, &store[i]->conf.name,
                               ngx_scale_cache_signature(&store[i]->conf));

        if (store[i]->record == NULL) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "no room for cache \"%V\" in scale_zone: too many "
                          "caches were declared since the start",
                          &store[i]->conf.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_conf_open_stores(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main)
{
    ngx_uint_t                 i, workers;
    ngx_core_conf_t           *ccf;
    ngx_scale_database_t     **database;
    ngx_scale_cache_store_t  **store;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    workers = ngx_process == NGX_PROCESS_WORKER ? ccf->worker_processes : 1;

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        database[i]->pg = ngx_scale_pg_create(cycle->pool, &database[i]->conf,
                                              ngx_worker, workers,
                                              cycle->log);
        if (database[i]->pg == NULL) {
            return NGX_ERROR;
        }
    }

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        store[i]->cache = ngx_scale_cache_create(cycle->pool, &store[i]->conf,
                                                 store[i]->record, cycle->log);
        if (store[i]->cache == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_scale_conf_close_stores(ngx_scale_main_conf_t *main)
{
    ngx_uint_t                 i;
    ngx_scale_database_t     **database;
    ngx_scale_cache_store_t  **store;

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if (database[i]->pg) {
            ngx_scale_pg_destroy(database[i]->pg);
        }
    }

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        if (store[i]->cache) {
            ngx_scale_cache_destroy(store[i]->cache);
        }
    }
}


static u_char *
ngx_scale_stores_copy(ngx_pool_t *pool, u_char *data, size_t len, ngx_str_t *s)
{
    s->len = len;
    s->data = ngx_pnalloc(pool, len + 1);

    if (s->data) {
        *ngx_cpymem(s->data, data, len) = '\0';
    }

    return s->data;
}
