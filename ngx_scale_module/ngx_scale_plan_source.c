
/* sources that are variables: nginx itself names an unknown one and no line */

#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"


static char *ngx_scale_plan_source(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_declared_t *declared);
static ngx_uint_t ngx_scale_plan_is_variable(ngx_conf_t *cf, ngx_str_t *name);


char *
ngx_scale_plan_sources(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    char                  *rv;
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    if (loc->params == NULL) {
        return NGX_CONF_OK;
    }

    declared = loc->params->elts;

    for (i = 0; i < loc->params->nelts; i++) {
        rv = ngx_scale_plan_source(cf, loc, &declared[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_source(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_declared_t *declared)
{
    ngx_str_t  rest, name;

    if (declared->param.source != NGX_SCALE_SOURCE_EXPR) {
        return NGX_CONF_OK;
    }

    rest = declared->param.argument;

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {

        if (name.len == 0 || isdigit(name.data[0])
            || ngx_scale_plan_is_variable(cf, &name))
        {
            continue;
        }

        ngx_scale_conf_error(cf, &declared->place,
                             "there is no variable \"$%V\"; capture it, such "
                             "as \"location ~ ^/%V/(?<%V>[^/]+)$\", or write "
                             "arg.%V or json.%V if the request brings it so",
                             &name, &loc->http.route, &name, &name, &name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "$scale_json_x" of an x that nothing sets would be null for ever */

char *
ngx_scale_plan_json_variables(ngx_conf_t *cf)
{
    ngx_str_t                   name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  prefix = ngx_string("scale_json_");

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len <= prefix.len
            || ngx_strncmp(v[i].name.data, prefix.data, prefix.len) != 0)
        {
            continue;
        }

        name.data = v[i].name.data + prefix.len;
        name.len = v[i].name.len - prefix.len;

        if (!ngx_scale_plan_is_variable(cf, &name)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "there is no variable \"$%V\" for \"$%V\"; set or "
                          "capture it", &name, &v[i].name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_plan_is_variable(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_hash_key_t             *key;
    ngx_http_variable_t        *prefix;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (key[i].key.len == name->len
            && ngx_strncasecmp(key[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    prefix = cmcf->prefix_variables.elts;

    for (i = 0; i < cmcf->prefix_variables.nelts; i++) {
        if (prefix[i].name.len <= name->len
            && ngx_strncasecmp(prefix[i].name.data, name->data,
                               prefix[i].name.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}
