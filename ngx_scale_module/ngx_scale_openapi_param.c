
/* parameters of the path, the query, and request fields */

#include "ngx_scale_openapi.h"
#include "ngx_scale_source.h"


typedef struct {
    ngx_str_t    variable;                   /* begins so */
    ngx_str_t    place;
} ngx_scale_openapi_place_t;


static void ngx_scale_openapi_field(ngx_scale_openapi_t *api, ngx_str_t *name,
    ngx_uint_t demand);
static ngx_scale_declared_t *ngx_scale_openapi_captured(
    ngx_scale_loc_conf_t *loc, ngx_str_t *capture);
static ngx_int_t ngx_scale_openapi_place(ngx_scale_openapi_t *api,
    ngx_scale_param_t *param, ngx_str_t *name, ngx_str_t *place);
static ngx_int_t ngx_scale_openapi_single(ngx_str_t *expression,
    ngx_str_t *variable);
static void ngx_scale_openapi_param(ngx_scale_openapi_t *api, ngx_str_t *name,
    ngx_str_t *place, ngx_scale_param_t *param, ngx_uint_t required);


static ngx_scale_openapi_place_t  ngx_scale_openapi_places[] = {
    { ngx_string("arg_"), ngx_string("query") },
    { ngx_string("http_"), ngx_string("header") },
    { ngx_string("cookie_"), ngx_string("cookie") },
    { ngx_null_string, ngx_null_string }
};


/* each "{name}" of the template */

void
ngx_scale_openapi_path_params(ngx_scale_openapi_t *api)
{
    u_char                *p, *last;
    ngx_str_t              name;
    ngx_scale_param_t      text;
    ngx_scale_declared_t  *declared;

    ngx_scale_param_of_type(&text, NGX_SCALE_TEXT);

    p = api->path.data;
    last = p + api->path.len;

    ngx_scale_json_doc_array(api->doc, ngx_scale_json_text("parameters"));

    while ((p = ngx_strlchr(p, last, '{')) != NULL) {
        name.data = ++p;
        p = ngx_strlchr(p, last, '}');
        name.len = p - name.data;

        declared = ngx_scale_openapi_captured(api->loc, &name);

        ngx_scale_openapi_param(api, &name, ngx_scale_json_text("path"),
                                declared ? &declared->param : &text, 1);
    }

    ngx_scale_json_doc_close(api->doc);
}


static ngx_scale_declared_t *
ngx_scale_openapi_captured(ngx_scale_loc_conf_t *loc, ngx_str_t *capture)
{
    ngx_str_t              variable;
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    declared = loc->params ? loc->params->elts : NULL;

    for (i = 0; loc->params && i < loc->params->nelts; i++) {
        if (declared[i].used
            && declared[i].param.source == NGX_SCALE_SOURCE_EXPR
            && ngx_scale_openapi_single(&declared[i].param.argument, &variable)
               == NGX_OK
            && variable.len == capture->len
            && ngx_strncasecmp(variable.data, capture->data, variable.len)
               == 0)
        {
            return &declared[i];
        }
    }

    return NULL;
}


/* the expression is one variable and nothing else */

static ngx_int_t
ngx_scale_openapi_single(ngx_str_t *expression, ngx_str_t *variable)
{
    size_t     brackets;
    ngx_str_t  rest;

    rest = *expression;

    if (ngx_scale_source_next(&rest, variable) != NGX_OK) {
        return NGX_DECLINED;
    }

    brackets = expression->len > 1 && expression->data[1] == '{' ? 2 : 0;

    return variable->len + 1 + brackets == expression->len ? NGX_OK
                                                           : NGX_DECLINED;
}


