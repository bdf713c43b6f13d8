
/*
 * NumericDate (RFC 7519, section 2): seconds since 1970, as a JSON number.
 */

#ifndef _NGX_SCALE_DATE_H_INCLUDED_
#define _NGX_SCALE_DATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Its whole seconds.  NGX_DECLINED: it is negative, or of the year 10000 or
 * later: a date that was meant in another unit, or in bad faith.
 */
ngx_int_t ngx_scale_jwt_date(ngx_str_t *number, time_t *date);


#endif /* _NGX_SCALE_DATE_H_INCLUDED_ */
