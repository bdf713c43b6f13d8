
/*
 * Keys: read when the configuration is, made of the values of a request.
 */

#include "route/route.h"
#include "route/fault.h"
#include "route/name.h"


typedef struct {
    ngx_str_t    text;
    unsigned     verbatim:1;
} ngx_scale_key_value_t;


static ngx_int_t ngx_scale_key_part(ngx_str_t *rest, ngx_array_t *parts);
static void ngx_scale_key_name(ngx_str_t *rest, ngx_scale_key_part_t *part);
static void ngx_scale_key_literal(ngx_str_t *rest, ngx_scale_key_part_t *part);
static ngx_int_t ngx_scale_key_apart(ngx_pool_t *pool, ngx_array_t *parts,
    ngx_str_t *error);
static ngx_uint_t ngx_scale_key_separates(ngx_str_t *literal);
static ngx_int_t ngx_scale_key_variable(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *error);
static ngx_uint_t ngx_scale_key_is_name(u_char *p, u_char *end);
static ngx_uint_t ngx_scale_key_escaped(u_char ch);
static size_t ngx_scale_key_length(ngx_scale_key_value_t *value);
static u_char *ngx_scale_key_write(u_char *p, ngx_scale_key_value_t *value);


ngx_int_t
ngx_scale_key_parse(ngx_pool_t *pool, ngx_str_t *text, ngx_array_t *parts,
    ngx_str_t *error)
{
    ngx_str_t  rest;

    ngx_str_null(error);

    if (text->len == 0) {
        return ngx_scale_route_fault(pool, error, "the key is empty; write "
                                     "text and :name parts");
    }

    if (ngx_scale_key_variable(pool, text, error) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_array_init(parts, pool, 4, sizeof(ngx_scale_key_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rest = *text;

    while (rest.len) {
        if (ngx_scale_key_part(&rest, parts) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_scale_key_apart(pool, parts, error);
}


static ngx_int_t
ngx_scale_key_part(ngx_str_t *rest, ngx_array_t *parts)
{
    ngx_scale_key_part_t  *part;

    part = ngx_array_push(parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(part, sizeof(ngx_scale_key_part_t));

    if (ngx_scale_key_is_name(rest->data, rest->data + rest->len)) {
        ngx_scale_key_name(rest, part);

    } else {
        ngx_scale_key_literal(rest, part);
    }

    return NGX_OK;
}


static void
ngx_scale_key_name(ngx_str_t *rest, ngx_scale_key_part_t *part)
{
    u_char  *p, *end, *start;

    start = rest->data + 1;
    end = rest->data + rest->len;

    for (p = start; p < end && ngx_scale_name_next(*p); p++) { /* void */ }

    if (p - start == 3 && ngx_strncmp(start, "row", 3) == 0
        && end - p >= 2 && p[0] == '.' && ngx_scale_name_first(p[1]))
    {
        part->row = 1;
        start = ++p;

        while (p < end && ngx_scale_name_next(*p)) {
            p++;
        }
    }

    part->name.data = start;
    part->name.len = p - start;

    rest->data = p;
    rest->len = end - p;
}


static void
ngx_scale_key_literal(ngx_str_t *rest, ngx_scale_key_part_t *part)
{
    u_char  *p, *end;

    p = rest->data;
    end = rest->data + rest->len;

    while (p < end && !ngx_scale_key_is_name(p, end)) {
        p++;
    }

    part->literal.data = rest->data;
    part->literal.len = p - rest->data;

    rest->data = p;
    rest->len = end - p;
}


/*
 * ":a-:b" makes "1-2-3" of "1" and "2-3" as well as of "1-2" and "3": the
 * text between two values has to have a byte that no value can have.
 */

static ngx_int_t
ngx_scale_key_apart(ngx_pool_t *pool, ngx_array_t *parts, ngx_str_t *error)
{
    ngx_uint_t             i, apart;
    ngx_str_t             *last;
    ngx_scale_key_part_t  *part;

    part = parts->elts;
    last = NULL;
    apart = 0;

    for (i = 0; i < parts->nelts; i++) {

        if (part[i].name.len == 0) {
            apart = ngx_scale_key_separates(&part[i].literal);
            continue;
        }

        if (last && !apart) {
            return ngx_scale_route_fault(pool, error, "\"%V\" and \"%V\" "
                                         "are not kept apart, so different "
                                         "values may make the same key; put "
                                         "\"/\" or \":\" between them", last,
                                         &part[i].name);
        }

        last = &part[i].name;
        apart = 0;
    }

    return NGX_OK;
}


/* values do have "%" in escapes, and "~" is NULL */

static ngx_uint_t
ngx_scale_key_separates(ngx_str_t *literal)
{
    u_char  *p, *end;

    end = literal->data + literal->len;

    for (p = literal->data; p < end; p++) {
        if (ngx_scale_key_escaped(*p) && *p != '%' && *p != '~') {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_scale_key_variable(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *error)
{
    u_char  *p, *last, *end;

    end = text->data + text->len;

    for (p = text->data; end - p >= 2; p++) {

        if (*p != '$' || (p[1] != '{' && !ngx_scale_name_first(p[1]))) {
            continue;
        }

        last = p + 2;

        while (last < end && ngx_scale_name_next(*last)) {
            last++;
        }

        if (p[1] == '{' && last < end && *last == '}') {
            last++;
        }

        return ngx_scale_route_fault(pool, error, "an nginx variable cannot "
                                     "stand in a key, \"%*s\" does; declare "
                                     "it with scale_param and write :name",
                                     (size_t) (last - p), p);
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_key_make(ngx_pool_t *pool, ngx_array_t *parts,
    ngx_int_t (*value)(void *data, ngx_scale_key_part_t *part,
                       ngx_str_t *text),
    void *data, ngx_str_t *key)
{
    size_t                  len;
    u_char                 *p;
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_scale_key_part_t   *part;
    ngx_scale_key_value_t  *values;

    values = ngx_palloc(pool, parts->nelts * sizeof(ngx_scale_key_value_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    part = parts->elts;
    len = 0;

    for (i = 0; i < parts->nelts; i++) {

        values[i].text = part[i].literal;
        values[i].verbatim = 1;

        if (part[i].name.len) {
            rc = value(data, &part[i], &values[i].text);

            if (rc == NGX_OK) {
                values[i].verbatim = 0;

            } else if (rc == NGX_DECLINED) {
                ngx_str_set(&values[i].text, "~");

            } else {
                return rc;
            }
        }

        len += ngx_scale_key_length(&values[i]);
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;
    key->len = len;

    for (i = 0; i < parts->nelts; i++) {
        p = ngx_scale_key_write(p, &values[i]);
    }

    return NGX_OK;
}


static size_t
ngx_scale_key_length(ngx_scale_key_value_t *value)
{
    size_t  i, len;

    len = value->text.len;

    if (value->verbatim) {
        return len;
    }

    for (i = 0; i < value->text.len; i++) {
        if (ngx_scale_key_escaped(value->text.data[i])) {
            len += 2;
        }
    }

    return len;
}


static u_char *
ngx_scale_key_write(u_char *p, ngx_scale_key_value_t *value)
{
    u_char  ch;
    size_t  i;

    static u_char  hex[] = "0123456789ABCDEF";

    if (value->verbatim) {
        return ngx_cpymem(p, value->text.data, value->text.len);
    }

    for (i = 0; i < value->text.len; i++) {

        ch = value->text.data[i];

        if (!ngx_scale_key_escaped(ch)) {
            *p++ = ch;
            continue;
        }

        *p++ = '%';
        *p++ = hex[ch >> 4];
        *p++ = hex[ch & 0xf];
    }

    return p;
}


static ngx_uint_t
ngx_scale_key_is_name(u_char *p, u_char *end)
{
    return end - p >= 2 && p[0] == ':' && ngx_scale_name_first(p[1]);
}


static ngx_uint_t
ngx_scale_key_escaped(u_char ch)
{
    return ch <= 0x20 || ch >= 0x7f
           || ch == '%' || ch == ':' || ch == '/' || ch == '~';
}
