
/*
 * The driver of the steps, and the one caller of ngx_http_finalize_request().
 */

#include "ngx_scale_flow.h"


static void ngx_scale_flow_came(ngx_http_request_t *r);
static void ngx_scale_flow_run(ngx_scale_flow_t *f, ngx_int_t rc);
static void ngx_scale_flow_skip(ngx_scale_flow_t *f, ngx_int_t rc);
static void ngx_scale_flow_park(ngx_scale_flow_t *f);
static void ngx_scale_flow_hold(ngx_scale_flow_t *f);
static void ngx_scale_flow_finish(ngx_scale_flow_t *f);
static void ngx_scale_flow_expire(ngx_event_t *ev);
static void ngx_scale_flow_release(void *data);


ngx_scale_flow_t *
ngx_scale_flow_create(ngx_http_request_t *r, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_flow_t    *f;
    ngx_http_cleanup_t  *cln;

    f = (ngx_scale_flow_t *) ngx_scale_ctx_create(r, sizeof(ngx_scale_flow_t),
                                                  NULL);
    if (f == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_scale_flow_release;
    cln->data = f;

    f->r = r;
    f->loc = loc;
    f->main = ngx_http_get_module_main_conf(r, ngx_scale_module);
    f->ctx.route = loc->http.route;
    f->deadline = ngx_current_msec + loc->deadline;

    f->timer.handler = ngx_scale_flow_expire;
    f->timer.data = f;
    f->timer.log = r->connection->log;

    return f;
}


ngx_int_t
ngx_scale_flow_start(ngx_scale_flow_t *f, ngx_scale_step_t *steps)
{
    f->steps = steps;
    f->step = steps;
    f->direct = 1;

    ngx_scale_flow_run(f, f->step->run(f));

    return f->parked ? NGX_DONE : f->rc;
}


ngx_int_t
ngx_scale_flow_body(ngx_scale_flow_t *f)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = f->r;

    if (!f->method->body) {
        return ngx_http_discard_request_body(r);
    }

    rc = ngx_http_read_client_request_body(r, ngx_scale_flow_came);

    /* nginx has counted it: the flow is counted already, or will be */

    if (rc == NGX_OK || rc == NGX_AGAIN) {
        r->main->count--;
    }

    f->reading = rc == NGX_AGAIN;

    return rc;
}


ngx_scale_flow_t *
ngx_scale_flow_within(ngx_scale_flow_t *f, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_flow_t  *inner;

    inner = ngx_pcalloc(f->r->pool, sizeof(ngx_scale_flow_t));
    if (inner == NULL) {
        return NULL;
    }

    inner->r = f->r;
    inner->main = f->main;
    inner->loc = loc;
    inner->method = loc->methods->elts;
    inner->outer = f;
    inner->deadline = f->deadline;

    inner->timer.handler = ngx_scale_flow_expire;
    inner->timer.data = inner;
    inner->timer.log = f->timer.log;

    return inner;
}


ngx_int_t
ngx_scale_flow_run_within(ngx_scale_flow_t *inner, ngx_scale_step_t *steps)
{
    inner->steps = steps;
    inner->step = steps;
    inner->direct = 1;

    ngx_scale_flow_run(inner, inner->step->run(inner));

    return inner->parked ? NGX_AGAIN : NGX_OK;
}


void
ngx_scale_flow_end_within(ngx_scale_flow_t *inner)
{
    ngx_scale_flow_release(inner);
}


/* the deadline is not the client's, who may be slow */

static void
ngx_scale_flow_came(ngx_http_request_t *r)
{
    ngx_scale_flow_t  *f;

    f = (ngx_scale_flow_t *) ngx_scale_ctx_get(r);

    if (!f->reading) {
        return;
    }

    f->reading = 0;
    f->deadline = ngx_current_msec + f->loc->deadline;

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    ngx_scale_flow_resume(f, NGX_OK);
}


