
#include "ngx_scale_openapi.h"
#include "ngx_scale_directives.h"
#include "http/response.h"


typedef struct {
    ngx_str_t    name;
    size_t       offset;                     /* in ngx_scale_document_t */
} ngx_scale_openapi_option_t;


static ngx_int_t ngx_scale_openapi_option(ngx_scale_document_t *document,
    ngx_str_t *word);
static ngx_int_t ngx_scale_openapi_document(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc);
static void ngx_scale_openapi_info(ngx_scale_openapi_t *api,
    ngx_scale_document_t *document);
static ngx_int_t ngx_scale_openapi_paths(ngx_scale_openapi_t *api,
    ngx_scale_main_conf_t *main, ngx_http_core_srv_conf_t *server);
static ngx_int_t ngx_scale_openapi_path(ngx_scale_openapi_t *api,
    ngx_array_t *seen);
static ngx_int_t ngx_scale_openapi_seen(ngx_array_t *seen, ngx_str_t *path);
static ngx_uint_t ngx_scale_openapi_alike(ngx_str_t *one, ngx_str_t *other);
static void ngx_scale_openapi_components(ngx_scale_openapi_t *api);
static ngx_int_t ngx_scale_openapi_handler(ngx_http_request_t *r);


static ngx_scale_openapi_option_t  ngx_scale_openapi_options[] = {
    { ngx_string("title="), offsetof(ngx_scale_document_t, title) },
    { ngx_string("version="), offsetof(ngx_scale_document_t, version) },
    { ngx_string("url="), offsetof(ngx_scale_document_t, url) },
    { ngx_null_string, 0 }
};


/* scale_openapi [title=] [version=] [url=] */

