
#include "ngx_scale_claim.h"
#include "ngx_scale_query.h"
#include "ngx_scale_queue.h"


struct ngx_scale_claim_s {
    ngx_scale_waiter_t           waiter;
    ngx_msec_t                   until;      /* it waits */
    ngx_uint_t                   heard;      /* of the queue, as it claimed */
    ngx_scale_pg_call_t          call;       /* gives back */
    const char                  *values[3];
};


static ngx_int_t ngx_scale_claim_wait(ngx_scale_flow_t *f, ngx_msec_t *wait);
static ngx_int_t ngx_scale_claim_submit(ngx_scale_flow_t *f);
static void ngx_scale_claim_done(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_claim_empty(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_claim_join(ngx_scale_flow_t *f);
static void ngx_scale_claim_woken(void *data, ngx_int_t rc);
static ngx_int_t ngx_scale_claim_nothing(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_claim_give_back(ngx_scale_flow_t *f);
static char *ngx_scale_claim_array(ngx_scale_flow_t *f, const char *column);
static void ngx_scale_claim_given_back(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_claim_gone(ngx_scale_flow_t *f);


/* who comes while others wait is behind them */

ngx_int_t
ngx_scale_claim_step(ngx_scale_flow_t *f)
{
    ngx_msec_t          wait;
    ngx_scale_queue_t  *queue;
    ngx_scale_claim_t  *claim;

    queue = f->method->queue;

    claim = ngx_pcalloc(f->r->pool, sizeof(ngx_scale_claim_t));
    if (claim == NULL || ngx_scale_claim_wait(f, &wait) != NGX_OK) {
        return NGX_ERROR;
    }

    f->claim = claim;
    claim->until = ngx_current_msec + wait;
    claim->waiter.ticket = ++queue->tickets;
    claim->waiter.woken = ngx_scale_claim_woken;
    claim->waiter.data = f;

    if (wait && ngx_scale_queue_has_line(queue)) {
        return ngx_scale_claim_join(f);
    }

    return ngx_scale_claim_submit(f);
}


/* "20s", of a parameter whose pattern says so */

static ngx_int_t
ngx_scale_claim_wait(ngx_scale_flow_t *f, ngx_msec_t *wait)
{
    ngx_int_t           msec;
    ngx_scale_value_t  *value;

    *wait = 0;

    if (f->method->wait == NGX_CONF_UNSET_UINT) {
        return NGX_OK;
    }

    value = &f->values[f->method->wait];

    if (value->null) {
        return NGX_OK;
    }

    msec = ngx_parse_time(&value->text, 0);

    if (msec == NGX_ERROR) {
        return NGX_ERROR;
    }

    *wait = ngx_min((ngx_msec_t) msec, NGX_SCALE_QUEUE_MAX_WAIT);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_claim_submit(ngx_scale_flow_t *f)
{
    ngx_scale_pg_release(&f->op);
    ngx_memzero(&f->op, sizeof(ngx_scale_pg_op_t));

    if (ngx_scale_query_write(f, ngx_scale_claim_done) != NGX_OK) {
        return NGX_ERROR;
    }

    f->claim->heard = f->method->queue->heard;

    ngx_scale_query_submit(f);

    return NGX_AGAIN;
}


static void
ngx_scale_claim_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    ngx_int_t  rc;

    rc = ngx_scale_query_end(f);

    if (rc == NGX_OK) {
        if (op->calls[0].rows.nrows == 0) {
            rc = ngx_scale_claim_empty(f);

        } else {
            /* where one is there may be more */

            ngx_scale_queue_leave(f->method->queue, &f->claim->waiter);
            ngx_scale_queue_wake(f->method->queue);

            if (ngx_scale_request_is_gone(f->r)) {
                rc = ngx_scale_claim_give_back(f);
            }
        }
    }

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(f, rc);
    }
}


static ngx_int_t
ngx_scale_claim_empty(ngx_scale_flow_t *f)
{
    if ((ngx_msec_int_t) (f->claim->until - ngx_current_msec) <= 0
        || ngx_exiting)
    {
        return ngx_scale_claim_nothing(f);
    }

    if (f->claim->heard != f->method->queue->heard) {
        return ngx_scale_claim_submit(f);
    }

    if (ngx_scale_request_is_gone(f->r)) {
        return ngx_scale_claim_gone(f);
    }

    return ngx_scale_claim_join(f);
}


/* the deadline is of the work, and that is not begun */

static ngx_int_t
ngx_scale_claim_join(ngx_scale_flow_t *f)
{
    ngx_scale_claim_t  *claim;

    claim = f->claim;

    f->idle = 1;
    f->deadline = claim->until + f->loc->deadline;

    ngx_scale_flow_attend(f);
    ngx_scale_flow_watch(f, claim->until - ngx_current_msec);

    ngx_scale_queue_join(f->method->queue, &claim->waiter);

    return NGX_AGAIN;
}


static void
ngx_scale_claim_woken(void *data, ngx_int_t rc)
{
    ngx_scale_flow_t  *f = data;

    if (rc == NGX_OK) {
        f->idle = 0;
        f->deadline = ngx_current_msec + f->loc->deadline;

        ngx_scale_flow_attend(f);
        ngx_scale_flow_watch(f, f->loc->deadline);

        rc = ngx_scale_claim_submit(f);

    } else {
        rc = ngx_scale_claim_nothing(f);
    }

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(f, rc);
    }
}


ngx_int_t
ngx_scale_claim_expire(ngx_scale_flow_t *f)
{
    ngx_msec_int_t  left;

    if (f->claim->waiter.of == NULL) {
        return ngx_scale_query_expire(f);
    }

    left = f->claim->until - ngx_current_msec;

    if (left > 0) {
        ngx_scale_flow_watch(f, left);
        return NGX_AGAIN;
    }

    ngx_scale_queue_leave(f->method->queue, &f->claim->waiter);

    return ngx_scale_claim_nothing(f);
}


static ngx_int_t
ngx_scale_claim_nothing(ngx_scale_flow_t *f)
{
    f->answer.status = NGX_HTTP_NO_CONTENT;

    return NGX_DONE;
}


static ngx_int_t
ngx_scale_claim_give_back(ngx_scale_flow_t *f)
{
    ngx_scale_claim_t  *claim;

    claim = f->claim;

    claim->values[0] = (const char *) f->method->queue->name.data;
    claim->values[1] = ngx_scale_claim_array(f, "id");
    claim->values[2] = ngx_scale_claim_array(f, "claim");

    if (claim->values[1] == NULL || claim->values[2] == NULL) {
        return ngx_scale_claim_gone(f);
    }

    ngx_scale_pg_release(&f->op);
    ngx_memzero(&f->op, sizeof(ngx_scale_pg_op_t));

    claim->call.statement =
                       &f->loc->database->queue[NGX_SCALE_QUEUE_RETURN];
    claim->call.values = claim->values;

    f->op.kind = NGX_SCALE_PG_WRITE;
    f->op.calls = &claim->call;
    f->op.ncalls = 1;
    f->op.done = ngx_scale_claim_given_back;
    f->op.data = f;

    ngx_scale_query_submit(f);

    return NGX_AGAIN;
}


/* a literal of what a column has; NULL: there is no such column, or memory */

static char *
ngx_scale_claim_array(ngx_scale_flow_t *f, const char *column)
{
    u_char            *array, *p;
    size_t             len;
    ngx_str_t          cell, name;
    ngx_uint_t         i, n;
    ngx_scale_rows_t  *rows;

    rows = &f->op.calls[0].rows;
    name.data = (u_char *) column;
    name.len = ngx_strlen(column);
    len = sizeof("{}");

    n = ngx_scale_meta_find(rows, &name);
    if (n == rows->ncolumns) {
        return NULL;
    }

    for (i = 0; i < rows->nrows; i++) {
        if (rows->get(rows, i, n, &cell) != NGX_OK) {
            return NULL;
        }

        len += cell.len + 1;
    }

    array = ngx_pnalloc(f->r->pool, len);
    if (array == NULL) {
        return NULL;
    }

    p = array;

    for (i = 0; i < rows->nrows; i++) {
        *p++ = i ? ',' : '{';

        (void) rows->get(rows, i, n, &cell);
        p = ngx_cpymem(p, cell.data, cell.len);
    }

    *p++ = '}';
    *p = '\0';

    return (char *) array;
}


static void
ngx_scale_claim_given_back(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    f->querying = 0;

    ngx_scale_flow_resume(f, ngx_scale_claim_gone(f));
}


/* nobody reads the answer, but the log has a status */

static ngx_int_t
ngx_scale_claim_gone(ngx_scale_flow_t *f)
{
    f->problem.status = NGX_HTTP_CLIENT_CLOSED_REQUEST;

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
}


void
ngx_scale_claim_release(ngx_scale_flow_t *f)
{
    if (f->claim) {
        ngx_scale_queue_leave(f->method->queue, &f->claim->waiter);
    }

    ngx_scale_query_release(f);
}
