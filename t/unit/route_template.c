/* sources: route/template.c route/sql.c route/fault.c */

#include "route/route.h"
#include "test.h"


#define VARIABLE(v)  "an nginx variable cannot stand in SQL, \"" v           \
                     "\" does; declare it with scale_param and write :name"
#define POSITION(n)  "\"$" n "\" cannot stand in SQL; declare a parameter "  \
                     "with scale_param and write :name"
#define BODY(t)      "the text quoted by \"" t "\" is not ended; close it "  \
                     "with \"" t "\"; an nginx variable cannot stand in SQL"
#define GLUED(n)     "\":" n "\" follows a word or a number without a "      \
                     "blank; write \" :" n "\", or \" : " n "\" where it is " \
                     "the end of an array slice"
#define STRING       "a string is not ended; close it with \"'\", a quote "  \
                     "within it is \"''\""
#define ESCAPED      "a string of E'' is not ended; close it with \"'\", a " \
                     "quote within it is \"\\'\" or \"''\""
#define IDENTIFIER   "a quoted identifier is not ended; close it with "      \
                     "'\"', a quote within it is '\"\"'"
#define COMMENT      "a comment is not ended; close every \"/*\" with \"*/\""
#define EMPTY        "the statement is empty; write one SQL statement"
#define STOPPED      "the statement before \";\" is empty; write one SQL "   \
                     "statement"
#define SECOND       "a second statement follows \";\"; write one SQL "      \
                     "statement"
#define ASCII        "a parameter's name has a non-ASCII character; use "    \
                     "letters, digits and \"_\""
#define MANY         "the statement has more than 128 parameters; pass "     \
                     "some of them as an array or as json"


typedef struct {
    const char   *text;
    const char   *sql;          /* NULL: the same */
    const char   *params;
    ngx_uint_t    dml;
} test_case_t;


typedef struct {
    const char   *text;
    const char   *error;
} test_fault_t;


static ngx_pool_t  *pool;


