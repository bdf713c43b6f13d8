
/*
 * The driver of the steps, and the one caller of ngx_http_finalize_request().
 */

#include "ngx_scale_flow.h"


static ngx_scale_method_t *ngx_scale_flow_method(ngx_scale_loc_conf_t *loc,
    ngx_uint_t method);
static ngx_int_t ngx_scale_flow_options(ngx_http_request_t *r,
    ngx_scale_loc_conf_t *loc);
static ngx_scale_flow_t *ngx_scale_flow_create(ngx_http_request_t *r,
    ngx_scale_loc_conf_t *loc);
static void ngx_scale_flow_start(ngx_http_request_t *r);
static ngx_int_t ngx_scale_flow_accept(ngx_scale_flow_t *f);
static void ngx_scale_flow_run(ngx_scale_flow_t *f);
static void ngx_scale_flow_next(ngx_scale_flow_t *f, ngx_int_t rc);
static void ngx_scale_flow_park(ngx_scale_flow_t *f);
static void ngx_scale_flow_finish(ngx_scale_flow_t *f);
static void ngx_scale_flow_deadline(ngx_event_t *ev);
static ngx_int_t ngx_scale_flow_expire(ngx_scale_flow_t *f);
static void ngx_scale_flow_cancel(void *data);


#define NGX_SCALE_STEP_SETTLE  6
#define NGX_SCALE_STEP_SEND    7


static ngx_scale_step_pt  ngx_scale_read_steps[] = {
    ngx_scale_flow_accept,
    ngx_scale_values_step,
    ngx_scale_sharding_step,
    ngx_scale_read_lookup,
    ngx_scale_read_query,
    ngx_scale_answer_render,
    ngx_scale_read_settle,
    ngx_scale_answer_send
};

static ngx_scale_step_pt  ngx_scale_write_steps[] = {
    ngx_scale_flow_accept,
    ngx_scale_values_step,
    ngx_scale_sharding_step,
    ngx_scale_write_mark,
    ngx_scale_write_query,
    ngx_scale_answer_render,
    ngx_scale_write_unmark,
    ngx_scale_answer_send
};


ngx_int_t
ngx_scale_flow_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_uint_t             method;
    ngx_scale_flow_t      *f;
    ngx_scale_loc_conf_t  *loc;

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_scale_flow_options(r, loc);
    }

    f = ngx_scale_flow_create(r, loc);
    if (f == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    method = r->method == NGX_HTTP_HEAD ? NGX_HTTP_GET : r->method;
    f->method = ngx_scale_flow_method(loc, method);

    if (f->method == NULL) {
        f->problem.allow = loc->allow;
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_METHOD);
        return ngx_scale_problem_prepare(r, &f->problem);
    }

    if (f->method->json && r->headers_in.content_length_n > 0
        && !ngx_scale_request_is_json(r))
    {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_MEDIA_TYPE);
        return ngx_scale_problem_prepare(r, &f->problem);
    }

    f->steps = f->method->write ? ngx_scale_write_steps : ngx_scale_read_steps;
    f->step = f->steps;
    f->deadline = ngx_current_msec + loc->deadline;

    if (!f->method->body) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        f->direct = 1;
        ngx_scale_flow_run(f);

        return f->parked ? NGX_DONE : f->rc;
    }

    rc = ngx_http_read_client_request_body(r, ngx_scale_flow_start);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static ngx_scale_method_t *
ngx_scale_flow_method(ngx_scale_loc_conf_t *loc, ngx_uint_t method)
{
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        if (m[i].method == method) {
            return &m[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_scale_flow_options(ngx_http_request_t *r, ngx_scale_loc_conf_t *loc)
{
    ngx_int_t             rc;
    ngx_keyval_t         *field;
    ngx_scale_response_t  response;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&response, sizeof(ngx_scale_response_t));

    response.status = NGX_HTTP_NO_CONTENT;
    response.fields = ngx_array_create(r->pool, 1, sizeof(ngx_keyval_t));
    if (response.fields == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    field = ngx_array_push(response.fields);
    ngx_str_set(&field->key, "Allow");
    field->value = loc->allow;

    return ngx_scale_response_send(r, &response);
}


static ngx_scale_flow_t *
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

    cln->handler = ngx_scale_flow_cancel;
    cln->data = f;

    f->r = r;
    f->loc = loc;
    f->main = ngx_http_get_module_main_conf(r, ngx_scale_module);
    f->ctx.route = loc->http.route;

    f->timer.handler = ngx_scale_flow_deadline;
    f->timer.data = f;
    f->timer.log = r->connection->log;

    return f;
}


/* the body is here */

static void
ngx_scale_flow_start(ngx_http_request_t *r)
{
    ngx_scale_flow_run((ngx_scale_flow_t *) ngx_scale_ctx_get(r));
}


static ngx_int_t
ngx_scale_flow_accept(ngx_scale_flow_t *f)
{
    ngx_int_t           rc;
    ngx_scale_query_t  *answer;

    answer = f->method->answer;

    /* a redirect is followed, not read; a type= is all there is */

    if (answer == NULL || answer->status >= NGX_HTTP_SPECIAL_RESPONSE
        || answer->type.len)
    {
        return NGX_OK;
    }

    rc = ngx_scale_request_accept(f->r,
                                  answer->shape == NGX_SCALE_SHAPE_ROWS
                                  ? NGX_SCALE_NREPRS : 1);
    if (rc == NGX_DECLINED) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_NOT_ACCEPTABLE);
    }

    f->representation = rc;

    return NGX_OK;
}


