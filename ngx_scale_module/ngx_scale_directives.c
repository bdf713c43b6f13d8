
/* the directives of a location: what is declared, read word by word */

#include "ngx_scale_conf.h"


typedef struct {
    ngx_str_t      name;
    ngx_uint_t     value;
} ngx_scale_name_t;


typedef struct {
    ngx_str_t      name;                   /* with its "=", or a bare word */
    char        *(*set)(ngx_conf_t *cf, ngx_scale_query_t *query,
                        ngx_str_t *value);
} ngx_scale_query_option_t;


static ngx_uint_t ngx_scale_conf_name(ngx_scale_name_t *names,
    ngx_str_t *name);
static ngx_uint_t ngx_scale_conf_methods(ngx_conf_t *cf, ngx_str_t *words);
static char *ngx_scale_conf_query_option(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *word, ngx_str_t *sql);
static char *ngx_scale_query_read(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value);
static char *ngx_scale_query_write(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value);
static char *ngx_scale_query_status(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value);
static char *ngx_scale_query_empty(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value);
static char *ngx_scale_query_role(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value);
static char *ngx_scale_query_timeout(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value);
static char *ngx_scale_conf_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);
static char *ngx_scale_conf_parse_key(ngx_conf_t *cf, ngx_str_t *text,
    ngx_scale_key_t *key);
static char *ngx_scale_conf_purge_value(ngx_conf_t *cf,
    ngx_scale_purge_t *purge, ngx_str_t *word);
static ngx_uint_t ngx_scale_conf_has_row(ngx_array_t *parts);
static ngx_int_t ngx_scale_conf_match(void *regex, ngx_str_t *text);


#define NGX_SCALE_UNKNOWN  ((ngx_uint_t) -1)


static ngx_scale_name_t  ngx_scale_methods[] = {
    { ngx_string("GET"), NGX_HTTP_GET },
    { ngx_string("POST"), NGX_HTTP_POST },
    { ngx_string("PUT"), NGX_HTTP_PUT },
    { ngx_string("PATCH"), NGX_HTTP_PATCH },
    { ngx_string("DELETE"), NGX_HTTP_DELETE },
    { ngx_null_string, NGX_SCALE_UNKNOWN }
};

static ngx_scale_name_t  ngx_scale_shapes[] = {
    { ngx_string("row"), NGX_SCALE_SHAPE_ROW },
    { ngx_string("rows"), NGX_SCALE_SHAPE_ROWS },
    { ngx_string("value"), NGX_SCALE_SHAPE_VALUE },
    { ngx_string("none"), NGX_SCALE_SHAPE_NONE },
    { ngx_null_string, NGX_SCALE_UNKNOWN }
};

static ngx_scale_query_option_t  ngx_scale_query_options[] = {
    { ngx_string("read"), ngx_scale_query_read },
    { ngx_string("write"), ngx_scale_query_write },
    { ngx_string("status="), ngx_scale_query_status },
    { ngx_string("empty="), ngx_scale_query_empty },
    { ngx_string("role="), ngx_scale_query_role },
    { ngx_string("timeout="), ngx_scale_query_timeout },
    { ngx_null_string, NULL }
};


static ngx_uint_t
ngx_scale_conf_name(ngx_scale_name_t *names, ngx_str_t *name)
{
    for ( /* void */ ; names->name.len; names++) {
        if (names->name.len == name->len
            && ngx_strncmp(names->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    return names->value;
}


ngx_str_t *
ngx_scale_conf_method_name(ngx_uint_t method)
{
    ngx_scale_name_t  *name;

    for (name = ngx_scale_methods; name->name.len; name++) {
        if (name->value == method) {
            break;
        }
    }

    return &name->name;
}


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

    u_char                  ch;
    size_t                  i;
    ngx_str_t              *word;
    ngx_scale_loc_conf_t  **slot;
    ngx_scale_main_conf_t  *main;

    if (loc->http.route.data) {
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

        break;
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

    if (declared->param.source != NGX_SCALE_SOURCE_EXPR) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));
    ccv.cf = cf;
    ccv.value = &declared->param.argument;
    ccv.complex_value = &declared->expression;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
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
        if (declared[i].param.name.len == name->len
            && ngx_strncmp(declared[i].param.name.data, name->data, name->len)
               == 0)
        {
            return &declared[i];
        }
    }

    return NULL;
}


