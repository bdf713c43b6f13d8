
/*
 * The value of a cached entry: a header, then the body.  Numbers are
 * little-endian; the checksum covers everything but itself.
 *
 *      0  magic "ns"          8  statement, 64 bits     28  representation, 16
 *      2  version            16  stored at, 64 bits     30  -
 *      3  bit 0: negative    24  key's length, 16       32  meta's length, 32
 *      4  checksum, 32       26  etag's length, 8       36  body's length, 32
 *                            27  number of tags, 8      40  overtime, 32
 *                                                       44  key, etag,
 *                                                           generations of 64
 *                                                           bits, meta, body
 */

#ifndef _NGX_SCALE_CODEC_H_INCLUDED_
#define _NGX_SCALE_CODEC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_CODEC_HEADER  44


/*
 * "meta" is the caller's: what stays with the entry beside its body.
 * "generations" are those of the tags in the reader's order, as they were
 * before the database was read; not aligned.  "overtime" is the end of its
 * lifetime in memcached, in which it is past its own: seconds.
 */

typedef struct {
    ngx_str_t       key;               /* at most 65535 bytes */
    uint64_t        statement;
    time_t          stored;
    time_t          overtime;
    ngx_str_t       etag;              /* quoted, or empty; at most 255 */
    ngx_uint_t      representation;
    ngx_uint_t      ntags;
    u_char         *generations;
    ngx_str_t       meta;
    ngx_str_t       body;
    unsigned        negative:1;
    unsigned        unverified:1;      /* maybe old: never stored */
    unsigned        partial:1;         /* nor is what lacks rows */
} ngx_scale_entry_t;


/* bytes before the body */
size_t ngx_scale_codec_header_len(ngx_scale_entry_t *entry);

/* writes header and body, returns their end */
u_char *ngx_scale_codec_encode(u_char *p, ngx_scale_entry_t *entry);

/*
 * NGX_OK: "entry" points into "value".  NGX_DECLINED: another key's or
 * statement's, damaged, or not ours.
 */
ngx_int_t ngx_scale_codec_decode(ngx_str_t *value, ngx_str_t *key,
    uint64_t statement, ngx_scale_entry_t *entry);

/* the same of bytes that are known to be whole: no checksum is made */
ngx_int_t ngx_scale_codec_parse(ngx_str_t *value, ngx_str_t *key,
    uint64_t statement, ngx_scale_entry_t *entry);

uint64_t ngx_scale_codec_generation(ngx_scale_entry_t *entry, ngx_uint_t n);


#endif /* _NGX_SCALE_CODEC_H_INCLUDED_ */
