/* sources: aws/digest.c aws/encode.c aws/canonical.c aws/key.c aws/sign.c aws/policy.c aws/credentials.c aws/verify.c */

/*
 * What the vectors of t/unit/aws_vectors.c do not have: S3, URLs, forms, and
 * all of it backwards.  Signatures are those of botocore 1.29.27, but for the
 * examples of Amazon's own documentation.
 */

#include "aws/aws.h"
#include "test.h"


#define NOW  1440938160                    /* 20150830T123600Z */

static ngx_pool_t  *pool;

static ngx_scale_aws_credentials_t  plain = {
    ngx_string("AKIDEXAMPLE"),
    ngx_string("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ngx_null_string,
    1
};

static ngx_scale_aws_credentials_t  session = {
    ngx_string("AKIDEXAMPLE"),
    ngx_string("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ngx_string("tok/en+1=="),
    2
};

static ngx_scale_aws_scope_t  s3 = {
    ngx_string("us-east-1"), ngx_string("s3"), 0, { 0 }, { 0 }
};

static ngx_scale_aws_scope_t  other = {
    ngx_string("us-east-1"), ngx_string("service"), 0, { 0 }, { 0 }
};

#define EMPTY                                                                 \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


static ngx_str_t
str(const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    return s;
}


static void
add(ngx_scale_aws_request_t *request, const char *key, const char *value)
{
    ngx_keyval_t  *header;

    header = ngx_array_push(request->headers);
    header->key = str(key);
    header->value = str(value);
}


static void
make(ngx_scale_aws_request_t *request, const char *method, const char *path,
    const char *host)
{
    ngx_memzero(request, sizeof(ngx_scale_aws_request_t));

    request->method = str(method);
    request->path = str(path);
    request->payload = str(NGX_SCALE_AWS_UNSIGNED);
    request->headers = ngx_array_create(pool, 4, sizeof(ngx_keyval_t));

    add(request, "Host", host);
}


/* "+ ( ) % // é" and dots: of S3 the path once, of others normalized, twice */

static struct {
    const char  *path;
    const char  *s3;
    const char  *other;
    const char  *encoded;
} paths[] = {

    { "/a%2Bb",
      "bd314ec5094439e6346a9e97fe07e1e5541632a066362bee0ad515c5e08c198f",
      "90174f7fb0aa44b194f69d49f5a5026950b9498eb736660e2d68401d9fd00336",
      "/a%252Bb" },

    { "/a%20%28b%29",
      "bf8429d92c8b374679efbb24d11d471cb42f5c0ce4273e4c9843ecc077d24e1c",
      "a5c1ebb21d4cf54ee0cd3a8b21a6dc73fb4cc97247c7a72917153d7bbada8ef5",
      "/a%2520%2528b%2529" },

    { "/a%25b",
      "88ee129c5041f228fffb28846de97cb4b7fac60a30b92352d80c014c858c91d5",
      "8a1cd68acc9ddf8d5e7204b59e5ae0c170071355e28637b139392305b67e5b78",
      "/a%2525b" },

    { "//a//b",
      "f0387df37403025dc49d0f5ece88e4f1983936a6b8be4cf81dd398c5468e08a9",
      "deb6449346bcdcc70e6dde4033ab48986cf16cee892b878a97c78ad8e560709e",
      "/a/b" },

    { "/%C3%A9",
      "1ebcb69b4a49a2414b43fef8d06c83753c6a7f7c68490340f5480dda3598b05c",
      "92d6563855d2366bd1ea1c6727da187db15e30fbf0948f8d4d5edd5ea07d3a93",
      "/%25C3%25A9" },

    { "/a/../b",
      "5c9dc79cba0d38164db1737dce57fb324fae8a330a2458ff410580d0be6d5b19",
      "edc6f6d7c93be308e1fb8cf1258dae0b09034ee9187f38e164198f8a759b6a53",
      "/b" },

    { "/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40",
      "d15a76627b93b1e4aff0c4f988e59adb4225d124b72aa4e355880d616db58453",
      "3c7ed58f3110ba57213824db73ff67d3ed2e8147e1fe5594a11d0d026970bc16",
      "/%2521%2524%2526%2527%2528%2529%252A%252C%253B%253D%253A%2540" },

    { "/~-_.",
      "1250939ca95039b2871d9468c4805358b9fe03065895a8f806cbbd672d27a078",
      "d46f481c64e5603bb93ee0c35b59139e0d3fed9efabbc497088cdedbc63c54c4",
      "/~-_." }
};


static ngx_str_t
signature(ngx_scale_aws_scope_t *scope, ngx_scale_aws_request_t *request)
{
    ngx_str_t  authorization;

    ngx_scale_aws_authorize(pool, scope, &plain, request,
                            (u_char *) "20150830T123600Z", &authorization);

    authorization.data += authorization.len - NGX_SCALE_AWS_HEX;
    authorization.len = NGX_SCALE_AWS_HEX;

    return authorization;
}


static void
canonical_paths(void)
{
    ngx_str_t                path, canonical;
    ngx_uint_t               i;
    ngx_scale_aws_request_t  request;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        path = str(paths[i].path);

        make(&request, "GET", paths[i].path, "examplebucket.s3.amazonaws.com");
        add(&request, "x-amz-date", "20150830T123600Z");
        add(&request, "x-amz-content-sha256", EMPTY);
        request.payload = str(EMPTY);
        is_str(signature(&s3, &request), paths[i].s3, paths[i].path);

        make(&request, "GET", paths[i].path, "service.amazonaws.com");
        add(&request, "x-amz-date", "20150830T123600Z");
        request.payload = str(EMPTY);
        is_str(signature(&other, &request), paths[i].other, paths[i].path);

        ngx_scale_aws_path(pool, &path, 1, &canonical);
        is_str(canonical, paths[i].path, "S3 has it as it is sent");
        ngx_scale_aws_path(pool, &path, 0, &canonical);
        is_str(canonical, paths[i].encoded, "others encode it again");
    }

    path = str("/a+(b)%2fc%zz\xc3\xa9");
    ngx_scale_aws_path(pool, &path, 1, &canonical);
    is_str(canonical, "/a%2B%28b%29/c%25zz%C3%A9",
           "what is sent in another encoding has the one of S3");

    path = str("");
    ngx_scale_aws_path(pool, &path, 1, &canonical);
    is_str(canonical, "/", "no path is the root");
}


static void
dots(void)
{
    ngx_uint_t  i, wrong;
    ngx_str_t   path;

    static const char  *with[] = { "..", "a/..", "../a", "a/./b", "/.",
                                   "a//../b", NULL };
    static const char  *without[] = { "", "a", "...", "/a.b/..c/.d", "a../b",
                                      NULL };

    wrong = 0;

    for (i = 0; with[i]; i++) {
        path = str(with[i]);
        wrong += !ngx_scale_aws_has_dots(&path);
    }

    for (i = 0; without[i]; i++) {
        path = str(without[i]);
        wrong += ngx_scale_aws_has_dots(&path);
    }

    ok(wrong == 0, "\".\" and \"..\" are seen where they are a segment");
}


static void
arguments(void)
{
    ngx_str_t  args, canonical, except;

    args = str("b=2&a=%7e+x&&b=10&c&%41=%zz");
    except = str("b");

    ngx_scale_aws_args(pool, &args, NULL, &canonical);
    is_str(canonical, "A=%25zz&a=~%20x&b=10&b=2&c=",
           "arguments are sorted when they are encoded");
    ngx_scale_aws_args(pool, &args, &except, &canonical);
    is_str(canonical, "A=%25zz&a=~%20x&c=", "and one is left out");
}


/* Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters" */

static void
documented_url(void)
{
    ngx_str_t                args;
    ngx_scale_aws_request_t  request;

    static ngx_scale_aws_credentials_t  example = {
        ngx_string("AKIAIOSFODNN7EXAMPLE"),
        ngx_string("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ngx_null_string,
        3
    };

    make(&request, "GET", "/test.txt", "examplebucket.s3.amazonaws.com");
    ngx_scale_aws_presign(pool, &s3, &example, &request, 1369353600, 86400,
                          &args);
    is_str(args, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
           "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
           "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
           "&X-Amz-SignedHeaders=host&X-Amz-Signature="
           "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
           "a URL is what Amazon's documentation has");
}


static struct {
    const char                   *method;
    ngx_scale_aws_credentials_t  *credentials;
    const char                   *signature;
} urls[] = {
    { "PUT", &plain,
      "548503bc81c7554035c38111a83e24e15772dc6e7a2c0e1959c660aa0153e34d" },
    { "GET", &plain,
      "d9e3fe6202e15c0b143b43bafaea52dda75e514e7487cb0b200b033c92586994" },
    { "PUT", &session,
      "4d7ca40f9325c1fa9d1fecfb5da091488ff3958d6a61b79c1be6efaedb8de297" },
    { "GET", &session,
      "e87ddc428468c1bf1ec0549f1273039f6fe9329bcc9a40da75d823d5fbc3f3fd" }
};


static void
make_url(ngx_scale_aws_request_t *request, ngx_uint_t i)
{
    make(request, urls[i].method, "/photos/a%20b%2B1.png",
         "examplebucket.s3.amazonaws.com");

    if (urls[i].method[0] == 'P') {
        add(request, "Content-Type", "image/png");
        add(request, "Content-Length", "3");
    }
}


static void
presigned(void)
{
    ngx_str_t                args;
    ngx_uint_t               i;
    const char              *reason;
    ngx_scale_aws_request_t  request;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        make_url(&request, i);
        ngx_scale_aws_presign(pool, &s3, urls[i].credentials, &request, NOW,
                              900, &args);
        request.args = args;

        args.data += args.len - NGX_SCALE_AWS_HEX;
        args.len = NGX_SCALE_AWS_HEX;
        is_str(args, urls[i].signature, urls[i].method);

        ok(ngx_scale_aws_verify(pool, &s3, urls[i].credentials, &request, NOW,
                                60, &reason)
           == NGX_OK, "and it is verified");
    }
}


static void
posted(void)
{
    ngx_str_t              got, text;
    ngx_uint_t             i;
    ngx_array_t            fields;
    ngx_keyval_t          *field;
    ngx_scale_aws_post_t   post;

    ngx_memzero(&post, sizeof(ngx_scale_aws_post_t));
    post.bucket = str("b");
    post.key = str("k\"1");
    post.family = str("image/");
    post.min = 1;
    post.max = 5000;

    ngx_array_init(&fields, pool, 8, sizeof(ngx_keyval_t));
    ngx_scale_aws_policy(pool, &s3, &session, &post, NOW, 900, &fields);

    field = fields.elts;
    text.data = ngx_pcalloc(pool, 4096);
    got = text;

    for (i = 0; i < fields.nelts; i++) {
        if (ngx_strcmp(field[i].key.data, "policy") == 0) {
            ngx_decode_base64(&got, &field[i].value);
        }
    }

    is_str(got, "{\"expiration\":\"2015-08-30T12:51:00Z\",\"conditions\":["
           "{\"bucket\":\"b\"},{\"key\":\"k\\\"1\"},"
           "[\"starts-with\",\"$Content-Type\",\"image/\"],"
           "[\"content-length-range\",1,5000],"
           "{\"x-amz-security-token\":\"tok/en+1==\"},"
           "{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"},"
           "{\"x-amz-credential\":"
           "\"AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request\"},"
           "{\"x-amz-date\":\"20150830T123600Z\"}]}",
           "a form's policy says what the object may be");

    is_str(field[0].value, "k\"1", "its first field is the key");
    is_str(field[fields.nelts - 1].key, "x-amz-signature",
           "its last one the signature");

    is_str(field[fields.nelts - 1].value,
           "f2306daaf28cf1e2ff0a3685aed45a3d756c1bdfaecc1157a1ceb65edc7a49c7",
           "which is that of the policy");
}


