
/*
 * A write whose body is an array: its statements run once for each element, in
 * one transaction.  f->values has the elements' lists one after the other, and
 * the results of f->op are in the same order.
 */

#ifndef _NGX_SCALE_BATCH_H_INCLUDED_
#define _NGX_SCALE_BATCH_H_INCLUDED_


#include "ngx_scale_flow.h"


/* as ngx_scale_rows_empty(); f->problem names the element */
ngx_uint_t ngx_scale_batch_empty(ngx_scale_flow_t *f);

/* as ngx_scale_rows_answer(): an array of what each element answers */
ngx_int_t ngx_scale_batch_answer(ngx_scale_flow_t *f);

/* the call that failed is one of an element */
void ngx_scale_batch_failed(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_BATCH_H_INCLUDED_ */