/* scale_query METHODS shape "SQL" [options] */

char *
ngx_scale_conf_query(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char               *rv;
    ngx_str_t          *word, sql, error;
    ngx_uint_t          i;
    ngx_scale_query_t  *query;

    word = cf->args->elts;

    if (loc->queries == NULL) {
        loc->queries = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_scale_query_t));
        if (loc->queries == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    query = ngx_array_push(loc->queries);
    if (query == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(query, sizeof(ngx_scale_query_t));
    ngx_scale_conf_here(cf, &query->place);

    query->methods = ngx_scale_conf_methods(cf, &word[1]);
    if (query->methods == 0) {
        return NGX_CONF_ERROR;
    }

    query->shape = ngx_scale_conf_name(ngx_scale_shapes, &word[2]);
    if (query->shape == NGX_SCALE_UNKNOWN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the shape is row, rows, value or none, not \"%V\"",
                           &word[2]);
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&sql);

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_scale_conf_query_option(cf, query, &word[i], &sql);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (sql.len == 0) {
        return "has no statement: write it in quotes, or file=";
    }

    ngx_str_null(&error);

    if (ngx_scale_template_parse(cf->pool, &sql, &query->template, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "statement: %V", &error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_conf_methods(ngx_conf_t *cf, ngx_str_t *words)
{
    u_char      *p, *last, *end;
    ngx_str_t    name;
    ngx_uint_t   method, methods;

    methods = 0;
    last = words->data + words->len;

    for (p = words->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, '|');
        if (end == NULL) {
            end = last;
        }

        name.data = p;
        name.len = end - p;

        method = ngx_scale_conf_name(ngx_scale_methods, &name);

        if (method == NGX_SCALE_UNKNOWN || (methods & method)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not a list of GET, POST, PUT, PATCH "
                               "and DELETE such as \"POST|PUT\"; HEAD and "
                               "OPTIONS come by themselves", words);
            return 0;
        }

        methods |= method;
    }

    return methods;
}


static char *
ngx_scale_conf_query_option(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *word, ngx_str_t *sql)
{
    ngx_str_t                  value;
    ngx_scale_query_option_t  *option;

    for (option = ngx_scale_query_options; option->name.len; option++) {

        if (word->len < option->name.len
            || ngx_strncmp(word->data, option->name.data, option->name.len)
               != 0)
        {
            continue;
        }

        value.data = word->data + option->name.len;
        value.len = word->len - option->name.len;

        if ((option->name.data[option->name.len - 1] == '=')
            == (value.len != 0))
        {
            return option->set(cf, query, &value);
        }
    }

    if (sql->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not an option; there are read, write, "
                           "status=, empty=, role=, timeout= and file=, and "
                           "one statement", word);
        return NGX_CONF_ERROR;
    }

    if (word->len > 5 && ngx_strncmp(word->data, "file=", 5) == 0) {
        value.data = word->data + 5;
        value.len = word->len - 5;
        return ngx_scale_conf_file(cf, &value, sql);
    }

    *sql = *word;

    return NGX_CONF_OK;
}


static char *
ngx_scale_query_read(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->read = 1;

    return query->write ? "cannot be both read and write; leave one"
                        : NGX_CONF_OK;
}


static char *
ngx_scale_query_write(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->write = 1;

    return query->read ? "cannot be both read and write; leave one"
                       : NGX_CONF_OK;
}


static char *
ngx_scale_query_status(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  status;

    status = ngx_atoi(value->data, value->len);

    if (status < 200 || status > 399) {
        return "takes a status= of 200 to 399; refusals are scale.fail()'s";
    }

    query->status = status;

    return NGX_CONF_OK;
}


