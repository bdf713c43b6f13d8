
/* what a request gives: parameters, and the keys made of them */

#include "ngx_scale_flow.h"


typedef struct {
    ngx_scale_flow_t            *f;
    ngx_scale_loc_conf_t        *loc;        /* whose parameters are named */
    ngx_scale_purge_t           *purge;
    ngx_scale_rows_t            *rows;
    ngx_uint_t                   row;
    ngx_uint_t                   hide;
} ngx_scale_values_source_t;


typedef struct {
    ngx_uint_t                   oid;
    ngx_uint_t                   type;
} ngx_scale_values_oid_t;


static ngx_int_t ngx_scale_values_body(ngx_scale_flow_t *f,
    ngx_scale_json_want_t *wants);
static ngx_int_t ngx_scale_values_refuse_body(ngx_scale_flow_t *f,
    const char *reason, size_t offset);
static ngx_int_t ngx_scale_values_raw(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_scale_raw_t *raw);
static ngx_int_t ngx_scale_values_text(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text);
static ngx_int_t ngx_scale_values_expression(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text);
static ngx_int_t ngx_scale_values_refuse(ngx_scale_flow_t *f,
    ngx_scale_param_t *param, const char *reason);
static ngx_str_t *ngx_scale_values_called(ngx_scale_param_t *param);
static ngx_int_t ngx_scale_values_part(void *data,
    ngx_scale_key_part_t *part, ngx_str_t *text);
static ngx_int_t ngx_scale_values_purge_part(void *data,
    ngx_scale_key_part_t *part, ngx_str_t *text);
static ngx_int_t ngx_scale_values_column(ngx_scale_values_source_t *source,
    ngx_str_t *name, ngx_str_t *text);
static ngx_uint_t ngx_scale_values_find(ngx_scale_rows_t *rows,
    ngx_str_t *name);
static ngx_int_t ngx_scale_values_canon(ngx_scale_flow_t *f, ngx_uint_t type,
    ngx_str_t *text);
static ngx_int_t ngx_scale_values_hide(ngx_scale_values_source_t *source,
    ngx_scale_declared_t *declared, ngx_str_t *text);


/* types whose text is not the one spelling that a parameter's value has */

static ngx_scale_values_oid_t  ngx_scale_values_oids[] = {
    { 1700, NGX_SCALE_NUMERIC },
    { 700, NGX_SCALE_FLOAT8 },
    { 701, NGX_SCALE_FLOAT8 },
    { 1184, NGX_SCALE_TIMESTAMPTZ },
    { 17, NGX_SCALE_BYTEA },
    { 0, 0 }
};


