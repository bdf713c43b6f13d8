/* sources: json/columns.c json/out.c json/write.c json/write_string.c json/write_value.c json/write_text.c json/write_csv.c */

#include "json/json.h"
#include "test.h"


#define ROW     NGX_SCALE_JSON_ROW
#define ROWS    NGX_SCALE_JSON_ROWS
#define VALUE   NGX_SCALE_JSON_VALUE

#define JSON    NGX_SCALE_REPR_JSON
#define NDJSON  NGX_SCALE_REPR_NDJSON
#define CSV     NGX_SCALE_REPR_CSV


typedef struct {
    const char   *title;
    ngx_uint_t    oid;
    const char   *cell;
    const char   *json;
    const char   *csv;       /* where it is not the cell */
} test_value_t;


static ngx_pool_t  *pool;


static test_value_t  values[] = {

    { "int2 is a number", 21, "-32768", "-32768", NULL },
    { "int4 is a number", 23, "42", "42", NULL },
    { "int8 keeps every digit", 20, "9223372036854775807",
      "9223372036854775807", NULL },
    { "oid is a number", 26, "4294967295", "4294967295", NULL },
    { "numeric keeps its digits and trailing zeroes", 1700,
      "12345678901234567890.12345678901234567890",
      "12345678901234567890.12345678901234567890", NULL },
    { "numeric NaN is a string", 1700, "NaN", "\"NaN\"", NULL },
    { "float4 with an exponent is a number", 700, "1e+20", "1e+20", NULL },
    { "float8 with a negative exponent is a number", 701, "-1.5e-07",
      "-1.5e-07", NULL },
    { "float8 NaN is a string", 701, "NaN", "\"NaN\"", NULL },
    { "float8 Infinity is a string", 701, "Infinity", "\"Infinity\"", NULL },
    { "float8 -Infinity is a string", 701, "-Infinity", "\"-Infinity\"",
      NULL },

    { "a true bool is true", 16, "t", "true", "true" },
    { "a false bool is false", 16, "f", "false", "false" },

    { "json passes as it was written", 114, "{\"a\" : [1,\n2]}",
      "{\"a\" : [1,\n2]}", "\"{\"\"a\"\" : [1,\n2]}\"" },
    { "jsonb passes as it is", 3802, "{\"a\": \"\\u0001\"}",
      "{\"a\": \"\\u0001\"}", "\"{\"\"a\"\": \"\"\\u0001\"\"}\"" },
    { "a string in json keeps its quotes in CSV", 114, "\"a\"", "\"a\"",
      "\"\"\"a\"\"\"" },

    { "date is a string as it is", 1082, "2026-11-24", "\"2026-11-24\"",
      NULL },
    { "a date before Christ is a string as it is", 1082, "0044-03-15 BC",
      "\"0044-03-15 BC\"", NULL },

    { "timestamptz is RFC 3339 in UTC", 1184, "2026-11-24 03:26:00.123+00",
      "\"2026-11-24T03:26:00.123Z\"", "2026-11-24T03:26:00.123Z" },
    { "timestamptz without a fraction", 1184, "2026-11-24 03:26:00+00",
      "\"2026-11-24T03:26:00Z\"", "2026-11-24T03:26:00Z" },
    { "an offset in hours gets its minutes", 1184, "2026-11-24 03:26:00-03",
      "\"2026-11-24T03:26:00-03:00\"", "2026-11-24T03:26:00-03:00" },
    { "an offset with minutes stays", 1184, "2026-11-24 03:26:00.5+05:30",
      "\"2026-11-24T03:26:00.5+05:30\"", "2026-11-24T03:26:00.5+05:30" },
    { "an offset with seconds is not RFC 3339 and stays as it is", 1184,
      "1890-01-01 00:00:00+00:53:28", "\"1890-01-01 00:00:00+00:53:28\"",
      NULL },
    { "timestamp has no zone", 1114, "2026-11-24 03:26:00",
      "\"2026-11-24T03:26:00\"", "2026-11-24T03:26:00" },
    { "timestamp keeps microseconds", 1114, "2026-11-24 03:26:00.000001",
      "\"2026-11-24T03:26:00.000001\"", "2026-11-24T03:26:00.000001" },
    { "infinity is a string as it is", 1184, "infinity", "\"infinity\"",
      NULL },
    { "-infinity is a string as it is", 1114, "-infinity", "\"-infinity\"",
      NULL },
    { "a time before Christ is a string as it is", 1184,
      "0044-03-15 12:00:00+00 BC", "\"0044-03-15 12:00:00+00 BC\"", NULL },
    { "a timestamp before Christ is a string as it is", 1114,
      "0044-03-15 12:00:00 BC", "\"0044-03-15 12:00:00 BC\"", NULL },
    { "a year of five digits is a string as it is", 1114,
      "12026-11-24 03:26:00", "\"12026-11-24 03:26:00\"", NULL },

    { "empty bytea is an empty string", 17, "\\x", "\"\"", "\"\"" },
    { "one byte of bytea is padded twice", 17, "\\x66", "\"Zg==\"",
      "Zg==" },
    { "two bytes of bytea are padded once", 17, "\\x666f", "\"Zm8=\"",
      "Zm8=" },
    { "three bytes of bytea need no padding", 17, "\\x666f6f", "\"Zm9v\"",
      "Zm9v" },
    { "RFC 4648's longest example", 17, "\\x666f6f626172", "\"Zm9vYmFy\"",
      "Zm9vYmFy" },
    { "all six-bit values at the edges", 17, "\\xfBEFbeFFffff",
      "\"++++////\"", "++++////" },

    { "text is a string", 25, "plain", "\"plain\"", NULL },
    { "an empty string", 25, "", "\"\"", "\"\"" },
    { "an unknown type is a string", 99999, "(1,2)", "\"(1,2)\"",
      "\"(1,2)\"" },
    { "uuid is a string", 2950, "00000000-0000-0000-0000-000000000001",
      "\"00000000-0000-0000-0000-000000000001\"", NULL },
    { "quotes and backslashes are escaped", 25, "a\"b\\c",
      "\"a\\\"b\\\\c\"", "\"a\"\"b\\c\"" },
    { "controls have short escapes where JSON has them", 25,
      "\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"", "\"\b\t\n\f\r\"" },
    { "other controls are four digits", 25, "\x01\x0b\x1f",
      "\"\\u0001\\u000b\\u001f\"", NULL },
    { "DEL, the slash and UTF-8 pass", 25, "/\x7f\xc3\xa9\xf0\x9f\x98\x80",
      "\"/\x7f\xc3\xa9\xf0\x9f\x98\x80\"", NULL },
    { "an escape in the 16th byte", 25, "0123456789abcde\"0123456789",
      "\"0123456789abcde\\\"0123456789\"",
      "\"0123456789abcde\"\"0123456789\"" },
    { "an escape in the 17th byte", 25, "0123456789abcdef\\",
      "\"0123456789abcdef\\\\\"", NULL },
    { "bytes over 0x7f in a block of 16 are no controls", 25,
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
      "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\"", NULL },
};


