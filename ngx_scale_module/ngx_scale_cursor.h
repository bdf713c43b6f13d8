
/*
 * Where a page of a list ends: the values of its last row's columns of the
 * order, signed for one route, in base64url (RFC 4648, section 5).
 */

#ifndef _NGX_SCALE_CURSOR_H_INCLUDED_
#define _NGX_SCALE_CURSOR_H_INCLUDED_


#include "ngx_scale_conf.h"


/* NGX_DECLINED: a column is missing or null, and "column" is which */
ngx_int_t ngx_scale_cursor_make(ngx_pool_t *pool, ngx_scale_page_t *page,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *cursor,
    ngx_str_t **column);

/* as many values as the keyset has; NGX_DECLINED: not ours, or changed */
ngx_int_t ngx_scale_cursor_read(ngx_pool_t *pool, ngx_scale_page_t *page,
    ngx_str_t *cursor, ngx_str_t *values);


#endif /* _NGX_SCALE_CURSOR_H_INCLUDED_ */
