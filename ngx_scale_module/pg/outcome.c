
/*
 * What an answer means: rows, or an SQLSTATE (PostgreSQL manual, appendix A)
 * that is retried or becomes a cause.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/outcome.h"
#include "pg/roles.h"


#define NGX_SCALE_PG_ATTEMPTS    4
#define NGX_SCALE_PG_RETRY_COST  10    /* tenths */


typedef struct {
    const char            *sqlstate;       /* or the first characters of one */
    ngx_scale_cause_e      read;
    ngx_scale_cause_e      write;
    ngx_uint_t             attempts;       /* 1: not retried */
} ngx_scale_pg_rule_t;


static void ngx_scale_pg_cut(ngx_scale_pg_op_t *op);
static void ngx_scale_pg_deposed(ngx_scale_pg_op_t *op);
static void ngx_scale_pg_failed(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static ngx_scale_pg_rule_t *ngx_scale_pg_rule(u_char *sqlstate);
static ngx_uint_t ngx_scale_pg_attempts(ngx_scale_pg_op_t *op,
    ngx_scale_pg_rule_t *rule);
static void ngx_scale_pg_retry(ngx_scale_pg_op_t *op, ngx_uint_t attempts,
    ngx_scale_cause_e cause);
static void ngx_scale_pg_done(ngx_scale_pg_op_t *op, ngx_scale_cause_e cause);


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
ngx_scale_pg_finish(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn;

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

    if (conn && !ngx_scale_pg_stands(conn, op)) {
        return;
    }

    if (op->failure) {
        ngx_scale_pg_failed(conn, op);
        return;
    }

    if (op->aborted) {
        op->alone = 1;
        ngx_scale_pg_requeue(op);
        return;
    }

    if (conn && op->replica) {
        conn->server->penalty = 0;
    }

    ngx_scale_pg_done(op, NGX_SCALE_CAUSE_NONE);
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

    ngx_scale_pg_retry(op, NGX_SCALE_PG_ATTEMPTS, NGX_SCALE_CAUSE_UNAVAILABLE);
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


ngx_uint_t
ngx_scale_pg_stands(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    if (!op->unverified && ngx_scale_pg_is_deposed(op->pg, conn->position)) {
        ngx_scale_pg_detach(op);
        ngx_scale_pg_deposed(op);
        return 0;
    }

    if (!ngx_scale_pg_is_current(conn, op)) {
        ngx_scale_pg_detach(op);
        ngx_scale_pg_behind(conn->server, op);
        return 0;
    }

    return 1;
}


/* what a server of the past has committed may not last */

static void
ngx_scale_pg_deposed(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_judge(op->pg);
    ngx_scale_pg_suspect(op->pg);

    if (ngx_scale_pg_may_last(op)) {
        ngx_scale_pg_done(op, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
        return;
    }

    ngx_scale_pg_requeue(op);
}


static void
ngx_scale_pg_failed(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_uint_t            attempts;
    ngx_scale_pg_rule_t  *rule;

    rule = ngx_scale_pg_rule(op->error.sqlstate);
    attempts = ngx_scale_pg_attempts(op, rule);

    /* a cancel may hit the statement after the one it was meant for */

    if (rule->read == NGX_SCALE_CAUSE_TIMEOUT && conn && !conn->overdue
        && (ngx_msec_int_t) (conn->stray - ngx_current_msec) > 0)
    {
        attempts = 2;
    }

    /* on a replica: replay was in conflict with the read */

    op->on_primary |= op->replica
                      && rule->read == NGX_SCALE_CAUSE_SERIALIZATION;

    ngx_scale_pg_retry(op, attempts, ngx_scale_pg_writes(op) ? rule->write
                                                             : rule->read);
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

static void
ngx_scale_pg_retry(ngx_scale_pg_op_t *op, ngx_uint_t attempts,
    ngx_scale_cause_e cause)
{
    ngx_scale_pg_t  *pg;

    pg = op->pg;

    if (op->attempts + 1 < attempts
        && pg->retries >= NGX_SCALE_PG_RETRY_COST)
    {
        pg->retries -= NGX_SCALE_PG_RETRY_COST;
        ngx_scale_pg_requeue(op);
        return;
    }

    ngx_scale_pg_done(op, cause);
}


static void
ngx_scale_pg_done(ngx_scale_pg_op_t *op, ngx_scale_cause_e cause)
{
    ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

    op->cause = cause;
    op->time = (ngx_int_t) ((ngx_scale_pg_now() - op->started) / 1000);

    op->done(op);
}
