
/* what a request gives: the values of the parameters that a method needs */

#include "ngx_scale_values.h"
#include "ngx_scale_auth.h"
#include "ngx_scale_object.h"


static u_char ngx_scale_values_first(ngx_str_t *body, size_t *offset);
static ngx_uint_t ngx_scale_values_need_object(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_values_object(ngx_scale_flow_t *f,
    ngx_str_t *body);
static ngx_int_t ngx_scale_values_elements(ngx_scale_flow_t *f,
    ngx_str_t *body);
static ngx_int_t ngx_scale_values_refuse_size(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_values_all(ngx_scale_flow_t *f, ngx_str_t *body);
static ngx_int_t ngx_scale_values_one(ngx_scale_flow_t *f, ngx_uint_t index,
    ngx_scale_raw_t *member);
static ngx_int_t ngx_scale_values_body(ngx_scale_flow_t *f, ngx_str_t *body);
static ngx_int_t ngx_scale_values_members(ngx_scale_flow_t *f,
    ngx_str_t *body, ngx_scale_raw_t *members);
static ngx_int_t ngx_scale_values_read(ngx_scale_flow_t *f,
    ngx_scale_source_e source, ngx_str_t *document, ngx_scale_raw_t *members);
static ngx_scale_param_t *ngx_scale_values_param(ngx_scale_flow_t *f,
    ngx_uint_t i);
static ngx_int_t ngx_scale_values_refuse_body(ngx_scale_flow_t *f,
    const char *reason, size_t offset);
static ngx_int_t ngx_scale_values_raw(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_scale_raw_t *raw);
static ngx_int_t ngx_scale_values_presign(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_scale_raw_t *raw);
static ngx_int_t ngx_scale_values_refuse(ngx_scale_flow_t *f,
    ngx_scale_param_t *param, const char *reason);
static ngx_str_t *ngx_scale_values_called(ngx_scale_param_t *param);


ngx_int_t
ngx_scale_values_step(ngx_scale_flow_t *f)
{
    size_t     offset;
    ngx_int_t  rc;
    ngx_str_t  body;

    if (f->method->nparams == 0) {
        return NGX_OK;
    }

    ngx_str_null(&body);

    if (f->method->json) {
        rc = ngx_scale_values_body(f, &body);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = f->method->batch && ngx_scale_values_first(&body, &offset) == '['
         ? ngx_scale_values_elements(f, &body)
         : ngx_scale_values_object(f, &body);

    if (rc != NGX_OK) {
        return rc;
    }

    return f->problem.nviolations
           ? ngx_scale_flow_refuse(f, f->problem.cause) : NGX_OK;
}


/*
 * Of a body that was checked, 0 where it is empty.  White space is that of RFC
 * 8259, section 2.
 */

static u_char
ngx_scale_values_first(ngx_str_t *body, size_t *offset)
{
    size_t  i;

    for (i = 0; i < body->len; i++) {
        if (body->data[i] != ' ' && body->data[i] != '\t'
            && body->data[i] != '\r' && body->data[i] != '\n')
        {
            *offset = i;
            return body->data[i];
        }
    }

    return '\0';
}


static ngx_int_t
ngx_scale_values_object(ngx_scale_flow_t *f, ngx_str_t *body)
{
    u_char  first;
    size_t  offset;

    first = ngx_scale_values_first(body, &offset);

    if (first && first != '{' && ngx_scale_values_need_object(f)) {
        return ngx_scale_values_refuse_body(f,
                   first == '['
                   ? "an object is needed, and an array begins"
                   : "an object is needed, and a single value begins",
                   offset);
    }

    f->values = ngx_pcalloc(f->r->pool, f->loc->params->nelts
                                        * sizeof(ngx_scale_value_t));

    return f->values ? ngx_scale_values_all(f, body) : NGX_ERROR;
}


/* what is not there may be optional, or there is a default */

static ngx_uint_t
ngx_scale_values_need_object(ngx_scale_flow_t *f)
{
    ngx_uint_t          i;
    ngx_scale_param_t  *param;

    for (i = 0; i < f->method->nparams; i++) {
        param = ngx_scale_values_param(f, i);

        if (param->source == NGX_SCALE_SOURCE_JSON && param->path.nelts
            && param->required)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_scale_values_elements(ngx_scale_flow_t *f, ngx_str_t *body)
{
    ngx_int_t               rc;
    ngx_uint_t              i, n;
    ngx_scale_raw_t        *element;
    ngx_scale_value_t      *values;
    ngx_scale_json_want_t   all;

    ngx_memzero(&all, sizeof(ngx_scale_json_want_t));
    all.elements = 1;

    if (ngx_scale_json_read(f->r->pool, body, &all, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    n = all.raw.nelts;
    element = all.raw.elts;

    if (n == 0 || n > f->loc->batch) {
        return ngx_scale_values_refuse_size(f);
    }

    values = ngx_pcalloc(f->r->pool, n * f->loc->params->nelts
                                     * sizeof(ngx_scale_value_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        f->elements = i + 1;
        f->values = values + i * f->loc->params->nelts;

        if (element[i].kind != NGX_SCALE_RAW_OBJECT) {
            f->problem.element = i + 1;
            ngx_str_set(&f->problem.detail, "the element is not an object");
            return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_BODY);
        }

        rc = ngx_scale_values_all(f, &element[i].text);

        if (rc != NGX_OK || f->problem.nviolations) {
            f->problem.element = i + 1;
            return rc;
        }
    }

    f->values = values;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_values_refuse_size(ngx_scale_flow_t *f)
{
    u_char  *p;
    size_t   len;

    len = sizeof("the array must have 1 to  elements") + NGX_INT_T_LEN;

    p = ngx_pnalloc(f->r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    f->problem.detail.data = p;
    f->problem.detail.len = ngx_snprintf(p, len, "the array must have 1 to %ui "
                                         "elements", f->loc->batch)
                            - p;

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_BODY);
}


/* f->values, of an object or an empty body, and of who asks */

static ngx_int_t
ngx_scale_values_all(ngx_scale_flow_t *f, ngx_str_t *body)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_scale_raw_t  *members;

    members = NULL;

    if (f->method->json || f->method->asks) {
        members = ngx_pcalloc(f->r->pool, f->method->nparams
                                          * sizeof(ngx_scale_raw_t));

        if (members == NULL
            || ngx_scale_values_members(f, body, members) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < f->method->nparams; i++) {
        rc = ngx_scale_values_one(f, f->method->params[i],
                                  members ? &members[i] : NULL);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_values_members(ngx_scale_flow_t *f, ngx_str_t *body,
    ngx_scale_raw_t *members)
{
    ngx_uint_t  kind;

    if (ngx_scale_values_read(f, NGX_SCALE_SOURCE_JSON, body, members)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (kind = 0; kind < NGX_SCALE_AUTH_NKINDS; kind++) {
        if (ngx_scale_values_read(f, ngx_scale_auth_source(kind),
                                  &f->who[kind].members, members)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* what is wrong with a value is told with what is wrong with the others */

static ngx_int_t
ngx_scale_values_one(ngx_scale_flow_t *f, ngx_uint_t index,
    ngx_scale_raw_t *member)
{
    ngx_int_t              rc;
    const char            *reason;
    ngx_scale_raw_t        raw;
    ngx_scale_declared_t  *declared;

    declared = (ngx_scale_declared_t *) f->loc->params->elts + index;

    if (declared->param.source == NGX_SCALE_SOURCE_JSON) {
        raw = *member;

    } else if (ngx_scale_auth_kind(declared->param.source)
               != NGX_SCALE_AUTH_NKINDS)
    {
        ngx_scale_auth_member(&declared->param, member, &raw);

    } else if (declared->param.source == NGX_SCALE_SOURCE_PRESIGN) {
        rc = ngx_scale_values_presign(f, declared, &raw);
        if (rc != NGX_OK) {
            return rc == NGX_DECLINED ? NGX_OK : rc;
        }

    } else {
        rc = ngx_scale_values_raw(f, declared, &raw);
        if (rc != NGX_OK) {
            return rc == NGX_DECLINED ? NGX_OK : rc;
        }
    }

    if (raw.kind <= NGX_SCALE_RAW_NULL
        && declared->identity && declared->param.required)
    {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_IDENTITY);
    }

    rc = ngx_scale_param_value(f->r->pool, &declared->param, &raw,
                               &f->values[index], &reason);

    if (rc == NGX_DECLINED) {
        rc = ngx_scale_values_refuse(f, &declared->param, reason);
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_scale_values_body(ngx_scale_flow_t *f, ngx_str_t *body)
{
    size_t       offset;
    ngx_int_t    rc;
    const char  *reason;

    if (ngx_scale_request_body(f->r, body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body->len == 0) {
        return NGX_OK;
    }

    /* where no length was given, it is known only here that there is a body */

    if (!ngx_scale_request_is_json(f->r)) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_MEDIA_TYPE);
    }

    rc = ngx_scale_json_check(f->r->pool, body, NGX_SCALE_JSON_DEPTH,
                              f->main->seed, &reason, &offset);

    return rc == NGX_DECLINED ? ngx_scale_values_refuse_body(f, reason, offset)
                              : rc;
}


/* the members of "document" that parameters of the source are */

static ngx_int_t
ngx_scale_values_read(ngx_scale_flow_t *f, ngx_scale_source_e source,
    ngx_str_t *document, ngx_scale_raw_t *members)
{
    ngx_uint_t              i, n;
    ngx_scale_param_t      *param;
    ngx_scale_json_want_t  *want;

    if (document->len == 0) {
        return NGX_OK;
    }

    want = ngx_pcalloc(f->r->pool, f->method->nparams
                                   * sizeof(ngx_scale_json_want_t));
    if (want == NULL) {
        return NGX_ERROR;
    }

    n = 0;

    for (i = 0; i < f->method->nparams; i++) {
        param = ngx_scale_values_param(f, i);

        if (param->source == source) {
            want[n].path = param->path.elts;
            want[n].npath = param->path.nelts;
            want[n++].elements = (param->type & NGX_SCALE_ARRAY) != 0;
        }
    }

    if (ngx_scale_json_read(f->r->pool, document, want, n) != NGX_OK) {
        return NGX_ERROR;
    }

    while (i--) {
        if (ngx_scale_values_param(f, i)->source == source) {
            members[i] = want[--n].raw;
        }
    }

    return NGX_OK;
}


static ngx_scale_param_t *
ngx_scale_values_param(ngx_scale_flow_t *f, ngx_uint_t i)
{
    return &((ngx_scale_declared_t *) f->loc->params->elts
             + f->method->params[i])->param;
}


static ngx_int_t
ngx_scale_values_refuse_body(ngx_scale_flow_t *f, const char *reason,
    size_t offset)
{
    size_t  len;

    len = ngx_strlen(reason) + sizeof(" at byte ") + NGX_SIZE_T_LEN;

    f->problem.detail.data = ngx_pnalloc(f->r->pool, len);
    if (f->problem.detail.data == NULL) {
        return NGX_ERROR;
    }

    f->problem.detail.len = ngx_sprintf(f->problem.detail.data,
                                        "%s at byte %uz", reason, offset)
                            - f->problem.detail.data;

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_BODY);
}


static ngx_int_t
ngx_scale_values_raw(ngx_scale_flow_t *f, ngx_scale_declared_t *declared,
    ngx_scale_raw_t *raw)
{
    ngx_int_t  rc;

    ngx_memzero(raw, sizeof(ngx_scale_raw_t));

    rc = ngx_scale_values_text(f, declared, &raw->text);

    if (rc == NGX_BUSY || rc == NGX_ABORT) {
        return ngx_scale_values_refuse(f, &declared->param,
                                       rc == NGX_BUSY
                                       ? "is given more than once"
                                       : ngx_scale_values_malformed(declared));
    }

    if (rc == NGX_OK) {
        raw->kind = NGX_SCALE_RAW_TEXT;
        return NGX_OK;
    }

    return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
}


/* nothing is signed for a request that is refused */

static ngx_int_t
ngx_scale_values_presign(ngx_scale_flow_t *f, ngx_scale_declared_t *declared,
    ngx_scale_raw_t *raw)
{
    ngx_int_t              rc;
    const char            *reason;
    ngx_scale_declared_t  *culprit;

    if (f->problem.nviolations) {
        return NGX_DECLINED;
    }

    ngx_memzero(raw, sizeof(ngx_scale_raw_t));

    rc = ngx_scale_presign_value(f, declared, raw, &culprit, &reason);

    return rc == NGX_DECLINED
           ? ngx_scale_values_refuse(f, &culprit->param, reason) : rc;
}


/* NGX_DECLINED; all such parameters are told at once */

static ngx_int_t
ngx_scale_values_refuse(ngx_scale_flow_t *f, ngx_scale_param_t *param,
    const char *reason)
{
    if (ngx_scale_problem_violation(f->r->pool, &f->problem,
                                    NGX_SCALE_CAUSE_PARAMETER,
                                    ngx_scale_values_called(param), reason)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


/* as its client knows it: "a.b" of json.a.b, "x" of arg.x */

static ngx_str_t *
ngx_scale_values_called(ngx_scale_param_t *param)
{
    switch (param->source) {

    case NGX_SCALE_SOURCE_EXPR:
    case NGX_SCALE_SOURCE_BODY:
        return &param->name;

    default:
        return param->argument.len ? &param->argument : &param->name;
    }
}
