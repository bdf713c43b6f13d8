/* sources: jwt/base64url.c jwt/check.c jwt/claims.c jwt/crypto.c jwt/date.c jwt/jwk.c jwt/keys.c jwt/seen.c json/read.c json/arena.c json/check.c json/check_string.c json/members.c */

#include "jwt/base64url.h"
#include "jwt/date.h"
#include "jwt/jwt.h"
#include "json/json.h"
#include "test.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>


#define NOW       1300000000
#define SECRET    "a secret of thirty-two bytes....A"
#define JWK       "{\"kty\":\"oct\",\"k\":" \
                  "\"YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcy4uLi5B\"}"
#define ALL       (1 << NGX_SCALE_JWT_NALGS) - 1

#define HEADER    "{\"alg\":\"HS256\"}"
#define DATE      "\"exp\":1300000100"
#define WHO       "\"iss\":\"i\",\"sub\":\"s\""

#define PAYLOAD   "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6L" \
                  "y9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define NO_SUB    "its \"sub\" is no string, or empty"
#define UNSIGNED  "no key verifies its signature"
#define NO_KEY    "there is no key of its \"kid\" and \"alg\""
#define NO_ALG    "its \"alg\" is none that is allowed"


static ngx_pool_t             *pool;
static ngx_log_t               sink;
static ngx_scale_jwt_trust_t   trust;
static ngx_scale_jwt_t         jwt;


/* as the module's own: of an object, each name once */

static ngx_int_t
read_json(void *data, ngx_pool_t *p, ngx_str_t *object, ngx_str_t *names,
    ngx_uint_t n, ngx_scale_raw_t *members)
{
    size_t                  offset;
    ngx_uint_t              i;
    const char             *reason;
    ngx_scale_json_want_t   wants[16];

    if (ngx_scale_json_check(p, object, 16, 1, &reason, &offset) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_memzero(wants, sizeof(wants));

    for (i = 0; i < n; i++) {
        wants[i].path = &names[i];
        wants[i].npath = 1;
        wants[i].elements = 1;
    }

    if (ngx_scale_json_read(p, object, wants, n + 1) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        members[i] = wants[i].raw;
    }

    return wants[n].raw.kind == NGX_SCALE_RAW_OBJECT ? NGX_OK : NGX_DECLINED;
}


static ngx_str_t
text(const char *s)
{
    ngx_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    return str;
}


static void
keys_of(const char *jwks, ngx_uint_t algs)
{
    ngx_str_t    s;
    const char  *reason;

    if (trust.keys) {
        ngx_scale_jwt_keys_destroy(trust.keys);
    }

    trust.keys = ngx_scale_jwt_keys_create(algs, &sink);
    s = text(jwks);

    if (ngx_scale_jwt_keys_jwks(trust.keys, &s, &trust.json, &reason)
        != NGX_OK)
    {
        printf("# %s\n", reason);
    }
}


/* the reason of a refusal, or "good" */

static const char *
check(ngx_str_t *token, time_t now)
{
    ngx_memzero(&jwt, sizeof(jwt));

    return ngx_scale_jwt_check(pool, &trust, token, now, &jwt) == NGX_OK
           ? "good" : jwt.reason;
}


static void
encode(ngx_str_t *out, const void *data, size_t len)
{
    ngx_str_t  src, dst;

    src.data = (u_char *) data;
    src.len = len;
    dst.data = out->data + out->len;
    ngx_encode_base64url(&dst, &src);
    out->len += dst.len;
}


static ngx_str_t
made(const char *header, const char *payload)
{
    u_char         mac[EVP_MAX_MD_SIZE];
    ngx_str_t      token;
    unsigned int   len;

    token.data = ngx_palloc(pool, 2 * (strlen(header) + strlen(payload)) + 64);
    token.len = 0;

    encode(&token, header, strlen(header));
    token.data[token.len++] = '.';
    encode(&token, payload, strlen(payload));

    HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1, token.data, token.len, mac,
         &len);

    token.data[token.len++] = '.';
    encode(&token, mac, len);

    return token;
}


