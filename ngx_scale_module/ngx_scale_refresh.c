
/*
 * Entries that are read anew while they answer: near the end of their ttl,
 * and past it where stale= says so.
 */

#include "ngx_scale_job.h"


static void ngx_scale_refresh_done(ngx_scale_job_t *job, ngx_int_t rc);


void
ngx_scale_refresh(ngx_scale_flow_t *f)
{
    ngx_scale_job_t  *job;

    job = ngx_scale_job_create(f, sizeof(ngx_scale_job_t));
    if (job == NULL) {
        return;
    }

    if (ngx_scale_cache_renew(&f->read, &job->read) != NGX_OK) {
        ngx_scale_job_end(job);
        return;
    }

    job->handler = ngx_scale_refresh_done;

    /* what is stored must be new */

    ngx_scale_job_query(job, NGX_SCALE_PG_CURRENT);
}


static void
ngx_scale_refresh_done(ngx_scale_job_t *job, ngx_int_t rc)
{
    if (rc == NGX_ERROR) {
        ngx_scale_cache_fail(&job->read, NULL);

    } else {
        ngx_scale_entry_fill(job->loc, &job->read, &job->answer,
                             rc == NGX_DECLINED, ngx_cycle->log);
    }

    ngx_scale_job_end(job);
}
