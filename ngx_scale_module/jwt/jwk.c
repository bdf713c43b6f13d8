
/* keys out of a JWK set */

#include "jwt/base64url.h"
#include "jwt/keys.h"


#define NGX_SCALE_JWT_SECRET     32        /* RFC 7518, section 3.2 */


/* RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2 */

enum {
    NGX_SCALE_JWK_KTY = 0,
    NGX_SCALE_JWK_USE,
    NGX_SCALE_JWK_KEY_OPS,
    NGX_SCALE_JWK_ALG,
    NGX_SCALE_JWK_KID,
    NGX_SCALE_JWK_CRV,
    NGX_SCALE_JWK_N,
    NGX_SCALE_JWK_E,
    NGX_SCALE_JWK_X,
    NGX_SCALE_JWK_Y,
    NGX_SCALE_JWK_K,
    NGX_SCALE_JWK_D,
    NGX_SCALE_JWK_NMEMBERS
};

static ngx_str_t  ngx_scale_jwk_names[] = {
    [NGX_SCALE_JWK_KTY] = ngx_string("kty"),
    [NGX_SCALE_JWK_USE] = ngx_string("use"),
    [NGX_SCALE_JWK_KEY_OPS] = ngx_string("key_ops"),
    [NGX_SCALE_JWK_ALG] = ngx_string("alg"),
    [NGX_SCALE_JWK_KID] = ngx_string("kid"),
    [NGX_SCALE_JWK_CRV] = ngx_string("crv"),
    [NGX_SCALE_JWK_N] = ngx_string("n"),
    [NGX_SCALE_JWK_E] = ngx_string("e"),
    [NGX_SCALE_JWK_X] = ngx_string("x"),
    [NGX_SCALE_JWK_Y] = ngx_string("y"),
    [NGX_SCALE_JWK_K] = ngx_string("k"),
    [NGX_SCALE_JWK_D] = ngx_string("d")
};


typedef struct ngx_scale_jwk_kind_s  ngx_scale_jwk_kind_t;

struct ngx_scale_jwk_kind_s {
    ngx_str_t              kty;
    ngx_str_t              crv;            /* empty: it has none */
    ngx_str_t              alg;
    ngx_scale_jwt_alg_e    id;
    ngx_uint_t             numbers[2];     /* of which it is made; 0: none */
    ngx_int_t            (*make)(ngx_scale_jwt_key_t *key, ngx_str_t *numbers,
                                 const char **reason);
};


static ngx_scale_jwk_kind_t *ngx_scale_jwk_kind(ngx_scale_raw_t *members);
static ngx_uint_t ngx_scale_jwk_signs(ngx_scale_raw_t *members);
static ngx_int_t ngx_scale_jwk_add(ngx_scale_jwt_keys_t *keys,
    ngx_scale_raw_t *members, const char **reason);
static ngx_int_t ngx_scale_jwk_numbers(ngx_scale_jwt_keys_t *keys,
    ngx_scale_jwk_kind_t *kind, ngx_scale_raw_t *members, ngx_str_t *numbers,
    const char **reason);
static ngx_int_t ngx_scale_jwk_rsa(ngx_scale_jwt_key_t *key,
    ngx_str_t *numbers, const char **reason);
static ngx_int_t ngx_scale_jwk_ec(ngx_scale_jwt_key_t *key,
    ngx_str_t *numbers, const char **reason);
static ngx_int_t ngx_scale_jwk_okp(ngx_scale_jwt_key_t *key,
    ngx_str_t *numbers, const char **reason);
static ngx_int_t ngx_scale_jwk_oct(ngx_scale_jwt_key_t *key,
    ngx_str_t *numbers, const char **reason);
static ngx_uint_t ngx_scale_jwk_is(ngx_scale_raw_t *member, ngx_str_t *text);


