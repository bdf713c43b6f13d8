
#include "ngx_scale_write.h"
#include "ngx_scale_batch.h"
#include "ngx_scale_idempotency.h"
#include "ngx_scale_precondition.h"
#include "ngx_scale_query.h"
#include "ngx_scale_login.h"
#include "ngx_scale_values.h"


static void ngx_scale_write_marked(ngx_scale_write_t *write, ngx_int_t rc);
static void ngx_scale_write_again(ngx_scale_flow_t *f);
static void ngx_scale_write_look(ngx_scale_pg_op_t *op);
static void ngx_scale_write_looked(ngx_scale_write_t *write, ngx_int_t rc);
static void ngx_scale_write_commit(ngx_scale_flow_t *f);
static void ngx_scale_write_done(ngx_scale_pg_op_t *op);
static void ngx_scale_write_unmarked(ngx_scale_write_t *write, ngx_int_t rc);
static ngx_int_t ngx_scale_write_through(ngx_scale_flow_t *f);


/* an acknowledgement may wait so much longer for an unreachable memcached */
#define NGX_SCALE_WRITE_UNMARK  2000


ngx_int_t
ngx_scale_write_mark(ngx_scale_flow_t *f)
{
    time_t  lifetime;

    if (f->loc->store == NULL) {
        return NGX_OK;
    }

    lifetime = f->loc->deadline / 1000 + NGX_SCALE_CACHE_GRACE;

    f->write.pool = f->r->pool;
    f->write.deadline = f->deadline;
    f->write.lifetime = ngx_min(lifetime, NGX_SCALE_CACHE_MAX_MARK);
    f->write.done = ngx_scale_write_marked;
    f->write.data = f;

    ngx_scale_cache_write_init(f->loc->store->cache, &f->write);

    if (ngx_scale_purge_named(f) != NGX_OK) {
        return NGX_ERROR;
    }

    f->marked = 1;

    if (ngx_queue_empty(&f->write.marks)) {
        return NGX_OK;
    }

    ngx_scale_cache_mark(&f->write);

    return NGX_AGAIN;
}


static void
ngx_scale_write_marked(ngx_scale_write_t *write, ngx_int_t rc)
{
    ngx_scale_flow_t  *f = write->data;

    if (rc != NGX_OK) {
        ngx_scale_write_release(f);
        rc = ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
    }

    ngx_scale_flow_resume(f, rc);
}


ngx_int_t
ngx_scale_write_query(ngx_scale_flow_t *f)
{
    if (ngx_scale_query_write(f, ngx_scale_write_done) != NGX_OK) {
        return NGX_ERROR;
    }

    f->op.look = f->method->look || f->method->durable ? ngx_scale_write_look
                                                       : NULL;

    if (f->keyed) {
        f->op.look = ngx_scale_write_look;
        ngx_scale_idempotency_frame(f, ngx_scale_write_again);
    }

    SCALE_STEP("write.query");

    ngx_scale_query_submit(f);

    return NGX_AGAIN;
}


static void
ngx_scale_write_again(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    rc = ngx_scale_write_query(f);

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(f, rc);
    }
}


ngx_int_t
ngx_scale_write_expire(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    rc = ngx_scale_query_expire(f);

    if (rc == NGX_DECLINED && f->keyed) {
        ngx_scale_idempotency_expired(f);
    }

    return rc;
}


/* all rows are here, nothing is committed */

static void
ngx_scale_write_look(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    /* refused already, while the transaction was to be run again */

    if (f->problem.cause || !ngx_scale_precondition_holds(f)
        || ngx_scale_batch_empty(f) >= NGX_HTTP_BAD_REQUEST)
    {
        ngx_scale_pg_rollback(op);
        return;
    }

    if (!f->marked) {
        ngx_scale_write_commit(f);
        return;
    }

    if (ngx_scale_purge_returned(f) != NGX_OK) {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_INTERNAL);
        ngx_scale_pg_rollback(op);
        return;
    }

    f->write.done = ngx_scale_write_looked;
    ngx_scale_cache_mark(&f->write);
}


