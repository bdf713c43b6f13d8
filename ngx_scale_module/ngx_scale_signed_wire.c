
/* the bytes of a request for an upstream, signed */

#include "ngx_scale_signed.h"
#include "http/request.h"


typedef struct {
    ngx_str_t                    line;       /* with its CRLF */
    ngx_keyval_t                 header;
} ngx_scale_wire_line_t;

typedef struct {
    ngx_scale_aws_request_t      request;
    ngx_str_t                    version;    /* " HTTP/1.0" and its CRLF */
    ngx_array_t                  lines;      /* that stay */
    ngx_str_t                    body;       /* behind them in the buffer */
    u_char                       date[NGX_SCALE_AWS_DATE];
    u_char                       hash[NGX_SCALE_AWS_HEX];
} ngx_scale_wire_t;


static ngx_int_t ngx_scale_wire_read(ngx_http_request_t *r,
    ngx_scale_wire_t *w, ngx_buf_t *b);
static ngx_int_t ngx_scale_wire_first(ngx_scale_wire_t *w, u_char *p,
    u_char *last);
static ngx_int_t ngx_scale_wire_line(ngx_scale_wire_t *w, u_char *p,
    u_char *last);
static ngx_uint_t ngx_scale_wire_is(ngx_str_t *name, ngx_str_t *table);
static ngx_int_t ngx_scale_wire_canon(ngx_http_request_t *r,
    ngx_scale_wire_t *w, ngx_uint_t s3);
static ngx_int_t ngx_scale_wire_payload(ngx_http_request_t *r,
    ngx_scale_wire_t *w, ngx_uint_t client, ngx_uint_t none);
static ngx_int_t ngx_scale_wire_headers(ngx_http_request_t *r,
    ngx_scale_wire_t *w, ngx_scale_aws_credentials_t *credentials);
static ngx_int_t ngx_scale_wire_add(ngx_scale_wire_t *w, ngx_str_t *name,
    ngx_str_t *value, ngx_uint_t line);
static ngx_buf_t *ngx_scale_wire_write(ngx_http_request_t *r,
    ngx_scale_wire_t *w, ngx_str_t *authorization);


/* what is made anew */

static ngx_str_t  ngx_scale_wire_own[] = {
    ngx_string("authorization"),
    ngx_string("x-amz-content-sha256"),
    ngx_string("x-amz-date"),
    ngx_string("x-amz-security-token"),
    ngx_null_string
};

/* signed, beside all of x-amz-: no proxy on the way changes them */

static ngx_str_t  ngx_scale_wire_signed[] = {
    ngx_string("host"),
    ngx_string("content-type"),
    ngx_null_string
};

static ngx_str_t  ngx_scale_wire_date = ngx_string("X-Amz-Date");
static ngx_str_t  ngx_scale_wire_hash = ngx_string("X-Amz-Content-Sha256");
static ngx_str_t  ngx_scale_wire_token = ngx_string("X-Amz-Security-Token");