void
ngx_scale_openapi_params(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_str_t              name, place;
    ngx_uint_t             i;
    ngx_scale_param_t     *param;
    ngx_scale_declared_t  *declared;

    ngx_scale_json_doc_array(api->doc, ngx_scale_json_text("parameters"));

    for (i = 0; i < m->nparams; i++) {
        declared = api->loc->params->elts;
        param = &declared[m->params[i]].param;

        if (ngx_scale_openapi_place(api, param, &name, &place) == NGX_OK) {
            ngx_scale_openapi_param(api, &name, &place, param,
                                    param->required);
        }
    }

    if (m->current) {
        ngx_scale_openapi_field(api, ngx_scale_json_text("If-Match"),
                                api->loc->if_match);
    }

    if (m->keyed) {
        ngx_scale_openapi_field(api, ngx_scale_json_text("Idempotency-Key"),
                                api->loc->idempotency);
    }

    ngx_scale_json_doc_close(api->doc);
}


/* one of HTTP's, that no parameter declares */

static void
ngx_scale_openapi_field(ngx_scale_openapi_t *api, ngx_str_t *name,
    ngx_uint_t demand)
{
    ngx_scale_param_t  text;

    ngx_scale_param_of_type(&text, NGX_SCALE_TEXT);

    ngx_scale_openapi_param(api, name, ngx_scale_json_text("header"), &text,
                            demand == NGX_SCALE_REQUIRED);
}


/* NGX_DECLINED: it is of the path, of the body, or not the client's to say */

static ngx_int_t
ngx_scale_openapi_place(ngx_scale_openapi_t *api, ngx_scale_param_t *param,
    ngx_str_t *name, ngx_str_t *place)
{
    ngx_str_t                   variable;
    ngx_scale_openapi_place_t  *known;

    *name = param->argument;

    switch (param->source) {

    case NGX_SCALE_SOURCE_ARG:
        ngx_str_set(place, "query");
        return NGX_OK;

    case NGX_SCALE_SOURCE_CURSOR:

        /* one argument is the values of all columns */

        ngx_str_set(place, "query");
        return param->count_max == 0 ? NGX_OK : NGX_DECLINED;

    case NGX_SCALE_SOURCE_HEADER:
        ngx_str_set(place, "header");
        return ngx_scale_source_is_open(name) ? NGX_OK : NGX_DECLINED;

    case NGX_SCALE_SOURCE_EXPR:
        break;

    default:
        return NGX_DECLINED;
    }

    if (ngx_scale_openapi_single(&param->argument, &variable) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (known = ngx_scale_openapi_places; known->variable.len; known++) {

        if (variable.len <= known->variable.len
            || ngx_strncasecmp(variable.data, known->variable.data,
                               known->variable.len)
               != 0)
        {
            continue;
        }

        *place = known->place;
        name->data = variable.data + known->variable.len;
        name->len = variable.len - known->variable.len;

        if (known->place.data[0] != 'h') {
            return NGX_OK;
        }

        return ngx_scale_source_field(api->cf->pool, &variable, name) == NGX_OK
               && ngx_scale_source_is_open(name) ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


/* elements have commas between; a text that has to be JSON is "content" */

static void
ngx_scale_openapi_param(ngx_scale_openapi_t *api, ngx_str_t *name,
    ngx_str_t *place, ngx_scale_param_t *param, ngx_uint_t required)
{
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;

    ngx_scale_json_doc_object(doc, NULL);

    ngx_scale_json_doc_string(doc, ngx_scale_json_text("name"), name);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("in"), place);

    if (required) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("required"),
                                    ngx_scale_json_text("true"));
    }

    if ((param->type & NGX_SCALE_ARRAY)
        && (place->data[0] == 'q' || place->data[0] == 'c'))
    {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("explode"),
                                    ngx_scale_json_text("false"));
    }

    if (param->type == NGX_SCALE_JSON || param->type == NGX_SCALE_JSONB) {
        ngx_scale_json_doc_object(doc, ngx_scale_json_text("content"));
        ngx_scale_json_doc_object(doc,
                                  ngx_scale_json_text("application/json"));
        ngx_scale_openapi_schema(doc, ngx_scale_json_text("schema"), param, 0);
        ngx_scale_json_doc_close(doc);
        ngx_scale_json_doc_close(doc);

    } else {
        ngx_scale_openapi_schema(doc, ngx_scale_json_text("schema"), param, 0);
    }

    ngx_scale_json_doc_close(doc);
}
