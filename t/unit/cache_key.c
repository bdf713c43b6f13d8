/* sources: cache/key.c */

#include "cache/key.h"
#include "test.h"


static u_char  buf[NGX_SCALE_CACHE_WIRE_MAX];


static ngx_str_t
wire(uint64_t stamp, u_char room, const char *data, size_t len)
{
    ngx_str_t  key, out;

    key.data = (u_char *) data;
    key.len = len;

    ngx_scale_cache_wire_key(buf, &out, stamp, room, &key);

    return out;
}


static ngx_uint_t
is_hashed(ngx_str_t out)
{
    return out.len == 16 + 3 + 32 && ngx_memcmp(out.data + 16, ":h:", 3) == 0;
}


static void
odd_bytes(void)
{
    u_char      key[5];
    ngx_uint_t  ch, plain, wrong;

    wrong = 0;

    for (ch = 0; ch < 256; ch++) {
        ngx_memcpy(key, "ab?cd", 5);
        key[2] = ch;
        plain = ch > 0x20 && ch < 0x7f;

        wrong += is_hashed(wire(1, 'c', (char *) key, 5)) == plain;
    }

    ok(wrong == 0, "a control, a blank, DEL or a byte over 127 is hashed, "
                   "others are not");
}


int
main(void)
{
    char       first[64];
    ngx_str_t  out;

    /* nginx's MD5 reads whole words: of the key from its 64th byte on */

    static char  buffer[202] __attribute__((aligned(4)));

    char  *longest = buffer + 1;

    is_str(wire(0x0123456789abcdefu, 'c', "post:42", 7),
           "0123456789abcdef:c:post:42", "stamp, room and key");
    ok(is_hashed(wire(0, 't', "posts-of/7", 10)), "a tag is hashed");
    is_str(wire(1, 'c', "", 0), "0000000000000001:c:", "an empty key");
    is_str(wire(0x10, 'c', "a b", 3),
           "0000000000000010:h:d6b79edf207fab1f2c59bd6bf14529ca",
           "a key with a blank is hashed with its room");

    odd_bytes();

    ngx_memset(longest, 'k', 201);

    out = wire(1, 'c', longest, 200);
    ok(!is_hashed(out) && out.len == 219, "a key of 200 bytes stays as it is");
    ok(out.len <= NGX_SCALE_CACHE_WIRE_MAX && out.len <= 250,
       "which fits the buffer and memcached");
    ok(is_hashed(wire(1, 'c', longest, 201)), "one of 201 bytes is hashed");

    out = wire(1, 'c', "a b", 3);
    ngx_memcpy(first, out.data, out.len);
    out = wire(1, 't', "a b", 3);
    ok(ngx_memcmp(first, out.data, out.len) != 0,
       "a hashed tag is not the hashed content of the same name");

    return done();
}
