/* sources: http/etag.c */

#include "http/response.h"
#include "test.h"


static ngx_pool_t  *pool;


static ngx_str_t
etag(const char *data, size_t len)
{
    ngx_str_t  body, out;

    /* not a word's boundary, and nothing behind it that may be read */

    body.len = len;
    body.data = ngx_pnalloc(pool, len + 1);
    body.data += 1;
    ngx_memcpy(body.data, data, len);

    ngx_str_null(&out);

    if (ngx_scale_response_etag(pool, &body, &out) != NGX_OK) {
        return out;
    }

    return out;
}


static void
known(void)
{
    is_str(etag("", 0), "\"00000000000000000000000000000000\"", "nothing");

    is_str(etag("The quick brown fox jumps over the lazy dog", 43),
           "\"e34bbc7bbc071b6c7a433ca9c49a9347\"",
           "a published vector");

    is_str(etag("hello, world", 12), "\"342fac623a5ebc8e4cdcbc079642414d\"",
           "another one");
}


/* every bit and the length count */

static void
different(void)
{
    char        body[100];
    ngx_str_t   whole, other;
    ngx_uint_t  i, same;

    for (i = 0; i < sizeof(body); i++) {
        body[i] = (char) (i * 31);
    }

    whole = etag(body, sizeof(body));
    same = 0;

    for (i = 0; i < 8 * sizeof(body); i++) {
        body[i / 8] ^= 1 << i % 8;
        other = etag(body, sizeof(body));
        body[i / 8] ^= 1 << i % 8;

        same += ngx_memcmp(whole.data, other.data, whole.len) == 0;
    }

    ok(same == 0, "one bit makes another validator");

    ngx_memzero(body, sizeof(body));
    same = 0;

    for (i = 0; i + 1 < sizeof(body); i++) {
        whole = etag(body, i);
        other = etag(body, i + 1);

        same += ngx_memcmp(whole.data, other.data, whole.len) == 0;
    }

    ok(same == 0, "and so does one zero more");
}


int
main(void)
{
    pool = test_pool();

    known();
    different();

    return done();
}
