
/* a parameter's type and bounds in JSON Schema (2020-12) */

#include "ngx_scale_openapi.h"


typedef struct {
    ngx_str_t    type;                       /* empty: any */
    ngx_str_t    format;
    unsigned     number:1;                   /* its text is a JSON number */
} ngx_scale_openapi_type_t;


static void ngx_scale_openapi_type(ngx_scale_json_doc_t *doc, ngx_str_t *type,
    ngx_uint_t nullable);
static void ngx_scale_openapi_value(ngx_scale_json_doc_t *doc,
    ngx_scale_param_t *param, ngx_uint_t nullable);
static void ngx_scale_openapi_length(ngx_scale_json_doc_t *doc,
    ngx_scale_param_t *param);
static void ngx_scale_openapi_count(ngx_scale_json_doc_t *doc,
    ngx_str_t *name, ngx_uint_t n);
static void ngx_scale_openapi_choices(ngx_scale_json_doc_t *doc,
    ngx_scale_param_t *param, ngx_uint_t nullable);
static void ngx_scale_openapi_literal(ngx_scale_json_doc_t *doc,
    ngx_str_t *name, ngx_uint_t type, ngx_str_t *text);
static ngx_uint_t ngx_scale_openapi_is_ecma(ngx_str_t *pattern);


static ngx_scale_openapi_type_t  ngx_scale_openapi_types[] = {

    [NGX_SCALE_BOOL] = {
        ngx_string("boolean"), ngx_null_string, 0 },

    [NGX_SCALE_INT] = {
        ngx_string("integer"), ngx_string("int32"), 1 },

    [NGX_SCALE_BIGINT] = {
        ngx_string("integer"), ngx_string("int64"), 1 },

    [NGX_SCALE_NUMERIC] = {
        ngx_string("number"), ngx_null_string, 1 },

    [NGX_SCALE_FLOAT8] = {
        ngx_string("number"), ngx_string("double"), 1 },

    [NGX_SCALE_TEXT] = {
        ngx_string("string"), ngx_null_string, 0 },

    [NGX_SCALE_UUID] = {
        ngx_string("string"), ngx_string("uuid"), 0 },

    [NGX_SCALE_DATE] = {
        ngx_string("string"), ngx_string("date"), 0 },

    [NGX_SCALE_TIMESTAMPTZ] = {
        ngx_string("string"), ngx_string("date-time"), 0 },

    [NGX_SCALE_JSON] = {
        ngx_null_string, ngx_null_string, 0 },

    [NGX_SCALE_JSONB] = {
        ngx_null_string, ngx_null_string, 0 },

    [NGX_SCALE_BYTEA] = {
        ngx_string("string"), ngx_null_string, 0 }
};


void
ngx_scale_openapi_schema(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_scale_param_t *param, ngx_uint_t nullable)
{
    ngx_scale_json_doc_object(doc, name);

    if (param->type & NGX_SCALE_ARRAY) {
        ngx_scale_openapi_type(doc, ngx_scale_json_text("array"), nullable);
        ngx_scale_openapi_count(doc, ngx_scale_json_text("maxItems"),
                                param->count_max);

        ngx_scale_json_doc_object(doc, ngx_scale_json_text("items"));
        ngx_scale_openapi_value(doc, param, 0);
        ngx_scale_json_doc_close(doc);

    } else {
        ngx_scale_openapi_value(doc, param, nullable);

        if (param->has_default) {
            ngx_scale_openapi_literal(doc, ngx_scale_json_text("default"),
                                      param->type, &param->def.canon);
        }
    }

    ngx_scale_json_doc_close(doc);
}


static void
ngx_scale_openapi_type(ngx_scale_json_doc_t *doc, ngx_str_t *type,
    ngx_uint_t nullable)
{
    if (!nullable) {
        ngx_scale_json_doc_string(doc, ngx_scale_json_text("type"), type);
        return;
    }

    ngx_scale_json_doc_array(doc, ngx_scale_json_text("type"));
    ngx_scale_json_doc_string(doc, NULL, type);
    ngx_scale_json_doc_string(doc, NULL, ngx_scale_json_text("null"));
    ngx_scale_json_doc_close(doc);
}


/* of an array: an element */

