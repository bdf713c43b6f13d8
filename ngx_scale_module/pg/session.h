
/* How a connection begins, is served, and ends. */

#ifndef _NGX_SCALE_SESSION_H_INCLUDED_
#define _NGX_SCALE_SESSION_H_INCLUDED_


#include "pg/cluster.h"


/* serve.c */

/* closed, and in its pool */
void ngx_scale_pg_conn_init(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_server_t *server, ngx_scale_pg_class_e class);


/* connect.c */

/* NGX_DECLINED: the node's quota has no room, or the address is not known */
ngx_int_t ngx_scale_pg_connect(ngx_scale_pg_conn_t *conn);

/* its settings are made: it takes work */
void ngx_scale_pg_started(ngx_scale_pg_conn_t *conn);


/* close.c */

/*
 * What ngx_scale_pg_break() promises, at once: from the connection's own
 * events, or when a cluster is destroyed.  The pool's lists change, and done()
 * of what was in flight may run.
 */
void ngx_scale_pg_close(ngx_scale_pg_conn_t *conn, const char *reason);

/* of conn->broken */
void ngx_scale_pg_broken_handler(ngx_event_t *ev);


/* notify.c */

/* hands out what has come with what was read */
void ngx_scale_pg_notified(ngx_scale_pg_conn_t *conn);


/* password.c */

void ngx_scale_pg_password_init(ngx_scale_pg_t *pg);

/* of now; NULL: there is none */
const char *ngx_scale_pg_password(ngx_scale_pg_t *pg);


/* wipe.c */

/* libpq has no use for it any more: it is connected, or gives up */
void ngx_scale_pg_forget_password(ngx_scale_pg_conn_t *conn);

/* PQfinish() */
void ngx_scale_pg_finish_session(ngx_scale_pg_conn_t *conn);

/* ngx_scale_pg_execute(), of values that stay in libpq's buffer */
void ngx_scale_pg_execute_secret(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op, ngx_uint_t call);

/* they are overwritten, on connections that rest */
void ngx_scale_pg_cover(ngx_scale_pg_server_t *server);


/* tls.c */

/* something was received that no event tells of */
ngx_uint_t ngx_scale_pg_tls_pending(ngx_scale_pg_conn_t *conn);

/* after what may have failed */
void ngx_scale_pg_tls_clear(void);


#endif /* _NGX_SCALE_SESSION_H_INCLUDED_ */
