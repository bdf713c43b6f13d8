
/* the table of sessions, where there is one */

#ifndef _NGX_SCALE_SESSION_TABLE_H_INCLUDED_
#define _NGX_SCALE_SESSION_TABLE_H_INCLUDED_


#include "ngx_scale_login.h"


/* a call with the values of s->args, which it points to */
void ngx_scale_session_table_bind(ngx_scale_session_t *s,
    ngx_scale_pg_call_t *call, ngx_scale_session_call_e number);

/*
 * The same in an operation of its own, s->op.  done() is told NGX_OK, or that
 * the flow was refused; not before this has returned.
 */
void ngx_scale_session_table_ask(ngx_scale_session_t *s,
    ngx_scale_session_call_e number,
    void (*done)(ngx_scale_session_t *s, ngx_int_t rc));

/* the deadline, while it is under way; NGX_DECLINED */
ngx_int_t ngx_scale_session_table_expire(ngx_scale_session_t *s);
void ngx_scale_session_table_release(ngx_scale_session_t *s);

/* the session that came was used, which nobody waits for */
void ngx_scale_session_table_see(ngx_scale_session_t *s);

/* the worker ends */
void ngx_scale_session_table_close(ngx_scale_main_conf_t *main);


#endif /* _NGX_SCALE_SESSION_TABLE_H_INCLUDED_ */
