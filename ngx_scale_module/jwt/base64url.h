
/*
 * Base64url as RFC 7515, section 2, has it: no padding, no line ends.
 */

#ifndef _NGX_SCALE_BASE64URL_H_INCLUDED_
#define _NGX_SCALE_BASE64URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * NGX_DECLINED: it has another character, or is not the one text of its bytes
 * (RFC 4648, section 3.5); NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_jwt_decode(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *bytes);


#endif /* _NGX_SCALE_BASE64URL_H_INCLUDED_ */
