
/* the block scale_database */

#include "ngx_scale_database.h"
#include "ngx_scale_directives.h"


static char *ngx_scale_database_password(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_database_queue(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_database_check(ngx_conf_t *cf,
    ngx_scale_database_t *database);


static ngx_scale_block_directive_t  ngx_scale_database_block[] = {
    { ngx_string("server"), 1, 4, ngx_scale_database_server, 0 },
    { ngx_string("conninfo"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_pg_conf_t, conninfo) },
    { ngx_string("password_file"), 1, 1, ngx_scale_database_password, 0 },
    { ngx_string("connections"), 1, 1, ngx_scale_block_set_num,
      offsetof(ngx_scale_pg_conf_t, connections) },
    { ngx_string("queue"), 1, 2, ngx_scale_database_queue, 0 },
    { ngx_string("zone"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_pg_conf_t, zone) },
    { ngx_string("max_lag"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, max_lag) },
    { ngx_string("idle"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, idle) },
    { ngx_string("lifetime"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, lifetime) },
    { ngx_string("timeout"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, timeout) },
    { ngx_string("connect_timeout"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_pg_conf_t, connect_timeout) },
    { ngx_string("shard"), 0, 1|NGX_SCALE_BLOCK_OPENS,
      ngx_scale_database_shard, 0 },
    { ngx_string("frozen"), 2, 32, ngx_scale_database_frozen, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_database_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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
        if (ngx_scale_same(&slot[i]->conf.name, &word[1])) {
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
    pg->max_lag = NGX_CONF_UNSET_MSEC;
    pg->idle = NGX_CONF_UNSET_MSEC;
    pg->lifetime = NGX_CONF_UNSET_MSEC;

    pg->statements = ngx_array_create(cf->pool, 32, sizeof(void *));

    if (pg->statements == NULL
        || ngx_array_init(&pg->servers, cf->pool, 2,
                          sizeof(ngx_scale_pg_server_conf_t))
           != NGX_OK
        || ngx_array_init(&database->clusters, cf->pool, 1,
                          sizeof(ngx_scale_cluster_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_block_parse(cf, ngx_scale_database_block, database);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_uint_value(pg->queue, 1024);
    ngx_conf_init_msec_value(pg->queue_timeout, 500);
    ngx_conf_init_msec_value(pg->timeout, 2000);
    ngx_conf_init_msec_value(pg->connect_timeout, 2000);
    ngx_conf_init_msec_value(pg->max_lag, 2000);
    ngx_conf_init_msec_value(pg->idle, 60000);
    ngx_conf_init_msec_value(pg->lifetime, 3600000);

    rv = ngx_scale_database_check(cf, database);

    return rv == NGX_CONF_OK ? ngx_scale_database_clusters(cf, database) : rv;
}


static char *
ngx_scale_database_check(ngx_conf_t *cf, ngx_scale_database_t *database)
{
    ngx_int_t   rc;
    ngx_str_t   error;

    if (database->conf.max_lag > NGX_SCALE_PG_LAG_MAX) {
        ngx_scale_conf_error(cf, &database->place,
                             "max_lag of database \"%V\" is more than %ds; "
                             "a replica that far behind is of no use",
                             &database->conf.name,
                             NGX_SCALE_PG_LAG_MAX / 1000);
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
ngx_scale_database_password(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_pg_conf_t  *pg = block;

    ngx_int_t   rc;
    ngx_str_t  *word;

    if (pg->password_file.data) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_conf_full_name(cf->cycle, &word[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    pg->password_file = word[1];
    pg->password = ngx_scale_secret_alloc(cf->pool,
                                          NGX_SCALE_PG_PASSWORD_SIZE);
    if (pg->password == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_scale_pg_password_read(&word[1], pg->password);

    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &word[1]);
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must hold the password and nothing else, "
                           "at most %d bytes", &word[1],
                           NGX_SCALE_PG_PASSWORD_SIZE - 1);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
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
