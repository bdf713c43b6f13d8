
/* scale_zone: what the workers of this node share */

#include "ngx_scale_stores.h"


/* what the slab pool's "data" points to */

typedef struct {
    ngx_scale_zone_t        cache;
    ngx_scale_pg_zone_t    *pg;
    ngx_scale_counters_t    counters;
    void                   *limits;
} ngx_scale_zone_roots_t;


static ngx_int_t ngx_scale_zone_init(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_scale_zone_join_databases(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots);
static ngx_int_t ngx_scale_zone_join_clusters(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots, ngx_array_t *clusters);
static ngx_int_t ngx_scale_zone_join_caches(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots);
static ngx_int_t ngx_scale_zone_join_limits(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots);


#define NGX_SCALE_ZONE_SIZE    (8 * 1024 * 1024)

/* the part of it that the keys of scale_limit have */
#define NGX_SCALE_ZONE_LIMITS  8


char *
ngx_scale_zone_add(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_str_t  name;

    ngx_str_set(&name, "ngx_scale");

    if (main->zone_size == 0) {
        main->zone_size = NGX_SCALE_ZONE_SIZE;
    }

    if (ngx_scale_zone_keep_size(cf, &name, main->zone_size, "scale_zone")
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    main->zone = ngx_shared_memory_add(cf, &name, main->zone_size,
                                       &ngx_scale_module);
    if (main->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    main->zone->init = ngx_scale_zone_init;
    main->zone->data = main;

    return NGX_CONF_OK;
}


/* old workers would go on with the old zone, and not see the new one's keys */

ngx_int_t
ngx_scale_zone_keep_size(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    const char *directive)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    if (ngx_is_init_cycle(cf->cycle->old_cycle)) {
        return NGX_OK;
    }

    part = &cf->cycle->old_cycle->shared_memory.part;
    zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            zone = part->elts;
            i = 0;
        }

        if (ngx_scale_same(&zone[i].shm.name, name)
            && zone[i].shm.size != size)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s cannot change its size by a reload; "
                               "restart nginx", directive);
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_scale_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t         *pool;
    ngx_scale_zone_roots_t  *roots;

    pool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    roots = pool->data;

    if (roots == NULL) {
        roots = ngx_slab_calloc(pool, sizeof(ngx_scale_zone_roots_t));
        if (roots == NULL) {
            return NGX_ERROR;
        }

        roots->cache.node = ngx_scale_zone_random() >> 2;
        roots->pg = ngx_scale_pg_zone_create(pool);
        if (roots->pg == NULL) {
            return NGX_ERROR;
        }

        pool->data = roots;
    }

    ((ngx_scale_main_conf_t *) shm_zone->data)->counters = &roots->counters;

    if (ngx_scale_zone_join_databases(shm_zone, roots) != NGX_OK
        || ngx_scale_zone_join_limits(shm_zone, roots) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_zone_join_caches(shm_zone, roots);
}


static ngx_int_t
ngx_scale_zone_join_databases(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots)
{
    ngx_uint_t               i;
    ngx_scale_main_conf_t   *main;
    ngx_scale_database_t   **database;

    main = shm_zone->data;
    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if (ngx_scale_zone_join_clusters(shm_zone, roots,
                                         &database[i]->clusters)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_zone_join_clusters(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots, ngx_array_t *clusters)
{
    ngx_uint_t            i;
    ngx_scale_cluster_t  *cluster;

    cluster = clusters->elts;

    for (i = 0; i < clusters->nelts; i++) {
        if (ngx_scale_pg_zone_join(roots->pg, clusters->pool,
                                   &cluster[i].conf, &cluster[i].shared)
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "no room for database \"%V\" in scale_zone; make "
                          "it larger and restart nginx",
                          &cluster[i].conf.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_zone_join_caches(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots)
{
    ngx_uint_t                 i;
    ngx_scale_main_conf_t     *main;
    ngx_scale_cache_store_t  **store;

    main = shm_zone->data;
    main->node = roots->cache.node;
    store = main->caches.elts;

    for (i = 0; i < main->caches.nelts; i++) {
        store[i]->record = ngx_scale_cache_join(&roots->cache,
                               (ngx_slab_pool_t *) shm_zone->shm.addr,
                               &store[i]->conf);

        if (store[i]->record == NULL) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "no room for cache \"%V\" in scale_zone; make it "
                          "larger and restart nginx", &store[i]->conf.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a first scale_limit may come with a reload; the table then stays */

static ngx_int_t
ngx_scale_zone_join_limits(ngx_shm_zone_t *shm_zone,
    ngx_scale_zone_roots_t *roots)
{
    size_t                  size;
    ngx_scale_main_conf_t  *main;

    main = shm_zone->data;

    if (main->limits.nelts == 0) {
        return NGX_OK;
    }

    if (roots->limits == NULL) {
        size = shm_zone->shm.size / NGX_SCALE_ZONE_LIMITS;

        roots->limits = ngx_slab_alloc((ngx_slab_pool_t *)
                                       shm_zone->shm.addr, size);

        if (roots->limits == NULL
            || ngx_scale_limit_format(roots->limits, size) != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "no room for the keys of scale_limit in scale_zone; "
                          "make it larger and restart nginx");
            return NGX_ERROR;
        }
    }

    main->limit_table = roots->limits;

    return NGX_OK;
}
