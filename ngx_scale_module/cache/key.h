
/*
 * A key as memcached sees it: <stamp>:<room>:<key>, or with a 128-bit hash
 * where the key is long or holds bytes that memcached would take for its own
 * (protocol.txt: no controls or whitespace, at most 250 bytes).
 */

#ifndef _NGX_SCALE_KEY_H_INCLUDED_
#define _NGX_SCALE_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_CACHE_WIRE_MAX      224

#define NGX_SCALE_CACHE_ROOM_CONTENT  'c'
#define NGX_SCALE_CACHE_ROOM_TAG      't'


/* "wire" points to "buf", of NGX_SCALE_CACHE_WIRE_MAX bytes */
void ngx_scale_cache_wire_key(u_char *buf, ngx_str_t *wire, uint64_t stamp,
    u_char room, ngx_str_t *key);


#endif /* _NGX_SCALE_KEY_H_INCLUDED_ */
