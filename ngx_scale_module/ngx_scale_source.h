
/* what the source of a parameter says of its values */

#ifndef _NGX_SCALE_SOURCE_H_INCLUDED_
#define _NGX_SCALE_SOURCE_H_INCLUDED_


#include "ngx_scale_conf.h"


/*
 * The index of the variable that the expression is; NGX_DECLINED: it is more
 * than that.
 */
ngx_int_t ngx_scale_source_variable(ngx_conf_t *cf, ngx_str_t *expression);

/* clients send it in a field, so it may be a secret */
ngx_uint_t ngx_scale_source_is_private(ngx_scale_param_t *param);

/* requests of one path all have the same */
ngx_uint_t ngx_scale_source_is_path(ngx_scale_param_t *param);


#endif /* _NGX_SCALE_SOURCE_H_INCLUDED_ */
