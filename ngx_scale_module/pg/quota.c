
/*
 * "connections" is a quota of the whole node.  Each worker counts what it
 * holds in a place of its own, and reserves one connection per class; whoever
 * takes one adds up all places.  There is no lock: a worker that is killed
 * leaves a place of a dead process, which the next one to enter clears.
 */

#include "pg/pg_int.h"


#define NGX_SCALE_PG_HOLDERS  256
#define NGX_SCALE_PG_WANTED   1000    /* ms */


typedef struct {
    ngx_atomic_t             pid;
    ngx_atomic_t             used;
    ngx_atomic_t             reserved;
} ngx_scale_pg_holder_t;


struct ngx_scale_pg_quota_s {
    ngx_queue_t              queue;
    ngx_str_t                name;
    ngx_atomic_t             wanted;   /* when, in ms */
    ngx_scale_pg_holder_t    holders[NGX_SCALE_PG_HOLDERS];
};


struct ngx_scale_pg_zone_s {
    ngx_slab_pool_t         *pool;
    ngx_queue_t              quotas;
};


static ngx_scale_pg_quota_t *ngx_scale_pg_zone_find(ngx_scale_pg_zone_t *zone,
    ngx_str_t *database, ngx_str_t *server);
static ngx_scale_pg_holder_t *ngx_scale_pg_quota_mine(
    ngx_scale_pg_quota_t *quota, ngx_pid_t pid);
static ngx_uint_t ngx_scale_pg_quota_fair(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit);


ngx_scale_pg_zone_t *
ngx_scale_pg_zone_create(ngx_slab_pool_t *pool)
{
    ngx_scale_pg_zone_t  *zone;

    zone = ngx_slab_alloc(pool, sizeof(ngx_scale_pg_zone_t));

    if (zone) {
        zone->pool = pool;
        ngx_queue_init(&zone->quotas);
    }

    return zone;
}


ngx_scale_pg_quota_t **
ngx_scale_pg_zone_join(ngx_scale_pg_zone_t *zone, ngx_pool_t *pool,
    ngx_scale_pg_conf_t *conf)
{
    ngx_uint_t                    i;
    ngx_scale_pg_quota_t        **quotas;
    ngx_scale_pg_server_conf_t   *server;

    quotas = ngx_palloc(pool, conf->servers.nelts * sizeof(void *));
    if (quotas == NULL) {
        return NULL;
    }

    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {
        quotas[i] = ngx_scale_pg_zone_find(zone, &conf->name, &server[i].name);

        if (quotas[i] == NULL) {
            return NULL;
        }
    }

    return quotas;
}


static ngx_scale_pg_quota_t *
ngx_scale_pg_zone_find(ngx_scale_pg_zone_t *zone, ngx_str_t *database,
    ngx_str_t *server)
{
    u_char                *p;
    size_t                 len;
    ngx_queue_t           *q;
    ngx_scale_pg_quota_t  *quota;

    len = database->len + 1 + server->len;

    for (q = ngx_queue_head(&zone->quotas);
         q != ngx_queue_sentinel(&zone->quotas);
         q = ngx_queue_next(q))
    {
        quota = ngx_queue_data(q, ngx_scale_pg_quota_t, queue);
        p = quota->name.data;

        if (quota->name.len == len
            && ngx_memcmp(p, database->data, database->len) == 0
            && p[database->len] == ' '
            && ngx_memcmp(p + database->len + 1, server->data, server->len)
               == 0)
        {
            return quota;
        }
    }

    quota = ngx_slab_calloc(zone->pool, sizeof(ngx_scale_pg_quota_t) + len);
    if (quota == NULL) {
        return NULL;
    }

    quota->name.len = len;
    quota->name.data = (u_char *) (quota + 1);

    p = ngx_cpymem(quota->name.data, database->data, database->len);
    *p++ = ' ';
    ngx_memcpy(p, server->data, server->len);

    ngx_queue_insert_tail(&zone->quotas, &quota->queue);

    return quota;
}