/* a vector is good, and no bit of its signature may be another */

static void
vector(const char *jwks, const char *token, const char *good,
    const char *title)
{
    size_t      i;
    ngx_str_t   t;
    ngx_uint_t  accepted;

    keys_of(jwks, ALL);

    t = text(token);
    t.data = ngx_pstrdup(pool, &t);

    is_str(text(check(&t, NOW)), good, title);

    accepted = 0;

    /* the last character has bits that are not of the signature */

    for (i = t.len - 40; i < t.len - 1; i++) {
        t.data[i] = t.data[i] == 'A' ? 'B' : 'A';
        accepted += ngx_strcmp(check(&t, NOW), UNSIGNED) != 0;
        t.data[i] = token[i];
    }

    ok(accepted == 0, "and with a changed signature it is not");

    t.data[strchr(token, '.') + 3 - token] ^= 1;
    is_str(text(check(&t, NOW)), UNSIGNED, "nor with a changed payload");
}


static void
vectors(void)
{
    ngx_str_t  token;

    vector("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVM"
           "koqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}]}",
           "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD
           ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
           NO_SUB, "RFC 7515, A.1: HS256 is verified");

    vector("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4f"
           "Akd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL"
           "-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
           "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtd"
           "VMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9"
           "iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}]}",
           "eyJhbGciOiJSUzI1NiJ9." PAYLOAD ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzE"
           "Rat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds"
           "9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xB"
           "ArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
           "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs9"
           "8rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
           NO_SUB, "RFC 7515, A.2: RS256 is verified");

    vector("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
           "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
           "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
           "eyJhbGciOiJFUzI1NiJ9." PAYLOAD ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F"
           "4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
           NO_SUB, "RFC 7515, A.3: ES256 is verified");

    vector("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
           "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
           "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MG"
           "CjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpA"
           "r_MuM0KAg",
           "its payload is no JSON object, or names a member twice",
           "RFC 8037, A.4: EdDSA is verified, and its payload is none");

    keys_of("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8V"
            "cfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUx"
            "cWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-"
            "x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}]}", ALL);
    ok(ngx_scale_jwt_keys_count(trust.keys) == 0,
       "RFC 7515, A.4: a key of P-521 is left out");

    token = text("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZ"
                 "FVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xdt"
                 "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vc"
                 "nwNrmxYbSW9ERBXukOXolLzeO_Jn");
    is_str(text(check(&token, NOW)), NO_ALG, "and ES512 is not verified");
}


typedef struct {
    const char   *title;
    const char   *json;
    const char   *expected;
} test_json_t;


