
/*
 * The keeper of a ring that is a database's: it renews the node's lease once a
 * second, and tells the database what the probes say.  Every worker has one;
 * the one whose claim is fresh does the renewing.
 */

#include "ngx_scale_keeper.h"
#include <ngx_event.h>


typedef struct {
    ngx_scale_keeper_t          *keeper;
    ngx_scale_ring_call_e        call;
    ngx_scale_pg_op_t            op;
    ngx_scale_pg_call_t          query;
    const char                  *values[4];
    unsigned                     busy:1;
} ngx_scale_keeper_call_t;


struct ngx_scale_keeper_s {
    ngx_scale_cache_store_t     *store;
    ngx_event_t                  tick;
    uint64_t                     ticked;     /* ms of CLOCK_MONOTONIC */
    uint64_t                     sent;

    ngx_scale_keeper_call_t      calls[NGX_SCALE_RING_NCALLS];
    ngx_str_t                    server;     /* that a report is about */
    u_char                       server_name[NGX_SCALE_VIEW_NAME + 1];
    u_char                       node[NGX_INT64_LEN + 1];
    u_char                       stamp[NGX_INT64_LEN + 1];
    u_char                       epoch[NGX_INT64_LEN + 1];
    u_char                      *cache;
    u_char                      *name;
    u_char                      *answering;
    ngx_scale_view_t             view;
    ngx_log_t                   *log;
    unsigned                     again:1;    /* as soon as it is here */
    unsigned                     failed:1;
};


static void ngx_scale_keeper_tick(ngx_event_t *ev);
static void ngx_scale_keeper_renew(ngx_scale_keeper_t *keeper);
static void ngx_scale_keeper_begin(ngx_scale_keeper_t *keeper);
static void ngx_scale_keeper_hurry(ngx_scale_keeper_t *keeper);
static void ngx_scale_keeper_submit(ngx_scale_keeper_t *keeper,
    ngx_scale_ring_call_e call);
static void ngx_scale_keeper_done(ngx_scale_pg_op_t *op);
static void ngx_scale_keeper_failed(ngx_scale_keeper_t *keeper,
    ngx_scale_pg_op_t *op);
