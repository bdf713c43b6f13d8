
/*
 * Tokens that others have signed: JSON Web Tokens (RFC 7519) in the compact
 * form (RFC 7515, section 7.1), and the keys that verify them (RFC 7517).
 * Pure: time and memory are handed in, and so is who reads JSON.  Of OpenSSL
 * only crypto.c knows.
 *
 * A key has one algorithm, which follows from what the key is and not from
 * what a token says: nothing verifies by the text of a public key.
 */

#ifndef _NGX_SCALE_JWT_H_INCLUDED_
#define _NGX_SCALE_JWT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


#define NGX_SCALE_JWT_MAX        8192      /* bytes of a token */
#define NGX_SCALE_JWT_TRIES      8         /* keys that verify one, at most */
#define NGX_SCALE_JWT_KEYS       64        /* of a set */
#define NGX_SCALE_JWT_KEYS_SIZE  65536     /* bytes of a file, and one more */


/* RFC 7518, section 3.1, and RFC 8037, section 3.1 */

typedef enum {
    NGX_SCALE_JWT_RS256 = 0,
    NGX_SCALE_JWT_ES256,
    NGX_SCALE_JWT_EDDSA,
    NGX_SCALE_JWT_HS256,
    NGX_SCALE_JWT_NALGS
} ngx_scale_jwt_alg_e;

/* NGX_SCALE_JWT_NALGS: none of them has that name, which has no other case */
ngx_uint_t ngx_scale_jwt_alg(ngx_str_t *name);


/*
 * Reads the members called "names" of a JSON object, of an array its elements
 * too, into as many "members".  It refuses what is no object, and what gives
 * a name twice anywhere.  NGX_OK; NGX_DECLINED; NGX_ERROR: memory.
 */
typedef struct {
    ngx_int_t            (*read)(void *data, ngx_pool_t *pool,
                                 ngx_str_t *object, ngx_str_t *names,
                                 ngx_uint_t n, ngx_scale_raw_t *members);
    void                  *data;
} ngx_scale_jwt_json_t;


/*
 * A set of keys.  It has memory of its own, which destroy() leaves without a
 * secret.  "algs" has bit 1 << alg of each algorithm that may be: others'
 * keys are left out.
 */
typedef struct ngx_scale_jwt_keys_s  ngx_scale_jwt_keys_t;

/* NULL: memory */
ngx_scale_jwt_keys_t *ngx_scale_jwt_keys_create(ngx_uint_t algs,
    ngx_log_t *log);
void ngx_scale_jwt_keys_destroy(ngx_scale_jwt_keys_t *keys);
ngx_uint_t ngx_scale_jwt_keys_count(ngx_scale_jwt_keys_t *keys);

/*
 * Adds what a file has: public keys in PEM (RFC 7468, section 13) that are all
 * called "kid", if its data is not NULL; or a JWK set, of which keys that are
 * not understood are left out (RFC 7517, section 5).  NGX_DECLINED: "reason"
 * is a predicate of the file, static, and quotes nothing; NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_jwt_keys_pem(ngx_scale_jwt_keys_t *keys,
    ngx_str_t *content, ngx_str_t *kid, const char **reason);
ngx_int_t ngx_scale_jwt_keys_jwks(ngx_scale_jwt_keys_t *keys,
    ngx_str_t *content, ngx_scale_jwt_json_t *json, const char **reason);


/* whose tokens count; arrays of ngx_str_t */

typedef struct {
    ngx_scale_jwt_keys_t  *keys;
    ngx_scale_jwt_json_t   json;
    ngx_array_t           *audiences;      /* any of these; NULL: has none */
    ngx_array_t           *issuers;        /* any of these; NULL: any */
    time_t                 leeway;
} ngx_scale_jwt_trust_t;

typedef struct {
    ngx_str_t              payload;        /* JSON: an object */
    ngx_str_t              issuer;         /* empty: it names none */
    ngx_str_t              subject;

    /* of one that is refused: static, for its sender, and for the log */
    const char            *description;
    const char            *reason;
} ngx_scale_jwt_t;

/*
 * NGX_OK; NGX_DECLINED: the token is refused; NGX_ERROR: memory.  What a
 * verified token says is in the pool.  A set of keys remembers which tokens it
 * has verified: of these only the signature is not computed again.
 */
ngx_int_t ngx_scale_jwt_check(ngx_pool_t *pool, ngx_scale_jwt_trust_t *trust,
    ngx_str_t *token, time_t now, ngx_scale_jwt_t *jwt);


#endif /* _NGX_SCALE_JWT_H_INCLUDED_ */
