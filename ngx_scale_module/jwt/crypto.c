
#include "jwt/crypto.h"
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>


static ngx_int_t ngx_scale_jwt_crypto_build(ngx_scale_jwt_key_t *key,
    const char *type, OSSL_PARAM_BLD *build);
static ngx_int_t ngx_scale_jwt_crypto_take(ngx_scale_jwt_key_t *key,
    EVP_PKEY *verifier, const char **reason);
static ngx_uint_t ngx_scale_jwt_crypto_is_p256(EVP_PKEY *verifier);
static ngx_uint_t ngx_scale_jwt_crypto_is_sound(EVP_PKEY *verifier);
static ngx_int_t ngx_scale_jwt_crypto_hmac(ngx_scale_jwt_key_t *key,
    ngx_str_t *content, ngx_str_t *signature);
static ngx_int_t ngx_scale_jwt_crypto_der(ngx_str_t *signature,
    u_char *der);
static ngx_int_t ngx_scale_jwt_crypto_public(ngx_scale_jwt_key_t *key,
    ngx_str_t *content, u_char *signature, size_t len);


#define NGX_SCALE_JWT_RSA_BITS   2048      /* RFC 7518, section 3.3 */
#define NGX_SCALE_JWT_COORDINATE 32        /* bytes, of P-256 and Ed25519 */

/* two INTEGERs of 33 bytes at most in a SEQUENCE */
#define NGX_SCALE_JWT_DER        72


static const char  ngx_scale_jwt_crypto_broken[] =
    "has a key that is none: its numbers do not make one";


ngx_int_t
ngx_scale_jwt_crypto_rsa(ngx_scale_jwt_key_t *key, ngx_str_t *n, ngx_str_t *e,
    const char **reason)
{
    BIGNUM          *modulus, *exponent;
    ngx_int_t        rc;
    OSSL_PARAM_BLD  *build;

    build = OSSL_PARAM_BLD_new();
    modulus = BN_bin2bn(n->data, n->len, NULL);
    exponent = BN_bin2bn(e->data, e->len, NULL);

    if (build && modulus && exponent
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
    {
        rc = ngx_scale_jwt_crypto_build(key, "RSA", build);

    } else {
        rc = NGX_ERROR;
    }

    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);

    return rc == NGX_OK ? ngx_scale_jwt_crypto_take(key, key->verifier, reason)
                        : rc;
}


ngx_int_t
ngx_scale_jwt_crypto_ec(ngx_scale_jwt_key_t *key, ngx_str_t *x, ngx_str_t *y,
    const char **reason)
{
    u_char           point[1 + 2 * NGX_SCALE_JWT_COORDINATE];
    ngx_int_t        rc;
    OSSL_PARAM_BLD  *build;

    if (x->len != NGX_SCALE_JWT_COORDINATE
        || y->len != NGX_SCALE_JWT_COORDINATE)
    {
        *reason = ngx_scale_jwt_crypto_broken;
        return NGX_DECLINED;
    }

    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    ngx_memcpy(point + 1, x->data, x->len);
    ngx_memcpy(point + 1 + x->len, y->data, y->len);

    build = OSSL_PARAM_BLD_new();

    if (build
        && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                           "prime256v1", 0)
        && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, sizeof(point)))
    {
        rc = ngx_scale_jwt_crypto_build(key, "EC", build);

    } else {
        rc = NGX_ERROR;
    }

    OSSL_PARAM_BLD_free(build);

    return rc == NGX_OK ? ngx_scale_jwt_crypto_take(key, key->verifier, reason)
                        : rc;
}


/* what OpenSSL does not take for a key leaves "verifier" NULL */

static ngx_int_t
ngx_scale_jwt_crypto_build(ngx_scale_jwt_key_t *key, const char *type,
    OSSL_PARAM_BLD *build)
{
    EVP_PKEY      *verifier;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    verifier = NULL;
    params = OSSL_PARAM_BLD_to_param(build);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void) EVP_PKEY_fromdata(ctx, &verifier, EVP_PKEY_PUBLIC_KEY, params);
    }

    key->verifier = verifier;

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return params && ctx ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_scale_jwt_crypto_okp(ngx_scale_jwt_key_t *key, ngx_str_t *x,
    const char **reason)
{
    return ngx_scale_jwt_crypto_take(key,
                                     EVP_PKEY_new_raw_public_key(
                                         EVP_PKEY_ED25519, NULL, x->data,
                                         x->len),
                                     reason);
}


