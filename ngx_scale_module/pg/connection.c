
/*
 * A connection's life: connect, settings, ready, closed.  libpq closes its
 * socket by itself on errors, and while it connects opens others, perhaps of
 * the same number: what is watched is a duplicate of ours.  Level-triggered,
 * since PQconsumeInput() does not drain it.
 */

#include "pg/pg_int.h"


static void ngx_scale_pg_link(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_conn_t **from, ngx_scale_pg_conn_t **to);
static void ngx_scale_pg_options(ngx_scale_pg_conn_t *conn, const char **names,
    const char **values);
static ngx_int_t ngx_scale_pg_admit(ngx_scale_pg_conn_t *conn);
static ngx_int_t ngx_scale_pg_register(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_watch(ngx_scale_pg_conn_t *conn, ngx_uint_t reading,
    ngx_uint_t writing);
static void ngx_scale_pg_connecting_handler(ngx_event_t *ev);
static void ngx_scale_pg_poll(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_established(ngx_scale_pg_conn_t *conn);
static ngx_uint_t ngx_scale_pg_is_out_of_place(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_read_handler(ngx_event_t *rev);
static void ngx_scale_pg_read(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_write_handler(ngx_event_t *wev);
static void ngx_scale_pg_timer_handler(ngx_event_t *ev);
static void ngx_scale_pg_notice(void *arg, const PGresult *result);


/* beyond the statement timeout, that a server may take to say so */
#define NGX_SCALE_PG_GRACE         1000

/* a write is waited for longer than any request does */
#define NGX_SCALE_PG_WRITE_SILENCE 60000

/* a control connection's statements take no time */
#define NGX_SCALE_PG_CONTROL_SILENCE  1000


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


ngx_int_t
ngx_scale_pg_connect(ngx_scale_pg_conn_t *conn)
{
    const char                  *names[10], *values[10];
    ngx_scale_pg_server_conf_t  *server;

    server = conn->server->conf;

    if ((server->addr && conn->server->hostaddr[0] == '\0')
        || ngx_scale_pg_admit(conn) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_scale_pg_become(conn, NGX_SCALE_PG_CONNECTING);
    ngx_scale_pg_options(conn, names, values);

    conn->pgconn = PQconnectStartParams(names, values, 1);

    if (conn->pgconn == NULL || PQstatus(conn->pgconn) == CONNECTION_BAD) {
        ngx_scale_pg_break(conn, "could not start a connection");
        return NGX_OK;
    }

    PQsetNoticeReceiver(conn->pgconn, ngx_scale_pg_notice, conn);

    if (ngx_scale_pg_register(conn) != NGX_OK) {
        ngx_scale_pg_break(conn, "no connection is free in this worker");
        return NGX_OK;
    }

    ngx_scale_pg_watch(conn, 0, 1);
    ngx_add_timer(&conn->timer, conn->pg->conf->connect_timeout);

    return NGX_OK;
}


static void
ngx_scale_pg_options(ngx_scale_pg_conn_t *conn, const char **names,
    const char **values)
{
    ngx_uint_t                   n;
    const char                  *password;
    ngx_scale_pg_server_conf_t  *server;

    n = 0;
    server = conn->server->conf;
    password = ngx_scale_pg_password(conn->pg);

#define ngx_scale_pg_option(name, value)                                      \
    names[n] = name;                                                          \
    values[n++] = (const char *) value

    ngx_scale_pg_option("fallback_application_name", "ngx_scale");
    ngx_scale_pg_option("dbname", conn->pg->conf->conninfo.data);
    ngx_scale_pg_option("host", server->host.data);
    ngx_scale_pg_option("port", server->port.data);
    ngx_scale_pg_option("gssencmode", "disable");
    ngx_scale_pg_option("client_encoding", "UTF8");

    if (server->addr) {
        ngx_scale_pg_option("hostaddr", conn->server->hostaddr);
    }

    if (password) {
        ngx_scale_pg_option("password", password);
    }

    names[n] = NULL;
    values[n] = NULL;
}


static ngx_int_t
ngx_scale_pg_admit(ngx_scale_pg_conn_t *conn)
{
    ngx_uint_t              nstatements, first;
    ngx_scale_pg_server_t  *server;

    server = conn->server;
    first = server->pools[conn->class].nopen == 0;
    nstatements = conn->pg->conf->statements->nelts + NGX_SCALE_PG_NOWN;

    if (ngx_scale_pg_quota_take(server->quota, conn->pg->conf->connections,
                                first)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    conn->slots = ngx_calloc(NGX_SCALE_PG_SLOTS * sizeof(ngx_scale_pg_slot_t)
                             + nstatements
                               * sizeof(ngx_scale_pg_prepared_t),
                             conn->pg->log);

    if (conn->slots == NULL) {
        ngx_scale_pg_quota_give(server->quota, first);
        return NGX_DECLINED;
    }

    conn->prepared = (ngx_scale_pg_prepared_t *)
                                           (conn->slots + NGX_SCALE_PG_SLOTS);

    return NGX_OK;
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
    c->read->handler = ngx_scale_pg_connecting_handler;
    c->write->handler = ngx_scale_pg_connecting_handler;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    conn->connection = c;

    return NGX_OK;
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
ngx_scale_pg_connecting_handler(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_scale_pg_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    if (conn->state == NGX_SCALE_PG_CONNECTING) {
        ngx_scale_pg_poll(conn);
    }
}


static void
ngx_scale_pg_poll(ngx_scale_pg_conn_t *conn)
{
    PostgresPollingStatusType  status;

    ngx_scale_pg_unregister(conn);

    status = PQconnectPoll(conn->pgconn);

    ngx_scale_pg_tls_clear();

    if (status == PGRES_POLLING_FAILED) {
        ngx_scale_pg_break(conn, PQerrorMessage(conn->pgconn));
        return;
    }

    if (ngx_scale_pg_register(conn) != NGX_OK) {
        ngx_scale_pg_break(conn, "no connection is free in this worker");
        return;
    }

    ngx_scale_pg_watch(conn, status != PGRES_POLLING_WRITING,
                       status == PGRES_POLLING_WRITING);

    if (status == PGRES_POLLING_OK
        && conn->state == NGX_SCALE_PG_CONNECTING)
    {
        ngx_scale_pg_established(conn);
    }
}


static void
ngx_scale_pg_established(ngx_scale_pg_conn_t *conn)
{
    if (ngx_scale_pg_is_out_of_place(conn)) {
        ngx_scale_pg_suspect(conn->pg);
        ngx_scale_pg_break(conn, "the server is no longer the primary");
        return;
    }

    if (PQsetnonblocking(conn->pgconn, 1) != 0
        || PQenterPipelineMode(conn->pgconn) != 1)
    {
        ngx_scale_pg_break(conn, "the server speaks no pipeline mode");
        return;
    }

    conn->connection->read->handler = conn->reading;
    conn->connection->write->handler = ngx_scale_pg_write_handler;

    ngx_scale_pg_become(conn, NGX_SCALE_PG_STARTING);

    ngx_scale_pg_setup(conn);
    ngx_scale_pg_flush(conn);
}


/* reported since PostgreSQL 14; a pinned role is not doubted */

static ngx_uint_t
ngx_scale_pg_is_out_of_place(ngx_scale_pg_conn_t *conn)
{
    const char  *standby;

    if (conn->class != NGX_SCALE_PG_CLASS_WRITE
        || conn->server->conf->role != NGX_SCALE_PG_ROLE_UNKNOWN)
    {
        return 0;
    }

    standby = PQparameterStatus(conn->pgconn, "in_hot_standby");

    return standby && ngx_strcmp(standby, "on") == 0;
}


void
ngx_scale_pg_started(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_become(conn, NGX_SCALE_PG_READY);

    conn->opened = 1;
    conn->server->backoff = 0;
    conn->born = ngx_current_msec;
    conn->used = ngx_current_msec;
    conn->lifetime = conn->pg->conf->lifetime;
    conn->lifetime -= (ngx_msec_t) ngx_random() % (conn->lifetime / 10 + 1);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, conn->pg->log, 0,
                   "scale pg %p pid:%d", conn, PQbackendPID(conn->pgconn));

    ngx_scale_pg_progress(conn);
    ngx_scale_pg_post(conn->pg);

    if (conn->class == NGX_SCALE_PG_CLASS_CONTROL) {
        ngx_scale_pg_standing_open(conn->server);
    }
}


/* something was sent or has arrived: the silence begins anew */

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

    } while (conn->head != conn->tail && !conn->paused
             && conn->state != NGX_SCALE_PG_BROKEN
             && PQstatus(conn->pgconn) == CONNECTION_OK
             && ngx_scale_pg_tls_pending(conn));
}


static void
ngx_scale_pg_write_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;

    c = wev->data;

    ngx_scale_pg_flush(c->data);
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
