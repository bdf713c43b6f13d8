
/*
 * PostgreSQL's types and their values in JSON.  OIDs: pg_type.dat, the same
 * in every server since 9.4.
 */

#include "json/value.h"


static ngx_int_t ngx_scale_json_write_number(ngx_scale_json_out_t *out,
    ngx_str_t *text);
static ngx_int_t ngx_scale_json_write_bool(ngx_scale_json_out_t *out,
    ngx_str_t *text);
static ngx_int_t ngx_scale_json_write_json(ngx_scale_json_out_t *out,
    ngx_str_t *text);
static ngx_int_t ngx_scale_json_write_array(ngx_scale_json_out_t *out,
    ngx_scale_json_writer_pt writer, ngx_str_t *text);
static ngx_int_t ngx_scale_json_write_element(ngx_scale_json_out_t *out,
    ngx_scale_json_writer_pt writer, u_char **pos, u_char *last);
static ngx_int_t ngx_scale_json_unquote(ngx_scale_json_out_t *out,
    ngx_str_t *element, u_char **pos, u_char *last);


/* ordered by OID */

static ngx_scale_json_type_t  ngx_scale_json_types[] = {
    {   16, ngx_scale_json_write_bool,      0, 0 },    /* bool */
    {   17, ngx_scale_json_write_bytea,     0, 0 },    /* bytea */
    {   20, ngx_scale_json_write_number,    0, 0 },    /* int8 */
    {   21, ngx_scale_json_write_number,    0, 0 },    /* int2 */
    {   23, ngx_scale_json_write_number,    0, 0 },    /* int4 */
    {   25, ngx_scale_json_write_string,    0, 0 },    /* text */
    {   26, ngx_scale_json_write_number,    0, 0 },    /* oid */
    {  114, ngx_scale_json_write_json,      0, 1 },    /* json */
    {  199, ngx_scale_json_write_json,      1, 1 },    /* json[] */
    {  700, ngx_scale_json_write_number,    0, 0 },    /* float4 */
    {  701, ngx_scale_json_write_number,    0, 0 },    /* float8 */
    { 1000, ngx_scale_json_write_bool,      1, 0 },    /* bool[] */
    { 1001, ngx_scale_json_write_bytea,     1, 0 },    /* bytea[] */
    { 1003, ngx_scale_json_write_string,    1, 0 },    /* name[] */
    { 1005, ngx_scale_json_write_number,    1, 0 },    /* int2[] */
    { 1007, ngx_scale_json_write_number,    1, 0 },    /* int4[] */
    { 1009, ngx_scale_json_write_string,    1, 0 },    /* text[] */
    { 1014, ngx_scale_json_write_string,    1, 0 },    /* char(n)[] */
    { 1015, ngx_scale_json_write_string,    1, 0 },    /* varchar[] */
    { 1016, ngx_scale_json_write_number,    1, 0 },    /* int8[] */
    { 1021, ngx_scale_json_write_number,    1, 0 },    /* float4[] */
    { 1022, ngx_scale_json_write_number,    1, 0 },    /* float8[] */
    { 1028, ngx_scale_json_write_number,    1, 0 },    /* oid[] */
    { 1082, ngx_scale_json_write_string,    0, 0 },    /* date */
    { 1114, ngx_scale_json_write_timestamp, 0, 0 },    /* timestamp */
    { 1115, ngx_scale_json_write_timestamp, 1, 0 },    /* timestamp[] */
    { 1182, ngx_scale_json_write_string,    1, 0 },    /* date[] */
    { 1184, ngx_scale_json_write_timestamp, 0, 0 },    /* timestamptz */
    { 1185, ngx_scale_json_write_timestamp, 1, 0 },    /* timestamptz[] */
    { 1231, ngx_scale_json_write_number,    1, 0 },    /* numeric[] */
    { 1700, ngx_scale_json_write_number,    0, 0 },    /* numeric */
    { 2278, NULL,                           0, 0 },    /* void */
    { 2951, ngx_scale_json_write_string,    1, 0 },    /* uuid[] */
    { 3802, ngx_scale_json_write_json,      0, 1 },    /* jsonb */
    { 3807, ngx_scale_json_write_json,      1, 1 },    /* jsonb[] */
};

static ngx_scale_json_type_t  ngx_scale_json_other = {
    0, ngx_scale_json_write_string, 0, 0
};


