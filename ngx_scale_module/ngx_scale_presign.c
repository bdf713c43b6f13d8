
/* what a client is given to send or fetch an object itself */

#include "ngx_scale_object.h"
#include "ngx_scale_values.h"


/* of one request */

typedef struct {
    ngx_str_t                    key;
    ngx_str_t                    type;       /* empty: not said */
    off_t                        length;     /* -1: not said */
} ngx_scale_upload_t;


static ngx_int_t ngx_scale_presign_upload(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign, ngx_scale_upload_t *upload,
    ngx_scale_declared_t **culprit, const char **reason);
static ngx_uint_t ngx_scale_presign_is_key(ngx_str_t *key);
static ngx_scale_declared_t *ngx_scale_presign_named(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign);
static const char *ngx_scale_presign_type(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign, ngx_str_t *type);
static const char *ngx_scale_presign_length(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign, off_t *length);
static ngx_int_t ngx_scale_presign_url(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign, ngx_scale_upload_t *upload, ngx_str_t *url);
static ngx_int_t ngx_scale_presign_headers(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign, ngx_scale_upload_t *upload,
    ngx_array_t *headers);
static ngx_int_t ngx_scale_presign_add(ngx_array_t *headers,
    const char *name, ngx_str_t *value);
static ngx_int_t ngx_scale_presign_form(ngx_scale_flow_t *f,
    ngx_scale_presign_t *presign, ngx_scale_upload_t *upload,
    ngx_str_t *form);
static ngx_int_t ngx_scale_presign_write(ngx_scale_flow_t *f,
    ngx_scale_objects_t *store, ngx_array_t *fields, ngx_str_t *form);


#define NGX_SCALE_PRESIGN_KEY  1024        /* bytes: S3 has no longer ones */


