/* sources: session/token.c session/cookie.c session/record.c session/csrf.c */

#include "session/sessions.h"
#include "test.h"


static ngx_str_t
text_of(const char *s)
{
    ngx_str_t  text;

    text.data = (u_char *) s;
    text.len = ngx_strlen(s);

    return text;
}


static void
tokens(void)
{
    u_char                     text[NGX_SCALE_SESSION_TEXT];
    u_char                     bytes[NGX_SCALE_SESSION_SIGNED];
    size_t                     len;
    ngx_str_t                  s, name;
    ngx_uint_t                 i, garbage;
    ngx_scale_session_token_t  token, back;

    for (i = 0; i < sizeof(token); i++) {
        ((u_char *) &token)[i] = (u_char) (i * 5 + 1);
    }

    ngx_scale_session_token_write(&token, text);

    s.data = text;
    s.len = sizeof(text);

    ok(ngx_scale_session_token_read(&back, &s) == NGX_OK
       && ngx_memcmp(&back, &token, sizeof(token)) == 0,
       "what is written is read");

    garbage = 0;

    for (s.len = 0; s.len < sizeof(text); s.len++) {
        garbage += ngx_scale_session_token_read(&back, &s) == NGX_DECLINED;
    }

    ok(garbage == sizeof(text), "a part of it is nothing");

    ngx_memset(text, 'A', sizeof(text));
    s.len = sizeof(text);
    text[63] = '=';
    ok(ngx_scale_session_token_read(&back, &s) == NGX_DECLINED,
       "nor is padding");

    text[63] = '+';
    ok(ngx_scale_session_token_read(&back, &s) == NGX_DECLINED,
       "nor is another alphabet");

    name = text_of("sid");
    len = ngx_scale_session_token_signed(&token, &name, bytes);

    ok(len == 36 && ngx_memcmp(bytes, "sid", 4) == 0
       && ngx_memcmp(bytes + 4, &token, 32) == 0,
       "the name, a NUL, the id and the tag are signed");
}


static void
keys(void)
{
    u_char      key[NGX_SCALE_SESSION_KEY];
    ngx_str_t   name, s;

    name = text_of("sid");

    s.data = key;
    s.len = ngx_scale_session_key(key, &name, 'i', (u_char *)
                                  "0123456789abcdef0123456789abcdef") - key;

    is_str(s, "sid/i/0123456789abcdef0123456789abcdef",
           "a key has the session's name, what it is of, and a digest");
}


/* all values of the cookie "sid", each with a bar behind it */

static ngx_str_t
values(const char *field)
{
    u_char      *p;
    ngx_str_t    rest, name, value, all;

    static u_char  buf[256];

    rest = text_of(field);
    name = text_of("sid");
    p = buf;

    while (ngx_scale_session_cookie_next(&rest, &name, &value) == NGX_OK) {
        p = ngx_cpymem(p, value.data, value.len);
        *p++ = '|';
    }

    all.data = buf;
    all.len = p - buf;

    return all;
}


static void
cookies(void)
{
    u_char                      buf[256];
    ngx_str_t                   value, s;
    ngx_scale_session_cookie_t  cookie;

    is_str(values("sid=a"), "a|", "a cookie is found");
    is_str(values("x=1; sid=a; y=2"), "a|", "among others");
    is_str(values("sid=a;sid=b; \tsid=c"), "a|b|c|", "as often as it came");
    is_str(values("xsid=a; sid2=b; Sid=c; SID=d"), "",
           "another name is another cookie, by case, too");
    is_str(values("sid; sid; sid="), "|", "a name without a value is none");
    is_str(values("x=sid=a"), "", "a value is not a name");
    is_str(values(";; ;sid=a;;"), "a|", "empty pairs are nothing");
    is_str(values(""), "", "nor is an empty field");
    is_str(values("sid=a=b"), "a=b|", "a value may have a sign of equality");

    cookie.name = text_of("__Host-sid");
    cookie.same_site = text_of("Lax");
    cookie.secure = 1;
    value = text_of("abc");

    s.data = buf;
    s.len = ngx_scale_session_cookie_write(buf, &cookie, &value, 60) - buf;

    is_str(s, "__Host-sid=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
           "; Max-Age=60", "a cookie has its attributes");
    ok(s.len <= ngx_scale_session_cookie_len(&cookie, &value),
       "and the room that it needs is known");

    cookie.secure = 0;
    ngx_str_null(&value);
    s.len = ngx_scale_session_cookie_write(buf, &cookie, &value, 0) - buf;

    is_str(s, "__Host-sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0",
           "it is taken away by one that ends at once");
}


