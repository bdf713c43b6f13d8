
#include "jwt/keys.h"


static void ngx_scale_jwt_keys_cleanup(void *data);


const char  ngx_scale_jwt_keys_many[] = "has more than 64 keys";


static ngx_str_t  ngx_scale_jwt_algs[] = {
    [NGX_SCALE_JWT_RS256] = ngx_string("RS256"),
    [NGX_SCALE_JWT_ES256] = ngx_string("ES256"),
    [NGX_SCALE_JWT_EDDSA] = ngx_string("EdDSA"),
    [NGX_SCALE_JWT_HS256] = ngx_string("HS256")
};


ngx_uint_t
ngx_scale_jwt_alg(ngx_str_t *name)
{
    ngx_uint_t  alg;

    for (alg = 0; alg < NGX_SCALE_JWT_NALGS; alg++) {
        if (ngx_scale_same(&ngx_scale_jwt_algs[alg], name)) {
            break;
        }
    }

    return alg;
}


ngx_scale_jwt_keys_t *
ngx_scale_jwt_keys_create(ngx_uint_t algs, ngx_log_t *log)
{
    ngx_pool_t            *pool;
    ngx_pool_cleanup_t    *cln;
    ngx_scale_jwt_keys_t  *keys;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return NULL;
    }

    keys = ngx_pcalloc(pool, sizeof(ngx_scale_jwt_keys_t));
    cln = ngx_pool_cleanup_add(pool, 0);

    if (keys == NULL || cln == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    cln->handler = ngx_scale_jwt_keys_cleanup;
    cln->data = keys;

    keys->pool = pool;
    keys->algs = algs;

    return keys;
}


void
ngx_scale_jwt_keys_destroy(ngx_scale_jwt_keys_t *keys)
{
    ngx_destroy_pool(keys->pool);
}


static void
ngx_scale_jwt_keys_cleanup(void *data)
{
    ngx_scale_jwt_keys_t *keys = data;

    while (keys->n) {
        ngx_scale_jwt_crypto_free(&keys->keys[--keys->n]);
    }
}


ngx_uint_t
ngx_scale_jwt_keys_count(ngx_scale_jwt_keys_t *keys)
{
    return keys->n;
}


ngx_scale_jwt_key_t *
ngx_scale_jwt_keys_next(ngx_scale_jwt_keys_t *keys)
{
    ngx_scale_jwt_key_t  *key;

    if (keys->n == NGX_SCALE_JWT_KEYS) {
        return NULL;
    }

    key = &keys->keys[keys->n];
    ngx_memzero(key, sizeof(ngx_scale_jwt_key_t));

    return key;
}


void
ngx_scale_jwt_keys_keep(ngx_scale_jwt_keys_t *keys, ngx_scale_jwt_key_t *key)
{
    if (ngx_scale_jwt_keys_may(keys, key->alg)) {
        keys->n++;

    } else {
        ngx_scale_jwt_crypto_free(key);
    }
}


ngx_uint_t
ngx_scale_jwt_keys_may(ngx_scale_jwt_keys_t *keys, ngx_scale_jwt_alg_e alg)
{
    return (keys->algs & 1 << alg) != 0;
}


ngx_int_t
ngx_scale_jwt_keys_pem(ngx_scale_jwt_keys_t *keys, ngx_str_t *content,
    ngx_str_t *kid, const char **reason)
{
    ngx_int_t             rc;
    ngx_str_t             rest;
    ngx_uint_t            found;
    ngx_scale_jwt_key_t  *key;

    rest = *content;

    for (found = 0; /* void */ ; found++) {

        key = ngx_scale_jwt_keys_next(keys);

        if (key == NULL) {
            *reason = ngx_scale_jwt_keys_many;
            return NGX_DECLINED;
        }

        rc = ngx_scale_jwt_crypto_pem(key, &rest, reason);

        if (rc == NGX_OK) {
            rc = ngx_scale_jwt_keys_name(keys, key, kid);
        }

        if (rc != NGX_OK) {
            ngx_scale_jwt_crypto_free(key);
            break;
        }

        ngx_scale_jwt_keys_keep(keys, key);
    }

    return rc == NGX_DONE && found ? NGX_OK
                                   : rc == NGX_ERROR ? NGX_ERROR
                                                     : NGX_DECLINED;
}


ngx_int_t
ngx_scale_jwt_keys_name(ngx_scale_jwt_keys_t *keys, ngx_scale_jwt_key_t *key,
    ngx_str_t *kid)
{
    if (kid->data == NULL) {
        return NGX_OK;
    }

    key->kid.len = kid->len;
    key->kid.data = ngx_pnalloc(keys->pool, kid->len + 1);
    if (key->kid.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(key->kid.data, kid->data, kid->len);

    return NGX_OK;
}
