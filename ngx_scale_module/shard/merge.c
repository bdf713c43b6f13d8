
/*
 * Several results as one: a heap of the inputs, the one whose next row is the
 * first on top.
 */

#include "shard/shard.h"


typedef struct {
    ngx_uint_t           input;
    ngx_uint_t           row;
} ngx_scale_shard_place_t;

typedef struct {
    ngx_uint_t           column;
    ngx_uint_t           oid;
    unsigned             desc:1;
} ngx_scale_shard_order_t;

typedef struct {
    ngx_scale_rows_t        **inputs;
    ngx_uint_t                n;
    ngx_uint_t               *next;        /* row of each input */
    ngx_uint_t               *heap;        /* of inputs that have one */
    ngx_uint_t                nheap;
    ngx_scale_shard_order_t  *order;
    ngx_uint_t                norder;
    ngx_scale_shard_place_t  *places;      /* of the rows that go out */
} ngx_scale_shard_merge_t;


static ngx_int_t ngx_scale_shard_merge_alike(ngx_scale_rows_t *a,
    ngx_scale_rows_t *b);
static ngx_int_t ngx_scale_shard_merge_order(ngx_pool_t *pool,
    ngx_scale_shard_merge_t *m, ngx_array_t *sort);
static void ngx_scale_shard_merge_append(ngx_scale_shard_merge_t *m,
    ngx_uint_t nrows);
static void ngx_scale_shard_merge_sorted(ngx_scale_shard_merge_t *m,
    ngx_uint_t nrows);
static void ngx_scale_shard_merge_sift(ngx_scale_shard_merge_t *m,
    ngx_uint_t i);
static ngx_int_t ngx_scale_shard_merge_compare(ngx_scale_shard_merge_t *m,
    ngx_uint_t a, ngx_uint_t b);
static ngx_int_t ngx_scale_shard_merge_get(ngx_scale_rows_t *rows,
    ngx_uint_t row, ngx_uint_t column, ngx_str_t *cell);