static test_json_t  headers[] = {

    { "the least header", "{\"alg\":\"HS256\"}", "good" },
    { "a type", "{\"alg\":\"HS256\",\"typ\":\"jwt\"}", "good" },
    { "an access token's type", "{\"alg\":\"HS256\",\"typ\":\"at+JWT\"}",
      "good" },
    { "a media type in full",
      "{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\"}", "good" },
    { "what nobody here knows", "{\"alg\":\"HS256\",\"x\":[1]}", "good" },

    { "alg none", "{\"alg\":\"none\"}", NO_ALG },
    { "alg None", "{\"alg\":\"None\"}", NO_ALG },
    { "alg nOnE", "{\"alg\":\"nOnE\"}", NO_ALG },
    { "no alg", "{\"typ\":\"JWT\"}", NO_ALG },
    { "an alg in another case", "{\"alg\":\"hs256\"}", NO_ALG },
    { "an empty alg", "{\"alg\":\"\"}", NO_ALG },
    { "an alg that is no string", "{\"alg\":[\"HS256\"]}", NO_ALG },
    { "an alg of no key", "{\"alg\":\"RS256\"}", NO_KEY },
    { "a kid where keys have none", "{\"alg\":\"HS256\",\"kid\":\"a\"}",
      NO_KEY },
    { "an empty kid", "{\"alg\":\"HS256\",\"kid\":\"\"}", NO_KEY },
    { "a kid that is no string", "{\"alg\":\"HS256\",\"kid\":1}",
      "its \"kid\" is no string" },
    { "a null kid", "{\"alg\":\"HS256\",\"kid\":null}",
      "its \"kid\" is no string" },
    { "a crit", "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
      "its header has a \"crit\"" },
    { "an empty crit", "{\"alg\":\"HS256\",\"crit\":[]}",
      "its header has a \"crit\"" },
    { "a null crit", "{\"alg\":\"HS256\",\"crit\":null}",
      "its header has a \"crit\"" },
    { "another type", "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}",
      "its \"typ\" is none of JWT and at+jwt" },
    { "a type that is no string", "{\"alg\":\"HS256\",\"typ\":null}",
      "its \"typ\" is none of JWT and at+jwt" },

#define NO_HEADER "its header is not base64url, no JSON object, or names a " \
                  "member twice"

    { "two algs", "{\"alg\":\"HS256\",\"alg\":\"none\"}", NO_HEADER },
    { "two algs, one with an escape",
      "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}", NO_HEADER },
    { "an array", "[\"alg\"]", NO_HEADER },
    { "a string", "\"HS256\"", NO_HEADER },
    { "nothing", "", NO_HEADER },
    { "what follows the object", "{\"alg\":\"HS256\"}{}", NO_HEADER },
    { "a bomb",
      "{\"alg\":\"HS256\",\"x\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
      NO_HEADER },
    { "invalid UTF-8", "{\"alg\":\"HS256\",\"x\":\"\xc0\xaf\"}", NO_HEADER },
};


#define NO_DATE   "its \"exp\", \"nbf\" or \"iat\" is no date from 1970 to " \
                  "9999, in seconds"
#define NO_OBJECT "its payload is no JSON object, or names a member twice"

static test_json_t  payloads[] = {

    { "the least payload", "{" DATE "," WHO "}", "good" },
    { "the second before it expires", "{\"exp\":1299999971," WHO "}", "good" },
    { "the second when it expires", "{\"exp\":1299999970," WHO "}",
      "it has expired" },
    { "none", "{" WHO "}", "it has no \"exp\"" },
    { "a null one", "{\"exp\":null," WHO "}", NO_DATE },
    { "a string", "{\"exp\":\"1300000100\"," WHO "}", NO_DATE },
    { "a fraction", "{\"exp\":1300000100.999," WHO "}", "good" },
    { "an exponent", "{\"exp\":13.000001E+8," WHO "}", "good" },
    { "1e400", "{\"exp\":1e400," WHO "}", NO_DATE },
    { "1e99999999999999999999", "{\"exp\":1e99999999999999999999," WHO "}",
      NO_DATE },
    { "1e-400", "{\"exp\":1e-400," WHO "}", "it has expired" },
    { "milliseconds", "{\"exp\":1300000100000," WHO "}", NO_DATE },
    { "a negative one", "{\"exp\":-1," WHO "}", NO_DATE },
    { "2^64 and some", "{\"exp\":18446744074909551716," WHO "}", NO_DATE },
    { "two", "{" DATE "," DATE "," WHO "}", NO_OBJECT },

    { "nbf within the leeway", "{" DATE ",\"nbf\":1300000030," WHO "}",
      "good" },
    { "nbf to come", "{" DATE ",\"nbf\":1300000031," WHO "}",
      "its \"nbf\" is to come" },
    { "a negative nbf", "{" DATE ",\"nbf\":-5," WHO "}", NO_DATE },
    { "iat within the leeway", "{" DATE ",\"iat\":1300000030," WHO "}",
      "good" },
    { "iat to come", "{" DATE ",\"iat\":1300000031.5," WHO "}",
      "its \"iat\" is to come" },
    { "an iat that is an object", "{" DATE ",\"iat\":{}," WHO "}", NO_DATE },

    { "an aud where none is meant", "{" DATE "," WHO ",\"aud\":\"a\"}",
      "it has an \"aud\", and \"audience\" says of none that it is meant" },

    { "no iss", "{" DATE ",\"sub\":\"s\"}", "good" },
    { "an iss that is no string", "{" DATE ",\"iss\":1,\"sub\":\"s\"}",
      "its \"iss\" is no string" },
    { "no sub", "{" DATE ",\"iss\":\"i\"}", NO_SUB },
    { "an empty sub", "{" DATE ",\"sub\":\"\"}", NO_SUB },
    { "a number for a sub", "{" DATE ",\"sub\":1}", NO_SUB },
    { "two subs", "{" DATE ",\"sub\":\"a\",\"sub\":\"b\"}", NO_OBJECT },
    { "a NUL in the sub", "{" DATE ",\"sub\":\"a\\u0000b\"}", NO_OBJECT },
    { "invalid UTF-8", "{" DATE ",\"sub\":\"\xff\"}", NO_OBJECT },
    { "a member twice, deep down",
      "{" DATE "," WHO ",\"a\":{\"b\":[{\"c\":1,\"c\":1}]}}", NO_OBJECT },
    { "an array", "[]", NO_OBJECT },
    { "a cut one", "{" DATE "," WHO, NO_OBJECT },
    { "an empty one", "", NO_OBJECT },
};


