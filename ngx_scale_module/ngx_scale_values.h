
/* what a request gives: parameters, and the keys made of them */

#ifndef _NGX_SCALE_VALUES_H_INCLUDED_
#define _NGX_SCALE_VALUES_H_INCLUDED_


#include "ngx_scale_flow.h"


/* ngx_scale_values.c: a step; f->values, or all that is wrong with them */
ngx_int_t ngx_scale_values_step(ngx_scale_flow_t *f);


/*
 * ngx_scale_values_text.c: what the request brings of a parameter that is none
 * of a JSON document.  NGX_DECLINED: nothing; NGX_BUSY: more than once;
 * NGX_ABORT: it is malformed; NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_values_text(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text);

/* how, for the client: static text */
const char *ngx_scale_values_malformed(ngx_scale_declared_t *declared);


/*
 * ngx_scale_keys.c: into the request's pool.  "rows" may be NULL where no part
 * is a column; a value of them that is NULL makes NULL's part of the key.
 */

/* a key or tag */
ngx_int_t ngx_scale_keys_make(ngx_scale_flow_t *f, ngx_scale_key_t *made,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key);

/* the key of another route's entry, as a purge names it */
ngx_int_t ngx_scale_keys_purge(ngx_scale_flow_t *f, ngx_scale_purge_t *purge,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key);

/* the rows have the columns that the parts name, if they name any */
ngx_uint_t ngx_scale_keys_returned(ngx_array_t *parts, ngx_scale_rows_t *rows);


#endif /* _NGX_SCALE_VALUES_H_INCLUDED_ */
