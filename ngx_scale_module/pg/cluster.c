
/*
 * A worker's cluster: bounded queues, the choice of a connection, and the
 * pump that sends once per turn of the event loop what waits.
 */

#include "pg/pg_int.h"


static void ngx_scale_pg_share(ngx_scale_pg_t *pg, ngx_uint_t worker,
    ngx_uint_t nworkers);
static ngx_int_t ngx_scale_pg_create_server(ngx_scale_pg_t *pg,
    ngx_scale_pg_server_t *server);
static void ngx_scale_pg_pump_handler(ngx_event_t *ev);
static void ngx_scale_pg_pump_line(ngx_scale_pg_t *pg, ngx_uint_t line);
static ngx_scale_pg_conn_t *ngx_scale_pg_choose(ngx_scale_pg_t *pg,
    ngx_uint_t class, ngx_scale_pg_op_t *op);
static ngx_uint_t ngx_scale_pg_cost(ngx_scale_pg_conn_t *conn,
    ngx_scale_pg_op_t *op);
static void ngx_scale_pg_grow(ngx_scale_pg_t *pg, ngx_uint_t class);
static void ngx_scale_pg_tick_handler(ngx_event_t *ev);
static void ngx_scale_pg_refuse(ngx_scale_pg_t *pg);
static ngx_uint_t ngx_scale_pg_line(ngx_scale_pg_t *pg,
    ngx_scale_pg_op_t *op);


/* operations in flight on one connection of a class */

static ngx_uint_t  ngx_scale_pg_depths[NGX_SCALE_PG_NCLASSES] = {
    32, 4, 1, 8
};

#define NGX_SCALE_PG_BATCH       16     /* of one Sync */
#define NGX_SCALE_PG_TICK        20     /* ms */
#define NGX_SCALE_PG_STUCK       50     /* ms, then others go elsewhere */

#define NGX_SCALE_PG_NONE        ((ngx_uint_t) -1)


ngx_scale_pg_t *
ngx_scale_pg_create(ngx_pool_t *pool, ngx_scale_pg_conf_t *conf,
    ngx_uint_t worker, ngx_uint_t nworkers, ngx_log_t *log)
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
    pg->nservers = conf->servers.nelts;

    ngx_queue_init(&pg->refused);

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        ngx_queue_init(&pg->queues[i].ops);
    }

    ngx_scale_pg_share(pg, worker, nworkers);

    ngx_str_set(&pg->cancel.sql, "SELECT pg_cancel_backend($1::int)");
    pg->cancel.nparams = 1;
    pg->cancel.oids = ngx_pcalloc(pool, sizeof(ngx_uint_t));
    pg->cancel.index = conf->statements.nelts;

    pg->slow = ngx_pcalloc(pool, conf->statements.nelts + 1);
    pg->servers = ngx_pcalloc(pool, pg->nservers
                                    * sizeof(ngx_scale_pg_server_t));

    if (pg->cancel.oids == NULL || pg->slow == NULL || pg->servers == NULL) {
        return NULL;
    }

    for (i = 0; i < pg->nservers; i++) {
        pg->servers[i].conf = (ngx_scale_pg_server_conf_t *)
                                  conf->servers.elts + i;

        if (ngx_scale_pg_create_server(pg, &pg->servers[i]) != NGX_OK) {
            return NULL;
        }
    }

    pg->pump.handler = ngx_scale_pg_pump_handler;
    pg->pump.data = pg;
    pg->pump.log = log;

    pg->tick.handler = ngx_scale_pg_tick_handler;
    pg->tick.data = pg;
    pg->tick.log = log;
    pg->tick.cancelable = 1;

    ngx_scale_pg_grow(pg, NGX_SCALE_PG_CLASS_READ);
    ngx_scale_pg_grow(pg, NGX_SCALE_PG_CLASS_WRITE);
    ngx_scale_pg_grow(pg, NGX_SCALE_PG_CLASS_EXCLUSIVE);

    return pg;
}


/*
 * The node's connections divided among workers, and a worker's among classes.
 * Two for reads: one leaves the server idle while a batch travels, many lose
 * the batching.
 */

static void
ngx_scale_pg_share(ngx_scale_pg_t *pg, ngx_uint_t worker, ngx_uint_t nworkers)
{
    ngx_uint_t             n;
    ngx_scale_pg_queue_t  *q;

    q = pg->queues;

    n = pg->conf->connections / nworkers
        + (worker < pg->conf->connections % nworkers);

    q[NGX_SCALE_PG_CLASS_CONTROL].nconns = 1;
    q[NGX_SCALE_PG_CLASS_READ].nconns = (n < 6) ? 1 : 2;

    n -= 1 + q[NGX_SCALE_PG_CLASS_READ].nconns;

    q[NGX_SCALE_PG_CLASS_EXCLUSIVE].nconns = n / 2;
    q[NGX_SCALE_PG_CLASS_WRITE].nconns = n - n / 2;
}


