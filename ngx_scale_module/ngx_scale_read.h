
/* reads: from the cache, or from the database for everybody who waits */

#ifndef _NGX_SCALE_READ_H_INCLUDED_
#define _NGX_SCALE_READ_H_INCLUDED_


#include "ngx_scale_flow.h"


/*
 * ngx_scale_read.c: steps.  The one that looks into the cache is told to fill
 * it, or is not: the one that settles gives whoever waits the result, or the
 * refusal.
 */

ngx_int_t ngx_scale_read_lookup(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_read_expire(ngx_scale_flow_t *f);
void ngx_scale_read_release(ngx_scale_flow_t *f);

ngx_int_t ngx_scale_read_query(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_read_settle(ngx_scale_flow_t *f);


/*
 * ngx_scale_fanout.c: steps; one statement on every shard, after which f->op
 * and f->problem are as of one operation.  An answer that lacks a shard's rows
 * warns of it.
 */

ngx_int_t ngx_scale_fanout_query(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_fanout_expire(ngx_scale_flow_t *f);
void ngx_scale_fanout_release(ngx_scale_flow_t *f);

ngx_int_t ngx_scale_fanout_warn(ngx_scale_flow_t *f);


/* ngx_scale_stream.c: answers that leave while they arrive */

/* f->op may give its rows one by one, if it is of that kind */
void ngx_scale_stream_allow(ngx_scale_flow_t *f);

/* the database has no more, or failed, and a part has left */
void ngx_scale_stream_done(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_READ_H_INCLUDED_ */
