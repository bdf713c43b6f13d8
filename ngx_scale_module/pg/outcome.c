
/*
 * What a result means: rows, or an SQLSTATE (PostgreSQL manual, appendix A)
 * that is retried or becomes a cause.
 */

#include "pg/pg_int.h"


#define NGX_SCALE_PG_ATTEMPTS    4
#define NGX_SCALE_PG_RETRY_COST  10    /* tenths */


typedef struct {
    const char            *sqlstate;       /* or the first characters of one */
    ngx_scale_cause_e      read;
    ngx_scale_cause_e      write;
    ngx_uint_t             attempts;       /* 1: not retried */
} ngx_scale_pg_rule_t;


static void ngx_scale_pg_cut(ngx_scale_pg_op_t *op);
static void ngx_scale_pg_done(ngx_scale_pg_op_t *op, ngx_scale_cause_e cause);
static ngx_scale_pg_rule_t *ngx_scale_pg_rule(u_char *sqlstate);
static ngx_uint_t ngx_scale_pg_attempts(ngx_scale_pg_op_t *op,
    ngx_scale_pg_rule_t *rule);
static ngx_uint_t ngx_scale_pg_may_retry(ngx_scale_pg_t *pg);
static ngx_uint_t ngx_scale_pg_is_policy(PGresult *result);
static void ngx_scale_pg_field(PGresult *result, int field, ngx_str_t *value);
static ngx_uint_t ngx_scale_pg_parameter(PGresult *result);
static ngx_int_t ngx_scale_pg_get(ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_uint_t column, ngx_str_t *cell);


/* the first match counts; all of these mean that nothing was changed */

static ngx_scale_pg_rule_t  ngx_scale_pg_rules[] = {

    { "HT", NGX_SCALE_CAUSE_REFUSED, NGX_SCALE_CAUSE_REFUSED, 1 },

    { "23505", NGX_SCALE_CAUSE_CONFLICT, NGX_SCALE_CAUSE_CONFLICT, 1 },
    { "23P01", NGX_SCALE_CAUSE_CONFLICT, NGX_SCALE_CAUSE_CONFLICT, 1 },
    { "23", NGX_SCALE_CAUSE_UNPROCESSABLE, NGX_SCALE_CAUSE_UNPROCESSABLE, 1 },
    { "22", NGX_SCALE_CAUSE_UNPROCESSABLE, NGX_SCALE_CAUSE_UNPROCESSABLE, 1 },
    { "42501", NGX_SCALE_CAUSE_FORBIDDEN, NGX_SCALE_CAUSE_FORBIDDEN, 1 },
    { "P0001", NGX_SCALE_CAUSE_RAISED, NGX_SCALE_CAUSE_RAISED, 1 },

    { "40001", NGX_SCALE_CAUSE_SERIALIZATION, NGX_SCALE_CAUSE_SERIALIZATION,
      NGX_SCALE_PG_ATTEMPTS },
    { "40P01", NGX_SCALE_CAUSE_SERIALIZATION, NGX_SCALE_CAUSE_SERIALIZATION,
      NGX_SCALE_PG_ATTEMPTS },

    { "26000", NGX_SCALE_CAUSE_DATABASE, NGX_SCALE_CAUSE_DATABASE,
      NGX_SCALE_PG_ATTEMPTS },
    { "0A000", NGX_SCALE_CAUSE_DATABASE, NGX_SCALE_CAUSE_DATABASE,
      NGX_SCALE_PG_ATTEMPTS },

    { "57014", NGX_SCALE_CAUSE_TIMEOUT, NGX_SCALE_CAUSE_UNAVAILABLE, 1 },
    { "57P0", NGX_SCALE_CAUSE_UNAVAILABLE, NGX_SCALE_CAUSE_UNAVAILABLE,
      NGX_SCALE_PG_ATTEMPTS },
    { "08", NGX_SCALE_CAUSE_UNAVAILABLE, NGX_SCALE_CAUSE_UNAVAILABLE,
      NGX_SCALE_PG_ATTEMPTS },
    { "25006", NGX_SCALE_CAUSE_WRITE_IN_READ, NGX_SCALE_CAUSE_UNAVAILABLE,
      NGX_SCALE_PG_ATTEMPTS },

    { "53", NGX_SCALE_CAUSE_RESOURCES, NGX_SCALE_CAUSE_RESOURCES, 1 },
    { "55P03", NGX_SCALE_CAUSE_RESOURCES, NGX_SCALE_CAUSE_RESOURCES, 1 },

    { "", NGX_SCALE_CAUSE_DATABASE, NGX_SCALE_CAUSE_DATABASE, 1 }
};


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


