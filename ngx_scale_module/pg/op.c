
/*
 * An operation by itself: where it is, what it has brought, and whether that
 * may have changed something.
 */

#include "pg/conn.h"
#include "pg/op.h"


static ngx_int_t ngx_scale_pg_get(ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_uint_t column, ngx_str_t *cell);
static void ngx_scale_pg_field(PGresult *result, int field, ngx_str_t *value);
static ngx_uint_t ngx_scale_pg_parameter(PGresult *result);
static ngx_uint_t ngx_scale_pg_is_policy(PGresult *result);


void
ngx_scale_pg_place(ngx_scale_pg_op_t *op, ngx_scale_pg_stage_e stage)
{
    if (op->stage == NGX_SCALE_PG_WAITING) {
        ngx_queue_remove(&op->queue);
        op->pg->lines[op->line].length--;

    } else if (op->stage == NGX_SCALE_PG_LOOKING) {
        op->conn->looking = NULL;
    }

    op->stage = stage;

    if (stage == NGX_SCALE_PG_LOOKING) {
        op->conn->looking = op;

    } else if (stage != NGX_SCALE_PG_SENT) {
        op->conn = NULL;
    }
}


void
ngx_scale_pg_reset(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_release(op);
    ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

    op->received = 0;
    op->given = 0;
    op->aborted = 0;
    op->ending = 0;
    op->rolled_back = 0;
    op->replica = 0;
    op->queued = ngx_current_msec;
}


ngx_uint_t
ngx_scale_pg_is_sent(ngx_scale_pg_op_t *op)
{
    return op->stage == NGX_SCALE_PG_SENT
           || op->stage == NGX_SCALE_PG_LOOKING;
}


ngx_uint_t
ngx_scale_pg_is_looking(ngx_scale_pg_op_t *op)
{
    return op->stage == NGX_SCALE_PG_LOOKING;
}


ngx_uint_t
ngx_scale_pg_writes(ngx_scale_pg_op_t *op)
{
    return op->kind == NGX_SCALE_PG_WRITE
           || (op->kind == NGX_SCALE_PG_TRANSACTION && !op->read_only);
}


ngx_uint_t
ngx_scale_pg_may_last(ngx_scale_pg_op_t *op)
{
    if (!ngx_scale_pg_writes(op)) {
        return 0;
    }

    return op->committed || op->doubtful
           || ((op->kind == NGX_SCALE_PG_WRITE || op->ending)
               && !op->rolled_back && !op->failure);
}


/* the columns' description is in the operation's pool, cells in the result */

void
ngx_scale_pg_rows(ngx_scale_pg_op_t *op, ngx_scale_pg_call_t *call,
    PGresult *result)
{
    ngx_uint_t           i;
    ngx_scale_column_t  *column;

    if (call->result) {
        PQclear(call->result);
    }

    call->result = result;
    call->rows.data = result;
    call->rows.get = ngx_scale_pg_get;
    call->rows.nrows = PQntuples(result);
    call->affected = strtoul(PQcmdTuples(result), NULL, 10);
    call->rows.ncolumns = 0;

    if (op->pool == NULL) {
        return;
    }

    call->rows.columns = ngx_palloc(op->pool, PQnfields(result)
                                              * sizeof(ngx_scale_column_t));
    if (call->rows.columns == NULL) {
        op->aborted = 1;
        return;
    }

    call->rows.ncolumns = PQnfields(result);

    for (i = 0; i < call->rows.ncolumns; i++) {
        column = &call->rows.columns[i];

        column->name.data = (u_char *) PQfname(result, i);
        column->name.len = ngx_strlen(column->name.data);
        column->oid = PQftype(result, i);
    }
}


static ngx_int_t
ngx_scale_pg_get(ngx_scale_rows_t *rows, ngx_uint_t row, ngx_uint_t column,
    ngx_str_t *cell)
{
    if (PQgetisnull(rows->data, row, column)) {
        return NGX_DECLINED;
    }

    cell->data = (u_char *) PQgetvalue(rows->data, row, column);
    cell->len = PQgetlength(rows->data, row, column);

    return NGX_OK;
}


void
ngx_scale_pg_fail(ngx_scale_pg_op_t *op, PGresult *result)
{
    char  *sqlstate;

    if (op->failure) {
        PQclear(result);
        return;
    }

    op->failure = result;

    sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (sqlstate) {
        ngx_cpystrn(op->error.sqlstate, (u_char *) sqlstate,
                    sizeof(op->error.sqlstate));
    }

    ngx_scale_pg_field(result, PG_DIAG_MESSAGE_PRIMARY, &op->error.message);
    ngx_scale_pg_field(result, PG_DIAG_MESSAGE_DETAIL, &op->error.detail);
    ngx_scale_pg_field(result, PG_DIAG_CONSTRAINT_NAME,
                       &op->error.constraint);

    op->error.parameter = ngx_scale_pg_parameter(result);
    op->error.policy = ngx_scale_pg_is_policy(result);
}


/*
 * A value that Bind could not read has one line of context, "unnamed portal
 * parameter $n" in the server's language (PostgreSQL, postgres.c,
 * bind_param_error_callback()); what fails later has the call's own, or none.
 */

static ngx_uint_t
ngx_scale_pg_parameter(PGresult *result)
{
    char  *context, *function, *dollar;

    context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    function = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);

    if (context == NULL || function || ngx_strchr(context, '\n')) {
        return 0;
    }

    dollar = (char *) ngx_strchr(context, '$');

    return dollar ? strtoul(dollar + 1, NULL, 10) : 0;
}


static void
ngx_scale_pg_field(PGresult *result, int field, ngx_str_t *value)
{
    value->data = (u_char *) PQresultErrorField(result, field);
    value->len = value->data ? ngx_strlen(value->data) : 0;
}


/*
 * A missing GRANT has the same SQLSTATE as a row that a policy does not let
 * in.  Their texts may be translated, where they come from is not: this one is
 * of PostgreSQL's executor/execMain.c.
 */

static ngx_uint_t
ngx_scale_pg_is_policy(PGresult *result)
{
    char  *function;

    function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    return function && ngx_strcmp(function, "ExecWithCheckOptions") == 0;
}


void
ngx_scale_pg_release(ngx_scale_pg_op_t *op)
{
    ngx_uint_t  i;

    for (i = 0; i < op->ncalls; i++) {
        PQclear(op->calls[i].result);
        op->calls[i].result = NULL;
        op->calls[i].rows.nrows = 0;
    }

    PQclear(op->failure);
    op->failure = NULL;

    ngx_memzero(&op->error, sizeof(ngx_scale_pg_error_t));
}


uint64_t
ngx_scale_pg_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}
