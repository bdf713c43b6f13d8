#include "route/decimal.h"
#include "route/name.h"


static u_char *ngx_scale_decimal_digits(u_char *p, u_char *end,
    ngx_str_t *digits);
static ngx_int_t ngx_scale_decimal_exponent(u_char *p, u_char *end,
    ngx_int_t *exponent);
static void ngx_scale_decimal_trim(ngx_str_t *digits, ngx_int_t *point);
static u_char *ngx_scale_decimal_point(u_char *p, ngx_str_t *digits,
    ngx_int_t point);
static ngx_int_t ngx_scale_decimal_magnitude(ngx_str_t *a, ngx_str_t *b);
static size_t ngx_scale_decimal_whole(ngx_str_t *s);


ngx_int_t
ngx_scale_decimal_read(ngx_scale_raw_t *raw, ngx_scale_decimal_t *d)
{
    u_char  *p, *end;

    if (raw->kind != NGX_SCALE_RAW_NUMBER && !ngx_scale_raw_is_text(raw)) {
        return NGX_DECLINED;
    }

    p = raw->text.data;
    end = p + raw->text.len;

    ngx_memzero(d, sizeof(ngx_scale_decimal_t));

    if (p < end && (*p == '-' || *p == '+')) {
        d->negative = (*p == '-');
        p++;
    }

    p = ngx_scale_decimal_digits(p, end, &d->whole);

    if (d->whole.len == 0) {
        return NGX_DECLINED;
    }

    if (p < end && *p == '.') {
        p = ngx_scale_decimal_digits(p + 1, end, &d->fraction);

        if (d->fraction.len == 0) {
            return NGX_DECLINED;
        }
    }

    if (p == end) {
        return NGX_OK;
    }

    if (*p != 'e' && *p != 'E') {
        return NGX_DECLINED;
    }

    return ngx_scale_decimal_exponent(p + 1, end, &d->exponent);
}


static u_char *
ngx_scale_decimal_digits(u_char *p, u_char *end, ngx_str_t *digits)
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
ngx_scale_decimal_exponent(u_char *p, u_char *end, ngx_int_t *exponent)
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
        n = ngx_min(n * 10 + (*p - '0'), NGX_SCALE_DECIMAL_EXPONENT + 1);
        p++;
    }

    *exponent = sign * n;

    return (p == end) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_scale_decimal_canon(ngx_pool_t *pool, ngx_scale_decimal_t *d,
    ngx_str_t *canon)
{
    u_char     *p;
    ngx_int_t   point;
    ngx_str_t   digits;

    digits.len = d->whole.len + d->fraction.len;

    digits.data = ngx_pnalloc(pool, digits.len);
    if (digits.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(digits.data, d->whole.data, d->whole.len);

    if (d->fraction.len) {
        ngx_memcpy(p, d->fraction.data, d->fraction.len);
    }

    point = d->whole.len + d->exponent;

    ngx_scale_decimal_trim(&digits, &point);

    if (digits.len == 0) {
        ngx_str_set(canon, "0");
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, sizeof("-0.") + ngx_abs(point) + digits.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    canon->data = p;

    if (d->negative) {
        *p++ = '-';
    }

    p = ngx_scale_decimal_point(p, &digits, point);
    *p = '\0';

    canon->len = p - canon->data;

    return NGX_OK;
}


/* zeros on either side say nothing */

static void
ngx_scale_decimal_trim(ngx_str_t *digits, ngx_int_t *point)
{
    while (digits->len && *digits->data == '0') {
        digits->data++;
        digits->len--;
        (*point)--;
    }

    while (digits->len && digits->data[digits->len - 1] == '0') {
        digits->len--;
    }
}


/* the first "point" digits are the whole part */

static u_char *
ngx_scale_decimal_point(u_char *p, ngx_str_t *digits, ngx_int_t point)
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
ngx_scale_decimal_compare(ngx_str_t *a, ngx_str_t *b)
{
    ngx_str_t  x, y;

    x = *a;
    y = *b;

    if ((*x.data == '-') != (*y.data == '-')) {
        return (*x.data == '-') ? -1 : 1;
    }

    if (*x.data != '-') {
        return ngx_scale_decimal_magnitude(&x, &y);
    }

    x.data++;
    x.len--;
    y.data++;
    y.len--;

    return ngx_scale_decimal_magnitude(&y, &x);
}


/* where whole parts are equally long, the order of bytes is that of values */

static ngx_int_t
ngx_scale_decimal_magnitude(ngx_str_t *a, ngx_str_t *b)
{
    size_t  n, m;

    n = ngx_scale_decimal_whole(a);
    m = ngx_scale_decimal_whole(b);

    if (n != m) {
        return (n > m) ? 1 : -1;
    }

    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


static size_t
ngx_scale_decimal_whole(ngx_str_t *s)
{
    u_char  *point;

    point = ngx_strlchr(s->data, s->data + s->len, '.');

    return point ? (size_t) (point - s->data) : s->len;
}
