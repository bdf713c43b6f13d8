
/*
 * What a payload claims (RFC 7519, section 4.1), against what is trusted.
 */

#ifndef _NGX_SCALE_CLAIMS_H_INCLUDED_
#define _NGX_SCALE_CLAIMS_H_INCLUDED_


#include "jwt/jwt.h"


/* issuer and subject of jwt->payload; as ngx_scale_jwt_check() */
ngx_int_t ngx_scale_jwt_claims(ngx_pool_t *pool, ngx_scale_jwt_trust_t *trust,
    time_t now, ngx_scale_jwt_t *jwt);

/* NGX_DECLINED */
ngx_int_t ngx_scale_jwt_refuse(ngx_scale_jwt_t *jwt, const char *description,
    const char *reason);


#endif /* _NGX_SCALE_CLAIMS_H_INCLUDED_ */
