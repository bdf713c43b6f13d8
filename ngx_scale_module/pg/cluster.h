
/*
 * What a worker knows of a cluster and its servers.  A connection is known to
 * conn.h, who may answer to roles.h, what waits to line.h.
 */

#ifndef _NGX_SCALE_CLUSTER_H_INCLUDED_
#define _NGX_SCALE_CLUSTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
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


/* the statements of the room itself */

typedef enum {
    NGX_SCALE_PG_OWN_CANCEL = 0,
    NGX_SCALE_PG_OWN_SET,
    NGX_SCALE_PG_OWN_FLUSHED,
    NGX_SCALE_PG_OWN_REPLAYED,
    NGX_SCALE_PG_OWN_COVER,
    NGX_SCALE_PG_OWN_STANDING,             /* with scale.timeline() */
    NGX_SCALE_PG_OWN_STANDING_PLAIN,       /* without scale.sql */
    NGX_SCALE_PG_OWN_STANDING_PROBE,       /* of a foreign server */
    NGX_SCALE_PG_NOWN
} ngx_scale_pg_own_e;


/* the columns of OWN_STANDING and what is in its place */

typedef enum {
    NGX_SCALE_PG_STANDING_RECOVERY = 0,
    NGX_SCALE_PG_STANDING_READ_ONLY,       /* by default, so no primary */
    NGX_SCALE_PG_STANDING_SYSTEM,
    NGX_SCALE_PG_STANDING_TIMELINE,
    NGX_SCALE_PG_STANDING_LSN,             /* flushed, or replayed */
    NGX_SCALE_PG_STANDING_LOSES            /* no standby is synchronous */
} ngx_scale_pg_standing_e;


/* a server's connections of a class, moved by ngx_scale_pg_become() only */

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

    void                       (*promoted)(void *data);
    void                        *data;
    void                       (*heard)(void *data, ngx_str_t *payload);
    void                        *heard_data;

    ngx_log_t                   *log;
    ngx_pool_t                  *pool;
    ngx_msec_t                   started;
    unsigned                     judging:1;
    unsigned                     closing:1;
    unsigned                     warned:1;     /* no synchronous standby */
    unsigned                     unreadable:1; /* password_file is */
};


/* own.c */

void ngx_scale_pg_own_init(ngx_scale_pg_t *pg);

/* a number of the first row; 0: null */
uint64_t ngx_scale_pg_number(ngx_scale_rows_t *rows, ngx_uint_t column);


#endif /* _NGX_SCALE_CLUSTER_H_INCLUDED_ */
