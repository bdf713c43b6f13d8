
/*
 * The words of scale_param: name source type [option ...].
 */

#include "route/limits.h"
#include "route/name.h"
#include "route/param_option.h"


static ngx_int_t ngx_scale_param_name(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *word);
static ngx_int_t ngx_scale_param_source(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *word);
static ngx_int_t ngx_scale_param_source_known(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *word);
static ngx_int_t ngx_scale_param_path(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *word);
static ngx_int_t ngx_scale_param_type(ngx_scale_param_ctx_t *ctx,
    ngx_str_t *word);
static ngx_int_t ngx_scale_param_check(ngx_scale_param_ctx_t *ctx);
static ngx_int_t ngx_scale_param_check_default(ngx_scale_param_ctx_t *ctx);


static struct {
    ngx_str_t            prefix;
    ngx_scale_source_e   source;
    ngx_uint_t           path;
} ngx_scale_param_sources[] = {
    { ngx_string("arg."), NGX_SCALE_SOURCE_ARG, 0 },
    { ngx_string("header."), NGX_SCALE_SOURCE_HEADER, 0 },
    { ngx_string("json."), NGX_SCALE_SOURCE_JSON, 1 },
    { ngx_string("session."), NGX_SCALE_SOURCE_SESSION, 1 },
    { ngx_string("jwt."), NGX_SCALE_SOURCE_JWT, 1 },
    { ngx_string("key."), NGX_SCALE_SOURCE_KEY, 1 },
    { ngx_string("presign."), NGX_SCALE_SOURCE_PRESIGN, 0 },
    { ngx_null_string, NGX_SCALE_SOURCE_EXPR, 0 }
};


void
ngx_scale_param_of_type(ngx_scale_param_t *param, ngx_uint_t type)
{
    ngx_memzero(param, sizeof(ngx_scale_param_t));

    param->type = type;
    param->len_max = NGX_SCALE_NO_LIMIT;
    param->count_max = NGX_SCALE_NO_LIMIT;
}


