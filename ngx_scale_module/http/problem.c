
#include "http/problem.h"
#include "http/response.h"


typedef struct {
    ngx_uint_t    status;
    ngx_str_t     type;
    ngx_str_t     detail;
    ngx_uint_t    retry_after;             /* seconds, 0: no such field */
} ngx_scale_cause_t;


typedef struct {
    ngx_uint_t    status;
    ngx_str_t     title;
} ngx_scale_title_t;


static ngx_int_t ngx_scale_problem_retry(ngx_http_request_t *r,
    ngx_uint_t seconds);
static ngx_int_t ngx_scale_problem_field(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);


static ngx_scale_cause_t  ngx_scale_causes[NGX_SCALE_NCAUSES] = {

    [NGX_SCALE_CAUSE_NONE] = {
        500, ngx_string("internal"), ngx_null_string, 0 },

    [NGX_SCALE_CAUSE_REFUSED] = {
        422, ngx_string("refused"), ngx_null_string, 0 },

    [NGX_SCALE_CAUSE_IDENTITY] = {
        401, ngx_string("identity-required"),
        ngx_string("this needs a login"), 0 },

    [NGX_SCALE_CAUSE_PARAMETER] = {
        400, ngx_string("invalid-parameter"),
        ngx_string("one or more parameters were not accepted"), 0 },

    [NGX_SCALE_CAUSE_BODY] = {
        400, ngx_string("invalid-body"),
        ngx_string("the body is not JSON as it is accepted here"), 0 },

    [NGX_SCALE_CAUSE_NOT_FOUND] = {
        404, ngx_string("not-found"), ngx_string("no such row"), 0 },

    [NGX_SCALE_CAUSE_METHOD] = {
        405, ngx_string("method-not-allowed"),
        ngx_string("see the Allow field"), 0 },

    [NGX_SCALE_CAUSE_NOT_ACCEPTABLE] = {
        406, ngx_string("not-acceptable"),
        ngx_string("available: application/json, and for lists "
                   "application/x-ndjson and text/csv"), 0 },

    [NGX_SCALE_CAUSE_MEDIA_TYPE] = {
        415, ngx_string("unsupported-media-type"),
        ngx_string("send the body as application/json"), 0 },

    [NGX_SCALE_CAUSE_CONFLICT] = {
        409, ngx_string("conflict"),
        ngx_string("another row already has this value"), 0 },

    [NGX_SCALE_CAUSE_PRECONDITION] = {
        412, ngx_string("precondition-failed"),
        ngx_string("somebody has changed it meanwhile; read it again"), 0 },

    [NGX_SCALE_CAUSE_PRECONDITION_REQUIRED] = {
        428, ngx_string("precondition-required"),
        ngx_string("send If-Match with the ETag that was read"), 0 },

    [NGX_SCALE_CAUSE_KEY] = {
        400, ngx_string("idempotency-key"),
        ngx_string("send an Idempotency-Key of 1 to 255 characters, such as a "
                   "UUID in quotes"), 0 },

    [NGX_SCALE_CAUSE_KEY_BUSY] = {
        409, ngx_string("idempotency-key-in-use"),
        ngx_string("a request with this key is under way"), 1 },

    [NGX_SCALE_CAUSE_KEY_REUSED] = {
        422, ngx_string("idempotency-key-reused"),
        ngx_string("this key was sent with another request"), 0 },

    [NGX_SCALE_CAUSE_UNPROCESSABLE] = {
        422, ngx_string("unprocessable"),
        ngx_string("the database refused a value"), 0 },

    [NGX_SCALE_CAUSE_FORBIDDEN] = {
        403, ngx_string("forbidden"), ngx_null_string, 0 },

    [NGX_SCALE_CAUSE_CROSS_SITE] = {
        403, ngx_string("cross-site-request"),
        ngx_string("a page of another origin made this request, or nothing "
                   "says which one did"), 0 },

    [NGX_SCALE_CAUSE_RAISED] = {
        422, ngx_string("refused"), ngx_null_string, 0 },

    [NGX_SCALE_CAUSE_SERIALIZATION] = {
        503, ngx_string("busy"),
        ngx_string("concurrent changes collided; nothing was changed"), 1 },

    [NGX_SCALE_CAUSE_WRITE_IN_READ] = {
        500, ngx_string("internal"), ngx_null_string, 0 },

    [NGX_SCALE_CAUSE_RESOURCES] = {
        503, ngx_string("busy"),
        ngx_string("the database is short of a resource"), 2 },

    [NGX_SCALE_CAUSE_QUEUE_FULL] = {
        503, ngx_string("busy"),
        ngx_string("too many requests wait already"), 1 },

    [NGX_SCALE_CAUSE_UNAVAILABLE] = {
        503, ngx_string("unavailable"),
        ngx_string("nothing was executed"), 1 },

    [NGX_SCALE_CAUSE_TIMEOUT] = {
        504, ngx_string("timeout"),
        ngx_string("the read took too long"), 0 },

    [NGX_SCALE_CAUSE_OUTCOME_UNKNOWN] = {
        504, ngx_string("outcome-unknown"),
        ngx_string("the change may or may not have been made"), 0 },

    [NGX_SCALE_CAUSE_DATABASE] = {
        500, ngx_string("database"), ngx_null_string, 0 },

    [NGX_SCALE_CAUSE_LIMITED] = {
        429, ngx_string("quota-exceeded"),
        ngx_string("too many requests; see the RateLimit field"), 1 },

    [NGX_SCALE_CAUSE_INTERNAL] = {
        500, ngx_string("internal"), ngx_null_string, 0 },
};


