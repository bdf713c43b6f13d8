
/* scale_object_store name { ... } */

#include "ngx_scale_object.h"
#include "ngx_scale_block.h"


static char *ngx_scale_object_credentials(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_object_path_style(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_object_check(ngx_conf_t *cf,
    ngx_scale_objects_t *store);
static ngx_uint_t ngx_scale_object_is_bucket(ngx_str_t *name);
static char *ngx_scale_object_place(ngx_conf_t *cf,
    ngx_scale_objects_t *store, size_t scheme);
static u_char *ngx_scale_object_join(ngx_pool_t *pool, ngx_str_t *joined,
    ngx_str_t *a, ngx_str_t *b, ngx_str_t *c);


static ngx_scale_block_directive_t ngx_scale_object_store_block[] = {
    { ngx_string("endpoint"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_objects_t, endpoint) },
    { ngx_string("region"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_objects_t, scope.region) },
    { ngx_string("bucket"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_objects_t, bucket) },
    { ngx_string("credentials"), 1, 1, ngx_scale_object_credentials, 0 },
    { ngx_string("path_style"), 1, 1, ngx_scale_object_path_style, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_object_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                  *rv;
    ngx_str_t             *word;
    ngx_scale_objects_t   *store, **slot;

    word = cf->args->elts;

    if (ngx_scale_object_find(main, &word[1])) {
        return "has the name of another; give one of them another name";
    }

    store = ngx_pcalloc(cf->pool, sizeof(ngx_scale_objects_t));
    slot = ngx_array_push(&main->objects);

    if (store == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = store;

    store->name = word[1];
    store->path_style = NGX_CONF_UNSET;
    ngx_str_set(&store->scope.service, "s3");
    ngx_scale_conf_here(cf, &store->place);

    rv = ngx_scale_block_parse(cf, ngx_scale_object_store_block, store);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_value(store->path_style, 0);

    return ngx_scale_object_check(cf, store);
}


ngx_scale_objects_t *
ngx_scale_object_find(ngx_scale_main_conf_t *main, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_scale_objects_t  **store;

    store = main->objects.elts;

    for (i = 0; i < main->objects.nelts; i++) {
        if (ngx_scale_same(&store[i]->name, name)) {
            return store[i];
        }
    }

    return NULL;
}


/* env, or file=path */

static char *
ngx_scale_object_credentials(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_objects_t  *store = block;

    ngx_str_t  *word, path;

    if (store->credentials) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "env") == 0) {
        store->credentials = ngx_scale_credentials_conf(cf, NULL);

    } else if (word[1].len > 5
               && ngx_strncmp(word[1].data, "file=", 5) == 0)
    {
        path.data = word[1].data + 5;
        path.len = word[1].len - 5;
        store->credentials = ngx_scale_credentials_conf(cf, &path);

    } else {
        return "is env, or such as file=/run/secrets/aws";
    }

    return store->credentials ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_object_path_style(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_objects_t  *store = block;

    ngx_str_t  *word;

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "on") == 0) {
        store->path_style = 1;

    } else if (ngx_strcmp(word[1].data, "off") == 0) {
        store->path_style = 0;

    } else {
        return "is on or off";
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_object_check(ngx_conf_t *cf, ngx_scale_objects_t *store)
{
    size_t     scheme;
    ngx_str_t  s3 = ngx_string("https://s3."), amazon = ngx_string(
                                                             ".amazonaws.com");

    if (store->scope.region.len == 0 || store->credentials == NULL
        || !ngx_scale_object_is_bucket(&store->bucket))
    {
        ngx_scale_conf_error(cf, &store->place,
                             "object store \"%V\" needs a region, a bucket of "
                             "lower case letters, digits, \".\" and \"-\", "
                             "and credentials", &store->name);
        return NGX_CONF_ERROR;
    }

    if (store->endpoint.len == 0
        && ngx_scale_object_join(cf->pool, &store->endpoint, &s3,
                                 &store->scope.region, &amazon)
           == NULL)
    {
        return NGX_CONF_ERROR;
    }

    scheme = ngx_strncmp(store->endpoint.data, "https://", 8) == 0 ? 8
             : ngx_strncmp(store->endpoint.data, "http://", 7) == 0 ? 7 : 0;

    if (scheme == 0 || store->endpoint.len == scheme
        || ngx_strlchr(store->endpoint.data + scheme,
                       store->endpoint.data + store->endpoint.len, '/'))
    {
        ngx_scale_conf_error(cf, &store->place,
                             "object store \"%V\" has the endpoint \"%V\"; "
                             "write such as https://s3.eu-west-1.amazonaws.com"
                             ", without a path", &store->name,
                             &store->endpoint);
        return NGX_CONF_ERROR;
    }

    return ngx_scale_object_place(cf, store, scheme);
}


/* Amazon S3 User Guide, "General purpose bucket naming rules" */

static ngx_uint_t
ngx_scale_object_is_bucket(ngx_str_t *name)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9')
            && (i == 0 || (ch != '-' && ch != '.')))
        {
            return 0;
        }
    }

    return name->len > 2 && name->len < 64;
}


/* the bucket is a part of the host, or of the path */

static char *
ngx_scale_object_place(ngx_conf_t *cf, ngx_scale_objects_t *store,
    size_t scheme)
{
    ngx_str_t  host, first, dot = ngx_string("."), slash = ngx_string("/"),
               none = ngx_null_string;

    first.data = store->endpoint.data;
    first.len = scheme;
    host.data = first.data + scheme;
    host.len = store->endpoint.len - scheme;

    store->host = host;

    if (store->path_style) {
        if (ngx_scale_object_join(cf->pool, &store->prefix, &slash,
                                  &store->bucket, &none)
            == NULL)
        {
            return NGX_CONF_ERROR;
        }

    } else if (ngx_scale_object_join(cf->pool, &store->host, &store->bucket,
                                     &dot, &host)
               == NULL)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_scale_object_join(cf->pool, &store->base, &first, &store->host,
                                 &none)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static u_char *
ngx_scale_object_join(ngx_pool_t *pool, ngx_str_t *joined, ngx_str_t *a,
    ngx_str_t *b, ngx_str_t *c)
{
    u_char  *p;

    p = ngx_pnalloc(pool, a->len + b->len + c->len + 1);

    joined->data = p;
    joined->len = a->len + b->len + c->len;

    if (p) {
        p = ngx_cpymem(p, a->data, a->len);
        p = ngx_cpymem(p, b->data, b->len);
        p = ngx_cpymem(p, c->data, c->len);
        *p = '\0';
    }

    return joined->data;
}