static void ngx_scale_keeper_refreshed(ngx_scale_keeper_t *keeper,
    ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_keeper_report(void *data,
    ngx_scale_cache_report_t *report);
static void ngx_scale_keeper_array(ngx_scale_keeper_t *keeper,
    ngx_scale_cache_report_t *report);
static void ngx_scale_keeper_judged(ngx_scale_keeper_t *keeper,
    ngx_scale_ring_call_e call, ngx_str_t *verdict);


#define NGX_SCALE_KEEPER_NAME      300

#define NGX_SCALE_KEEPER_TICK      500     /* ms */
#define NGX_SCALE_KEEPER_RENEW     900
#define NGX_SCALE_KEEPER_PATIENCE  1200    /* with another worker's claim */
#define NGX_SCALE_KEEPER_TIMEOUT   2500    /* of a renewal */
#define NGX_SCALE_KEEPER_JUMP      1000    /* this process stood still */


ngx_scale_keeper_t *
ngx_scale_keeper_create(ngx_cycle_t *cycle, ngx_scale_cache_store_t *store,
    uint64_t node)
{
    ngx_uint_t           i;
    ngx_scale_keeper_t  *keeper;

    keeper = ngx_pcalloc(cycle->pool, sizeof(ngx_scale_keeper_t));
    if (keeper == NULL) {
        return NULL;
    }

    keeper->store = store;
    keeper->log = cycle->log;
    keeper->cache = ngx_pcalloc(cycle->pool, store->conf.name.len + 1);
    keeper->name = ngx_pcalloc(cycle->pool, NGX_SCALE_KEEPER_NAME);
    keeper->answering = ngx_palloc(cycle->pool, NGX_SCALE_VIEW_NODES
                                        * (NGX_SCALE_VIEW_NAME + 3) + 3);

    if (keeper->cache == NULL || keeper->name == NULL
        || keeper->answering == NULL)
    {
        return NULL;
    }

    ngx_memcpy(keeper->cache, store->conf.name.data, store->conf.name.len);
    ngx_snprintf(keeper->name, NGX_SCALE_KEEPER_NAME - 1, "%V/%P",
                 &cycle->hostname, ngx_parent);
    ngx_sprintf(keeper->node, "%uL", node);

    for (i = 0; i < NGX_SCALE_RING_NCALLS; i++) {
        keeper->calls[i].keeper = keeper;
        keeper->calls[i].call = i;
    }

    keeper->tick.handler = ngx_scale_keeper_tick;
    keeper->tick.data = keeper;
    keeper->tick.log = cycle->log;
    keeper->tick.cancelable = 1;

    ngx_add_timer(&keeper->tick, 1);

    ngx_scale_cache_on_report(store->cache, ngx_scale_keeper_report, keeper);

    return keeper;
}


void
ngx_scale_keeper_destroy(ngx_scale_keeper_t *keeper)
{
    if (keeper->tick.timer_set) {
        ngx_del_timer(&keeper->tick);
    }
}


/*
 * Who stood still does not know for how long by a clock that stood still with
 * it (a paused virtual machine): the lease is dropped.
 */

static void
ngx_scale_keeper_tick(ngx_event_t *ev)
{
    ngx_scale_keeper_t  *keeper = ev->data;

    uint64_t                  now, passed;
    ngx_scale_zone_cache_t   *record;
    ngx_scale_keeper_call_t  *refresh;

    ngx_add_timer(&keeper->tick, NGX_SCALE_KEEPER_TICK);

    now = ngx_scale_zone_now();
    passed = keeper->ticked ? now - keeper->ticked : 0;
    keeper->ticked = now;
    record = keeper->store->record;
    refresh = &keeper->calls[NGX_SCALE_RING_REFRESH];

    ngx_scale_cache_look(keeper->store->cache);

    if (ngx_exiting
        || ngx_scale_zone_keep(record, NGX_SCALE_KEEPER_PATIENCE) != NGX_OK)
    {
        return;
    }

    if (passed > NGX_SCALE_KEEPER_TICK + NGX_SCALE_KEEPER_JUMP) {
        ngx_scale_zone_drop(record);
        keeper->sent = 0;

        ngx_log_error(NGX_LOG_WARN, keeper->log, 0,
                      "cache \"%V\": this process stood still for %uL ms; the "
                      "cache is not used until its ring is confirmed",
                      &keeper->store->conf.name, passed);
    }

    if (refresh->busy && now - keeper->sent > NGX_SCALE_KEEPER_TIMEOUT) {
        (void) ngx_scale_pg_cancel(&refresh->op);
        ngx_scale_pg_release(&refresh->op);
        refresh->busy = 0;
    }

    if (now - keeper->sent >= NGX_SCALE_KEEPER_RENEW) {
        ngx_scale_keeper_renew(keeper);
    }

    if (record->renew && keeper->view.epoch) {
        ngx_scale_keeper_begin(keeper);
    }
}


/* a new epoch, since a database that is cached here has failed over */

static void
ngx_scale_keeper_begin(ngx_scale_keeper_t *keeper)
{
    ngx_scale_keeper_call_t  *c;

    c = &keeper->calls[NGX_SCALE_RING_RENEW];

    if (c->busy) {
        return;
    }

    keeper->store->record->renew = 0;

    *ngx_sprintf(keeper->epoch, "%uL", keeper->view.epoch) = '\0';

    c->values[0] = (char *) keeper->cache;
    c->values[1] = (char *) keeper->epoch;

    ngx_scale_keeper_submit(keeper, NGX_SCALE_RING_RENEW);
}


static void
ngx_scale_keeper_renew(ngx_scale_keeper_t *keeper)
{
    ngx_scale_keeper_call_t  *refresh;

    refresh = &keeper->calls[NGX_SCALE_RING_REFRESH];

    if (refresh->busy) {
        keeper->again = 1;
        return;
    }

    refresh->values[0] = (char *) keeper->cache;
    refresh->values[1] = (char *) keeper->node;
    refresh->values[2] = (char *) keeper->name;

    keeper->again = 0;
    keeper->sent = ngx_scale_zone_now();

    ngx_scale_keeper_submit(keeper, NGX_SCALE_RING_REFRESH);
}


/* something has changed: the others of this node learn it from this worker */

static void
ngx_scale_keeper_hurry(ngx_scale_keeper_t *keeper)
{
    if (ngx_scale_zone_keep(keeper->store->record, 0) == NGX_OK) {
        ngx_scale_keeper_renew(keeper);
    }
}


/* a transaction has a connection of its own: no slow write is before it */

static void
ngx_scale_keeper_submit(ngx_scale_keeper_t *keeper, ngx_scale_ring_call_e call)
{
    ngx_scale_pg_op_t        *op;
    ngx_scale_cluster_t      *cluster;
    ngx_scale_keeper_call_t  *c;

    c = &keeper->calls[call];
    op = &c->op;

    ngx_memzero(op, sizeof(ngx_scale_pg_op_t));
    ngx_memzero(&c->query, sizeof(ngx_scale_pg_call_t));

    c->query.statement = &keeper->store->calls[call];
    c->query.values = c->values;
    c->busy = 1;

    op->kind = NGX_SCALE_PG_TRANSACTION;
    op->calls = &c->query;
    op->ncalls = 1;
    op->urgent = 1;
    op->done = ngx_scale_keeper_done;
    op->data = c;

    cluster = keeper->store->database->clusters.elts;

    ngx_scale_pg_submit(cluster->pg, op);
}


static void
ngx_scale_keeper_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_keeper_call_t  *c = op->data;

    ngx_str_t            verdict;
    ngx_scale_rows_t    *rows;
    ngx_scale_keeper_t  *keeper;

    keeper = c->keeper;
    rows = &c->query.rows;
    c->busy = 0;

    if (op->cause != NGX_SCALE_CAUSE_NONE) {
        ngx_scale_keeper_failed(keeper, op);

        if (c->call == NGX_SCALE_RING_RENEW) {
            keeper->store->record->renew = 1;
        }

    } else if (c->call == NGX_SCALE_RING_REFRESH) {
        ngx_scale_keeper_refreshed(keeper, op);

    } else if (rows->nrows && rows->get(rows, 0, 0, &verdict) == NGX_OK) {
        ngx_scale_keeper_judged(keeper, c->call, &verdict);
    }

    ngx_scale_pg_release(op);

    if (c->call == NGX_SCALE_RING_REFRESH && keeper->again) {
        ngx_scale_keeper_renew(keeper);
    }
}


