
/*
 * Numbers.  A decimal's canonical form is -?digits[.digits] without an
 * exponent or zeros that say nothing, so that comparing needs no arithmetic
 * and never rounds.
 */

#include "route/route_int.h"

#include <math.h>


/*
 * Enough for every sensible numeric, and a bound on what the canonical form of
 * a short "1e9999" can grow to.
 */
#define NGX_SCALE_NUMBER_DIGITS    1000
#define NGX_SCALE_NUMBER_EXPONENT  1000

/* a float8 has no use for more, and the digits are copied for strtod() */
#define NGX_SCALE_NUMBER_FLOAT8    1100


/* -?whole[.fraction][e exponent], the parts of a number's text */

typedef struct {
    ngx_uint_t    negative;
    ngx_str_t     whole;
    ngx_str_t     fraction;
    ngx_int_t     exponent;
} ngx_scale_number_t;


static ngx_int_t ngx_scale_number_integer(ngx_pool_t *pool,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, ngx_str_t *min,
    ngx_str_t *max, const char **reason);
static ngx_uint_t ngx_scale_number_is_plain(ngx_str_t *text, size_t len);
static ngx_int_t ngx_scale_number_read(ngx_scale_raw_t *raw,
    ngx_scale_number_t *number);
static u_char *ngx_scale_number_digits(u_char *p, u_char *end,
    ngx_str_t *digits);
static ngx_int_t ngx_scale_number_exponent(u_char *p, u_char *end,
    ngx_int_t *exponent);
static ngx_int_t ngx_scale_number_canon(ngx_pool_t *pool,
    ngx_scale_number_t *number, ngx_str_t *canon);
static u_char *ngx_scale_number_point(u_char *p, ngx_str_t *digits,
    ngx_int_t point);
static ngx_int_t ngx_scale_number_magnitude(ngx_str_t *a, ngx_str_t *b);
static size_t ngx_scale_number_whole(ngx_str_t *s);


static ngx_str_t  ngx_scale_number_int_min = ngx_string("-2147483648");
static ngx_str_t  ngx_scale_number_int_max = ngx_string("2147483647");
static ngx_str_t  ngx_scale_number_bigint_min =
    ngx_string("-9223372036854775808");
static ngx_str_t  ngx_scale_number_bigint_max =
    ngx_string("9223372036854775807");


ngx_int_t
ngx_scale_number_int(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    return ngx_scale_number_integer(pool, raw, value,
                                    &ngx_scale_number_int_min,
                                    &ngx_scale_number_int_max, reason);
}


ngx_int_t
ngx_scale_number_bigint(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    return ngx_scale_number_integer(pool, raw, value,
                                    &ngx_scale_number_bigint_min,
                                    &ngx_scale_number_bigint_max, reason);
}


static ngx_int_t
ngx_scale_number_integer(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, ngx_str_t *min, ngx_str_t *max,
    const char **reason)
{
    ngx_str_t           canon;
    ngx_scale_number_t  number;

    if (ngx_scale_number_is_plain(&raw->text, max->len)) {
        return ngx_scale_value_set(pool, value, raw->text.data,
                                   raw->text.len);
    }

    if (ngx_scale_number_read(raw, &number) != NGX_OK
        || number.whole.data + number.whole.len
           != raw->text.data + raw->text.len)
    {
        *reason = "must be an integer";
        return NGX_DECLINED;
    }

    if (ngx_scale_number_canon(pool, &number, &canon) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_scale_number_compare(&canon, min) < 0
        || ngx_scale_number_compare(&canon, max) > 0)
    {
        *reason = "is out of range";
        return NGX_DECLINED;
    }

    value->text = canon;
    value->canon = canon;

    return NGX_OK;
}


/* as most are: canonical, and in range since shorter than the largest */

