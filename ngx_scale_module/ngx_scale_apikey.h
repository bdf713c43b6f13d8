
/*
 * API keys: a client is whoever has the key whose SHA-256 a statement finds.
 * The key itself goes nowhere; what the statement says of its hash is cached
 * as the GET of a route is, whose one parameter is :hash.
 */

#ifndef _NGX_SCALE_APIKEY_H_INCLUDED_
#define _NGX_SCALE_APIKEY_H_INCLUDED_


#include "ngx_scale_auth.h"


typedef struct {
    ngx_scale_auth_block_t       block;      /* the first part */
    ngx_scale_loc_conf_t        *route;      /* GET is "query" */
    ngx_str_t                    header;     /* empty: "key", or Bearer */
    ngx_http_complex_value_t    *value;      /* or NULL */
} ngx_scale_apikey_t;


/* ngx_scale_apikey_conf.c: the block scale_key, and when all are known */

char *ngx_scale_apikey_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_apikey_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main);


/* ngx_scale_apikey.c: the step that finds who asks, if it is by a key */

ngx_int_t ngx_scale_apikey_step(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_apikey_expire(ngx_scale_flow_t *f);
void ngx_scale_apikey_release(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_APIKEY_H_INCLUDED_ */
