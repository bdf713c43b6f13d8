#include "route/limits.h"


static ngx_uint_t ngx_scale_limits_chosen(ngx_array_t *choices,
    ngx_str_t *canon);
static ngx_int_t ngx_scale_limits_say_length(ngx_pool_t *pool,
    ngx_scale_param_t *param);
static ngx_int_t ngx_scale_limits_say_range(ngx_pool_t *pool,
    ngx_scale_param_t *param);
static ngx_int_t ngx_scale_limits_say_choices(ngx_pool_t *pool,
    ngx_scale_param_t *param);
static ngx_int_t ngx_scale_limits_text(ngx_pool_t *pool, const char **reason,
    const char *fmt, ...);


ngx_int_t
ngx_scale_limits_check(ngx_scale_param_t *param, ngx_scale_type_t *type,
    ngx_scale_value_t *value, const char **reason)
{
    size_t  len;

    len = type->length ? type->length(&value->text) : param->len_min;

    if (len < param->len_min || len > param->len_max) {
        *reason = param->reason.length;
        return NGX_DECLINED;
    }

    if ((param->min.len && type->compare(&value->canon, &param->min) < 0)
        || (param->max.len && type->compare(&value->canon, &param->max) > 0))
    {
        *reason = param->reason.range;
        return NGX_DECLINED;
    }

    if (param->choices
        && !ngx_scale_limits_chosen(param->choices, &value->canon))
    {
        *reason = param->reason.choice;
        return NGX_DECLINED;
    }

    if (param->match && param->match(param->regex, &value->text) != NGX_OK) {
        *reason = param->reason.pattern;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_limits_chosen(ngx_array_t *choices, ngx_str_t *canon)
{
    ngx_str_t   *choice;
    ngx_uint_t   i;

    choice = choices->elts;

    for (i = 0; i < choices->nelts; i++) {
        if (ngx_scale_same(&choice[i], canon)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_scale_limits_say(ngx_pool_t *pool, ngx_scale_param_t *param)
{
    if (ngx_scale_limits_say_length(pool, param) != NGX_OK
        || ngx_scale_limits_say_range(pool, param) != NGX_OK
        || ngx_scale_limits_say_choices(pool, param) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (param->pattern.len
        && ngx_scale_limits_text(pool, &param->reason.pattern,
                                 "must match %V", &param->pattern)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_limits_text(pool, &param->reason.count,
                                 "must have at most %ui elements",
                                 param->count_max);
}


static ngx_int_t
ngx_scale_limits_say_length(ngx_pool_t *pool, ngx_scale_param_t *param)
{
    const char  *units;

    units = (param->type & ~NGX_SCALE_ARRAY) == NGX_SCALE_BYTEA
            ? "bytes" : "characters";

    if (param->len_min) {
        return ngx_scale_limits_text(pool, &param->reason.length,
                                     "must have %ui to %ui %s", param->len_min,
                                     param->len_max, units);
    }

    return ngx_scale_limits_text(pool, &param->reason.length,
                                 "must have at most %ui %s", param->len_max,
                                 units);
}


static ngx_int_t
ngx_scale_limits_say_range(ngx_pool_t *pool, ngx_scale_param_t *param)
{
    const char  **reason = &param->reason.range;

    if (param->max.len == 0) {
        return ngx_scale_limits_text(pool, reason, "must be at least %V",
                                     &param->min);
    }

    if (param->min.len == 0) {
        return ngx_scale_limits_text(pool, reason, "must be at most %V",
                                     &param->max);
    }

    return ngx_scale_limits_text(pool, reason, "must be %V to %V",
                                 &param->min, &param->max);
}


static ngx_int_t
ngx_scale_limits_say_choices(ngx_pool_t *pool, ngx_scale_param_t *param)
{
    u_char      *p, *last, buf[NGX_MAX_CONF_ERRSTR];
    ngx_str_t   *choice;
    ngx_uint_t   i;

    if (param->choices == NULL) {
        return NGX_OK;
    }

    p = buf;
    last = buf + sizeof(buf);
    choice = param->choices->elts;

    for (i = 0; i < param->choices->nelts; i++) {
        p = ngx_slprintf(p, last, i ? ", %V" : "%V", &choice[i]);
    }

    return ngx_scale_limits_text(pool, &param->reason.choice,
                                 "must be one of %*s", (size_t) (p - buf), buf);
}


static ngx_int_t
ngx_scale_limits_text(ngx_pool_t *pool, const char **reason, const char *fmt,
    ...)
{
    u_char   *p, *text, buf[NGX_MAX_CONF_ERRSTR];
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    text = ngx_pnalloc(pool, p - buf + 1);
    if (text == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(text, buf, p - buf) = '\0';
    *reason = (char *) text;

    return NGX_OK;
}