static ngx_uint_t
ngx_scale_number_is_plain(ngx_str_t *text, size_t len)
{
    size_t  i;

    if (text->len == 0 || text->len >= len
        || (text->data[0] == '0' && text->len > 1))
    {
        return 0;
    }

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_scale_number_numeric(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_scale_number_t  number;

    if (ngx_scale_number_read(raw, &number) != NGX_OK) {
        *reason = "must be a number";
        return NGX_DECLINED;
    }

    if (number.whole.len + number.fraction.len > NGX_SCALE_NUMBER_DIGITS
        || ngx_abs(number.exponent) > NGX_SCALE_NUMBER_EXPONENT)
    {
        *reason = "is out of range";
        return NGX_DECLINED;
    }

    if (ngx_scale_value_set(pool, value, raw->text.data, raw->text.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_number_canon(pool, &number, &value->canon);
}


/*
 * As PostgreSQL's float8in(), a subnormal is accepted, what becomes 0 or an
 * infinity is not.
 */

ngx_int_t
ngx_scale_number_float8(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    int                 n;
    char                canon[sizeof("-1.2345678901234567e+308")];
    double              d;
    ngx_scale_number_t  number;

    if (ngx_scale_number_read(raw, &number) != NGX_OK) {
        *reason = "must be a number";
        return NGX_DECLINED;
    }

    *reason = "is out of range";

    if (raw->text.len > NGX_SCALE_NUMBER_FLOAT8) {
        return NGX_DECLINED;
    }

    if (ngx_scale_value_set(pool, value, raw->text.data, raw->text.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_set_errno(0);

    d = strtod((char *) value->text.data, NULL);

    if (!isfinite(d) || (d == 0 && ngx_errno == ERANGE)) {
        return NGX_DECLINED;
    }

    /* -0 is equal to 0, and is spelled so */
    n = snprintf(canon, sizeof(canon), "%.17g", d == 0 ? 0.0 : d);

    value->canon.data = ngx_pnalloc(pool, n);
    if (value->canon.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(value->canon.data, canon, n);
    value->canon.len = n;

    return NGX_OK;
}


ngx_int_t
ngx_scale_number_compare_float8(ngx_str_t *a, ngx_str_t *b)
{
    double  x, y;

    /* what follows the canonical text in memory is not a number's part */
    char    text[2][sizeof("-1.2345678901234567e+308")];

    ngx_cpystrn((u_char *) text[0], a->data, a->len + 1);
    ngx_cpystrn((u_char *) text[1], b->data, b->len + 1);

    x = strtod(text[0], NULL);
    y = strtod(text[1], NULL);

    return (x > y) - (x < y);
}


static ngx_int_t
ngx_scale_number_read(ngx_scale_raw_t *raw, ngx_scale_number_t *number)
{
    u_char  *p, *end;

    if (raw->kind != NGX_SCALE_RAW_NUMBER && !ngx_scale_raw_is_text(raw)) {
        return NGX_DECLINED;
    }

    p = raw->text.data;
    end = p + raw->text.len;

    ngx_memzero(number, sizeof(ngx_scale_number_t));

    if (p < end && (*p == '-' || *p == '+')) {
        number->negative = (*p == '-');
        p++;
    }

    p = ngx_scale_number_digits(p, end, &number->whole);

    if (number->whole.len == 0) {
        return NGX_DECLINED;
    }

    if (p < end && *p == '.') {
        p = ngx_scale_number_digits(p + 1, end, &number->fraction);

        if (number->fraction.len == 0) {
            return NGX_DECLINED;
        }
    }

    if (p == end) {
        return NGX_OK;
    }

    if (*p != 'e' && *p != 'E') {
        return NGX_DECLINED;
    }

    return ngx_scale_number_exponent(p + 1, end, &number->exponent);
}


static u_char *
ngx_scale_number_digits(u_char *p, u_char *end, ngx_str_t *digits)
{
    digits->data = p;

    while (p < end && ngx_scale_is_digit(*p)) {
        p++;
    }

    digits->len = p - digits->data;

    return p;
}


/* an exponent past every limit stays so, and does not overflow */

static ngx_int_t
ngx_scale_number_exponent(u_char *p, u_char *end, ngx_int_t *exponent)
{
    ngx_int_t  n, sign;

    n = 0;
    sign = 1;

    if (p < end && (*p == '-' || *p == '+')) {
        sign = (*p == '-') ? -1 : 1;
        p++;
    }

    if (p == end) {
        return NGX_DECLINED;
    }

    while (p < end && ngx_scale_is_digit(*p)) {
        n = ngx_min(n * 10 + (*p - '0'), NGX_SCALE_NUMBER_EXPONENT + 1);
        p++;
    }

    *exponent = sign * n;

    return (p == end) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_scale_number_canon(ngx_pool_t *pool, ngx_scale_number_t *number,
    ngx_str_t *canon)
{
    u_char     *p;
    ngx_int_t   point;
    ngx_str_t   digits;

    digits.len = number->whole.len + number->fraction.len;

    digits.data = ngx_pnalloc(pool, digits.len);
    if (digits.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(digits.data, number->whole.data, number->whole.len);

    if (number->fraction.len) {
        ngx_memcpy(p, number->fraction.data, number->fraction.len);
    }

    point = number->whole.len + number->exponent;

    while (digits.len && *digits.data == '0') {
        digits.data++;
        digits.len--;
        point--;
    }

    while (digits.len && digits.data[digits.len - 1] == '0') {
        digits.len--;
    }

    if (digits.len == 0) {
        ngx_str_set(canon, "0");
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, sizeof("-0.") + ngx_abs(point) + digits.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    canon->data = p;

    if (number->negative) {
        *p++ = '-';
    }

    p = ngx_scale_number_point(p, &digits, point);
    *p = '\0';

    canon->len = p - canon->data;

    return NGX_OK;
}


/* the first "point" digits are the whole part */

static u_char *
ngx_scale_number_point(u_char *p, ngx_str_t *digits, ngx_int_t point)
{
    ngx_int_t  len;

    len = digits->len;

    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';

        ngx_memset(p, '0', -point);

        return ngx_cpymem(p - point, digits->data, len);
    }

    if (point >= len) {
        p = ngx_cpymem(p, digits->data, len);

        ngx_memset(p, '0', point - len);

        return p + (point - len);
    }

    p = ngx_cpymem(p, digits->data, point);
    *p++ = '.';

    return ngx_cpymem(p, digits->data + point, len - point);
}


ngx_int_t
ngx_scale_number_compare(ngx_str_t *a, ngx_str_t *b)
{
    ngx_str_t  x, y;

    x = *a;
    y = *b;

    if ((*x.data == '-') != (*y.data == '-')) {
        return (*x.data == '-') ? -1 : 1;
    }

    if (*x.data != '-') {
        return ngx_scale_number_magnitude(&x, &y);
    }

    x.data++;
    x.len--;
    y.data++;
    y.len--;

    return ngx_scale_number_magnitude(&y, &x);
}


/* where whole parts are equally long, the order of bytes is that of values */

static ngx_int_t
ngx_scale_number_magnitude(ngx_str_t *a, ngx_str_t *b)
{
    size_t  n, m;

    n = ngx_scale_number_whole(a);
    m = ngx_scale_number_whole(b);

    if (n != m) {
        return (n > m) ? 1 : -1;
    }

    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


static size_t
ngx_scale_number_whole(ngx_str_t *s)
{
    u_char  *point;

    point = ngx_strlchr(s->data, s->data + s->len, '.');

    return point ? (size_t) (point - s->data) : s->len;
}
