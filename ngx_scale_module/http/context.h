
/*
 * What one request is remembered by: set by the flow, read by the filters
 * and the variables.  It survives error_page, which clears module contexts.
 */

#ifndef _NGX_SCALE_CONTEXT_H_INCLUDED_
#define _NGX_SCALE_CONTEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_scale.h"
#include "http/problem.h"


typedef struct {
    ngx_scale_problem_t    *problem;        /* NULL: no error of ours */
    ngx_str_t               route;
    ngx_str_t               cache_status;   /* static text, or empty */
    ngx_str_t               db_server;
    ngx_str_t               db_role;
    ngx_str_t               shard;          /* its name, or "*" */
    ngx_int_t               db_time;        /* microseconds, -1: none */
    ngx_int_t               cache_time;     /* microseconds, -1: none */
    ngx_array_t            *row;            /* of ngx_keyval_t, or NULL */
    ngx_buf_t              *page;           /* replaces nginx's error page */
} ngx_scale_ctx_t;


typedef struct ngx_scale_cors_s  ngx_scale_cors_t;


/* the part of a location's configuration that this room reads */

typedef struct {
    ngx_str_t               route;
    ngx_flag_t              enabled;
    ngx_scale_cors_t       *cors;           /* NULL: of this origin only */
    ngx_uint_t              shared;         /* answers may be kept by others */
} ngx_scale_http_loc_t;


extern ngx_module_t  ngx_scale_module;


/*
 * Makes the request's context, "size" bytes of which ngx_scale_ctx_t is the
 * first part.  "done" (may be NULL) is called once, when the request ends,
 * and must not use the connection.  NULL when memory is out.
 */
ngx_scale_ctx_t *ngx_scale_ctx_create(ngx_http_request_t *r, size_t size,
    ngx_pool_cleanup_pt done);

/* NULL where no context was made */
ngx_scale_ctx_t *ngx_scale_ctx_get(ngx_http_request_t *r);


/* to be called at preconfiguration and postconfiguration */

ngx_int_t ngx_scale_variables_add(ngx_conf_t *cf);

/* $scale_uuid, and $scale_json_... of any other; at preconfiguration */
ngx_int_t ngx_scale_made_variables_add(ngx_conf_t *cf);

/* a table that ends with ngx_http_null_variable */
ngx_int_t ngx_scale_variables_add_table(ngx_conf_t *cf,
    ngx_http_variable_t *table);

ngx_int_t ngx_scale_filter_init(ngx_conf_t *cf);


#endif /* _NGX_SCALE_CONTEXT_H_INCLUDED_ */
