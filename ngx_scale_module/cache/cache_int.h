
/*
 * private to the policy: a worker's cache, and where its keys live.  Reads have
 * flight_int.h besides, writes mark_int.h, and the servers node_int.h.
 */

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


typedef struct ngx_scale_owner_s       ngx_scale_owner_t;
typedef struct ngx_scale_cache_node_s  ngx_scale_cache_node_t;
typedef struct ngx_scale_cache_ring_s  ngx_scale_cache_ring_t;


/* warm.c's: how many fill, and whether most reads miss */

typedef struct {
    ngx_queue_t                  line;       /* flights that may not fill yet */
    ngx_uint_t                   fills;
    ngx_uint_t                   misses;
    ngx_msec_t                   cold_since;
    unsigned                     cold:1;
} ngx_scale_warm_t;


struct ngx_scale_cache_s {
    ngx_scale_cache_conf_t      *conf;
    ngx_scale_zone_cache_t      *record;
    ngx_scale_cache_ring_t      *ring;       /* NULL: none was seen */
    ngx_queue_t                  nodes;
    ngx_pool_t                  *pool;
    ngx_scale_local_t           *local;      /* or NULL */
    uint64_t                     tier;       /* its id, or 0 */
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
    ngx_scale_warm_t             warm;
    ngx_scale_zone_chance_t      chance;
    ngx_log_t                   *log;
};


/*
 * A newer configuration has another local tier: this worker cannot take from
 * it what it writes.
 */
#define ngx_scale_cache_is_foreign(cache)                                     \
    ((cache)->record->tier != (cache)->tier)


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

/*
 * Finds the places of a key's "n" copies, in the order of the ring, and returns
 * how many there are.  NGX_AGAIN: this node does not know.  A place without a
 * node holds nothing for anybody while its word is "out"; else it does, and
 * only this worker does not know where.  A place that is "early" is another
 * node's already, maybe, and not yet this one's: who changes something leaves
 * nothing there, and who ends something ends it there, too, and is done when
 * it is placed.
 */
ngx_int_t ngx_scale_cache_copies(ngx_scale_cache_t *cache,
    ngx_scale_place_t *places, ngx_uint_t n, ngx_str_t *key);

/* what was said is still so, for all nodes, and readers may use it */
ngx_uint_t ngx_scale_cache_placed(ngx_scale_place_t *place);

/* the command goes to the key's server, which there is */
void ngx_scale_cache_send(ngx_scale_place_t *place, ngx_scale_memc_op_t *op);

/* what others hold at a node that is elsewhere for them becomes unreachable */
void ngx_scale_cache_disown(ngx_scale_place_t *place);

/* the same of a copy, which no local tier has */
void ngx_scale_cache_disown_copy(ngx_scale_place_t *place);

/*
 * The same of a place in the words of the local tier: "node" is the view and
 * the node in it, "word" the state it had.
 */
ngx_uint_t ngx_scale_cache_is_state(ngx_scale_cache_t *cache, uint64_t node,
    uint64_t word);

/* NGX_DECLINED: it has none, being a substitute's */
ngx_int_t ngx_scale_cache_state(ngx_scale_place_t *place, uint64_t *node,
    uint64_t *word);

/* it is not: look again; else all there is to do is to wait */
ngx_uint_t ngx_scale_cache_is_moved(ngx_scale_place_t *place);


/*
 * T of an entry that is stored there: its ttl, spread by a tenth so that those
 * of one moment do not end in one, and its overtime, which it is told.
 */
time_t ngx_scale_life_draw(ngx_scale_place_t *place, ngx_scale_read_t *read,
    ngx_scale_entry_t *entry);

/* R, of an entry with these: who reads it with so little left reads the row */
time_t ngx_scale_life_recache(ngx_scale_place_t *place, time_t ttl,
    time_t overtime);


/* no record of the local tier that is older is found again; it cannot fail */
void ngx_scale_tier_remove(ngx_scale_cache_t *cache, u_char room,
    ngx_str_t *key);


/*
 * A command whose reply nobody waits for, of a key and with room for a
 * value of "len" bytes; it is freed when it is answered, or with the others
 * when their connections are gone.  NULL: memory.
 */
ngx_scale_memc_op_t *ngx_scale_cache_note(ngx_scale_cache_t *cache,
    ngx_str_t *wire, size_t len);

/* its handler; one that is put in its place ends by calling it */
void ngx_scale_cache_noted(ngx_scale_memc_op_t *op);
void ngx_scale_cache_free_notes(ngx_scale_cache_t *cache);


#endif /* _NGX_SCALE_CACHE_INT_H_INCLUDED_ */
