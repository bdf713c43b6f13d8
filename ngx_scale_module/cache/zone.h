
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
 *
 * A name may stand for another address in one worker before it does in the
 * others, and what is there may hold values of long ago.  So each word goes
 * with one address, and only workers that are at that address use the node:
 * the seal is the address, made unreadable under any other word.  Who finds
 * it so may claim the word for an address, once.  Since words never come
 * again, neither do seals, and a claim that comes late seals nothing.
 */

#ifndef _NGX_SCALE_ZONE_H_INCLUDED_
#define _NGX_SCALE_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_ZONE_NODES   64
#define NGX_SCALE_ZONE_CACHES  16


/*
 * "signature" is of the servers that the newest configuration names; "faults"
 * is what they said of themselves (greeting.h), "others" whether another nginx
 * has claimed them, "asked" when that was looked at (owner.c).
 */

typedef struct {
    ngx_atomic_t             signature;
    u_char                   name[64];
    ngx_atomic_t             nodes[NGX_SCALE_ZONE_NODES];
    ngx_atomic_t             seals[NGX_SCALE_ZONE_NODES];
    ngx_atomic_t             faults[NGX_SCALE_ZONE_NODES];
    ngx_atomic_t             others[NGX_SCALE_ZONE_NODES];
    ngx_atomic_t             asked;
} ngx_scale_zone_cache_t;


typedef struct {
    ngx_uint_t               ncaches;
    ngx_scale_zone_cache_t   caches[NGX_SCALE_ZONE_CACHES];
} ngx_scale_zone_t;


#define ngx_scale_zone_is_out(word)  ((word) & 1)


/*
 * The record of a cache, made where it is new.  Other servers than before:
 * all stamps are drawn anew, and workers that go by the old configuration see
 * a foreign signature.  What is wrong with the servers is looked at anew.
 * Called by the master only.  NULL: no room.
 */
ngx_scale_zone_cache_t *ngx_scale_zone_join(ngx_scale_zone_t *zone,
    ngx_str_t *name, uint64_t signature);

/* an address as seals have it, of its text; never 0 */
uint64_t ngx_scale_zone_address(ngx_str_t *text);

/* the address that goes with the node's "word"; 0: none yet */
uint64_t ngx_scale_zone_sealed(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t word);

/* from now on "word" goes with the address, unless it has one */
void ngx_scale_zone_claim(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t word, uint64_t address);

/* NGX_DECLINED: another worker was first */
ngx_int_t ngx_scale_zone_eject(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t address);
ngx_int_t ngx_scale_zone_readmit(ngx_scale_zone_cache_t *record,
    ngx_uint_t node, uint64_t address);

/* out of use, until it answers at the address */
void ngx_scale_zone_move(ngx_scale_zone_cache_t *record, ngx_uint_t node,
    uint64_t address);

/*
 * everything that is cached, or of one node, becomes unreachable; who is out of
 * use stays so
 */
void ngx_scale_zone_renew(ngx_scale_zone_cache_t *record);
void ngx_scale_zone_renew_node(ngx_scale_zone_cache_t *record,
    ngx_uint_t node);

/* 64 random bits of the kernel */
uint64_t ngx_scale_zone_random(void);


#endif /* _NGX_SCALE_ZONE_H_INCLUDED_ */
