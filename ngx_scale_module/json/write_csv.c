
/*
 * CSV (RFC 4180).  A field is a value's JSON without the quotes of a string;
 * what JSON nests stays JSON.  NULL is an empty field and the empty string a
 * pair of quotes, as COPY has it.
 */

#include "json/list.h"


static ngx_int_t ngx_scale_json_csv_value(ngx_scale_json_out_t *out,
    ngx_scale_json_out_t *value, ngx_scale_json_type_t *type,
    ngx_str_t *cell);
static ngx_int_t ngx_scale_json_csv_field(ngx_scale_json_out_t *out,
    u_char *p, size_t len);
static size_t ngx_scale_json_csv_quoted(u_char *p, size_t len);


ngx_int_t
ngx_scale_json_csv_header(ngx_scale_json_list_t *list)
{
    ngx_uint_t             i;
    ngx_str_t             *name;
    ngx_scale_json_out_t  *out;

    out = &list->out;

    if (ngx_scale_json_out_init(&list->value, out->pool, 256) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < list->n; i++) {
        name = &list->columns[i].name;

        if (i && ngx_scale_json_out_char(out, ',') != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_scale_json_csv_field(out, name->data, name->len) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_scale_json_out_append(out, (u_char *) CRLF, 2);
}


ngx_int_t
ngx_scale_json_csv_line(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows,
    ngx_uint_t row)
{
    ngx_str_t                 cell;
    ngx_uint_t                i;
    ngx_scale_json_out_t     *out;
    ngx_scale_json_column_t  *column;

    out = &list->out;

    for (i = 0; i < list->n; i++) {
        column = &list->columns[i];

        if (i && ngx_scale_json_out_char(out, ',') != NGX_OK) {
            return NGX_ERROR;
        }

        if (rows->get(rows, row, column->index, &cell) != NGX_OK) {
            continue;
        }

        if (ngx_scale_json_csv_value(out, &list->value, column->type, &cell)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_scale_json_out_append(out, (u_char *) CRLF, 2);
}


static ngx_int_t
ngx_scale_json_csv_value(ngx_scale_json_out_t *out,
    ngx_scale_json_out_t *value, ngx_scale_json_type_t *type,
    ngx_str_t *cell)
{
    u_char  *p;
    size_t   len;

    if (type->writer == ngx_scale_json_write_string && !type->array) {
        return ngx_scale_json_csv_field(out, cell->data, cell->len);
    }

    value->pos = value->start;

    if (ngx_scale_json_write_value(value, type, cell) != NGX_OK) {
        return NGX_ERROR;
    }

    p = value->start;
    len = value->pos - p;

    if (*p == '"' && !type->json && !type->array) {
        p++;
        len -= 2;
    }

    return ngx_scale_json_csv_field(out, p, len);
}


static ngx_int_t
ngx_scale_json_csv_field(ngx_scale_json_out_t *out, u_char *p, size_t len)
{
    u_char  *last;
    size_t   size;

    size = ngx_scale_json_csv_quoted(p, len);

    if (size == 0) {
        return ngx_scale_json_out_append(out, p, len);
    }

    if (ngx_scale_json_out_reserve(out, size) != NGX_OK) {
        return NGX_ERROR;
    }

    *out->pos++ = '"';

    for (last = p + len; p < last; p++) {

        if (*p == '"') {
            *out->pos++ = '"';
        }

        *out->pos++ = *p;
    }

    *out->pos++ = '"';

    return NGX_OK;
}


/* the size of a field in quotes; 0 if it needs none */

static size_t
ngx_scale_json_csv_quoted(u_char *p, size_t len)
{
    size_t      i, quotes;
    ngx_uint_t  needed;

    quotes = 0;
    needed = len == 0 || p[0] == ' ' || p[len - 1] == ' ';

    for (i = 0; i < len; i++) {

        switch (p[i]) {

        case '"':
            quotes++;

            /* fall through */

        case ',':
        case CR:
        case LF:
            needed = 1;
        }
    }

    return needed ? len + quotes + 2 : 0;
}