static ngx_scale_title_t  ngx_scale_titles[] = {
    { 400, ngx_string("Bad Request") },
    { 401, ngx_string("Unauthorized") },
    { 402, ngx_string("Payment Required") },
    { 403, ngx_string("Forbidden") },
    { 404, ngx_string("Not Found") },
    { 405, ngx_string("Method Not Allowed") },
    { 406, ngx_string("Not Acceptable") },
    { 408, ngx_string("Request Timeout") },
    { 409, ngx_string("Conflict") },
    { 410, ngx_string("Gone") },
    { 411, ngx_string("Length Required") },
    { 412, ngx_string("Precondition Failed") },
    { 413, ngx_string("Content Too Large") },
    { 414, ngx_string("URI Too Long") },
    { 415, ngx_string("Unsupported Media Type") },
    { 416, ngx_string("Range Not Satisfiable") },
    { 422, ngx_string("Unprocessable Content") },
    { 423, ngx_string("Locked") },
    { 428, ngx_string("Precondition Required") },
    { 429, ngx_string("Too Many Requests") },
    { 431, ngx_string("Request Header Fields Too Large") },
    { 500, ngx_string("Internal Server Error") },
    { 501, ngx_string("Not Implemented") },
    { 502, ngx_string("Bad Gateway") },
    { 503, ngx_string("Service Unavailable") },
    { 504, ngx_string("Gateway Timeout") },
    { 505, ngx_string("HTTP Version Not Supported") },
    { 507, ngx_string("Insufficient Storage") },
    { 0, ngx_string("Error") }
};


ngx_int_t
ngx_scale_problem_violation(ngx_pool_t *pool, ngx_scale_problem_t *p,
    ngx_scale_cause_e cause, ngx_str_t *name, const char *detail)
{
    ngx_scale_violation_t  *v;

    if (p->cause == NGX_SCALE_CAUSE_NONE) {
        p->cause = cause;
    }

    if (p->nviolations == NGX_SCALE_MAX_VIOLATIONS) {
        return NGX_OK;
    }

    if (p->violations == NULL) {
        p->violations = ngx_palloc(pool, NGX_SCALE_MAX_VIOLATIONS
                                         * sizeof(ngx_scale_violation_t));
        if (p->violations == NULL) {
            return NGX_ERROR;
        }
    }

    v = &p->violations[p->nviolations++];

    v->name = *name;
    v->detail.data = (u_char *) detail;
    v->detail.len = ngx_strlen(detail);

    return NGX_OK;
}


ngx_uint_t
ngx_scale_problem_status(ngx_scale_problem_t *p)
{
    return p->status ? p->status : ngx_scale_causes[p->cause].status;
}


ngx_uint_t
ngx_scale_problem_of(ngx_scale_cause_e cause, ngx_str_t *type,
    ngx_str_t *detail)
{
    *type = ngx_scale_causes[cause].type;
    *detail = ngx_scale_causes[cause].detail;

    return ngx_scale_causes[cause].status;
}


void
ngx_scale_problem_title(ngx_scale_problem_t *p, ngx_uint_t status,
    ngx_str_t *title)
{
    ngx_scale_title_t  *t;

    if (p && p->title.len) {
        *title = p->title;
        return;
    }

    for (t = ngx_scale_titles; t->status; t++) {
        if (t->status == status) {
            break;
        }
    }

    *title = t->title;
}


ngx_int_t
ngx_scale_problem_prepare(ngx_http_request_t *r, ngx_scale_problem_t *p)
{
    ngx_str_t   challenge;
    ngx_uint_t  seconds;

    challenge = p->challenge;

    if (p->cause == NGX_SCALE_CAUSE_IDENTITY && challenge.len == 0) {
        ngx_str_set(&challenge, "Bearer");
    }

    seconds = p->retry_after ? p->retry_after
                             : ngx_scale_causes[p->cause].retry_after;

    if (ngx_scale_problem_field(r, "Allow", &p->allow) != NGX_OK
        || ngx_scale_problem_field(r, "ETag", &p->etag) != NGX_OK
        || ngx_scale_problem_field(r, "WWW-Authenticate", &challenge) != NGX_OK
        || ngx_scale_problem_retry(r, seconds) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_scale_problem_status(p);
}


static ngx_int_t
ngx_scale_problem_retry(ngx_http_request_t *r, ngx_uint_t seconds)
{
    ngx_str_t  value;

    if (seconds == 0) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", seconds) - value.data;

    return ngx_scale_problem_field(r, "Retry-After", &value);
}


/* none where there is nothing to say */

static ngx_int_t
ngx_scale_problem_field(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_str_t  key;

    if (value->len == 0) {
        return NGX_OK;
    }

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    return ngx_scale_response_add(r, &key, value);
}
