
/* scale_param and scale_identity: declared on any level, merged by name */

#include "ngx_scale_auth.h"
#include "ngx_scale_directives.h"
#include "ngx_scale_source.h"


static ngx_int_t ngx_scale_directives_pattern(ngx_conf_t *cf,
    ngx_scale_param_t *param);
static char *ngx_scale_directives_expression(ngx_conf_t *cf,
    ngx_scale_declared_t *declared);
static ngx_int_t ngx_scale_directives_match(void *regex, ngx_str_t *text);
static ngx_uint_t ngx_scale_directives_is_setting(ngx_str_t *name);
static char *ngx_scale_directives_declare(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_scale_loc_conf_t *loc, ngx_str_t *param);
static ngx_scale_identity_t *ngx_scale_directives_find_setting(
    ngx_array_t *identities, ngx_str_t *name);


char *
ngx_scale_directives_param(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t             *word, error;
    ngx_scale_declared_t  *declared;

    word = cf->args->elts;

    if (loc->params == NULL) {
        loc->params = ngx_array_create(cf->pool, 8,
                                       sizeof(ngx_scale_declared_t));
        if (loc->params == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_scale_conf_find_param(loc, &word[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameter \"%V\" is declared twice on this "
                           "level; remove one, or give it another name",
                           &word[1]);
        return NGX_CONF_ERROR;
    }

    declared = ngx_array_push(loc->params);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(declared, sizeof(ngx_scale_declared_t));
    ngx_str_null(&error);

    ngx_scale_conf_here(cf, &declared->place);

    if (ngx_scale_param_parse(cf->pool, &word[1], cf->args->nelts - 1,
                              &declared->param, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "scale_param \"%V\": %V",
                           &word[1], &error);
        return NGX_CONF_ERROR;
    }

    if (declared->param.pattern.len
        && ngx_scale_directives_pattern(cf, &declared->param) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    declared->identity = ngx_scale_auth_kind(declared->param.source)
                         != NGX_SCALE_AUTH_NKINDS;
    declared->hashed = ngx_scale_source_is_private(&declared->param)
                       || (declared->identity
                           && declared->param.type == NGX_SCALE_TEXT);

    return declared->param.source == NGX_SCALE_SOURCE_EXPR
           ? ngx_scale_directives_expression(cf, declared) : NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_directives_pattern(ngx_conf_t *cf, ngx_scale_param_t *param)
{
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));
    rc.pattern = param->pattern;
    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
        return NGX_ERROR;
    }

    param->regex = rc.regex;
    param->match = ngx_scale_directives_match;

    return NGX_OK;
}


static char *
ngx_scale_directives_expression(ngx_conf_t *cf, ngx_scale_declared_t *declared)
{
    ngx_http_compile_complex_value_t  ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));
    ccv.cf = cf;
    ccv.value = &declared->param.argument;
    ccv.complex_value = &declared->expression;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    declared->variable = ngx_scale_source_variable(cf,
                                                  &declared->param.argument);

    return declared->variable == NGX_ERROR ? NGX_CONF_ERROR : NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_directives_match(void *regex, ngx_str_t *text)
{
    return ngx_regex_exec((ngx_regex_t *) regex, text, NULL, 0) >= 0
           ? NGX_OK : NGX_DECLINED;
}


/* merged by name; what is inherited may stay unused */

ngx_int_t
ngx_scale_directives_merge_params(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *inherited, *declared;

    if (prev->params == NULL) {
        return NGX_OK;
    }

    if (conf->params == NULL) {
        conf->params = ngx_array_create(cf->pool, prev->params->nelts,
                                        sizeof(ngx_scale_declared_t));
        if (conf->params == NULL) {
            return NGX_ERROR;
        }
    }

    inherited = prev->params->elts;

    for (i = 0; i < prev->params->nelts; i++) {

        if (ngx_scale_conf_find_param(conf, &inherited[i].param.name)) {
            continue;
        }

        declared = ngx_array_push(conf->params);
        if (declared == NULL) {
            return NGX_ERROR;
        }

        *declared = inherited[i];
        declared->inherited = 1;
        declared->used = 0;
    }

    return NGX_OK;
}


