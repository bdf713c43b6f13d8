
/*
 * TLS towards memcached, on nginx's own layer (ngx_event_openssl.c).  A
 * context is made when the configuration is read and shared by the workers.
 */

#ifndef _NGX_SCALE_MEMC_TLS_H_INCLUDED_
#define _NGX_SCALE_MEMC_TLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_scale_memc_tls_s  ngx_scale_memc_tls_t;


/* full paths, NUL-terminated, or empty */

typedef struct {
    ngx_str_t        ca;         /* empty: the system's */
    ngx_str_t        cert;       /* our own, if the server wants one */
    ngx_str_t        key;
    unsigned         verify:1;
} ngx_scale_memc_tls_conf_t;


/*
 * NGX_DECLINED: "error" (of the pool) says what is wrong, and with which
 * file; NGX_ERROR: memory.  It is freed with the pool.
 */
ngx_int_t ngx_scale_memc_tls_create(ngx_pool_t *pool,
    ngx_scale_memc_tls_conf_t *conf, ngx_scale_memc_tls_t **tls,
    ngx_str_t *error);

/*
 * The files anew, for connections that are not made yet; what was wrong with
 * them, as above, leaves all as it is.
 */
ngx_int_t ngx_scale_memc_tls_renew(ngx_scale_memc_tls_t *tls, ngx_pool_t *pool,
    ngx_str_t *error);


#endif /* _NGX_SCALE_MEMC_TLS_H_INCLUDED_ */
