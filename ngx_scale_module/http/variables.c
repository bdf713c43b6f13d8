
#include "http/context.h"
#include "http/quote.h"


static ngx_int_t ngx_scale_variable_set(ngx_http_variable_value_t *v,
    ngx_str_t *value);
static ngx_int_t ngx_scale_variable_string(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_variable_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_variable_route(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_variable_row(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_scale_variable_error(ngx_http_request_t *r,
    ngx_scale_problem_t **p);
static ngx_int_t ngx_scale_variable_error_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_variable_error_title(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_variable_error_fields(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_scale_variables[] = {

    { ngx_string("scale_route"), NULL, ngx_scale_variable_route, 0, 0, 0 },

    { ngx_string("scale_cache_status"), NULL, ngx_scale_variable_string,
      offsetof(ngx_scale_ctx_t, cache_status), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_db_server"), NULL, ngx_scale_variable_string,
      offsetof(ngx_scale_ctx_t, db_server), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_db_role"), NULL, ngx_scale_variable_string,
      offsetof(ngx_scale_ctx_t, db_role), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_shard"), NULL, ngx_scale_variable_string,
      offsetof(ngx_scale_ctx_t, shard), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_db_time"), NULL, ngx_scale_variable_time,
      offsetof(ngx_scale_ctx_t, db_time), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_cache_time"), NULL, ngx_scale_variable_time,
      offsetof(ngx_scale_ctx_t, cache_time), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_error_status"), NULL,
      ngx_scale_variable_error_status, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_error_title"), NULL,
      ngx_scale_variable_error_title, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("scale_error_fields"), NULL,
      ngx_scale_variable_error_fields, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("row_"), NULL, ngx_scale_variable_row, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    ngx_http_null_variable
};


static ngx_int_t
ngx_scale_variable_set(ngx_http_variable_value_t *v, ngx_str_t *value)
{
    if (value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = value->len;
    v->data = value->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_variable_string(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_scale_ctx_t  *ctx;

    ctx = ngx_scale_ctx_get(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_scale_variable_set(v, (ngx_str_t *) ((u_char *) ctx + data));
}


/* seconds with six digits, as $request_time has three */

static ngx_int_t
ngx_scale_variable_time(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char           *p;
    ngx_int_t         us;
    ngx_str_t         value;
    ngx_scale_ctx_t  *ctx;

    ctx = ngx_scale_ctx_get(r);
    us = ctx ? *(ngx_int_t *) ((u_char *) ctx + data) : -1;

    if (us < 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + sizeof(".000000"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%i.%06i", us / 1000000, us % 1000000) - p;

    return ngx_scale_variable_set(v, &value);
}


static ngx_int_t
ngx_scale_variable_route(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_scale_ctx_t       *ctx;
    ngx_scale_http_loc_t  *loc;

    ctx = ngx_scale_ctx_get(r);

    if (ctx && ctx->route.len) {
        return ngx_scale_variable_set(v, &ctx->route);
    }

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    return ngx_scale_variable_set(v, &loc->route);
}


static ngx_int_t
ngx_scale_variable_row(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t        *name = (ngx_str_t *) data;

    ngx_str_t         column;
    ngx_uint_t        i;
    ngx_keyval_t     *cell;
    ngx_scale_ctx_t  *ctx;

    column.data = name->data + sizeof("row_") - 1;
    column.len = name->len - (sizeof("row_") - 1);

    ctx = ngx_scale_ctx_get(r);

    if (ctx == NULL || ctx->row == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    cell = ctx->row->elts;

    for (i = 0; i < ctx->row->nelts; i++) {
        if (cell[i].key.len == column.len
            && ngx_strncasecmp(cell[i].key.data, column.data, column.len) == 0)
        {
            return ngx_scale_variable_set(v, &cell[i].value);
        }
    }

    v->not_found = 1;

    return NGX_OK;
}


/* of our refusal or, where error_page took it as it was, of nginx's own */

static ngx_uint_t
ngx_scale_variable_error(ngx_http_request_t *r, ngx_scale_problem_t **p)
{
    ngx_scale_ctx_t  *ctx;

    ctx = ngx_scale_ctx_get(r);

    *p = ctx ? ctx->problem : NULL;

    if (*p) {
        return ngx_scale_problem_status(*p);
    }

    return r->err_status >= NGX_HTTP_BAD_REQUEST ? r->err_status : 0;
}


static ngx_int_t
ngx_scale_variable_error_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char               *p;
    ngx_str_t             value;
    ngx_uint_t            status;
    ngx_scale_problem_t  *problem;

    status = ngx_scale_variable_error(r, &problem);

    if (status == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%ui", status) - p;

    return ngx_scale_variable_set(v, &value);
}


/* a JSON string with its quotes, so that an error_page can paste it */

static ngx_int_t
ngx_scale_variable_error_title(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char               *p;
    ngx_str_t             title, value;
    ngx_uint_t            status;
    ngx_scale_problem_t  *problem;

    status = ngx_scale_variable_error(r, &problem);

    if (status == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_scale_problem_title(problem, status, &title);

    p = ngx_pnalloc(r->pool, ngx_scale_quote_len(&title));
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_scale_quote(p, &title) - p;

    return ngx_scale_variable_set(v, &value);
}


static ngx_int_t
ngx_scale_variable_error_fields(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t             value;
    ngx_scale_problem_t  *problem;

    if (ngx_scale_variable_error(r, &problem) == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (problem == NULL) {
        ngx_str_set(&value, "[]");

    } else if (ngx_scale_problem_fields(r->pool, problem, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_variable_set(v, &value);
}


ngx_int_t
ngx_scale_variables_add(ngx_conf_t *cf)
{
    return ngx_scale_variables_add_table(cf, ngx_scale_variables);
}


ngx_int_t
ngx_scale_variables_add_table(ngx_conf_t *cf, ngx_http_variable_t *table)
{
    ngx_http_variable_t  *var, *v;

    for (v = table; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}
