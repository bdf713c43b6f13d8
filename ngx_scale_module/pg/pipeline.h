
/*
 * What goes out.  Nothing here fails in a caller's hands: where libpq refuses,
 * the connection is broken, and its operations are lost with it.
 */

#ifndef _NGX_SCALE_PIPELINE_H_INCLUDED_
#define _NGX_SCALE_PIPELINE_H_INCLUDED_


#include "pg/conn.h"


/* pipeline.c */

/* NULL: there is no room, and the connection is broken */
ngx_scale_pg_slot_t *ngx_scale_pg_push(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_e type, ngx_scale_pg_op_t *op);

/* one that is not prepared, and takes no parameters */
void ngx_scale_pg_command(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, const char *command);

/* prepares it before, where this session has not; "call" counts in a CALL */
void ngx_scale_pg_execute(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_uint_t call,
    ngx_scale_pg_statement_t *statement, const char **values);
void ngx_scale_pg_send_own(ngx_scale_pg_conn_t *conn, ngx_scale_pg_slot_e type,
    ngx_scale_pg_op_t *op, ngx_scale_pg_own_e own, const char **values);

/* the slot has failed with "result", or NULL: with what is before it */
void ngx_scale_pg_unprepare(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_slot_t *slot, PGresult *result);

/* a batch's Sync, or with "last" the one that ends an operation */
void ngx_scale_pg_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_uint_t last);


/* transaction.c */

/* BEGIN, the settings, and what is first */
void ngx_scale_pg_begin(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);

/* what is last, COMMIT and a Sync */
void ngx_scale_pg_complete(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);

/* COMMIT or ROLLBACK and a Sync; "op" may be NULL */
void ngx_scale_pg_end(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    const char *command);

/* the Sync that ends an operation, and before it where a write ended */
void ngx_scale_pg_last_sync(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);


/* send.c */

/* the first of a session */
void ngx_scale_pg_setup(ngx_scale_pg_conn_t *conn);

/* the caller has seen that there is room; flushed by the pump */
void ngx_scale_pg_send(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op);

/* NGX_DECLINED: its control connection cannot take it now */
ngx_int_t ngx_scale_pg_control(ngx_scale_pg_server_t *server,
    ngx_scale_pg_op_t *op);


#endif /* _NGX_SCALE_PIPELINE_H_INCLUDED_ */
