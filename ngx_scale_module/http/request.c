
#include "http/request.h"


typedef struct {
    ngx_str_t    type;
    ngx_str_t    subtype;
} ngx_scale_media_t;


static u_char *ngx_scale_request_decode(u_char *dst, u_char *src,
    u_char *last);
static ngx_int_t ngx_scale_request_hex(u_char ch);
static ngx_int_t ngx_scale_request_copy(ngx_chain_t *cl, u_char *p);
static void ngx_scale_request_range(u_char *p, u_char *last,
    ngx_int_t *quality, ngx_uint_t *specific, ngx_uint_t n);
static ngx_uint_t ngx_scale_request_match(ngx_scale_media_t *media,
    ngx_str_t *type, ngx_str_t *subtype);
static ngx_int_t ngx_scale_request_quality(u_char *p, u_char *last);


static ngx_scale_media_t  ngx_scale_media[NGX_SCALE_NREPRS] = {
    { ngx_string("application"), ngx_string("json") },
    { ngx_string("application"), ngx_string("x-ndjson") },
    { ngx_string("text"), ngx_string("csv") },
};


ngx_int_t
ngx_scale_request_arg(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char      *p, *last, *end, *eq, *key, *key_end;
    ngx_uint_t   found;

    found = 0;
    p = r->args.data;
    last = p + r->args.len;

    key = ngx_pnalloc(r->pool, r->args.len + 1);
    if (key == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        eq = ngx_strlchr(p, end, '=');
        if (eq == NULL) {
            eq = end;
        }

        key_end = ngx_scale_request_decode(key, p, eq);

        if (key_end == NULL || (size_t) (key_end - key) != name->len
            || ngx_memcmp(key, name->data, name->len) != 0)
        {
            continue;
        }

        if (found++) {
            return NGX_BUSY;
        }

        value->data = ngx_pnalloc(r->pool, end - eq + 1);
        if (value->data == NULL) {
            return NGX_ERROR;
        }

        key_end = ngx_scale_request_decode(value->data,
                                           eq < end ? eq + 1 : end, end);
        if (key_end == NULL) {
            return NGX_ABORT;
        }

        value->len = key_end - value->data;
    }

    return found ? NGX_OK : NGX_DECLINED;
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
    u_char           *p;
    size_t            len;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;
    len = 0;
    p = NULL;

again:

    part = &r->headers_in.headers.part;

    for (h = part->elts, i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len != name->len
            || ngx_strncasecmp(h[i].key.data, name->data, name->len) != 0)
        {
            continue;
        }

        if (p == NULL) {
            n++;
            len += h[i].value.len + sizeof(", ") - 1;
            *value = h[i].value;
            continue;
        }

        if (p != value->data) {
            p = ngx_cpymem(p, ", ", sizeof(", ") - 1);
        }

        p = ngx_cpymem(p, h[i].value.data, h[i].value.len);
    }

    if (p) {
        value->len = p - value->data;
        return NGX_OK;
    }

    if (n < 2) {
        return n ? NGX_OK : NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    goto again;
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
ngx_scale_request_accept(ngx_http_request_t *r, ngx_uint_t n)
{
    u_char      *p, *end, *last;
    ngx_int_t    best, quality[NGX_SCALE_NREPRS];
    ngx_str_t    accept;
    ngx_uint_t   i, specific[NGX_SCALE_NREPRS];

    static ngx_str_t  name = ngx_string("Accept");

    if (ngx_scale_request_header(r, &name, &accept) != NGX_OK) {
        return NGX_SCALE_REPR_JSON;
    }

    ngx_memzero(quality, sizeof(quality));
    ngx_memzero(specific, sizeof(specific));

    p = accept.data;
    last = p + accept.len;

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        ngx_scale_request_range(p, end, quality, specific, n);
    }

    best = NGX_DECLINED;

    for (i = 0; i < n; i++) {
        if (quality[i] > 0
            && (best == NGX_DECLINED || quality[i] > quality[best]))
        {
            best = i;
        }
    }

    return best;
}


/* one media range; the most specific one that matches decides a quality */

static void
ngx_scale_request_range(u_char *p, u_char *last, ngx_int_t *quality,
    ngx_uint_t *specific, ngx_uint_t n)
{
    u_char      *end, *slash;
    ngx_str_t    type, subtype;
    ngx_uint_t   i, match;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    for (end = p; end < last; end++) {
        if (*end == ';' || *end == ' ' || *end == '\t') {
            break;
        }
    }

    slash = ngx_strlchr(p, end, '/');
    if (slash == NULL) {
        return;
    }

    type.data = p;
    type.len = slash - p;
    subtype.data = slash + 1;
    subtype.len = end - slash - 1;

    for (i = 0; i < n; i++) {
        match = ngx_scale_request_match(&ngx_scale_media[i], &type, &subtype);

        if (match > specific[i]) {
            specific[i] = match;
            quality[i] = ngx_scale_request_quality(end, last);
        }
    }
}


static ngx_uint_t
ngx_scale_request_match(ngx_scale_media_t *media, ngx_str_t *type,
    ngx_str_t *subtype)
{
    ngx_uint_t  any;

    any = subtype->len == 1 && subtype->data[0] == '*';

    if (any && type->len == 1 && type->data[0] == '*') {
        return 1;
    }

    if (type->len != media->type.len
        || ngx_strncasecmp(type->data, media->type.data, type->len) != 0)
    {
        return 0;
    }

    if (any) {
        return 2;
    }

    if (subtype->len != media->subtype.len
        || ngx_strncasecmp(subtype->data, media->subtype.data, subtype->len)
           != 0)
    {
        return 0;
    }

    return 3;
}


/* the weight in thousandths; 1000 where none is given */

static ngx_int_t
ngx_scale_request_quality(u_char *p, u_char *last)
{
    u_char     *end;
    ngx_int_t   quality;

    for ( /* void */ ; last - p > 2; p++) {

        if ((p[0] | 0x20) != 'q' || p[1] != '='
            || (p[-1] != ';' && p[-1] != ' ' && p[-1] != '\t'))
        {
            continue;
        }

        p += 2;

        for (end = p; end < last; end++) {
            if (*end != '.' && (*end < '0' || *end > '9')) {
                break;
            }
        }

        quality = ngx_atofp(p, end - p, 3);

        return quality == NGX_ERROR ? 1000 : ngx_min(quality, 1000);
    }

    return 1000;
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


ngx_uint_t
ngx_scale_request_is_secure(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    return r->connection->ssl != NULL;
#else
    return 0;
#endif
}
