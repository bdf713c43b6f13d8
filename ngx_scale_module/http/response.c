
#include "http/response.h"


static ngx_int_t ngx_scale_response_header(ngx_http_request_t *r,
    ngx_scale_response_t *response);
static ngx_int_t ngx_scale_response_fields(ngx_http_request_t *r,
    ngx_scale_response_t *response);
static ngx_int_t ngx_scale_response_field(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_scale_response_cache_control(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_scale_response_field_allowed(ngx_http_request_t *r,
    ngx_keyval_t *field);
static ngx_table_elt_t *ngx_scale_response_push(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);


#if (nginx_version >= 1023000)
#define ngx_scale_response_has_cache_control(r)                              \
    ((r)->headers_out.cache_control != NULL)
#else
#define ngx_scale_response_has_cache_control(r)                              \
    ((r)->headers_out.cache_control.nelts != 0)
#endif


/* framing, and what this module decides itself */

static ngx_str_t  ngx_scale_response_reserved[] = {
    ngx_string("connection"),
    ngx_string("content-encoding"),
    ngx_string("content-length"),
    ngx_string("content-type"),
    ngx_string("date"),
    ngx_string("etag"),
    ngx_string("server"),
    ngx_string("trailer"),
    ngx_string("transfer-encoding"),
    ngx_string("upgrade"),
    ngx_null_string
};


ngx_int_t
ngx_scale_response_send(ngx_http_request_t *r, ngx_scale_response_t *response)
{
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    r->headers_out.status = response->status;
    r->headers_out.content_length_n = response->length;

    if (ngx_scale_response_fields(r, response) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (response->body == NULL) {
        r->header_only = 1;

        if (response->status == NGX_HTTP_NO_CONTENT) {
            r->headers_out.content_length_n = -1;
        }

        return ngx_http_send_header(r);
    }

    rc = ngx_scale_response_header(r, response);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    for (cl = response->body; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main) ? 1 : 0;
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, response->body);
}


static ngx_int_t
ngx_scale_response_header(ngx_http_request_t *r,
    ngx_scale_response_t *response)
{
    u_char     *p;
    ngx_str_t  *type;

    type = &ngx_scale_media[response->representation];
    p = NULL;

    if (response->type && response->type->len) {
        type = response->type;
        p = ngx_strlchr(type->data, type->data + type->len, ';');
    }

    /* what gzip_types and others compare has no parameters */

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = p ? (size_t) (p - type->data)
                                        : type->len;

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_scale_response_begin(ngx_http_request_t *r,
    ngx_scale_response_t *response)
{
    ngx_int_t  rc;

    r->headers_out.status = response->status;
    r->headers_out.content_length_n = -1;

    if (ngx_scale_response_fields(r, response) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_scale_response_header(r, response);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    return r->header_only ? NGX_DONE : NGX_OK;
}


static ngx_int_t
ngx_scale_response_fields(ngx_http_request_t *r,
    ngx_scale_response_t *response)
{
    ngx_uint_t        i;
    ngx_keyval_t     *field;
    ngx_table_elt_t  *h;

    static ngx_str_t  etag = ngx_string("ETag");
    static ngx_str_t  cache_control = ngx_string("Cache-Control");
    static ngx_str_t  vary = ngx_string("Vary");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        /* If-Match would be held against the row that was just written */
        r->disable_not_modified = 1;
    }

    if (response->etag.len) {
        r->headers_out.etag = ngx_scale_response_push(r, &etag,
                                                      &response->etag);
        if (r->headers_out.etag == NULL) {
            return NGX_ERROR;
        }
    }

    if (response->modified) {
        r->headers_out.last_modified_time = response->modified;
    }

    if (response->vary.len
        && ngx_scale_response_push(r, &vary, &response->vary) == NULL)
    {
        return NGX_ERROR;
    }

    field = response->fields ? response->fields->elts : NULL;

    for (i = 0; field && i < response->fields->nelts; i++) {

        if (!ngx_scale_response_field_allowed(r, &field[i])) {
            continue;
        }

        if (ngx_scale_response_field(r, &field[i].key, &field[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (response->cache_control.len
        && !ngx_scale_response_has_cache_control(r))
    {
        h = ngx_scale_response_push(r, &cache_control,
                                    &response->cache_control);

        return h ? ngx_scale_response_cache_control(r, h) : NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_response_field(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    static ngx_str_t  location = ngx_string("location");
    static ngx_str_t  cache_control = ngx_string("cache-control");

    h = ngx_scale_response_push(r, name, value);
    if (h == NULL) {
        return NGX_ERROR;
    }

    if (name->len == location.len
        && ngx_strncasecmp(name->data, location.data, name->len) == 0)
    {
        r->headers_out.location = h;
    }

    if (name->len == cache_control.len
        && ngx_strncasecmp(name->data, cache_control.data, name->len) == 0)
    {
        return ngx_scale_response_cache_control(r, h);
    }

    return NGX_OK;
}


/* "expires" replaces what is listed here */

static ngx_int_t
ngx_scale_response_cache_control(ngx_http_request_t *r, ngx_table_elt_t *h)
{
#if (nginx_version >= 1023000)

    h->next = r->headers_out.cache_control;
    r->headers_out.cache_control = h;

#else

    ngx_table_elt_t  **field;

    if (r->headers_out.cache_control.elts == NULL
        && ngx_array_init(&r->headers_out.cache_control, r->pool, 1,
                          sizeof(ngx_table_elt_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    field = ngx_array_push(&r->headers_out.cache_control);
    if (field == NULL) {
        return NGX_ERROR;
    }

    *field = h;

#endif

    return NGX_OK;
}


/* RFC 9110, section 5: a name is a token, a value holds no CR, LF or NUL */

static ngx_uint_t
ngx_scale_response_field_allowed(ngx_http_request_t *r, ngx_keyval_t *field)
{
    u_char      ch;
    size_t      i;
    ngx_str_t  *reserved;

    for (reserved = ngx_scale_response_reserved; reserved->len; reserved++) {
        if (field->key.len == reserved->len
            && ngx_strncasecmp(field->key.data, reserved->data, reserved->len)
               == 0)
        {
            goto refused;
        }
    }

    for (i = 0; i < field->key.len; i++) {
        ch = field->key.data[i];

        if (ch <= 0x20 || ch >= 0x7f || ch == ':') {
            goto refused;
        }
    }

    for (i = 0; i < field->value.len; i++) {
        ch = field->value.data[i];

        if (ch == '\0' || ch == '\r' || ch == '\n') {
            goto refused;
        }
    }

    if (field->key.len) {
        return 1;
    }

refused:

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "column \"http:%V\" is not sent: the field is not the "
                  "application's to set (a media type is type= of its "
                  "scale_query), or its value holds a line break",
                  &field->key);
    return 0;
}


static ngx_table_elt_t *
ngx_scale_response_push(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key = *name;
    h->value = *value;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_int_t
ngx_scale_response_add(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    return ngx_scale_response_push(r, name, value) ? NGX_OK : NGX_ERROR;
}


/* in one field: nginx before 1.23, as a proxy, sees the last one only */

ngx_int_t
ngx_scale_response_vary(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char           *p;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  vary = ngx_string("Vary");

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return ngx_scale_response_add(r, &vary, name);
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash && ngx_scale_same(&h[i].key, &vary)) {
            break;
        }
    }

    p = ngx_pnalloc(r->pool, h[i].value.len + sizeof(", ") - 1 + name->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, h[i].value.data, h[i].value.len);
    h[i].value.data = p;

    p = ngx_cpymem(p + h[i].value.len, ", ", sizeof(", ") - 1);
    p = ngx_cpymem(p, name->data, name->len);
    h[i].value.len = p - h[i].value.data;

    return NGX_OK;
}
