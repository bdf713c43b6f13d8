
#include "ngx_scale_batch.h"


static void ngx_scale_batch_part(ngx_scale_flow_t *f, ngx_uint_t element,
    ngx_scale_pg_op_t *part);
static ngx_int_t ngx_scale_batch_join(ngx_scale_flow_t *f,
    ngx_scale_answer_t *parts);


/* the calls of one element as an operation of their own */

static void
ngx_scale_batch_part(ngx_scale_flow_t *f, ngx_uint_t element,
    ngx_scale_pg_op_t *part)
{
    *part = f->op;

    part->ncalls = f->method->ncalls;
    part->calls = &f->op.calls[element * part->ncalls];
}


ngx_uint_t
ngx_scale_batch_empty(ngx_scale_flow_t *f)
{
    ngx_uint_t         i, empty;
    ngx_scale_pg_op_t  part;

    if (f->elements == 0) {
        return ngx_scale_rows_empty(f->method, &f->op);
    }

    for (i = 0; i < f->elements; i++) {
        ngx_scale_batch_part(f, i, &part);

        empty = ngx_scale_rows_empty(f->method, &part);

        if (empty >= NGX_HTTP_BAD_REQUEST) {
            f->problem.element = i + 1;
            return empty;
        }
    }

    return 0;
}


ngx_int_t
ngx_scale_batch_answer(ngx_scale_flow_t *f)
{
    ngx_uint_t           i;
    ngx_scale_rows_t     none;
    ngx_scale_answer_t  *parts;
    ngx_scale_pg_op_t    part;

    if (f->elements == 0) {
        return ngx_scale_rows_answer(f->r->pool, f->method, &f->op,
                                     f->representation, &f->answer);
    }

    parts = ngx_pcalloc(f->r->pool, f->elements * sizeof(ngx_scale_answer_t));
    if (parts == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < f->elements; i++) {
        ngx_scale_batch_part(f, i, &part);

        if (ngx_scale_rows_answer(f->r->pool, f->method, &part,
                                  NGX_SCALE_REPR_JSON, &parts[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    f->answer.status = parts[0].status;

    if (ngx_scale_batch_join(f, parts) != NGX_OK) {
        return NGX_ERROR;
    }

    /* fields and variables are of one answer, and there are many */

    ngx_memzero(&none, sizeof(ngx_scale_rows_t));

    return ngx_scale_meta_make(f->r->pool, &none, &f->answer);
}


/* none where no statement answers; else an element without a row is null */

static ngx_int_t
ngx_scale_batch_join(ngx_scale_flow_t *f, ngx_scale_answer_t *parts)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    if (f->method->answer == NULL) {
        return NGX_OK;
    }

    len = sizeof("[]\n");

    for (i = 0; i < f->elements; i++) {
        len += parts[i].body.len + sizeof("null,");
    }

    p = ngx_pnalloc(f->r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    f->answer.body.data = p;

    for (i = 0; i < f->elements; i++) {
        *p++ = i ? ',' : '[';

        if (parts[i].body.len) {

            /* without the line feed */

            p = ngx_cpymem(p, parts[i].body.data, parts[i].body.len - 1);

        } else {
            p = ngx_cpymem(p, "null", 4);
        }

        f->answer.status = ngx_min(f->answer.status, parts[i].status);
    }

    *p++ = ']';
    *p++ = '\n';

    f->answer.body.len = p - f->answer.body.data;

    return NGX_OK;
}


void
ngx_scale_batch_failed(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    if (f->elements == 0) {
        return;
    }

    for (i = 0; i < f->op.ncalls; i++) {
        if (f->op.calls[i].result == NULL) {
            f->problem.element = i / f->method->ncalls + 1;
            return;
        }
    }
}
