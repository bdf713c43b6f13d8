
/*
 * The flow's operation on the database: on which cluster, how new its answer
 * must be, and what its end means.
 */

#ifndef _NGX_SCALE_QUERY_H_INCLUDED_
#define _NGX_SCALE_QUERY_H_INCLUDED_


#include "ngx_scale_flow.h"


/*
 * ngx_scale_query.c: makes f->op of the method's statements, to be submitted;
 * done() has to call end() first, which returns NGX_OK, or refuses with what
 * PostgreSQL said.
 */

ngx_int_t ngx_scale_query_read(ngx_scale_flow_t *f,
    void (*done)(ngx_scale_pg_op_t *op));
ngx_int_t ngx_scale_query_write(ngx_scale_flow_t *f,
    void (*done)(ngx_scale_pg_op_t *op));

void ngx_scale_query_submit(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_query_end(ngx_scale_flow_t *f);

/* who has answered, for the variables; end() does it, too */
void ngx_scale_query_server(ngx_scale_flow_t *f);

/* the database is not waited for as long as usual: there is an answer */
void ngx_scale_query_hurry(ngx_scale_flow_t *f);

/* of the step that has submitted it */
ngx_int_t ngx_scale_query_expire(ngx_scale_flow_t *f);
void ngx_scale_query_release(ngx_scale_flow_t *f);


/* ngx_scale_sharding.c: steps; f->cluster, which has the row; or all of them */

ngx_int_t ngx_scale_sharding_one(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_sharding_all(ngx_scale_flow_t *f);


/* ngx_scale_consistency.c: who may answer a read, and what a writer is told */

void ngx_scale_consistency_read(ngx_scale_flow_t *f,
    ngx_scale_cluster_t *cluster, ngx_scale_pg_op_t *op);

/* for how many seconds an entry that a tag made old may answer this reader */
time_t ngx_scale_consistency_lenience(ngx_scale_flow_t *f);

/* the client has a token of a write that others may not see yet */
ngx_uint_t ngx_scale_consistency_is_writer(ngx_scale_flow_t *f);

/* the client gets a token of the write that f->op was */
ngx_int_t ngx_scale_consistency_written(ngx_scale_flow_t *f);


/*
 * ngx_scale_refusal.c: what an error of PostgreSQL is for the client and the
 * log.  NGX_DECLINED, or NGX_ERROR: memory.
 */

ngx_int_t ngx_scale_refusal(ngx_scale_flow_t *f);

/* what to do about an SQLSTATE, for the log, or "" */
const char *ngx_scale_refusal_remedy(u_char *sqlstate);

/* another request's problem, into this one's pool */
ngx_int_t ngx_scale_refusal_copy(ngx_scale_flow_t *f,
    ngx_scale_problem_t *problem);


#endif /* _NGX_SCALE_QUERY_H_INCLUDED_ */
