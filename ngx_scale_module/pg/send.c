
/* An operation is sent: what comes before its calls, they, and what ends it. */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/pipeline.h"
#include "pg/session.h"


static void ngx_scale_pg_attempt(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_check(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);


#define NGX_SCALE_PG_CONTROL_DEPTH  32


/*
 * The session's settings.  Dates and times come in one format; an answer
 * promises durability, so "synchronous_commit = off" is not taken over.  A
 * server that is read-only by default stays so: it is no primary.
 */

void
ngx_scale_pg_setup(ngx_scale_pg_conn_t *conn)
{
    const char  *values[2];
    u_char       timeout[NGX_INT_T_LEN + 1];

    static const char  setup[] =
        "SELECT current_setting('synchronous_commit'),"
        " set_config('synchronous_commit',"
        "   CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
        "   ELSE current_setting('synchronous_commit') END, false),"
        " set_config('TimeZone', 'UTC', false),"
        " set_config('DateStyle', 'ISO, YMD', false),"
        " set_config('bytea_output', 'hex', false),"
        " set_config('standard_conforming_strings', 'on', false),"
        " set_config('default_transaction_isolation', 'read committed',"
        "   false),"
        " set_config('statement_timeout', $1, false),"
        " CASE WHEN $2 THEN"
        "   set_config('default_transaction_read_only', 'on', false) END";

    *ngx_sprintf(timeout, "%M", conn->pg->conf->timeout) = '\0';

    values[0] = (char *) timeout;
    values[1] = conn->class == NGX_SCALE_PG_CLASS_READ
                || conn->class == NGX_SCALE_PG_CLASS_STREAM ? "t" : "f";

    if (ngx_scale_pg_push(conn, NGX_SCALE_PG_SLOT_SETUP, NULL)
        && PQsendQueryParams(conn->pgconn, setup, 2, NULL, values, NULL, NULL,
                             0)
           != 1)
    {
        ngx_scale_pg_break(conn, "the session could not be set up");
        return;
    }

    ngx_scale_pg_sync(conn, NULL, 0);
}


void
ngx_scale_pg_send(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_uint_t            i;
    ngx_scale_pg_call_t  *call;

    ngx_scale_pg_attempt(conn, op);

    if (op->alone && conn->batch) {
        ngx_scale_pg_sync(conn, NULL, 0);
    }

    ngx_scale_pg_check(conn, op);

    if (ngx_scale_pg_transacts(conn)) {
        ngx_scale_pg_begin(conn, op);
    }

    for (i = 0; i < op->ncalls; i++) {

        if (op->secret) {
            ngx_scale_pg_execute_secret(conn, op, i);
            continue;
        }

        call = &op->calls[i];
        ngx_scale_pg_execute(conn, NGX_SCALE_PG_SLOT_CALL, op, i,
                             call->statement, call->values);
    }

    if (conn->class == NGX_SCALE_PG_CLASS_READ) {
        conn->batch++;

        if (op->alone) {
            ngx_scale_pg_sync(conn, NULL, 0);
        }

    } else if (!ngx_scale_pg_transacts(conn)) {
        ngx_scale_pg_last_sync(conn, op);

    } else if (op->look) {
        (void) PQsendFlushRequest(conn->pgconn);

    } else {
        ngx_scale_pg_complete(conn, op);
    }

    if (conn->depth == 1) {
        ngx_scale_pg_progress(conn);
    }
}


static void
ngx_scale_pg_attempt(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    static ngx_str_t  primary = ngx_string("primary");
    static ngx_str_t  replica = ngx_string("replica");

    ngx_scale_pg_place(op, NGX_SCALE_PG_SENT);

    op->conn = conn;
    op->replica = conn->server->role == NGX_SCALE_PG_ROLE_REPLICA;
    op->server = &conn->server->conf->name;
    op->role = op->replica ? &replica : &primary;
    op->started = ngx_scale_pg_now();
    op->sent = ngx_current_msec;

    conn->depth++;
    conn->overdue = 0;
    conn->patience = op->timeout ? op->timeout : conn->pg->conf->timeout;
}


/*
 * How far the replica is, in a statement before the read: the snapshot of one
 * statement is older than what its functions say.  READ COMMITTED gives the
 * next statement its own.
 */

static void
ngx_scale_pg_check(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    if (conn->checked || ngx_scale_pg_is_current(conn, op)) {
        return;
    }

    ngx_scale_pg_send_own(conn, NGX_SCALE_PG_SLOT_CHECK, NULL,
                          NGX_SCALE_PG_OWN_REPLAYED, NULL);

    if (conn->class == NGX_SCALE_PG_CLASS_READ) {
        conn->checked = 1;
        return;
    }

    ngx_scale_pg_sync(conn, NULL, 0);
}


ngx_int_t
ngx_scale_pg_control(ngx_scale_pg_server_t *server, ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn;

    conn = server->control;

    if (conn->state != NGX_SCALE_PG_READY
        || conn->depth >= NGX_SCALE_PG_CONTROL_DEPTH)
    {
        return NGX_DECLINED;
    }

    op->pg = server->pg;
    op->kind = NGX_SCALE_PG_READ;
    op->control = 1;

    ngx_scale_pg_send(conn, op);
    ngx_scale_pg_post(server->pg);

    return NGX_OK;
}
