
/*
 * Private to the room.  A connection is a FIFO of slots: what was sent and is
 * not yet answered.  A slot whose operation was cancelled has none.
 */

#ifndef _NGX_SCALE_PG_INT_H_INCLUDED_
#define _NGX_SCALE_PG_INT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <libpq-fe.h>
#include "pg/pg.h"


typedef struct ngx_scale_pg_conn_s    ngx_scale_pg_conn_t;
typedef struct ngx_scale_pg_server_s  ngx_scale_pg_server_t;


typedef enum {
    NGX_SCALE_PG_CLASS_READ = 0,
    NGX_SCALE_PG_CLASS_WRITE,
    NGX_SCALE_PG_CLASS_EXCLUSIVE,
    NGX_SCALE_PG_CLASS_STREAM,
    NGX_SCALE_PG_CLASS_CONTROL,
    NGX_SCALE_PG_NCLASSES
} ngx_scale_pg_class_e;


/*
 * What waits, by who can take it; those after NSERVED wait for something else,
 * those after NROUTED not for a server.
 */

typedef enum {
    NGX_SCALE_PG_LINE_READ = 0,            /* on the primary */
    NGX_SCALE_PG_LINE_REPLICA,
    NGX_SCALE_PG_LINE_WRITE,
    NGX_SCALE_PG_LINE_EXCLUSIVE,           /* on the primary */
    NGX_SCALE_PG_LINE_EXCLUSIVE_REPLICA,
    NGX_SCALE_PG_LINE_STREAM,              /* on the primary */
    NGX_SCALE_PG_LINE_STREAM_REPLICA,
    NGX_SCALE_PG_NSERVED,
    NGX_SCALE_PG_LINE_INDEX = NGX_SCALE_PG_NSERVED,
    NGX_SCALE_PG_LINE_BEHIND,              /* a replica may catch up */
    NGX_SCALE_PG_NROUTED,
    NGX_SCALE_PG_LINE_INDEXED = NGX_SCALE_PG_NROUTED,
                                           /* the read-index is asked for */
    NGX_SCALE_PG_LINE_REFUSED,             /* is told so */
    NGX_SCALE_PG_LINE_LOST,                /* so is this of its connection */
    NGX_SCALE_PG_NLINES
} ngx_scale_pg_line_e;


/* where an operation is: only ngx_scale_pg_place() moves it */

typedef enum {
    NGX_SCALE_PG_NOWHERE = 0,
    NGX_SCALE_PG_WAITING,                  /* in a line */
    NGX_SCALE_PG_SENT,                     /* in slots of its connection */
    NGX_SCALE_PG_LOOKING                   /* its caller has the next word */
} ngx_scale_pg_stage_e;


/* the statements of the room itself */

typedef enum {
    NGX_SCALE_PG_OWN_CANCEL = 0,
    NGX_SCALE_PG_OWN_SET,
    NGX_SCALE_PG_OWN_FLUSHED,
    NGX_SCALE_PG_OWN_REPLAYED,
    NGX_SCALE_PG_OWN_STANDING,             /* with scale.timeline() */
    NGX_SCALE_PG_OWN_STANDING_PLAIN,       /* without scale.sql */
    NGX_SCALE_PG_OWN_STANDING_PROBE,       /* of a foreign server */
    NGX_SCALE_PG_NOWN
} ngx_scale_pg_own_e;


typedef enum {
    NGX_SCALE_PG_SLOT_SETUP = 0,
    NGX_SCALE_PG_SLOT_BEGIN,
    NGX_SCALE_PG_SLOT_SET,
    NGX_SCALE_PG_SLOT_PREPARE,
    NGX_SCALE_PG_SLOT_CALL,
    NGX_SCALE_PG_SLOT_FRAME,           /* before the calls, or after them */
    NGX_SCALE_PG_SLOT_CHECK,           /* how far a replica is */
    NGX_SCALE_PG_SLOT_LOCATE,          /* where a write ended */
    NGX_SCALE_PG_SLOT_END,             /* COMMIT or ROLLBACK */
    NGX_SCALE_PG_SLOT_SYNC
} ngx_scale_pg_slot_e;


