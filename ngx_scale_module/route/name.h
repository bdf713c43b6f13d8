
/*
 * What a name is made of: those of parameters, and of nginx's variables.
 */

#ifndef _NGX_SCALE_NAME_H_INCLUDED_
#define _NGX_SCALE_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_scale_is_digit(ch)  ((ch) >= '0' && (ch) <= '9')


static ngx_inline ngx_uint_t
ngx_scale_name_first(u_char ch)
{
    u_char  c;

    c = ch | 0x20;

    return (c >= 'a' && c <= 'z') || ch == '_';
}


static ngx_inline ngx_uint_t
ngx_scale_name_next(u_char ch)
{
    return ngx_scale_name_first(ch) || ngx_scale_is_digit(ch);
}


#endif /* _NGX_SCALE_NAME_H_INCLUDED_ */
