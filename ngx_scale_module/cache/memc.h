
/*
 * The memcached wire: meta commands (memcached's protocol.txt, "Meta
 * Commands") over one multiplexed connection per worker and server.
 *
 * Written here, because libmemcached has no meta protocol and all its I/O
 * ends in poll().
 */

#ifndef _NGX_SCALE_MEMC_H_INCLUDED_
#define _NGX_SCALE_MEMC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "cache/greeting.h"
#include "cache/memc_tls.h"


typedef struct ngx_scale_memc_s     ngx_scale_memc_t;
typedef struct ngx_scale_memc_op_s  ngx_scale_memc_op_t;


typedef enum {
    NGX_SCALE_MEMC_MG = 0,             /* get */
    NGX_SCALE_MEMC_MS,                 /* set */
    NGX_SCALE_MEMC_MD,                 /* delete */
    NGX_SCALE_MEMC_MA,                 /* add, or subtract */
    NGX_SCALE_MEMC_MN,                 /* nothing: is anybody there */
    NGX_SCALE_MEMC_NVERBS
} ngx_scale_memc_verb_e;


typedef enum {
    NGX_SCALE_MEMC_FAILED = 0,         /* no answer will ever be known */
    NGX_SCALE_MEMC_VA,                 /* mg, ma: a value */
    NGX_SCALE_MEMC_EN,                 /* mg: nothing */
    NGX_SCALE_MEMC_HD,                 /* done */
    NGX_SCALE_MEMC_EX,                 /* the CAS is another one */
    NGX_SCALE_MEMC_NF,                 /* nothing there */
    NGX_SCALE_MEMC_NS                  /* not stored: too large, no memory */
} ngx_scale_memc_status_e;


/*
 * A CAS and the TCP connection it came by: memcached counts from 1 again when
 * it restarts, so a token is worth nothing on another connection.
 */

typedef struct {
    uint64_t                   cas;
    ngx_uint_t                 generation;
} ngx_scale_token_t;


/*
 * A command is its caller's memory, zeroed before use, kept until the handler
 * has run or the command was cancelled; key and value are copied when it is
 * sent.  The handler may use the command again.
 */

struct ngx_scale_memc_op_s {
    ngx_scale_memc_verb_e      verb;
    ngx_str_t                  key;
    ngx_str_t                  value;      /* ms */
    uint32_t                   flags;      /* ms: F */
    time_t                     ttl;        /* T, seconds; mg: 0: as it is */
    time_t                     lease;      /* mg, ma: N, seconds; 0: none */
    time_t                     recache;    /* mg: R, seconds; 0: none */
    ngx_scale_token_t          token;      /* ms, md: where guarded */
    unsigned                   guarded:1;
    unsigned                   return_cas:1;   /* ms */
    unsigned                   keep:1;     /* md: it stays, and is old */
    unsigned                   subtract:1; /* ma: D1, of what is there */

    void                     (*handler)(ngx_scale_memc_op_t *op);
    void                      *data;

    /* the reply; the value is valid during the handler only */

    ngx_scale_memc_status_e    status;
    ngx_str_t                  rvalue;
    uint32_t                   rflags;
    time_t                     rttl;       /* mg: seconds left, -1: no end */
    ngx_scale_token_t          rtoken;
    unsigned                   won:1;      /* mg: W, the caller may fill */
    unsigned                   wait:1;     /* mg: Z, somebody else does */
    unsigned                   old:1;      /* mg: X, after an md that kept it */

    /* private */

    ngx_scale_memc_t          *memc;
    ngx_queue_t                queue;
    uint64_t                   number;
    uint64_t                   offset;
    unsigned                   deferred:1;
    unsigned                   flying:1;
};


/*
 * What a new connection goes through before its first command.  "told" is
 * called when the server has said what it is, with the faults it has (of
 * greeting.h), or when it is refused; "detail" may be NULL.  The time-out of
 * the commands that wait is that of all this, too.
 */

typedef struct {
    ngx_scale_memc_tls_t      *tls;        /* NULL: none */
    ngx_str_t                  name;       /* in its certificate, with NUL */
    ngx_str_t                 *auth;       /* ngx_scale_greeting_auth() */

    void                     (*told)(void *data, ngx_uint_t faults,
                                     ngx_str_t *detail);
    void                      *data;
} ngx_scale_memc_greeting_t;


/* without an address it is not to be used until it has one */
ngx_scale_memc_t *ngx_scale_memc_create(ngx_pool_t *pool, ngx_addr_t *addr,
    ngx_msec_t timeout, ngx_log_t *log);

/* it is elsewhere: what is in flight has FAILED.  The address is copied. */
void ngx_scale_memc_address(ngx_scale_memc_t *memc, ngx_addr_t *addr);

/* no handler is called */
void ngx_scale_memc_destroy(ngx_scale_memc_t *memc);

/*
 * The server is not needed for now: what is in flight has FAILED, and its
 * memory is freed until the next command.  Not from a handler.
 */
void ngx_scale_memc_rest(ngx_scale_memc_t *memc);

/* "down" is called whenever a connection is given up or cannot be made */
void ngx_scale_memc_on_down(ngx_scale_memc_t *memc, void (*down)(void *data),
    void *data);

/* before the first command; "greeting" must outlive it */
void ngx_scale_memc_greeting(ngx_scale_memc_t *memc,
    ngx_scale_memc_greeting_t *greeting);

/*
 * All commands of one turn of the event loop leave in one write.  The handler
 * never runs before this returns.  A guarded command whose token is of another
 * connection is not sent: NF.  After a timeout, or any doubt about the
 * protocol, the connection is closed and all its commands have FAILED.
 *
 * So have, at the turn's end: a key that memcached would not take; a command
 * when 4 MB wait to leave or 32768 commands for an answer; one that needs a
 * connection within 100 ms of the last one's beginning or failure, or a second
 * after a refusal.  A handler that sends again whatever FAILED waits first, or
 * the turn never ends.
 */
void ngx_scale_memc_send(ngx_scale_memc_t *memc, ngx_scale_memc_op_t *op);

/* the handler will not run; the command may have its effect nevertheless */
void ngx_scale_memc_cancel(ngx_scale_memc_op_t *op);

/* whether the kernel may have some of it already, or it is answered */
ngx_uint_t ngx_scale_memc_is_sent(ngx_scale_memc_op_t *op);


#endif /* _NGX_SCALE_MEMC_H_INCLUDED_ */
