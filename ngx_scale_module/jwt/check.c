
/*
 * A token, from its outside in: what is not verified is never read further
 * than its header, of which only the choice of a key is believed.
 */

#include "jwt/base64url.h"
#include "jwt/claims.h"
#include "jwt/seen.h"


/* RFC 7515, section 4.1 */

enum {
    NGX_SCALE_JWT_ALG = 0,
    NGX_SCALE_JWT_KID,
    NGX_SCALE_JWT_TYP,
    NGX_SCALE_JWT_CRIT,
    NGX_SCALE_JWT_NFIELDS
};

static ngx_str_t  ngx_scale_jwt_fields[] = {
    [NGX_SCALE_JWT_ALG] = ngx_string("alg"),
    [NGX_SCALE_JWT_KID] = ngx_string("kid"),
    [NGX_SCALE_JWT_TYP] = ngx_string("typ"),
    [NGX_SCALE_JWT_CRIT] = ngx_string("crit")
};


/* as they came, with the points between them */

typedef struct {
    ngx_str_t              header;
    ngx_str_t              payload;
    ngx_str_t              content;        /* both: what is signed */
    ngx_str_t              signature;
} ngx_scale_jwt_parts_t;


static ngx_int_t ngx_scale_jwt_split(ngx_str_t *token,
    ngx_scale_jwt_parts_t *parts);
static ngx_int_t ngx_scale_jwt_header(ngx_pool_t *pool,
    ngx_scale_jwt_trust_t *trust, ngx_str_t *text, ngx_scale_raw_t *fields,
    ngx_scale_jwt_t *jwt);
static ngx_uint_t ngx_scale_jwt_is_access(ngx_scale_raw_t *typ);
static ngx_int_t ngx_scale_jwt_verify(ngx_pool_t *pool,
    ngx_scale_jwt_keys_t *keys, ngx_scale_jwt_parts_t *parts,
    ngx_scale_raw_t *fields, ngx_scale_jwt_t *jwt);
static ngx_int_t ngx_scale_jwt_try(ngx_scale_jwt_keys_t *keys, ngx_uint_t alg,
    ngx_scale_raw_t *kid, ngx_scale_jwt_parts_t *parts, ngx_str_t *signature);
static ngx_int_t ngx_scale_jwt_malformed(ngx_scale_jwt_t *jwt,
    const char *reason);
static ngx_int_t ngx_scale_jwt_not_ours(ngx_scale_jwt_t *jwt,
    const char *reason);


