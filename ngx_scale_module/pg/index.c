
/*
 * The read-index: a read is answered by a replica only if that has replayed
 * all that the primary had flushed when the read began.  One question serves
 * all reads that were there before it was sent.
 */

#include "pg/cluster.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/outcome.h"
#include "pg/pipeline.h"
#include "pg/roles.h"


static void ngx_scale_pg_index_done(ngx_scale_pg_op_t *index);
static void ngx_scale_pg_again_handler(ngx_event_t *ev);


/* ms: replay takes a fraction of one, where it does not lag */
#define NGX_SCALE_PG_CATCH_UP     5
#define NGX_SCALE_PG_PAUSE        1

#define NGX_SCALE_PG_PENALTY_MIN  2
#define NGX_SCALE_PG_PENALTY_MAX  1000


void
ngx_scale_pg_index_init(ngx_scale_pg_t *pg)
{
    pg->again.handler = ngx_scale_pg_again_handler;
    pg->again.data = pg;
    pg->again.log = pg->log;
}


void
ngx_scale_pg_index(ngx_scale_pg_t *pg)
{
    ngx_scale_pg_op_t  *op;

    if (pg->index.stage != NGX_SCALE_PG_NOWHERE
        || pg->lines[NGX_SCALE_PG_LINE_INDEX].length == 0)
    {
        return;
    }

    while ((op = ngx_scale_pg_dequeue(pg, NGX_SCALE_PG_LINE_INDEX)) != NULL) {
        ngx_scale_pg_enqueue(op, NGX_SCALE_PG_LINE_INDEXED, 0);
    }

    op = &pg->index;

    ngx_memzero(op, sizeof(ngx_scale_pg_op_t));

    pg->index_call.statement = &pg->own[NGX_SCALE_PG_OWN_FLUSHED];

    op->calls = &pg->index_call;
    op->ncalls = 1;
    op->done = ngx_scale_pg_index_done;
    op->data = pg;

    if (pg->primary == NULL
        || ngx_scale_pg_control(pg->primary, op) != NGX_OK)
    {
        op->cause = NGX_SCALE_CAUSE_UNAVAILABLE;
        ngx_scale_pg_index_done(op);
    }
}


/* whom the primary cannot tell asks it for the row itself */

static void
ngx_scale_pg_index_done(ngx_scale_pg_op_t *index)
{
    ngx_scale_pg_t  *pg = index->data;

    ngx_scale_pg_op_t        *op;
    ngx_scale_pg_position_t   floor;

    ngx_memzero(&floor, sizeof(ngx_scale_pg_position_t));

    if (index->cause == NGX_SCALE_CAUSE_NONE && pg->primary) {
        floor = pg->primary->position;
        floor.lsn = ngx_scale_pg_number(&index->calls[0].rows, 0);
    }

    if (floor.lsn == 0) {
        ngx_scale_pg_suspect(pg);
    }

    ngx_scale_pg_release(index);

    while ((op = ngx_scale_pg_dequeue(pg, NGX_SCALE_PG_LINE_INDEXED))
           != NULL)
    {
        op->floor = floor;
        op->indexed = 1;
        op->on_primary = floor.lsn == 0;

        ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 0);
    }

    ngx_scale_pg_post(pg);
}


void
ngx_scale_pg_behind(ngx_scale_pg_server_t *server, ngx_scale_pg_op_t *op)
{
    ngx_msec_t       patience;
    ngx_scale_pg_t  *pg;

    pg = server->pg;

    if ((ngx_msec_int_t) (server->penalty_until - ngx_current_msec) <= 0) {
        server->penalty = ngx_max(NGX_SCALE_PG_PENALTY_MIN,
                                  ngx_min(server->penalty * 2,
                                          NGX_SCALE_PG_PENALTY_MAX));
        server->penalty_until = ngx_current_msec + server->penalty;
    }

    patience = op->freshness == NGX_SCALE_PG_CURRENT ? NGX_SCALE_PG_CATCH_UP
                                                     : op->wait;
    if (!op->behind) {
        op->behind = 1;
        op->until = ngx_current_msec + patience;
    }

    ngx_scale_pg_reset(op);

    if ((ngx_msec_int_t) (op->until - ngx_current_msec) <= 0) {
        op->on_primary = 1;
        ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 1);
        ngx_scale_pg_post(pg);
        return;
    }

    ngx_scale_pg_enqueue(op, NGX_SCALE_PG_LINE_BEHIND, 0);

    if (!pg->again.timer_set) {
        ngx_add_timer(&pg->again, NGX_SCALE_PG_PAUSE);
    }
}


static void
ngx_scale_pg_again_handler(ngx_event_t *ev)
{
    ngx_scale_pg_t  *pg = ev->data;

    ngx_scale_pg_op_t  *op;

    while ((op = ngx_scale_pg_dequeue(pg, NGX_SCALE_PG_LINE_BEHIND)) != NULL) {
        ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 0);
    }

    ngx_scale_pg_post(pg);
}
