
/* the key of a scope, and what is signed with it */

#include "aws/aws_int.h"


static ngx_int_t ngx_scale_aws_derive(ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, u_char *date);


#define NGX_SCALE_AWS_MAX_SECRET  256


void
ngx_scale_aws_scope_forget(ngx_scale_aws_scope_t *scope)
{
    ngx_explicit_memzero(scope->key, NGX_SCALE_AWS_DIGEST);
    scope->version = 0;
}


ngx_uint_t
ngx_scale_aws_is_s3(ngx_scale_aws_scope_t *scope)
{
    return ngx_scale_aws_is(&scope->service, "s3");
}


size_t
ngx_scale_aws_scope_len(ngx_scale_aws_scope_t *scope)
{
    return NGX_SCALE_AWS_DAY + scope->region.len + scope->service.len
           + sizeof("///" NGX_SCALE_AWS_REQUEST) - 1;
}


u_char *
ngx_scale_aws_scope_write(u_char *p, ngx_scale_aws_scope_t *scope,
    u_char *date)
{
    p = ngx_cpymem(p, date, NGX_SCALE_AWS_DAY);
    *p++ = '/';
    p = ngx_scale_aws_copy(p, &scope->region);
    *p++ = '/';
    p = ngx_scale_aws_copy(p, &scope->service);

    return ngx_cpymem(p, "/" NGX_SCALE_AWS_REQUEST,
                      sizeof("/" NGX_SCALE_AWS_REQUEST) - 1);
}


void
ngx_scale_aws_date(time_t now, u_char *date)
{
    ngx_tm_t  tm;

    ngx_gmtime(now, &tm);

    (void) ngx_snprintf(date, NGX_SCALE_AWS_DATE, "%04d%02d%02dT%02d%02d%02dZ",
                        tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                        tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);
}


ngx_int_t
ngx_scale_aws_hash(u_char *data, size_t len, u_char *hex)
{
    u_char  digest[NGX_SCALE_AWS_DIGEST];

    if (ngx_scale_aws_sha256(data, len, digest) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(hex, digest, NGX_SCALE_AWS_DIGEST);

    return NGX_OK;
}


ngx_int_t
ngx_scale_aws_text(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    u_char *date, ngx_str_t *canonical, ngx_str_t *text)
{
    u_char  *p;
    size_t   len;

    len = sizeof(NGX_SCALE_AWS_ALGORITHM "\n\n\n") - 1 + NGX_SCALE_AWS_DATE
          + ngx_scale_aws_scope_len(scope) + NGX_SCALE_AWS_HEX;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = len;

    p = ngx_cpymem(p, NGX_SCALE_AWS_ALGORITHM "\n",
                   sizeof(NGX_SCALE_AWS_ALGORITHM "\n") - 1);
    p = ngx_cpymem(p, date, NGX_SCALE_AWS_DATE);
    *p++ = LF;
    p = ngx_scale_aws_scope_write(p, scope, date);
    *p++ = LF;

    return ngx_scale_aws_hash(canonical->data, canonical->len, p);
}


ngx_int_t
ngx_scale_aws_signature(ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, u_char *date, ngx_str_t *text,
    u_char *hex)
{
    u_char  mac[NGX_SCALE_AWS_DIGEST];

    if (scope->version != credentials->version
        || ngx_memcmp(scope->day, date, NGX_SCALE_AWS_DAY) != 0)
    {
        scope->version = 0;

        if (ngx_scale_aws_derive(scope, credentials, date) != NGX_OK) {
            return NGX_ERROR;
        }

        scope->version = credentials->version;
        ngx_memcpy(scope->day, date, NGX_SCALE_AWS_DAY);
    }

    if (ngx_scale_aws_hmac(scope->key, NGX_SCALE_AWS_DIGEST, text->data,
                           text->len, mac)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(hex, mac, NGX_SCALE_AWS_DIGEST);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_derive(ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, u_char *date)
{
    u_char     *key = scope->key;

    u_char      secret[4 + NGX_SCALE_AWS_MAX_SECRET], *p;
    ngx_int_t   rc;

    if (credentials->secret.len > NGX_SCALE_AWS_MAX_SECRET) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(secret, "AWS4", 4);
    p = ngx_scale_aws_copy(p, &credentials->secret);

    rc = ngx_scale_aws_hmac(secret, p - secret, date, NGX_SCALE_AWS_DAY, key);

    ngx_explicit_memzero(secret, sizeof(secret));

    if (rc != NGX_OK
        || ngx_scale_aws_hmac(key, NGX_SCALE_AWS_DIGEST, scope->region.data,
                              scope->region.len, key)
           != NGX_OK
        || ngx_scale_aws_hmac(key, NGX_SCALE_AWS_DIGEST, scope->service.data,
                              scope->service.len, key)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_aws_hmac(key, NGX_SCALE_AWS_DIGEST,
                              (u_char *) NGX_SCALE_AWS_REQUEST,
                              sizeof(NGX_SCALE_AWS_REQUEST) - 1, key);
}
