
/*
 * What waits is sent, once per turn of the event loop and to whoever takes it;
 * what has waited too long is refused.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/outcome.h"
#include "pg/pipeline.h"
#include "pg/pool.h"
#include "pg/roles.h"


static void ngx_scale_pg_pump_handler(ngx_event_t *ev);
static void ngx_scale_pg_pump_line(ngx_scale_pg_t *pg, ngx_uint_t line);
static void ngx_scale_pg_pump_server(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_refuse(ngx_scale_pg_t *pg);
static void ngx_scale_pg_tick_handler(ngx_event_t *ev);


#define NGX_SCALE_PG_BATCH    32     /* of one Sync */
#define NGX_SCALE_PG_TICK     20     /* ms */

/* retries: at once, and for each request, in tenths */
#define NGX_SCALE_PG_RETRIES  1000


void
ngx_scale_pg_pump_init(ngx_scale_pg_t *pg)
{
    pg->pump.handler = ngx_scale_pg_pump_handler;
    pg->pump.data = pg;
    pg->pump.log = pg->log;

    pg->tick.handler = ngx_scale_pg_tick_handler;
    pg->tick.data = pg;
    pg->tick.log = pg->log;
    pg->tick.cancelable = 1;

    pg->retries = NGX_SCALE_PG_RETRIES;
}


void
ngx_scale_pg_submit(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op)
{
    ngx_uint_t  line;

    op->pg = pg;
    op->time = -1;
    op->started = ngx_scale_pg_now();
    op->queued = ngx_current_msec;

    pg->retries = ngx_min(pg->retries + 1, NGX_SCALE_PG_RETRIES);

    line = ngx_scale_pg_line(pg, op);

    if (pg->lines[line].length >= pg->conf->queue && !op->urgent) {
        line = NGX_SCALE_PG_LINE_REFUSED;
    }

    ngx_scale_pg_enqueue(op, line, op->urgent);

    ngx_scale_pg_post(pg);
}


static void
ngx_scale_pg_pump_handler(ngx_event_t *ev)
{
    ngx_scale_pg_t  *pg = ev->data;

    ngx_uint_t  i, waiting;

    /* another worker has met a newer one: no more is sent to this */

    if (pg->primary
        && ngx_scale_pg_is_deposed(pg, &pg->primary->position))
    {
        ngx_scale_pg_judge(pg);
    }

    ngx_scale_pg_refuse(pg);
    ngx_scale_pg_index(pg);

    waiting = 0;

    for (i = 0; i < NGX_SCALE_PG_NSERVED; i++) {
        ngx_scale_pg_pump_line(pg, i);
        waiting += pg->lines[i].length;
    }

    for (i = 0; i < pg->nservers; i++) {
        ngx_scale_pg_pump_server(&pg->servers[i]);
    }

    if (waiting && !pg->tick.timer_set) {
        ngx_add_timer(&pg->tick, NGX_SCALE_PG_TICK);
    }
}


static void
ngx_scale_pg_pump_line(ngx_scale_pg_t *pg, ngx_uint_t line)
{
    ngx_queue_t          *ops;
    ngx_scale_pg_op_t    *op;
    ngx_scale_pg_conn_t  *conn;

    ops = &pg->lines[line].ops;

    while (!ngx_queue_empty(ops)) {
        op = ngx_queue_data(ngx_queue_head(ops), ngx_scale_pg_op_t, queue);

        conn = ngx_scale_pg_choose(pg, line, op);

        if (conn == NULL && ngx_scale_pg_gives_up(pg, line, op)) {
            continue;
        }

        if (conn == NULL || conn->depth) {
            ngx_scale_pg_grow(pg, line);
        }

        if (conn == NULL) {
            return;
        }

        ngx_scale_pg_send(conn, op);

        if (conn->batch >= NGX_SCALE_PG_BATCH) {
            ngx_scale_pg_sync(conn, NULL, 0);
        }
    }
}


static void
ngx_scale_pg_pump_server(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        for (conn = server->pools[i].open; conn; conn = conn->next) {

            if (!ngx_scale_pg_is_open(conn)) {
                continue;
            }

            if (conn->batch) {
                ngx_scale_pg_sync(conn, NULL, 0);
            }

            ngx_scale_pg_flush(conn);
        }
    }
}


static void
ngx_scale_pg_refuse(ngx_scale_pg_t *pg)
{
    ngx_scale_pg_op_t  *op;

    while ((op = ngx_scale_pg_dequeue(pg, NGX_SCALE_PG_LINE_REFUSED))
           != NULL)
    {
        op->cause = pg->primary ? NGX_SCALE_CAUSE_QUEUE_FULL
                                : NGX_SCALE_CAUSE_UNAVAILABLE;
        op->done(op);
    }
}


/*
 * While something waits: who waited too long, and who may connect again.
 * Where no server has the role, the request's own deadline counts: another
 * may take it.
 */

static void
ngx_scale_pg_tick_handler(ngx_event_t *ev)
{
    ngx_scale_pg_t  *pg = ev->data;

    ngx_uint_t          i;
    ngx_queue_t        *ops;
    ngx_scale_pg_op_t  *op;

    for (i = 0; i < NGX_SCALE_PG_NSERVED; i++) {
        ops = &pg->lines[i].ops;

        while (!ngx_queue_empty(ops)) {
            op = ngx_queue_data(ngx_queue_head(ops), ngx_scale_pg_op_t, queue);

            if (ngx_current_msec - op->queued < pg->conf->queue_timeout
                || !ngx_scale_pg_is_served(pg, i, op))
            {
                break;
            }

            ngx_scale_pg_enqueue(op, NGX_SCALE_PG_LINE_REFUSED, 0);
        }
    }

    ngx_scale_pg_post(pg);
}
