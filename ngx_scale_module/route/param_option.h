
/*
 * The options of scale_param, which are read in their order and checked
 * together when all are known.
 */

#ifndef _NGX_SCALE_PARAM_OPTION_H_INCLUDED_
#define _NGX_SCALE_PARAM_OPTION_H_INCLUDED_


#include "route/type.h"
#include "route/fault.h"


typedef struct {
    ngx_pool_t          *pool;
    ngx_scale_param_t   *param;
    ngx_scale_type_t    *type;
    ngx_str_t           *error;
    ngx_str_t            def;
    ngx_uint_t           given;            /* a bit of every option */
} ngx_scale_param_ctx_t;


#define ngx_scale_param_fail(ctx, ...)                                        \
    ngx_scale_route_fault((ctx)->pool, (ctx)->error, __VA_ARGS__)

/* NGX_ERROR with ctx->error, as ngx_scale_param_parse() has it */
ngx_int_t ngx_scale_param_option(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *word);


#endif /* _NGX_SCALE_PARAM_OPTION_H_INCLUDED_ */
