
/* Vary: what chooses among the answers of one URL (RFC 9110, 12.5.5) */

#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"


static ngx_int_t ngx_scale_plan_vary_method(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_array_t *fields);
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
    ngx_str_t             *accept;
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    if (m->answer && m->answer->shape == NGX_SCALE_SHAPE_ROWS) {
        accept = ngx_array_push(fields);
        if (accept == NULL) {
            return NGX_ERROR;
        }

        ngx_str_set(accept, "Accept");
    }

    declared = loc->params ? loc->params->elts : NULL;

    for (i = 0; i < m->nparams; i++) {
        if (ngx_scale_source_list_fields(cf->pool,
                                         &declared[m->params[i]].param, fields)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

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