char *
ngx_scale_openapi_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t                 *word;
    ngx_uint_t                 i;
    ngx_scale_loc_conf_t     **slot;
    ngx_scale_main_conf_t     *main;
    ngx_http_core_loc_conf_t  *clcf;

    if (loc->document) {
        return "is duplicate";
    }

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    loc->document = ngx_pcalloc(cf->pool, sizeof(ngx_scale_document_t));
    slot = ngx_array_push(&main->documents);

    if (loc->document == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = loc;

    ngx_str_set(&loc->document->title, "API");
    ngx_str_set(&loc->document->version, "1");
    ngx_str_set(&loc->document->url, "/");

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_scale_openapi_option(loc->document, &word[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not an option; there are title=, "
                               "version= and url=", &word[i]);
            return NGX_CONF_ERROR;
        }
    }

    ngx_str_set(&loc->allow, "GET, HEAD, OPTIONS");
    loc->http.enabled = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_scale_openapi_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_openapi_option(ngx_scale_document_t *document, ngx_str_t *word)
{
    ngx_str_t                   *value;
    ngx_scale_openapi_option_t  *option;

    for (option = ngx_scale_openapi_options; option->name.len; option++) {

        if (word->len > option->name.len
            && ngx_strncmp(word->data, option->name.data, option->name.len)
               == 0)
        {
            value = (ngx_str_t *) ((u_char *) document + option->offset);
            value->data = word->data + option->name.len;
            value->len = word->len - option->name.len;

            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_scale_openapi_write(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_uint_t              i;
    ngx_scale_loc_conf_t  **loc;

    loc = main->documents.elts;

    for (i = 0; i < main->documents.nelts; i++) {
        if (ngx_scale_openapi_document(cf, main, loc[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_openapi_document(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    ngx_scale_openapi_t  api;

    ngx_memzero(&api, sizeof(ngx_scale_openapi_t));

    api.cf = cf;
    api.doc = ngx_scale_json_doc_begin(cf->pool);

    if (api.doc == NULL
        || ngx_array_init(&api.statuses, cf->temp_pool, 16,
                          sizeof(ngx_uint_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_openapi_info(&api, loc->document);

    if (ngx_scale_openapi_paths(&api, main, loc->server) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_openapi_components(&api);

    if (ngx_scale_json_doc_end(api.doc, &loc->document->body) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_response_etag(cf->pool, &loc->document->body,
                                   &loc->document->etag);
}


static void
ngx_scale_openapi_info(ngx_scale_openapi_t *api,
    ngx_scale_document_t *document)
{
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;

    ngx_scale_json_doc_string(doc, ngx_scale_json_text("openapi"),
                              ngx_scale_json_text("3.1.0"));

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("info"));
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("title"),
                              &document->title);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("version"),
                              &document->version);
    ngx_scale_json_doc_close(doc);

    ngx_scale_json_doc_array(doc, ngx_scale_json_text("servers"));
    ngx_scale_json_doc_object(doc, NULL);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("url"),
                              &document->url);
    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_close(doc);

    ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("security"),
                                ngx_scale_json_text("[]"));
}


static ngx_int_t
ngx_scale_openapi_paths(ngx_scale_openapi_t *api, ngx_scale_main_conf_t *main,
    ngx_http_core_srv_conf_t *server)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_array_t             seen;
    ngx_scale_loc_conf_t  **route;

    if (ngx_array_init(&seen, api->cf->temp_pool, 16, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("paths"));

    route = main->routes.elts;

    for (i = 0; i < main->routes.nelts; i++) {

        if (route[i]->server != server || route[i]->core->internal
            || route[i]->core->name.data[0] == '@')
        {
            continue;
        }

        api->loc = route[i];
        rc = ngx_scale_openapi_path(api, &seen);

        if (rc == NGX_OK) {
            rc = ngx_scale_openapi_route(api);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    ngx_scale_json_doc_close(api->doc);

    return NGX_OK;
}


/* NGX_DECLINED: the document cannot have it, which was logged */

static ngx_int_t
ngx_scale_openapi_path(ngx_scale_openapi_t *api, ngx_array_t *seen)
{
    ngx_int_t                  rc;
    const char                *reason;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = api->loc->core;
    reason = "its location matches more paths than those that differ by "
             "captures";
    rc = NGX_OK;

    if (clcf->regex) {
        rc = ngx_scale_pattern_path(api->cf->pool, &clcf->name, &api->path);

    } else {
        api->path = clcf->name;
    }

    if (rc == NGX_OK) {
        rc = ngx_scale_openapi_seen(seen, &api->path);
        reason = "its location has the paths of another route";
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_WARN, api->cf->log, 0,
                      "route \"%V\" is not in the document of scale_openapi: "
                      "%s, in %V:%ui", &api->loc->http.route, reason,
                      &api->loc->place.file, api->loc->place.line);
    }

    return rc;
}


static ngx_int_t
ngx_scale_openapi_seen(ngx_array_t *seen, ngx_str_t *path)
{
    ngx_str_t   *known;
    ngx_uint_t   i;

    known = seen->elts;

    for (i = 0; i < seen->nelts; i++) {
        if (ngx_scale_openapi_alike(&known[i], path)) {
            return NGX_DECLINED;
        }
    }

    known = ngx_array_push(seen);
    if (known == NULL) {
        return NGX_ERROR;
    }

    *known = *path;

    return NGX_OK;
}


/* whatever the names between braces */

static ngx_uint_t
ngx_scale_openapi_alike(ngx_str_t *one, ngx_str_t *other)
{
    u_char  *p, *q, *p_last, *q_last;

    p = one->data;
    q = other->data;
    p_last = p + one->len;
    q_last = q + other->len;

    while (p < p_last && q < q_last && *p == *q) {

        if (*p == '{') {
            p = ngx_strlchr(p, p_last, '}');
            q = ngx_strlchr(q, q_last, '}');
        }

        p++;
        q++;
    }

    return p == p_last && q == q_last;
}


static void
ngx_scale_openapi_components(ngx_scale_openapi_t *api)
{
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("components"));

    ngx_scale_openapi_problem_schema(api);
    ngx_scale_openapi_problem_responses(api);

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("securitySchemes"));

    if (api->basic) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("basic"),
            ngx_scale_json_text("{\"type\":\"http\",\"scheme\":\"basic\"}"));
    }

    if (api->bearer) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("bearer"),
            ngx_scale_json_text("{\"type\":\"http\",\"scheme\":\"bearer\"}"));
    }

    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_close(doc);
}


static ngx_int_t
ngx_scale_openapi_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_buf_t             *b;
    ngx_chain_t            out;
    ngx_scale_response_t   response;
    ngx_scale_loc_conf_t  *loc;

    static ngx_str_t  allow = ngx_string("Allow");

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_scale_response_add(r, &allow, &loc->allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return r->method == NGX_HTTP_OPTIONS ? NGX_HTTP_NO_CONTENT
                                             : NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = loc->document->body.data;
    b->last = b->pos + loc->document->body.len;
    b->memory = 1;

    out.buf = b;
    out.next = NULL;

    ngx_memzero(&response, sizeof(ngx_scale_response_t));

    response.status = NGX_HTTP_OK;
    response.etag = loc->document->etag;
    response.body = &out;
    response.length = loc->document->body.len;
    ngx_str_set(&response.cache_control, "no-cache");

    return ngx_scale_response_send(r, &response);
}