static void
ngx_scale_openapi_value(ngx_scale_json_doc_t *doc, ngx_scale_param_t *param,
    ngx_uint_t nullable)
{
    ngx_uint_t                 number;
    ngx_scale_openapi_type_t  *type;

    type = &ngx_scale_openapi_types[param->type & ~NGX_SCALE_ARRAY];
    number = type->number;

    if (type->type.len) {
        ngx_scale_openapi_type(doc, &type->type, nullable);
    }

    if (type->format.len) {
        ngx_scale_json_doc_string(doc, ngx_scale_json_text("format"),
                                  &type->format);
    }

    if (number && param->min.len) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("minimum"),
                                    &param->min);
    }

    if (number && param->max.len) {
        ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("maximum"),
                                    &param->max);
    }

    ngx_scale_openapi_length(doc, param);

    if (param->pattern.len && ngx_scale_openapi_is_ecma(&param->pattern)) {
        ngx_scale_json_doc_string(doc, ngx_scale_json_text("pattern"),
                                  &param->pattern);
    }

    if (param->choices) {
        ngx_scale_openapi_choices(doc, param, nullable);
    }
}


/* a base64 has other characters than the bytes that are counted */

static void
ngx_scale_openapi_length(ngx_scale_json_doc_t *doc, ngx_scale_param_t *param)
{
    switch (param->type & ~NGX_SCALE_ARRAY) {

    case NGX_SCALE_BYTEA:
        ngx_scale_json_doc_string(doc, ngx_scale_json_text("contentEncoding"),
                                  ngx_scale_json_text("base64"));
        break;

    case NGX_SCALE_TEXT:
        if (param->len_min) {
            ngx_scale_openapi_count(doc, ngx_scale_json_text("minLength"),
                                    param->len_min);
        }

        ngx_scale_openapi_count(doc, ngx_scale_json_text("maxLength"),
                                param->len_max);
        break;
    }
}


static void
ngx_scale_openapi_count(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_uint_t n)
{
    u_char     buf[NGX_INT_T_LEN];
    ngx_str_t  text;

    if (n == NGX_SCALE_NO_LIMIT) {
        return;
    }

    text.data = buf;
    text.len = ngx_sprintf(buf, "%ui", n) - buf;

    ngx_scale_json_doc_verbatim(doc, name, &text);
}


static void
ngx_scale_openapi_choices(ngx_scale_json_doc_t *doc, ngx_scale_param_t *param,
    ngx_uint_t nullable)
{
    ngx_str_t   *choice;
    ngx_uint_t   i;

    choice = param->choices->elts;

    ngx_scale_json_doc_array(doc, ngx_scale_json_text("enum"));

    for (i = 0; i < param->choices->nelts; i++) {
        ngx_scale_openapi_literal(doc, NULL, param->type, &choice[i]);
    }

    if (nullable) {
        ngx_scale_json_doc_verbatim(doc, NULL, ngx_scale_json_text("null"));
    }

    ngx_scale_json_doc_close(doc);
}


static void
ngx_scale_openapi_literal(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_uint_t type, ngx_str_t *text)
{
    type &= ~NGX_SCALE_ARRAY;

    if (type == NGX_SCALE_BOOL) {
        ngx_scale_json_doc_verbatim(doc, name, text->data[0] == 't'
                                               ? ngx_scale_json_text("true")
                                               : ngx_scale_json_text("false"));

    } else if (type == NGX_SCALE_JSON || type == NGX_SCALE_JSONB
               || (ngx_scale_openapi_types[type].number
                   && (isdigit(text->data[0]) || text->data[0] == '-')))
    {
        ngx_scale_json_doc_verbatim(doc, name, text);

    } else {
        ngx_scale_json_doc_string(doc, name, text);
    }
}


/* what PCRE and ECMA-262, 22.2 read alike */

static ngx_uint_t
ngx_scale_openapi_is_ecma(ngx_str_t *pattern)
{
    u_char  *p, *last;

    last = pattern->data + pattern->len;

    for (p = pattern->data; p < last; p++) {

        if (*p == '(' && last - p > 2 && p[1] == '?' && p[2] != ':') {
            return 0;
        }

        if (*p == '\\' && ++p < last && isalnum(*p)
            && ngx_strchr("bdDsSwW", *p) == NULL)
        {
            return 0;
        }

        if ((*p == '+' && p + 1 < last && p[1] == '+')
            || (*p == '[' && p + 1 < last && p[1] == '['))
        {
            return 0;
        }
    }

    return 1;
}
