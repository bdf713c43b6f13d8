/* sources: json/check.c json/check_string.c json/members.c */

#include "json/json.h"
#include "test.h"


#define SEED  0x5ca1ab1e

#define TRUNCATED   "the body ends in the middle"
#define UNEXPECTED  "an unexpected character"
#define UTF8        "invalid UTF-8"
#define SURROGATE   "an unpaired surrogate in a string"
#define ESCAPE      "an invalid escape in a string"
#define NUMBER      "a malformed number"
#define TWICE       "a member is given twice"


typedef struct {
    const char   *title;
    const char   *body;
    const char   *reason;      /* NULL: accepted */
    size_t        offset;
} test_check_t;


static ngx_pool_t  *pool;


static test_check_t  checks[] = {

    { "an object", "{\"a\":1}", NULL, 0 },
    { "an empty object", "{}", NULL, 0 },
    { "an empty array", "[]", NULL, 0 },
    { "a string alone", "\"a\"", NULL, 0 },
    { "an empty string", "\"\"", NULL, 0 },
    { "a number alone", "0", NULL, 0 },
    { "null alone", "null", NULL, 0 },
    { "true and false", "[true,false]", NULL, 0 },
    { "blanks wherever they may be", " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : "
      "{ } }\n", NULL, 0 },

    { "an empty body", "", "an empty body", 0 },
    { "a body of blanks", " \r\n\t", "an empty body", 4 },
    { "a byte order mark", "\xef\xbb\xbf{}", "a byte order mark", 0 },
    { "a second value", "{}{}", "text after the value", 2 },
    { "a comma after the value", "1,", "text after the value", 1 },
    { "a vertical tab is no blank", "\v1", UNEXPECTED, 0 },
    { "a no-break space is no blank", "[\xc2\xa0]", UNEXPECTED, 1 },
    { "a comment", "/**/1", UNEXPECTED, 0 },
    { "a trailing comma in an array", "[1,]", UNEXPECTED, 3 },
    { "a trailing comma in an object", "{\"a\":1,}", UNEXPECTED, 7 },
    { "a leading comma", "[,1]", UNEXPECTED, 1 },
    { "two commas", "[1,,2]", UNEXPECTED, 3 },
    { "no comma", "[1 2]", UNEXPECTED, 3 },
    { "no colon", "{\"a\" 1}", UNEXPECTED, 5 },
    { "two colons", "{\"a\"::1}", UNEXPECTED, 5 },
    { "a member without a value", "{\"a\":}", UNEXPECTED, 5 },
    { "a name alone", "{\"a\"}", UNEXPECTED, 4 },
    { "a name that is no string", "{1:1}", UNEXPECTED, 1 },
    { "a name without quotes", "{a:1}", UNEXPECTED, 1 },
    { "a colon in an array", "[\"a\":1]", UNEXPECTED, 4 },
    { "single quotes", "['a']", UNEXPECTED, 1 },
    { "an array closed as an object", "[1}", UNEXPECTED, 2 },
    { "an object closed as an array", "{\"a\":1]", UNEXPECTED, 6 },
    { "a bracket too many", "[]]", "text after the value", 2 },
    { "literals in capitals", "TRUE", UNEXPECTED, 0 },
    { "a literal cut off", "[tru]", UNEXPECTED, 1 },
    { "a literal with a tail", "nullx", "text after the value", 4 },
    { "NaN", "NaN", UNEXPECTED, 0 },
    { "Infinity", "-Infinity", NUMBER, 0 },

    { "zero, minus zero and a fraction", "[0,-0,0.0,-0.10]", NULL, 0 },
    { "exponents", "[1e1,1E+1,1.5e-10,0e0,1e00]", NULL, 0 },
    { "a number longer than any type", "[123456789012345678901234567890e999]",
      NULL, 0 },
    { "a leading zero", "[01]", NUMBER, 1 },
    { "a leading zero after a minus", "[-01]", NUMBER, 1 },
    { "a plus", "[+1]", UNEXPECTED, 1 },
    { "a minus alone", "[-]", NUMBER, 1 },
    { "a fraction without digits", "[1.]", NUMBER, 1 },
    { "a fraction without a whole", "[.5]", UNEXPECTED, 1 },
    { "an exponent without digits", "[1e]", NUMBER, 1 },
    { "an exponent of a sign alone", "[1e+]", NUMBER, 1 },
    { "a hexadecimal number", "[0x1]", UNEXPECTED, 2 },
    { "two points", "[1.2.3]", UNEXPECTED, 4 },

    { "every short escape", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", NULL, 0 },
    { "a hexadecimal escape in both cases", "\"\\u00e9\\u00E9\"", NULL, 0 },
    { "an unknown escape", "\"\\a\"", ESCAPE, 1 },
    { "a capital U", "\"\\U0041\"", ESCAPE, 1 },
    { "an escape of three digits", "\"\\u041\"", ESCAPE, 1 },
    { "an escape with a letter that is no digit", "\"\\u00g1\"", ESCAPE, 1 },
    { "an escape with a sign", "\"\\u+041\"", ESCAPE, 1 },
    { "an escape that ends the body", "\"\\", ESCAPE, 1 },
    { "a raw line feed", "\"a\nb\"",
      "a control character in a string is not escaped", 2 },
    { "a raw tab behind sixteen bytes", "\"0123456789abcdef\t\"",
      "a control character in a string is not escaped", 17 },
    { "a raw 0x1f", "\"\x1f\"",
      "a control character in a string is not escaped", 1 },
    { "a raw DEL is not a control to JSON", "\"\x7f\"", NULL, 0 },
    { "a string that does not end", "\"a", TRUNCATED, 2 },
    { "a zero in an escape", "\"\\u0000\"", "\\u0000 in a string", 1 },
    { "a zero in a name", "{\"\\u0000\":1}", "\\u0000 in a string", 2 },

    { "a surrogate pair", "\"\\ud83d\\ude00\"", NULL, 0 },
    { "a surrogate pair in capitals", "\"\\uD83D\\uDE00\"", NULL, 0 },
    { "the first and the last pair", "\"\\ud800\\udc00\\udbff\\udfff\"",
      NULL, 0 },
    { "the units around surrogates", "\"\\ud7ff\\ue000\\uffff\"", NULL, 0 },
    { "a high surrogate alone", "\"\\ud800\"", SURROGATE, 1 },
    { "a low surrogate alone", "\"\\udc00\"", SURROGATE, 1 },
    { "surrogates in the wrong order", "\"\\udc00\\ud800\"", SURROGATE, 1 },
    { "two high surrogates", "\"\\ud800\\ud800\\udc00\"", SURROGATE, 1 },
    { "a high surrogate and a letter", "\"\\ud800x\"", SURROGATE, 1 },
    { "a high surrogate and an escape", "\"\\ud800\\n\"", SURROGATE, 1 },
    { "a high surrogate and another character", "\"\\ud800\\u0041\"",
      SURROGATE, 1 },
    { "a low surrogate behind a pair", "\"\\ud83d\\ude00\\ude00\"",
      SURROGATE, 13 },

    { "UTF-8 of two, three and four bytes",
      "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80"
      "\xf4\x8f\xbf\xbf\"", NULL, 0 },
    { "the characters around surrogates", "\"\xed\x9f\xbf\xee\x80\x80\"",
      NULL, 0 },
    { "C0 80, a zero in two bytes", "\"\xc0\x80\"", UTF8, 1 },
    { "C1 BF, a DEL in two bytes", "\"\xc1\xbf\"", UTF8, 1 },
    { "E0 80 80, a zero in three bytes", "\"\xe0\x80\x80\"", UTF8, 1 },
    { "E0 9F BF, two bytes' last in three", "\"\xe0\x9f\xbf\"", UTF8, 1 },
    { "F0 80 80 80, a zero in four bytes", "\"\xf0\x80\x80\x80\"", UTF8, 1 },
    { "F0 8F BF BF, three bytes' last in four", "\"\xf0\x8f\xbf\xbf\"",
      UTF8, 1 },
    { "ED A0 80, the first surrogate", "\"\xed\xa0\x80\"", UTF8, 1 },
    { "ED BF BF, the last surrogate", "\"\xed\xbf\xbf\"", UTF8, 1 },
    { "CESU-8", "\"\xed\xa0\xbd\xed\xb8\x80\"", UTF8, 1 },
    { "F4 90 80 80, above U+10FFFF", "\"\xf4\x90\x80\x80\"", UTF8, 1 },
    { "F5", "\"\xf5\x80\x80\x80\"", UTF8, 1 },
    { "F8, a lead of five bytes", "\"\xf8\x88\x80\x80\x80\"", UTF8, 1 },
    { "FE and FF", "\"\xfe\xff\"", UTF8, 1 },
    { "a continuation alone", "\"\x80\"", UTF8, 1 },
    { "a continuation too many", "\"\xc3\xa9\xa9\"", UTF8, 3 },
    { "two bytes cut off", "\"\xc3\"", UTF8, 1 },
    { "three bytes cut off after two", "\"\xe2\x82\"", UTF8, 1 },
    { "four bytes cut off after three", "\"\xf0\x9f\x98\"", UTF8, 1 },
    { "a lead at the end of the body", "\"\xf0", UTF8, 1 },
    { "a character cut off by ASCII", "\"\xe2" "a\x82\"", UTF8, 1 },
    { "invalid UTF-8 in a name", "{\"\xff\":1}", UTF8, 2 },
    { "invalid UTF-8 outside of strings", "[\xff]", UNEXPECTED, 1 },
    { "invalid UTF-8 behind a block of sixteen",
      "\"0123456789abcdef0123456789abcdef\xc0\x80\"", UTF8, 33 },

    { "a member given twice", "{\"a\":1,\"a\":2}", TWICE, 7 },
    { "a member given twice, once in an escape",
      "{\"a\":1,\"\\u0061\":2}", TWICE, 7 },
    { "a member given twice, first in an escape",
      "{\"\\u0061\":1,\"a\":2}", TWICE, 12 },
    { "a member given twice, in UTF-8 and in an escape",
      "{\"\xc3\xa9\":1,\"\\u00e9\":2}", TWICE, 8 },
    { "a member given twice, in UTF-8 and as a pair",
      "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\uDE00\":2}", TWICE, 10 },
    { "a member given twice, in U+0800 and its escape",
      "{\"\xe0\xa0\x80\":1,\"\\u0800\":2}", TWICE, 9 },
    { "a slash and its escape are one name", "{\"/\":1,\"\\/\":2}", TWICE,
      7 },
    { "an escaped quote and its number are one name",
      "{\"\\\"\":1,\"\\u0022\":2}", TWICE, 8 },
    { "short escapes and their numbers are one name",
      "{\"\\b\\f\\n\\r\\t\\\\\":1,\"\\u0008\\u000c\\u000a\\u000d\\u0009"
      "\\u005c\":2}", TWICE, 18 },
    { "a backslash and a letter are not an escape's name",
      "{\"\\\\n\":1,\"\\n\":2}", NULL, 0 },
    { "the empty name twice", "{\"\":1,\"\":2}", TWICE, 6 },
    { "names that differ in case", "{\"a\":1,\"A\":2}", NULL, 0 },
    { "names of which one begins the other", "{\"a\":1,\"aa\":2}", NULL, 0 },
    { "a composed and a decomposed letter are two names",
      "{\"\xc3\xa9\":1,\"e\xcc\x81\":2}", NULL, 0 },
    { "one name in two objects", "[{\"a\":1},{\"a\":2}]", NULL, 0 },
    { "one name inside and outside", "{\"a\":{\"a\":{\"a\":1}}}", NULL, 0 },
    { "a name given again after an inner object",
      "{\"a\":1,\"b\":{\"a\":1,\"c\":2},\"a\":2}", TWICE, 25 },
    { "a name of an inner object given after it",
      "{\"b\":{\"a\":1,\"c\":2},\"a\":2,\"c\":3}", NULL, 0 },
    { "a name given twice in an inner object only",
      "{\"a\":1,\"b\":[{\"b\":1,\"b\":2}]}", TWICE, 19 },
};


static const char  *whole[] = {
    "{\"a\":[1.5e+10,-0,true,false,null,\"x\\u00e9\\ud83d\\ude00\\n\"],"
        "\"b\\t\":{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x98\x80\"}}",
    "[[[]],{\"a\":{}},\"0123456789abcdef0123456789abcdef\"]",
    "\"0123456789abcdef\\\"0123456789abcdef\"",
    "{\"1\":1,\"2\":2,\"3\":{\"1\":[1,2,{\"1\":\"\"}]}}",
};


static ngx_int_t
test_check(const char *data, size_t len, ngx_uint_t depth,
    const char **reason, size_t *offset)
{
    ngx_int_t   rc;
    ngx_str_t   body;

    /* memory of its own: ASan sees a byte read behind it */

    body.data = malloc(len ? len : 1);
    body.len = len;
    memcpy(body.data, data, len);

    rc = ngx_scale_json_check(pool, &body, depth, SEED, reason, offset);

    free(body.data);

    return rc;
}


static void
test_table(void)
{
    size_t         offset;
    ngx_int_t      rc, good;
    ngx_uint_t     i;
    const char    *reason;
    test_check_t  *test;

    for (i = 0; i < sizeof(checks) / sizeof(test_check_t); i++) {
        test = &checks[i];
        rc = test_check(test->body, strlen(test->body), 64, &reason,
                        &offset);

        if (test->reason) {
            good = rc == NGX_DECLINED && strcmp(reason, test->reason) == 0
                   && offset == test->offset;

        } else {
            good = rc == NGX_OK;
        }

        ok(good, test->title);

        if (!good) {
            printf("# rc %d, %s at %d\n", (int) rc, reason, (int) offset);
        }
    }
}


static void
test_truncation(void)
{
    size_t        len, offset;
    ngx_uint_t    i, bad;
    const char   *reason;

    bad = 0;

    for (i = 0; i < sizeof(whole) / sizeof(char *); i++) {
        for (len = 0; len < strlen(whole[i]); len++) {
            if (test_check(whole[i], len, 64, &reason, &offset)
                != NGX_DECLINED
                || offset > len || reason == NULL)
            {
                printf("# accepted: %.*s\n", (int) len, whole[i]);
                bad++;
            }
        }

        bad += test_check(whole[i], len, 64, &reason, &offset) != NGX_OK;
    }

    ok(bad == 0, "a document cut off at any byte is refused");
}


static void
test_zero(void)
{
    size_t       offset;
    ngx_int_t    rc;
    const char  *reason;

    rc = test_check("\"a\0b\"", 5, 64, &reason, &offset);
    ok(rc == NGX_DECLINED && offset == 2, "a raw zero in a string");

    rc = test_check("1\0", 2, 64, &reason, &offset);
    ok(rc == NGX_DECLINED && offset == 1, "a raw zero after the value");
}


static void
test_depth(void)
{
    char        *body;
    size_t       offset;
    ngx_int_t    rc;
    ngx_uint_t   n;
    const char  *reason;

    ok(test_check("1", 1, 0, &reason, &offset) == NGX_OK,
       "a scalar has no depth");

    ok(test_check("[]", 2, 0, &reason, &offset) == NGX_DECLINED,
       "depth 0 allows no array");

    ok(test_check("[{}]", 4, 2, &reason, &offset) == NGX_OK,
       "objects and arrays count alike");

    rc = test_check("[1,{\"a\":[]}]", 12, 2, &reason, &offset);
    ok(rc == NGX_DECLINED && offset == 8 && strcmp(reason, "nested too deep")
       == 0, "one level more is refused where it opens");

    ok(test_check("[[],[],[[]],[[]]]", 17, 3, &reason, &offset) == NGX_OK,
       "depth is what is open at once");

    n = 1024 * 1024;
    body = malloc(n);

    memset(body, '[', n);
    rc = test_check(body, n, 64, &reason, &offset);
    ok(rc == NGX_DECLINED && offset == 64,
       "a million brackets are refused at the 65th");

    rc = test_check(body, n, 1024 * 1024, &reason, &offset);
    ok(rc == NGX_DECLINED && offset == 1024, "no depth is over 1024");

    memset(body + 1024, ']', 1024);
    ok(test_check(body, 2048, 1024, &reason, &offset) == NGX_OK,
       "1024 levels are read");

    free(body);
}


/* members enough for the table to grow several times, at three levels */

static void
test_members(void)
{
    char        *body, *p, *again;
    size_t       offset;
    ngx_int_t    rc;
    ngx_uint_t   i, level;
    const char  *reason;

    body = malloc(1024 * 1024);
    p = body;

    for (level = 0; level < 3; level++) {
        *p++ = '{';

        for (i = 0; i < 20000; i++) {
            p += sprintf(p, (i % 7) ? "\"k%d\":1," : "\"\\u006b%d\":1,",
                         (int) i);
        }

        p += sprintf(p, "\"in\":");
    }

    *p++ = '1';
    *p++ = '}';

    again = p;

    p += sprintf(p, ",\"k19999x\":1},\"k-1\":2}");
    rc = test_check(body, p - body, 64, &reason, &offset);
    ok(rc == NGX_OK, "20,000 names at each of three levels are all distinct");

    p = again + sprintf(again, ",\"k7\":1}}");
    rc = test_check(body, p - body, 64, &reason, &offset);
    ok(rc == NGX_DECLINED && offset == (size_t) (again + 1 - body)
       && strcmp(reason, TWICE) == 0,
       "a name among 20,000 is found after an inner object");

    free(body);
}


/*
 * Random edits of good documents: nothing may be read outside of the body, and
 * what is accepted must be accepted again with blanks around it.
 */

static void
test_mutations(void)
{
    char          body[256], wide[260];
    size_t        len, offset, at;
    ngx_int_t     rc;
    ngx_uint_t    i, bad, accepted;
    const char   *reason, *base;

    static char  bytes[] = "\"\\{}[]:,0123456789eE+-.utrfnabd \n\x80\xc3\xed"
                           "\xf0\xff";

    srandom(1);
    bad = 0;
    accepted = 0;

    for (i = 0; i < 300000; i++) {
        base = whole[random() % (sizeof(whole) / sizeof(char *))];
        len = strlen(base);
        memcpy(body, base, len);

        do {
            at = random() % len;

            switch (random() % 4) {

            case 0:
                body[at] = bytes[random() % sizeof(bytes)];
                break;

            case 1:
                memmove(body + at, body + at + 1, len - at - 1);
                len--;
                break;

            case 2:
                memmove(body + at + 1, body + at, len - at);
                body[at] = bytes[random() % sizeof(bytes)];
                len++;
                break;

            default:
                body[at] ^= 1 << (random() % 8);
            }

        } while (len > 1 && len < 250 && random() % 3);

        rc = test_check(body, len, 64, &reason, &offset);

        if (rc == NGX_DECLINED) {
            bad += reason == NULL || offset > len;
            continue;
        }

        wide[0] = '[';
        memcpy(wide + 1, body, len);
        memcpy(wide + 1 + len, "\n]", 2);

        bad += test_check(wide, len + 3, 64, &reason, &offset) != NGX_OK;
        accepted++;
    }

    ok(bad == 0, "300,000 random edits are judged within their bounds");
    ok(accepted > 1000, "some of them are still JSON");
}


int
main(void)
{
    ngx_log_t  log;

    ngx_memzero(&log, sizeof(ngx_log_t));

    pool = ngx_create_pool(128, &log);

    test_table();
    test_truncation();
    test_zero();
    test_depth();
    test_members();
    test_mutations();

    ngx_destroy_pool(pool);

    return done();
}
