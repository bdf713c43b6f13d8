
/* scale_presign: its store, what it is made of, and who may upload what */

#include "ngx_scale_plan.h"
#include "ngx_scale_object.h"


static char *ngx_scale_presign_plan(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc,
    ngx_scale_presign_t *presign);
static ngx_uint_t ngx_scale_presign_is_made(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_presign_t *presign, ngx_str_t *name);
static char *ngx_scale_presign_bind(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_declared_t *declared);
static char *ngx_scale_presign_param(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_presign_t *presign,
    ngx_scale_presign_param_t *param);
static char *ngx_scale_presign_method(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m);
static char *ngx_scale_presign_use(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_presign_t *presign, ngx_uint_t known);
static ngx_uint_t ngx_scale_presign_says_who(ngx_scale_loc_conf_t *loc,
    ngx_scale_presign_t *presign);


/* before the methods are planned */

char *
ngx_scale_plan_presigns(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char                  *rv;
    ngx_uint_t             i;
    ngx_scale_presign_t   *presign;
    ngx_scale_declared_t  *declared;

    presign = loc->presigns ? loc->presigns->elts : NULL;

    for (i = 0; loc->presigns && i < loc->presigns->nelts; i++) {
        rv = ngx_scale_presign_plan(cf, main, loc, &presign[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    declared = loc->params ? loc->params->elts : NULL;

    for (i = 0; loc->params && i < loc->params->nelts; i++) {

        if (declared[i].param.source != NGX_SCALE_SOURCE_PRESIGN) {
            continue;
        }

        rv = ngx_scale_presign_bind(cf, loc, &declared[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_presign_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_scale_presign_t *presign)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    presign->store = ngx_scale_object_find(main, &presign->store_name);

    if (presign->store == NULL) {
        ngx_scale_conf_error(cf, &presign->place,
                             "there is no object store \"%V\"; declare it by "
                             "scale_object_store in http{}",
                             &presign->store_name);
        return NGX_CONF_ERROR;
    }

    part = presign->key.parts.elts;

    for (i = 0; i < presign->key.parts.nelts; i++) {

        if (part[i].row) {
            ngx_scale_conf_error(cf, &presign->place,
                                 "key \"%V\" is made before there is a row; "
                                 "name parameters only", &presign->key.text);
            return NGX_CONF_ERROR;
        }

        if (ngx_scale_presign_is_made(cf, loc, presign, &part[i].name)) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_scale_presign_is_made(cf, loc, presign, &presign->type.name)
           || ngx_scale_presign_is_made(cf, loc, presign,
                                        &presign->length.name)
           ? NGX_CONF_ERROR : NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_presign_is_made(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_presign_t *presign, ngx_str_t *name)
{
    ngx_scale_declared_t  *declared;

    declared = name->len ? ngx_scale_conf_find_param(loc, name) : NULL;

    if (declared == NULL
        || declared->param.source != NGX_SCALE_SOURCE_PRESIGN)
    {
        return 0;
    }

    ngx_scale_conf_error(cf, &presign->place,
                         "a presigned URL cannot be made of \":%V\", which "
                         "is one", name);

    return 1;
}


/* presign.name, or presign.name.key */

static char *
ngx_scale_presign_bind(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_declared_t *declared)
{
    ngx_str_t             name;
    ngx_uint_t            i, type;
    ngx_scale_presign_t  *presign;

    name = declared->param.argument;

    if (name.len > 4
        && ngx_strncmp(name.data + name.len - 4, ".key", 4) == 0)
    {
        name.len -= 4;
        declared->object_key = 1;
    }

    presign = loc->presigns ? loc->presigns->elts : NULL;

    for (i = 0; loc->presigns && i < loc->presigns->nelts; i++) {
        if (ngx_scale_same(&presign[i].name, &name)) {
            declared->presign = &presign[i];
        }
    }

    if (declared->presign == NULL) {

        if (declared->inherited) {
            return NGX_CONF_OK;
        }

        ngx_scale_conf_error(cf, &declared->place,
                             "there is no scale_presign \"%V\" in this "
                             "location", &name);
        return NGX_CONF_ERROR;
    }

    type = declared->param.type;

    if (declared->presign->method == NGX_HTTP_POST && !declared->object_key
        ? type == NGX_SCALE_JSON || type == NGX_SCALE_JSONB
        : type == NGX_SCALE_TEXT)
    {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &declared->place,
                         "\"%V\" must be %s", &declared->param.name,
                         declared->presign->method == NGX_HTTP_POST
                         && !declared->object_key
                         ? "jsonb, as it has the fields of a form" : "text");

    return NGX_CONF_ERROR;
}


char *
ngx_scale_plan_presigned(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    char                *rv;
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        rv = ngx_scale_presign_method(cf, loc, &m[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_presign_method(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    char                  *rv;
    ngx_uint_t             i, known;
    ngx_scale_declared_t  *declared;

    known = m->asks != 0;

    for (i = 0; i < m->nparams; i++) {
        declared = (ngx_scale_declared_t *) loc->params->elts + m->params[i];
        known |= declared->identity;
    }

    for (i = 0; i < m->nparams; i++) {
        declared = (ngx_scale_declared_t *) loc->params->elts + m->params[i];

        if (declared->presign == NULL) {
            continue;
        }

        rv = ngx_scale_presign_use(cf, loc, m, declared->presign, known);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_presign_use(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_presign_t *presign, ngx_uint_t known)
{
    char  *rv;

    if (m->cached) {
        ngx_scale_conf_error(cf, &presign->place,
                             "route \"%V\" is cached, and a presigned URL "
                             "expires; give it a location without "
                             "scale_cache_valid", &loc->http.route);
        return NGX_CONF_ERROR;
    }

    if (known && presign->method != NGX_HTTP_GET
        && !ngx_scale_presign_says_who(loc, presign))
    {
        ngx_scale_conf_error(cf, &presign->place,
                             "key \"%V\" has no part that says who uploads, "
                             "which route \"%V\" knows; add the parameter "
                             "that does", &presign->key.text,
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_presign_param(cf, loc, presign, &presign->type);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_scale_presign_param(cf, loc, presign, &presign->length);
}


static char *
ngx_scale_presign_param(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_presign_t *presign, ngx_scale_presign_param_t *param)
{
    ngx_uint_t             length;
    ngx_scale_declared_t  *declared;

    if (param->name.len == 0) {
        return NGX_CONF_OK;
    }

    declared = ngx_scale_conf_find_param(loc, &param->name);
    param->index = declared - (ngx_scale_declared_t *) loc->params->elts;

    length = param == &presign->length;

    if (length ? declared->param.type == NGX_SCALE_INT
                 || declared->param.type == NGX_SCALE_BIGINT
               : declared->param.type == NGX_SCALE_TEXT)
    {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &presign->place, "\":%V\" must be %s",
                         &param->name, length ? "int or bigint" : "text");

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_scale_presign_says_who(ngx_scale_loc_conf_t *loc,
    ngx_scale_presign_t *presign)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    part = presign->key.parts.elts;

    for (i = 0; i < presign->key.parts.nelts; i++) {

        if (part[i].name.len == 0) {
            continue;
        }

        declared = ngx_scale_conf_find_param(loc, &part[i].name);

        if (declared->identity) {
            return 1;
        }
    }

    return 0;
}
