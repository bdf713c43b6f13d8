
/*
 * private: how a memcached is spoken to, from the bottom up.  memc_command.c
 * has the words of commands, memc_buffer.c the memory of a connection,
 * memc_pipeline.c the commands that await replies, memc_tls.c TLS,
 * memc_close.c the end of a connection, whatever it is, memc_greeting.c its
 * beginning, memc_connection.c its events, and memc.c the verbs.
 */

#ifndef _NGX_SCALE_MEMC_INT_H_INCLUDED_
#define _NGX_SCALE_MEMC_INT_H_INCLUDED_


#include "cache/memc.h"
#include "cache/reply.h"
#include <ngx_event_connect.h>


#define NGX_SCALE_MEMC_SLOTS    32768      /* commands in flight */
#define NGX_SCALE_MEMC_LINE     384        /* of a command, at most */
#define NGX_SCALE_MEMC_BACKOFF  100        /* ms between connections */


typedef enum {
    NGX_SCALE_MEMC_CLOSED = 0,
    NGX_SCALE_MEMC_CONNECTING,
    NGX_SCALE_MEMC_SECURING,           /* TLS has the events */
    NGX_SCALE_MEMC_AUTHENTICATING,
    NGX_SCALE_MEMC_CHECKING,           /* what it says of itself */
    NGX_SCALE_MEMC_OPEN
} ngx_scale_memc_state_e;


/* why a connection ends; memc_close.c has the words */

typedef enum {
    NGX_SCALE_MEMC_QUIETLY = 0,        /* by us: nobody is told */
    NGX_SCALE_MEMC_UNREACHABLE,
    NGX_SCALE_MEMC_NO_NODELAY,
    NGX_SCALE_MEMC_NO_TLS,
    NGX_SCALE_MEMC_NOT_GREETED,
    NGX_SCALE_MEMC_NO_GREETING_EVENT,
    NGX_SCALE_MEMC_REFUSED,
    NGX_SCALE_MEMC_ENDED_EARLY,
    NGX_SCALE_MEMC_NOT_SENT,
    NGX_SCALE_MEMC_NO_WRITE_EVENT,
    NGX_SCALE_MEMC_NO_READ_EVENT,
    NGX_SCALE_MEMC_NO_MEMORY,
    NGX_SCALE_MEMC_NOT_ASKED,
    NGX_SCALE_MEMC_ENDED,
    NGX_SCALE_MEMC_SILENT              /* the last: a state is added */
} ngx_scale_memc_reason_e;


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
    ngx_event_handler_pt       on_readable;
    ngx_event_handler_pt       on_writable;

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


/* memcached would take it for one key, and nothing else */
ngx_uint_t ngx_scale_memc_is_key(ngx_str_t *key);

/* at most NGX_SCALE_MEMC_LINE bytes and the value; returns their end */
u_char *ngx_scale_memc_format(u_char *p, ngx_scale_memc_op_t *op);

/* what a reply to the verb means; FAILED: it is none to it */
ngx_scale_memc_status_e ngx_scale_memc_status(ngx_scale_memc_verb_e verb,
    ngx_scale_reply_code_e code);


/* the memory of an open connection, where there is none; NGX_ERROR: memory */
ngx_int_t ngx_scale_memc_equip(ngx_scale_memc_t *memc);

/* "data" is the memc */
void ngx_scale_memc_strip(void *data);

/* room for "len" bytes more to be sent; NULL: too many, or memory */
u_char *ngx_scale_memc_reserve(ngx_scale_memc_t *memc, size_t len);

/*
 * Room for more input, and for all of a value that has begun.  NGX_ERROR:
 * memory.
 */
ngx_int_t ngx_scale_memc_room(ngx_scale_memc_t *memc);


/* takes the command with the others of this turn; NGX_ERROR: too many */
ngx_int_t ngx_scale_memc_append(ngx_scale_memc_t *memc,
    ngx_scale_memc_op_t *op);

/* the handler is called at the turn's end, without the server */
void ngx_scale_memc_defer(ngx_scale_memc_t *memc, ngx_scale_memc_op_t *op,
    ngx_scale_memc_status_e status);

/* the handlers of what was deferred until now */
void ngx_scale_memc_run_deferred(ngx_scale_memc_t *memc);

/* the oldest command's handler; NGX_ERROR: that is no reply to it */
ngx_int_t ngx_scale_memc_reply(ngx_scale_memc_t *memc,
    ngx_scale_reply_t *reply);

/* no command will be answered any more: their handlers are deferred */
void ngx_scale_memc_fail(ngx_scale_memc_t *memc);

/* no handler will run */
void ngx_scale_memc_forget(ngx_scale_memc_t *memc);

/* the commands of this turn leave now */
void ngx_scale_memc_stamp(ngx_scale_memc_t *memc);

/* sets the timer by the oldest command: its time is the connection's */
void ngx_scale_memc_watch(ngx_scale_memc_t *memc);

ngx_uint_t ngx_scale_memc_is_late(ngx_scale_memc_t *memc);


/*
 * NGX_AGAIN: "handler" is called later, of a connection whose events are to be
 * given back; NGX_ERROR: it cannot begin.  "quiet" is the log meanwhile, and
 * "name" the one in the certificate.
 */
ngx_int_t ngx_scale_memc_tls_handshake(ngx_scale_memc_tls_t *tls,
    ngx_connection_t *c, ngx_str_t *name, ngx_log_t *quiet,
    ngx_connection_handler_pt handler);

/* after the handshake; NGX_DECLINED: "detail" says why it failed */
ngx_int_t ngx_scale_memc_tls_verdict(ngx_connection_t *c, ngx_str_t *detail);

/* before the connection is closed, secured or not */
void ngx_scale_memc_tls_close(ngx_connection_t *c);


/* with a debug line */
void ngx_scale_memc_turn(ngx_scale_memc_t *memc,
    ngx_scale_memc_state_e state);

/*
 * Every connection ends here, begun or not.  What is in flight has FAILED; the
 * reason is logged, with the error of the system if there is one, and "down"
 * is told.
 */
void ngx_scale_memc_close(ngx_scale_memc_t *memc,
    ngx_scale_memc_reason_e reason, ngx_err_t err);


/*
 * The greeting: begun when TCP is connected, gone on with when the kernel takes
 * more.  NGX_OK, NGX_AGAIN, or NGX_ERROR: the connection is closed.
 */
ngx_int_t ngx_scale_memc_greet(ngx_scale_memc_t *memc);
ngx_int_t ngx_scale_memc_speak(ngx_scale_memc_t *memc);

/* when the server has said something.  NGX_OK: it is open */
ngx_int_t ngx_scale_memc_hear(ngx_scale_memc_t *memc);


/* NGX_DECLINED: it was tried a moment ago, or fails at once */
ngx_int_t ngx_scale_memc_connect(ngx_scale_memc_t *memc);

/* as much as the kernel takes; the rest follows when it takes more */
void ngx_scale_memc_flush(ngx_scale_memc_t *memc);

/* the events of the connection, whose data is the memc, and of its timer */
void ngx_scale_memc_on_readable(ngx_event_t *rev);
void ngx_scale_memc_on_writable(ngx_event_t *wev);
void ngx_scale_memc_on_timer(ngx_event_t *ev);


#endif /* _NGX_SCALE_MEMC_INT_H_INCLUDED_ */
