
/*
 * Errors as clients see them: RFC 9457 problem details.  One table turns a
 * cause into status, type and Retry-After.
 *
 * An error ends in nginx's own special response, so that error_page can
 * reshape it; the filters here replace only the built-in HTML page.
 */

#ifndef _NGX_SCALE_PROBLEM_H_INCLUDED_
#define _NGX_SCALE_PROBLEM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_scale.h"


#define NGX_SCALE_MAX_VIOLATIONS  16


typedef struct {
    ngx_str_t               name;
    ngx_str_t               detail;
} ngx_scale_violation_t;


/*
 * All strings live in the request's pool.  "status", "title" and
 * "retry_after" are set only where they differ from the cause's own; "members"
 * is a JSON object, or empty.
 */

typedef struct {
    ngx_scale_cause_e       cause;
    ngx_uint_t              status;
    ngx_uint_t              retry_after;   /* seconds */
    ngx_str_t               title;
    ngx_str_t               detail;
    ngx_str_t               members;
    ngx_str_t               sqlstate;
    ngx_str_t               shards;        /* JSON: those that failed */
    ngx_str_t               allow;
    ngx_str_t               challenge;     /* of the cause, where empty */
    ngx_str_t               etag;          /* of what is there instead */
    ngx_uint_t              element;       /* of a batch, from 1; or 0 */
    ngx_uint_t              nviolations;
    ngx_scale_violation_t  *violations;    /* NULL: none */
} ngx_scale_problem_t;


/*
 * Adds a parameter's violation; the first one decides the cause.  More than
 * NGX_SCALE_MAX_VIOLATIONS are dropped.  "detail" must outlive the request.
 * NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_problem_violation(ngx_pool_t *pool,
    ngx_scale_problem_t *p, ngx_scale_cause_e cause, ngx_str_t *name,
    const char *detail);

ngx_uint_t ngx_scale_problem_status(ngx_scale_problem_t *p);
void ngx_scale_problem_title(ngx_scale_problem_t *p, ngx_uint_t status,
    ngx_str_t *title);

/* what is true of all problems of a cause: its status, and what it says */
ngx_uint_t ngx_scale_problem_of(ngx_scale_cause_e cause, ngx_str_t *type,
    ngx_str_t *detail);

/* the violations as a JSON array; NGX_ERROR when memory is out */
ngx_int_t ngx_scale_problem_fields(ngx_pool_t *pool, ngx_scale_problem_t *p,
    ngx_str_t *json);

/*
 * Sets Allow, ETag, Retry-After and WWW-Authenticate as the cause demands and
 * returns the status to finalize the request with.
 */
ngx_int_t ngx_scale_problem_prepare(ngx_http_request_t *r,
    ngx_scale_problem_t *p);

/*
 * The document.  "p" may be NULL for an error of nginx's own; "status" is the
 * one that goes out.
 */
ngx_buf_t *ngx_scale_problem_body(ngx_http_request_t *r,
    ngx_scale_problem_t *p, ngx_uint_t status, ngx_str_t *route);


#endif /* _NGX_SCALE_PROBLEM_H_INCLUDED_ */