static test_value_t  arrays[] = {

    { "an empty array", 1007, "{}", "[]", NULL },
    { "int2[]", 1005, "{1,-2}", "[1,-2]", NULL },
    { "int4[] with NULL", 1007, "{1,NULL,3}", "[1,null,3]", NULL },
    { "int8[]", 1016, "{9223372036854775807}", "[9223372036854775807]",
      NULL },
    { "numeric[] with NaN", 1231, "{1.10,NaN}", "[1.10,\"NaN\"]", NULL },
    { "float4[]", 1021, "{1.5,Infinity}", "[1.5,\"Infinity\"]", NULL },
    { "float8[]", 1022, "{-1e-07}", "[-1e-07]", NULL },
    { "oid[]", 1028, "{26}", "[26]", NULL },
    { "bool[]", 1000, "{t,f,NULL}", "[true,false,null]", NULL },
    { "json[] elements are unquoted and nested", 199,
      "{\"{\\\"a\\\": \\\"x\\\\\\\\y\\\"}\",1}",
      "[{\"a\": \"x\\\\y\"},1]", NULL },
    { "jsonb[]", 3807, "{null,\"[1, 2]\"}", "[null,[1, 2]]", NULL },
    { "bytea[]", 1001, "{\"\\\\x666f\",\"\\\\x\"}", "[\"Zm8=\",\"\"]",
      NULL },
    { "timestamp[]", 1115, "{\"2026-11-24 03:26:00\"}",
      "[\"2026-11-24T03:26:00\"]", NULL },
    { "timestamptz[] with infinity", 1185,
      "{\"2026-11-24 03:26:00+00\",infinity}",
      "[\"2026-11-24T03:26:00Z\",\"infinity\"]", NULL },
    { "date[]", 1182, "{2026-11-24}", "[\"2026-11-24\"]", NULL },
    { "text[]", 1009, "{1,NULL,\"a \\\"b\\\"\"}",
      "[\"1\",null,\"a \\\"b\\\"\"]", NULL },
    { "text[] with the word NULL", 1009, "{\"NULL\",null,\"\"}",
      "[\"NULL\",\"null\",\"\"]", NULL },
    { "text[] with commas, braces and backslashes", 1009,
      "{\"a,b\",\"{c}\",\"d\\\\e\",f}", "[\"a,b\",\"{c}\",\"d\\\\e\",\"f\"]",
      NULL },
    { "varchar[]", 1015, "{a b,c}", "[\"a b\",\"c\"]", NULL },
    { "char(n)[]", 1014, "{\"ab \"}", "[\"ab \"]", NULL },
    { "name[]", 1003, "{posts}", "[\"posts\"]", NULL },
    { "uuid[]", 2951, "{00000000-0000-0000-0000-000000000001}",
      "[\"00000000-0000-0000-0000-000000000001\"]", NULL },
    { "two dimensions", 1007, "{{1,2},{3,NULL}}", "[[1,2],[3,null]]", NULL },
    { "six dimensions", 1007, "{{{{{{1}}}}}}", "[[[[[[1]]]]]]", NULL },
    { "lower bounds are left out", 1007, "[0:1]={1,2}", "[1,2]", NULL },
    { "lower bounds of two dimensions are left out", 1009,
      "[-1:-1][0:1]={{a,b}}", "[[\"a\",\"b\"]]", NULL },
    { "text that is no array's is a string", 1007, "nonsense",
      "\"nonsense\"", NULL },
    { "a quoted element that does not end is read to the end", 1009,
      "{\"ab\\", "[\"ab\\\\\"", NULL },
};


