
/* $session_<member>, as the members of a session are written in JSON */

#include "ngx_scale_login.h"


static ngx_int_t ngx_scale_session_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_scale_session_variables[] = {

    { ngx_string("session_"), NULL, ngx_scale_session_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    ngx_http_null_variable
};


ngx_int_t
ngx_scale_session_add_variables(ngx_conf_t *cf)
{
    return ngx_scale_variables_add_table(cf, ngx_scale_session_variables);
}


static ngx_int_t
ngx_scale_session_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              *name = (ngx_str_t *) data;

    ngx_str_t               member;
    ngx_scale_who_t        *who;
    ngx_scale_flow_t       *f;
    ngx_scale_json_want_t   want;

    v->not_found = 1;

    f = (ngx_scale_flow_t *) ngx_scale_ctx_get(r);

    if (f == NULL || !f->who[NGX_SCALE_AUTH_SESSION].found) {
        return NGX_OK;
    }

    who = &f->who[NGX_SCALE_AUTH_SESSION];

    member.data = name->data + sizeof("session_") - 1;
    member.len = name->len - (sizeof("session_") - 1);

    ngx_memzero(&want, sizeof(ngx_scale_json_want_t));
    want.path = &member;
    want.npath = 1;

    if (ngx_scale_json_read(r->pool, &who->members, &want, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (want.raw.kind <= NGX_SCALE_RAW_NULL || want.raw.text.len == 0) {
        return NGX_OK;
    }

    v->data = want.raw.text.data;
    v->len = want.raw.text.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
