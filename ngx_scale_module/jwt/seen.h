
/*
 * Which tokens a set of keys has verified, by their SHA-256.  A token's dates
 * are looked at each time, so that none has to leave when it expires; and a
 * set that follows another one begins with none.
 */

#ifndef _NGX_SCALE_SEEN_H_INCLUDED_
#define _NGX_SCALE_SEEN_H_INCLUDED_


#include "jwt/keys.h"


ngx_uint_t ngx_scale_jwt_seen(ngx_scale_jwt_keys_t *keys, u_char *digest);

/* one that was there longest makes room; without memory none is added */
void ngx_scale_jwt_seen_add(ngx_scale_jwt_keys_t *keys, u_char *digest);


#endif /* _NGX_SCALE_SEEN_H_INCLUDED_ */