static ngx_int_t
test_get(ngx_scale_rows_t *rows, ngx_uint_t row, ngx_uint_t column,
    ngx_str_t *cell)
{
    const char  **cells, *p;

    cells = rows->data;
    p = cells[row * rows->ncolumns + column];

    if (p == NULL) {
        return NGX_DECLINED;
    }

    cell->data = (u_char *) p;
    cell->len = ngx_strlen(p);

    return NGX_OK;
}


static ngx_str_t
test_write(ngx_scale_column_t *columns, ngx_uint_t ncolumns,
    const char **cells, ngx_uint_t nrows, ngx_uint_t shape,
    ngx_uint_t representation)
{
    ngx_str_t         out;
    ngx_scale_rows_t  rows;

    rows.nrows = nrows;
    rows.ncolumns = ncolumns;
    rows.columns = columns;
    rows.get = test_get;
    rows.data = cells;

    ngx_str_null(&out);

    if (ngx_scale_json_write(pool, &rows, shape, representation, &out)
        != NGX_OK)
    {
        ngx_str_set(&out, "(memory)");
    }

    return out;
}


static void
test_values(test_value_t *test, ngx_uint_t n)
{
    char                buf[1024];
    ngx_uint_t          i;
    ngx_scale_column_t  column = { ngx_string("v"), 0 };

    for (i = 0; i < n; i++, test++) {
        column.oid = test->oid;

        snprintf(buf, sizeof(buf), "%s\n", test->json);
        is_str(test_write(&column, 1, &test->cell, 1, VALUE, JSON), buf,
               test->title);

        snprintf(buf, sizeof(buf), "[{\"v\":%s}]\n", test->json);
        is_str(test_write(&column, 1, &test->cell, 1, ROWS, JSON), buf,
               test->title);
    }
}


static void
test_csv_values(void)
{
    char                buf[1024];
    ngx_uint_t          i;
    test_value_t       *test;
    ngx_scale_column_t  column = { ngx_string("v"), 0 };

    for (i = 0; i < sizeof(values) / sizeof(test_value_t); i++) {
        test = &values[i];
        column.oid = test->oid;

        snprintf(buf, sizeof(buf), "v\r\n%s\r\n",
                 test->csv ? test->csv : test->cell);
        is_str(test_write(&column, 1, &test->cell, 1, ROWS, CSV), buf,
               test->title);
    }
}


