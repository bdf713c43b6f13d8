/* sources: sign/sign.c sign/token.c */

#include "sign/sign.h"
#include "test.h"


static ngx_scale_sign_keys_t  keys;


static ngx_int_t
read_keys(const char *content, ngx_scale_sign_keys_t *into)
{
    ngx_str_t  text, error;

    text.data = (u_char *) content;
    text.len = ngx_strlen(content);

    return ngx_scale_sign_keys(into, &text, &error);
}


static void
secrets(void)
{
    ngx_scale_sign_keys_t  k;

    ok(read_keys("0123456789abcdef\n", &k) == NGX_OK && k.n == 1,
       "a line is a secret");
    ok(read_keys("0123456789abcdef\r\n\nfedcba9876543210", &k) == NGX_OK
       && k.n == 2, "two lines are two, empty ones are none");
    ok(read_keys("0123456789abcde\n", &k) == NGX_DECLINED,
       "a secret has 16 characters at least");
    ok(read_keys("\n\n", &k) == NGX_DECLINED, "there is one at least");
    ok(read_keys("0123456789abcdef\n0123456789abcdeg\n0123456789abcdeh\n", &k)
       == NGX_DECLINED, "and two at most");
}


static void
digests(void)
{
    u_char  hex[NGX_SCALE_SIGN_SHA256];

    /* FIPS 180-2, appendix B.1 */

    ngx_scale_sign_digest((u_char *) "abc", 3, hex);

    ok(ngx_memcmp(hex, "ba7816bf8f01cfea414140de5dae2223", 32) == 0,
       "a digest is SHA-256's first half");

    ngx_scale_sign_sha256((u_char *) "abc", 3, hex);

    ok(ngx_memcmp(hex, "ba7816bf8f01cfea414140de5dae2223"
                       "b00361a396177a9cb410ff61f20015ad", 64) == 0,
       "or it is whole");
}


/*
 * In Python: hmac.new(sha256(b"0123456789abcdef").digest(), b"token\0abc",
 * sha256).hexdigest()[:32]
 */

static void
macs(void)
{
    u_char     mac[NGX_SCALE_SIGN_MAC], hex[2 * NGX_SCALE_SIGN_MAC];
    ngx_str_t  text;

    read_keys("0123456789abcdef\n", &keys);
    ngx_scale_sign(&keys, "token", (u_char *) "abc", 3, mac);
    text.data = hex;
    text.len = ngx_hex_dump(hex, mac, sizeof(mac)) - hex;

    is_str(text, "bff4f2fc33e916ec40239be586481e82",
            "HMAC-SHA256 as others compute it");
    ok(ngx_scale_sign_verify(&keys, "token", (u_char *) "abc", 3, mac)
       == NGX_OK, "it is verified");
    ok(ngx_scale_sign_verify(&keys, "cursor", (u_char *) "abc", 3, mac)
       == NGX_DECLINED, "in its own context only");
}


/* what verifies nothing must not verify a signature of zeros */

static void
lengths(void)
{
    u_char  mac[NGX_SCALE_SIGN_MAC], zeros[NGX_SCALE_SIGN_MAC];

    static u_char  text[NGX_SCALE_SIGN_MAX];

    ngx_memzero(zeros, sizeof(zeros));

    ok(ngx_scale_sign(&keys, "page", text, NGX_SCALE_SIGN_MAX - 5, mac)
       == NGX_OK
       && ngx_scale_sign_verify(&keys, "page", text, NGX_SCALE_SIGN_MAX - 5,
                                mac) == NGX_OK,
       "the longest text is signed");
    ok(ngx_scale_sign_verify(&keys, "page", text, NGX_SCALE_SIGN_MAX - 5,
                             zeros) == NGX_DECLINED,
       "and zeros are not its signature");
    ok(ngx_scale_sign(&keys, "page", text, NGX_SCALE_SIGN_MAX - 4, mac)
       == NGX_ERROR, "a longer one is not signed");
    ok(ngx_scale_sign_verify(&keys, "page", text, NGX_SCALE_SIGN_MAX - 4,
                             zeros) == NGX_DECLINED,
       "and nothing is its signature");
}


static void
tokens(void)
{
    u_char                 text[NGX_SCALE_TOKEN_LEN], changed[sizeof(text)];
    ngx_str_t              s;
    ngx_uint_t             i, bit, accepted;
    ngx_scale_written_t    written, read;
    ngx_scale_sign_keys_t  both, other;

    written.system = 0xfedcba9876543210u;
    written.timeline = 7;
    written.lsn = 0x16b3748;
    written.time = 1234567890;

    ngx_scale_token_write(&keys, &written, text);

    s.data = text;
    s.len = sizeof(text);

    ok(ngx_scale_token_read(&keys, &s, &read) == NGX_OK
       && read.system == written.system && read.timeline == 7
       && read.lsn == written.lsn && read.time == written.time,
       "a token is read as it was written");

    read_keys("another secret, new\n0123456789abcdef\n", &both);
    ok(ngx_scale_token_read(&both, &s, &read) == NGX_OK,
       "the secret before the last still counts");

    read_keys("another secret, new\n", &other);
    ok(ngx_scale_token_read(&other, &s, &read) == NGX_DECLINED,
       "another's does not");

    s.data = changed;
    accepted = 0;

    for (i = 0; i < sizeof(text); i++) {
        for (bit = 0; bit < 8; bit++) {
            ngx_memcpy(changed, text, sizeof(text));
            changed[i] ^= (u_char) (1 << bit);
            accepted += ngx_scale_token_read(&keys, &s, &read) == NGX_OK;
        }
    }

    ok(accepted == 0, "no bit of it can be changed");

    s.data = text;
    s.len = sizeof(text) - 1;
    ok(ngx_scale_token_read(&keys, &s, &read) == NGX_DECLINED,
       "nor can it be cut");
}


int
main(void)
{
    secrets();
    digests();
    macs();
    lengths();
    tokens();

    return done();
}
