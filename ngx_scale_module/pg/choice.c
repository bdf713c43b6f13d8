
/*
 * Which server takes an operation: the primary, or of two replicas drawn by
 * weight the one with less work.
 */

#include "pg/cluster.h"
#include "pg/conn.h"
#include "pg/line.h"
#include "pg/pool.h"
#include "pg/roles.h"


typedef struct {
    ngx_scale_pg_class_e      class;
    ngx_scale_pg_class_e      other;       /* where that has no room */
    unsigned                  replica:1;
} ngx_scale_pg_line_t;


static ngx_scale_pg_conn_t *ngx_scale_pg_choose_replica(ngx_scale_pg_t *pg,
    ngx_uint_t line, ngx_scale_pg_op_t *op);
static ngx_scale_pg_conn_t *ngx_scale_pg_choose_conn(
    ngx_scale_pg_server_t *server, ngx_uint_t line, ngx_scale_pg_op_t *op);
static ngx_scale_pg_server_t *ngx_scale_pg_draw(ngx_scale_pg_t *pg,
    ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_weight(ngx_scale_pg_server_t *server,
    ngx_scale_pg_op_t *op, ngx_uint_t near);
static ngx_uint_t ngx_scale_pg_is_near(ngx_scale_pg_server_t *server);


static ngx_scale_pg_line_t  ngx_scale_pg_lines[NGX_SCALE_PG_NSERVED] = {

    [NGX_SCALE_PG_LINE_READ] =
        { NGX_SCALE_PG_CLASS_READ, NGX_SCALE_PG_CLASS_EXCLUSIVE, 0 },

    [NGX_SCALE_PG_LINE_REPLICA] =
        { NGX_SCALE_PG_CLASS_READ, NGX_SCALE_PG_CLASS_EXCLUSIVE, 1 },

    [NGX_SCALE_PG_LINE_WRITE] =
        { NGX_SCALE_PG_CLASS_WRITE, NGX_SCALE_PG_CLASS_WRITE, 0 },

    [NGX_SCALE_PG_LINE_EXCLUSIVE] =
        { NGX_SCALE_PG_CLASS_EXCLUSIVE, NGX_SCALE_PG_CLASS_EXCLUSIVE, 0 },

    [NGX_SCALE_PG_LINE_EXCLUSIVE_REPLICA] =
        { NGX_SCALE_PG_CLASS_EXCLUSIVE, NGX_SCALE_PG_CLASS_EXCLUSIVE, 1 },

    [NGX_SCALE_PG_LINE_STREAM] =
        { NGX_SCALE_PG_CLASS_STREAM, NGX_SCALE_PG_CLASS_STREAM, 0 },

    [NGX_SCALE_PG_LINE_STREAM_REPLICA] =
        { NGX_SCALE_PG_CLASS_STREAM, NGX_SCALE_PG_CLASS_STREAM, 1 },
};


#define NGX_SCALE_PG_SLOW_START  10000  /* ms, of a replica that is back */
#define NGX_SCALE_PG_SHARES      100    /* of a weight */


ngx_scale_pg_conn_t *
ngx_scale_pg_choose(ngx_scale_pg_t *pg, ngx_uint_t line, ngx_scale_pg_op_t *op)
{
    if (ngx_scale_pg_lines[line].replica) {
        return ngx_scale_pg_choose_replica(pg, line, op);
    }

    return pg->primary ? ngx_scale_pg_choose_conn(pg->primary, line, op)
                       : NULL;
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
    ngx_msec_t  since;
    ngx_uint_t  share;

    if (near && !ngx_scale_pg_is_near(server)) {
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


/* everything is, where this node has no zone */

static ngx_uint_t
ngx_scale_pg_is_near(ngx_scale_pg_server_t *server)
{
    ngx_str_t  *here, *there;

    here = &server->pg->conf->zone;
    there = &server->conf->zone;

    return here->len == 0
           || (here->len == there->len
               && ngx_memcmp(here->data, there->data, here->len) == 0);
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


/* no replica will take it: all of them were behind */

ngx_uint_t
ngx_scale_pg_gives_up(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op)
{
    if (!ngx_scale_pg_lines[line].replica
        || ngx_scale_pg_is_served(pg, line, op))
    {
        return 0;
    }

    op->on_primary = 1;

    ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 0);
    ngx_scale_pg_post(pg);

    return 1;
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
