
/*
 * scale_object_store: where objects are, and what clients are given to send or
 * fetch them there themselves.
 */

#ifndef _NGX_SCALE_OBJECT_H_INCLUDED_
#define _NGX_SCALE_OBJECT_H_INCLUDED_


#include "ngx_scale_credentials.h"
#include "ngx_scale_flow.h"


struct ngx_scale_objects_s {
    ngx_str_t                    name;
    ngx_scale_place_in_conf_t    place;
    ngx_str_t                    endpoint;   /* "https://host:port" */
    ngx_str_t                    bucket;
    ngx_scale_credentials_t     *credentials;
    ngx_flag_t                   path_style;
    ngx_scale_aws_scope_t        scope;      /* its key is the worker's */
    ngx_str_t                    base;       /* of URLs, without the path */
    ngx_str_t                    host;       /* as it is signed */
    ngx_str_t                    prefix;     /* "/bucket" of a path, or "" */
};


/* a parameter of an upload: its name as written, and where its value is */

typedef struct {
    ngx_str_t                    name;       /* empty: none */
    ngx_uint_t                   index;
} ngx_scale_presign_param_t;

struct ngx_scale_presign_s {
    ngx_str_t                    name;
    ngx_str_t                    store_name;
    ngx_scale_objects_t         *store;
    ngx_scale_place_in_conf_t    place;
    ngx_uint_t                   method;     /* NGX_HTTP_... */
    ngx_scale_key_t              key;
    time_t                       expires;
    off_t                        max;        /* bytes; 0: no limit */
    ngx_array_t                 *types;      /* of ngx_str_t; NULL: any */
    ngx_scale_presign_param_t    type;
    ngx_scale_presign_param_t    length;
    unsigned                     once:1;     /* what is there stays */
};


/* ngx_scale_object.c */

char *ngx_scale_object_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* NULL: there is none */
ngx_scale_objects_t *ngx_scale_object_find(ngx_scale_main_conf_t *main,
    ngx_str_t *name);


/* ngx_scale_presign_conf.c */

char *ngx_scale_presign_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * ngx_scale_presign.c: a parameter's value, of those that it depends on.
 * NGX_DECLINED: the request asks for what may not be, "reason" says of which
 * parameter and why.
 */
ngx_int_t ngx_scale_presign_value(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_scale_raw_t *raw,
    ngx_scale_declared_t **culprit, const char **reason);


/* ngx_scale_verified.c: a location that takes only what is signed for it */

char *ngx_scale_verified_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* inner levels have it, too */
char *ngx_scale_verified_merge(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf);

/* in the access phase */
ngx_int_t ngx_scale_verified_access(ngx_http_request_t *r);


#endif /* _NGX_SCALE_OBJECT_H_INCLUDED_ */
