
/* the form of a browser's upload, and the policy it is bound by */

#include "aws/aws_int.h"


typedef struct {
    ngx_str_t      credential;
    u_char         date[NGX_SCALE_AWS_DATE];
    u_char         until[sizeof("2015-12-30T12:00:00Z")];
} ngx_scale_aws_stamp_t;


static ngx_int_t ngx_scale_aws_stamp(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_credentials_t *credentials,
    time_t now, time_t expires, ngx_scale_aws_stamp_t *stamp);
static ngx_int_t ngx_scale_aws_document(ngx_pool_t *pool,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_post_t *post,
    ngx_scale_aws_stamp_t *stamp, ngx_str_t *document);
static u_char *ngx_scale_aws_condition(u_char *p, const char *begin,
    ngx_str_t *value, const char *end);
static ngx_int_t ngx_scale_aws_fields(ngx_pool_t *pool,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_post_t *post,
    ngx_scale_aws_stamp_t *stamp, ngx_str_t *policy, ngx_array_t *fields);
static ngx_int_t ngx_scale_aws_field(ngx_array_t *fields, const char *name,
    ngx_str_t *value);


/* "\u0000" of each byte */
#define NGX_SCALE_AWS_QUOTED(s)  (6 * (s)->len)


ngx_int_t
ngx_scale_aws_policy(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_post_t *post,
    time_t now, time_t expires, ngx_array_t *fields)
{
    ngx_str_t              document, policy, signature;
    ngx_scale_aws_stamp_t  stamp;

    if (ngx_scale_aws_stamp(pool, scope, credentials, now, expires, &stamp)
        != NGX_OK
        || ngx_scale_aws_document(pool, credentials, post, &stamp, &document)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    policy.data = ngx_pnalloc(pool, ngx_base64_encoded_length(document.len));
    signature.len = NGX_SCALE_AWS_HEX;
    signature.data = ngx_pnalloc(pool, NGX_SCALE_AWS_HEX);

    if (policy.data == NULL || signature.data == NULL) {
        return NGX_ERROR;
    }

    ngx_encode_base64(&policy, &document);

    if (ngx_scale_aws_signature(scope, credentials, stamp.date, &policy,
                                signature.data)
        != NGX_OK
        || ngx_scale_aws_fields(pool, credentials, post, &stamp, &policy,
                                fields)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_aws_field(fields, "x-amz-signature", &signature);
}


static ngx_int_t
ngx_scale_aws_stamp(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, time_t now, time_t expires,
    ngx_scale_aws_stamp_t *stamp)
{
    u_char    *p;
    ngx_tm_t   tm;

    ngx_scale_aws_date(now, stamp->date);

    ngx_gmtime(now + expires, &tm);
    p = ngx_snprintf(stamp->until, sizeof(stamp->until) - 1,
                     "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.ngx_tm_year,
                     tm.ngx_tm_mon, tm.ngx_tm_mday, tm.ngx_tm_hour,
                     tm.ngx_tm_min, tm.ngx_tm_sec);
    *p = '\0';

    p = ngx_pnalloc(pool, credentials->id.len + 1
                          + ngx_scale_aws_scope_len(scope));
    if (p == NULL) {
        return NGX_ERROR;
    }

    stamp->credential.data = p;

    p = ngx_scale_aws_copy(p, &credentials->id);
    *p++ = '/';
    p = ngx_scale_aws_scope_write(p, scope, stamp->date);

    stamp->credential.len = p - stamp->credential.data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_document(ngx_pool_t *pool,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_post_t *post,
    ngx_scale_aws_stamp_t *stamp, ngx_str_t *document)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   value;

    len = 512 + 2 * NGX_OFF_T_LEN + NGX_SCALE_AWS_QUOTED(&post->bucket)
          + NGX_SCALE_AWS_QUOTED(&post->key)
          + NGX_SCALE_AWS_QUOTED(&post->type)
          + NGX_SCALE_AWS_QUOTED(&post->family)
          + NGX_SCALE_AWS_QUOTED(&stamp->credential)
          + NGX_SCALE_AWS_QUOTED(&credentials->token);

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    document->data = p;

    value.data = stamp->until;
    value.len = sizeof(stamp->until) - 1;

    p = ngx_scale_aws_condition(p, "{\"expiration\":\"", &value,
                                "\",\"conditions\":[");
    p = ngx_scale_aws_condition(p, "{\"bucket\":\"", &post->bucket, "\"},");
    p = ngx_scale_aws_condition(p, "{\"key\":\"", &post->key, "\"},");

    if (post->type.len) {
        p = ngx_scale_aws_condition(p, "{\"Content-Type\":\"", &post->type,
                                    "\"},");
    }

    if (post->family.len) {
        p = ngx_scale_aws_condition(p, "[\"starts-with\",\"$Content-Type\",\"",
                                    &post->family, "\"],");
    }

    if (post->max) {
        p = ngx_slprintf(p, document->data + len,
                         "[\"content-length-range\",%O,%O],", post->min,
                         post->max);
    }

    if (credentials->token.len) {
        p = ngx_scale_aws_condition(p, "{\"x-amz-security-token\":\"",
                                    &credentials->token, "\"},");
    }

    p = ngx_scale_aws_condition(p, "{\"x-amz-algorithm\":\""
                                NGX_SCALE_AWS_ALGORITHM
                                "\"},{\"x-amz-credential\":\"",
                                &stamp->credential, "\"},");

    value.data = stamp->date;
    value.len = NGX_SCALE_AWS_DATE;

    p = ngx_scale_aws_condition(p, "{\"x-amz-date\":\"", &value, "\"}]}");

    document->len = p - document->data;

    return NGX_OK;
}


static u_char *
ngx_scale_aws_condition(u_char *p, const char *begin, ngx_str_t *value,
    const char *end)
{
    p = ngx_cpymem(p, begin, ngx_strlen(begin));
    p = (u_char *) ngx_escape_json(p, value->data, value->len);

    return ngx_cpymem(p, end, ngx_strlen(end));
}


static ngx_int_t
ngx_scale_aws_fields(ngx_pool_t *pool,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_post_t *post,
    ngx_scale_aws_stamp_t *stamp, ngx_str_t *policy, ngx_array_t *fields)
{
    ngx_str_t  algorithm = ngx_string(NGX_SCALE_AWS_ALGORITHM);
    ngx_str_t  date;

    date.len = NGX_SCALE_AWS_DATE;
    date.data = ngx_pnalloc(pool, NGX_SCALE_AWS_DATE);
    if (date.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(date.data, stamp->date, NGX_SCALE_AWS_DATE);

    if (ngx_scale_aws_field(fields, "key", &post->key) != NGX_OK
        || ngx_scale_aws_field(fields, "Content-Type", &post->type) != NGX_OK
        || ngx_scale_aws_field(fields, "x-amz-security-token",
                               &credentials->token)
           != NGX_OK
        || ngx_scale_aws_field(fields, "x-amz-algorithm", &algorithm)
           != NGX_OK
        || ngx_scale_aws_field(fields, "x-amz-credential",
                               &stamp->credential)
           != NGX_OK
        || ngx_scale_aws_field(fields, "x-amz-date", &date) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_aws_field(fields, "policy", policy);
}


/* what is empty is no field */

static ngx_int_t
ngx_scale_aws_field(ngx_array_t *fields, const char *name, ngx_str_t *value)
{
    ngx_keyval_t  *field;

    if (value->len == 0) {
        return NGX_OK;
    }

    field = ngx_array_push(fields);
    if (field == NULL) {
        return NGX_ERROR;
    }

    field->key.data = (u_char *) name;
    field->key.len = ngx_strlen(name);
    field->value = *value;

    return NGX_OK;
}
