
#include "http/cors.h"
#include "http/request.h"
#include "http/response.h"


static ngx_int_t ngx_scale_cors_permit(ngx_http_request_t *r,
    ngx_scale_cors_t *cors, ngx_str_t *origin);
static ngx_int_t ngx_scale_cors_find(ngx_scale_cors_t *cors,
    ngx_str_t *origin);


static ngx_str_t  ngx_scale_cors_origin = ngx_string("Origin");


ngx_uint_t
ngx_scale_cors_is_preflight(ngx_http_request_t *r)
{
    ngx_str_t  value;

    static ngx_str_t  method = ngx_string("Access-Control-Request-Method");

    return r->method == NGX_HTTP_OPTIONS
           && ngx_scale_request_header(r, &ngx_scale_cors_origin, &value)
              == NGX_OK
           && ngx_scale_request_header(r, &method, &value) == NGX_OK;
}


/* what a cache keeps of one who has asked is for whoever asks next */

ngx_int_t
ngx_scale_cors_add(ngx_http_request_t *r, ngx_scale_cors_t *cors)
{
    ngx_int_t  rc;
    ngx_str_t  origin;

    if (cors->any) {
        ngx_str_set(&origin, "*");
        return ngx_scale_cors_permit(r, cors, &origin);
    }

    if (ngx_scale_response_vary(r, &ngx_scale_cors_origin) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_scale_request_header(r, &ngx_scale_cors_origin, &origin);

    if (rc == NGX_OK) {
        rc = ngx_scale_cors_find(cors, &origin);
    }

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : rc;
    }

    return ngx_scale_cors_permit(r, cors, &origin);
}


/* an origin is compared as browsers serialize it (HTML, section 7.1.1) */

static ngx_int_t
ngx_scale_cors_find(ngx_scale_cors_t *cors, ngx_str_t *origin)
{
    ngx_str_t   *known;
    ngx_uint_t   i;

    known = cors->origins.elts;

    for (i = 0; i < cors->origins.nelts; i++) {
        if (ngx_scale_same(&known[i], origin)) {
            *origin = known[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_scale_cors_permit(ngx_http_request_t *r, ngx_scale_cors_t *cors,
    ngx_str_t *origin)
{
    static ngx_str_t  allow = ngx_string("Access-Control-Allow-Origin");
    static ngx_str_t  credentials =
                                ngx_string("Access-Control-Allow-Credentials");
    static ngx_str_t  methods = ngx_string("Access-Control-Allow-Methods");
    static ngx_str_t  headers = ngx_string("Access-Control-Allow-Headers");
    static ngx_str_t  max_age = ngx_string("Access-Control-Max-Age");
    static ngx_str_t  exposed = ngx_string("Access-Control-Expose-Headers");
    static ngx_str_t  yes = ngx_string("true");

    if (ngx_scale_response_add(r, &allow, origin) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cors->credentials
        && ngx_scale_response_add(r, &credentials, &yes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_scale_cors_is_preflight(r)) {
        return ngx_scale_response_add(r, &exposed, &cors->exposed);
    }

    if (ngx_scale_response_add(r, &methods, &cors->methods) != NGX_OK
        || ngx_scale_response_add(r, &headers, &cors->headers) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_response_add(r, &max_age, &cors->max_age);
}
