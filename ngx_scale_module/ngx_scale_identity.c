
/*
 * scale_identity: who asks, as settings of the transaction, for row-level
 * security (PostgreSQL manual, 5.8 Row Security Policies).
 */

#include "ngx_scale_rows.h"


static ngx_uint_t ngx_scale_identity_is_name(ngx_str_t *name);
static char *ngx_scale_identity_declare(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_scale_loc_conf_t *loc, ngx_str_t *param);
static ngx_scale_identity_t *ngx_scale_identity_find(ngx_array_t *identities,
    ngx_str_t *name);


/* scale_identity setting :param, or setting source */

char *
ngx_scale_conf_identity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t             *word;
    ngx_scale_identity_t  *identity;

    word = cf->args->elts;

    if (!ngx_scale_identity_is_name(&word[1])) {
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

    if (ngx_scale_identity_find(loc->identities, &word[1])) {
        return "sets the same twice on this level; remove one";
    }

    identity = ngx_array_push(loc->identities);
    if (identity == NULL) {
        return NGX_CONF_ERROR;
    }

    identity->name = word[1];
    ngx_scale_conf_here(cf, &identity->place);

    if (word[2].data[0] != ':') {
        return ngx_scale_identity_declare(cf, cmd, loc, &identity->param);
    }

    identity->param.data = word[2].data + 1;
    identity->param.len = word[2].len - 1;

    return NGX_CONF_OK;
}


/* what the module sets itself has no dot */

static ngx_uint_t
ngx_scale_identity_is_name(ngx_str_t *name)
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
ngx_scale_identity_declare(ngx_conf_t *cf, ngx_command_t *cmd,
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
    rv = ngx_scale_conf_param(cf, cmd, loc);
    cf->args = args;

    return rv;
}


static ngx_scale_identity_t *
ngx_scale_identity_find(ngx_array_t *identities, ngx_str_t *name)
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
ngx_scale_identity_merge(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf)
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

        if (ngx_scale_identity_find(conf->identities, &inherited[i].name)) {
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


/* each method needs their values, and so does the key of what is cached */

char *
ngx_scale_identity_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char                  *rv;
    ngx_uint_t             i, n;
    ngx_scale_declared_t  *declared;
    ngx_scale_identity_t  *identity;

    n = loc->identities ? loc->identities->nelts : 0;
    identity = n ? loc->identities->elts : NULL;

    if (n > NGX_SCALE_PG_MAX_SETTINGS) {
        ngx_scale_conf_error(cf, &identity[n - 1].place,
                             "route \"%V\" has more than %d of scale_identity",
                             &loc->http.route, NGX_SCALE_PG_MAX_SETTINGS);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        rv = ngx_scale_plan_use(cf, loc, m, &identity[i].param,
                                &identity[i].place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        declared = ngx_scale_conf_find_param(loc, &identity[i].param);
        declared->identity = 1;
        declared->hashed |= declared->param.type == NGX_SCALE_TEXT;
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_identity_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i;
    ngx_scale_identity_t  *identity;

    identity = loc->identities ? loc->identities->elts : NULL;

    for (i = 0; loc->identities && i < loc->identities->nelts; i++) {

        if (!ngx_scale_plan_holds(&loc->key->parts, &identity[i].param)) {
            ngx_scale_conf_error(cf, &loc->key->place,
                                 "key \"%V\" lacks \":%V\" of scale_identity, "
                                 "so one would get what another may see; add "
                                 "it to the key", &loc->key->text,
                                 &identity[i].param);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_scale_identity_bind(ngx_pool_t *pool, ngx_scale_loc_conf_t *loc,
    ngx_scale_value_t *values, ngx_scale_pg_op_t *op)
{
    ngx_uint_t               i, n;
    ngx_scale_value_t       *value;
    ngx_scale_declared_t    *declared;
    ngx_scale_identity_t    *identity;
    ngx_scale_pg_setting_t  *setting;

    if (loc->identities == NULL) {
        return NGX_OK;
    }

    n = loc->identities->nelts;
    identity = loc->identities->elts;

    setting = ngx_palloc(pool, n * sizeof(ngx_scale_pg_setting_t));
    if (setting == NULL) {
        return NGX_ERROR;
    }

    op->settings = setting;
    op->nsettings = n;

    for (i = 0; i < n; i++) {
        declared = ngx_scale_conf_find_param(loc, &identity[i].param);
        value = &values[declared
                        - (ngx_scale_declared_t *) loc->params->elts];

        setting[i].name = (const char *) identity[i].name.data;
        setting[i].value = value->null ? NULL
                                       : (const char *) value->text.data;
    }

    return NGX_OK;
}
