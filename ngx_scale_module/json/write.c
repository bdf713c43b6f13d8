
/*
 * Results: whole ones, and lists that come in parts.
 */

#include "json/json_int.h"


/* around a result, and what a few escapes add to it before it must grow */

#define NGX_SCALE_JSON_SLACK  64


static ngx_int_t ngx_scale_json_columns(ngx_scale_json_list_t *list,
    ngx_pool_t *pool, ngx_scale_rows_t *rows);
static ngx_uint_t ngx_scale_json_hidden(ngx_str_t *name);
static ngx_int_t ngx_scale_json_prefixes(ngx_scale_json_out_t *names,
    ngx_scale_json_column_t *columns, ngx_uint_t n);
static size_t ngx_scale_json_estimate(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t nrows);
static ngx_int_t ngx_scale_json_init(ngx_scale_json_list_t *list,
    ngx_pool_t *pool, ngx_uint_t shape, ngx_uint_t representation,
    size_t size);
static ngx_int_t ngx_scale_json_open(ngx_scale_json_list_t *list);
static ngx_int_t ngx_scale_json_add(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t nrows);
static ngx_int_t ngx_scale_json_write_row(ngx_scale_json_out_t *out,
    ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_scale_json_column_t *columns, ngx_uint_t n);
static ngx_int_t ngx_scale_json_write_cell(ngx_scale_json_out_t *out,
    ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_scale_json_column_t *column);


/* columns for the application's own use, not for its clients */

static ngx_str_t  ngx_scale_json_hidden_names[] = {
    ngx_string("http:"),
    ngx_string("row:"),
    ngx_null_string
};


