
/*
 * The sessions of scale_session: who has one, how it begins and how it ends.
 * Copies in memcached are what is asked; a table of the database, where there
 * is one, is what is true.
 */

#ifndef _NGX_SCALE_LOGIN_H_INCLUDED_
#define _NGX_SCALE_LOGIN_H_INCLUDED_


#include "ngx_scale_flow.h"
#include "session/sessions.h"


/* what is called of scale.sql */

typedef enum {
    NGX_SCALE_SESSION_START = 0,
    NGX_SCALE_SESSION_END,
    NGX_SCALE_SESSION_READ,
    NGX_SCALE_SESSION_SEEN,
    NGX_SCALE_SESSION_NCALLS
} ngx_scale_session_call_e;

#define NGX_SCALE_SESSION_MAX_ARGS  6


typedef struct {
    ngx_scale_auth_block_t       block;      /* the first part */
    ngx_scale_session_cookie_t   cookie;
    ngx_str_t                    cache;      /* its name, or empty */
    ngx_str_t                    table;      /* its database's, or empty */
    ngx_str_t                    user;       /* the column that says who */
    time_t                       ttl;
    time_t                       idle;
    ngx_uint_t                   copies;
    ngx_msec_t                   patience;   /* 0: nobody else knows */
    ngx_scale_cache_store_t     *store;
    ngx_scale_database_t        *database;   /* NULL: there is no table */
    ngx_scale_pg_statement_t     calls[NGX_SCALE_SESSION_NCALLS];
    ngx_queue_t                  seen;       /* the worker's */
    ngx_uint_t                   nseen;
} ngx_scale_session_conf_t;


/* a token, and the keys of what it names; NUL-terminated */

typedef struct {
    ngx_scale_session_token_t    token;
    ngx_str_t                    session;
    ngx_str_t                    user;
} ngx_scale_session_ticket_t;


/* of a request, in its pool */

struct ngx_scale_session_s {
    ngx_scale_flow_t            *flow;
    ngx_scale_session_conf_t    *conf;

    ngx_scale_session_ticket_t   came;       /* if it is "known" */
    ngx_scale_session_ticket_t   made;       /* where one starts */
    ngx_scale_session_record_t   record;     /* of the one that is alive */
    uint64_t                     generation; /* of the user, if "dated" */

    ngx_scale_copies_t           session;    /* "data": it is under way */
    ngx_scale_copies_t           owner;      /* the same, of a generation */
    ngx_uint_t                   change;     /* which one is made */
    ngx_msec_t                   looked;     /* the table was */

    ngx_scale_pg_op_t            op;         /* of its own, not the route's */
    ngx_scale_pg_call_t          call;
    const char                  *args[NGX_SCALE_SESSION_MAX_ARGS];
    void                       (*done)(ngx_scale_session_t *s, ngx_int_t rc);

    unsigned                     sent:1;     /* a cookie of its name came */
    unsigned                     known:1;    /* "came" is one of ours */
    unsigned                     former:1;   /* by the secret before */
    unsigned                     dated:1;
    unsigned                     querying:1;
    unsigned                     ready:1;    /* "made" is */
    unsigned                     sets:1;     /* the answer has a cookie */
};


/* ngx_scale_session_conf.c: directives */

char *ngx_scale_session_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_session_start_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_session_end_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_session_csrf_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * ngx_scale_session_plan.c: what each session needs is there; which methods of
 * a location start and end one
 */
char *ngx_scale_session_init(ngx_conf_t *cf, ngx_scale_main_conf_t *main);
char *ngx_scale_session_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc);

/* ngx_scale_session_variable.c: $session_<member> */
ngx_int_t ngx_scale_session_add_variables(ngx_conf_t *cf);


/*
 * ngx_scale_session.c: a step; the session that a cookie names, if it is alive,
 * is who asks.  A request that another page may have forged is refused.
 */
ngx_int_t ngx_scale_session_step(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_session_expire(ngx_scale_flow_t *f);
void ngx_scale_session_release(ngx_scale_flow_t *f);

/*
 * ngx_scale_session_change.c.  A step after the statements: what the session
 * that starts has to keep, of the row.  A step at the end, which all pass: if
 * nothing was refused, what is to end ends, what is to start starts, and the
 * answer gets its cookie.
 */
ngx_int_t ngx_scale_session_row(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_session_change(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_session_change_expire(ngx_scale_flow_t *f);

/* before COMMIT: what of it the transaction has to store */
ngx_int_t ngx_scale_session_keep(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_LOGIN_H_INCLUDED_ */
