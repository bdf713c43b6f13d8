
/* what the client and the log hear of a statement PostgreSQL refused */

#include "ngx_scale_query.h"
#include "ngx_scale_batch.h"
#include "ngx_scale_precondition.h"


typedef struct {
    const char    *sqlstate;
    const char    *remedy;
} ngx_scale_remedy_t;


static ngx_uint_t ngx_scale_refusal_empty(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_refusal_words(ngx_scale_flow_t *f,
    ngx_scale_pg_error_t *error);
static ngx_int_t ngx_scale_refusal_override(ngx_scale_flow_t *f,
    ngx_scale_pg_error_t *error);
static void ngx_scale_refusal_log(ngx_scale_flow_t *f,
    ngx_scale_pg_error_t *error);
static ngx_int_t ngx_scale_refusal_string(ngx_pool_t *pool, ngx_str_t *to,
    ngx_str_t *from);


/* what is wrong with a statement itself, or with what it is run on */

static ngx_scale_remedy_t  ngx_scale_remedies[] = {
    { "42501", ", the role of \"conninfo\" may not do that; GRANT it what the "
               "statement needs, or look at the policies of its tables" },
    { "42P01", ", there is no such table; create it in the database of "
               "\"conninfo\", or name its schema" },
    { "3F000", ", there is no such schema; create it, or apply "
               "conf/sql/scale.sql if it is \"scale\"" },
    { "42703", ", there is no such column; \"scale_error_detail on\" names "
               "it" },
    { "42883", ", there is no such function or operator for these types; add a "
               "cast, or apply conf/sql/scale.sql or queue.sql if it is one "
               "of scale's" },
    { "42804", ", a value is not of its column's type; declare the parameter "
               "so, or add a cast" },
    { "42P08", ", a parameter is used as two types; add a cast" },
    { "42P10", ", ON CONFLICT names columns without a unique index" },
    { "42601", ", its syntax is wrong; \"scale_error_detail on\" says where" },
    { "42803", ", a column is neither grouped nor aggregated; "
               "\"scale_error_detail on\" names it" },
    { "42702", ", a column's name is that of two tables; write table.column" },
    { "21000", ", a subquery returned several rows where one is expected" },
    { NULL, NULL }
};


ngx_int_t
ngx_scale_refusal(ngx_scale_flow_t *f)
{
    ngx_int_t              rc;
    ngx_uint_t             empty;
    ngx_scale_pg_error_t  *error;

    ngx_scale_batch_failed(f);

    empty = ngx_scale_refusal_empty(f);

    if (empty) {
        f->problem.status = empty;
        ngx_scale_pg_release(&f->op);
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_NOT_FOUND);
    }

    error = &f->op.error;

    if (ngx_scale_precondition_is_foreign(f)) {
        ngx_scale_pg_release(&f->op);
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_PRECONDITION);
    }

    f->problem.sqlstate.data = ngx_pnalloc(f->r->pool, sizeof(error->sqlstate));
    if (f->problem.sqlstate.data == NULL) {
        return NGX_ERROR;
    }

    f->problem.sqlstate.len = ngx_strlen(error->sqlstate);
    ngx_memcpy(f->problem.sqlstate.data, error->sqlstate,
               f->problem.sqlstate.len);

    rc = ngx_scale_refusal_words(f, error);

    if (rc == NGX_OK) {
        rc = ngx_scale_refusal_override(f, error);
    }

    ngx_scale_refusal_log(f, error);
    ngx_scale_pg_release(&f->op);

    return rc == NGX_OK ? ngx_scale_flow_refuse(f, f->op.cause) : NGX_ERROR;
}


/*
 * All statements are sent at once: one after that which found nothing may have
 * failed for that reason, and the first is what the client is told.
 */

static ngx_uint_t
ngx_scale_refusal_empty(ngx_scale_flow_t *f)
{
    ngx_uint_t            i, n;
    ngx_scale_query_t   **query;
    ngx_scale_pg_call_t  *call;

    switch (f->op.cause) {

    case NGX_SCALE_CAUSE_REFUSED:
    case NGX_SCALE_CAUSE_CONFLICT:
    case NGX_SCALE_CAUSE_UNPROCESSABLE:
    case NGX_SCALE_CAUSE_RAISED:
        break;

    default:
        return 0;
    }

    query = f->method->queries;
    call = f->op.calls;

    n = f->method->ncalls;

    for (i = 0; i < f->op.ncalls && call[i].result; i++) {
        if (query[i % n]->empty >= NGX_HTTP_BAD_REQUEST
            && call[i].affected == 0)
        {
            if (f->elements) {
                f->problem.element = i / n + 1;
            }

            return query[i % n]->empty;
        }
    }

    return 0;
}


/* what the application itself says, and the rest only where it is told to */