ngx_int_t
ngx_scale_json_write(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_uint_t shape, ngx_uint_t representation, ngx_str_t *out)
{
    ngx_int_t              rc;
    ngx_uint_t             nrows;
    ngx_scale_json_list_t  list;

    if (ngx_scale_json_columns(&list, pool, rows) != NGX_OK) {
        return NGX_ERROR;
    }

    if (shape == NGX_SCALE_JSON_VALUE) {
        list.n = ngx_min(list.n, 1);
    }

    nrows = (shape == NGX_SCALE_JSON_ROWS) ? rows->nrows
                                           : ngx_min(rows->nrows, 1);

    if (ngx_scale_json_init(&list, pool, shape, representation,
                            ngx_scale_json_estimate(&list, rows, nrows))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (shape == NGX_SCALE_JSON_VALUE
        && representation != NGX_SCALE_JSON_CSV)
    {
        rc = ngx_scale_json_write_cell(&list.out, rows, 0,
                                       list.n ? list.columns : NULL);

        if (rc == NGX_OK) {
            rc = ngx_scale_json_out_char(&list.out, LF);
        }

    } else {
        rc = ngx_scale_json_open(&list);

        if (rc == NGX_OK) {
            rc = ngx_scale_json_add(&list, rows, nrows);
        }

        if (rc == NGX_OK) {
            rc = ngx_scale_json_list_end(&list);
        }
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_json_list_written(&list, out);

    return NGX_OK;
}


ngx_scale_json_list_t *
ngx_scale_json_list_begin(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_uint_t representation, size_t size)
{
    ngx_scale_json_list_t  *list;

    list = ngx_palloc(pool, sizeof(ngx_scale_json_list_t));

    if (list == NULL
        || ngx_scale_json_columns(list, pool, rows) != NGX_OK
        || ngx_scale_json_init(list, pool, NGX_SCALE_JSON_ROWS,
                               representation, size)
           != NGX_OK
        || ngx_scale_json_open(list) != NGX_OK)
    {
        return NULL;
    }

    return list;
}


ngx_int_t
ngx_scale_json_list_add(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows)
{
    return ngx_scale_json_add(list, rows, rows->nrows);
}


ngx_int_t
ngx_scale_json_list_end(ngx_scale_json_list_t *list)
{
    return list->brackets
           ? ngx_scale_json_out_append(&list->out, (u_char *) "]\n", 2)
           : NGX_OK;
}


void
ngx_scale_json_list_written(ngx_scale_json_list_t *list, ngx_str_t *out)
{
    out->data = list->out.start;
    out->len = list->out.pos - list->out.start;
}


void
ngx_scale_json_list_taken(ngx_scale_json_list_t *list)
{
    list->out.pos = list->out.start;
}


static ngx_int_t
ngx_scale_json_columns(ngx_scale_json_list_t *list, ngx_pool_t *pool,
    ngx_scale_rows_t *rows)
{
    size_t                    size;
    ngx_uint_t                i;
    ngx_scale_json_out_t      names;
    ngx_scale_json_type_t    *type;
    ngx_scale_json_column_t  *column;

    ngx_memzero(list, sizeof(ngx_scale_json_list_t));

    column = ngx_palloc(pool, rows->ncolumns * sizeof(*column) + 1);
    if (column == NULL) {
        return NGX_ERROR;
    }

    list->columns = column;
    size = 0;

    for (i = 0; i < rows->ncolumns; i++) {
        type = ngx_scale_json_type(rows->columns[i].oid);

        if (type->writer == NULL
            || ngx_scale_json_hidden(&rows->columns[i].name))
        {
            continue;
        }

        column->index = i;
        column->type = type;
        column->name = rows->columns[i].name;
        size += column->name.len + sizeof(",\"\":");
        column++;
    }

    list->n = column - list->columns;

    if (ngx_scale_json_out_init(&names, pool, size + NGX_SCALE_JSON_SLACK)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_json_prefixes(&names, list->columns, list->n);
}


static ngx_uint_t
ngx_scale_json_hidden(ngx_str_t *name)
{
    ngx_str_t  *hidden;

    for (hidden = ngx_scale_json_hidden_names; hidden->len; hidden++) {
        if (name->len >= hidden->len
            && ngx_memcmp(name->data, hidden->data, hidden->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* all names are written before any is pointed to: the memory may move */

static ngx_int_t
ngx_scale_json_prefixes(ngx_scale_json_out_t *names,
    ngx_scale_json_column_t *columns, ngx_uint_t n)
{
    u_char      *p;
    size_t       start;
    ngx_uint_t   i;

    for (i = 0; i < n; i++) {
        start = names->pos - names->start;

        if (ngx_scale_json_out_char(names, i ? ',' : '{') != NGX_OK
            || ngx_scale_json_write_string(names, &columns[i].name) != NGX_OK
            || ngx_scale_json_out_char(names, ':') != NGX_OK)
        {
            return NGX_ERROR;
        }

        columns[i].prefix.len = names->pos - names->start - start;
    }

    p = names->start;

    for (i = 0; i < n; i++) {
        columns[i].prefix.data = p;
        p += columns[i].prefix.len;
    }

    return NGX_OK;
}


/* exact for text that needs no escapes, "null" and "false" counted in */

static size_t
ngx_scale_json_estimate(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows,
    ngx_uint_t nrows)
{
    size_t                    size;
    ngx_str_t                 cell;
    ngx_uint_t                i, row;
    ngx_scale_json_column_t  *columns;

    columns = list->columns;
    size = sizeof("{},\n");

    for (i = 0; i < list->n; i++) {
        size += columns[i].prefix.len + sizeof("false");
    }

    size *= nrows;

    for (row = 0; row < nrows; row++) {
        for (i = 0; i < list->n; i++) {
            if (rows->get(rows, row, columns[i].index, &cell) == NGX_OK) {
                size += cell.len;
            }
        }
    }

    return size + size / 32 + NGX_SCALE_JSON_SLACK;
}


static ngx_int_t
ngx_scale_json_init(ngx_scale_json_list_t *list, ngx_pool_t *pool,
    ngx_uint_t shape, ngx_uint_t representation, size_t size)
{
    if (ngx_scale_json_out_init(&list->out, pool, size) != NGX_OK) {
        return NGX_ERROR;
    }

    list->out.one_line = (representation == NGX_SCALE_JSON_NDJSON);
    list->representation = representation;
    list->brackets = shape == NGX_SCALE_JSON_ROWS
                     && representation == NGX_SCALE_JSON_JSON;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_open(ngx_scale_json_list_t *list)
{
    if (list->representation == NGX_SCALE_JSON_CSV) {
        return ngx_scale_json_csv_header(list);
    }

    return list->brackets ? ngx_scale_json_out_char(&list->out, '[') : NGX_OK;
}


static ngx_int_t
ngx_scale_json_add(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows,
    ngx_uint_t nrows)
{
    ngx_uint_t  i;

    for (i = 0; i < nrows; i++) {

        if (list->representation == NGX_SCALE_JSON_CSV) {
            if (ngx_scale_json_csv_line(list, rows, i) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (list->brackets && list->begun
            && ngx_scale_json_out_char(&list->out, ',') != NGX_OK)
        {
            return NGX_ERROR;
        }

        list->begun = 1;

        if (ngx_scale_json_write_row(&list->out, rows, i, list->columns,
                                     list->n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!list->brackets
            && ngx_scale_json_out_char(&list->out, LF) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_write_row(ngx_scale_json_out_t *out, ngx_scale_rows_t *rows,
    ngx_uint_t row, ngx_scale_json_column_t *columns, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (n == 0) {
        return ngx_scale_json_out_append(out, (u_char *) "{}", 2);
    }

    for (i = 0; i < n; i++) {
        if (ngx_scale_json_out_append(out, columns[i].prefix.data,
                                      columns[i].prefix.len)
            != NGX_OK
            || ngx_scale_json_write_cell(out, rows, row, &columns[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_scale_json_out_char(out, '}');
}


/* no column is null as well: what was selected for its effects alone */

static ngx_int_t
ngx_scale_json_write_cell(ngx_scale_json_out_t *out, ngx_scale_rows_t *rows,
    ngx_uint_t row, ngx_scale_json_column_t *column)
{
    ngx_str_t  cell;

    if (column == NULL
        || rows->get(rows, row, column->index, &cell) != NGX_OK)
    {
        return ngx_scale_json_out_append(out, (u_char *) "null", 4);
    }

    return ngx_scale_json_write_value(out, column->type, &cell);
}
