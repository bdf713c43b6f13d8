
/* the directives of a location: what is declared, read word by word */

#include "ngx_scale_conf.h"


static ngx_int_t ngx_scale_conf_match(void *regex, ngx_str_t *text);


char *
ngx_scale_conf_deadline(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_int_t   msec;
    ngx_str_t  *word;

    if (loc->deadline != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    word = cf->args->elts;
    msec = ngx_parse_time(&word[1], 0);

    if (msec == NGX_ERROR || msec == 0) {
        return "takes a time such as 500ms or 10s";
    }

    loc->deadline = msec;

    return NGX_CONF_OK;
}


char *
ngx_scale_conf_route(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


ngx_uint_t
ngx_scale_conf_is_name(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-' || ch == '.';
}


char *
ngx_scale_conf_param(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    u_char                             errstr[NGX_MAX_CONF_ERRSTR];
    ngx_str_t                         *word, error;
    ngx_regex_compile_t                rc;
    ngx_scale_declared_t              *declared;
    ngx_http_compile_complex_value_t   ccv;

    word = cf->args->elts;

    if (loc->params == NULL) {
        loc->params = ngx_array_create(cf->pool, 8,
                                       sizeof(ngx_scale_declared_t));
        if (loc->params == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_scale_conf_find_param(loc, &word[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameter \"%V\" is declared twice on this "
                           "level; remove one, or give it another name",
                           &word[1]);
        return NGX_CONF_ERROR;
    }

    declared = ngx_array_push(loc->params);
    if (declared == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(declared, sizeof(ngx_scale_declared_t));
    ngx_str_null(&error);

    ngx_scale_conf_here(cf, &declared->place);

    if (ngx_scale_param_parse(cf->pool, &word[1], cf->args->nelts - 1,
                              &declared->param, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "scale_param \"%V\": %V",
                           &word[1], &error);
        return NGX_CONF_ERROR;
    }

    if (declared->param.pattern.len) {
        ngx_memzero(&rc, sizeof(ngx_regex_compile_t));
        rc.pattern = declared->param.pattern;
        rc.pool = cf->pool;
        rc.err.len = NGX_MAX_CONF_ERRSTR;
        rc.err.data = errstr;

        if (ngx_regex_compile(&rc) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
            return NGX_CONF_ERROR;
        }

        declared->param.regex = rc.regex;
        declared->param.match = ngx_scale_conf_match;
    }

    declared->hashed = ngx_scale_source_is_private(&declared->param);

    if (declared->param.source != NGX_SCALE_SOURCE_EXPR) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));
    ccv.cf = cf;
    ccv.value = &declared->param.argument;
    ccv.complex_value = &declared->expression;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    declared->variable = ngx_scale_source_variable(cf,
                                                  &declared->param.argument);

    return declared->variable == NGX_ERROR ? NGX_CONF_ERROR : NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_conf_match(void *regex, ngx_str_t *text)
{
    return ngx_regex_exec((ngx_regex_t *) regex, text, NULL, 0) >= 0
           ? NGX_OK : NGX_DECLINED;
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


/* scale_sqlstate code[:constraint] status [field=] [detail=] */

char *
ngx_scale_conf_sqlstate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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
