
/*
 * The step that claims jobs, and waits for some where there are none.  A claim
 * whose client has gone meanwhile is given back at once.
 */

#ifndef _NGX_SCALE_CLAIM_H_INCLUDED_
#define _NGX_SCALE_CLAIM_H_INCLUDED_


#include "ngx_scale_flow.h"


ngx_int_t ngx_scale_claim_step(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_claim_expire(ngx_scale_flow_t *f);
void ngx_scale_claim_release(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_CLAIM_H_INCLUDED_ */
