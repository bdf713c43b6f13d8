
/*
 * PostgreSQL, asynchronously: libpq in pipeline mode on nginx events.  The
 * only room with libpq.
 *
 * A cluster is one worker's view of a scale_database, or of one of its shards:
 * its share of the connections, one bounded queue per class, prepared
 * statements.  Statements are bound, never assembled; values travel in text
 * format.
 */

#ifndef _NGX_SCALE_PG_H_INCLUDED_
#define _NGX_SCALE_PG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


typedef struct ngx_scale_pg_s     ngx_scale_pg_t;
typedef struct ngx_scale_pg_op_s  ngx_scale_pg_op_t;


typedef enum {
    NGX_SCALE_PG_ROLE_UNKNOWN = 0,
    NGX_SCALE_PG_ROLE_PRIMARY,
    NGX_SCALE_PG_ROLE_REPLICA,
    NGX_SCALE_PG_ROLE_READ_ONLY        /* not in recovery, and takes no write */
} ngx_scale_pg_role_e;


/*
 * A server as written; "host" is a directory for a unix domain socket.  The
 * role is UNKNOWN where it is to be discovered.  The address has no sockaddr
 * where it is known at run time only: see ngx_scale_pg_address().
 */

typedef struct {
    ngx_str_t            name;
    ngx_str_t            host;         /* all NUL-terminated */
    ngx_str_t            port;
    ngx_addr_t          *addr;         /* NULL: of a unix domain socket */
    ngx_str_t            zone;
    ngx_uint_t           weight;
    ngx_scale_pg_role_e  role;
} ngx_scale_pg_server_conf_t;

/* "oids" are the types of its parameters; "index" is set when it is added */

typedef struct {
    ngx_str_t        sql;              /* NUL-terminated */
    ngx_uint_t       nparams;
    ngx_uint_t      *oids;
    ngx_uint_t       index;
} ngx_scale_pg_statement_t;

typedef struct {
    ngx_str_t        name;
    ngx_array_t      servers;          /* of ngx_scale_pg_server_conf_t */
    ngx_array_t     *statements;       /* of ngx_scale_pg_statement_t * */
    ngx_str_t        conninfo;         /* NUL-terminated */
    ngx_str_t        password_file;    /* NUL-terminated, or empty */
    u_char          *password;         /* what it held: PASSWORD_SIZE bytes */
    ngx_str_t        zone;             /* where this node stands */
    ngx_uint_t       connections;      /* per server, of the whole node */
    ngx_uint_t       queue;            /* waiting operations, per line */
    ngx_msec_t       queue_timeout;
    ngx_msec_t       timeout;          /* of a statement */
    ngx_msec_t       connect_timeout;
    ngx_msec_t       max_lag;
    ngx_msec_t       idle;
    ngx_msec_t       lifetime;
} ngx_scale_pg_conf_t;


/* read, write, exclusive, stream, control: one connection each, per worker */
#define NGX_SCALE_PG_MIN_CONNECTIONS  5

/* the history of the primary that lag is measured by ends there */
#define NGX_SCALE_PG_LAG_MAX          60000


/*
 * The node's shared memory: who holds how many connections to a server, and
 * the newest timeline that a worker has met.  It lasts across reloads, and
 * takes back what a killed worker held.
 */

typedef struct ngx_scale_pg_zone_s    ngx_scale_pg_zone_t;
typedef struct ngx_scale_pg_quota_s   ngx_scale_pg_quota_t;
typedef struct ngx_scale_pg_reign_s   ngx_scale_pg_reign_t;

typedef struct {
    ngx_scale_pg_quota_t    **quotas;      /* of the servers, in their order */
    ngx_scale_pg_reign_t     *reign;
} ngx_scale_pg_shared_t;

ngx_scale_pg_zone_t *ngx_scale_pg_zone_create(ngx_slab_pool_t *pool);

