
/*
 * private to the policy: cache.c, flight.c, mark.c, tier.c, check.c, owner.c
 */

#ifndef _NGX_SCALE_CACHE_INT_H_INCLUDED_
#define _NGX_SCALE_CACHE_INT_H_INCLUDED_


#include "cache/cache.h"
#include "cache/key.h"
#include "cache/local.h"
#include "cache/memc.h"
#include "cache/ring.h"


/* F of CONSISTENCY: what an item is */

#define NGX_SCALE_CACHE_STUB       0
#define NGX_SCALE_CACHE_VALUE      1
#define NGX_SCALE_CACHE_PENDING    2
#define NGX_SCALE_CACHE_NEGATIVE   3

/* seconds a filler may take before another one may win */
#define NGX_SCALE_CACHE_LEASE      12

/* seconds; a tag that expires invalidates only */
#define NGX_SCALE_CACHE_TAG_TTL    604800


typedef struct ngx_scale_owner_s  ngx_scale_owner_t;


typedef struct {
    ngx_scale_cache_t           *cache;
    ngx_scale_cache_server_t    *server;
    ngx_scale_memc_t            *memc;
    ngx_uint_t                   index;
    uint64_t                     address;    /* 0: not yet known */

    ngx_scale_memc_greeting_t    greeting;
    ngx_scale_memc_op_t          probe;
    ngx_uint_t                   misses;     /* in a row */
    ngx_uint_t                   answers;
    unsigned                     asking:1;
    unsigned                     doubted:1;  /* probed until it answers */
    unsigned                     unsealed:1; /* it was, at the last tick */
} ngx_scale_cache_node_t;


struct ngx_scale_cache_s {
    ngx_scale_cache_conf_t      *conf;
    ngx_scale_zone_cache_t      *record;
    uint64_t                     signature;
    ngx_scale_ring_t            *ring;
    ngx_scale_local_t           *local;      /* or NULL */
    ngx_scale_cache_node_t      *nodes;
    ngx_uint_t                   nnodes;
    ngx_event_t                  tick;
    ngx_scale_owner_t           *owner;

    ngx_rbtree_t                 flights;
    ngx_rbtree_node_t            sentinel;
    ngx_queue_t                  notes;      /* commands nobody waits for */
    ngx_array_t                  large;      /* statements: not kept, once */
    ngx_log_t                   *log;
};


/* where a key lives, and the state of that node when it was looked up */

typedef struct {
    ngx_scale_cache_node_t      *node;
    uint64_t                     word;
    ngx_str_t                    wire;
    u_char                       buf[NGX_SCALE_CACHE_WIRE_MAX];
} ngx_scale_place_t;


/*
 * Finds a key's place.  NGX_DECLINED: its node is out of use, or elsewhere
 * for other workers, or a newer configuration names other servers.
 */
ngx_int_t ngx_scale_cache_place(ngx_scale_cache_t *cache,
    ngx_scale_place_t *place, u_char room, ngx_str_t *key);

/* the node's state is still what it was */
ngx_uint_t ngx_scale_cache_placed(ngx_scale_place_t *place);

/* what others hold at a node that is elsewhere for them becomes unreachable */
void ngx_scale_cache_disown(ngx_scale_place_t *place);

/* the same of a node whose state was "word", in use */
ngx_uint_t ngx_scale_cache_is_state(ngx_scale_cache_t *cache,
    ngx_uint_t index, uint64_t word);

/* tier.c: no record older than this is found again; it cannot fail */
void ngx_scale_tier_remove(ngx_scale_cache_t *cache, u_char room,
    ngx_str_t *key);

/* ms of CLOCK_MONOTONIC: nginx's own time stands still within a turn */
uint64_t ngx_scale_tier_now(void);

/* flight.c: when their connections are gone */
void ngx_scale_flight_free_notes(ngx_scale_cache_t *cache);

ngx_uint_t ngx_scale_cache_is_foreign(ngx_scale_cache_t *cache);

/* check.c: how a node's connections begin; before its first command */
ngx_int_t ngx_scale_check_node(ngx_pool_t *pool,
    ngx_scale_cache_node_t *node);


/*
 * owner.c: in zone mode a memcached belongs to one nginx, since another one's
 * writes would not make old what this one has cached.  Whose it is stands in
 * a record there, which the workers of the node renew by turns.  A node that
 * is another's is out of use, and is not readmitted before it is ours.
 */
ngx_int_t ngx_scale_owner_start(ngx_pool_t *pool, ngx_scale_cache_t *cache);
void ngx_scale_owner_stop(ngx_scale_cache_t *cache);
ngx_uint_t ngx_scale_owner_is_other(ngx_scale_cache_node_t *node);


#endif /* _NGX_SCALE_CACHE_INT_H_INCLUDED_ */
