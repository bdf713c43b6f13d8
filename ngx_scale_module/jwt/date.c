
/*
 * No floating point: a number of JSON may be 1e400, or 1.7e9 as some write it,
 * and has as many digits as its sender likes.
 */

#include "jwt/date.h"


static ngx_int_t ngx_scale_jwt_exponent(u_char *p, u_char *last);


#define NGX_SCALE_JWT_LAST_DATE  253402300799   /* 9999-12-31T23:59:59Z */
#define NGX_SCALE_JWT_EXPONENT   10000          /* beyond any token's digits */


/* "place" of the digits come before the point */

ngx_int_t
ngx_scale_jwt_date(ngx_str_t *number, time_t *date)
{
    u_char     *p, *last, *mantissa;
    int64_t     n;
    ngx_int_t   place;
    ngx_uint_t  zero;

    p = number->data;
    last = p + number->len;
    zero = 1;
    place = -1;

    if (p < last && *p == '-') {
        return NGX_DECLINED;
    }

    for (mantissa = p; p < last && (isdigit(*p) || *p == '.'); p++) {
        if (*p == '.') {
            place = p - mantissa;

        } else if (*p != '0') {
            zero = 0;
        }
    }

    if (zero) {
        *date = 0;
        return NGX_OK;
    }

    if (place < 0) {
        place = p - mantissa;
    }

    place += ngx_scale_jwt_exponent(p, last);
    last = p;
    n = 0;

    for (p = mantissa; place > 0; place--) {

        if (p < last && *p == '.') {
            p++;
        }

        n = n * 10 + (p < last ? *p++ - '0' : 0);

        if (n > NGX_SCALE_JWT_LAST_DATE) {
            return NGX_DECLINED;
        }
    }

    *date = n;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_jwt_exponent(u_char *p, u_char *last)
{
    ngx_int_t  n, sign;

    if (p == last) {
        return 0;
    }

    p++;
    sign = 1;

    if (p < last && (*p == '-' || *p == '+')) {
        sign = *p++ == '-' ? -1 : 1;
    }

    for (n = 0; p < last && n < NGX_SCALE_JWT_EXPONENT; p++) {
        n = n * 10 + (*p - '0');
    }

    return sign * n;
}
