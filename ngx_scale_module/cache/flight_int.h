
/*
 * A flight, from the bottom up: flight_memory.c has its memory, flight_end.c
 * tells its readers, tier.c keeps what it found, warm.c makes it wait, fill.c
 * stores what its filler has read, due.c judges an entry's age, and flight.c
 * runs it.
 */

#ifndef _NGX_SCALE_FLIGHT_INT_H_INCLUDED_
#define _NGX_SCALE_FLIGHT_INT_H_INCLUDED_


#include "cache/cache_int.h"


typedef enum {
    NGX_SCALE_FLIGHT_RESTING = 0,      /* the next round is posted */
    NGX_SCALE_FLIGHT_ASKING,           /* mg of the tags and the key */
    NGX_SCALE_FLIGHT_CLEARING,         /* md of what is of no use */
    NGX_SCALE_FLIGHT_WAITING,          /* another node or worker fills */
    NGX_SCALE_FLIGHT_FILLING           /* its leader reads the row */
} ngx_scale_flight_state_e;


/* of a key, before its mg is sent */

typedef struct {
    uint64_t                     hash;
    uint64_t                     generation; /* the local tier's */
} ngx_scale_tier_note_t;


typedef struct {
    ngx_scale_flight_t          *flight;
    ngx_scale_place_t            place;
    ngx_scale_tier_note_t        note;
    ngx_str_t                    tag;
    ngx_scale_memc_op_t          op;
    uint64_t                     generation;
    time_t                       age;        /* of the generation */
    unsigned                     known:1;
} ngx_scale_flight_tag_t;


struct ngx_scale_flight_s {
    ngx_str_node_t               node;
    ngx_scale_cache_t           *cache;
    ngx_scale_flight_state_e     state;

    ngx_queue_t                  readers;    /* of this round */
    ngx_queue_t                  late;
    ngx_scale_read_t            *leader;

    ngx_scale_place_t            place;
    ngx_scale_tier_note_t        note;
    uint64_t                     sent;       /* no later than the mg */
    ngx_uint_t                   polls;      /* of the local tier */
    ngx_scale_memc_op_t          op;
    ngx_scale_flight_tag_t      *tags;
    ngx_uint_t                   ntags;
    uint64_t                     statement;
    ngx_uint_t                   pending;    /* replies awaited */
    u_char                      *copy;       /* of a value to be held */
    ngx_scale_entry_t            kept;       /* in it, for want of a new one */
    time_t                       overdue;    /* seconds past its ttl */
    time_t                       ttl;        /* as the route has it */
    time_t                       overtime;
    ngx_queue_t                  queue;      /* of renewals, or the line */
    ngx_uint_t                   share;
    ngx_scale_token_t            lease;
    ngx_event_t                  event;
    ngx_msec_t                   delay;
    ngx_msec_t                   patience;
    ngx_msec_t                   until;      /* the other filler has gone */
    uint64_t                     awaited;    /* its lease's CAS */

    unsigned                     leased:1;
    unsigned                     bypassed:1; /* the fill is not stored */
    unsigned                     marked:1;   /* a write is under way */
    unsigned                     cleared:1;  /* once per flight */
    unsigned                     noted:1;    /* that a tag made it old */
    unsigned                     renewing:1; /* the lease is a live entry's */
    unsigned                     keeps:1;    /* "kept" */
    unsigned                     old:1;      /* what the readers are told */
    unsigned                     due:1;      /* one of them may renew it */
    unsigned                     detached:1; /* a renewal */
    unsigned                     counted:1;  /* among the fills */
};


/* a copy of "read"'s key and tags is with it; it is not among the flights */
ngx_scale_flight_t *ngx_scale_flight_alloc(ngx_scale_cache_t *cache,
    ngx_scale_read_t *read);
void ngx_scale_flight_destroy(ngx_scale_flight_t *flight);

/* a value is held beyond the handler of its reply; NGX_ERROR: memory */
ngx_int_t ngx_scale_flight_hold(ngx_scale_flight_t *flight);
void ngx_scale_flight_let_go(ngx_scale_flight_t *flight);

/* the next round is posted, or the row's reading by another reader */
void ngx_scale_flight_again(ngx_scale_flight_t *flight);

/* all readers of the round are told the same; end() ends it */
void ngx_scale_flight_tell(ngx_scale_flight_t *flight,
    ngx_scale_cache_verdict_e verdict, ngx_scale_entry_t *entry,
    void *failure);
void ngx_scale_flight_end(ngx_scale_flight_t *flight);

/* both */
void ngx_scale_flight_answer(ngx_scale_flight_t *flight,
    ngx_scale_cache_verdict_e verdict, ngx_scale_entry_t *entry,
    void *failure);


/*
 * Before a round's commands are sent.  NGX_AGAIN: another worker asks just
 * now; the readers are answered, or the event is set to ask again.
 */
ngx_int_t ngx_scale_tier_ask(ngx_scale_flight_t *flight);

/* what memcached answered is a valid entry */
void ngx_scale_tier_keep(ngx_scale_flight_t *flight);


void ngx_scale_warm_init(ngx_scale_cache_t *cache);
void ngx_scale_warm_count(ngx_scale_cache_t *cache, ngx_uint_t missed);

/* NGX_AGAIN: too many fill already, the event is posted when it may */
ngx_int_t ngx_scale_warm_enter(ngx_scale_flight_t *flight);
void ngx_scale_warm_leave(ngx_scale_flight_t *flight);


/* md: the lease of a stub, or an entry for which there is no new one */
void ngx_scale_flight_free_lease(ngx_scale_flight_t *flight);

/* nothing was read: a lease is given back, an entry stays */
void ngx_scale_flight_give_up(ngx_scale_flight_t *flight);

/* the generation of a tag that had none, under the lease of its stub */
void ngx_scale_flight_new_tag(ngx_scale_flight_t *flight,
    ngx_scale_flight_tag_t *tag, ngx_scale_token_t *token);


/* what the flight does next */

typedef enum {
    NGX_SCALE_DUE_ENDED = 0,           /* nothing: it may be gone */
    NGX_SCALE_DUE_LEAD,                /* the row is read */
    NGX_SCALE_DUE_NOTE,                /* the item is marked old, and asked */
    NGX_SCALE_DUE_CLEAR                /* it is removed, and asked for again */
} ngx_scale_due_e;

/* an entry of the key and its statement has come: who may have it is told */
ngx_scale_due_e ngx_scale_due_judge(ngx_scale_flight_t *flight,
    ngx_scale_entry_t *entry);


#endif /* _NGX_SCALE_FLIGHT_INT_H_INCLUDED_ */
