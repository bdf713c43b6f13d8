/* sources: json/read.c json/arena.c json/check.c json/check_string.c json/members.c */

#include "json/json.h"
#include "test.h"


typedef struct {
    const char   *title;
    const char   *body;
    const char   *path;        /* names with points between; "": the whole */
    const char   *expected;    /* kind and text, of elements as well */
} test_read_t;


static ngx_pool_t  *pool;


static const char  *kinds[] = {
    "absent", "null", "text", "string", "number", "bool", "array", "object"
};


static test_read_t  reads[] = {

    { "a string", "{\"a\":\"x\"}", "a", "string x" },
    { "an empty string", "{\"a\":\"\"}", "a", "string " },
    { "a string is decoded",
      "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00z\"}",
      "a", "string \"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z" },
    { "UTF-8 stays", "{\"a\":\"\xf0\x9f\x98\x80\"}", "a",
      "string \xf0\x9f\x98\x80" },
    { "an integer", "{\"a\":42}", "a", "number 42" },
    { "a number keeps its spelling",
      "{\"a\": -12345678901234567890.10E+400 }", "a",
      "number -12345678901234567890.10E+400" },
    { "minus zero", "{\"a\":-0}", "a", "number -0" },
    { "true", "{\"a\": true }", "a", "bool true" },
    { "false", "{\"a\":false}", "a", "bool false" },
    { "null", "{\"a\":null}", "a", "null null" },
    { "an object is its own bytes", "{\"a\": { \"b\" : [ 1 ] } , \"c\":1}",
      "a", "object { \"b\" : [ 1 ] }" },
    { "an array is its own bytes", "{\"a\":\n[ 1, [\"\\u0041\"] ]}", "a",
      "array [ 1, [\"\\u0041\"] ]" },
    { "an empty object", "{\"a\":{}}", "a", "object {}" },
    { "an empty array", "{\"a\":[]}", "a", "array []" },

    { "a member that is not there", "{\"b\":1}", "a", "absent " },
    { "a member of an empty object", "{}", "a", "absent " },
    { "a name must match in whole", "{\"ab\":1,\"\":2}", "a", "absent " },
    { "the empty name", "{\"a\":1,\"\":2}", "", "object {\"a\":1,\"\":2}" },
    { "a name written with escapes", "{\"\\u0061\":1}", "a", "number 1" },
    { "the last of several", "{\"x\":1,\"y\":[2],\"a\":3}", "a",
      "number 3" },
    { "the first of several", "{\"a\":3,\"x\":1,\"y\":[2]}", "a",
      "number 3" },

    { "a path of two", "{\"a\":{\"b\":1}}", "a.b", "number 1" },
    { "a path of three", "{\"x\":{\"b\":{\"c\":0}},\"a\":{\"x\":1,\"b\":{"
      "\"x\":2,\"c\":\"y\"}}}", "a.b.c", "string y" },
    { "a deeper member of the same name", "{\"b\":{\"a\":1},\"a\":2}", "a",
      "number 2" },
    { "a member only deeper down", "{\"b\":{\"a\":1}}", "a", "absent " },
    { "a member only higher up", "{\"a\":1,\"b\":2}", "a.b", "absent " },
    { "the second name beside the first", "{\"a\":{},\"b\":1}", "a.b",
      "absent " },
    { "the second name in a sibling", "{\"a\":{\"x\":1},\"c\":{\"b\":1}}",
      "a.b", "absent " },
    { "a sibling's child after the wanted value",
      "{\"a\":{\"b\":1,\"c\":{\"b\":2}},\"c\":{\"b\":3}}", "a.b",
      "number 1" },
    { "a path through a string", "{\"a\":\"b\"}", "a.b", "absent " },
    { "a path through null", "{\"a\":null}", "a.b", "absent " },
    { "a path through an array", "{\"a\":[{\"b\":1}]}", "a.b", "absent " },
    { "a path through nested arrays", "{\"a\":[[{\"b\":{\"c\":1}}]]}",
      "a.b.c", "absent " },
    { "a path in a body that is an array", "[{\"a\":1}]", "a", "absent " },
    { "an array before the wanted member",
      "{\"x\":[[{\"a\":0}],{\"a\":{\"b\":0}}],\"a\":{\"b\":1}}", "a.b",
      "number 1" },

    { "a whole object", " {\"a\":1} ", "", "object {\"a\":1}" },
    { "a whole array", "\n[1]\n", "", "array [1]" },
    { "a whole string", " \"x\\ny\" ", "", "string x\ny" },
    { "a whole number that ends the body", " 42", "", "number 42" },
    { "a whole number with blanks around", " -4.2e1 \n", "",
      "number -4.2e1" },
    { "a whole true", "true", "", "bool true" },
    { "a whole null", " null\n", "", "null null" },
};


