
/*
 * The cache's policy: read-through with leases, marks around writes, tags.
 * It decides; memc talks, ring places, zone remembers.  The database is the
 * caller's business: a reader that is told to fill reads the row itself.
 *
 * No read that begins after a write was acknowledged returns an older value,
 * as long as every write marks before and unmarks after its commit.
 *
 * No handler ever runs before the verb that asks for it has returned.
 */

#ifndef _NGX_SCALE_CACHE_H_INCLUDED_
#define _NGX_SCALE_CACHE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_scale.h"
#include "cache/codec.h"
#include "cache/greeting.h"
#include "cache/memc_tls.h"
#include "cache/zone.h"


#define NGX_SCALE_CACHE_MAX_TAGS   8
#define NGX_SCALE_CACHE_MAX_MARKS  1000       /* of a write */
#define NGX_SCALE_CACHE_MAX_VALUE  1000000

#define NGX_SCALE_CACHE_MAX_WEIGHT 1000

/* reads nobody waits for, of a worker: see ngx_scale_cache_renew() */
#define NGX_SCALE_CACHE_RENEWALS   32

/* a mark outlives the request's deadline by this, and never lives 30 s */
#define NGX_SCALE_CACHE_GRACE      5
#define NGX_SCALE_CACHE_MAX_MARK   29


typedef struct ngx_scale_cache_s   ngx_scale_cache_t;
typedef struct ngx_scale_flight_s  ngx_scale_flight_t;

typedef struct ngx_scale_cache_asked_s  ngx_scale_cache_asked_t;


typedef ngx_scale_view_server_t  ngx_scale_cache_server_t;

typedef struct {
    ngx_str_t                    name;
    ngx_array_t                  servers;    /* of ngx_scale_cache_server_t */
    ngx_msec_t                   timeout;
    time_t                       max_ttl;    /* of an entry, all in all */
    ngx_scale_memc_tls_t        *tls;        /* NULL: none */
    ngx_str_t                    tls_name;   /* empty: each server's host */
    ngx_str_t                    auth_file;
    ngx_str_t                    auth;       /* ngx_scale_greeting_auth() */
    unsigned                     tls_verify:1;
    unsigned                     shared:1;   /* the ring is a database's */

    /* the local tier, of this node: see local.h */

    size_t                       local_size; /* 0: none */
    ngx_msec_t                   local_ttl;  /* an entry's at most */
    ngx_msec_t                   lease;      /* 0: no other node writes */
    void                        *local;      /* its memory */
} ngx_scale_cache_conf_t;


/*
 * The record of a cache in shared memory; where the ring is the zone's own,
 * its servers are those of "conf" from now on, for all workers.  Called by the
 * master only.  NULL: no room.
 */
ngx_scale_zone_cache_t *ngx_scale_cache_join(ngx_scale_zone_t *zone,
    ngx_slab_pool_t *pool, ngx_scale_cache_conf_t *conf);

/*
 * Takes "size" bytes of shared memory for conf->local, as they are or, "fresh",
 * made an empty tier.  Called by the master only, before the record is joined.
 * NGX_ERROR: they are too few.
 */
ngx_int_t ngx_scale_cache_use_local(ngx_scale_cache_conf_t *conf, void *memory,
    size_t size, ngx_uint_t fresh);

/* a worker's cache; "conf" and "record" must outlive it */
ngx_scale_cache_t *ngx_scale_cache_create(ngx_pool_t *pool,
    ngx_scale_cache_conf_t *conf, ngx_scale_zone_cache_t *record,
    ngx_log_t *log);

void ngx_scale_cache_destroy(ngx_scale_cache_t *cache);

/*
 * What the name of a server stands for, as often as that is known; "fresh" as
 * of this moment.  A new address is a memcached whose content nobody knows:
 * the node is out of use until it answers there, and then begins cold.
 */
void ngx_scale_cache_address(ngx_scale_cache_t *cache, ngx_uint_t server,
    ngx_addr_t *addrs, ngx_uint_t n, ngx_uint_t fresh);


/*
 * What a worker's probes say to the keeper of a shared ring: again and again,
 * as long as the ring differs from it.
 *
 * DOWN  "server" whose stamp is "stamp" is in use and does not answer
 * UP    it is out of use and answers
 * ON    the ring is off, of "stamp", and of "answering" at least two thirds
 */