ngx_int_t
ngx_scale_signed_wire(ngx_http_request_t *r, ngx_scale_signer_t *signer,
    ngx_chain_t **request)
{
    ngx_int_t          rc;
    ngx_buf_t         *b;
    ngx_str_t          authorization;
    ngx_chain_t       *cl;
    ngx_scale_wire_t   w;

    ngx_memzero(&w, sizeof(ngx_scale_wire_t));

    rc = ngx_scale_wire_read(r, &w, (*request)->buf);

    if (rc == NGX_OK) {
        rc = ngx_scale_wire_canon(r, &w, signer->s3);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_scale_aws_date(ngx_time(), w.date);

    if (ngx_scale_wire_payload(r, &w, (*request)->next != NULL,
                               signer->unsigned_payload)
        != NGX_OK
        || ngx_scale_wire_headers(r, &w, &signer->credentials->current)
           != NGX_OK
        || ngx_scale_aws_authorize(r->pool, &signer->scope,
                                   &signer->credentials->current, &w.request,
                                   w.date, &authorization)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    b = ngx_scale_wire_write(r, &w, &authorization);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->flush = (*request)->buf->flush;

    cl->buf = b;
    cl->next = (*request)->next;
    *request = cl;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_wire_read(ngx_http_request_t *r, ngx_scale_wire_t *w, ngx_buf_t *b)
{
    u_char  *p, *last, *end;

    w->request.headers = ngx_array_create(r->pool, 8, sizeof(ngx_keyval_t));

    if (w->request.headers == NULL
        || ngx_array_init(&w->lines, r->pool, 16,
                          sizeof(ngx_scale_wire_line_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = b->pos;
    last = b->last;

    end = ngx_strlchr(p, last, LF);

    if (end == NULL || ngx_scale_wire_first(w, p, end + 1) != NGX_OK) {
        return NGX_DECLINED;
    }

    for ( ;; ) {
        p = end + 1;
        end = ngx_strlchr(p, last, LF);

        if (end == NULL) {
            return NGX_DECLINED;
        }

        if (end - p == 1 && *p == CR) {
            w->body.data = end + 1;
            w->body.len = last - w->body.data;
            return NGX_OK;
        }

        if (ngx_scale_wire_line(w, p, end + 1) != NGX_OK) {
            return NGX_DECLINED;
        }
    }
}


static ngx_int_t
ngx_scale_wire_first(ngx_scale_wire_t *w, u_char *p, u_char *last)
{
    u_char                   *space, *version, *query;
    ngx_scale_aws_request_t  *request = &w->request;

    space = ngx_strlchr(p, last, ' ');
    version = last - (sizeof(" HTTP/1.1" CRLF) - 1);

    if (space == NULL || version <= space || space[1] != '/'
        || ngx_strncmp(version, " HTTP/1.", sizeof(" HTTP/1.") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    request->method.data = p;
    request->method.len = space - p;

    query = ngx_strlchr(space, version, '?');

    request->path.data = space + 1;
    request->path.len = (query ? query : version) - request->path.data;

    if (query) {
        request->args.data = query + 1;
        request->args.len = version - request->args.data;
    }

    w->version.data = version;
    w->version.len = last - version;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_wire_line(ngx_scale_wire_t *w, u_char *p, u_char *last)
{
    u_char                 *colon;
    ngx_str_t               name;
    ngx_scale_wire_line_t  *line;

    colon = ngx_strlchr(p, last, ':');
    if (colon == NULL) {
        return NGX_DECLINED;
    }

    name.data = p;
    name.len = colon - p;

    if (ngx_scale_wire_is(&name, ngx_scale_wire_own)) {
        return NGX_OK;
    }

    line = ngx_array_push(&w->lines);
    if (line == NULL) {
        return NGX_ERROR;
    }

    line->line.data = p;
    line->line.len = last - p;
    line->header.key = name;
    line->header.value.data = colon + 1;
    line->header.value.len = last - line->header.value.data;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_wire_is(ngx_str_t *name, ngx_str_t *table)
{
    for ( /* void */ ; table->len; table++) {
        if (table->len == name->len
            && ngx_strncasecmp(table->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Sent in the encoding that is signed: "+" in a path, and what a client has
 * not encoded, mean one thing here and there.  Other services than S3 have
 * the path they are given.
 */

static ngx_int_t
ngx_scale_wire_canon(ngx_http_request_t *r, ngx_scale_wire_t *w,
    ngx_uint_t s3)
{
    ngx_scale_aws_request_t  *request = &w->request;

    if (ngx_scale_aws_args(r->pool, &request->args, NULL, &request->args)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!s3) {
        return NGX_OK;
    }

    if (ngx_scale_aws_path(r->pool, &request->path, 1, &request->path)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_aws_has_dots(&request->path) ? NGX_DECLINED : NGX_OK;
}


/* that of proxy_set_body, or the client's */

static ngx_int_t
ngx_scale_wire_payload(ngx_http_request_t *r, ngx_scale_wire_t *w,
    ngx_uint_t client, ngx_uint_t none)
{
    ngx_str_t  body;

    if (none) {
        ngx_str_set(&w->request.payload, NGX_SCALE_AWS_UNSIGNED);
        return NGX_OK;
    }

    body = w->body;

    if (body.len == 0 && client
        && ngx_scale_request_body(r, &body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    w->request.payload.data = w->hash;
    w->request.payload.len = NGX_SCALE_AWS_HEX;

    return ngx_scale_aws_hash(body.data, body.len, w->hash);
}


static ngx_int_t
ngx_scale_wire_headers(ngx_http_request_t *r, ngx_scale_wire_t *w,
    ngx_scale_aws_credentials_t *credentials)
{
    ngx_str_t               date, *name;
    ngx_uint_t              i, n;
    ngx_scale_wire_line_t  *line;

    n = w->lines.nelts;
    line = w->lines.elts;

    for (i = 0; i < n; i++) {
        name = &line[i].header.key;

        if ((ngx_scale_wire_is(name, ngx_scale_wire_signed)
             || (name->len > 6
                 && ngx_strncasecmp(name->data, (u_char *) "x-amz-", 6) == 0))
            && ngx_scale_wire_add(w, name, &line[i].header.value, 0)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    date.data = w->date;
    date.len = NGX_SCALE_AWS_DATE;

    if (ngx_scale_wire_add(w, &ngx_scale_wire_date, &date, 1) != NGX_OK
        || ngx_scale_wire_add(w, &ngx_scale_wire_hash, &w->request.payload, 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return credentials->token.len
           ? ngx_scale_wire_add(w, &ngx_scale_wire_token, &credentials->token,
                                1)
           : NGX_OK;
}


/* to what is signed and, as a line of our own, to what is sent */

static ngx_int_t
ngx_scale_wire_add(ngx_scale_wire_t *w, ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t line)
{
    ngx_keyval_t           *header;
    ngx_scale_wire_line_t  *sent;

    header = ngx_array_push(w->request.headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    header->key = *name;
    header->value = *value;

    if (!line) {
        return NGX_OK;
    }

    sent = ngx_array_push(&w->lines);
    if (sent == NULL) {
        return NGX_ERROR;
    }

    ngx_str_null(&sent->line);
    sent->header = *header;

    return NGX_OK;
}


static ngx_buf_t *
ngx_scale_wire_write(ngx_http_request_t *r, ngx_scale_wire_t *w,
    ngx_str_t *authorization)
{
    size_t                   len;
    ngx_buf_t               *b;
    ngx_uint_t               i;
    ngx_scale_wire_line_t   *line;
    ngx_scale_aws_request_t *request = &w->request;

    line = w->lines.elts;

    len = request->method.len + request->path.len + request->args.len
          + w->version.len + sizeof(" ?") - 1 + authorization->len
          + sizeof("Authorization: \r\n\r\n") - 1 + w->body.len;

    for (i = 0; i < w->lines.nelts; i++) {
        len += line[i].line.len + line[i].header.key.len
               + line[i].header.value.len + sizeof(": \r\n") - 1;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_cpymem(b->last, request->method.data, request->method.len);
    *b->last++ = ' ';
    b->last = ngx_cpymem(b->last, request->path.data, request->path.len);

    if (request->args.len) {
        *b->last++ = '?';
        b->last = ngx_cpymem(b->last, request->args.data, request->args.len);
    }

    b->last = ngx_cpymem(b->last, w->version.data, w->version.len);

    for (i = 0; i < w->lines.nelts; i++) {

        if (line[i].line.len) {
            b->last = ngx_cpymem(b->last, line[i].line.data,
                                 line[i].line.len);
            continue;
        }

        b->last = ngx_slprintf(b->last, b->end, "%V: %V" CRLF,
                               &line[i].header.key, &line[i].header.value);
    }

    b->last = ngx_slprintf(b->last, b->end, "Authorization: %V" CRLF CRLF,
                           authorization);
    b->last = ngx_cpymem(b->last, w->body.data, w->body.len);

    return b;
}
