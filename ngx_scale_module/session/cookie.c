
#include "session/sessions.h"


static const char  ngx_scale_session_cookie_path[] = "; Path=/; HttpOnly"
                                                     "; SameSite=";
static const char  ngx_scale_session_cookie_secure[] = "; Secure";
static const char  ngx_scale_session_cookie_age[] = "; Max-Age=";


ngx_int_t
ngx_scale_session_cookie_next(ngx_str_t *rest, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *p, *last, *end;

    p = rest->data;
    last = p + rest->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        end = ngx_strlchr(p, last, ';');
        end = end ? end : last;

        if ((size_t) (end - p) > name->len && p[name->len] == '='
            && ngx_memcmp(p, name->data, name->len) == 0)
        {
            value->data = p + name->len + 1;
            value->len = end - value->data;

            rest->data = ngx_min(end + 1, last);
            rest->len = last - rest->data;

            return NGX_OK;
        }

        p = end + 1;
    }

    rest->len = 0;

    return NGX_DONE;
}


size_t
ngx_scale_session_cookie_len(ngx_scale_session_cookie_t *cookie,
    ngx_str_t *value)
{
    return cookie->name.len + 1 + value->len + cookie->same_site.len
           + sizeof(ngx_scale_session_cookie_path)
           + sizeof(ngx_scale_session_cookie_secure)
           + sizeof(ngx_scale_session_cookie_age) + NGX_TIME_T_LEN;
}


u_char *
ngx_scale_session_cookie_write(u_char *p, ngx_scale_session_cookie_t *cookie,
    ngx_str_t *value, time_t max_age)
{
    p = ngx_cpymem(p, cookie->name.data, cookie->name.len);
    *p++ = '=';
    p = ngx_cpymem(p, value->data, value->len);
    p = ngx_cpymem(p, ngx_scale_session_cookie_path,
                   sizeof(ngx_scale_session_cookie_path) - 1);
    p = ngx_cpymem(p, cookie->same_site.data, cookie->same_site.len);

    if (cookie->secure) {
        p = ngx_cpymem(p, ngx_scale_session_cookie_secure,
                       sizeof(ngx_scale_session_cookie_secure) - 1);
    }

    p = ngx_cpymem(p, ngx_scale_session_cookie_age,
                   sizeof(ngx_scale_session_cookie_age) - 1);

    return ngx_sprintf(p, "%T", max_age);
}
