
/*
 * Keeps the lease of a ring that is a database's: one worker of the node does.
 */

#ifndef _NGX_SCALE_KEEPER_H_INCLUDED_
#define _NGX_SCALE_KEEPER_H_INCLUDED_


#include "ngx_scale_conf.h"


/* ngx_scale_keeper_conf.c: at the end of http{} */
char *ngx_scale_keeper_conf(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_cache_store_t *store);

/* logs, once, what makes the table have the servers of nginx.conf */
void ngx_scale_keeper_compare(ngx_scale_cache_store_t *store,
    ngx_scale_view_t *view, ngx_log_t *log);


/* in a worker; NULL: memory */
ngx_scale_keeper_t *ngx_scale_keeper_create(ngx_cycle_t *cycle,
    ngx_scale_cache_store_t *store, uint64_t node);
void ngx_scale_keeper_destroy(ngx_scale_keeper_t *keeper);


#endif /* _NGX_SCALE_KEEPER_H_INCLUDED_ */
