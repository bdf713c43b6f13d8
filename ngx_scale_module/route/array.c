
/*
 * Arrays, as PostgreSQL's literals (manual, 8.15.2): every element is quoted,
 * so that an element that reads NULL is not one.
 */

#include "route/type.h"


static ngx_int_t ngx_scale_array_split(ngx_pool_t *pool,
    ngx_scale_param_t *param, ngx_str_t *text, ngx_scale_raw_t *list,
    const char **reason);
static ngx_int_t ngx_scale_array_literal(ngx_pool_t *pool,
    ngx_scale_value_t *elts, ngx_uint_t n, size_t offset, ngx_str_t *literal);
static size_t ngx_scale_array_quoted(ngx_str_t *text);
static u_char *ngx_scale_array_quote(u_char *p, ngx_str_t *text);


ngx_int_t
ngx_scale_array_value(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, const char **reason)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_scale_raw_t     list;
    ngx_scale_value_t  *elts;

    rc = NGX_OK;
    list = *raw;

    if (raw->kind == NGX_SCALE_RAW_TEXT) {
        rc = ngx_scale_array_split(pool, param, &raw->text, &list, reason);

    } else if (raw->kind != NGX_SCALE_RAW_ARRAY) {
        *reason = "must be an array";
        rc = NGX_DECLINED;

    } else if (raw->nelts > param->count_max) {
        *reason = param->reason.count;
        rc = NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    elts = ngx_pcalloc(pool, list.nelts * sizeof(ngx_scale_value_t));
    if (elts == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < list.nelts; i++) {

        if (list.elts[i].kind == NGX_SCALE_RAW_NULL) {
            elts[i].null = 1;
            continue;
        }

        rc = ngx_scale_type_value(pool, param, &list.elts[i], &elts[i],
                                  reason);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    value->null = 0;

    rc = ngx_scale_array_literal(pool, elts, list.nelts,
                                 offsetof(ngx_scale_value_t, text),
                                 &value->text);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_scale_array_literal(pool, elts, list.nelts,
                                   offsetof(ngx_scale_value_t, canon),
                                   &value->canon);
}


/* no text at all is an array without elements */

static ngx_int_t
ngx_scale_array_split(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_str_t *text, ngx_scale_raw_t *list, const char **reason)
{
    u_char      *p, *end, *comma;
    ngx_uint_t   i, n;

    p = text->data;
    end = p + text->len;

    n = (p < end);

    for (i = 0; i < text->len; i++) {
        n += (text->data[i] == ',');
    }

    if (n > param->count_max) {
        *reason = param->reason.count;
        return NGX_DECLINED;
    }

    list->nelts = n;

    list->elts = ngx_pcalloc(pool, n * sizeof(ngx_scale_raw_t));
    if (list->elts == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        comma = ngx_strlchr(p, end, ',');

        list->elts[i].kind = NGX_SCALE_RAW_TEXT;
        list->elts[i].text.data = p;
        list->elts[i].text.len = (comma ? comma : end) - p;

        p += list->elts[i].text.len + 1;
    }

    return NGX_OK;
}


/* "offset" is that of the spelling to use */

static ngx_int_t
ngx_scale_array_literal(ngx_pool_t *pool, ngx_scale_value_t *elts,
    ngx_uint_t n, size_t offset, ngx_str_t *literal)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *text;
    ngx_uint_t   i;

    len = sizeof("{}");

    for (i = 0; i < n; i++) {
        text = (ngx_str_t *) ((u_char *) &elts[i] + offset);
        len += sizeof(",NULL") - 1 + ngx_scale_array_quoted(text);
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    literal->data = p;

    *p++ = '{';

    for (i = 0; i < n; i++) {

        if (i) {
            *p++ = ',';
        }

        if (elts[i].null) {
            p = ngx_cpymem(p, "NULL", sizeof("NULL") - 1);
            continue;
        }

        text = (ngx_str_t *) ((u_char *) &elts[i] + offset);
        p = ngx_scale_array_quote(p, text);
    }

    *p++ = '}';
    *p = '\0';

    literal->len = p - literal->data;

    return NGX_OK;
}


/* the escaped text's length; its two quotes have the room of a "NULL" */

static size_t
ngx_scale_array_quoted(ngx_str_t *text)
{
    size_t  i, len;

    len = text->len;

    for (i = 0; i < text->len; i++) {
        len += (text->data[i] == '"' || text->data[i] == '\\');
    }

    return len;
}


static u_char *
ngx_scale_array_quote(u_char *p, ngx_str_t *text)
{
    size_t  i;

    *p++ = '"';

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == '"' || text->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = text->data[i];
    }

    *p++ = '"';

    return p;
}
