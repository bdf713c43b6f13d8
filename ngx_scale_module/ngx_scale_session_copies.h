
/* what of sessions is in memcached, and what it is there */

#ifndef _NGX_SCALE_SESSION_COPIES_H_INCLUDED_
#define _NGX_SCALE_SESSION_COPIES_H_INCLUDED_


#include "ngx_scale_login.h"


/*
 * One of s->session and s->owner, which is not under way, is; "value" may be
 * NULL, and 0 ms are as many as the request has, and enough for what must not
 * be left half done.  The handler has to begin with ngx_scale_session_copied(),
 * which returns what it is of.  NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_session_copies(ngx_scale_session_t *s,
    ngx_scale_copies_t *copies, ngx_scale_copies_verb_e verb, ngx_str_t *key,
    ngx_str_t *value, ngx_msec_t patience,
    void (*handler)(ngx_scale_copies_t *copies));
ngx_scale_session_t *ngx_scale_session_copied(ngx_scale_copies_t *copies);
void ngx_scale_session_copies_release(ngx_scale_session_t *s);

/* s->record as it is kept, a generation that nobody has; NGX_ERROR: memory */
ngx_int_t ngx_scale_session_value(ngx_scale_session_t *s, ngx_str_t *value);
ngx_int_t ngx_scale_session_draw(ngx_scale_session_t *s, ngx_str_t *value);

/* the generation that is there, or now is: s->generation, if "dated" */
void ngx_scale_session_date(ngx_scale_session_t *s,
    ngx_scale_copies_t *copies);


#endif /* _NGX_SCALE_SESSION_COPIES_H_INCLUDED_ */