/* a request that was altered on its way, or comes at another time */

typedef struct {
    const char  *title;
    const char  *method;
    const char  *path;
    const char  *from;                     /* in the arguments, */
    const char  *to;                       /* instead of it */
    const char  *header;
    const char  *value;
    time_t       now;
} altered_t;

static altered_t  altered[] = {
    { "another method", "POST", NULL, NULL, NULL, NULL, NULL, NOW },
    { "another object", NULL, "/photos/b.png", NULL, NULL, NULL, NULL, NOW },
    { "a path that goes on", NULL, "/photos/a%20b%2B1.png/x", NULL, NULL, NULL,
      NULL, NOW },
    { "a path up", NULL, "/photos/x/../a%20b%2B1.png", NULL, NULL, NULL, NULL,
      NOW },
    { "two slashes", NULL, "/photos//a%20b%2B1.png", NULL, NULL, NULL, NULL,
      NOW },
    { "more time", NULL, NULL, "Expires=900", "Expires=901", NULL, NULL, NOW },
    { "a later date", NULL, NULL, "T123600Z", "T123601Z", NULL, NULL, NOW },
    { "another day", NULL, NULL, "2F20150830", "2F20150831", NULL, NULL, NOW },
    { "another region", NULL, NULL, "us-east-1", "us-west-1", NULL, NULL,
      NOW },
    { "another service", NULL, NULL, "s3", "s4", NULL, NULL, NOW },
    { "another key id", NULL, NULL, "AKIDEXAMPLE", "AKIDEXAMPLF", NULL, NULL,
      NOW },
    { "another algorithm", NULL, NULL, "HMAC-SHA256", "HMAC-SHA257", NULL,
      NULL, NOW },
    { "fewer headers", NULL, NULL, "content-length%3B", "", NULL, NULL, NOW },
    { "more headers", NULL, NULL, "host&", "host%3Bx&", NULL, NULL, NOW },
    { "no host", NULL, NULL, "%3Bhost&", "&", NULL, NULL, NOW },
    { "another digit", NULL, NULL, "Signature=5", "Signature=6", NULL, NULL,
      NOW },
    { "no signature", NULL, NULL, "X-Amz-Signature", "X-Amz-Signaturf", NULL,
      NULL, NOW },
    { "half a signature", NULL, NULL, "Signature=54850", "Signature=", NULL,
      NULL, NOW },
    { "an argument more", NULL, NULL, "X-Amz-Date", "a=b&X-Amz-Date", NULL,
      NULL, NOW },
    { "a name given twice", NULL, NULL, "X-Amz-Date",
      "X-Amz-Expires=900&X-Amz-Date", NULL, NULL, NOW },
    { "a token", NULL, NULL, "X-Amz-Date", "X-Amz-Security-Token=a&X-Amz-Date",
      NULL, NULL, NOW },
    { "another host", NULL, NULL, NULL, NULL, "Host", "example.com", NOW },
    { "another type", NULL, NULL, NULL, NULL, "Content-Type", "text/html",
      NOW },
    { "another length", NULL, NULL, NULL, NULL, "Content-Length", "4", NOW },
    { "a header of x-amz-", NULL, NULL, NULL, NULL, "x-amz-acl", "public-read",
      NOW },
    { "an Authorization", NULL, NULL, NULL, NULL, "Authorization",
      "AWS4-HMAC-SHA256 Credential=a", NOW },
    { "its last second gone", NULL, NULL, NULL, NULL, NULL, NULL, NOW + 900 },
    { "long ago", NULL, NULL, NULL, NULL, NULL, NULL, NOW + 86400 },
    { "ahead of our clock", NULL, NULL, NULL, NULL, NULL, NULL, NOW - 61 }
};


