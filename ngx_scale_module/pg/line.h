
/*
 * What waits.  Nothing is sent when it is submitted, but once per turn of the
 * event loop, by the pump.
 */

#ifndef _NGX_SCALE_LINE_H_INCLUDED_
#define _NGX_SCALE_LINE_H_INCLUDED_


#include "pg/cluster.h"


/* line.c */

/* the pump runs at the end of this turn of the event loop */
void ngx_scale_pg_post(ngx_scale_pg_t *pg);

/* the line that an operation belongs to now */
ngx_uint_t ngx_scale_pg_line(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op);

/* from where it was to the end of a line, or "first"; nothing is posted */
void ngx_scale_pg_enqueue(ngx_scale_pg_op_t *op, ngx_uint_t line,
    ngx_uint_t first);

/* the first of a line, which leaves it; NULL: there is none */
ngx_scale_pg_op_t *ngx_scale_pg_dequeue(ngx_scale_pg_t *pg, ngx_uint_t line);

/* from the start, before those that have not waited yet */
void ngx_scale_pg_requeue(ngx_scale_pg_op_t *op);

/* who can answer has changed: each read goes where it belongs now */
void ngx_scale_pg_reroute(ngx_scale_pg_t *pg);


/* pump.c */

/* its events, and what retries it begins with */
void ngx_scale_pg_pump_init(ngx_scale_pg_t *pg);


#endif /* _NGX_SCALE_LINE_H_INCLUDED_ */
