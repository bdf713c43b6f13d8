
/*
 * A method's statements with their values, and the answer that their rows
 * become: for a request, and where nobody waits.
 *
 * An answer's meta, which stays with a cached entry, is a list of
 * {kind, 8 bits; name's length, 16; value's length, 32; name; value}: response
 * fields ("http:..." columns), row variables ("row:...") and the status.
 */

#include "ngx_scale_flow.h"


static ngx_scale_pg_call_t *ngx_scale_rows_call(ngx_scale_method_t *m,
    ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_rows_text(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_str_t *text);
static ngx_uint_t ngx_scale_rows_kind(ngx_str_t *name);


ngx_int_t
ngx_scale_rows_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_value_t *values, ngx_scale_pg_op_t *op)
{
    ngx_uint_t            i, j;
    const char          **value;
    ngx_scale_value_t    *v;
    ngx_scale_query_t    *query;
    ngx_scale_pg_call_t  *call;

    call = ngx_pcalloc(pool, m->nqueries * sizeof(ngx_scale_pg_call_t));
    if (call == NULL) {
        return NGX_ERROR;
    }

    op->calls = call;
    op->ncalls = m->nqueries;
    op->timeout = m->timeout;
    op->pool = pool;

    for (i = 0; i < m->nqueries; i++) {
        query = m->queries[i];

        value = ngx_palloc(pool, (query->statement.nparams + 1)
                                 * sizeof(char *));
        if (value == NULL) {
            return NGX_ERROR;
        }

        for (j = 0; j < query->statement.nparams; j++) {
            v = &values[query->args[j]];
            value[j] = v->null ? NULL : (const char *) v->text.data;
        }

        call[i].statement = &query->statement;
        call[i].values = value;
    }

    return ngx_scale_identity_bind(pool, loc, values, op);
}


ngx_uint_t
ngx_scale_rows_empty(ngx_scale_method_t *m, ngx_scale_pg_op_t *op)
{
    ngx_uint_t  i;

    for (i = 0; i < m->nqueries; i++) {
        if (m->queries[i]->empty && op->calls[i].affected == 0) {
            return m->queries[i]->empty;
        }
    }

    return 0;
}


/* the call that answers; where none does, the last one for its columns */

static ngx_scale_pg_call_t *
ngx_scale_rows_call(ngx_scale_method_t *m, ngx_scale_pg_op_t *op)
{
    ngx_uint_t  i;

    for (i = m->nqueries; i; i--) {
        if (m->answer == NULL
            || m->queries[i - 1] == m->answer)
        {
            break;
        }
    }

    return &op->calls[i - 1];
}


ngx_int_t
ngx_scale_rows_answer(ngx_pool_t *pool, ngx_scale_method_t *m,
    ngx_scale_pg_op_t *op, ngx_uint_t representation,
    ngx_scale_answer_t *answer)
{
    ngx_int_t             rc;
    ngx_uint_t            empty;
    ngx_scale_query_t    *query;
    ngx_scale_pg_call_t  *call;

    call = ngx_scale_rows_call(m, op);
    query = m->answer;

    answer->status = NGX_HTTP_NO_CONTENT;

    if (query == NULL) {
        query = m->queries[m->nqueries - 1];

    } else if (call->rows.ncolumns
               && (call->rows.nrows || query->shape == NGX_SCALE_SHAPE_ROWS))
    {
        answer->status = NGX_HTTP_OK;

        rc = query->type.len
             ? ngx_scale_rows_text(pool, &call->rows, &answer->body)
             : ngx_scale_json_write(pool, &call->rows, query->shape,
                                    representation, &answer->body);
        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (query->status) {
        answer->status = query->status;
    }

    empty = ngx_scale_rows_empty(m, op);

    if (empty) {
        answer->status = empty;
    }

    return ngx_scale_rows_meta(pool, &call->rows, answer);
}


/* the first column that is not beside the body, as PostgreSQL writes it */

static ngx_int_t
ngx_scale_rows_text(ngx_pool_t *pool, ngx_scale_rows_t *rows, ngx_str_t *text)
{
    ngx_str_t   value;
    ngx_uint_t  i;

    for (i = 0; i < rows->ncolumns; i++) {
        if (!ngx_scale_rows_kind(&rows->columns[i].name)) {
            break;
        }
    }

    if (i == rows->ncolumns || rows->get(rows, 0, i, &value) != NGX_OK) {
        return NGX_OK;
    }

    text->len = value.len;
    text->data = ngx_pstrdup(pool, &value);

    return text->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_scale_rows_etag(ngx_pool_t *pool, ngx_scale_answer_t *answer)
{
    if (answer->body.len == 0) {
        return NGX_OK;
    }

    return ngx_scale_response_etag(pool, &answer->body, &answer->etag);
}


ngx_int_t
ngx_scale_rows_meta(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_scale_answer_t *answer)
{
    u_char      *p, status[NGX_SCALE_META_STATUS_LEN];
    size_t       len;
    ngx_str_t    value, name, *column;
    ngx_uint_t   i, kind;

    len = NGX_SCALE_META_HEADER + NGX_SCALE_META_STATUS_LEN;

    for (i = 0; rows->nrows && i < rows->ncolumns; i++) {
        column = &rows->columns[i].name;

        if (ngx_scale_rows_kind(column)
            && rows->get(rows, 0, i, &value) == NGX_OK)
        {
            len += NGX_SCALE_META_HEADER + column->len + value.len;
        }
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    answer->meta.data = p;

    ngx_str_null(&name);
    value.data = status;
    value.len = sizeof(status);

    status[0] = (u_char) ('0' + answer->status / 100);
    status[1] = (u_char) ('0' + answer->status / 10 % 10);
    status[2] = (u_char) ('0' + answer->status % 10);

    p = ngx_scale_rows_put(p, NGX_SCALE_META_STATUS, &name, &value);

    for (i = 0; rows->nrows && i < rows->ncolumns; i++) {
        name = rows->columns[i].name;
        kind = ngx_scale_rows_kind(&name);

        if (kind == 0 || rows->get(rows, 0, i, &value) != NGX_OK) {
            continue;
        }

        /* past "http:" or "row:" */

        while (*name.data++ != ':') {
            name.len--;
        }

        name.len--;

        if (kind == NGX_SCALE_META_FIELD && name.len == 6
            && ngx_strncasecmp(name.data, (u_char *) "status", 6) == 0)
        {
            name.len = 0;
            kind = NGX_SCALE_META_STATUS;
        }

        p = ngx_scale_rows_put(p, kind, &name, &value);
    }

    answer->meta.len = p - answer->meta.data;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_rows_kind(ngx_str_t *name)
{
    if (name->len > 5 && ngx_strncmp(name->data, "http:", 5) == 0) {
        return NGX_SCALE_META_FIELD;
    }

    if (name->len > 4 && ngx_strncmp(name->data, "row:", 4) == 0) {
        return NGX_SCALE_META_ROW;
    }

    return 0;
}


u_char *
ngx_scale_rows_put(u_char *p, u_char kind, ngx_str_t *name, ngx_str_t *value)
{
    uint16_t  name_len;
    uint32_t  value_len;

    name_len = (uint16_t) name->len;
    value_len = (uint32_t) value->len;

    *p++ = kind;
    p = ngx_cpymem(p, &name_len, sizeof(uint16_t));
    p = ngx_cpymem(p, &value_len, sizeof(uint32_t));
    p = ngx_cpymem(p, name->data, name->len);

    return ngx_cpymem(p, value->data, value->len);
}