static ngx_str_t
replace(ngx_str_t text, const char *from, const char *to)
{
    char  *copy, *at, *changed;

    copy = ngx_pcalloc(pool, text.len + 1);
    ngx_memcpy(copy, text.data, text.len);

    at = strstr(copy, from);
    changed = ngx_pcalloc(pool, text.len + strlen(to) + 1);

    ngx_memcpy(changed, copy, at - copy);
    strcat(changed, to);
    strcat(changed, at + strlen(from));

    return str(changed);
}


static void
alter(altered_t *a)
{
    ngx_str_t                args;
    ngx_uint_t               i;
    const char              *reason;
    ngx_keyval_t            *header;
    ngx_scale_aws_request_t  request;

    make_url(&request, 0);
    ngx_scale_aws_presign(pool, &s3, &plain, &request, NOW, 900, &args);
    request.args = a->from ? replace(args, a->from, a->to) : args;
    request.method = a->method ? str(a->method) : request.method;
    request.path = a->path ? str(a->path) : request.path;

    header = request.headers->elts;

    for (i = 0; a->header && i < request.headers->nelts; i++) {
        if (ngx_strcmp(header[i].key.data, a->header) == 0) {
            header[i].value = str(a->value);
            break;
        }
    }

    if (a->header && i == request.headers->nelts) {
        add(&request, a->header, a->value);
    }

    reason = NULL;
    ok(ngx_scale_aws_verify(pool, &s3, &plain, &request, a->now, 60, &reason)
       == NGX_DECLINED && reason, a->title);
}


