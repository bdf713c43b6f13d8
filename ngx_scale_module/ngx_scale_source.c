
/* what the source of a parameter says of its values */

#include "ngx_scale_source.h"


static ngx_uint_t ngx_scale_source_has(ngx_str_t *expression,
    ngx_str_t *prefix);
static ngx_uint_t ngx_scale_source_begins(ngx_str_t *name, ngx_str_t *prefix);
static ngx_int_t ngx_scale_source_list_field(ngx_array_t *fields,
    ngx_str_t *field);
static ngx_uint_t ngx_scale_source_captures(ngx_conf_t *cf,
    ngx_http_regex_t *regex, ngx_str_t *variable);


/* of what a client sends in its fields: a token, or a part of one */

static ngx_str_t  ngx_scale_source_fields[] = {
    ngx_string("http_"),
    ngx_string("cookie_"),
    ngx_null_string
};


/* what differs between requests of one path */

static ngx_str_t  ngx_scale_source_others[] = {
    ngx_string("http_"),
    ngx_string("cookie_"),
    ngx_string("arg_"),
    ngx_string("args"),
    ngx_string("is_args"),
    ngx_string("query_string"),
    ngx_string("request"),
    ngx_string("scheme"),
    ngx_string("host"),
    ngx_string("server_"),
    ngx_string("remote_"),
    ngx_string("scale_uuid"),
    ngx_string("scale_json_"),
    ngx_null_string
};


/* by which no cache may choose: RFC 9110, section 12.5.5 */

static ngx_str_t  ngx_scale_source_closed[] = {
    ngx_string("authorization"),
    ngx_string("cookie"),
    ngx_string("host"),
    ngx_string("proxy-authorization"),
    ngx_null_string
};


/* what the same URL always has the same of */

static ngx_str_t  ngx_scale_source_parts[] = {
    ngx_string("args"),
    ngx_string("document_uri"),
    ngx_string("host"),
    ngx_string("http_host"),
    ngx_string("is_args"),
    ngx_string("query_string"),
    ngx_string("request_uri"),
    ngx_string("scheme"),
    ngx_string("server_name"),
    ngx_string("uri"),
    ngx_null_string
};

static ngx_str_t  ngx_scale_source_args[] = {
    ngx_string("arg_"),
    ngx_null_string
};


ngx_int_t
ngx_scale_source_variable(ngx_conf_t *cf, ngx_str_t *expression)
{
    u_char     *p, *last, ch;
    ngx_str_t   name;

    p = expression->data;
    last = p + expression->len;

    if (last - p < 2 || *p++ != '$' || (*p >= '0' && *p <= '9')) {
        return NGX_DECLINED;
    }

    name.data = p;
    name.len = last - p;

    for ( /* void */ ; p < last; p++) {
        ch = *p | 0x20;

        if ((ch < 'a' || ch > 'z') && (*p < '0' || *p > '9') && *p != '_') {
            return NGX_DECLINED;
        }
    }

    return ngx_http_get_variable_index(cf, &name);
}


ngx_uint_t
ngx_scale_source_is_private(ngx_scale_param_t *param)
{
    return param->source == NGX_SCALE_SOURCE_HEADER
           || (param->source == NGX_SCALE_SOURCE_EXPR
               && ngx_scale_source_has(&param->argument,
                                       ngx_scale_source_fields));
}


ngx_uint_t
ngx_scale_source_is_path(ngx_scale_param_t *param)
{
    return param->source == NGX_SCALE_SOURCE_EXPR
           && !ngx_scale_source_has(&param->argument,
                                    ngx_scale_source_others);
}


/* a variable whose name begins so */

static ngx_uint_t
ngx_scale_source_has(ngx_str_t *expression, ngx_str_t *prefix)
{
    ngx_str_t  rest, name;

    rest = *expression;

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {
        if (ngx_scale_source_begins(&name, prefix)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_scale_source_begins(ngx_str_t *name, ngx_str_t *prefix)
{
    for ( /* void */ ; prefix->len; prefix++) {
        if (name->len >= prefix->len
            && ngx_strncasecmp(name->data, prefix->data, prefix->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_scale_source_next(ngx_str_t *rest, ngx_str_t *name)
{
    u_char  *p, *last;

    last = rest->data + rest->len;

    p = ngx_strlchr(rest->data, last, '$');
    if (p == NULL) {
        return NGX_DONE;
    }

    p++;
    p += (p < last && *p == '{');

    name->data = p;

    while (p < last && (isalnum(*p) || *p == '_')) {
        p++;
    }

    name->len = p - name->data;

    rest->data = p;
    rest->len = last - p;

    return NGX_OK;
}


ngx_int_t
ngx_scale_source_field(ngx_pool_t *pool, ngx_str_t *variable,
    ngx_str_t *field)
{
    u_char  *p;

    if (!ngx_scale_source_begins(variable, ngx_scale_source_fields)) {
        return NGX_DECLINED;
    }

    if (ngx_strncasecmp(variable->data, (u_char *) "cookie_", 7) == 0) {
        ngx_str_set(field, "Cookie");
        return NGX_OK;
    }

    field->len = variable->len - (sizeof("http_") - 1);
    field->data = ngx_pnalloc(pool, field->len);
    if (field->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(field->data, variable->data + sizeof("http_") - 1, field->len);

    for (p = field->data; p < field->data + field->len; p++) {
        if (*p == '_') {
            *p = '-';
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_source_list_fields(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_array_t *fields)
{
    ngx_int_t  rc;
    ngx_str_t  rest, name, field;

    if (param->source == NGX_SCALE_SOURCE_HEADER) {
        return ngx_scale_source_list_field(fields, &param->argument);
    }

    if (param->source != NGX_SCALE_SOURCE_EXPR) {
        return NGX_OK;
    }

    rest = param->argument;

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {

        rc = ngx_scale_source_field(pool, &name, &field);

        if (rc == NGX_OK) {
            rc = ngx_scale_source_list_field(fields, &field);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* once, and none that says who asks */

static ngx_int_t
ngx_scale_source_list_field(ngx_array_t *fields, ngx_str_t *field)
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


ngx_uint_t
ngx_scale_source_is_open(ngx_str_t *field)
{
    ngx_str_t  *closed;

    for (closed = ngx_scale_source_closed; closed->len; closed++) {
        if (closed->len == field->len
            && ngx_strncasecmp(closed->data, field->data, field->len) == 0)
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_scale_source_is_url(ngx_conf_t *cf, ngx_str_t *variable)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_server_name_t     *server;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_core_srv_conf_t   *cscf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (variable->len && isdigit(variable->data[0])) {
        return clcf->regex != NULL;
    }

    for (name = ngx_scale_source_parts; name->len; name++) {
        if (ngx_scale_same(name, variable)) {
            return 1;
        }
    }

    if (ngx_scale_source_begins(variable, ngx_scale_source_args)) {
        return 1;
    }

    if (clcf->regex && ngx_scale_source_captures(cf, clcf->regex, variable)) {
        return 1;
    }

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    server = cscf->server_names.elts;

    for (i = 0; i < cscf->server_names.nelts; i++) {
        if (server[i].regex
            && ngx_scale_source_captures(cf, server[i].regex, variable))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_scale_source_captures(ngx_conf_t *cf, ngx_http_regex_t *regex,
    ngx_str_t *variable)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < regex->nvariables; i++) {
        name = &v[regex->variables[i].index].name;

        if (name->len == variable->len
            && ngx_strncasecmp(name->data, variable->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
