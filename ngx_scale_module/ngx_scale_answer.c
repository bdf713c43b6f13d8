
/*
 * What rows, entries and errors become on their way out.
 *
 * An answer's meta, which stays with a cached entry, is a list of
 * {kind, 8 bits; name's length, 16; value's length, 32; name; value}: response
 * fields ("http:..." columns), row variables ("row:...") and the status.
 */

#include "ngx_scale_flow.h"


static ngx_scale_pg_call_t *ngx_scale_answer_call(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_answer_list(ngx_scale_flow_t *f);
static u_char *ngx_scale_answer_put(u_char *p, u_char kind, ngx_str_t *name,
    ngx_str_t *value);
static ngx_uint_t ngx_scale_answer_kind(ngx_str_t *name);
static void ngx_scale_answer_status(ngx_scale_flow_t *f, ngx_str_t *value);
static ngx_int_t ngx_scale_answer_keep(ngx_scale_flow_t *f,
    ngx_array_t **list, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_scale_answer_etag(ngx_scale_flow_t *f);


#define NGX_SCALE_META_FIELD   'h'
#define NGX_SCALE_META_ROW     'r'
#define NGX_SCALE_META_STATUS  's'
#define NGX_SCALE_META_HEADER  7


/* the method's statements with the request's values bound */

ngx_int_t
ngx_scale_answer_calls(ngx_scale_flow_t *f)
{
    ngx_uint_t            i, j;
    const char          **value;
    ngx_scale_value_t    *v;
    ngx_scale_query_t    *query;
    ngx_scale_pg_call_t  *call;

    call = ngx_pcalloc(f->r->pool,
                       f->method->nqueries * sizeof(ngx_scale_pg_call_t));
    if (call == NULL) {
        return NGX_ERROR;
    }

    f->op.calls = call;
    f->op.ncalls = f->method->nqueries;
    f->op.timeout = f->method->timeout;
    f->op.pool = f->r->pool;
    f->op.data = f;

    for (i = 0; i < f->method->nqueries; i++) {
        query = f->method->queries[i];

        value = ngx_palloc(f->r->pool, (query->statement.nparams + 1)
                                       * sizeof(char *));
        if (value == NULL) {
            return NGX_ERROR;
        }

        for (j = 0; j < query->statement.nparams; j++) {
            v = &f->values[query->args[j]];
            value[j] = v->null ? NULL : (const char *) v->text.data;
        }

        call[i].statement = &query->statement;
        call[i].values = value;
    }

    return ngx_scale_identity_bind(f);
}


ngx_uint_t
ngx_scale_answer_empty(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    for (i = 0; i < f->method->nqueries; i++) {
        if (f->method->queries[i]->empty && f->op.calls[i].affected == 0) {
            return f->method->queries[i]->empty;
        }
    }

    return 0;
}


/* the call that answers; where none does, the last one for its columns */

static ngx_scale_pg_call_t *
ngx_scale_answer_call(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    for (i = f->method->nqueries; i; i--) {
        if (f->method->answer == NULL
            || f->method->queries[i - 1] == f->method->answer)
        {
            break;
        }
    }

    return &f->op.calls[i - 1];
}


ngx_int_t
ngx_scale_answer_render(ngx_scale_flow_t *f)
{
    ngx_uint_t            empty;
    ngx_scale_query_t    *query;
    ngx_scale_pg_call_t  *call;

    if (f->op.given) {
        return ngx_scale_answer_list(f);
    }

    empty = ngx_scale_answer_empty(f);

    if (empty >= NGX_HTTP_BAD_REQUEST) {
        f->problem.status = empty;
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_NOT_FOUND);
    }

    call = ngx_scale_answer_call(f);
    query = f->method->answer;

    f->answer.status = NGX_HTTP_NO_CONTENT;

    if (query == NULL) {
        query = f->method->queries[f->method->nqueries - 1];

    } else if (call->rows.ncolumns
               && (call->rows.nrows || query->shape == NGX_SCALE_SHAPE_ROWS))
    {
        f->answer.status = NGX_HTTP_OK;

        if (ngx_scale_json_write(f->r->pool, &call->rows, query->shape,
                                 f->representation, &f->answer.body)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (query->status) {
        f->answer.status = query->status;
    }

    if (empty) {
        f->answer.status = empty;
    }

    if (ngx_scale_answer_meta(f, &call->rows) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_pg_release(&f->op);

    if (!f->method->write && ngx_scale_answer_etag(f) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_answer_apply(f);
}


/* the rows came one by one, and were few: ngx_scale_stream.c wrote them */

static ngx_int_t
ngx_scale_answer_list(ngx_scale_flow_t *f)
{
    if (ngx_scale_json_list_end(f->list) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_json_list_written(f->list, &f->answer.body);

    ngx_scale_pg_release(&f->op);

    if (!f->method->write && ngx_scale_answer_etag(f) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_answer_apply(f);
}


static ngx_int_t
ngx_scale_answer_etag(ngx_scale_flow_t *f)
{
    ngx_buf_t    b;
    ngx_chain_t  cl;

    ngx_memzero(&b, sizeof(ngx_buf_t));
    b.pos = f->answer.body.data;
    b.last = f->answer.body.data + f->answer.body.len;

    cl.buf = &b;
    cl.next = NULL;

    if (f->answer.body.len == 0) {
        return NGX_OK;
    }

    return ngx_scale_response_etag(f->r->pool, &cl, &f->answer.etag);
}


ngx_int_t
ngx_scale_answer_meta(ngx_scale_flow_t *f, ngx_scale_rows_t *rows)
{
    u_char      *p, status[NGX_INT_T_LEN];
    size_t       len;
    ngx_str_t    value, name, *column;
    ngx_uint_t   i, kind;

    len = NGX_SCALE_META_HEADER + NGX_INT_T_LEN;

    for (i = 0; rows->nrows && i < rows->ncolumns; i++) {
        column = &rows->columns[i].name;

        if (ngx_scale_answer_kind(column)
            && rows->get(rows, 0, i, &value) == NGX_OK)
        {
            len += NGX_SCALE_META_HEADER + column->len + value.len;
        }
    }

    p = ngx_pnalloc(f->r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    f->answer.meta.data = p;

    ngx_str_null(&name);
    value.data = status;
    value.len = ngx_sprintf(status, "%ui", f->answer.status) - status;

    p = ngx_scale_answer_put(p, NGX_SCALE_META_STATUS, &name, &value);

    for (i = 0; rows->nrows && i < rows->ncolumns; i++) {
        name = rows->columns[i].name;
        kind = ngx_scale_answer_kind(&name);

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

        p = ngx_scale_answer_put(p, kind, &name, &value);
    }

    f->answer.meta.len = p - f->answer.meta.data;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_answer_kind(ngx_str_t *name)
{
    if (name->len > 5 && ngx_strncmp(name->data, "http:", 5) == 0) {
        return NGX_SCALE_META_FIELD;
    }

    if (name->len > 4 && ngx_strncmp(name->data, "row:", 4) == 0) {
        return NGX_SCALE_META_ROW;
    }

    return 0;
}


static u_char *
ngx_scale_answer_put(u_char *p, u_char kind, ngx_str_t *name,
    ngx_str_t *value)
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


/* the meta's fields, row variables and status take effect */

ngx_int_t
ngx_scale_answer_apply(ngx_scale_flow_t *f)
{
    u_char      *p, *last, kind;
    uint16_t     name_len;
    uint32_t     value_len;
    ngx_int_t    rc;
    ngx_str_t    name, value;

    p = f->answer.meta.data;
    last = p + f->answer.meta.len;

    while (last - p >= NGX_SCALE_META_HEADER) {
        kind = *p++;
        ngx_memcpy(&name_len, p, sizeof(uint16_t));
        p += sizeof(uint16_t);
        ngx_memcpy(&value_len, p, sizeof(uint32_t));
        p += sizeof(uint32_t);

        if ((size_t) (last - p) < (size_t) name_len + value_len) {
            return NGX_ERROR;
        }

        name.data = p;
        name.len = name_len;
        value.data = p + name_len;
        value.len = value_len;
        p = value.data + value.len;

        rc = NGX_OK;

        if (kind == NGX_SCALE_META_STATUS) {
            ngx_scale_answer_status(f, &value);

        } else if (kind == NGX_SCALE_META_FIELD) {
            rc = ngx_scale_answer_keep(f, &f->answer.fields, &name, &value);

        } else {
            rc = ngx_scale_answer_keep(f, &f->ctx.row, &name, &value);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static void
ngx_scale_answer_status(ngx_scale_flow_t *f, ngx_str_t *value)
{
    ngx_int_t  status;

    status = ngx_atoi(value->data, value->len);

    if (status >= NGX_HTTP_OK && status < NGX_HTTP_BAD_REQUEST) {
        f->answer.status = status;
        return;
    }

    ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                  "route \"%V\": column \"http:status\" is not a status of 200 "
                  "to 399; refusals are scale.fail()'s", &f->loc->http.route);
}


static ngx_int_t
ngx_scale_answer_keep(ngx_scale_flow_t *f, ngx_array_t **list,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_keyval_t  *pair;

    if (*list == NULL) {
        *list = ngx_array_create(f->r->pool, 4, sizeof(ngx_keyval_t));
        if (*list == NULL) {
            return NGX_ERROR;
        }
    }

    pair = ngx_array_push(*list);
    if (pair == NULL) {
        return NGX_ERROR;
    }

    pair->key = *name;
    pair->value = *value;

    return NGX_OK;
}


ngx_int_t
ngx_scale_answer_field(ngx_scale_flow_t *f, ngx_str_t *name, ngx_str_t *value)
{
    return ngx_scale_answer_keep(f, &f->answer.fields, name, value);
}


ngx_int_t
ngx_scale_answer_share_field(ngx_scale_flow_t *f, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char     *p;
    ngx_str_t   meta;

    meta.len = f->answer.meta.len + NGX_SCALE_META_HEADER + name->len
               + value->len;

    meta.data = ngx_pnalloc(f->r->pool, meta.len);
    if (meta.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(meta.data, f->answer.meta.data, f->answer.meta.len);
    (void) ngx_scale_answer_put(p, NGX_SCALE_META_FIELD, name, value);

    f->answer.meta = meta;

    return ngx_scale_answer_field(f, name, value);
}


/* a hit is copied once: meta, etag and body in one piece */

ngx_int_t
ngx_scale_answer_entry(ngx_scale_flow_t *f, ngx_scale_entry_t *entry)
{
    u_char             *p;
    ngx_scale_entry_t   own;

    own = *entry;

    p = ngx_pnalloc(f->r->pool,
                    entry->meta.len + entry->etag.len + entry->body.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    own.meta.data = p;
    p = ngx_cpymem(p, entry->meta.data, entry->meta.len);

    own.etag.data = p;
    p = ngx_cpymem(p, entry->etag.data, entry->etag.len);

    own.body.data = p;
    ngx_memcpy(p, entry->body.data, entry->body.len);

    return ngx_scale_answer_own_entry(f, &own);
}


ngx_int_t
ngx_scale_answer_own_entry(ngx_scale_flow_t *f, ngx_scale_entry_t *entry)
{
    if (entry->negative) {
        f->problem.status = f->method->answer ? f->method->answer->empty : 0;
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_NOT_FOUND);
    }

    f->answer.meta = entry->meta;
    f->answer.etag = entry->etag;
    f->answer.body = entry->body;
    f->answer.unverified = entry->unverified;

    return ngx_scale_answer_apply(f);
}


ngx_int_t
ngx_scale_answer_response(ngx_scale_flow_t *f, ngx_scale_response_t *response)
{
    /* RFC 9211, 2.8: no primary could say whether it is new */

    static ngx_str_t  cache_status = ngx_string("Cache-Status");
    static ngx_str_t  unverified = ngx_string("ngx_scale; fwd=miss; "
                                              "detail=unverified");

    if (f->answer.unverified
        && ngx_scale_answer_field(f, &cache_status, &unverified) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(response, sizeof(ngx_scale_response_t));

    response->status = f->answer.status;
    response->representation = f->representation;
    response->etag = f->answer.etag;
    response->fields = f->answer.fields;
    response->cached = f->method->cached;
    response->negotiated = f->method->answer
                           && f->method->answer->shape
                              == NGX_SCALE_SHAPE_ROWS;

    return NGX_OK;
}


ngx_int_t
ngx_scale_answer_send(ngx_scale_flow_t *f)
{
    ngx_chain_t           out;
    ngx_scale_response_t  response;

    if (f->problem.cause) {
        f->rc = ngx_scale_problem_prepare(f->r, &f->problem);
        return NGX_DONE;
    }

    if (f->op.begun) {
        return NGX_DONE;
    }

    if (ngx_scale_answer_response(f, &response) != NGX_OK) {
        f->rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_DONE;
    }

    if (f->answer.body.len) {
        out.next = NULL;
        out.buf = ngx_calloc_buf(f->r->pool);

        if (out.buf == NULL) {
            f->rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
            return NGX_DONE;
        }

        out.buf->pos = f->answer.body.data;
        out.buf->last = out.buf->pos + f->answer.body.len;
        out.buf->memory = 1;

        response.body = &out;
        response.length = f->answer.body.len;
    }

    f->rc = ngx_scale_response_send(f->r, &response);

    return NGX_DONE;
}
