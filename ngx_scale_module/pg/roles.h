
/* What a server is, who is the primary, and which replicas may be read. */

#ifndef _NGX_SCALE_ROLES_H_INCLUDED_
#define _NGX_SCALE_ROLES_H_INCLUDED_


#include "pg/cluster.h"


/* server.c */

/* a replica that answers, however far it is */
ngx_uint_t ngx_scale_pg_is_standby(ngx_scale_pg_server_t *server);

/* it is asked at once; something is wrong with a role: all are */
void ngx_scale_pg_hurry(ngx_scale_pg_server_t *server);
void ngx_scale_pg_suspect(ngx_scale_pg_t *pg);

/* an attempt has failed; ms until the next may be made, 0: now */
void ngx_scale_pg_back_off(ngx_scale_pg_server_t *server);
ngx_msec_t ngx_scale_pg_rest(ngx_scale_pg_server_t *server);


/* standing.c */

void ngx_scale_pg_standing_init(ngx_scale_pg_server_t *server);

/* ms until the next sample, or attempt to connect */
ngx_msec_t ngx_scale_pg_standing_ask(ngx_scale_pg_server_t *server);

/* its control connection was; "failed": so has the attempt to open it */
void ngx_scale_pg_standing_lost(ngx_scale_pg_server_t *server,
    ngx_uint_t failed);


/* judge.c */

/* who is the primary, and which replicas qualify */
void ngx_scale_pg_judge(ngx_scale_pg_t *pg);

/* it has refused a write as read-only, or "ended" a session */
void ngx_scale_pg_disown(ngx_scale_pg_server_t *server, ngx_uint_t ended);

/* another worker has met a newer timeline: nothing of this one counts */
ngx_uint_t ngx_scale_pg_is_deposed(ngx_scale_pg_t *pg,
    ngx_scale_pg_position_t *position);


/* replica.c */

/* may it be read?  1: that has changed */
ngx_uint_t ngx_scale_pg_qualify(ngx_scale_pg_server_t *server);

/* where the primary was, and when */
void ngx_scale_pg_mile(ngx_scale_pg_t *pg, ngx_scale_pg_position_t *position,
    ngx_msec_t time);


/* address.c */

void ngx_scale_pg_address_init(ngx_scale_pg_server_t *server);


#endif /* _NGX_SCALE_ROLES_H_INCLUDED_ */
