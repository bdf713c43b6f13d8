
/* scale_query: methods, shape, statement, options */

#include "ngx_scale_directives.h"


typedef struct {
    ngx_str_t      name;
    ngx_uint_t     value;
} ngx_scale_name_t;


typedef struct {
    ngx_str_t      name;                   /* with its "=", or a bare word */
    char        *(*set)(ngx_conf_t *cf, ngx_scale_query_t *query,
                        ngx_str_t *value);
} ngx_scale_query_option_t;


static ngx_uint_t ngx_scale_directives_name(ngx_scale_name_t *names,
    ngx_str_t *name);
static ngx_uint_t ngx_scale_directives_methods(ngx_conf_t *cf,
    ngx_str_t *words);
static char *ngx_scale_directives_query_option(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *word, ngx_str_t *sql);
static char *ngx_scale_query_set_store(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_read(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_write(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_type(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_status(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_empty(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_role(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_timeout(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_fanout(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_sort(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_query_set_limit(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);


#define NGX_SCALE_UNKNOWN  ((ngx_uint_t) -1)

/* of what was read, in an error */
#define NGX_SCALE_QUOTE    20


static ngx_scale_name_t  ngx_scale_shapes[] = {
    { ngx_string("row"), NGX_SCALE_SHAPE_ROW },
    { ngx_string("rows"), NGX_SCALE_SHAPE_ROWS },
    { ngx_string("value"), NGX_SCALE_SHAPE_VALUE },
    { ngx_string("none"), NGX_SCALE_SHAPE_NONE },
    { ngx_null_string, NGX_SCALE_UNKNOWN }
};

static ngx_scale_query_option_t  ngx_scale_query_options[] = {
    { ngx_string("read"), ngx_scale_query_set_read },
    { ngx_string("write"), ngx_scale_query_set_write },
    { ngx_string("store"), ngx_scale_query_set_store },
    { ngx_string("type="), ngx_scale_query_set_type },
    { ngx_string("status="), ngx_scale_query_set_status },
    { ngx_string("empty="), ngx_scale_query_set_empty },
    { ngx_string("role="), ngx_scale_query_set_role },
    { ngx_string("timeout="), ngx_scale_query_set_timeout },
    { ngx_string("fanout"), ngx_scale_query_set_fanout },
    { ngx_string("fanout="), ngx_scale_query_set_fanout },
    { ngx_string("sort="), ngx_scale_query_set_sort },
    { ngx_string("limit="), ngx_scale_query_set_limit },
    { ngx_null_string, NULL }
};


static ngx_uint_t
ngx_scale_directives_name(ngx_scale_name_t *names, ngx_str_t *name)
{
    for ( /* void */ ; names->name.len; names++) {
        if (ngx_scale_same(&names->name, name)) {
            break;
        }
    }

    return names->value;
}


/* scale_query METHODS shape "SQL" [options] */

char *
ngx_scale_directives_query(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    query->methods = ngx_scale_directives_methods(cf, &word[1]);
    if (query->methods == 0) {
        return NGX_CONF_ERROR;
    }

    query->shape = ngx_scale_directives_name(ngx_scale_shapes, &word[2]);
    if (query->shape == NGX_SCALE_UNKNOWN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the shape is row, rows, value or none, not "
                           "\"%*s\"; write such as GET row \"SELECT ...\"",
                           ngx_min(word[2].len, NGX_SCALE_QUOTE),
                           word[2].data);
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&sql);

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_scale_directives_query_option(cf, query, &word[i], &sql);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (sql.len == 0) {
        return "has no statement: write it in quotes, or file=";
    }

    if (!query->fanout
        && (query->sort || query->limit || query->limit_name.len))
    {
        return "takes sort= and limit= with \"fanout\" only; one shard's rows "
               "are as its statement orders them";
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
ngx_scale_directives_methods(ngx_conf_t *cf, ngx_str_t *words)
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

        method = ngx_scale_conf_method(&name);

        if (method == 0 || (methods & method)) {
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
ngx_scale_directives_query_option(ngx_conf_t *cf, ngx_scale_query_t *query,
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

    if (sql->len && ngx_strlchr(sql->data, sql->data + sql->len, ' ') == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the statement is \"%V\", and \"%V\" is not an "
                           "option; put all of the statement in quotes",
                           sql, word);
        return NGX_CONF_ERROR;
    }

    if (sql->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not an option; there are read, write, "
                           "store, type=, status=, empty=, role=, timeout=, "
                           "fanout, sort=, limit= and file=, and one "
                           "statement%s", word,
                           ngx_strncmp(word->data, "scale_", 6) == 0
                           ? "; a \";\" is missing before it" : "");
        return NGX_CONF_ERROR;
    }

    if (word->len > 5 && ngx_strncmp(word->data, "file=", 5) == 0) {
        value.data = word->data + 5;
        value.len = word->len - 5;
        return ngx_scale_directives_file(cf, &value, sql);
    }

    *sql = *word;

    return NGX_CONF_OK;
}


static char *
ngx_scale_query_set_read(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->read = 1;

    return query->write ? "cannot be both read and write; leave one"
                        : NGX_CONF_OK;
}


static char *
ngx_scale_query_set_write(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->write = 1;

    return query->read ? "cannot be both read and write; leave one"
                       : NGX_CONF_OK;
}


static char *
ngx_scale_query_set_store(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->store = 1;

    return NGX_CONF_OK;
}


static char *
ngx_scale_query_set_type(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if (query->shape != NGX_SCALE_SHAPE_VALUE) {
        return "takes type= with the shape \"value\" only: that value is what "
               "is sent; all else is JSON";
    }

    if (ngx_strlchr(value->data, value->data + value->len, '/') == NULL) {
        return "takes a media type as type=, such as "
               "\"type=text/html; charset=utf-8\"";
    }

    query->type = *value;

    return NGX_CONF_OK;
}


static char *
ngx_scale_query_set_status(ngx_conf_t *cf, ngx_scale_query_t *query,
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
ngx_scale_query_set_empty(ngx_conf_t *cf, ngx_scale_query_t *query,
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


static char *
ngx_scale_query_set_role(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "primary") != 0) {
        return "takes role=primary; where it is not written, a replica "
               "answers if it can";
    }

    query->primary = 1;

    return NGX_CONF_OK;
}


static char *
ngx_scale_query_set_timeout(ngx_conf_t *cf, ngx_scale_query_t *query,
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
ngx_scale_query_set_fanout(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if (value->len && ngx_strcmp(value->data, "partial") != 0) {
        return "takes fanout, or fanout=partial where rows of some shards "
               "are better than none";
    }

    query->fanout = 1;
    query->partial = value->len != 0;

    return NGX_CONF_OK;
}


/* sort=column[:asc|:desc],... */

static char *
ngx_scale_query_set_sort(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    u_char                  *p, *last, *end;
    ngx_scale_shard_sort_t  *by;

    query->sort = ngx_array_create(cf->pool, 2,
                                   sizeof(ngx_scale_shard_sort_t));
    if (query->sort == NULL) {
        return NGX_CONF_ERROR;
    }

    last = value->data + value->len;

    for (p = value->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        by = ngx_array_push(query->sort);
        if (by == NULL) {
            return NGX_CONF_ERROR;
        }

        by->column.data = p;
        by->column.len = end - p;
        by->desc = 0;

        if (by->column.len > 5 && ngx_strncmp(end - 5, ":desc", 5) == 0) {
            by->column.len -= 5;
            by->desc = 1;

        } else if (by->column.len > 4 && ngx_strncmp(end - 4, ":asc", 4) == 0)
        {
            by->column.len -= 4;
        }

        if (by->column.len == 0) {
            return "takes the columns of its ORDER BY as sort=, such as "
                   "\"sort=created:desc,id\"";
        }
    }

    return NGX_CONF_OK;
}


/* limit=n, or limit=:param */

static char *
ngx_scale_query_set_limit(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  n;

    if (value->len > 1 && value->data[0] == ':') {
        query->limit_name.data = value->data + 1;
        query->limit_name.len = value->len - 1;

        return NGX_CONF_OK;
    }

    n = ngx_atoi(value->data, value->len);

    if (n < 1) {
        return "takes the number of its LIMIT as limit=, or its parameter, "
               "such as \"limit=50\" or \"limit=:n\"";
    }

    query->limit = n;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
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
