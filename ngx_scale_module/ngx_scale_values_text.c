
/* where the text of a parameter is */

#include "ngx_scale_values.h"
#include "ngx_scale_auth.h"
#include "ngx_scale_cursor.h"


static ngx_int_t ngx_scale_values_cursor(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text);
static ngx_int_t ngx_scale_values_expression(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text);


/* an empty expression or body is absent; an empty argument is a text */

ngx_int_t
ngx_scale_values_text(ngx_scale_flow_t *f, ngx_scale_declared_t *declared,
    ngx_str_t *text)
{
    switch (declared->param.source) {

    case NGX_SCALE_SOURCE_ARG:
        return ngx_scale_request_arg(f->r, &declared->param.argument, text);

    case NGX_SCALE_SOURCE_HEADER:
        return ngx_scale_request_header(f->r, &declared->param.argument, text);

    case NGX_SCALE_SOURCE_CURSOR:
        return ngx_scale_values_cursor(f, declared, text);

    case NGX_SCALE_SOURCE_IF_MATCH:
        return ngx_scale_request_if_match(f->r, text);

    case NGX_SCALE_SOURCE_IDENTITY:
        return ngx_scale_auth_identity(f, text);

    case NGX_SCALE_SOURCE_BODY:
        if (ngx_scale_request_body(f->r, text) != NGX_OK) {
            return NGX_ERROR;
        }

        break;

    default:
        if (ngx_scale_values_expression(f, declared, text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return text->len ? NGX_OK : NGX_DECLINED;
}


/* read once; a value may be empty */

static ngx_int_t
ngx_scale_values_cursor(ngx_scale_flow_t *f, ngx_scale_declared_t *declared,
    ngx_str_t *text)
{
    ngx_int_t   rc;
    ngx_str_t   cursor;

    if (f->cursor == NULL) {
        rc = ngx_scale_request_arg(f->r, &declared->param.argument, &cursor);
        if (rc != NGX_OK) {
            return rc;
        }

        f->cursor = ngx_palloc(f->r->pool, NGX_SCALE_PAGE_MAX_KEYSET
                                           * sizeof(ngx_str_t));
        if (f->cursor == NULL) {
            return NGX_ERROR;
        }

        rc = ngx_scale_cursor_read(f->r->pool, f->loc->page, &cursor,
                                   f->cursor);
        if (rc != NGX_OK) {
            f->cursor = NULL;
            return rc == NGX_DECLINED ? NGX_ABORT : NGX_ERROR;
        }
    }

    *text = f->cursor[declared->param.count_max];

    return NGX_OK;
}


static ngx_int_t
ngx_scale_values_expression(ngx_scale_flow_t *f,
    ngx_scale_declared_t *declared, ngx_str_t *text)
{
    ngx_http_variable_value_t  *vv;

    if (declared->variable < 0) {
        return ngx_http_complex_value(f->r, &declared->expression, text);
    }

    vv = ngx_http_get_flushed_variable(f->r, declared->variable);

    if (vv == NULL || vv->not_found) {
        ngx_str_null(text);
        return NGX_OK;
    }

    text->data = vv->data;
    text->len = vv->len;

    return NGX_OK;
}


const char *
ngx_scale_values_malformed(ngx_scale_declared_t *declared)
{
    switch (declared->param.source) {

    case NGX_SCALE_SOURCE_IF_MATCH:
        return "must be one entity tag, or *";

    case NGX_SCALE_SOURCE_CURSOR:
        return "is no cursor of this list: follow its Link";

    default:
        return "is not percent-encoded as it should be";
    }
}
