
/* an operation of a request, on one cluster */

#include "ngx_scale_query.h"


static ngx_int_t ngx_scale_query_bind(ngx_scale_flow_t *f,
    void (*done)(ngx_scale_pg_op_t *op));


ngx_int_t
ngx_scale_query_read(ngx_scale_flow_t *f, void (*done)(ngx_scale_pg_op_t *op))
{
    f->op.kind = f->method->transaction ? NGX_SCALE_PG_TRANSACTION
                                        : NGX_SCALE_PG_READ;
    f->op.read_only = 1;

    return ngx_scale_query_bind(f, done);
}


ngx_int_t
ngx_scale_query_write(ngx_scale_flow_t *f, void (*done)(ngx_scale_pg_op_t *op))
{
    f->op.kind = f->method->transaction || f->method->timeout
                 || f->loc->identities || f->keyed || f->method->durable
                 ? NGX_SCALE_PG_TRANSACTION : NGX_SCALE_PG_WRITE;
    f->op.locate = f->loc->consistency == NGX_SCALE_BOUNDED;

    return ngx_scale_query_bind(f, done);
}


static ngx_int_t
ngx_scale_query_bind(ngx_scale_flow_t *f, void (*done)(ngx_scale_pg_op_t *op))
{
    f->op.data = f;
    f->op.done = done;

    return ngx_scale_rows_bind(f->r->pool, f->loc, f->method, f->values,
                               ngx_max(f->elements, 1), &f->op);
}


void
ngx_scale_query_submit(ngx_scale_flow_t *f)
{
    f->querying = 1;
    ngx_scale_pg_submit(f->cluster->pg, &f->op);
}


ngx_int_t
ngx_scale_query_end(ngx_scale_flow_t *f)
{
    f->querying = 0;

    ngx_scale_query_server(f);

    return f->op.cause == NGX_SCALE_CAUSE_NONE ? NGX_OK : ngx_scale_refusal(f);
}


void
ngx_scale_query_server(ngx_scale_flow_t *f)
{
    f->ctx.db_time = f->op.time;

    if (f->op.server) {
        f->ctx.db_server = *f->op.server;
        f->ctx.db_role = *f->op.role;
        f->answer.unverified = f->op.unverified;
    }
}


/* for a server, that is: a statement that runs has its own time */

void
ngx_scale_query_hurry(ngx_scale_flow_t *f)
{
    ngx_scale_flow_watch(f, f->loc->database->conf.queue_timeout);
}


ngx_int_t
ngx_scale_query_expire(ngx_scale_flow_t *f)
{
    ngx_uint_t  sent;

    sent = ngx_scale_pg_is_sent(&f->op);

    if (sent && (ngx_msec_int_t) (f->deadline - ngx_current_msec) > 0) {
        ngx_scale_query_hurry(f);
        return NGX_AGAIN;
    }

    f->querying = 0;

    if (ngx_scale_pg_cancel(&f->op) == NGX_BUSY) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
    }

    return ngx_scale_flow_refuse(f, sent && !f->method->write
                                    ? NGX_SCALE_CAUSE_TIMEOUT
                                    : NGX_SCALE_CAUSE_UNAVAILABLE);
}


void
ngx_scale_query_release(ngx_scale_flow_t *f)
{
    if (f->querying) {
        f->querying = 0;
        (void) ngx_scale_pg_cancel(&f->op);
    }

    if (f->op.ncalls) {
        ngx_scale_pg_release(&f->op);
    }
}
