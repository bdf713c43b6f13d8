
/*
 * What the workers of one node agree on about a cache: which memcached are in
 * use, and the stamps that make the keys of a lost or returning one
 * unreachable.  It lives in shared memory (scale_zone); a new zone draws new
 * stamps, so that the cache begins cold rather than old.
 *
 * A node's state is one word, changed by compare-and-set only: a random stamp,
 * and in its lowest bit whether the node is out of use.  Who finds the word
 * unchanged at the end of a write knows that all readers went by the same.  A
 * worker killed at any point leaves nothing locked and nothing half-written.
 */

#ifndef _NGX_SCALE_ZONE_H_INCLUDED_
#define _NGX_SCALE_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_ZONE_NODES   64
#define NGX_SCALE_ZONE_CACHES  16


/* "signature" is of the servers that the newest configuration names */

typedef struct {
    ngx_atomic_t             signature;
    u_char                   name[64];
    ngx_atomic_t             nodes[NGX_SCALE_ZONE_NODES];
} ngx_scale_zone_cache_t;


typedef struct {
    ngx_uint_t               ncaches;
    ngx_scale_zone_cache_t   caches[NGX_SCALE_ZONE_CACHES];
} ngx_scale_zone_t;


#define ngx_scale_zone_is_out(word)  ((word) & 1)


/*
 * The record of a cache, made where it is new.  Other servers than before:
 * all stamps are drawn anew, and workers that go by the old configuration see
 * a foreign signature.  Called by the master only.  NULL: no room.
 */
ngx_scale_zone_cache_t *ngx_scale_zone_join(ngx_scale_zone_t *zone,
    ngx_str_t *name, uint64_t signature);

/* NGX_DECLINED: another worker was first */
ngx_int_t ngx_scale_zone_eject(ngx_scale_zone_cache_t *record,
    ngx_uint_t node);
ngx_int_t ngx_scale_zone_readmit(ngx_scale_zone_cache_t *record,
    ngx_uint_t node);

/* everything that is cached becomes unreachable */
void ngx_scale_zone_renew(ngx_scale_zone_cache_t *record);

/* 64 random bits of the kernel */
uint64_t ngx_scale_zone_random(void);


#endif /* _NGX_SCALE_ZONE_H_INCLUDED_ */
