
/* scale_aws_verify: a directory of nginx's own as an object store */

#include "ngx_scale_object.h"


static ngx_int_t ngx_scale_verified_request(ngx_http_request_t *r,
    ngx_scale_aws_request_t *request);
static const char *ngx_scale_verified_path(ngx_http_request_t *r,
    ngx_scale_objects_t *store, ngx_str_t *path);
static const char *ngx_scale_verified_body(ngx_http_request_t *r,
    ngx_str_t *payload);
static ngx_int_t ngx_scale_verified_refuse(ngx_http_request_t *r,
    const char *reason);
static ngx_int_t ngx_scale_verified_once(ngx_http_request_t *r);


#define NGX_SCALE_VERIFIED_SKEW  300       /* seconds between clocks */


char *
ngx_scale_verified_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t  *word;

    if (loc->verified.len) {
        return "is duplicate";
    }

    word = cf->args->elts;
    loc->verified = word[1];
    ngx_scale_conf_here(cf, &loc->verified_place);

    return NGX_CONF_OK;
}


/* stores are known: what is in http{} was read before its levels are merged */

char *
ngx_scale_verified_merge(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf)
{
    ngx_scale_main_conf_t  *main;

    if (conf->verified.len == 0) {
        conf->verified_store = prev->verified_store;
        return NGX_CONF_OK;
    }

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);
    conf->verified_store = ngx_scale_object_find(main, &conf->verified);

    if (conf->verified_store == NULL) {
        ngx_scale_conf_error(cf, &conf->verified_place,
                             "there is no object store \"%V\"; declare it by "
                             "scale_object_store in http{}", &conf->verified);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_scale_verified_access(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    const char               *reason;
    ngx_scale_objects_t      *store;
    ngx_scale_loc_conf_t     *loc;
    ngx_scale_aws_request_t   request;

    loc = ngx_http_get_module_loc_conf(r, ngx_scale_module);
    store = loc->verified_store;

    if (store == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_scale_verified_request(r, &request) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reason = ngx_scale_verified_path(r, store, &request.path);

    if (reason) {
        return ngx_scale_verified_refuse(r, reason);
    }

    rc = ngx_scale_aws_verify(r->pool, &store->scope,
                              &store->credentials->current, &request,
                              ngx_time(), NGX_SCALE_VERIFIED_SKEW, &reason);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        reason = ngx_scale_verified_body(r, &request.payload);
    }

    return reason ? ngx_scale_verified_refuse(r, reason)
                  : ngx_scale_verified_once(r);
}


static ngx_int_t
ngx_scale_verified_request(ngx_http_request_t *r,
    ngx_scale_aws_request_t *request)
{
    u_char           *query;
    ngx_uint_t        i;
    ngx_keyval_t     *header;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *field;

    ngx_memzero(request, sizeof(ngx_scale_aws_request_t));

    request->method = r->method_name;
    request->path = r->unparsed_uri;

    query = ngx_strlchr(request->path.data,
                        request->path.data + request->path.len, '?');

    if (query) {
        request->args.data = query + 1;
        request->args.len = request->path.data + request->path.len
                            - request->args.data;
        request->path.len = query - request->path.data;
    }

    request->headers = ngx_array_create(r->pool, 16, sizeof(ngx_keyval_t));
    if (request->headers == NULL) {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        field = part->elts;

        for (i = 0; i < part->nelts; i++) {
            header = ngx_array_push(request->headers);
            if (header == NULL) {
                return NGX_ERROR;
            }

            header->key = field[i].key;
            header->value = field[i].value;
        }
    }

    return NGX_OK;
}


/*
 * It is what the signature has, byte for byte, and nginx has made nothing else
 * of it: what is checked and the file are one.
 */

static const char *
ngx_scale_verified_path(ngx_http_request_t *r, ngx_scale_objects_t *store,
    ngx_str_t *path)
{
    ngx_str_t  canonical, name;

    if (ngx_scale_aws_path(r->pool, path, 1, &canonical) != NGX_OK
        || ngx_scale_aws_encode_path(r->pool, &r->uri, &name) != NGX_OK)
    {
        return "memory is out";
    }

    if (!ngx_scale_same(path, &canonical) || !ngx_scale_same(path, &name)
        || ngx_scale_aws_has_dots(path))
    {
        return "its path is not in canonical form";
    }

    if (r->headers_in.host == NULL
        || !ngx_scale_same(&r->headers_in.host->value, &store->host)
        || r->uri.len <= store->prefix.len + 1
        || ngx_memcmp(r->uri.data, store->prefix.data, store->prefix.len) != 0
        || r->uri.data[store->prefix.len] != '/')
    {
        return "it is for another bucket";
    }

    return NULL;
}


/* the hash of a body that is still to come proves nothing */

static const char *
ngx_scale_verified_body(ngx_http_request_t *r, ngx_str_t *payload)
{
    u_char     none[NGX_SCALE_AWS_HEX];
    ngx_str_t  open = ngx_string(NGX_SCALE_AWS_UNSIGNED);

    if (r->headers_in.chunked) {
        return "it does not say how long its body is";
    }

    if (ngx_scale_same(payload, &open)) {
        return NULL;
    }

    if (r->headers_in.content_length_n > 0
        || ngx_scale_aws_hash(NULL, 0, none) != NGX_OK
        || ngx_memcmp(payload->data, none, NGX_SCALE_AWS_HEX) != 0)
    {
        return "the hash of its body is signed; sign UNSIGNED-PAYLOAD";
    }

    return NULL;
}


/* nginx's line has the URL, whose signature may still be good elsewhere */

static ngx_int_t
ngx_scale_verified_refuse(ngx_http_request_t *r, const char *reason)
{
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "scale_aws_verify has refused a request: %s", reason);

    return NGX_HTTP_FORBIDDEN;
}


/* "If-None-Match: *" of a PUT: RFC 9110, section 13.1.2 */

static ngx_int_t
ngx_scale_verified_once(ngx_http_request_t *r)
{
    size_t            root;
    ngx_str_t         path;
    ngx_file_info_t   fi;
    ngx_table_elt_t  *match;

    match = r->headers_in.if_none_match;

    if (r->method != NGX_HTTP_PUT || match == NULL || match->value.len != 1
        || match->value.data[0] != '*')
    {
        return NGX_OK;
    }

    if (ngx_http_map_uri_to_path(r, &path, &root, 0) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_file_info(path.data, &fi) == NGX_FILE_ERROR
           ? NGX_OK : NGX_HTTP_PRECONDITION_FAILED;
}
