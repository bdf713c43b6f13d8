
/* requests and URLs are signed */

#include "aws/aws_int.h"


static ngx_int_t ngx_scale_aws_presign_args(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, u_char *date, time_t expires,
    ngx_str_t *names, ngx_str_t *args);
static u_char *ngx_scale_aws_put_arg(u_char *p, const char *name,
    ngx_str_t *value);


ngx_int_t
ngx_scale_aws_authorize(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, u_char *date, ngx_str_t *authorization)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   canonical, names, text;

    if (ngx_scale_aws_canonical(pool, scope, request, NULL, &canonical, &names)
        != NGX_OK
        || ngx_scale_aws_text(pool, scope, date, &canonical, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = sizeof(NGX_SCALE_AWS_ALGORITHM " Credential=/, SignedHeaders=, "
                 "Signature=") - 1
          + credentials->id.len + ngx_scale_aws_scope_len(scope) + names.len
          + NGX_SCALE_AWS_HEX;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    authorization->data = p;
    authorization->len = len;

    p = ngx_cpymem(p, NGX_SCALE_AWS_ALGORITHM " Credential=",
                   sizeof(NGX_SCALE_AWS_ALGORITHM " Credential=") - 1);
    p = ngx_scale_aws_copy(p, &credentials->id);
    *p++ = '/';
    p = ngx_scale_aws_scope_write(p, scope, date);
    p = ngx_cpymem(p, ", SignedHeaders=", sizeof(", SignedHeaders=") - 1);
    p = ngx_scale_aws_copy(p, &names);
    p = ngx_cpymem(p, ", Signature=", sizeof(", Signature=") - 1);

    return ngx_scale_aws_signature(scope, credentials, date, &text, p);
}


ngx_int_t
ngx_scale_aws_presign(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, time_t now, time_t expires,
    ngx_str_t *args)
{
    u_char                  *p, date[NGX_SCALE_AWS_DATE];
    ngx_str_t                names, canonical, text;
    ngx_scale_aws_request_t  signing;

    ngx_scale_aws_date(now, date);

    signing = *request;

    /* the names stand among the arguments, which are signed themselves */

    if (ngx_scale_aws_canonical(pool, scope, request, NULL, &canonical, &names)
        != NGX_OK
        || ngx_scale_aws_presign_args(pool, scope, credentials, request, date,
                                      expires, &names, &signing.args)
           != NGX_OK
        || ngx_scale_aws_canonical(pool, scope, &signing, NULL, &canonical,
                                   &names)
           != NGX_OK
        || ngx_scale_aws_text(pool, scope, date, &canonical, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(pool, signing.args.len + sizeof("&X-Amz-Signature=") - 1
                          + NGX_SCALE_AWS_HEX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    args->data = p;

    p = ngx_scale_aws_copy(p, &signing.args);
    p = ngx_cpymem(p, "&X-Amz-Signature=", sizeof("&X-Amz-Signature=") - 1);

    args->len = p - args->data + NGX_SCALE_AWS_HEX;

    return ngx_scale_aws_signature(scope, credentials, date, &text, p);
}


/* all but the signature; what the request has of its own comes first */

static ngx_int_t
ngx_scale_aws_presign_args(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, u_char *date, time_t expires,
    ngx_str_t *names, ngx_str_t *args)
{
    u_char     *p, number[NGX_TIME_T_LEN];
    size_t      len;
    ngx_str_t   scoped, value;

    scoped.len = credentials->id.len + 1 + ngx_scale_aws_scope_len(scope);
    scoped.data = ngx_pnalloc(pool, scoped.len);
    if (scoped.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_scale_aws_copy(scoped.data, &credentials->id);
    *p++ = '/';
    (void) ngx_scale_aws_scope_write(p, scope, date);

    len = request->args.len + NGX_TIME_T_LEN + NGX_SCALE_AWS_DATE
          + 3 * (scoped.len + names->len + credentials->token.len)
          + sizeof("&X-Amz-Algorithm=" NGX_SCALE_AWS_ALGORITHM
                   "&X-Amz-Credential=&X-Amz-Date=&X-Amz-Expires="
                   "&X-Amz-Security-Token=&X-Amz-SignedHeaders=");

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    args->data = p;

    p = ngx_scale_aws_copy(p, &request->args);

    if (request->args.len) {
        *p++ = '&';
    }

    ngx_str_set(&value, NGX_SCALE_AWS_ALGORITHM);
    p = ngx_scale_aws_put_arg(p, "X-Amz-Algorithm=", &value);
    p = ngx_scale_aws_put_arg(p, "&X-Amz-Credential=", &scoped);

    value.data = date;
    value.len = NGX_SCALE_AWS_DATE;
    p = ngx_scale_aws_put_arg(p, "&X-Amz-Date=", &value);

    value.data = number;
    value.len = ngx_sprintf(number, "%T", expires) - number;
    p = ngx_scale_aws_put_arg(p, "&X-Amz-Expires=", &value);

    if (credentials->token.len) {
        p = ngx_scale_aws_put_arg(p, "&X-Amz-Security-Token=",
                                  &credentials->token);
    }

    p = ngx_scale_aws_put_arg(p, "&X-Amz-SignedHeaders=", names);

    args->len = p - args->data;

    return NGX_OK;
}


static u_char *
ngx_scale_aws_put_arg(u_char *p, const char *name, ngx_str_t *value)
{
    p = ngx_cpymem(p, name, ngx_strlen(name));

    return ngx_scale_aws_encode(p, value->data, value->len, 0);
}