static ngx_scale_jwk_kind_t  ngx_scale_jwk_kinds[] = {
    { ngx_string("RSA"), ngx_null_string, ngx_string("RS256"),
      NGX_SCALE_JWT_RS256,
      { NGX_SCALE_JWK_N, NGX_SCALE_JWK_E }, ngx_scale_jwk_rsa },
    { ngx_string("EC"), ngx_string("P-256"), ngx_string("ES256"),
      NGX_SCALE_JWT_ES256,
      { NGX_SCALE_JWK_X, NGX_SCALE_JWK_Y }, ngx_scale_jwk_ec },
    { ngx_string("OKP"), ngx_string("Ed25519"), ngx_string("EdDSA"),
      NGX_SCALE_JWT_EDDSA,
      { NGX_SCALE_JWK_X, 0 }, ngx_scale_jwk_okp },
    { ngx_string("oct"), ngx_null_string, ngx_string("HS256"),
      NGX_SCALE_JWT_HS256,
      { NGX_SCALE_JWK_K, 0 }, ngx_scale_jwk_oct },
    { ngx_null_string, ngx_null_string, ngx_null_string, 0, { 0, 0 }, NULL }
};


ngx_int_t
ngx_scale_jwt_keys_jwks(ngx_scale_jwt_keys_t *keys, ngx_str_t *content,
    ngx_scale_jwt_json_t *json, const char **reason)
{
    ngx_int_t        rc;
    ngx_uint_t       i;
    ngx_scale_raw_t  set, members[NGX_SCALE_JWK_NMEMBERS];

    static ngx_str_t  name = ngx_string("keys");

    rc = json->read(json->data, keys->pool, content, &name, 1, &set);

    if (rc == NGX_DECLINED || (rc == NGX_OK && set.kind != NGX_SCALE_RAW_ARRAY))
    {
        *reason = "is no JWK set, {\"keys\": [...]}, or is cut off";
        return NGX_DECLINED;
    }

    for (i = 0; rc == NGX_OK && i < set.nelts; i++) {

        rc = json->read(json->data, keys->pool, &set.elts[i].text,
                        ngx_scale_jwk_names, NGX_SCALE_JWK_NMEMBERS, members);

        if (rc == NGX_DECLINED) {
            *reason = "has a key that is no JSON object";

        } else if (rc == NGX_OK) {
            rc = ngx_scale_jwk_add(keys, members, reason);
        }
    }

    return rc;
}


static ngx_int_t
ngx_scale_jwk_add(ngx_scale_jwt_keys_t *keys, ngx_scale_raw_t *members,
    const char **reason)
{
    ngx_int_t              rc;
    ngx_str_t              numbers[2];
    ngx_scale_raw_t       *kid;
    ngx_scale_jwt_key_t   *key;
    ngx_scale_jwk_kind_t  *kind;

    kind = ngx_scale_jwk_kind(members);

    if (kind == NULL || !ngx_scale_jwt_keys_may(keys, kind->id)) {
        return NGX_OK;
    }

    if (members[NGX_SCALE_JWK_D].kind != NGX_SCALE_RAW_ABSENT) {
        *reason = "has a private key: leave \"d\" and what belongs to it "
                  "with who signs";
        return NGX_DECLINED;
    }

    key = ngx_scale_jwt_keys_next(keys);

    if (key == NULL) {
        *reason = ngx_scale_jwt_keys_many;
        return NGX_DECLINED;
    }

    rc = ngx_scale_jwk_numbers(keys, kind, members, numbers, reason);

    if (rc == NGX_OK) {
        rc = kind->make(key, numbers, reason);
    }

    kid = &members[NGX_SCALE_JWK_KID];

    if (rc == NGX_OK && kid->kind == NGX_SCALE_RAW_STRING) {
        rc = ngx_scale_jwt_keys_name(keys, key, &kid->text);
    }

    if (rc != NGX_OK) {
        ngx_scale_jwt_crypto_free(key);
        return rc;
    }

    ngx_scale_jwt_keys_keep(keys, key);

    return NGX_OK;
}


