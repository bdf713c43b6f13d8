
/* Vary: what chooses among the answers of one URL (RFC 9110, 12.5.5) */

#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"


static ngx_int_t ngx_scale_plan_vary_method(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_array_t *fields);
static ngx_int_t ngx_scale_plan_vary_param(ngx_conf_t *cf,
    ngx_scale_param_t *param, ngx_array_t *fields);
static ngx_int_t ngx_scale_plan_vary_add(ngx_array_t *fields,
    ngx_str_t *field);
static ngx_int_t ngx_scale_plan_vary_join(ngx_conf_t *cf, ngx_array_t *fields,
    ngx_str_t *vary);


char *
ngx_scale_plan_vary(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t           i;
    ngx_array_t          fields;
    ngx_scale_method_t  *m;

    if (ngx_array_init(&fields, cf->temp_pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        fields.nelts = 0;

        if (ngx_scale_plan_vary_method(cf, loc, &m[i], &fields) != NGX_OK
            || ngx_scale_plan_vary_join(cf, &fields, &m[i].vary) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_plan_vary_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_array_t *fields)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    static ngx_str_t  accept = ngx_string("Accept");

    if (m->answer && m->answer->shape == NGX_SCALE_SHAPE_ROWS
        && ngx_scale_plan_vary_add(fields, &accept) != NGX_OK)
    {
        return NGX_ERROR;
    }

    declared = loc->params ? loc->params->elts : NULL;

    for (i = 0; i < m->nparams; i++) {
        if (ngx_scale_plan_vary_param(cf, &declared[m->params[i]].param,
                                      fields)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_plan_vary_param(ngx_conf_t *cf, ngx_scale_param_t *param,
    ngx_array_t *fields)
{
    ngx_int_t  rc;
    ngx_str_t  rest, name, field;

    if (param->source == NGX_SCALE_SOURCE_HEADER) {
        return ngx_scale_plan_vary_add(fields, &param->argument);
    }

    if (param->source != NGX_SCALE_SOURCE_EXPR) {
        return NGX_OK;
    }

    rest = param->argument;

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {

        rc = ngx_scale_source_field(cf->pool, &name, &field);

        if (rc == NGX_OK) {
            rc = ngx_scale_plan_vary_add(fields, &field);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* once, and none that says who asks */

static ngx_int_t
ngx_scale_plan_vary_add(ngx_array_t *fields, ngx_str_t *field)
{
    ngx_str_t   *known;
    ngx_uint_t   i;

    if (!ngx_scale_source_is_open(field)) {
        return NGX_OK;
    }

    known = fields->elts;

    for (i = 0; i < fields->nelts; i++) {
        if (known[i].len == field->len
            && ngx_strncasecmp(known[i].data, field->data, field->len) == 0)
        {
            return NGX_OK;
        }
    }

    known = ngx_array_push(fields);
    if (known == NULL) {
        return NGX_ERROR;
    }

    *known = *field;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_plan_vary_join(ngx_conf_t *cf, ngx_array_t *fields, ngx_str_t *vary)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *field;
    ngx_uint_t   i;

    field = fields->elts;
    len = 0;

    for (i = 0; i < fields->nelts; i++) {
        len += field[i].len + sizeof(", ") - 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    vary->data = p;

    for (i = 0; i < fields->nelts; i++) {

        if (i) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, field[i].data, field[i].len);
    }

    vary->len = p - vary->data;

    return NGX_OK;
}
