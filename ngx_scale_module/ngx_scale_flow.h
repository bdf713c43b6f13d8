
/*
 * The request: a table of steps.  A step returns NGX_OK (the next one),
 * NGX_AGAIN (parked; a room calls back and ngx_scale_flow_resume() goes on),
 * NGX_DECLINED (refused: "problem" says why) or NGX_ERROR.
 */

#ifndef _NGX_SCALE_FLOW_H_INCLUDED_
#define _NGX_SCALE_FLOW_H_INCLUDED_


#include "ngx_scale_conf.h"
#include "http/request.h"
#include "http/response.h"


typedef struct ngx_scale_flow_s    ngx_scale_flow_t;
typedef struct ngx_scale_fanout_s  ngx_scale_fanout_t;

typedef ngx_int_t (*ngx_scale_step_pt)(ngx_scale_flow_t *f);


#define NGX_SCALE_META_FIELD       'h'
#define NGX_SCALE_META_ROW         'r'
#define NGX_SCALE_META_STATUS      's'
#define NGX_SCALE_META_HEADER      7
#define NGX_SCALE_META_STATUS_LEN  3


/* a result as it goes out, and as it stays in the cache */

typedef struct {
    ngx_uint_t                   status;
    ngx_str_t                    etag;
    ngx_str_t                    body;
    ngx_str_t                    meta;       /* see ngx_scale_rows.c */
    ngx_array_t                 *fields;     /* of ngx_keyval_t, or NULL */
    unsigned                     unverified:1;  /* no primary was asked */
    unsigned                     partial:1;     /* a shard is missing */
    unsigned                     old:1;      /* past its ttl, or a tag's */
    unsigned                     kept:1;     /* old, for want of a new one */
} ngx_scale_answer_t;


struct ngx_scale_flow_s {
    ngx_scale_ctx_t              ctx;        /* the first part */

    ngx_http_request_t          *r;
    ngx_scale_main_conf_t       *main;
    ngx_scale_loc_conf_t        *loc;
    ngx_scale_method_t          *method;
    ngx_scale_step_pt           *steps;
    ngx_scale_step_pt           *step;
    ngx_int_t                    rc;         /* of ngx_http_finalize_request */

    ngx_scale_problem_t          problem;
    ngx_scale_answer_t           answer;
    ngx_uint_t                   representation;
    ngx_scale_value_t           *values;     /* by index of loc->params */

    ngx_scale_cluster_t         *cluster;    /* who has the row */
    ngx_scale_pg_op_t            op;
    ngx_scale_fanout_t          *fanout;     /* its result becomes op's */
    ngx_scale_read_t             read;
    ngx_scale_write_t            write;

    ngx_scale_json_list_t       *list;       /* of rows that come one by one */
    ngx_buf_t                    part;       /* of them, on its way out */

    ngx_event_t                  timer;      /* the request's deadline */
    ngx_msec_t                   deadline;
    uint64_t                     asked;      /* the cache, nanoseconds */

    unsigned                     direct:1;   /* within the content handler */
    unsigned                     parked:1;
    unsigned                     querying:1; /* the database */
    unsigned                     waiting:1;  /* for the cache's verdict */
    unsigned                     filling:1;  /* this one reads for others */
    unsigned                     marked:1;   /* keys are, or may be */
    unsigned                     looking:1;  /* marks before COMMIT */
    unsigned                     paused:1;   /* its client is busy */
};


/* the content handler of a route */
ngx_int_t ngx_scale_flow_handler(ngx_http_request_t *r);

/* goes on with the step after the parked one, or with its refusal */
void ngx_scale_flow_resume(ngx_scale_flow_t *f, ngx_int_t rc);

/* goes on with sending what f->answer holds */
void ngx_scale_flow_resume_send(ngx_scale_flow_t *f);

/* a step's: the next one is sending what f->answer holds */
ngx_int_t ngx_scale_flow_send_next(ngx_scale_flow_t *f);

/* the database is not waited for as long as usual: there is an answer */
void ngx_scale_flow_hurry(ngx_scale_flow_t *f);

ngx_int_t ngx_scale_flow_refuse(ngx_scale_flow_t *f, ngx_scale_cause_e cause);


/* ngx_scale_values.c: the values of the parameters a method needs */
ngx_int_t ngx_scale_values_step(ngx_scale_flow_t *f);

/* makes a key or tag of the request's values; rows may be NULL */
ngx_int_t ngx_scale_values_key(ngx_scale_flow_t *f, ngx_scale_key_t *made,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key);

/* the key of another route's entry, as a purge names it */
ngx_int_t ngx_scale_values_purge_key(ngx_scale_flow_t *f,
    ngx_scale_purge_t *purge, ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_str_t *key);

/* the rows have the columns that the parts name, if they name any */
ngx_uint_t ngx_scale_values_returned(ngx_array_t *parts,
    ngx_scale_rows_t *rows);


/* ngx_scale_sharding.c: the cluster that the request is for */
ngx_int_t ngx_scale_sharding_step(ngx_scale_flow_t *f);


/*
 * ngx_scale_fanout.c: one statement on every shard.  submit() parks the flow
 * and resumes it when f->op and f->problem are as of one operation.
 */

ngx_int_t ngx_scale_fanout_submit(ngx_scale_flow_t *f);

/* the request's time is over: NGX_OK, some shards' rows are enough */
ngx_int_t ngx_scale_fanout_expire(ngx_scale_flow_t *f);

