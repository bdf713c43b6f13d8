/* sources: shard/map.c shard/compare.c shard/merge.c */

#include "shard/shard.h"
#include "test.h"


typedef struct {
    const char   *key;
    ngx_uint_t    bucket;
} test_bucket_t;


typedef struct {
    const char   *a;
    const char   *b;
    const char   *key;
} test_key_t;


typedef struct {
    const char   *ranges[6];    /* from, to, from, to, ...; NULL ends */
    ngx_int_t     rc;
    const char   *from;
    const char   *to;
} test_cover_t;


typedef struct {
    ngx_uint_t    oid;
    const char   *a;            /* less than b, or equal */
    const char   *b;
    ngx_int_t     order;
} test_compare_t;


typedef struct {
    const char   *cells[4];     /* of one column; NULL: null */
    ngx_uint_t    nrows;
} test_input_t;


typedef struct {
    const char     *title;
    test_input_t    inputs[3];
    const char     *sort;       /* "" ascending, "desc", or NULL */
    ngx_uint_t      limit;
    const char     *rows;       /* a null is "~" */
} test_merge_t;


static ngx_pool_t  *pool;


/* by another's MD5 */

static test_bucket_t  buckets[] = {
    { "", 217 },
    { "7", 95 },
    { "10000", 628 },
    { "-9223372036854775808", 699 },
    { "Gr\xc3\xbcn \xe2\x98\x83", 26 },
    { "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 652 },
    { "2024-02-29", 938 },
    { "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", 838 },
    { "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", 325 },
    { "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
      881 },
    { "1:2", 163 },
    { NULL, 0 }
};


static test_key_t  keys[] = {
    { "1", NULL, "1" },
    { "a:%b", NULL, "a:%b" },
    { "1", "2", "1:2" },
    { "", "", ":" },
    { "a:b", "c%", "a%3Ab:c%25" },
    { "a", "b:c", "a:b%3Ac" },
    { "a%3A", "", "a%253A:" },
    { NULL, NULL, NULL }
};


static test_cover_t  covers[] = {

    { { "", "" }, NGX_OK, NULL, NULL },
    { { "", "N", "N", "" }, NGX_OK, NULL, NULL },
    { { "N", "", "", "B", "B", "N" }, NGX_OK, NULL, NULL },

    { { NULL }, NGX_DECLINED, "", "" },
    { { "", "N" }, NGX_DECLINED, "N", "" },
    { { "A", "" }, NGX_DECLINED, "", "A" },
    { { "", "M", "N", "" }, NGX_DECLINED, "M", "N" },
    { { "", "MA", "M", "" }, NGX_BUSY, "M", NULL },
    { { "", "", "N", "" }, NGX_BUSY, "N", NULL },
    { { "", "N", "", "N", "N", "" }, NGX_BUSY, "", NULL },
};


static test_compare_t  compares[] = {

    { 20, "-9223372036854775808", "9223372036854775807", -1 },
    { 20, "9223372036854775806", "9223372036854775807", -1 },
    { 20, "9", "10", -1 },
    { 20, "-10", "-9", -1 },
    { 20, "-1", "0", -1 },
    { 23, "0", "0", 0 },
    { 1700, "0.1", "0.10", 0 },
    { 1700, "0.09", "0.1", -1 },
    { 1700, "-0.1", "-0.09", -1 },
    { 1700, "2", "2.000", 0 },
    { 1700, "1.99999999999999999999", "2", -1 },
    { 1700, "123456789012345678901234567890.1",
            "123456789012345678901234567890.2", -1 },
    { 1700, "-Infinity", "-1000", -1 },
    { 1700, "1000", "Infinity", -1 },
    { 1700, "Infinity", "NaN", -1 },
    { 1700, "NaN", "NaN", 0 },
    { 701, "1e-05", "0.5", -1 },
    { 701, "2", "1e+20", -1 },
    { 701, "-1e+20", "-2", -1 },
    { 701, "-Infinity", "-1.7976931348623157e+308", -1 },
    { 701, "Infinity", "NaN", -1 },
    { 701, "NaN", "NaN", 0 },
    { 700, "-0", "0", 0 },
    { 25, "", "a", -1 },
    { 25, "9", "a", -1 },
    { 25, "10", "9", -1 },
    { 25, "Z", "a", -1 },
    { 25, "ab", "abc", -1 },
    { 25, "z", "\xc3\xa9", -1 },
    { 16, "f", "t", -1 },
    { 1184, "2024-01-01 00:00:00+00", "2024-01-01 00:00:00.5+00", -1 },
    { 1184, "2024-01-01 00:00:00.5+00", "2024-01-01 00:00:00.51+00", -1 },
    { 1184, "-infinity", "2024-01-01 00:00:00+00", -1 },
    { 1184, "2024-01-01 00:00:00+00", "infinity", -1 },
    { 0, NULL, NULL, 0 }
};


static test_merge_t  merges[] = {

    { "one after the other",
      { { { "3", "1" }, 2 }, { { NULL }, 0 }, { { "2" }, 1 } },
      NULL, 0, "3 1 2" },
    { "... at most so many",
      { { { "3", "1" }, 2 }, { { "5", "6" }, 2 }, { { "2" }, 1 } },
      NULL, 3, "3 1 5" },
    { "all of them empty",
      { { { NULL }, 0 }, { { NULL }, 0 }, { { NULL }, 0 } },
      "", 10, "" },
    { "in order",
      { { { "1", "10", "100" }, 3 }, { { "2", "9" }, 2 }, { { "11" }, 1 } },
      "", 0, "1 2 9 10 11 100" },
    { "a page of it",
      { { { "1", "10", "100" }, 3 }, { { "2", "9" }, 2 }, { { "11" }, 1 } },
      "", 4, "1 2 9 10" },
    { "a page that is longer",
      { { { "1" }, 1 }, { { NULL }, 0 }, { { "0" }, 1 } },
      "", 10, "0 1" },
    { "in descending order",
      { { { "100", "10", "1" }, 3 }, { { "9", "2" }, 2 }, { { "11" }, 1 } },
      "desc", 5, "100 11 10 9 2" },
    { "null is the last",
      { { { "1", NULL }, 2 }, { { "2" }, 1 }, { { NULL, NULL }, 2 } },
      "", 0, "1 2 ~ ~ ~" },
    { "... and the first in descending order",
      { { { NULL, "1" }, 2 }, { { "2" }, 1 }, { { NULL, NULL }, 2 } },
      "desc", 0, "~ ~ ~ 2 1" },
};


static ngx_str_t
str(const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = text ? strlen(text) : 0;

    return s;
}


/* a map that gives each bucket to itself tells the bucket of a key */

static void
test_buckets(void)
{
    ngx_str_t               key;
    ngx_uint_t              i, taken;
    test_bucket_t          *t;
    ngx_scale_shard_map_t   map;

    ngx_scale_shard_map_init(pool, &map);

    for (i = 0; i < NGX_SCALE_SHARD_BUCKETS; i++) {
        ngx_scale_shard_map_give(&map, i, i, i, &taken);
    }

    for (t = buckets; t->key; t++) {
        key = str(t->key);
        ok(ngx_scale_shard_map_find(&map, &key) == t->bucket, t->key);
    }

    key = str("7");
    map.frozen[ngx_scale_shard_map_find(&map, &key)] = 1;
    ok(ngx_scale_shard_map_is_frozen(&map, &key), "a frozen bucket");
    key = str("8");
    ok(!ngx_scale_shard_map_is_frozen(&map, &key), "another one is not");
}


static void
test_keys(void)
{
    ngx_str_t    values[2], key;
    test_key_t  *t;

    for (t = keys; t->a; t++) {
        values[0] = str(t->a);
        values[1] = str(t->b);
        ngx_scale_shard_key(pool, values, t->b ? 2 : 1, &key);
        is_str(key, t->key, t->key);
    }
}


static void
test_intervals(void)
{
    ngx_int_t    rc;
    ngx_str_t    word;
    ngx_uint_t   i, first, last;

    static const char  *bad[] = {
        "", "-", "1-", "-1", "a", "1-a", "2-1", "1024", "0-1024", "1-2-3",
        "99999999999999999999"
    };

    word = str("0-1023");
    rc = ngx_scale_shard_interval(&word, &first, &last);
    ok(rc == NGX_OK && first == 0 && last == 1023, "all buckets");

    word = str("7");
    rc = ngx_scale_shard_interval(&word, &first, &last);
    ok(rc == NGX_OK && first == 7 && last == 7, "one bucket");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        word = str(bad[i]);
        ok(ngx_scale_shard_interval(&word, &first, &last) == NGX_ERROR,
           bad[i]);
    }
}


