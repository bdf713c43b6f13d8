
/*
 * The document of scale_openapi (OpenAPI 3.1), made once, when all routes are
 * known: what of them the configuration says.  Columns are PostgreSQL's, which
 * is asked for them later than that: a row is any object.
 */

#ifndef _NGX_SCALE_OPENAPI_H_INCLUDED_
#define _NGX_SCALE_OPENAPI_H_INCLUDED_


#include "ngx_scale_conf.h"


typedef struct {
    ngx_conf_t                  *cf;
    ngx_scale_json_doc_t        *doc;
    ngx_scale_loc_conf_t        *loc;        /* the route that is written */
    ngx_str_t                    path;       /* its template */
    ngx_array_t                  statuses;   /* of ngx_uint_t: of problems */
    unsigned                     basic:1;    /* schemes that are in use */
    unsigned                     bearer:1;
} ngx_scale_openapi_t;


/* ngx_scale_openapi.c: the documents of all locations that have one */
ngx_int_t ngx_scale_openapi_write(ngx_conf_t *cf, ngx_scale_main_conf_t *main);

/* ngx_scale_openapi_problem.c: which problems a method may have */
ngx_int_t ngx_scale_openapi_statuses(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m, ngx_array_t *statuses);
void ngx_scale_openapi_problems(ngx_scale_openapi_t *api,
    ngx_array_t *statuses);

/* of all methods: what those above refer to */
void ngx_scale_openapi_problem_schema(ngx_scale_openapi_t *api);
void ngx_scale_openapi_problem_responses(ngx_scale_openapi_t *api);

/* ngx_scale_openapi_route.c: what a path of one route may be asked */
ngx_int_t ngx_scale_openapi_route(ngx_scale_openapi_t *api);

/* ngx_scale_openapi_param.c: where a method's parameters are expected */
void ngx_scale_openapi_path_params(ngx_scale_openapi_t *api);
void ngx_scale_openapi_params(ngx_scale_openapi_t *api, ngx_scale_method_t *m);

/* ngx_scale_openapi_body.c: what of them is in the body */
void ngx_scale_openapi_body(ngx_scale_openapi_t *api, ngx_scale_method_t *m);

/* ngx_scale_openapi_schema.c: a value; nullable: null stands for none */
void ngx_scale_openapi_schema(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_scale_param_t *param, ngx_uint_t nullable);


#endif /* _NGX_SCALE_OPENAPI_H_INCLUDED_ */