ngx_scale_json_type_t *
ngx_scale_json_type(ngx_uint_t oid)
{
    ngx_uint_t              low, high, middle;
    ngx_scale_json_type_t  *type;

    low = 0;
    high = sizeof(ngx_scale_json_types) / sizeof(ngx_scale_json_type_t);

    while (low < high) {
        middle = (low + high) / 2;
        type = &ngx_scale_json_types[middle];

        if (type->oid == oid) {
            return type;
        }

        if (type->oid < oid) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return &ngx_scale_json_other;
}


ngx_int_t
ngx_scale_json_write_value(ngx_scale_json_out_t *out,
    ngx_scale_json_type_t *type, ngx_str_t *text)
{
    if (type->array) {
        return ngx_scale_json_write_array(out, type->writer, text);
    }

    return type->writer(out, text);
}


/* "NaN", "Infinity" and "-Infinity" are what does not end in a digit */

static ngx_int_t
ngx_scale_json_write_number(ngx_scale_json_out_t *out, ngx_str_t *text)
{
    u_char  ch;

    ch = text->len ? text->data[text->len - 1] : '\0';

    if (ch < '0' || ch > '9') {
        return ngx_scale_json_write_string(out, text);
    }

    return ngx_scale_json_out_append(out, text->data, text->len);
}


static ngx_int_t
ngx_scale_json_write_bool(ngx_scale_json_out_t *out, ngx_str_t *text)
{
    if (text->len && text->data[0] == 't') {
        return ngx_scale_json_out_append(out, (u_char *) "true", 4);
    }

    return ngx_scale_json_out_append(out, (u_char *) "false", 5);
}


/*
 * json keeps the spelling it was given.  A line break can only be blank space
 * between tokens (RFC 8259, section 7), so a blank may take its place.
 */

static ngx_int_t
ngx_scale_json_write_json(ngx_scale_json_out_t *out, ngx_str_t *text)
{
    u_char  *p;

    if (ngx_scale_json_out_append(out, text->data, text->len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (out->one_line) {
        for (p = out->pos - text->len; p < out->pos; p++) {
            if (*p == CR || *p == LF) {
                *p = ' ';
            }
        }
    }

    return NGX_OK;
}


/*
 * An array's output (manual, 8.15.6): braces, commas, elements; before them
 * "[0:1]=" where a lower bound is not 1.  Brackets take the place of braces
 * one by one, so dimensions need no count.
 */

static ngx_int_t
ngx_scale_json_write_array(ngx_scale_json_out_t *out,
    ngx_scale_json_writer_pt writer, ngx_str_t *text)
{
    u_char  *p, *last, ch;

    p = text->data;
    last = p + text->len;

    while (p < last && *p != '{') {
        p++;
    }

    if (p == last) {
        return ngx_scale_json_write_string(out, text);
    }

    while (p < last) {

        switch (*p) {

        case '{':
            ch = '[';
            break;

        case '}':
            ch = ']';
            break;

        case ',':
            ch = ',';
            break;

        default:
            if (ngx_scale_json_write_element(out, writer, &p, last)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        if (ngx_scale_json_out_char(out, ch) != NGX_OK) {
            return NGX_ERROR;
        }

        p++;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_write_element(ngx_scale_json_out_t *out,
    ngx_scale_json_writer_pt writer, u_char **pos, u_char *last)
{
    u_char     *p;
    ngx_str_t   element;

    p = *pos;

    if (*p == '"') {
        if (ngx_scale_json_unquote(out, &element, pos, last) != NGX_OK) {
            return NGX_ERROR;
        }

        return writer(out, &element);
    }

    while (p < last && *p != ',' && *p != '}') {
        p++;
    }

    element.data = *pos;
    element.len = p - *pos;
    *pos = p;

    /* a string that reads so is quoted */

    if (element.len == 4 && ngx_memcmp(element.data, "NULL", 4) == 0) {
        return ngx_scale_json_out_append(out, (u_char *) "null", 4);
    }

    return writer(out, &element);
}


static ngx_int_t
ngx_scale_json_unquote(ngx_scale_json_out_t *out, ngx_str_t *element,
    u_char **pos, u_char *last)
{
    u_char  *p, *dst;
    size_t   size;

    size = last - *pos;

    if (out->scratch.len < size) {
        size *= 2;

        out->scratch.data = ngx_pnalloc(out->pool, size);
        if (out->scratch.data == NULL) {
            return NGX_ERROR;
        }

        out->scratch.len = size;
    }

    dst = out->scratch.data;

    for (p = *pos + 1; p < last && *p != '"'; p++) {

        if (*p == '\\' && p + 1 < last) {
            p++;
        }

        *dst++ = *p;
    }

    element->data = out->scratch.data;
    element->len = dst - element->data;
    *pos = p < last ? p + 1 : last;

    return NGX_OK;
}
