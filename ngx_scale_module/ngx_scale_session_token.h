
/* the cookie that came with a request, and the one of its answer */

#ifndef _NGX_SCALE_SESSION_TOKEN_H_INCLUDED_
#define _NGX_SCALE_SESSION_TOKEN_H_INCLUDED_


#include "ngx_scale_login.h"


/* s->sent, and s->came if it is "known"; NGX_ERROR: memory */
ngx_int_t ngx_scale_session_find(ngx_scale_session_t *s);

/* a page of another origin may have made the request */
ngx_uint_t ngx_scale_session_is_forged(ngx_scale_session_t *s);

/* s->made, a new one of this user */
ngx_int_t ngx_scale_session_make(ngx_scale_session_t *s, ngx_str_t *user);

/* the answer brings it, signed by the first secret; NULL: takes it away */
ngx_int_t ngx_scale_session_set(ngx_scale_session_t *s,
    ngx_scale_session_ticket_t *ticket, time_t max_age);


#endif /* _NGX_SCALE_SESSION_TOKEN_H_INCLUDED_ */