static void
test_gaps(void)
{
    ngx_int_t               rc;
    ngx_uint_t              first, last, taken;
    ngx_scale_shard_map_t   map;

    ngx_scale_shard_map_init(pool, &map);

    rc = ngx_scale_shard_map_gap(&map, &first, &last);
    ok(rc == NGX_OK && first == 0 && last == 1023, "nobody holds anything");

    ngx_scale_shard_map_give(&map, 0, 511, 0, &taken);
    ngx_scale_shard_map_give(&map, 600, 1023, 1, &taken);

    rc = ngx_scale_shard_map_gap(&map, &first, &last);
    ok(rc == NGX_OK && first == 512 && last == 599, "a gap within");

    rc = ngx_scale_shard_map_give(&map, 512, 600, 2, &taken);
    ok(rc == NGX_DECLINED && taken == 600 && map.owners[600] == 1,
       "a bucket that is another's");

    ok(ngx_scale_shard_map_gap(&map, &first, &last) == NGX_DECLINED,
       "no gap");
}


static void
test_cover(test_cover_t *t)
{
    ngx_int_t                 rc;
    ngx_str_t                 from, to;
    ngx_uint_t                i;
    ngx_scale_shard_map_t     map;
    ngx_scale_shard_range_t  *range;

    ngx_scale_shard_map_init(pool, &map);

    for (i = 0; i < 6 && t->ranges[i]; i += 2) {
        range = ngx_array_push(&map.ranges);
        range->from = str(t->ranges[i]);
        range->to = str(t->ranges[i + 1]);
        range->shard = i / 2;
    }

    rc = ngx_scale_shard_map_sort(&map, &from, &to);
    ok(rc == t->rc, "ranges");

    if (t->from) {
        is_str(from, t->from, "... from");
    }

    if (t->to) {
        is_str(to, t->to, "... to");
    }
}


