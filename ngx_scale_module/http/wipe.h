
/*
 * What a client sends as its own, a cookie, credentials or a body, is not left
 * in memory that is free: nginx keeps none of its buffers clean.
 */

#ifndef _NGX_SCALE_WIPE_H_INCLUDED_
#define _NGX_SCALE_WIPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the worker's: what is wiped when the events of a turn are done */

typedef struct {
    ngx_event_t      event;
    u_char          *received;       /* by HTTP/2, of all connections */
    size_t           size;
} ngx_scale_wipe_t;


void ngx_scale_wipe_init(ngx_scale_wipe_t *wipe, ngx_log_t *log);

/* has it a body, or a field that is known to identify its client? */
ngx_uint_t ngx_scale_wipe_is_due(ngx_http_request_t *r);

/*
 * The request's pool and the buffers its fields are in are wiped when it has
 * been logged; its connection's when that is closed.  NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_wipe_request(ngx_http_request_t *r,
    ngx_scale_wipe_t *wipe);


#endif /* _NGX_SCALE_WIPE_H_INCLUDED_ */