/* an answer that lacks a shard's rows says so */
ngx_int_t ngx_scale_fanout_warn(ngx_scale_flow_t *f);

/* nobody waits any more; frees the results */
void ngx_scale_fanout_cancel(ngx_scale_flow_t *f);


/* ngx_scale_read.c */
ngx_int_t ngx_scale_read_lookup(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_read_query(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_read_settle(ngx_scale_flow_t *f);

/* an answer could not be cached: said in the log */
void ngx_scale_read_too_large(ngx_scale_loc_conf_t *loc, ngx_log_t *log);


/* ngx_scale_stream.c: answers that leave while they arrive */

void ngx_scale_stream_allow(ngx_scale_flow_t *f);

/* the database has no more, or failed, and a part has left */
void ngx_scale_stream_done(ngx_scale_flow_t *f);


/* ngx_scale_refresh.c: in the handler of a HIT that is due */
void ngx_scale_refresh(ngx_scale_flow_t *f);

/* ngx_scale_audit.c: what is about to answer, of the local tier or of a HIT */
void ngx_scale_audit(ngx_scale_flow_t *f, ngx_scale_entry_t *entry,
    ngx_uint_t local);


/* ngx_scale_consistency.c: who may answer a read, and what a writer is told */
void ngx_scale_consistency_read(ngx_scale_flow_t *f,
    ngx_scale_cluster_t *cluster, ngx_scale_pg_op_t *op);

/* for how many seconds an entry that a tag made old may answer this reader */
time_t ngx_scale_consistency_lenience(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_consistency_written(ngx_scale_flow_t *f);

/* the client has a token of a write that others may not see yet */
ngx_uint_t ngx_scale_consistency_is_writer(ngx_scale_flow_t *f);


/* ngx_scale_identity.c: the settings of the request's transaction */
ngx_int_t ngx_scale_identity_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_value_t *values, ngx_scale_pg_op_t *op);


/* ngx_scale_rows.c: statements, and what their rows are, without a request */

/* the calls point to the values */
ngx_int_t ngx_scale_rows_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_value_t *values, ngx_scale_pg_op_t *op);

/* the status of a statement that found nothing, 0: all found something */
ngx_uint_t ngx_scale_rows_empty(ngx_scale_method_t *m, ngx_scale_pg_op_t *op);

/* status, body and meta, none of which points into the result */
ngx_int_t ngx_scale_rows_answer(ngx_pool_t *pool, ngx_scale_method_t *m,
    ngx_scale_pg_op_t *op, ngx_uint_t representation,
    ngx_scale_answer_t *answer);

/* what the columns of the first row say beside the body */
ngx_int_t ngx_scale_rows_meta(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_scale_answer_t *answer);

/* one element of a meta, of NGX_SCALE_META_HEADER and the two strings */
u_char *ngx_scale_rows_put(u_char *p, u_char kind, ngx_str_t *name,
    ngx_str_t *value);

ngx_int_t ngx_scale_rows_etag(ngx_pool_t *pool, ngx_scale_answer_t *answer);


/* ngx_scale_purge.c: what a write makes old, for f->write */

/* by the request's parameters */
ngx_int_t ngx_scale_purge_named(ngx_scale_flow_t *f);

/* by the rows of f->op, before COMMIT; what is wrong with them is logged */
ngx_int_t ngx_scale_purge_returned(ngx_scale_flow_t *f);


/* ngx_scale_write.c */
ngx_int_t ngx_scale_write_mark(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_write_query(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_write_unmark(ngx_scale_flow_t *f);


/* ngx_scale_answer.c: from rows, from an entry and to one, to a response */

ngx_int_t ngx_scale_answer_render(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_answer_entry(ngx_scale_flow_t *f,
    ngx_scale_entry_t *entry);

/* the same of an entry that lives as long as the request */
ngx_int_t ngx_scale_answer_own_entry(ngx_scale_flow_t *f,
    ngx_scale_entry_t *entry);

void ngx_scale_answer_to_entry(ngx_scale_answer_t *answer,
    ngx_scale_entry_t *entry);
ngx_int_t ngx_scale_answer_send(ngx_scale_flow_t *f);

/* the response's header; NGX_ERROR: memory */
ngx_int_t ngx_scale_answer_response(ngx_scale_flow_t *f,
    ngx_scale_response_t *response);

/* what stands beside the body takes effect */
ngx_int_t ngx_scale_answer_apply(ngx_scale_flow_t *f);

/* one more field of the response; the strings must live as long */
ngx_int_t ngx_scale_answer_field(ngx_scale_flow_t *f, ngx_str_t *name,
    ngx_str_t *value);

/* the same, for whoever shares this answer, too */
ngx_int_t ngx_scale_answer_share_field(ngx_scale_flow_t *f, ngx_str_t *name,
    ngx_str_t *value);

/* who has answered, for the variables */
void ngx_scale_answer_server(ngx_scale_flow_t *f);

/* what PostgreSQL said becomes f->problem */
ngx_int_t ngx_scale_answer_problem(ngx_scale_flow_t *f);

/* another request's problem, into this one's pool */
ngx_int_t ngx_scale_answer_copy_problem(ngx_scale_flow_t *f,
    ngx_scale_problem_t *problem);


#endif /* _NGX_SCALE_FLOW_H_INCLUDED_ */
