
#include "cache/codec.h"
#include "cache/checksum.h"


static uint32_t ngx_scale_codec_checksum(u_char *value, size_t len);
static u_char *ngx_scale_codec_put(u_char *p, uint64_t value,
    ngx_uint_t bytes);
static ngx_inline uint64_t ngx_scale_codec_get(u_char *p, ngx_uint_t bytes);
static u_char *ngx_scale_codec_slice(ngx_str_t *s, u_char *p, size_t len);


#define NGX_SCALE_CODEC_VERSION  3


size_t
ngx_scale_codec_header_len(ngx_scale_entry_t *entry)
{
    return NGX_SCALE_CODEC_HEADER + entry->key.len + entry->etag.len
           + entry->ntags * sizeof(uint64_t) + entry->meta.len;
}


u_char *
ngx_scale_codec_encode(u_char *p, ngx_scale_entry_t *entry)
{
    u_char  *start;

    start = p;

    *p++ = 'n';
    *p++ = 's';
    *p++ = NGX_SCALE_CODEC_VERSION;
    *p++ = entry->negative;
    p += sizeof(uint32_t);

    p = ngx_scale_codec_put(p, entry->statement, 8);
    p = ngx_scale_codec_put(p, entry->stored, 8);
    p = ngx_scale_codec_put(p, entry->key.len, 2);
    p = ngx_scale_codec_put(p, entry->etag.len, 1);
    p = ngx_scale_codec_put(p, entry->ntags, 1);
    p = ngx_scale_codec_put(p, entry->representation, 2);
    p = ngx_scale_codec_put(p, 0, 2);
    p = ngx_scale_codec_put(p, entry->meta.len, 4);
    p = ngx_scale_codec_put(p, entry->body.len, 4);
    p = ngx_scale_codec_put(p, entry->overtime, 4);

    p = ngx_cpymem(p, entry->key.data, entry->key.len);
    p = ngx_cpymem(p, entry->etag.data, entry->etag.len);
    p = ngx_cpymem(p, entry->generations, entry->ntags * sizeof(uint64_t));
    p = ngx_cpymem(p, entry->meta.data, entry->meta.len);
    p = ngx_cpymem(p, entry->body.data, entry->body.len);

    (void) ngx_scale_codec_put(start + 4,
                               ngx_scale_codec_checksum(start, p - start), 4);

    return p;
}


ngx_int_t
ngx_scale_codec_decode(ngx_str_t *value, ngx_str_t *key, uint64_t statement,
    ngx_scale_entry_t *entry)
{
    if (ngx_scale_codec_parse(value, key, statement, entry) != NGX_OK
        || ngx_scale_codec_get(value->data + 4, 4)
           != ngx_scale_codec_checksum(value->data, value->len))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_codec_parse(ngx_str_t *value, ngx_str_t *key, uint64_t statement,
    ngx_scale_entry_t *entry)
{
    u_char    *p;
    uint64_t   etag, tags, meta, body;

    p = value->data;

    if (value->len < NGX_SCALE_CODEC_HEADER
        || p[0] != 'n' || p[1] != 's' || p[2] != NGX_SCALE_CODEC_VERSION
        || ngx_scale_codec_get(p + 8, 8) != statement
        || ngx_scale_codec_get(p + 24, 2) != key->len)
    {
        return NGX_DECLINED;
    }

    etag = p[26];
    tags = p[27];
    meta = ngx_scale_codec_get(p + 32, 4);
    body = ngx_scale_codec_get(p + 36, 4);

    if (value->len != NGX_SCALE_CODEC_HEADER + key->len + etag
                      + tags * sizeof(uint64_t) + meta + body
        || ngx_memcmp(p + NGX_SCALE_CODEC_HEADER, key->data, key->len) != 0)
    {
        return NGX_DECLINED;
    }

    entry->negative = p[3] & 1;
    entry->unverified = 0;
    entry->partial = 0;
    entry->statement = statement;
    entry->stored = (time_t) ngx_scale_codec_get(p + 16, 8);
    entry->representation = (ngx_uint_t) ngx_scale_codec_get(p + 28, 2);
    entry->overtime = (time_t) ngx_scale_codec_get(p + 40, 4);
    entry->ntags = tags;

    p = ngx_scale_codec_slice(&entry->key, p + NGX_SCALE_CODEC_HEADER,
                              key->len);
    p = ngx_scale_codec_slice(&entry->etag, p, etag);
    entry->generations = p;
    p += tags * sizeof(uint64_t);
    p = ngx_scale_codec_slice(&entry->meta, p, meta);
    (void) ngx_scale_codec_slice(&entry->body, p, body);

    return NGX_OK;
}


uint64_t
ngx_scale_codec_generation(ngx_scale_entry_t *entry, ngx_uint_t n)
{
    uint64_t  generation;

    ngx_memcpy(&generation, entry->generations + n * sizeof(uint64_t),
               sizeof(uint64_t));

    return generation;
}


/* of everything behind it, and of what stands before it */

static uint32_t
ngx_scale_codec_checksum(u_char *value, size_t len)
{
    return (uint32_t) ngx_scale_checksum(value + 8, len - 8,
                                         ngx_scale_codec_get(value, 4));
}


static u_char *
ngx_scale_codec_put(u_char *p, uint64_t value, ngx_uint_t bytes)
{
    for ( /* void */ ; bytes; bytes--) {
        *p++ = (u_char) value;
        value >>= 8;
    }

    return p;
}


/* inlined it is one load, as "bytes" is a constant */

static ngx_inline uint64_t
ngx_scale_codec_get(u_char *p, ngx_uint_t bytes)
{
    uint64_t  value;

    value = 0;

#if (NGX_HAVE_LITTLE_ENDIAN)

    ngx_memcpy(&value, p, bytes);

#else

    for ( /* void */ ; bytes; bytes--) {
        value = value << 8 | p[bytes - 1];
    }

#endif

    return value;
}


static u_char *
ngx_scale_codec_slice(ngx_str_t *s, u_char *p, size_t len)
{
    s->data = p;
    s->len = len;

    return p + len;
}