static void
test_shapes(void)
{
    ngx_scale_column_t  columns[] = {
        { ngx_string("void"), 2278 },
        { ngx_string("http:Location"), 25 },
        { ngx_string("id"), 20 },
        { ngx_string("ti\"tle\n"), 25 },
        { ngx_string("row:author"), 25 },
        { ngx_string("https:"), 25 },
    };
    const char         *cells[] = {
        "", "/1", "1", "one", "ann", NULL,
        "", "/2", "2", "t\"wo", "bob", "x",
    };

    is_str(test_write(columns, 6, cells, 2, ROW, JSON),
           "{\"id\":1,\"ti\\\"tle\\n\":\"one\",\"https:\":null}\n",
           "a row is an object, without void, http: and row: columns");

    is_str(test_write(columns, 6, cells, 2, ROWS, JSON),
           "[{\"id\":1,\"ti\\\"tle\\n\":\"one\",\"https:\":null},"
           "{\"id\":2,\"ti\\\"tle\\n\":\"t\\\"wo\",\"https:\":\"x\"}]\n",
           "rows are an array of objects");

    is_str(test_write(columns, 6, cells, 2, VALUE, JSON), "1\n",
           "a value is the first column that is shown");

    is_str(test_write(columns, 6, cells, 2, ROWS, NDJSON),
           "{\"id\":1,\"ti\\\"tle\\n\":\"one\",\"https:\":null}\n"
           "{\"id\":2,\"ti\\\"tle\\n\":\"t\\\"wo\",\"https:\":\"x\"}\n",
           "NDJSON is an object a line");

    is_str(test_write(columns, 6, cells, 2, ROW, NDJSON),
           "{\"id\":1,\"ti\\\"tle\\n\":\"one\",\"https:\":null}\n",
           "a row in NDJSON is one line");

    is_str(test_write(columns, 6, cells, 2, ROWS, CSV),
           "id,\"ti\"\"tle\n\",https:\r\n1,one,\r\n2,\"t\"\"wo\",x\r\n",
           "CSV has a header, CRLF, and NULL as an empty field");

    is_str(test_write(columns, 6, cells, 2, ROW, CSV),
           "id,\"ti\"\"tle\n\",https:\r\n1,one,\r\n",
           "a row in CSV is a header and a line");

    is_str(test_write(columns, 6, cells, 2, VALUE, CSV), "id\r\n1\r\n",
           "a value in CSV is a column of one line");

    is_str(test_write(columns, 6, cells, 0, ROWS, JSON), "[]\n",
           "no rows are an empty array");

    is_str(test_write(columns, 6, cells, 0, ROWS, NDJSON), "",
           "no rows are no lines");

    is_str(test_write(columns, 6, cells, 0, ROWS, CSV),
           "id,\"ti\"\"tle\n\",https:\r\n", "no rows are a header alone");

    is_str(test_write(columns, 2, cells, 1, ROW, JSON), "{}\n",
           "a row without columns to show is an empty object");

    is_str(test_write(columns, 1, cells, 2, ROWS, JSON), "[{},{}]\n",
           "rows without columns to show are empty objects");

    is_str(test_write(columns, 2, cells, 1, VALUE, JSON), "null\n",
           "a value without columns to show is null");

    is_str(test_write(columns + 5, 1, cells + 5, 1, VALUE, JSON), "null\n",
           "a value that is NULL is null");
}


static void
test_lines(void)
{
    ngx_scale_column_t  column = { ngx_string("v"), 114 };
    const char         *cells[] = { "{\"a\":\r\n\"\\n\"}" };
    const char         *blanks[] = { " a", "b ", "c d", "e,f", "=1+1" };

    is_str(test_write(&column, 1, cells, 1, ROWS, NDJSON),
           "{\"v\":{\"a\":  \"\\n\"}}\n",
           "line breaks between the tokens of json do not break NDJSON");

    is_str(test_write(&column, 1, cells, 1, VALUE, NDJSON),
           "{\"a\":  \"\\n\"}\n", "nor do they in a value");

    column.oid = 25;

    is_str(test_write(&column, 1, blanks, 5, ROWS, CSV),
           "v\r\n\" a\"\r\n\"b \"\r\nc d\r\n\"e,f\"\r\n=1+1\r\n",
           "CSV quotes outer blanks and commas, and nothing without need");

    column.oid = 1007;
    cells[0] = "{1,2}";

    is_str(test_write(&column, 1, cells, 1, ROWS, CSV),
           "v\r\n\"[1,2]\"\r\n", "an array is JSON in CSV");
}


/* every byte in every position of a text of every length */

