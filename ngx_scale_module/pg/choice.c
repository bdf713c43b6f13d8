
/*
 * Which connection of which server takes an operation: of two replicas drawn
 * by weight the one with less work, of its connections the least busy.
 */

#include "pg/pg_int.h"


typedef struct {
    ngx_scale_pg_class_e      class;
    ngx_scale_pg_class_e      other;       /* where that has no room */
    unsigned                  replica:1;
} ngx_scale_pg_line_t;


static ngx_uint_t ngx_scale_pg_has_standby(ngx_scale_pg_t *pg);
static ngx_uint_t ngx_scale_pg_is_standby(ngx_scale_pg_server_t *server);
static ngx_scale_pg_conn_t *ngx_scale_pg_choose_replica(ngx_scale_pg_t *pg,
    ngx_uint_t line, ngx_scale_pg_op_t *op);
static ngx_scale_pg_server_t *ngx_scale_pg_draw(ngx_scale_pg_t *pg,
    ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_weight(ngx_scale_pg_server_t *server,
    ngx_scale_pg_op_t *op, ngx_uint_t near);
static ngx_uint_t ngx_scale_pg_load(ngx_scale_pg_server_t *server);
static ngx_scale_pg_conn_t *ngx_scale_pg_choose_conn(
    ngx_scale_pg_server_t *server, ngx_uint_t line, ngx_scale_pg_op_t *op);
static ngx_scale_pg_conn_t *ngx_scale_pg_least_busy(
    ngx_scale_pg_server_t *server, ngx_uint_t class, ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_cost(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_may_grow(ngx_scale_pg_server_t *server,
    ngx_uint_t class);
static void ngx_scale_pg_grow_server(ngx_scale_pg_server_t *server,
    ngx_uint_t class);
static ngx_uint_t ngx_scale_pg_is_due(ngx_scale_pg_conn_t *conn,
    ngx_uint_t wanted);
static void ngx_scale_pg_dismiss(ngx_scale_pg_conn_t *conn);


static ngx_scale_pg_line_t  ngx_scale_pg_lines[NGX_SCALE_PG_NSERVED] = {
    { NGX_SCALE_PG_CLASS_READ, NGX_SCALE_PG_CLASS_EXCLUSIVE, 0 },
    { NGX_SCALE_PG_CLASS_READ, NGX_SCALE_PG_CLASS_EXCLUSIVE, 1 },
    { NGX_SCALE_PG_CLASS_WRITE, NGX_SCALE_PG_CLASS_WRITE, 0 },
    { NGX_SCALE_PG_CLASS_EXCLUSIVE, NGX_SCALE_PG_CLASS_EXCLUSIVE, 0 },
    { NGX_SCALE_PG_CLASS_EXCLUSIVE, NGX_SCALE_PG_CLASS_EXCLUSIVE, 1 },
    { NGX_SCALE_PG_CLASS_STREAM, NGX_SCALE_PG_CLASS_STREAM, 0 },
    { NGX_SCALE_PG_CLASS_STREAM, NGX_SCALE_PG_CLASS_STREAM, 1 }
};

/* operations in flight on one connection of a class */

static ngx_uint_t  ngx_scale_pg_depths[NGX_SCALE_PG_NCLASSES] = {
    32, 4, 1, 1, 8
};

#define NGX_SCALE_PG_STUCK       50     /* ms, then others go elsewhere */
#define NGX_SCALE_PG_SLOW_START  10000  /* ms, of a replica that is back */
#define NGX_SCALE_PG_SHARES      100    /* of a weight */

#define NGX_SCALE_PG_NONE        ((ngx_uint_t) -1)

/* from a line of the primary to its replicas' */
#define NGX_SCALE_PG_ON_REPLICA  1


ngx_uint_t
ngx_scale_pg_line(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op)
{
    ngx_uint_t  alone, line;

    alone = op->kind == NGX_SCALE_PG_TRANSACTION || op->timeout
            || op->nsettings;

    if (ngx_scale_pg_writes(op)) {
        return alone ? NGX_SCALE_PG_LINE_EXCLUSIVE : NGX_SCALE_PG_LINE_WRITE;
    }

    alone |= pg->slow[op->calls[0].statement->index];
    line = alone ? NGX_SCALE_PG_LINE_EXCLUSIVE : NGX_SCALE_PG_LINE_READ;

    if (op->rows && pg->large[op->calls[0].statement->index]) {
        line = NGX_SCALE_PG_LINE_STREAM;
    }

    op->unverified = op->stale && pg->primary == NULL
                     && ngx_scale_pg_has_standby(pg);

    if (!op->unverified) {

        if (op->freshness == NGX_SCALE_PG_PRIMARY || op->on_primary
            || pg->replicas == 0)
        {
            return line;
        }

        if (op->freshness == NGX_SCALE_PG_CURRENT && !op->indexed) {
            return NGX_SCALE_PG_LINE_INDEX;
        }
    }

    return line + NGX_SCALE_PG_ON_REPLICA;
}


static ngx_uint_t
ngx_scale_pg_has_standby(ngx_scale_pg_t *pg)
{
    ngx_uint_t  i;

    for (i = 0; i < pg->nservers; i++) {
        if (ngx_scale_pg_is_standby(&pg->servers[i])) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_scale_pg_is_standby(ngx_scale_pg_server_t *server)
{
    return server->up && !server->foreign
           && server->role == NGX_SCALE_PG_ROLE_REPLICA;
}


ngx_scale_pg_conn_t *
ngx_scale_pg_choose(ngx_scale_pg_t *pg, ngx_uint_t line, ngx_scale_pg_op_t *op)
{
    if (ngx_scale_pg_lines[line].replica) {
        return ngx_scale_pg_choose_replica(pg, line, op);
    }

    return pg->primary ? ngx_scale_pg_choose_conn(pg->primary, line, op)
                       : NULL;
}


ngx_uint_t
ngx_scale_pg_is_served(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op)
{
    if (ngx_scale_pg_lines[line].replica) {
        return ngx_scale_pg_draw(pg, op) != NULL;
    }

    return pg->primary != NULL;
}


/* power of two choices */

static ngx_scale_pg_conn_t *
ngx_scale_pg_choose_replica(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t    *conn;
    ngx_scale_pg_server_t  *one, *two, *better;

    one = ngx_scale_pg_draw(pg, op);
    if (one == NULL) {
        return NULL;
    }

    two = ngx_scale_pg_draw(pg, op);

    better = ngx_scale_pg_load(two) * one->conf->weight
             < ngx_scale_pg_load(one) * two->conf->weight
             ? two : one;

    conn = ngx_scale_pg_choose_conn(better, line, op);

    if (conn == NULL && one != two) {
        conn = ngx_scale_pg_choose_conn(better == one ? two : one, line, op);
    }

    return conn;
}


/* a replica by its weight, in this node's zone where there is one */

static ngx_scale_pg_server_t *
ngx_scale_pg_draw(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op)
{
    ngx_uint_t  i, near, total, weight;

    for (near = 2; near--; /* void */ ) {
        total = 0;

        for (i = 0; i < pg->nservers; i++) {
            total += ngx_scale_pg_weight(&pg->servers[i], op, near);
        }

        if (total) {
            break;
        }
    }

    if (total == 0) {
        return NULL;
    }

    total = (ngx_uint_t) ngx_random() % total;

    for (i = 0; /* void */ ; i++) {
        weight = ngx_scale_pg_weight(&pg->servers[i], op, near);

        if (total < weight) {
            return &pg->servers[i];
        }

        total -= weight;
    }
}


static ngx_uint_t
ngx_scale_pg_weight(ngx_scale_pg_server_t *server, ngx_scale_pg_op_t *op,
    ngx_uint_t near)
{
    ngx_str_t   *here, *there;
    ngx_msec_t   since;
    ngx_uint_t   share;

    here = &server->pg->conf->zone;
    there = &server->conf->zone;

    if (near && here->len
        && (here->len != there->len
            || ngx_memcmp(here->data, there->data, here->len) != 0))
    {
        return 0;
    }

    if (op->unverified) {
        return ngx_scale_pg_is_standby(server) * server->conf->weight;
    }

    if (!server->qualified
        || (op->floor.lsn && (ngx_msec_int_t) (server->penalty_until
                                               - ngx_current_msec) > 0))
    {
        return 0;
    }

    share = NGX_SCALE_PG_SHARES;
    since = ngx_current_msec - server->back_since;

    if (server->fallen && since < NGX_SCALE_PG_SLOW_START) {
        share = 1 + since * NGX_SCALE_PG_SHARES / NGX_SCALE_PG_SLOW_START;
    }

    return share * server->conf->weight;
}


static ngx_uint_t
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


static ngx_scale_pg_conn_t *
ngx_scale_pg_choose_conn(ngx_scale_pg_server_t *server, ngx_uint_t line,
    ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn;
    ngx_scale_pg_line_t  *by;

    by = &ngx_scale_pg_lines[line];
    conn = ngx_scale_pg_least_busy(server, by->class, op);

    if (conn == NULL && by->other != by->class) {
        conn = ngx_scale_pg_least_busy(server, by->other, op);
    }

    return conn;
}


static ngx_scale_pg_conn_t *
ngx_scale_pg_least_busy(ngx_scale_pg_server_t *server, ngx_uint_t class,
    ngx_scale_pg_op_t *op)
{
    ngx_uint_t            cost, best;
    ngx_scale_pg_conn_t  *conn, *chosen;

    chosen = NULL;
    best = NGX_SCALE_PG_NONE;

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
        return NGX_SCALE_PG_NONE;
    }

    /* the cancel of what was there before must not hit a stream */

    if (conn->class == NGX_SCALE_PG_CLASS_STREAM
        && conn->cancel.stage != NGX_SCALE_PG_NOWHERE)
    {
        return NGX_SCALE_PG_NONE;
    }

    /*
     * three slots per call, two per setting; BEGIN, its timeout, two checks,
     * what is first and last, ends and Syncs
     */

    room = NGX_SCALE_PG_SLOTS - (conn->tail - conn->head);

    if (room < 3 * op->ncalls + 2 * op->nsettings + 18) {
        return NGX_SCALE_PG_NONE;
    }

    if (conn->depth
        && (ngx_msec_int_t) (ngx_current_msec - conn->progressed)
           > NGX_SCALE_PG_STUCK)
    {
        return NGX_SCALE_PG_NONE;
    }

    return conn->batch ? 0 : conn->depth + 1;
}


void
ngx_scale_pg_grow(ngx_scale_pg_t *pg, ngx_uint_t line)
{
    ngx_uint_t            i;
    ngx_scale_pg_line_t  *by;

    by = &ngx_scale_pg_lines[line];

    for (i = 0; i < pg->nservers; i++) {
        if (by->replica ? ngx_scale_pg_is_standby(&pg->servers[i])
                        : &pg->servers[i] == pg->primary)
        {
            ngx_scale_pg_grow_server(&pg->servers[i], by->class);
        }
    }
}


/* streams have half of this worker's share */

static ngx_uint_t
ngx_scale_pg_may_grow(ngx_scale_pg_server_t *server, ngx_uint_t class)
{
    ngx_uint_t  share;

    if (server->backoff
        && (ngx_msec_int_t) (server->retry_at - ngx_current_msec) > 0)
    {
        return 0;
    }

    if (class != NGX_SCALE_PG_CLASS_STREAM) {
        return 1;
    }

    share = ngx_scale_pg_quota_fair(server->quota,
                                    server->pg->conf->connections);

    return server->pools[class].nopen < ngx_max(share / 2, 1);
}


static void
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
