
/* what all files that read or plan the configuration need */

#include "ngx_scale_conf.h"


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   method;
} ngx_scale_conf_method_t;


static ngx_scale_conf_method_t  ngx_scale_conf_methods[] = {
    { ngx_string("GET"), NGX_HTTP_GET },
    { ngx_string("POST"), NGX_HTTP_POST },
    { ngx_string("PUT"), NGX_HTTP_PUT },
    { ngx_string("PATCH"), NGX_HTTP_PATCH },
    { ngx_string("DELETE"), NGX_HTTP_DELETE },
    { ngx_null_string, 0 }
};


void
ngx_scale_conf_here(ngx_conf_t *cf, ngx_scale_place_in_conf_t *place)
{
    if (cf->conf_file) {
        place->file = cf->conf_file->file.name;
        place->line = cf->conf_file->line;
    }
}


void ngx_cdecl
ngx_scale_conf_error(ngx_conf_t *cf, ngx_scale_place_in_conf_t *place,
    const char *fmt, ...)
{
    u_char   errstr[NGX_MAX_CONF_ERRSTR], *p;
    va_list  args;

    va_start(args, fmt);
    p = ngx_vslprintf(errstr, errstr + NGX_MAX_CONF_ERRSTR, fmt, args);
    va_end(args);

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%*s in %V:%ui",
                  (size_t) (p - errstr), errstr, &place->file, place->line);
}


ngx_uint_t
ngx_scale_conf_is_name(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-' || ch == '.';
}


ngx_scale_declared_t *
ngx_scale_conf_find_param(ngx_scale_loc_conf_t *loc, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    if (loc->params == NULL) {
        return NULL;
    }

    declared = loc->params->elts;

    for (i = 0; i < loc->params->nelts; i++) {
        if (ngx_scale_same(&declared[i].param.name, name)) {
            return &declared[i];
        }
    }

    return NULL;
}


ngx_scale_purge_value_t *
ngx_scale_conf_given(ngx_scale_purge_t *purge, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_scale_purge_value_t  *value;

    value = purge->given.elts;

    for (i = 0; i < purge->given.nelts; i++) {
        if (ngx_scale_same(&value[i].name, name)) {
            return &value[i];
        }
    }

    return NULL;
}


u_char *
ngx_scale_conf_copy(ngx_pool_t *pool, u_char *data, size_t len, ngx_str_t *s)
{
    s->len = len;
    s->data = ngx_pnalloc(pool, len + 1);

    if (s->data) {
        *ngx_cpymem(s->data, data, len) = '\0';
    }

    return s->data;
}


ngx_uint_t
ngx_scale_conf_method(ngx_str_t *name)
{
    ngx_scale_conf_method_t  *m;

    for (m = ngx_scale_conf_methods; m->name.len; m++) {
        if (ngx_scale_same(&m->name, name)) {
            break;
        }
    }

    return m->method;
}


ngx_str_t *
ngx_scale_conf_method_name(ngx_uint_t method)
{
    ngx_scale_conf_method_t  *m;

    for (m = ngx_scale_conf_methods; m->name.len; m++) {
        if (m->method == method) {
            break;
        }
    }

    return &m->name;
}


ngx_uint_t
ngx_scale_conf_is_origin(ngx_str_t *word)
{
    u_char  *p, *last;

    p = (u_char *) ngx_strstr(word->data, "://");

    if (p == NULL || p == word->data) {
        return 0;
    }

    p += sizeof("://") - 1;
    last = word->data + word->len;

    if (p == last) {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')
              || *p == '.' || *p == '-' || *p == ':' || *p == '['
              || *p == ']'))
        {
            return 0;
        }
    }

    return 1;
}
