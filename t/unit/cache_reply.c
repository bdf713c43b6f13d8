/* sources: cache/reply.c */

#include "cache/reply.h"
#include "test.h"


#define SEED  0x5ca1ab1e


static ngx_scale_reply_t  reply;
static size_t             rest;        /* bytes that were not read */


/* a copy of its own size, so that a byte read behind its end is an error */

static ngx_int_t
parse_bytes(const char *data, size_t len)
{
    u_char     *copy, *pos;
    ngx_int_t   rc;

    copy = malloc(len ? len : 1);
    ngx_memcpy(copy, data, len);

    pos = copy;
    rc = ngx_scale_reply_parse(&pos, copy + len, &reply);
    rest = copy + len - pos;

    if (rc == NGX_OK && reply.value.len) {
        reply.value.data = (u_char *) data + (reply.value.data - copy);
    }

    free(copy);

    return rc;
}


static ngx_int_t
parse(const char *data)
{
    return parse_bytes(data, strlen(data));
}


static void
known_replies(void)
{
    ok(parse("VA 1 s1 f1 c950 t-1 O11 W\r\na\r\n") == NGX_OK
       && reply.code == NGX_SCALE_REPLY_VA && reply.flags == 1
       && reply.cas == 950 && reply.has_opaque && reply.opaque == 0x11
       && reply.won && !reply.wait && rest == 0, "a value with its flags");
    is_str(reply.value, "a", "the value");
    ok(reply.ttl == -1 && !reply.old, "that never ends");

    ok(parse("VA 1 f1 c9 t2591999 O1 X W\r\na\r\n") == NGX_OK
       && reply.ttl == 2591999 && reply.old && reply.won,
       "the seconds that are left of a value, which is old");
    ok(parse("VA 1 t0 O1\r\na\r\n") == NGX_OK && reply.ttl == 0,
       "none are left");
    ok(parse("HD O1\r\n") == NGX_OK && reply.ttl == -1,
       "nothing is said about it");

    ok(parse("VA 0 s0 f0 c950 t5 Oa2 Z\r\n\r\n") == NGX_OK
       && reply.opaque == 0xa2 && reply.wait && !reply.won
       && reply.value.len == 0 && rest == 0, "an empty value");
    ok(reply.ttl == 5, "that ends in five seconds");

    ok(parse("HD c952 O21\r\n") == NGX_OK && reply.cas == 952
       && reply.code == NGX_SCALE_REPLY_HD, "HD with a CAS");
    ok(parse("EX O1\r\n") == NGX_OK && reply.code == NGX_SCALE_REPLY_EX, "EX");
    ok(parse("NF O1\r\n") == NGX_OK && reply.code == NGX_SCALE_REPLY_NF, "NF");
    ok(parse("NS O1\r\n") == NGX_OK && reply.code == NGX_SCALE_REPLY_NS, "NS");
    ok(parse("MN\r\n") == NGX_OK && reply.code == NGX_SCALE_REPLY_MN, "MN");

    ok(parse("EN\r\n") == NGX_OK && reply.code == NGX_SCALE_REPLY_EN
       && !reply.has_opaque, "a bare EN has no opaque");
    ok(parse("EN O7\r\n") == NGX_OK && reply.has_opaque && reply.opaque == 7,
       "EN with an opaque");

    ok(parse("SERVER_ERROR object too large for cache\r\nHD") == NGX_OK
       && reply.code == NGX_SCALE_REPLY_SERVER_ERROR && rest == 2,
       "SERVER_ERROR with its text");
}


static void
odd_flags(void)
{
    ok(parse("VA 2 W t30 O3 f3 kkey s2 c18446744073709551615 b Xyz h1 l5\r\n"
             "ab\r\n") == NGX_OK
       && reply.flags == 3 && reply.won && reply.opaque == 3
       && reply.cas == 18446744073709551615u,
       "flags in another order, and unknown ones");
    ok(parse("HD  O1 \r\n") == NGX_OK && reply.opaque == 1,
       "blanks more than needed");
    ok(parse("VA 4 f1 O1\r\n\r\nHD\r\n") == NGX_OK && rest == 0,
       "a value that looks like the end and the next reply");
}


