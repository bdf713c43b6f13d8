
/*
 * What is written: one piece of memory, replaced by one of at least twice the
 * size when it is short.  Only what was reserved may be written.
 */

#ifndef _NGX_SCALE_OUT_H_INCLUDED_
#define _NGX_SCALE_OUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


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


#endif /* _NGX_SCALE_OUT_H_INCLUDED_ */