/* NGX_ERROR: no memory, in "pool" or in the zone */
ngx_int_t ngx_scale_pg_zone_join(ngx_scale_pg_zone_t *zone, ngx_pool_t *pool,
    ngx_scale_pg_conf_t *conf, ngx_scale_pg_shared_t *shared);

#define NGX_SCALE_PG_MAX_SERVERS      32
#define NGX_SCALE_PG_MAX_WEIGHT       100
#define NGX_SCALE_PG_MAX_PARAMS       128
#define NGX_SCALE_PG_MAX_CALLS        16
#define NGX_SCALE_PG_MAX_BATCH        300      /* calls of an operation */
#define NGX_SCALE_PG_MAX_SETTINGS     8


/*
 * Checks the connection string (PostgreSQL manual, 34.1.1 Connection Strings).
 * NGX_DECLINED with "error" in the pool; NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_pg_conf_check(ngx_pool_t *pool, ngx_scale_pg_conf_t *conf,
    ngx_str_t *error);

#define NGX_SCALE_PG_PASSWORD_SIZE    1024

/*
 * Reads a password of a file, without its line feed, NUL-terminated, into so
 * many bytes.  NGX_ERROR: ngx_errno says why; NGX_DECLINED: the content is no
 * password.
 */
ngx_int_t ngx_scale_pg_password_read(ngx_str_t *file, u_char *password);

/* the OID of a declared parameter type */
ngx_uint_t ngx_scale_pg_type_oid(ngx_uint_t type);


/*
 * Makes a worker's cluster; "conf" must outlive it.  Connections are opened
 * from the event loop, not here.
 */
ngx_scale_pg_t *ngx_scale_pg_create(ngx_pool_t *pool,
    ngx_scale_pg_conf_t *conf, ngx_scale_pg_shared_t *shared, ngx_log_t *log);

/*
 * "promoted" is called when a primary is met that is on a higher timeline than
 * the one the node knew, or of another cluster: before anybody is answered by
 * it.  By one worker of the node, or seldom by several.
 */
void ngx_scale_pg_on_promotion(ngx_scale_pg_t *pg,
    void (*promoted)(void *data), void *data);

/*
 * "heard" is called with the payload of each NOTIFY that a session of attend()
 * listens to (PostgreSQL manual, 34.9 Asynchronous Notification); it may submit
 * and attend.
 */
void ngx_scale_pg_on_notify(ngx_scale_pg_t *pg,
    void (*heard)(void *data, ngx_str_t *payload), void *data);

/* closes every connection; no handler is called */
void ngx_scale_pg_destroy(ngx_scale_pg_t *pg);

/*
 * What the name of a server stands for, as often as that is known: the current
 * address if it is among them and the server is up, else another one.  When it
 * changes, writes and lists under way end where they are, other reads are
 * repeated.
 */
void ngx_scale_pg_address(ngx_scale_pg_t *pg, ngx_uint_t server,
    ngx_addr_t *addrs, ngx_uint_t n);


/* the cluster's system identifier; 0: no primary was met yet */
uint64_t ngx_scale_pg_system(ngx_scale_pg_t *pg);


/* a place in a cluster's write-ahead log (PostgreSQL manual, 30.6) */

typedef struct {
    uint64_t                    system;        /* identifier; 0: no place */
    uint64_t                    lsn;
    uint32_t                    timeline;
} ngx_scale_pg_position_t;


/*
 * Who may answer a read.
 *
 * PRIMARY   the primary
 * CURRENT   a replica that has replayed all that was committed before the
 *           read was submitted (read-index), else the primary
 * BOUNDED   a replica within max_lag that has replayed "floor", which is
 *           waited for as long as "wait" says, else the primary
 */

typedef enum {
    NGX_SCALE_PG_PRIMARY = 0,
    NGX_SCALE_PG_CURRENT,
    NGX_SCALE_PG_BOUNDED
} ngx_scale_pg_freshness_e;


