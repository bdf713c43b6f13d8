
/* what nginx calls for a route: its content, and before access is checked */

#ifndef _NGX_SCALE_HANDLER_H_INCLUDED_
#define _NGX_SCALE_HANDLER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_scale_handler(ngx_http_request_t *r);
ngx_int_t ngx_scale_handler_preflight(ngx_http_request_t *r);


#endif /* _NGX_SCALE_HANDLER_H_INCLUDED_ */
