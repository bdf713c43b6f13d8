
/* a mark: mark.c moves one, write.c above it all of a write */

#ifndef _NGX_SCALE_MARK_INT_H_INCLUDED_
#define _NGX_SCALE_MARK_INT_H_INCLUDED_


#include "cache/cache_int.h"


typedef enum {
    NGX_SCALE_MARK_NEW = 0,
    NGX_SCALE_MARK_SETTING,            /* ms F2 */
    NGX_SCALE_MARK_SET,
    NGX_SCALE_MARK_RELEASING,          /* md or ms under own CAS */
    NGX_SCALE_MARK_LOOKING,            /* whose is it now */
    NGX_SCALE_MARK_PURGING,            /* md, unguarded */
    NGX_SCALE_MARK_CLEAN
} ngx_scale_mark_state_e;


typedef struct {
    ngx_queue_t                  queue;
    ngx_scale_write_t           *write;
    ngx_str_t                    key;
    u_char                       room;
    ngx_scale_mark_state_e       state;
    ngx_scale_place_t            place;
    ngx_scale_memc_op_t          op;
    void                       (*handler)(ngx_scale_memc_op_t *op);
    ngx_scale_token_t            token;
    uint64_t                     value;    /* a nonce, then a generation */
    uint64_t                     fenced;   /* no node leases what was before */
    ngx_msec_t                   set;      /* no later than it was sent */
    ngx_str_t                    entry;    /* what the write has made of it */
    time_t                       ttl;
    unsigned                     held:1;   /* set on a server, with a token */
    unsigned                     busy:1;   /* a reply is awaited */
    unsigned                     waits:1;  /* to be acknowledged */
} ngx_scale_mark_t;


/* moves one that awaits no reply, and is not where it is to be */
void ngx_scale_mark_step(ngx_scale_mark_t *mark);

/* 1: one that is CLEAN is not, or not yet, for all web nodes */
ngx_uint_t ngx_scale_mark_recheck(ngx_scale_mark_t *mark);

/* a reply has come; it may have sent the next command already */
void ngx_scale_mark_told(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op);


#endif /* _NGX_SCALE_MARK_INT_H_INCLUDED_ */