static void
test_ranges(void)
{
    ngx_str_t                 key, from, to;
    ngx_scale_shard_map_t     map;
    ngx_scale_shard_range_t  *range;

    ngx_scale_shard_map_init(pool, &map);

    range = ngx_array_push_n(&map.ranges, 2);
    range[0].from = str("N");
    range[0].to = str("");
    range[0].shard = 1;
    range[1].from = str("");
    range[1].to = str("N");
    range[1].shard = 0;

    range = ngx_array_push(&map.frozen_ranges);
    range->from = str("Q");
    range->to = str("R");

    ngx_scale_shard_map_sort(&map, &from, &to);

    key = str("");
    ok(ngx_scale_shard_map_find(&map, &key) == 0, "the empty key");
    key = str("Mz");
    ok(ngx_scale_shard_map_find(&map, &key) == 0, "before N");
    key = str("N");
    ok(ngx_scale_shard_map_find(&map, &key) == 1, "N");
    key = str("anna");
    ok(ngx_scale_shard_map_find(&map, &key) == 1, "small letters come later");

    ok(!ngx_scale_shard_map_is_frozen(&map, &key), "not frozen");
    key = str("Quinn");
    ok(ngx_scale_shard_map_is_frozen(&map, &key), "frozen");
    key = str("R");
    ok(!ngx_scale_shard_map_is_frozen(&map, &key), "frozen until there");
}


static void
test_compare(test_compare_t *t)
{
    ngx_str_t  a, b;
    ngx_int_t  there, back;

    a = str(t->a);
    b = str(t->b);

    there = ngx_scale_shard_compare(t->oid, &a, &b);
    back = ngx_scale_shard_compare(t->oid, &b, &a);

    ok(t->order ? there < 0 && back > 0 : there == 0 && back == 0, t->a);
}