ngx_int_t
ngx_scale_presign_value(ngx_scale_flow_t *f, ngx_scale_declared_t *declared,
    ngx_scale_raw_t *raw, ngx_scale_declared_t **culprit, const char **reason)
{
    ngx_int_t             rc;
    ngx_scale_upload_t    upload;
    ngx_scale_presign_t  *presign;

    presign = declared->presign;

    rc = ngx_scale_presign_upload(f, presign, &upload, culprit, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    raw->kind = NGX_SCALE_RAW_TEXT;

    if (declared->object_key) {
        raw->text = upload.key;
        return NGX_OK;
    }

    if (presign->method == NGX_HTTP_POST) {
        raw->kind = NGX_SCALE_RAW_OBJECT;
        return ngx_scale_presign_form(f, presign, &upload, &raw->text);
    }

    return ngx_scale_presign_url(f, presign, &upload, &raw->text);
}


static ngx_int_t
ngx_scale_presign_upload(ngx_scale_flow_t *f, ngx_scale_presign_t *presign,
    ngx_scale_upload_t *upload, ngx_scale_declared_t **culprit,
    const char **reason)
{
    ngx_scale_declared_t  *declared;

    declared = f->loc->params->elts;

    ngx_str_null(&upload->type);
    upload->length = -1;

    if (ngx_scale_keys_make(f, &presign->key, NULL, 0, &upload->key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_scale_presign_is_key(&upload->key)) {
        *culprit = ngx_scale_presign_named(f, presign);
        *reason = "makes a name that no object may have";
        return NGX_DECLINED;
    }

    if (presign->method == NGX_HTTP_GET) {
        return NGX_OK;
    }

    *culprit = &declared[presign->type.index];
    *reason = ngx_scale_presign_type(f, presign, &upload->type);

    if (*reason == NULL) {
        *culprit = &declared[presign->length.index];
        *reason = ngx_scale_presign_length(f, presign, &upload->length);
    }

    return *reason ? NGX_DECLINED : NGX_OK;
}


static ngx_uint_t
ngx_scale_presign_is_key(ngx_str_t *key)
{
    return key->len && key->len <= NGX_SCALE_PRESIGN_KEY
           && key->data[key->len - 1] != '/'
           && ngx_strnstr(key->data, "//", key->len) == NULL
           && !ngx_scale_aws_has_dots(key);
}


/* the last parameter of the key, or of the location */

static ngx_scale_declared_t *
ngx_scale_presign_named(ngx_scale_flow_t *f, ngx_scale_presign_t *presign)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = presign->key.parts.elts;

    for (i = presign->key.parts.nelts; i; i--) {
        if (part[i - 1].name.len) {
            return ngx_scale_conf_find_param(f->loc, &part[i - 1].name);
        }
    }

    return f->loc->params->elts;
}


/* the one of types=, or that of type=, which is one of them */

static const char *
ngx_scale_presign_type(ngx_scale_flow_t *f, ngx_scale_presign_t *presign,
    ngx_str_t *type)
{
    ngx_str_t          *known;
    ngx_uint_t          i, n;
    ngx_scale_value_t  *value;

    n = presign->types ? presign->types->nelts : 0;
    known = n ? presign->types->elts : NULL;

    if (presign->type.name.len == 0) {

        if (n) {
            *type = known[0];
        }

        return NULL;
    }

    value = &f->values[presign->type.index];

    if (value->null || value->text.len == 0) {
        return "is required";
    }

    *type = value->text;

    for (i = 0; i < n; i++) {
        if (ngx_scale_same(&known[i], type)
            || (known[i].data[known[i].len - 1] == '*'
                && type->len >= known[i].len
                && ngx_memcmp(known[i].data, type->data, known[i].len - 1)
                   == 0))
        {
            return NULL;
        }
    }

    return n ? "is not a type that may be uploaded" : NULL;
}


static const char *
ngx_scale_presign_length(ngx_scale_flow_t *f, ngx_scale_presign_t *presign,
    off_t *length)
{
    ngx_scale_value_t  *value;

    if (presign->length.name.len == 0) {
        return NULL;
    }

    value = &f->values[presign->length.index];

    if (value->null) {
        return "is required";
    }

    *length = ngx_atoof(value->text.data, value->text.len);

    if (*length < 1) {
        return "must be a number of bytes";
    }

    return presign->max && *length > presign->max
           ? "is more than may be uploaded" : NULL;
}


static ngx_int_t
ngx_scale_presign_url(ngx_scale_flow_t *f, ngx_scale_presign_t *presign,
    ngx_scale_upload_t *upload, ngx_str_t *url)
{
    u_char                   *p;
    ngx_str_t                 path, args;
    ngx_pool_t               *pool;
    ngx_scale_objects_t      *store;
    ngx_scale_aws_request_t   request;

    store = presign->store;
    pool = f->r->pool;

    path.len = store->prefix.len + 1 + upload->key.len;
    path.data = ngx_pnalloc(pool, path.len);
    if (path.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(path.data, store->prefix.data, store->prefix.len);
    *p++ = '/';
    ngx_memcpy(p, upload->key.data, upload->key.len);

    ngx_memzero(&request, sizeof(ngx_scale_aws_request_t));

    request.method = *ngx_scale_conf_method_name(presign->method);
    ngx_str_set(&request.payload, NGX_SCALE_AWS_UNSIGNED);

    request.headers = ngx_array_create(pool, 4, sizeof(ngx_keyval_t));

    if (request.headers == NULL
        || ngx_scale_presign_headers(f, presign, upload, request.headers)
           != NGX_OK
        || ngx_scale_aws_encode_path(pool, &path, &request.path) != NGX_OK
        || ngx_scale_aws_presign(pool, &store->scope,
                                 &store->credentials->current, &request,
                                 ngx_time(), presign->expires, &args)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    url->len = store->base.len + request.path.len + 1 + args.len;
    url->data = ngx_pnalloc(pool, url->len);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(url->data, store->base.data, store->base.len);
    p = ngx_cpymem(p, request.path.data, request.path.len);
    *p++ = '?';
    ngx_memcpy(p, args.data, args.len);

    return NGX_OK;
}


/* what the client must send as it is signed */

static ngx_int_t
ngx_scale_presign_headers(ngx_scale_flow_t *f, ngx_scale_presign_t *presign,
    ngx_scale_upload_t *upload, ngx_array_t *headers)
{
    ngx_str_t  length, any = ngx_string("*");

    length.data = ngx_pnalloc(f->r->pool, NGX_OFF_T_LEN);
    if (length.data == NULL) {
        return NGX_ERROR;
    }

    length.len = ngx_sprintf(length.data, "%O", upload->length) - length.data;

    if (ngx_scale_presign_add(headers, "host", &presign->store->host)
        != NGX_OK
        || (upload->type.len
            && ngx_scale_presign_add(headers, "content-type", &upload->type)
               != NGX_OK)
        || (upload->length >= 0
            && ngx_scale_presign_add(headers, "content-length", &length)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return presign->once ? ngx_scale_presign_add(headers, "if-none-match",
                                                 &any)
                         : NGX_OK;
}


static ngx_int_t
ngx_scale_presign_add(ngx_array_t *headers, const char *name,
    ngx_str_t *value)
{
    ngx_keyval_t  *header;

    header = ngx_array_push(headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    header->key.data = (u_char *) name;
    header->key.len = ngx_strlen(name);
    header->value = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_presign_form(ngx_scale_flow_t *f, ngx_scale_presign_t *presign,
    ngx_scale_upload_t *upload, ngx_str_t *form)
{
    ngx_str_t             *type;
    ngx_array_t            fields;
    ngx_scale_objects_t   *store;
    ngx_scale_aws_post_t   post;

    store = presign->store;
    type = &upload->type;

    ngx_memzero(&post, sizeof(ngx_scale_aws_post_t));

    post.bucket = store->bucket;
    post.key = upload->key;

    if (type->len && type->data[type->len - 1] == '*') {
        post.family.data = type->data;
        post.family.len = type->len - 1;

    } else {
        post.type = *type;
    }

    if (upload->length >= 0) {
        post.min = upload->length;
        post.max = upload->length;

    } else {
        post.max = presign->max;
    }

    if (ngx_array_init(&fields, f->r->pool, 8, sizeof(ngx_keyval_t)) != NGX_OK
        || ngx_scale_aws_policy(f->r->pool, &store->scope,
                                &store->credentials->current, &post,
                                ngx_time(), presign->expires, &fields)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_presign_write(f, store, &fields, form);
}


static ngx_int_t
ngx_scale_presign_write(ngx_scale_flow_t *f, ngx_scale_objects_t *store,
    ngx_array_t *fields, ngx_str_t *form)
{
    u_char                *p;
    ngx_str_t              url;
    ngx_uint_t             i;
    ngx_keyval_t          *field;
    ngx_scale_json_doc_t  *doc;

    doc = ngx_scale_json_doc_begin(f->r->pool);

    url.len = store->base.len + store->prefix.len + 1;
    url.data = ngx_pnalloc(f->r->pool, url.len);

    if (doc == NULL || url.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(url.data, store->base.data, store->base.len);
    p = ngx_cpymem(p, store->prefix.data, store->prefix.len);
    *p = '/';

    ngx_scale_json_doc_string(doc, ngx_scale_json_text("url"), &url);
    ngx_scale_json_doc_object(doc, ngx_scale_json_text("fields"));

    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {
        ngx_scale_json_doc_string(doc, &field[i].key, &field[i].value);
    }

    ngx_scale_json_doc_close(doc);

    return ngx_scale_json_doc_end(doc, form);
}
