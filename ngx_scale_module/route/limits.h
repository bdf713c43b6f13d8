
/*
 * What a value is held to, len=, min=, max=, in= and pattern=, and what its
 * client hears: the limit itself, written when the configuration is read.
 */

#ifndef _NGX_SCALE_LIMITS_H_INCLUDED_
#define _NGX_SCALE_LIMITS_H_INCLUDED_


#include "route/type.h"


/* of one value; NGX_DECLINED with "reason", which is the parameter's own */
ngx_int_t ngx_scale_limits_check(ngx_scale_param_t *param,
    ngx_scale_type_t *type, ngx_scale_value_t *value, const char **reason);

/* once, when all limits are known; NGX_ERROR: memory */
ngx_int_t ngx_scale_limits_say(ngx_pool_t *pool, ngx_scale_param_t *param);


#endif /* _NGX_SCALE_LIMITS_H_INCLUDED_ */
