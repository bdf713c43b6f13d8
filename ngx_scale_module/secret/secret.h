
/*
 * What is remembered, and should not be found: memory that no core dump has,
 * pools that are wiped when they are destroyed, and what OpenSSL keeps of what
 * it has decrypted.
 */

#ifndef _NGX_SCALE_SECRET_H_INCLUDED_
#define _NGX_SCALE_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Zeroed pages of their own, MADV_DONTDUMP (madvise(2)), also in children;
 * wiped with the pool.  For the few values that are needed as long as a
 * process lives.  NULL: memory, which is logged.
 */
void *ngx_scale_secret_alloc(ngx_pool_t *pool, size_t size);

/*
 * All that is in the pool when it is destroyed is overwritten, after its other
 * cleanup handlers have run.  Once or again is the same.  NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_secret_pool(ngx_pool_t *pool);

/* is it such a pool? */
ngx_uint_t ngx_scale_secret_is(ngx_pool_t *pool);

/* an SSL_CTX, whose connections overwrite what they have handed on */
void ngx_scale_secret_tls(void *ctx);


#endif /* _NGX_SCALE_SECRET_H_INCLUDED_ */
