
/* problems, by their statuses: a table says which method may have which */

#include "ngx_scale_openapi.h"


/* what a method has for it to have a problem of a cause */

#define NGX_SCALE_OPENAPI_ALWAYS    0x01
#define NGX_SCALE_OPENAPI_PARAMS    0x02
#define NGX_SCALE_OPENAPI_JSON      0x04
#define NGX_SCALE_OPENAPI_WRITE     0x08
#define NGX_SCALE_OPENAPI_IDENTITY  0x10
#define NGX_SCALE_OPENAPI_ACCEPT    0x20
#define NGX_SCALE_OPENAPI_GUARDED   0x40
#define NGX_SCALE_OPENAPI_KEYED     0x80
#define NGX_SCALE_OPENAPI_LIMITED   0x100


typedef struct {
    ngx_scale_cause_e    cause;
    ngx_uint_t           of;                 /* any of these */
} ngx_scale_openapi_cause_t;


static ngx_uint_t ngx_scale_openapi_has(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_openapi_has_identity(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static ngx_int_t ngx_scale_openapi_status(ngx_array_t *statuses,
    ngx_uint_t status);
static void ngx_scale_openapi_name(ngx_uint_t status, ngx_str_t *prefix,
    u_char *buf, ngx_str_t *name);
static void ngx_scale_openapi_response(ngx_scale_openapi_t *api,
    ngx_uint_t status, ngx_str_t *name);
static void ngx_scale_openapi_describe(ngx_scale_openapi_t *api,
    ngx_uint_t status, ngx_str_t *text);
static void ngx_scale_openapi_property(ngx_scale_json_doc_t *doc,
    ngx_str_t *name, ngx_str_t *type);


static ngx_scale_openapi_cause_t  ngx_scale_openapi_causes[] = {
    { NGX_SCALE_CAUSE_PARAMETER, NGX_SCALE_OPENAPI_PARAMS },
    { NGX_SCALE_CAUSE_BODY, NGX_SCALE_OPENAPI_JSON },
    { NGX_SCALE_CAUSE_IDENTITY, NGX_SCALE_OPENAPI_IDENTITY },
    { NGX_SCALE_CAUSE_FORBIDDEN, NGX_SCALE_OPENAPI_ALWAYS },
    { NGX_SCALE_CAUSE_NOT_ACCEPTABLE, NGX_SCALE_OPENAPI_ACCEPT },
    { NGX_SCALE_CAUSE_CONFLICT, NGX_SCALE_OPENAPI_WRITE },
    { NGX_SCALE_CAUSE_MEDIA_TYPE, NGX_SCALE_OPENAPI_JSON },
    { NGX_SCALE_CAUSE_PRECONDITION, NGX_SCALE_OPENAPI_GUARDED },
    { NGX_SCALE_CAUSE_PRECONDITION_REQUIRED, NGX_SCALE_OPENAPI_GUARDED },
    { NGX_SCALE_CAUSE_KEY, NGX_SCALE_OPENAPI_KEYED },
    { NGX_SCALE_CAUSE_KEY_BUSY, NGX_SCALE_OPENAPI_KEYED },
    { NGX_SCALE_CAUSE_KEY_REUSED, NGX_SCALE_OPENAPI_KEYED },
    { NGX_SCALE_CAUSE_UNPROCESSABLE, NGX_SCALE_OPENAPI_PARAMS
                                     |NGX_SCALE_OPENAPI_WRITE },
    { NGX_SCALE_CAUSE_LIMITED, NGX_SCALE_OPENAPI_LIMITED },
    { NGX_SCALE_CAUSE_DATABASE, NGX_SCALE_OPENAPI_ALWAYS },
    { NGX_SCALE_CAUSE_UNAVAILABLE, NGX_SCALE_OPENAPI_ALWAYS },
    { NGX_SCALE_CAUSE_TIMEOUT, NGX_SCALE_OPENAPI_ALWAYS },
    { NGX_SCALE_CAUSE_NONE, 0 }
};


ngx_int_t
ngx_scale_openapi_statuses(ngx_scale_openapi_t *api, ngx_scale_method_t *m,
    ngx_array_t *statuses)
{
    ngx_str_t                   type, detail;
    ngx_uint_t                  i, has;
    ngx_scale_sqlstate_t       *state;
    ngx_scale_openapi_cause_t  *c;

    has = ngx_scale_openapi_has(api, m);

    for (c = ngx_scale_openapi_causes; c->of; c++) {
        if ((c->of & has)
            && ngx_scale_openapi_status(statuses,
                                        ngx_scale_problem_of(c->cause, &type,
                                                             &detail))
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < m->nqueries; i++) {
        if (m->queries[i]->empty >= NGX_HTTP_BAD_REQUEST
            && ngx_scale_openapi_status(statuses, m->queries[i]->empty)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (m->body
        && ngx_scale_openapi_status(statuses, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    state = api->loc->sqlstates ? api->loc->sqlstates->elts : NULL;

    for (i = 0; state && i < api->loc->sqlstates->nelts; i++) {
        if (ngx_scale_openapi_status(statuses, state[i].status) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_openapi_has(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_uint_t  has;

    has = NGX_SCALE_OPENAPI_ALWAYS;

    if (m->nparams) {
        has |= NGX_SCALE_OPENAPI_PARAMS;
    }

    if (m->json) {
        has |= NGX_SCALE_OPENAPI_JSON;
    }

    if (m->write) {
        has |= NGX_SCALE_OPENAPI_WRITE;
    }

    if (m->answer && m->answer->type.len == 0) {
        has |= NGX_SCALE_OPENAPI_ACCEPT;
    }

    if (api->loc->limits) {
        has |= NGX_SCALE_OPENAPI_LIMITED;
    }

    if (m->current) {
        has |= NGX_SCALE_OPENAPI_GUARDED;
    }

    if (m->keyed) {
        has |= NGX_SCALE_OPENAPI_KEYED;
    }

    if (ngx_scale_openapi_has_identity(api, m)) {
        has |= NGX_SCALE_OPENAPI_IDENTITY;
    }

    return has;
}


static ngx_uint_t
ngx_scale_openapi_has_identity(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    for (i = 0; i < m->nparams; i++) {
        declared = api->loc->params->elts;
        declared += m->params[i];

        if (declared->identity && declared->param.required) {
            return 1;
        }
    }

    return 0;
}


/* once, and in order */

static ngx_int_t
ngx_scale_openapi_status(ngx_array_t *statuses, ngx_uint_t status)
{
    ngx_uint_t   i, *s;

    s = statuses->elts;

    for (i = 0; i < statuses->nelts; i++) {
        if (s[i] == status) {
            return NGX_OK;
        }
    }

    s = ngx_array_push(statuses);
    if (s == NULL) {
        return NGX_ERROR;
    }

    for (s = statuses->elts; i && s[i - 1] > status; i--) {
        s[i] = s[i - 1];
    }

    s[i] = status;

    return NGX_OK;
}


void
ngx_scale_openapi_problems(ngx_scale_openapi_t *api, ngx_array_t *statuses)
{
    u_char       key[NGX_INT_T_LEN + 1], ref[64];
    ngx_str_t    name, target;
    ngx_uint_t   i, *status;

    status = statuses->elts;

    for (i = 0; i < statuses->nelts; i++) {

        if (ngx_scale_openapi_status(&api->statuses, status[i]) != NGX_OK) {
            return;
        }

        ngx_scale_openapi_name(status[i], ngx_scale_json_text(""), key, &name);
        ngx_scale_openapi_name(status[i],
                    ngx_scale_json_text("#/components/responses/problem-"),
                    ref, &target);

        ngx_scale_json_doc_object(api->doc, &name);
        ngx_scale_json_doc_string(api->doc, ngx_scale_json_text("$ref"),
                                  &target);
        ngx_scale_json_doc_close(api->doc);
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("default"));
    ngx_scale_json_doc_string(api->doc, ngx_scale_json_text("$ref"),
                    ngx_scale_json_text("#/components/responses/problem"));
    ngx_scale_json_doc_close(api->doc);
}


static void
ngx_scale_openapi_name(ngx_uint_t status, ngx_str_t *prefix, u_char *buf,
    ngx_str_t *name)
{
    u_char  *p;

    name->data = buf;

    p = ngx_cpymem(buf, prefix->data, prefix->len);
    name->len = ngx_sprintf(p, "%ui", status) - buf;
}


void
ngx_scale_openapi_problem_responses(ngx_scale_openapi_t *api)
{
    u_char       key[64];
    ngx_str_t    name;
    ngx_uint_t   i, *status;

    status = api->statuses.elts;

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("responses"));

    for (i = 0; i < api->statuses.nelts; i++) {
        ngx_scale_openapi_name(status[i], ngx_scale_json_text("problem-"), key,
                               &name);
        ngx_scale_openapi_response(api, status[i], &name);
    }

    ngx_scale_openapi_response(api, 0, ngx_scale_json_text("problem"));

    ngx_scale_json_doc_close(api->doc);
}


/* status 0: any */

static void
ngx_scale_openapi_response(ngx_scale_openapi_t *api, ngx_uint_t status,
    ngx_str_t *name)
{
    ngx_str_t              text;
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;

    ngx_str_set(&text, "What the application refuses, or nginx");

    if (status) {
        ngx_scale_openapi_describe(api, status, &text);
    }

    ngx_scale_json_doc_object(doc, name);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("description"), &text);

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE
        || status == NGX_HTTP_TOO_MANY_REQUESTS)
    {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("headers"),
            ngx_scale_json_text("{\"Retry-After\":{\"description\":"
                                "\"Seconds\",\"schema\":{\"type\":"
                                "\"integer\"}}}"));
    }

    ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("content"),
        ngx_scale_json_text("{\"application/problem+json\":{\"schema\":"
                            "{\"$ref\":\"#/components/schemas/Problem\"}}}"));

    ngx_scale_json_doc_close(doc);
}


/* the status's title, and each cause that has it */

static void
ngx_scale_openapi_describe(ngx_scale_openapi_t *api, ngx_uint_t status,
    ngx_str_t *text)
{
    u_char             *p, *last;
    ngx_str_t           title, type, detail, seen;
    ngx_scale_cause_e   cause;

    ngx_scale_problem_title(NULL, status, &title);

    p = ngx_pnalloc(api->cf->pool, NGX_MAX_CONF_ERRSTR);
    if (p == NULL) {
        return;
    }

    last = p + NGX_MAX_CONF_ERRSTR;
    text->data = p;

    p = ngx_slprintf(p, last, "%V", &title);
    ngx_str_null(&seen);

    for (cause = NGX_SCALE_CAUSE_REFUSED; cause < NGX_SCALE_NCAUSES; cause++) {

        if (ngx_scale_problem_of(cause, &type, &detail) != status
            || ngx_scale_same(&type, &seen))
        {
            continue;
        }

        seen = type;
        p = ngx_slprintf(p, last, detail.len ? "; type %V: %V" : "; type %V",
                         &type, &detail);
    }

    text->len = p - text->data;
}


void
ngx_scale_openapi_problem_schema(ngx_scale_openapi_t *api)
{
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("schemas"));
    ngx_scale_json_doc_object(doc, ngx_scale_json_text("Problem"));
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("description"),
                              ngx_scale_json_text("RFC 9457"));
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("type"),
                              ngx_scale_json_text("object"));
    ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("required"),
                ngx_scale_json_text("[\"type\",\"title\",\"status\"]"));

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("properties"));

    ngx_scale_openapi_property(doc, ngx_scale_json_text("type"),
                               ngx_scale_json_text("string"));
    ngx_scale_openapi_property(doc, ngx_scale_json_text("title"),
                               ngx_scale_json_text("string"));
    ngx_scale_openapi_property(doc, ngx_scale_json_text("status"),
                               ngx_scale_json_text("integer"));
    ngx_scale_openapi_property(doc, ngx_scale_json_text("detail"),
                               ngx_scale_json_text("string"));
    ngx_scale_openapi_property(doc, ngx_scale_json_text("route"),
                               ngx_scale_json_text("string"));
    ngx_scale_openapi_property(doc, ngx_scale_json_text("sqlstate"),
                               ngx_scale_json_text("string"));

    ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("errors"),
        ngx_scale_json_text("{\"type\":\"array\",\"items\":{\"type\":"
                            "\"object\",\"required\":[\"name\",\"detail\"],"
                            "\"properties\":{\"name\":{\"type\":\"string\"},"
                            "\"detail\":{\"type\":\"string\"}}}}"));

    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_close(doc);
}


static void
ngx_scale_openapi_property(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_str_t *type)
{
    ngx_scale_json_doc_object(doc, name);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("type"), type);
    ngx_scale_json_doc_close(doc);
}
