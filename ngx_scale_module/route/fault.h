
/*
 * What is wrong with a configuration, said to who wrote it.
 */

#ifndef _NGX_SCALE_FAULT_H_INCLUDED_
#define _NGX_SCALE_FAULT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Sets "error" to a sentence from the pool, cut to NGX_MAX_ERROR_STR, and
 * leaves it as it is where memory is out; NGX_ERROR, for the caller to return.
 */
ngx_int_t ngx_scale_route_fault(ngx_pool_t *pool, ngx_str_t *error,
    const char *fmt, ...);


#endif /* _NGX_SCALE_FAULT_H_INCLUDED_ */