ngx_int_t
ngx_scale_param_parse(ngx_pool_t *pool, ngx_str_t *words, ngx_uint_t n,
    ngx_scale_param_t *param, ngx_str_t *error)
{
    ngx_uint_t             i;
    ngx_scale_param_ctx_t  ctx;

    ngx_str_null(error);

    ngx_scale_param_of_type(param, 0);

    ngx_memzero(&ctx, sizeof(ngx_scale_param_ctx_t));

    ctx.pool = pool;
    ctx.param = param;
    ctx.error = error;

    if (n < 3) {
        return ngx_scale_param_fail(&ctx, "a parameter takes a name, a source "
                                    "and a type, such as \"id arg.id int\"");
    }

    if (ngx_array_init(&param->path, pool, 1, sizeof(ngx_str_t)) != NGX_OK
        || ngx_scale_param_name(&ctx, &words[0]) != NGX_OK
        || ngx_scale_param_source(&ctx, &words[1]) != NGX_OK
        || ngx_scale_param_type(&ctx, &words[2]) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 3; i < n; i++) {
        if (ngx_scale_param_option(&ctx, &words[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_scale_param_check(&ctx);
}


ngx_int_t
ngx_scale_param_value(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, const char **reason)
{
    ngx_memzero(value, sizeof(ngx_scale_value_t));

    if (raw->kind == NGX_SCALE_RAW_ABSENT && param->has_default) {
        *value = param->def;
        return NGX_OK;
    }

    if (raw->kind == NGX_SCALE_RAW_ABSENT || raw->kind == NGX_SCALE_RAW_NULL) {
        value->null = 1;

        if (param->required) {
            *reason = "is required";
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (param->type & NGX_SCALE_ARRAY) {
        return ngx_scale_array_value(pool, param, raw, value, reason);
    }

    return ngx_scale_type_value(pool, param, raw, value, reason);
}


/* as statements and keys know a ":name" */

static ngx_int_t
ngx_scale_param_name(ngx_scale_param_ctx_t *ctx, ngx_str_t *word)
{
    size_t  i;

    for (i = 0; i < word->len; i++) {

        if (!ngx_scale_name_next(word->data[i])
            || (i == 0 && !ngx_scale_name_first(word->data[i])))
        {
            break;
        }
    }

    if (word->len == 0 || i < word->len) {
        return ngx_scale_param_fail(ctx, "\"%V\" cannot name a parameter; a "
                                    "name has letters, digits and \"_\", and "
                                    "no digit first", word);
    }

    ctx->param->name = *word;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_param_source(ngx_scale_param_ctx_t *ctx, ngx_str_t *word)
{
    ngx_scale_param_t  *param = ctx->param;

    if (ngx_strlchr(word->data, word->data + word->len, '$')) {
        param->source = NGX_SCALE_SOURCE_EXPR;
        param->argument = *word;
        return NGX_OK;
    }

    if (word->len == 4 && ngx_memcmp(word->data, "body", 4) == 0) {
        param->source = NGX_SCALE_SOURCE_BODY;
        return NGX_OK;
    }

    if (word->len == 4 && ngx_memcmp(word->data, "json", 4) == 0) {
        param->source = NGX_SCALE_SOURCE_JSON;
        return NGX_OK;
    }

    return ngx_scale_param_source_known(ctx, word);
}


static ngx_int_t
ngx_scale_param_source_known(ngx_scale_param_ctx_t *ctx, ngx_str_t *word)
{
    ngx_str_t   *prefix;
    ngx_uint_t   i;

    for (i = 0; ngx_scale_param_sources[i].prefix.len; i++) {
        prefix = &ngx_scale_param_sources[i].prefix;

        if (word->len <= prefix->len
            || ngx_memcmp(word->data, prefix->data, prefix->len) != 0)
        {
            continue;
        }

        ctx->param->source = ngx_scale_param_sources[i].source;
        ctx->param->argument.data = word->data + prefix->len;
        ctx->param->argument.len = word->len - prefix->len;

        return ngx_scale_param_sources[i].path
               ? ngx_scale_param_path(ctx, word) : NGX_OK;
    }

    return ngx_scale_param_fail(ctx, "\"%V\" is not a source; use arg.name, "
                                "header.name, json, json.path, body, "
                                "session.name, jwt.path, key.name, "
                                "presign.name or text with a $variable", word);
}


static ngx_int_t
ngx_scale_param_path(ngx_scale_param_ctx_t *ctx, ngx_str_t *word)
{
    u_char     *p, *end, *dot;
    ngx_str_t  *step;

    p = ctx->param->argument.data;
    end = p + ctx->param->argument.len;

    do {
        dot = ngx_strlchr(p, end, '.');

        step = ngx_array_push(&ctx->param->path);
        if (step == NULL) {
            return NGX_ERROR;
        }

        step->data = p;
        step->len = (dot ? dot : end) - p;

        if (step->len == 0) {
            return ngx_scale_param_fail(ctx, "\"%V\" has an empty step; write "
                                        "one name between two dots", word);
        }

        p += step->len + 1;

    } while (dot);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_param_type(ngx_scale_param_ctx_t *ctx, ngx_str_t *word)
{
    u_char      *p, *last, buf[128];
    ngx_str_t    name, *known;
    ngx_uint_t   i, array;

    name = *word;
    array = name.len > 2
            && ngx_memcmp(name.data + name.len - 2, "[]", 2) == 0;
    name.len -= array ? 2 : 0;

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; i < NGX_SCALE_NTYPES; i++) {
        known = &ngx_scale_types[i].name;

        if (known->len != name.len
            || ngx_memcmp(known->data, name.data, name.len) != 0)
        {
            p = ngx_slprintf(p, last, " %V", known);
            continue;
        }

        if (array && !ngx_scale_types[i].array) {
            return ngx_scale_param_fail(ctx, "there are no arrays of %V; a "
                                        "JSON array is a value of %V itself",
                                        &name, &name);
        }

        ctx->type = &ngx_scale_types[i];
        ctx->param->type = i | (array ? NGX_SCALE_ARRAY : 0);

        return NGX_OK;
    }

    return ngx_scale_param_fail(ctx, "\"%V\" is not a type; use one of%*s, "
                                "or such an array as text[]", word,
                                (size_t) (p - buf), buf);
}


static ngx_int_t
ngx_scale_param_check(ngx_scale_param_ctx_t *ctx)
{
    ngx_scale_param_t  *param = ctx->param;

    if (param->min.len && param->max.len
        && ctx->type->compare(&param->min, &param->max) > 0)
    {
        return ngx_scale_param_fail(ctx, "\"min=%V\" is above \"max=%V\"; "
                                    "exchange them", &param->min, &param->max);
    }

    if (ngx_scale_limits_say(ctx->pool, param) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!param->has_default) {
        return NGX_OK;
    }

    if (param->required) {
        return ngx_scale_param_fail(ctx, "\"required\" and \"default=\" "
                                    "exclude each other; remove one");
    }

    return ngx_scale_param_check_default(ctx);
}


/* but for the pattern, which is not compiled yet */

static ngx_int_t
ngx_scale_param_check_default(ngx_scale_param_ctx_t *ctx)
{
    ngx_int_t         rc;
    const char       *reason;
    ngx_scale_raw_t   raw;

    ngx_memzero(&raw, sizeof(ngx_scale_raw_t));

    raw.kind = NGX_SCALE_RAW_TEXT;
    raw.text = ctx->def;

    rc = ngx_scale_param_value(ctx->pool, ctx->param, &raw, &ctx->param->def,
                               &reason);

    if (rc == NGX_DECLINED) {
        return ngx_scale_param_fail(ctx, "\"default=%V\" %s", &ctx->def,
                                    reason);
    }

    return rc;
}