static void
alterations(void)
{
    u_char                   text[1024], copy[1024];
    ngx_str_t                args, canonical, now, then;
    ngx_uint_t               i, bit, accepted;
    const char              *reason;
    ngx_scale_aws_request_t  request;

    for (i = 0; i < sizeof(altered) / sizeof(altered[0]); i++) {
        alter(&altered[i]);
    }

    make_url(&request, 0);
    ngx_scale_aws_presign(pool, &s3, &plain, &request, NOW, 900, &args);
    request.args = args;

    ok(ngx_scale_aws_verify(pool, &s3, &plain, &request, NOW + 899, 60,
                            &reason)
       == NGX_OK, "it is good for its last second");
    ok(ngx_scale_aws_verify(pool, &s3, &plain, &request, NOW - 60, 60, &reason)
       == NGX_OK, "and for a clock that is as late as may be");

    /* but for what has the same canonical form: "%2F" and "%2f" */

    args.len = ngx_min(args.len, sizeof(text));
    ngx_memcpy(text, args.data, args.len);
    ngx_memcpy(copy, args.data, args.len);
    args.data = text;
    canonical.data = copy;
    canonical.len = args.len;
    accepted = 0;

    for (i = 0; i < args.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            make_url(&request, 0);
            request.args = args;
            text[i] ^= (u_char) (1 << bit);

            if (ngx_scale_aws_verify(pool, &s3, &plain, &request, NOW, 60,
                                     &reason)
                == NGX_OK)
            {
                ngx_scale_aws_args(pool, &args, NULL, &now);
                ngx_scale_aws_args(pool, &canonical, NULL, &then);
                accepted += now.len != then.len
                            || ngx_memcmp(now.data, then.data, now.len) != 0;
            }

            text[i] ^= (u_char) (1 << bit);
            ngx_reset_pool(pool);
        }
    }

    ok(accepted == 0, "no bit of the arguments can be changed");
}


