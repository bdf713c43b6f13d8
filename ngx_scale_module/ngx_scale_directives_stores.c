
/* which database, cache and shard is asked, and what the node has for it */

#include "ngx_scale_auth.h"
#include "ngx_scale_directives.h"
#include "ngx_scale_secrets.h"


static ngx_int_t ngx_scale_directives_read_secret(void *data,
    ngx_pool_t *pool, ngx_str_t *error);


static ngx_str_t *ngx_scale_directives_used(ngx_scale_loc_conf_t *loc,
    ngx_str_t *kind);


#define NGX_SCALE_ZONE_MIN_SIZE  (128 * 1024)


char *
ngx_scale_directives_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    ssize_t     size;
    ngx_str_t  *word;

    if (main->zone_size) {
        return "is duplicate";
    }

    word = cf->args->elts;
    size = ngx_parse_size(&word[1]);

    if (size < NGX_SCALE_ZONE_MIN_SIZE) {
        return "takes a size of at least 128k, such as \"scale_zone 8m;\"";
    }

    main->zone_size = size;

    return NGX_CONF_OK;
}


char *
ngx_scale_directives_secret_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    ngx_int_t   rc;
    ngx_str_t  *word, *file, error;

    if (main->secret_file.len) {
        return "is duplicate";
    }

    word = cf->args->elts;
    file = &main->secret_file;

    if (ngx_conf_full_name(cf->cycle, &word[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *file = word[1];

    rc = ngx_scale_directives_read_secret(main, cf->pool, &error);

    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %V", file, &error);
        return NGX_CONF_ERROR;
    }

    return ngx_scale_secrets_follow(cf, "scale_secret_file", file, 1,
                                    ngx_scale_directives_read_secret, main)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* the keys are replaced as a whole, or stay */

static ngx_int_t
ngx_scale_directives_read_secret(void *data, ngx_pool_t *pool,
    ngx_str_t *error)
{
    ngx_scale_main_conf_t *main = data;

    u_char                  buf[1024];
    ngx_int_t               rc;
    ngx_str_t               content;
    ngx_scale_sign_keys_t   keys;

    content.data = buf;
    content.len = sizeof(buf);

    rc = ngx_scale_secrets_read(&main->secret_file, &content);

    if (rc == NGX_DECLINED) {
        ngx_str_set(error, "has more than 1023 bytes");

    } else if (rc == NGX_OK) {
        rc = ngx_scale_sign_keys(&keys, &content, error);
    }

    if (rc == NGX_OK) {
        *main->secrets = keys;
    }

    ngx_explicit_memzero(buf, sizeof(buf));
    ngx_explicit_memzero(&keys, sizeof(keys));

    return rc;
}


/* database=, cache= and the kinds of scale_auth */

char *
ngx_scale_directives_use(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    u_char      *p;
    ngx_str_t   *word, *field, kind;
    ngx_uint_t   i;

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        p = ngx_strlchr(word[i].data, word[i].data + word[i].len, '=');

        kind.data = word[i].data;
        kind.len = p ? (size_t) (p - word[i].data) : 0;

        field = ngx_scale_directives_used(loc, &kind);

        if (field == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "scale_use knows database=, cache=, session=, "
                               "jwt= and key=, not \"%V\"", &word[i]);
            return NGX_CONF_ERROR;
        }

        if (field->data) {
            return "names the same kind twice; leave one";
        }

        field->data = p + 1;
        field->len = word[i].len - kind.len - 1;
    }

    return NGX_CONF_OK;
}


static ngx_str_t *
ngx_scale_directives_used(ngx_scale_loc_conf_t *loc, ngx_str_t *kind)
{
    ngx_uint_t  n;

    static ngx_str_t  database = ngx_string("database");
    static ngx_str_t  cache = ngx_string("cache");

    if (ngx_scale_same(kind, &database)) {
        return &loc->use_database;
    }

    if (ngx_scale_same(kind, &cache)) {
        return &loc->use_cache;
    }

    n = ngx_scale_auth_named(kind);

    return n == NGX_SCALE_AUTH_NKINDS ? NULL : &loc->use_auth[n];
}


char *
ngx_scale_directives_deadline(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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
ngx_scale_directives_consistency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_int_t    msec;
    ngx_str_t   *word, value;
    ngx_uint_t   i;

    static ngx_str_t  names[] = {
        ngx_string("strict"),
        ngx_string("bounded"),
        ngx_string("primary")
    };

    if (loc->consistency != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;

    for (i = NGX_SCALE_STRICT; i <= NGX_SCALE_PRIMARY; i++) {
        if (ngx_strcmp(word[1].data, names[i].data) == 0) {
            loc->consistency = i;
        }
    }

    if (loc->consistency == NGX_CONF_UNSET_UINT) {
        return "is strict, bounded or primary";
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    value.data = word[2].data + 5;
    value.len = word[2].len - 5;
    msec = NGX_ERROR;

    if (ngx_strncmp(word[2].data, "wait=", 5) == 0) {
        msec = ngx_parse_time(&value, 0);
    }

    if (msec == NGX_ERROR || loc->consistency != NGX_SCALE_BOUNDED) {
        return "takes wait= after bounded, such as "
               "\"scale_consistency bounded wait=100ms;\"";
    }

    loc->wait = msec;

    return NGX_CONF_OK;
}


/* scale_shard_key :param ... */

char *
ngx_scale_directives_shard_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t              *word, *name;
    ngx_uint_t              i;
    ngx_scale_shard_key_t  *key;

    if (loc->shard_key) {
        return "is duplicate";
    }

    key = ngx_pcalloc(cf->pool, sizeof(ngx_scale_shard_key_t));
    if (key == NULL
        || ngx_array_init(&key->names, cf->pool, cf->args->nelts - 1,
                          sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    loc->shard_key = key;
    key->level = loc;
    ngx_scale_conf_here(cf, &key->place);

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (word[i].len < 2 || word[i].data[0] != ':') {
            return "takes parameters, such as \"scale_shard_key :author;\"";
        }

        name = ngx_array_push(&key->names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        name->data = word[i].data + 1;
        name->len = word[i].len - 1;
    }

    return NGX_CONF_OK;
}
