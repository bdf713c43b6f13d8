
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
    NGX_SCALE_PG_CLASS_CONTROL,
    NGX_SCALE_PG_NCLASSES
} ngx_scale_pg_class_e;


typedef enum {
    NGX_SCALE_PG_SLOT_SETUP = 0,
    NGX_SCALE_PG_SLOT_BEGIN,
    NGX_SCALE_PG_SLOT_PREPARE,
    NGX_SCALE_PG_SLOT_CALL,
    NGX_SCALE_PG_SLOT_END,             /* COMMIT or ROLLBACK */
    NGX_SCALE_PG_SLOT_SYNC
} ngx_scale_pg_slot_e;


typedef struct {
    ngx_scale_pg_slot_e        type;
    ngx_uint_t                 index;      /* of the statement, or the call */
    uint32_t                   serial;     /* of the last preparation */
    ngx_scale_pg_op_t         *op;
    unsigned                   seen:1;     /* a result has arrived */
} ngx_scale_pg_slot_t;


typedef enum {
    NGX_SCALE_PG_CLOSED = 0,
    NGX_SCALE_PG_CONNECTING,
    NGX_SCALE_PG_STARTING,                 /* the session's settings */
    NGX_SCALE_PG_READY
} ngx_scale_pg_state_e;


#define NGX_SCALE_PG_SLOTS      256        /* a power of two */


struct ngx_scale_pg_conn_s {
    ngx_scale_pg_t            *pg;
    ngx_scale_pg_server_t     *server;
    ngx_scale_pg_class_e       class;
    ngx_scale_pg_state_e       state;

    PGconn                    *pgconn;
    ngx_connection_t          *connection;
    ngx_event_t                timer;      /* connecting, or no progress */
    ngx_event_t                broken;     /* posted: close from the loop */
    const char                *reason;

    ngx_scale_pg_slot_t        slots[NGX_SCALE_PG_SLOTS];
    ngx_uint_t                 head;
    ngx_uint_t                 tail;
    ngx_uint_t                 depth;      /* operations in flight */
    ngx_uint_t                 batch;      /* of them, since the last Sync */
    uint32_t                  *prepared;   /* serial, 0: not prepared */
    uint32_t                   serial;

    ngx_scale_pg_op_t          cancel;     /* of what runs here */
    ngx_scale_pg_call_t        cancel_call;
    const char                *cancel_value;
    u_char                     cancel_pid[NGX_INT_T_LEN + 1];

    ngx_msec_t                 progressed; /* when something last moved */
    ngx_msec_t                 stray;      /* until when a 57014 may be */

    unsigned                   exclusive:1;    /* an operation owns it */
    unsigned                   failed:1;       /* its transaction did */
    unsigned                   committed_locally:1;
};


struct ngx_scale_pg_server_s {
    ngx_scale_pg_server_conf_t  *conf;
    ngx_scale_pg_conn_t         *conns[NGX_SCALE_PG_NCLASSES];
    ngx_msec_t                   backoff;
    ngx_msec_t                   retry_at;
    unsigned                     standby:1;
    unsigned                     primary:1;
};


typedef struct {
    ngx_queue_t                  ops;
    ngx_uint_t                   length;
    ngx_uint_t                   nconns;       /* per server */
} ngx_scale_pg_queue_t;


struct ngx_scale_pg_s {
    ngx_scale_pg_conf_t         *conf;
    ngx_scale_pg_server_t       *servers;
    ngx_uint_t                   nservers;
    ngx_scale_pg_queue_t         queues[NGX_SCALE_PG_NCLASSES];
    ngx_queue_t                  refused;      /* the queue was full */
    ngx_scale_pg_statement_t     cancel;       /* pg_cancel_backend() */
    ngx_event_t                  pump;         /* posted: send what waits */
    ngx_event_t                  tick;         /* while something waits */
    u_char                      *slow;         /* by statement */
    ngx_log_t                   *log;
    ngx_pool_t                  *pool;
};


/* connection.c */

void ngx_scale_pg_conn_init(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_connect(ngx_scale_pg_conn_t *conn);

/* "reason" reaches the log; what was in flight is retried or fails */
void ngx_scale_pg_close(ngx_scale_pg_conn_t *conn, const char *reason);

/* the same, from a posted event: safe in the midst of sending */
void ngx_scale_pg_break(ngx_scale_pg_conn_t *conn, const char *reason);

void ngx_scale_pg_flush(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_started(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_progress(ngx_scale_pg_conn_t *conn);


/* pipeline.c */

void ngx_scale_pg_setup(ngx_scale_pg_conn_t *conn);
void ngx_scale_pg_send(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);
void ngx_scale_pg_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_uint_t last);
void ngx_scale_pg_end(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    const char *command);


/* receive.c */

void ngx_scale_pg_receive(ngx_scale_pg_conn_t *conn);


/* cluster.c */

void ngx_scale_pg_post(ngx_scale_pg_t *pg);
void ngx_scale_pg_requeue(ngx_scale_pg_op_t *op);


/* outcome.c */

/* keeps the first error of an operation, frees a later one */
void ngx_scale_pg_fail(ngx_scale_pg_op_t *op, PGresult *result);

/* the server's last word on an operation was heard: retry, or done() */
void ngx_scale_pg_finish(ngx_scale_pg_op_t *op);

/* its connection was lost: retry, done(), or nobody will know */
void ngx_scale_pg_lost(ngx_scale_pg_op_t *op);

void ngx_scale_pg_rows(ngx_scale_pg_op_t *op, ngx_scale_pg_call_t *call,
    PGresult *result);
ngx_uint_t ngx_scale_pg_writes(ngx_scale_pg_op_t *op);

void ngx_scale_pg_dequeue(ngx_scale_pg_op_t *op);


#endif /* _NGX_SCALE_PG_INT_H_INCLUDED_ */