typedef struct {
    ngx_scale_pg_slot_e        type;
    ngx_uint_t                 index;      /* of the statement, or the call */
    uint32_t                   serial;     /* of the last preparation */
    ngx_scale_pg_op_t         *op;
    unsigned                   seen:1;     /* a result has arrived */
    unsigned                   read:1;     /* may be cancelled */
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


/* in shared memory: see quota.c and judge.c */

typedef struct {
    ngx_queue_t                queue;
    ngx_str_t                  name;
} ngx_scale_pg_named_t;

typedef struct {
    ngx_atomic_t               pid;
    ngx_atomic_t               used;
    ngx_atomic_t               reserved;
} ngx_scale_pg_holder_t;


#define NGX_SCALE_PG_HOLDERS    256        /* workers, old ones included */


struct ngx_scale_pg_quota_s {
    ngx_scale_pg_named_t       named;
    ngx_atomic_t               wanted;     /* when, in ms */
    ngx_scale_pg_holder_t      holders[NGX_SCALE_PG_HOLDERS];
};

struct ngx_scale_pg_reign_s {
    ngx_scale_pg_named_t       named;
    ngx_atomic_t               system;
    ngx_atomic_t               timeline;
    ngx_atomic_t               told;       /* of it, on_promotion() */
};


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


#define ngx_scale_pg_is_open(conn)                                            \
    ((conn)->state == NGX_SCALE_PG_READY                                      \
     || (conn)->state == NGX_SCALE_PG_RETIRING)


/* a transaction that looks at its rows has no slots, and is not at its end */

#define ngx_scale_pg_is_idle(conn)                                            \
    ((conn)->head == (conn)->tail && (conn)->looking == NULL)


/* a server's connections of a class; see ngx_scale_pg_become() */

typedef struct {
    ngx_scale_pg_conn_t       *open;       /* the oldest first */
    ngx_scale_pg_conn_t       *closed;
    ngx_uint_t                 nopen;      /* in the quota */
    ngx_uint_t                 nready;
} ngx_scale_pg_pool_t;


/* a server, and what its last sample said: see standing.c */

struct ngx_scale_pg_server_s {
    ngx_scale_pg_t              *pg;
    ngx_scale_pg_server_conf_t  *conf;
    ngx_scale_pg_quota_t        *quota;
    ngx_scale_pg_pool_t          pools[NGX_SCALE_PG_NCLASSES];
    ngx_scale_pg_conn_t         *control;
    u_char                       hostaddr[NGX_SOCKADDR_STRLEN + 1];

    ngx_scale_pg_role_e          role;
    ngx_scale_pg_position_t      position;     /* flushed, or replayed */
    ngx_msec_t                   sampled;
    ngx_msec_t                   lag;

    ngx_scale_pg_op_t            sample;
    ngx_scale_pg_call_t          sample_call;
    ngx_scale_pg_own_e           standing;     /* the statement it takes */
    ngx_event_t                  timer;        /* of the next sample */

    ngx_msec_t                   backoff;
    ngx_msec_t                   retry_at;
    ngx_msec_t                   good_since;   /* it qualifies, but for that */
    ngx_msec_t                   back_since;   /* slow start */
    ngx_msec_t                   penalty;      /* it was behind a read-index */
    ngx_msec_t                   penalty_until;

    unsigned                     up:1;         /* the last attempt says */
    unsigned                     asked:1;      /* something was heard */
    unsigned                     good:1;
    unsigned                     qualified:1;  /* a replica, for reads */
    unsigned                     fallen:1;     /* it did before */
    unsigned                     foreign:1;    /* of another cluster */
    unsigned                     fenced:1;     /* a primary of the past */
};


typedef struct {
    ngx_queue_t                  ops;
    ngx_uint_t                   length;
} ngx_scale_pg_queue_t;


/* what the primary had flushed, and when it was asked */

typedef struct {
    uint64_t                     lsn;
    ngx_msec_t                   time;
} ngx_scale_pg_mile_t;


/* one a second */
#define NGX_SCALE_PG_MILES       128


struct ngx_scale_pg_s {
    ngx_scale_pg_conf_t         *conf;
    ngx_scale_pg_server_t       *servers;
    ngx_uint_t                   nservers;
    ngx_scale_pg_queue_t         lines[NGX_SCALE_PG_NLINES];
    ngx_scale_pg_statement_t     own[NGX_SCALE_PG_NOWN];
    ngx_event_t                  pump;         /* posted: send what waits */
    ngx_event_t                  tick;         /* while something waits */
    ngx_event_t                  again;        /* for LINE_BEHIND */
    u_char                      *slow;         /* by statement */
    u_char                      *large;

    ngx_scale_pg_reign_t        *reign;
    ngx_scale_pg_server_t       *primary;      /* NULL: none is known */
    ngx_uint_t                   replicas;     /* that qualify */
    uint64_t                     system;       /* the cluster's identifier */
    uint32_t                     timeline;     /* the last primary's */
    ngx_scale_pg_mile_t          miles[NGX_SCALE_PG_MILES];
    ngx_uint_t                   nmiles;

    ngx_scale_pg_op_t            index;        /* asks for the read-index */
    ngx_scale_pg_call_t          index_call;
    ngx_uint_t                   retries;      /* allowed, in tenths */
    u_char                       password[NGX_SCALE_PG_PASSWORD_SIZE];

    void                       (*promoted)(void *data);
    void                        *data;

    ngx_log_t                   *log;
    ngx_pool_t                  *pool;
    ngx_msec_t                   started;
    unsigned                     judging:1;
    unsigned                     closing:1;
    unsigned                     warned:1;     /* no synchronous standby */
    unsigned                     unreadable:1; /* password_file is */
};


/* connection.c */

void ngx_scale_pg_conn_init(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_server_t *server, ngx_scale_pg_class_e class);

/* the one place where a state changes */
void ngx_scale_pg_become(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_state_e state);

/* NGX_DECLINED: the node's quota has no room */
ngx_int_t ngx_scale_pg_connect(ngx_scale_pg_conn_t *conn);

/* no event of it will come any more */
void ngx_scale_pg_unregister(ngx_scale_pg_conn_t *conn);

void ngx_scale_pg_flush(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_started(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_progress(ngx_scale_pg_conn_t *conn);

/* reads on, what libpq holds already first */
void ngx_scale_pg_go_on(ngx_scale_pg_conn_t *conn);


/* close.c */

/*
 * "reason" reaches the log, NULL: nothing failed; what was in flight is
 * retried or fails
 */
void ngx_scale_pg_close(ngx_scale_pg_conn_t *conn, const char *reason);

/* the same, from a posted event: safe in the midst of sending */
void ngx_scale_pg_break(ngx_scale_pg_conn_t *conn, const char *reason);

void ngx_scale_pg_broken_handler(ngx_event_t *ev);


/* password.c */

void ngx_scale_pg_password_init(ngx_scale_pg_t *pg);
void ngx_scale_pg_password_wipe(ngx_scale_pg_t *pg);

/* of now; NULL: there is none */
const char *ngx_scale_pg_password(ngx_scale_pg_t *pg);


/* tls.c */

/* something was received that no event tells of */
ngx_uint_t ngx_scale_pg_tls_pending(ngx_scale_pg_conn_t *conn);

/* after what may have failed */
void ngx_scale_pg_tls_clear(void);


/* address.c */

void ngx_scale_pg_address_init(ngx_scale_pg_server_t *server);


/* pipeline.c */

void ngx_scale_pg_setup(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_send(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);

/* NGX_DECLINED: its control connection cannot take it now */
ngx_int_t ngx_scale_pg_control(ngx_scale_pg_server_t *server,
    ngx_scale_pg_op_t *op);

/* a batch's Sync, or with "last" the one that ends an operation */
void ngx_scale_pg_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_uint_t last);

/* COMMIT or ROLLBACK and a Sync; "op" may be NULL */
void ngx_scale_pg_end(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    const char *command);

/* what comes before COMMIT, and that */
void ngx_scale_pg_complete(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);


/* receive.c */

void ngx_scale_pg_receive(ngx_scale_pg_conn_t *conn);


/* stream.c */

/* the head is next, and nothing of its result was looked at */
void ngx_scale_pg_by_row(ngx_scale_pg_conn_t *conn);

/* one row of the head's result, which may go elsewhere then */
void ngx_scale_pg_row(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result);

/* the socket was read, and the head's result goes on */
void ngx_scale_pg_goes_on(ngx_scale_pg_conn_t *conn);

/* the head's result has ended */
void ngx_scale_pg_ended(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);

/* nothing came for too long: 1, if the statement is cancelled for it */
ngx_uint_t ngx_scale_pg_overdue(ngx_scale_pg_conn_t *conn);


/* cancel.c */

/* its connection is no longer its own; a read that runs there is cancelled */
void ngx_scale_pg_detach(ngx_scale_pg_op_t *op);

/* NGX_DECLINED: nobody can be asked to cancel what runs */
ngx_int_t ngx_scale_pg_interrupt(ngx_scale_pg_conn_t *conn);


/* cluster.c */

/* the pump runs at the end of this turn of the event loop */
void ngx_scale_pg_post(ngx_scale_pg_t *pg);

/* takes it from where it was; SENT and LOOKING are of its "conn" */
void ngx_scale_pg_place(ngx_scale_pg_op_t *op, ngx_scale_pg_stage_e stage);

/* to the end of a line, or "first" */
void ngx_scale_pg_enqueue(ngx_scale_pg_op_t *op, ngx_uint_t line,
    ngx_uint_t first);

/* the first of a line, which leaves it; NULL: there is none */
ngx_scale_pg_op_t *ngx_scale_pg_dequeue(ngx_scale_pg_t *pg, ngx_uint_t line);

/* forgets what an attempt has brought */
void ngx_scale_pg_reset(ngx_scale_pg_op_t *op);

/* from the start, before those that have not waited yet */
void ngx_scale_pg_requeue(ngx_scale_pg_op_t *op);

/* who can answer has changed: each read goes where it belongs now */
void ngx_scale_pg_reroute(ngx_scale_pg_t *pg);


/* choice.c */

ngx_scale_pg_conn_t *ngx_scale_pg_choose(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op);

/* can any server take it at all, now? */
ngx_uint_t ngx_scale_pg_is_served(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op);

/* one more connection for a line, where none is opening already */
void ngx_scale_pg_grow(ngx_scale_pg_t *pg, ngx_uint_t line);

/* closes what is idle, old, or wanted by another worker */
void ngx_scale_pg_reap(ngx_scale_pg_server_t *server);

/* the server has lost its role: no more work, and closed when that is done */
void ngx_scale_pg_retire(ngx_scale_pg_server_t *server, ngx_uint_t class);

/* the line a read belongs to now */
ngx_uint_t ngx_scale_pg_line(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op);


/* standing.c */

void ngx_scale_pg_own_init(ngx_scale_pg_t *pg);
void ngx_scale_pg_standing_init(ngx_scale_pg_server_t *server);

/* something is wrong with a role: all servers are asked at once */
void ngx_scale_pg_suspect(ngx_scale_pg_t *pg);

/* a control connection is open, or was lost */
void ngx_scale_pg_standing_open(ngx_scale_pg_server_t *server);
void ngx_scale_pg_standing_lost(ngx_scale_pg_server_t *server,
    ngx_uint_t failed);

/* a number of the first row; 0: null */
uint64_t ngx_scale_pg_number(ngx_scale_rows_t *rows, ngx_uint_t column);


/* judge.c */

/* who is the primary, and which replicas qualify */
void ngx_scale_pg_judge(ngx_scale_pg_t *pg);

/* it has refused a write as read-only, or "ended" a session */
void ngx_scale_pg_disown(ngx_scale_pg_server_t *server, ngx_uint_t ended);

/* another worker has met a newer timeline: nothing of this one counts */
ngx_uint_t ngx_scale_pg_is_deposed(ngx_scale_pg_t *pg,
    ngx_scale_pg_position_t *position);


/* index.c */

/* asks for the read-index where somebody waits and nobody has asked */
void ngx_scale_pg_index(ngx_scale_pg_t *pg);

/* has this connection's server replayed what the read must see? */
ngx_uint_t ngx_scale_pg_is_current(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);

/* it has not: again in a moment, or on the primary */
void ngx_scale_pg_behind(ngx_scale_pg_server_t *server,
    ngx_scale_pg_op_t *op);
void ngx_scale_pg_again_handler(ngx_event_t *ev);


/* quota.c */

/* takes a worker's place, or gives up all it holds */
void ngx_scale_pg_quota_enter(ngx_scale_pg_quota_t *quota);
void ngx_scale_pg_quota_leave(ngx_scale_pg_quota_t *quota);

/*
 * One more connection: NGX_OK or NGX_DECLINED.  "first" of its class is
 * granted from what is reserved for the worker.
 */
ngx_int_t ngx_scale_pg_quota_take(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit, ngx_uint_t first);
void ngx_scale_pg_quota_give(ngx_scale_pg_quota_t *quota, ngx_uint_t first);

/* a worker's share */
ngx_uint_t ngx_scale_pg_quota_fair(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit);

/* somebody with less asks for more */
ngx_uint_t ngx_scale_pg_quota_is_wanted(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit);


/* outcome.c */

/* keeps the first error of an operation, frees a later one */
void ngx_scale_pg_fail(ngx_scale_pg_op_t *op, PGresult *result);

/* another attempt, since its server may have been no primary any more */
void ngx_scale_pg_deposed(ngx_scale_pg_op_t *op);

/* the server's last word on an operation was heard: retry, or done() */
void ngx_scale_pg_finish(ngx_scale_pg_op_t *op);

/* its connection was lost: retry, done(), or nobody will know */
void ngx_scale_pg_lost(ngx_scale_pg_op_t *op);

void ngx_scale_pg_rows(ngx_scale_pg_op_t *op, ngx_scale_pg_call_t *call,
    PGresult *result);
ngx_uint_t ngx_scale_pg_writes(ngx_scale_pg_op_t *op);

/* may it have changed something, as far as is known? */
ngx_uint_t ngx_scale_pg_may_last(ngx_scale_pg_op_t *op);


#endif /* _NGX_SCALE_PG_INT_H_INCLUDED_ */
