
/* variables that are made of others, or of nothing */

#include "http/context.h"
#include "http/quote.h"
#include "http/request.h"
#include <sys/random.h>


static ngx_int_t ngx_scale_made_uuid(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_made_json(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_scale_made_value(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);
static ngx_uint_t ngx_scale_made_is_text(ngx_str_t *value);
static void ngx_scale_made_set(ngx_http_variable_value_t *v, u_char *data,
    size_t len);


#define NGX_SCALE_UUID_BYTES  16
#define NGX_SCALE_UUID_LEN    36


static ngx_http_variable_t  ngx_scale_made_variables[] = {

    /* the same all through a request */

    { ngx_string("scale_uuid"), NULL, ngx_scale_made_uuid, 0, 0, 0 },

    { ngx_string("scale_json_"), NULL, ngx_scale_made_json, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    ngx_http_null_variable
};


ngx_int_t
ngx_scale_made_variables_add(ngx_conf_t *cf)
{
    return ngx_scale_variables_add_table(cf, ngx_scale_made_variables);
}


/* RFC 9562, section 5.4: version 4 */

static ngx_int_t
ngx_scale_made_uuid(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char      *p, *text, bytes[NGX_SCALE_UUID_BYTES];
    ngx_uint_t   i;

    text = ngx_pnalloc(r->pool, NGX_SCALE_UUID_LEN);

    if (text == NULL
        || getrandom(bytes, NGX_SCALE_UUID_BYTES, GRND_NONBLOCK)
           != NGX_SCALE_UUID_BYTES)
    {
        return NGX_ERROR;
    }

    bytes[6] = (u_char) (0x40 | (bytes[6] & 0x0f));
    bytes[8] = (u_char) (0x80 | (bytes[8] & 0x3f));

    p = text;

    for (i = 0; i < NGX_SCALE_UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }

        p = ngx_hex_dump(p, &bytes[i], 1);
    }

    ngx_scale_made_set(v, text, NGX_SCALE_UUID_LEN);

    return NGX_OK;
}


/*
 * Another variable as a JSON string, with its quotes; null where it is none.
 * What is no UTF-8 has no such form, and what is made of it is no JSON.
 */

static ngx_int_t
ngx_scale_made_json(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t  *full = (ngx_str_t *) data;

    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   name, value;

    name.data = full->data + sizeof("scale_json_") - 1;
    name.len = full->len - (sizeof("scale_json_") - 1);

    rc = ngx_scale_made_value(r, &name, &value);

    if (rc == NGX_DECLINED) {
        ngx_scale_made_set(v, (u_char *) "null", sizeof("null") - 1);
        return NGX_OK;
    }

    if (rc != NGX_OK || !ngx_scale_made_is_text(&value)) {
        v->not_found = 1;
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    p = ngx_pnalloc(r->pool, ngx_scale_quote_len(&value));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_made_set(v, p, ngx_scale_quote(p, &value) - p);

    return NGX_OK;
}


/* an argument is decoded, and a body may be in a file */

static ngx_int_t
ngx_scale_made_value(ngx_http_request_t *r, ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t  arg, body = ngx_string("request_body");

    if (name->len > 4 && ngx_strncmp(name->data, "arg_", 4) == 0) {
        arg.data = name->data + 4;
        arg.len = name->len - 4;

        return ngx_scale_request_arg(r, &arg, value);
    }

    if (ngx_scale_same(name, &body)) {

        if (r->request_body == NULL) {
            return NGX_DECLINED;
        }

        return ngx_scale_request_body(r, value);
    }

    return ngx_scale_request_variable(r, name, value);
}


static ngx_uint_t
ngx_scale_made_is_text(ngx_str_t *value)
{
    u_char    *p, *last;
    uint32_t   ch;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        ch = ngx_utf8_decode(&p, last - p);

        if (ch > 0x10ffff || (ch >= 0xd800 && ch < 0xe000)) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_scale_made_set(ngx_http_variable_value_t *v, u_char *data, size_t len)
{
    v->data = data;
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}