/* scale_identity setting :param, or setting source */

char *
ngx_scale_directives_identity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t             *word;
    ngx_scale_identity_t  *identity;

    word = cf->args->elts;

    if (!ngx_scale_directives_is_setting(&word[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a setting of the application's own; "
                           "write a name with a dot, such as \"app.user\", or "
                           "\"role\"", &word[1]);
        return NGX_CONF_ERROR;
    }

    if (loc->identities == NULL) {
        loc->identities = ngx_array_create(cf->pool, 2,
                                           sizeof(ngx_scale_identity_t));
        if (loc->identities == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_scale_directives_find_setting(loc->identities, &word[1])) {
        return "sets the same twice on this level; remove one";
    }

    identity = ngx_array_push(loc->identities);
    if (identity == NULL) {
        return NGX_CONF_ERROR;
    }

    identity->name = word[1];
    ngx_scale_conf_here(cf, &identity->place);

    if (word[2].data[0] != ':') {
        return ngx_scale_directives_declare(cf, cmd, loc, &identity->param);
    }

    identity->param.data = word[2].data + 1;
    identity->param.len = word[2].len - 1;

    return NGX_CONF_OK;
}


/* what the module sets itself has no dot */

static ngx_uint_t
ngx_scale_directives_is_setting(ngx_str_t *name)
{
    size_t      i;
    u_char      ch;
    ngx_uint_t  dots;

    if (name->len == 4 && ngx_strncmp(name->data, "role", 4) == 0) {
        return 1;
    }

    dots = 0;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (ch == '.' && i && name->data[i - 1] != '.') {
            dots++;
            continue;
        }

        if (!((ch >= 'a' && ch <= 'z') || ch == '_'
              || (i && name->data[i - 1] != '.' && ch >= '0' && ch <= '9')))
        {
            return 0;
        }
    }

    return dots && name->data[name->len - 1] != '.';
}


/* a source is a parameter without a name: "app.user" declares :app_user */

static char *
ngx_scale_directives_declare(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_scale_loc_conf_t *loc, ngx_str_t *param)
{
    char         *rv;
    u_char       *p;
    ngx_str_t    *word, words[4];
    ngx_array_t  *args, declaration;

    args = cf->args;
    word = args->elts;

    param->len = word[1].len;
    param->data = ngx_pstrdup(cf->pool, &word[1]);
    if (param->data == NULL) {
        return NGX_CONF_ERROR;
    }

    for (p = param->data; p < param->data + param->len; p++) {
        if (*p == '.') {
            *p = '_';
        }
    }

    words[0] = word[0];
    words[1] = *param;
    words[2] = word[2];
    ngx_str_set(&words[3], "text");

    declaration = *args;
    declaration.elts = words;
    declaration.nelts = 4;

    cf->args = &declaration;
    rv = ngx_scale_directives_param(cf, cmd, loc);
    cf->args = args;

    return rv;
}


static ngx_scale_identity_t *
ngx_scale_directives_find_setting(ngx_array_t *identities, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_scale_identity_t  *identity;

    identity = identities->elts;

    for (i = 0; i < identities->nelts; i++) {
        if (ngx_scale_same(&identity[i].name, name)) {
            return &identity[i];
        }
    }

    return NULL;
}


/* by name, as parameters: no level can drop what another one has set */

ngx_int_t
ngx_scale_directives_merge_identities(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf)
{
    ngx_uint_t             i;
    ngx_scale_identity_t  *inherited, *identity;

    if (prev->identities == NULL || conf->identities == NULL) {

        if (conf->identities == NULL) {
            conf->identities = prev->identities;
        }

        return NGX_OK;
    }

    inherited = prev->identities->elts;

    for (i = 0; i < prev->identities->nelts; i++) {

        if (ngx_scale_directives_find_setting(conf->identities,
                                              &inherited[i].name))
        {
            continue;
        }

        identity = ngx_array_push(conf->identities);
        if (identity == NULL) {
            return NGX_ERROR;
        }

        *identity = inherited[i];
    }

    return NGX_OK;
}
