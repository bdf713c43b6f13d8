
/*
 * The configuration: read-only once the workers run.  What a worker has open
 * hangs on the main configuration, since two of them live at once across a
 * reload.
 */

#ifndef _NGX_SCALE_CONF_H_INCLUDED_
#define _NGX_SCALE_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_scale.h"
#include "http/context.h"
#include "http/wipe.h"
#include "route/route.h"
#include "json/json.h"
#include "pg/pg.h"
#include "shard/shard.h"
#include "cache/cache.h"
#include "limit/limit.h"
#include "aws/aws.h"
#include "sign/sign.h"
#include "secret/secret.h"
#include "ngx_scale_names.h"


/* where a directive stands, for errors that are found later */

typedef struct {
    ngx_str_t                    file;
    ngx_uint_t                   line;
} ngx_scale_place_in_conf_t;


/* a primary with its replicas: a shard, or all of a database without shards */

typedef struct {
    ngx_scale_pg_conf_t          conf;       /* the first part */
    ngx_str_t                    name;       /* of the shard, or empty */
    ngx_scale_place_in_conf_t    place;
    ngx_scale_pg_shared_t        shared;     /* the node's */
    ngx_scale_pg_t              *pg;         /* the worker's */
    ngx_msec_t                   failed;     /* seen by the worker */
} ngx_scale_cluster_t;

typedef struct {
    ngx_scale_pg_conf_t          conf;       /* the first part: of them all */
    ngx_scale_place_in_conf_t    place;
    ngx_array_t                  clusters;   /* of ngx_scale_cluster_t */
    ngx_scale_shard_map_t       *map;        /* NULL: it has no shards */
    ngx_array_t                  stores;     /* that cache what it holds */
    ngx_scale_pg_statement_t    *keyed;      /* begin, end; or NULL */
    ngx_scale_pg_statement_t    *queue;      /* of NGX_SCALE_QUEUE_NCALLS */
} ngx_scale_database_t;

typedef struct ngx_scale_keeper_s  ngx_scale_keeper_t;
typedef struct ngx_scale_watch_s   ngx_scale_watch_t;

typedef struct ngx_scale_credentials_s  ngx_scale_credentials_t;
typedef struct ngx_scale_signer_s       ngx_scale_signer_t;
typedef struct ngx_scale_objects_s      ngx_scale_objects_t;
typedef struct ngx_scale_presign_s      ngx_scale_presign_t;


/* what the keeper of a ring calls, of scale.sql */

typedef enum {
    NGX_SCALE_RING_REFRESH = 0,
    NGX_SCALE_RING_EJECT,
    NGX_SCALE_RING_READMIT,
    NGX_SCALE_RING_ON,
    NGX_SCALE_RING_RENEW,
    NGX_SCALE_RING_NCALLS
} ngx_scale_ring_call_e;

typedef struct {
    ngx_scale_cache_conf_t       conf;
    ngx_scale_place_in_conf_t    place;
    ngx_str_t                    ring;       /* its database, or empty */
    ngx_scale_database_t        *database;
    ngx_scale_pg_statement_t     calls[NGX_SCALE_RING_NCALLS];
    ngx_scale_zone_cache_t      *record;
    ngx_scale_cache_t           *cache;      /* the worker's */
    ngx_scale_keeper_t          *keeper;     /* or NULL */
} ngx_scale_cache_store_t;


/*
 * Who asks is known by a session, a token or a key; each is a member of a set
 * in the order of their sources.
 */

typedef enum {
    NGX_SCALE_AUTH_SESSION = 0,
    NGX_SCALE_AUTH_JWT,
    NGX_SCALE_AUTH_KEY,
    NGX_SCALE_AUTH_NKINDS
} ngx_scale_auth_kind_e;

#define ngx_scale_auth_bit(kind)  ((ngx_uint_t) 1 << (kind))


/* the first part of what a block of scale_session, ... declares */

typedef struct {
    ngx_str_t                    name;
    ngx_scale_place_in_conf_t    place;
} ngx_scale_auth_block_t;


/* what a worker calls, of queue.sql, beside what clients ask for */

typedef enum {
    NGX_SCALE_QUEUE_WATCH = 0,
    NGX_SCALE_QUEUE_RETURN,
    NGX_SCALE_QUEUE_NCALLS
} ngx_scale_queue_call_e;


/*
 * scale_queue: jobs of a database, and the clients of this worker that wait for
 * one.  "heard" counts what was heard of new ones.
 */

typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    use;        /* its database, or empty */
    ngx_msec_t                   visibility;
    ngx_uint_t                   attempts;
    ngx_msec_t                   backoff;
    ngx_msec_t                   max_backoff;
    ngx_uint_t                   depth;      /* 0: any */
    ngx_msec_t                   keep;       /* how it ended */
    ngx_scale_place_in_conf_t    place;
    ngx_scale_database_t        *database;

    ngx_scale_watch_t           *watch;      /* the worker's */
    ngx_queue_t                  line;       /* of ngx_scale_waiter_t */
    void                        *called;     /* who is not back yet */
    ngx_uint_t                   tickets;    /* given out */
    ngx_uint_t                   heard;
    unsigned                     watched:1;  /* the database knows */
} ngx_scale_queue_t;


/* reads that no client waits for */

typedef struct {
    ngx_queue_t                  queue;
    ngx_uint_t                   n;
} ngx_scale_jobs_t;


/* the node's, in shared memory */

typedef struct {
    ngx_atomic_t                 audits;
    ngx_atomic_t                 stale;
} ngx_scale_counters_t;


typedef struct ngx_scale_loc_conf_s  ngx_scale_loc_conf_t;


/* scale_openapi: what a location says of its server's routes */

typedef struct {
    ngx_str_t                    title;
    ngx_str_t                    version;
    ngx_str_t                    url;        /* of the server */
    ngx_str_t                    body;
    ngx_str_t                    etag;
} ngx_scale_document_t;


typedef struct {
    ngx_array_t                  databases;  /* of ngx_scale_database_t * */
    ngx_array_t                  caches;     /* ngx_scale_cache_store_t * */
    ngx_array_t                  queues;     /* of ngx_scale_queue_t * */
    ngx_array_t                  routes;     /* of ngx_scale_loc_conf_t * */
    ngx_array_t                  documents;  /* the same */
    ngx_array_t                  auth[NGX_SCALE_AUTH_NKINDS];
                                             /* of ngx_scale_auth_block_t * */
    ngx_scale_names_t            names;      /* of their servers */
    size_t                       zone_size;
    ngx_shm_zone_t              *zone;
    uint64_t                     node;       /* this one's name for others */
    uint32_t                     seed;       /* of the JSON check's hash */
    ngx_scale_sign_keys_t       *secrets;    /* of scale_secret_file */
    ngx_str_t                    secret_file;
    ngx_array_t                  secret_files; /* see ngx_scale_secrets.h */
    ngx_event_t                  secrets_timer;
    ngx_scale_counters_t        *counters;
    ngx_array_t                  limits;     /* of ngx_scale_limit_t * */
    ngx_scale_limit_table_t     *limit_table; /* NULL: nothing is limited */
    ngx_scale_jobs_t             jobs;       /* the worker's */
    ngx_scale_wipe_t             wipe;       /* the same */
    ngx_array_t                  credentials; /* ngx_scale_credentials_t * */
    ngx_event_t                  look;       /* for new ones */
    ngx_array_t                  objects;    /* of ngx_scale_objects_t * */
} ngx_scale_main_conf_t;


/* a declared parameter; "index" is its place among the location's values */

typedef struct {
    ngx_scale_param_t            param;
    ngx_http_complex_value_t     expression; /* of SOURCE_EXPR */
    ngx_int_t                    variable;   /* it is this only, or < 0 */
    ngx_scale_place_in_conf_t    place;
    unsigned                     inherited:1;
    unsigned                     used:1;
    unsigned                     untyped:1;  /* as the statement takes it */
    unsigned                     identity:1; /* who asks */
    unsigned                     hashed:1;   /* in keys: maybe a secret */
    unsigned                     digest:1;   /* SHA-256, in hexadecimal */
    unsigned                     object_key:1; /* presign.name.key */
    ngx_scale_presign_t         *presign;    /* of presign.name, or NULL */
} ngx_scale_declared_t;


/* scale_page: the columns of the order, whose values are a cursor */

#define NGX_SCALE_PAGE_MAX_KEYSET  4

typedef struct {
    ngx_array_t                 *keyset;     /* of ngx_scale_shard_sort_t */
    ngx_uint_t                   max;        /* rows */
    ngx_uint_t                   usual;      /* rows, of no limit= */
    ngx_scale_sign_keys_t       *secrets;
    ngx_str_t                   *scope;      /* whose cursors they are */
    ngx_uint_t                   limit;      /* $n of the statement, from 0 */
    ngx_scale_place_in_conf_t    place;
} ngx_scale_page_t;


typedef struct ngx_scale_query_s  ngx_scale_query_t;

