
/* the block scale_database, its "server" lines, and its inner block shard */

#ifndef _NGX_SCALE_DATABASE_H_INCLUDED_
#define _NGX_SCALE_DATABASE_H_INCLUDED_


#include "ngx_scale_conf.h"
#include "ngx_scale_block.h"


#define NGX_SCALE_DATABASE_MAX_SHARDS  64


/* adds to the ngx_scale_pg_conf_t that is the first part of "block" */
char *ngx_scale_database_server(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);

/* "block" is the ngx_scale_database_t */
char *ngx_scale_database_shard(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
char *ngx_scale_database_frozen(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);

/* when the block was read: what its clusters are, and who holds what */
char *ngx_scale_database_clusters(ngx_conf_t *cf,
    ngx_scale_database_t *database);


#endif /* _NGX_SCALE_DATABASE_H_INCLUDED_ */
