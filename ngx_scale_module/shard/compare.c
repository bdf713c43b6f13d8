
/* PostgreSQL's order of values, by their text */

#include "shard/shard.h"
#include <math.h>


typedef ngx_int_t (*ngx_scale_shard_compare_pt)(ngx_str_t *a, ngx_str_t *b);

typedef struct {
    ngx_uint_t                    oid;         /* pg_type.dat */
    ngx_scale_shard_compare_pt    compare;
} ngx_scale_shard_type_t;


static ngx_int_t ngx_scale_shard_compare_decimal(ngx_str_t *a, ngx_str_t *b);
static ngx_int_t ngx_scale_shard_compare_float(ngx_str_t *a, ngx_str_t *b);
static ngx_int_t ngx_scale_shard_rank(ngx_str_t *number);
static ngx_int_t ngx_scale_shard_magnitude(ngx_str_t a, ngx_str_t b);
static void ngx_scale_shard_split(ngx_str_t *number, ngx_str_t *fraction);
static ngx_int_t ngx_scale_shard_fraction(ngx_str_t *a, ngx_str_t *b);
static double ngx_scale_shard_double(ngx_str_t *number);


static ngx_scale_shard_type_t  ngx_scale_shard_types[] = {
    { 20, ngx_scale_shard_compare_decimal },       /* int8 */
    { 21, ngx_scale_shard_compare_decimal },       /* int2 */
    { 23, ngx_scale_shard_compare_decimal },       /* int4 */
    { 26, ngx_scale_shard_compare_decimal },       /* oid */
    { 1700, ngx_scale_shard_compare_decimal },     /* numeric */
    { 700, ngx_scale_shard_compare_float },
    { 701, ngx_scale_shard_compare_float },
    { 0, NULL }
};


ngx_int_t
ngx_scale_shard_compare(ngx_uint_t oid, ngx_str_t *a, ngx_str_t *b)
{
    ngx_scale_shard_type_t  *type;

    for (type = ngx_scale_shard_types; type->oid; type++) {
        if (type->oid == oid) {
            return type->compare(a, b);
        }
    }

    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


static ngx_int_t
ngx_scale_shard_compare_decimal(ngx_str_t *a, ngx_str_t *b)
{
    ngx_int_t  rank;

    rank = ngx_scale_shard_rank(a);

    if (rank != ngx_scale_shard_rank(b)) {
        return rank - ngx_scale_shard_rank(b);
    }

    switch (rank) {

    case -1:
        return ngx_scale_shard_magnitude(*b, *a);

    case 0:
        return ngx_scale_shard_magnitude(*a, *b);

    default:
        return 0;
    }
}


/* -Infinity, negative numbers, the others, Infinity, NaN */

static ngx_int_t
ngx_scale_shard_rank(ngx_str_t *number)
{
    switch (number->data[0]) {

    case '-':
        return number->data[1] == 'I' ? -2 : -1;

    case 'I':
        return 1;

    case 'N':
        return 2;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_scale_shard_magnitude(ngx_str_t a, ngx_str_t b)
{
    ngx_int_t  rc;
    ngx_str_t  a_fraction, b_fraction;

    ngx_scale_shard_split(&a, &a_fraction);
    ngx_scale_shard_split(&b, &b_fraction);

    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }

    rc = ngx_memcmp(a.data, b.data, a.len);

    return rc ? rc : ngx_scale_shard_fraction(&a_fraction, &b_fraction);
}


/* what is before the point stays in "number", without sign or leading 0 */

static void
ngx_scale_shard_split(ngx_str_t *number, ngx_str_t *fraction)
{
    u_char  *p, *point, *last;

    p = number->data;
    last = p + number->len;
    point = ngx_strlchr(p, last, '.');

    fraction->data = point ? point + 1 : last;
    fraction->len = last - fraction->data;

    if (point) {
        last = point;
    }

    while (p < last && (*p == '-' || *p == '0')) {
        p++;
    }

    number->data = p;
    number->len = last - p;
}


/* zeros at its end add nothing */

static ngx_int_t
ngx_scale_shard_fraction(ngx_str_t *a, ngx_str_t *b)
{
    while (a->len && a->data[a->len - 1] == '0') {
        a->len--;
    }

    while (b->len && b->data[b->len - 1] == '0') {
        b->len--;
    }

    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


static ngx_int_t
ngx_scale_shard_compare_float(ngx_str_t *a, ngx_str_t *b)
{
    double  x, y;

    x = ngx_scale_shard_double(a);
    y = ngx_scale_shard_double(b);

    if (isnan(x) || isnan(y)) {
        return (isnan(x) != 0) - (isnan(y) != 0);
    }

    return (x > y) - (x < y);
}


static double
ngx_scale_shard_double(ngx_str_t *number)
{
    char  text[sizeof("-1.2345678901234567e+308")];

    ngx_cpystrn((u_char *) text, number->data,
                ngx_min(number->len + 1, sizeof(text)));

    return strtod(text, NULL);
}
