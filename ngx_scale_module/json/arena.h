
/*
 * yajl's memory for one body, which must outlive the parser.
 */

#ifndef _NGX_SCALE_ARENA_H_INCLUDED_
#define _NGX_SCALE_ARENA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <yajl/yajl_common.h>


typedef struct {
    size_t               size;
    size_t               unused;           /* for alignment */
} ngx_scale_json_block_t;

typedef struct {
    yajl_alloc_funcs     funcs;
    ngx_pool_t          *pool;
    u_char              *start;
    u_char              *pos;
    u_char              *end;
} ngx_scale_json_arena_t;

ngx_int_t ngx_scale_json_arena_init(ngx_scale_json_arena_t *arena,
    ngx_pool_t *pool, size_t body);
void ngx_scale_json_arena_done(ngx_scale_json_arena_t *arena);


#endif /* _NGX_SCALE_ARENA_H_INCLUDED_ */
