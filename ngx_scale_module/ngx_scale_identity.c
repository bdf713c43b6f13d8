
/*
 * scale_identity: who asks, as settings of the transaction, for row-level
 * security (PostgreSQL manual, 5.8 Row Security Policies).
 */

#include "ngx_scale_plan.h"
#include "ngx_scale_rows.h"


/* each method needs their values, and so does the key of what is cached */

char *
ngx_scale_identity_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char                  *rv;
    ngx_uint_t             i, n;
    ngx_scale_declared_t  *declared;
    ngx_scale_identity_t  *identity;

    n = loc->identities && !m->anonymous ? loc->identities->nelts : 0;
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
ngx_scale_identity_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    ngx_uint_t             i, n;
    ngx_scale_identity_t  *identity;

    n = loc->identities && !get->anonymous ? loc->identities->nelts : 0;
    identity = n ? loc->identities->elts : NULL;

    for (i = 0; i < n; i++) {

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
    ngx_scale_method_t *m, ngx_scale_value_t *values, ngx_scale_pg_op_t *op)
{
    ngx_uint_t               i, n;
    ngx_scale_value_t       *value;
    ngx_scale_declared_t    *declared;
    ngx_scale_identity_t    *identity;
    ngx_scale_pg_setting_t  *setting;

    if (loc->identities == NULL || m->anonymous) {
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
