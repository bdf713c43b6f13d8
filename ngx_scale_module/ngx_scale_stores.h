
/*
 * What the databases and caches need of the node and of each worker.  Where
 * char * or ngx_int_t is returned, an error was logged.
 */

#ifndef _NGX_SCALE_STORES_H_INCLUDED_
#define _NGX_SCALE_STORES_H_INCLUDED_


#include "ngx_scale_conf.h"


/* ngx_scale_stores.c: at the end of http{}, then in each worker */

char *ngx_scale_stores_init(ngx_conf_t *cf, ngx_scale_main_conf_t *main);
ngx_int_t ngx_scale_stores_open(ngx_cycle_t *cycle,
    ngx_scale_main_conf_t *main);
void ngx_scale_stores_close(ngx_scale_main_conf_t *main);


/* ngx_scale_zone.c: the node's memory, where they all have their parts */

char *ngx_scale_zone_add(ngx_conf_t *cf, ngx_scale_main_conf_t *main);

/* the zone of that name, if there is one, has that size: else an error */
ngx_int_t ngx_scale_zone_keep_size(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, const char *directive);

/* ngx_scale_local.c: before scale_zone's own, which joins the tiers */
char *ngx_scale_local_add_zones(ngx_conf_t *cf, ngx_scale_main_conf_t *main);

/* ngx_scale_counters.c: of that memory, as variables */
ngx_int_t ngx_scale_counters_add_variables(ngx_conf_t *cf);


/*
 * ngx_scale_epoch.c: after a failover a cache may hold values of writes that
 * the new primary has never seen; what it holds of that database becomes
 * unreachable.
 */
ngx_int_t ngx_scale_epoch_watch(ngx_pool_t *pool, ngx_scale_main_conf_t *main,
    ngx_scale_database_t *database);


#endif /* _NGX_SCALE_STORES_H_INCLUDED_ */