static test_case_t  cases[] = {

    { "SELECT 1", NULL, "", 0 },
    { "SELECT :a", "SELECT $1", "a", 0 },
    { "SELECT :a, :b, :a", "SELECT $1, $2, $1", "a b", 0 },
    { "SELECT :a,:A,:ab", "SELECT $1,$2,$3", "a A ab", 0 },
    { "SELECT :_x9+:x_9", "SELECT $1+$2", "_x9 x_9", 0 },
    { "SELECT(:a)", "SELECT($1)", "a", 0 },
    { "SELECT f(a=>:a, b:=:b, c := :c)", "SELECT f(a=>$1, b:=$2, c := $3)",
      "a b c", 0 },

    { "SELECT ':a'", NULL, "", 0 },
    { "SELECT 'it''s :a' || :b", "SELECT 'it''s :a' || $1", "b", 0 },
    { "SELECT '\\' || :b", "SELECT '\\' || $1", "b", 0 },
    { "SELECT '$x ${x} $1'", NULL, "", 0 },
    { "SELECT E'\\' :a' || :b", "SELECT E'\\' :a' || $1", "b", 0 },
    { "SELECT e'a''\\':a' || :b", "SELECT e'a''\\':a' || $1", "b", 0 },
    { "SELECT E'\\\\' || :b", "SELECT E'\\\\' || $1", "b", 0 },
    { "SELECT E'a' -- c'\n  '\\':a' || :b",
      "SELECT E'a' -- c'\n  '\\':a' || $1", "b", 0 },
    { "SELECT E'a', '\\', :b", "SELECT E'a', '\\', $1", "b", 0 },
    { "SELECT E'a' '\\', :b", "SELECT E'a' '\\', $1", "b", 0 },
    { "SELECT E'a' -- x", NULL, "", 0 },
    { "SELECT E'a' - :b", "SELECT E'a' - $1", "b", 0 },
    { "SELECT note'\\' || :b", "SELECT note'\\' || $1", "b", 0 },
    { "SELECT _e'\\' || :b", "SELECT _e'\\' || $1", "b", 0 },
    { "SELECT U&'\\' || :b", "SELECT U&'\\' || $1", "b", 0 },

    { "SELECT \":a\" FROM t", NULL, "", 0 },
    { "SELECT \"x\"\":a\" FROM t", NULL, "", 0 },
    { "SELECT \"it's $x\", :b", "SELECT \"it's $x\", $1", "b", 0 },

    { "SELECT 1 -- :a 'x\n+ :b", "SELECT 1 -- :a 'x\n+ $1", "b", 0 },
    { "SELECT 1 -- :a\r+ :b", "SELECT 1 -- :a\r+ $1", "b", 0 },
    { "SELECT 1 --", NULL, "", 0 },
    { "SELECT 3 - -:b", "SELECT 3 - -$1", "b", 0 },
    { "SELECT 1 /* :a $x ; */ + :b", "SELECT 1 /* :a $x ; */ + $1", "b", 0 },
    { "SELECT 1 /* /* :a */ :c */ + :b", "SELECT 1 /* /* :a */ :c */ + $1",
      "b", 0 },
    { "SELECT 1 /*/ :a */ / :b", "SELECT 1 /*/ :a */ / $1", "b", 0 },

    { "SELECT $$:a '$$, :b", "SELECT $$:a '$$, $1", "b", 0 },
    { "SELECT $t$:a $$ $u$ $t$, :b", "SELECT $t$:a $$ $u$ $t$, $1", "b", 0 },
    { "SELECT $t$ $T$ $t $t$, :b", "SELECT $t$ $T$ $t $t$, $1", "b", 0 },
    { "SELECT $$$$, :b", "SELECT $$$$, $1", "b", 0 },
    { "SELECT $t$$$t$, :b", "SELECT $t$$$t$, $1", "b", 0 },
    { "SELECT a$ + :b", "SELECT a$ + $1", "b", 0 },
    { "SELECT a$$ + :b", "SELECT a$$ + $1", "b", 0 },
    { "SELECT $ 1", NULL, "", 0 },
    { "SELECT 1 $", NULL, "", 0 },

    { "SELECT x::int", NULL, "", 0 },
    { "SELECT :a::int::text", "SELECT $1::int::text", "a", 0 },
    { "SELECT '1'::int, :b", "SELECT '1'::int, $1", "b", 0 },
    { "SELECT a[1:2]", NULL, "", 0 },
    { "SELECT a[:2], a[lo : hi]", NULL, "", 0 },
    { "SELECT a[:lo : :hi]", "SELECT a[$1 : $2]", "lo hi", 0 },
    { "SELECT a[1::b]", NULL, "", 0 },
    { "SELECT :", NULL, "", 0 },
    { "SELECT ::", NULL, "", 0 },
    { "SELECT :1", NULL, "", 0 },
    { "SELECT \xc3\xa9, :b", "SELECT \xc3\xa9, $1", "b", 0 },
    { ":a", "$1", "a", 0 },

    { "SELECT 1;", "SELECT 1", "", 0 },
    { "SELECT 1; \n -- done", "SELECT 1", "", 0 },
    { "SELECT 1 ;; /* a; b */ ;", "SELECT 1 ", "", 0 },
    { "SELECT ';'", NULL, "", 0 },
    { "SELECT 1; -- ; SELECT 2", "SELECT 1", "", 0 },

    { "INSERT INTO t VALUES (:a)", "INSERT INTO t VALUES ($1)", "a", 1 },
    { "update t SET a = :a", "update t SET a = $1", "a", 1 },
    { "Delete FROM t", NULL, "", 1 },
    { "MERGE INTO t", NULL, "", 1 },
    { " \n-- SELECT\n/* x */ insert into t", NULL, "", 1 },
    { "DELETE", NULL, "", 1 },
    { "INSERTS INTO t", NULL, "", 0 },
    { "INSER", NULL, "", 0 },
    { "WITH x AS (SELECT 1) DELETE FROM t", NULL, "", 0 },
    { "\"delete\" x", NULL, "", 0 },
    { "(DELETE FROM t)", NULL, "", 0 },
    { "SELECT * FROM t FOR UPDATE", NULL, "", 0 },

    { NULL, NULL, NULL, 0 }
};


