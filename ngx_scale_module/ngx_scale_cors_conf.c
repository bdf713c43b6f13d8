
/* scale_cors: what is written, and what each route has to add to it */

#include "ngx_scale_directives.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"
#include "http/cors.h"


typedef struct {
    ngx_str_t    name;
    size_t       offset;                     /* in ngx_scale_cors_t */
} ngx_scale_cors_list_t;


static char *ngx_scale_cors_word(ngx_conf_t *cf, ngx_scale_cors_t *cors,
    ngx_str_t *word);
static char *ngx_scale_cors_add_origin(ngx_conf_t *cf, ngx_scale_cors_t *cors,
    ngx_str_t *word);
static char *ngx_scale_cors_age(ngx_conf_t *cf, ngx_scale_cors_t *cors,
    ngx_str_t *word);
static ngx_int_t ngx_scale_cors_methods(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_cors_t *cors);
static ngx_int_t ngx_scale_cors_fields(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_cors_t *cors);
static ngx_int_t ngx_scale_cors_append(ngx_conf_t *cf, ngx_str_t *list,
    ngx_str_t *name);


static ngx_scale_cors_list_t  ngx_scale_cors_lists[] = {
    { ngx_string("methods="), offsetof(ngx_scale_cors_t, methods) },
    { ngx_string("headers="), offsetof(ngx_scale_cors_t, headers) },
    { ngx_string("expose="), offsetof(ngx_scale_cors_t, exposed) },
    { ngx_null_string, 0 }
};


/* what the module itself reads or sends beyond what Fetch always allows */

static ngx_str_t  ngx_scale_cors_read =
    ngx_string("Authorization, Content-Type, Idempotency-Key, If-Match, "
               "If-None-Match, Scale-Token");

static ngx_str_t  ngx_scale_cors_sent =
    ngx_string("Age, Allow, Cache-Status, ETag, Idempotency-Replayed, Link, "
               "Location, RateLimit, RateLimit-Policy, Retry-After, "
               "Scale-Token, Warning");


/* scale_cors origin ... [methods=] [headers=] [expose=] [...] | off */

