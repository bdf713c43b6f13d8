
#include "http/request.h"


typedef struct {
    ngx_list_part_t    *part;
    ngx_uint_t          i;                 /* of the next one in the part */
} ngx_scale_request_fields_t;


static u_char *ngx_scale_request_until(u_char *p, u_char *last, u_char ch);
static ngx_uint_t ngx_scale_request_is_arg(u_char *p, u_char *last,
    ngx_str_t *name, u_char *key);
static ngx_int_t ngx_scale_request_arg_value(ngx_pool_t *pool, u_char *p,
    u_char *last, ngx_str_t *value);
static u_char *ngx_scale_request_decode(u_char *dst, u_char *src,
    u_char *last);
static ngx_int_t ngx_scale_request_hex(u_char ch);
static void ngx_scale_request_fields_init(ngx_scale_request_fields_t *fields,
    ngx_http_request_t *r);
static ngx_table_elt_t *ngx_scale_request_field(
    ngx_scale_request_fields_t *fields, ngx_str_t *name);
static u_char *ngx_scale_request_join(u_char *p, ngx_http_request_t *r,
    ngx_str_t *name);
static ngx_int_t ngx_scale_request_copy(ngx_chain_t *cl, u_char *p);


ngx_int_t
ngx_scale_request_arg(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char      *p, *last, *end, *eq, *key;
    ngx_int_t    rc;
    ngx_uint_t   found;

    found = 0;
    p = r->args.data;
    last = p + r->args.len;

    key = ngx_pnalloc(r->pool, r->args.len + 1);
    if (key == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_scale_request_until(p, last, '&');
        eq = ngx_scale_request_until(p, end, '=');

        if (!ngx_scale_request_is_arg(p, eq, name, key)) {
            continue;
        }

        if (found++) {
            return NGX_BUSY;
        }

        rc = ngx_scale_request_arg_value(r->pool, eq < end ? eq + 1 : end, end,
                                         value);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return found ? NGX_OK : NGX_DECLINED;
}


static u_char *
ngx_scale_request_until(u_char *p, u_char *last, u_char ch)
{
    p = ngx_strlchr(p, last, ch);

    return p ? p : last;
}


/* "key" has room for the decoded name */

static ngx_uint_t
ngx_scale_request_is_arg(u_char *p, u_char *last, ngx_str_t *name,
    u_char *key)
{
    u_char  *end;

    end = ngx_scale_request_decode(key, p, last);

    return end && (size_t) (end - key) == name->len
           && ngx_memcmp(key, name->data, name->len) == 0;
}


static ngx_int_t
ngx_scale_request_arg_value(ngx_pool_t *pool, u_char *p, u_char *last,
    ngx_str_t *value)
{
    u_char  *end;

    value->data = ngx_pnalloc(pool, last - p + 1);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    end = ngx_scale_request_decode(value->data, p, last);
    if (end == NULL) {
        return NGX_ABORT;
    }

    value->len = end - value->data;

    return NGX_OK;
}


static u_char *
ngx_scale_request_decode(u_char *dst, u_char *src, u_char *last)
{
    ngx_int_t  high, low;

    for ( /* void */ ; src < last; src++) {

        if (*src == '+') {
            *dst++ = ' ';
            continue;
        }

        if (*src != '%') {
            *dst++ = *src;
            continue;
        }

        if (last - src < 3) {
            return NULL;
        }

        high = ngx_scale_request_hex(src[1]);
        low = ngx_scale_request_hex(src[2]);

        if (high == NGX_ERROR || low == NGX_ERROR) {
            return NULL;
        }

        *dst++ = (u_char) (high << 4 | low);
        src += 2;
    }

    return dst;
}


static ngx_int_t
ngx_scale_request_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : NGX_ERROR;
}


ngx_int_t
ngx_scale_request_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    size_t                       len;
    ngx_uint_t                   n;
    ngx_table_elt_t             *h;
    ngx_scale_request_fields_t   fields;

    n = 0;
    len = 0;

    ngx_scale_request_fields_init(&fields, r);

    while ((h = ngx_scale_request_field(&fields, name)) != NULL) {
        n++;
        len += h->value.len + sizeof(", ") - 1;
        *value = h->value;
    }

    if (n < 2) {
        return n ? NGX_OK : NGX_DECLINED;
    }

    value->data = ngx_pnalloc(r->pool, len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_scale_request_join(value->data, r, name) - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_scale_request_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    ngx_int_t  rc;

    static ngx_str_t  field = ngx_string("Authorization");
    static ngx_str_t  scheme = ngx_string("Bearer");

    rc = ngx_scale_request_header(r, &field, token);
    if (rc != NGX_OK) {
        return rc;
    }

    if (token->len < scheme.len
        || ngx_strncasecmp(token->data, scheme.data, scheme.len) != 0
        || (token->len > scheme.len && token->data[scheme.len] != ' '))
    {
        return NGX_DECLINED;
    }

    token->data += scheme.len;
    token->len -= scheme.len;

    while (token->len && *token->data == ' ') {
        token->data++;
        token->len--;
    }

    return NGX_OK;
}


