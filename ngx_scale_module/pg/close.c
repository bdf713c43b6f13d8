
/*
 * The end of a connection, from wherever: the reason reaches the log, what was
 * in flight is retried or fails, its server rests before the next attempt.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/outcome.h"
#include "pg/roles.h"
#include "pg/session.h"
#include "pg/shared.h"


static void ngx_scale_pg_take_back(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_forget_session(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_log_close(ngx_scale_pg_conn_t *conn,
    const char *reason);
static size_t ngx_scale_pg_one_line(u_char *line, const char *text);


/* ms: what ends as early as that has not helped */
#define NGX_SCALE_PG_YOUNG  1000


void
ngx_scale_pg_broken_handler(ngx_event_t *ev)
{
    ngx_scale_pg_conn_t  *conn = ev->data;

    ngx_scale_pg_close(conn, conn->reason);
}


void
ngx_scale_pg_close(ngx_scale_pg_conn_t *conn, const char *reason)
{
    ngx_uint_t              opened;
    ngx_scale_pg_op_t      *op;
    ngx_scale_pg_server_t  *server;

    server = conn->server;
    opened = conn->opened;

    if (reason) {
        ngx_scale_pg_log_close(conn, reason);
    }

    /* all connections may be lost at once, and say the same */

    if (reason && (!opened || ngx_current_msec - conn->born
                              < NGX_SCALE_PG_YOUNG))
    {
        ngx_scale_pg_back_off(server);
    }

    ngx_scale_pg_take_back(conn);
    ngx_scale_pg_forget_session(conn);

    while ((op = ngx_scale_pg_dequeue(conn->pg, NGX_SCALE_PG_LINE_LOST))
           != NULL)
    {
        ngx_scale_pg_lost(op);
    }

    ngx_scale_pg_post(conn->pg);

    if (conn->class == NGX_SCALE_PG_CLASS_CONTROL && !conn->pg->closing) {
        ngx_scale_pg_standing_lost(server, reason && !opened);
    }
}


/* all of them first: done() of one may cancel another */

static void
ngx_scale_pg_take_back(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_op_t    *op;
    ngx_scale_pg_slot_t  *slot;

    for ( /* void */ ; conn->head != conn->tail; conn->head++) {
        slot = &conn->slots[conn->head % NGX_SCALE_PG_SLOTS];
        op = slot->op;

        if (op && op->conn == conn) {
            ngx_scale_pg_enqueue(op, NGX_SCALE_PG_LINE_LOST, 0);
        }
    }

    if (conn->looking) {
        ngx_scale_pg_enqueue(conn->looking, NGX_SCALE_PG_LINE_LOST, 0);
    }
}


static void
ngx_scale_pg_forget_session(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_server_t  *server;

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    if (conn->broken.posted) {
        ngx_delete_posted_event(&conn->broken);
    }

    ngx_scale_pg_unregister(conn);

    ngx_scale_pg_finish_session(conn);
    ngx_scale_pg_tls_clear();

    ngx_free(conn->slots);

    ngx_memzero(&conn->pgconn, sizeof(ngx_scale_pg_conn_t)
                               - offsetof(ngx_scale_pg_conn_t, pgconn));

    server = conn->server;
    conn->position = &server->position;

    ngx_scale_pg_become(conn, NGX_SCALE_PG_CLOSED);
    ngx_scale_pg_quota_give(server->quota,
                            server->pools[conn->class].nopen == 0);
}


static void
ngx_scale_pg_log_close(ngx_scale_pg_conn_t *conn, const char *reason)
{
    size_t      len;
    u_char      line[NGX_MAX_ERROR_STR];
    ngx_uint_t  level;

    len = ngx_scale_pg_one_line(line, reason);
    level = conn->server->up || conn->server->backoff == 0
            ? NGX_LOG_ERR : NGX_LOG_INFO;

    ngx_log_error(level, conn->pg->log, 0,
                  "database \"%V\": connection to \"%V\" closed with %ui "
                  "operations in flight: %*s", &conn->pg->conf->name,
                  &conn->server->conf->name, conn->depth, len, line);
}


/* libpq's text has a line for each attempt: TLS, and then without */

static size_t
ngx_scale_pg_one_line(u_char *line, const char *text)
{
    size_t  i, len;

    len = ngx_cpystrn(line, (u_char *) text, NGX_MAX_ERROR_STR) - line;

    while (len && (line[len - 1] == LF || line[len - 1] == ' ')) {
        len--;
    }

    for (i = 0; i < len; i++) {
        if (line[i] == LF) {
            line[i] = ' ';
        }
    }

    return len;
}
