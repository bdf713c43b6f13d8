
/*
 * A browser sends a cookie with requests that pages of other origins make, but
 * says whose page it was: Sec-Fetch-Site (W3C Fetch Metadata, section 2.3), or
 * where that is missing Origin, with each unsafe method (Fetch, section 3.2).
 */

#include "session/sessions.h"


static ngx_uint_t ngx_scale_session_is_host(
    ngx_scale_session_origin_t *request);
static void ngx_scale_session_plain_host(ngx_scale_session_origin_t *request,
    ngx_str_t *host);
static ngx_uint_t ngx_scale_session_equal(ngx_str_t *a, ngx_str_t *b);


static ngx_str_t  ngx_scale_session_sites[] = {
    ngx_string("same-origin"),
    ngx_string("none"),                    /* no page: typed, a bookmark */
    ngx_null_string
};


static struct {
    ngx_str_t    scheme;
    ngx_str_t    port;
} ngx_scale_session_ports[] = {
    { ngx_string("https"), ngx_string(":443") },
    { ngx_string("http"), ngx_string(":80") },
    { ngx_null_string, ngx_null_string }
};


ngx_int_t
ngx_scale_session_is_ours(ngx_scale_session_origin_t *request,
    ngx_array_t *origins)
{
    ngx_str_t   *site, *origin;
    ngx_uint_t   i;

    for (site = ngx_scale_session_sites; site->len; site++) {
        if (ngx_scale_session_equal(site, &request->site)) {
            return NGX_OK;
        }
    }

    if (ngx_scale_session_is_host(request)) {
        return NGX_OK;
    }

    origin = origins ? origins->elts : NULL;

    for (i = 0; origins && i < origins->nelts; i++) {
        if (ngx_scale_session_equal(&origin[i], &request->origin)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* the origin is "scheme://host" with the port that is not the scheme's own */

static ngx_uint_t
ngx_scale_session_is_host(ngx_scale_session_origin_t *request)
{
    ngx_str_t  rest, host, scheme;

    rest = request->origin;
    scheme = request->scheme;

    if (rest.len <= scheme.len + sizeof("://") - 1
        || ngx_strncmp(rest.data, scheme.data, scheme.len) != 0
        || ngx_strncmp(rest.data + scheme.len, "://", sizeof("://") - 1) != 0)
    {
        return 0;
    }

    rest.data += scheme.len + sizeof("://") - 1;
    rest.len -= scheme.len + sizeof("://") - 1;

    ngx_scale_session_plain_host(request, &host);

    return ngx_scale_session_equal(&rest, &host);
}


static void
ngx_scale_session_plain_host(ngx_scale_session_origin_t *request,
    ngx_str_t *host)
{
    ngx_str_t   *port;
    ngx_uint_t   i;

    *host = request->host;

    for (i = 0; ngx_scale_session_ports[i].scheme.len; i++) {
        port = &ngx_scale_session_ports[i].port;

        if (ngx_scale_session_equal(&ngx_scale_session_ports[i].scheme,
                                    &request->scheme)
            && host->len > port->len
            && ngx_strncmp(host->data + host->len - port->len, port->data,
                           port->len)
               == 0)
        {
            host->len -= port->len;
        }
    }
}


static ngx_uint_t
ngx_scale_session_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && ngx_strncasecmp(a->data, b->data, a->len) == 0;
}
