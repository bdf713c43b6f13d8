
#include "http/context.h"
#include "http/cors.h"
#include "http/response.h"


static ngx_int_t ngx_scale_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_scale_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


/*
 * Where no error_page took the request elsewhere, an error in one of our
 * locations is nginx's HTML page: it leaves as a problem document instead.
 */

static ngx_int_t
ngx_scale_header_filter(ngx_http_request_t *r)
{
    ngx_buf_t             *page;
    ngx_scale_ctx_t       *ctx;
    ngx_scale_http_loc_t  *loc;

    static ngx_str_t  cache_control = ngx_string("Cache-Control");
    static ngx_str_t  no_store = ngx_string("no-store");

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    if (loc->cors && r == r->main
        && ngx_scale_cors_add(r, loc->cors) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!loc->enabled
        || r != r->main
        || r->headers_out.status < NGX_HTTP_BAD_REQUEST)
    {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_scale_ctx_get(r);

    if (ctx == NULL) {
        ctx = ngx_scale_ctx_create(r, sizeof(ngx_scale_ctx_t), NULL);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }

    page = ngx_scale_problem_body(r, ctx->problem, r->headers_out.status,
                                  &loc->route);
    if (page == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = ngx_buf_size(page);

    /* some of nginx's own may be kept otherwise: RFC 9110, section 15.1 */

    if (loc->shared && ctx->problem == NULL
        && ngx_scale_response_add(r, &cache_control, &no_store) != NGX_OK)
    {
        return NGX_ERROR;
    }

    page->last_buf = 1;
    page->last_in_chain = 1;
    ctx->page = page;

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_scale_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t        *b;
    ngx_uint_t        last;
    ngx_chain_t       out, *cl;
    ngx_scale_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_scale_module);

    if (ctx == NULL || ctx->page == NULL || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    last = 0;

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;
        b->pos = b->last;
        b->file_pos = b->file_last;
        last |= b->last_buf;
    }

    if (!last) {
        return NGX_OK;
    }

    out.buf = ctx->page;
    out.next = NULL;
    ctx->page = NULL;

    return ngx_http_next_body_filter(r, &out);
}


ngx_int_t
ngx_scale_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_scale_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_scale_body_filter;

    return NGX_OK;
}
