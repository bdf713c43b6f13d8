
/*
 * Sending: operations become slots of a connection's pipeline (PostgreSQL
 * manual, 34.5 Pipeline Mode).  Each PQsend call has its slot, in order.
 */

#include "pg/pg_int.h"


static ngx_int_t ngx_scale_pg_push(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_e type, ngx_scale_pg_op_t *op, ngx_uint_t index);
static void ngx_scale_pg_command(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_e type, ngx_scale_pg_op_t *op, const char *command);
static void ngx_scale_pg_send_own(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_e type, ngx_scale_pg_op_t *op, ngx_scale_pg_own_e own,
    const char **values);
static void ngx_scale_pg_check(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_last_sync(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_begin(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_frame(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op, ngx_scale_pg_call_t *call);
static void ngx_scale_pg_set(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op, ngx_scale_pg_setting_t *setting);
static void ngx_scale_pg_execute(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_e type, ngx_scale_pg_op_t *op, ngx_uint_t index,
    ngx_scale_pg_statement_t *statement, const char **values);
static void ngx_scale_pg_prepare(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op, ngx_scale_pg_statement_t *statement);


#define NGX_SCALE_PG_CONTROL_DEPTH  32


static ngx_int_t
ngx_scale_pg_push(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_uint_t index)
{
    ngx_scale_pg_slot_t  *slot;

    if (conn->tail - conn->head == NGX_SCALE_PG_SLOTS) {
        ngx_scale_pg_break(conn, "the pipeline overflows");
        return NGX_ERROR;
    }

    slot = &conn->slots[conn->tail++ % NGX_SCALE_PG_SLOTS];

    slot->type = type;
    slot->index = index;
    slot->serial = conn->serial;
    slot->op = op;
    slot->seen = 0;
    slot->read = op && !ngx_scale_pg_writes(op);

    return NGX_OK;
}


static void
ngx_scale_pg_command(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, const char *command)
{
    if (ngx_scale_pg_push(conn, type, op, 0) == NGX_OK
        && PQsendQueryParams(conn->pgconn, command, 0, NULL, NULL, NULL, NULL,
                             0)
           != 1)
    {
        ngx_scale_pg_break(conn, "a command could not be sent");
    }
}


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

    if (ngx_scale_pg_push(conn, NGX_SCALE_PG_SLOT_SETUP, NULL, 0) != NGX_OK) {
        return;
    }

    if (PQsendQueryParams(conn->pgconn, setup, 2, NULL, values, NULL, NULL, 0)
        != 1)
    {
        ngx_scale_pg_break(conn, "the session could not be set up");
        return;
    }

    ngx_scale_pg_sync(conn, NULL, 0);
}


/* the caller has seen that the connection has room */

void
ngx_scale_pg_send(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_uint_t            i;
    ngx_scale_pg_call_t  *call;

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

    if (op->alone && conn->batch) {
        ngx_scale_pg_sync(conn, NULL, 0);
    }

    ngx_scale_pg_check(conn, op);

    if (ngx_scale_pg_transacts(conn)) {
        ngx_scale_pg_begin(conn, op);
    }

    for (i = 0; i < op->ncalls; i++) {
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


/* a write's position is asked for when it is committed, not before */

static void
ngx_scale_pg_last_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    if (op && op->locate) {
        ngx_scale_pg_sync(conn, op, 0);
        ngx_scale_pg_send_own(conn, NGX_SCALE_PG_SLOT_LOCATE, op,
                              NGX_SCALE_PG_OWN_FLUSHED, NULL);
    }

    ngx_scale_pg_sync(conn, op, 1);
}


static void
ngx_scale_pg_send_own(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_scale_pg_own_e own, const char **values)
{
    ngx_scale_pg_execute(conn, type, op, own, &conn->pg->own[own], values);
}


void
ngx_scale_pg_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_uint_t last)
{
    conn->batch = 0;
    conn->checked = 0;

    if (ngx_scale_pg_push(conn, NGX_SCALE_PG_SLOT_SYNC, op, last) == NGX_OK
        && PQpipelineSync(conn->pgconn) != 1)
    {
        ngx_scale_pg_break(conn, "a Sync could not be sent");
    }
}


void
ngx_scale_pg_end(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    const char *command)
{
    if (op) {
        op->ending = 1;
    }

    ngx_scale_pg_command(conn, NGX_SCALE_PG_SLOT_END, op, command);
    ngx_scale_pg_last_sync(conn, op);
}


static void
ngx_scale_pg_begin(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    u_char                   msec[NGX_INT_T_LEN + 1];
    ngx_uint_t               i, streams;
    const char              *begin;
    ngx_scale_pg_setting_t   timeout;

    begin = "BEGIN";

    if (op->kind == NGX_SCALE_PG_READ) {
        begin = "BEGIN READ ONLY";

    } else if (op->read_only) {
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    }

    ngx_scale_pg_command(conn, NGX_SCALE_PG_SLOT_BEGIN, op, begin);

    /* PostgreSQL's timeout counts the time its client takes: see stream.c */

    streams = conn->class == NGX_SCALE_PG_CLASS_STREAM;

    if (op->timeout || streams) {
        *ngx_sprintf(msec, "%M", streams ? 0 : op->timeout) = '\0';
        timeout.name = "statement_timeout";
        timeout.value = (const char *) msec;

        ngx_scale_pg_set(conn, op, &timeout);
    }

    for (i = 0; i < op->nsettings; i++) {
        ngx_scale_pg_set(conn, op, &op->settings[i]);
    }

    ngx_scale_pg_frame(conn, op, op->first);
}


static void
ngx_scale_pg_frame(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_scale_pg_call_t *call)
{
    if (call) {
        ngx_scale_pg_execute(conn, NGX_SCALE_PG_SLOT_FRAME, op,
                             call->statement->index, call->statement,
                             call->values);
    }
}


void
ngx_scale_pg_complete(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_frame(conn, op, op->last);
    ngx_scale_pg_end(conn, op, "COMMIT");
}


/* until COMMIT or ROLLBACK: the next operation does not inherit it */

static void
ngx_scale_pg_set(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_scale_pg_setting_t *setting)
{
    const char  *values[2];

    values[0] = setting->name;
    values[1] = setting->value;

    ngx_scale_pg_send_own(conn, NGX_SCALE_PG_SLOT_SET, op,
                          NGX_SCALE_PG_OWN_SET, values);
}


static void
ngx_scale_pg_execute(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_uint_t index,
    ngx_scale_pg_statement_t *statement, const char **values)
{
    ngx_scale_pg_prepared_t  *prepared;

    prepared = &conn->prepared[statement->index];

    if (prepared->serial == 0) {
        ngx_scale_pg_prepare(conn, op, statement);
    }

    if (ngx_scale_pg_push(conn, type, op, index) == NGX_OK
        && PQsendQueryPrepared(conn->pgconn, (char *) prepared->name,
                               statement->nparams, values, NULL, NULL, 0)
           != 1)
    {
        ngx_scale_pg_break(conn, "a statement could not be sent");
    }
}


/*
 * Optimistic: later operations rely on it; should it fail, they get 26000.
 * A name is used once: what is sent already may hit an older preparation, but
 * never collides with it.  Those that DDL made useless stay until the end of
 * the session.
 */

static void
ngx_scale_pg_prepare(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_scale_pg_statement_t *statement)
{
    Oid                       oids[NGX_SCALE_PG_MAX_PARAMS];
    ngx_uint_t                i;
    ngx_scale_pg_prepared_t  *prepared;

    for (i = 0; i < statement->nparams; i++) {
        oids[i] = (Oid) statement->oids[i];
    }

    prepared = &conn->prepared[statement->index];

    prepared->serial = ++conn->serial;
    *ngx_sprintf(prepared->name, "scale_%uD", prepared->serial) = '\0';

    if (ngx_scale_pg_push(conn, NGX_SCALE_PG_SLOT_PREPARE, op,
                          statement->index)
        == NGX_OK
        && PQsendPrepare(conn->pgconn, (char *) prepared->name,
                         (char *) statement->sql.data, statement->nparams,
                         oids)
           != 1)
    {
        ngx_scale_pg_break(conn, "a statement could not be prepared");
    }
}
