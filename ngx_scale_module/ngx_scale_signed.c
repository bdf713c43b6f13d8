
#include "ngx_scale_signed.h"


typedef struct {
    ngx_scale_ctx_t              ctx;        /* the first part */
    ngx_scale_signer_t          *signer;
    ngx_int_t                  (*create_request)(ngx_http_request_t *r);
} ngx_scale_signed_t;


static ngx_uint_t ngx_scale_signed_is_name(ngx_http_request_t *r);
static void ngx_scale_signed_body(ngx_http_request_t *r);
static ngx_int_t ngx_scale_signed_upstream(ngx_http_request_t *r,
    ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_signed_create(ngx_http_request_t *r);
static ngx_int_t ngx_scale_signed_hide(ngx_http_request_t *r,
    ngx_list_t *shown);
static ngx_uint_t ngx_scale_signed_is_ours(ngx_str_t *name);


/*
 * The body is read before proxy_pass's own handler is called: what is signed
 * is its hash.
 */

ngx_int_t
ngx_scale_signed_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_scale_loc_conf_t  *loc;

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    if (loc->signer->s3 && !ngx_scale_signed_is_name(r)) {
        return NGX_HTTP_BAD_REQUEST;
    }

    rc = ngx_http_read_client_request_body(r, ngx_scale_signed_body);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


/*
 * S3 keeps "." and ".." in the names of objects, and what stands between here
 * and there may not: the path is the one the location was chosen by.
 */

static ngx_uint_t
ngx_scale_signed_is_name(ngx_http_request_t *r)
{
    u_char     *p, *src, *end;
    ngx_str_t   path;

    p = ngx_pnalloc(r->pool, r->unparsed_uri.len + 1);
    if (p == NULL) {
        return 0;
    }

    src = r->unparsed_uri.data;
    end = ngx_strlchr(src, src + r->unparsed_uri.len, '?');

    path.data = p;
    ngx_unescape_uri(&p, &src, end ? (size_t) (end - src)
                                   : r->unparsed_uri.len, 0);
    path.len = p - path.data;

    return !ngx_scale_aws_has_dots(&path);
}


static void
ngx_scale_signed_body(ngx_http_request_t *r)
{
    ngx_scale_loc_conf_t  *loc;

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);

    ngx_http_finalize_request(r, ngx_scale_signed_upstream(r, loc));
}


/*
 * nginx's upstream does not begin while r->aio is set, so that there is a
 * moment between what proxy_pass prepares and what it sends.
 */

static ngx_int_t
ngx_scale_signed_upstream(ngx_http_request_t *r, ngx_scale_loc_conf_t *loc)
{
    ngx_int_t            rc;
    ngx_scale_signed_t  *s;

    s = (ngx_scale_signed_t *) ngx_scale_ctx_create(r,
                                             sizeof(ngx_scale_signed_t), NULL);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->aio = 1;
    rc = loc->proxy(r);
    r->aio = 0;

    if (rc != NGX_DONE || r->upstream == NULL) {
        return rc;
    }

    s->signer = loc->signer;
    s->create_request = r->upstream->create_request;
    r->upstream->create_request = ngx_scale_signed_create;

    ngx_http_upstream_init(r);

    return NGX_DONE;
}


static ngx_int_t
ngx_scale_signed_create(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_list_t           all, shown;
    ngx_scale_signed_t  *s;

    s = (ngx_scale_signed_t *) ngx_http_get_module_ctx(r, ngx_scale_module);

    if (ngx_scale_signed_hide(r, &shown) != NGX_OK) {
        return NGX_ERROR;
    }

    all = r->headers_in.headers;
    r->headers_in.headers = shown;

    rc = s->create_request(r);

    r->headers_in.headers = all;

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_scale_signed_wire(r, s->signer, &r->upstream->request_bufs);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "scale_aws_sign: what would be sent is no HTTP/1 "
                      "request, or its path is no name of an object");
    }

    return rc == NGX_OK ? NGX_OK : NGX_ERROR;
}


/* what a client could say in the name of the credentials */

static ngx_int_t
ngx_scale_signed_hide(ngx_http_request_t *r, ngx_list_t *shown)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *field, *copy;

    if (ngx_list_init(shown, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        field = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_scale_signed_is_ours(&field[i].key)) {
                continue;
            }

            copy = ngx_list_push(shown);
            if (copy == NULL) {
                return NGX_ERROR;
            }

            *copy = field[i];
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_signed_is_ours(ngx_str_t *name)
{
    return (name->len >= 6
            && ngx_strncasecmp(name->data, (u_char *) "x-amz-", 6) == 0)
           || (name->len == 13
               && ngx_strncasecmp(name->data, (u_char *) "authorization", 13)
                  == 0);
}