/* NULL: it is not for what is done here */

static ngx_scale_jwk_kind_t *
ngx_scale_jwk_kind(ngx_scale_raw_t *members)
{
    ngx_scale_jwk_kind_t  *kind;

    for (kind = ngx_scale_jwk_kinds; kind->make; kind++) {

        if (ngx_scale_jwk_is(&members[NGX_SCALE_JWK_KTY], &kind->kty)
            && (kind->crv.len == 0
                || ngx_scale_jwk_is(&members[NGX_SCALE_JWK_CRV], &kind->crv))
            && (members[NGX_SCALE_JWK_ALG].kind == NGX_SCALE_RAW_ABSENT
                || ngx_scale_jwk_is(&members[NGX_SCALE_JWK_ALG], &kind->alg)))
        {
            return ngx_scale_jwk_signs(members) ? kind : NULL;
        }
    }

    return NULL;
}


/* RFC 7517, sections 4.2 and 4.3 */

static ngx_uint_t
ngx_scale_jwk_signs(ngx_scale_raw_t *members)
{
    ngx_uint_t        i;
    ngx_scale_raw_t  *use, *ops;

    static ngx_str_t  sig = ngx_string("sig");
    static ngx_str_t  verify = ngx_string("verify");

    use = &members[NGX_SCALE_JWK_USE];

    if (use->kind != NGX_SCALE_RAW_ABSENT && !ngx_scale_jwk_is(use, &sig)) {
        return 0;
    }

    ops = &members[NGX_SCALE_JWK_KEY_OPS];

    for (i = 0; i < ops->nelts; i++) {
        if (ngx_scale_jwk_is(&ops->elts[i], &verify)) {
            return 1;
        }
    }

    return ops->kind == NGX_SCALE_RAW_ABSENT;
}


static ngx_int_t
ngx_scale_jwk_numbers(ngx_scale_jwt_keys_t *keys, ngx_scale_jwk_kind_t *kind,
    ngx_scale_raw_t *members, ngx_str_t *numbers, const char **reason)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_scale_raw_t  *member;

    for (i = 0; i < 2 && kind->numbers[i]; i++) {

        member = &members[kind->numbers[i]];
        rc = NGX_DECLINED;

        if (member->kind == NGX_SCALE_RAW_STRING && member->text.len) {
            rc = ngx_scale_jwt_decode(keys->pool, &member->text, &numbers[i]);
        }

        if (rc != NGX_OK) {
            *reason = "has a key that lacks a number, or whose number is not "
                      "base64url";
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_jwk_rsa(ngx_scale_jwt_key_t *key, ngx_str_t *numbers,
    const char **reason)
{
    return ngx_scale_jwt_crypto_rsa(key, &numbers[0], &numbers[1], reason);
}


static ngx_int_t
ngx_scale_jwk_ec(ngx_scale_jwt_key_t *key, ngx_str_t *numbers,
    const char **reason)
{
    return ngx_scale_jwt_crypto_ec(key, &numbers[0], &numbers[1], reason);
}


static ngx_int_t
ngx_scale_jwk_okp(ngx_scale_jwt_key_t *key, ngx_str_t *numbers,
    const char **reason)
{
    return ngx_scale_jwt_crypto_okp(key, &numbers[0], reason);
}


static ngx_int_t
ngx_scale_jwk_oct(ngx_scale_jwt_key_t *key, ngx_str_t *numbers,
    const char **reason)
{
    key->alg = NGX_SCALE_JWT_HS256;
    key->secret = numbers[0];

    if (key->secret.len < NGX_SCALE_JWT_SECRET) {
        *reason = "has a secret of less than 32 bytes";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_jwk_is(ngx_scale_raw_t *member, ngx_str_t *text)
{
    return member->kind == NGX_SCALE_RAW_STRING
           && ngx_scale_same(&member->text, text);
}