static void
members(void)
{
    ngx_str_t   token;
    ngx_uint_t  i;

    keys_of("{\"keys\":[" JWK "]}", ALL);

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        token = made(headers[i].json, "{" DATE "," WHO "}");
        is_str(text(check(&token, NOW)), headers[i].expected,
               headers[i].title);
    }

    for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        token = made(HEADER, payloads[i].json);
        is_str(text(check(&token, NOW)), payloads[i].expected,
               payloads[i].title);
    }

    keys_of("{\"keys\":[" JWK "]}", 1 << NGX_SCALE_JWT_RS256);
    token = made(HEADER, "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), NO_ALG,
           "an algorithm that is not on the list");
    ok(ngx_scale_jwt_keys_count(trust.keys) == 0, "and it has no keys");
}


static test_json_t  meant[] = {

    { "the audience", "\"aud\":\"us\"", "good" },
    { "one of several", "\"aud\":[\"them\",\"us2\"]", "good" },
    { "another", "\"aud\":\"them\"", "its \"aud\" has none of \"audience\"" },
    { "others", "\"aud\":[\"them\",\"US\",[\"us\"],null,1]",
      "its \"aud\" has none of \"audience\"" },
    { "an empty list", "\"aud\":[]", "its \"aud\" has none of \"audience\"" },
    { "an object", "\"aud\":{\"us\":\"us\"}",
      "its \"aud\" has none of \"audience\"" },
    { "none", "\"a\":\"us\"", "its \"aud\" has none of \"audience\"" },
    { "another issuer", "\"aud\":\"us\",\"iss\":\"x\"",
      "its \"iss\" is none of \"issuer\"" },
    { "a longer issuer", "\"aud\":\"us\",\"iss\":\"ii\"",
      "its \"iss\" is none of \"issuer\"" },
};