static ngx_int_t
test_get(ngx_scale_rows_t *rows, ngx_uint_t row, ngx_uint_t column,
    ngx_str_t *cell)
{
    test_input_t  *input = rows->data;

    if (input->cells[row] == NULL) {
        return NGX_DECLINED;
    }

    *cell = str(input->cells[row]);

    return NGX_OK;
}


static void
test_merge(test_merge_t *t)
{
    u_char                   text[256], *p;
    ngx_int_t                rc;
    ngx_str_t                cell, got;
    ngx_uint_t               i;
    const char              *error;
    ngx_array_t             *sort;
    ngx_scale_rows_t         inputs[3], *rows[3], out;
    ngx_scale_column_t       column;
    ngx_scale_shard_sort_t  *by;

    column.name = str("n");
    column.oid = 20;

    for (i = 0; i < 3; i++) {
        inputs[i].nrows = t->inputs[i].nrows;
        inputs[i].ncolumns = 1;
        inputs[i].columns = &column;
        inputs[i].get = test_get;
        inputs[i].data = &t->inputs[i];
        rows[i] = &inputs[i];
    }

    sort = NULL;

    if (t->sort) {
        sort = ngx_array_create(pool, 1, sizeof(ngx_scale_shard_sort_t));
        by = ngx_array_push(sort);
        by->column = str("n");
        by->desc = t->sort[0] != '\0';
    }

    rc = ngx_scale_shard_merge(pool, rows, 3, sort, t->limit, &out, &error);
    ok(rc == NGX_OK, t->title);

    p = text;

    for (i = 0; i < out.nrows; i++) {
        if (out.get(&out, i, 0, &cell) != NGX_OK) {
            cell = str("~");
        }

        p = ngx_sprintf(p, i ? " %V" : "%V", &cell);
    }

    got.data = text;
    got.len = p - text;

    is_str(got, t->rows, "... the rows");
}


static void
test_unlike(void)
{
    ngx_int_t                rc;
    const char              *error;
    ngx_array_t             *sort;
    ngx_scale_rows_t         a, b, out, *rows[2];
    ngx_scale_column_t       x, y;
    ngx_scale_shard_sort_t  *by;

    ngx_memzero(&a, sizeof(ngx_scale_rows_t));
    ngx_memzero(&b, sizeof(ngx_scale_rows_t));

    x.name = str("n");
    x.oid = 20;
    y = x;

    a.ncolumns = b.ncolumns = 1;
    a.columns = &x;
    b.columns = &y;
    rows[0] = &a;
    rows[1] = &b;

    sort = ngx_array_create(pool, 1, sizeof(ngx_scale_shard_sort_t));
    by = ngx_array_push(sort);
    by->column = str("m");

    rc = ngx_scale_shard_merge(pool, rows, 2, NULL, 0, &out, &error);
    ok(rc == NGX_OK && out.nrows == 0, "the same columns");

    rc = ngx_scale_shard_merge(pool, rows, 2, sort, 0, &out, &error);
    ok(rc == NGX_DECLINED, "no such column to sort by");

    y.oid = 23;
    rc = ngx_scale_shard_merge(pool, rows, 2, NULL, 0, &out, &error);
    ok(rc == NGX_DECLINED, "another type");

    y = x;
    y.name = str("m");
    rc = ngx_scale_shard_merge(pool, rows, 2, NULL, 0, &out, &error);
    ok(rc == NGX_DECLINED, "another name");

    y = x;
    b.ncolumns = 0;
    rc = ngx_scale_shard_merge(pool, rows, 2, NULL, 0, &out, &error);
    ok(rc == NGX_DECLINED, "fewer columns");
}


int
main(void)
{
    ngx_uint_t       i;
    test_compare_t  *c;

    pool = test_pool();

    test_buckets();
    test_keys();
    test_intervals();
    test_gaps();

    for (i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
        test_cover(&covers[i]);
    }

    test_ranges();

    for (c = compares; c->a; c++) {
        test_compare(c);
    }

    for (i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
        test_merge(&merges[i]);
    }

    test_unlike();

    ngx_destroy_pool(pool);

    return done();
}