static void
records(void)
{
    u_char                      buf[64];
    uint64_t                    generation;
    ngx_str_t                   s;
    ngx_uint_t                  garbage;
    ngx_scale_session_record_t  record, back;

    record.generation = 0xfedcba9876543210ULL;
    record.created = 1900000000;
    record.json = text_of("{\"user\":7}");

    ngx_scale_session_record_write(&record, buf);

    s.data = buf;
    s.len = NGX_SCALE_SESSION_HEAD + record.json.len;

    ok(ngx_scale_session_record_read(&back, &s) == NGX_OK
       && back.generation == record.generation
       && back.created == record.created, "a record is read as it was written");
    is_str(back.json, "{\"user\":7}", "with what is kept");

    garbage = 0;

    for (s.len = 0; s.len < NGX_SCALE_SESSION_HEAD; s.len++) {
        garbage += ngx_scale_session_record_read(&back, &s) == NGX_DECLINED;
    }

    ok(garbage == NGX_SCALE_SESSION_HEAD, "a part of its head is none");

    buf[0] = 2;
    ok(ngx_scale_session_record_read(&back, &s) == NGX_DECLINED,
       "nor is one of another version");

    ngx_scale_session_generation_write(record.generation, buf);
    s.len = 8;

    ok(ngx_scale_session_generation_read(&generation, &s) == NGX_OK
       && generation == record.generation, "a generation is 64 bits");

    s.len = 7;
    ok(ngx_scale_session_generation_read(&generation, &s) == NGX_DECLINED,
       "and not less");
}


static void
lifetimes(void)
{
    ngx_scale_session_record_t  record;

    record.created = 1000;

    ok(ngx_scale_session_left(&record, 60, 1000) == 60, "it begins whole");
    ok(ngx_scale_session_left(&record, 60, 1059) == 1, "it has a last second");
    ok(ngx_scale_session_left(&record, 60, 1060) == 0, "and is over then");
    ok(ngx_scale_session_left(&record, 60, 990) == 60,
       "of a clock that is ahead it has no more");

    ok(ngx_scale_session_is_due(1499, 1600), "a sixteenth of idle has passed");
    ok(!ngx_scale_session_is_due(1500, 1600), "or it has not");
    ok(ngx_scale_session_is_due(0, 2) && !ngx_scale_session_is_due(1, 2),
       "a second is the least");
}


static ngx_int_t
ours(const char *site, const char *origin, const char *host,
    ngx_array_t *origins)
{
    ngx_scale_session_origin_t  request;

    request.site = text_of(site);
    request.origin = text_of(origin);
    request.scheme = text_of("https");
    request.host = text_of(host);

    return ngx_scale_session_is_ours(&request, origins) == NGX_OK;
}


static void
origins(void)
{
    ngx_str_t    *origin;
    ngx_pool_t   *pool;
    ngx_array_t  *list;

    pool = test_pool();
    list = ngx_array_create(pool, 1, sizeof(ngx_str_t));
    origin = ngx_array_push(list);
    *origin = text_of("https://app.example.com");

    ok(ours("same-origin", "", "a.com", NULL), "a page of the same origin");
    ok(ours("none", "", "a.com", NULL), "no page at all");
    ok(!ours("cross-site", "", "a.com", NULL), "a page of another site");
    ok(!ours("same-site", "https://b.a.com", "a.com", NULL),
       "another host of the same site is another origin");
    ok(!ours("", "", "a.com", NULL), "of nothing nothing is known");

    ok(ours("", "https://a.com", "a.com", NULL), "an origin is the host");
    ok(ours("", "https://a.com", "A.com", NULL), "whose case is all the same");
    ok(ours("", "https://a.com", "a.com:443", NULL),
       "and whose port is the scheme's own");
    ok(ours("", "https://a.com:8443", "a.com:8443", NULL),
       "or is named by both");
    ok(!ours("", "https://a.com:8443", "a.com", NULL), "but not by one");
    ok(!ours("", "http://a.com", "a.com", NULL), "of another scheme");
    ok(!ours("", "https://a.com.evil.com", "a.com", NULL),
       "of a longer name");
    ok(!ours("", "https://evil-a.com", "a.com", NULL), "and of a longer one");
    ok(!ours("", "null", "a.com", NULL), "an opaque origin is nobody's");
    ok(!ours("", "https://", "", NULL), "no host has no origin");
    ok(!ours("", "https://a.com, https://a.com", "a.com", NULL),
       "two are none");

    ok(ours("cross-site", "https://app.example.com", "a.com", list),
       "an origin that is listed");
    ok(!ours("cross-site", "https://app.example.com.evil.com", "a.com", list),
       "and one that is not");
    ok(!ours("cross-site", "", "a.com", list), "no origin is not listed");

    ngx_destroy_pool(pool);
}


int
main(void)
{
    tokens();
    keys();
    cookies();
    records();
    lifetimes();
    origins();

    return done();
}
