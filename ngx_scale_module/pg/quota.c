
/*
 * "connections" is a quota of the whole node.  Each worker counts what it
 * holds in a place of its own, and reserves one connection per class; whoever
 * takes one adds up all places.  There is no lock: a worker that is killed
 * leaves a place of a dead process, which the next one to enter clears.
 */

#include "pg/shared.h"


#define NGX_SCALE_PG_WANTED  1000    /* ms */


static ngx_scale_pg_holder_t *ngx_scale_pg_quota_mine(
    ngx_scale_pg_quota_t *quota, ngx_pid_t pid);
static void ngx_scale_pg_quota_bury(ngx_scale_pg_quota_t *quota);


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
    ngx_scale_pg_holder_t  *holder;

    if (ngx_scale_pg_quota_mine(quota, ngx_pid)) {
        return;
    }

    ngx_scale_pg_quota_bury(quota);

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        holder = &quota->holders[i];

        if (ngx_atomic_cmp_set(&holder->pid, 0, ngx_pid)) {
            holder->used = 0;
            holder->reserved = NGX_SCALE_PG_MIN_CONNECTIONS;
            return;
        }
    }
}


/* what killed workers held */

static void
ngx_scale_pg_quota_bury(ngx_scale_pg_quota_t *quota)
{
    ngx_uint_t              i;
    ngx_atomic_uint_t       pid;
    ngx_scale_pg_holder_t  *holder;

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        holder = &quota->holders[i];
        pid = holder->pid;

        /* it is this worker's for a moment: nobody else may clear it then */

        if (pid && kill((pid_t) pid, 0) == -1 && ngx_errno == NGX_ESRCH
            && ngx_atomic_cmp_set(&holder->pid, pid, ngx_pid))
        {
            holder->used = 0;
            holder->reserved = 0;
            ngx_memory_barrier();
            holder->pid = 0;
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


ngx_uint_t
ngx_scale_pg_quota_fair(ngx_scale_pg_quota_t *quota, ngx_uint_t limit)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_SCALE_PG_HOLDERS; i++) {
        n += quota->holders[i].pid != 0;
    }

    return limit / ngx_max(n, 1);
}