/*
 * READ        one statement in a read-only session; may share a Sync
 * WRITE       one statement that commits by itself, own Sync
 * TRANSACTION BEGIN, statements, COMMIT on a connection of its own
 */

typedef enum {
    NGX_SCALE_PG_READ = 0,
    NGX_SCALE_PG_WRITE,
    NGX_SCALE_PG_TRANSACTION
} ngx_scale_pg_kind_e;


/* set_config(name, value, true): for the operation only (manual, 9.27.1) */

typedef struct {
    const char                 *name;
    const char                 *value;         /* NULL: the default */
} ngx_scale_pg_setting_t;


typedef struct {
    ngx_scale_pg_statement_t   *statement;
    const char                **values;        /* nparams; NULL: null */

    /* of the result, until release */
    ngx_uint_t                  affected;      /* rows, of any command */
    ngx_scale_rows_t            rows;
    void                       *result;
} ngx_scale_pg_call_t;


/* PostgreSQL's error fields; they point into the result, until release */

typedef struct {
    u_char                      sqlstate[6];   /* "" where there is none */
    ngx_str_t                   message;
    ngx_str_t                   detail;
    ngx_str_t                   constraint;
    ngx_uint_t                  parameter;     /* $n that was no value; or 0 */
    unsigned                    policy:1;      /* of 42501: a row's */
} ngx_scale_pg_error_t;


/*
 * An operation is its caller's memory, kept until done() has run or cancel
 * has returned; zero it before use.
 *
 * done() runs exactly once, never before submit has returned.  "cause" NONE:
 * all calls have rows (and a write is committed: PGRES_PIPELINE_SYNC was seen,
 * PostgreSQL manual, 34.5 Pipeline Mode); else "error" tells what PostgreSQL
 * said, if it did, and the calls before the one it is about have their result.
 * OUTCOME_UNKNOWN is a write whose end was not seen, all other causes are of
 * operations that changed nothing.
 *
 * rows(), of a READ with one call and maybe NULL, is for results that are too
 * large to be collected: it may run any number of times before done(), each
 * time with the next row in calls[0].rows, of which "given" came before it.
 * NGX_AGAIN: not more of them, nor of what the server sends, until
 * ngx_scale_pg_resume().  It may cancel the operation.  The attempt may fail
 * and another begin, with "given" 0 again, until the caller says by "begun"
 * that what it was given has left; the read is judged current before that.
 *
 * "first" and "last", of a TRANSACTION and maybe NULL, are run before the calls
 * and before COMMIT; nobody sees their rows.  "last" may be set by look().
 *
 * look(), of a TRANSACTION only and maybe NULL, runs when all calls have rows
 * and nothing is committed; the answer is ngx_scale_pg_commit() or rollback(),
 * there or later.  It runs again when the transaction is retried
 * (serialization failure, deadlock): rows seen before are gone then.
 */

struct ngx_scale_pg_op_s {
    ngx_scale_pg_kind_e         kind;
    ngx_scale_pg_call_t        *calls;
    ngx_uint_t                  ncalls;
    ngx_scale_pg_call_t        *first;
    ngx_scale_pg_call_t        *last;
    ngx_msec_t                  timeout;       /* of statements; 0: default */
    ngx_scale_pg_setting_t     *settings;      /* of READ and TRANSACTION */
    ngx_uint_t                  nsettings;
    ngx_scale_pg_freshness_e    freshness;     /* of a read */
    ngx_scale_pg_position_t     floor;
    ngx_msec_t                  wait;
    unsigned                    read_only:1;   /* of a TRANSACTION */
    unsigned                    stale:1;       /* rather than no answer */
    unsigned                    locate:1;      /* a write's "position" */
    unsigned                    begun:1;       /* rows have left: no retry */
    unsigned                    urgent:1;      /* the next of its line */
    unsigned                    secret:1;      /* what it binds may be one */

