
/*
 * Which shard of a database holds a row, and one result out of several
 * shards'.  Pure: memory from the pool that is passed.
 */

#ifndef _NGX_SCALE_SHARD_H_INCLUDED_
#define _NGX_SCALE_SHARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


/*
 * A key's bucket is the first 32 bits of the MD5 of its text, big endian,
 * modulo 1024.  That is a promise to operators, who move buckets by SQL:
 * scale.bucket() of conf/sql/scale.sql says the same.
 */

#define NGX_SCALE_SHARD_BUCKETS  1024

/*
 * The text of a key of several values: "%" is "%25" in each, ":" is "%3A",
 * and ":" is between them; a single value is its own text.  NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_shard_key(ngx_pool_t *pool, ngx_str_t *values,
    ngx_uint_t n, ngx_str_t *key);


/* keys from "from" to before "to", byte by byte; an empty end is open */

typedef struct {
    ngx_str_t      from;
    ngx_str_t      to;
    ngx_uint_t     shard;
} ngx_scale_shard_range_t;


/* who holds what: by bucket, or where there are ranges by those */

typedef struct {
    ngx_uint_t     owners[NGX_SCALE_SHARD_BUCKETS];    /* see _NONE */
    ngx_array_t    ranges;             /* of ngx_scale_shard_range_t */
    ngx_array_t    frozen_ranges;
    u_char         frozen[NGX_SCALE_SHARD_BUCKETS];
} ngx_scale_shard_map_t;

#define NGX_SCALE_SHARD_NONE     ((ngx_uint_t) -1)

/* nobody holds anything; NGX_ERROR: memory */
ngx_int_t ngx_scale_shard_map_init(ngx_pool_t *pool,
    ngx_scale_shard_map_t *map);

/* "7" or "0-511"; NGX_ERROR: it is neither */
ngx_int_t ngx_scale_shard_interval(ngx_str_t *word, ngx_uint_t *first,
    ngx_uint_t *last);

/* NGX_DECLINED: "taken" has an owner already */
ngx_int_t ngx_scale_shard_map_give(ngx_scale_shard_map_t *map,
    ngx_uint_t first, ngx_uint_t last, ngx_uint_t shard, ngx_uint_t *taken);

/* the first interval without an owner; NGX_DECLINED: there is none */
ngx_int_t ngx_scale_shard_map_gap(ngx_scale_shard_map_t *map,
    ngx_uint_t *first, ngx_uint_t *last);

/*
 * Sorts the ranges.  NGX_OK: they cover every key once; NGX_DECLINED: no range
 * has the keys from "from" to before "to"; NGX_BUSY: "from" is in two.
 */
ngx_int_t ngx_scale_shard_map_sort(ngx_scale_shard_map_t *map,
    ngx_str_t *from, ngx_str_t *to);

/* of a map that has no gap */
ngx_uint_t ngx_scale_shard_map_find(ngx_scale_shard_map_t *map,
    ngx_str_t *key);
ngx_uint_t ngx_scale_shard_map_is_frozen(ngx_scale_shard_map_t *map,
    ngx_str_t *key);


/* ORDER BY of a merged result; as in PostgreSQL a null is the greatest */

typedef struct {
    ngx_str_t      column;
    unsigned       desc:1;
} ngx_scale_shard_sort_t;

/*
 * One result of "n": rows in the order of "sort", by which each is sorted
 * already, or one result after the other where "sort" is NULL.  "limit" 0:
 * all rows.  The inputs must live as long as "out".  NGX_DECLINED with
 * "error" (static text): they are not results of one statement, or lack a
 * column of "sort"; NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_shard_merge(ngx_pool_t *pool, ngx_scale_rows_t **rows,
    ngx_uint_t n, ngx_array_t *sort, ngx_uint_t limit, ngx_scale_rows_t *out,
    const char **error);

/*
 * Less, equal or greater than 0, as PostgreSQL orders the type in its text
 * format: numbers by value and with every digit, all else byte by byte.
 */
ngx_int_t ngx_scale_shard_compare(ngx_uint_t oid, ngx_str_t *a, ngx_str_t *b);


#endif /* _NGX_SCALE_SHARD_H_INCLUDED_ */
