
#include "jwt/seen.h"


#define NGX_SCALE_JWT_ROWS  1024
#define NGX_SCALE_JWT_WAYS  4


/* the newest first; zeros: none */

struct ngx_scale_jwt_row_s {
    u_char    digests[NGX_SCALE_JWT_WAYS][NGX_SCALE_JWT_DIGEST];
};


static ngx_scale_jwt_row_t *ngx_scale_jwt_seen_row(ngx_scale_jwt_keys_t *keys,
    u_char *digest);


ngx_uint_t
ngx_scale_jwt_seen(ngx_scale_jwt_keys_t *keys, u_char *digest)
{
    ngx_uint_t            i;
    ngx_scale_jwt_row_t  *row;

    if (keys->seen == NULL) {
        return 0;
    }

    row = ngx_scale_jwt_seen_row(keys, digest);

    for (i = 0; i < NGX_SCALE_JWT_WAYS; i++) {
        if (ngx_memcmp(row->digests[i], digest, NGX_SCALE_JWT_DIGEST) == 0) {
            return 1;
        }
    }

    return 0;
}


void
ngx_scale_jwt_seen_add(ngx_scale_jwt_keys_t *keys, u_char *digest)
{
    ngx_scale_jwt_row_t  *row;

    if (keys->seen == NULL) {
        keys->seen = ngx_pcalloc(keys->pool, NGX_SCALE_JWT_ROWS
                                             * sizeof(ngx_scale_jwt_row_t));
        if (keys->seen == NULL) {
            return;
        }
    }

    row = ngx_scale_jwt_seen_row(keys, digest);

    ngx_memmove(row->digests[1], row->digests[0],
                (NGX_SCALE_JWT_WAYS - 1) * NGX_SCALE_JWT_DIGEST);
    ngx_memcpy(row->digests[0], digest, NGX_SCALE_JWT_DIGEST);
}


static ngx_scale_jwt_row_t *
ngx_scale_jwt_seen_row(ngx_scale_jwt_keys_t *keys, u_char *digest)
{
    return &keys->seen[(digest[0] << 8 | digest[1]) % NGX_SCALE_JWT_ROWS];
}
