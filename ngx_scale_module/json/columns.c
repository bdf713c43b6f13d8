
/*
 * The columns of a result that its clients see.
 */

#include "json/list.h"


static ngx_uint_t ngx_scale_json_hidden(ngx_str_t *name);
static ngx_int_t ngx_scale_json_prefixes(ngx_scale_json_out_t *names,
    ngx_scale_json_column_t *columns, ngx_uint_t n);


/* columns for the application's own use */

static ngx_str_t  ngx_scale_json_hidden_names[] = {
    ngx_string("http:"),
    ngx_string("row:"),
    ngx_null_string
};


ngx_int_t
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