static test_read_t  elements[] = {

    { "no elements", "{\"a\":[]}", "a", "array []" },
    { "one element", "{\"a\":[1]}", "a", "array [1] (number 1)" },
    { "elements of every kind",
      "{\"a\":[ \"x\\n\" , -1.0, true,false,null,{\"a\":[2]},[ 3,[4] ],[],{}"
      "],\"b\":[5]}", "a",
      "array [ \"x\\n\" , -1.0, true,false,null,{\"a\":[2]},[ 3,[4] ],[],{}]"
      " (string x\n) (number -1.0) (bool true) (bool false) (null null)"
      " (object {\"a\":[2]}) (array [ 3,[4] ]) (array []) (object {})" },
    { "elements of a deeper array", "{\"a\":{\"b\":[1,2]},\"b\":[3]}", "a.b",
      "array [1,2] (number 1) (number 2)" },
    { "elements of the whole", "[\"x\",[\"y\"]]", "",
      "array [\"x\",[\"y\"]] (string x) (array [\"y\"])" },
    { "an object has no elements", "{\"a\":{\"b\":[1]}}", "a",
      "object {\"b\":[1]}" },
    { "a string has no elements", "{\"a\":\"x\"}", "a", "string x" },
    { "a whole object with an array in it has no elements", "{\"a\":[1]}",
      "", "object {\"a\":[1]}" },
    { "nothing has no elements", "{}", "a", "absent " },
};


/* one want with a path of up to eight names; the strings are not copied */

static void
test_path(ngx_scale_json_want_t *want, const char *path)
{
    const char  *end;

    static ngx_str_t   names[64];
    static ngx_uint_t  used;

    if (used > 56) {
        used = 0;
    }

    ngx_memzero(want, sizeof(ngx_scale_json_want_t));
    want->path = &names[used];

    while (*path) {
        end = path + strcspn(path, ".");

        names[used].data = (u_char *) path;
        names[used].len = end - path;
        used++;
        want->npath++;

        path = *end ? end + 1 : end;
    }
}


static ngx_str_t
test_dump(ngx_scale_raw_t *raw)
{
    u_char            *p;
    ngx_str_t          out;
    ngx_uint_t         i;
    ngx_scale_raw_t   *elt;

    static u_char  buf[4096];

    p = ngx_sprintf(buf, "%s ", kinds[raw->kind]);

    if (raw->text.len) {
        p = ngx_sprintf(p, "%V", &raw->text);
    }

    for (i = 0; i < raw->nelts; i++) {
        elt = &raw->elts[i];
        p = ngx_sprintf(p, " (%s %V)", kinds[elt->kind], &elt->text);
    }

    out.data = buf;
    out.len = p - buf;

    return out;
}


static void
test_table(test_read_t *test, ngx_uint_t n, ngx_uint_t elts)
{
    size_t                  offset;
    ngx_str_t               body;
    ngx_uint_t              i;
    const char             *reason;
    ngx_scale_json_want_t   want;

    for (i = 0; i < n; i++, test++) {
        body.len = strlen(test->body);
        body.data = malloc(body.len);
        memcpy(body.data, test->body, body.len);

        test_path(&want, test->path);
        want.elements = elts;

        if (ngx_scale_json_check(pool, &body, 64, 1, &reason, &offset)
            != NGX_OK
            || ngx_scale_json_read(pool, &body, &want, 1) != NGX_OK)
        {
            ok(0, test->title);

        } else {
            is_str(test_dump(&want.raw), test->expected, test->title);
        }

        free(body.data);
    }
}


static void
test_several(void)
{
    ngx_int_t               rc;
    ngx_str_t               body;
    ngx_scale_json_want_t   wants[7];

    ngx_str_set(&body, "{\"a\":{\"b\":\"x\\ty\",\"c\":[1,2]},\"d\":3}");

    test_path(&wants[0], "a.b");
    test_path(&wants[1], "d");
    test_path(&wants[2], "a.b");
    test_path(&wants[3], "a");
    test_path(&wants[4], "a.c");
    test_path(&wants[5], "a.c");
    test_path(&wants[6], "");

    wants[5].elements = 1;
    wants[6].elements = 1;
    wants[1].raw.kind = NGX_SCALE_RAW_BOOL;

    rc = ngx_scale_json_read(pool, &body, wants, 7);

    ok(rc == NGX_OK, "several wants are read in one pass");
    is_str(test_dump(&wants[0].raw), "string x\ty", "a string");
    is_str(test_dump(&wants[1].raw), "number 3", "a number at the end");
    is_str(test_dump(&wants[2].raw), "string x\ty",
           "the same path may be wanted twice");
    is_str(test_dump(&wants[3].raw), "object {\"b\":\"x\\ty\",\"c\":[1,2]}",
           "an object around other wants");
    is_str(test_dump(&wants[4].raw), "array [1,2]",
           "an array without its elements");
    is_str(test_dump(&wants[5].raw), "array [1,2] (number 1) (number 2)",
           "and the same with them");
    is_str(test_dump(&wants[6].raw),
           "object {\"a\":{\"b\":\"x\\ty\",\"c\":[1,2]},\"d\":3}",
           "the whole around them");

    ok(wants[4].raw.text.data == body.data + 21,
       "what is not decoded points into the body");

    ngx_str_set(&body, "{}");
    rc = ngx_scale_json_read(pool, &body, wants, 7);

    ok(rc == NGX_OK && wants[0].raw.kind == NGX_SCALE_RAW_ABSENT
       && wants[5].raw.kind == NGX_SCALE_RAW_ABSENT
       && wants[5].raw.nelts == 0, "results of another body are forgotten");

    ok(ngx_scale_json_read(pool, &body, NULL, 0) == NGX_OK,
       "nothing may be wanted");
}


