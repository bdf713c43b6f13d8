
/*
 * A set of keys, and the tokens that it is known to verify.
 */

#ifndef _NGX_SCALE_KEYS_H_INCLUDED_
#define _NGX_SCALE_KEYS_H_INCLUDED_


#include "jwt/crypto.h"


typedef struct ngx_scale_jwt_row_s  ngx_scale_jwt_row_t;

struct ngx_scale_jwt_keys_s {
    ngx_pool_t            *pool;
    ngx_uint_t             algs;
    ngx_uint_t             n;
    ngx_scale_jwt_key_t    keys[NGX_SCALE_JWT_KEYS];
    ngx_scale_jwt_row_t   *seen;           /* tokens; NULL: none was */
};


/* why there is no room for one more */
extern const char  ngx_scale_jwt_keys_many[];

/* room for one more, zeroed; it counts once "n" counts it; NULL: none left */
ngx_scale_jwt_key_t *ngx_scale_jwt_keys_next(ngx_scale_jwt_keys_t *keys);

/* counts it, if its algorithm may be; else it is forgotten */
void ngx_scale_jwt_keys_keep(ngx_scale_jwt_keys_t *keys,
    ngx_scale_jwt_key_t *key);

ngx_uint_t ngx_scale_jwt_keys_may(ngx_scale_jwt_keys_t *keys,
    ngx_scale_jwt_alg_e alg);

/* a copy of the name; data NULL: it has none */
ngx_int_t ngx_scale_jwt_keys_name(ngx_scale_jwt_keys_t *keys,
    ngx_scale_jwt_key_t *key, ngx_str_t *kid);


#endif /* _NGX_SCALE_KEYS_H_INCLUDED_ */
