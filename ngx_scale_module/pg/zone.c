
/* what the workers of a node know together: quotas and reigns, by name */

#include "pg/shared.h"


struct ngx_scale_pg_zone_s {
    ngx_slab_pool_t         *pool;
    ngx_queue_t              quotas;
    ngx_queue_t              reigns;
};


static void *ngx_scale_pg_zone_find(ngx_scale_pg_zone_t *zone,
    ngx_queue_t *list, size_t size, ngx_str_t *database, ngx_str_t *server);


ngx_scale_pg_zone_t *
ngx_scale_pg_zone_create(ngx_slab_pool_t *pool)
{
    ngx_scale_pg_zone_t  *zone;

    zone = ngx_slab_alloc(pool, sizeof(ngx_scale_pg_zone_t));

    if (zone) {
        zone->pool = pool;
        ngx_queue_init(&zone->quotas);
        ngx_queue_init(&zone->reigns);
    }

    return zone;
}


ngx_int_t
ngx_scale_pg_zone_join(ngx_scale_pg_zone_t *zone, ngx_pool_t *pool,
    ngx_scale_pg_conf_t *conf, ngx_scale_pg_shared_t *shared)
{
    ngx_uint_t                   i;
    ngx_scale_pg_server_conf_t  *server;

    static ngx_str_t  none = ngx_null_string;

    server = conf->servers.elts;

    shared->reign = ngx_scale_pg_zone_find(zone, &zone->reigns,
                                           sizeof(ngx_scale_pg_reign_t),
                                           &conf->name, &none);
    shared->quotas = ngx_palloc(pool, conf->servers.nelts * sizeof(void *));

    if (shared->reign == NULL || shared->quotas == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < conf->servers.nelts; i++) {
        shared->quotas[i] = ngx_scale_pg_zone_find(zone, &zone->quotas,
                                                sizeof(ngx_scale_pg_quota_t),
                                                &conf->name, &server[i].name);

        if (shared->quotas[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* each begins with ngx_scale_pg_named_t; called by the master only */

static void *
ngx_scale_pg_zone_find(ngx_scale_pg_zone_t *zone, ngx_queue_t *list,
    size_t size, ngx_str_t *database, ngx_str_t *server)
{
    u_char                *p;
    size_t                 len;
    ngx_queue_t           *q;
    ngx_scale_pg_named_t  *named;

    len = database->len + 1 + server->len;

    for (q = ngx_queue_head(list);
         q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q))
    {
        named = ngx_queue_data(q, ngx_scale_pg_named_t, queue);
        p = named->name.data;

        if (named->name.len == len
            && ngx_memcmp(p, database->data, database->len) == 0
            && p[database->len] == ' '
            && ngx_memcmp(p + database->len + 1, server->data, server->len)
               == 0)
        {
            return named;
        }
    }

    named = ngx_slab_calloc(zone->pool, size + len);
    if (named == NULL) {
        return NULL;
    }

    named->name.len = len;
    named->name.data = (u_char *) named + size;

    p = ngx_cpymem(named->name.data, database->data, database->len);
    *p++ = ' ';
    ngx_memcpy(p, server->data, server->len);

    ngx_queue_insert_tail(list, &named->queue);

    return named;
}
