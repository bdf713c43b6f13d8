
/*
 * The node's own tier: the hottest entries in shared memory, for all workers.
 * Pure; whoever calls it brings memory and time.
 *
 * One ring of records, written at its head like a log, and a table of words
 * that say where a key's record is.  Nothing is ever locked, so a worker that
 * is killed or stopped anywhere holds up nobody:
 *
 *   write   moves the head forward by compare-and-set, which makes that part
 *           of the ring its own; fills it; sets the key's word, by
 *           compare-and-set again.  Who loses a race stores nothing.
 *   read    copies the record, and looks at the head again: what it copied was
 *           not being overwritten if the head has not come round.  So the head
 *           is the sequence of a seqlock for all records at once.
 *
 * Killed before the word is set: nobody finds what was written.  Stopped while
 * it writes, and woken when the ring has gone round: it damages another's
 * record.  The checksum, of the whole record and of where it belongs, tells.
 *
 * Old values.  A key has a generation: a counter, found by its hash and shared
 * with few others.  A reader notes it BEFORE its mg is sent; a record is valid
 * only while the counter is what was noted.  To remove a key is to add one, a
 * single instruction that cannot fail, before or after any store.  A write
 * removes the key twice:
 *
 *   when its marker is set in memcached (before the statement is sent), and
 *   when all is unmarked or purged (before the acknowledgement).
 *
 * Let v be older than the write, and stored by an mg whose reader had noted g.
 *   - The mg was answered before the marker: g is from before the first
 *     removal, so v is dead since then, whenever it is stored.
 *   - While the marker stands memcached answers PENDING, which is not stored.
 *   - The marker was lost (evicted, expired, its server ejected, or another
 *     writer set his own over it and removed that) and v filled again: at the
 *     end md finds no marker of its own, and v is purged.  The mg was answered
 *     before that, so g is from before the second removal.
 *   - After that memcached has nothing older.
 * So whoever reads after the acknowledgement finds no v.  A worker killed
 * after the first removal leaves its marker: nothing old is stored until it
 * expires, and then the row is read anew.  Killed before the first removal it
 * has sent no statement.
 *
 * A record has the state of its key's memcached, too (zone.h): it is valid only
 * as long as that is the same, so a server that is out, or was, or another
 * ring, makes its entries dead here as it does there; then a write that could
 * set no marker needs none here either.
 *
 * Several nodes (a lease): a removal here does not reach the others.  There a
 * record lives for the lease's time from when its mg was SENT, by a fresh
 * clock, and an acknowledgement waits that long after the marker was set.
 */

#ifndef _NGX_SCALE_LOCAL_H_INCLUDED_
#define _NGX_SCALE_LOCAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_LOCAL_MIN_SIZE   (256 * 1024)
#define NGX_SCALE_LOCAL_MAX_VALUE  65536


typedef struct ngx_scale_local_zone_s  ngx_scale_local_zone_t;


/* a worker's view of the memory, which may be mapped anywhere */

typedef struct {
    ngx_scale_local_zone_t      *zone;
    ngx_atomic_t                *generations;
    ngx_atomic_t                *turns;
    ngx_atomic_t                *slots;
    uint64_t                    *sketch;
    u_char                      *ring;
    uint64_t                     ring_size;
    uint64_t                     aged;
} ngx_scale_local_t;


/* times are milliseconds of CLOCK_MONOTONIC */

typedef struct {
    uint64_t                     hash;       /* of room and key */
    uint64_t                     generation;
    uint64_t                     word;       /* of its memcached */
    uint64_t                     sent;       /* its mg */
    uint32_t                     life;       /* from then on */
    uint32_t                     len;        /* of the value */
    uint64_t                     node;       /* its memcached */
} ngx_scale_local_meta_t;


/* "value" is shared memory, that may change: to be taken, not read */

typedef struct {
    ngx_scale_local_meta_t       meta;
    uint64_t                     position;
    uint64_t                     sum;
    u_char                      *value;
    unsigned                     old:1;      /* soon to be overwritten */
} ngx_scale_local_found_t;


/* makes "size" bytes an empty tier; NGX_ERROR: they are too few */
ngx_int_t ngx_scale_local_format(void *memory, size_t size, uint64_t id);

void ngx_scale_local_open(ngx_scale_local_t *local, void *memory);

/* what format() was given: tells one zone from its successor */
uint64_t ngx_scale_local_id(void *memory);

uint64_t ngx_scale_local_hash(ngx_scale_local_t *local, u_char room,
    ngx_str_t *key);

uint64_t ngx_scale_local_generation(ngx_scale_local_t *local, uint64_t hash);
void ngx_scale_local_remove(ngx_scale_local_t *local, uint64_t hash);

/*
 * A key's record.  NGX_AGAIN: it is there, but its mg was sent "age" ms ago or
 * more (0: any age will do).  Of "meta", word and node are for the caller to
 * judge.
 */
ngx_int_t ngx_scale_local_find(ngx_scale_local_t *local, uint64_t hash,
    uint64_t now, uint64_t age, ngx_scale_local_found_t *found);

/* copies its value, of meta.len bytes; NGX_DECLINED: it was not whole */
ngx_int_t ngx_scale_local_take(ngx_scale_local_t *local,
    ngx_scale_local_found_t *found, u_char *value);

/* NGX_DECLINED: too large, removed meanwhile, or another worker was faster */
ngx_int_t ngx_scale_local_store(ngx_scale_local_t *local,
    ngx_scale_local_meta_t *meta, u_char *value);

/*
 * What is asked for once shall not drive out what is asked for often: each
 * miss is counted in a count-min sketch, which forgets, and a key that was
 * missed twice lately is admitted.
 */
void ngx_scale_local_miss(ngx_scale_local_t *local, uint64_t hash);
ngx_uint_t ngx_scale_local_admits(ngx_scale_local_t *local, uint64_t hash);

/* NGX_OK, to one caller per key and "period" ms: it is his turn to ask */
ngx_int_t ngx_scale_local_turn(ngx_scale_local_t *local, uint64_t hash,
    uint64_t now, uint64_t period);


#endif /* _NGX_SCALE_LOCAL_H_INCLUDED_ */
