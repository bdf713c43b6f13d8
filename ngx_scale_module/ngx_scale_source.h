
/* what the source of a parameter says of its values */

#ifndef _NGX_SCALE_SOURCE_H_INCLUDED_
#define _NGX_SCALE_SOURCE_H_INCLUDED_


#include "ngx_scale_conf.h"


/*
 * The index of the variable that the expression is; NGX_DECLINED: it is more
 * than that.
 */
ngx_int_t ngx_scale_source_variable(ngx_conf_t *cf, ngx_str_t *expression);

/*
 * Takes the name of the first "$name" or "${name}" off "rest"; it may be
 * empty.  NGX_DONE: there is none.
 */
ngx_int_t ngx_scale_source_next(ngx_str_t *rest, ngx_str_t *name);

/*
 * The variable is a part of the URL, or a capture of it by the location that
 * is merged now or by its server's name.
 */
ngx_uint_t ngx_scale_source_is_url(ngx_conf_t *cf, ngx_str_t *variable);

/*
 * The request field that the variable is, "Cookie" of each cookie's.
 * NGX_DECLINED: it is none; NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_source_field(ngx_pool_t *pool, ngx_str_t *variable,
    ngx_str_t *field);

/*
 * Adds the request fields that the parameter comes from to an array of
 * ngx_str_t, each once, and none that is_open() excludes.
 */
ngx_int_t ngx_scale_source_list_fields(ngx_pool_t *pool,
    ngx_scale_param_t *param, ngx_array_t *fields);

/* Vary may name the field: it does not say who asks */
ngx_uint_t ngx_scale_source_is_open(ngx_str_t *field);

/* clients send it in a field, so it may be a secret */
ngx_uint_t ngx_scale_source_is_private(ngx_scale_param_t *param);

/* requests of one path all have the same */
ngx_uint_t ngx_scale_source_is_path(ngx_scale_param_t *param);


#endif /* _NGX_SCALE_SOURCE_H_INCLUDED_ */