static void
audiences(void)
{
    char         payload[256];
    ngx_str_t    token, us[2], issuer;
    ngx_uint_t   i;
    ngx_array_t  audience, issuers;

    us[0] = text("us");
    us[1] = text("us2");
    issuer = text("i");
    audience.elts = us;
    audience.nelts = 2;
    issuers.elts = &issuer;
    issuers.nelts = 1;

    keys_of("{\"keys\":[" JWK "]}", ALL);
    trust.audiences = &audience;
    trust.issuers = &issuers;

    for (i = 0; i < sizeof(meant) / sizeof(meant[0]); i++) {
        snprintf(payload, sizeof(payload), "{" DATE ",\"sub\":\"s\",%s%s}",
                 meant[i].json,
                 strstr(meant[i].json, "iss") ? "" : ",\"iss\":\"i\"");
        token = made(HEADER, payload);
        is_str(text(check(&token, NOW)), meant[i].expected, meant[i].title);
    }

    token = made(HEADER, "{" DATE ",\"sub\":\"s\",\"aud\":\"us\"}");
    is_str(text(check(&token, NOW)), "its \"iss\" is none of \"issuer\"",
           "no issuer");

    trust.audiences = NULL;
    trust.issuers = NULL;
}


static void
forms(void)
{
    size_t       len;
    ngx_str_t    token, other, bytes;
    ngx_uint_t   i, accepted;

    static const char  *bad[] = {
        "", ".", "..", "...", "a.b", "a.b.c.d", "e30.e30.", "e30.e30.e30",
        "e30=.e30.e30", "e3+.e30.e30", "e30.e30.e3 0", "e31.e30.e30",
        "eyJhbGciOiJub25lIn0.e30.", "\n.e30.e30", NULL
    };

    keys_of("{\"keys\":[" JWK "]}", ALL);

    for (i = 0, accepted = 0; bad[i]; i++) {
        token = text(bad[i]);
        accepted += ngx_strcmp(check(&token, NOW), "good") == 0;
    }

    ok(accepted == 0, "what is no token is none");

    token = made(HEADER, "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), "good", "what is one is good");
    is_str(jwt.subject, "s", "and says who it is of");
    is_str(jwt.issuer, "i", "and who says so");
    is_str(jwt.payload, "{" DATE "," WHO "}", "and what");

    len = token.len;

    for (accepted = 0; token.len; /* void */ ) {
        token.len--;
        other.data = ngx_palloc(pool, token.len + 1);
        other.len = token.len;
        ngx_memcpy(other.data, token.data, token.len);
        accepted += ngx_strcmp(check(&other, NOW), "good") == 0;
    }

    ok(accepted == 0, "cut anywhere it is not");

    token.len = len;

    for (i = 0, accepted = 0; i < len; i++) {
        other.data = ngx_pstrdup(pool, &token);
        other.len = len;
        other.data[i] ^= 1 << i % 8;
        accepted += ngx_strcmp(check(&other, NOW), "good") == 0;
    }

    ok(accepted == 0, "nor with a bit changed anywhere");

    other.len = NGX_SCALE_JWT_MAX + 1;
    other.data = ngx_palloc(pool, other.len);
    ngx_memset(other.data, 'A', other.len);
    is_str(text(check(&other, NOW)), "it has more than 8192 bytes",
           "a longer one is not looked at");

    other = text("_-8");
    ok(ngx_scale_jwt_decode(pool, &other, &bytes) == NGX_OK && bytes.len == 2
       && bytes.data[0] == 0xff && bytes.data[1] == 0xef,
       "base64url has - and _");

    other = text("_-9");
    ok(ngx_scale_jwt_decode(pool, &other, &bytes) == NGX_DECLINED,
       "and one text for two bytes");

    other = text("_x");
    ok(ngx_scale_jwt_decode(pool, &other, &bytes) == NGX_DECLINED,
       "as for one");

    other = text("e30.e30.e30.e30.e30");
    is_str(text(check(&other, NOW)), "it has not three parts",
           "what is encrypted is none");
}


static test_json_t  sets[] = {

    { "an empty set", "{\"keys\":[]}", NULL },
    { "no set", "{}", "is no JWK set, {\"keys\": [...]}, or is cut off" },
    { "a key alone", JWK, "is no JWK set, {\"keys\": [...]}, or is cut off" },
    { "a cut set", "{\"keys\":[" JWK,
      "is no JWK set, {\"keys\": [...]}, or is cut off" },
    { "two sets", "{\"keys\":[],\"keys\":[]}",
      "is no JWK set, {\"keys\": [...]}, or is cut off" },
    { "a key that is none", "{\"keys\":[1]}",
      "has a key that is no JSON object" },
    { "a key for what is not done here",
      "{\"keys\":[{\"kty\":\"oct\",\"use\":\"enc\",\"k\":\"AA\"},"
      "{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"AA\"},"
      "{\"kty\":\"oct\",\"key_ops\":[\"encrypt\"],\"k\":\"AA\"},"
      "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"},{\"kty\":1},{}]}",
      NULL },
    { "a short secret", "{\"keys\":[{\"kty\":\"oct\","
      "\"k\":\"YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcy4uLg\"}]}",
      "has a secret of less than 32 bytes" },
    { "a private key",
      "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"AA\","
      "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
      "has a private key: leave \"d\" and what belongs to it with who signs" },
    { "a key without its number", "{\"keys\":[{\"kty\":\"oct\"}]}",
      "has a key that lacks a number, or whose number is not base64url" },
    { "a padded number", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA==\"}]}",
      "has a key that lacks a number, or whose number is not base64url" },

#define BROKEN    "has a key that is none: its numbers do not make one"

    { "a point that is not on the curve",
      "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}", BROKEN },
    { "a short coordinate", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
      "\"x\":\"AA\",\"y\":\"AA\"}]}", BROKEN },
    { "a short Ed25519 key", "{\"keys\":[{\"kty\":\"OKP\","
      "\"crv\":\"Ed25519\",\"x\":\"AA\"}]}", BROKEN },
    { "a short RSA key", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"_-8\","
      "\"e\":\"AQAB\"}]}", "has an RSA key of less than 2048 bits" },
    { "an exponent of 1",
      "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4f"
      "Akd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL"
      "-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
      "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtd"
      "VMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9"
      "iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQ\"}]}",
      BROKEN },
};


static void
files(void)
{
    ngx_int_t    rc;
    ngx_str_t    s;
    ngx_uint_t   i;
    const char  *reason;

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        keys_of("{\"keys\":[]}", ALL);

        s = text(sets[i].json);
        reason = NULL;
        rc = ngx_scale_jwt_keys_jwks(trust.keys, &s, &trust.json, &reason);

        ok(rc == (sets[i].expected ? NGX_DECLINED : NGX_OK)
           && ngx_scale_jwt_keys_count(trust.keys) == 0, sets[i].title);

        if (sets[i].expected) {
            is_str(text(reason), sets[i].expected, "and why");
        }
    }
}


