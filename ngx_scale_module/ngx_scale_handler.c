
/* what a request goes through */

#include "ngx_scale_handler.h"
#include "ngx_scale_admit.h"
#include "ngx_scale_answer.h"
#include "ngx_scale_apikey.h"
#include "ngx_scale_auth.h"
#include "ngx_scale_bearer.h"
#include "ngx_scale_claim.h"
#include "ngx_scale_idempotency.h"
#include "ngx_scale_object.h"
#include "ngx_scale_precondition.h"
#include "ngx_scale_query.h"
#include "ngx_scale_read.h"
#include "ngx_scale_login.h"
#include "ngx_scale_values.h"
#include "ngx_scale_write.h"
#include "http/cors.h"


static ngx_scale_method_t *ngx_scale_handler_method(ngx_http_request_t *r,
    ngx_scale_loc_conf_t *loc);
static ngx_scale_step_t *ngx_scale_handler_steps(ngx_scale_method_t *m);
static ngx_scale_cause_e ngx_scale_handler_check(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_handler_accept(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_handler_options(ngx_http_request_t *r,
    ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_handler_preflight(ngx_http_request_t *r);
static ngx_int_t ngx_scale_handler_wipe(ngx_http_request_t *r);


static ngx_scale_step_t  ngx_scale_handler_read[] = {

    { "limit",
      ngx_scale_admit_request,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "accept",
      ngx_scale_handler_accept, NULL, NULL, 0 },

    { "jwt",
      ngx_scale_bearer_step, NULL, NULL, 0 },

    { "session",
      ngx_scale_session_step,
      ngx_scale_session_expire,
      ngx_scale_session_release, 0 },

    { "apikey",
      ngx_scale_apikey_step,
      ngx_scale_apikey_expire,
      ngx_scale_apikey_release, 0 },

    { "auth",
      ngx_scale_auth_step, NULL, NULL, 0 },

    { "body",
      ngx_scale_flow_body, NULL, NULL, 0 },

    { "values",
      ngx_scale_values_step, NULL, NULL, 0 },

    { "shard",
      ngx_scale_sharding_one, NULL, NULL, 0 },

    { "lookup",
      ngx_scale_read_lookup,
      ngx_scale_read_expire,
      ngx_scale_read_release, 0 },

    { "admit",
      ngx_scale_admit_miss,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "query",
      ngx_scale_read_query,
      ngx_scale_query_expire,
      ngx_scale_query_release, 0 },

    { "row",
      ngx_scale_session_row, NULL, NULL, 0 },

    { "render",
      ngx_scale_answer_render, NULL, NULL, 0 },

    { "settle",
      ngx_scale_read_settle, NULL, NULL, 1 },

    { "change",
      ngx_scale_session_change,
      ngx_scale_session_change_expire,
      ngx_scale_session_release, 1 },

    { "send",
      ngx_scale_answer_send, NULL, NULL, 1 },

    ngx_scale_last_step
};


/* of every shard */

static ngx_scale_step_t  ngx_scale_handler_fanout[] = {

    { "limit",
      ngx_scale_admit_request,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "accept",
      ngx_scale_handler_accept, NULL, NULL, 0 },

    { "jwt",
      ngx_scale_bearer_step, NULL, NULL, 0 },

    { "session",
      ngx_scale_session_step,
      ngx_scale_session_expire,
      ngx_scale_session_release, 0 },

    { "apikey",
      ngx_scale_apikey_step,
      ngx_scale_apikey_expire,
      ngx_scale_apikey_release, 0 },

    { "auth",
      ngx_scale_auth_step, NULL, NULL, 0 },

    { "body",
      ngx_scale_flow_body, NULL, NULL, 0 },

    { "values",
      ngx_scale_values_step, NULL, NULL, 0 },

    { "shards",
      ngx_scale_sharding_all, NULL, NULL, 0 },

    { "lookup",
      ngx_scale_read_lookup,
      ngx_scale_read_expire,
      ngx_scale_read_release, 0 },

    { "admit",
      ngx_scale_admit_miss,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "fanout",
      ngx_scale_fanout_query,
      ngx_scale_fanout_expire,
      ngx_scale_fanout_release, 0 },

    { "render",
      ngx_scale_answer_render, NULL, NULL, 0 },

    { "warn",
      ngx_scale_fanout_warn, NULL, NULL, 0 },

    { "settle",
      ngx_scale_read_settle, NULL, NULL, 1 },

    { "change",
      ngx_scale_session_change,
      ngx_scale_session_change_expire,
      ngx_scale_session_release, 1 },

    { "send",
      ngx_scale_answer_send, NULL, NULL, 1 },

    ngx_scale_last_step
};


static ngx_scale_step_t  ngx_scale_handler_write[] = {

    { "limit",
      ngx_scale_admit_request,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "accept",
      ngx_scale_handler_accept, NULL, NULL, 0 },

    { "precondition",
      ngx_scale_precondition_step, NULL, NULL, 0 },

    { "jwt",
      ngx_scale_bearer_step, NULL, NULL, 0 },

    { "session",
      ngx_scale_session_step,
      ngx_scale_session_expire,
      ngx_scale_session_release, 0 },

    { "apikey",
      ngx_scale_apikey_step,
      ngx_scale_apikey_expire,
      ngx_scale_apikey_release, 0 },

    { "auth",
      ngx_scale_auth_step, NULL, NULL, 0 },

    { "body",
      ngx_scale_flow_body, NULL, NULL, 0 },

    { "values",
      ngx_scale_values_step, NULL, NULL, 0 },

    { "key",
      ngx_scale_idempotency_step, NULL,
      ngx_scale_idempotency_release, 0 },

    { "shard",
      ngx_scale_sharding_one, NULL, NULL, 0 },

    { "admit",
      ngx_scale_admit_miss,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "mark",
      ngx_scale_write_mark,
      NULL,                      /* marking has the deadline itself */
      ngx_scale_write_release, 0 },

    { "query",
      ngx_scale_write_query,
      ngx_scale_write_expire,
      ngx_scale_query_release, 0 },

    { "row",
      ngx_scale_session_row, NULL, NULL, 0 },

    { "render",
      ngx_scale_answer_render, NULL, NULL, 0 },

    { "unmark",
      ngx_scale_write_unmark, NULL, NULL, 1 },

    { "change",
      ngx_scale_session_change,
      ngx_scale_session_change_expire,
      ngx_scale_session_release, 1 },

    { "send",
      ngx_scale_answer_send, NULL, NULL, 1 },

    ngx_scale_last_step
};


/* sessions end, and there is no statement */

static ngx_scale_step_t  ngx_scale_handler_end[] = {

    { "limit",
      ngx_scale_admit_request,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "jwt",
      ngx_scale_bearer_step, NULL, NULL, 0 },

    { "session",
      ngx_scale_session_step,
      ngx_scale_session_expire,
      ngx_scale_session_release, 0 },

    { "auth",
      ngx_scale_auth_step, NULL, NULL, 0 },

    { "body",
      ngx_scale_flow_body, NULL, NULL, 0 },

    { "change",
      ngx_scale_session_change,
      ngx_scale_session_change_expire,
      ngx_scale_session_release, 1 },

    { "send",
      ngx_scale_answer_send, NULL, NULL, 1 },

    ngx_scale_last_step
};


/* jobs of a queue */

static ngx_scale_step_t  ngx_scale_handler_claim[] = {

    { "limit",
      ngx_scale_admit_request,
      ngx_scale_admit_expire,
      ngx_scale_admit_release, 0 },

    { "accept",
      ngx_scale_handler_accept, NULL, NULL, 0 },

    { "jwt",
      ngx_scale_bearer_step, NULL, NULL, 0 },

    { "session",
      ngx_scale_session_step,
      ngx_scale_session_expire,
      ngx_scale_session_release, 0 },

    { "apikey",
      ngx_scale_apikey_step,
      ngx_scale_apikey_expire,
      ngx_scale_apikey_release, 0 },

    { "auth",
      ngx_scale_auth_step, NULL, NULL, 0 },

    { "body",
      ngx_scale_flow_body, NULL, NULL, 0 },

    { "values",
      ngx_scale_values_step, NULL, NULL, 0 },

    { "shard",
      ngx_scale_sharding_one, NULL, NULL, 0 },

    { "claim",
      ngx_scale_claim_step,
      ngx_scale_claim_expire,
      ngx_scale_claim_release, 0 },

    { "render",
      ngx_scale_answer_render, NULL, NULL, 0 },

    { "send",
      ngx_scale_answer_send, NULL, NULL, 1 },

    ngx_scale_last_step
};


static ngx_scale_step_t  ngx_scale_handler_refusal[] = {

    { "send",
      ngx_scale_answer_send, NULL, NULL, 1 },

    ngx_scale_last_step
};


ngx_int_t
ngx_scale_handler(ngx_http_request_t *r)
{
    ngx_scale_flow_t      *f;
    ngx_scale_cause_e      cause;
    ngx_scale_loc_conf_t  *loc;

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_scale_handler_options(r, loc);
    }

    f = ngx_scale_flow_create(r, loc);
    if (f == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    f->method = ngx_scale_handler_method(r, loc);

    if (f->method && f->method->secret
        && ngx_scale_wipe_request(r, &f->main->wipe) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cause = ngx_scale_handler_check(f);

    if (cause != NGX_SCALE_CAUSE_NONE) {
        (void) ngx_scale_flow_refuse(f, cause);
        return ngx_scale_flow_start(f, ngx_scale_handler_refusal);
    }

    return ngx_scale_flow_start(f, ngx_scale_handler_steps(f->method));
}


static ngx_scale_method_t *
ngx_scale_handler_method(ngx_http_request_t *r, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t           i, method;
    ngx_scale_method_t  *m;

    method = r->method == NGX_HTTP_HEAD ? NGX_HTTP_GET : r->method;
    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        if (m[i].method == method) {

            /* who only asks for the header does not take the job */

            return m[i].queue && r->method == NGX_HTTP_HEAD ? NULL : &m[i];
        }
    }

    return NULL;
}


static ngx_scale_step_t *
ngx_scale_handler_steps(ngx_scale_method_t *m)
{
    if (m->nqueries == 0) {
        return ngx_scale_handler_end;
    }

    if (m->queue) {
        return ngx_scale_handler_claim;
    }

    if (m->write) {
        return ngx_scale_handler_write;
    }

    return m->fanout ? ngx_scale_handler_fanout : ngx_scale_handler_read;
}


/* what is known before the body is read */

static ngx_scale_cause_e
ngx_scale_handler_check(ngx_scale_flow_t *f)
{
    if (f->method == NULL) {
        f->problem.allow = f->loc->allow;
        f->problem.detail = f->loc->offer;
        return NGX_SCALE_CAUSE_METHOD;
    }

    if (f->method->json && f->r->headers_in.content_length_n > 0
        && !ngx_scale_request_is_json(f->r))
    {
        return NGX_SCALE_CAUSE_MEDIA_TYPE;
    }

    return NGX_SCALE_CAUSE_NONE;
}


static ngx_int_t
ngx_scale_handler_accept(ngx_scale_flow_t *f)
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


static ngx_int_t
ngx_scale_handler_options(ngx_http_request_t *r, ngx_scale_loc_conf_t *loc)
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


ngx_int_t
ngx_scale_handler_add(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *early, *preflight, *access;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    early = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    preflight = ngx_array_push(
                         &cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    access = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);

    if (early == NULL || preflight == NULL || access == NULL) {
        return NGX_ERROR;
    }

    *early = ngx_scale_handler_wipe;
    *preflight = ngx_scale_handler_preflight;
    *access = ngx_scale_verified_access;

    return NGX_OK;
}


/*
 * Before access is checked: a preflight has no credentials (Fetch, section
 * 4.8).  The filter adds what it asks for.
 */

static ngx_int_t
ngx_scale_handler_preflight(ngx_http_request_t *r)
{
    ngx_scale_loc_conf_t  *loc;

    static ngx_str_t  allow = ngx_string("Allow");

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    if (loc->http.cors == NULL || !ngx_scale_cors_is_preflight(r)) {
        return NGX_DECLINED;
    }

    if (ngx_scale_response_add(r, &allow, &loc->allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_NO_CONTENT;
}


/* of all locations: a session's cookie comes with a picture, too */

static ngx_int_t
ngx_scale_handler_wipe(ngx_http_request_t *r)
{
    ngx_scale_main_conf_t  *main;

    if (!ngx_scale_wipe_is_due(r)) {
        return NGX_DECLINED;
    }

    main = ngx_http_get_module_main_conf(r, ngx_scale_module);

    return ngx_scale_wipe_request(r, &main->wipe) == NGX_OK
           ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}
