
/*
 * Results: whole ones, and lists that come in parts.
 */

#include "json/list.h"


static ngx_int_t ngx_scale_json_write_alone(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows);
static ngx_int_t ngx_scale_json_write_all(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t nrows);
static size_t ngx_scale_json_estimate(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t nrows);
static ngx_int_t ngx_scale_json_init(ngx_scale_json_list_t *list,
    ngx_pool_t *pool, ngx_uint_t shape, ngx_uint_t representation,
    size_t size);
static ngx_int_t ngx_scale_json_open(ngx_scale_json_list_t *list);
static ngx_int_t ngx_scale_json_add(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t nrows);
static ngx_int_t ngx_scale_json_add_row(ngx_scale_json_list_t *list,
    ngx_scale_rows_t *rows, ngx_uint_t row);
static ngx_int_t ngx_scale_json_write_row(ngx_scale_json_out_t *out,
    ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_scale_json_column_t *columns, ngx_uint_t n);
static ngx_int_t ngx_scale_json_write_cell(ngx_scale_json_out_t *out,
    ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_scale_json_column_t *column);


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

    if (shape == NGX_SCALE_JSON_VALUE && representation != NGX_SCALE_REPR_CSV)
    {
        rc = ngx_scale_json_write_alone(&list, rows);

    } else {
        rc = ngx_scale_json_write_all(&list, rows, nrows);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_json_list_written(&list, out);

    return NGX_OK;
}


/* the first column's value of the first row */

static ngx_int_t
ngx_scale_json_write_alone(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows)
{
    if (ngx_scale_json_write_cell(&list->out, rows, 0,
                                  list->n ? list->columns : NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_json_out_char(&list->out, LF);
}


static ngx_int_t
ngx_scale_json_write_all(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows,
    ngx_uint_t nrows)
{
    if (ngx_scale_json_open(list) != NGX_OK
        || ngx_scale_json_add(list, rows, nrows) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_json_list_end(list);
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

    list->out.one_line = (representation == NGX_SCALE_REPR_NDJSON);
    list->representation = representation;
    list->brackets = shape == NGX_SCALE_JSON_ROWS
                     && representation == NGX_SCALE_REPR_JSON;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_open(ngx_scale_json_list_t *list)
{
    if (list->representation == NGX_SCALE_REPR_CSV) {
        return ngx_scale_json_csv_header(list);
    }

    return list->brackets ? ngx_scale_json_out_char(&list->out, '[') : NGX_OK;
}


static ngx_int_t
ngx_scale_json_add(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows,
    ngx_uint_t nrows)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < nrows; i++) {
        rc = (list->representation == NGX_SCALE_REPR_CSV)
             ? ngx_scale_json_csv_line(list, rows, i)
             : ngx_scale_json_add_row(list, rows, i);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_add_row(ngx_scale_json_list_t *list, ngx_scale_rows_t *rows,
    ngx_uint_t row)
{
    if (list->brackets && list->begun
        && ngx_scale_json_out_char(&list->out, ',') != NGX_OK)
    {
        return NGX_ERROR;
    }

    list->begun = 1;

    if (ngx_scale_json_write_row(&list->out, rows, row, list->columns, list->n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return list->brackets ? NGX_OK : ngx_scale_json_out_char(&list->out, LF);
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
