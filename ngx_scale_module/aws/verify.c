
/* the same backwards: a request that came is what was signed */

#include "aws/aws_int.h"


typedef struct {
    ngx_str_t      algorithm;
    ngx_str_t      credential;
    ngx_str_t      date;
    ngx_str_t      expires;                /* of arguments only */
    ngx_str_t      names;
    ngx_str_t      signature;
    ngx_str_t      token;
    ngx_str_t      payload;
} ngx_scale_aws_claim_t;

typedef struct {
    ngx_str_t      name;
    size_t         offset;
} ngx_scale_aws_part_t;


static ngx_int_t ngx_scale_aws_claim_args(ngx_pool_t *pool,
    ngx_str_t *args, ngx_scale_aws_claim_t *claim);
static ngx_int_t ngx_scale_aws_claim_fields(ngx_array_t *headers,
    ngx_scale_aws_claim_t *claim);
static ngx_int_t ngx_scale_aws_claim_authorization(ngx_str_t *value,
    ngx_scale_aws_claim_t *claim);
static ngx_int_t ngx_scale_aws_claim_set(ngx_scale_aws_part_t *part,
    ngx_scale_aws_claim_t *claim, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_scale_aws_compare(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, ngx_array_t *headers,
    ngx_scale_aws_claim_t *claim);
static const char *ngx_scale_aws_check(ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_claim_t *claim);
static const char *ngx_scale_aws_check_time(ngx_scale_aws_claim_t *claim,
    time_t now, time_t skew);
static time_t ngx_scale_aws_time(ngx_str_t *date);
static ngx_int_t ngx_scale_aws_signed(ngx_pool_t *pool,
    ngx_array_t *headers, ngx_str_t *names, ngx_array_t *list);
static ngx_uint_t ngx_scale_aws_is_named(ngx_str_t *names, ngx_str_t *name);
static ngx_uint_t ngx_scale_aws_must_be_signed(ngx_str_t *name);


static ngx_scale_aws_part_t  ngx_scale_aws_args_parts[] = {
    { ngx_string("X-Amz-Algorithm"),
      offsetof(ngx_scale_aws_claim_t, algorithm) },
    { ngx_string("X-Amz-Credential"),
      offsetof(ngx_scale_aws_claim_t, credential) },
    { ngx_string("X-Amz-Date"), offsetof(ngx_scale_aws_claim_t, date) },
    { ngx_string("X-Amz-Expires"), offsetof(ngx_scale_aws_claim_t, expires) },
    { ngx_string("X-Amz-SignedHeaders"),
      offsetof(ngx_scale_aws_claim_t, names) },
    { ngx_string("X-Amz-Signature"),
      offsetof(ngx_scale_aws_claim_t, signature) },
    { ngx_string("X-Amz-Security-Token"),
      offsetof(ngx_scale_aws_claim_t, token) },
    { ngx_null_string, 0 }
};

static ngx_scale_aws_part_t  ngx_scale_aws_authorization_parts[] = {
    { ngx_string("Credential"), offsetof(ngx_scale_aws_claim_t, credential) },
    { ngx_string("SignedHeaders"), offsetof(ngx_scale_aws_claim_t, names) },
    { ngx_string("Signature"), offsetof(ngx_scale_aws_claim_t, signature) },
    { ngx_null_string, 0 }
};

static ngx_scale_aws_part_t  ngx_scale_aws_fields_parts[] = {
    { ngx_string("x-amz-date"), offsetof(ngx_scale_aws_claim_t, date) },
    { ngx_string("x-amz-security-token"),
      offsetof(ngx_scale_aws_claim_t, token) },
    { ngx_string("x-amz-content-sha256"),
      offsetof(ngx_scale_aws_claim_t, payload) },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_scale_aws_verify(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, time_t now, time_t skew,
    const char **reason)
{
    ngx_int_t               rc;
    ngx_array_t             headers;
    ngx_scale_aws_claim_t   claim;

    ngx_memzero(&claim, sizeof(ngx_scale_aws_claim_t));

    rc = ngx_scale_aws_claim_args(pool, &request->args, &claim);

    if (rc == NGX_OK) {
        rc = ngx_scale_aws_claim_fields(request->headers, &claim);
    }

    if (rc != NGX_OK) {
        *reason = "its signature is malformed, or given more than once";
        return rc;
    }

    *reason = ngx_scale_aws_check(scope, credentials, &claim);

    if (*reason == NULL) {
        *reason = ngx_scale_aws_check_time(&claim, now, skew);
    }

    if (*reason) {
        return NGX_DECLINED;
    }

    if (ngx_array_init(&headers, pool, 8, sizeof(ngx_keyval_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_scale_aws_signed(pool, request->headers, &claim.names, &headers);

    if (rc != NGX_OK) {
        *reason = "a header that must be signed is not";
        return rc;
    }

    request->payload = claim.payload;

    rc = ngx_scale_aws_compare(pool, scope, credentials, request, &headers,
                               &claim);

    if (rc == NGX_DECLINED) {
        *reason = "it is not what was signed";
    }

    return rc;
}


static ngx_int_t
ngx_scale_aws_claim_args(ngx_pool_t *pool, ngx_str_t *args,
    ngx_scale_aws_claim_t *claim)
{
    u_char        *p;
    ngx_str_t      rest;
    ngx_keyval_t   arg;

    rest = *args;

    while (ngx_scale_aws_next_arg(&rest, &arg) == NGX_OK) {

        p = ngx_pnalloc(pool, arg.key.len + arg.value.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        arg.key.len = ngx_scale_aws_decode(p, &arg.key, 1) - p;
        arg.key.data = p;
        p += arg.key.len;
        arg.value.len = ngx_scale_aws_decode(p, &arg.value, 1) - p;
        arg.value.data = p;

        if (ngx_scale_aws_claim_set(ngx_scale_aws_args_parts, claim,
                                    &arg.key, &arg.value)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* by arguments or by fields, not both; what is presigned has no hash */

static ngx_int_t
ngx_scale_aws_claim_fields(ngx_array_t *headers, ngx_scale_aws_claim_t *claim)
{
    ngx_uint_t              i, by_args;
    ngx_keyval_t           *field;
    ngx_scale_aws_claim_t   fields;

    field = headers->elts;
    by_args = claim->signature.len != 0;

    ngx_memzero(&fields, sizeof(ngx_scale_aws_claim_t));

    for (i = 0; i < headers->nelts; i++) {

        if (field[i].key.len == sizeof("Authorization") - 1
            && ngx_strncasecmp(field[i].key.data, (u_char *) "Authorization",
                               sizeof("Authorization") - 1)
               == 0)
        {
            if (by_args
                || ngx_scale_aws_claim_authorization(&field[i].value, claim)
                   != NGX_OK)
            {
                return NGX_DECLINED;
            }

            continue;
        }

        if (ngx_scale_aws_claim_set(ngx_scale_aws_fields_parts, &fields,
                                    &field[i].key, &field[i].value)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    if (by_args) {
        ngx_str_set(&claim->payload, NGX_SCALE_AWS_UNSIGNED);
        return NGX_OK;
    }

    claim->date = fields.date;
    claim->token = fields.token;
    claim->payload = fields.payload;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_claim_authorization(ngx_str_t *value,
    ngx_scale_aws_claim_t *claim)
{
    u_char     *p, *last, *end, *equals;
    ngx_str_t   name, part;

    p = value->data;
    last = p + value->len;

    end = ngx_strlchr(p, last, ' ');
    if (end == NULL || claim->algorithm.len) {
        return NGX_DECLINED;
    }

    claim->algorithm.data = p;
    claim->algorithm.len = end - p;

    for (p = end; p < last; p = end + 1) {

        while (p < last && *p == ' ') {
            p++;
        }

        end = ngx_strlchr(p, last, ',');
        end = end ? end : last;

        equals = ngx_strlchr(p, end, '=');
        if (equals == NULL) {
            return NGX_DECLINED;
        }

        name.data = p;
        name.len = equals - p;
        part.data = equals + 1;
        part.len = end - part.data;

        if (ngx_scale_aws_claim_set(ngx_scale_aws_authorization_parts, claim,
                                    &name, &part)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_aws_claim_set(ngx_scale_aws_part_t *part,
    ngx_scale_aws_claim_t *claim, ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t  *field;

    for ( /* void */ ; part->name.len; part++) {

        if (part->name.len != name->len
            || ngx_strncasecmp(part->name.data, name->data, name->len) != 0)
        {
            continue;
        }

        field = (ngx_str_t *) ((u_char *) claim + part->offset);

        if (field->len) {
            return NGX_DECLINED;
        }

        *field = *value;

        return NGX_OK;
    }

    return NGX_OK;
}


/* NULL: the claim is whole, and about us */

static const char *
ngx_scale_aws_check(ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_claim_t *claim)
{
    u_char  *p;
    size_t   len;

    if (claim->signature.len == 0) {
        return "it is not signed";
    }

    if (!ngx_scale_aws_is(&claim->algorithm, NGX_SCALE_AWS_ALGORITHM)
        || claim->signature.len != NGX_SCALE_AWS_HEX
        || claim->date.len != NGX_SCALE_AWS_DATE
        || claim->payload.len == 0)
    {
        return "its signature is not whole, or of another algorithm";
    }

    if (!ngx_scale_aws_is(&claim->payload, NGX_SCALE_AWS_UNSIGNED)
        && claim->payload.len != NGX_SCALE_AWS_HEX)
    {
        return "its body has a signature of another kind";
    }

    p = claim->credential.data;
    len = ngx_scale_aws_scope_len(scope);

    if (claim->credential.len != credentials->id.len + 1 + len
        || ngx_memcmp(p, credentials->id.data, credentials->id.len) != 0
        || p[credentials->id.len] != '/'
        || ngx_memcmp(p + credentials->id.len + 1, claim->date.data,
                      NGX_SCALE_AWS_DAY)
           != 0)
    {
        return "it is signed by another key, or for another day";
    }

    p += credentials->id.len + 1 + NGX_SCALE_AWS_DAY;

    if (*p++ != '/'
        || ngx_memcmp(p, scope->region.data, scope->region.len) != 0
        || p[scope->region.len] != '/'
        || ngx_memcmp(p + scope->region.len + 1, scope->service.data,
                      scope->service.len)
           != 0
        || ngx_memcmp(p + scope->region.len + 1 + scope->service.len,
                      "/" NGX_SCALE_AWS_REQUEST,
                      sizeof("/" NGX_SCALE_AWS_REQUEST) - 1)
           != 0)
    {
        return "it is signed for another region or service";
    }

    if (claim->token.len != credentials->token.len
        || !ngx_scale_aws_equal(claim->token.data, credentials->token.data,
                                claim->token.len))
    {
        return "it is signed in another session";
    }

    return NULL;
}


static const char *
ngx_scale_aws_check_time(ngx_scale_aws_claim_t *claim, time_t now, time_t skew)
{
    time_t  date, expires;

    date = ngx_scale_aws_time(&claim->date);

    if (date == NGX_ERROR) {
        return "its date is none";
    }

    if (date > now + skew) {
        return "it is signed in the future";
    }

    if (claim->expires.len == 0) {
        return date < now - skew ? "it was signed too long ago" : NULL;
    }

    expires = ngx_atotm(claim->expires.data, claim->expires.len);

    if (expires == NGX_ERROR || expires == 0
        || expires > NGX_SCALE_AWS_MAX_EXPIRES)
    {
        return "it lasts for less than a second, or more than seven days";
    }

    return now >= date + expires ? "it has expired" : NULL;
}


static time_t
ngx_scale_aws_time(ngx_str_t *date)
{
    u_char     *p;
    ngx_int_t   n[6];
    ngx_uint_t  i;
    u_char      text[sizeof("Sun, 30 Aug 2015 12:36:00 GMT")];

    static const char  *months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov",
                                     "Dec" };
    static struct {
        ngx_uint_t  at;
        ngx_uint_t  len;
    } part[] = { { 0, 4 }, { 4, 2 }, { 6, 2 }, { 9, 2 }, { 11, 2 },
                 { 13, 2 } };

    p = date->data;

    if (p[8] != 'T' || p[15] != 'Z') {
        return NGX_ERROR;
    }

    for (i = 0; i < 6; i++) {
        n[i] = ngx_atoi(p + part[i].at, part[i].len);

        if (n[i] == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (n[1] < 1 || n[1] > 12) {
        return NGX_ERROR;
    }

    p = ngx_snprintf(text, sizeof(text), "Sun, %02i %s %04i %02i:%02i:%02i GMT",
                     n[2], months[n[1] - 1], n[0], n[3], n[4], n[5]);

    return ngx_parse_http_time(text, p - text);
}


/* the signature that the request would have, of the claim's headers */

static ngx_int_t
ngx_scale_aws_compare(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, ngx_array_t *headers,
    ngx_scale_aws_claim_t *claim)
{
    u_char                   hex[NGX_SCALE_AWS_HEX];
    ngx_str_t                canonical, names, text;
    ngx_scale_aws_request_t  again;

    static ngx_str_t  signature = ngx_string("X-Amz-Signature");

    again = *request;
    again.headers = headers;

    if (ngx_scale_aws_canonical(pool, scope, &again, &signature, &canonical,
                                &names)
        != NGX_OK
        || ngx_scale_aws_text(pool, scope, claim->date.data, &canonical, &text)
           != NGX_OK
        || ngx_scale_aws_signature(scope, credentials, claim->date.data, &text,
                                   hex)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return names.len == claim->names.len
           && ngx_memcmp(names.data, claim->names.data, names.len) == 0
           && ngx_scale_aws_equal(hex, claim->signature.data,
                                  NGX_SCALE_AWS_HEX)
           ? NGX_OK : NGX_DECLINED;
}


/* the request's headers that the names are of */

static ngx_int_t
ngx_scale_aws_signed(ngx_pool_t *pool, ngx_array_t *headers, ngx_str_t *names,
    ngx_array_t *list)
{
    ngx_str_t      name;
    ngx_uint_t     i;
    ngx_keyval_t  *field, *copy;

    static ngx_str_t  host = ngx_string("host");

    field = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        name.len = field[i].key.len;
        name.data = ngx_pnalloc(pool, name.len + 1);
        if (name.data == NULL) {
            return NGX_ERROR;
        }

        ngx_strlow(name.data, field[i].key.data, name.len);

        if (!ngx_scale_aws_is_named(names, &name)) {

            if (ngx_scale_aws_must_be_signed(&name)) {
                return NGX_DECLINED;
            }

            continue;
        }

        copy = ngx_array_push(list);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        copy->key = name;
        copy->value = field[i].value;
    }

    return ngx_scale_aws_is_named(names, &host) ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
ngx_scale_aws_is_named(ngx_str_t *names, ngx_str_t *name)
{
    u_char  *p, *last, *end;

    last = names->data + names->len;

    for (p = names->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, ';');
        end = end ? end : last;

        if ((size_t) (end - p) == name->len
            && ngx_memcmp(p, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_scale_aws_must_be_signed(ngx_str_t *name)
{
    return name->len > sizeof("x-amz-") - 1
           && ngx_memcmp(name->data, "x-amz-", sizeof("x-amz-") - 1) == 0;
}
