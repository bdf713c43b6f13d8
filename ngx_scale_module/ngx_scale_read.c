
/* reads: from the cache, or from the database for everybody who waits */

#include "ngx_scale_flow.h"


static ngx_msec_t ngx_scale_read_patience(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_read_local(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_read_share(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_read_keys(ngx_scale_flow_t *f);
static void ngx_scale_read_verdict(ngx_scale_read_t *read);
static ngx_uint_t ngx_scale_read_is_hopeless(ngx_scale_flow_t *f);
static void ngx_scale_read_done(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_read_failed(ngx_scale_flow_t *f);


/* ms for what is not the statement: the network, and a busy worker */
#define NGX_SCALE_READ_MARGIN  500

/* ms in which a database that was down is not asked, if an entry is kept */
#define NGX_SCALE_READ_REST    1000


ngx_int_t
ngx_scale_read_lookup(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    if (!f->method->cached || f->loc->consistency == NGX_SCALE_PRIMARY) {
        return NGX_OK;
    }

    ngx_str_set(&f->ctx.cache_status, "BYPASS");

    /* only JSON is kept */

    if (f->representation != NGX_SCALE_REPR_JSON
        || ngx_http_test_predicates(f->r, f->loc->bypass) != NGX_OK)
    {
        return NGX_OK;
    }

    if (ngx_scale_read_keys(f) != NGX_OK) {
        return NGX_ERROR;
    }

    f->read.statement = f->loc->statement;
    f->read.ttl = f->loc->ttl;
    f->read.missing = f->loc->missing;
    f->read.stale = f->cluster ? f->loc->stale : 0;
    f->read.error = f->loc->error;
    f->read.lenience = ngx_scale_consistency_lenience(f);
    f->read.patience = ngx_scale_read_patience(f);
    f->read.share = ngx_scale_read_share(f);
    f->read.handler = ngx_scale_read_verdict;
    f->read.data = f;

    f->asked = ngx_scale_pg_now();

    rc = ngx_scale_read_local(f);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    if (ngx_scale_cache_read(f->loc->store->cache, &f->read) != NGX_OK) {
        return NGX_ERROR;
    }

    f->waiting = 1;

    return NGX_AGAIN;
}


/* at once, or NGX_AGAIN: it is not there */

static ngx_int_t
ngx_scale_read_local(ngx_scale_flow_t *f)
{
    ngx_int_t          rc;
    ngx_scale_entry_t  entry;

    if (f->loc->consistency == NGX_SCALE_BOUNDED) {
        f->read.bounded = f->loc->database->conf.max_lag;
    }

    if (ngx_scale_consistency_is_writer(f)) {
        return NGX_AGAIN;
    }

    rc = ngx_scale_cache_local(f->loc->store->cache, &f->read, f->r->pool,
                               f->asked / 1000000, &entry);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_AGAIN : rc;
    }

    f->ctx.cache_time = 0;

    if (entry.negative) {
        ngx_str_set(&f->ctx.cache_status, "NEGATIVE");

    } else {
        ngx_str_set(&f->ctx.cache_status, "LOCAL");

        if (!f->read.bounded) {
            ngx_scale_audit(f, &entry, 1);
        }
    }

    rc = ngx_scale_answer_own_entry(f, &entry);

    return rc == NGX_OK ? ngx_scale_flow_send_next(f) : rc;
}


/* a filler that takes longer has gone */

static ngx_msec_t
ngx_scale_read_patience(ngx_scale_flow_t *f)
{
    ngx_msec_t            timeout;
    ngx_scale_pg_conf_t  *conf;

    conf = &f->loc->database->conf;
    timeout = f->method->timeout ? f->method->timeout : conf->timeout;

    return conf->queue_timeout + f->method->nqueries * timeout
           + NGX_SCALE_READ_MARGIN;
}


/* while the cache is cold: half of this worker's part of the connections */

static ngx_uint_t
ngx_scale_read_share(ngx_scale_flow_t *f)
{
    ngx_uint_t        workers;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);
    workers = ngx_max(ccf->worker_processes, 1);

    return ngx_max(f->loc->database->conf.connections / (2 * workers), 2);
}


static ngx_int_t
ngx_scale_read_keys(ngx_scale_flow_t *f)
{
    ngx_uint_t        i;
    ngx_scale_key_t  *tag;

    if (f->loc->tags) {
        tag = f->loc->tags->elts;

        f->read.ntags = f->loc->tags->nelts;
        f->read.tags = ngx_palloc(f->r->pool,
                                  f->read.ntags * sizeof(ngx_str_t));
        if (f->read.tags == NULL) {
            return NGX_ERROR;
        }

        for (i = 0; i < f->read.ntags; i++) {
            if (ngx_scale_values_key(f, &tag[i], NULL, 0,
                                     &f->read.tags[i])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return ngx_scale_values_key(f, f->loc->key, NULL, 0, &f->read.key);
}


static void
ngx_scale_read_verdict(ngx_scale_read_t *read)
{
    ngx_int_t          rc;
    ngx_scale_flow_t  *f = read->data;

    f->waiting = 0;
    f->ctx.cache_time = (ngx_int_t) ((ngx_scale_pg_now() - f->asked) / 1000);

    switch (read->verdict) {

    case NGX_SCALE_CACHE_FILL:
        f->filling = 1;

        if (!read->bypassed) {
            ngx_str_set(&f->ctx.cache_status, "MISS");
        }

        rc = ngx_scale_read_is_hopeless(f)
             ? ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE) : NGX_OK;

        ngx_scale_flow_resume(f, rc);
        return;

    case NGX_SCALE_CACHE_FAILED:
        ngx_str_set(&f->ctx.cache_status, "MISS");
        rc = ngx_scale_answer_copy_problem(f, read->failure);
        ngx_scale_flow_resume(f, rc);
        return;

    case NGX_SCALE_CACHE_BYPASS:
        ngx_scale_flow_resume(f, NGX_OK);
        return;

    case NGX_SCALE_CACHE_HIT:
        break;
    }

    if (read->due) {
        ngx_scale_refresh(f);
    }

    f->answer.old = read->old;
    f->answer.kept = read->old && read->shared;

    if (read->old) {
        ngx_str_set(&f->ctx.cache_status, "STALE");

    } else if (read->shared) {
        ngx_str_set(&f->ctx.cache_status, "MISS");

    } else if (read->entry->negative) {
        ngx_str_set(&f->ctx.cache_status, "NEGATIVE");

    } else {
        ngx_str_set(&f->ctx.cache_status, "HIT");
        ngx_scale_audit(f, read->entry, 0);
    }

    rc = ngx_scale_answer_entry(f, read->entry);

    if (rc == NGX_OK) {
        ngx_scale_flow_resume_send(f);

    } else {
        ngx_scale_flow_resume(f, rc);
    }
}


/* while the database was down a moment ago, an entry that is kept answers */

static ngx_uint_t
ngx_scale_read_is_hopeless(ngx_scale_flow_t *f)
{
    return f->cluster
           && ngx_current_msec - f->cluster->failed < NGX_SCALE_READ_REST
           && ngx_scale_cache_kept(&f->read);
}


ngx_int_t
ngx_scale_read_query(ngx_scale_flow_t *f)
{
    if (ngx_scale_rows_bind(f->r->pool, f->loc, f->method, f->values, &f->op)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->op.data = f;
    f->op.kind = f->method->transaction ? NGX_SCALE_PG_TRANSACTION
                                        : NGX_SCALE_PG_READ;
    f->op.read_only = 1;
    f->op.done = ngx_scale_read_done;

    if (f->method->fanout) {
        return ngx_scale_fanout_submit(f);
    }

    ngx_scale_consistency_read(f, f->cluster, &f->op);
    ngx_scale_stream_allow(f);

    SCALE_STEP("read.query");

    if (f->filling && ngx_scale_cache_kept(&f->read)) {
        ngx_scale_flow_hurry(f);
    }

    f->querying = 1;
    ngx_scale_pg_submit(f->cluster->pg, &f->op);

    return NGX_AGAIN;
}


static void
ngx_scale_read_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    SCALE_STEP("read.row");

    f->querying = 0;

    if (op->begun) {
        ngx_scale_stream_done(f);
        return;
    }

    ngx_scale_flow_resume(f, ngx_scale_answer_problem(f));
}


/* whoever waits for this reader gets its result, or its refusal */

ngx_int_t
ngx_scale_read_settle(ngx_scale_flow_t *f)
{
    ngx_scale_entry_t  entry;

    if (f->problem.cause == NGX_SCALE_CAUSE_NONE
        && ngx_scale_fanout_warn(f) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!f->filling) {
        return f->problem.cause ? NGX_DECLINED : NGX_OK;
    }

    f->filling = 0;

    if (f->problem.cause && f->problem.cause != NGX_SCALE_CAUSE_NOT_FOUND) {
        return ngx_scale_read_failed(f);
    }

    ngx_scale_answer_to_entry(&f->answer, &entry);
    entry.negative = f->problem.cause != NGX_SCALE_CAUSE_NONE;

    if (ngx_scale_cache_fill(&f->read, &entry) != NGX_OK) {
        ngx_scale_read_too_large(f->loc, f->r->connection->log);
    }

    return entry.negative ? NGX_DECLINED : NGX_OK;
}


/* error=: an old entry is better than none, where nobody can tell */

static ngx_int_t
ngx_scale_read_failed(ngx_scale_flow_t *f)
{
    ngx_int_t           rc;
    ngx_scale_entry_t  *entry;

    entry = NULL;

    switch (f->problem.cause) {

    case NGX_SCALE_CAUSE_UNAVAILABLE:
    case NGX_SCALE_CAUSE_QUEUE_FULL:
    case NGX_SCALE_CAUSE_TIMEOUT:
    case NGX_SCALE_CAUSE_RESOURCES:
        entry = ngx_scale_cache_kept(&f->read);
        break;

    default:
        break;
    }

    if (entry == NULL) {
        ngx_scale_cache_fail(&f->read, &f->problem);
        return NGX_DECLINED;
    }

    if (f->problem.cause == NGX_SCALE_CAUSE_UNAVAILABLE && f->cluster
        && !ngx_scale_read_is_hopeless(f))
    {
        f->cluster->failed = ngx_current_msec;
    }

    ngx_memzero(&f->problem, sizeof(ngx_scale_problem_t));
    f->ctx.problem = NULL;

    ngx_str_set(&f->ctx.cache_status, "STALE");

    f->answer.old = 1;
    f->answer.kept = 1;

    rc = ngx_scale_answer_entry(f, entry);

    ngx_scale_cache_fail(&f->read, NULL);

    return rc;
}


/* once per route and worker */

void
ngx_scale_read_too_large(ngx_scale_loc_conf_t *loc, ngx_log_t *log)
{
    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "route \"%V\": answers larger than %d bytes are not cached: "
                  "each reader of such a one asks the database",
                  &loc->http.route, NGX_SCALE_CACHE_MAX_VALUE);
}
