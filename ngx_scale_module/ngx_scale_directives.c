
/* scale_route and scale_sqlstate */

#include "ngx_scale_directives.h"


char *
ngx_scale_directives_route(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    size_t                  i;
    ngx_str_t              *word;
    ngx_scale_loc_conf_t  **slot;
    ngx_scale_main_conf_t  *main;

    if (loc->http.route.data) {
        return "is duplicate";
    }

    word = cf->args->elts;

    for (i = 0; i < word[1].len; i++) {
        if (!ngx_scale_conf_is_name(word[1].data[i])) {
            break;
        }
    }

    if (word[1].len == 0 || i < word[1].len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot name a route; a name has letters, "
                           "digits, \"_\", \"-\" and \".\"", &word[1]);
        return NGX_CONF_ERROR;
    }

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    slot = ngx_array_push(&main->routes);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = loc;

    loc->http.route = word[1];
    loc->http.enabled = 1;

    ngx_scale_conf_here(cf, &loc->place);

    return NGX_CONF_OK;
}


/* scale_sqlstate code[:constraint] status [field=] [detail=] */

char *
ngx_scale_directives_sqlstate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    u_char                *colon;
    ngx_int_t              status;
    ngx_str_t             *word;
    ngx_uint_t             i;
    ngx_scale_sqlstate_t  *state;

    word = cf->args->elts;

    if (loc->sqlstates == NULL) {
        loc->sqlstates = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_scale_sqlstate_t));
        if (loc->sqlstates == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    state = ngx_array_push(loc->sqlstates);
    if (state == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(state, sizeof(ngx_scale_sqlstate_t));

    state->code = word[1];
    colon = ngx_strlchr(word[1].data, word[1].data + word[1].len, ':');

    if (colon) {
        state->code.len = colon - word[1].data;
        state->constraint.data = colon + 1;
        state->constraint.len = word[1].len - state->code.len - 1;
    }

    status = ngx_atoi(word[2].data, word[2].len);

    if (state->code.len != 5 || (colon && state->constraint.len == 0)
        || status < 400 || status > 599)
    {
        return "takes an SQLSTATE of five characters, maybe with "
               "\":constraint\", and a status of 400 to 599";
    }

    state->status = status;

    for (i = 3; i < cf->args->nelts; i++) {

        if (ngx_strncmp(word[i].data, "field=", 6) == 0) {
            state->field.data = word[i].data + 6;
            state->field.len = word[i].len - 6;

        } else if (ngx_strncmp(word[i].data, "detail=", 7) == 0) {
            state->detail.data = word[i].data + 7;
            state->detail.len = word[i].len - 7;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\": there are field= and detail=",
                               &word[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