static void
refused(void)
{
    ngx_uint_t  i;
    char        title[64];

    static const char  *lines[] = {
        "ERROR\r\n", "CLIENT_ERROR bad data chunk\r\n", "END\r\n", "\r\n",
        " \r\n", "\n", "HD\n", "VA\r\n", "VA x\r\n", "VA -1 f1\r\n",
        "VA +1 f1\r\n", "VA 99999999 f1\r\n", "VA 18446744073709551617 f1\r\n",
        "VA 99999999999999999999 f1\r\n", "VA 1 f1\r\nabc", "HD O\r\n",
        "HD Oxyz\r\n", "HD c\r\n", "HD c-1\r\n", "HD c18446744073709551616\r\n",
        "HD O10000000000000001\r\n", "VA 1 f4294967296\r\na\r\n",
        "VA 1 f\r\na\r\n", "VA 1 t\r\na\r\n", "VA 1 t-2\r\na\r\n",
        "VA 1 t-1x\r\na\r\n", "VA 1 t2147483648\r\na\r\n", "HDX\r\n",
        "hd\r\n", "VALUE a 0 1\r\n"
    };

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        snprintf(title, sizeof(title), "refused: %.*s",
                 (int) strcspn(lines[i], "\r\n"), lines[i]);
        ok(parse(lines[i]) == NGX_ERROR, title);
    }
}


static void
long_lines(void)
{
    static char  line[NGX_SCALE_REPLY_MAX_LINE + 64];

    ngx_memset(line, 'x', sizeof(line));
    ngx_memcpy(line, "HD ", 3);

    ok(parse_bytes(line, NGX_SCALE_REPLY_MAX_LINE - 1) == NGX_AGAIN,
       "a line may be long");
    ok(parse_bytes(line, NGX_SCALE_REPLY_MAX_LINE) == NGX_ERROR,
       "a line without an end is refused");

    ngx_memcpy(line + NGX_SCALE_REPLY_MAX_LINE, "\r\n", 2);
    ok(parse_bytes(line, sizeof(line)) == NGX_ERROR,
       "a line whose end comes too late is refused");
}


static void
split(void)
{
    char        title[80];
    size_t      len;
    ngx_uint_t  i, wrong;

    static const char  *wire[] = {
        "VA 11 s11 f1 c950 t-1 O11 W\r\nhello\r\nbody\r\n",
        "VA 0 f0 c1 O1 Z\r\n\r\n", "HD c952 O21\r\n", "EN\r\n", "MN\r\n",
        "SERVER_ERROR out of memory storing object\r\n"
    };

    for (i = 0; i < sizeof(wire) / sizeof(wire[0]); i++) {
        wrong = 0;

        for (len = 0; len < strlen(wire[i]); len++) {
            wrong += parse_bytes(wire[i], len) != NGX_AGAIN || rest != len;

            /* once the line is there, the size of the whole is known */

            wrong += reply.size && reply.size != strlen(wire[i]);
        }

        snprintf(title, sizeof(title), "incomplete at every byte: %.*s",
                 (int) strcspn(wire[i], "\r\n"), wire[i]);
        ok(wrong == 0 && parse(wire[i]) == NGX_OK && rest == 0, title);
    }

    parse("VA 500000 f1 O1\r\nabc");
    ok(reply.size == 17 + 500000 + 2, "how long a value will be is known "
                                      "from its line");
}


static void
noise(void)
{
    char        buf[64];
    size_t      i, len;
    ngx_int_t   rc;
    ngx_uint_t  n, wrong;

    static const char  alphabet[] = "VAHDENFXSMOcfWZ 0123456789-\r\n\r\n\0\377";

    srandom(SEED);
    wrong = 0;

    for (n = 0; n < 300000; n++) {
        len = random() % sizeof(buf);

        for (i = 0; i < len; i++) {
            buf[i] = alphabet[random() % (sizeof(alphabet) - 1)];
        }

        if (n % 2 && len > 5) {
            ngx_memcpy(buf, "VA 2 ", 5);
        }

        rc = parse_bytes(buf, len);

        wrong += rc == NGX_OK ? rest >= len : rest != len;
    }

    ok(wrong == 0, "300000 lines of noise: nothing is read outside, and only "
                   "a reply moves on");
}


int
main(void)
{
    known_replies();
    odd_flags();
    refused();
    long_lines();
    split();
    noise();

    return done();
}
