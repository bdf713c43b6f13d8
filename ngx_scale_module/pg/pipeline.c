
/*
 * A connection's slots (PostgreSQL manual, 34.5 Pipeline Mode): each PQsend
 * call has its own, in order.
 */

#include "pg/conn.h"
#include "pg/op.h"
#include "pg/pipeline.h"


static void ngx_scale_pg_prepare(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op, ngx_scale_pg_statement_t *statement);
static ngx_uint_t ngx_scale_pg_is_unprepared(PGresult *result);
static void ngx_scale_pg_forget(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, ngx_scale_pg_statement_t *statement);


/* the caller has seen that there is room; NULL: there is none */

ngx_scale_pg_slot_t *
ngx_scale_pg_push(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_slot_t  *slot;

    if (conn->tail - conn->head == NGX_SCALE_PG_SLOTS) {
        ngx_scale_pg_break(conn, "the pipeline overflows");
        return NULL;
    }

    slot = &conn->slots[conn->tail++ % NGX_SCALE_PG_SLOTS];

    slot->type = type;
    slot->op = op;
    slot->statement = NULL;
    slot->serial = conn->serial;
    slot->seen = 0;
    slot->last = 0;
    slot->read = op && !ngx_scale_pg_writes(op);

    return slot;
}


void
ngx_scale_pg_command(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, const char *command)
{
    if (ngx_scale_pg_push(conn, type, op)
        && PQsendQueryParams(conn->pgconn, command, 0, NULL, NULL, NULL, NULL,
                             0)
           != 1)
    {
        ngx_scale_pg_break(conn, "a command could not be sent");
    }
}


void
ngx_scale_pg_send_own(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_scale_pg_own_e own, const char **values)
{
    ngx_scale_pg_execute(conn, type, op, 0, &conn->pg->own[own], values);
}


void
ngx_scale_pg_execute(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_uint_t call,
    ngx_scale_pg_statement_t *statement, const char **values)
{
    ngx_scale_pg_slot_t      *slot;
    ngx_scale_pg_prepared_t  *prepared;

    prepared = &conn->prepared[statement->index];

    if (prepared->serial == 0) {
        ngx_scale_pg_prepare(conn, op, statement);
    }

    slot = ngx_scale_pg_push(conn, type, op);
    if (slot == NULL) {
        return;
    }

    slot->call = call;
    slot->statement = statement;

    if (PQsendQueryPrepared(conn->pgconn, (char *) prepared->name,
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
    ngx_scale_pg_slot_t      *slot;
    ngx_scale_pg_prepared_t  *prepared;

    for (i = 0; i < statement->nparams; i++) {
        oids[i] = (Oid) statement->oids[i];
    }

    prepared = &conn->prepared[statement->index];

    prepared->serial = ++conn->serial;
    *ngx_sprintf(prepared->name, "scale_%uD", prepared->serial) = '\0';

    slot = ngx_scale_pg_push(conn, NGX_SCALE_PG_SLOT_PREPARE, op);
    if (slot == NULL) {
        return;
    }

    slot->statement = statement;

    if (PQsendPrepare(conn->pgconn, (char *) prepared->name,
                      (char *) statement->sql.data, statement->nparams, oids)
        != 1)
    {
        ngx_scale_pg_break(conn, "a statement could not be prepared");
    }
}


/*
 * What is prepared anew when it is next sent: what could not be prepared, or
 * where preparations are gone, all that the operation relies on.
 */

void
ngx_scale_pg_unprepare(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result)
{
    ngx_uint_t          i;
    ngx_scale_pg_op_t  *op;

    if (slot->statement == NULL
        || (slot->type != NGX_SCALE_PG_SLOT_PREPARE
            && (result == NULL || !ngx_scale_pg_is_unprepared(result))))
    {
        return;
    }

    ngx_scale_pg_forget(conn, slot, slot->statement);

    op = slot->op;

    if (op == NULL || slot->type != NGX_SCALE_PG_SLOT_CALL) {
        return;
    }

    for (i = 0; i < op->ncalls; i++) {
        ngx_scale_pg_forget(conn, slot, op->calls[i].statement);
    }
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


/* a preparation sent after the slot is not concerned */

static void
ngx_scale_pg_forget(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    ngx_scale_pg_statement_t *statement)
{
    if (conn->prepared[statement->index].serial <= slot->serial) {
        conn->prepared[statement->index].serial = 0;
    }
}


void
ngx_scale_pg_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_uint_t last)
{
    ngx_scale_pg_slot_t  *slot;

    conn->batch = 0;
    conn->checked = 0;

    slot = ngx_scale_pg_push(conn, NGX_SCALE_PG_SLOT_SYNC, op);
    if (slot == NULL) {
        return;
    }

    slot->last = last;

    if (PQpipelineSync(conn->pgconn) != 1) {
        ngx_scale_pg_break(conn, "a Sync could not be sent");
    }
}
