
/*
 * From closed to ready.  libpq closes its socket by itself on errors, and
 * while it connects opens others, perhaps of the same number: what is watched
 * is a duplicate of ours.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/pipeline.h"
#include "pg/roles.h"
#include "pg/session.h"
#include "pg/shared.h"


static ngx_int_t ngx_scale_pg_admit(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_options(ngx_scale_pg_conn_t *conn, const char **names,
    const char **values);
static ngx_int_t ngx_scale_pg_register(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_connecting_handler(ngx_event_t *ev);
static void ngx_scale_pg_poll(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_established(ngx_scale_pg_conn_t *conn);
static ngx_uint_t ngx_scale_pg_is_out_of_place(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_write_handler(ngx_event_t *wev);
static void ngx_scale_pg_notice(void *arg, const PGresult *result);


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
        ngx_scale_pg_forget_password(conn);
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
}


static void
ngx_scale_pg_write_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;

    c = wev->data;

    ngx_scale_pg_flush(c->data);
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
