
/*
 * What the workers of one node agree on about a cache: a view of its ring,
 * until when it may be used, and what is in use.  It lives in shared memory
 * (scale_zone); a new zone draws new stamps, so that the cache begins cold
 * rather than old.
 *
 * One word, the lease, says which view is in use, by a random tag, and until
 * when.  Workers keep a copy of the view with that tag.  A view is written
 * first and leased then; it has a checksum, so that what a killed or frozen
 * writer left behind is seen as damaged: no view then, until the next one.
 * Nobody is ever locked out.
 *
 * Where the ring is the zone's own, the lease has no end, and the nodes'
 * states are words of their own, changed by compare-and-set only: who finds
 * the word unchanged at the end of a write knows that all readers went by the
 * same.  Where it is a database's, only the keeper, one worker of the node,
 * changes anything.
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
#include "cache/view.h"


#define NGX_SCALE_ZONE_CACHES  16
#define NGX_SCALE_ZONE_CHANCE  32

/* ms that a view may be used since the database was asked, and a bit more */
#define NGX_SCALE_ZONE_LEASE   3000
#define NGX_SCALE_ZONE_WAIT    (NGX_SCALE_ZONE_LEASE                          \
                                + NGX_SCALE_ZONE_LEASE / 100)


/*
 * "now" is used for keys that are where "old" has them at once, for others
 * from "active" on, ms of CLOCK_MONOTONIC.
 */

typedef struct {
    uint64_t                 tag;
    uint64_t                 active;
    uint64_t                 has_old;
    ngx_scale_view_t         now;
    ngx_scale_view_t         old;
    uint32_t                 checksum;
} ngx_scale_zone_slot_t;


/*
 * When its write came to remove it, a "contended" mark had been replaced by
 * another write's; a "lost" one had gone, or may have: with memcached's memory
 * or a connection, or with another write that was done.
 */

typedef struct {
    ngx_atomic_t             contended;
    ngx_atomic_t             lost;
    ngx_atomic_t             ejected;    /* nodes, and rings put off */
    ngx_atomic_t             readmitted;
    ngx_atomic_t             unleased;   /* times that no view was leased */
    ngx_atomic_t             early;      /* reads before "active" */
    ngx_atomic_t             held;       /* acknowledgements, until then */
} ngx_scale_zone_counts_t;


/*
 * "faults" is what the servers said of themselves (greeting.h), "others"
 * whether another nginx has claimed them, "asked" when that was looked at
 * (owner.c).
 */

typedef struct {
    u_char                   name[64];
    ngx_uint_t               shared;     /* the ring is a database's */
    ngx_atomic_t             lease;
    ngx_atomic_t             keeper;
    ngx_atomic_t             tier;       /* the newest local one's, or 0 */
    ngx_atomic_t             told;       /* of the servers last complained of */
    ngx_atomic_t             words[NGX_SCALE_VIEW_NODES];
    ngx_atomic_t             seals[NGX_SCALE_VIEW_NODES];
    ngx_atomic_t             faults[NGX_SCALE_VIEW_NODES];
    ngx_atomic_t             others[NGX_SCALE_VIEW_NODES];
    ngx_atomic_t             asked;
    ngx_atomic_t             renewals;
    ngx_atomic_t             renew;      /* the keeper is asked to */
    uint64_t                 taken[NGX_SCALE_VIEW_NODES];    /* the master's */
    ngx_scale_zone_counts_t  counts;
    ngx_scale_zone_slot_t    slot;
} ngx_scale_zone_cache_t;


/* "node" is this node's random name for others */

typedef struct {
    uint64_t                 node;
    ngx_uint_t               ncaches;
    ngx_scale_zone_cache_t  *caches[NGX_SCALE_ZONE_CACHES];
} ngx_scale_zone_t;


/* words that one system call has brought */

typedef struct {
    uint64_t                 words[NGX_SCALE_ZONE_CHANCE];
    ngx_uint_t               left;
} ngx_scale_zone_chance_t;


/*
 * The record of a cache, made where it is new.  Called by the master only.
 * NULL: no room.
 */
ngx_scale_zone_cache_t *ngx_scale_zone_join(ngx_scale_zone_t *zone,
    ngx_slab_pool_t *pool, ngx_str_t *name, ngx_uint_t shared);

/*
 * The servers of a ring of the zone's own, for all workers at once.  Called by
 * the master only.  NGX_ERROR: too many, or a name too long.
 */
ngx_int_t ngx_scale_zone_set(ngx_scale_zone_cache_t *record,
    ngx_scale_view_server_t *servers, ngx_uint_t n);

/*
 * The keeper has seen "view" in the database, which it asked at "sent", ms of
 * CLOCK_MONOTONIC: a lease from then on.  NGX_OK: it is another view than
 * before; NGX_DECLINED: the same, or somebody has asked later.
 */
ngx_int_t ngx_scale_zone_confirm(ngx_scale_zone_cache_t *record,
    ngx_scale_view_t *view, uint64_t sent);

/* the lease ends now, until a confirmation */
void ngx_scale_zone_drop(ngx_scale_zone_cache_t *record);

/* the view in use, copied; NGX_DECLINED: there is none, or it is damaged */
ngx_int_t ngx_scale_zone_read(ngx_scale_zone_cache_t *record,
    ngx_scale_zone_slot_t *slot);

/* the tag of the view in use */
uint64_t ngx_scale_zone_tag(ngx_scale_zone_cache_t *record);

/* "tag" is in use, and its lease has not ended */
ngx_uint_t ngx_scale_zone_is_leased(ngx_scale_zone_cache_t *record,
    uint64_t tag);

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
 * What is cached there, or anywhere, becomes unreachable; who is out of use
 * stays so.  Of a database's ring the keeper has to say that.
 */
void ngx_scale_zone_renew(ngx_scale_zone_cache_t *record);
void ngx_scale_zone_renew_node(ngx_scale_zone_cache_t *record,
    ngx_uint_t node);

/*
 * One worker keeps the lease.  NGX_OK: it is this one; NGX_DECLINED: another
 * one is, and has said so within the last "patience" ms.
 */
ngx_int_t ngx_scale_zone_keep(ngx_scale_zone_cache_t *record,
    uint64_t patience);

/* ms of CLOCK_MONOTONIC, fresh: nginx's time stands during a turn */
uint64_t ngx_scale_zone_now(void);

/* 64 random bits of the kernel */
uint64_t ngx_scale_zone_random(void);

/* the same, with a system call for every 32 of them; "chance" begins zeroed */
uint64_t ngx_scale_zone_draw(ngx_scale_zone_chance_t *chance);


#endif /* _NGX_SCALE_ZONE_H_INCLUDED_ */
