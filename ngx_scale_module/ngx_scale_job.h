
/*
 * A row that is read while no client waits: the answer of a route's GET with
 * the values of a request that may be gone.  Jobs are few: see
 * NGX_SCALE_JOBS_MAX.
 */

#ifndef _NGX_SCALE_JOB_H_INCLUDED_
#define _NGX_SCALE_JOB_H_INCLUDED_


#include "ngx_scale_flow.h"


#define NGX_SCALE_JOBS_MAX  64


typedef struct ngx_scale_job_s  ngx_scale_job_t;

struct ngx_scale_job_s {
    ngx_queue_t                  queue;
    ngx_pool_t                  *pool;       /* its own, the job is in it */
    ngx_scale_jobs_t            *jobs;
    ngx_scale_counters_t        *counters;
    ngx_scale_cluster_t         *cluster;
    ngx_scale_loc_conf_t        *loc;
    ngx_scale_method_t          *method;
    ngx_scale_value_t           *values;

    ngx_scale_read_t             read;       /* "data" is the job */
    ngx_scale_pg_op_t            op;
    ngx_scale_answer_t           answer;
    ngx_event_t                  timer;
    unsigned                     querying:1;

    /* NGX_OK: "answer"; NGX_DECLINED: no row; NGX_ERROR: not known, logged */
    void                       (*handler)(ngx_scale_job_t *job, ngx_int_t rc);
};


/* the worker's; cancel() ends all of them */
void ngx_scale_jobs_init(ngx_scale_jobs_t *jobs);
void ngx_scale_jobs_cancel(ngx_scale_jobs_t *jobs);

/*
 * "size" bytes, of which ngx_scale_job_t is the first part; key, tags and
 * lifetimes of "read" are the request's.  NULL: memory, there are too many,
 * or the route reads several clusters at once.
 */
ngx_scale_job_t *ngx_scale_job_create(ngx_scale_flow_t *f, size_t size);

/* runs GET; the handler is called once, not before this has returned */
void ngx_scale_job_query(ngx_scale_job_t *job,
    ngx_scale_pg_freshness_e freshness);

/* at any time; what it waits for is cancelled */
void ngx_scale_job_end(ngx_scale_job_t *job);


/* ngx_scale_refresh.c: in the handler of a HIT that is due */
void ngx_scale_refresh(ngx_scale_flow_t *f);

/* ngx_scale_audit.c: what is about to answer, of the local tier or of a HIT */
void ngx_scale_audit(ngx_scale_flow_t *f, ngx_scale_entry_t *entry,
    ngx_uint_t local);


#endif /* _NGX_SCALE_JOB_H_INCLUDED_ */
