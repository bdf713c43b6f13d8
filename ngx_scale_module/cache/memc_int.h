
/*
 * private: memc.c has the commands, memc_connection.c the TCP connection,
 * memc_greeting.c and memc_tls.c how it begins
 */

#ifndef _NGX_SCALE_MEMC_INT_H_INCLUDED_
#define _NGX_SCALE_MEMC_INT_H_INCLUDED_


#include "cache/memc.h"
#include "cache/reply.h"
#include <ngx_event_connect.h>


#define NGX_SCALE_MEMC_SLOTS    32768      /* commands in flight */
#define NGX_SCALE_MEMC_IN       (256 * 1024)


typedef enum {
    NGX_SCALE_MEMC_CLOSED = 0,
    NGX_SCALE_MEMC_CONNECTING,
    NGX_SCALE_MEMC_SECURING,           /* TLS has the events */
    NGX_SCALE_MEMC_AUTHENTICATING,
    NGX_SCALE_MEMC_CHECKING,           /* what it says of itself */
    NGX_SCALE_MEMC_OPEN
} ngx_scale_memc_state_e;


/* commands are answered in order: a ring, by number; no op: cancelled */

typedef struct {
    ngx_scale_memc_op_t       *op;
    ngx_scale_memc_verb_e      verb;
    ngx_msec_t                 sent;
} ngx_scale_memc_slot_t;


struct ngx_scale_memc_s {
    ngx_scale_memc_state_e     state;
    ngx_peer_connection_t      peer;
    ngx_sockaddr_t             sockaddr;
    ngx_str_t                  name;
    u_char                     text[NGX_SOCKADDR_STRLEN];
    ngx_uint_t                 generation;
    ngx_msec_t                 timeout;
    ngx_msec_t                 retry_at;

    ngx_scale_memc_greeting_t *greeting;   /* or NULL */
    ngx_str_t                  words;      /* of it, not yet sent */
    ngx_scale_facts_t          facts;

    ngx_scale_memc_slot_t     *slots;
    uint64_t                   head;
    uint64_t                   tail;
    uint64_t                   fresh;      /* of this turn, from here on */

    u_char                    *out;        /* not yet taken by the kernel */
    size_t                     out_len;
    size_t                     out_size;
    uint64_t                   out_offset; /* of out[0] in the stream */

    u_char                    *in;
    u_char                    *in_pos;
    u_char                    *in_last;
    size_t                     in_size;

    ngx_queue_t                deferred;   /* answered without being sent */
    ngx_event_t                flush;      /* posted */
    ngx_event_t                timer;

    void                     (*down)(void *data);
    void                      *data;
    ngx_log_t                 *log;
    ngx_log_t                  quiet;
    unsigned                   complained:1;
};


/* the memory of an open connection, where there is none */
ngx_int_t ngx_scale_memc_equip(ngx_scale_memc_t *memc);

/* the handler is called at the turn's end, without the server */
void ngx_scale_memc_defer(ngx_scale_memc_t *memc,
    ngx_scale_memc_op_t *op, ngx_scale_memc_status_e status);

/* NGX_DECLINED: it was tried a moment ago, or fails at once */
ngx_int_t ngx_scale_memc_connect(ngx_scale_memc_t *memc);

/* as much as the kernel takes; the rest follows when it takes more */
void ngx_scale_memc_flush(ngx_scale_memc_t *memc);

/* sets the timer by the oldest command */
void ngx_scale_memc_watch(ngx_scale_memc_t *memc);

void ngx_scale_memc_timer_handler(ngx_event_t *ev);

/* what is in flight has FAILED; a reason is logged, and "down" is told */
void ngx_scale_memc_close(ngx_scale_memc_t *memc, const char *reason);

/* the connection's events are ours */
void ngx_scale_memc_listen(ngx_scale_memc_t *memc);


/*
 * The greeting: begun when TCP is connected, gone on with after TLS, when the
 * kernel takes more, and when the server has said something.  NGX_OK,
 * NGX_AGAIN, or NGX_ERROR: the connection is closed.
 */
ngx_int_t ngx_scale_memc_greet(ngx_scale_memc_t *memc);
ngx_int_t ngx_scale_memc_introduce(ngx_scale_memc_t *memc);
ngx_int_t ngx_scale_memc_speak(ngx_scale_memc_t *memc);

/* NGX_OK: it is open */
ngx_int_t ngx_scale_memc_hear(ngx_scale_memc_t *memc);

void ngx_scale_memc_refuse(ngx_scale_memc_t *memc, ngx_uint_t faults,
    ngx_str_t *detail);

ngx_int_t ngx_scale_memc_tls_handshake(ngx_scale_memc_t *memc);
void ngx_scale_memc_tls_close(ngx_connection_t *c);


#endif /* _NGX_SCALE_MEMC_INT_H_INCLUDED_ */
