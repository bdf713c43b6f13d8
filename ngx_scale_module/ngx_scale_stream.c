
/*
 * Answers too large to be held: the rows leave as they come, in parts, no
 * faster than the client takes them.  Until the first part is full nothing
 * has left: what ends before is an answer of the ordinary kind, what fails is
 * retried or refused.
 */

#include "ngx_scale_read.h"
#include "ngx_scale_answer.h"
#include "ngx_scale_query.h"


static ngx_int_t ngx_scale_stream_row(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_stream_first(ngx_scale_flow_t *f,
    ngx_scale_rows_t *rows);
static ngx_int_t ngx_scale_stream_part(ngx_scale_flow_t *f, ngx_str_t *part);
static ngx_int_t ngx_scale_stream_begin(ngx_scale_flow_t *f);
static void ngx_scale_stream_writable(ngx_http_request_t *r);
static void ngx_scale_stream_stop(ngx_scale_flow_t *f, ngx_int_t rc);
static void ngx_scale_stream_cut(ngx_scale_flow_t *f);


#define NGX_SCALE_STREAM_PART   65536

/* for the row that makes a part full */
#define NGX_SCALE_STREAM_SLACK  4096


void
ngx_scale_stream_allow(ngx_scale_flow_t *f)
{
    if (f->op.kind == NGX_SCALE_PG_READ
        && f->op.ncalls == 1
        && f->method->answer
        && f->method->answer->shape == NGX_SCALE_SHAPE_ROWS
        && f->method->answer->page == NULL
        && f->r == f->r->main)
    {
        f->op.rows = ngx_scale_stream_row;
    }
}


static ngx_int_t
ngx_scale_stream_row(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    ngx_str_t          part;
    ngx_scale_rows_t  *rows;

    rows = &op->calls[0].rows;

    if ((op->given == 0 && ngx_scale_stream_first(f, rows) != NGX_OK)
        || ngx_scale_json_list_add(f->list, rows) != NGX_OK)
    {
        ngx_scale_stream_stop(f, NGX_ERROR);
        return NGX_ERROR;
    }

    ngx_scale_json_list_written(f->list, &part);

    /* what can be cached is held until it is known to be too large */

    if (part.len < (f->filling ? NGX_SCALE_CACHE_MAX_VALUE
                               : NGX_SCALE_STREAM_PART))
    {
        return NGX_OK;
    }

    return ngx_scale_stream_part(f, &part);
}


static ngx_int_t
ngx_scale_stream_first(ngx_scale_flow_t *f, ngx_scale_rows_t *rows)
{
    ngx_uint_t  status;

    status = f->method->answer->status;
    f->answer.status = status ? status : NGX_HTTP_OK;

    f->list = ngx_scale_json_list_begin(f->r->pool, rows, f->representation,
                                        NGX_SCALE_STREAM_PART
                                        + NGX_SCALE_STREAM_SLACK);
    if (f->list == NULL) {
        return NGX_ERROR;
    }

    return ngx_scale_meta_make(f->r->pool, rows, &f->answer);
}


static ngx_int_t
ngx_scale_stream_part(ngx_scale_flow_t *f, ngx_str_t *part)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = f->r->connection;
    rc = NGX_OK;

    ngx_http_set_log_request(c->log, f->r);

    if (!f->op.begun) {
        rc = ngx_scale_stream_begin(f);
    }

    if (rc == NGX_OK) {
        rc = ngx_scale_response_part(f->r, &f->part, part, 0);
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_scale_stream_stop(f, rc == NGX_DONE ? NGX_OK : rc);
        return NGX_ERROR;
    }

    f->paused = (rc == NGX_AGAIN);

    ngx_scale_json_list_taken(f->list);
    ngx_http_run_posted_requests(c);

    return rc;
}


/* the deadline was for this; from here on the client has its send_timeout */

static ngx_int_t
ngx_scale_stream_begin(ngx_scale_flow_t *f)
{
    ngx_scale_response_t  response;

    f->op.begun = 1;

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    if (f->filling) {
        f->filling = 0;
        ngx_str_set(&f->ctx.cache_status, "BYPASS");

        ngx_scale_entry_decline(f->loc, &f->read, f->r->connection->log);
    }

    ngx_scale_query_server(f);

    if (ngx_scale_answer_apply(f) != NGX_OK
        || ngx_scale_answer_response(f, &response) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    f->r->write_event_handler = ngx_scale_stream_writable;

    return ngx_scale_response_begin(f->r, &response);
}


static void
ngx_scale_stream_writable(ngx_http_request_t *r)
{
    ngx_int_t          rc;
    ngx_scale_flow_t  *f;

    f = (ngx_scale_flow_t *) ngx_scale_ctx_get(r);

    rc = ngx_scale_response_continue(r, &f->part);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc != NGX_OK) {
        ngx_scale_stream_stop(f, rc);
        return;
    }

    if (f->paused) {
        f->paused = 0;
        ngx_scale_pg_resume(&f->op);
    }
}


/* of its own accord, or the client's */

static void
ngx_scale_stream_stop(ngx_scale_flow_t *f, ngx_int_t rc)
{
    f->querying = 0;
    (void) ngx_scale_pg_cancel(&f->op);

    if (f->op.begun) {
        f->rc = rc;
        rc = NGX_DONE;
    }

    ngx_scale_flow_resume(f, rc);
}


void
ngx_scale_stream_done(ngx_scale_flow_t *f)
{
    ngx_str_t  part;

    f->querying = 0;
    ngx_scale_query_server(f);

    if (f->op.cause == NGX_SCALE_CAUSE_NONE
        && ngx_scale_json_list_end(f->list) == NGX_OK)
    {
        ngx_scale_json_list_written(f->list, &part);
        f->rc = ngx_scale_response_part(f->r, &f->part, &part, 1);

    } else {
        ngx_scale_stream_cut(f);
    }

    ngx_scale_flow_resume(f, NGX_DONE);
}


/* the client notices by the missing end */

static void
ngx_scale_stream_cut(ngx_scale_flow_t *f)
{
    u_char  *sqlstate;

    sqlstate = f->op.error.sqlstate;

    ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                  "route \"%V\": the answer ends after %ui rows: %s",
                  &f->loc->http.route, f->op.given,
                  sqlstate[0] ? (char *) sqlstate
                              : "the connection was lost");

    ngx_scale_response_abort(f->r);
    f->rc = NGX_ERROR;
}
