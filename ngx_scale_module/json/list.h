
/*
 * A list on its way out: the columns that are shown, and where it stands.
 */

#ifndef _NGX_SCALE_LIST_H_INCLUDED_
#define _NGX_SCALE_LIST_H_INCLUDED_


#include "json/json.h"
#include "json/value.h"


/* around a result, and what a few escapes add to it before it must grow */

#define NGX_SCALE_JSON_SLACK  64


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

/* begins with an empty list of the columns shown; NGX_ERROR: memory */
ngx_int_t ngx_scale_json_columns(ngx_scale_json_list_t *list,
    ngx_pool_t *pool, ngx_scale_rows_t *rows);

ngx_int_t ngx_scale_json_csv_header(ngx_scale_json_list_t *list);
ngx_int_t ngx_scale_json_csv_line(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t row);


#endif /* _NGX_SCALE_LIST_H_INCLUDED_ */
