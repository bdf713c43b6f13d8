
/*
 * What a request brings: query arguments, the whole body, and what its
 * Accept and Content-Type fields ask for.
 */

#ifndef _NGX_SCALE_REQUEST_H_INCLUDED_
#define _NGX_SCALE_REQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_scale.h"


/* the media types of the representations */
extern ngx_str_t  ngx_scale_media[NGX_SCALE_NREPRS];


/*
 * The query argument "name", form-decoded (WHATWG URL, section 5.1: "+" is a
 * space) into the request's pool.  NGX_DECLINED: absent; NGX_BUSY: given more
 * than once; NGX_ABORT: a malformed percent sequence; NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_request_arg(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/*
 * The request header field "name", any case; fields repeated are joined with
 * ", " (RFC 9110, section 5.3).  NGX_DECLINED: absent.
 */
ngx_int_t ngx_scale_request_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/*
 * What Authorization has after "Bearer", of any case, and its spaces (RFC
 * 6750, section 2.1); it may be empty.  NGX_DECLINED: absent, or another
 * scheme.
 */
ngx_int_t ngx_scale_request_bearer(ngx_http_request_t *r, ngx_str_t *token);

/*
 * The one entity tag of If-Match, without its quotes (RFC 9110, section
 * 13.1.1).  A weak one counts as its strong one: it is what gzip makes of it.
 * NGX_DECLINED: absent, or "*"; NGX_ABORT: it is not one tag.
 */
ngx_int_t ngx_scale_request_if_match(ngx_http_request_t *r, ngx_str_t *tag);

/*
 * If-None-Match has the tag, and nginx will answer 304 for a response of 200
 * that has it: its body is not needed.
 */
ngx_uint_t ngx_scale_request_has_etag(ngx_http_request_t *r, ngx_str_t *etag);

/*
 * The body that nginx has read, in one piece: nginx's own buffer where it is
 * one, else a copy; a body in a temporary file is read from there.
 */
ngx_int_t ngx_scale_request_body(ngx_http_request_t *r, ngx_str_t *body);

/* Content-Type is application/json or any +json (RFC 6839) */
ngx_uint_t ngx_scale_request_is_json(ngx_http_request_t *r);

/*
 * The representation among the first "n" that Accept prefers (RFC 9110,
 * section 12.5.1); NGX_DECLINED: none of them.
 */
ngx_int_t ngx_scale_request_accept(ngx_http_request_t *r, ngx_uint_t n);

/* an nginx variable's value; NGX_DECLINED: it has none */
ngx_int_t ngx_scale_request_variable(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/* what it was sent to: "https" or "http", and the host as it was named */
void ngx_scale_request_origin(ngx_http_request_t *r, ngx_str_t *scheme,
    ngx_str_t *host);

/* its client has closed the connection, as far as is known */
ngx_uint_t ngx_scale_request_is_gone(ngx_http_request_t *r);

/* came it over TLS? */
ngx_uint_t ngx_scale_request_is_secure(ngx_http_request_t *r);


#endif /* _NGX_SCALE_REQUEST_H_INCLUDED_ */