static test_fault_t  faults[] = {

    { "", EMPTY },
    { " \t\n", EMPTY },
    { "-- only", EMPTY },
    { "/* only */", EMPTY },
    { ";", STOPPED },
    { " ; SELECT 1", STOPPED },

    { "SELECT 1; SELECT 2", SECOND },
    { "SELECT 1;;x", SECOND },
    { "SELECT 1; :a", SECOND },
    { "SELECT 1; 'a'", SECOND },

    { "SELECT $x", VARIABLE("$x") },
    { "SELECT $arg_id, 1", VARIABLE("$arg_id") },
    { "SELECT ${x} + 1", VARIABLE("${x}") },
    { "SELECT ${x", VARIABLE("${x") },
    { "SELECT ${", VARIABLE("${") },
    { "SELECT * FROM t_$x", VARIABLE("$x") },
    { "SELECT * FROM t_${x}_u", VARIABLE("${x}") },
    { "SELECT a$b$ :c $b$", VARIABLE("$b") },
    { "SELECT $a $b", VARIABLE("$a") },
    { "SELECT $1", POSITION("1") },
    { "SELECT a$1", POSITION("1") },
    { "SELECT :a$1", POSITION("1") },
    { "SELECT :a + $2", POSITION("2") },

    { "SELECT 'a", STRING },
    { "SELECT '", STRING },
    { "SELECT 'a''", STRING },
    { "SELECT E'a\\'", ESCAPED },
    { "SELECT E'a\\", ESCAPED },
    { "SELECT E'", ESCAPED },
    { "SELECT E'a'\n'\\'", ESCAPED },
    { "SELECT \"a", IDENTIFIER },
    { "SELECT \"a\"\"", IDENTIFIER },
    { "SELECT 1 /* a", COMMENT },
    { "SELECT 1 /* /* a */", COMMENT },
    { "SELECT 1 /*/", COMMENT },
    { "SELECT 1; /*", COMMENT },
    { "SELECT $$a", BODY("$$") },
    { "SELECT $$a$", BODY("$$") },
    { "SELECT $t$a$$ $T$", BODY("$t$") },
    { "SELECT $a$b", BODY("$a$") },

    { "SELECT a[lo:hi]", GLUED("hi") },
    { "SELECT a[1:n]", GLUED("n") },
    { "SELECT a[:lo:hi]", GLUED("hi") },
    { "SELECT:a", GLUED("a") },
    { "SELECT :na\xc3\xafve", ASCII },

    { NULL, NULL }
};


/* without a zero at the end, so that the sanitizer sees one byte more read */

static ngx_int_t
parse(const char *text, ngx_scale_template_t *t, ngx_str_t *error)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = ngx_pnalloc(pool, s.len);
    ngx_memcpy(s.data, text, s.len);

    return ngx_scale_template_parse(pool, &s, t, error);
}


/* TAP is of lines */

static const char *
title(const char *text)
{
    u_char       *p;
    static char   line[256];

    ngx_cpystrn((u_char *) line, (u_char *) text, sizeof(line));

    for (p = (u_char *) line; *p; p++) {
        if (*p < ' ') {
            *p = ' ';
        }
    }

    return line;
}


static ngx_str_t
joined(ngx_array_t *params)
{
    u_char      *p;
    ngx_str_t   *name, text;
    ngx_uint_t   i;

    name = params->elts;
    text.data = ngx_pnalloc(pool, 4096);
    p = text.data;

    for (i = 0; i < params->nelts; i++) {
        p = ngx_sprintf(p, "%s%V", i ? " " : "", &name[i]);
    }

    text.len = p - text.data;

    return text;
}