typedef enum {
    NGX_SCALE_CACHE_DOWN = 0,
    NGX_SCALE_CACHE_UP,
    NGX_SCALE_CACHE_ON
} ngx_scale_cache_finding_e;

typedef struct {
    ngx_scale_cache_finding_e    finding;
    ngx_str_t                    server;
    uint64_t                     stamp;
    ngx_str_t                   *answering;
    ngx_uint_t                   nanswering;
} ngx_scale_cache_report_t;

typedef ngx_int_t (*ngx_scale_cache_report_pt)(void *data,
    ngx_scale_cache_report_t *report);

/* valid during the call only; NGX_BUSY: it comes again with the next probe */
void ngx_scale_cache_on_report(ngx_scale_cache_t *cache,
    ngx_scale_cache_report_pt report, void *data);

/* takes notice of a change that no request has met */
void ngx_scale_cache_look(ngx_scale_cache_t *cache);


/* what a reader is told */

typedef enum {
    NGX_SCALE_CACHE_HIT = 0,         /* "entry" is the answer */
    NGX_SCALE_CACHE_FILL,            /* read the row, then fill or fail */
    NGX_SCALE_CACHE_FAILED,          /* who was to fill has: "failure" */
    NGX_SCALE_CACHE_BYPASS           /* read the row; there is no fill */
} ngx_scale_cache_verdict_e;


/*
 * A read of one key.  The caller owns it (request pool) and keeps it until the
 * handler has run or the read was cancelled; a reader told to fill owns the
 * fill until it calls fill, fail, decline or cancel.  "entry" and what it
 * points to is valid during the handler only; so is "failure".
 */

typedef struct ngx_scale_read_s  ngx_scale_read_t;

struct ngx_scale_read_s {
    ngx_str_t                    key;        /* canonical, without prefix */
    ngx_str_t                   *tags;       /* canonical */
    ngx_uint_t                   ntags;
    uint64_t                     statement;  /* another one's entry: a miss */
    time_t                       ttl;        /* seconds */
    time_t                       missing;    /* of a negative entry, 0: none */
    time_t                       stale;      /* past its ttl it is an answer */
    time_t                       error;      /* so is it, if no row is read */
    ngx_msec_t                   patience;   /* no filler takes longer */
    ngx_msec_t                   bounded;    /* another node's write, 0: now */
    ngx_uint_t                   share;      /* fills at a time; 0: any */
    time_t                       lenience;   /* so long a tag has made it old */

    void                       (*handler)(ngx_scale_read_t *read);
    void                        *data;

    ngx_scale_cache_verdict_e    verdict;
    ngx_scale_entry_t           *entry;
    void                        *failure;
    uint64_t                     cas;        /* HIT: the item's; 0: no item */
    ngx_scale_flight_t          *due;        /* HIT: it may be read anew */
    unsigned                     old:1;      /* HIT: past its ttl or a tag's */
    unsigned                     shared:1;   /* HIT: of another's fill */
    unsigned                     bypassed:1; /* FILL: the cache is not asked */
    unsigned                     pending:1;  /* FILL: a write is under way */

    ngx_queue_t                  queue;      /* private */
    ngx_scale_flight_t          *flight;
};


/*
 * Looks into the local tier, for which of "read" what stands above "handler"
 * is needed.  NGX_OK: "entry" is the answer, copied into the pool, at once;
 * NGX_DECLINED: it has none, read it as below; NGX_ERROR: memory.  "now" is
 * CLOCK_MONOTONIC, in ms, looked at after the request came.
 */
ngx_int_t ngx_scale_cache_local(ngx_scale_cache_t *cache,
    ngx_scale_read_t *read, ngx_pool_t *pool, uint64_t now,
    ngx_scale_entry_t *entry);

/* NGX_ERROR: memory; the handler will not run */
ngx_int_t ngx_scale_cache_read(ngx_scale_cache_t *cache,
    ngx_scale_read_t *read);

/*
 * The filler's result: stored under its lease where there is one, and given to
 * all readers of the flight that began before it was asked for.
 * NGX_DECLINED, once per statement and worker: it is too large to be kept.
 */
