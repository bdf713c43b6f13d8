
/* Which connection takes an operation, and how many there are. */

#ifndef _NGX_SCALE_POOL_H_INCLUDED_
#define _NGX_SCALE_POOL_H_INCLUDED_


#include "pg/cluster.h"


/* choice.c; "line" is one that is served */

/* NULL: nobody has room */
ngx_scale_pg_conn_t *ngx_scale_pg_choose(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op);

/* can any server take it at all, now? */
ngx_uint_t ngx_scale_pg_is_served(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op);

/* no replica can: it waits for the primary then */
ngx_uint_t ngx_scale_pg_gives_up(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op);

/* one more connection for a line, where none is opening already */
void ngx_scale_pg_grow(ngx_scale_pg_t *pg, ngx_uint_t line);


/* pool.c */

/* operations in flight */
ngx_uint_t ngx_scale_pg_load(ngx_scale_pg_server_t *server);

/* NULL: none has room */
ngx_scale_pg_conn_t *ngx_scale_pg_least_busy(ngx_scale_pg_server_t *server,
    ngx_uint_t class, ngx_scale_pg_op_t *op);

void ngx_scale_pg_grow_server(ngx_scale_pg_server_t *server, ngx_uint_t class);

/* closes what is idle, old, or wanted by another worker */
void ngx_scale_pg_reap(ngx_scale_pg_server_t *server);

/* the server has lost its role: no more work, and closed when that is done */
void ngx_scale_pg_retire(ngx_scale_pg_server_t *server, ngx_uint_t class);


#endif /* _NGX_SCALE_POOL_H_INCLUDED_ */
