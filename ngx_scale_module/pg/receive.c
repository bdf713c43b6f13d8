
/*
 * Receiving: results are matched to the slots of the pipeline in order.
 * PQgetResult() is called only when PQisBusy() says that it will not block.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/outcome.h"
#include "pg/pipeline.h"
#include "pg/roles.h"
#include "pg/session.h"


static void ngx_scale_pg_result(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);
static void ngx_scale_pg_good(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);
static void ngx_scale_pg_warn_of_commit(ngx_scale_pg_conn_t *conn,
    PGresult *result);
static uint64_t ngx_scale_pg_lsn(PGresult *result);
static void ngx_scale_pg_error(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);
static void ngx_scale_pg_doubt_server(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result, ngx_uint_t fatal);
static void ngx_scale_pg_pop(ngx_scale_pg_conn_t *conn);
static void ngx_scale_pg_pop_call(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_pop_sync(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot);
static void ngx_scale_pg_watch_speed(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);


/* a statement that holds its connection for so long is a slow one, in ms */
#define NGX_SCALE_PG_SLOW         20

/* so many quick runs later it is quick again */
#define NGX_SCALE_PG_SLOW_MEMORY  16


void
ngx_scale_pg_receive(ngx_scale_pg_conn_t *conn)
{
    PGresult             *result;
    ngx_uint_t            idle;
    ngx_scale_pg_slot_t  *slot;

    idle = 0;

    while (conn->head != conn->tail && conn->state != NGX_SCALE_PG_BROKEN
           && !conn->paused)
    {
        if (PQisBusy(conn->pgconn)) {
            ngx_scale_pg_goes_on(conn);
            return;
        }

        slot = &conn->slots[conn->head % NGX_SCALE_PG_SLOTS];
        result = PQgetResult(conn->pgconn);

        if (result) {
            idle = 0;
            ngx_scale_pg_result(conn, slot, result);

            if (PQstatus(conn->pgconn) == CONNECTION_BAD && !slot->seen) {
                return;
            }

            continue;
        }

        /* the end of a command's results; a Sync has no such end */

        if (slot->seen && slot->type != NGX_SCALE_PG_SLOT_SYNC) {
            ngx_scale_pg_pop(conn);
            ngx_scale_pg_by_row(conn);

        } else if (idle++) {
            return;
        }
    }
}


static void
ngx_scale_pg_result(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result)
{
    switch (PQresultStatus(result)) {

    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        slot->seen = 1;
        ngx_scale_pg_good(conn, slot, result);
        return;

    case PGRES_SINGLE_TUPLE:
        ngx_scale_pg_row(conn, slot, result);
        return;

    case PGRES_PIPELINE_SYNC:
        PQclear(result);

        if (slot->type == NGX_SCALE_PG_SLOT_SYNC) {
            ngx_scale_pg_pop(conn);
            return;
        }

        break;

    case PGRES_PIPELINE_ABORTED:
        slot->seen = 1;
        PQclear(result);

        if (slot->op) {
            slot->op->aborted = 1;
        }

        ngx_scale_pg_unprepare(conn, slot, NULL);
        return;

    case PGRES_FATAL_ERROR:

        if (PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
            slot->seen = 1;
            ngx_scale_pg_error(conn, slot, result);
            return;
        }

        /* libpq's own: the connection is lost, which says nothing more */

        PQclear(result);
        ngx_scale_pg_break(conn, "the connection was lost");
        return;

    default:
        PQclear(result);
    }

    ngx_scale_pg_break(conn, "a result that belongs to no statement");
}


static void
ngx_scale_pg_good(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result)
{
    ngx_scale_pg_op_t  *op;

    op = slot->op;

    switch (slot->type) {

    case NGX_SCALE_PG_SLOT_SETUP:
        ngx_scale_pg_warn_of_commit(conn, result);
        break;

    case NGX_SCALE_PG_SLOT_CALL:
        if (op) {
            ngx_scale_pg_rows(op, &op->calls[slot->call], result);
            op->received++;
            return;
        }

        break;

    case NGX_SCALE_PG_SLOT_CHECK:
        conn->replayed = *conn->position;
        conn->replayed.lsn = ngx_scale_pg_lsn(result);
        break;

    case NGX_SCALE_PG_SLOT_LOCATE:
        if (op) {
            op->position = *conn->position;
            op->position.lsn = ngx_scale_pg_lsn(result);
        }

        break;

    case NGX_SCALE_PG_SLOT_END:

        /* COMMIT of a failed transaction succeeds, as a ROLLBACK */

        if (op && !op->rolled_back && !op->failure
            && ngx_strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
        {
            ngx_scale_pg_fail(op, result);
            return;
        }

        break;

    default:
        break;
    }

    PQclear(result);
}


static void
ngx_scale_pg_warn_of_commit(ngx_scale_pg_conn_t *conn, PGresult *result)
{
    if (ngx_strcmp(PQgetvalue(result, 0, 0), "off") == 0) {
        ngx_log_error(NGX_LOG_WARN, conn->pg->log, 0,
                      "database \"%V\": synchronous_commit is off on \"%V\"; "
                      "this session sets it on", &conn->pg->conf->name,
                      &conn->server->conf->name);
    }
}


static uint64_t
ngx_scale_pg_lsn(PGresult *result)
{
    if (PQntuples(result) != 1 || PQgetisnull(result, 0, 0)) {
        return 0;
    }

    return strtoull(PQgetvalue(result, 0, 0), NULL, 10);
}


static void
ngx_scale_pg_error(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result)
{
    char               *severity;
    ngx_uint_t          fatal;
    ngx_scale_pg_op_t  *op;

    op = slot->op;
    severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    fatal = severity && ngx_strcmp(severity, "ERROR") != 0;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, conn->pg->log, 0,
                   "scale pg error %s %s slot:%ui op:%p", severity,
                   PQresultErrorField(result, PG_DIAG_SQLSTATE), slot->type,
                   op);

    ngx_scale_pg_unprepare(conn, slot, result);
    ngx_scale_pg_doubt_server(conn, slot, result, fatal);

    if (ngx_scale_pg_transacts(conn)
        && slot->type != NGX_SCALE_PG_SLOT_SYNC
        && slot->type != NGX_SCALE_PG_SLOT_COVER)
    {
        conn->failed = 1;
    }

    if (op == NULL || op->committed) {
        PQclear(result);
        return;
    }

    if (fatal && (slot->type == NGX_SCALE_PG_SLOT_END
                  || slot->type == NGX_SCALE_PG_SLOT_SYNC))
    {
        op->doubtful = 1;
    }

    ngx_scale_pg_fail(op, result);
}


