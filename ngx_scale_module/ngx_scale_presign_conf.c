
/*
 * scale_presign name store PUT|POST|GET key= expires= [max=] [types=] [type=]
 * [length=] [once]
 */

#include "ngx_scale_object.h"


typedef struct {
    ngx_str_t      name;
    char        *(*set)(ngx_conf_t *cf, ngx_scale_presign_t *presign,
                        ngx_str_t *value);
} ngx_scale_presign_option_t;


static char *ngx_scale_presign_option(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *word);
static char *ngx_scale_presign_set_key(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *value);
static char *ngx_scale_presign_set_expires(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *value);
static char *ngx_scale_presign_set_max(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *value);
static char *ngx_scale_presign_set_types(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *value);
static char *ngx_scale_presign_set_type(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *value);
static char *ngx_scale_presign_set_length(ngx_conf_t *cf,
    ngx_scale_presign_t *presign, ngx_str_t *value);
static char *ngx_scale_presign_set_param(ngx_scale_presign_param_t *param,
    ngx_str_t *value);
static const char *ngx_scale_presign_missing(ngx_scale_presign_t *presign);
static ngx_uint_t ngx_scale_presign_is_family(ngx_str_t *type);


static ngx_scale_presign_option_t  ngx_scale_presign_options[] = {
    { ngx_string("key="), ngx_scale_presign_set_key },
    { ngx_string("expires="), ngx_scale_presign_set_expires },
    { ngx_string("max="), ngx_scale_presign_set_max },
    { ngx_string("types="), ngx_scale_presign_set_types },
    { ngx_string("type="), ngx_scale_presign_set_type },
    { ngx_string("length="), ngx_scale_presign_set_length },
    { ngx_null_string, NULL }
};


char *
ngx_scale_presign_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char                 *rv;
    ngx_str_t            *word;
    ngx_uint_t            i;
    ngx_scale_presign_t  *presign;

    word = cf->args->elts;

    if (loc->presigns == NULL) {
        loc->presigns = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_scale_presign_t));
        if (loc->presigns == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    presign = ngx_array_push(loc->presigns);
    if (presign == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(presign, sizeof(ngx_scale_presign_t));
    ngx_scale_conf_here(cf, &presign->place);

    presign->name = word[1];
    presign->store_name = word[2];
    presign->method = ngx_scale_conf_method(&word[3]);

    if (!(presign->method & (NGX_HTTP_GET|NGX_HTTP_PUT|NGX_HTTP_POST))) {
        return "takes a name, a store, and then PUT, POST or GET";
    }

    for (i = 4; i < cf->args->nelts; i++) {
        rv = ngx_scale_presign_option(cf, presign, &word[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return (char *) ngx_scale_presign_missing(presign);
}


static char *
ngx_scale_presign_option(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *word)
{
    ngx_str_t                    value;
    ngx_scale_presign_option_t  *option;

    if (ngx_strcmp(word->data, "once") == 0
        && presign->method == NGX_HTTP_PUT)
    {
        presign->once = 1;
        return NGX_CONF_OK;
    }

    for (option = ngx_scale_presign_options; option->set; option++) {

        if (word->len > option->name.len
            && ngx_strncmp(word->data, option->name.data, option->name.len)
               == 0)
        {
            value.data = word->data + option->name.len;
            value.len = word->len - option->name.len;

            return option->set(cf, presign, &value);
        }
    }

    return "takes key=, expires=, max=, types=, type=:param, length=:param "
           "and, for PUT, once";
}


static char *
ngx_scale_presign_set_key(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *value)
{
    ngx_str_t  error;

    presign->key.text = *value;
    presign->key.place = presign->place;

    if (ngx_scale_key_parse(cf->pool, value, &presign->key.parts, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key \"%V\": %V", value,
                           &error);
        return NGX_CONF_ERROR;
    }

    return value->data[0] == '/' ? "has a key that begins with a slash"
                                 : NGX_CONF_OK;
}


static char *
ngx_scale_presign_set_expires(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *value)
{
    presign->expires = ngx_parse_time(value, 1);

    return presign->expires < 1
           || presign->expires > NGX_SCALE_AWS_MAX_EXPIRES
           ? "takes expires= of 1s to 7d" : NGX_CONF_OK;
}


static char *
ngx_scale_presign_set_max(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *value)
{
    presign->max = ngx_parse_offset(value);

    return presign->max < 1 ? "takes max= of bytes, such as max=10m"
                            : NGX_CONF_OK;
}


/* a list; one that ends in an asterisk is a family, such as of images */

static char *
ngx_scale_presign_set_types(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *value)
{
    u_char     *p, *last, *end;
    ngx_str_t  *type;

    presign->types = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (presign->types == NULL) {
        return NGX_CONF_ERROR;
    }

    last = value->data + value->len;

    for (p = value->data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        end = end ? end : last;

        type = ngx_array_push(presign->types);
        if (type == NULL) {
            return NGX_CONF_ERROR;
        }

        type->data = p;
        type->len = end - p;

        if (ngx_strlchr(p, end, '/') == NULL) {
            return "takes types= such as types=image/png,image/jpeg";
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_presign_set_type(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *value)
{
    return ngx_scale_presign_set_param(&presign->type, value);
}


static char *
ngx_scale_presign_set_length(ngx_conf_t *cf, ngx_scale_presign_t *presign,
    ngx_str_t *value)
{
    return ngx_scale_presign_set_param(&presign->length, value);
}


static char *
ngx_scale_presign_set_param(ngx_scale_presign_param_t *param,
    ngx_str_t *value)
{
    if (value->data[0] != ':' || value->len < 2) {
        return "takes a parameter, such as type=:type and length=:bytes";
    }

    param->name.data = value->data + 1;
    param->name.len = value->len - 1;

    return NGX_CONF_OK;
}


/*
 * A signature of a PUT is of one type and one length; only a form's policy
 * knows families and ranges.
 */

static const char *
ngx_scale_presign_missing(ngx_scale_presign_t *presign)
{
    ngx_uint_t  n;
    ngx_str_t  *type;

    if (presign->key.text.len == 0 || presign->expires == 0) {
        return "needs key= and expires=";
    }

    if (presign->method == NGX_HTTP_GET) {
        return presign->max || presign->types || presign->type.name.len
               || presign->length.name.len
               ? "takes key= and expires= of a GET, and nothing else"
               : NGX_CONF_OK;
    }

    if (presign->method == NGX_HTTP_PUT && presign->max
        && presign->length.name.len == 0)
    {
        return "takes max= of a PUT with length=:param, which is signed; "
               "or presign a POST";
    }

    n = presign->types ? presign->types->nelts : 0;
    type = n ? presign->types->elts : NULL;

    if (presign->type.name.len == 0
        && (n > 1 || (n && presign->method == NGX_HTTP_PUT
                      && ngx_scale_presign_is_family(type))))
    {
        return "takes several types with type=:param, the one that is signed";
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_presign_is_family(ngx_str_t *type)
{
    return type->data[type->len - 1] == '*';
}
