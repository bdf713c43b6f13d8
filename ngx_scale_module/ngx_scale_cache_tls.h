
/* tls and auth_file, of the block scale_cache */

#ifndef _NGX_SCALE_CACHE_TLS_H_INCLUDED_
#define _NGX_SCALE_CACHE_TLS_H_INCLUDED_


#include "ngx_scale_conf.h"
#include "ngx_scale_block.h"


/* "block" is the ngx_scale_cache_conf_t */
char *ngx_scale_cache_tls_set(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
char *ngx_scale_cache_tls_auth(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);

/* when the block was read: a certificate that is verified has a name */
char *ngx_scale_cache_tls_names(ngx_conf_t *cf,
    ngx_scale_cache_store_t *store);


#endif /* _NGX_SCALE_CACHE_TLS_H_INCLUDED_ */
