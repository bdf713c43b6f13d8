
#include "cache/key.h"
#include "cache/checksum.h"
#include <ngx_md5.h>


static uint64_t ngx_scale_cache_mix(uint64_t hash, uint64_t value);
static ngx_uint_t ngx_scale_cache_is_plain(ngx_str_t *key);


#define NGX_SCALE_CACHE_PLAIN_MAX  200


uint64_t
ngx_scale_cache_stamp(u_char room, uint64_t epoch, uint64_t word,
    uint64_t gutter, uint64_t since)
{
    uint64_t  hash;

    hash = ngx_scale_cache_mix(word, since);

    if (gutter) {
        hash = ngx_scale_cache_mix(hash, gutter);
    }

    return room == NGX_SCALE_CACHE_ROOM_SESSION
           ? hash : ngx_scale_cache_mix(hash, epoch);
}


/* one to one in either argument */

static uint64_t
ngx_scale_cache_mix(uint64_t hash, uint64_t value)
{
    return ngx_scale_checksum_finish(hash * 0x9e3779b97f4a7c15 ^ value);
}


void
ngx_scale_cache_wire_key(u_char *buf, ngx_str_t *wire, uint64_t stamp,
    u_char room, ngx_str_t *key)
{
    u_char     *p, digest[16];
    ngx_md5_t   md5;
    ngx_uint_t  i;

    static u_char  hex[] = "0123456789abcdef";

    p = buf;

    for (i = 0; i < 16; i++) {
        *p++ = hex[stamp >> 60];
        stamp <<= 4;
    }

    *p++ = ':';

    if (room != NGX_SCALE_CACHE_ROOM_TAG && ngx_scale_cache_is_plain(key)) {
        *p++ = room;
        *p++ = ':';
        p = ngx_cpymem(p, key->data, key->len);

    } else {
        ngx_md5_init(&md5);
        ngx_md5_update(&md5, &room, 1);
        ngx_md5_update(&md5, key->data, key->len);
        ngx_md5_final(digest, &md5);

        *p++ = 'h';
        *p++ = ':';
        p = ngx_hex_dump(p, digest, sizeof(digest));
    }

    wire->data = buf;
    wire->len = p - buf;
}


static ngx_uint_t
ngx_scale_cache_is_plain(ngx_str_t *key)
{
    size_t  i;

    if (key->len > NGX_SCALE_CACHE_PLAIN_MAX) {
        return 0;
    }

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= 0x20 || key->data[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}
