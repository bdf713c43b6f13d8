
/*
 * scale_limit: steps.  Requests are charged first of all, misses and writes
 * before the database is asked.  Either waits for memcached for a moment at
 * most, and then goes by what this node has seen.
 */

#ifndef _NGX_SCALE_ADMIT_H_INCLUDED_
#define _NGX_SCALE_ADMIT_H_INCLUDED_


#include "ngx_scale_flow.h"


ngx_int_t ngx_scale_admit_request(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_admit_miss(ngx_scale_flow_t *f);

ngx_int_t ngx_scale_admit_expire(ngx_scale_flow_t *f);
void ngx_scale_admit_release(ngx_scale_flow_t *f);

/* what is left, in the fields of whatever the answer is */
ngx_int_t ngx_scale_admit_tell(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_ADMIT_H_INCLUDED_ */
