
/*
 * scale_cache_audit: of some hits the row is read again, from the primary.  An
 * answer that differs is stale if it is still a valid entry afterwards, where
 * it was found: a write would have made it old before it committed.  The row
 * is then read once more, lest another write's answer be taken for it.
 */

#include "ngx_scale_job.h"


typedef struct {
    ngx_scale_job_t              job;        /* the first part */
    ngx_scale_answer_t           seen;
    uint64_t                     cas;        /* 0: the local tier's */
} ngx_scale_audit_t;


static void ngx_scale_audit_first(ngx_scale_job_t *job, ngx_int_t rc);
static void ngx_scale_audit_look_local(ngx_scale_audit_t *audit);
static void ngx_scale_audit_look(ngx_scale_read_t *read);
static void ngx_scale_audit_second(ngx_scale_job_t *job, ngx_int_t rc);
static ngx_int_t ngx_scale_audit_keep(ngx_scale_audit_t *audit,
    ngx_scale_entry_t *entry);
static ngx_uint_t ngx_scale_audit_differs(ngx_scale_audit_t *audit,
    ngx_int_t rc, ngx_str_t *meta, ngx_str_t *body);


void
ngx_scale_audit(ngx_scale_flow_t *f, ngx_scale_entry_t *entry,
    ngx_uint_t local)
{
    ngx_scale_audit_t  *audit;

    if (f->loc->audit == 0
        || (ngx_uint_t) ngx_random() % NGX_SCALE_AUDIT_WHOLE >= f->loc->audit)
    {
        return;
    }

    audit = (ngx_scale_audit_t *) ngx_scale_job_create(f,
                                                   sizeof(ngx_scale_audit_t));
    if (audit == NULL) {
        return;
    }

    audit->cas = local ? 0 : f->read.cas;

    if (ngx_scale_audit_keep(audit, entry) != NGX_OK) {
        ngx_scale_job_end(&audit->job);
        return;
    }

    audit->job.handler = ngx_scale_audit_first;

    ngx_scale_job_query(&audit->job, NGX_SCALE_PG_PRIMARY);
}


static ngx_int_t
ngx_scale_audit_keep(ngx_scale_audit_t *audit, ngx_scale_entry_t *entry)
{
    ngx_pool_t  *pool;

    pool = audit->job.pool;

    if (ngx_scale_conf_copy(pool, entry->meta.data, entry->meta.len,
                            &audit->seen.meta)
        == NULL
        || ngx_scale_conf_copy(pool, entry->body.data, entry->body.len,
                               &audit->seen.body)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_scale_audit_first(ngx_scale_job_t *job, ngx_int_t rc)
{
    ngx_scale_audit_t  *audit = (ngx_scale_audit_t *) job;

    if (rc == NGX_ERROR) {
        ngx_scale_job_end(job);
        return;
    }

    (void) ngx_atomic_fetch_add(&job->counters->audits, 1);

    if (!ngx_scale_audit_differs(audit, rc, &job->answer.meta,
                                 &job->answer.body))
    {
        ngx_scale_job_end(job);
        return;
    }

    SCALE_STEP("audit.look");

    if (audit->cas == 0) {
        ngx_scale_audit_look_local(audit);
        return;
    }

    job->read.handler = ngx_scale_audit_look;

    if (ngx_scale_cache_read(job->loc->store->cache, &job->read) != NGX_OK) {
        ngx_scale_job_end(job);
    }
}


/* as a reader would that begins now */

static void
ngx_scale_audit_look_local(ngx_scale_audit_t *audit)
{
    ngx_scale_job_t    *job;
    ngx_scale_entry_t   entry;

    job = &audit->job;

    if (ngx_scale_cache_local(job->loc->store->cache, &job->read, job->pool,
                              ngx_scale_pg_now() / 1000000, &entry)
        != NGX_OK
        || ngx_scale_audit_differs(audit, NGX_OK, &entry.meta, &entry.body))
    {
        ngx_scale_job_end(job);
        return;
    }

    job->handler = ngx_scale_audit_second;

    ngx_scale_job_query(job, NGX_SCALE_PG_PRIMARY);
}


/* whatever else it is told: the entry has gone since */

static void
ngx_scale_audit_look(ngx_scale_read_t *read)
{
    ngx_scale_job_t    *job = read->data;
    ngx_scale_audit_t  *audit = (ngx_scale_audit_t *) job;

    if (read->verdict != NGX_SCALE_CACHE_HIT || read->old || read->shared
        || read->cas != audit->cas
        || ngx_scale_audit_differs(audit, NGX_OK, &read->entry->meta,
                                   &read->entry->body))
    {
        ngx_scale_job_end(job);
        return;
    }

    job->handler = ngx_scale_audit_second;

    ngx_scale_job_query(job, NGX_SCALE_PG_PRIMARY);
}


static void
ngx_scale_audit_second(ngx_scale_job_t *job, ngx_int_t rc)
{
    ngx_scale_audit_t  *audit = (ngx_scale_audit_t *) job;

    if (rc != NGX_ERROR
        && ngx_scale_audit_differs(audit, rc, &job->answer.meta,
                                   &job->answer.body))
    {
        (void) ngx_atomic_fetch_add(&job->counters->stale, 1);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "route \"%V\": a cached answer is stale: somebody has "
                      "written past this module, or the statement depends on "
                      "more than its tables; if neither, report a fault",
                      &job->loc->http.route);
    }

    ngx_scale_job_end(job);
}


static ngx_uint_t
ngx_scale_audit_differs(ngx_scale_audit_t *audit, ngx_int_t rc,
    ngx_str_t *meta, ngx_str_t *body)
{
    ngx_scale_answer_t  *seen;

    seen = &audit->seen;

    return rc != NGX_OK
           || seen->meta.len != meta->len || seen->body.len != body->len
           || ngx_memcmp(seen->meta.data, meta->data, meta->len) != 0
           || ngx_memcmp(seen->body.data, body->data, body->len) != 0;
}
