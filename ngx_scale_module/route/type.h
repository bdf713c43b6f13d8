
/*
 * The types of parameters.  A codec reads one value, not null and not an
 * array, and sets both spellings; "text" ends with a NUL that is not counted,
 * for libpq takes C strings.  It returns NGX_OK, NGX_DECLINED with "reason",
 * or NGX_ERROR when memory is out.
 */

#ifndef _NGX_SCALE_TYPE_H_INCLUDED_
#define _NGX_SCALE_TYPE_H_INCLUDED_


#include "route/route.h"


typedef ngx_int_t (*ngx_scale_codec_pt)(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);


typedef struct {
    ngx_str_t             name;
    ngx_scale_codec_pt    codec;

    /* of canonical texts; NULL where min= and max= mean nothing */
    ngx_int_t           (*compare)(ngx_str_t *a, ngx_str_t *b);

    /* of the text; NULL where len= means nothing */
    size_t              (*length)(ngx_str_t *text);

    unsigned              pattern:1;
    unsigned              array:1;
} ngx_scale_type_t;


/* by ngx_scale_type_e */
extern ngx_scale_type_t  ngx_scale_types[];


/* one value or one element: codec and limits */
ngx_int_t ngx_scale_type_value(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, const char **reason);

/* all of its elements, NULLs among them */
ngx_int_t ngx_scale_array_value(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, const char **reason);


/* number.c, of decimal.c */

ngx_int_t ngx_scale_number_int(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
ngx_int_t ngx_scale_number_bigint(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
ngx_int_t ngx_scale_number_numeric(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
ngx_int_t ngx_scale_number_float8(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);

ngx_int_t ngx_scale_number_compare_float8(ngx_str_t *a, ngx_str_t *b);


/* time.c */

ngx_int_t ngx_scale_time_date(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
ngx_int_t ngx_scale_time_timestamptz(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);

ngx_int_t ngx_scale_time_compare_date(ngx_str_t *a, ngx_str_t *b);
ngx_int_t ngx_scale_time_compare(ngx_str_t *a, ngx_str_t *b);


/* text.c; a length is in characters */

ngx_int_t ngx_scale_text_read(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
ngx_int_t ngx_scale_text_json(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);

size_t ngx_scale_text_length(ngx_str_t *text);


/* bytea.c; a length is in bytes */

ngx_int_t ngx_scale_bytea_read(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);

size_t ngx_scale_bytea_length(ngx_str_t *text);


/* a string, of JSON or from outside of it */
#define ngx_scale_raw_is_text(raw)                                            \
    ((raw)->kind == NGX_SCALE_RAW_TEXT || (raw)->kind == NGX_SCALE_RAW_STRING)


/* both spellings become the text, copied with a NUL after it */
ngx_int_t ngx_scale_value_set(ngx_pool_t *pool, ngx_scale_value_t *value,
    u_char *data, size_t len);


#endif /* _NGX_SCALE_TYPE_H_INCLUDED_ */