struct ngx_scale_query_s {
    ngx_uint_t                   methods;    /* NGX_HTTP_GET|... */
    ngx_uint_t                   shape;      /* NGX_SCALE_SHAPE_... */
    ngx_scale_template_t         template;
    ngx_scale_pg_statement_t     statement;
    ngx_uint_t                  *args;       /* $n: index of its parameter */
    ngx_str_t                    type;       /* of a text, or empty: JSON */
    ngx_uint_t                   status;     /* 0: the shape's own */
    ngx_uint_t                   empty;      /* 0: the shape's own */
    ngx_msec_t                   timeout;
    ngx_array_t                 *sort;       /* ngx_scale_shard_sort_t */
    ngx_uint_t                   limit;      /* 0: none */
    ngx_str_t                    limit_name; /* of the parameter it is */
    ngx_uint_t                   limit_arg;
    ngx_scale_place_in_conf_t    place;
    unsigned                     read:1;
    unsigned                     write:1;
    unsigned                     primary:1;  /* role=primary */
    unsigned                     fanout:1;
    unsigned                     partial:1;  /* fanout=partial */
    ngx_scale_page_t            *page;       /* or NULL */
    ngx_scale_query_t           *next;       /* of a page after the first */
    unsigned                     store:1;    /* its row is what GET returns */
    ngx_scale_queue_t           *queue;      /* its rows are jobs of it */
};


/* scale_cache_audit: all hits */

#define NGX_SCALE_AUDIT_WHOLE  1000000


/* scale_cdn: who may keep an answer, and how */

#define NGX_SCALE_CDN_OFF      0
#define NGX_SCALE_CDN_ON       1
#define NGX_SCALE_CDN_BROWSER  2
#define NGX_SCALE_CDN_MICRO    3


/* scale_cache_scope */

#define NGX_SCALE_SCOPE_PRIVATE  0
#define NGX_SCALE_SCOPE_PUBLIC   1


/* scale_consistency */

#define NGX_SCALE_STRICT       0
#define NGX_SCALE_BOUNDED      1
#define NGX_SCALE_PRIMARY      2


#define NGX_SCALE_SHAPE_ROW    NGX_SCALE_JSON_ROW
#define NGX_SCALE_SHAPE_ROWS   NGX_SCALE_JSON_ROWS
#define NGX_SCALE_SHAPE_VALUE  NGX_SCALE_JSON_VALUE
#define NGX_SCALE_SHAPE_NONE   3


/* a key or tag; "parts" name parameters by index where they are not a row's */

typedef struct {
    ngx_str_t                    text;
    ngx_array_t                  parts;      /* of ngx_scale_key_part_t */
    ngx_scale_place_in_conf_t    place;
    unsigned                     row:1;      /* some part is a row's */
    unsigned                     tag:1;
} ngx_scale_key_t;


/* scale_purge route name=value ...: the values in the order of its key */

typedef struct {
    ngx_str_t                    route;
    ngx_array_t                  given;      /* of ngx_scale_purge_value_t */
    ngx_scale_loc_conf_t        *target;
    ngx_scale_place_in_conf_t    place;
    unsigned                     row:1;
} ngx_scale_purge_t;

typedef struct {
    ngx_str_t                    name;       /* of the target's parameter */
    ngx_array_t                  parts;      /* of ngx_scale_key_part_t */
} ngx_scale_purge_value_t;


/* scale_identity: a setting of each transaction, and where its value is */

typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    param;
    ngx_scale_place_in_conf_t    place;
} ngx_scale_identity_t;


/* scale_shard_key: whose values say which shard has the row */

typedef struct {
    ngx_array_t                  names;      /* of ngx_str_t */
    ngx_scale_loc_conf_t        *level;      /* where it is written */
    ngx_scale_place_in_conf_t    place;
} ngx_scale_shard_key_t;


/* scale_limit; "owner" is what tells its keys from those of another line */

typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    owner;
    ngx_str_t                    policy;     /* of RateLimit-Policy */
    ngx_str_t                    violated;   /* of a problem: a JSON object */
    ngx_http_complex_value_t     key;
    ngx_scale_limit_rate_t       rate;
    ngx_scale_place_in_conf_t    place;
    ngx_uint_t                   miss;       /* cost=miss */
    unsigned                     cluster:1;  /* scope=cluster */
    unsigned                     used:1;
} ngx_scale_limit_t;


/* scale_etag: columns of a row that say which version of it it is */

typedef struct {
    ngx_str_t                    version;    /* empty: the body's hash */
    ngx_str_t                    modified;   /* empty: none */
} ngx_scale_etag_t;


/* what a client is asked for: scale_if_match, scale_idempotency */

#define NGX_SCALE_OFF       0
#define NGX_SCALE_OPTIONAL  1
#define NGX_SCALE_REQUIRED  2