/* RFC 8410, section 10.1, has the first; it is RFC 8032's second key */

static void
pem(void)
{
    ngx_str_t    s, kid, token;
    ngx_uint_t   i;
    const char  *reason;

    static char  ed[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n";
    static char  x25519[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n";
    static char  private[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n";

    static char  two[2 * sizeof(ed)];

    ngx_str_null(&kid);
    snprintf(two, sizeof(two), "%s%s", ed, ed);

    keys_of("{\"keys\":[]}", ALL);
    s = text(two);
    ok(ngx_scale_jwt_keys_pem(trust.keys, &s, &kid, &reason) == NGX_OK
       && ngx_scale_jwt_keys_count(trust.keys) == 2,
       "a PEM file may have several keys");

    for (i = 1; i < sizeof(ed) - 1; i += 7) {
        keys_of("{\"keys\":[]}", ALL);
        s = text(ed);
        s.len -= i;

        if (ngx_scale_jwt_keys_pem(trust.keys, &s, &kid, &reason)
            == NGX_OK && i > 1)
        {
            break;
        }
    }

    ok(i >= sizeof(ed) - 1, "a cut one has none");

    s = text(x25519);
    ok(ngx_scale_jwt_keys_pem(trust.keys, &s, &kid, &reason) == NGX_DECLINED
       && ngx_strcmp(reason, "has a key that is not RSA, P-256 or Ed25519")
          == 0, "a key that signs nothing is refused");

    s = text(private);
    ok(ngx_scale_jwt_keys_pem(trust.keys, &s, &kid, &reason) == NGX_DECLINED
       && ngx_strncmp(reason, "has another part than a PUBLIC KEY", 34) == 0,
       "and so is a private one");

    s = text(SECRET);
    ok(ngx_scale_jwt_keys_pem(trust.keys, &s, &kid, &reason) == NGX_DECLINED,
       "a secret is no PEM file");

    /* confusion: the file's own text as the secret of HMAC */

    keys_of("{\"keys\":[]}", ALL);
    s = text(ed);
    ngx_scale_jwt_keys_pem(trust.keys, &s, &kid, &reason);
    token = made(HEADER, "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), NO_KEY,
           "a public key verifies no HMAC");
}


static test_json_t  dates[] = {
    { "0", "0", "0" }, { "0.0", "0.0", "0" }, { "0e9", "0e9", "0" },
    { "1", "1", "1" }, { "12.9", "12.9", "12" }, { "1.25e1", "1.25e1", "12" },
    { "0.00125E+4", "0.00125E+4", "12" }, { "1250e-2", "1250e-2", "12" },
    { "1e-1", "1e-1", "0" }, { "0.999", "0.999", "0" },
    { "253402300799", "253402300799", "253402300799" },
    { "253402300800", "253402300800", NULL }, { "1e12", "1e12", NULL },
    { "-1", "-1", NULL }, { "-0", "-0", NULL }, { "1e400", "1e400", NULL },
    { "9e18446744073709551616", "9e18446744073709551616", NULL },
    { "9e-18446744073709551616", "9e-18446744073709551616", "0" },
};


static void
numbers(void)
{
    time_t      date;
    char        got[32];
    ngx_str_t   s;
    ngx_uint_t  i;

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        s = text(dates[i].json);

        if (ngx_scale_jwt_date(&s, &date) != NGX_OK) {
            ok(dates[i].expected == NULL, dates[i].title);
            continue;
        }

        snprintf(got, sizeof(got), "%ld", (long) date);
        is_str(text(got), dates[i].expected ? dates[i].expected : "refused",
               dates[i].title);
    }
}


/* signed by RSA, the token's signature begins with a byte of 0 */

static ngx_str_t
begins_with_zero(EVP_PKEY *key, u_char *signature, size_t *len)
{
    char         payload[128];
    size_t       n;
    ngx_str_t    token;
    ngx_uint_t   i;
    EVP_MD_CTX  *ctx;

    for (i = 0; /* void */ ; i++) {
        snprintf(payload, sizeof(payload), "{" DATE "," WHO ",\"jti\":%lu}",
                 (unsigned long) i);

        token.data = ngx_palloc(pool, 1024);
        token.len = 0;
        encode(&token, "{\"alg\":\"RS256\"}", 15);
        token.data[token.len++] = '.';
        encode(&token, payload, strlen(payload));

        ctx = EVP_MD_CTX_new();
        n = *len;
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
        EVP_DigestSign(ctx, signature, &n, token.data, token.len);
        EVP_MD_CTX_free(ctx);

        if (signature[0] == 0) {
            *len = n;
            token.data[token.len++] = '.';
            return token;
        }
    }
}


static void
zeros(void)
{
    BIO         *bio;
    char        *data;
    size_t       len;
    u_char       signature[512];
    EVP_PKEY    *key;
    ngx_str_t    pem, kid, token, content;
    const char  *reason;

    keys_of("{\"keys\":[]}", ALL);
    ngx_str_null(&kid);

    key = EVP_RSA_gen(2048);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    pem.len = BIO_get_mem_data(bio, &data);
    pem.data = (u_char *) data;

    ok(ngx_scale_jwt_keys_pem(trust.keys, &pem, &kid, &reason) == NGX_OK,
       "a key of RSA");

    signature[0] = 0;
    len = sizeof(signature) - 1;
    content = begins_with_zero(key, signature + 1, &len);

    token = content;
    encode(&token, signature + 1, len);
    is_str(text(check(&token, NOW)), "good",
           "a signature that begins with 0 is whole");

    token = content;
    encode(&token, signature + 2, len - 1);
    is_str(text(check(&token, NOW)), UNSIGNED, "without the 0 it is not");

    token = content;
    encode(&token, signature, len + 1);
    is_str(text(check(&token, NOW)), UNSIGNED, "nor with another one");

    BIO_free(bio);
    EVP_PKEY_free(key);
}


/* keys by their kid, and without one the first 8 of them */

static void
choice(void)
{
    char        set[4096];
    size_t      len;
    ngx_str_t   token;
    ngx_uint_t  i;

    len = snprintf(set, sizeof(set), "{\"keys\":[");

    for (i = 0; i < 10; i++) {
        len += snprintf(set + len, sizeof(set) - len,
                        "%s{\"kty\":\"oct\",\"kid\":\"k%lu\",\"k\":\"%s\"}",
                        i ? "," : "", (unsigned long) i,
                        i == 7 || i == 9
                        ? "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcy4uLi5B"
                        : "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcy4uLi5C");
    }

    snprintf(set + len, sizeof(set) - len, "]}");
    keys_of(set, ALL);

    token = made("{\"alg\":\"HS256\",\"kid\":\"k9\"}", "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), "good", "a key is found by its kid");

    token = made("{\"alg\":\"HS256\",\"kid\":\"k1\"}", "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), UNSIGNED, "and no other is tried");

    token = made("{\"alg\":\"HS256\",\"kid\":\"K9\"}", "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), NO_KEY, "an unknown kid is refused");

    token = made(HEADER, "{" DATE "," WHO "}");
    is_str(text(check(&token, NOW)), "good",
           "without one the eighth is tried");

    memcpy(strstr(set, "k7"), "k?", 2);
    memcpy(strstr(set, "uLi5B"), "uLi5C", 5);
    keys_of(set, ALL);
    is_str(text(check(&token, NOW)), UNSIGNED, "but not the tenth");
}


/* a signature that was verified is not computed again; all else is */

static void
again(void)
{
    char        payload[128];
    ngx_str_t   token;
    ngx_uint_t  i, good;

    static const char  jwks[] =
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

    keys_of(jwks, ALL);

    token = text("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hg"
                 "yY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGj"
                 "g5BhVsPt9g7sVvpAr_MuM0KAg");

    is_str(text(check(&token, NOW)), NO_OBJECT, "the first time");
    is_str(text(check(&token, NOW)), NO_OBJECT, "and the second");

    keys_of("{\"keys\":[]}", ALL);
    is_str(text(check(&token, NOW)), NO_KEY,
           "another set knows nothing of it");

    keys_of("{\"keys\":[" JWK "]}", ALL);
    good = 0;

    for (i = 0; i < 20000; i++) {
        snprintf(payload, sizeof(payload), "{" DATE "," WHO ",\"jti\":%lu}",
                 (unsigned long) i);
        token = made(HEADER, payload);
        good += ngx_strcmp(check(&token, NOW), "good") == 0
                && ngx_strcmp(check(&token, NOW), "good") == 0
                && ngx_strcmp(check(&token, NOW + 1000), "it has expired")
                   == 0;
        ngx_reset_pool(pool);
    }

    ok(good == 20000, "more tokens than it remembers");
}


int
main(void)
{
    pool = test_pool();
    trust.json.read = read_json;
    trust.leeway = 30;

    vectors();
    members();
    audiences();
    forms();
    files();
    pem();
    numbers();
    zeros();
    choice();
    again();

    ngx_scale_jwt_keys_destroy(trust.keys);
    ngx_destroy_pool(pool);

    return done();
}
