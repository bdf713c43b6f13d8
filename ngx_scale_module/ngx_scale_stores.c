
/* what databases and caches have in common: open, follow, close */

#include "ngx_scale_stores.h"
#include "ngx_scale_keeper.h"
#include "ngx_scale_login.h"
#include "ngx_scale_queue.h"


static char *ngx_scale_stores_share(ngx_conf_t *cf,
    ngx_scale_database_t *database, ngx_uint_t workers);
static ngx_int_t ngx_scale_stores_open_clusters(ngx_cycle_t *cycle,
    ngx_scale_main_conf_t *main, ngx_array_t *clusters);
static void ngx_scale_stores_close_clusters(ngx_array_t *clusters);
static ngx_int_t ngx_scale_stores_follow_database(ngx_scale_main_conf_t *main,
    ngx_cycle_t *cycle, ngx_scale_pg_conf_t *conf, ngx_scale_pg_t *pg);
static void ngx_scale_stores_database_moved(void *data, ngx_uint_t index,
    ngx_addr_t *addrs, ngx_uint_t n, ngx_uint_t fresh);
static ngx_int_t ngx_scale_stores_follow_cache(ngx_scale_main_conf_t *main,
    ngx_cycle_t *cycle, ngx_scale_cache_store_t *store);
static void ngx_scale_stores_cache_moved(void *data, ngx_uint_t index,
    ngx_addr_t *addrs, ngx_uint_t n, ngx_uint_t fresh);


#define NGX_SCALE_CONNECTIONS  16


char *
ngx_scale_stores_init(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    char                      *rv;
    ngx_int_t                  workers;
    ngx_uint_t                 i;
    ngx_core_conf_t           *ccf;
    ngx_scale_database_t     **database;
    ngx_scale_cache_store_t  **store;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);
    workers = ngx_max(ccf->worker_processes, 1);
    database = main->databases.elts;

    if (ngx_scale_names_init(cf, &main->names) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < main->databases.nelts; i++) {
        rv = ngx_scale_stores_share(cf, database[i], workers);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        if (ngx_scale_keeper_conf(cf, main, store[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_scale_session_init(cf, main) != NGX_CONF_OK
        || ngx_scale_queue_init(cf, main) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (main->caches.nelts == 0 && main->databases.nelts == 0) {
        return NGX_CONF_OK;
    }

    /* the zones are made in this order, and the caches join with their tiers */

    if (ngx_scale_local_add_zones(cf, main) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_scale_zone_add(cf, main);
}


/* a connection of each class for each worker, and by default some more */

static char *
ngx_scale_stores_share(ngx_conf_t *cf, ngx_scale_database_t *database,
    ngx_uint_t workers)
{
    ngx_uint_t            i, least;
    ngx_scale_cluster_t  *cluster;

    least = workers * NGX_SCALE_PG_MIN_CONNECTIONS;

    ngx_conf_init_uint_value(database->conf.connections,
                             ngx_max(NGX_SCALE_CONNECTIONS, least));

    if (database->conf.connections < least) {
        ngx_scale_conf_error(cf, &database->place,
                             "\"connections %ui\" of database \"%V\" are too "
                             "few for %ui workers, which need %d each; write "
                             "at least %ui, or fewer worker_processes",
                             database->conf.connections,
                             &database->conf.name, workers,
                             NGX_SCALE_PG_MIN_CONNECTIONS, least);
        return NGX_CONF_ERROR;
    }

    cluster = database->clusters.elts;

    for (i = 0; i < database->clusters.nelts; i++) {
        cluster[i].conf.connections = database->conf.connections;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_scale_stores_open(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main)
{
    ngx_uint_t                 i;
    ngx_scale_database_t     **database;
    ngx_scale_cache_store_t  **store;

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if (ngx_scale_stores_open_clusters(cycle, main,
                                           &database[i]->clusters)
            != NGX_OK
            || ngx_scale_epoch_watch(cycle->pool, main, database[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        store[i]->cache = ngx_scale_cache_create(cycle->pool, &store[i]->conf,
                                                 store[i]->record, cycle->log);
        if (store[i]->cache == NULL
            || ngx_scale_stores_follow_cache(main, cycle, store[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (store[i]->database == NULL) {
            continue;
        }

        store[i]->keeper = ngx_scale_keeper_create(cycle, store[i],
                                                   main->node);
        if (store[i]->keeper == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_scale_names_open(&main->names, cycle);

    return ngx_scale_queue_open(cycle, main);
}


static ngx_int_t
ngx_scale_stores_follow_database(ngx_scale_main_conf_t *main,
    ngx_cycle_t *cycle, ngx_scale_pg_conf_t *conf, ngx_scale_pg_t *pg)
{
    ngx_uint_t                   i;
    ngx_scale_pg_server_conf_t  *server;

    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {
        if (server[i].addr
            && ngx_scale_names_follow(&main->names, cycle, server[i].addr,
                                      ngx_scale_stores_database_moved, pg, i)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_stores_open_clusters(ngx_cycle_t *cycle,
    ngx_scale_main_conf_t *main, ngx_array_t *clusters)
{
    ngx_uint_t            i;
    ngx_scale_cluster_t  *cluster;

    cluster = clusters->elts;

    for (i = 0; i < clusters->nelts; i++) {
        cluster[i].pg = ngx_scale_pg_create(cycle->pool, &cluster[i].conf,
                                            &cluster[i].shared, cycle->log);
        if (cluster[i].pg == NULL
            || ngx_scale_stores_follow_database(main, cycle, &cluster[i].conf,
                                                cluster[i].pg)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_scale_stores_database_moved(void *data, ngx_uint_t index, ngx_addr_t *addrs,
    ngx_uint_t n, ngx_uint_t fresh)
{
    ngx_scale_pg_address(data, index, addrs, n);
}


static ngx_int_t
ngx_scale_stores_follow_cache(ngx_scale_main_conf_t *main, ngx_cycle_t *cycle,
    ngx_scale_cache_store_t *store)
{
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *server;

    server = store->conf.servers.elts;

    for (i = 0; i < store->conf.servers.nelts; i++) {
        if (ngx_scale_names_follow(&main->names, cycle, server[i].addr,
                                   ngx_scale_stores_cache_moved, store->cache,
                                   i)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_scale_stores_close_clusters(ngx_array_t *clusters)
{
    ngx_uint_t            i;
    ngx_scale_cluster_t  *cluster;

    cluster = clusters->elts;

    for (i = 0; i < clusters->nelts; i++) {
        if (cluster[i].pg) {
            ngx_scale_pg_destroy(cluster[i].pg);
        }
    }
}


static void
ngx_scale_stores_cache_moved(void *data, ngx_uint_t index, ngx_addr_t *addrs,
    ngx_uint_t n, ngx_uint_t fresh)
{
    ngx_scale_cache_address(data, index, addrs, n, fresh);
}


void
ngx_scale_stores_close(ngx_scale_main_conf_t *main)
{
    ngx_uint_t                 i;
    ngx_scale_database_t     **database;
    ngx_scale_cache_store_t  **store;

    ngx_scale_names_close(&main->names);
    ngx_scale_queue_close(main);

    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        if (store[i]->keeper) {
            ngx_scale_keeper_destroy(store[i]->keeper);
        }
    }

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        ngx_scale_stores_close_clusters(&database[i]->clusters);
    }

    for (i = 0; i < main->caches.nelts; i++) {
        if (store[i]->cache) {
            ngx_scale_cache_destroy(store[i]->cache);
        }
    }
}