char *
ngx_scale_cors_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char              *rv;
    ngx_str_t         *word;
    ngx_uint_t         i;
    ngx_scale_cors_t  *cors;

    if (loc->cors != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(word[1].data, "off") == 0) {
        loc->cors = NULL;
        return NGX_CONF_OK;
    }

    cors = ngx_pcalloc(cf->pool, sizeof(ngx_scale_cors_t));
    if (cors == NULL
        || ngx_array_init(&cors->origins, cf->pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    loc->cors = cors;
    cors->headers = ngx_scale_cors_read;
    cors->exposed = ngx_scale_cors_sent;
    ngx_str_set(&cors->max_age, "600");

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_scale_cors_word(cf, cors, &word[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (cors->any && (cors->credentials || cors->origins.nelts)) {
        return "cannot have \"*\" beside credentials or other origins; name "
               "all origins";
    }

    if (!cors->any && cors->origins.nelts == 0) {
        return "names no origin; write such as \"https://app.example.com\", "
               "\"*\" or off";
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_cors_word(ngx_conf_t *cf, ngx_scale_cors_t *cors, ngx_str_t *word)
{
    ngx_str_t               rest;
    ngx_scale_cors_list_t  *list;

    if (ngx_strcmp(word->data, "credentials") == 0) {
        cors->credentials = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "*") == 0) {
        cors->any = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "max_age=", 8) == 0) {
        return ngx_scale_cors_age(cf, cors, word);
    }

    for (list = ngx_scale_cors_lists; list->name.len; list++) {

        if (word->len <= list->name.len
            || ngx_strncmp(word->data, list->name.data, list->name.len) != 0)
        {
            continue;
        }

        rest.data = word->data + list->name.len;
        rest.len = word->len - list->name.len;

        return ngx_scale_cors_append(cf, (ngx_str_t *) ((u_char *) cors
                                                        + list->offset),
                                     &rest)
               == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    return ngx_scale_cors_add_origin(cf, cors, word);
}


static char *
ngx_scale_cors_add_origin(ngx_conf_t *cf, ngx_scale_cors_t *cors,
    ngx_str_t *word)
{
    ngx_str_t  *origin;

    if (!ngx_scale_conf_is_origin(word)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is neither an origin as browsers write it, "
                           "such as \"https://app.example.com\" or "
                           "\"http://localhost:3000\", nor an option; there "
                           "are methods=, headers=, expose=, credentials and "
                           "max_age=", word);
        return NGX_CONF_ERROR;
    }

    origin = ngx_array_push(&cors->origins);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    *origin = *word;

    return NGX_CONF_OK;
}


static char *
ngx_scale_cors_age(ngx_conf_t *cf, ngx_scale_cors_t *cors, ngx_str_t *word)
{
    time_t     age;
    ngx_str_t  rest;

    rest.data = word->data + sizeof("max_age=") - 1;
    rest.len = word->len - (sizeof("max_age=") - 1);

    age = ngx_parse_time(&rest, 1);

    if (age == (time_t) NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no time; write one such as "
                           "\"max_age=10m\"", word);
        return NGX_CONF_ERROR;
    }

    cors->max_age.data = ngx_pnalloc(cf->pool, NGX_TIME_T_LEN);
    if (cors->max_age.data == NULL) {
        return NGX_CONF_ERROR;
    }

    cors->max_age.len = ngx_sprintf(cors->max_age.data, "%T", age)
                        - cors->max_age.data;

    return NGX_CONF_OK;
}


char *
ngx_scale_cors_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_cors_t  *cors;

    if (loc->cors == NULL) {
        return NGX_CONF_OK;
    }

    cors = ngx_palloc(cf->pool, sizeof(ngx_scale_cors_t));
    if (cors == NULL) {
        return NGX_CONF_ERROR;
    }

    *cors = *loc->cors;
    loc->http.cors = cors;

    if ((cors->methods.len == 0
         && ngx_scale_cors_methods(cf, loc, cors) != NGX_OK)
        || ngx_scale_cors_fields(cf, loc, cors) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_cors_methods(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_cors_t *cors)
{
    ngx_uint_t           i;
    ngx_scale_method_t  *m;

    if (loc->methods == NULL) {
        ngx_str_set(&cors->methods, "GET");
        return NGX_OK;
    }

    m = loc->methods->elts;

    for (i = 0; i < loc->methods->nelts; i++) {
        if (ngx_scale_cors_append(cf, &cors->methods,
                                  ngx_scale_conf_method_name(m[i].method))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* what its parameters come from */

static ngx_int_t
ngx_scale_cors_fields(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_cors_t *cors)
{
    ngx_str_t             *field;
    ngx_uint_t             i;
    ngx_array_t            fields;
    ngx_scale_declared_t  *declared;

    if (loc->params == NULL) {
        return NGX_OK;
    }

    if (ngx_array_init(&fields, cf->temp_pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    declared = loc->params->elts;

    for (i = 0; i < loc->params->nelts; i++) {
        if (declared[i].used
            && ngx_scale_source_list_fields(cf->pool, &declared[i].param,
                                            &fields)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    field = fields.elts;

    for (i = 0; i < fields.nelts; i++) {
        if (ngx_scale_cors_append(cf, &cors->headers, &field[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_cors_append(ngx_conf_t *cf, ngx_str_t *list, ngx_str_t *name)
{
    u_char  *p;
    size_t   len;

    len = list->len ? list->len + sizeof(", ") - 1 : 0;

    p = ngx_pnalloc(cf->pool, len + name->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (list->len) {
        ngx_memcpy(ngx_cpymem(p, list->data, list->len), ", ",
                   sizeof(", ") - 1);
    }

    ngx_memcpy(p + len, name->data, name->len);

    list->data = p;
    list->len = len + name->len;

    return NGX_OK;
}
