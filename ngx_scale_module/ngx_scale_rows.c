
/* a method's statements with their values, and the answer of their rows */

#include "ngx_scale_rows.h"
#include "ngx_scale_cursor.h"
#include "http/response.h"


static ngx_scale_pg_call_t *ngx_scale_rows_call(ngx_scale_method_t *m,
    ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_rows_call_bind(ngx_pool_t *pool,
    ngx_scale_query_t *query, ngx_scale_value_t *values,
    ngx_scale_pg_call_t *call);
static ngx_scale_query_t *ngx_scale_rows_query(ngx_scale_query_t *query,
    ngx_scale_value_t *values);
static ngx_int_t ngx_scale_rows_cut(ngx_pool_t *pool, ngx_scale_page_t *page,
    ngx_scale_pg_call_t *call, ngx_str_t *next);
static ngx_int_t ngx_scale_rows_next(ngx_pool_t *pool, ngx_str_t *next,
    ngx_scale_answer_t *answer);
static ngx_int_t ngx_scale_rows_validators(ngx_pool_t *pool,
    ngx_scale_etag_t *conf, ngx_scale_rows_t *rows,
    ngx_scale_answer_t *answer);
static ngx_int_t ngx_scale_rows_text(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_str_t *text);


ngx_int_t
ngx_scale_rows_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_value_t *values, ngx_uint_t times,
    ngx_scale_pg_op_t *op)
{
    ngx_uint_t            i, n;
    ngx_scale_value_t    *list;
    ngx_scale_pg_call_t  *call;

    n = times * m->ncalls;

    call = ngx_pcalloc(pool, n * sizeof(ngx_scale_pg_call_t));
    if (call == NULL) {
        return NGX_ERROR;
    }

    op->calls = call;
    op->ncalls = n;
    op->timeout = m->timeout;
    op->pool = pool;
    op->secret = ngx_scale_secret_is(pool);

    for (i = 0; i < n; i++) {
        list = values ? values + i / m->ncalls * loc->params->nelts : NULL;

        if (ngx_scale_rows_call_bind(pool, m->queries[i % m->ncalls], list,
                                     &call[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_scale_identity_bind(pool, loc, m, values, op);
}


static ngx_int_t
ngx_scale_rows_call_bind(ngx_pool_t *pool, ngx_scale_query_t *query,
    ngx_scale_value_t *values, ngx_scale_pg_call_t *call)
{
    ngx_uint_t           i;
    const char         **value;
    ngx_scale_value_t   *v;

    query = ngx_scale_rows_query(query, values);

    value = ngx_palloc(pool, (query->statement.nparams + 1) * sizeof(char *));
    if (value == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < query->statement.nparams; i++) {
        v = &values[query->args[i]];
        value[i] = v->null ? NULL : (const char *) v->text.data;
    }

    call->statement = &query->statement;
    call->values = value;

    return NGX_OK;
}


/* of a list after a cursor: its statement binds that, after "limit" */

static ngx_scale_query_t *
ngx_scale_rows_query(ngx_scale_query_t *query, ngx_scale_value_t *values)
{
    ngx_scale_query_t  *next;

    next = query->next;

    return next && !values[next->args[next->page->limit + 1]].null ? next
                                                                   : query;
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
    ngx_str_t             next;
    ngx_uint_t            empty;
    ngx_scale_query_t    *query;
    ngx_scale_pg_call_t  *call;

    call = ngx_scale_rows_call(m, op);
    query = m->answer;
    ngx_str_null(&next);

    if (query && query->page
        && ngx_scale_rows_cut(pool, query->page, call, &next) != NGX_OK)
    {
        return NGX_ERROR;
    }

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

    if (ngx_scale_meta_make(pool, &call->rows, answer) != NGX_OK
        || ngx_scale_rows_next(pool, &next, answer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return m->etag && answer->body.len
           ? ngx_scale_rows_validators(pool, m->etag, &call->rows, answer)
           : NGX_OK;
}


/* the row that says that there are more is not of the page */

static ngx_int_t
ngx_scale_rows_cut(ngx_pool_t *pool, ngx_scale_page_t *page,
    ngx_scale_pg_call_t *call, ngx_str_t *next)
{
    ngx_int_t    rc;
    ngx_str_t   *column;
    ngx_uint_t   limit;
    const char  *value;

    value = call->values[page->limit];
    limit = value ? (ngx_uint_t) strtoul(value, NULL, 10) : page->usual;
    limit = ngx_min(limit, page->max);

    if (call->rows.nrows <= limit) {
        return NGX_OK;
    }

    call->rows.nrows = limit;

    rc = ngx_scale_cursor_make(pool, page, &call->rows, limit - 1, next,
                               &column);
    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, pool->log, 0,
                      "route \"%V\": there is no page after a row whose "
                      "\"%V\" is missing, null or longer than 1024 bytes; "
                      "order by columns that are NOT NULL", page->scope,
                      column);
    }

    return rc;
}


static ngx_int_t
ngx_scale_rows_next(ngx_pool_t *pool, ngx_str_t *next,
    ngx_scale_answer_t *answer)
{
    ngx_scale_meta_t  element;

    if (next->len == 0) {
        return NGX_OK;
    }

    element.kind = NGX_SCALE_META_NEXT;
    element.value = *next;
    ngx_str_null(&element.name);

    return ngx_scale_meta_add(pool, &answer->meta, &element);
}


static ngx_int_t
ngx_scale_rows_validators(ngx_pool_t *pool, ngx_scale_etag_t *conf,
    ngx_scale_rows_t *rows, ngx_scale_answer_t *answer)
{
    ngx_uint_t        i;
    ngx_scale_meta_t  element;

    if (ngx_scale_rows_version(pool, rows, conf, &answer->etag) != NGX_OK) {
        return NGX_ERROR;
    }

    i = conf->modified.len ? ngx_scale_meta_find(rows, &conf->modified)
                           : rows->ncolumns;

    if (i == rows->ncolumns
        || rows->get(rows, 0, i, &element.value) != NGX_OK)
    {
        return NGX_OK;
    }

    element.kind = NGX_SCALE_META_MODIFIED;
    ngx_str_null(&element.name);

    return ngx_scale_meta_add(pool, &answer->meta, &element);
}


ngx_int_t
ngx_scale_rows_version(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_scale_etag_t *conf, ngx_str_t *etag)
{
    ngx_int_t   rc;
    ngx_str_t   version;
    ngx_uint_t  i;

    i = conf->version.len ? ngx_scale_meta_find(rows, &conf->version)
                          : rows->ncolumns;

    if (i == rows->ncolumns || rows->nrows == 0
        || rows->get(rows, 0, i, &version) != NGX_OK)
    {
        return NGX_OK;
    }

    rc = ngx_scale_response_version(pool, &version, etag);

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


/* the first column that is not beside the body, as PostgreSQL writes it */

static ngx_int_t
ngx_scale_rows_text(ngx_pool_t *pool, ngx_scale_rows_t *rows, ngx_str_t *text)
{
    ngx_str_t   value;
    ngx_uint_t  i;

    for (i = 0; i < rows->ncolumns; i++) {
        if (ngx_scale_meta_kind(&rows->columns[i].name)
            == NGX_SCALE_META_NONE)
        {
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
    if (answer->body.len == 0 || answer->etag.len) {
        return NGX_OK;
    }

    return ngx_scale_response_etag(pool, &answer->body, &answer->etag);
}
