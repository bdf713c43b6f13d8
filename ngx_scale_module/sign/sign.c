
#include "sign/sign.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


static ngx_int_t ngx_scale_sign_by(u_char *key, const char *context,
    u_char *data, size_t len, u_char *mac);


ngx_int_t
ngx_scale_sign_keys(ngx_scale_sign_keys_t *keys, ngx_str_t *content,
    ngx_str_t *error)
{
    u_char  *p, *last, *line;
    size_t   len;

    p = content->data;
    last = p + content->len;
    keys->n = 0;

    while (p < last) {
        line = p;

        while (p < last && *p != LF) {
            p++;
        }

        len = p - line;
        p++;

        if (len && line[len - 1] == CR) {
            len--;
        }

        if (len == 0) {
            continue;
        }

        if (len < NGX_SCALE_SIGN_SECRET_MIN) {
            ngx_str_set(error, "has a line of less than 16 characters");
            return NGX_DECLINED;
        }

        if (keys->n == NGX_SCALE_SIGN_SECRETS) {
            ngx_str_set(error, "has more than two lines: the secret, and the "
                               "one before it");
            return NGX_DECLINED;
        }

        (void) EVP_Digest(line, len, keys->key[keys->n++], NULL, EVP_sha256(),
                          NULL);
    }

    if (keys->n == 0) {
        ngx_str_set(error, "is empty; make one by "
                           "\"openssl rand -base64 32\"");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_scale_sign_digest(u_char *data, size_t len, u_char *hex)
{
    u_char  hash[NGX_SCALE_SIGN_DIGEST / 2];

    ngx_scale_sign_hash(data, len, hash);

    (void) ngx_hex_dump(hex, hash, sizeof(hash));
}


void
ngx_scale_sign_hash(u_char *data, size_t len, u_char *hash)
{
    u_char  digest[EVP_MAX_MD_SIZE];

    (void) EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);

    ngx_memcpy(hash, digest, NGX_SCALE_SIGN_DIGEST / 2);
}


void
ngx_scale_sign_sha256(u_char *data, size_t len, u_char *hex)
{
    u_char  digest[EVP_MAX_MD_SIZE];

    (void) EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);

    (void) ngx_hex_dump(hex, digest, NGX_SCALE_SIGN_SHA256 / 2);
}


ngx_int_t
ngx_scale_sign(ngx_scale_sign_keys_t *keys, const char *context, u_char *data,
    size_t len, u_char *mac)
{
    return ngx_scale_sign_by(keys->key[0], context, data, len, mac);
}


ngx_int_t
ngx_scale_sign_verify(ngx_scale_sign_keys_t *keys, const char *context,
    u_char *data, size_t len, u_char *mac)
{
    u_char      expected[NGX_SCALE_SIGN_MAC];
    ngx_uint_t  i;

    for (i = 0; i < keys->n; i++) {
        if (ngx_scale_sign_by(keys->key[i], context, data, len, expected)
            == NGX_OK
            && CRYPTO_memcmp(mac, expected, NGX_SCALE_SIGN_MAC) == 0)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_scale_sign_by(u_char *key, const char *context, u_char *data, size_t len,
    u_char *mac)
{
    u_char  *p, text[NGX_SCALE_SIGN_MAX], full[EVP_MAX_MD_SIZE];

    ngx_memzero(mac, NGX_SCALE_SIGN_MAC);

    if (ngx_strlen(context) + 1 + len > sizeof(text)) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text, context, ngx_strlen(context) + 1);
    p = ngx_cpymem(p, data, len);

    if (HMAC(EVP_sha256(), key, NGX_SCALE_SIGN_KEY, text, p - text, full,
             NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(mac, full, NGX_SCALE_SIGN_MAC);

    return NGX_OK;
}
