
/*
 * The request: a table of steps, each of which finds out one thing, and what
 * drives it.  A step's run() returns
 *
 *     NGX_OK        the next step;
 *     NGX_AGAIN     parked: a room calls back, ngx_scale_flow_resume() goes on;
 *     NGX_DONE      the answer is known: on to the next step that all pass;
 *     NGX_DECLINED  refused, "problem" says why: the same way;
 *     NGX_ERROR     the same, of the cause INTERNAL;
 *     400 and up    nginx answers so, and all other steps are skipped.
 *
 * expire() is called when the deadline finds the flow parked in that step, and
 * returns what run() would; NGX_AGAIN: it waits on.  release() lets go what
 * the step has begun or holds; it is called at the end, whoever brings that
 * about, perhaps twice.  Past the last step the request is finalized.
 */

#ifndef _NGX_SCALE_FLOW_H_INCLUDED_
#define _NGX_SCALE_FLOW_H_INCLUDED_


#include "ngx_scale_rows.h"
#include "http/request.h"
#include "http/response.h"


typedef struct ngx_scale_flow_s     ngx_scale_flow_t;
typedef struct ngx_scale_fanout_s   ngx_scale_fanout_t;
typedef struct ngx_scale_keyed_s    ngx_scale_keyed_t;
typedef struct ngx_scale_charges_s  ngx_scale_charges_t;
typedef struct ngx_scale_session_s  ngx_scale_session_t;
typedef struct ngx_scale_claim_s    ngx_scale_claim_t;


typedef struct {
    const char                  *name;
    ngx_int_t                  (*run)(ngx_scale_flow_t *f);
    ngx_int_t                  (*expire)(ngx_scale_flow_t *f);
    void                       (*release)(ngx_scale_flow_t *f);
    ngx_uint_t                   all;        /* the refused pass it, too */
} ngx_scale_step_t;

#define ngx_scale_last_step  { NULL, NULL, NULL, NULL, 0 }


/*
 * An identity: a JSON object, whose members are sources, and the text that
 * stands for it in keys, which is hashed there.
 */

typedef struct {
    ngx_str_t                    members;
    ngx_str_t                    user;
    ngx_uint_t                   found;
} ngx_scale_who_t;


struct ngx_scale_flow_s {
    ngx_scale_ctx_t              ctx;        /* the first part */

    ngx_http_request_t          *r;
    ngx_scale_main_conf_t       *main;
    ngx_scale_loc_conf_t        *loc;
    ngx_scale_method_t          *method;
    ngx_scale_step_t            *steps;
    ngx_scale_step_t            *step;
    ngx_int_t                    rc;         /* of ngx_http_finalize_request */
    ngx_scale_flow_t            *outer;      /* whose step this is; or NULL */
    void                       (*done)(ngx_scale_flow_t *inner);

    ngx_scale_problem_t          problem;
    ngx_scale_answer_t           answer;
    ngx_uint_t                   representation;
    time_t                       modified;   /* 0: not known */
    ngx_scale_who_t              who[NGX_SCALE_AUTH_NKINDS];
    ngx_scale_flow_t            *inner;      /* who asks, by a key; or NULL */
    ngx_scale_value_t           *values;     /* by index of loc->params */
    ngx_uint_t                   elements;   /* of a batch, or 0 */
    ngx_str_t                   *cursor;     /* values of after=, or NULL */

    ngx_scale_cluster_t         *cluster;    /* who has the row */
    ngx_scale_pg_op_t            op;
    ngx_scale_fanout_t          *fanout;     /* its result becomes op's */
    ngx_scale_charges_t         *charges;    /* NULL: nothing limits it */
    ngx_scale_read_t             read;
    ngx_scale_write_t            write;
    ngx_scale_keyed_t           *keyed;      /* came with a key; or NULL */
    ngx_scale_session_t         *session;    /* NULL: it needs none */
    ngx_scale_claim_t           *claim;      /* of jobs; or NULL */

    ngx_scale_json_list_t       *list;       /* of rows that come one by one */
    ngx_buf_t                    part;       /* of them, on its way out */

    ngx_event_t                  timer;      /* the request's deadline */
    ngx_msec_t                   deadline;
    uint64_t                     asked;      /* the cache, nanoseconds */

    unsigned                     direct:1;   /* within the content handler */
    unsigned                     parked:1;
    unsigned                     reading:1;  /* nginx does, the body */
    unsigned                     late:1;     /* a step has expired */
    unsigned                     querying:1; /* the database */
    unsigned                     waiting:1;  /* for the cache's verdict */
    unsigned                     filling:1;  /* this one reads for others */
    unsigned                     marked:1;   /* keys are, or may be */
    unsigned                     paused:1;   /* its client is busy */
    unsigned                     idle:1;     /* a write that is not begun */
};


/* NULL: memory */
ngx_scale_flow_t *ngx_scale_flow_create(ngx_http_request_t *r,
    ngx_scale_loc_conf_t *loc);

/* runs the steps; returns what a content handler does */
ngx_int_t ngx_scale_flow_start(ngx_scale_flow_t *f, ngx_scale_step_t *steps);

/*
 * A step: the body has come, where the method needs one, or is discarded.  Who
 * is refused before it is not asked to send one.
 */
ngx_int_t ngx_scale_flow_body(ngx_scale_flow_t *f);

/*
 * A flow within a step of another: what a route's GET answers is found out, and
 * nobody is answered.  It is the request's memory, has no later deadline, and
 * is released by that step.  run() returns NGX_OK: it is over, "answer" or
 * "problem" is set; NGX_AGAIN: done() will be called then, which may end all.
 */
ngx_scale_flow_t *ngx_scale_flow_within(ngx_scale_flow_t *f,
    ngx_scale_loc_conf_t *loc);
ngx_int_t ngx_scale_flow_run_within(ngx_scale_flow_t *inner,
    ngx_scale_step_t *steps);
void ngx_scale_flow_end_within(ngx_scale_flow_t *inner);

/* goes on as if the parked step had returned "rc", not NGX_AGAIN */
void ngx_scale_flow_resume(ngx_scale_flow_t *f, ngx_int_t rc);

/*
 * The client is watched, or not, after "idle" has changed: a write goes on
 * without it, what is not begun does not.
 */
void ngx_scale_flow_attend(ngx_scale_flow_t *f);

/* returns NGX_DECLINED, for a step to return */
ngx_int_t ngx_scale_flow_refuse(ngx_scale_flow_t *f, ngx_scale_cause_e cause);

/* sets the timer: in "patience" ms, if the deadline does not come before */
void ngx_scale_flow_watch(ngx_scale_flow_t *f, ngx_msec_t patience);


#endif /* _NGX_SCALE_FLOW_H_INCLUDED_ */
