
/* A worker's cluster: it begins, and it ends. */

#include "pg/cluster.h"
#include "pg/conn.h"
#include "pg/line.h"
#include "pg/outcome.h"
#include "pg/roles.h"
#include "pg/session.h"
#include "pg/shared.h"


static ngx_int_t ngx_scale_pg_create_server(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_destroy_server(ngx_scale_pg_server_t *server);


ngx_scale_pg_t *
ngx_scale_pg_create(ngx_pool_t *pool, ngx_scale_pg_conf_t *conf,
    ngx_scale_pg_shared_t *shared, ngx_log_t *log)
{
    ngx_uint_t       i;
    ngx_scale_pg_t  *pg;

    pg = ngx_pcalloc(pool, sizeof(ngx_scale_pg_t));
    if (pg == NULL) {
        return NULL;
    }

    pg->conf = conf;
    pg->pool = pool;
    pg->log = log;
    pg->reign = shared->reign;
    pg->nservers = conf->servers.nelts;
    pg->started = ngx_current_msec;

    for (i = 0; i < NGX_SCALE_PG_NLINES; i++) {
        ngx_queue_init(&pg->lines[i].ops);
    }

    ngx_scale_pg_own_init(pg);
    ngx_scale_pg_password_init(pg);

    pg->slow = ngx_pcalloc(pool, conf->statements->nelts + 1);
    pg->large = ngx_pcalloc(pool, conf->statements->nelts + 1);
    pg->servers = ngx_pcalloc(pool, pg->nservers
                                    * sizeof(ngx_scale_pg_server_t));

    if (pg->slow == NULL || pg->large == NULL || pg->servers == NULL) {
        return NULL;
    }

    ngx_scale_pg_pump_init(pg);
    ngx_scale_pg_index_init(pg);

    for (i = 0; i < pg->nservers; i++) {
        pg->servers[i].pg = pg;
        pg->servers[i].conf = (ngx_scale_pg_server_conf_t *)
                                                       conf->servers.elts + i;
        pg->servers[i].quota = shared->quotas[i];

        if (ngx_scale_pg_create_server(&pg->servers[i]) != NGX_OK) {
            return NULL;
        }
    }

    return pg;
}


static ngx_int_t
ngx_scale_pg_create_server(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i, n, nconns[NGX_SCALE_PG_NCLASSES];
    ngx_scale_pg_conn_t  *conn;

    n = server->pg->conf->connections;

    /* two for reads: one leaves the server idle while a batch travels */

    nconns[NGX_SCALE_PG_CLASS_READ] = 2;
    nconns[NGX_SCALE_PG_CLASS_WRITE] = n;
    nconns[NGX_SCALE_PG_CLASS_EXCLUSIVE] = n;
    nconns[NGX_SCALE_PG_CLASS_STREAM] = n / 2;
    nconns[NGX_SCALE_PG_CLASS_CONTROL] = 1;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        conn = ngx_pcalloc(server->pg->pool,
                           nconns[i] * sizeof(ngx_scale_pg_conn_t));
        if (conn == NULL) {
            return NGX_ERROR;
        }

        for (n = nconns[i]; n; n--) {
            ngx_scale_pg_conn_init(&conn[n - 1], server, i);
        }
    }

    server->control = server->pools[NGX_SCALE_PG_CLASS_CONTROL].closed;

    ngx_scale_pg_address_init(server);
    ngx_scale_pg_quota_enter(server->quota);
    ngx_scale_pg_standing_init(server);

    return NGX_OK;
}


void
ngx_scale_pg_destroy(ngx_scale_pg_t *pg)
{
    ngx_uint_t  i;

    pg->closing = 1;

    for (i = 0; i < pg->nservers; i++) {
        ngx_scale_pg_destroy_server(&pg->servers[i]);
    }

    if (pg->tick.timer_set) {
        ngx_del_timer(&pg->tick);
    }

    if (pg->again.timer_set) {
        ngx_del_timer(&pg->again);
    }

    if (pg->pump.posted) {
        ngx_delete_posted_event(&pg->pump);
    }
}


static void
ngx_scale_pg_destroy_server(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {

        while (server->pools[i].open) {
            conn = server->pools[i].open;

            conn->tail = conn->head;
            conn->looking = NULL;

            ngx_scale_pg_close(conn, NULL);
        }
    }

    if (server->timer.timer_set) {
        ngx_del_timer(&server->timer);
    }

    ngx_scale_pg_quota_leave(server->quota);
}
