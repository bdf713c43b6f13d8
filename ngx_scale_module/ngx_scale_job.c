
#include "ngx_scale_job.h"


static ngx_int_t ngx_scale_job_copy(ngx_scale_job_t *job, ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_job_string(ngx_pool_t *pool, ngx_str_t *to,
    ngx_str_t *from);
static void ngx_scale_job_done(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_job_answer(ngx_scale_job_t *job);
static void ngx_scale_job_log(ngx_scale_job_t *job);
static void ngx_scale_job_late(ngx_event_t *ev);


#define NGX_SCALE_JOB_POOL  2048


void
ngx_scale_jobs_init(ngx_scale_jobs_t *jobs)
{
    ngx_queue_init(&jobs->queue);
    jobs->n = 0;
}


void
ngx_scale_jobs_cancel(ngx_scale_jobs_t *jobs)
{
    ngx_queue_t  *q;

    while (jobs->n) {
        q = ngx_queue_head(&jobs->queue);
        ngx_scale_job_end(ngx_queue_data(q, ngx_scale_job_t, queue));
    }
}


ngx_scale_job_t *
ngx_scale_job_create(ngx_scale_flow_t *f, size_t size)
{
    ngx_pool_t       *pool;
    ngx_scale_job_t  *job;

    if (f->main->jobs.n == NGX_SCALE_JOBS_MAX || f->cluster == NULL) {
        return NULL;
    }

    pool = ngx_create_pool(NGX_SCALE_JOB_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, size);

    if (job == NULL
        || (ngx_scale_secret_is(f->r->pool)
            && ngx_scale_secret_pool(pool) != NGX_OK))
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->pool = pool;
    job->counters = f->main->counters;
    job->cluster = f->cluster;
    job->loc = f->loc;
    job->method = f->method;

    if (ngx_scale_job_copy(job, f) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->timer.handler = ngx_scale_job_late;
    job->timer.data = job;
    job->timer.log = ngx_cycle->log;
    job->timer.cancelable = 1;

    job->jobs = &f->main->jobs;
    job->jobs->n++;
    ngx_queue_insert_tail(&job->jobs->queue, &job->queue);

    return job;
}


static ngx_int_t
ngx_scale_job_copy(ngx_scale_job_t *job, ngx_scale_flow_t *f)
{
    ngx_uint_t          i, index;
    ngx_scale_read_t   *read;
    ngx_scale_value_t  *value;

    read = &job->read;

    read->statement = f->read.statement;
    read->ttl = f->read.ttl;
    read->missing = f->read.missing;
    read->stale = f->read.stale;
    read->error = f->read.error;
    read->patience = f->read.patience;
    read->ntags = f->read.ntags;
    read->tags = ngx_palloc(job->pool, read->ntags * sizeof(ngx_str_t));
    read->data = job;

    if (ngx_scale_job_string(job->pool, &read->key, &f->read.key) != NGX_OK
        || read->tags == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < read->ntags; i++) {
        if (ngx_scale_job_string(job->pool, &read->tags[i], &f->read.tags[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (job->method->nparams == 0) {
        return NGX_OK;
    }

    job->values = ngx_pcalloc(job->pool, job->loc->params->nelts
                                         * sizeof(ngx_scale_value_t));
    if (job->values == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < job->method->nparams; i++) {
        index = job->method->params[i];
        value = &job->values[index];

        value->null = f->values[index].null;

        if (!value->null
            && ngx_scale_job_string(job->pool, &value->text,
                                    &f->values[index].text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* with a NUL: values are bound as strings of C */

static ngx_int_t
ngx_scale_job_string(ngx_pool_t *pool, ngx_str_t *to, ngx_str_t *from)
{
    return ngx_scale_conf_copy(pool, from->data, from->len, to) ? NGX_OK
                                                                 : NGX_ERROR;
}


void
ngx_scale_job_query(ngx_scale_job_t *job, ngx_scale_pg_freshness_e freshness)
{
    ngx_scale_pg_op_t  *op;

    op = &job->op;

    ngx_memzero(op, sizeof(ngx_scale_pg_op_t));
    ngx_memzero(&job->answer, sizeof(ngx_scale_answer_t));

    ngx_add_timer(&job->timer, ngx_min(job->loc->deadline,
                                       job->read.patience));

    /* out of memory: the timer tells */

    if (ngx_scale_rows_bind(job->pool, job->loc, job->method, job->values, 1,
                            op)
        != NGX_OK)
    {
        return;
    }

    op->kind = job->method->transaction ? NGX_SCALE_PG_TRANSACTION
                                        : NGX_SCALE_PG_READ;
    op->freshness = job->method->primary ? NGX_SCALE_PG_PRIMARY : freshness;
    op->read_only = 1;
    op->done = ngx_scale_job_done;
    op->data = job;

    job->querying = 1;

    SCALE_STEP("job.query");

    ngx_scale_pg_submit(job->cluster->pg, op);
}


static void
ngx_scale_job_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_job_t  *job = op->data;

    ngx_int_t  rc;

    SCALE_STEP("job.row");

    job->querying = 0;
    ngx_del_timer(&job->timer);

    rc = ngx_scale_job_answer(job);

    ngx_scale_pg_release(op);

    job->handler(job, rc);
}


static ngx_int_t
ngx_scale_job_answer(ngx_scale_job_t *job)
{
    if (job->op.cause != NGX_SCALE_CAUSE_NONE) {
        ngx_scale_job_log(job);
        return NGX_ERROR;
    }

    if (ngx_scale_rows_empty(job->method, &job->op) >= NGX_HTTP_BAD_REQUEST) {
        return NGX_DECLINED;
    }

    if (ngx_scale_rows_answer(job->pool, job->method, &job->op,
                              NGX_SCALE_REPR_JSON, &job->answer)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_rows_etag(job->pool, &job->answer);
}


/* a database that is down is in the log already, and is so for every job */

static void
ngx_scale_job_log(ngx_scale_job_t *job)
{
    ngx_uint_t  level;

    switch (job->op.cause) {

    case NGX_SCALE_CAUSE_UNAVAILABLE:
    case NGX_SCALE_CAUSE_QUEUE_FULL:
    case NGX_SCALE_CAUSE_TIMEOUT:
        level = NGX_LOG_INFO;
        break;

    default:
        level = NGX_LOG_ERR;
    }

    ngx_log_error(level, ngx_cycle->log, 0,
                  "route \"%V\": a cached answer could not be read anew: %s",
                  &job->loc->http.route,
                  job->op.error.sqlstate[0] ? (char *) job->op.error.sqlstate
                                            : "the database did not answer");
}


static void
ngx_scale_job_late(ngx_event_t *ev)
{
    ngx_scale_job_t  *job = ev->data;

    if (job->querying) {
        job->querying = 0;
        (void) ngx_scale_pg_cancel(&job->op);
        ngx_scale_pg_release(&job->op);
    }

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "route \"%V\": a cached answer was not read anew in time",
                  &job->loc->http.route);

    job->handler(job, NGX_ERROR);
}


void
ngx_scale_job_end(ngx_scale_job_t *job)
{
    if (job->timer.timer_set) {
        ngx_del_timer(&job->timer);
    }

    if (job->querying) {
        (void) ngx_scale_pg_cancel(&job->op);
    }

    ngx_scale_pg_release(&job->op);
    ngx_scale_cache_read_cancel(&job->read);

    ngx_queue_remove(&job->queue);
    job->jobs->n--;

    ngx_destroy_pool(job->pool);
}
