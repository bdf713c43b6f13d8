
/*
 * The types of numbers.  PostgreSQL is sent what the client wrote; keys and
 * limits have the canonical form.
 */

#include "route/type.h"
#include "route/decimal.h"
#include "route/name.h"

#include <math.h>


/* enough for every sensible numeric */
#define NGX_SCALE_NUMBER_DIGITS  1000

/* a float8 has no use for more, and the digits are copied for strtod() */
#define NGX_SCALE_NUMBER_FLOAT8  1100


static ngx_int_t ngx_scale_number_integer(ngx_pool_t *pool,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, ngx_str_t *min,
    ngx_str_t *max, const char **reason);
static ngx_uint_t ngx_scale_number_is_plain(ngx_str_t *text, size_t len);


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
    ngx_str_t            canon;
    ngx_scale_decimal_t  number;

    if (ngx_scale_number_is_plain(&raw->text, max->len)) {
        return ngx_scale_value_set(pool, value, raw->text.data,
                                   raw->text.len);
    }

    if (ngx_scale_decimal_read(raw, &number) != NGX_OK
        || number.whole.data + number.whole.len
           != raw->text.data + raw->text.len)
    {
        *reason = "must be an integer";
        return NGX_DECLINED;
    }

    if (ngx_scale_decimal_canon(pool, &number, &canon) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_scale_decimal_compare(&canon, min) < 0
        || ngx_scale_decimal_compare(&canon, max) > 0)
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
        if (!ngx_scale_is_digit(text->data[i])) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_scale_number_numeric(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_scale_decimal_t  number;

    if (ngx_scale_decimal_read(raw, &number) != NGX_OK) {
        *reason = "must be a number";
        return NGX_DECLINED;
    }

    if (number.whole.len + number.fraction.len > NGX_SCALE_NUMBER_DIGITS
        || ngx_abs(number.exponent) > NGX_SCALE_DECIMAL_EXPONENT)
    {
        *reason = "is out of range";
        return NGX_DECLINED;
    }

    if (ngx_scale_value_set(pool, value, raw->text.data, raw->text.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_decimal_canon(pool, &number, &value->canon);
}


/*
 * As PostgreSQL's float8in(), a subnormal is accepted, what becomes 0 or an
 * infinity is not.
 */

ngx_int_t
ngx_scale_number_float8(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    int                  n;
    char                 canon[sizeof("-1.2345678901234567e+308")];
    double               d;
    ngx_scale_decimal_t  number;

    if (ngx_scale_decimal_read(raw, &number) != NGX_OK) {
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