/* strings that make yajl's buffers grow, depth that makes its stack grow */

static void
test_large(void)
{
    char                   *p;
    size_t                  i, n, offset;
    ngx_int_t               good;
    ngx_str_t               body;
    const char             *reason;
    ngx_scale_json_want_t   wants[2];

    n = 200000;
    body.data = malloc(10 * n);
    p = (char *) body.data;

    p += sprintf(p, "{\"s\":\"");

    for (i = 0; i < n; i++) {
        *p++ = '\\';
        *p++ = 'n';
    }

    p += sprintf(p, "\",\"a\":[");

    for (i = 0; i < n; i++) {
        p += sprintf(p, "%s%d", i ? "," : "", (int) (i % 10));
    }

    p += sprintf(p, "]}");
    body.len = p - (char *) body.data;

    test_path(&wants[0], "s");
    test_path(&wants[1], "a");
    wants[1].elements = 1;

    good = ngx_scale_json_read(pool, &body, wants, 2) == NGX_OK
           && wants[0].raw.text.len == n && wants[1].raw.nelts == n;

    for (i = 0; good && i < n; i++) {
        good = wants[0].raw.text.data[i] == '\n'
               && wants[1].raw.elts[i].text.len == 1
               && wants[1].raw.elts[i].text.data[0] == '0' + i % 10;
    }

    ok(good, "200,000 escapes and 200,000 elements");

    memset(body.data, '[', 1024);
    memset(body.data + 1024, ']', 1024);
    body.len = 2048;

    test_path(&wants[0], "");
    wants[0].elements = 1;

    good = ngx_scale_json_check(pool, &body, 1024, 1, &reason, &offset)
           == NGX_OK
           && ngx_scale_json_read(pool, &body, wants, 1) == NGX_OK;

    ok(good && wants[0].raw.text.len == 2048 && wants[0].raw.nelts == 1
       && wants[0].raw.elts[0].text.len == 2046, "1024 levels");

    free(body.data);
}


/* what the check accepts, yajl accepts */

static void
test_agreement(void)
{
    size_t                  len, offset;
    ngx_str_t               body;
    ngx_uint_t              i, bad, accepted;
    const char             *reason;
    ngx_scale_json_want_t   wants[3];

    static char  base[] = "{\"a\":[1.5e+1,-0,true,null,\"\\u00e9\\ud83d\\ude00"
                          "\\n\"],\"b\":{\"\xc3\xa9\":\"\xe2\x82\xac\"}}";
    static char  bytes[] = "\"\\{}[]:,019eE+-.utrfnab \n\x80\xc3\xff";

    srandom(2);
    bad = 0;
    accepted = 0;
    len = sizeof(base) - 1;

    for (i = 0; i < 200000; i++) {
        body.data = malloc(len);
        body.len = len;
        memcpy(body.data, base, len);

        do {
            body.data[random() % len] = bytes[random() % (sizeof(bytes) - 1)];
        } while (random() % 2);

        if (ngx_scale_json_check(pool, &body, 64, i, &reason, &offset)
            == NGX_OK)
        {
            test_path(&wants[0], "a");
            test_path(&wants[1], "b");
            test_path(&wants[2], "");
            wants[0].elements = 1;
            wants[2].elements = 1;

            bad += ngx_scale_json_read(pool, &body, wants, 3) != NGX_OK
                   || wants[2].raw.text.len > len;
            accepted++;
        }

        free(body.data);

        if (i % 1000 == 0) {
            ngx_reset_pool(pool);
        }
    }

    ok(bad == 0 && accepted > 1000,
       "yajl reads every edited body that the check accepts");
}


/* a body that was not checked is an error and not a crash */

static void
test_unchecked(void)
{
    ngx_str_t              body;
    ngx_scale_json_want_t  want;

    test_path(&want, "a");

    ngx_str_set(&body, "{\"a\":");
    ok(ngx_scale_json_read(pool, &body, &want, 1) == NGX_ERROR,
       "a body cut off is an error");

    ngx_str_set(&body, "{\"a\"]");
    ok(ngx_scale_json_read(pool, &body, &want, 1) == NGX_ERROR,
       "a body that is not JSON is an error");
}


int
main(void)
{
    ngx_log_t  log;

    ngx_memzero(&log, sizeof(ngx_log_t));

    pool = ngx_create_pool(128, &log);

    test_table(reads, sizeof(reads) / sizeof(test_read_t), 0);
    test_table(elements, sizeof(elements) / sizeof(test_read_t), 1);
    test_several();
    test_large();
    test_agreement();
    test_unchecked();

    ngx_destroy_pool(pool);

    return done();
}
