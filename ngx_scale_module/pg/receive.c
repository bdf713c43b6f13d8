
/*
 * Receiving: results are matched to the slots of the pipeline in order.
 * PQgetResult() is called only when PQisBusy() says that it will not block.
 */

#include "pg/pg_int.h"


static void ngx_scale_pg_result(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);
static void ngx_scale_pg_good(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);
static uint64_t ngx_scale_pg_lsn(PGresult *result);
static void ngx_scale_pg_error(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);
static ngx_uint_t ngx_scale_pg_is_unprepared(PGresult *result);
static void ngx_scale_pg_unprepare(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, ngx_uint_t all);
static void ngx_scale_pg_forget(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, ngx_uint_t index);
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

        ngx_scale_pg_unprepare(conn, slot, 0);
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

    if (slot->type == NGX_SCALE_PG_SLOT_CALL && op) {
        ngx_scale_pg_rows(op, &op->calls[slot->index], result);
        op->received++;
        return;
    }

    if (slot->type == NGX_SCALE_PG_SLOT_CHECK) {
        conn->replayed = *conn->position;
        conn->replayed.lsn = ngx_scale_pg_lsn(result);

    } else if (slot->type == NGX_SCALE_PG_SLOT_LOCATE && op) {
        op->position = *conn->position;
        op->position.lsn = ngx_scale_pg_lsn(result);

    } else if (slot->type == NGX_SCALE_PG_SLOT_SETUP
        && ngx_strcmp(PQgetvalue(result, 0, 0), "off") == 0)
    {
        ngx_log_error(NGX_LOG_WARN, conn->pg->log, 0,
                      "database \"%V\": synchronous_commit is off on \"%V\"; "
                      "this session sets it on", &conn->pg->conf->name,
                      &conn->server->conf->name);
    }

    /* COMMIT of a failed transaction succeeds, as a ROLLBACK */

    if (slot->type == NGX_SCALE_PG_SLOT_END && op && !op->rolled_back
        && !op->failure && ngx_strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
    {
        ngx_scale_pg_fail(op, result);
        return;
    }

    PQclear(result);
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
    char               *sqlstate, *severity;
    ngx_uint_t          fatal;
    ngx_scale_pg_op_t  *op;

    op = slot->op;
    sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    fatal = severity && ngx_strcmp(severity, "ERROR") != 0;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, conn->pg->log, 0,
                   "scale pg error %s %s slot:%ui op:%p", severity, sqlstate,
                   slot->type, op);

    ngx_scale_pg_unprepare(conn, slot, ngx_scale_pg_is_unprepared(result));

    if (slot->type == NGX_SCALE_PG_SLOT_SETUP) {
        ngx_scale_pg_break(conn, "the session's settings were refused");
    }

    if (fatal
        || (ngx_strcmp(sqlstate, "25006") == 0
            && op && ngx_scale_pg_writes(op)))
    {
        ngx_scale_pg_disown(conn->server, fatal);
        ngx_scale_pg_break(conn, fatal ? "the server ends the session"
                                       : "the server is no longer a primary");
    }

    if (ngx_scale_pg_transacts(conn)
        && slot->type != NGX_SCALE_PG_SLOT_SYNC)
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


/*
 * 26000: gone, by DEALLOCATE ALL or with a neighbour's error.  0A000 has many
 * meanings; "cached plan must not change result type", after DDL, comes from
 * RevalidateCachedQuery() (PostgreSQL, plancache.c).
 */

static ngx_uint_t
ngx_scale_pg_is_unprepared(PGresult *result)
{
    char  *sqlstate, *function;

    sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    return ngx_strcmp(sqlstate, "26000") == 0
           || (ngx_strcmp(sqlstate, "0A000") == 0 && function
               && ngx_strcmp(function, "RevalidateCachedQuery") == 0);
}


/* what is prepared anew when it is next sent */

static void
ngx_scale_pg_unprepare(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    ngx_uint_t all)
{
    ngx_uint_t          i;
    ngx_scale_pg_op_t  *op;

    if (slot->type == NGX_SCALE_PG_SLOT_PREPARE) {
        ngx_scale_pg_forget(conn, slot, slot->index);
        return;
    }

    if (all && (slot->type == NGX_SCALE_PG_SLOT_CHECK
                || slot->type == NGX_SCALE_PG_SLOT_SET
                || slot->type == NGX_SCALE_PG_SLOT_LOCATE))
    {
        ngx_scale_pg_forget(conn, slot, conn->pg->own[slot->index].index);
        return;
    }

    if (all && slot->type == NGX_SCALE_PG_SLOT_FRAME) {
        ngx_scale_pg_forget(conn, slot, slot->index);
        return;
    }

    op = slot->op;

    if (!all || op == NULL || slot->type != NGX_SCALE_PG_SLOT_CALL) {
        return;
    }

    for (i = 0; i < op->ncalls; i++) {
        ngx_scale_pg_forget(conn, slot, op->calls[i].statement->index);
    }
}


/* a preparation sent after the slot is not concerned */

static void
ngx_scale_pg_forget(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    ngx_uint_t index)
{
    if (conn->prepared[index].serial <= slot->serial) {
        conn->prepared[index].serial = 0;
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
        return;
    }

    if (slot->index == 0) {

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
