
/*
 * A flight, for flight.c, which runs it, fill.c, which stores its end, and
 * tier.c, which keeps what it found.
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
    u_char                      *copy;       /* of a value that came early */
    ngx_scale_token_t            lease;
    ngx_event_t                  event;
    ngx_msec_t                   delay;
    ngx_msec_t                   patience;
    ngx_msec_t                   until;      /* the other filler has gone */

    unsigned                     leased:1;
    unsigned                     bypassed:1; /* the fill is not stored */
    unsigned                     marked:1;   /* a write is under way */
    unsigned                     cleared:1;  /* once per flight */
};


/* ends the round: all its readers are told the same */
void ngx_scale_flight_answer(ngx_scale_flight_t *flight,
    ngx_scale_cache_verdict_e verdict, ngx_scale_entry_t *entry,
    void *failure);

void ngx_scale_flight_free_lease(ngx_scale_flight_t *flight);
void ngx_scale_flight_new_tag(ngx_scale_flight_t *flight,
    ngx_scale_flight_tag_t *tag, ngx_scale_token_t *token);

/*
 * Before a round's commands are sent.  NGX_AGAIN: another worker asks just
 * now; the readers are answered, or the event is set to ask again.
 */
ngx_int_t ngx_scale_tier_ask(ngx_scale_flight_t *flight);

/* what memcached answered is a valid entry */
void ngx_scale_tier_keep(ngx_scale_flight_t *flight);


#endif /* _NGX_SCALE_FLIGHT_INT_H_INCLUDED_ */