ngx_int_t
ngx_scale_shard_merge(ngx_pool_t *pool, ngx_scale_rows_t **rows, ngx_uint_t n,
    ngx_array_t *sort, ngx_uint_t limit, ngx_scale_rows_t *out,
    const char **error)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, nrows;
    ngx_scale_shard_merge_t  *m;

    nrows = 0;

    for (i = 0; i < n; i++) {
        if (ngx_scale_shard_merge_alike(rows[0], rows[i]) != NGX_OK) {
            *error = "the shards' columns differ; bring their tables to one "
                     "form";
            return NGX_DECLINED;
        }

        nrows += rows[i]->nrows;
    }

    if (limit) {
        nrows = ngx_min(nrows, limit);
    }

    m = ngx_pcalloc(pool, sizeof(ngx_scale_shard_merge_t));
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->inputs = rows;
    m->n = n;
    m->next = ngx_pcalloc(pool, n * sizeof(ngx_uint_t));
    m->heap = ngx_palloc(pool, n * sizeof(ngx_uint_t));
    m->places = ngx_palloc(pool, nrows * sizeof(ngx_scale_shard_place_t) + 1);

    if (m->next == NULL || m->heap == NULL || m->places == NULL) {
        return NGX_ERROR;
    }

    if (sort) {
        rc = ngx_scale_shard_merge_order(pool, m, sort);
        if (rc != NGX_OK) {
            *error = "the statement does not return a column of sort=";
            return rc;
        }

        ngx_scale_shard_merge_sorted(m, nrows);

    } else {
        ngx_scale_shard_merge_append(m, nrows);
    }

    *out = *rows[0];
    out->nrows = nrows;
    out->get = ngx_scale_shard_merge_get;
    out->data = m;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_shard_merge_alike(ngx_scale_rows_t *a, ngx_scale_rows_t *b)
{
    ngx_uint_t           i;
    ngx_scale_column_t  *x, *y;

    if (a->ncolumns != b->ncolumns) {
        return NGX_DECLINED;
    }

    for (i = 0; i < a->ncolumns; i++) {
        x = &a->columns[i];
        y = &b->columns[i];

        if (x->oid != y->oid || x->name.len != y->name.len
            || ngx_memcmp(x->name.data, y->name.data, x->name.len) != 0)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_shard_merge_order(ngx_pool_t *pool, ngx_scale_shard_merge_t *m,
    ngx_array_t *sort)
{
    ngx_uint_t               i, j;
    ngx_scale_column_t      *column;
    ngx_scale_shard_sort_t  *by;

    by = sort->elts;
    column = m->inputs[0]->columns;

    m->norder = sort->nelts;
    m->order = ngx_pcalloc(pool, m->norder * sizeof(ngx_scale_shard_order_t));
    if (m->order == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < m->norder; i++) {

        for (j = 0; j < m->inputs[0]->ncolumns; j++) {
            if (column[j].name.len == by[i].column.len
                && ngx_memcmp(column[j].name.data, by[i].column.data,
                              by[i].column.len) == 0)
            {
                break;
            }
        }

        if (j == m->inputs[0]->ncolumns) {
            return NGX_DECLINED;
        }

        m->order[i].column = j;
        m->order[i].oid = column[j].oid;
        m->order[i].desc = by[i].desc;
    }

    return NGX_OK;
}


static void
ngx_scale_shard_merge_append(ngx_scale_shard_merge_t *m, ngx_uint_t nrows)
{
    ngx_uint_t  i, row, input;

    input = 0;
    row = 0;

    for (i = 0; i < nrows; i++) {

        while (row == m->inputs[input]->nrows) {
            input++;
            row = 0;
        }

        m->places[i].input = input;
        m->places[i].row = row++;
    }
}


static void
ngx_scale_shard_merge_sorted(ngx_scale_shard_merge_t *m, ngx_uint_t nrows)
{
    ngx_uint_t  i, input;

    for (i = 0; i < m->n; i++) {
        if (m->inputs[i]->nrows) {
            m->heap[m->nheap++] = i;
        }
    }

    for (i = m->nheap / 2; i; i--) {
        ngx_scale_shard_merge_sift(m, i - 1);
    }

    for (i = 0; i < nrows; i++) {
        input = m->heap[0];

        m->places[i].input = input;
        m->places[i].row = m->next[input]++;

        if (m->next[input] == m->inputs[input]->nrows) {
            m->heap[0] = m->heap[--m->nheap];
        }

        ngx_scale_shard_merge_sift(m, 0);
    }
}


static void
ngx_scale_shard_merge_sift(ngx_scale_shard_merge_t *m, ngx_uint_t i)
{
    ngx_uint_t  child, input;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= m->nheap) {
            return;
        }

        if (child + 1 < m->nheap
            && ngx_scale_shard_merge_compare(m, m->heap[child + 1],
                                             m->heap[child])
               < 0)
        {
            child++;
        }

        if (ngx_scale_shard_merge_compare(m, m->heap[i], m->heap[child]) < 0) {
            return;
        }

        input = m->heap[i];
        m->heap[i] = m->heap[child];
        m->heap[child] = input;
        i = child;
    }
}


/* of the next rows of two inputs; never equal: the first shard comes first */

static ngx_int_t
ngx_scale_shard_merge_compare(ngx_scale_shard_merge_t *m, ngx_uint_t a,
    ngx_uint_t b)
{
    ngx_int_t                 rc, x, y;
    ngx_str_t                 left, right;
    ngx_uint_t                i;
    ngx_scale_shard_order_t  *by;

    for (i = 0; i < m->norder; i++) {
        by = &m->order[i];

        x = m->inputs[a]->get(m->inputs[a], m->next[a], by->column, &left);
        y = m->inputs[b]->get(m->inputs[b], m->next[b], by->column, &right);

        if (x != NGX_OK || y != NGX_OK) {
            rc = (x != NGX_OK) - (y != NGX_OK);

        } else {
            rc = ngx_scale_shard_compare(by->oid, &left, &right);
        }

        if (rc) {
            return by->desc ? -rc : rc;
        }
    }

    return a < b ? -1 : 1;
}


static ngx_int_t
ngx_scale_shard_merge_get(ngx_scale_rows_t *rows, ngx_uint_t row,
    ngx_uint_t column, ngx_str_t *cell)
{
    ngx_scale_rows_t         *input;
    ngx_scale_shard_merge_t  *m = rows->data;

    input = m->inputs[m->places[row].input];

    return input->get(input, m->places[row].row, column, cell);
}
