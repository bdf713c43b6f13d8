
/* what rows, entries and errors become on their way out */

#include "ngx_scale_answer.h"
#include "ngx_scale_batch.h"
#include "ngx_scale_precondition.h"
#include "ngx_scale_admit.h"
#include "ngx_scale_cdn.h"


static ngx_int_t ngx_scale_answer_rows(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_answer_list(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_answer_next(ngx_scale_flow_t *f,
    ngx_str_t *cursor);
static void ngx_scale_answer_status(ngx_scale_flow_t *f, ngx_str_t *value);
static ngx_int_t ngx_scale_answer_keep(ngx_scale_flow_t *f,
    ngx_array_t **list, ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_scale_answer_is_known(ngx_scale_flow_t *f,
    ngx_scale_entry_t *entry);
static ngx_int_t ngx_scale_answer_label(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_answer_whole(ngx_scale_flow_t *f);


ngx_int_t
ngx_scale_answer_render(ngx_scale_flow_t *f)
{
    ngx_int_t  rc;

    rc = f->op.given ? ngx_scale_answer_list(f) : ngx_scale_answer_rows(f);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_scale_pg_release(&f->op);

    if (!f->method->write
        && ngx_scale_rows_etag(f->r->pool, &f->answer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_answer_apply(f);
}


static ngx_int_t
ngx_scale_answer_rows(ngx_scale_flow_t *f)
{
    ngx_uint_t  empty;

    if (!ngx_scale_precondition_holds(f)) {
        return ngx_scale_precondition_refuse(f);
    }

    empty = ngx_scale_batch_empty(f);

    if (empty >= NGX_HTTP_BAD_REQUEST) {
        f->problem.status = empty;
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_NOT_FOUND);
    }

    /* with a key it was made, and stored, before COMMIT */

    if (f->keyed) {
        return NGX_OK;
    }

    return ngx_scale_batch_answer(f);
}


/* the rows came one by one, and were few: ngx_scale_stream.c wrote them */

static ngx_int_t
ngx_scale_answer_list(ngx_scale_flow_t *f)
{
    if (ngx_scale_json_list_end(f->list) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_json_list_written(f->list, &f->answer.body);

    return NGX_OK;
}


ngx_int_t
ngx_scale_answer_apply(ngx_scale_flow_t *f)
{
    ngx_int_t         rc;
    ngx_str_t         rest;
    ngx_scale_meta_t  element;

    rest = f->answer.meta;

    while ((rc = ngx_scale_meta_next(&rest, &element)) == NGX_OK) {

        switch (element.kind) {

        case NGX_SCALE_META_STATUS:
            ngx_scale_answer_status(f, &element.value);
            break;

        case NGX_SCALE_META_MODIFIED:
            f->modified = ngx_scale_response_time(&element.value);
            break;

        case NGX_SCALE_META_NEXT:
            rc = ngx_scale_answer_next(f, &element.value);
            break;

        case NGX_SCALE_META_FIELD:
            rc = ngx_scale_answer_field(f, &element.name, &element.value);
            break;

        default:
            rc = ngx_scale_answer_keep(f, &f->ctx.row, &element.name,
                                       &element.value);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


/* made of this request: another one's arguments are its own */

static ngx_int_t
ngx_scale_answer_next(ngx_scale_flow_t *f, ngx_str_t *cursor)
{
    ngx_str_t  link;

    static ngx_str_t  name = ngx_string("Link");

    if (ngx_scale_response_next(f->r, cursor, &link) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_answer_field(f, &name, &link);
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
    ngx_scale_meta_t  element;

    element.kind = NGX_SCALE_META_FIELD;
    element.name = *name;
    element.value = *value;

    if (ngx_scale_meta_add(f->r->pool, &f->answer.meta, &element) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_answer_field(f, name, value);
}


/* a hit is copied once: meta, etag and body in one piece */

ngx_int_t
ngx_scale_answer_entry(ngx_scale_flow_t *f, ngx_scale_entry_t *entry)
{
    u_char             *p;
    ngx_scale_entry_t   own;

    own = *entry;

    if (ngx_scale_answer_is_known(f, entry)) {
        own.body.len = 0;
    }

    p = ngx_pnalloc(f->r->pool,
                    own.meta.len + own.etag.len + own.body.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    own.meta.data = p;
    p = ngx_cpymem(p, entry->meta.data, entry->meta.len);

    own.etag.data = p;
    p = ngx_cpymem(p, entry->etag.data, entry->etag.len);

    own.body.data = p;
    ngx_memcpy(p, entry->body.data, own.body.len);

    return ngx_scale_answer_own_entry(f, &own);
}


/* it will be 304, which only 200 becomes */

static ngx_uint_t
ngx_scale_answer_is_known(ngx_scale_flow_t *f, ngx_scale_entry_t *entry)
{
    ngx_str_t         rest;
    ngx_scale_meta_t  status;

    rest = entry->meta;

    return f->outer == NULL
           && ngx_scale_request_has_etag(f->r, &entry->etag)
           && ngx_scale_meta_next(&rest, &status) == NGX_OK
           && ngx_strncmp(status.value.data, "200", 3) == 0;
}


ngx_int_t
ngx_scale_answer_own_entry(ngx_scale_flow_t *f, ngx_scale_entry_t *entry)
{
    f->answer.stored = entry->stored;

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


/* why it may not be new: RFC 9211, 2.8 */

static ngx_int_t
ngx_scale_answer_label(ngx_scale_flow_t *f)
{
    ngx_str_t  *label;

    static ngx_str_t  name = ngx_string("Cache-Status");
    static ngx_str_t  unverified = ngx_string("ngx_scale; fwd=miss; "
                                              "detail=unverified");
    static ngx_str_t  kept = ngx_string("ngx_scale; fwd=stale; "
                                        "detail=stale-if-error");
    static ngx_str_t  old = ngx_string("ngx_scale; hit; detail=stale");

    if (f->answer.unverified) {
        label = &unverified;

    } else if (f->answer.kept) {
        label = &kept;

    } else if (f->answer.old) {
        label = &old;

    } else {
        return NGX_OK;
    }

    return ngx_scale_answer_field(f, &name, label);
}


ngx_int_t
ngx_scale_answer_response(ngx_scale_flow_t *f, ngx_scale_response_t *response)
{
    if (ngx_scale_answer_label(f) != NGX_OK
        || ngx_scale_admit_tell(f) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(response, sizeof(ngx_scale_response_t));

    response->status = f->answer.status;
    response->representation = f->representation;
    response->type = f->method->answer ? &f->method->answer->type : NULL;
    response->etag = f->answer.etag;
    response->modified = f->modified;
    response->fields = f->answer.fields;
    response->vary = f->method->vary;

    return ngx_scale_cdn_answer(f, &response->cache_control);
}


ngx_int_t
ngx_scale_answer_send(ngx_scale_flow_t *f)
{
    if (f->problem.cause) {
        f->rc = ngx_scale_admit_tell(f) == NGX_OK
                && ngx_scale_cdn_problem(f) == NGX_OK
                ? ngx_scale_problem_prepare(f->r, &f->problem)
                : NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (!f->op.begun) {
        f->rc = ngx_scale_answer_whole(f);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_answer_whole(ngx_scale_flow_t *f)
{
    ngx_chain_t           out;
    ngx_scale_response_t  response;

    if (ngx_scale_answer_response(f, &response) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (f->answer.body.len) {
        out.next = NULL;
        out.buf = ngx_calloc_buf(f->r->pool);

        if (out.buf == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        out.buf->pos = f->answer.body.data;
        out.buf->last = out.buf->pos + f->answer.body.len;
        out.buf->memory = 1;

        response.body = &out;
        response.length = f->answer.body.len;
    }

    return ngx_scale_response_send(f->r, &response);
}