    ngx_pool_t                 *pool;          /* of rows.columns; or NULL */
    ngx_int_t                 (*rows)(ngx_scale_pg_op_t *op);
    void                      (*look)(ngx_scale_pg_op_t *op);
    void                      (*done)(ngx_scale_pg_op_t *op);
    void                       *data;

    ngx_scale_cause_e           cause;
    ngx_scale_pg_error_t        error;
    ngx_scale_pg_position_t     position;      /* all of a write is before */
    ngx_str_t                  *server;        /* its name, or NULL */
    ngx_str_t                  *role;          /* "primary", "replica" */
    ngx_int_t                   time;          /* microseconds, -1: not sent */
    ngx_uint_t                  given;         /* rows */
    unsigned                    unverified:1;  /* no primary said it is new */

    /* private: where it is */
    ngx_scale_pg_t             *pg;
    ngx_uint_t                  stage;
    ngx_uint_t                  line;
    ngx_queue_t                 queue;
    struct ngx_scale_pg_conn_s *conn;
    ngx_msec_t                  queued;
    ngx_msec_t                  sent;
    uint64_t                    started;

    /* what this attempt has come to */
    void                       *failure;
    ngx_uint_t                  received;
    unsigned                    replica:1;     /* sent to one */
    unsigned                    aborted:1;
    unsigned                    ending:1;      /* COMMIT or ROLLBACK is sent */
    unsigned                    rolled_back:1;
    unsigned                    committed:1;
    unsigned                    doubtful:1;

    /* what is known to all attempts */
    ngx_uint_t                  attempts;
    ngx_msec_t                  until;         /* a replica is waited for */
    unsigned                    indexed:1;     /* "floor" is the read-index */
    unsigned                    behind:1;      /* a replica was */
    unsigned                    on_primary:1;  /* no replica any more */
    unsigned                    alone:1;       /* in its Sync */
    unsigned                    control:1;
};


/*
 * Queued, and sent at the end of this turn of the event loop.  Nothing fails
 * here: what finds its line full is told so by done().
 */
void ngx_scale_pg_submit(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op);

/*
 * One statement on a session that each worker has with the primary anyway: what
 * it does to that session, LISTEN or an advisory lock, lasts as long as that
 * does, which nobody is told the end of.  It must take no time, and is not
 * retried.  NGX_DECLINED: there is no such session now, done() will not run.
 */
ngx_int_t ngx_scale_pg_attend(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op);

/*
 * The answers to look(); done() follows, after a rollback with cause NONE: the
 * rows may still be read.  Without effect where the connection was lost since:
 * look() is run again, or done().
 */
/*
 * look() has run and is not answered: the rows are there.  A lost connection
 * takes them away meanwhile; look() or done() will follow then, and commit()
 * and rollback() do nothing.
 */
ngx_uint_t ngx_scale_pg_is_looking(ngx_scale_pg_op_t *op);

void ngx_scale_pg_commit(ngx_scale_pg_op_t *op);
void ngx_scale_pg_rollback(ngx_scale_pg_op_t *op);

/* after rows() returned NGX_AGAIN */
void ngx_scale_pg_resume(ngx_scale_pg_op_t *op);

/*
 * The caller loses interest: done() will not run.  NGX_OK: the operation
 * changed nothing and will not (a read that runs is cancelled); NGX_BUSY: a
 * write that was sent, whose outcome nobody will know.
 */
ngx_int_t ngx_scale_pg_cancel(ngx_scale_pg_op_t *op);

/* was it sent at all: a read past its deadline is told from one that waited */
ngx_uint_t ngx_scale_pg_is_sent(ngx_scale_pg_op_t *op);

/* frees the results; may be called at any time after done() or cancel */
void ngx_scale_pg_release(ngx_scale_pg_op_t *op);


/* nanoseconds of CLOCK_MONOTONIC, fresh: nginx's time stands during a turn */
uint64_t ngx_scale_pg_now(void);


#endif /* _NGX_SCALE_PG_H_INCLUDED_ */