static ngx_int_t
authorized(const char *payload, const char *date, time_t now, ngx_str_t *value)
{
    const char              *reason;
    ngx_keyval_t            *header;
    ngx_scale_aws_request_t  request;

    make(&request, "PUT", "/a", "localhost");
    add(&request, "x-amz-date", date);
    add(&request, "x-amz-content-sha256", payload);
    request.payload = str(payload);

    if (value->len == 0) {
        ngx_scale_aws_authorize(pool, &s3, &plain, &request, (u_char *) date,
                                value);
    }

    header = ngx_array_push(request.headers);
    header->key = str("authorization");
    header->value = *value;

    return ngx_scale_aws_verify(pool, &s3, &plain, &request, now, 60, &reason);
}


static void
authorizations(void)
{
    ngx_str_t  value;

    ngx_str_null(&value);
    ok(authorized(NGX_SCALE_AWS_UNSIGNED, "20150830T123600Z", NOW + 60, &value)
       == NGX_OK, "an Authorization is verified");
    ok(authorized(EMPTY, "20150830T123600Z", NOW, &value) == NGX_DECLINED,
       "but not for another body");
    ok(authorized(NGX_SCALE_AWS_UNSIGNED, "20150830T123601Z", NOW, &value)
       == NGX_DECLINED, "nor for another time");
    ok(authorized(NGX_SCALE_AWS_UNSIGNED, "20150830T123600Z", NOW + 61, &value)
       == NGX_DECLINED, "and it is good for the clocks' difference");

    value = replace(value, ", SignedHeaders", ", Credential=x, SignedHeaders");
    ok(authorized(NGX_SCALE_AWS_UNSIGNED, "20150830T123600Z", NOW, &value)
       == NGX_DECLINED, "what is given twice is not");

    ngx_str_null(&value);
    ok(authorized("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "20150830T123600Z",
                  NOW, &value)
       == NGX_DECLINED, "chunked signatures are not");

    ngx_str_null(&value);
    ok(authorized(NGX_SCALE_AWS_UNSIGNED, "20151330T123600Z", NOW, &value)
       == NGX_DECLINED, "a date that is none is not");
}


