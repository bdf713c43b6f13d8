
/*
 * Memory for yajl, which uses what its allocator returns without a look: all
 * that a body may need is reserved before it starts.
 */

#include "json/arena.h"


/*
 * Two buffers of 2K that double until a string fits (a copy of each size may
 * stay behind, in all less than four times the string), a stack that grows by
 * 128 bytes for as many levels, and a few structures.
 */

#define NGX_SCALE_JSON_ARENA  (16 * 1024)


static void *ngx_scale_json_arena_alloc(void *ctx, size_t size);
static void *ngx_scale_json_arena_realloc(void *ctx, void *old, size_t size);
static void ngx_scale_json_arena_free(void *ctx, void *p);


ngx_int_t
ngx_scale_json_arena_init(ngx_scale_json_arena_t *arena, ngx_pool_t *pool,
    size_t body)
{
    size_t  size;

    size = 4 * body + NGX_SCALE_JSON_ARENA;

    arena->start = ngx_palloc(pool, size);
    if (arena->start == NULL) {
        return NGX_ERROR;
    }

    arena->pool = pool;
    arena->pos = arena->start;
    arena->end = arena->start + size;

    arena->funcs.malloc = ngx_scale_json_arena_alloc;
    arena->funcs.realloc = ngx_scale_json_arena_realloc;
    arena->funcs.free = ngx_scale_json_arena_free;
    arena->funcs.ctx = arena;

    return NGX_OK;
}


void
ngx_scale_json_arena_done(ngx_scale_json_arena_t *arena)
{
    ngx_explicit_memzero(arena->start, arena->pos - arena->start);

    ngx_pfree(arena->pool, arena->start);
}


/* realloc() is not told the old size, so a block begins with it */

static void *
ngx_scale_json_arena_alloc(void *ctx, size_t size)
{
    ngx_scale_json_arena_t *arena = ctx;

    ngx_scale_json_block_t  *block;

    size = ngx_align(size, sizeof(ngx_scale_json_block_t));
    block = (ngx_scale_json_block_t *) arena->pos;

    if ((size_t) (arena->end - arena->pos) < size + sizeof(*block)) {

        /* more than any known version takes */

        block = ngx_palloc(arena->pool, size + sizeof(*block));
        if (block == NULL) {
            return NULL;
        }

    } else {
        arena->pos += size + sizeof(*block);
    }

    block->size = size;

    return block + 1;
}


static void *
ngx_scale_json_arena_realloc(void *ctx, void *old, size_t size)
{
    void                    *p;
    ngx_scale_json_block_t  *block;

    p = ngx_scale_json_arena_alloc(ctx, size);

    if (p != NULL && old != NULL) {
        block = (ngx_scale_json_block_t *) old - 1;
        ngx_memcpy(p, old, ngx_min(block->size, size));
    }

    return p;
}


/* everything goes at once */

static void
ngx_scale_json_arena_free(void *ctx, void *p)
{
    (void) ctx;
    (void) p;
}
