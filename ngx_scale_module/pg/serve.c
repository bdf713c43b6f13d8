
/* The events of a connection that is open, and its silence. */

#include "pg/conn.h"
#include "pg/outcome.h"
#include "pg/roles.h"
#include "pg/session.h"


static void ngx_scale_pg_read_handler(ngx_event_t *rev);
static void ngx_scale_pg_read(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_timer_handler(ngx_event_t *ev);


void
ngx_scale_pg_conn_init(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_server_t *server, ngx_scale_pg_class_e class)
{
    conn->pg = server->pg;
    conn->server = server;
    conn->class = class;
    conn->next = server->pools[class].closed;
    server->pools[class].closed = conn;

    conn->position = &conn->server->position;
    conn->reading = ngx_scale_pg_read_handler;

    conn->broken.handler = ngx_scale_pg_broken_handler;
    conn->broken.data = conn;
    conn->broken.log = conn->pg->log;

    conn->timer.handler = ngx_scale_pg_timer_handler;
    conn->timer.data = conn;
    conn->timer.log = conn->pg->log;

    /* the last rows are waited for, also by a worker that shuts down */

    conn->timer.cancelable = conn->class != NGX_SCALE_PG_CLASS_STREAM;
}


static void
ngx_scale_pg_read_handler(ngx_event_t *rev)
{
    ngx_connection_t     *c;
    ngx_scale_pg_conn_t  *conn;

    c = rev->data;
    conn = c->data;

    if (c->close) {
        ngx_scale_pg_close(conn, NULL);
        return;
    }

    if (conn->state == NGX_SCALE_PG_BROKEN || conn->paused) {
        return;
    }

    ngx_scale_pg_read(conn);

    if (PQstatus(conn->pgconn) == CONNECTION_BAD) {
        ngx_scale_pg_close(conn, PQerrorMessage(conn->pgconn));
        return;
    }

    if (conn->state == NGX_SCALE_PG_RETIRING && ngx_scale_pg_is_idle(conn)) {
        ngx_scale_pg_close(conn, NULL);
        return;
    }

    ngx_scale_pg_progress(conn);
    ngx_scale_pg_flush(conn);
}


/*
 * What arrived before an end of file is valid, and is read first.  libpq makes
 * room for what it reads: it must not hold rows from before.
 */

static void
ngx_scale_pg_read(ngx_scale_pg_conn_t *conn)
{
    do {
        if (!conn->resumed && PQconsumeInput(conn->pgconn) == 0) {
            ngx_scale_pg_receive(conn);
            return;
        }

        conn->resumed = 0;

        ngx_scale_pg_receive(conn);
        ngx_scale_pg_notified(conn);

    } while (conn->head != conn->tail && !conn->paused
             && conn->state != NGX_SCALE_PG_BROKEN
             && PQstatus(conn->pgconn) == CONNECTION_OK
             && ngx_scale_pg_tls_pending(conn));
}


static void
ngx_scale_pg_timer_handler(ngx_event_t *ev)
{
    ngx_scale_pg_conn_t  *conn = ev->data;

    if (conn->state == NGX_SCALE_PG_BROKEN) {
        return;
    }

    if (!conn->opened) {
        ngx_scale_pg_close(conn, "the connection took too long to open");
        return;
    }

    if (ngx_scale_pg_overdue(conn)) {
        ngx_add_timer(&conn->timer, NGX_SCALE_PG_GRACE);
        return;
    }

    ngx_scale_pg_close(conn, "the server does not answer");

    if (conn->class == NGX_SCALE_PG_CLASS_CONTROL) {
        ngx_scale_pg_standing_lost(conn->server, 1);
    }
}
