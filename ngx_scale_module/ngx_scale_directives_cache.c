
/* scale_cache_valid, _key, _tags, scale_purge and scale_purge_tags */

#include "ngx_scale_directives.h"


typedef struct {
    ngx_str_t    name;
    size_t       offset;
} ngx_scale_valid_option_t;


static char *ngx_scale_directives_valid_option(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_str_t *word);
static char *ngx_scale_directives_parse_key(ngx_conf_t *cf, ngx_str_t *text,
    ngx_scale_key_t *key);
static char *ngx_scale_directives_purge_value(ngx_conf_t *cf,
    ngx_scale_purge_t *purge, ngx_str_t *word);
static ngx_uint_t ngx_scale_directives_has_row(ngx_array_t *parts);


/* memcached takes more than 30 days for a date (protocol.txt) */
#define NGX_SCALE_MAX_LIFETIME  2350000


static ngx_scale_valid_option_t  ngx_scale_valid_options[] = {
    { ngx_string("missing="), offsetof(ngx_scale_loc_conf_t, missing) },
    { ngx_string("stale="), offsetof(ngx_scale_loc_conf_t, stale) },
    { ngx_string("error="), offsetof(ngx_scale_loc_conf_t, error) },
    { ngx_null_string, 0 }
};


/* scale_cache_valid ttl [missing=] [stale=] [error=] | off */

char *
ngx_scale_directives_valid(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char        *rv;
    time_t       value;
    ngx_str_t   *word;
    ngx_uint_t   i;

    if (loc->ttl != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    word = cf->args->elts;
    loc->missing = 0;
    loc->stale = 0;
    loc->error = 0;
    loc->own_valid = 1;
    ngx_scale_conf_here(cf, &loc->valid);

    if (ngx_strcmp(word[1].data, "off") == 0 && cf->args->nelts == 2) {
        loc->ttl = 0;
        return NGX_CONF_OK;
    }

    value = ngx_parse_time(&word[1], 1);

    if (value == (time_t) NGX_ERROR || value == 0
        || value > NGX_SCALE_MAX_LIFETIME)
    {
        return "takes a lifetime of 1s to 27d, or off";
    }

    loc->ttl = value;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_scale_directives_valid_option(cf, loc, &word[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_valid_option(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *word)
{
    time_t                     value;
    ngx_str_t                  rest;
    ngx_scale_valid_option_t  *option;

    for (option = ngx_scale_valid_options; option->name.len; option++) {

        if (word->len < option->name.len
            || ngx_strncmp(word->data, option->name.data, option->name.len)
               != 0)
        {
            continue;
        }

        rest.data = word->data + option->name.len;
        rest.len = word->len - option->name.len;
        value = ngx_parse_time(&rest, 1);

        if (value == (time_t) NGX_ERROR || value > NGX_SCALE_MAX_LIFETIME) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has no lifetime of at most 27d; write "
                               "one such as \"%V5s\"", word, &option->name);
            return NGX_CONF_ERROR;
        }

        *(time_t *) ((u_char *) loc + option->offset) = value;

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" is not an option; there are missing=, stale= "
                       "and error=", word);
    return NGX_CONF_ERROR;
}


/* scale_cache_audit share% | off */

char *
ngx_scale_directives_audit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_int_t   value;
    ngx_str_t  *word;

    if (loc->audit != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "off") == 0) {
        loc->audit = 0;
        return NGX_CONF_OK;
    }

    value = NGX_ERROR;

    if (word[1].data[word[1].len - 1] == '%') {
        value = ngx_atofp(word[1].data, word[1].len - 1, 4);
    }

    if (value == NGX_ERROR || value > NGX_SCALE_AUDIT_WHOLE) {
        return "takes a share of the hits, such as 0.1%, or off";
    }

    loc->audit = value;

    return NGX_CONF_OK;
}


/* scale_cache_scope private | public */

char *
ngx_scale_directives_scope(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t  *word;

    if (loc->scope != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "private") == 0) {
        loc->scope = NGX_SCALE_SCOPE_PRIVATE;
        return NGX_CONF_OK;
    }

    loc->scope = NGX_SCALE_SCOPE_PUBLIC;

    return ngx_strcmp(word[1].data, "public") == 0
           ? NGX_CONF_OK : "is private or public";
}


static char *
ngx_scale_directives_parse_key(ngx_conf_t *cf, ngx_str_t *text,
    ngx_scale_key_t *key)
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

    key->row = ngx_scale_directives_has_row(&key->parts);

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_directives_has_row(ngx_array_t *parts)
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
ngx_scale_directives_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    rv = ngx_scale_directives_parse_key(cf, &word[1], loc->key);

    if (rv == NGX_CONF_OK && loc->key->row) {
        return "cannot hold :row parts: it is made before there is a row";
    }

    return rv;
}


/* scale_cache_tags and scale_purge_tags; cmd->offset tells which */

char *
ngx_scale_directives_tags(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

        rv = ngx_scale_directives_parse_key(cf, &word[i], tag);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        tag->tag = 1;

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
ngx_scale_directives_purge(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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
        rv = ngx_scale_directives_purge_value(cf, purge, &word[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_purge_value(ngx_conf_t *cf, ngx_scale_purge_t *purge,
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
