
/*
 * What a key is and how it verifies: the room's only use of OpenSSL.
 */

#ifndef _NGX_SCALE_CRYPTO_H_INCLUDED_
#define _NGX_SCALE_CRYPTO_H_INCLUDED_


#include "jwt/jwt.h"


#define NGX_SCALE_JWT_DIGEST  32


/* either a secret or a public key, as its algorithm has it */

typedef struct {
    ngx_scale_jwt_alg_e    alg;
    ngx_str_t              kid;            /* its data is NULL: none */
    ngx_str_t              secret;
    void                  *verifier;       /* OpenSSL's */
} ngx_scale_jwt_key_t;


/*
 * Of the integers and coordinates that RFC 7518, section 6, and RFC 8037,
 * section 2, name, big endian.  NGX_DECLINED with the reason, as of a file.
 */
ngx_int_t ngx_scale_jwt_crypto_rsa(ngx_scale_jwt_key_t *key, ngx_str_t *n,
    ngx_str_t *e, const char **reason);
ngx_int_t ngx_scale_jwt_crypto_ec(ngx_scale_jwt_key_t *key, ngx_str_t *x,
    ngx_str_t *y, const char **reason);
ngx_int_t ngx_scale_jwt_crypto_okp(ngx_scale_jwt_key_t *key, ngx_str_t *x,
    const char **reason);

/* takes the first key off the text; NGX_DONE: there is none */
ngx_int_t ngx_scale_jwt_crypto_pem(ngx_scale_jwt_key_t *key, ngx_str_t *text,
    const char **reason);

void ngx_scale_jwt_crypto_free(ngx_scale_jwt_key_t *key);

/* NGX_OK or NGX_DECLINED */
ngx_int_t ngx_scale_jwt_crypto_verify(ngx_scale_jwt_key_t *key,
    ngx_str_t *content, ngx_str_t *signature);

/* SHA-256 */
void ngx_scale_jwt_crypto_digest(ngx_str_t *text, u_char *digest);


#endif /* _NGX_SCALE_CRYPTO_H_INCLUDED_ */