ngx_int_t ngx_scale_cache_fill(ngx_scale_read_t *read,
    ngx_scale_entry_t *entry);

/*
 * The filler could not read; the flight's other readers are told, or where
 * "failure" is NULL get what is kept.
 */
void ngx_scale_cache_fail(ngx_scale_read_t *read, void *failure);

/*
 * The result is too large to be held even for those who wait: each of the
 * flight's other readers reads for itself.  Returns as fill does.
 */
ngx_int_t ngx_scale_cache_decline(ngx_scale_read_t *read);

/*
 * The entry that is past its ttl and answers all the same where a filler
 * cannot read ("error"); NULL: none.  It is valid until fill, fail or cancel.
 */
ngx_scale_entry_t *ngx_scale_cache_kept(ngx_scale_read_t *read);

/*
 * In the handler of a HIT that is "due": "renewal", the caller's and zeroed,
 * is told to fill, and its handler does not run: the caller reads the row
 * while its client has the answer already, and ends with fill, fail or cancel.
 * NGX_DECLINED: somebody does, or NGX_SCALE_CACHE_RENEWALS are under way.
 */
ngx_int_t ngx_scale_cache_renew(ngx_scale_read_t *read,
    ngx_scale_read_t *renewal);

/* the reader has gone; a fill it owned passes to another reader, or ends */
void ngx_scale_cache_read_cancel(ngx_scale_read_t *read);


/*
 * A write: mark every key and tag it touches, commit, unmark, acknowledge.
 * Keys may be added between mark calls (what returned rows name is marked
 * before COMMIT).  The caller owns it, until done() or cancel.
 *
 * done() reports NGX_OK, or NGX_ERROR where "deadline" (of ngx_current_msec)
 * has passed: a key could not be marked, or an old value may be reachable.
 */

typedef struct ngx_scale_write_s  ngx_scale_write_t;

struct ngx_scale_write_s {
    ngx_pool_t                  *pool;
    ngx_msec_t                   deadline;
    time_t                       lifetime;   /* of a mark, seconds */

    void                       (*done)(ngx_scale_write_t *write, ngx_int_t rc);
    void                        *data;

    ngx_scale_cache_t           *cache;      /* private */
    ngx_queue_t                  marks;
    ngx_uint_t                   nmarks;
    ngx_uint_t                   pending;
    ngx_event_t                  event;
    unsigned                     unmarking:1;
    unsigned                     failed:1;
};


void ngx_scale_cache_write_init(ngx_scale_cache_t *cache,
    ngx_scale_write_t *write);

/*
 * The strings must live as long as the write; a key added twice counts once.
 * NGX_DECLINED: there are NGX_SCALE_CACHE_MAX_MARKS already.
 */
ngx_int_t ngx_scale_cache_write_key(ngx_scale_write_t *write, ngx_str_t *key);
ngx_int_t ngx_scale_cache_write_tag(ngx_scale_write_t *write, ngx_str_t *tag);

/*
 * The entry that the write has made of a key it marks: stored at the unmark in
 * place of the mark, if nobody else has written meanwhile.  Of "as" are read
 * key, statement, ttl, stale and error; it has no tags.  To be called once,
 * before the unmark.
 */
ngx_int_t ngx_scale_cache_write_through(ngx_scale_write_t *write,
    ngx_scale_read_t *as, ngx_scale_entry_t *entry);

/* marks what is not yet marked; waits while the node judges a dead server */
void ngx_scale_cache_mark(ngx_scale_write_t *write);

/* after the commit, or a definite abort; ends with no old value reachable */
void ngx_scale_cache_unmark(ngx_scale_write_t *write);

/* leaves the marks standing: they expire by themselves */
void ngx_scale_cache_write_cancel(ngx_scale_write_t *write);


/*
 * One more of "key" in the window "number", for all web nodes of the ring; how
 * many that are, and how many were counted in the window before.  The caller
 * owns it (request pool), until the handler has run or it was cancelled.
 */

typedef struct ngx_scale_count_s  ngx_scale_count_t;

struct ngx_scale_count_s {
    ngx_pool_t                  *pool;
    ngx_str_t                    key;        /* holds nobody's secret */
    uint64_t                     number;
    time_t                       ttl;        /* of its number, seconds */

