
/*
 * Where a server is.  Its name may come to stand for another address, and
 * then for another server: what was known of it is forgotten, and it is asked
 * anew.
 */

#include "pg/cluster.h"
#include "pg/conn.h"
#include "pg/pool.h"
#include "pg/roles.h"


static ngx_uint_t ngx_scale_pg_address_choose(ngx_scale_pg_server_t *server,
    ngx_addr_t *addrs, ngx_uint_t n);
static ngx_uint_t ngx_scale_pg_address_failed(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_address_text(ngx_addr_t *addr, u_char *text);
static void ngx_scale_pg_address_forget(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_address_leave(ngx_scale_pg_conn_t *conn);


void
ngx_scale_pg_address_init(ngx_scale_pg_server_t *server)
{
    if (server->conf->addr && server->conf->addr->sockaddr) {
        ngx_scale_pg_address_text(server->conf->addr, server->hostaddr);
    }
}


void
ngx_scale_pg_address(ngx_scale_pg_t *pg, ngx_uint_t i, ngx_addr_t *addrs,
    ngx_uint_t n)
{
    u_char                  text[NGX_SOCKADDR_STRLEN + 1];
    ngx_scale_pg_server_t  *server;

    server = &pg->servers[i];

    ngx_scale_pg_address_text(
        &addrs[ngx_scale_pg_address_choose(server, addrs, n)], text);

    if (ngx_strcmp(text, server->hostaddr) == 0) {
        return;
    }

    if (server->hostaddr[0]) {
        ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                      "database \"%V\": server \"%V\" was at %s, and is tried "
                      "at %s", &pg->conf->name, &server->conf->name,
                      server->hostaddr, text);
    }

    ngx_memcpy(server->hostaddr, text, sizeof(text));

    ngx_scale_pg_address_forget(server);
    ngx_scale_pg_judge(pg);
    ngx_scale_pg_suspect(pg);
}


/* the current one, as long as it stands; where it fails, the one after it */

static ngx_uint_t
ngx_scale_pg_address_choose(ngx_scale_pg_server_t *server, ngx_addr_t *addrs,
    ngx_uint_t n)
{
    u_char      text[NGX_SOCKADDR_STRLEN + 1];
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        ngx_scale_pg_address_text(&addrs[i], text);

        if (ngx_strcmp(text, server->hostaddr) == 0) {
            return ngx_scale_pg_address_failed(server) ? (i + 1) % n : i;
        }
    }

    return 0;
}


/* an attempt under way is awaited */

static ngx_uint_t
ngx_scale_pg_address_failed(ngx_scale_pg_server_t *server)
{
    return !server->up && server->backoff
           && server->control->state == NGX_SCALE_PG_CLOSED;
}


static void
ngx_scale_pg_address_text(ngx_addr_t *addr, u_char *text)
{
    text[ngx_sock_ntop(addr->sockaddr, addr->socklen, text,
                       NGX_SOCKADDR_STRLEN, 0)] = '\0';
}


static void
ngx_scale_pg_address_forget(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        for (conn = server->pools[i].open; conn; conn = conn->next) {
            ngx_scale_pg_address_leave(conn);
        }
    }

    ngx_scale_pg_retire(server, NGX_SCALE_PG_CLASS_WRITE);
    ngx_scale_pg_retire(server, NGX_SCALE_PG_CLASS_EXCLUSIVE);
    ngx_scale_pg_retire(server, NGX_SCALE_PG_CLASS_STREAM);

    ngx_memzero(&server->position, sizeof(ngx_scale_pg_position_t));

    server->role = NGX_SCALE_PG_ROLE_UNKNOWN;
    server->standing = NGX_SCALE_PG_OWN_STANDING;
    server->backoff = 0;
    server->penalty = 0;
    server->up = 0;
    server->foreign = 0;
}


/*
 * A write, and a list that is on its way, end where they began, and are judged
 * by what the server was then.  A read may be repeated: it does not wait for a
 * server that may be gone.
 */

static void
ngx_scale_pg_address_leave(ngx_scale_pg_conn_t *conn)
{
    if (!ngx_scale_pg_is_open(conn)
        || conn->class == NGX_SCALE_PG_CLASS_READ
        || conn->class == NGX_SCALE_PG_CLASS_CONTROL)
    {
        ngx_scale_pg_break(conn, NULL);
        return;
    }

    if (conn->position != &conn->left) {
        conn->left = conn->server->position;
        conn->position = &conn->left;
    }
}
