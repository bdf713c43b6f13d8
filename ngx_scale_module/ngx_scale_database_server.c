
/* the "server" lines of scale_database, and of a shard */

#include "ngx_scale_database.h"


static ngx_int_t ngx_scale_database_server_option(
    ngx_scale_pg_server_conf_t *server, ngx_str_t *word);
static char *ngx_scale_database_server_inet(ngx_conf_t *cf, ngx_str_t *url,
    ngx_scale_pg_server_conf_t *server);
static char *ngx_scale_database_server_unix(ngx_conf_t *cf, ngx_str_t *path,
    ngx_scale_pg_server_conf_t *server);


/* server address [weight=n] [zone=name] [role=primary|replica] */

char *
ngx_scale_database_server(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_pg_conf_t  *pg = block;

    ngx_str_t                   *word;
    ngx_uint_t                   i;
    ngx_scale_pg_server_conf_t  *server;

    word = cf->args->elts;

    server = ngx_array_push(&pg->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_scale_pg_server_conf_t));
    server->name = word[1];
    server->weight = 1;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_scale_database_server_option(server, &word[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "server knows weight= (1 to %d), zone= and "
                               "role=primary|replica, not \"%V\"",
                               NGX_SCALE_PG_MAX_WEIGHT, &word[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (word[1].len > 5 && ngx_strncmp(word[1].data, "unix:", 5) == 0) {
        return ngx_scale_database_server_unix(cf, &word[1], server);
    }

    return ngx_scale_database_server_inet(cf, &word[1], server);
}


static ngx_int_t
ngx_scale_database_server_option(ngx_scale_pg_server_conf_t *server,
    ngx_str_t *word)
{
    ngx_int_t  n;

    if (ngx_strncmp(word->data, "weight=", 7) == 0) {
        n = ngx_atoi(word->data + 7, word->len - 7);
        server->weight = n;

        return n >= 1 && n <= NGX_SCALE_PG_MAX_WEIGHT ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strncmp(word->data, "zone=", 5) == 0 && word->len > 5) {
        server->zone.data = word->data + 5;
        server->zone.len = word->len - 5;

        return NGX_OK;
    }

    if (ngx_strcmp(word->data, "role=primary") == 0) {
        server->role = NGX_SCALE_PG_ROLE_PRIMARY;
        return NGX_OK;
    }

    if (ngx_strcmp(word->data, "role=replica") == 0) {
        server->role = NGX_SCALE_PG_ROLE_REPLICA;
        return NGX_OK;
    }

    return NGX_ERROR;
}


static char *
ngx_scale_database_server_inet(ngx_conf_t *cf, ngx_str_t *url,
    ngx_scale_pg_server_conf_t *server)
{
    u_char     port[NGX_INT_T_LEN];
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = *url;
    u.default_port = 5432;

    server->addr = ngx_scale_names_parse(cf, &u);

    if (server->addr == NULL
        || ngx_scale_conf_copy(cf->pool, u.host.data, u.host.len,
                               &server->host)
           == NULL
        || ngx_scale_conf_copy(cf->pool, port,
                               ngx_sprintf(port, "%ui", (ngx_uint_t) u.port)
                               - port, &server->port)
           == NULL)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* libpq wants the directory and the port of <directory>/.s.PGSQL.<port> */

static char *
ngx_scale_database_server_unix(ngx_conf_t *cf, ngx_str_t *url,
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

    if (ngx_scale_conf_copy(cf->pool, path, p - path, &server->host) == NULL
        || ngx_scale_conf_copy(cf->pool, p + file.len, last - p - file.len,
                               &server->port)
           == NULL)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