static char *
ngx_scale_query_empty(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  status;

    status = ngx_atoi(value->data, value->len);

    if (status < 200 || status > 599) {
        return "takes a status of 200 to 599 as empty=";
    }

    query->empty = status;

    return NGX_CONF_OK;
}


/* every read goes to the primary as yet, which is right for both */

static char *
ngx_scale_query_role(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if ((value->len == 7 && ngx_strncmp(value->data, "primary", 7) == 0)
        || (value->len == 7 && ngx_strncmp(value->data, "replica", 7) == 0))
    {
        return NGX_CONF_OK;
    }

    return "takes role=primary or role=replica";
}


static char *
ngx_scale_query_timeout(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  msec;

    msec = ngx_parse_time(value, 0);

    if (msec == NGX_ERROR || msec == 0) {
        return "takes a timeout= such as 500ms or 5s";
    }

    query->timeout = msec;

    return NGX_CONF_OK;
}


static char *
ngx_scale_conf_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
{
    char             *rv;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_CONF_ERROR;
    }

    rv = NGX_CONF_ERROR;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR) {
        text->len = (size_t) ngx_file_size(&fi);
        text->data = ngx_pnalloc(cf->pool, text->len + 1);

        if (text->data) {
            n = ngx_read_fd(fd, text->data, text->len);

            if (n == (ssize_t) text->len) {
                rv = NGX_CONF_OK;
            }
        }
    }

    if (rv != NGX_CONF_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "could not read \"%V\"", name);
    }

    (void) ngx_close_file(fd);

    return rv;
}


/* scale_cache_valid ttl [missing=] | off */

char *
ngx_scale_conf_valid(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    time_t       value;
    ngx_str_t   *word, rest;

    if (loc->ttl != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    word = cf->args->elts;
    loc->missing = 0;

    if (ngx_strcmp(word[1].data, "off") == 0 && cf->args->nelts == 2) {
        loc->ttl = 0;
        return NGX_CONF_OK;
    }

    value = ngx_parse_time(&word[1], 1);

    /* memcached takes more than 30 days for a date (protocol.txt) */

    if (value == (time_t) NGX_ERROR || value == 0 || value > 2350000) {
        return "takes a lifetime of 1s to 27d, or off";
    }

    loc->ttl = value;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word[2].data, "missing=", 8) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not available in this version; there is "
                           "missing=", &word[2]);
        return NGX_CONF_ERROR;
    }

    rest.data = word[2].data + 8;
    rest.len = word[2].len - 8;
    value = ngx_parse_time(&rest, 1);

    if (value == (time_t) NGX_ERROR || value > 2350000) {
        return "takes a lifetime as missing=, such as 5s";
    }

    loc->missing = value;

    return NGX_CONF_OK;
}


