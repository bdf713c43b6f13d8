
/* scale_limit: how many requests of a key are admitted */

#include "ngx_scale_directives.h"


/* a word's=value; NGX_DECLINED: it is none that the word takes */

typedef struct {
    ngx_str_t      name;
    ngx_int_t    (*set)(ngx_scale_limit_t *limit, ngx_str_t *value);
    const char    *takes;
} ngx_scale_directives_limit_word_t;


static char *ngx_scale_directives_limit_words(ngx_conf_t *cf,
    ngx_scale_limit_t *limit);
static char *ngx_scale_directives_limit_word(ngx_conf_t *cf,
    ngx_scale_limit_t *limit, ngx_str_t *word, ngx_uint_t *seen);
static ngx_int_t ngx_scale_directives_limit_set_rate(ngx_scale_limit_t *limit,
    ngx_str_t *value);
static ngx_int_t ngx_scale_directives_limit_set_burst(ngx_scale_limit_t *limit,
    ngx_str_t *value);
static ngx_int_t ngx_scale_directives_limit_set_scope(ngx_scale_limit_t *limit,
    ngx_str_t *value);
static ngx_int_t ngx_scale_directives_limit_set_cost(ngx_scale_limit_t *limit,
    ngx_str_t *value);
static ngx_int_t ngx_scale_directives_limit_set_name(ngx_scale_limit_t *limit,
    ngx_str_t *value);
static char *ngx_scale_directives_limit_push(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_limit_t *limit);
static char *ngx_scale_directives_limit_texts(ngx_conf_t *cf,
    ngx_scale_limit_t *limit);
static char *ngx_scale_directives_limit_own(ngx_conf_t *cf,
    ngx_scale_limit_t *limit, ngx_str_t *server, ngx_str_t *location);


#define NGX_SCALE_LIMIT_LINES  8           /* of a level */
#define NGX_SCALE_LIMIT_NAME   64


static ngx_scale_directives_limit_word_t  ngx_scale_directives_limit_table[] = {

    { ngx_string("rate="), ngx_scale_directives_limit_set_rate,
      "a rate such as 10r/s, 600r/m or 1000r/h" },

    { ngx_string("burst="), ngx_scale_directives_limit_set_burst,
      "a number of requests, 1 to 1000000" },

    { ngx_string("scope="), ngx_scale_directives_limit_set_scope,
      "\"node\" or \"cluster\"" },

    { ngx_string("cost="), ngx_scale_directives_limit_set_cost,
      "\"request\" or \"miss\"" },

    { ngx_string("name="), ngx_scale_directives_limit_set_name,
      "up to 64 letters, digits, \"_\", \"-\", \".\" and \"/\"" },

    { ngx_null_string, NULL, NULL }
};


char *
ngx_scale_directives_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char                              *rv;
    ngx_str_t                         *word;
    ngx_scale_limit_t                 *limit;
    ngx_http_compile_complex_value_t   ccv;

    word = cf->args->elts;

    if (loc->limits == NULL) {
        return "stands beside \"scale_limit off\"; leave one";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(word[1].data, "off") == 0) {

        if (loc->limits != NGX_CONF_UNSET_PTR) {
            return "stands beside \"scale_limit off\"; leave one";
        }

        loc->limits = NULL;
        return NGX_CONF_OK;
    }

    limit = ngx_pcalloc(cf->pool, sizeof(ngx_scale_limit_t));
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_scale_conf_here(cf, &limit->place);

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &word[1];
    ccv.complex_value = &limit->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_directives_limit_words(cf, limit);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (limit->rate.burst * limit->rate.interval
        > NGX_SCALE_LIMIT_MAX_PAYBACK)
    {
        return "has a burst that its rate takes more than a day to pay back; "
               "make it smaller";
    }

    if (ngx_scale_directives_limit_texts(cf, limit) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_scale_directives_limit_push(cf, loc, limit);
}


