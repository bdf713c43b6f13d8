
/*
 * scale_cache_scope: what a route that knows who asks keeps is one client's,
 * by :identity in its key; or it is everybody's, and GET runs for nobody.
 */

#include "ngx_scale_auth.h"
#include "ngx_scale_plan.h"


static ngx_uint_t ngx_scale_plan_scope_says(ngx_scale_declared_t *declared);
static ngx_uint_t ngx_scale_plan_scope_asks(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static char *ngx_scale_plan_scope_public(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_plan_scope_private(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_plan_scope_sets(ngx_scale_loc_conf_t *loc,
    ngx_str_t *param);


static ngx_str_t  ngx_scale_plan_scope_name = ngx_string("identity");


char *
ngx_scale_plan_identity(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    declared = loc->params ? loc->params->elts : NULL;

    for (i = 0; declared && i < loc->params->nelts; i++) {
        if (ngx_scale_plan_scope_says(&declared[i])) {
            break;
        }
    }

    if (loc->auth == 0
        && (declared == NULL || i == loc->params->nelts))
    {
        return NGX_CONF_OK;
    }

    declared = ngx_scale_conf_find_param(loc, &ngx_scale_plan_scope_name);

    if (declared && declared->param.source == NGX_SCALE_SOURCE_IDENTITY) {
        return NGX_CONF_OK;
    }

    if (declared) {
        ngx_scale_conf_error(cf, &declared->place,
                             "\":identity\" is whoever asks, by scale_auth; "
                             "give this parameter another name");
        return NGX_CONF_ERROR;
    }

    declared = ngx_scale_plan_declare(cf, loc, &ngx_scale_plan_scope_name,
                                      NGX_SCALE_TEXT, &loc->place);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    declared->param.source = NGX_SCALE_SOURCE_IDENTITY;
    declared->identity = 1;

    return NGX_CONF_OK;
}


char *
ngx_scale_plan_scope(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_uint_t  asks;

    asks = ngx_scale_plan_scope_asks(loc, m);
    m->personal = loc->auth || loc->identities || asks;

    if (m->cached && loc->scope == NGX_SCALE_SCOPE_PUBLIC) {
        m->anonymous = 1;
        m->personal = loc->auth != 0;

        return ngx_scale_plan_scope_public(cf, loc, m);
    }

    if (loc->auth == 0 && !asks) {
        return NGX_CONF_OK;
    }

    return m->cached ? ngx_scale_plan_scope_private(cf, loc, m) : NGX_CONF_OK;
}


/* who asks, by a kind of scale_auth or by all that were found */

static ngx_uint_t
ngx_scale_plan_scope_says(ngx_scale_declared_t *declared)
{
    return declared->param.source == NGX_SCALE_SOURCE_IDENTITY
           || ngx_scale_auth_kind(declared->param.source)
              != NGX_SCALE_AUTH_NKINDS;
}


/* one of its parameters does */

static ngx_uint_t
ngx_scale_plan_scope_asks(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    for (i = 0; i < m->nparams; i++) {
        declared = loc->params->elts;
        declared += m->params[i];

        if (ngx_scale_plan_scope_says(declared)) {
            return 1;
        }
    }

    return 0;
}


/* nobody's rows: what GET would return for one would be there for all */

static char *
ngx_scale_plan_scope_public(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    for (i = 0; i < m->nparams; i++) {
        declared = loc->params->elts;
        declared += m->params[i];

        if (!ngx_scale_plan_scope_says(declared)
            && !ngx_scale_plan_scope_sets(loc, &declared->param.name))
        {
            continue;
        }

        ngx_scale_conf_error(cf, &m->queries[0]->place,
                             "route \"%V\" is \"scale_cache_scope public\", "
                             "and its GET binds \":%V\", which says who asks; "
                             "remove one", &loc->http.route,
                             &declared->param.name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_plan_scope_sets(ngx_scale_loc_conf_t *loc, ngx_str_t *param)
{
    ngx_uint_t             i;
    ngx_scale_identity_t  *identity;

    identity = loc->identities ? loc->identities->elts : NULL;

    for (i = 0; identity && i < loc->identities->nelts; i++) {
        if (ngx_scale_same(&identity[i].param, param)) {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_scale_plan_scope_private(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    if (loc->key
        && !ngx_scale_plan_holds(&loc->key->parts,
                                 &ngx_scale_plan_scope_name))
    {
        ngx_scale_conf_error(cf, &loc->key->place,
                             "key \"%V\" lacks \":identity\", so one would "
                             "get what another may see; add it to the key, "
                             "or write \"scale_cache_scope public\" if all "
                             "may see all of it", &loc->key->text);
        return NGX_CONF_ERROR;
    }

    return ngx_scale_plan_use(cf, loc, m, &ngx_scale_plan_scope_name,
                              &loc->place);
}
