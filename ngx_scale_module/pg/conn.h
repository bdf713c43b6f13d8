
/*
 * A connection is a FIFO of slots: what was sent and is not yet answered.  A
 * slot whose operation was cancelled has none.
 */

#ifndef _NGX_SCALE_CONN_H_INCLUDED_
#define _NGX_SCALE_CONN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <libpq-fe.h>
#include "pg/cluster.h"


typedef enum {
    NGX_SCALE_PG_SLOT_SETUP = 0,
    NGX_SCALE_PG_SLOT_BEGIN,
    NGX_SCALE_PG_SLOT_SET,
    NGX_SCALE_PG_SLOT_PREPARE,
    NGX_SCALE_PG_SLOT_CALL,
    NGX_SCALE_PG_SLOT_FRAME,           /* before the calls, or after them */
    NGX_SCALE_PG_SLOT_CHECK,           /* how far a replica is */
    NGX_SCALE_PG_SLOT_LOCATE,          /* where a write ended */
    NGX_SCALE_PG_SLOT_COVER,           /* what was bound before */
    NGX_SCALE_PG_SLOT_END,             /* COMMIT or ROLLBACK */
    NGX_SCALE_PG_SLOT_SYNC
} ngx_scale_pg_slot_e;


typedef struct {
    ngx_scale_pg_slot_e        type;
    ngx_scale_pg_op_t         *op;         /* NULL: of none, or cancelled */
    ngx_scale_pg_statement_t  *statement;  /* NULL: nothing was prepared */
    ngx_uint_t                 call;       /* of "op", in a CALL */
    uint32_t                   serial;     /* of the last preparation */
    unsigned                   seen:1;     /* a result has arrived */
    unsigned                   read:1;     /* may be cancelled */
    unsigned                   last:1;     /* a SYNC that ends "op" */
} ngx_scale_pg_slot_t;


/* only ngx_scale_pg_become() moves a connection from one to another */

typedef enum {
    NGX_SCALE_PG_CLOSED = 0,
    NGX_SCALE_PG_CONNECTING,
    NGX_SCALE_PG_STARTING,                 /* the session's settings */
    NGX_SCALE_PG_READY,                    /* takes work */
    NGX_SCALE_PG_RETIRING,                 /* ends what it has */
    NGX_SCALE_PG_BROKEN,                   /* closed before the next event */
    NGX_SCALE_PG_NSTATES
} ngx_scale_pg_state_e;


#define NGX_SCALE_PG_SLOTS      1024       /* a power of two */


/* a statement as one session knows it */

typedef struct {
    uint32_t                   serial;     /* 0: not prepared */
    u_char                     name[sizeof("scale_") + NGX_INT32_LEN];
} ngx_scale_pg_prepared_t;


struct ngx_scale_pg_conn_s {
    ngx_scale_pg_t            *pg;
    ngx_scale_pg_server_t     *server;
    ngx_scale_pg_class_e       class;
    ngx_scale_pg_state_e       state;
    ngx_scale_pg_conn_t       *next;       /* of its pool, open or closed */

    ngx_event_handler_pt       reading;    /* when it is open */
    ngx_event_t                timer;      /* connecting, or no progress */
    ngx_event_t                broken;     /* posted: close from the loop */
    const char                *reason;
    uint32_t                   serial;     /* of the last preparation */

    ngx_scale_pg_op_t          cancel;     /* of what runs here */
    ngx_scale_pg_call_t        cancel_call;
    const char                *cancel_value;
    u_char                     cancel_pid[NGX_INT_T_LEN + 1];
    ngx_msec_t                 stray;      /* until when a 57014 may be */

    ngx_scale_pg_position_t   *position;   /* its server's, or "left" */
    ngx_scale_pg_position_t    left;       /* when the server moved */

    /* the session; zero while there is none */

    PGconn                    *pgconn;
    ngx_connection_t          *connection;
    ngx_scale_pg_slot_t       *slots;      /* NGX_SCALE_PG_SLOTS */
    ngx_scale_pg_prepared_t   *prepared;   /* by statement */
    ngx_uint_t                 head;
    ngx_uint_t                 tail;
    ngx_uint_t                 depth;      /* operations in flight */
    ngx_uint_t                 batch;      /* of them, since the last Sync */
    ngx_scale_pg_op_t         *looking;    /* it has no slot meanwhile */

    size_t                     stain;      /* bytes of secrets in libpq */
    ngx_uint_t                 reads;      /* of the socket, for the head */
    ngx_msec_t                 patience;   /* between two rows of a stream */

    ngx_scale_pg_position_t    replayed;   /* of a replica, at least */
    ngx_msec_t                 born;
    ngx_msec_t                 lifetime;
    ngx_msec_t                 used;       /* when it last had work */
    ngx_msec_t                 progressed; /* when something last moved */

    unsigned                   opened:1;       /* it has been ready */
    unsigned                   failed:1;       /* its transaction did */
    unsigned                   committed_locally:1;
    unsigned                   checked:1;      /* in this batch */
    unsigned                   paused:1;       /* nothing is read */
    unsigned                   resumed:1;      /* libpq may hold rows yet */
    unsigned                   overdue:1;      /* and cancelled for that */
};


/* its operations are transactions, one at a time */

#define ngx_scale_pg_transacts(conn)                                          \
    ((conn)->class == NGX_SCALE_PG_CLASS_EXCLUSIVE                            \
     || (conn)->class == NGX_SCALE_PG_CLASS_STREAM)


/* its session has begun, and may be used */

#define ngx_scale_pg_is_open(conn)                                            \
    ((conn)->state == NGX_SCALE_PG_READY                                      \
     || (conn)->state == NGX_SCALE_PG_RETIRING)


/* a transaction that looks at its rows has no slots, and is not at its end */

#define ngx_scale_pg_is_idle(conn)                                            \
    ((conn)->head == (conn)->tail && (conn)->looking == NULL)


/* ms beyond its time, that a server may take to say so */
#define NGX_SCALE_PG_GRACE      1000


/* the one place where a state changes, and with it the pool's lists */
void ngx_scale_pg_become(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_state_e state);

/*
 * Ends it: before the next event, so it may be called in the midst of sending
 * or receiving.  The reason reaches the log, and lives until then; NULL:
 * nothing failed.  What was in flight is retried or fails.  The first reason
 * counts.
 */
void ngx_scale_pg_break(ngx_scale_pg_conn_t *conn, const char *reason);

/* which events it gets */
void ngx_scale_pg_watch(ngx_scale_pg_conn_t *conn, ngx_uint_t reading,
    ngx_uint_t writing);

/* no event of it will come any more */
void ngx_scale_pg_unregister(ngx_scale_pg_conn_t *conn);

/* sends what libpq holds, as far as the socket takes it */
void ngx_scale_pg_flush(ngx_scale_pg_conn_t *conn);

/* reads on after a pause, what libpq holds already first */
void ngx_scale_pg_go_on(ngx_scale_pg_conn_t *conn);

/* something was sent or has arrived: the silence begins anew */
void ngx_scale_pg_progress(ngx_scale_pg_conn_t *conn);

/* has its server replayed what the read must see? */
ngx_uint_t ngx_scale_pg_is_current(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);


#endif /* _NGX_SCALE_CONN_H_INCLUDED_ */