static void
ngx_scale_pg_field(PGresult *result, int field, ngx_str_t *value)
{
    value->data = (u_char *) PQresultErrorField(result, field);
    value->len = value->data ? ngx_strlen(value->data) : 0;
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


void
ngx_scale_pg_finish(ngx_scale_pg_op_t *op)
{
    ngx_uint_t            stray;
    ngx_scale_pg_conn_t  *conn;
    ngx_scale_pg_rule_t  *rule;

    conn = op->conn;

    if (op->begun) {
        ngx_scale_pg_cut(op);
        return;
    }

    if (op->control) {
        ngx_scale_pg_done(op, op->failure || op->aborted
                              ? NGX_SCALE_CAUSE_UNAVAILABLE
                              : NGX_SCALE_CAUSE_NONE);
        return;
    }

    if (op->doubtful && ngx_scale_pg_writes(op)) {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
        return;
    }

    if (conn && !op->unverified
        && ngx_scale_pg_is_deposed(op->pg, conn->position))
    {
        ngx_scale_pg_deposed(op);
        return;
    }

    if (conn && !ngx_scale_pg_is_current(conn, op)) {
        ngx_scale_pg_behind(conn->server, op);
        return;
    }

    if (op->failure == NULL) {

        if (op->aborted) {
            op->alone = 1;
            ngx_scale_pg_requeue(op);
            return;
        }

        if (conn && op->replica) {
            conn->server->penalty = 0;
        }

        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_NONE);
        return;
    }

    rule = ngx_scale_pg_rule(op->error.sqlstate);

    /* a cancel may hit the statement after the one it was meant for */

    stray = rule->read == NGX_SCALE_CAUSE_TIMEOUT && conn && !conn->overdue
            && (ngx_msec_int_t) (conn->stray - ngx_current_msec) > 0
            && op->attempts == 0;

    /* on a replica: replay was in conflict with the read */

    op->on_primary |= op->replica
                      && rule->read == NGX_SCALE_CAUSE_SERIALIZATION;

    if ((op->attempts + 1 < ngx_scale_pg_attempts(op, rule) || stray)
        && ngx_scale_pg_may_retry(op->pg))
    {
        ngx_scale_pg_requeue(op);
        return;
    }

    ngx_scale_pg_done(op, ngx_scale_pg_writes(op) ? rule->write : rule->read);
}


/* what a server of the past has committed may not last */

void
ngx_scale_pg_deposed(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_t  *pg;

    pg = op->pg;

    ngx_scale_pg_judge(pg);
    ngx_scale_pg_suspect(pg);

    if (ngx_scale_pg_writes(op) && op->failure == NULL && !op->rolled_back) {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
        return;
    }

    ngx_scale_pg_requeue(op);
}


/* a GET that writes is refused everywhere */

static ngx_uint_t
ngx_scale_pg_attempts(ngx_scale_pg_op_t *op, ngx_scale_pg_rule_t *rule)
{
    if (rule->read == NGX_SCALE_CAUSE_WRITE_IN_READ
        && !ngx_scale_pg_writes(op))
    {
        return 1;
    }

    return rule->attempts;
}


/* retries are a tenth of the requests, lest they keep an overload up */

static ngx_uint_t
ngx_scale_pg_may_retry(ngx_scale_pg_t *pg)
{
    if (pg->retries < NGX_SCALE_PG_RETRY_COST) {
        return 0;
    }

    pg->retries -= NGX_SCALE_PG_RETRY_COST;

    return 1;
}


/* what has left cannot be taken back: it was all, or it ends here */

static void
ngx_scale_pg_cut(ngx_scale_pg_op_t *op)
{
    if (op->received == op->ncalls) {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_NONE);

    } else if (op->failure) {
        ngx_scale_pg_done(op, ngx_scale_pg_rule(op->error.sqlstate)->read);

    } else {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_UNAVAILABLE);
    }
}


void
ngx_scale_pg_lost(ngx_scale_pg_op_t *op)
{
    if (op->begun) {
        ngx_scale_pg_cut(op);
        return;
    }

    if (op->control) {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_UNAVAILABLE);
        return;
    }

    if (op->committed) {
        ngx_scale_pg_done(op, op->doubtful ? NGX_SCALE_CAUSE_OUTCOME_UNKNOWN
                                           : NGX_SCALE_CAUSE_NONE);
        return;
    }

    if (op->failure || op->doubtful) {
        ngx_scale_pg_finish(op);
        return;
    }

    if (ngx_scale_pg_may_last(op)) {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
        return;
    }

    if (op->attempts + 1 < NGX_SCALE_PG_ATTEMPTS
        && ngx_scale_pg_may_retry(op->pg))
    {
        ngx_scale_pg_requeue(op);
        return;
    }

    ngx_scale_pg_done(op, NGX_SCALE_CAUSE_UNAVAILABLE);
}


static void
ngx_scale_pg_done(ngx_scale_pg_op_t *op, ngx_scale_cause_e cause)
{
    ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

    op->cause = cause;
    op->time = (ngx_int_t) ((ngx_scale_pg_now() - op->started) / 1000);

    op->done(op);
}


static ngx_scale_pg_rule_t *
ngx_scale_pg_rule(u_char *sqlstate)
{
    ngx_scale_pg_rule_t  *rule;

    for (rule = ngx_scale_pg_rules; rule->sqlstate[0]; rule++) {
        if (ngx_strncmp(sqlstate, rule->sqlstate, ngx_strlen(rule->sqlstate))
            == 0)
        {
            break;
        }
    }

    return rule;
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