ngx_int_t
ngx_scale_jwt_crypto_pem(ngx_scale_jwt_key_t *key, ngx_str_t *text,
    const char **reason)
{
    BIO                  *bio;
    int                   found;
    long                  len;
    char                 *name, *header;
    size_t                taken;
    EVP_PKEY             *verifier;
    u_char               *der;
    ngx_int_t             rc;
    const unsigned char  *p;

    bio = BIO_new_mem_buf(text->data, text->len);
    if (bio == NULL) {
        return NGX_ERROR;
    }

    found = PEM_read_bio(bio, &name, &header, &der, &len);
    taken = text->len - BIO_pending(bio);

    BIO_free(bio);

    if (!found) {
        rc = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
             ? NGX_DONE : NGX_DECLINED;
        *reason = "is no PEM file, or is cut off";

        ERR_clear_error();

        return rc;
    }

    text->data += taken;
    text->len -= taken;

    if (ngx_strcmp(name, PEM_STRING_PUBLIC) == 0) {
        p = der;
        verifier = d2i_PUBKEY(NULL, &p, len);
        rc = ngx_scale_jwt_crypto_take(key, verifier, reason);

    } else {
        *reason = "has another part than a PUBLIC KEY, which is all that is "
                  "needed here: \"openssl pkey -in file -pubout\" writes it";
        rc = NGX_DECLINED;
    }

    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, len);

    return rc;
}


/* the key's from here on, good or not */

static ngx_int_t
ngx_scale_jwt_crypto_take(ngx_scale_jwt_key_t *key, EVP_PKEY *verifier,
    const char **reason)
{
    key->verifier = verifier;
    *reason = NULL;

    switch (verifier ? EVP_PKEY_get_base_id(verifier) : EVP_PKEY_NONE) {

    case EVP_PKEY_RSA:
        key->alg = NGX_SCALE_JWT_RS256;

        if (EVP_PKEY_get_bits(verifier) < NGX_SCALE_JWT_RSA_BITS) {
            *reason = "has an RSA key of less than 2048 bits";
        }

        break;

    case EVP_PKEY_EC:
        key->alg = NGX_SCALE_JWT_ES256;

        if (!ngx_scale_jwt_crypto_is_p256(verifier)) {
            *reason = "has an elliptic curve key that is not of P-256";
        }

        break;

    case EVP_PKEY_ED25519:
        key->alg = NGX_SCALE_JWT_EDDSA;
        break;

    case EVP_PKEY_NONE:
        *reason = ngx_scale_jwt_crypto_broken;
        break;

    default:
        *reason = "has a key that is not RSA, P-256 or Ed25519";
    }

    if (*reason == NULL && !ngx_scale_jwt_crypto_is_sound(verifier)) {
        *reason = ngx_scale_jwt_crypto_broken;
    }

    ERR_clear_error();

    return *reason ? NGX_DECLINED : NGX_OK;
}


static ngx_uint_t
ngx_scale_jwt_crypto_is_p256(EVP_PKEY *verifier)
{
    char    name[32];
    size_t  len;

    return EVP_PKEY_get_group_name(verifier, name, sizeof(name), &len)
           && ngx_strcmp(name, "prime256v1") == 0;
}


/*
 * A point is on its curve.  Of RSA, OpenSSL's check is a test for primes that
 * takes milliseconds: here only what would let anybody sign.
 */

