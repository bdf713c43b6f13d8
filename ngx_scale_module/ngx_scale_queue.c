
/* who waits for jobs, and how a worker hears of them */

#include "ngx_scale_queue.h"
#include "ngx_scale_query.h"
#include <ngx_event.h>


struct ngx_scale_watch_s {
    ngx_scale_database_t        *database;
    ngx_scale_main_conf_t       *main;
    ngx_scale_pg_op_t            op;
    ngx_scale_pg_call_t          query;
    const char                  *values[1];
    u_char                      *names;      /* an array's literal */
    ngx_event_t                  timer;
    ngx_log_t                   *log;
    unsigned                     busy:1;
    unsigned                     again:1;    /* as soon as it is here */
    unsigned                     failed:1;
};


static ngx_scale_watch_t *ngx_scale_queue_watch(ngx_cycle_t *cycle,
    ngx_scale_main_conf_t *main, ngx_scale_database_t *database);
static size_t ngx_scale_queue_names(ngx_scale_main_conf_t *main);
static ngx_scale_queue_t *ngx_scale_queue_named(ngx_scale_watch_t *watch,
    ngx_str_t *name);
static void ngx_scale_queue_ask(ngx_scale_watch_t *watch);
static void ngx_scale_queue_list(ngx_scale_watch_t *watch);
static void ngx_scale_queue_asked(ngx_scale_pg_op_t *op);
static void ngx_scale_queue_failed(ngx_scale_watch_t *watch);
static void ngx_scale_queue_answered(ngx_scale_watch_t *watch);
static ngx_msec_t ngx_scale_queue_row(ngx_scale_watch_t *watch,
    ngx_scale_rows_t *rows, ngx_uint_t row);
static void ngx_scale_queue_heard(void *data, ngx_str_t *payload);
static void ngx_scale_queue_soon(ngx_scale_watch_t *watch, ngx_msec_t delay);
static void ngx_scale_queue_timer(ngx_event_t *ev);
static void ngx_scale_queue_dismiss(ngx_scale_watch_t *watch);


/* ms between two questions, whatever happens */
#define NGX_SCALE_QUEUE_PAUSE     50