static void
test_case(test_case_t *c)
{
    ngx_int_t              rc;
    ngx_str_t              error;
    ngx_scale_template_t   t;

    rc = parse(c->text, &t, &error);

    ok(rc == NGX_OK && error.len == 0, title(c->text));

    if (rc != NGX_OK) {
        printf("# %.*s\n", (int) error.len, error.data);
        return;
    }

    is_str(t.sql, c->sql ? c->sql : c->text, "... its SQL");
    is_str(joined(&t.params), c->params, "... its parameters");
    ok(t.dml == c->dml, "... what its first word says");
    ok(t.sql.data[t.sql.len] == '\0', "... ends with a zero");
}


static void
test_fault(test_fault_t *f)
{
    ngx_int_t              rc;
    ngx_str_t              error;
    ngx_scale_template_t   t;

    rc = parse(f->text, &t, &error);

    ok(rc == NGX_ERROR, title(f->text));
    is_str(error, f->error, "... the fault");
}


static void
test_many(ngx_uint_t n)
{
    u_char                *p, text[4096];
    ngx_int_t              rc;
    ngx_str_t              error;
    ngx_uint_t             i;
    ngx_scale_template_t   t;

    p = ngx_sprintf(text, "SELECT :p0");

    for (i = 1; i < n; i++) {
        p = ngx_sprintf(p, ",:p%ui", i);
    }

    for (i = 0; i < 50; i++) {
        p = ngx_sprintf(p, ",:p127");
    }

    *p = '\0';

    rc = parse((char *) text, &t, &error);

    if (n > 128) {
        ok(rc == NGX_ERROR, "129 parameters are too many");
        is_str(error, MANY, "... the fault");
        return;
    }

    ok(rc == NGX_OK && t.params.nelts == 128, "128 parameters");
    ok(ngx_strncmp(t.sql.data + t.sql.len - 10, ",$128,$128", 10) == 0,
       "... the last of them");
}


/* one letter each: the SQL grows as much as it can */

static void
test_growth(void)
{
    char                   text[4 * 54 + 1];
    u_char                *p;
    ngx_int_t              rc;
    ngx_str_t              error;
    ngx_uint_t             i;
    ngx_scale_template_t   t;

    static char  names[] = "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

    p = (u_char *) text;

    for (i = 0; i < sizeof(names) - 1; i++) {
        p = ngx_sprintf(p, ":%c", (int) names[i]);
        *p++ = '+';
    }

    *--p = '\0';

    rc = parse(text, &t, &error);

    ok(rc == NGX_OK && t.params.nelts == 53, "one letter names");
    ok(ngx_strncmp(t.sql.data + t.sql.len - 7, "$52+$53", 7) == 0,
       "... the last of them");
}


/* no prefix of any text reads past its end */

static void
test_prefixes(void)
{
    char                   text[256];
    size_t                 len;
    ngx_str_t              error;
    ngx_uint_t             n;
    test_case_t           *c;
    ngx_scale_template_t   t;

    n = 0;

    for (c = cases; c->text; c++) {
        for (len = 0; len <= strlen(c->text); len++) {
            ngx_memcpy(text, c->text, len);
            text[len] = '\0';

            if (parse(text, &t, &error) == NGX_ERROR && error.len == 0) {
                n++;
            }
        }
    }

    ok(n == 0, "a prefix is accepted or has a fault with a sentence");
}


int
main(void)
{
    test_case_t   *c;
    test_fault_t  *f;

    pool = test_pool();

    for (c = cases; c->text; c++) {
        test_case(c);
    }

    for (f = faults; f->text; f++) {
        test_fault(f);
    }

    test_many(128);
    test_many(129);
    test_growth();
    test_prefixes();

    ngx_destroy_pool(pool);

    return done();
}
