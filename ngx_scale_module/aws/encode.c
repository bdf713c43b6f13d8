
/* paths and arguments in their canonical encoding */

#include "aws/aws_int.h"


static ngx_int_t ngx_scale_aws_normalize(ngx_pool_t *pool, ngx_str_t *path,
    ngx_str_t *normal);
static u_char *ngx_scale_aws_up(u_char *first, u_char *p);
static ngx_int_t ngx_scale_aws_arg(ngx_pool_t *pool, ngx_keyval_t *arg);
static ngx_int_t ngx_scale_aws_recode(ngx_pool_t *pool, ngx_str_t *text);
static int ngx_libc_cdecl ngx_scale_aws_compare_args(const void *one,
    const void *two);
static ngx_int_t ngx_scale_aws_join(ngx_pool_t *pool, ngx_array_t *args,
    ngx_str_t *joined);


#define NGX_SCALE_AWS_ESCAPED  3           /* "%XX" */


u_char *
ngx_scale_aws_encode(u_char *p, u_char *data, size_t len, ngx_uint_t slash)
{
    u_char  ch;

    static u_char  hex[] = "0123456789ABCDEF";

    while (len--) {
        ch = *data++;

        if ((ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z')
            || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == '.'
            || ch == '~' || (ch == '/' && slash))
        {
            *p++ = ch;
            continue;
        }

        *p++ = '%';
        *p++ = hex[ch >> 4];
        *p++ = hex[ch & 0xf];
    }

    return p;
}


u_char *
ngx_scale_aws_decode(u_char *p, ngx_str_t *text, ngx_uint_t plus)
{
    u_char     *s, *last;
    ngx_int_t   n;

    last = text->data + text->len;

    for (s = text->data; s < last; s++) {

        if (*s == '%' && last - s >= NGX_SCALE_AWS_ESCAPED) {
            n = ngx_hextoi(s + 1, 2);

            if (n != NGX_ERROR) {
                *p++ = (u_char) n;
                s += 2;
                continue;
            }
        }

        *p++ = (*s == '+' && plus) ? ' ' : *s;
    }

    return p;
}


ngx_int_t
ngx_scale_aws_path(ngx_pool_t *pool, ngx_str_t *path, ngx_uint_t s3,
    ngx_str_t *canonical)
{
    ngx_str_t  plain;

    if (!s3) {
        return ngx_scale_aws_normalize(pool, path, &plain) == NGX_OK
               ? ngx_scale_aws_encode_path(pool, &plain, canonical)
               : NGX_ERROR;
    }

    plain.data = ngx_pnalloc(pool, path->len + 1);
    if (plain.data == NULL) {
        return NGX_ERROR;
    }

    plain.len = ngx_scale_aws_decode(plain.data, path, 0) - plain.data;

    return ngx_scale_aws_encode_path(pool, &plain, canonical);
}


ngx_int_t
ngx_scale_aws_encode_path(ngx_pool_t *pool, ngx_str_t *path,
    ngx_str_t *encoded)
{
    u_char  *p;

    p = ngx_pnalloc(pool, NGX_SCALE_AWS_ESCAPED * path->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    encoded->data = p;

    if (path->len == 0) {
        *p++ = '/';
    }

    encoded->len = ngx_scale_aws_encode(p, path->data, path->len, 1)
                   - encoded->data;

    return NGX_OK;
}


/* RFC 3986, section 5.2.4, and empty segments are none */

static ngx_int_t
ngx_scale_aws_normalize(ngx_pool_t *pool, ngx_str_t *path, ngx_str_t *normal)
{
    u_char  *p, *s, *last, *segment;
    size_t   len;

    p = ngx_pnalloc(pool, path->len + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    normal->data = p;
    last = path->data + path->len;
    *p++ = '/';

    for (s = path->data; s < last; /* void */ ) {

        while (s < last && *s == '/') {
            s++;
        }

        segment = s;

        while (s < last && *s != '/') {
            s++;
        }

        len = s - segment;

        if (len == 0 || (len == 1 && segment[0] == '.')) {
            continue;
        }

        if (len == 2 && segment[0] == '.' && segment[1] == '.') {
            p = ngx_scale_aws_up(normal->data, p);
            continue;
        }

        p = ngx_cpymem(p, segment, len);

        if (s < last) {
            *p++ = '/';
        }
    }

    normal->len = p - normal->data;

    return NGX_OK;
}


/* to behind the slash before the last segment */

static u_char *
ngx_scale_aws_up(u_char *first, u_char *p)
{
    p--;

    while (p > first && p[-1] != '/') {
        p--;
    }

    return ngx_max(p, first + 1);
}


ngx_uint_t
ngx_scale_aws_has_dots(ngx_str_t *path)
{
    u_char  *s, *last, *segment;

    last = path->data + path->len;

    for (segment = path->data; segment < last; segment = s + 1) {

        for (s = segment; s < last && *s != '/'; s++) { /* void */ }

        if ((s - segment == 1 || s - segment == 2)
            && segment[0] == '.' && s[-1] == '.')
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_scale_aws_args(ngx_pool_t *pool, ngx_str_t *args, ngx_str_t *except,
    ngx_str_t *canonical)
{
    ngx_str_t      rest;
    ngx_array_t    all;
    ngx_keyval_t   next, *arg;

    if (ngx_array_init(&all, pool, 8, sizeof(ngx_keyval_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    rest = *args;

    while (ngx_scale_aws_next_arg(&rest, &next) == NGX_OK) {

        if (ngx_scale_aws_arg(pool, &next) != NGX_OK) {
            return NGX_ERROR;
        }

        if (except && next.key.len == except->len
            && ngx_memcmp(next.key.data, except->data, except->len) == 0)
        {
            continue;
        }

        arg = ngx_array_push(&all);
        if (arg == NULL) {
            return NGX_ERROR;
        }

        *arg = next;
    }

    ngx_qsort(all.elts, all.nelts, sizeof(ngx_keyval_t),
              ngx_scale_aws_compare_args);

    return ngx_scale_aws_join(pool, &all, canonical);
}


ngx_int_t
ngx_scale_aws_next_arg(ngx_str_t *rest, ngx_keyval_t *arg)
{
    u_char  *p, *last, *end;

    p = rest->data;
    last = p + rest->len;

    while (p < last && *p == '&') {
        p++;
    }

    if (p == last) {
        return NGX_DONE;
    }

    end = ngx_strlchr(p, last, '&');
    end = end ? end : last;

    rest->data = end;
    rest->len = last - end;

    arg->key.data = p;
    p = ngx_strlchr(p, end, '=');
    arg->key.len = (p ? p : end) - arg->key.data;

    arg->value.data = p ? p + 1 : end;
    arg->value.len = end - arg->value.data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_arg(ngx_pool_t *pool, ngx_keyval_t *arg)
{
    return ngx_scale_aws_recode(pool, &arg->key) == NGX_OK
           ? ngx_scale_aws_recode(pool, &arg->value) : NGX_ERROR;
}


static ngx_int_t
ngx_scale_aws_recode(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char  *p, *plain;
    size_t   len;

    /* one piece of memory: the clear text behind what is made of it */

    p = ngx_pnalloc(pool, (NGX_SCALE_AWS_ESCAPED + 1) * text->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    plain = p + NGX_SCALE_AWS_ESCAPED * text->len;
    len = ngx_scale_aws_decode(plain, text, 1) - plain;

    text->data = p;
    text->len = ngx_scale_aws_encode(p, plain, len, 0) - p;

    return NGX_OK;
}


/* by name, then by value, as bytes of what is encoded */

static int ngx_libc_cdecl
ngx_scale_aws_compare_args(const void *one, const void *two)
{
    const ngx_keyval_t  *a = one;
    const ngx_keyval_t  *b = two;

    ngx_int_t  rc;

    rc = ngx_memn2cmp(a->key.data, b->key.data, a->key.len, b->key.len);

    if (rc == 0) {
        rc = ngx_memn2cmp(a->value.data, b->value.data, a->value.len,
                          b->value.len);
    }

    return (int) rc;
}


static ngx_int_t
ngx_scale_aws_join(ngx_pool_t *pool, ngx_array_t *args, ngx_str_t *joined)
{
    u_char        *p;
    size_t         len;
    ngx_uint_t     i;
    ngx_keyval_t  *arg;

    arg = args->elts;
    len = 1;

    for (i = 0; i < args->nelts; i++) {
        len += arg[i].key.len + arg[i].value.len + 2;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    joined->data = p;

    for (i = 0; i < args->nelts; i++) {
        if (i) {
            *p++ = '&';
        }

        p = ngx_scale_aws_copy(p, &arg[i].key);
        *p++ = '=';
        p = ngx_scale_aws_copy(p, &arg[i].value);
    }

    joined->len = p - joined->data;

    return NGX_OK;
}
