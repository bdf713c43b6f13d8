
/*
 * What a location declares: statements with ":name" parameters, typed
 * parameters, and keys made of them.  Pure: strings in, strings out; memory
 * from the pool that is passed.  Where a verb takes "error", it is set on
 * NGX_ERROR to a sentence that names the fault and the remedy; an empty one
 * means that memory is out.
 */

#ifndef _NGX_SCALE_ROUTE_H_INCLUDED_
#define _NGX_SCALE_ROUTE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


/*
 * A statement (PostgreSQL manual, 4.1 Lexical Structure).  ":name" outside of
 * quoted text, comments, dollar-quoted bodies and "::" casts became "$n"; the
 * same name is the same "$n".  "dml" is set where the statement's first word
 * is INSERT, UPDATE, DELETE or MERGE.
 */

typedef struct {
    ngx_str_t      sql;
    ngx_array_t    params;                 /* of ngx_str_t; $1 is the first */
    unsigned       dml:1;
} ngx_scale_template_t;

ngx_int_t ngx_scale_template_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_scale_template_t *t, ngx_str_t *error);


/* where a parameter's value comes from */

typedef enum {
    NGX_SCALE_SOURCE_EXPR = 0,             /* "argument" is an expression */
    NGX_SCALE_SOURCE_ARG,                  /* "argument" is its name */
    NGX_SCALE_SOURCE_HEADER,
    NGX_SCALE_SOURCE_JSON,                 /* "path"; none: the whole body */
    NGX_SCALE_SOURCE_BODY,
    NGX_SCALE_SOURCE_SESSION,              /* "path": of who asks */
    NGX_SCALE_SOURCE_JWT,
    NGX_SCALE_SOURCE_KEY,
    NGX_SCALE_SOURCE_PRESIGN,              /* "argument" is its name */

    /* declared by no word */

    NGX_SCALE_SOURCE_IDENTITY,
    NGX_SCALE_SOURCE_IF_MATCH,
    NGX_SCALE_SOURCE_CURSOR                /* "argument" is its number */
} ngx_scale_source_e;


#define NGX_SCALE_NO_LIMIT  ((ngx_uint_t) -1)

typedef struct {
    ngx_str_t              name;
    ngx_uint_t             type;           /* NGX_SCALE_..., maybe an array */
    ngx_scale_source_e     source;
    ngx_str_t              argument;
    ngx_array_t            path;           /* of ngx_str_t */

    ngx_scale_value_t      def;            /* default=, checked and typed */
    ngx_str_t              min;            /* canonical; empty: no bound */
    ngx_str_t              max;
    ngx_uint_t             len_min;        /* characters; bytes of bytea */
    ngx_uint_t             len_max;
    ngx_uint_t             count_max;      /* elements of an array */

    ngx_str_t              pattern;        /* empty: none */
    void                  *regex;          /* of the match function */
    ngx_int_t            (*match)(void *regex, ngx_str_t *text);

    ngx_array_t           *choices;        /* canonical; NULL: any value */

    /* what is said where a limit is passed */

    struct {
        const char        *length;
        const char        *range;
        const char        *count;
        const char        *choice;
        const char        *pattern;
    } reason;

    unsigned               required:1;
    unsigned               has_default:1;
} ngx_scale_param_t;


/*
 * Reads the words of a scale_param directive, the first being the parameter's
 * name.  The pattern is the caller's to compile: "match" returns NGX_OK where
 * the text matches.
 */
ngx_int_t ngx_scale_param_parse(ngx_pool_t *pool, ngx_str_t *words,
    ngx_uint_t n, ngx_scale_param_t *param, ngx_str_t *error);

/* without a name, source and bounds: for a value from elsewhere */
void ngx_scale_param_of_type(ngx_scale_param_t *param, ngx_uint_t type);

/*
 * The typed value of what the request brought; absent and null are null, or
 * the default where absent.  Without violation NGX_OK; NGX_DECLINED with
 * "reason" (lower case, no full stop, never a part of the value; lives as long
 * as the parameter); NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_param_value(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, const char **reason);


/*
 * A key or tag: literal text and ":name" or ":row.column" parts.  Two keys of
 * different values never meet: each value is escaped (RFC 3986 percent
 * encoding of "%", ":", "/", "~", controls and non-ASCII), NULL is a bare "~".
 */

typedef struct {
    ngx_str_t      literal;                /* of a part without a name */
    ngx_str_t      name;
    unsigned       row:1;                  /* :row.name */
} ngx_scale_key_part_t;

ngx_int_t ngx_scale_key_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_array_t *parts, ngx_str_t *error);

/*
 * value() gives a part's canonical text: NGX_OK, or NGX_DECLINED for NULL; any
 * other code ends the work and is returned.
 */
ngx_int_t ngx_scale_key_make(ngx_pool_t *pool, ngx_array_t *parts,
    ngx_int_t (*value)(void *data, ngx_scale_key_part_t *part,
                       ngx_str_t *text),
    void *data, ngx_str_t *key);


/*
 * The template of the paths (RFC 6570, as OpenAPI has it) that the regular
 * expression of a location matches: "^/a/(?<id>\\d+)$" is "/a/{id}", and a
 * group without a name has its number.  What may be absent is left out.
 * NGX_DECLINED: it is none, the paths differ by more than their captures.
 */
ngx_int_t ngx_scale_pattern_path(ngx_pool_t *pool, ngx_str_t *regex,
    ngx_str_t *path);


#endif /* _NGX_SCALE_ROUTE_H_INCLUDED_ */
