
/*
 * The kind "jwt" of scale_auth: who a token names.
 */

#ifndef _NGX_SCALE_BEARER_H_INCLUDED_
#define _NGX_SCALE_BEARER_H_INCLUDED_


#include "ngx_scale_flow.h"


/* a step */
ngx_int_t ngx_scale_bearer_step(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_BEARER_H_INCLUDED_ */