static void
test_escapes(void)
{
    char                text[64], expected[512], *p;
    u_char              ch;
    ngx_str_t           out;
    ngx_uint_t          len, at, i, bad;
    const char         *cell = text;
    ngx_scale_column_t  column = { ngx_string("v"), 25 };

    bad = 0;

    for (len = 1; len < 40; len++) {
        for (at = 0; at < len; at++) {
            for (ch = 1; ch < 0x24; ch++) {
                memset(text, 'a', len);
                text[len] = '\0';
                text[at] = (ch == 0x23) ? '\\' : ch;

                p = expected;
                *p++ = '"';

                for (i = 0; i < len; i++) {
                    if (text[i] == '\\' || text[i] == '"') {
                        *p++ = '\\';
                        *p++ = text[i];

                    } else if (text[i] >= 0x20) {
                        *p++ = text[i];

                    } else if (strchr("\b\t\n\f\r", text[i])) {
                        *p++ = '\\';
                        *p++ = "btn?fr"[text[i] - 8];

                    } else {
                        p += sprintf(p, "\\u%04x", text[i]);
                    }
                }

                strcpy(p, "\"\n");
                out = test_write(&column, 1, &cell, 1, VALUE, JSON);

                if (out.len != strlen(expected)
                    || memcmp(out.data, expected, out.len) != 0)
                {
                    bad++;
                }
            }

            ngx_reset_pool(pool);
        }
    }

    ok(bad == 0, "every control in every position is escaped");
}


/* six times the estimate: the buffer grows again and again */

static void
test_growth(void)
{
    char                text[5001];
    size_t              i;
    ngx_str_t           out;
    const char         *cells[] = { text, text, text };
    ngx_scale_column_t  column = { ngx_string("v"), 25 };

    memset(text, 1, 5000);
    text[5000] = '\0';

    out = test_write(&column, 1, cells, 3, ROWS, JSON);

    for (i = 0; i < 5000; i++) {
        if (ngx_memcmp(out.data + 7 + 6 * i, "\\u0001", 6) != 0) {
            break;
        }
    }

    ok(i == 5000 && out.len == 3 * (30000 + 8) + 2 + 2 + 1,
       "a result of nothing but escapes fits");

    memset(text, '"', 5000);
    out = test_write(&column, 1, cells, 3, ROWS, CSV);

    ok(out.len == 3 + 3 * (10000 + 4), "fields of nothing but quotes fit");
}


/* row by row, taken after each second row, from a buffer of 32 bytes */

static void
test_parts(void)
{
    u_char                  all[1024], *p;
    ngx_str_t               out;
    ngx_uint_t              i, representation, bad;
    const char             *cells[] = { "1", "a,b", "2", NULL, "3",
                                        "longer than the buffer has room for",
                                        "4", "{\"}", "5", "" };
    ngx_scale_rows_t        rows;
    ngx_scale_column_t      columns[] = { { ngx_string("id"), 23 },
                                          { ngx_string("text"), 25 } };
    ngx_scale_json_list_t  *list;

    static const char  *titles[] = {
        "JSON in parts is as in one piece",
        "NDJSON in parts is as in one piece",
        "CSV in parts is as in one piece"
    };

    for (representation = JSON; representation <= CSV; representation++) {
        rows.nrows = 1;
        rows.ncolumns = 2;
        rows.columns = columns;
        rows.get = test_get;
        rows.data = cells;

        p = all;
        bad = 0;
        list = ngx_scale_json_list_begin(pool, &rows, representation, 32);

        for (i = 0; i < 5; i++) {
            rows.data = cells + 2 * i;
            bad |= ngx_scale_json_list_add(list, &rows) != NGX_OK;

            if (i % 2) {
                ngx_scale_json_list_written(list, &out);
                p = ngx_cpymem(p, out.data, out.len);
                ngx_scale_json_list_taken(list);
            }
        }

        bad |= ngx_scale_json_list_end(list) != NGX_OK;

        ngx_scale_json_list_written(list, &out);
        p = ngx_cpymem(p, out.data, out.len);

        out = test_write(columns, 2, cells, 5, ROWS, representation);

        ok(!bad && out.len == (size_t) (p - all)
           && memcmp(out.data, all, out.len) == 0,
           titles[representation]);
    }
}


int
main(void)
{
    ngx_log_t  log;

    ngx_memzero(&log, sizeof(ngx_log_t));

    /* so small that results are memory of their own, which ASan watches */

    pool = ngx_create_pool(128, &log);

    test_values(values, sizeof(values) / sizeof(test_value_t));
    test_values(arrays, sizeof(arrays) / sizeof(test_value_t));
    test_csv_values();
    test_shapes();
    test_lines();
    test_escapes();
    test_growth();
    test_parts();

    ngx_destroy_pool(pool);

    return done();
}
