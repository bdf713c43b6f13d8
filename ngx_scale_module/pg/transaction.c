
/* What frames the calls of an operation that owns its connection. */

#include "pg/conn.h"
#include "pg/op.h"
#include "pg/pipeline.h"


static void ngx_scale_pg_set(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_scale_pg_setting_t *setting);
static void ngx_scale_pg_frame(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op, ngx_scale_pg_call_t *call);


void
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
ngx_scale_pg_frame(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_scale_pg_call_t *call)
{
    if (call) {
        ngx_scale_pg_execute(conn, NGX_SCALE_PG_SLOT_FRAME, op, 0,
                             call->statement, call->values);
    }
}


void
ngx_scale_pg_complete(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_frame(conn, op, op->last);
    ngx_scale_pg_end(conn, op, "COMMIT");
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


/* a write's position is asked for when it is committed, not before */

void
ngx_scale_pg_last_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    if (op && op->locate) {
        ngx_scale_pg_sync(conn, op, 0);
        ngx_scale_pg_send_own(conn, NGX_SCALE_PG_SLOT_LOCATE, op,
                              NGX_SCALE_PG_OWN_FLUSHED, NULL);
    }

    ngx_scale_pg_sync(conn, op, 1);
}


void
ngx_scale_pg_commit(ngx_scale_pg_op_t *op)
{
    if (op->stage == NGX_SCALE_PG_LOOKING) {
        ngx_scale_pg_place(op, NGX_SCALE_PG_SENT);

        ngx_scale_pg_complete(op->conn, op);
        ngx_scale_pg_flush(op->conn);
    }
}


void
ngx_scale_pg_rollback(ngx_scale_pg_op_t *op)
{
    if (op->stage == NGX_SCALE_PG_LOOKING) {
        ngx_scale_pg_place(op, NGX_SCALE_PG_SENT);

        op->rolled_back = 1;

        ngx_scale_pg_end(op->conn, op, "ROLLBACK");
        ngx_scale_pg_flush(op->conn);
    }
}
