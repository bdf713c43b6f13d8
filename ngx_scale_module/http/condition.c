
/* conditional requests: RFC 9110, section 13 */

#include "http/request.h"
#include "http/response.h"


ngx_int_t
ngx_scale_request_if_match(ngx_http_request_t *r, ngx_str_t *tag)
{
    u_char  *p, *last;

    if (r->headers_in.if_match == NULL) {
        return NGX_DECLINED;
    }

    p = r->headers_in.if_match->value.data;
    last = p + r->headers_in.if_match->value.len;

    if (last - p == 1 && *p == '*') {
        return NGX_DECLINED;
    }

    if (last - p > 2 && p[0] == 'W' && p[1] == '/') {
        p += 2;
    }

    if (last - p < 2 || *p != '"' || last[-1] != '"') {
        return NGX_ABORT;
    }

    tag->data = p + 1;
    tag->len = last - p - 2;

    return ngx_strlchr(tag->data, last - 1, '"') ? NGX_ABORT : NGX_OK;
}


/*
 * No tag of ours holds a comma, so that a quoted one is found in no other
 * place than its own.  nginx looks at the other conditions, too.
 */

ngx_uint_t
ngx_scale_request_has_etag(ngx_http_request_t *r, ngx_str_t *etag)
{
    u_char     *p, *last;
    ngx_str_t  *value;

    if (r->headers_in.if_none_match == NULL || etag->len == 0
        || r != r->main || r->disable_not_modified
        || r->headers_in.if_modified_since
        || r->headers_in.if_unmodified_since || r->headers_in.if_match)
    {
        return 0;
    }

    value = &r->headers_in.if_none_match->value;
    last = value->data + value->len;

    for (p = value->data; (size_t) (last - p) >= etag->len; p++) {
        if (ngx_memcmp(p, etag->data, etag->len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* of characters that need no quoting anywhere; a comma is none of them */

ngx_int_t
ngx_scale_response_version(ngx_pool_t *pool, ngx_str_t *version,
    ngx_str_t *etag)
{
    size_t   i;
    u_char  *p, ch;

    etag->len = version->len + 2;
    etag->data = ngx_pnalloc(pool, etag->len);
    if (etag->data == NULL) {
        return NGX_ERROR;
    }

    p = etag->data;
    *p++ = '"';
    p = ngx_cpymem(p, version->data, version->len);
    *p = '"';

    /* of a time, which is one with a "T", too */

    if (ngx_scale_response_time(version)) {
        etag->data[sizeof("YYYY-MM-DD")] = 'T';
    }

    for (i = 1; i <= version->len; i++) {
        ch = etag->data[i];

        if (!isalnum(ch) && ch != '-' && ch != '_' && ch != '.' && ch != ':'
            && ch != '+' && ch != '/' && ch != '=')
        {
            ngx_str_null(etag);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


time_t
ngx_scale_response_time(ngx_str_t *text)
{
    u_char     *p;
    struct tm   tm;

    p = text->data;

    if (text->len < sizeof("YYYY-MM-DD hh:mm:ss+00") - 1
        || ngx_strncmp(p + text->len - 3, "+00", 3) != 0)
    {
        return 0;
    }

    ngx_memzero(&tm, sizeof(struct tm));

    tm.tm_year = ngx_atoi(p, 4) - 1900;
    tm.tm_mon = ngx_atoi(p + 5, 2) - 1;
    tm.tm_mday = ngx_atoi(p + 8, 2);
    tm.tm_hour = ngx_atoi(p + 11, 2);
    tm.tm_min = ngx_atoi(p + 14, 2);
    tm.tm_sec = ngx_atoi(p + 17, 2);

    return tm.tm_year < 0 || tm.tm_mon < 0 || tm.tm_mday < 0
           || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0
           ? 0 : timegm(&tm);
}
