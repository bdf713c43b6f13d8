
/* a failover of the database begins a new epoch of its caches */

#include "ngx_scale_stores.h"


static void ngx_scale_epoch_begin(void *data);


ngx_int_t
ngx_scale_epoch_watch(ngx_pool_t *pool, ngx_scale_main_conf_t *main,
    ngx_scale_database_t *database)
{
    ngx_uint_t                 i, j;
    ngx_scale_cluster_t       *cluster;
    ngx_scale_loc_conf_t     **route;
    ngx_scale_cache_store_t  **store;

    if (ngx_array_init(&database->stores, pool, 1,
                       sizeof(ngx_scale_cache_store_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    route = main->routes.elts;

    for (i = 0; i < main->routes.nelts; i++) {

        if (route[i]->database != database || route[i]->store == NULL) {
            continue;
        }

        store = database->stores.elts;

        for (j = 0; j < database->stores.nelts; j++) {
            if (store[j] == route[i]->store) {
                break;
            }
        }

        if (j < database->stores.nelts) {
            continue;
        }

        store = ngx_array_push(&database->stores);
        if (store == NULL) {
            return NGX_ERROR;
        }

        *store = route[i]->store;
    }

    cluster = database->clusters.elts;

    for (i = 0; i < database->clusters.nelts; i++) {
        ngx_scale_pg_on_promotion(cluster[i].pg, ngx_scale_epoch_begin,
                                  database);
    }

    return NGX_OK;
}


static void
ngx_scale_epoch_begin(void *data)
{
    ngx_scale_database_t  *database = data;

    ngx_uint_t                 i;
    ngx_scale_cache_store_t  **store;

    store = database->stores.elts;

    for (i = 0; i < database->stores.nelts; i++) {

        /* its own ring's table sees that by itself */

        if (store[i]->database == database) {
            continue;
        }

        ngx_scale_zone_renew(store[i]->record);

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "cache \"%V\" begins anew: database \"%V\" has failed "
                      "over", &store[i]->conf.name, &database->conf.name);
    }
}