static ngx_int_t
ngx_scale_pg_create_server(ngx_scale_pg_t *pg, ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i, n;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        n = pg->queues[i].nconns;

        conn = ngx_pcalloc(pg->pool, n * sizeof(ngx_scale_pg_conn_t));
        if (conn == NULL) {
            return NGX_ERROR;
        }

        server->conns[i] = conn;

        for ( /* void */ ; n; n--, conn++) {
            conn->pg = pg;
            conn->server = server;
            conn->class = i;
            conn->prepared = ngx_pcalloc(pg->pool,
                                         (pg->conf->statements.nelts + 1)
                                         * sizeof(uint32_t));

            if (conn->prepared == NULL) {
                return NGX_ERROR;
            }

            ngx_scale_pg_conn_init(conn);
        }
    }

    return NGX_OK;
}


void
ngx_scale_pg_destroy(ngx_scale_pg_t *pg)
{
    ngx_uint_t            i, j, n;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < pg->nservers; i++) {
        for (j = 0; j < NGX_SCALE_PG_NCLASSES; j++) {
            conn = pg->servers[i].conns[j];

            for (n = pg->queues[j].nconns; n; n--, conn++) {
                if (conn->state != NGX_SCALE_PG_CLOSED) {
                    conn->tail = conn->head;
                    ngx_scale_pg_close(conn, NULL);
                }
            }
        }
    }

    if (pg->tick.timer_set) {
        ngx_del_timer(&pg->tick);
    }

    if (pg->pump.posted) {
        ngx_delete_posted_event(&pg->pump);
    }
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
    ngx_scale_pg_queue_t  *line;

    op->pg = pg;
    op->time = -1;
    op->started = ngx_scale_pg_now();
    op->queued = ngx_current_msec;
    op->line = ngx_scale_pg_line(pg, op);
    op->waiting = 1;

    line = &pg->queues[op->line];

    if (line->length < pg->conf->queue) {
        line->length++;
        ngx_queue_insert_tail(&line->ops, &op->queue);

    } else {
        op->line = NGX_SCALE_PG_NONE;
        ngx_queue_insert_tail(&pg->refused, &op->queue);
    }

    ngx_scale_pg_post(pg);
}


static ngx_uint_t
ngx_scale_pg_line(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op)
{
    if (op->kind == NGX_SCALE_PG_TRANSACTION || op->timeout) {
        return NGX_SCALE_PG_CLASS_EXCLUSIVE;
    }

    if (op->calls[0].statement == &pg->cancel) {
        return NGX_SCALE_PG_CLASS_CONTROL;
    }

    if (op->kind == NGX_SCALE_PG_WRITE) {
        return NGX_SCALE_PG_CLASS_WRITE;
    }

    return pg->slow[op->calls[0].statement->index]
           ? NGX_SCALE_PG_CLASS_EXCLUSIVE : NGX_SCALE_PG_CLASS_READ;
}


/* once more, before all others: it has waited already */

void
ngx_scale_pg_requeue(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_t  *pg;

    pg = op->pg;

    ngx_scale_pg_release(op);

    op->attempts++;
    op->active = 0;
    op->conn = NULL;
    op->received = 0;
    op->aborted = 0;
    op->looking = 0;
    op->ending = 0;
    op->rolled_back = 0;

    op->waiting = 1;
    op->queued = ngx_current_msec;
    op->line = ngx_scale_pg_line(pg, op);

    pg->queues[op->line].length++;
    ngx_queue_insert_head(&pg->queues[op->line].ops, &op->queue);

    ngx_scale_pg_post(pg);
}


void
ngx_scale_pg_dequeue(ngx_scale_pg_op_t *op)
{
    ngx_queue_remove(&op->queue);

    if (op->line != NGX_SCALE_PG_NONE) {
        op->pg->queues[op->line].length--;
    }

    op->waiting = 0;
}


static void
ngx_scale_pg_pump_handler(ngx_event_t *ev)
{
    ngx_scale_pg_t  *pg = ev->data;

    ngx_uint_t            i, j, n, waiting;
    ngx_scale_pg_conn_t  *conn;

    ngx_scale_pg_refuse(pg);

    waiting = 0;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        ngx_scale_pg_pump_line(pg, i);
        waiting += pg->queues[i].length;
    }

    for (i = 0; i < pg->nservers; i++) {
        for (j = 0; j < NGX_SCALE_PG_NCLASSES; j++) {
            conn = pg->servers[i].conns[j];

            for (n = pg->queues[j].nconns; n; n--, conn++) {
                if (conn->state != NGX_SCALE_PG_READY) {
                    continue;
                }

                if (conn->batch) {
                    ngx_scale_pg_sync(conn, NULL, 0);
                }

                ngx_scale_pg_flush(conn);
            }
        }
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

    ops = &pg->queues[line].ops;

    while (!ngx_queue_empty(ops)) {
        op = ngx_queue_data(ngx_queue_head(ops), ngx_scale_pg_op_t, queue);

        conn = ngx_scale_pg_choose(pg, line, op);

        if (conn == NULL && line == NGX_SCALE_PG_CLASS_READ) {
            conn = ngx_scale_pg_choose(pg, NGX_SCALE_PG_CLASS_EXCLUSIVE, op);
        }

        if (conn == NULL || conn->depth) {
            ngx_scale_pg_grow(pg, line);
        }

        if (conn == NULL) {
            return;
        }

        ngx_scale_pg_dequeue(op);
        ngx_scale_pg_send(conn, op);

        if (conn->batch >= NGX_SCALE_PG_BATCH) {
            ngx_scale_pg_sync(conn, NULL, 0);
        }
    }
}