ngx_int_t
ngx_scale_flow_refuse(ngx_scale_flow_t *f, ngx_scale_cause_e cause)
{
    f->problem.cause = cause;
    f->ctx.problem = &f->problem;

    return NGX_DECLINED;
}


static void
ngx_scale_flow_run(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    for ( ;; ) {

        rc = (*f->step)(f);

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, f->r->connection->log, 0,
                       "scale flow step:%i rc:%i",
                       (ngx_int_t) (f->step - f->steps), rc);

        if (rc == NGX_AGAIN) {
            ngx_scale_flow_park(f);
            return;
        }

        if (rc == NGX_DONE) {
            ngx_scale_flow_finish(f);
            return;
        }

        ngx_scale_flow_next(f, rc);
    }
}


/* what fails goes to the settling step: others wait for it, or are marked */

static void
ngx_scale_flow_next(ngx_scale_flow_t *f, ngx_int_t rc)
{
    ngx_scale_step_pt  *settle;

    if (rc == NGX_OK) {
        f->step++;
        return;
    }

    if (rc == NGX_ERROR || f->problem.cause == NGX_SCALE_CAUSE_NONE) {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_INTERNAL);
    }

    settle = f->steps + NGX_SCALE_STEP_SETTLE;
    f->step = f->step < settle ? settle : f->step + 1;
}


static void
ngx_scale_flow_park(ngx_scale_flow_t *f)
{
    ngx_msec_int_t  left;

    if (f->parked) {
        return;
    }

    f->parked = 1;

    if (f->direct) {
        f->direct = 0;
        f->r->main->count++;
    }

    /* a write goes on without its client, a read does not */

    f->r->read_event_handler = f->method->write ? ngx_http_block_reading
                                                : ngx_http_test_reading;

    left = f->deadline - ngx_current_msec;

    ngx_add_timer(&f->timer, (ngx_msec_t) ngx_max(left, 1));
}


void
ngx_scale_flow_resume(ngx_scale_flow_t *f, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = f->r->connection;

    ngx_http_set_log_request(c->log, f->r);

    ngx_scale_flow_next(f, rc);
    ngx_scale_flow_run(f);

    ngx_http_run_posted_requests(c);
}


void
ngx_scale_flow_resume_send(ngx_scale_flow_t *f)
{
    ngx_scale_flow_resume(f, ngx_scale_flow_send_next(f));
}


ngx_int_t
ngx_scale_flow_send_next(ngx_scale_flow_t *f)
{
    f->step = f->steps + NGX_SCALE_STEP_SEND - 1;

    return NGX_OK;
}


/* for a server, that is: a statement that runs has its own time */

void
ngx_scale_flow_hurry(ngx_scale_flow_t *f)
{
    ngx_msec_int_t  left;

    left = f->deadline - ngx_current_msec;
    left = ngx_min(left, (ngx_msec_int_t)
                         f->loc->database->conf.queue_timeout);

    ngx_add_timer(&f->timer, (ngx_msec_t) ngx_max(left, 1));
}


static void
ngx_scale_flow_finish(ngx_scale_flow_t *f)
{
    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    if (f->op.ncalls) {
        ngx_scale_pg_release(&f->op);
    }

    if (f->fanout) {
        ngx_scale_fanout_cancel(f);
    }

    /* the handler's caller does it with what the handler returns */

    if (!f->direct) {
        ngx_http_finalize_request(f->r, f->rc);
    }
}


static void
ngx_scale_flow_deadline(ngx_event_t *ev)
{
    ngx_scale_flow_t  *f = ev->data;

    ngx_int_t   rc;
    ngx_uint_t  sent;

    if (f->querying) {
        sent = ngx_scale_pg_is_sent(&f->op);

        if (sent && (ngx_msec_int_t) (f->deadline - ngx_current_msec) > 0) {
            ngx_scale_flow_hurry(f);
            return;
        }

        f->querying = 0;
        f->looking = 0;

        rc = f->fanout ? ngx_scale_fanout_expire(f) : ngx_scale_flow_expire(f);

        if (rc != NGX_OK && f->filling
            && ngx_scale_cache_kept(&f->read) == NULL)
        {
            f->filling = 0;
            ngx_scale_cache_read_cancel(&f->read);
        }

        ngx_scale_flow_resume(f, rc);
        return;
    }

    if (f->waiting) {
        f->waiting = 0;
        ngx_scale_cache_read_cancel(&f->read);

        ngx_scale_flow_resume(f,
                      ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE));
    }

    /* marking and unmarking know the deadline themselves */
}


static ngx_int_t
ngx_scale_flow_expire(ngx_scale_flow_t *f)
{
    ngx_uint_t  sent;

    sent = ngx_scale_pg_is_sent(&f->op);

    if (ngx_scale_pg_cancel(&f->op) == NGX_BUSY) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);
    }

    return ngx_scale_flow_refuse(f, sent && !f->method->write
                                    ? NGX_SCALE_CAUSE_TIMEOUT
                                    : NGX_SCALE_CAUSE_UNAVAILABLE);
}


/* the request is gone, whatever it waited for */

static void
ngx_scale_flow_cancel(void *data)
{
    ngx_scale_flow_t  *f = data;

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    if (f->querying) {
        f->querying = 0;
        (void) ngx_scale_pg_cancel(&f->op);
    }

    if (f->fanout) {
        ngx_scale_fanout_cancel(f);
    }

    if (f->waiting || f->filling) {
        f->waiting = 0;
        f->filling = 0;
        ngx_scale_cache_read_cancel(&f->read);
    }

    if (f->marked) {
        f->marked = 0;
        ngx_scale_cache_write_cancel(&f->write);
    }

    if (f->op.ncalls) {
        ngx_scale_pg_release(&f->op);
    }
}
