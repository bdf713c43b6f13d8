
/* writes: mark, run, look, commit, unmark, acknowledge */

#ifndef _NGX_SCALE_WRITE_H_INCLUDED_
#define _NGX_SCALE_WRITE_H_INCLUDED_


#include "ngx_scale_flow.h"


/* ngx_scale_write.c: steps */

ngx_int_t ngx_scale_write_mark(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_write_query(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_write_expire(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_write_unmark(ngx_scale_flow_t *f);
void ngx_scale_write_release(ngx_scale_flow_t *f);


/*
 * ngx_scale_purge.c: what a write makes old is added to f->write: by the
 * request's parameters, and by the rows of f->op before COMMIT.  What is wrong
 * with the rows is logged, and NGX_ERROR.
 */

ngx_int_t ngx_scale_purge_named(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_purge_returned(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_WRITE_H_INCLUDED_ */
