
/* what the source of a parameter says of its values */

#include "ngx_scale_source.h"


static ngx_uint_t ngx_scale_source_has(ngx_str_t *expression,
    ngx_str_t *prefix);


/* of what a client sends in its fields: a token, or a part of one */

static ngx_str_t  ngx_scale_source_fields[] = {
    ngx_string("http_"),
    ngx_string("cookie_"),
    ngx_null_string
};


/* what differs between requests of one path */

static ngx_str_t  ngx_scale_source_others[] = {
    ngx_string("http_"),
    ngx_string("cookie_"),
    ngx_string("arg_"),
    ngx_string("args"),
    ngx_string("is_args"),
    ngx_string("query_string"),
    ngx_string("request"),
    ngx_string("scheme"),
    ngx_string("host"),
    ngx_string("server_"),
    ngx_string("remote_"),
    ngx_null_string
};


ngx_int_t
ngx_scale_source_variable(ngx_conf_t *cf, ngx_str_t *expression)
{
    u_char     *p, *last, ch;
    ngx_str_t   name;

    p = expression->data;
    last = p + expression->len;

    if (last - p < 2 || *p++ != '$' || (*p >= '0' && *p <= '9')) {
        return NGX_DECLINED;
    }

    name.data = p;
    name.len = last - p;

    for ( /* void */ ; p < last; p++) {
        ch = *p | 0x20;

        if ((ch < 'a' || ch > 'z') && (*p < '0' || *p > '9') && *p != '_') {
            return NGX_DECLINED;
        }
    }

    return ngx_http_get_variable_index(cf, &name);
}


ngx_uint_t
ngx_scale_source_is_private(ngx_scale_param_t *param)
{
    return param->source == NGX_SCALE_SOURCE_HEADER
           || (param->source == NGX_SCALE_SOURCE_EXPR
               && ngx_scale_source_has(&param->argument,
                                       ngx_scale_source_fields));
}


ngx_uint_t
ngx_scale_source_is_path(ngx_scale_param_t *param)
{
    return param->source == NGX_SCALE_SOURCE_EXPR
           && !ngx_scale_source_has(&param->argument,
                                    ngx_scale_source_others);
}


/* a variable whose name begins so */

static ngx_uint_t
ngx_scale_source_has(ngx_str_t *expression, ngx_str_t *prefix)
{
    u_char     *p, *last;
    ngx_str_t  *one;

    p = expression->data;
    last = p + expression->len;

    while ((p = ngx_strlchr(p, last, '$')) != NULL) {
        p += p + 1 < last && p[1] == '{' ? 2 : 1;

        for (one = prefix; one->len; one++) {
            if ((size_t) (last - p) >= one->len
                && ngx_strncasecmp(p, one->data, one->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}
