
/*
 * A connection's state, its events and its timer.  Level-triggered, since
 * PQconsumeInput() does not drain the socket.
 */

#include "pg/conn.h"


static void ngx_scale_pg_link(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_conn_t **from, ngx_scale_pg_conn_t **to);


/* a write is waited for longer than any request does */
#define NGX_SCALE_PG_WRITE_SILENCE    60000

/* a control connection's statements take no time */
#define NGX_SCALE_PG_CONTROL_SILENCE  1000


void
ngx_scale_pg_become(ngx_scale_pg_conn_t *conn, ngx_scale_pg_state_e state)
{
    ngx_scale_pg_pool_t  *pool;

    static const char  *names[NGX_SCALE_PG_NSTATES] = {
        "closed", "connecting", "starting", "ready", "retiring", "broken"
    };

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, conn->pg->log, 0,
                   "scale pg \"%V\" class:%ui %p %s, then %s",
                   &conn->server->conf->name, conn->class, conn,
                   names[conn->state], names[state]);

    pool = &conn->server->pools[conn->class];

    if (conn->state == NGX_SCALE_PG_CLOSED) {
        ngx_scale_pg_link(conn, &pool->closed, &pool->open);
        pool->nopen++;

    } else if (state == NGX_SCALE_PG_CLOSED) {
        ngx_scale_pg_link(conn, &pool->open, &pool->closed);
        pool->nopen--;
    }

    pool->nready -= conn->state == NGX_SCALE_PG_READY;
    pool->nready += state == NGX_SCALE_PG_READY;

    conn->state = state;
}


static void
ngx_scale_pg_link(ngx_scale_pg_conn_t *conn, ngx_scale_pg_conn_t **from,
    ngx_scale_pg_conn_t **to)
{
    while (*from != conn) {
        from = &(*from)->next;
    }

    *from = conn->next;

    while (*to) {
        to = &(*to)->next;
    }

    *to = conn;
    conn->next = NULL;
}


void
ngx_scale_pg_break(ngx_scale_pg_conn_t *conn, const char *reason)
{
    if (conn->state == NGX_SCALE_PG_BROKEN) {
        return;
    }

    conn->reason = reason;

    ngx_scale_pg_become(conn, NGX_SCALE_PG_BROKEN);
    ngx_post_event(&conn->broken, &ngx_posted_events);
}


void
ngx_scale_pg_watch(ngx_scale_pg_conn_t *conn, ngx_uint_t reading,
    ngx_uint_t writing)
{
    ngx_int_t     rc;
    ngx_event_t  *rev, *wev;

    rc = NGX_OK;
    rev = conn->connection->read;
    wev = conn->connection->write;

    if (reading && !rev->active) {
        rc |= ngx_add_event(rev, NGX_READ_EVENT, NGX_LEVEL_EVENT);

    } else if (!reading && rev->active) {
        rc |= ngx_del_event(rev, NGX_READ_EVENT, 0);
    }

    if (writing && !wev->active) {
        rc |= ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);

    } else if (!writing && wev->active) {
        rc |= ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }

    if (rc != NGX_OK) {
        ngx_scale_pg_break(conn, "the event could not be registered");
    }
}


/*
 * ngx_close_connection() counts on the kernel to forget the events of what is
 * closed; that is so for the last duplicate only.
 */

void
ngx_scale_pg_unregister(ngx_scale_pg_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->connection;
    if (c == NULL) {
        return;
    }

    if (c->read->active) {
        ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (c->write->active) {
        ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }

    ngx_close_connection(c);

    conn->connection = NULL;
}


void
ngx_scale_pg_flush(ngx_scale_pg_conn_t *conn)
{
    int  rc;

    if (conn->connection == NULL || conn->state == NGX_SCALE_PG_BROKEN) {
        return;
    }

    rc = PQflush(conn->pgconn);

    if (rc < 0) {
        ngx_scale_pg_break(conn, "the connection was lost while sending");
        return;
    }

    ngx_scale_pg_watch(conn, !conn->paused, rc == 1);
}


void
ngx_scale_pg_go_on(ngx_scale_pg_conn_t *conn)
{
    if (!conn->paused) {
        return;
    }

    conn->paused = 0;
    conn->resumed = 1;

    ngx_scale_pg_progress(conn);
    ngx_scale_pg_flush(conn);

    ngx_post_event(conn->connection->read, &ngx_posted_events);
}


void
ngx_scale_pg_progress(ngx_scale_pg_conn_t *conn)
{
    ngx_msec_t  silence;

    conn->progressed = ngx_current_msec;

    if (!ngx_scale_pg_is_open(conn)) {
        return;
    }

    conn->used = ngx_current_msec;
    conn->connection->idle = ngx_scale_pg_is_idle(conn);

    if (conn->head == conn->tail || conn->paused) {
        if (conn->timer.timer_set) {
            ngx_del_timer(&conn->timer);
        }

        return;
    }

    silence = NGX_SCALE_PG_WRITE_SILENCE;

    if (conn->class == NGX_SCALE_PG_CLASS_READ) {
        silence = conn->pg->conf->timeout + NGX_SCALE_PG_GRACE;

    } else if (conn->class == NGX_SCALE_PG_CLASS_STREAM) {
        silence = conn->patience;

    } else if (conn->class == NGX_SCALE_PG_CLASS_CONTROL) {
        silence = NGX_SCALE_PG_CONTROL_SILENCE;
    }

    ngx_add_timer(&conn->timer, silence);
}


ngx_uint_t
ngx_scale_pg_is_current(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    return !op->replica || op->unverified || op->floor.lsn == 0
           || (conn->replayed.lsn >= op->floor.lsn
               && conn->replayed.timeline == op->floor.timeline
               && conn->replayed.system == op->floor.system);
}