    void                       (*handler)(ngx_scale_count_t *count);
    void                        *data;

    uint64_t                     before;
    uint64_t                     counted;    /* this one is among them */
    unsigned                     known:1;    /* 0: no answer was had */

    ngx_scale_cache_asked_t     *asked;      /* private */
};

/* NGX_DECLINED: nobody can be asked just now */
ngx_int_t ngx_scale_cache_count(ngx_scale_cache_t *cache,
    ngx_scale_count_t *count);

/* the handler will not run; it may be counted nevertheless */
void ngx_scale_cache_count_cancel(ngx_scale_count_t *count);

/* one that is known is taken back */
void ngx_scale_cache_uncount(ngx_scale_count_t *count);


/*
 * Records of sessions: several copies of each, so that a memcached that dies
 * takes nothing with it, and what has ended is nowhere any more.  They outlive
 * an epoch, and a ring that is off; a server that does not answer goes out of
 * use by itself, and comes back empty.
 *
 * READ     what is there
 * PUT      a new key's value
 * MAKE     what is there, or "value" if nothing is; all who ask at the same
 *          time get the same
 * KILL     after it nobody finds what was there, or any copy of it
 * REPLACE  the same, and then there is "value"
 *
 * Every verb goes on until its result is certain, or "patience" ends: where a
 * copy does not answer, MAKE, KILL, REPLACE and a READ that has found nothing
 * wait until it does, or is out of use; and KILL and REPLACE for web nodes that
 * may not know of a change of the ring.  Where no server is in use there is
 * nothing to end, and for the others nothing to wait for: UNKNOWN.
 */

#define NGX_SCALE_COPIES_MAX       NGX_SCALE_VIEW_COPIES


typedef enum {
    NGX_SCALE_COPIES_READ = 0,
    NGX_SCALE_COPIES_PUT,
    NGX_SCALE_COPIES_MAKE,
    NGX_SCALE_COPIES_KILL,
    NGX_SCALE_COPIES_REPLACE
} ngx_scale_copies_verb_e;

typedef enum {
    NGX_SCALE_COPIES_DONE = 0,       /* it is there, or the change is made */
    NGX_SCALE_COPIES_MISSING,        /* READ: nowhere */
    NGX_SCALE_COPIES_DEAD,           /* READ: killed a moment ago */
    NGX_SCALE_COPIES_UNKNOWN         /* it may have had its effect */
} ngx_scale_copies_result_e;


typedef struct ngx_scale_copies_s      ngx_scale_copies_t;
typedef struct ngx_scale_copies_run_s  ngx_scale_copies_run_t;

/*
 * The caller owns it (request pool), zeroed, until the handler has run or it
 * was cancelled.  "value" is the caller's until then; what was read is valid
 * during the handler only.  "n" is part of where a key is: under another one
 * nothing of before is found.
 */

struct ngx_scale_copies_s {
    ngx_pool_t                  *pool;
    ngx_scale_copies_verb_e      verb;
    ngx_str_t                    key;        /* canonical, no secret */
    ngx_uint_t                   n;          /* copies, 1 to 3 */
    time_t                       ttl;        /* seconds, 30 days at most */
    ngx_msec_t                   patience;
    ngx_str_t                    value;      /* READ, MAKE: and what is there */

    void                       (*handler)(ngx_scale_copies_t *copies);
    void                        *data;

    ngx_scale_copies_result_e    result;
    time_t                       left;       /* READ: seconds, -1: no end */

    ngx_scale_copies_run_t      *run;        /* private */
};

/* NGX_ERROR: memory; the handler will not run */
ngx_int_t ngx_scale_copies_start(ngx_scale_cache_t *cache,
    ngx_scale_copies_t *copies);

/* the handler will not run; it may have its effect nevertheless */
void ngx_scale_copies_cancel(ngx_scale_copies_t *copies);

/* what is there ends "ttl" seconds from now; nobody waits for that */
void ngx_scale_copies_touch(ngx_scale_cache_t *cache, ngx_str_t *key,
    ngx_uint_t n, time_t ttl);


#endif /* _NGX_SCALE_CACHE_H_INCLUDED_ */
