
/*
 * A server's connections of a class: the least busy takes an operation, one
 * more is opened where none is opening, what is idle or old is closed.
 */

#include "pg/conn.h"
#include "pg/op.h"
#include "pg/pool.h"
#include "pg/roles.h"
#include "pg/session.h"
#include "pg/shared.h"


static ngx_uint_t ngx_scale_pg_cost(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_may_grow(ngx_scale_pg_server_t *server,
    ngx_uint_t class);
static ngx_uint_t ngx_scale_pg_is_due(ngx_scale_pg_conn_t *conn,
    ngx_uint_t wanted);
static void ngx_scale_pg_dismiss(ngx_scale_pg_conn_t *conn);


/* operations in flight on one connection of a class */

static ngx_uint_t  ngx_scale_pg_depths[NGX_SCALE_PG_NCLASSES] = {
    [NGX_SCALE_PG_CLASS_READ] = 32,
    [NGX_SCALE_PG_CLASS_WRITE] = 4,
    [NGX_SCALE_PG_CLASS_EXCLUSIVE] = 1,
    [NGX_SCALE_PG_CLASS_STREAM] = 1,
    [NGX_SCALE_PG_CLASS_CONTROL] = 8,
};


#define NGX_SCALE_PG_STUCK    50     /* ms, then others go elsewhere */
#define NGX_SCALE_PG_NO_ROOM  ((ngx_uint_t) -1)


ngx_uint_t
ngx_scale_pg_load(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i, load;
    ngx_scale_pg_conn_t  *conn;

    load = 0;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        for (conn = server->pools[i].open; conn; conn = conn->next) {
            load += conn->depth;
        }
    }

    return load;
}


ngx_scale_pg_conn_t *
ngx_scale_pg_least_busy(ngx_scale_pg_server_t *server, ngx_uint_t class,
    ngx_scale_pg_op_t *op)
{
    ngx_uint_t            cost, best;
    ngx_scale_pg_conn_t  *conn, *chosen;

    chosen = NULL;
    best = NGX_SCALE_PG_NO_ROOM;

    for (conn = server->pools[class].open; conn; conn = conn->next) {
        cost = ngx_scale_pg_cost(conn, op);

        if (cost < best) {
            best = cost;
            chosen = conn;
        }
    }

    return chosen;
}


/* the fewest operations in flight; a batch under way is filled first */

static ngx_uint_t
ngx_scale_pg_cost(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op)
{
    ngx_uint_t  room;

    if (conn->state != NGX_SCALE_PG_READY
        || conn->depth >= ngx_scale_pg_depths[conn->class])
    {
        return NGX_SCALE_PG_NO_ROOM;
    }

    /* the cancel of what was there before must not hit a stream */

    if (conn->class == NGX_SCALE_PG_CLASS_STREAM
        && conn->cancel.stage != NGX_SCALE_PG_NOWHERE)
    {
        return NGX_SCALE_PG_NO_ROOM;
    }

    /*
     * three slots per call, two per setting; BEGIN, its timeout, two checks,
     * what is first and last, ends and Syncs
     */

    room = NGX_SCALE_PG_SLOTS - (conn->tail - conn->head);

    if (room < 3 * op->ncalls + 2 * op->nsettings + 18) {
        return NGX_SCALE_PG_NO_ROOM;
    }

    if (conn->depth
        && (ngx_msec_int_t) (ngx_current_msec - conn->progressed)
           > NGX_SCALE_PG_STUCK)
    {
        return NGX_SCALE_PG_NO_ROOM;
    }

    return conn->batch ? 0 : conn->depth + 1;
}


void
ngx_scale_pg_grow_server(ngx_scale_pg_server_t *server, ngx_uint_t class)
{
    ngx_scale_pg_conn_t  *conn;
    ngx_scale_pg_pool_t  *pool;

    pool = &server->pools[class];

    if (pool->closed == NULL || !ngx_scale_pg_may_grow(server, class)) {
        return;
    }

    for (conn = pool->open; conn; conn = conn->next) {
        if (!ngx_scale_pg_is_open(conn)) {
            return;
        }
    }

    (void) ngx_scale_pg_connect(pool->closed);
}


/* streams have half of this worker's share */

static ngx_uint_t
ngx_scale_pg_may_grow(ngx_scale_pg_server_t *server, ngx_uint_t class)
{
    ngx_uint_t  share;

    if (ngx_scale_pg_rest(server)) {
        return 0;
    }

    if (class != NGX_SCALE_PG_CLASS_STREAM) {
        return 1;
    }

    share = ngx_scale_pg_quota_fair(server->quota,
                                    server->pg->conf->connections);

    return server->pools[class].nopen < ngx_max(share / 2, 1);
}


void
ngx_scale_pg_reap(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i, wanted;
    ngx_scale_pg_conn_t  *conn;

    wanted = ngx_scale_pg_quota_is_wanted(server->quota,
                                          server->pg->conf->connections);

    for (i = 0; i < NGX_SCALE_PG_CLASS_CONTROL; i++) {
        for (conn = server->pools[i].open; conn; conn = conn->next) {
            if (conn->state != NGX_SCALE_PG_READY
                || !ngx_scale_pg_is_due(conn, wanted))
            {
                continue;
            }

            if (ngx_scale_pg_is_idle(conn)) {
                wanted = 0;
            }

            ngx_scale_pg_dismiss(conn);
        }
    }
}


/* the last of its class stays, unless it is too old */

static ngx_uint_t
ngx_scale_pg_is_due(ngx_scale_pg_conn_t *conn, ngx_uint_t wanted)
{
    ngx_scale_pg_conf_t  *conf;

    conf = conn->pg->conf;

    if (ngx_current_msec - conn->born > conn->lifetime) {
        return 1;
    }

    return ngx_scale_pg_is_idle(conn)
           && conn->server->pools[conn->class].nready > 1
           && (wanted || ngx_current_msec - conn->used > conf->idle);
}


void
ngx_scale_pg_retire(ngx_scale_pg_server_t *server, ngx_uint_t class)
{
    ngx_scale_pg_conn_t  *conn;

    for (conn = server->pools[class].open; conn; conn = conn->next) {
        if (conn->state == NGX_SCALE_PG_READY) {
            ngx_scale_pg_dismiss(conn);
        }
    }
}


/* later: its last operation may be what has found this out */

static void
ngx_scale_pg_dismiss(ngx_scale_pg_conn_t *conn)
{
    if (ngx_scale_pg_is_idle(conn)) {
        ngx_scale_pg_break(conn, NULL);

    } else {
        ngx_scale_pg_become(conn, NGX_SCALE_PG_RETIRING);
    }
}
