
/*
 * An operation by itself.  The struct is the caller's, of pg.h: what is private
 * there is changed in op.c, line.c, and by who sends and receives it.
 */

#ifndef _NGX_SCALE_OP_H_INCLUDED_
#define _NGX_SCALE_OP_H_INCLUDED_


#include <libpq-fe.h>
#include "pg/pg.h"


/* where an operation is: only ngx_scale_pg_place() moves it */

typedef enum {
    NGX_SCALE_PG_NOWHERE = 0,
    NGX_SCALE_PG_WAITING,                  /* in a line */
    NGX_SCALE_PG_SENT,                     /* in slots of its connection */
    NGX_SCALE_PG_LOOKING                   /* its caller has the next word */
} ngx_scale_pg_stage_e;


/*
 * Takes it from where it was.  SENT and LOOKING are of its "conn"; to wait
 * there is ngx_scale_pg_enqueue().
 */
void ngx_scale_pg_place(ngx_scale_pg_op_t *op, ngx_scale_pg_stage_e stage);

/* forgets what an attempt has brought */
void ngx_scale_pg_reset(ngx_scale_pg_op_t *op);

/* a read-only transaction does not */
ngx_uint_t ngx_scale_pg_writes(ngx_scale_pg_op_t *op);

/* may it have changed something, as far as is known?  only of what was sent */
ngx_uint_t ngx_scale_pg_may_last(ngx_scale_pg_op_t *op);

/* both own the result from then on; of errors the first is kept */
void ngx_scale_pg_rows(ngx_scale_pg_op_t *op, ngx_scale_pg_call_t *call,
    PGresult *result);
void ngx_scale_pg_fail(ngx_scale_pg_op_t *op, PGresult *result);


#endif /* _NGX_SCALE_OP_H_INCLUDED_ */
