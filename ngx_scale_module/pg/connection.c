
/*
 * A connection's life: connect, settings, ready, closed.  libpq closes its
 * socket by itself on errors, and while it connects opens others, perhaps of
 * the same number: what is watched is a duplicate of ours.  Level-triggered,
 * since PQconsumeInput() does not drain it.
 */

#include "pg/pg_int.h"


static ngx_int_t ngx_scale_pg_register(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_unregister(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_watch(ngx_scale_pg_conn_t *conn, ngx_uint_t reading,
    ngx_uint_t writing);
static void ngx_scale_pg_poll(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_established(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_read_handler(ngx_event_t *rev);
static void ngx_scale_pg_write_handler(ngx_event_t *wev);
static void ngx_scale_pg_timer_handler(ngx_event_t *ev);
static void ngx_scale_pg_broken_handler(ngx_event_t *ev);
static void ngx_scale_pg_notice(void *arg, const PGresult *result);
static void ngx_scale_pg_log_close(ngx_scale_pg_conn_t *conn,
    const char *reason);
static void ngx_scale_pg_back_off(ngx_scale_pg_server_t *server);


#define NGX_SCALE_PG_BACKOFF_MIN   100
#define NGX_SCALE_PG_BACKOFF_MAX   2000

/* beyond the statement timeout, that a server may take to say so */
#define NGX_SCALE_PG_GRACE         1000

/* a write is waited for longer than any request does */
#define NGX_SCALE_PG_WRITE_SILENCE 60000


void
ngx_scale_pg_conn_init(ngx_scale_pg_conn_t *conn)
{
    conn->broken.handler = ngx_scale_pg_broken_handler;
    conn->broken.data = conn;
    conn->broken.log = conn->pg->log;

    conn->timer.handler = ngx_scale_pg_timer_handler;
    conn->timer.data = conn;
    conn->timer.log = conn->pg->log;
    conn->timer.cancelable = 1;
}


void
ngx_scale_pg_connect(ngx_scale_pg_conn_t *conn)
{
    ngx_uint_t                   n;
    const char                  *names[10], *values[10];
    ngx_scale_pg_conf_t         *conf;
    ngx_scale_pg_server_conf_t  *server;

    conf = conn->pg->conf;
    server = conn->server->conf;
    n = 0;

#define ngx_scale_pg_option(name, value)                                      \
    names[n] = name;                                                          \
    values[n++] = (const char *) value

    ngx_scale_pg_option("fallback_application_name", "ngx_scale");
    ngx_scale_pg_option("dbname", conf->conninfo.data);
    ngx_scale_pg_option("host", server->host.data);
    ngx_scale_pg_option("port", server->port.data);
    ngx_scale_pg_option("gssencmode", "disable");
    ngx_scale_pg_option("client_encoding", "UTF8");

    if (server->hostaddr.len) {
        ngx_scale_pg_option("hostaddr", server->hostaddr.data);
    }

    if (conf->password.len) {
        ngx_scale_pg_option("password", conf->password.data);
    }

    names[n] = NULL;
    values[n] = NULL;

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, conn->pg->log, 0,
                   "scale pg connect \"%V\" class:%ui", &server->name,
                   conn->class);

    conn->state = NGX_SCALE_PG_CONNECTING;
    conn->pgconn = PQconnectStartParams(names, values, 1);

    if (conn->pgconn == NULL || PQstatus(conn->pgconn) == CONNECTION_BAD) {
        ngx_scale_pg_break(conn, "could not start a connection");
        return;
    }

    PQsetNoticeReceiver(conn->pgconn, ngx_scale_pg_notice, conn);

    if (ngx_scale_pg_register(conn) != NGX_OK) {
        ngx_scale_pg_break(conn, "no connection is free in this worker");
        return;
    }

    ngx_scale_pg_watch(conn, 0, 1);
    ngx_add_timer(&conn->timer, conf->connect_timeout);
}


static ngx_int_t
ngx_scale_pg_register(ngx_scale_pg_conn_t *conn)
{
    ngx_socket_t       s;
    ngx_connection_t  *c;

    s = fcntl(PQsocket(conn->pgconn), F_DUPFD_CLOEXEC, 0);
    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, conn->pg->log, ngx_socket_errno,
                      "fcntl(F_DUPFD_CLOEXEC) failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(s, conn->pg->log);
    if (c == NULL) {
        (void) ngx_close_socket(s);
        return NGX_ERROR;
    }

    c->data = conn;
    c->log = conn->pg->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_scale_pg_read_handler;
    c->write->handler = ngx_scale_pg_write_handler;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    conn->connection = c;

    return NGX_OK;
}


/*
 * ngx_close_connection() counts on the kernel to forget the events of what is
 * closed; that is so for the last duplicate only.
 */

static void
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


static void
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


static void
ngx_scale_pg_poll(ngx_scale_pg_conn_t *conn)
{
    PostgresPollingStatusType  status;

    ngx_scale_pg_unregister(conn);

    status = PQconnectPoll(conn->pgconn);

    if (status == PGRES_POLLING_FAILED) {
        ngx_scale_pg_close(conn, PQerrorMessage(conn->pgconn));
        return;
    }

    if (ngx_scale_pg_register(conn) != NGX_OK) {
        ngx_scale_pg_close(conn, "no connection is free in this worker");
        return;
    }

    ngx_scale_pg_watch(conn, status != PGRES_POLLING_WRITING,
                       status == PGRES_POLLING_WRITING);

    if (status == PGRES_POLLING_OK) {
        ngx_scale_pg_established(conn);
    }
}


static void
ngx_scale_pg_established(ngx_scale_pg_conn_t *conn)
{
    const char  *standby;

    standby = PQparameterStatus(conn->pgconn, "in_hot_standby");

    conn->server->standby = standby && ngx_strcmp(standby, "on") == 0;
    conn->server->primary = !conn->server->standby;

    if (conn->server->standby) {
        ngx_scale_pg_close(conn, "the server is a standby");
        return;
    }

    if (PQsetnonblocking(conn->pgconn, 1) != 0
        || PQenterPipelineMode(conn->pgconn) != 1)
    {
        ngx_scale_pg_close(conn, "the server speaks no pipeline mode");
        return;
    }

    conn->state = NGX_SCALE_PG_STARTING;

    ngx_scale_pg_setup(conn);
    ngx_scale_pg_flush(conn);
}


void
ngx_scale_pg_started(ngx_scale_pg_conn_t *conn)
{
    conn->state = NGX_SCALE_PG_READY;
    conn->server->backoff = 0;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, conn->pg->log, 0,
                   "scale pg ready \"%V\" class:%ui pid:%d",
                   &conn->server->conf->name, conn->class,
                   PQbackendPID(conn->pgconn));

    ngx_scale_pg_progress(conn);
    ngx_scale_pg_post(conn->pg);
}


/* something was sent or has arrived: the silence begins anew */

void
ngx_scale_pg_progress(ngx_scale_pg_conn_t *conn)
{
    ngx_msec_t  silence;

    conn->progressed = ngx_current_msec;

    if (conn->state != NGX_SCALE_PG_READY) {
        return;
    }

    conn->connection->idle = (conn->head == conn->tail);

    if (conn->connection->idle) {
        if (conn->timer.timer_set) {
            ngx_del_timer(&conn->timer);
        }

        return;
    }

    silence = NGX_SCALE_PG_WRITE_SILENCE;

    if (conn->class == NGX_SCALE_PG_CLASS_READ
        || conn->class == NGX_SCALE_PG_CLASS_CONTROL)
    {
        silence = conn->pg->conf->timeout + NGX_SCALE_PG_GRACE;
    }

    ngx_add_timer(&conn->timer, silence);
}


void
ngx_scale_pg_flush(ngx_scale_pg_conn_t *conn)
{
    int  rc;

    if (conn->connection == NULL || conn->broken.posted) {
        return;
    }

    rc = PQflush(conn->pgconn);

    if (rc < 0) {
        ngx_scale_pg_break(conn, "the connection was lost while sending");
        return;
    }

    ngx_scale_pg_watch(conn, 1, rc == 1);
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

    if (conn->broken.posted) {
        return;
    }

    if (conn->state == NGX_SCALE_PG_CONNECTING) {
        ngx_scale_pg_poll(conn);
        return;
    }

    /* what arrived before an end of file is valid, and is read first */

    (void) PQconsumeInput(conn->pgconn);

    ngx_scale_pg_receive(conn);

    if (PQstatus(conn->pgconn) == CONNECTION_BAD) {
        ngx_scale_pg_close(conn, PQerrorMessage(conn->pgconn));
        return;
    }

    ngx_scale_pg_progress(conn);
    ngx_scale_pg_flush(conn);
}


static void
ngx_scale_pg_write_handler(ngx_event_t *wev)
{
    ngx_connection_t     *c;
    ngx_scale_pg_conn_t  *conn;

    c = wev->data;
    conn = c->data;

    if (conn->state == NGX_SCALE_PG_CONNECTING) {

        if (!conn->broken.posted) {
            ngx_scale_pg_poll(conn);
        }

        return;
    }

    ngx_scale_pg_flush(conn);
}


static void
ngx_scale_pg_timer_handler(ngx_event_t *ev)
{
    ngx_scale_pg_conn_t  *conn = ev->data;

    ngx_scale_pg_close(conn, conn->state == NGX_SCALE_PG_READY
                             ? "the server does not answer"
                             : "the connection took too long to open");
}


void
ngx_scale_pg_break(ngx_scale_pg_conn_t *conn, const char *reason)
{
    if (conn->broken.posted) {
        return;
    }

    conn->reason = reason;

    ngx_post_event(&conn->broken, &ngx_posted_events);
}


static void
ngx_scale_pg_broken_handler(ngx_event_t *ev)
{
    ngx_scale_pg_conn_t  *conn = ev->data;

    ngx_scale_pg_close(conn, conn->reason);
}


void
ngx_scale_pg_close(ngx_scale_pg_conn_t *conn, const char *reason)
{
    ngx_queue_t           lost, *q;
    ngx_scale_pg_op_t    *op;
    ngx_scale_pg_slot_t  *slot;

    if (reason) {
        ngx_scale_pg_log_close(conn, reason);
        ngx_scale_pg_back_off(conn->server);
    }

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    if (conn->broken.posted) {
        ngx_delete_posted_event(&conn->broken);
    }

    ngx_scale_pg_unregister(conn);

    PQfinish(conn->pgconn);

    conn->pgconn = NULL;
    conn->state = NGX_SCALE_PG_CLOSED;

    ngx_queue_init(&lost);

    for ( /* void */ ; conn->head != conn->tail; conn->head++) {
        slot = &conn->slots[conn->head % NGX_SCALE_PG_SLOTS];
        op = slot->op;
        slot->op = NULL;

        if (op && op->conn == conn) {
            op->conn = NULL;
            ngx_queue_insert_tail(&lost, &op->queue);
        }
    }

    conn->depth = 0;
    conn->batch = 0;
    conn->exclusive = 0;
    conn->failed = 0;
    conn->committed_locally = 0;
    ngx_memzero(conn->prepared, (conn->pg->conf->statements.nelts + 1)
                                * sizeof(uint32_t));

    while (!ngx_queue_empty(&lost)) {
        q = ngx_queue_head(&lost);
        ngx_queue_remove(q);
        ngx_scale_pg_lost(ngx_queue_data(q, ngx_scale_pg_op_t, queue));
    }

    ngx_scale_pg_post(conn->pg);
}


static void
ngx_scale_pg_log_close(ngx_scale_pg_conn_t *conn, const char *reason)
{
    size_t      len;
    ngx_uint_t  level;

    len = ngx_strlen(reason);
    level = conn->server->standby ? NGX_LOG_INFO : NGX_LOG_ERR;

    while (len && (reason[len - 1] == '\n' || reason[len - 1] == ' ')) {
        len--;
    }

    ngx_log_error(level, conn->pg->log, 0,
                  "database \"%V\": connection to \"%V\" closed with %ui "
                  "operations in flight: %*s", &conn->pg->conf->name,
                  &conn->server->conf->name, conn->depth, len, reason);
}


static void
ngx_scale_pg_back_off(ngx_scale_pg_server_t *server)
{
    server->backoff = ngx_max(NGX_SCALE_PG_BACKOFF_MIN,
                              ngx_min(server->backoff * 2,
                                      NGX_SCALE_PG_BACKOFF_MAX));

    server->retry_at = ngx_current_msec + server->backoff / 2
                       + (ngx_msec_t) ngx_random() % (server->backoff / 2 + 1);
}


/*
 * A write cancelled while it waits for a synchronous standby is reported as
 * committed, with a WARNING raised in SyncRepWaitForLSN() (PostgreSQL,
 * syncrep.c): the standby may not have it.
 */

static void
ngx_scale_pg_notice(void *arg, const PGresult *result)
{
    ngx_scale_pg_conn_t  *conn = arg;

    char  *function;

    function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    if (function && ngx_strcmp(function, "SyncRepWaitForLSN") == 0) {
        conn->committed_locally = 1;
    }
}