/* said once, until it succeeds */

static void
ngx_scale_keeper_failed(ngx_scale_keeper_t *keeper, ngx_scale_pg_op_t *op)
{
    ngx_scale_cache_store_t  *store;

    if (keeper->failed) {
        return;
    }

    keeper->failed = 1;
    store = keeper->store;

    ngx_log_error(NGX_LOG_ERR, keeper->log, 0,
                  "cache \"%V\": its ring in database \"%V\" cannot be asked "
                  "for%s%s: the cache is not used and writes wait%s",
                  &store->conf.name, &store->ring,
                  op->error.sqlstate[0] ? ", SQLSTATE " : "",
                  op->error.sqlstate,
                  ngx_strncmp(op->error.sqlstate, "42", 2) == 0
                  || ngx_strncmp(op->error.sqlstate, "3F", 2) == 0
                  ? "; apply conf/sql/scale.sql" : "");
}


static void
ngx_scale_keeper_refreshed(ngx_scale_keeper_t *keeper, ngx_scale_pg_op_t *op)
{
    ngx_str_t                 reason;
    ngx_scale_view_t         *view;
    ngx_scale_cache_store_t  *store;

    store = keeper->store;
    view = &keeper->view;

    if (ngx_scale_view_parse(view, &op->calls[0].rows, &reason) != NGX_OK) {

        if (!keeper->failed) {
            ngx_log_error(NGX_LOG_ERR, keeper->log, 0,
                          "cache \"%V\": its ring in database \"%V\" is not "
                          "understood: %V; the cache is not used and writes "
                          "wait", &store->conf.name, &store->ring, &reason);
        }

        keeper->failed = 1;
        return;
    }

    if (keeper->failed) {
        keeper->failed = 0;
        ngx_log_error(NGX_LOG_NOTICE, keeper->log, 0,
                      "cache \"%V\": its ring in database \"%V\" is confirmed "
                      "again", &store->conf.name, &store->ring);
    }

    if (ngx_scale_zone_confirm(store->record, view, keeper->sent) == NGX_OK) {
        ngx_log_error(NGX_LOG_NOTICE, keeper->log, 0,
                      "cache \"%V\": its ring has changed: %ui servers, %ui "
                      "versions%s", &store->conf.name,
                      (ngx_uint_t) view->nnodes, (ngx_uint_t) view->nversions,
                      view->off ? ", off" : "");
    }

    ngx_scale_cache_look(store->cache);
    ngx_scale_keeper_compare(store, view, keeper->log);
}


