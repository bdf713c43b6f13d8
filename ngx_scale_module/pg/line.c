
/* What waits, and for whom: each operation is in the line it belongs to. */

#include "pg/cluster.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/roles.h"


static ngx_uint_t ngx_scale_pg_has_standby(ngx_scale_pg_t *pg);


/* from a line of the primary to its replicas' */
#define NGX_SCALE_PG_ON_REPLICA  1


void
ngx_scale_pg_post(ngx_scale_pg_t *pg)
{
    if (!pg->pump.posted) {
        ngx_post_event(&pg->pump, &ngx_posted_events);
    }
}


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


void
ngx_scale_pg_enqueue(ngx_scale_pg_op_t *op, ngx_uint_t line, ngx_uint_t first)
{
    ngx_scale_pg_queue_t  *queue;

    ngx_scale_pg_place(op, NGX_SCALE_PG_WAITING);

    queue = &op->pg->lines[line];

    op->line = line;
    queue->length++;

    if (first) {
        ngx_queue_insert_head(&queue->ops, &op->queue);

    } else {
        ngx_queue_insert_tail(&queue->ops, &op->queue);
    }
}


ngx_scale_pg_op_t *
ngx_scale_pg_dequeue(ngx_scale_pg_t *pg, ngx_uint_t line)
{
    ngx_queue_t        *ops;
    ngx_scale_pg_op_t  *op;

    ops = &pg->lines[line].ops;

    if (ngx_queue_empty(ops)) {
        return NULL;
    }

    op = ngx_queue_data(ngx_queue_head(ops), ngx_scale_pg_op_t, queue);

    ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

    return op;
}


void
ngx_scale_pg_requeue(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_reset(op);

    op->attempts++;

    ngx_scale_pg_enqueue(op, ngx_scale_pg_line(op->pg, op), 1);
    ngx_scale_pg_post(op->pg);
}


void
ngx_scale_pg_reroute(ngx_scale_pg_t *pg)
{
    ngx_uint_t          i;
    ngx_queue_t         all;
    ngx_scale_pg_op_t  *op;

    ngx_queue_init(&all);

    for (i = 0; i < NGX_SCALE_PG_NROUTED; i++) {
        while ((op = ngx_scale_pg_dequeue(pg, i)) != NULL) {
            ngx_queue_insert_tail(&all, &op->queue);
        }
    }

    while (!ngx_queue_empty(&all)) {
        op = ngx_queue_data(ngx_queue_head(&all), ngx_scale_pg_op_t, queue);

        ngx_queue_remove(&op->queue);
        ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 0);

        /* its patience with a busy server begins when there is one */

        op->queued = ngx_current_msec;
    }

    ngx_scale_pg_post(pg);
}
