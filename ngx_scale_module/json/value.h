
/*
 * The types of PostgreSQL, and their values in JSON.
 */

#ifndef _NGX_SCALE_VALUE_H_INCLUDED_
#define _NGX_SCALE_VALUE_H_INCLUDED_


#include "json/out.h"


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


#endif /* _NGX_SCALE_VALUE_H_INCLUDED_ */
