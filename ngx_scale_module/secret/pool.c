
/* a pool that leaves nothing behind; how it is made is in ngx_palloc.c */

#include "secret/secret.h"
#include <malloc.h>


static ngx_pool_cleanup_t **ngx_scale_secret_find(ngx_pool_t *pool);
static void ngx_scale_secret_wipe(void *data);
static ngx_pool_large_t *ngx_scale_secret_wipe_large(ngx_pool_t *pool,
    void *own);


ngx_int_t
ngx_scale_secret_pool(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  *cln, **last;

    last = ngx_scale_secret_find(pool);

    if (*last) {
        return NGX_OK;
    }

    cln = ngx_palloc(pool, sizeof(ngx_pool_cleanup_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_scale_secret_wipe;
    cln->data = pool;
    cln->next = NULL;

    *last = cln;

    return NGX_OK;
}


ngx_uint_t
ngx_scale_secret_is(ngx_pool_t *pool)
{
    return *ngx_scale_secret_find(pool) != NULL;
}


/*
 * Where the entry is, or where it belongs: the last of the list runs last, and
 * others may need what is in the pool.
 */

static ngx_pool_cleanup_t **
ngx_scale_secret_find(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  **cln;

    for (cln = &pool->cleanup; *cln; cln = &(*cln)->next) {
        if ((*cln)->handler == ngx_scale_secret_wipe) {
            break;
        }
    }

    return cln;
}


/*
 * ngx_destroy_pool() still needs the headers of the blocks, and the "next" of
 * this handler's own entry, which is zero afterwards as it was before.
 */

static void
ngx_scale_secret_wipe(void *data)
{
    ngx_pool_t *pool = data;

    u_char              *start;
    ngx_pool_t          *p;
    ngx_pool_large_t    *own;
    ngx_pool_cleanup_t  *cln;

    cln = *ngx_scale_secret_find(pool);
    own = ngx_scale_secret_wipe_large(pool, cln);

    /* the log may be in the pool */

    pool->log = ngx_cycle->log;
    pool->large = own;

    for (p = pool; p; p = p->d.next) {
        start = (u_char *) p + (p == pool ? sizeof(ngx_pool_t)
                                          : sizeof(ngx_pool_data_t));

        ngx_explicit_memzero(start, p->d.last - start);
    }

    if (own) {
        own->alloc = cln;
    }
}


/*
 * They are freed here, since the list of them is wiped, too.  The entry is one
 * of them where NGX_DEBUG_PALLOC makes everything large: it is kept.
 */

static ngx_pool_large_t *
ngx_scale_secret_wipe_large(ngx_pool_t *pool, void *own)
{
    ngx_pool_large_t  *large, *kept;

    kept = NULL;

    for (large = pool->large; large; large = large->next) {

        if (large->alloc == own) {
            kept = large;
            continue;
        }

        if (large->alloc) {
            ngx_explicit_memzero(large->alloc,
                                 malloc_usable_size(large->alloc));
            ngx_free(large->alloc);
        }
    }

    return kept;
}
