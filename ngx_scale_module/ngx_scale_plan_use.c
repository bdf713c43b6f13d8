
/* which parameters a method needs, and whether they are declared */

#include "ngx_scale_plan.h"
#include "ngx_scale_object.h"


static ngx_uint_t ngx_scale_plan_is_row(ngx_str_t *name);
static char *ngx_scale_plan_use_made(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m,
    ngx_scale_declared_t *declared);
static char *ngx_scale_plan_use_part(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_str_t *name,
    ngx_scale_place_in_conf_t *place);


ngx_scale_declared_t *
ngx_scale_plan_declare(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *name, ngx_uint_t type, ngx_scale_place_in_conf_t *place)
{
    ngx_scale_declared_t  *declared;

    if (loc->params == NULL) {
        loc->params = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_scale_declared_t));
        if (loc->params == NULL) {
            return NULL;
        }
    }

    declared = ngx_array_push(loc->params);
    if (declared == NULL) {
        return NULL;
    }

    ngx_memzero(declared, sizeof(ngx_scale_declared_t));
    ngx_scale_param_of_type(&declared->param, type);

    declared->param.name = *name;
    declared->place = *place;
    declared->inherited = 1;

    return declared;
}


ngx_scale_declared_t *
ngx_scale_plan_param(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *name, ngx_scale_place_in_conf_t *place)
{
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_conf_find_param(loc, name);

    if (declared == NULL && ngx_scale_plan_is_row(name)) {
        ngx_scale_conf_error(cf, place,
                             "\":row\" names no column; write such as "
                             "\":row.id\"");
        return NULL;
    }

    if (declared == NULL) {
        ngx_scale_conf_error(cf, place,
                             "parameter \":%V\" is not declared; add "
                             "\"scale_param %V <source> <type>;\"",
                             name, name);
        return NULL;
    }

    declared->used = 1;

    return declared;
}


static ngx_uint_t
ngx_scale_plan_is_row(ngx_str_t *name)
{
    return name->len == 3 && ngx_strncmp(name->data, "row", 3) == 0;
}


/* the method needs a parameter's value */

char *
ngx_scale_plan_use(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_str_t *name, ngx_scale_place_in_conf_t *place)
{
    char                  *rv;
    ngx_uint_t             i, index;
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_plan_param(cf, loc, name, place);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    index = declared - (ngx_scale_declared_t *) loc->params->elts;

    for (i = 0; i < m->nparams; i++) {
        if (m->params[i] == index) {
            return NGX_CONF_OK;
        }
    }

    if (declared->param.source == NGX_SCALE_SOURCE_PRESIGN) {
        rv = ngx_scale_plan_use_made(cf, loc, m, declared);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    m->params[m->nparams++] = index;

    m->json |= declared->param.source == NGX_SCALE_SOURCE_JSON;
    m->secret |= declared->hashed;
    m->body |= declared->param.source == NGX_SCALE_SOURCE_JSON
               || declared->param.source == NGX_SCALE_SOURCE_BODY;

    return NGX_CONF_OK;
}


/* what a URL is made of is evaluated before it */

static char *
ngx_scale_plan_use_made(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_scale_declared_t *declared)
{
    char                 *rv;
    ngx_scale_presign_t  *presign;

    presign = declared->presign;

    if (presign == NULL) {
        ngx_scale_conf_error(cf, &declared->place,
                             "there is no scale_presign for \"presign.%V\" in "
                             "route \"%V\"", &declared->param.argument,
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_plan_use_parts(cf, loc, m, &presign->key.parts,
                                  &presign->place);

    if (rv == NGX_CONF_OK && presign->type.name.len) {
        rv = ngx_scale_plan_use(cf, loc, m, &presign->type.name,
                                &presign->place);
    }

    if (rv == NGX_CONF_OK && presign->length.name.len) {
        rv = ngx_scale_plan_use(cf, loc, m, &presign->length.name,
                                &presign->place);
    }

    return rv;
}


char *
ngx_scale_plan_use_parts(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_array_t *parts,
    ngx_scale_place_in_conf_t *place)
{
    char                  *rv;
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {

        if (part[i].name.len == 0 || part[i].row) {
            continue;
        }

        rv = ngx_scale_plan_use_part(cf, loc, m, &part[i].name, place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_plan_use_part(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_str_t *name, ngx_scale_place_in_conf_t *place)
{
    char                  *rv;
    ngx_uint_t             type;
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_conf_find_param(loc, name);

    /* a write's keys may be of what it returns */

    if (declared == NULL && m->write && !ngx_scale_plan_is_row(name)) {
        ngx_scale_conf_error(cf, place,
                             "parameter \":%V\" is not declared; add "
                             "\"scale_param %V <source> <type>;\", or write "
                             "\":row.%V\" where a statement returns it",
                             name, name, name);
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_plan_use(cf, loc, m, name, place);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    type = declared->param.type;

    if (type == NGX_SCALE_JSON || type == NGX_SCALE_JSONB) {
        ngx_scale_conf_error(cf, place,
                             "parameter \":%V\" is JSON and cannot be part of "
                             "a key or tag: equal values have many spellings; "
                             "declare the members it needs", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_plan_use_keys(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_array_t *keys)
{
    char             *rv;
    ngx_uint_t        i;
    ngx_scale_key_t  *key;

    if (keys == NULL) {
        return NGX_CONF_OK;
    }

    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        rv = ngx_scale_plan_use_parts(cf, loc, m, &key[i].parts,
                                      &key[i].place);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* its number among the parts, from 1; 0: it is none of them */

ngx_uint_t
ngx_scale_plan_holds(ngx_array_t *parts, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {
        if (!part[i].row && ngx_scale_same(&part[i].name, name)) {
            return i + 1;
        }
    }

    return 0;
}