ngx_int_t
ngx_scale_queue_open(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main)
{
    ngx_uint_t           i, j;
    ngx_scale_queue_t  **queue;

    queue = main->queues.elts;

    for (i = 0; i < main->queues.nelts; i++) {
        ngx_queue_init(&queue[i]->line);
        queue[i]->called = NULL;
        queue[i]->watch = NULL;

        for (j = 0; j < i; j++) {
            if (queue[j]->database == queue[i]->database) {
                queue[i]->watch = queue[j]->watch;
                break;
            }
        }

        if (queue[i]->watch) {
            continue;
        }

        queue[i]->watch = ngx_scale_queue_watch(cycle, main,
                                                queue[i]->database);
        if (queue[i]->watch == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_scale_watch_t *
ngx_scale_queue_watch(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main,
    ngx_scale_database_t *database)
{
    ngx_scale_watch_t    *watch;
    ngx_scale_cluster_t  *cluster;

    watch = ngx_pcalloc(cycle->pool, sizeof(ngx_scale_watch_t));
    if (watch == NULL) {
        return NULL;
    }

    watch->names = ngx_pnalloc(cycle->pool, ngx_scale_queue_names(main));
    if (watch->names == NULL) {
        return NULL;
    }

    watch->main = main;
    watch->database = database;
    watch->log = cycle->log;

    watch->timer.handler = ngx_scale_queue_timer;
    watch->timer.data = watch;
    watch->timer.log = cycle->log;
    watch->timer.cancelable = 1;

    cluster = database->clusters.elts;

    ngx_scale_pg_on_notify(cluster->pg, ngx_scale_queue_heard, watch);

    return watch;
}


/* the longest literal: {"name","name"} */

static size_t
ngx_scale_queue_names(ngx_scale_main_conf_t *main)
{
    size_t               len;
    ngx_uint_t           i;
    ngx_scale_queue_t  **queue;

    len = sizeof("{}");
    queue = main->queues.elts;

    for (i = 0; i < main->queues.nelts; i++) {
        len += sizeof("\"\",") + queue[i]->name.len;
    }

    return len;
}


void
ngx_scale_queue_close(ngx_scale_main_conf_t *main)
{
    ngx_uint_t           i;
    ngx_scale_watch_t   *watch;
    ngx_scale_queue_t  **queue;

    queue = main->queues.elts;

    for (i = 0; i < main->queues.nelts; i++) {
        watch = queue[i]->watch;

        if (watch && watch->timer.timer_set) {
            ngx_del_timer(&watch->timer);
        }
    }
}


static ngx_scale_queue_t *
ngx_scale_queue_named(ngx_scale_watch_t *watch, ngx_str_t *name)
{
    ngx_uint_t           i;
    ngx_scale_queue_t  **queue;

    queue = watch->main->queues.elts;

    for (i = 0; i < watch->main->queues.nelts; i++) {
        if (queue[i]->watch == watch && ngx_scale_same(&queue[i]->name, name))
        {
            return queue[i];
        }
    }

    return NULL;
}


/*
 * What it has looked for in vain may be due in a moment: that is asked for,
 * too, whether or not the database knows already that somebody waits.
 */

void
ngx_scale_queue_join(ngx_scale_queue_t *queue, ngx_scale_waiter_t *waiter)
{
    ngx_uint_t           again;
    ngx_queue_t         *q;
    ngx_scale_waiter_t  *other;

    again = queue->called == waiter;

    ngx_scale_queue_leave(queue, waiter);

    for (q = ngx_queue_last(&queue->line); q != &queue->line;
         q = ngx_queue_prev(q))
    {
        other = ngx_queue_data(q, ngx_scale_waiter_t, queue);

        if (other->ticket < waiter->ticket) {
            break;
        }
    }

    ngx_queue_insert_after(q, &waiter->queue);
    waiter->of = queue;

    if (!queue->watched) {
        ngx_scale_queue_ask(queue->watch);

    } else if (again) {
        ngx_scale_queue_soon(queue->watch, NGX_SCALE_QUEUE_PAUSE);
    }
}


void
ngx_scale_queue_leave(ngx_scale_queue_t *queue, ngx_scale_waiter_t *waiter)
{
    if (waiter->of) {
        waiter->of = NULL;
        ngx_queue_remove(&waiter->queue);
    }

    if (queue->called == waiter) {
        queue->called = NULL;
    }
}


ngx_uint_t
ngx_scale_queue_has_line(ngx_scale_queue_t *queue)
{
    return queue->called || !ngx_queue_empty(&queue->line);
}


void
ngx_scale_queue_wake(ngx_scale_queue_t *queue)
{
    ngx_scale_waiter_t  *waiter;

    if (queue->called || ngx_queue_empty(&queue->line)) {
        return;
    }

    waiter = ngx_queue_data(ngx_queue_head(&queue->line), ngx_scale_waiter_t,
                            queue);

    ngx_scale_queue_leave(queue, waiter);

    queue->called = waiter;
    waiter->woken(waiter->data, NGX_OK);
}


/* which queues are waited for, and when their next jobs are due */

static void
ngx_scale_queue_ask(ngx_scale_watch_t *watch)
{
    ngx_scale_pg_op_t    *op;
    ngx_scale_cluster_t  *cluster;

    if (watch->busy) {
        watch->again = 1;
        return;
    }

    op = &watch->op;

    ngx_scale_queue_list(watch);

    ngx_memzero(op, sizeof(ngx_scale_pg_op_t));
    ngx_memzero(&watch->query, sizeof(ngx_scale_pg_call_t));

    watch->values[0] = (char *) watch->names;
    watch->query.statement = &watch->database->queue[NGX_SCALE_QUEUE_WATCH];
    watch->query.values = watch->values;
    watch->again = 0;
    watch->busy = 1;

    op->calls = &watch->query;
    op->ncalls = 1;
    op->done = ngx_scale_queue_asked;
    op->data = watch;

    cluster = watch->database->clusters.elts;

    if (ngx_scale_pg_attend(cluster->pg, op) != NGX_OK) {
        watch->busy = 0;
        ngx_scale_queue_failed(watch);
    }
}


static void
ngx_scale_queue_list(ngx_scale_watch_t *watch)
{
    u_char              *p;
    ngx_uint_t           i;
    ngx_scale_queue_t  **queue;

    p = watch->names;
    *p++ = '{';

    queue = watch->main->queues.elts;

    for (i = 0; i < watch->main->queues.nelts; i++) {

        if (queue[i]->watch != watch) {
            continue;
        }

        queue[i]->watched = !ngx_queue_empty(&queue[i]->line);

        if (queue[i]->watched) {
            if (p[-1] != '{') {
                *p++ = ',';
            }

            *p++ = '"';
            p = ngx_cpymem(p, queue[i]->name.data, queue[i]->name.len);
            *p++ = '"';
        }
    }

    *p++ = '}';
    *p = '\0';
}


static void
ngx_scale_queue_asked(ngx_scale_pg_op_t *op)
{
    ngx_scale_watch_t  *watch = op->data;

    watch->busy = 0;

    if (op->cause == NGX_SCALE_CAUSE_NONE) {
        ngx_scale_queue_answered(watch);

    } else {
        ngx_scale_queue_failed(watch);
    }

    ngx_scale_pg_release(op);

    if (watch->again) {
        ngx_scale_queue_ask(watch);
    }
}


/* said once, until it succeeds; a database that is down says so itself */

static void
ngx_scale_queue_failed(ngx_scale_watch_t *watch)
{
    u_char  *sqlstate;

    sqlstate = watch->op.error.sqlstate;

    if (sqlstate[0] && !watch->failed) {
        watch->failed = 1;

        ngx_log_error(NGX_LOG_ERR, watch->log, 0,
                      "database \"%V\": its queues cannot be watched, who "
                      "waits for a job is late: %s%s",
                      &watch->database->conf.name, sqlstate,
                      ngx_scale_refusal_remedy(sqlstate));
    }

    ngx_scale_queue_soon(watch, NGX_SCALE_QUEUE_POLL);
}


static void
ngx_scale_queue_answered(ngx_scale_watch_t *watch)
{
    ngx_msec_t         next, due;
    ngx_uint_t         i;
    ngx_scale_rows_t  *rows;

    watch->failed = 0;
    next = NGX_SCALE_QUEUE_POLL;
    rows = &watch->query.rows;

    for (i = 0; i < rows->nrows; i++) {
        due = ngx_scale_queue_row(watch, rows, i);
        next = ngx_min(next, due);
    }

    if (rows->nrows) {
        ngx_scale_queue_soon(watch, next);
    }
}


/* {name, ms until a job is due or NULL}; returns ms until it is asked again */

static ngx_msec_t
ngx_scale_queue_row(ngx_scale_watch_t *watch, ngx_scale_rows_t *rows,
    ngx_uint_t row)
{
    ngx_str_t           name, due;
    ngx_msec_int_t      msec;
    ngx_scale_queue_t  *queue;

    if (rows->get(rows, row, 0, &name) != NGX_OK
        || rows->get(rows, row, 1, &due) != NGX_OK)
    {
        return NGX_SCALE_QUEUE_POLL;
    }

    queue = ngx_scale_queue_named(watch, &name);
    if (queue == NULL) {
        return NGX_SCALE_QUEUE_POLL;
    }

    msec = ngx_atoi(due.data, due.len);

    if (msec > 0) {
        return ngx_max(msec, NGX_SCALE_QUEUE_PAUSE);
    }

    if (msec == 0) {
        ngx_scale_queue_wake(queue);
    }

    return NGX_SCALE_QUEUE_POLL;
}


/* other nodes have queues that are not known here */

static void
ngx_scale_queue_heard(void *data, ngx_str_t *payload)
{
    ngx_scale_watch_t  *watch = data;

    ngx_scale_queue_t  *queue;

    queue = ngx_scale_queue_named(watch, payload);

    if (queue) {
        queue->heard++;
        ngx_scale_queue_wake(queue);
    }
}


/* what comes first counts */

static void
ngx_scale_queue_soon(ngx_scale_watch_t *watch, ngx_msec_t delay)
{
    if (watch->timer.timer_set
        && (ngx_msec_int_t) (watch->timer.timer.key - ngx_current_msec)
           <= (ngx_msec_int_t) delay)
    {
        return;
    }

    /* nginx keeps a timer that is not much later */

    if (watch->timer.timer_set) {
        ngx_del_timer(&watch->timer);
    }

    ngx_add_timer(&watch->timer, delay);
}


static void
ngx_scale_queue_timer(ngx_event_t *ev)
{
    ngx_scale_watch_t  *watch = ev->data;

    if (ngx_exiting) {
        ngx_scale_queue_dismiss(watch);
        return;
    }

    ngx_scale_queue_ask(watch);
}


/* the worker leaves soon: its clients ask the next one */

static void
ngx_scale_queue_dismiss(ngx_scale_watch_t *watch)
{
    ngx_uint_t           i;
    ngx_scale_queue_t  **queue;
    ngx_scale_waiter_t  *waiter;

    queue = watch->main->queues.elts;

    for (i = 0; i < watch->main->queues.nelts; i++) {

        if (queue[i]->watch != watch) {
            continue;
        }

        while (!ngx_queue_empty(&queue[i]->line)) {
            waiter = ngx_queue_data(ngx_queue_head(&queue[i]->line),
                                    ngx_scale_waiter_t, queue);

            ngx_scale_queue_leave(queue[i], waiter);

            waiter->woken(waiter->data, NGX_DONE);
        }
    }
}