ngx_int_t
ngx_scale_jwt_check(ngx_pool_t *pool, ngx_scale_jwt_trust_t *trust,
    ngx_str_t *token, time_t now, ngx_scale_jwt_t *jwt)
{
    u_char                 digest[NGX_SCALE_JWT_DIGEST];
    ngx_int_t              rc;
    ngx_scale_raw_t        fields[NGX_SCALE_JWT_NFIELDS];
    ngx_scale_jwt_parts_t  parts;

    if (token->len > NGX_SCALE_JWT_MAX) {
        return ngx_scale_jwt_malformed(jwt, "it has more than 8192 bytes");
    }

    if (ngx_scale_jwt_split(token, &parts) != NGX_OK) {
        return ngx_scale_jwt_malformed(jwt, "it has not three parts");
    }

    ngx_scale_jwt_crypto_digest(token, digest);

    if (!ngx_scale_jwt_seen(trust->keys, digest)) {

        rc = ngx_scale_jwt_header(pool, trust, &parts.header, fields, jwt);

        if (rc == NGX_OK) {
            rc = ngx_scale_jwt_verify(pool, trust->keys, &parts, fields, jwt);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_scale_jwt_seen_add(trust->keys, digest);
    }

    rc = ngx_scale_jwt_decode(pool, &parts.payload, &jwt->payload);

    if (rc == NGX_DECLINED) {
        return ngx_scale_jwt_malformed(jwt, "its payload is not base64url");
    }

    return rc == NGX_OK ? ngx_scale_jwt_claims(pool, trust, now, jwt) : rc;
}


static ngx_int_t
ngx_scale_jwt_split(ngx_str_t *token, ngx_scale_jwt_parts_t *parts)
{
    u_char  *first, *second, *last;

    last = token->data + token->len;
    first = ngx_strlchr(token->data, last, '.');
    second = first ? ngx_strlchr(first + 1, last, '.') : NULL;

    if (second == NULL || ngx_strlchr(second + 1, last, '.')) {
        return NGX_DECLINED;
    }

    parts->header.data = token->data;
    parts->header.len = first - token->data;
    parts->payload.data = first + 1;
    parts->payload.len = second - parts->payload.data;
    parts->content.data = token->data;
    parts->content.len = second - token->data;
    parts->signature.data = second + 1;
    parts->signature.len = last - parts->signature.data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_jwt_header(ngx_pool_t *pool, ngx_scale_jwt_trust_t *trust,
    ngx_str_t *text, ngx_scale_raw_t *fields, ngx_scale_jwt_t *jwt)
{
    ngx_int_t  rc;
    ngx_str_t  header;

    rc = ngx_scale_jwt_decode(pool, text, &header);

    if (rc == NGX_OK) {
        rc = trust->json.read(trust->json.data, pool, &header,
                              ngx_scale_jwt_fields, NGX_SCALE_JWT_NFIELDS,
                              fields);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_scale_jwt_malformed(jwt, "its header is not base64url, no "
                                       "JSON object, or names a member twice");
    }

    /* RFC 7515, section 4.1.11: none of its extensions is understood here */

    if (fields[NGX_SCALE_JWT_CRIT].kind != NGX_SCALE_RAW_ABSENT) {
        return ngx_scale_jwt_malformed(jwt, "its header has a \"crit\"");
    }

    if (!ngx_scale_jwt_is_access(&fields[NGX_SCALE_JWT_TYP])) {
        return ngx_scale_jwt_malformed(jwt, "its \"typ\" is none of JWT and "
                                       "at+jwt");
    }

    return NGX_OK;
}


/*
 * RFC 8725, section 3.11: a token of another kind, such as one that logs out,
 * has another type.  RFC 7515, section 4.1.9: "application/" may be left out.
 */

static ngx_uint_t
ngx_scale_jwt_is_access(ngx_scale_raw_t *typ)
{
    size_t      len;
    ngx_str_t  *name, text;

    static ngx_str_t  names[] = {
        ngx_string("JWT"),
        ngx_string("at+jwt"),              /* RFC 9068, section 2.1 */
        ngx_null_string
    };

    if (typ->kind != NGX_SCALE_RAW_STRING) {
        return typ->kind == NGX_SCALE_RAW_ABSENT;
    }

    text = typ->text;
    len = sizeof("application/") - 1;

    if (text.len > len
        && ngx_strncasecmp(text.data, (u_char *) "application/", len) == 0)
    {
        text.data += len;
        text.len -= len;
    }

    for (name = names; name->len; name++) {
        if (name->len == text.len
            && ngx_strncasecmp(name->data, text.data, text.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_scale_jwt_verify(ngx_pool_t *pool, ngx_scale_jwt_keys_t *keys,
    ngx_scale_jwt_parts_t *parts, ngx_scale_raw_t *fields, ngx_scale_jwt_t *jwt)
{
    ngx_int_t         rc;
    ngx_str_t         signature;
    ngx_uint_t        alg;
    ngx_scale_raw_t  *kid;

    kid = &fields[NGX_SCALE_JWT_KID];
    alg = NGX_SCALE_JWT_NALGS;

    if (fields[NGX_SCALE_JWT_ALG].kind == NGX_SCALE_RAW_STRING) {
        alg = ngx_scale_jwt_alg(&fields[NGX_SCALE_JWT_ALG].text);
    }

    if (alg == NGX_SCALE_JWT_NALGS || !ngx_scale_jwt_keys_may(keys, alg)) {
        return ngx_scale_jwt_not_ours(jwt, "its \"alg\" is none that is "
                                      "allowed");
    }

    if (kid->kind != NGX_SCALE_RAW_ABSENT
        && kid->kind != NGX_SCALE_RAW_STRING)
    {
        return ngx_scale_jwt_malformed(jwt, "its \"kid\" is no string");
    }

    rc = ngx_scale_jwt_decode(pool, &parts->signature, &signature);

    if (rc == NGX_DECLINED) {
        return ngx_scale_jwt_malformed(jwt, "its signature is not base64url");
    }

    if (rc == NGX_OK) {
        rc = ngx_scale_jwt_try(keys, alg, kid, parts, &signature);
    }

    switch (rc) {

    case NGX_DONE:
        return ngx_scale_jwt_not_ours(jwt, "there is no key of its \"kid\" "
                                      "and \"alg\"");

    case NGX_DECLINED:
        return ngx_scale_jwt_not_ours(jwt, "no key verifies its signature");

    default:
        return rc;
    }
}


/* NGX_DONE: there is no key to try */

static ngx_int_t
ngx_scale_jwt_try(ngx_scale_jwt_keys_t *keys, ngx_uint_t alg,
    ngx_scale_raw_t *kid, ngx_scale_jwt_parts_t *parts, ngx_str_t *signature)
{
    ngx_uint_t            i, tries;
    ngx_scale_jwt_key_t  *key;

    tries = 0;

    for (i = 0; i < keys->n && tries < NGX_SCALE_JWT_TRIES; i++) {

        key = &keys->keys[i];

        if (key->alg != alg) {
            continue;
        }

        if (kid->kind == NGX_SCALE_RAW_STRING
            && (key->kid.data == NULL
                || !ngx_scale_same(&key->kid, &kid->text)))
        {
            continue;
        }

        if (ngx_scale_jwt_crypto_verify(key, &parts->content, signature)
            == NGX_OK)
        {
            return NGX_OK;
        }

        tries++;
    }

    return tries ? NGX_DECLINED : NGX_DONE;
}


static ngx_int_t
ngx_scale_jwt_malformed(ngx_scale_jwt_t *jwt, const char *reason)
{
    return ngx_scale_jwt_refuse(jwt, "the token is malformed", reason);
}


static ngx_int_t
ngx_scale_jwt_not_ours(ngx_scale_jwt_t *jwt, const char *reason)
{
    return ngx_scale_jwt_refuse(jwt, "the signature is not valid", reason);
}
