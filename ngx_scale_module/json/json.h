
/*
 * JSON (RFC 8259) in and out; the only room with yajl.  Pure: memory from the
 * pool that is passed.
 */

#ifndef _NGX_SCALE_JSON_H_INCLUDED_
#define _NGX_SCALE_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


#define NGX_SCALE_JSON_DEPTH  64


/*
 * One pass over the raw bytes that refuses what yajl lets through: invalid
 * UTF-8 (RFC 3629), unpaired surrogate escapes, "\u0000", nesting deeper than
 * "depth", a member's name given twice in one object (names compared after
 * decoding), an empty body, anything after the value.  Its result is a
 * complete check of the grammar.  "seed" keys the hash of member names and
 * must be unknown to clients.
 *
 * NGX_OK; NGX_DECLINED with "reason" (static text) and "offset" in bytes;
 * NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_json_check(ngx_pool_t *pool, ngx_str_t *body,
    ngx_uint_t depth, uint32_t seed, const char **reason, size_t *offset);


/* a member to read: its path from the top; an empty path: the whole value */

typedef struct {
    ngx_str_t         *path;
    ngx_uint_t         npath;
    unsigned           elements:1;     /* of an array: give the elements too */
    ngx_scale_raw_t    raw;            /* the result */
} ngx_scale_json_want_t;

/*
 * Reads the wanted members of a body that was checked, in one pass.  What is
 * not there is ABSENT.  Decoded strings live in the pool, the rest points into
 * the body.  NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_json_read(ngx_pool_t *pool, ngx_str_t *body,
    ngx_scale_json_want_t *wants, ngx_uint_t n);


/* shapes: an object, an array of objects, the first column's value */

#define NGX_SCALE_JSON_ROW     0
#define NGX_SCALE_JSON_ROWS    1
#define NGX_SCALE_JSON_VALUE   2

/*
 * Writes a result in one of NGX_SCALE_REPR_...
 *
 * The types decide (PostgreSQL manual, chapter 8): int2, int4, int8, numeric,
 * float as numbers with every digit ("NaN", "Infinity" as strings), bool, json
 * and jsonb as they are, timestamps RFC 3339 (timestamptz in UTC, "Z"; the
 * session runs with TimeZone UTC and DateStyle ISO), bytea (hex output)
 * base64, arrays of these as JSON arrays, NULL as null, all else strings.
 * Columns of type void and those named "http:..." or "row:..." are left out.
 * CSV (RFC 4180) has a header line; a NULL is an empty field.
 * ROW and VALUE need at least one row.  JSON and NDJSON end in a line feed.
 *
 * "out" is one piece of memory from the pool.
 */
ngx_int_t ngx_scale_json_write(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_uint_t shape, ngx_uint_t representation, ngx_str_t *out);


/*
 * The same for ROWS that come in parts.  begin() looks at the columns, which
 * need not outlive it; the rows are add()ed, those of the first part too.
 * written() is what there is since the last taken(), which makes room for
 * more: one piece of memory, of "size" unless a row is larger than that.
 */
typedef struct ngx_scale_json_list_s  ngx_scale_json_list_t;

/* NULL: memory */
ngx_scale_json_list_t *ngx_scale_json_list_begin(ngx_pool_t *pool,
    ngx_scale_rows_t *rows, ngx_uint_t representation, size_t size);

ngx_int_t ngx_scale_json_list_add(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows);
ngx_int_t ngx_scale_json_list_end(ngx_scale_json_list_t *list);

void ngx_scale_json_list_written(ngx_scale_json_list_t *list, ngx_str_t *out);
void ngx_scale_json_list_taken(ngx_scale_json_list_t *list);


/*
 * A document, an object at its top, written from its beginning to its end.
 * "name" is a member's; NULL: an element of an array.  That memory was out is
 * said at the end, and no deeper than NGX_SCALE_JSON_DEPTH is written.
 */
typedef struct ngx_scale_json_doc_s  ngx_scale_json_doc_t;

/* of the block in which it stands */
#define ngx_scale_json_text(s)  (&(ngx_str_t) ngx_string(s))

/* NULL: memory */
ngx_scale_json_doc_t *ngx_scale_json_doc_begin(ngx_pool_t *pool);

void ngx_scale_json_doc_object(ngx_scale_json_doc_t *doc, ngx_str_t *name);
void ngx_scale_json_doc_array(ngx_scale_json_doc_t *doc, ngx_str_t *name);
void ngx_scale_json_doc_close(ngx_scale_json_doc_t *doc);
void ngx_scale_json_doc_string(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_str_t *value);

/* a number, true, false, null, or other JSON */
void ngx_scale_json_doc_verbatim(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_str_t *value);

ngx_int_t ngx_scale_json_doc_end(ngx_scale_json_doc_t *doc, ngx_str_t *out);


#endif /* _NGX_SCALE_JSON_H_INCLUDED_ */
