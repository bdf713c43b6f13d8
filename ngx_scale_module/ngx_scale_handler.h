
/* what nginx calls for a route: its content, and what comes before it */

#ifndef _NGX_SCALE_HANDLER_H_INCLUDED_
#define _NGX_SCALE_HANDLER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_scale_handler(ngx_http_request_t *r);

/* at the end of http{}: what comes before */
ngx_int_t ngx_scale_handler_add(ngx_conf_t *cf);


#endif /* _NGX_SCALE_HANDLER_H_INCLUDED_ */