/* the key is derived anew for another day and for other credentials */

static void
keys(void)
{
    ngx_str_t                a, b, c;
    ngx_scale_aws_request_t  request;

    make(&request, "GET", "/", "localhost");

    ngx_scale_aws_presign(pool, &s3, &plain, &request, NOW, 60, &a);
    ngx_scale_aws_presign(pool, &s3, &plain, &request, NOW + 86400, 60, &b);
    ngx_scale_aws_presign(pool, &s3, &plain, &request, NOW, 60, &c);

    ok(a.len == b.len && ngx_memcmp(a.data, b.data, a.len) != 0,
       "another day has another signature");
    ok(a.len == c.len && ngx_memcmp(a.data, c.data, a.len) == 0,
       "the same day the same");

    ngx_scale_aws_scope_forget(&s3);
    ngx_scale_aws_presign(pool, &s3, &plain, &request, NOW, 60, &c);
    ok(s3.version == 1 && ngx_memcmp(a.data, c.data, a.len) == 0,
       "a key that was forgotten is made again");
}


static ngx_int_t
read_file(const char *content, ngx_scale_aws_credentials_t *credentials)
{
    ngx_str_t  text, error;

    text = str(content);

    return ngx_scale_aws_credentials_read(&text, credentials, &error);
}


static void
files(void)
{
    ngx_scale_aws_credentials_t  c;

    ok(read_file("aws_access_key_id=A\naws_secret_access_key=B=\n", &c)
       == NGX_OK, "a file without sections");
    is_str(c.secret, "B=", "has a secret");
    ok(c.token.len == 0, "and no token");

    ok(read_file("# x\r\n[other]\r\naws_access_key_id = no\r\n[default]\r\n"
                 "aws_access_key_id = A \r\n aws_secret_access_key\t= B\r\n"
                 "aws_session_token = C\r\nregion = eu\r\n[third]\n"
                 "aws_access_key_id = no", &c)
       == NGX_OK, "a file with sections");
    is_str(c.id, "A", "has the id of [default]");
    is_str(c.secret, "B", "its secret");
    is_str(c.token, "C", "and its token");

    ok(read_file("aws_access_key_id = A\n", &c) == NGX_DECLINED,
       "no secret is refused");
    ok(read_file("[other]\naws_access_key_id = A\n"
                 "aws_secret_access_key = B\n", &c)
       == NGX_DECLINED, "and so is no [default]");
    ok(read_file("aws_access_key_id A\n", &c) == NGX_DECLINED,
       "and a line that is none");
    ok(read_file("", &c) == NGX_DECLINED, "and nothing");
}


int
main(void)
{
    pool = test_pool();

    canonical_paths();
    dots();
    arguments();
    documented_url();
    presigned();
    posted();
    authorizations();
    keys();
    files();
    alterations();

    ngx_destroy_pool(pool);

    return done();
}
