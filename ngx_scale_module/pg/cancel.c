
/* Statements nobody waits for any more. */

#include "pg/conn.h"
#include "pg/op.h"
#include "pg/outcome.h"
#include "pg/pipeline.h"


static void ngx_scale_pg_interrupted(ngx_scale_pg_op_t *op);


#define NGX_SCALE_PG_STRAY  500    /* ms, for a cancel to hit */


ngx_int_t
ngx_scale_pg_cancel(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn;

    if (op->stage == NGX_SCALE_PG_NOWHERE) {
        return NGX_OK;
    }

    if (op->stage == NGX_SCALE_PG_WAITING) {
        ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

        return op->line == NGX_SCALE_PG_LINE_LOST
               && ngx_scale_pg_may_last(op) ? NGX_BUSY : NGX_OK;
    }

    conn = op->conn;

    ngx_scale_pg_detach(op);

    if (ngx_scale_pg_may_last(op)) {
        return NGX_BUSY;
    }

    if (op->kind == NGX_SCALE_PG_TRANSACTION && !op->ending) {
        ngx_scale_pg_end(conn, NULL, "ROLLBACK");
        ngx_scale_pg_flush(conn);
    }

    return NGX_OK;
}


void
ngx_scale_pg_detach(ngx_scale_pg_op_t *op)
{
    ngx_uint_t            i, running;
    ngx_scale_pg_conn_t  *conn;

    conn = op->conn;
    running = conn->slots[conn->head % NGX_SCALE_PG_SLOTS].op == op;

    for (i = conn->head; i != conn->tail; i++) {
        if (conn->slots[i % NGX_SCALE_PG_SLOTS].op == op) {
            conn->slots[i % NGX_SCALE_PG_SLOTS].op = NULL;
        }
    }

    ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

    conn->reads = 0;

    if (running && !ngx_scale_pg_writes(op)) {
        (void) ngx_scale_pg_interrupt(conn);
    }

    /* a backend that waits for its socket does not hear of the cancel */

    ngx_scale_pg_go_on(conn);
}


/*
 * PQcancel() blocks, so the read that runs is cancelled from the control
 * connection.  The signal may come late and hit the next statement.
 */

ngx_int_t
ngx_scale_pg_interrupt(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_op_t  *op;

    op = &conn->cancel;

    if (op->stage != NGX_SCALE_PG_NOWHERE) {
        return NGX_OK;
    }

    /* of a server that moved, the process may be anybody's by now */

    if (conn->position == &conn->left) {
        return NGX_DECLINED;
    }

    *ngx_sprintf(conn->cancel_pid, "%d", PQbackendPID(conn->pgconn)) = '\0';
    conn->cancel_value = (char *) conn->cancel_pid;
    conn->cancel_call.statement = &conn->pg->own[NGX_SCALE_PG_OWN_CANCEL];
    conn->cancel_call.values = &conn->cancel_value;

    ngx_memzero(op, sizeof(ngx_scale_pg_op_t));

    op->calls = &conn->cancel_call;
    op->ncalls = 1;
    op->done = ngx_scale_pg_interrupted;
    op->data = conn;

    conn->stray = ngx_current_msec + NGX_SCALE_PG_STRAY;

    return ngx_scale_pg_control(conn->server, op);
}


static void
ngx_scale_pg_interrupted(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn = op->data;

    conn->stray = ngx_current_msec + NGX_SCALE_PG_STRAY;

    ngx_scale_pg_release(op);
}