/* scale_session_end */

#define NGX_SCALE_SESSION_ONE  1
#define NGX_SCALE_SESSION_ALL  2


/* what GET's answers say to the caches between here and their readers */

typedef struct {
    ngx_str_t                    found;      /* Cache-Control of what is */
    ngx_str_t                    missing;    /* of what is not, or empty */
    ngx_str_t                    secret;     /* of what is one client's */
    ngx_uint_t                  *tags;       /* that hold no secret */
    ngx_uint_t                   ntags;
    unsigned                     shown:1;    /* the key has none, too */
    unsigned                     private:1;  /* all of it is some client's */
} ngx_scale_edge_t;


typedef struct {
    ngx_str_t                    code;
    ngx_str_t                    constraint; /* empty: any */
    ngx_uint_t                   status;
    ngx_str_t                    field;
    ngx_str_t                    detail;
} ngx_scale_sqlstate_t;


/* what a request of one method does; made when the configuration is merged */

typedef struct {
    ngx_uint_t                   method;
    ngx_scale_query_t          **queries;
    ngx_uint_t                   nqueries;
    ngx_uint_t                   ncalls;     /* "current" is the last one */
    ngx_scale_query_t           *answer;     /* the last not none, or NULL */
    ngx_scale_query_t           *current;    /* GET's, beside a guarded write */
    ngx_uint_t                   guard;      /* which one binds :if_match, */
    ngx_uint_t                   guard_arg;  /* as which $n */
    ngx_uint_t                   if_match;   /* its index among the values */
    ngx_scale_etag_t            *etag;       /* of the row it answers */
    ngx_scale_queue_t           *queue;      /* claims jobs of it; or NULL */
    ngx_uint_t                   wait;       /* for one: index among values */
    ngx_uint_t                  *params;     /* to evaluate: indices */
    ngx_uint_t                   nparams;
    ngx_msec_t                   timeout;
    ngx_str_t                    vary;       /* fields that choose, or empty */
    ngx_uint_t                   asks;       /* who: by which kinds */
    ngx_uint_t                   needs;      /* all of them are bound */
    ngx_uint_t                   ends;       /* NGX_SCALE_SESSION_... */
    unsigned                     write:1;
    unsigned                     cached:1;   /* GET: read-through */
    unsigned                     own_key:1;  /* a write: purges the entry */
    unsigned                     json:1;     /* binds members of the body */
    unsigned                     body:1;     /* binds the body itself */
    unsigned                     look:1;     /* looks before COMMIT */
    unsigned                     primary:1;  /* a read, of it only */
    unsigned                     transaction:1;
    unsigned                     fanout:1;   /* of every shard */
    unsigned                     store:1;    /* what it answers is GET's */
    unsigned                     keyed:1;    /* scale_idempotency */
    unsigned                     batch:1;    /* scale_batch */
    unsigned                     starts:1;   /* a session */
    unsigned                     durable:1;  /* its transaction stores that */
    unsigned                     anonymous:1; /* it runs for nobody */
    unsigned                     personal:1; /* its answers are one's own */
    unsigned                     secret:1;   /* binds what may be one */
} ngx_scale_method_t;


struct ngx_scale_loc_conf_s {
    ngx_scale_http_loc_t         http;       /* the first part */

    ngx_http_core_loc_conf_t    *core;       /* of a route or document */
    ngx_http_core_srv_conf_t    *server;
    ngx_scale_document_t        *document;
    ngx_scale_place_in_conf_t    place;
    ngx_scale_place_in_conf_t    closed;     /* not to be open to all */
    ngx_str_t                    use_database;
    ngx_str_t                    use_cache;
    ngx_str_t                    use_auth[NGX_SCALE_AUTH_NKINDS];
    ngx_scale_database_t        *database;
    ngx_scale_cache_store_t     *store;
    ngx_scale_auth_block_t      *by[NGX_SCALE_AUTH_NKINDS];
    ngx_uint_t                   auth;       /* any of these has to be there */
    ngx_scale_place_in_conf_t    authed;     /* scale_auth's */
    ngx_uint_t                   starts;     /* scale_session_start */
    ngx_scale_place_in_conf_t    started;
    ngx_uint_t                   ends;       /* NGX_SCALE_SESSION_... */
    ngx_scale_place_in_conf_t    ended;
    ngx_flag_t                   csrf;
    ngx_array_t                 *origins;    /* of ngx_str_t; NULL: its own */
    ngx_msec_t                   deadline;
    ngx_uint_t                   consistency;
    ngx_msec_t                   wait;       /* for a replica: bounded */
    ngx_flag_t                   stale_down;
    ngx_scale_shard_key_t       *shard_key;
    ngx_uint_t                  *shard_args; /* indices of its parameters */

