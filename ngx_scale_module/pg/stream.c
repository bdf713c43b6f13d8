
/*
 * Results too large to be collected.  One that goes on for too long is given
 * up and asked for again on a connection of its own, in libpq's single-row
 * mode (PostgreSQL manual, 34.6): a row is given away as it comes, and while
 * its taker is busy nothing is read, so that the server waits, too.  The time
 * a statement may take to its first row, and from one to the next, is counted
 * here.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/outcome.h"


static void ngx_scale_pg_divert(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_may_begin(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);


/* reads of 8 to 16 KB, that make a result a large one */
#define NGX_SCALE_PG_LARGE         64

/* so many others later its statement is asked as all are */
#define NGX_SCALE_PG_LARGE_MEMORY  16

/* so much more of a statement that was cancelled, then it was not */
#define NGX_SCALE_PG_DEAF          4


void
ngx_scale_pg_goes_on(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_op_t    *op;
    ngx_scale_pg_slot_t  *slot;

    slot = &conn->slots[conn->head % NGX_SCALE_PG_SLOTS];
    op = slot->op;

    if (slot->type != NGX_SCALE_PG_SLOT_CALL
        || ++conn->reads % NGX_SCALE_PG_LARGE != 0)
    {
        return;
    }

    if (op == NULL && slot->read) {

        /* nobody wants it, and it would be collected nevertheless */

        if (conn->reads > NGX_SCALE_PG_DEAF * NGX_SCALE_PG_LARGE
            || ngx_scale_pg_interrupt(conn) != NGX_OK)
        {
            ngx_scale_pg_break(conn, "a statement could not be cancelled");
        }

        return;
    }

    if (op && op->rows && conn->class != NGX_SCALE_PG_CLASS_STREAM) {
        ngx_scale_pg_divert(conn, op);
    }
}


static void
ngx_scale_pg_divert(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_t  *pg;

    pg = conn->pg;

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, pg->log, 0,
                   "scale pg large statement:%ui op:%p",
                   op->calls[0].statement->index, op);

    pg->large[op->calls[0].statement->index] = NGX_SCALE_PG_LARGE_MEMORY;

    ngx_scale_pg_detach(op);
    ngx_scale_pg_reset(op);
    ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 1);
    ngx_scale_pg_post(pg);
}


/* libpq collects what nobody waits for as well */

void
ngx_scale_pg_by_row(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_slot_t  *slot;

    slot = &conn->slots[conn->head % NGX_SCALE_PG_SLOTS];

    if (conn->class == NGX_SCALE_PG_CLASS_STREAM
        && conn->head != conn->tail
        && slot->type == NGX_SCALE_PG_SLOT_CALL)
    {
        /* refused, where the transaction has failed: there are no rows */

        (void) PQsetSingleRowMode(conn->pgconn);
    }
}


/* the first row is kept until the end: it has the columns' names */

void
ngx_scale_pg_row(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result)
{
    ngx_int_t             rc;
    ngx_scale_pg_op_t    *op;
    ngx_scale_pg_call_t  *call;

    op = slot->op;

    if (op == NULL || op->aborted || !ngx_scale_pg_may_begin(conn, op)) {
        PQclear(result);
        return;
    }

    call = &op->calls[slot->call];

    if (op->given) {
        call->rows.data = result;

    } else {
        ngx_scale_pg_rows(op, call, result);
        result = NULL;

        if (op->aborted) {
            return;
        }
    }

    rc = op->rows(op);

    PQclear(result);

    /* it may have been cancelled, and be gone */

    if (slot->op != op) {
        return;
    }

    op->given++;

    if (rc == NGX_AGAIN) {
        conn->paused = 1;
    }
}


/* the same as of others, while another attempt can be made */

static ngx_uint_t
ngx_scale_pg_may_begin(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    if (op->begun) {
        return 1;
    }

    if (!ngx_scale_pg_stands(conn, op)) {
        return 0;
    }

    op->time = (ngx_int_t) ((ngx_scale_pg_now() - op->started) / 1000);

    return 1;
}


void
ngx_scale_pg_ended(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    u_char  *large;

    if (conn->class == NGX_SCALE_PG_CLASS_STREAM && op && !op->failure
        && !op->aborted)
    {
        large = &conn->pg->large[op->calls[0].statement->index];

        if (conn->reads >= NGX_SCALE_PG_LARGE) {
            *large = NGX_SCALE_PG_LARGE_MEMORY;

        } else if (*large) {
            (*large)--;
        }
    }

    conn->reads = 0;
}


void
ngx_scale_pg_resume(ngx_scale_pg_op_t *op)
{
    if (ngx_scale_pg_is_sent(op)) {
        ngx_scale_pg_go_on(op->conn);
    }
}


ngx_uint_t
ngx_scale_pg_overdue(ngx_scale_pg_conn_t *conn)
{
    if (conn->class != NGX_SCALE_PG_CLASS_STREAM || conn->overdue
        || ngx_scale_pg_interrupt(conn) != NGX_OK)
    {
        return 0;
    }

    conn->overdue = 1;

    return 1;
}