ngx_int_t
ngx_scale_values_step(ngx_scale_flow_t *f)
{
    ngx_int_t               rc;
    ngx_uint_t              i, index;
    const char             *reason;
    ngx_scale_raw_t         raw;
    ngx_scale_declared_t   *declared;
    ngx_scale_json_want_t  *wants;

    if (f->method->nparams == 0) {
        return NGX_OK;
    }

    declared = f->loc->params->elts;

    f->values = ngx_pcalloc(f->r->pool, f->loc->params->nelts
                                        * sizeof(ngx_scale_value_t));
    if (f->values == NULL) {
        return NGX_ERROR;
    }

    wants = NULL;

    if (f->method->json) {
        wants = ngx_pcalloc(f->r->pool, f->method->nparams
                                        * sizeof(ngx_scale_json_want_t));
        if (wants == NULL) {
            return NGX_ERROR;
        }

        rc = ngx_scale_values_body(f, wants);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (i = 0; i < f->method->nparams; i++) {
        index = f->method->params[i];

        if (declared[index].param.source == NGX_SCALE_SOURCE_JSON) {
            raw = wants[i].raw;
            rc = NGX_OK;

        } else {
            rc = ngx_scale_values_raw(f, &declared[index], &raw);
        }

        if (rc == NGX_OK && raw.kind <= NGX_SCALE_RAW_NULL
            && declared[index].identity && declared[index].param.required)
        {
            return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_IDENTITY);
        }

        if (rc == NGX_OK) {
            rc = ngx_scale_param_value(f->r->pool, &declared[index].param,
                                       &raw, &f->values[index], &reason);

            if (rc == NGX_DECLINED) {
                rc = ngx_scale_values_refuse(f, &declared[index].param,
                                             reason);
            }
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (f->problem.nviolations) {
        return ngx_scale_flow_refuse(f, f->problem.cause);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_values_body(ngx_scale_flow_t *f, ngx_scale_json_want_t *wants)
{
    size_t                 offset;
    ngx_int_t              rc;
    ngx_str_t              body;
    ngx_uint_t             i;
    const char            *reason;
    ngx_scale_declared_t  *declared;

    if (ngx_scale_request_body(f->r, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body.len == 0) {
        return NGX_OK;
    }

    /* where no length was given, it is known only here that there is a body */

    if (!ngx_scale_request_is_json(f->r)) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_MEDIA_TYPE);
    }

    rc = ngx_scale_json_check(f->r->pool, &body, NGX_SCALE_JSON_DEPTH,
                              f->main->seed, &reason, &offset);

    if (rc == NGX_DECLINED) {
        return ngx_scale_values_refuse_body(f, reason, offset);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    declared = f->loc->params->elts;

    for (i = 0; i < f->method->nparams; i++) {
        wants[i].path = declared[f->method->params[i]].param.path.elts;
        wants[i].npath = declared[f->method->params[i]].param.path.nelts;
        wants[i].elements = (declared[f->method->params[i]].param.type
                             & NGX_SCALE_ARRAY) != 0;
    }

    return ngx_scale_json_read(f->r->pool, &body, wants, f->method->nparams);
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
                                   rc == NGX_BUSY ? "is given more than once"
                                   : "is not percent-encoded as it should be");
    }

    if (rc == NGX_OK) {
        raw->kind = NGX_SCALE_RAW_TEXT;
        return NGX_OK;
    }

    return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
}


/* an empty expression or body is absent; an empty argument is a text */

static ngx_int_t
ngx_scale_values_text(ngx_scale_flow_t *f, ngx_scale_declared_t *declared,
    ngx_str_t *text)
{
    switch (declared->param.source) {

    case NGX_SCALE_SOURCE_ARG:
        return ngx_scale_request_arg(f->r, &declared->param.argument, text);

    case NGX_SCALE_SOURCE_HEADER:
        return ngx_scale_request_header(f->r, &declared->param.argument, text);

    case NGX_SCALE_SOURCE_BODY:
        if (ngx_scale_request_body(f->r, text) != NGX_OK) {
            return NGX_ERROR;
        }

        break;

    default:
        if (ngx_scale_values_expression(f, declared, text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return text->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_scale_values_expression(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text)
{
    ngx_http_variable_value_t  *vv;

    if (declared->variable < 0) {
        return ngx_http_complex_value(f->r, &declared->expression, text);
    }

    vv = ngx_http_get_flushed_variable(f->r, declared->variable);

    if (vv == NULL || vv->not_found) {
        ngx_str_null(text);
        return NGX_OK;
    }

    text->data = vv->data;
    text->len = vv->len;

    return NGX_OK;
}


ngx_int_t
ngx_scale_values_key(ngx_scale_flow_t *f, ngx_scale_key_t *made,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key)
{
    ngx_scale_values_source_t  source;

    source.f = f;
    source.loc = f->loc;
    source.purge = NULL;
    source.rows = rows;
    source.row = row;
    source.hide = !made->tag;

    return ngx_scale_key_make(f->r->pool, &made->parts, ngx_scale_values_part,
                              &source, key);
}


ngx_int_t
ngx_scale_values_purge_key(ngx_scale_flow_t *f, ngx_scale_purge_t *purge,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key)
{
    ngx_scale_values_source_t  source;

    source.f = f;
    source.loc = f->loc;
    source.purge = purge;
    source.rows = rows;
    source.row = row;
    source.hide = !purge->target->reach->tag;

    return ngx_scale_key_make(f->r->pool, &purge->target->reach->parts,
                              ngx_scale_values_purge_part, &source, key);
}


static ngx_int_t
ngx_scale_values_part(void *data, ngx_scale_key_part_t *part, ngx_str_t *text)
{
    ngx_scale_values_source_t  *source = data;

    ngx_scale_value_t     *value;
    ngx_scale_declared_t  *declared;

    if (part->row) {
        return ngx_scale_values_column(source, &part->name, text);
    }

    declared = ngx_scale_conf_find_param(source->loc, &part->name);
    value = &source->f->values[declared
                      - (ngx_scale_declared_t *) source->loc->params->elts];

    if (value->null) {
        return NGX_DECLINED;
    }

    *text = value->canon;

    return source->purge ? NGX_OK
                         : ngx_scale_values_hide(source, declared, text);
}


/* a parameter of the target, by the value that the purge gives it */

static ngx_int_t
ngx_scale_values_purge_part(void *data, ngx_scale_key_part_t *part,
    ngx_str_t *text)
{
    ngx_scale_values_source_t  *source = data;

    ngx_int_t              rc;
    ngx_scale_key_part_t  *given;
    ngx_scale_declared_t  *declared;

    given = ngx_scale_conf_given(source->purge, &part->name)->parts.elts;

    if (given->name.len) {
        rc = ngx_scale_values_part(data, given, text);

        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        *text = given->literal;
    }

    declared = ngx_scale_conf_find_param(source->purge->target, &part->name);

    rc = ngx_scale_values_canon(source->f, declared->param.type, text);

    return rc == NGX_OK ? ngx_scale_values_hide(source, declared, text)
                        : rc;
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


/* one of the columns, of rows that have it */

static ngx_int_t
ngx_scale_values_column(ngx_scale_values_source_t *source, ngx_str_t *name,
    ngx_str_t *text)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_scale_values_oid_t  *oid;

    i = ngx_scale_values_find(source->rows, name);

    rc = source->rows->get(source->rows, source->row, i, text);
    if (rc != NGX_OK) {
        return rc;
    }

    for (oid = ngx_scale_values_oids; oid->oid; oid++) {
        if (oid->oid == source->rows->columns[i].oid) {
            return ngx_scale_values_canon(source->f, oid->type, text);
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_scale_values_returned(ngx_array_t *parts, ngx_scale_rows_t *rows)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {
        if (part[i].row
            && ngx_scale_values_find(rows, &part[i].name) == rows->ncolumns)
        {
            return 0;
        }
    }

    return 1;
}


/* the column's number; "ncolumns" where there is none */

static ngx_uint_t
ngx_scale_values_find(ngx_scale_rows_t *rows, ngx_str_t *name)
{
    ngx_str_t   column;
    ngx_uint_t  i;

    for (i = 0; i < rows->ncolumns; i++) {
        column = rows->columns[i].name;

        if (column.len > 4 && ngx_strncmp(column.data, "row:", 4) == 0) {
            column.data += 4;
            column.len -= 4;
        }

        if (column.len == name->len
            && ngx_strncmp(column.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    return i;
}


static ngx_int_t
ngx_scale_values_canon(ngx_scale_flow_t *f, ngx_uint_t type, ngx_str_t *text)
{
    u_char             *p;
    const char         *reason;
    ngx_scale_raw_t     raw;
    ngx_scale_param_t   param;
    ngx_scale_value_t   value;

    if (type == NGX_SCALE_BYTEA && text->len > 2
        && ngx_strncmp(text->data, "\\x", 2) == 0)
    {
        return NGX_OK;
    }

    ngx_scale_param_of_type(&param, type);

    ngx_memzero(&raw, sizeof(ngx_scale_raw_t));

    raw.kind = NGX_SCALE_RAW_TEXT;
    raw.text = *text;

    /* PostgreSQL writes UTC as +00, RFC 3339 wants minutes */

    if (type == NGX_SCALE_TIMESTAMPTZ && text->len > 3
        && ngx_strncmp(text->data + text->len - 3, "+00", 3) == 0)
    {
        p = ngx_pnalloc(f->r->pool, text->len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        raw.text.data = p;
        p = ngx_cpymem(p, text->data, text->len - 3);
        *p++ = 'Z';
        raw.text.len = p - raw.text.data;
    }

    switch (ngx_scale_param_value(f->r->pool, &param, &raw, &value, &reason)) {

    case NGX_OK:
        *text = value.canon;
        return NGX_OK;

    case NGX_DECLINED:
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": a purge's value is not of its "
                      "parameter's type: %s", &f->loc->http.route, reason);
        return NGX_ERROR;

    default:
        return NGX_ERROR;
    }
}


/*
 * What a request field or a cookie says may be its client's secret, which has
 * no place in memcached.  A tag is hashed as a whole: where one route makes it
 * of a field, another may make the same of a row.
 */

static ngx_int_t
ngx_scale_values_hide(ngx_scale_values_source_t *source,
    ngx_scale_declared_t *declared, ngx_str_t *text)
{
    u_char  *hex;

    if (!source->hide || !declared->hashed) {
        return NGX_OK;
    }

    hex = ngx_pnalloc(source->f->r->pool, NGX_SCALE_SIGN_DIGEST);
    if (hex == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_sign_digest(text->data, text->len, hex);

    text->data = hex;
    text->len = NGX_SCALE_SIGN_DIGEST;

    return NGX_OK;
}