static ngx_scale_pg_holder_t *
ngx_scale_pg_quota_mine(ngx_scale_pg_quota_t *quota, ngx_pid_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        if (quota->holders[i].pid == (ngx_atomic_uint_t) pid) {
            return &quota->holders[i];
        }
    }

    return NULL;
}


void
ngx_scale_pg_quota_enter(ngx_scale_pg_quota_t *quota)
{
    ngx_uint_t              i;
    ngx_atomic_uint_t       pid;
    ngx_scale_pg_holder_t  *holder;

    if (ngx_scale_pg_quota_mine(quota, ngx_pid)) {
        return;
    }

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        holder = &quota->holders[i];
        pid = holder->pid;

        if (pid && (kill((pid_t) pid, 0) == 0 || ngx_errno != NGX_ESRCH)) {
            continue;
        }

        if (ngx_atomic_cmp_set(&holder->pid, pid, ngx_pid)) {
            holder->used = 0;
            holder->reserved = NGX_SCALE_PG_MIN_CONNECTIONS;
            return;
        }
    }
}


void
ngx_scale_pg_quota_leave(ngx_scale_pg_quota_t *quota)
{
    ngx_scale_pg_holder_t  *mine;

    mine = ngx_scale_pg_quota_mine(quota, ngx_pid);

    if (mine) {
        mine->used = 0;
        mine->reserved = 0;
        ngx_memory_barrier();
        mine->pid = 0;
    }
}


/*
 * A reserved one is counted as used before it is no longer reserved, and both
 * are read the other way round: it may count twice, never not at all.
 */

ngx_int_t
ngx_scale_pg_quota_take(ngx_scale_pg_quota_t *quota, ngx_uint_t limit,
    ngx_uint_t first)
{
    ngx_uint_t              i, used, reserved;
    ngx_scale_pg_holder_t  *mine, *holder;

    mine = ngx_scale_pg_quota_mine(quota, ngx_pid);
    if (mine == NULL) {
        return NGX_DECLINED;
    }

    (void) ngx_atomic_fetch_add(&mine->used, 1);

    if (first) {
        (void) ngx_atomic_fetch_add(&mine->reserved, -1);
    }

    used = 0;
    reserved = 0;

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        holder = &quota->holders[i];

        reserved += holder->reserved;
        ngx_memory_barrier();
        used += holder->used;
    }

    if (used + (first ? 0 : reserved) <= limit) {
        return NGX_OK;
    }

    ngx_scale_pg_quota_give(quota, first);

    if (mine->used < ngx_scale_pg_quota_fair(quota, limit)) {
        quota->wanted = ngx_current_msec;
    }

    return NGX_DECLINED;
}


void
ngx_scale_pg_quota_give(ngx_scale_pg_quota_t *quota, ngx_uint_t first)
{
    ngx_scale_pg_holder_t  *mine;

    mine = ngx_scale_pg_quota_mine(quota, ngx_pid);
    if (mine == NULL) {
        return;
    }

    if (first) {
        (void) ngx_atomic_fetch_add(&mine->reserved, 1);
    }

    (void) ngx_atomic_fetch_add(&mine->used, -1);
}


ngx_uint_t
ngx_scale_pg_quota_is_wanted(ngx_scale_pg_quota_t *quota, ngx_uint_t limit)
{
    ngx_scale_pg_holder_t  *mine;

    if (quota->wanted == 0
        || ngx_current_msec - quota->wanted > NGX_SCALE_PG_WANTED)
    {
        return 0;
    }

    mine = ngx_scale_pg_quota_mine(quota, ngx_pid);

    return mine && mine->used > ngx_scale_pg_quota_fair(quota, limit);
}


static ngx_uint_t
ngx_scale_pg_quota_fair(ngx_scale_pg_quota_t *quota, ngx_uint_t limit)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        n += quota->holders[i].pid != 0;
    }

    return limit / ngx_max(n, 1);
}
