
#include "ngx_scale_precondition.h"


ngx_int_t
ngx_scale_precondition_step(ngx_scale_flow_t *f)
{
    if (f->method->current
        && f->loc->if_match == NGX_SCALE_REQUIRED
        && f->r->headers_in.if_match == NULL)
    {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_PRECONDITION_REQUIRED);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_scale_precondition_holds(ngx_scale_flow_t *f)
{
    ngx_scale_method_t  *m;

    m = f->method;

    return m->current == NULL || f->values[m->if_match].null
           || f->op.calls[m->guard].affected;
}


ngx_int_t
ngx_scale_precondition_refuse(ngx_scale_flow_t *f)
{
    ngx_scale_rows_t  *rows;

    rows = &f->op.calls[f->method->nqueries].rows;

    if (rows->nrows == 0) {
        f->problem.status = f->method->current->empty;
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_NOT_FOUND);
    }

    if (ngx_scale_rows_version(f->r->pool, rows, f->loc->etag,
                               &f->problem.etag)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_PRECONDITION);
}


ngx_uint_t
ngx_scale_precondition_is_foreign(ngx_scale_flow_t *f)
{
    return f->method->current && !f->values[f->method->if_match].null
           && f->op.error.parameter == f->method->guard_arg;
}
