
/*
 * A session's record: copy.c moves one copy, copies_all.c looks at all of
 * them, and copies.c above has the verbs.
 */

#ifndef _NGX_SCALE_COPIES_INT_H_INCLUDED_
#define _NGX_SCALE_COPIES_INT_H_INCLUDED_


#include "cache/cache_int.h"


/* seconds; what has not been filled by then is somebody else's to fill */
#define NGX_SCALE_COPY_LEASE      2

/*
 * Seconds, at most: it has to stand until all copies have one, and where that
 * is never reached nobody makes a value until it ends.
 */
#define NGX_SCALE_COPY_TOMBSTONE  60


typedef enum {
    NGX_SCALE_COPY_NEW = 0,
    NGX_SCALE_COPY_UNUSED,             /* its node is not to be asked */
    NGX_SCALE_COPY_SILENT,             /* nobody knows what it holds */

    NGX_SCALE_COPY_LOOKING,            /* mg, for a stub where it is not */
    NGX_SCALE_COPY_ABSENT,             /* not there, others may fill it */
    NGX_SCALE_COPY_WON,                /* not there, and the stub is ours */
    NGX_SCALE_COPY_FOUND,
    NGX_SCALE_COPY_DEAD,               /* there is a tombstone */

    NGX_SCALE_COPY_KILLING,            /* ms F2, unguarded */
    NGX_SCALE_COPY_KILLED,             /* a tombstone stood there */
    NGX_SCALE_COPY_CHECKING,           /* mg */
    NGX_SCALE_COPY_STANDS,             /* the same one, until then */
    NGX_SCALE_COPY_DISOWNED,           /* unreachable, for everybody */

    NGX_SCALE_COPY_FILLING,            /* ms under the stub's CAS, or its */
    NGX_SCALE_COPY_FILLED,
    NGX_SCALE_COPY_LOST                /* somebody was first */
} ngx_scale_copy_state_e;


typedef struct {
    ngx_scale_copies_run_t      *run;
    ngx_scale_copy_state_e       state;
    ngx_scale_place_t            place;
    ngx_scale_memc_op_t          op;
    ngx_scale_token_t            token;    /* of the stub, or the tombstone */
    unsigned                     busy:1;   /* a reply is awaited */
} ngx_scale_copy_t;


struct ngx_scale_copies_run_s {
    ngx_scale_copies_t          *copies;
    ngx_scale_cache_t           *cache;
    ngx_scale_copy_t             copy[NGX_SCALE_COPIES_MAX];
    ngx_uint_t                   n;
    ngx_uint_t                   first;    /* to be looked at */
    ngx_uint_t                   pending;
    ngx_event_t                  event;
    ngx_msec_t                   deadline;
    void                       (*handler)(ngx_scale_memc_op_t *op);
    unsigned                     ending:1; /* it kills */
    unsigned                     filling:1;
};


/* where it is, and nothing is known of it */
void ngx_scale_copy_place(ngx_scale_copy_t *copy, ngx_scale_place_t *place);

void ngx_scale_copy_look(ngx_scale_copy_t *copy);
void ngx_scale_copy_kill(ngx_scale_copy_t *copy);
void ngx_scale_copy_check(ngx_scale_copy_t *copy);
void ngx_scale_copy_fill(ngx_scale_copy_t *copy);

/* a reply has come */
void ngx_scale_copy_told(ngx_scale_copy_t *copy, ngx_scale_memc_op_t *op);

/* the stub it has won is filled, or removed, and nobody waits for that */
void ngx_scale_copy_repair(ngx_scale_copy_t *copy, ngx_str_t *value,
    time_t ttl);
void ngx_scale_copy_leave(ngx_scale_copy_t *copy);


/*
 * Where the copies are, and nothing is known of them.  NGX_AGAIN: this node
 * does not know.
 */
ngx_int_t ngx_scale_copies_find(ngx_scale_copies_run_t *run);

/* returns how many are in that state, and moves them, where "verb" does */
ngx_uint_t ngx_scale_copies_each(ngx_scale_copies_run_t *run,
    ngx_scale_copy_state_e state, void (*verb)(ngx_scale_copy_t *copy));

/* all are where they were found, and readers may use them */
ngx_uint_t ngx_scale_copies_are_placed(ngx_scale_copies_run_t *run);

/* what was asked for is not found, and nowhere else to be found */
ngx_uint_t ngx_scale_copies_are_missing(ngx_scale_copies_run_t *run);

/* there is nobody to ask */
ngx_uint_t ngx_scale_copies_are_out(ngx_scale_copies_run_t *run);

/* a copy has it that is still one */
ngx_uint_t ngx_scale_copies_is_kept(ngx_scale_copies_run_t *run);


#endif /* _NGX_SCALE_COPIES_INT_H_INCLUDED_ */
