
/*
 * A key as memcached sees it: <stamp>:<room>:<key>, or with a 128-bit hash
 * where the key is long or holds bytes that memcached would take for its own
 * (protocol.txt: no controls or whitespace, at most 250 bytes).  A tag always
 * is: it may be made of a client's secret.
 */

#ifndef _NGX_SCALE_KEY_H_INCLUDED_
#define _NGX_SCALE_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_CACHE_WIRE_MAX      224

#define NGX_SCALE_CACHE_ROOM_CONTENT  'c'
#define NGX_SCALE_CACHE_ROOM_TAG      't'
#define NGX_SCALE_CACHE_ROOM_SESSION  's'
#define NGX_SCALE_CACHE_ROOM_LIMIT    'l'


/*
 * The stamp of a key's prefix, of all that decides where it is: the epoch, the
 * state of its node, of the one that takes its place or 0, and the version of
 * the ring since which it is there.  Sessions outlive an epoch.
 */
uint64_t ngx_scale_cache_stamp(u_char room, uint64_t epoch, uint64_t word,
    uint64_t gutter, uint64_t since);

/* "wire" points to "buf", of NGX_SCALE_CACHE_WIRE_MAX bytes */
void ngx_scale_cache_wire_key(u_char *buf, ngx_str_t *wire, uint64_t stamp,
    u_char room, ngx_str_t *key);


#endif /* _NGX_SCALE_KEY_H_INCLUDED_ */
