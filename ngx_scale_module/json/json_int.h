
/*
 * Private to the JSON room: the output buffer and the types' writers.
 */

#ifndef _NGX_SCALE_JSON_INT_H_INCLUDED_
#define _NGX_SCALE_JSON_INT_H_INCLUDED_


#include <yajl/yajl_common.h>
#include "json/json.h"


/*
 * One piece of memory, replaced by one of at least twice the size when it is
 * short.  Only what was reserved may be written.
 */

typedef struct {
    u_char        *start;
    u_char        *pos;
    u_char        *end;
    ngx_pool_t    *pool;
    ngx_str_t      scratch;           /* for an array's unquoted elements */
    unsigned       one_line:1;        /* no line breaks inside of a value */
} ngx_scale_json_out_t;

/* NGX_ERROR: memory */
ngx_int_t ngx_scale_json_out_init(ngx_scale_json_out_t *out, ngx_pool_t *pool,
    size_t size);
ngx_int_t ngx_scale_json_out_grow(ngx_scale_json_out_t *out, size_t size);
ngx_int_t ngx_scale_json_out_append(ngx_scale_json_out_t *out, u_char *data,
    size_t len);


static ngx_inline ngx_int_t
ngx_scale_json_out_reserve(ngx_scale_json_out_t *out, size_t size)
{
    return (size_t) (out->end - out->pos) >= size
           ? NGX_OK : ngx_scale_json_out_grow(out, size);
}


static ngx_inline ngx_int_t
ngx_scale_json_out_char(ngx_scale_json_out_t *out, u_char ch)
{
    if (ngx_scale_json_out_reserve(out, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    *out->pos++ = ch;

    return NGX_OK;
}


/*
 * Writes text in the form its type has in JSON; text that has not the form
 * the type's output has in the PostgreSQL manual becomes a string.
 */
typedef ngx_int_t (*ngx_scale_json_writer_pt)(ngx_scale_json_out_t *out,
    ngx_str_t *text);

typedef struct {
    ngx_uint_t                  oid;
    ngx_scale_json_writer_pt    writer;    /* NULL: not to be shown */
    unsigned                    array:1;   /* "writer" is its elements' */
    unsigned                    json:1;    /* the text is JSON */
} ngx_scale_json_type_t;

/* every OID has a type; that of an unknown one writes strings */
ngx_scale_json_type_t *ngx_scale_json_type(ngx_uint_t oid);

ngx_int_t ngx_scale_json_write_value(ngx_scale_json_out_t *out,
    ngx_scale_json_type_t *type, ngx_str_t *text);
ngx_int_t ngx_scale_json_write_string(ngx_scale_json_out_t *out,
    ngx_str_t *text);
ngx_int_t ngx_scale_json_write_bytea(ngx_scale_json_out_t *out,
    ngx_str_t *text);
ngx_int_t ngx_scale_json_write_timestamp(ngx_scale_json_out_t *out,
    ngx_str_t *text);


/* a column that is shown; "prefix" is what precedes its value in an object */

typedef struct {
    ngx_uint_t                index;
    ngx_scale_json_type_t    *type;
    ngx_str_t                 name;
    ngx_str_t                 prefix;
} ngx_scale_json_column_t;

struct ngx_scale_json_list_s {
    ngx_scale_json_out_t      out;
    ngx_scale_json_out_t      value;       /* a field of CSV */
    ngx_scale_json_column_t  *columns;
    ngx_uint_t                n;
    ngx_uint_t                representation;
    unsigned                  brackets:1;
    unsigned                  begun:1;     /* a comma is due */
};

ngx_int_t ngx_scale_json_csv_header(ngx_scale_json_list_t *list);
ngx_int_t ngx_scale_json_csv_line(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t row);


/* names of members; "few" needs no memory and is enough for most bodies */

#define NGX_SCALE_JSON_FEW  32

typedef struct {
    ngx_str_t                  name;       /* decoded */
    uint32_t                   hash;
    uint32_t                   next;
} ngx_scale_json_name_t;

typedef struct {
    ngx_pool_t                *pool;
    uint64_t                   key[2];
    ngx_scale_json_name_t     *entries;
    uint32_t                  *buckets;
    uint32_t                   size;       /* of both, a power of two */
    uint32_t                   n;
    ngx_scale_json_name_t      few[NGX_SCALE_JSON_FEW];
    uint32_t                   few_buckets[NGX_SCALE_JSON_FEW];
} ngx_scale_json_names_t;

void ngx_scale_json_names_init(ngx_scale_json_names_t *names,
    ngx_pool_t *pool, uint32_t seed);
void ngx_scale_json_names_done(ngx_scale_json_names_t *names);

/*
 * Adds a name to the object whose first name was entry "base"; NGX_DECLINED:
 * the object has it; NGX_ERROR: memory.  drop() ends the object.
 */
ngx_int_t ngx_scale_json_names_add(ngx_scale_json_names_t *names,
    uint32_t base, ngx_str_t *name);
void ngx_scale_json_names_drop(ngx_scale_json_names_t *names, uint32_t base);


extern const char  ngx_scale_json_truncated[];

/*
 * Passes over a string whose first quote is before "pos".  NGX_DECLINED: "pos"
 * is where the fault is.
 */
ngx_int_t ngx_scale_json_check_string(u_char **pos, u_char *last,
    ngx_uint_t *escaped, const char **reason);

/* the value of a string that was checked; its size, at most that of "src" */
size_t ngx_scale_json_decode(u_char *dst, ngx_str_t *src);


/* yajl's memory for one body, which must outlive the parser */

typedef struct {
    size_t               size;
    size_t               unused;           /* for alignment */
} ngx_scale_json_block_t;

typedef struct {
    yajl_alloc_funcs     funcs;
    ngx_pool_t          *pool;
    u_char              *start;
    u_char              *pos;
    u_char              *end;
} ngx_scale_json_arena_t;

ngx_int_t ngx_scale_json_arena_init(ngx_scale_json_arena_t *arena,
    ngx_pool_t *pool, size_t body);
void ngx_scale_json_arena_done(ngx_scale_json_arena_t *arena);


#endif /* _NGX_SCALE_JSON_INT_H_INCLUDED_ */
