
/*
 * The vocabulary every room shares: parameter types, values, the row cursor
 * between database and JSON, and the causes of an error answer.  It knows
 * nginx's core and no library.
 */

#ifndef _NGX_SCALE_H_INCLUDED_
#define _NGX_SCALE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a named point where a controller may hold the worker: ngx_scale_step.c */

#if (NGX_SCALE_STEP)
#define SCALE_STEP(name)  ngx_scale_step(name)
void ngx_scale_step(const char *name);
#else
#define SCALE_STEP(name)
#endif


/* two strings of nginx are equal */

#define ngx_scale_same(a, b)                                                  \
    ((a)->len == (b)->len && ngx_memcmp((a)->data, (b)->data, (a)->len) == 0)


/* declared types of parameters; an array has NGX_SCALE_ARRAY added */

typedef enum {
    NGX_SCALE_BOOL = 0,
    NGX_SCALE_INT,
    NGX_SCALE_BIGINT,
    NGX_SCALE_NUMERIC,
    NGX_SCALE_FLOAT8,
    NGX_SCALE_TEXT,
    NGX_SCALE_UUID,
    NGX_SCALE_DATE,
    NGX_SCALE_TIMESTAMPTZ,
    NGX_SCALE_JSON,
    NGX_SCALE_JSONB,
    NGX_SCALE_BYTEA,
    NGX_SCALE_NTYPES
} ngx_scale_type_e;

#define NGX_SCALE_ARRAY   0x100


/*
 * A typed value on its way to the database.  "text" is PostgreSQL's text
 * format, "canon" the one spelling of an equal value (keys are made of it);
 * they differ for numeric only.  Absent and null are both null.
 */

typedef struct {
    ngx_str_t    text;
    ngx_str_t    canon;
    unsigned     null:1;
} ngx_scale_value_t;


/*
 * A value as a request brought it.  A string is decoded; a number, "true",
 * "false" and JSON (an object or an array) are the bytes as they were sent.
 * TEXT comes from outside of JSON: an argument, a field, an nginx variable.
 */

typedef enum {
    NGX_SCALE_RAW_ABSENT = 0,
    NGX_SCALE_RAW_NULL,
    NGX_SCALE_RAW_TEXT,
    NGX_SCALE_RAW_STRING,
    NGX_SCALE_RAW_NUMBER,
    NGX_SCALE_RAW_BOOL,
    NGX_SCALE_RAW_ARRAY,
    NGX_SCALE_RAW_OBJECT
} ngx_scale_raw_e;

typedef struct ngx_scale_raw_s  ngx_scale_raw_t;

struct ngx_scale_raw_s {
    ngx_scale_raw_e        kind;
    ngx_str_t              text;
    ngx_scale_raw_t       *elts;       /* of an array, where asked for */
    ngx_uint_t             nelts;
};


/*
 * The neutral form of a result.  "oid" is PostgreSQL's type OID (pg_type.dat),
 * the cell its text format, valid as long as the rows' owner keeps them.
 * get() returns NGX_OK, or NGX_DECLINED for NULL; it cannot fail.
 */

typedef struct {
    ngx_str_t    name;
    ngx_uint_t   oid;
} ngx_scale_column_t;

typedef struct ngx_scale_rows_s  ngx_scale_rows_t;

struct ngx_scale_rows_s {
    ngx_uint_t            nrows;
    ngx_uint_t            ncolumns;
    ngx_scale_column_t   *columns;
    ngx_int_t           (*get)(ngx_scale_rows_t *rows, ngx_uint_t row,
                               ngx_uint_t column, ngx_str_t *cell);
    void                 *data;
};


/* representations of an answer; the order is the preference among equals */

#define NGX_SCALE_REPR_JSON    0
#define NGX_SCALE_REPR_NDJSON  1
#define NGX_SCALE_REPR_CSV     2
#define NGX_SCALE_NREPRS       3


/*
 * Why a request is refused or failed.  One table, http/problem, turns a cause
 * into a status, a title and the fields a client needs.
 */

typedef enum {
    NGX_SCALE_CAUSE_NONE = 0,
    NGX_SCALE_CAUSE_REFUSED,            /* HTnnn of scale.fail() */
    NGX_SCALE_CAUSE_IDENTITY,           /* identity required and absent */
    NGX_SCALE_CAUSE_PARAMETER,          /* missing, malformed, out of bounds */
    NGX_SCALE_CAUSE_BODY,               /* not JSON as we accept it */
    NGX_SCALE_CAUSE_NOT_FOUND,
    NGX_SCALE_CAUSE_METHOD,
    NGX_SCALE_CAUSE_NOT_ACCEPTABLE,
    NGX_SCALE_CAUSE_MEDIA_TYPE,
    NGX_SCALE_CAUSE_CONFLICT,           /* 23505, 23P01 */
    NGX_SCALE_CAUSE_PRECONDITION,       /* If-Match names another version */
    NGX_SCALE_CAUSE_PRECONDITION_REQUIRED,
    NGX_SCALE_CAUSE_KEY,                /* Idempotency-Key: none, malformed */
    NGX_SCALE_CAUSE_KEY_BUSY,           /* its first request is under way */
    NGX_SCALE_CAUSE_KEY_REUSED,         /* for another request */
    NGX_SCALE_CAUSE_UNPROCESSABLE,      /* 23503, 23502, 23514, class 22 */
    NGX_SCALE_CAUSE_FORBIDDEN,          /* 42501 */
    NGX_SCALE_CAUSE_CROSS_SITE,         /* with the cookie of a session */
    NGX_SCALE_CAUSE_RAISED,             /* P0001 */
    NGX_SCALE_CAUSE_SERIALIZATION,      /* 40001, 40P01, retries spent */
    NGX_SCALE_CAUSE_WRITE_IN_READ,      /* 25006 on a read session */
    NGX_SCALE_CAUSE_RESOURCES,          /* class 53, 55P03 */
    NGX_SCALE_CAUSE_QUEUE_FULL,
    NGX_SCALE_CAUSE_UNAVAILABLE,        /* provably not executed */
    NGX_SCALE_CAUSE_TIMEOUT,            /* a read past its time */
    NGX_SCALE_CAUSE_OUTCOME_UNKNOWN,    /* a write whose end was not seen */
    NGX_SCALE_CAUSE_DATABASE,           /* any other SQLSTATE */
    NGX_SCALE_CAUSE_LIMITED,            /* scale_limit */
    NGX_SCALE_CAUSE_INTERNAL,
    NGX_SCALE_NCAUSES
} ngx_scale_cause_e;


#endif /* _NGX_SCALE_H_INCLUDED_ */
