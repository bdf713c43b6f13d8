
/*
 * A successful answer on its way out.  Conditional requests (If-None-Match),
 * ranges and compression are nginx's own filters' business.
 */

#ifndef _NGX_SCALE_RESPONSE_H_INCLUDED_
#define _NGX_SCALE_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_scale.h"
#include "http/request.h"


/*
 * "fields" are response fields named by the row's "http:..." columns; one that
 * nginx or this module sets itself, or that holds CR or LF, is refused with a
 * log line.  "etag" is the quoted validator, or empty.  "body" may be NULL.
 */

typedef struct {
    ngx_uint_t      status;
    ngx_uint_t      representation;     /* NGX_SCALE_REPR_... */
    ngx_str_t      *type;               /* instead; or NULL, or empty */
    ngx_str_t       etag;
    time_t          modified;           /* 0: not known */
    ngx_array_t    *fields;             /* of ngx_keyval_t, or NULL */
    ngx_chain_t    *body;
    off_t           length;
    ngx_str_t       vary;               /* or empty */
    ngx_str_t       cache_control;      /* unless a field says it; or empty */
} ngx_scale_response_t;


/* returns what ngx_http_finalize_request() takes */
ngx_int_t ngx_scale_response_send(ngx_http_request_t *r,
    ngx_scale_response_t *response);

/*
 * A response that comes in parts: "body" and "length" are not used.  begin()
 * sends the header; NGX_OK: parts may follow, NGX_DONE: none, the header is
 * all, as for HEAD; else what ngx_http_finalize_request() takes.
 *
 * part() hands over "data", which must stay as it is while "buf" has some of
 * it: NGX_OK: it was taken; NGX_AGAIN: the client is busy, and the request's
 * write_event_handler asks continue() in the end; else as begin().  The last
 * part is followed by ngx_http_finalize_request() with what it returned.
 *
 * abort() comes before an ngx_http_finalize_request() with NGX_ERROR: the
 * client must notice that something is missing.
 */

ngx_int_t ngx_scale_response_begin(ngx_http_request_t *r,
    ngx_scale_response_t *response);
ngx_int_t ngx_scale_response_part(ngx_http_request_t *r, ngx_buf_t *buf,
    ngx_str_t *data, ngx_uint_t last);
ngx_int_t ngx_scale_response_continue(ngx_http_request_t *r, ngx_buf_t *buf);
void ngx_scale_response_abort(ngx_http_request_t *r);

/*
 * The value of a Link field with rel="next" (RFC 8288): the request's own URI
 * with "after" for its argument of that name.  NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_response_next(ngx_http_request_t *r, ngx_str_t *after,
    ngx_str_t *link);

/*
 * A time as PostgreSQL writes it in UTC ("2026-01-31 12:00:00.5+00"), without
 * its fraction; 0: it is none.
 */
time_t ngx_scale_response_time(ngx_str_t *text);

/* a version as a strong validator; NGX_DECLINED: it has other characters */
ngx_int_t ngx_scale_response_version(ngx_pool_t *pool, ngx_str_t *version,
    ngx_str_t *etag);

/* one more field; the strings must live as long.  NGX_ERROR: memory */
ngx_int_t ngx_scale_response_add(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/* one more name in Vary */
ngx_int_t ngx_scale_response_vary(ngx_http_request_t *r, ngx_str_t *name);

/* a strong validator of the bytes, quoted, into the request's pool */
ngx_int_t ngx_scale_response_etag(ngx_pool_t *pool, ngx_str_t *body,
    ngx_str_t *etag);


#endif /* _NGX_SCALE_RESPONSE_H_INCLUDED_ */
