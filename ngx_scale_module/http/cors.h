
/*
 * Pages of other origins (Fetch, section 3.2 "CORS protocol"): which may send
 * requests, and read what they are answered.
 */

#ifndef _NGX_SCALE_CORS_H_INCLUDED_
#define _NGX_SCALE_CORS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/context.h"


/* lists are fields' values, as they are sent */

struct ngx_scale_cors_s {
    ngx_array_t      origins;           /* of ngx_str_t; not of "any" */
    ngx_str_t        methods;
    ngx_str_t        headers;           /* that a request may have */
    ngx_str_t        exposed;           /* that a page may read */
    ngx_str_t        max_age;           /* of a preflight's answer */
    unsigned         any:1;
    unsigned         credentials:1;
};


/* a browser asks whether it may send a request */
ngx_uint_t ngx_scale_cors_is_preflight(ngx_http_request_t *r);

/* adds to a response, whatever it is; NGX_ERROR: memory */
ngx_int_t ngx_scale_cors_add(ngx_http_request_t *r, ngx_scale_cors_t *cors);


#endif /* _NGX_SCALE_CORS_H_INCLUDED_ */
