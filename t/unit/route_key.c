/* sources: route/key.c route/fault.c */

#include "route/route.h"
#include "test.h"


#define VARIABLE(v)  "an nginx variable cannot stand in a key, \"" v         \
                     "\" does; declare it with scale_param and write :name"
#define APART(a, b)  "\"" a "\" and \"" b "\" are not kept apart, so "       \
                     "different values may make the same key; put \"/\" or " \
                     "\":\" between them"


typedef struct {
    const char   *text;
    const char   *parts;        /* {literal} name row.name */
    const char   *error;
} test_parse_t;


typedef struct {
    const char   *text;
    const char   *a;            /* NULL: null */
    const char   *b;
    const char   *key;
} test_make_t;


static ngx_pool_t  *pool;


static test_parse_t  parses[] = {

    { "posts", "{posts}", NULL },
    { ":id", "id", NULL },
    { "posts/:id", "{posts/}id", NULL },
    { "posts/:id/:_x9/all", "{posts/}id{/}_x9{/all}", NULL },
    { ":a::b", "a{:}b", NULL },
    { "a::", "{a::}", NULL },
    { "a:1:", "{a:1:}", NULL },
    { ":", "{:}", NULL },
    { "posts-of/:row.author", "{posts-of/}row.author", NULL },
    { ":row.a/:row.b", "row.a{/}row.b", NULL },
    { ":row", "row", NULL },
    { ":row.", "row{.}", NULL },
    { ":row.1", "row{.1}", NULL },
    { ":rows.a", "rows{.a}", NULL },
    { ":row.a.b", "row.a{.b}", NULL },
    { ":id.a", "id{.a}", NULL },
    { ":a \xc3\xa9:b", "a{ \xc3\xa9}b", NULL },
    { ":a-:-:b", "a{-:-}b", NULL },
    { "a$", "{a$}", NULL },
    { "a$1$$", "{a$1$$}", NULL },

    { "", NULL, "the key is empty; write text and :name parts" },
    { "$x", NULL, VARIABLE("$x") },
    { "a/$arg_id/b", NULL, VARIABLE("$arg_id") },
    { "a/$_", NULL, VARIABLE("$_") },
    { "a/${uri}/b", NULL, VARIABLE("${uri}") },
    { "a/${uri", NULL, VARIABLE("${uri") },
    { "a${", NULL, VARIABLE("${") },
    { ":a$b", NULL, VARIABLE("$b") },
    { ":a:b", NULL, APART("a", "b") },
    { ":a-:row.b", NULL, APART("a", "b") },
    { ":a/:b.:c", NULL, APART("b", "c") },
    { ":a~:b", NULL, APART("a", "b") },
    { ":a%:b", NULL, APART("a", "b") },

    { NULL, NULL, NULL }
};


static test_make_t  makes[] = {

    { "posts", "1", "2", "posts" },
    { "posts/:a", "1", "2", "posts/1" },
    { ":a/:b", "1", "2", "1/2" },
    { ":a/:a", "1", "2", "1/1" },
    { ":a/x", "", "", "/x" },
    { ":a", "", "", "" },
    { "a/:row.b", "1", "2", "a/r2" },
    { "%~ :/:a", "%~ :/", "", "%~ :/%25%7E%20%3A%2F" },
    { ":a", "\x01\x1f !", "", "%01%1F%20!" },
    { ":a", "}\x7f\x80\xff", "", "}%7F%80%FF" },
    { ":a", "\xc3\xa9", "", "%C3%A9" },
    { ":a", "AZaz09-_.+*'\"{}", "", "AZaz09-_.+*'\"{}" },
    { ":a/:b", NULL, "~", "~/%7E" },
    { ":a/:b", NULL, NULL, "~/~" },
    { ":a/:b", "1/2", "3", "1%2F2/3" },
    { ":a/:b", "1", "2/3", "1/2%2F3" },

    { NULL, NULL, NULL, NULL }
};


/* without a zero at the end, so that the sanitizer sees one byte more read */

static ngx_str_t
exact(const char *text)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = ngx_pnalloc(pool, s.len);
    ngx_memcpy(s.data, text, s.len);

    return s;
}


