
/*
 * The cache's policy: read-through with leases, marks around writes, tags.
 * It decides; memc talks, ring places, zone remembers.  The database is the
 * caller's business: a reader that is told to fill reads the row itself.
 *
 * No read that begins after a write was acknowledged returns an older value,
 * as long as every write marks before and unmarks after its commit.
 */

#ifndef _NGX_SCALE_CACHE_H_INCLUDED_
#define _NGX_SCALE_CACHE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_scale.h"
#include "cache/codec.h"


typedef struct ngx_scale_cache_s   ngx_scale_cache_t;
typedef struct ngx_scale_flight_s  ngx_scale_flight_t;
typedef struct ngx_scale_mark_s    ngx_scale_mark_t;


/* what a reader is told */

typedef enum {
    NGX_SCALE_CACHE_HIT = 0,         /* "entry" is the answer */
    NGX_SCALE_CACHE_FILL,            /* read the row, then fill or fail */
    NGX_SCALE_CACHE_FAILED           /* who was to fill has failed: "cause" */
} ngx_scale_cache_verdict_e;


/*
 * A read of one key.  The caller owns it (request pool) and keeps it and its
 * strings until the handler has run or the read was cancelled; a reader told
 * to fill owns the fill until it calls fill, fail or cancel.
 *
 * The handler never runs before ngx_scale_cache_read() has returned.  "entry"
 * and what it points to is valid during the handler only.
 */

typedef struct ngx_scale_read_s  ngx_scale_read_t;

struct ngx_scale_read_s {
    ngx_str_t                    key;        /* canonical, without prefix */
    ngx_str_t                   *tags;       /* canonical */
    ngx_uint_t                   ntags;
    uint64_t                     statement;  /* another one's entry: a miss */
    time_t                       ttl;        /* seconds */
    time_t                       missing;    /* of a negative entry, 0: none */

    void                       (*handler)(ngx_scale_read_t *read);
    void                        *data;

    ngx_scale_cache_verdict_e    verdict;
    ngx_scale_entry_t           *entry;
    void                        *failure;    /* as given to fail() */
    unsigned                     stored:1;   /* the fill will be kept */
    unsigned                     bypassed:1; /* the cache could not be asked */

    ngx_queue_t                  queue;
    ngx_scale_flight_t          *flight;
};


void ngx_scale_cache_read(ngx_scale_cache_t *cache, ngx_scale_read_t *read);

/*
 * The filler's result: stored under its lease where there is one, and given to
 * all readers of the flight that began before it was asked for.
 */
void ngx_scale_cache_fill(ngx_scale_read_t *read, ngx_scale_entry_t *entry);

/*
 * The filler could not read: the lease is freed and the flight's readers get
 * "failure", which must be valid during the call only.
 */
void ngx_scale_cache_fail(ngx_scale_read_t *read, void *failure);

/* the reader has gone; a fill it owned passes to another reader, or ends */
void ngx_scale_cache_read_cancel(ngx_scale_read_t *read);


/*
 * A write: mark every key and tag it touches, commit, unmark, acknowledge.
 * "keys" may grow between mark calls (what returned rows name is marked before
 * COMMIT).  Memory is the caller's, until "done" or cancel.
 *
 * done() reports NGX_OK, or NGX_ERROR when a key could not be marked within
 * "deadline" (ngx_current_msec based).  It never runs before the verb that
 * asked for it has returned.
 */

typedef struct ngx_scale_write_s  ngx_scale_write_t;

struct ngx_scale_write_s {
    ngx_array_t                  marks;      /* of ngx_scale_mark_t */
    ngx_pool_t                  *pool;
    ngx_msec_t                   deadline;
    time_t                       lifetime;   /* seconds a mark stands */

    void                       (*done)(ngx_scale_write_t *write, ngx_int_t rc);
    void                        *data;

    ngx_scale_cache_t           *cache;
    ngx_uint_t                   pending;    /* replies awaited */
    ngx_event_t                  retry;
    uint64_t                     view;       /* of the ring, at the mark */
    unsigned                     unmarking:1;
    unsigned                     failed:1;
};


ngx_int_t ngx_scale_cache_write_init(ngx_scale_cache_t *cache,
    ngx_scale_write_t *write, ngx_pool_t *pool);

/* the strings must live as long as the write; a key added twice counts once */
ngx_int_t ngx_scale_cache_write_key(ngx_scale_write_t *write, ngx_str_t *key);
ngx_int_t ngx_scale_cache_write_tag(ngx_scale_write_t *write, ngx_str_t *tag);

/* marks what is not yet marked; holds while the ring decides on a dead node */
void ngx_scale_cache_mark(ngx_scale_write_t *write);

/* after the commit, or a definite abort; ends with no old value reachable */
void ngx_scale_cache_unmark(ngx_scale_write_t *write);

/* leaves the marks standing: they expire by themselves */
void ngx_scale_cache_write_cancel(ngx_scale_write_t *write);


#endif /* _NGX_SCALE_CACHE_H_INCLUDED_ */