/* some errors are not of the statement, but of the session or the server */

static void
ngx_scale_pg_doubt_server(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result, ngx_uint_t fatal)
{
    char  *sqlstate;

    sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (slot->type == NGX_SCALE_PG_SLOT_SETUP) {
        ngx_scale_pg_break(conn, "the session's settings were refused");
    }

    if (fatal) {
        ngx_scale_pg_disown(conn->server, 1);
        ngx_scale_pg_break(conn, "the server ends the session");

    } else if (ngx_strcmp(sqlstate, "25006") == 0 && slot->op
               && ngx_scale_pg_writes(slot->op))
    {
        ngx_scale_pg_disown(conn->server, 0);
        ngx_scale_pg_break(conn, "the server is no longer a primary");
    }
}


static void
ngx_scale_pg_pop(ngx_scale_pg_conn_t *conn)
{
    ngx_scale_pg_slot_t  slot;

    slot = conn->slots[conn->head % NGX_SCALE_PG_SLOTS];
    conn->slots[conn->head++ % NGX_SCALE_PG_SLOTS].op = NULL;

    if (slot.type == NGX_SCALE_PG_SLOT_CALL) {
        ngx_scale_pg_ended(conn, slot.op);
        ngx_scale_pg_pop_call(conn, slot.op);

    } else if (slot.type == NGX_SCALE_PG_SLOT_SYNC) {
        ngx_scale_pg_pop_sync(conn, &slot);
    }
}


/* a read is answered here: nothing of it is left to commit */

static void
ngx_scale_pg_pop_call(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    if (conn->class == NGX_SCALE_PG_CLASS_READ) {
        conn->depth--;

        if (op) {
            ngx_scale_pg_watch_speed(conn, op);
            ngx_scale_pg_finish(op);
        }

        conn->progressed = ngx_current_msec;
        return;
    }

    if (op == NULL || op->look == NULL || op->ending) {
        return;
    }

    /* not when the error arrives: libpq owes the end of its results then */

    if (op->failure) {
        op->ending = 1;
        ngx_scale_pg_sync(conn, op, 1);

    } else if (op->received == op->ncalls) {
        ngx_scale_pg_place(op, NGX_SCALE_PG_LOOKING);
        op->look(op);
    }
}


static void
ngx_scale_pg_pop_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot)
{
    ngx_scale_pg_op_t  *op;

    op = slot->op;

    if (conn->state == NGX_SCALE_PG_STARTING) {
        ngx_scale_pg_started(conn);

        if (conn == conn->server->control) {
            ngx_scale_pg_standing_ask(conn->server);
        }

        return;
    }

    if (!slot->last) {

        if (op && !op->failure && !op->aborted && !op->rolled_back) {
            op->committed = 1;
            op->doubtful |= conn->committed_locally;
        }

        return;
    }

    if (conn->failed) {
        conn->failed = 0;
        ngx_scale_pg_end(conn, op, "ROLLBACK");
        return;
    }

    conn->depth--;

    ngx_scale_pg_post(conn->pg);

    if (op) {
        op->doubtful |= conn->committed_locally;
        ngx_scale_pg_watch_speed(conn, op);
        ngx_scale_pg_finish(op);
    }

    conn->committed_locally = 0;
}


static void
ngx_scale_pg_watch_speed(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    u_char      *slow;
    ngx_msec_t   since;

    if (op->kind != NGX_SCALE_PG_READ || op->control
        || conn->class == NGX_SCALE_PG_CLASS_STREAM)
    {
        return;
    }

    slow = &conn->pg->slow[op->calls[0].statement->index];

    since = ngx_max(conn->progressed, op->sent);

    if ((ngx_msec_int_t) (ngx_current_msec - since) >= NGX_SCALE_PG_SLOW) {
        *slow = NGX_SCALE_PG_SLOW_MEMORY;

    } else if (*slow) {
        (*slow)--;
    }
}