static ngx_int_t
ngx_scale_keeper_report(void *data, ngx_scale_cache_report_t *report)
{
    ngx_scale_keeper_t  *keeper = data;

    ngx_scale_ring_call_e     call;
    ngx_scale_keeper_call_t  *c;

    static ngx_scale_ring_call_e  calls[] = {
        NGX_SCALE_RING_EJECT, NGX_SCALE_RING_READMIT, NGX_SCALE_RING_ON
    };

    call = calls[report->finding];
    c = &keeper->calls[call];

    if (keeper->calls[NGX_SCALE_RING_EJECT].busy
        || keeper->calls[NGX_SCALE_RING_READMIT].busy
        || keeper->calls[NGX_SCALE_RING_ON].busy || ngx_exiting)
    {
        return NGX_BUSY;
    }

    *ngx_sprintf(keeper->stamp, "%uL", report->stamp) = '\0';

    c->values[0] = (char *) keeper->cache;

    if (report->finding == NGX_SCALE_CACHE_ON) {
        ngx_scale_keeper_array(keeper, report);

        c->values[1] = (char *) keeper->stamp;
        c->values[2] = (char *) keeper->node;
        c->values[3] = (char *) keeper->answering;

    } else {
        keeper->server.data = keeper->server_name;
        keeper->server.len = report->server.len;
        *ngx_cpymem(keeper->server.data, report->server.data,
                    report->server.len) = '\0';

        c->values[1] = (char *) keeper->server_name;
        c->values[2] = (char *) keeper->stamp;
        c->values[3] = (char *) keeper->node;
    }

    ngx_scale_keeper_submit(keeper, call);

    return NGX_OK;
}


/* an array's literal; the addresses that scale.ring_add() takes need no more */

static void
ngx_scale_keeper_array(ngx_scale_keeper_t *keeper,
    ngx_scale_cache_report_t *report)
{
    u_char      *p;
    ngx_uint_t   i;

    p = keeper->answering;
    *p++ = '{';

    for (i = 0; i < report->nanswering; i++) {
        if (i) {
            *p++ = ',';
        }

        *p++ = '"';
        p = ngx_cpymem(p, report->answering[i].data, report->answering[i].len);
        *p++ = '"';
    }

    *p++ = '}';
    *p = '\0';
}


/* "declined" may mean that another node was first: that is worth a look, too */

static void
ngx_scale_keeper_judged(ngx_scale_keeper_t *keeper, ngx_scale_ring_call_e call,
    ngx_str_t *verdict)
{
    ngx_uint_t                declined;
    ngx_scale_zone_counts_t  *counts;

    counts = &keeper->store->record->counts;
    declined = ngx_strncmp(verdict->data, "declined", verdict->len) == 0;

    if (declined && call != NGX_SCALE_RING_EJECT) {
        return;
    }

    ngx_scale_keeper_hurry(keeper);

    if (declined || call == NGX_SCALE_RING_RENEW) {
        return;
    }

    (void) ngx_atomic_fetch_add(call == NGX_SCALE_RING_EJECT
                                ? &counts->ejected : &counts->readmitted, 1);

    if (call == NGX_SCALE_RING_ON) {
        ngx_log_error(NGX_LOG_NOTICE, keeper->log, 0,
                      "cache \"%V\": its servers answer again and the ring is "
                      "in use, empty", &keeper->store->conf.name);

    } else if (call == NGX_SCALE_RING_READMIT) {
        ngx_log_error(NGX_LOG_NOTICE, keeper->log, 0,
                      "cache \"%V\": \"%V\" answers again and is in use, empty",
                      &keeper->store->conf.name, &keeper->server);

    } else {
        ngx_log_error(NGX_LOG_ERR, keeper->log, 0,
                      "cache \"%V\": \"%V\" does not answer and is out of use "
                      "until it does%s", &keeper->store->conf.name,
                      &keeper->server,
                      ngx_strncmp(verdict->data, "off", verdict->len) == 0
                      ? ", as is the whole ring: too many fail" : "");
    }
}
