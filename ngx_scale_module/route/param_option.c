#include "route/param_option.h"


typedef struct {
    ngx_str_t            name;             /* with "=" where a value follows */
    ngx_int_t          (*set)(ngx_scale_param_ctx_t *ctx, ngx_str_t *value);
} ngx_scale_param_option_t;


static ngx_int_t ngx_scale_param_required(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);
static ngx_int_t ngx_scale_param_default(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);
static ngx_int_t ngx_scale_param_min(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);
static ngx_int_t ngx_scale_param_max(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);
static ngx_int_t ngx_scale_param_bound(ngx_scale_param_ctx_t *ctx,
    const char *option, ngx_str_t *value, ngx_str_t *bound);
static ngx_int_t ngx_scale_param_canon(ngx_scale_param_ctx_t *ctx,
    const char *option, ngx_str_t *value, ngx_str_t *canon);
static ngx_int_t ngx_scale_param_len(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);
static ngx_int_t ngx_scale_param_pattern(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);
static ngx_int_t ngx_scale_param_in(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *value);


static ngx_scale_param_option_t  ngx_scale_param_options[] = {
    { ngx_string("required"), ngx_scale_param_required },
    { ngx_string("default="), ngx_scale_param_default },
    { ngx_string("min="), ngx_scale_param_min },
    { ngx_string("max="), ngx_scale_param_max },
    { ngx_string("len="), ngx_scale_param_len },
    { ngx_string("pattern="), ngx_scale_param_pattern },
    { ngx_string("in="), ngx_scale_param_in },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_scale_param_option(ngx_scale_param_ctx_t *ctx, ngx_str_t *word)
{
    ngx_str_t                  value;
    ngx_uint_t                 i;
    ngx_scale_param_option_t  *option;

    for (i = 0; ngx_scale_param_options[i].name.len; i++) {
        option = &ngx_scale_param_options[i];

        if (word->len < option->name.len
            || ngx_memcmp(word->data, option->name.data, option->name.len)
               != 0)
        {
            continue;
        }

        if (ctx->given & ((ngx_uint_t) 1 << i)) {
            return ngx_scale_param_fail(ctx, "\"%V\" is given twice; leave "
                                        "one", &option->name);
        }

        ctx->given |= (ngx_uint_t) 1 << i;

        value.data = word->data + option->name.len;
        value.len = word->len - option->name.len;

        return option->set(ctx, &value);
    }

    return ngx_scale_param_fail(ctx, "\"%V\" is not an option of a parameter; "
                                "use required, default=, min=, max=, len=, "
                                "pattern= or in=", word);
}


static ngx_int_t
ngx_scale_param_required(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    if (value->len) {
        return ngx_scale_param_fail(ctx, "\"required\" takes no value, remove "
                                    "\"%V\"", value);
    }

    ctx->param->required = 1;

    return NGX_OK;
}


/* read when all that it is checked against is known */

static ngx_int_t
ngx_scale_param_default(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    ctx->param->has_default = 1;
    ctx->def = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_param_min(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->param->type & NGX_SCALE_ARRAY) {
        return ngx_scale_param_fail(ctx, "an array has no \"min=\"; its "
                                    "elements are counted by \"max=\"");
    }

    return ngx_scale_param_bound(ctx, "min=", value, &ctx->param->min);
}


static ngx_int_t
ngx_scale_param_max(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    ngx_int_t  n;

    if (!(ctx->param->type & NGX_SCALE_ARRAY)) {
        return ngx_scale_param_bound(ctx, "max=", value, &ctx->param->max);
    }

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR) {
        return ngx_scale_param_fail(ctx, "\"max=%V\" is not a number; of an "
                                    "array it is the number of elements",
                                    value);
    }

    ctx->param->count_max = n;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_param_bound(ngx_scale_param_ctx_t *ctx, const char *option,
    ngx_str_t *value, ngx_str_t *bound)
{
    if (ctx->type->compare == NULL) {
        return ngx_scale_param_fail(ctx, "\"%s\" means nothing for %V; %s",
                                    option, &ctx->type->name,
                                    ctx->type->length
                                    ? "use \"len=\"" : "remove it");
    }

    return ngx_scale_param_canon(ctx, option, value, bound);
}


static ngx_int_t
ngx_scale_param_canon(ngx_scale_param_ctx_t *ctx, const char *option,
    ngx_str_t *value, ngx_str_t *canon)
{
    ngx_int_t           rc;
    const char         *reason;
    ngx_scale_raw_t     raw;
    ngx_scale_value_t   typed;

    ngx_memzero(&raw, sizeof(ngx_scale_raw_t));

    raw.kind = NGX_SCALE_RAW_TEXT;
    raw.text = *value;

    rc = ctx->type->codec(ctx->pool, &raw, &typed, &reason);

    if (rc == NGX_DECLINED) {
        return ngx_scale_param_fail(ctx, "\"%s%V\" %s", option, value, reason);
    }

    *canon = typed.canon;

    return rc;
}


static ngx_int_t
ngx_scale_param_len(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    u_char     *end, *dash;
    ssize_t     min, max;
    ngx_str_t   s;

    if (ctx->type->length == NULL) {
        return ngx_scale_param_fail(ctx, "\"len=\" means nothing for %V; %s",
                                    &ctx->type->name,
                                    ctx->type->compare
                                    && !(ctx->param->type & NGX_SCALE_ARRAY)
                                    ? "use \"min=\" and \"max=\""
                                    : "remove it");
    }

    min = 0;
    s = *value;
    end = s.data + s.len;
    dash = ngx_strlchr(s.data, end, '-');

    if (dash) {
        s.len = dash - s.data;
        min = ngx_parse_size(&s);

        s.data = dash + 1;
        s.len = end - s.data;
    }

    max = ngx_parse_size(&s);

    if (min == NGX_ERROR || max == NGX_ERROR || min > max) {
        return ngx_scale_param_fail(ctx, "\"len=%V\" is not a length; write "
                                    "the most, len=10, or the least and the "
                                    "most, len=1-64k", value);
    }

    ctx->param->len_min = min;
    ctx->param->len_max = max;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_param_pattern(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    if (!ctx->type->pattern) {
        return ngx_scale_param_fail(ctx, "\"pattern=\" means nothing for %V; "
                                    "remove it, or declare the parameter as "
                                    "text", &ctx->type->name);
    }

    if (value->len == 0) {
        return ngx_scale_param_fail(ctx, "\"pattern=\" is empty; write a "
                                    "regular expression or remove it");
    }

    ctx->param->pattern = *value;

    return NGX_OK;
}


/* in=a|b|c */

static ngx_int_t
ngx_scale_param_in(ngx_scale_param_ctx_t *ctx, ngx_str_t *value)
{
    u_char     *p, *last, *end;
    ngx_int_t   rc;
    ngx_str_t   word, *choice;

    if (!ctx->type->pattern) {
        return ngx_scale_param_fail(ctx, "\"in=\" means nothing for %V; "
                                    "remove it, or declare the parameter as "
                                    "text", &ctx->type->name);
    }

    ctx->param->choices = ngx_array_create(ctx->pool, 4, sizeof(ngx_str_t));
    if (ctx->param->choices == NULL) {
        return NGX_ERROR;
    }

    last = value->data + value->len;

    for (p = value->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, '|');
        end = end ? end : last;

        word.data = p;
        word.len = end - p;

        if (word.len == 0) {
            return ngx_scale_param_fail(ctx, "\"in=%V\" has an empty value; "
                                        "write such as in=name|price", value);
        }

        choice = ngx_array_push(ctx->param->choices);
        if (choice == NULL) {
            return NGX_ERROR;
        }

        rc = ngx_scale_param_canon(ctx, "in=", &word, choice);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}
