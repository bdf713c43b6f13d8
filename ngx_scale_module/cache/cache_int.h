
/* private to the policy: what cache.c, place.c, flight.c and mark.c share */

#ifndef _NGX_SCALE_CACHE_INT_H_INCLUDED_
#define _NGX_SCALE_CACHE_INT_H_INCLUDED_


#include "cache/cache.h"
#include "cache/key.h"
#include "cache/layout.h"
#include "cache/local.h"
#include "cache/memc.h"
#include "cache/weak.h"


/* F of CONSISTENCY: what an item is */

#define NGX_SCALE_CACHE_STUB       0
#define NGX_SCALE_CACHE_VALUE      1
#define NGX_SCALE_CACHE_PENDING    2
#define NGX_SCALE_CACHE_NEGATIVE   3

/* seconds a filler may take before another one may win */
#define NGX_SCALE_CACHE_LEASE_MIN  2
#define NGX_SCALE_CACHE_LEASE_MAX  30

/* seconds; the gutter's entries are nobody's when their node is back */
#define NGX_SCALE_CACHE_GUTTER_TTL  60

/* seconds; a tag that expires invalidates only */
#define NGX_SCALE_CACHE_TAG_TTL    604800

#define ngx_scale_cache_tag_ttl(place)                                        \
    ((place)->gutter ? NGX_SCALE_CACHE_GUTTER_TTL : NGX_SCALE_CACHE_TAG_TTL)


/* a place's key, and a number behind it */
#define NGX_SCALE_CACHE_NOTE_MAX                                              \
    (NGX_SCALE_CACHE_WIRE_MAX + 1 + 2 * sizeof(uint64_t))

typedef struct ngx_scale_owner_s  ngx_scale_owner_t;


/*
 * A server of this ring or a former one, as long as the worker lives; "index"
 * is its place in the view.
 */

typedef struct {
    ngx_queue_t                  queue;
    ngx_scale_cache_t           *cache;
    ngx_str_t                    name;
    ngx_scale_memc_t            *memc;
    ngx_scale_memc_greeting_t    greeting;
    ngx_scale_memc_op_t          claim;      /* owner.c's */
    ngx_uint_t                   index;
    uint64_t                     address;    /* 0: not yet known */

    ngx_scale_memc_op_t          probe;
    ngx_uint_t                   misses;     /* in a row */
    ngx_uint_t                   answers;
    ngx_msec_t                   reported;
    unsigned                     asking:1;
    unsigned                     claiming:1;
    unsigned                     doubted:1;  /* probed until it answers */
    unsigned                     unsealed:1; /* it was, at the last tick */
    unsigned                     present:1;  /* in the ring, or the gutter */
    unsigned                     departed:1;
    unsigned                     fresh:1;    /* not yet told where it is */
} ngx_scale_cache_node_t;


/* a worker's copy of what is in use, with all that lookups need */

typedef struct {
    ngx_pool_t                  *pool;
    ngx_scale_zone_slot_t        slot;
    ngx_scale_layout_t           now;
    ngx_scale_layout_t           old;
    ngx_scale_cache_node_t      *nodes[NGX_SCALE_VIEW_NODES];
    ngx_scale_cache_node_t      *old_nodes[NGX_SCALE_VIEW_NODES];
    ngx_uint_t                   active;     /* "old" is of no use any more */
} ngx_scale_cache_ring_t;


struct ngx_scale_cache_s {
    ngx_scale_cache_conf_t      *conf;
    ngx_scale_zone_cache_t      *record;
    ngx_scale_cache_ring_t      *ring;       /* NULL: none was seen */
    ngx_queue_t                  nodes;
    ngx_pool_t                  *pool;
    ngx_scale_local_t           *local;      /* or NULL */
    ngx_event_t                  tick;
    ngx_scale_owner_t           *owner;      /* of a ring of the zone's own */
    ngx_msec_t                   again;      /* not sooner: it was damaged */

    ngx_scale_cache_report_pt    report;
    void                        *data;
    ngx_msec_t                   reported;   /* that the ring may be on */

    ngx_rbtree_t                 flights;
    ngx_rbtree_node_t            sentinel;
    ngx_queue_t                  notes;      /* commands nobody waits for */
    ngx_array_t                  large;      /* statements: not kept, once */
    ngx_queue_t                  renewals;   /* flights without readers */
    ngx_uint_t                   nrenewals;
    ngx_queue_t                  line;       /* flights that may not fill yet */
    ngx_uint_t                   fills;
    ngx_uint_t                   misses;     /* see warm.c */
    ngx_msec_t                   cold_since;
    ngx_scale_zone_chance_t      chance;
    unsigned                     cold:1;
    ngx_log_t                   *log;
};


