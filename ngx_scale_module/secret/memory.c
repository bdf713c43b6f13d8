
#include "secret/secret.h"
#include <sys/mman.h>


typedef struct {
    void      *start;
    size_t     size;
} ngx_scale_secret_pages_t;


static void ngx_scale_secret_free(void *data);


void *
ngx_scale_secret_alloc(ngx_pool_t *pool, size_t size)
{
    void                      *start;
    ngx_pool_cleanup_t        *cln;
    ngx_scale_secret_pages_t  *pages;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_scale_secret_pages_t));
    if (cln == NULL) {
        return NULL;
    }

    size = ngx_align(size, ngx_pagesize);

    start = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS,
                 -1, 0);
    if (start == MAP_FAILED) {
        ngx_log_error(NGX_LOG_ALERT, pool->log, ngx_errno, "mmap() failed");
        return NULL;
    }

#ifdef MADV_DONTDUMP

    if (madvise(start, size, MADV_DONTDUMP) == -1) {
        ngx_log_error(NGX_LOG_WARN, pool->log, ngx_errno,
                      "madvise(MADV_DONTDUMP) failed; a core dump would have "
                      "secrets in it, so write \"worker_rlimit_core 0;\"");
    }

#endif

    pages = cln->data;
    pages->start = start;
    pages->size = size;

    cln->handler = ngx_scale_secret_free;

    return start;
}


static void
ngx_scale_secret_free(void *data)
{
    ngx_scale_secret_pages_t  *pages = data;

    ngx_explicit_memzero(pages->start, pages->size);

    (void) munmap(pages->start, pages->size);
}
