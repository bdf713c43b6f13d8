
/*
 * Strings as they come (RFC 8259, section 7).
 */

#ifndef _NGX_SCALE_CHECK_STRING_H_INCLUDED_
#define _NGX_SCALE_CHECK_STRING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the reason where a body ends too early, in a string or elsewhere */
extern const char  ngx_scale_json_truncated[];

/*
 * Passes over a string whose first quote is before "pos".  NGX_DECLINED: "pos"
 * is where the fault is.
 */
ngx_int_t ngx_scale_json_check_string(u_char **pos, u_char *last,
    ngx_uint_t *escaped, const char **reason);

/* the value of a string that was checked; its size, at most that of "src" */
size_t ngx_scale_json_decode(u_char *dst, ngx_str_t *src);


#endif /* _NGX_SCALE_CHECK_STRING_H_INCLUDED_ */
