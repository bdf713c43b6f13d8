
/* scale_query: methods, shape, statement */

#include "ngx_scale_directives.h"


typedef struct {
    ngx_str_t      name;
    ngx_uint_t     value;
} ngx_scale_shape_t;


static ngx_uint_t ngx_scale_directives_methods(ngx_conf_t *cf,
    ngx_str_t *words);
static ngx_uint_t ngx_scale_directives_shape(ngx_conf_t *cf, ngx_str_t *word);
static char *ngx_scale_directives_query_word(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *word, ngx_str_t *sql);
static char *ngx_scale_directives_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);
static char *ngx_scale_directives_one_answer(ngx_conf_t *cf,
    ngx_array_t *queries);


#define NGX_SCALE_UNKNOWN  ((ngx_uint_t) -1)

/* of what was read, in an error */
#define NGX_SCALE_QUOTE    20


static ngx_scale_shape_t  ngx_scale_shapes[] = {
    { ngx_string("row"), NGX_SCALE_SHAPE_ROW },
    { ngx_string("rows"), NGX_SCALE_SHAPE_ROWS },
    { ngx_string("value"), NGX_SCALE_SHAPE_VALUE },
    { ngx_string("none"), NGX_SCALE_SHAPE_NONE },
    { ngx_null_string, 0 }
};


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

    query->shape = ngx_scale_directives_shape(cf, &word[2]);
    if (query->shape == NGX_SCALE_UNKNOWN) {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&sql);

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_scale_directives_query_word(cf, query, &word[i], &sql);
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

    return ngx_scale_directives_one_answer(cf, loc->queries);
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


static ngx_uint_t
ngx_scale_directives_shape(ngx_conf_t *cf, ngx_str_t *word)
{
    ngx_scale_shape_t  *shape;

    for (shape = ngx_scale_shapes; shape->name.len; shape++) {
        if (ngx_scale_same(&shape->name, word)) {
            return shape->value;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "the shape is row, rows, value or none, not \"%*s\"; "
                       "write such as GET row \"SELECT ...\"",
                       ngx_min(word->len, NGX_SCALE_QUOTE), word->data);

    return NGX_SCALE_UNKNOWN;
}


static char *
ngx_scale_directives_query_word(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *word, ngx_str_t *sql)
{
    char       *rv;
    ngx_str_t   value;

    if (ngx_scale_directives_option(cf, query, word, &rv) == NGX_OK) {
        return rv;
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
                           "fanout, sort=, limit=, claim= and file=, and one "
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


/* of those before the last an empty= is the use, if they have rows at all */

static char *
ngx_scale_directives_one_answer(ngx_conf_t *cf, ngx_array_t *queries)
{
    ngx_uint_t          i, both;
    ngx_scale_query_t  *query, *last;

    query = queries->elts;
    last = &query[queries->nelts - 1];

    for (i = 0; i < queries->nelts - 1; i++) {
        both = query[i].methods & last->methods;

        if (both == 0 || query[i].empty
            || query[i].shape == NGX_SCALE_SHAPE_NONE
            || last->shape == NGX_SCALE_SHAPE_NONE)
        {
            continue;
        }

        both &= ~both + 1;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "one statement of %V answers, and that of line %ui "
                           "would, too; write the shape \"none\" for all "
                           "others, with empty=404 where nothing may go on "
                           "without a row",
                           ngx_scale_conf_method_name(both),
                           query[i].place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
