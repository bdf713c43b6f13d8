
/*
 * scale_aws_sign: what proxy_pass sends is signed as it leaves, so that the
 * signature is of what is sent, whatever made it so.
 */

#ifndef _NGX_SCALE_SIGNED_H_INCLUDED_
#define _NGX_SCALE_SIGNED_H_INCLUDED_


#include "ngx_scale_credentials.h"
#include "http/context.h"


struct ngx_scale_signer_s {
    ngx_scale_credentials_t     *credentials;
    ngx_scale_aws_scope_t        scope;      /* its key is the worker's */
    ngx_scale_place_in_conf_t    place;
    unsigned                     s3:1;
    unsigned                     unsigned_payload:1;
};


/* ngx_scale_signed_conf.c */

char *ngx_scale_signed_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* puts itself before the location's content handler */
char *ngx_scale_signed_merge(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf);


/* ngx_scale_signed.c: the content handler, instead of proxy_pass's own */
ngx_int_t ngx_scale_signed_handler(ngx_http_request_t *r);


/*
 * ngx_scale_signed_wire.c: a request as it would be sent becomes one that is
 * signed.  NGX_DECLINED: it is no HTTP/1 request, or its path is none of S3.
 */
ngx_int_t ngx_scale_signed_wire(ngx_http_request_t *r,
    ngx_scale_signer_t *signer, ngx_chain_t **request);


#endif /* _NGX_SCALE_SIGNED_H_INCLUDED_ */
