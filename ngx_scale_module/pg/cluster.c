
/*
 * A worker's cluster: bounded lines of what waits, and the pump that sends
 * once per turn of the event loop what can be sent.
 */

#include "pg/pg_int.h"


static void ngx_scale_pg_event(ngx_scale_pg_t *pg, ngx_event_t *ev,
    ngx_event_handler_pt handler);
static ngx_int_t ngx_scale_pg_create_server(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_destroy_server(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_pump_handler(ngx_event_t *ev);
static void ngx_scale_pg_pump_line(ngx_scale_pg_t *pg, ngx_uint_t line);
static ngx_uint_t ngx_scale_pg_gives_up(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_pump_server(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_tick_handler(ngx_event_t *ev);
static void ngx_scale_pg_refuse(ngx_scale_pg_t *pg);


#define NGX_SCALE_PG_BATCH       32     /* of one Sync */
#define NGX_SCALE_PG_TICK        20     /* ms */

/* retries: at once, and for each request, in tenths */
#define NGX_SCALE_PG_RETRIES     1000


ngx_scale_pg_t *
ngx_scale_pg_create(ngx_pool_t *pool, ngx_scale_pg_conf_t *conf,
    ngx_scale_pg_shared_t *shared, ngx_log_t *log)
{
    ngx_uint_t       i;
    ngx_scale_pg_t  *pg;

    pg = ngx_pcalloc(pool, sizeof(ngx_scale_pg_t));
    if (pg == NULL) {
        return NULL;
    }

    pg->conf = conf;
    pg->pool = pool;
    pg->log = log;
    pg->reign = shared->reign;
    pg->nservers = conf->servers.nelts;
    pg->started = ngx_current_msec;
    pg->retries = NGX_SCALE_PG_RETRIES;

    for (i = 0; i < NGX_SCALE_PG_NLINES; i++) {
        ngx_queue_init(&pg->lines[i].ops);
    }

    ngx_scale_pg_own_init(pg);
    ngx_scale_pg_password_init(pg);

    pg->slow = ngx_pcalloc(pool, conf->statements->nelts + 1);
    pg->large = ngx_pcalloc(pool, conf->statements->nelts + 1);
    pg->servers = ngx_pcalloc(pool, pg->nservers
                                    * sizeof(ngx_scale_pg_server_t));

    if (pg->slow == NULL || pg->large == NULL || pg->servers == NULL) {
        return NULL;
    }

    ngx_scale_pg_event(pg, &pg->pump, ngx_scale_pg_pump_handler);
    ngx_scale_pg_event(pg, &pg->tick, ngx_scale_pg_tick_handler);
    ngx_scale_pg_event(pg, &pg->again, ngx_scale_pg_again_handler);

    pg->tick.cancelable = 1;

    for (i = 0; i < pg->nservers; i++) {
        pg->servers[i].pg = pg;
        pg->servers[i].conf = (ngx_scale_pg_server_conf_t *)
                                                       conf->servers.elts + i;
        pg->servers[i].quota = shared->quotas[i];

        if (ngx_scale_pg_create_server(&pg->servers[i]) != NGX_OK) {
            return NULL;
        }
    }

    return pg;
}


static void
ngx_scale_pg_event(ngx_scale_pg_t *pg, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = pg;
    ev->log = pg->log;
}


static ngx_int_t
ngx_scale_pg_create_server(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i, n, nconns[NGX_SCALE_PG_NCLASSES];
    ngx_scale_pg_conn_t  *conn;

    n = server->pg->conf->connections;

    /* two for reads: one leaves the server idle while a batch travels */

    nconns[NGX_SCALE_PG_CLASS_READ] = 2;
    nconns[NGX_SCALE_PG_CLASS_WRITE] = n;
    nconns[NGX_SCALE_PG_CLASS_EXCLUSIVE] = n;
    nconns[NGX_SCALE_PG_CLASS_STREAM] = n / 2;
    nconns[NGX_SCALE_PG_CLASS_CONTROL] = 1;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        conn = ngx_pcalloc(server->pg->pool,
                           nconns[i] * sizeof(ngx_scale_pg_conn_t));
        if (conn == NULL) {
            return NGX_ERROR;
        }

        for (n = nconns[i]; n; n--) {
            ngx_scale_pg_conn_init(&conn[n - 1], server, i);
        }
    }

    server->control = server->pools[NGX_SCALE_PG_CLASS_CONTROL].closed;

    ngx_scale_pg_address_init(server);
    ngx_scale_pg_quota_enter(server->quota);
    ngx_scale_pg_standing_init(server);

    return NGX_OK;
}


void
ngx_scale_pg_destroy(ngx_scale_pg_t *pg)
{
    ngx_uint_t  i;

    pg->closing = 1;

    for (i = 0; i < pg->nservers; i++) {
        ngx_scale_pg_destroy_server(&pg->servers[i]);
    }

    if (pg->tick.timer_set) {
        ngx_del_timer(&pg->tick);
    }

    if (pg->again.timer_set) {
        ngx_del_timer(&pg->again);
    }

    if (pg->pump.posted) {
        ngx_delete_posted_event(&pg->pump);
    }

    ngx_scale_pg_password_wipe(pg);
}


static void
ngx_scale_pg_destroy_server(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {

        while (server->pools[i].open) {
            conn = server->pools[i].open;

            conn->tail = conn->head;
            conn->looking = NULL;

            ngx_scale_pg_close(conn, NULL);
        }
    }

    if (server->timer.timer_set) {
        ngx_del_timer(&server->timer);
    }

    ngx_scale_pg_quota_leave(server->quota);
}


void
ngx_scale_pg_post(ngx_scale_pg_t *pg)
{
    if (!pg->pump.posted) {
        ngx_post_event(&pg->pump, &ngx_posted_events);
    }
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


void
ngx_scale_pg_place(ngx_scale_pg_op_t *op, ngx_scale_pg_stage_e stage)
{
    if (op->stage == NGX_SCALE_PG_WAITING) {
        ngx_queue_remove(&op->queue);
        op->pg->lines[op->line].length--;

    } else if (op->stage == NGX_SCALE_PG_LOOKING) {
        op->conn->looking = NULL;
    }

    op->stage = stage;

    if (stage == NGX_SCALE_PG_LOOKING) {
        op->conn->looking = op;

    } else if (stage != NGX_SCALE_PG_SENT) {
        op->conn = NULL;
    }
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
ngx_scale_pg_reset(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_release(op);
    ngx_scale_pg_place(op, NGX_SCALE_PG_NOWHERE);

    op->received = 0;
    op->given = 0;
    op->aborted = 0;
    op->ending = 0;
    op->rolled_back = 0;
    op->replica = 0;
    op->queued = ngx_current_msec;
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


/* no replica will take it: all of them were behind */

static ngx_uint_t
ngx_scale_pg_gives_up(ngx_scale_pg_t *pg, ngx_uint_t line,
    ngx_scale_pg_op_t *op)
{
    if ((line != NGX_SCALE_PG_LINE_REPLICA
         && line != NGX_SCALE_PG_LINE_EXCLUSIVE_REPLICA
         && line != NGX_SCALE_PG_LINE_STREAM_REPLICA)
        || ngx_scale_pg_is_served(pg, line, op))
    {
        return 0;
    }

    op->on_primary = 1;

    ngx_scale_pg_enqueue(op, ngx_scale_pg_line(pg, op), 0);
    ngx_scale_pg_post(pg);

    return 1;
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


/* not looking: the connection is lost, look() or done() will follow */

void
ngx_scale_pg_commit(ngx_scale_pg_op_t *op)
{
    if (op->stage == NGX_SCALE_PG_LOOKING) {
        ngx_scale_pg_place(op, NGX_SCALE_PG_SENT);

        ngx_scale_pg_complete(op->conn, op);
        ngx_scale_pg_flush(op->conn);
    }
}


void
ngx_scale_pg_rollback(ngx_scale_pg_op_t *op)
{
    if (op->stage == NGX_SCALE_PG_LOOKING) {
        ngx_scale_pg_place(op, NGX_SCALE_PG_SENT);

        op->rolled_back = 1;

        ngx_scale_pg_end(op->conn, op, "ROLLBACK");
        ngx_scale_pg_flush(op->conn);
    }
}
