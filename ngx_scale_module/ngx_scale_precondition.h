
/*
 * If-Match: a write is made only of the version that its client has read
 * (RFC 9110, section 13.1.1; 428: RFC 6585, section 3).
 */

#ifndef _NGX_SCALE_PRECONDITION_H_INCLUDED_
#define _NGX_SCALE_PRECONDITION_H_INCLUDED_


#include "ngx_scale_flow.h"


/* a step: the client says which, where it has to */
ngx_int_t ngx_scale_precondition_step(ngx_scale_flow_t *f);

/* of the results of f->op: the guarded statement has found its version */
ngx_uint_t ngx_scale_precondition_holds(ngx_scale_flow_t *f);

/* if not, by GET's result: 404, or 412 with the version that is there */
ngx_int_t ngx_scale_precondition_refuse(ngx_scale_flow_t *f);

/* the client's version is no value of the column's type */
ngx_uint_t ngx_scale_precondition_is_foreign(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_PRECONDITION_H_INCLUDED_ */