static char *
ngx_scale_conf_parse_key(ngx_conf_t *cf, ngx_str_t *text, ngx_scale_key_t *key)
{
    ngx_str_t  error;

    ngx_str_null(&error);
    ngx_memzero(key, sizeof(ngx_scale_key_t));
    ngx_scale_conf_here(cf, &key->place);

    key->text = *text;

    if (ngx_scale_key_parse(cf->pool, text, &key->parts, &error) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %V", text, &error);
        return NGX_CONF_ERROR;
    }

    key->row = ngx_scale_conf_has_row(&key->parts);

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_conf_has_row(ngx_array_t *parts)
{
    ngx_uint_t              i, row;
    ngx_scale_key_part_t   *part;

    row = 0;
    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {
        row |= part[i].row;
    }

    return row;
}


char *
ngx_scale_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char       *rv;
    ngx_str_t  *word;

    if (loc->key) {
        return "is duplicate";
    }

    word = cf->args->elts;

    loc->key = ngx_palloc(cf->pool, sizeof(ngx_scale_key_t));
    if (loc->key == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_scale_conf_parse_key(cf, &word[1], loc->key);

    if (rv == NGX_CONF_OK && loc->key->row) {
        return "cannot hold :row parts: it is made before there is a row";
    }

    return rv;
}


/* scale_cache_tags and scale_purge_tags; cmd->offset tells which */

char *
ngx_scale_conf_tags(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char              *rv;
    ngx_str_t         *word;
    ngx_uint_t         i;
    ngx_array_t      **tags;
    ngx_scale_key_t   *tag;

    tags = (ngx_array_t **) ((u_char *) conf + cmd->offset);
    word = cf->args->elts;

    if (*tags == NULL) {
        *tags = ngx_array_create(cf->pool, 4, sizeof(ngx_scale_key_t));
        if (*tags == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (i = 1; i < cf->args->nelts; i++) {
        tag = ngx_array_push(*tags);
        if (tag == NULL) {
            return NGX_CONF_ERROR;
        }

        rv = ngx_scale_conf_parse_key(cf, &word[i], tag);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (tag->row && cmd->offset == offsetof(ngx_scale_loc_conf_t, tags)) {
            return "cannot hold :row parts: tags are made before there is a "
                   "row";
        }
    }

    if ((*tags)->nelts > NGX_SCALE_CACHE_MAX_TAGS) {
        return "takes at most 8 tags";
    }

    return NGX_CONF_OK;
}


/* scale_purge route [name=value ...] */

char *
ngx_scale_conf_purge(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char               *rv;
    ngx_str_t          *word;
    ngx_uint_t          i;
    ngx_scale_purge_t  *purge;

    word = cf->args->elts;

    if (loc->purges == NULL) {
        loc->purges = ngx_array_create(cf->pool, 4, sizeof(ngx_scale_purge_t));
        if (loc->purges == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    purge = ngx_array_push(loc->purges);
    if (purge == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(purge, sizeof(ngx_scale_purge_t));
    ngx_scale_conf_here(cf, &purge->place);
    purge->route = word[1];

    if (ngx_array_init(&purge->given, cf->pool, 4,
                       sizeof(ngx_scale_purge_value_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_scale_conf_purge_value(cf, purge, &word[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_conf_purge_value(ngx_conf_t *cf, ngx_scale_purge_t *purge,
    ngx_str_t *word)
{
    u_char                   *eq;
    ngx_str_t                 name, text, error;
    ngx_scale_key_part_t     *part;
    ngx_scale_purge_value_t  *value;

    eq = ngx_strlchr(word->data, word->data + word->len, '=');

    if (eq == NULL || eq == word->data + word->len - 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": write the parameter of route \"%V\" and "
                           "its value, such as id=:id or id=:row.id", word,
                           &purge->route);
        return NGX_CONF_ERROR;
    }

    name.data = word->data;
    name.len = eq - word->data;

    if (ngx_scale_conf_given(purge, &name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" gives \"%V\" twice; leave one", word, &name);
        return NGX_CONF_ERROR;
    }

    value = ngx_array_push(&purge->given);
    if (value == NULL) {
        return NGX_CONF_ERROR;
    }

    value->name = name;

    text.data = eq + 1;
    text.len = word->data + word->len - text.data;

    ngx_str_null(&error);

    if (ngx_scale_key_parse(cf->pool, &text, &value->parts, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %V", word, &error);
        return NGX_CONF_ERROR;
    }

    part = value->parts.elts;

    if (value->parts.nelts != 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": a value is one parameter, one column of "
                           "the row or one word", word);
        return NGX_CONF_ERROR;
    }

    purge->row |= part->row;

    return NGX_CONF_OK;
}


ngx_scale_purge_value_t *
ngx_scale_conf_given(ngx_scale_purge_t *purge, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_scale_purge_value_t  *value;

    value = purge->given.elts;

    for (i = 0; i < purge->given.nelts; i++) {
        if (value[i].name.len == name->len
            && ngx_strncmp(value[i].name.data, name->data, name->len) == 0)
        {
            return &value[i];
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