static void
ngx_scale_request_fields_init(ngx_scale_request_fields_t *fields,
    ngx_http_request_t *r)
{
    fields->part = &r->headers_in.headers.part;
    fields->i = 0;
}


/* the next one of that name; NULL: there is none */

static ngx_table_elt_t *
ngx_scale_request_field(ngx_scale_request_fields_t *fields, ngx_str_t *name)
{
    ngx_table_elt_t  *h;

    for ( /* void */ ; fields->part; fields->part = fields->part->next) {

        while (fields->i < fields->part->nelts) {
            h = fields->part->elts;
            h += fields->i++;

            if (h->key.len == name->len
                && ngx_strncasecmp(h->key.data, name->data, name->len) == 0)
            {
                return h;
            }
        }

        fields->i = 0;
    }

    return NULL;
}


static u_char *
ngx_scale_request_join(u_char *p, ngx_http_request_t *r, ngx_str_t *name)
{
    u_char                      *start;
    ngx_table_elt_t             *h;
    ngx_scale_request_fields_t   fields;

    start = p;

    ngx_scale_request_fields_init(&fields, r);

    while ((h = ngx_scale_request_field(&fields, name)) != NULL) {

        if (p != start) {
            p = ngx_cpymem(p, ", ", sizeof(", ") - 1);
        }

        p = ngx_cpymem(p, h->value.data, h->value.len);
    }

    return p;
}


ngx_int_t
ngx_scale_request_body(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        body->data = cl->buf->pos;
        body->len = cl->buf->last - cl->buf->pos;
        return NGX_OK;
    }

    size = 0;

    for ( /* void */ ; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = size;

    return ngx_scale_request_copy(r->request_body->bufs, p);
}


static ngx_int_t
ngx_scale_request_copy(ngx_chain_t *cl, u_char *p)
{
    off_t       size;
    ssize_t     n;
    ngx_buf_t  *b;

    for ( /* void */ ; cl; cl = cl->next) {
        b = cl->buf;
        size = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, size);
            continue;
        }

        if (size == 0) {
            continue;
        }

        n = ngx_read_file(b->file, p, size, b->file_pos);

        if (n != (ssize_t) size) {
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_scale_request_is_json(ngx_http_request_t *r)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *value;

    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  suffix = ngx_string("+json");

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;
    p = value->data;

    for (len = 0; len < value->len; len++) {
        if (p[len] == ';' || p[len] == ' ' || p[len] == '\t') {
            break;
        }
    }

    if (len == json.len && ngx_strncasecmp(p, json.data, len) == 0) {
        return 1;
    }

    return len > suffix.len
           && ngx_strncasecmp(p + len - suffix.len, suffix.data, suffix.len)
              == 0;
}


ngx_int_t
ngx_scale_request_variable(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_http_variable_value_t  *v;

    v = ngx_http_get_variable(r, name, ngx_hash_key(name->data, name->len));

    if (v == NULL || v->not_found || v->len == 0) {
        return NGX_DECLINED;
    }

    value->data = v->data;
    value->len = v->len;

    return NGX_OK;
}


void
ngx_scale_request_origin(ngx_http_request_t *r, ngx_str_t *scheme,
    ngx_str_t *host)
{
    static ngx_str_t  name = ngx_string("Host");

    if (ngx_scale_request_is_secure(r)) {
        ngx_str_set(scheme, "https");

    } else {
        ngx_str_set(scheme, "http");
    }

    if (ngx_scale_request_header(r, &name, host) != NGX_OK) {
        *host = r->headers_in.server;
    }
}


/* as ngx_http_test_reading() has it, without its end */

ngx_uint_t
ngx_scale_request_is_gone(ngx_http_request_t *r)
{
    u_char             ch;
    ssize_t            n;
    ngx_connection_t  *c;

    c = r->connection;

    if (c->error || c->read->error || c->read->eof || c->read->pending_eof) {
        return 1;
    }

#if (NGX_HTTP_V2)
    if (r->stream) {
        return 0;
    }
#endif

#if (NGX_HTTP_V3)
    if (c->quic) {
        return 0;
    }
#endif

    n = recv(c->fd, &ch, 1, MSG_PEEK);

    return n == 0 || (n == -1 && ngx_socket_errno != NGX_EAGAIN);
}


ngx_uint_t
ngx_scale_request_is_secure(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    return r->connection->ssl != NULL;
#else
    return 0;
#endif
}