/* where a key lives, and what made it live there when it was looked up */

typedef struct {
    ngx_scale_cache_t           *cache;
    ngx_scale_cache_node_t      *node;       /* NULL: nowhere */
    uint64_t                     tag;        /* of the view */
    ngx_scale_spot_t             spot;
    ngx_str_t                    wire;
    unsigned                     early:1;    /* readers do not use it yet */
    unsigned                     gutter:1;   /* for a while only */
    u_char                       buf[NGX_SCALE_CACHE_WIRE_MAX];
} ngx_scale_place_t;


/*
 * Finds a key's place.  NGX_DECLINED: nobody keeps it, all nodes agree.
 * NGX_AGAIN: this node does not know; a read goes without the cache, a write
 * waits.  NGX_BUSY: readers do not use the place yet (which may be none); a
 * write marks there, and is not acknowledged before they do.
 */
ngx_int_t ngx_scale_cache_place(ngx_scale_cache_t *cache,
    ngx_scale_place_t *place, u_char room, ngx_str_t *key);

/* what place() has said is still so, for all nodes, and readers may use it */
ngx_uint_t ngx_scale_cache_placed(ngx_scale_place_t *place);

/*
 * A newer configuration has another local tier: this worker cannot take from
 * it what it writes.
 */
ngx_uint_t ngx_scale_cache_is_foreign(ngx_scale_cache_t *cache);

/* what others hold at a node that is elsewhere for them becomes unreachable */
void ngx_scale_cache_disown(ngx_scale_place_t *place);

/*
 * The same of a place in the words of the local tier: "node" is the view and
 * the node in it, "word" the state it had.
 */
ngx_uint_t ngx_scale_cache_is_state(ngx_scale_cache_t *cache, uint64_t node,
    uint64_t word);

/* NGX_DECLINED: it has none, being a substitute's */
ngx_int_t ngx_scale_cache_state(ngx_scale_place_t *place, uint64_t *node,
    uint64_t *word);

/* tier.c: no record older than this is found again; it cannot fail */
void ngx_scale_tier_remove(ngx_scale_cache_t *cache, u_char room,
    ngx_str_t *key);


/* it is not: look again; else all there is to do is to wait */
ngx_uint_t ngx_scale_cache_is_moved(ngx_scale_place_t *place);

/* the ring in use, from shared memory where it has changed; NULL: unknown */
ngx_scale_cache_ring_t *ngx_scale_cache_ring(ngx_scale_cache_t *cache);


/* node.c */

/* NULL: memory */
ngx_scale_cache_node_t *ngx_scale_node_get(ngx_scale_cache_t *cache,
    ngx_scale_view_node_t *view);

/* this worker is where the others are who use it in this state */
ngx_uint_t ngx_scale_node_is_ours(ngx_scale_cache_node_t *node,
    uint64_t word);

/* this worker knows where the node is: it is there for all from now on */
void ngx_scale_node_assert(ngx_scale_cache_node_t *node);

/* whoever changed the word was killed before it was sealed */
void ngx_scale_node_heal(ngx_scale_cache_node_t *node);

/* the ring has changed: who is in it, and is anybody to be probed */
void ngx_scale_node_arrange(ngx_scale_cache_t *cache);

void ngx_scale_node_watch(ngx_scale_cache_t *cache);
void ngx_scale_node_tick_handler(ngx_event_t *ev);


/* check.c: how a node's connections begin; before its first command */
ngx_int_t ngx_scale_check_node(ngx_scale_cache_node_t *node);


/*
 * owner.c: in zone mode a memcached belongs to one nginx, since another one's
 * writes would not make old what this one has cached.  Whose it is stands in
 * a record there, which the workers of the node renew by turns.  A node that
 * is another's is out of use, and is not readmitted before it is ours.
 */
ngx_int_t ngx_scale_owner_start(ngx_scale_cache_t *cache);
void ngx_scale_owner_stop(ngx_scale_cache_t *cache);
ngx_uint_t ngx_scale_owner_is_other(ngx_scale_cache_node_t *node);


/*
 * note.c: a command whose reply nobody waits for, of a key and with room for a
 * value of "len" bytes; it is freed when it is answered, or with the others
 * when their connections are gone.  NULL: memory.
 */
ngx_scale_memc_op_t *ngx_scale_cache_note(ngx_scale_cache_t *cache,
    ngx_str_t *wire, size_t len);
void ngx_scale_cache_free_notes(ngx_scale_cache_t *cache);


#endif /* _NGX_SCALE_CACHE_INT_H_INCLUDED_ */
