
/* a route: its methods, and what they answer */

#include "ngx_scale_openapi.h"
#include "ngx_scale_source.h"


typedef struct {
    ngx_uint_t    method;
    ngx_str_t     name;
} ngx_scale_openapi_method_t;


static ngx_int_t ngx_scale_openapi_operation(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static ngx_int_t ngx_scale_openapi_identify(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m, ngx_str_t *name);
static ngx_int_t ngx_scale_openapi_responses(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static void ngx_scale_openapi_success(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_openapi_success_status(ngx_scale_method_t *m);
static void ngx_scale_openapi_content(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static void ngx_scale_openapi_security(ngx_scale_openapi_t *api,
    ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_openapi_reads(ngx_scale_param_t *param,
    ngx_str_t *variable, ngx_str_t *field);


static ngx_scale_openapi_method_t  ngx_scale_openapi_methods[] = {
    { NGX_HTTP_GET, ngx_string("get") },
    { NGX_HTTP_POST, ngx_string("post") },
    { NGX_HTTP_PUT, ngx_string("put") },
    { NGX_HTTP_PATCH, ngx_string("patch") },
    { NGX_HTTP_DELETE, ngx_string("delete") },
    { 0, ngx_null_string }
};


ngx_int_t
ngx_scale_openapi_route(ngx_scale_openapi_t *api)
{
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    ngx_scale_json_doc_object(api->doc, &api->path);
    ngx_scale_openapi_path_params(api);

    m = api->loc->methods->elts;

    for (i = 0; i < api->loc->methods->nelts; i++) {
        if (ngx_scale_openapi_operation(api, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_scale_json_doc_close(api->doc);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_openapi_operation(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_scale_openapi_method_t  *method;

    method = ngx_scale_openapi_methods;

    while (method->method && method->method != m->method) {
        method++;
    }

    ngx_scale_json_doc_object(api->doc, &method->name);

    if (ngx_scale_openapi_identify(api, m, &method->name) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_openapi_security(api, m);
    ngx_scale_openapi_params(api, m);
    ngx_scale_openapi_body(api, m);

    if (ngx_scale_openapi_responses(api, m) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_json_doc_close(api->doc);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_openapi_identify(ngx_scale_openapi_t *api, ngx_scale_method_t *m,
    ngx_str_t *name)
{
    u_char     *p;
    ngx_str_t   id, *route, *method;

    route = &api->loc->http.route;
    method = ngx_scale_conf_method_name(m->method);

    id.len = name->len + 1 + route->len;
    id.data = ngx_pnalloc(api->cf->temp_pool, id.len);
    if (id.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(id.data, name->data, name->len);
    *p++ = '_';
    ngx_memcpy(p, route->data, route->len);

    ngx_scale_json_doc_string(api->doc, ngx_scale_json_text("operationId"),
                              &id);

    p = ngx_cpymem(id.data, method->data, method->len);
    *p = ' ';

    ngx_scale_json_doc_string(api->doc, ngx_scale_json_text("summary"), &id);

    return NGX_OK;
}


/* who asks, where nginx or a field of HTTP's own says it */

static void
ngx_scale_openapi_security(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_str_t             *scheme;
    ngx_uint_t             i, optional;
    ngx_scale_declared_t  *declared;

    static ngx_str_t  basic = ngx_string("basic");
    static ngx_str_t  bearer = ngx_string("bearer");
    static ngx_str_t  user = ngx_string("remote_user");
    static ngx_str_t  header = ngx_string("http_authorization");
    static ngx_str_t  field = ngx_string("Authorization");

    scheme = NULL;
    optional = 1;

    for (i = 0; i < m->nparams; i++) {
        declared = api->loc->params->elts;
        declared += m->params[i];

        if (ngx_scale_openapi_reads(&declared->param, &user, NULL)) {
            scheme = &basic;
            api->basic = 1;

        } else if (ngx_scale_openapi_reads(&declared->param, &header,
                                           &field))
        {
            scheme = &bearer;
            api->bearer = 1;

        } else {
            continue;
        }

        optional = !declared->param.required;
    }

    if (scheme == NULL) {
        return;
    }

    ngx_scale_json_doc_array(api->doc, ngx_scale_json_text("security"));

    if (optional) {
        ngx_scale_json_doc_verbatim(api->doc, NULL, ngx_scale_json_text("{}"));
    }

    ngx_scale_json_doc_object(api->doc, NULL);
    ngx_scale_json_doc_verbatim(api->doc, scheme, ngx_scale_json_text("[]"));
    ngx_scale_json_doc_close(api->doc);
    ngx_scale_json_doc_close(api->doc);
}


static ngx_uint_t
ngx_scale_openapi_reads(ngx_scale_param_t *param, ngx_str_t *variable,
    ngx_str_t *field)
{
    ngx_str_t  rest, name;

    if (param->source == NGX_SCALE_SOURCE_HEADER) {
        return field && param->argument.len == field->len
               && ngx_strncasecmp(param->argument.data, field->data,
                                  field->len)
                  == 0;
    }

    if (param->source != NGX_SCALE_SOURCE_EXPR) {
        return 0;
    }

    rest = param->argument;

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {
        if (ngx_scale_same(&name, variable)) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_scale_openapi_responses(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_array_t  statuses;

    if (ngx_array_init(&statuses, api->cf->temp_pool, 8, sizeof(ngx_uint_t))
        != NGX_OK
        || ngx_scale_openapi_statuses(api, m, &statuses) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("responses"));

    ngx_scale_openapi_success(api, m);
    ngx_scale_openapi_problems(api, &statuses);

    ngx_scale_json_doc_close(api->doc);

    return NGX_OK;
}


static void
ngx_scale_openapi_success(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    u_char                 buf[NGX_INT_T_LEN];
    ngx_str_t              name;
    ngx_uint_t             status;
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;
    status = ngx_scale_openapi_success_status(m);

    name.data = buf;
    name.len = ngx_sprintf(buf, "%ui", status) - buf;

    ngx_scale_json_doc_object(doc, &name);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("description"),
                              status == NGX_HTTP_NO_CONTENT
                              ? ngx_scale_json_text("Done")
                              : ngx_scale_json_text("The answer"));

    if (m->method == NGX_HTTP_GET && !m->write) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("headers"),
            ngx_scale_json_text("{\"ETag\":{\"schema\":{\"type\":"
                                "\"string\"}}}"));
    }

    if (m->answer && status < NGX_HTTP_SPECIAL_RESPONSE
        && status != NGX_HTTP_NO_CONTENT)
    {
        ngx_scale_openapi_content(api, m);
    }

    ngx_scale_json_doc_close(doc);

    if (m->queue) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("204"),
            ngx_scale_json_text("{\"description\":\"Nothing to do\"}"));
    }

    if (m->method == NGX_HTTP_GET && !m->write) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("304"),
            ngx_scale_json_text("{\"description\":\"It is what If-None-Match "
                                "names\"}"));
    }
}


static ngx_uint_t
ngx_scale_openapi_success_status(ngx_scale_method_t *m)
{
    ngx_uint_t  i, status;

    if (m->answer) {
        return m->answer->status ? m->answer->status : NGX_HTTP_OK;
    }

    status = 0;

    for (i = 0; i < m->nqueries; i++) {
        if (m->queries[i]->status) {
            status = m->queries[i]->status;
        }
    }

    return status ? status : NGX_HTTP_NO_CONTENT;
}


static void
ngx_scale_openapi_content(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_str_t              content;
    ngx_scale_query_t     *answer;
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;
    answer = m->answer;

    if (m->batch) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("content"),
            ngx_scale_json_text("{\"application/json\":{\"schema\":"
                                "{\"description\":\"As the request: one "
                                "answer, or an array of them\"}}}"));
        return;
    }

    if (answer->type.len) {
        ngx_scale_json_doc_object(doc, ngx_scale_json_text("content"));
        ngx_scale_json_doc_verbatim(doc, &answer->type,
            ngx_scale_json_text("{\"schema\":{\"type\":\"string\"}}"));
        ngx_scale_json_doc_close(doc);
        return;
    }

    switch (answer->shape) {

    case NGX_SCALE_SHAPE_ROWS:
        ngx_str_set(&content,
            "{\"application/json\":{\"schema\":{\"type\":\"array\","
            "\"items\":{\"type\":\"object\",\"additionalProperties\":true}}},"
            "\"application/x-ndjson\":{\"schema\":{\"type\":\"string\"}},"
            "\"text/csv\":{\"schema\":{\"type\":\"string\"}}}");
        break;

    case NGX_SCALE_SHAPE_ROW:
        ngx_str_set(&content,
            "{\"application/json\":{\"schema\":{\"type\":\"object\","
            "\"additionalProperties\":true}}}");
        break;

    default:
        ngx_str_set(&content, "{\"application/json\":{\"schema\":{}}}");
    }

    ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("content"),
                                &content);
}