static ngx_str_t
described(ngx_array_t *parts)
{
    u_char                *p;
    ngx_str_t              text;
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = parts->elts;
    text.data = ngx_pnalloc(pool, 1024);
    p = text.data;

    for (i = 0; i < parts->nelts; i++) {

        if (part[i].name.len) {
            p = ngx_sprintf(p, "%s%V", part[i].row ? "row." : "",
                            &part[i].name);

        } else {
            p = ngx_sprintf(p, "{%V}", &part[i].literal);
        }
    }

    text.len = p - text.data;

    return text;
}


static void
test_parse(test_parse_t *t)
{
    ngx_int_t    rc;
    ngx_str_t    text, error;
    ngx_array_t  parts;

    text = exact(t->text);

    rc = ngx_scale_key_parse(pool, &text, &parts, &error);

    if (t->error) {
        ok(rc == NGX_ERROR, t->text);
        is_str(error, t->error, "... the fault");

    } else {
        ok(rc == NGX_OK && error.len == 0, t->text);

        if (rc == NGX_OK) {
            is_str(described(&parts), t->parts, "... its parts");
        }
    }
}


static ngx_int_t
test_value(void *data, ngx_scale_key_part_t *part, ngx_str_t *text)
{
    test_make_t  *t = data;

    u_char      *p;
    const char  *value;

    if (part->name.data[0] == 'x') {
        return NGX_ABORT;
    }

    value = part->name.data[0] == 'a' ? t->a : t->b;

    if (value == NULL) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(pool, 64);

    text->data = p;
    text->len = ngx_sprintf(p, "%s%s", part->row ? "r" : "", value) - p;

    return NGX_OK;
}


static void
test_make(test_make_t *t)
{
    ngx_int_t    rc;
    ngx_str_t    text, key, error;
    ngx_array_t  parts;

    text = exact(t->text);

    if (ngx_scale_key_parse(pool, &text, &parts, &error) != NGX_OK) {
        ok(0, t->text);
        return;
    }

    rc = ngx_scale_key_make(pool, &parts, test_value, t, &key);

    ok(rc == NGX_OK, t->text);

    if (rc == NGX_OK) {
        is_str(key, t->key, "... the key");
    }
}


static void
test_code(void)
{
    ngx_str_t    text, key, error;
    ngx_array_t  parts;

    text = exact(":a/:x/:b");

    ngx_scale_key_parse(pool, &text, &parts, &error);

    ok(ngx_scale_key_make(pool, &parts, test_value, &makes[0], &key)
       == NGX_ABORT, "another code of value() is returned");
}


/* as many parts as a statement has parameters, and more */

static void
test_many(void)
{
    u_char      *p, text[1024];
    ngx_int_t    rc;
    ngx_str_t    s, key, error;
    ngx_uint_t   i;
    ngx_array_t  parts;

    p = text;

    for (i = 0; i < 200; i++) {
        p = ngx_cpymem(p, ":a/", 3);
    }

    s.data = text;
    s.len = p - text;

    rc = ngx_scale_key_parse(pool, &s, &parts, &error);
    ok(rc == NGX_OK && parts.nelts == 400, "400 parts");

    rc = ngx_scale_key_make(pool, &parts, test_value, &makes[0], &key);
    ok(rc == NGX_OK && key.len == 400, "... their key");
}


/* different pairs of values, different keys */

static void
test_distinct(void)
{
    ngx_str_t     text, error, keys[64];
    ngx_uint_t    i, k, n, same;
    ngx_array_t   parts;
    test_make_t   t;

    static const char  *values[] = {
        "", "~", NULL, "/", "%2F", "a", "a/", "/a"
    };

    text = exact(":a/:b");
    ngx_scale_key_parse(pool, &text, &parts, &error);

    n = sizeof(values) / sizeof(values[0]);

    for (i = 0; i < n * n; i++) {
        t.a = values[i / n];
        t.b = values[i % n];
        ngx_scale_key_make(pool, &parts, test_value, &t, &keys[i]);
    }

    same = 0;

    for (i = 0; i < n * n; i++) {
        for (k = 0; k < i; k++) {
            same += keys[i].len == keys[k].len
                    && ngx_memcmp(keys[i].data, keys[k].data, keys[i].len)
                       == 0;
        }
    }

    ok(same == 0, "different values never meet");
}


int
main(void)
{
    test_make_t   *m;
    test_parse_t  *p;

    pool = test_pool();

    for (p = parses; p->text; p++) {
        test_parse(p);
    }

    for (m = makes; m->text; m++) {
        test_make(m);
    }

    test_code();
    test_many();
    test_distinct();

    ngx_destroy_pool(pool);

    return done();
}