/* from the current step on, which has returned "rc" */

static void
ngx_scale_flow_run(ngx_scale_flow_t *f, ngx_int_t rc)
{
    for ( ;; ) {

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, f->r->connection->log, 0,
                       "scale flow %s: %i", f->step->name, rc);

        if (rc == NGX_AGAIN) {
            ngx_scale_flow_park(f);
            return;
        }

        if (rc == NGX_OK) {
            f->step++;

        } else {
            ngx_scale_flow_skip(f, rc);
        }

        if (f->step->run == NULL) {
            ngx_scale_flow_finish(f);
            return;
        }

        rc = f->step->run(f);
    }
}


static void
ngx_scale_flow_skip(ngx_scale_flow_t *f, ngx_int_t rc)
{
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        f->rc = rc;

    } else if (rc == NGX_ERROR
               || (rc == NGX_DECLINED
                   && f->problem.cause == NGX_SCALE_CAUSE_NONE))
    {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_INTERNAL);
    }

    do {
        f->step++;
    } while (f->step->run
             && (rc >= NGX_HTTP_SPECIAL_RESPONSE || !f->step->all));
}


ngx_int_t
ngx_scale_flow_refuse(ngx_scale_flow_t *f, ngx_scale_cause_e cause)
{
    f->problem.cause = cause;
    f->ctx.problem = &f->problem;

    return NGX_DECLINED;
}


static void
ngx_scale_flow_park(ngx_scale_flow_t *f)
{
    f->parked = 1;

    if (f->outer == NULL) {
        ngx_scale_flow_hold(f);
    }

    f->direct = 0;

    if (!f->reading && !f->timer.timer_set) {
        ngx_scale_flow_watch(f, f->loc->deadline);
    }
}


/* the request; a write goes on without its client, a read does not */

static void
ngx_scale_flow_hold(ngx_scale_flow_t *f)
{
    if (f->direct) {
        f->r->main->count++;
    }

    if (!f->reading) {
        ngx_scale_flow_attend(f);
    }
}


void
ngx_scale_flow_attend(ngx_scale_flow_t *f)
{
    f->r->read_event_handler = f->method->write && !f->idle
                               ? ngx_http_block_reading
                               : ngx_http_test_reading;
}


void
ngx_scale_flow_watch(ngx_scale_flow_t *f, ngx_msec_t patience)
{
    ngx_msec_int_t  left;

    left = f->deadline - ngx_current_msec;
    left = ngx_min(left, (ngx_msec_int_t) patience);

    ngx_add_timer(&f->timer, (ngx_msec_t) ngx_max(left, 1));
}


void
ngx_scale_flow_resume(ngx_scale_flow_t *f, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = f->r->connection;

    ngx_http_set_log_request(c->log, f->r);

    ngx_scale_flow_run(f, rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_scale_flow_expire(ngx_event_t *ev)
{
    ngx_scale_flow_t  *f = ev->data;

    ngx_int_t  rc;

    if (f->step->expire == NULL) {
        return;
    }

    rc = f->step->expire(f);

    if (rc != NGX_AGAIN) {
        f->late = 1;
        ngx_scale_flow_resume(f, rc);
    }
}


static void
ngx_scale_flow_finish(ngx_scale_flow_t *f)
{
    /* the handler's caller does it with what the handler returns */

    if (f->direct) {
        return;
    }

    ngx_scale_flow_release(f);

    if (f->outer) {
        f->done(f);
        return;
    }

    ngx_http_finalize_request(f->r, f->rc);
}


/* the request is over or gone, whatever it waited for */

static void
ngx_scale_flow_release(void *data)
{
    ngx_scale_flow_t  *f = data;

    ngx_scale_step_t  *step;

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    /* what was begun last, the parked one, first */

    for (step = f->step + 1; step != f->steps; /* void */ ) {
        step--;

        if (step->release) {
            step->release(f);
        }
    }
}
