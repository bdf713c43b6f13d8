
/* the canonical request */

#include "aws/aws_int.h"


typedef struct {
    ngx_str_t      name;                   /* lower case */
    ngx_str_t      value;                  /* without needless white space */
    ngx_uint_t     place;                  /* in the request */
} ngx_scale_aws_header_t;


static ngx_int_t ngx_scale_aws_headers(ngx_pool_t *pool, ngx_array_t *given,
    ngx_array_t *headers);
static ngx_int_t ngx_scale_aws_header(ngx_pool_t *pool, ngx_keyval_t *given,
    ngx_scale_aws_header_t *header);
static u_char *ngx_scale_aws_squeeze(u_char *p, ngx_str_t *value);
static ngx_uint_t ngx_scale_aws_is_space(u_char ch);
static int ngx_libc_cdecl ngx_scale_aws_compare_headers(const void *one,
    const void *two);
static ngx_int_t ngx_scale_aws_names(ngx_pool_t *pool, ngx_array_t *headers,
    ngx_str_t *names);
static ngx_uint_t ngx_scale_aws_repeats(ngx_scale_aws_header_t *header,
    ngx_uint_t i);
static u_char *ngx_scale_aws_write_headers(u_char *p, ngx_array_t *headers);


ngx_int_t
ngx_scale_aws_canonical(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_request_t *request, ngx_str_t *except, ngx_str_t *canonical,
    ngx_str_t *names)
{
    u_char                  *p;
    size_t                   len;
    ngx_str_t                path, args;
    ngx_uint_t               i;
    ngx_array_t              headers;
    ngx_scale_aws_header_t  *header;

    if (ngx_array_init(&headers, pool, request->headers->nelts + 1,
                       sizeof(ngx_scale_aws_header_t))
        != NGX_OK
        || ngx_scale_aws_headers(pool, request->headers, &headers) != NGX_OK
        || ngx_scale_aws_names(pool, &headers, names) != NGX_OK
        || ngx_scale_aws_path(pool, &request->path,
                              ngx_scale_aws_is_s3(scope), &path)
           != NGX_OK
        || ngx_scale_aws_args(pool, &request->args, except, &args) != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = request->method.len + path.len + args.len + names->len
          + request->payload.len + sizeof("\n\n\n\n\n") - 1;

    header = headers.elts;

    for (i = 0; i < headers.nelts; i++) {
        len += header[i].name.len + header[i].value.len + sizeof(":\n") - 1;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    canonical->data = p;

    p = ngx_scale_aws_copy(p, &request->method);
    *p++ = LF;
    p = ngx_scale_aws_copy(p, &path);
    *p++ = LF;
    p = ngx_scale_aws_copy(p, &args);
    *p++ = LF;
    p = ngx_scale_aws_write_headers(p, &headers);
    *p++ = LF;
    p = ngx_scale_aws_copy(p, names);
    *p++ = LF;
    p = ngx_scale_aws_copy(p, &request->payload);

    canonical->len = p - canonical->data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_headers(ngx_pool_t *pool, ngx_array_t *given,
    ngx_array_t *headers)
{
    ngx_uint_t               i;
    ngx_keyval_t            *field;
    ngx_scale_aws_header_t  *header;

    field = given->elts;

    for (i = 0; i < given->nelts; i++) {
        header = ngx_array_push(headers);

        if (header == NULL
            || ngx_scale_aws_header(pool, &field[i], header) != NGX_OK)
        {
            return NGX_ERROR;
        }

        header->place = i;
    }

    ngx_qsort(headers->elts, headers->nelts, sizeof(ngx_scale_aws_header_t),
              ngx_scale_aws_compare_headers);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_header(ngx_pool_t *pool, ngx_keyval_t *given,
    ngx_scale_aws_header_t *header)
{
    u_char  *p;

    p = ngx_pnalloc(pool, given->key.len + given->value.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(p, given->key.data, given->key.len);

    header->name.data = p;
    header->name.len = given->key.len;

    p += given->key.len;

    header->value.data = p;
    header->value.len = ngx_scale_aws_squeeze(p, &given->value) - p;

    return NGX_OK;
}


/* white space at the ends goes, and each run of it is a space */

static u_char *
ngx_scale_aws_squeeze(u_char *p, ngx_str_t *value)
{
    u_char  *s, *last, *first;

    first = p;
    last = value->data + value->len;

    while (last > value->data && ngx_scale_aws_is_space(last[-1])) {
        last--;
    }

    for (s = value->data; s < last; s++) {

        if (!ngx_scale_aws_is_space(*s)) {
            *p++ = *s;

        } else if (p > first && p[-1] != ' ') {
            *p++ = ' ';
        }
    }

    return p;
}


static ngx_uint_t
ngx_scale_aws_is_space(u_char ch)
{
    return ch == ' ' || ch == '\t' || ch == CR || ch == LF;
}


static int ngx_libc_cdecl
ngx_scale_aws_compare_headers(const void *one, const void *two)
{
    const ngx_scale_aws_header_t  *a = one;
    const ngx_scale_aws_header_t  *b = two;

    ngx_int_t  rc;

    rc = ngx_memn2cmp(a->name.data, b->name.data, a->name.len, b->name.len);

    return rc ? (int) rc : a->place < b->place ? -1 : 1;
}


static ngx_int_t
ngx_scale_aws_names(ngx_pool_t *pool, ngx_array_t *headers, ngx_str_t *names)
{
    u_char                  *p;
    size_t                   len;
    ngx_uint_t               i;
    ngx_scale_aws_header_t  *header;

    len = 1;
    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        len += header[i].name.len + 1;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    names->data = p;

    for (i = 0; i < headers->nelts; i++) {

        if (ngx_scale_aws_repeats(header, i)) {
            continue;
        }

        if (i) {
            *p++ = ';';
        }

        p = ngx_scale_aws_copy(p, &header[i].name);
    }

    names->len = p - names->data;

    return NGX_OK;
}


/* the i-th has the name of the one before it */

static ngx_uint_t
ngx_scale_aws_repeats(ngx_scale_aws_header_t *header, ngx_uint_t i)
{
    return i && header[i].name.len == header[i - 1].name.len
           && ngx_memcmp(header[i].name.data, header[i - 1].name.data,
                         header[i].name.len)
              == 0;
}


/* the values of one name are one line, in the request's order */

static u_char *
ngx_scale_aws_write_headers(u_char *p, ngx_array_t *headers)
{
    ngx_uint_t               i;
    ngx_scale_aws_header_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        if (ngx_scale_aws_repeats(header, i)) {
            p[-1] = ',';

        } else {
            p = ngx_scale_aws_copy(p, &header[i].name);
            *p++ = ':';
        }

        p = ngx_scale_aws_copy(p, &header[i].value);
        *p++ = LF;
    }

    return p;
}