static ngx_scale_pg_conn_t *
ngx_scale_pg_choose(ngx_scale_pg_t *pg, ngx_uint_t class,
    ngx_scale_pg_op_t *op)
{
    ngx_uint_t            i, n, cost, best;
    ngx_scale_pg_conn_t  *conn, *chosen;

    chosen = NULL;
    best = NGX_SCALE_PG_NONE;

    for (i = 0; i < pg->nservers; i++) {
        conn = pg->servers[i].conns[class];

        for (n = pg->queues[class].nconns; n; n--, conn++) {
            cost = ngx_scale_pg_cost(conn, op);

            if (cost < best) {
                best = cost;
                chosen = conn;
            }
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
        || conn->broken.posted
        || conn->exclusive
        || conn->depth >= ngx_scale_pg_depths[conn->class])
    {
        return NGX_SCALE_PG_NONE;
    }

    /* BEGIN and its timeout, three slots per call, END twice with its Syncs */

    room = NGX_SCALE_PG_SLOTS - (conn->tail - conn->head);

    if (room < 3 * op->ncalls + 8) {
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


/* one more connection of a class, where none is opening already */

static void
ngx_scale_pg_grow(ngx_scale_pg_t *pg, ngx_uint_t class)
{
    ngx_uint_t              i, n;
    ngx_scale_pg_conn_t    *conn, *closed;
    ngx_scale_pg_server_t  *server;

    for (i = 0; i < pg->nservers; i++) {
        server = &pg->servers[i];
        closed = NULL;

        if ((ngx_msec_int_t) (server->retry_at - ngx_current_msec) > 0
            && server->backoff)
        {
            continue;
        }

        for (n = pg->queues[class].nconns, conn = server->conns[class];
             n;
             n--, conn++)
        {
            if (conn->state == NGX_SCALE_PG_CLOSED && !conn->broken.posted) {
                closed = conn;

            } else if (conn->state != NGX_SCALE_PG_READY) {
                return;
            }
        }

        if (closed) {
            ngx_scale_pg_connect(closed);
        }
    }
}


/* while something waits: who waited too long, and who may connect again */

static void
ngx_scale_pg_tick_handler(ngx_event_t *ev)
{
    ngx_scale_pg_t  *pg = ev->data;

    ngx_uint_t          i;
    ngx_queue_t        *ops;
    ngx_scale_pg_op_t  *op;

    for (i = 0; i < NGX_SCALE_PG_NCLASSES; i++) {
        ops = &pg->queues[i].ops;

        while (!ngx_queue_empty(ops)) {
            op = ngx_queue_data(ngx_queue_head(ops), ngx_scale_pg_op_t, queue);

            if (ngx_current_msec - op->queued < pg->conf->queue_timeout) {
                break;
            }

            ngx_scale_pg_dequeue(op);
            op->line = NGX_SCALE_PG_NONE;
            op->waiting = 1;
            ngx_queue_insert_tail(&pg->refused, &op->queue);
        }
    }

    ngx_scale_pg_post(pg);
}


static void
ngx_scale_pg_refuse(ngx_scale_pg_t *pg)
{
    ngx_uint_t          i, up;
    ngx_queue_t        *q;
    ngx_scale_pg_op_t  *op;

    up = 0;

    for (i = 0; i < pg->nservers; i++) {
        up |= pg->servers[i].primary;
    }

    while (!ngx_queue_empty(&pg->refused)) {
        q = ngx_queue_head(&pg->refused);
        op = ngx_queue_data(q, ngx_scale_pg_op_t, queue);

        ngx_scale_pg_dequeue(op);

        op->cause = up ? NGX_SCALE_CAUSE_QUEUE_FULL
                       : NGX_SCALE_CAUSE_UNAVAILABLE;
        op->done(op);
    }
}


void
ngx_scale_pg_commit(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn;

    /* not looking: the connection is lost, look() or done() will follow */

    if (op->looking) {
        op->looking = 0;
        conn = op->conn;

        ngx_scale_pg_end(conn, op, "COMMIT");
        ngx_scale_pg_flush(conn);
    }
}


void
ngx_scale_pg_rollback(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_conn_t  *conn;

    if (op->looking) {
        op->looking = 0;
        op->rolled_back = 1;
        conn = op->conn;

        ngx_scale_pg_end(conn, op, "ROLLBACK");
        ngx_scale_pg_flush(conn);
    }
}