static char *
ngx_scale_directives_limit_words(ngx_conf_t *cf, ngx_scale_limit_t *limit)
{
    char        *rv;
    ngx_str_t   *word;
    ngx_uint_t   i, seen;

    word = cf->args->elts;
    seen = 0;

    /* the burst and the name are the rate's where they are not given */

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_strncmp(word[i].data, "rate=", 5) == 0) {
            rv = ngx_scale_directives_limit_word(cf, limit, &word[i], &seen);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    if (seen == 0) {
        return "needs a rate, such as \"scale_limit $remote_addr "
               "rate=10r/s;\"";
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_strncmp(word[i].data, "rate=", 5) != 0) {
            rv = ngx_scale_directives_limit_word(cf, limit, &word[i], &seen);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_limit_word(ngx_conf_t *cf, ngx_scale_limit_t *limit,
    ngx_str_t *word, ngx_uint_t *seen)
{
    ngx_str_t                value;
    ngx_uint_t               i;
    ngx_scale_directives_limit_word_t  *known;

    known = ngx_scale_directives_limit_table;

    for (i = 0; known[i].name.len; i++) {

        if (ngx_strncmp(word->data, known[i].name.data, known[i].name.len)
            != 0)
        {
            continue;
        }

        if (*seen & (1 << i)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "scale_limit has \"%V\" twice; leave one",
                               &known[i].name);
            return NGX_CONF_ERROR;
        }

        *seen |= 1 << i;

        value.data = word->data + known[i].name.len;
        value.len = word->len - known[i].name.len;

        if (known[i].set(limit, &value) == NGX_OK) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "scale_limit's \"%V\" takes %s, not \"%V\"",
                           &known[i].name, known[i].takes, &value);
        return NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "scale_limit knows rate=, burst=, scope=, cost= and "
                       "name=, not \"%V\"", word);
    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_scale_directives_limit_set_rate(ngx_scale_limit_t *limit, ngx_str_t *value)
{
    limit->name = *value;

    return ngx_scale_limit_rate(value, &limit->rate);
}


static ngx_int_t
ngx_scale_directives_limit_set_burst(ngx_scale_limit_t *limit, ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > NGX_SCALE_LIMIT_MAX_NUMBER) {
        return NGX_DECLINED;
    }

    limit->rate.burst = n;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_directives_limit_set_scope(ngx_scale_limit_t *limit, ngx_str_t *value)
{
    static ngx_str_t  node = ngx_string("node");
    static ngx_str_t  cluster = ngx_string("cluster");

    limit->cluster = ngx_scale_same(value, &cluster);

    return limit->cluster || ngx_scale_same(value, &node) ? NGX_OK
                                                          : NGX_DECLINED;
}


static ngx_int_t
ngx_scale_directives_limit_set_cost(ngx_scale_limit_t *limit, ngx_str_t *value)
{
    static ngx_str_t  request = ngx_string("request");
    static ngx_str_t  miss = ngx_string("miss");

    limit->miss = ngx_scale_same(value, &miss);

    return limit->miss || ngx_scale_same(value, &request) ? NGX_OK
                                                          : NGX_DECLINED;
}


/* it stands in fields and in JSON as it is */

static ngx_int_t
ngx_scale_directives_limit_set_name(ngx_scale_limit_t *limit, ngx_str_t *value)
{
    size_t  i;

    if (value->len == 0 || value->len > NGX_SCALE_LIMIT_NAME) {
        return NGX_DECLINED;
    }

    for (i = 0; i < value->len; i++) {
        if (!ngx_scale_conf_is_name(value->data[i]) && value->data[i] != '/') {
            return NGX_DECLINED;
        }
    }

    limit->name = *value;

    return NGX_OK;
}


static char *
ngx_scale_directives_limit_texts(ngx_conf_t *cf, ngx_scale_limit_t *limit)
{
    u_char  *p, *last;
    size_t   len;

    len = limit->name.len + sizeof("\"\";q=;w=;scale-burst=") - 1
          + 3 * NGX_INT_T_LEN;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    last = ngx_slprintf(p, p + len, "\"%V\";q=%ui;w=%ui;scale-burst=%ui",
                        &limit->name, limit->rate.count, limit->rate.period,
                        limit->rate.burst);

    limit->policy.data = p;
    limit->policy.len = last - p;

    len = limit->name.len + sizeof("{\"violated-policies\":[\"\"]}") - 1;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    last = ngx_slprintf(p, p + len, "{\"violated-policies\":[\"%V\"]}",
                        &limit->name);

    limit->violated.data = p;
    limit->violated.len = last - p;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_limit_push(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_limit_t *limit)
{
    ngx_uint_t               i;
    ngx_scale_limit_t      **slot, **other;
    ngx_scale_main_conf_t   *main;

    static ngx_str_t  none = ngx_string("");
    static ngx_str_t  http = ngx_string("http");

    if (loc->limits == NGX_CONF_UNSET_PTR) {
        loc->limits = ngx_array_create(cf->pool, 2, sizeof(void *));
        if (loc->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    other = loc->limits->elts;

    for (i = 0; i < loc->limits->nelts; i++) {
        if (ngx_scale_same(&other[i]->name, &limit->name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "two scale_limit of this level are \"%V\"; "
                               "give one another name=", &limit->name);
            return NGX_CONF_ERROR;
        }
    }

    if (loc->limits->nelts == NGX_SCALE_LIMIT_LINES) {
        return "is the ninth of this level, which has at most 8";
    }

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    slot = ngx_array_push(&main->limits);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = limit;

    slot = ngx_array_push(loc->limits);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = limit;

    /* that level is nobody's child, and is not merged */

    return cf->cmd_type == NGX_HTTP_MAIN_CONF
           ? ngx_scale_directives_limit_own(cf, limit, &none, &http)
           : NGX_CONF_OK;
}


ngx_int_t
ngx_scale_directives_merge_limits(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf)
{
    ngx_uint_t                  i;
    ngx_scale_limit_t         **limit;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_loc_conf_t   *clcf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);

    if (conf->limits == NULL) {
        return NGX_OK;
    }

    limit = conf->limits->elts;

    for (i = 0; i < conf->limits->nelts; i++) {
        if (limit[i]->owner.len == 0
            && ngx_scale_directives_limit_own(cf, limit[i], &cscf->server_name,
                                   &clcf->name)
               != NGX_CONF_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the same on all nodes: the server's name, the location, and its own */

static char *
ngx_scale_directives_limit_own(ngx_conf_t *cf, ngx_scale_limit_t *limit,
    ngx_str_t *server, ngx_str_t *location)
{
    u_char  *p;

    limit->owner.len = server->len + location->len + limit->name.len + 3;
    limit->owner.data = ngx_pnalloc(cf->pool, limit->owner.len);
    if (limit->owner.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(limit->owner.data, server->data, server->len);
    *p++ = '\0';
    p = ngx_cpymem(p, location->data, location->len);
    *p++ = '\0';
    p = ngx_cpymem(p, limit->name.data, limit->name.len);
    *p = '\0';

    return NGX_CONF_OK;
}