    ngx_array_t                 *params;     /* of ngx_scale_declared_t */
    ngx_array_t                 *identities; /* of ngx_scale_identity_t */
    ngx_array_t                 *queries;    /* of ngx_scale_query_t */
    ngx_array_t                 *methods;    /* of ngx_scale_method_t */
    ngx_str_t                    allow;      /* the field's value */
    ngx_str_t                    offer;      /* the same in words */

    time_t                       ttl;        /* 0: not cached */
    time_t                       missing;
    time_t                       stale;
    time_t                       error;
    ngx_scale_place_in_conf_t    valid;      /* scale_cache_valid's */
    ngx_uint_t                   scope;      /* NGX_SCALE_SCOPE_... */
    ngx_uint_t                   audit;      /* of NGX_SCALE_AUDIT_WHOLE */
    ngx_scale_key_t             *key;
    ngx_scale_key_t             *reach;      /* what a write makes old */
    ngx_array_t                 *tags;       /* of ngx_scale_key_t */
    ngx_array_t                 *bypass;
    ngx_array_t                 *purges;     /* of ngx_scale_purge_t */
    ngx_array_t                 *purge_tags; /* of ngx_scale_key_t */
    uint64_t                     statement;  /* hash of what GET runs */

    ngx_scale_page_t            *page;
    ngx_scale_etag_t            *etag;       /* NULL: the body's hash */
    ngx_uint_t                   if_match;
    ngx_scale_place_in_conf_t    guarded;    /* scale_if_match's */
    ngx_uint_t                   idempotency;
    time_t                       key_ttl;
    ngx_uint_t                   batch;      /* elements at most; 0: none */
    ngx_scale_place_in_conf_t    batched;    /* scale_batch's */
    ngx_array_t                 *limits;     /* of ngx_scale_limit_t * */

    ngx_uint_t                   cdn;        /* NGX_SCALE_CDN_... */
    ngx_uint_t                   cdn_shared; /* whatever its parameters */
    ngx_uint_t                   cdn_revalidate;  /* what is private */
    ngx_scale_place_in_conf_t    cdn_place;
    ngx_scale_edge_t            *edge;       /* NULL: scale_cdn is off */
    ngx_scale_cors_t            *cors;       /* as written; NULL: off */

    ngx_array_t                 *presigns;   /* of ngx_scale_presign_t */
    ngx_str_t                    verified;   /* scale_aws_verify's store */
    ngx_scale_objects_t         *verified_store; /* NULL: none */
    ngx_scale_place_in_conf_t    verified_place;
    ngx_scale_signer_t          *signer;     /* of what proxy_pass sends */
    ngx_http_handler_pt          proxy;      /* proxy_pass's handler */

    ngx_array_t                 *sqlstates;  /* of ngx_scale_sqlstate_t */
    ngx_flag_t                   error_detail;
    unsigned                     private:1;  /* "reach" is a tag */
    unsigned                     own_valid:1; /* scale_cache_valid is here */
};


/* an error of a directive read earlier: with its own file and line */
void ngx_cdecl ngx_scale_conf_error(ngx_conf_t *cf,
    ngx_scale_place_in_conf_t *place, const char *fmt, ...);

/* that of the directive that is read now */
void ngx_scale_conf_here(ngx_conf_t *cf, ngx_scale_place_in_conf_t *place);

/* of the names that keys, the log and cookies have */
ngx_uint_t ngx_scale_conf_is_name(u_char ch);

/* GET, POST, PUT, PATCH or DELETE and its NGX_HTTP_...; 0: none of them */
ngx_uint_t ngx_scale_conf_method(ngx_str_t *name);
ngx_str_t *ngx_scale_conf_method_name(ngx_uint_t method);

/* the location's own or an inherited one, or NULL */
ngx_scale_declared_t *ngx_scale_conf_find_param(ngx_scale_loc_conf_t *loc,
    ngx_str_t *name);

/* a scheme, a host and maybe a port, in small letters, and no path */
ngx_uint_t ngx_scale_conf_is_origin(ngx_str_t *word);

/* what a purge gives a parameter of its target, or NULL */
ngx_scale_purge_value_t *ngx_scale_conf_given(ngx_scale_purge_t *purge,
    ngx_str_t *name);

/* with a null byte, which "len" does not count; NULL: memory */
u_char *ngx_scale_conf_copy(ngx_pool_t *pool, u_char *data, size_t len,
    ngx_str_t *s);


#endif /* _NGX_SCALE_CONF_H_INCLUDED_ */
