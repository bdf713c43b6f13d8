/* sources: cache/codec.c cache/checksum.c */

#include "cache/codec.h"
#include "test.h"


#define SEED       0x5ca1ab1e
#define STATEMENT  0x0123456789abcdefu


static u_char             buf[4096];
static uint64_t           generations[3] = { 1, 0xffffffffffffffffu, 42 };
static ngx_str_t          key = ngx_string("post:42");
static ngx_scale_entry_t  full;


static ngx_str_t
encode(ngx_scale_entry_t *entry)
{
    ngx_str_t  value;

    value.data = buf;
    value.len = ngx_scale_codec_encode(buf, entry) - buf;

    return value;
}


/* a copy of its own size, so that a byte read behind its end is an error */

static ngx_int_t
decode(u_char *data, size_t len, ngx_scale_entry_t *entry)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    value.len = len;
    value.data = malloc(len ? len : 1);
    ngx_memcpy(value.data, data, len);

    rc = ngx_scale_codec_decode(&value, &key, STATEMENT, entry);

    if (rc == NGX_OK && entry->body.data + entry->body.len
                        != value.data + value.len)
    {
        rc = NGX_ERROR;
    }

    free(value.data);

    return rc;
}


static void
round_trip(void)
{
    ngx_str_t          value;
    ngx_scale_entry_t  got;

    value = encode(&full);

    ok(value.len == ngx_scale_codec_header_len(&full) + full.body.len,
       "the header's length and the body's are the value's");
    ok(ngx_scale_codec_decode(&value, &key, STATEMENT, &got) == NGX_OK,
       "what was encoded is decoded");

    is_str(got.key, "post:42", "the key");
    is_str(got.etag, "\"abc\"", "the validator");
    is_str(got.meta, "Location: /x", "the meta part");
    is_str(got.body, "{\"id\":42}", "the body");

    ok(got.statement == STATEMENT && got.stored == 1700000000
       && got.overtime == 2350000 && got.representation == 513
       && !got.negative, "the numbers");
    ok(got.ntags == 3
       && ngx_scale_codec_generation(&got, 0) == generations[0]
       && ngx_scale_codec_generation(&got, 1) == generations[1]
       && ngx_scale_codec_generation(&got, 2) == generations[2],
       "the tags' generations, in order");
}


static void
empty_parts(void)
{
    ngx_str_t          value;
    ngx_scale_entry_t  entry, got;

    ngx_memzero(&entry, sizeof(entry));
    entry.key = key;
    entry.statement = STATEMENT;
    entry.negative = 1;

    value = encode(&entry);

    ok(value.len == NGX_SCALE_CODEC_HEADER + key.len
       && ngx_scale_codec_decode(&value, &key, STATEMENT, &got) == NGX_OK
       && got.negative && got.ntags == 0 && got.etag.len == 0
       && got.meta.len == 0 && got.body.len == 0,
       "a negative entry has a key and nothing else");
}


static void
layout(void)
{
    ngx_str_t  value;

    value = encode(&full);

    ok(ngx_memcmp(value.data, "ns\3\0", 4) == 0
       && ngx_memcmp(value.data + 8, "\xef\xcd\xab\x89\x67\x45\x23\x01", 8) == 0
       && ngx_memcmp(value.data + 24, "\7\0\5\3\1\2\0\0", 8) == 0
       && ngx_memcmp(value.data + 32, "\14\0\0\0\11\0\0\0\xb0\xdb\x23\0"
                                      "post:42", 19) == 0,
       "the layout is the documented one, little-endian");
}


static void
others(void)
{
    ngx_str_t          value, other;
    ngx_scale_entry_t  got;

    value = encode(&full);

    ngx_str_set(&other, "post:43");
    ok(ngx_scale_codec_decode(&value, &other, STATEMENT, &got) == NGX_DECLINED,
       "an entry of another key is declined");

    ngx_str_set(&other, "post:4");
    ok(ngx_scale_codec_decode(&value, &other, STATEMENT, &got) == NGX_DECLINED,
       "a key that is the entry's beginning is another key");

    ok(ngx_scale_codec_decode(&value, &key, STATEMENT + 1, &got)
       == NGX_DECLINED, "an entry of another statement is declined");
}


static void
damage(void)
{
    size_t             i, len, missed;
    ngx_scale_entry_t  got;

    len = encode(&full).len;

    for (missed = 0, i = 0; i < len; i++) {
        missed += decode(buf, i, &got) != NGX_DECLINED;
    }

    ok(missed == 0, "a value cut anywhere is declined");

    buf[len] = 0;
    ok(decode(buf, len + 1, &got) == NGX_DECLINED,
       "a value with a byte too many is declined");

    for (missed = 0, i = 0; i < len * 8; i++) {
        buf[i / 8] ^= 1 << i % 8;
        missed += decode(buf, len, &got) != NGX_DECLINED;
        buf[i / 8] ^= 1 << i % 8;
    }

    ok(missed == 0, "a value with any one bit turned is declined");
    ok(decode(buf, len, &got) == NGX_OK, "and the value itself is not");
}


/* lengths that are lies: the checksum is not what keeps reads inside */

static void
noise(void)
{
    size_t             i, len;
    ngx_uint_t         n, missed;
    ngx_scale_entry_t  got;

    srandom(SEED);
    missed = 0;

    for (n = 0; n < 100000; n++) {
        len = encode(&full).len;

        for (i = random() % 8; i; i--) {
            buf[26 + random() % 18] = (u_char) random();
        }

        len = random() % 2 ? len : (size_t) random() % sizeof(buf);

        if (decode(buf, len, &got) == NGX_ERROR) {
            missed++;
        }
    }

    ok(missed == 0, "100000 values with other lengths: nothing is read "
                    "outside");
}


static void
lengths(void)
{
    size_t             len, missed;
    u_char             body[300];
    ngx_scale_entry_t  entry, got;

    ngx_memset(body, 'x', sizeof(body));
    missed = 0;

    for (len = 0; len <= sizeof(body); len++) {
        entry = full;
        entry.body.data = body;
        entry.body.len = len;

        missed += decode(buf, encode(&entry).len, &got) != NGX_OK;

        buf[ngx_scale_codec_header_len(&entry) + len - 1] ^= 0x80;
        missed += decode(buf, ngx_scale_codec_header_len(&entry) + len, &got)
                  != NGX_DECLINED;
    }

    ok(missed == 0, "bodies of 0 to 300 bytes, and their last byte damaged");
}


int
main(void)
{
    full.key = key;
    full.statement = STATEMENT;
    full.stored = 1700000000;
    full.overtime = 2350000;
    full.representation = 513;
    full.ntags = 3;
    full.generations = (u_char *) generations;
    ngx_str_set(&full.etag, "\"abc\"");
    ngx_str_set(&full.meta, "Location: /x");
    ngx_str_set(&full.body, "{\"id\":42}");

    round_trip();
    empty_parts();
    layout();
    others();
    damage();
    noise();
    lengths();

    return done();
}
