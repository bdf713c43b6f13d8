
/*
 * Statements with their values, and the answers that their rows become: for a
 * request, and where nobody waits.  What is made lives in the given pool; the
 * functions that return ngx_int_t fail for want of memory only, except where
 * something else is said.
 */

#ifndef _NGX_SCALE_ROWS_H_INCLUDED_
#define _NGX_SCALE_ROWS_H_INCLUDED_


#include "ngx_scale_conf.h"


/* an answer as it goes out, and as it stays in the cache */

typedef struct {
    ngx_uint_t                   status;
    ngx_str_t                    etag;
    ngx_str_t                    body;
    ngx_str_t                    meta;       /* see below */
    ngx_array_t                 *fields;     /* of ngx_keyval_t, or NULL */
    time_t                       stored;     /* in the cache; 0: it is new */
    unsigned                     unverified:1;  /* no primary was asked */
    unsigned                     partial:1;     /* a shard is missing */
    unsigned                     old:1;      /* past its ttl, or a tag's */
    unsigned                     kept:1;     /* old, for want of a new one */
} ngx_scale_answer_t;


/* ngx_scale_rows.c */

/*
 * The calls point to the values, and are the operation's: so many times those
 * of the method, with as many lists of values, one after the other.
 */
ngx_int_t ngx_scale_rows_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_value_t *values, ngx_uint_t times,
    ngx_scale_pg_op_t *op);

/* ngx_scale_identity.c: the settings of the operation's transaction */
ngx_int_t ngx_scale_identity_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_value_t *values, ngx_scale_pg_op_t *op);

/* the status of a statement that found nothing, 0: all found something */
ngx_uint_t ngx_scale_rows_empty(ngx_scale_method_t *m, ngx_scale_pg_op_t *op);

/* status, body and meta, none of which points into the result */
ngx_int_t ngx_scale_rows_answer(ngx_pool_t *pool, ngx_scale_method_t *m,
    ngx_scale_pg_op_t *op, ngx_uint_t representation,
    ngx_scale_answer_t *answer);

/* what a row says of its version, into "etag", quoted; empty: nothing */
ngx_int_t ngx_scale_rows_version(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_scale_etag_t *conf, ngx_str_t *etag);

/* the validator of a body, if it has none of its row; none of no body */
ngx_int_t ngx_scale_rows_etag(ngx_pool_t *pool, ngx_scale_answer_t *answer);


/*
 * ngx_scale_meta.c: what an answer is beside its body, as one string that
 * stays with a cached entry: its status, the response fields that "http:..."
 * columns name, the variables that "row:..." columns name, the time of the
 * column that scale_etag names, and the cursor of the page after this one.
 */

typedef enum {
    NGX_SCALE_META_NONE = 0,                 /* a part of the body */
    NGX_SCALE_META_FIELD = 'h',
    NGX_SCALE_META_ROW = 'r',
    NGX_SCALE_META_MODIFIED = 'm',
    NGX_SCALE_META_NEXT = 'n',
    NGX_SCALE_META_STATUS = 's'
} ngx_scale_meta_e;

typedef struct {
    ngx_scale_meta_e             kind;
    ngx_str_t                    name;
    ngx_str_t                    value;
} ngx_scale_meta_t;


ngx_scale_meta_e ngx_scale_meta_kind(ngx_str_t *column);

/* a column's number, by its name, or by that after "row:"; or "ncolumns" */
ngx_uint_t ngx_scale_meta_find(ngx_scale_rows_t *rows, ngx_str_t *name);

/* of answer->status and the first row */
ngx_int_t ngx_scale_meta_make(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_scale_answer_t *answer);

/* one more, in a copy */
ngx_int_t ngx_scale_meta_add(ngx_pool_t *pool, ngx_str_t *meta,
    ngx_scale_meta_t *element);

/* takes the first off "rest"; NGX_DONE: there is none, NGX_ERROR: garbage */
ngx_int_t ngx_scale_meta_next(ngx_str_t *rest, ngx_scale_meta_t *element);

/* no column that the application has named stands beside the body */
ngx_uint_t ngx_scale_meta_is_plain(ngx_str_t *meta);


/* ngx_scale_entry.c: answers as the cache keeps them */

/* the strings stay the answer's */
void ngx_scale_entry_of(ngx_scale_answer_t *answer, ngx_scale_entry_t *entry);

/*
 * What the filler "read" has found out; negative: there is no such row.  That
 * it is too large to be cached is said in the log, once per route and worker.
 */
void ngx_scale_entry_fill(ngx_scale_loc_conf_t *loc, ngx_scale_read_t *read,
    ngx_scale_answer_t *answer, ngx_uint_t negative, ngx_log_t *log);

/* the same of what is too large to be held for those who wait */
void ngx_scale_entry_decline(ngx_scale_loc_conf_t *loc,
    ngx_scale_read_t *read, ngx_log_t *log);


#endif /* _NGX_SCALE_ROWS_H_INCLUDED_ */
