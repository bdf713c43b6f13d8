
/*
 * Decimal numbers.  The canonical form is -?digits[.digits] without an
 * exponent or zeros that say nothing, so that comparing needs no arithmetic
 * and never rounds.
 */

#ifndef _NGX_SCALE_DECIMAL_H_INCLUDED_
#define _NGX_SCALE_DECIMAL_H_INCLUDED_


#include "route/type.h"


/* a bound on what the canonical form of a short "1e9999" can grow to */
#define NGX_SCALE_DECIMAL_EXPONENT  1000


/* [+-]whole[.fraction][e exponent]; the parts point into the text */

typedef struct {
    ngx_uint_t    negative;
    ngx_str_t     whole;
    ngx_str_t     fraction;
    ngx_int_t     exponent;                /* a larger one: _EXPONENT + 1 */
} ngx_scale_decimal_t;


/* NGX_DECLINED: it is no number */
ngx_int_t ngx_scale_decimal_read(ngx_scale_raw_t *raw,
    ngx_scale_decimal_t *d);

/*
 * NGX_ERROR: memory.  "canon" ends with a NUL that is not counted.  Who calls
 * has looked at the exponent.
 */
ngx_int_t ngx_scale_decimal_canon(ngx_pool_t *pool, ngx_scale_decimal_t *d,
    ngx_str_t *canon);

/* of canonical forms: less than, equal to or greater than 0 */
ngx_int_t ngx_scale_decimal_compare(ngx_str_t *a, ngx_str_t *b);


#endif /* _NGX_SCALE_DECIMAL_H_INCLUDED_ */
