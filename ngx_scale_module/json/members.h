
/*
 * The names of the members of all objects that are open.  "few" needs no
 * memory and is enough for most bodies.
 */

#ifndef _NGX_SCALE_MEMBERS_H_INCLUDED_
#define _NGX_SCALE_MEMBERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_JSON_FEW  32

typedef struct {
    ngx_str_t                  name;       /* decoded */
    uint32_t                   hash;
    uint32_t                   next;
} ngx_scale_json_name_t;

typedef struct {
    ngx_pool_t                *pool;
    uint64_t                   key[2];
    ngx_scale_json_name_t     *entries;
    uint32_t                  *buckets;
    uint32_t                   size;       /* of both, a power of two */
    uint32_t                   n;
    ngx_scale_json_name_t      few[NGX_SCALE_JSON_FEW];
    uint32_t                   few_buckets[NGX_SCALE_JSON_FEW];
} ngx_scale_json_names_t;

void ngx_scale_json_names_init(ngx_scale_json_names_t *names,
    ngx_pool_t *pool, uint32_t seed);
void ngx_scale_json_names_done(ngx_scale_json_names_t *names);

/*
 * Adds a name to the object whose first name was entry "base"; NGX_DECLINED:
 * the object has it; NGX_ERROR: memory.  drop() ends the object.
 */
ngx_int_t ngx_scale_json_names_add(ngx_scale_json_names_t *names,
    uint32_t base, ngx_str_t *name);
void ngx_scale_json_names_drop(ngx_scale_json_names_t *names, uint32_t base);


#endif /* _NGX_SCALE_MEMBERS_H_INCLUDED_ */
