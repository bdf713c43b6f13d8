
#include "http/context.h"


static void *ngx_scale_create_loc_conf(ngx_conf_t *cf);
static char *ngx_scale_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_scale_route(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_scale_commands[] = {

    { ngx_string("scale_route"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_route,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_scale_module_ctx = {
    ngx_scale_variables_add,           /* preconfiguration */
    ngx_scale_filter_init,             /* postconfiguration */

    NULL,                              /* create main configuration */
    NULL,                              /* init main configuration */

    NULL,                              /* create server configuration */
    NULL,                              /* merge server configuration */

    ngx_scale_create_loc_conf,         /* create location configuration */
    ngx_scale_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_scale_module = {
    NGX_MODULE_V1,
    &ngx_scale_module_ctx,             /* module context */
    ngx_scale_commands,                /* module directives */
    NGX_HTTP_MODULE,                   /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    NULL,                              /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    NULL,                              /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_scale_create_loc_conf(ngx_conf_t *cf)
{
    ngx_scale_http_loc_t  *loc;

    loc = ngx_pcalloc(cf->pool, sizeof(ngx_scale_http_loc_t));
    if (loc == NULL) {
        return NULL;
    }

    loc->enabled = NGX_CONF_UNSET;

    return loc;
}


/* a limit_except or "if" block inside a route belongs to it */

static char *
ngx_scale_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_scale_http_loc_t  *prev = parent;
    ngx_scale_http_loc_t  *conf = child;

    ngx_conf_merge_value(conf->enabled, prev->enabled, 0);
    ngx_conf_merge_str_value(conf->route, prev->route, "");

    return NGX_CONF_OK;
}


static char *
ngx_scale_route(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_http_loc_t  *loc = conf;

    u_char      ch;
    size_t      i;
    ngx_str_t  *word;

    if (loc->route.data) {
        return "is duplicate";
    }

    word = cf->args->elts;

    for (i = 0; i < word[1].len; i++) {
        ch = word[1].data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
            || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'
            || ch == '.')
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the route's name \"%V\" may hold letters, digits, "
                           "\"_\", \"-\" and \".\" only", &word[1]);
        return NGX_CONF_ERROR;
    }

    loc->route = word[1];
    loc->enabled = 1;

    return NGX_CONF_OK;
}
