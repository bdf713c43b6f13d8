
/*
 * The servers of a ring, from the bottom up: check.c, how their connections
 * begin; node.c, which there are; owner.c, whose they are; seal.c, where they
 * are; adopt.c, the ring they make; probe.c, whether they answer.
 */

#ifndef _NGX_SCALE_NODE_INT_H_INCLUDED_
#define _NGX_SCALE_NODE_INT_H_INCLUDED_


#include "cache/cache_int.h"


/*
 * A server of this ring or a former one, as long as the worker lives; "index"
 * is its place in the view.
 */

struct ngx_scale_cache_node_s {
    ngx_queue_t                  queue;
    ngx_scale_cache_t           *cache;
    ngx_str_t                    name;
    ngx_scale_memc_t            *memc;
    ngx_scale_memc_greeting_t    greeting;
    ngx_uint_t                   index;
    uint64_t                     address;    /* 0: not yet known */

    ngx_scale_memc_op_t          claim;      /* owner.c's */
    ngx_scale_memc_op_t          probe;      /* probe.c's */
    ngx_uint_t                   misses;     /* in a row */
    ngx_uint_t                   answers;
    ngx_msec_t                   reported;

    unsigned                     claiming:1;
    unsigned                     asking:1;
    unsigned                     doubted:1;  /* probed until it answers */
    unsigned                     unsealed:1; /* it was, at the last tick */
    unsigned                     present:1;  /* in the ring, or the gutter */
    unsigned                     departed:1;
    unsigned                     fresh:1;    /* not yet told where it is */
};


/* a worker's copy of what is in use, with all that lookups need */

struct ngx_scale_cache_ring_s {
    ngx_pool_t                  *pool;
    ngx_scale_zone_slot_t        slot;
    ngx_scale_layout_t           now;
    ngx_scale_layout_t           old;
    ngx_scale_cache_node_t      *nodes[NGX_SCALE_VIEW_NODES];
    ngx_scale_cache_node_t      *old_nodes[NGX_SCALE_VIEW_NODES];
    ngx_uint_t                   active;     /* "old" is of no use any more */
};


/* before its first command */
ngx_int_t ngx_scale_check_node(ngx_scale_cache_node_t *node);


/* of that name, made where it is new; it goes with the worker.  NULL: memory */
ngx_scale_cache_node_t *ngx_scale_node_get(ngx_scale_cache_t *cache,
    ngx_scale_view_node_t *view);

/* somebody is to be probed */
void ngx_scale_node_watch(ngx_scale_cache_t *cache);


/*
 * In zone mode a memcached belongs to one nginx, since another one's writes
 * would not make old what this one has cached.  Whose it is stands in a record
 * there, which the workers of the node renew by turns.  A node that is
 * another's is out of use, and is not readmitted before it is ours.
 */
ngx_int_t ngx_scale_owner_start(ngx_scale_cache_t *cache);
void ngx_scale_owner_stop(ngx_scale_cache_t *cache);
ngx_uint_t ngx_scale_owner_is_other(ngx_scale_cache_node_t *node);


/* this worker is where the others are who use it in this state */
ngx_uint_t ngx_scale_seal_is_ours(ngx_scale_cache_node_t *node,
    uint64_t word);

/* this worker knows where the node is: it is there for all from now on */
void ngx_scale_seal_assert(ngx_scale_cache_node_t *node);

/* whoever changed the word was killed before it was sealed */
void ngx_scale_seal_heal(ngx_scale_cache_node_t *node);

/*
 * What the others hold there becomes unreachable, unless they are here and
 * hold nothing that is "foreign" to this worker.
 */
void ngx_scale_seal_disown(ngx_scale_cache_node_t *node, ngx_uint_t foreign);


/* the ring in use, from shared memory where it has changed; NULL: unknown */
ngx_scale_cache_ring_t *ngx_scale_cache_ring(ngx_scale_cache_t *cache);


/* "data" is the cache */
void ngx_scale_probe_on_tick(ngx_event_t *ev);


#endif /* _NGX_SCALE_NODE_INT_H_INCLUDED_ */
