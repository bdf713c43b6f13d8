
/*
 * What comes back.  What is called here may end in an operation's done(), or
 * look(): the operation may be gone afterwards.
 */

#ifndef _NGX_SCALE_OUTCOME_H_INCLUDED_
#define _NGX_SCALE_OUTCOME_H_INCLUDED_


#include "pg/conn.h"


/* receive.c */

void ngx_scale_pg_receive(ngx_scale_pg_conn_t *conn);


/* outcome.c */

/* the server's last word on an operation was heard: retry, or done() */
void ngx_scale_pg_finish(ngx_scale_pg_op_t *op);

/* its connection was lost: retry, done(), or nobody will know */
void ngx_scale_pg_lost(ngx_scale_pg_op_t *op);

/* does what its server says still count?  0: it went elsewhere, or is done */
ngx_uint_t ngx_scale_pg_stands(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);


/* stream.c */

/* the head is next, and nothing of its result was looked at */
void ngx_scale_pg_by_row(ngx_scale_pg_conn_t *conn);

/* one row of the head's result, which may go elsewhere then */
void ngx_scale_pg_row(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_t *slot,
    PGresult *result);

/* the socket was read, and the head's result goes on */
void ngx_scale_pg_goes_on(ngx_scale_pg_conn_t *conn);

/* the head's result has ended */
void ngx_scale_pg_ended(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);

/* nothing came for too long: 1, if the statement is cancelled for it */
ngx_uint_t ngx_scale_pg_overdue(ngx_scale_pg_conn_t *conn);


/* cancel.c */

/* its connection is no longer its own; a read that runs there is cancelled */
void ngx_scale_pg_detach(ngx_scale_pg_op_t *op);

/* NGX_DECLINED: nobody can be asked to cancel what runs */
ngx_int_t ngx_scale_pg_interrupt(ngx_scale_pg_conn_t *conn);


/* index.c */

void ngx_scale_pg_index_init(ngx_scale_pg_t *pg);

/* asks for the read-index where somebody waits and nobody has asked */
void ngx_scale_pg_index(ngx_scale_pg_t *pg);

/* a replica has not what the read must see: later, or on the primary */
void ngx_scale_pg_behind(ngx_scale_pg_server_t *server,
    ngx_scale_pg_op_t *op);


#endif /* _NGX_SCALE_OUTCOME_H_INCLUDED_ */