static ngx_int_t
ngx_scale_refusal_words(ngx_scale_flow_t *f, ngx_scale_pg_error_t *error)
{
    ngx_int_t  status;

    switch (f->op.cause) {

    case NGX_SCALE_CAUSE_REFUSED:
        f->problem.sqlstate.len = 0;

        status = ngx_atoi(error->sqlstate + 2, 3);

        if (status >= NGX_HTTP_BAD_REQUEST && status < 600) {
            f->problem.status = status;
        }

        if (status == NGX_HTTP_SERVICE_UNAVAILABLE) {
            f->problem.retry_after = 1;
        }

        if (error->detail.len && error->detail.data[0] == '{'
            && ngx_scale_refusal_string(f->r->pool, &f->problem.members,
                                       &error->detail)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        return ngx_scale_refusal_string(f->r->pool, &f->problem.title,
                                       &error->message);

    case NGX_SCALE_CAUSE_RAISED:
        return ngx_scale_refusal_string(f->r->pool, &f->problem.detail,
                                       &error->message);

    default:
        break;
    }

    return f->loc->error_detail
           ? ngx_scale_refusal_string(f->r->pool, &f->problem.detail,
                                     &error->message)
           : NGX_OK;
}


static ngx_int_t
ngx_scale_refusal_override(ngx_scale_flow_t *f, ngx_scale_pg_error_t *error)
{
    ngx_uint_t             i;
    ngx_scale_sqlstate_t  *state;

    if (f->loc->sqlstates == NULL) {
        return NGX_OK;
    }

    state = f->loc->sqlstates->elts;

    for (i = 0; i < f->loc->sqlstates->nelts; i++, state++) {

        if (ngx_strncmp(state->code.data, error->sqlstate, 5) != 0) {
            continue;
        }

        if (state->constraint.len
            && (state->constraint.len != error->constraint.len
                || ngx_strncmp(state->constraint.data, error->constraint.data,
                               state->constraint.len) != 0))
        {
            continue;
        }

        f->problem.status = state->status;

        if (state->detail.len) {
            f->problem.detail = state->detail;
        }

        if (state->field.len) {
            return ngx_scale_problem_violation(f->r->pool, &f->problem,
                                               f->op.cause, &state->field,
                                               state->detail.len
                                               ? (char *) state->detail.data
                                               : "is refused by the database");
        }

        break;
    }

    return NGX_OK;
}


/* never the parameters, and PostgreSQL's message may quote them */

static void
ngx_scale_refusal_log(ngx_scale_flow_t *f, ngx_scale_pg_error_t *error)
{
    switch (f->op.cause) {

    case NGX_SCALE_CAUSE_WRITE_IN_READ:
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": the statement of %V writes, and is run "
                      "read-only; add \"write\" to its scale_query",
                      &f->loc->http.route,
                      ngx_scale_conf_method_name(f->method->method));
        return;

    case NGX_SCALE_CAUSE_FORBIDDEN:

        if (error->policy) {
            ngx_log_error(NGX_LOG_INFO, f->r->connection->log, 0,
                          "route \"%V\": a policy of a table refused a row "
                          "of %V: %s", &f->loc->http.route,
                          ngx_scale_conf_method_name(f->method->method),
                          error->sqlstate);
            return;
        }

        /* fall through */

    case NGX_SCALE_CAUSE_DATABASE:
    case NGX_SCALE_CAUSE_OUTCOME_UNKNOWN:
    case NGX_SCALE_CAUSE_RESOURCES:
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": a statement of %V failed: %s%s",
                      &f->loc->http.route,
                      ngx_scale_conf_method_name(f->method->method),
                      error->sqlstate[0] ? (char *) error->sqlstate
                                         : "the connection was lost",
                      ngx_scale_refusal_remedy(error->sqlstate));
        return;

    default:
        return;
    }
}


const char *
ngx_scale_refusal_remedy(u_char *sqlstate)
{
    ngx_scale_remedy_t  *remedy;

    for (remedy = ngx_scale_remedies; remedy->sqlstate; remedy++) {
        if (ngx_strcmp(sqlstate, remedy->sqlstate) == 0) {
            return remedy->remedy;
        }
    }

    return "";
}


ngx_int_t
ngx_scale_refusal_copy(ngx_scale_flow_t *f,
    ngx_scale_problem_t *problem)
{
    f->problem.status = problem->status;

    if (ngx_scale_refusal_string(f->r->pool, &f->problem.title, &problem->title)
        != NGX_OK
        || ngx_scale_refusal_string(f->r->pool, &f->problem.detail,
                                   &problem->detail)
           != NGX_OK
        || ngx_scale_refusal_string(f->r->pool, &f->problem.members,
                                   &problem->members)
           != NGX_OK
        || ngx_scale_refusal_string(f->r->pool, &f->problem.sqlstate,
                                   &problem->sqlstate)
           != NGX_OK
        || ngx_scale_refusal_string(f->r->pool, &f->problem.shards,
                                   &problem->shards)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_flow_refuse(f, problem->cause);
}


static ngx_int_t
ngx_scale_refusal_string(ngx_pool_t *pool, ngx_str_t *to, ngx_str_t *from)
{
    to->len = from->len;
    to->data = ngx_pnalloc(pool, from->len + 1);

    if (to->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, from->data, from->len);

    return NGX_OK;
}
