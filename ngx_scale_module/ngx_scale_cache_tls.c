
/* tls and auth_file, of the block scale_cache */

#include "ngx_scale_cache_tls.h"
#include "ngx_scale_secrets.h"


static ngx_int_t ngx_scale_cache_tls_follow(ngx_conf_t *cf,
    ngx_scale_memc_tls_t *tls, ngx_scale_memc_tls_conf_t *conf);
static ngx_int_t ngx_scale_cache_tls_read_auth(void *data, ngx_pool_t *pool,
    ngx_str_t *error);
static ngx_int_t ngx_scale_cache_tls_renew(void *data, ngx_pool_t *pool,
    ngx_str_t *error);
static char *ngx_scale_cache_tls_argument(ngx_conf_t *cf, ngx_str_t *word,
    ngx_scale_memc_tls_conf_t *tls, ngx_str_t *name);


/* tls on [ca=] [name=] [cert=] [key=] [verify=off] */

char *
ngx_scale_cache_tls_set(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_conf_t  *cache = block;

    char                       *rv;
    ngx_int_t                   rc;
    ngx_str_t                  *word, error;
    ngx_uint_t                  i;
    ngx_scale_memc_tls_conf_t   tls;

    if (cache->tls) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "on") != 0) {
        return "takes \"on\" and what belongs to it; without the line there is "
               "no TLS";
    }

    ngx_memzero(&tls, sizeof(ngx_scale_memc_tls_conf_t));
    tls.verify = 1;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_scale_cache_tls_argument(cf, &word[i], &tls,
                                          &cache->tls_name);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if ((tls.cert.len == 0) != (tls.key.len == 0)) {
        return "takes cert= and key= together";
    }

    if (!tls.verify && (tls.ca.len || cache->tls_name.len)) {
        return "takes verify=off without ca= and name=: nothing is compared";
    }

    ngx_str_null(&error);

    rc = ngx_scale_memc_tls_create(cf->pool, &tls, &cache->tls, &error);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"tls\": %V", &error);
    }

    cache->tls_verify = tls.verify;

    return rc == NGX_OK && ngx_scale_cache_tls_follow(cf, cache->tls, &tls)
                           == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_scale_cache_tls_follow(ngx_conf_t *cf, ngx_scale_memc_tls_t *tls,
    ngx_scale_memc_tls_conf_t *conf)
{
    ngx_str_t  files[] = { conf->cert, conf->key, conf->ca };

    if (conf->cert.len == 0 && conf->ca.len == 0) {
        return NGX_OK;
    }

    return ngx_scale_secrets_follow(cf, "tls", files, 3,
                                    ngx_scale_cache_tls_renew, tls);
}


static char *
ngx_scale_cache_tls_argument(ngx_conf_t *cf, ngx_str_t *word,
    ngx_scale_memc_tls_conf_t *tls, ngx_str_t *name)
{
    size_t       len;
    ngx_str_t   *field;
    ngx_uint_t   i;

    static ngx_str_t  names[] = {
        ngx_string("name="),
        ngx_string("ca="),
        ngx_string("cert="),
        ngx_string("key=")
    };

    ngx_str_t  *fields[] = { name, &tls->ca, &tls->cert, &tls->key };

    if (ngx_strcmp(word->data, "verify=off") == 0) {
        tls->verify = 0;
        return NGX_CONF_OK;
    }

    for (i = 0; i < 4; i++) {
        len = names[i].len;
        field = fields[i];

        if (word->len <= len
            || ngx_strncmp(word->data, names[i].data, len) != 0)
        {
            continue;
        }

        if (field->len) {
            return "has an argument twice; leave one";
        }

        field->data = word->data + len;
        field->len = word->len - len;

        if (field == name) {
            return NGX_CONF_OK;
        }

        return ngx_conf_full_name(cf->cycle, field, 1) == NGX_OK
               ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"tls\" knows ca=, name=, cert=, key= and verify=off, "
                       "not \"%V\"", word);

    return NGX_CONF_ERROR;
}


char *
ngx_scale_cache_tls_names(ngx_conf_t *cf, ngx_scale_cache_store_t *store)
{
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *server;

    if (!store->conf.tls_verify || store->conf.tls_name.len) {
        return NGX_CONF_OK;
    }

    server = store->conf.servers.elts;

    for (i = 0; i < store->conf.servers.nelts; i++) {

        if (ngx_strncmp(server[i].name.data, "unix:", 5) == 0) {
            ngx_scale_conf_error(cf, &store->place,
                                 "cache \"%V\": server \"%V\" has no host "
                                 "name that its certificate could hold; write "
                                 "\"tls on name=\", or verify=off",
                                 &store->conf.name, &server[i].name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_cache_tls_auth(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_cache_conf_t  *cache = block;

    ngx_int_t   rc;
    ngx_str_t  *word, *file, error;

    if (cache->auth_file.len) {
        return "is duplicate";
    }

    word = cf->args->elts;
    file = &cache->auth_file;

    if (ngx_conf_full_name(cf->cycle, &word[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *file = word[1];

    cache->auth.data = ngx_scale_secret_alloc(cf->pool,
                                              NGX_SCALE_GREETING_AUTH_SIZE);
    if (cache->auth.data == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_scale_cache_tls_read_auth(cache, cf->pool, &error);

    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %V", file, &error);
        return NGX_CONF_ERROR;
    }

    return ngx_scale_secrets_follow(cf, "auth_file", file, 1,
                                    ngx_scale_cache_tls_read_auth, cache)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_scale_cache_tls_read_auth(void *data, ngx_pool_t *pool, ngx_str_t *error)
{
    ngx_scale_cache_conf_t  *cache = data;

    u_char      buf[NGX_SCALE_GREETING_MAX_AUTH + 1];
    ngx_int_t   rc;
    ngx_str_t   content;

    content.data = buf;
    content.len = sizeof(buf);

    rc = ngx_scale_secrets_read(&cache->auth_file, &content);

    if (rc == NGX_DECLINED) {
        ngx_str_set(error, "has more than 250 bytes");

    } else if (rc == NGX_OK) {
        rc = ngx_scale_greeting_auth(&content, &cache->auth, error);
    }

    ngx_explicit_memzero(buf, sizeof(buf));

    return rc;
}


static ngx_int_t
ngx_scale_cache_tls_renew(void *data, ngx_pool_t *pool, ngx_str_t *error)
{
    return ngx_scale_memc_tls_renew(data, pool, error);
}