static void
ngx_scale_write_looked(ngx_scale_write_t *write, ngx_int_t rc)
{
    ngx_scale_flow_t  *f = write->data;

    if (rc == NGX_OK) {
        ngx_scale_write_commit(f);
        return;
    }

    (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
    ngx_scale_pg_rollback(&f->op);
}


static void
ngx_scale_write_commit(ngx_scale_flow_t *f)
{
    if (ngx_scale_pg_is_looking(&f->op)
        && ((f->keyed && ngx_scale_idempotency_keep(f) != NGX_OK)
            || (f->method->durable && ngx_scale_session_keep(f) != NGX_OK)))
    {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_INTERNAL);
        ngx_scale_pg_rollback(&f->op);
        return;
    }

    ngx_scale_pg_commit(&f->op);
}


/* a refusal before COMMIT has rolled back: that end is no news */

static void
ngx_scale_write_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    ngx_int_t  rc;

    SCALE_STEP("write.done");

    if (f->problem.cause) {
        f->querying = 0;
        ngx_scale_flow_resume(f, NGX_DECLINED);
        return;
    }

    if (f->keyed) {
        f->querying = 0;
        rc = ngx_scale_idempotency_done(f);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc != NGX_OK) {
            ngx_scale_query_server(f);
            ngx_scale_flow_resume(f, rc);
            return;
        }
    }

    rc = ngx_scale_query_end(f);

    if (rc == NGX_OK && op->locate) {
        rc = ngx_scale_consistency_written(f);
    }

    ngx_scale_flow_resume(f, rc);
}


/* a write whose outcome nobody knows leaves its marks: they expire */

ngx_int_t
ngx_scale_write_unmark(ngx_scale_flow_t *f)
{
    if (!f->marked || ngx_queue_empty(&f->write.marks)
        || f->problem.cause == NGX_SCALE_CAUSE_OUTCOME_UNKNOWN)
    {
        ngx_scale_write_release(f);
        return NGX_OK;
    }

    if (f->problem.cause == NGX_SCALE_CAUSE_NONE && f->method->store
        && ngx_scale_write_through(f) != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->write.deadline = ngx_max(f->deadline,
                                ngx_current_msec + NGX_SCALE_WRITE_UNMARK);
    f->write.done = ngx_scale_write_unmarked;

    ngx_scale_cache_unmark(&f->write);

    return NGX_AGAIN;
}


static void
ngx_scale_write_unmarked(ngx_scale_write_t *write, ngx_int_t rc)
{
    ngx_scale_flow_t  *f = write->data;

    ngx_scale_write_release(f);

    if (rc != NGX_OK && f->problem.cause == NGX_SCALE_CAUSE_NONE) {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
    }

    ngx_scale_flow_resume(f, NGX_OK);
}


void
ngx_scale_write_release(ngx_scale_flow_t *f)
{
    if (f->marked) {
        f->marked = 0;
        ngx_scale_cache_write_cancel(&f->write);
    }
}


/*
 * What the write answers is what GET would.  Columns beside the body are not
 * in it: those of the write need not be GET's.  The version is.
 */

static ngx_int_t
ngx_scale_write_through(ngx_scale_flow_t *f)
{
    ngx_scale_read_t    as;
    ngx_scale_entry_t   entry;
    ngx_scale_answer_t  answer;

    answer = f->answer;

    if (answer.status != NGX_HTTP_OK || answer.body.len == 0
        || !ngx_scale_meta_is_plain(&answer.meta)
        || (f->loc->etag && f->loc->etag->version.len && !answer.etag.len))
    {
        return NGX_OK;
    }

    ngx_memzero(&as, sizeof(ngx_scale_read_t));

    as.statement = f->loc->statement;
    as.ttl = f->loc->ttl;
    as.stale = f->loc->stale;
    as.error = f->loc->error;

    if (ngx_scale_keys_make(f, f->loc->key, NULL, 0, &as.key) != NGX_OK
        || ngx_scale_rows_etag(f->r->pool, &answer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_entry_of(&answer, &entry);

    return ngx_scale_cache_write_through(&f->write, &as, &entry);
}