static ngx_uint_t
ngx_scale_jwt_crypto_is_sound(EVP_PKEY *verifier)
{
    int            sound;
    BIGNUM        *n, *e;
    EVP_PKEY_CTX  *ctx;

    if (EVP_PKEY_get_base_id(verifier) == EVP_PKEY_RSA) {
        n = NULL;
        e = NULL;

        sound = EVP_PKEY_get_bn_param(verifier, OSSL_PKEY_PARAM_RSA_N, &n)
                && EVP_PKEY_get_bn_param(verifier, OSSL_PKEY_PARAM_RSA_E, &e)
                && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);

        BN_free(n);
        BN_free(e);

        return sound;
    }

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, verifier, NULL);
    sound = ctx && EVP_PKEY_public_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);

    return sound;
}


void
ngx_scale_jwt_crypto_free(ngx_scale_jwt_key_t *key)
{
    EVP_PKEY_free(key->verifier);

    if (key->secret.len) {
        OPENSSL_cleanse(key->secret.data, key->secret.len);
    }
}


ngx_int_t
ngx_scale_jwt_crypto_verify(ngx_scale_jwt_key_t *key, ngx_str_t *content,
    ngx_str_t *signature)
{
    u_char     der[NGX_SCALE_JWT_DER];
    ngx_int_t  n;

    switch (key->alg) {

    case NGX_SCALE_JWT_HS256:
        return ngx_scale_jwt_crypto_hmac(key, content, signature);

    case NGX_SCALE_JWT_ES256:
        n = ngx_scale_jwt_crypto_der(signature, der);

        return n > 0 ? ngx_scale_jwt_crypto_public(key, content, der, n)
                     : NGX_DECLINED;

    default:
        return ngx_scale_jwt_crypto_public(key, content, signature->data,
                                           signature->len);
    }
}


static ngx_int_t
ngx_scale_jwt_crypto_hmac(ngx_scale_jwt_key_t *key, ngx_str_t *content,
    ngx_str_t *signature)
{
    u_char        mac[EVP_MAX_MD_SIZE];
    unsigned int  len;

    if (HMAC(EVP_sha256(), key->secret.data, key->secret.len, content->data,
             content->len, mac, &len)
        == NULL)
    {
        ERR_clear_error();
        return NGX_DECLINED;
    }

    return signature->len == len
           && CRYPTO_memcmp(signature->data, mac, len) == 0
           ? NGX_OK : NGX_DECLINED;
}


/* RFC 7518, section 3.4: r and s as they are; OpenSSL takes them in DER */

static ngx_int_t
ngx_scale_jwt_crypto_der(ngx_str_t *signature, u_char *der)
{
    BIGNUM     *r, *s;
    ngx_int_t   n;
    ECDSA_SIG  *sig;

    if (signature->len != 2 * NGX_SCALE_JWT_COORDINATE) {
        return NGX_DECLINED;
    }

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(signature->data, NGX_SCALE_JWT_COORDINATE, NULL);
    s = BN_bin2bn(signature->data + NGX_SCALE_JWT_COORDINATE,
                  NGX_SCALE_JWT_COORDINATE, NULL);

    if (sig && r && s && ECDSA_SIG_set0(sig, r, s)) {
        n = i2d_ECDSA_SIG(sig, &der);

    } else {
        BN_free(r);
        BN_free(s);
        n = NGX_ERROR;
    }

    ECDSA_SIG_free(sig);

    return n;
}


static ngx_int_t
ngx_scale_jwt_crypto_public(ngx_scale_jwt_key_t *key, ngx_str_t *content,
    u_char *signature, size_t len)
{
    int          rc;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    /* RFC 8032, section 5.1: Ed25519 has its own hash */

    rc = EVP_DigestVerifyInit(ctx, NULL,
                              key->alg == NGX_SCALE_JWT_EDDSA ? NULL
                                                              : EVP_sha256(),
                              NULL, key->verifier);
    if (rc == 1) {
        rc = EVP_DigestVerify(ctx, signature, len, content->data,
                              content->len);
    }

    EVP_MD_CTX_free(ctx);

    /* nginx logs what it finds in the queue of errors as an alert of its own */

    ERR_clear_error();

    return rc == 1 ? NGX_OK : NGX_DECLINED;
}


void
ngx_scale_jwt_crypto_digest(ngx_str_t *text, u_char *digest)
{
    (void) EVP_Digest(text->data, text->len, digest, NULL, EVP_sha256(), NULL);
}
