
/*
 * A validator: MurmurHash3 of the body, x64, 128 bits (Appleby, public
 * domain).  It is paid for every row that is read, and takes a tenth of what
 * MD5 does.  It tells one body from another; who wants two bodies to have the
 * same validator can find some, as with MD5.
 */

#include "http/response.h"


#define NGX_SCALE_ETAG_BLOCK  16

/* the number's words in machine order, so that all nodes have to be alike */

#define NGX_SCALE_ETAG_C1     0x87c37b91114253d5u
#define NGX_SCALE_ETAG_C2     0x4cf5ad432745937fu

#define ngx_scale_etag_rotate(x, n)  ((x) << (n) | (x) >> (64 - (n)))


typedef struct {
    uint64_t     one;
    uint64_t     two;
} ngx_scale_etag_hash_t;


static void ngx_scale_etag_hash(ngx_scale_etag_hash_t *hash, u_char *p,
    size_t len);
static ngx_inline uint64_t ngx_scale_etag_first(uint64_t word);
static ngx_inline uint64_t ngx_scale_etag_second(uint64_t word);
static uint64_t ngx_scale_etag_finish(uint64_t word);
static u_char *ngx_scale_etag_hex(u_char *p, uint64_t word);


ngx_int_t
ngx_scale_response_etag(ngx_pool_t *pool, ngx_str_t *body, ngx_str_t *etag)
{
    u_char                 *p;
    ngx_scale_etag_hash_t   hash;

    p = ngx_pnalloc(pool, 2 * sizeof(ngx_scale_etag_hash_t) + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_etag_hash(&hash, body->data, body->len);

    etag->data = p;
    etag->len = 2 * sizeof(ngx_scale_etag_hash_t) + 2;

    *p++ = '"';
    p = ngx_scale_etag_hex(p, hash.one);
    p = ngx_scale_etag_hex(p, hash.two);
    *p = '"';

    return NGX_OK;
}


static void
ngx_scale_etag_hash(ngx_scale_etag_hash_t *hash, u_char *p, size_t len)
{
    size_t    n;
    uint64_t  one, two, word[2];

    one = 0;
    two = 0;

    for (n = len; n >= NGX_SCALE_ETAG_BLOCK; n -= NGX_SCALE_ETAG_BLOCK) {
        ngx_memcpy(word, p, NGX_SCALE_ETAG_BLOCK);
        p += NGX_SCALE_ETAG_BLOCK;

        one ^= ngx_scale_etag_first(word[0]);
        one = ngx_scale_etag_rotate(one, 27) + two;
        one = one * 5 + 0x52dce729;

        two ^= ngx_scale_etag_second(word[1]);
        two = ngx_scale_etag_rotate(two, 31) + one;
        two = two * 5 + 0x38495ab5;
    }

    /* of a word that is zero, nothing is left */

    ngx_memzero(word, NGX_SCALE_ETAG_BLOCK);
    ngx_memcpy(word, p, n);

    one ^= ngx_scale_etag_first(word[0]);
    two ^= ngx_scale_etag_second(word[1]);

    one ^= len;
    two ^= len;

    one += two;
    two += one;

    one = ngx_scale_etag_finish(one);
    two = ngx_scale_etag_finish(two);

    hash->one = one + two;
    hash->two = two + hash->one;
}


static ngx_inline uint64_t
ngx_scale_etag_first(uint64_t word)
{
    word *= NGX_SCALE_ETAG_C1;

    return ngx_scale_etag_rotate(word, 31) * NGX_SCALE_ETAG_C2;
}


static ngx_inline uint64_t
ngx_scale_etag_second(uint64_t word)
{
    word *= NGX_SCALE_ETAG_C2;

    return ngx_scale_etag_rotate(word, 33) * NGX_SCALE_ETAG_C1;
}


static uint64_t
ngx_scale_etag_finish(uint64_t word)
{
    word ^= word >> 33;
    word *= 0xff51afd7ed558ccdu;
    word ^= word >> 33;
    word *= 0xc4ceb9fe1a85ec53u;

    return word ^ word >> 33;
}


static u_char *
ngx_scale_etag_hex(u_char *p, uint64_t word)
{
    ngx_uint_t  i;

    static u_char  hex[] = "0123456789abcdef";

    for (i = 64; i; i -= 4) {
        *p++ = hex[word >> (i - 4) & 0xf];
    }

    return p;
}
