
#include "ngx_scale_read.h"
#include "ngx_scale_answer.h"
#include "ngx_scale_job.h"
#include "ngx_scale_query.h"
#include "ngx_scale_values.h"


static ngx_uint_t ngx_scale_read_is_cacheable(ngx_scale_flow_t *f);
static void ngx_scale_read_init(ngx_scale_flow_t *f);
static ngx_msec_t ngx_scale_read_patience(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_read_share(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_read_keys(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_read_local(ngx_scale_flow_t *f);
static void ngx_scale_read_verdict(ngx_scale_read_t *read);
static ngx_int_t ngx_scale_read_judge(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_read_fill(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_read_hit(ngx_scale_flow_t *f);
static void ngx_scale_read_label(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_read_is_hopeless(ngx_scale_flow_t *f);
static void ngx_scale_read_done(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_read_failed(ngx_scale_flow_t *f);
static ngx_scale_entry_t *ngx_scale_read_spare(ngx_scale_flow_t *f);


/* ms for what is not the statement: the network, and a busy worker */
#define NGX_SCALE_READ_MARGIN  500

/* ms in which a database that was down is not asked, if an entry is kept */
#define NGX_SCALE_READ_REST    1000


ngx_int_t
ngx_scale_read_lookup(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    if (!ngx_scale_read_is_cacheable(f)) {
        return NGX_OK;
    }

    if (ngx_scale_read_keys(f) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_read_init(f);

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


static ngx_uint_t
ngx_scale_read_is_cacheable(ngx_scale_flow_t *f)
{
    if (!f->method->cached || f->loc->consistency == NGX_SCALE_PRIMARY) {
        return 0;
    }

    ngx_str_set(&f->ctx.cache_status, "BYPASS");

    /* only JSON is kept */

    return f->representation == NGX_SCALE_REPR_JSON
           && ngx_http_test_predicates(f->r, f->loc->bypass) == NGX_OK;
}


static void
ngx_scale_read_init(ngx_scale_flow_t *f)
{
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

    if (f->loc->consistency == NGX_SCALE_BOUNDED) {
        f->read.bounded = f->loc->database->conf.max_lag;
    }

    f->asked = ngx_scale_pg_now();
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
            if (ngx_scale_keys_make(f, &tag[i], NULL, 0,
                                     &f->read.tags[i])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return ngx_scale_keys_make(f, f->loc->key, NULL, 0, &f->read.key);
}


/* NGX_DONE: the answer is there, at once; NGX_AGAIN: it is not */

static ngx_int_t
ngx_scale_read_local(ngx_scale_flow_t *f)
{
    ngx_int_t          rc;
    ngx_scale_entry_t  entry;

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

    return rc == NGX_OK ? NGX_DONE : rc;
}


static void
ngx_scale_read_verdict(ngx_scale_read_t *read)
{
    ngx_scale_flow_t  *f = read->data;

    f->waiting = 0;
    f->ctx.cache_time = (ngx_int_t) ((ngx_scale_pg_now() - f->asked) / 1000);

    ngx_scale_flow_resume(f, ngx_scale_read_judge(f));
}


static ngx_int_t
ngx_scale_read_judge(ngx_scale_flow_t *f)
{
    switch (f->read.verdict) {

    case NGX_SCALE_CACHE_HIT:
        return ngx_scale_read_hit(f);

    case NGX_SCALE_CACHE_FILL:
        return ngx_scale_read_fill(f);

    case NGX_SCALE_CACHE_FAILED:
        ngx_str_set(&f->ctx.cache_status, "MISS");
        return ngx_scale_refusal_copy(f, f->read.failure);

    default:                           /* NGX_SCALE_CACHE_BYPASS */
        return NGX_OK;
    }
}


static ngx_int_t
ngx_scale_read_fill(ngx_scale_flow_t *f)
{
    f->filling = 1;

    if (!f->read.bypassed) {
        ngx_str_set(&f->ctx.cache_status, "MISS");
    }

    return ngx_scale_read_is_hopeless(f)
           ? ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE) : NGX_OK;
}


static ngx_int_t
ngx_scale_read_hit(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    if (f->read.due) {
        ngx_scale_refresh(f);
    }

    f->answer.old = f->read.old;
    f->answer.kept = f->read.old && f->read.shared;

    ngx_scale_read_label(f);

    rc = ngx_scale_answer_entry(f, f->read.entry);

    return rc == NGX_OK ? NGX_DONE : rc;
}


static void
ngx_scale_read_label(ngx_scale_flow_t *f)
{
    if (f->read.old) {
        ngx_str_set(&f->ctx.cache_status, "STALE");

    } else if (f->read.shared) {
        ngx_str_set(&f->ctx.cache_status, "MISS");

    } else if (f->read.entry->negative) {
        ngx_str_set(&f->ctx.cache_status, "NEGATIVE");

    } else {
        ngx_str_set(&f->ctx.cache_status, "HIT");
        ngx_scale_audit(f, f->read.entry, 0);
    }
}


ngx_int_t
ngx_scale_read_expire(ngx_scale_flow_t *f)
{
    f->waiting = 0;
    ngx_scale_cache_read_cancel(&f->read);

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
}


void
ngx_scale_read_release(ngx_scale_flow_t *f)
{
    if (f->waiting || f->filling) {
        f->waiting = 0;
        f->filling = 0;
        ngx_scale_cache_read_cancel(&f->read);
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
    if (ngx_scale_query_read(f, ngx_scale_read_done) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_consistency_read(f, f->cluster, &f->op);
    ngx_scale_stream_allow(f);

    SCALE_STEP("read.query");

    if (f->filling && ngx_scale_cache_kept(&f->read)) {
        ngx_scale_query_hurry(f);
    }

    ngx_scale_query_submit(f);

    return NGX_AGAIN;
}


static void
ngx_scale_read_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_flow_t  *f = op->data;

    SCALE_STEP("read.row");

    if (op->begun) {
        ngx_scale_stream_done(f);
        return;
    }

    ngx_scale_flow_resume(f, ngx_scale_query_end(f));
}


ngx_int_t
ngx_scale_read_settle(ngx_scale_flow_t *f)
{
    ngx_uint_t  negative;

    if (!f->filling) {
        return NGX_OK;
    }

    f->filling = 0;

    negative = f->problem.cause == NGX_SCALE_CAUSE_NOT_FOUND;

    if (f->problem.cause && !negative) {
        return ngx_scale_read_failed(f);
    }

    ngx_scale_entry_fill(f->loc, &f->read, &f->answer, negative,
                         f->r->connection->log);
    return NGX_OK;
}


/* error=: an old entry is better than none, where nobody can tell */

static ngx_int_t
ngx_scale_read_failed(ngx_scale_flow_t *f)
{
    ngx_int_t           rc;
    ngx_uint_t          own;
    ngx_scale_entry_t  *entry;

    entry = ngx_scale_read_spare(f);

    /* that this one's quota or time is over says nothing to those who wait */

    own = f->problem.cause == NGX_SCALE_CAUSE_LIMITED;

    if (entry == NULL) {

        if (own || f->late) {
            ngx_scale_cache_read_cancel(&f->read);

        } else {
            ngx_scale_cache_fail(&f->read, &f->problem);
        }

        return NGX_OK;
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

    if (own) {
        ngx_scale_cache_read_cancel(&f->read);

    } else {
        ngx_scale_cache_fail(&f->read, NULL);
    }

    return rc;
}


static ngx_scale_entry_t *
ngx_scale_read_spare(ngx_scale_flow_t *f)
{
    switch (f->problem.cause) {

    case NGX_SCALE_CAUSE_UNAVAILABLE:
    case NGX_SCALE_CAUSE_QUEUE_FULL:
    case NGX_SCALE_CAUSE_TIMEOUT:
    case NGX_SCALE_CAUSE_RESOURCES:
    case NGX_SCALE_CAUSE_LIMITED:
        return ngx_scale_cache_kept(&f->read);

    default:
        return NULL;
    }
}
