
/*
 * Who asks.  A step per kind, before the body is read, finds an identity where
 * the method asks for that kind, and leaves it in f->who; what is there and
 * false it refuses.  The last step judges whether what was found will do.
 */

#ifndef _NGX_SCALE_AUTH_H_INCLUDED_
#define _NGX_SCALE_AUTH_H_INCLUDED_


#include "ngx_scale_flow.h"


/* ngx_scale_auth_conf.c */

char *ngx_scale_auth_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * What each method asks for, of scale_auth and of the parameters it needs, and
 * that there is a block of each such kind; errors are logged.  When all their
 * parameters are known.
 */
char *ngx_scale_auth_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc);

/* the block of a kind is loc->by[kind], or it is said that there is none */
char *ngx_scale_auth_use(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_uint_t kind,
    ngx_scale_place_in_conf_t *place);

/* of a name, of a parameter's source; NGX_SCALE_AUTH_NKINDS: of none */
ngx_uint_t ngx_scale_auth_named(ngx_str_t *name);
ngx_uint_t ngx_scale_auth_kind(ngx_scale_source_e source);
ngx_scale_source_e ngx_scale_auth_source(ngx_uint_t kind);


/* the method asks for this kind, whose block is f->loc->by[kind] */
#define ngx_scale_auth_asks(f, kind)                                          \
    ((f)->method->asks & ngx_scale_auth_bit(kind))

/* ngx_scale_auth.c: the step that judges */
ngx_int_t ngx_scale_auth_step(ngx_scale_flow_t *f);

/* what a parameter takes of who asks */
void ngx_scale_auth_member(ngx_scale_param_t *param, ngx_scale_raw_t *member,
    ngx_scale_raw_t *raw);

/* what stands for all that was found, of no secret; NGX_DECLINED: nobody */
ngx_int_t ngx_scale_auth_identity(ngx_scale_flow_t *f, ngx_str_t *text);


#endif /* _NGX_SCALE_AUTH_H_INCLUDED_ */
