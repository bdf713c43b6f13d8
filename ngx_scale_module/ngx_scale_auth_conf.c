
/* scale_auth, and which kinds of identity a method asks for */

#include "ngx_scale_auth.h"
#include "ngx_scale_plan.h"


typedef struct {
    ngx_str_t            name;               /* of scale_auth and scale_use */
    const char          *block;
    ngx_scale_source_e   source;
} ngx_scale_auth_name_t;


static char *ngx_scale_auth_method(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);


static ngx_scale_auth_name_t  ngx_scale_auth_names[] = {

    [NGX_SCALE_AUTH_SESSION] = {
        ngx_string("session"), "scale_session", NGX_SCALE_SOURCE_SESSION },

    [NGX_SCALE_AUTH_JWT] = {
        ngx_string("jwt"), "scale_jwt", NGX_SCALE_SOURCE_JWT },

    [NGX_SCALE_AUTH_KEY] = {
        ngx_string("key"), "scale_key", NGX_SCALE_SOURCE_KEY }
};


/* scale_auth kind[|kind ...], or none */

char *
ngx_scale_auth_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    u_char      *p, *last, *end;
    ngx_str_t   *word, name;
    ngx_uint_t   kind;

    if (loc->auth != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    loc->auth = 0;
    ngx_scale_conf_here(cf, &loc->authed);

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "none") == 0) {
        return NGX_CONF_OK;
    }

    last = word[1].data + word[1].len;

    for (p = word[1].data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, '|');
        end = end ? end : last;

        name.data = p;
        name.len = end - p;
        kind = ngx_scale_auth_named(&name);

        if (kind == NGX_SCALE_AUTH_NKINDS) {
            return "is none, or one or more of session, jwt and key, such as "
                   "\"scale_auth session|jwt;\"";
        }

        loc->auth |= ngx_scale_auth_bit(kind);
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_scale_auth_named(ngx_str_t *name)
{
    ngx_uint_t  kind;

    for (kind = 0; kind < NGX_SCALE_AUTH_NKINDS; kind++) {
        if (ngx_scale_same(&ngx_scale_auth_names[kind].name, name)) {
            break;
        }
    }

    return kind;
}


char *
ngx_scale_auth_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char                *rv;
    ngx_uint_t           i, kind;
    ngx_scale_method_t  *m;

    for (kind = 0; kind < NGX_SCALE_AUTH_NKINDS; kind++) {
        rv = loc->auth & ngx_scale_auth_bit(kind)
             ? ngx_scale_auth_use(cf, main, loc, kind, &loc->authed)
             : NGX_CONF_OK;
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        rv = ngx_scale_auth_method(cf, main, loc, &m[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_auth_method(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m)
{
    char                  *rv;
    ngx_uint_t             i, kind;
    ngx_scale_declared_t  *declared;

    m->asks = loc->auth;

    for (i = 0; i < m->nparams; i++) {
        declared = (ngx_scale_declared_t *) loc->params->elts + m->params[i];
        kind = ngx_scale_auth_kind(declared->param.source);

        if (kind == NGX_SCALE_AUTH_NKINDS) {
            continue;
        }

        rv = ngx_scale_auth_use(cf, main, loc, kind, &declared->place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        m->asks |= ngx_scale_auth_bit(kind);

        if (declared->param.required) {
            m->needs |= ngx_scale_auth_bit(kind);
        }
    }

    return NGX_CONF_OK;
}


/* the named one, or the only one */

char *
ngx_scale_auth_use(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_uint_t kind,
    ngx_scale_place_in_conf_t *place)
{
    ngx_str_t                *name;
    ngx_uint_t                i, n;
    ngx_scale_auth_block_t  **block;

    name = &loc->use_auth[kind];
    block = main->auth[kind].elts;
    n = main->auth[kind].nelts;

    for (i = 0; i < n; i++) {
        if ((name->len == 0 && n == 1) || ngx_scale_same(name, &block[i]->name))
        {
            loc->by[kind] = block[i];
            return NGX_CONF_OK;
        }
    }

    ngx_scale_conf_error(cf, place,
                         "route \"%V\" asks who it is by a %V, and there is no "
                         "%s%s%V; declare it in http{}, and where there are "
                         "several name it by scale_use %V=",
                         &loc->http.route, &ngx_scale_auth_names[kind].name,
                         ngx_scale_auth_names[kind].block,
                         name->len ? " " : "", name,
                         &ngx_scale_auth_names[kind].name);

    return NGX_CONF_ERROR;
}


ngx_uint_t
ngx_scale_auth_kind(ngx_scale_source_e source)
{
    ngx_uint_t  kind;

    for (kind = 0; kind < NGX_SCALE_AUTH_NKINDS; kind++) {
        if (ngx_scale_auth_names[kind].source == source) {
            break;
        }
    }

    return kind;
}


ngx_scale_source_e
ngx_scale_auth_source(ngx_uint_t kind)
{
    return ngx_scale_auth_names[kind].source;
}
