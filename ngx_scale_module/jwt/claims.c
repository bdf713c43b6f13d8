
#include "jwt/claims.h"
#include "jwt/date.h"


enum {
    NGX_SCALE_JWT_EXP = 0,
    NGX_SCALE_JWT_NBF,
    NGX_SCALE_JWT_IAT,
    NGX_SCALE_JWT_ISS,
    NGX_SCALE_JWT_SUB,
    NGX_SCALE_JWT_AUD,
    NGX_SCALE_JWT_NCLAIMS
};

static ngx_str_t  ngx_scale_jwt_names[] = {
    [NGX_SCALE_JWT_EXP] = ngx_string("exp"),
    [NGX_SCALE_JWT_NBF] = ngx_string("nbf"),
    [NGX_SCALE_JWT_IAT] = ngx_string("iat"),
    [NGX_SCALE_JWT_ISS] = ngx_string("iss"),
    [NGX_SCALE_JWT_SUB] = ngx_string("sub"),
    [NGX_SCALE_JWT_AUD] = ngx_string("aud")
};


static ngx_int_t ngx_scale_jwt_dates(ngx_scale_raw_t *claims, time_t leeway,
    time_t now, ngx_scale_jwt_t *jwt);
static ngx_int_t ngx_scale_jwt_time(ngx_scale_raw_t *claim, time_t *date);
static ngx_int_t ngx_scale_jwt_names_who(ngx_scale_raw_t *claims,
    ngx_array_t *issuers, ngx_scale_jwt_t *jwt);
static ngx_int_t ngx_scale_jwt_for_us(ngx_scale_raw_t *aud,
    ngx_array_t *audiences, ngx_scale_jwt_t *jwt);
static ngx_uint_t ngx_scale_jwt_any(ngx_array_t *known, ngx_scale_raw_t *text);


static const char  ngx_scale_jwt_malformed[] = "the claims are malformed";


ngx_int_t
ngx_scale_jwt_claims(ngx_pool_t *pool, ngx_scale_jwt_trust_t *trust,
    time_t now, ngx_scale_jwt_t *jwt)
{
    ngx_int_t        rc;
    ngx_scale_raw_t  claims[NGX_SCALE_JWT_NCLAIMS];

    rc = trust->json.read(trust->json.data, pool, &jwt->payload,
                          ngx_scale_jwt_names, NGX_SCALE_JWT_NCLAIMS, claims);

    if (rc == NGX_DECLINED) {
        return ngx_scale_jwt_refuse(jwt, ngx_scale_jwt_malformed,
                                    "its payload is no JSON object, or names "
                                    "a member twice");
    }

    if (rc == NGX_OK) {
        rc = ngx_scale_jwt_dates(claims, trust->leeway, now, jwt);
    }

    if (rc == NGX_OK) {
        rc = ngx_scale_jwt_for_us(&claims[NGX_SCALE_JWT_AUD],
                                  trust->audiences, jwt);
    }

    return rc == NGX_OK ? ngx_scale_jwt_names_who(claims, trust->issuers, jwt)
                        : rc;
}


/* RFC 7519, sections 4.1.4 to 4.1.6 */

static ngx_int_t
ngx_scale_jwt_dates(ngx_scale_raw_t *claims, time_t leeway, time_t now,
    ngx_scale_jwt_t *jwt)
{
    time_t  expires, begins, issued;

    if (claims[NGX_SCALE_JWT_EXP].kind == NGX_SCALE_RAW_ABSENT) {
        return ngx_scale_jwt_refuse(jwt, "the token never expires",
                                    "it has no \"exp\"");
    }

    if (ngx_scale_jwt_time(&claims[NGX_SCALE_JWT_EXP], &expires) != NGX_OK
        || ngx_scale_jwt_time(&claims[NGX_SCALE_JWT_NBF], &begins) != NGX_OK
        || ngx_scale_jwt_time(&claims[NGX_SCALE_JWT_IAT], &issued) != NGX_OK)
    {
        return ngx_scale_jwt_refuse(jwt, ngx_scale_jwt_malformed,
                                    "its \"exp\", \"nbf\" or \"iat\" is no "
                                    "date from 1970 to 9999, in seconds");
    }

    if (now >= expires + leeway) {
        return ngx_scale_jwt_refuse(jwt, "the token has expired",
                                    "it has expired");
    }

    if (now < begins - leeway) {
        return ngx_scale_jwt_refuse(jwt, "the token is not valid yet",
                                    "its \"nbf\" is to come");
    }

    if (now < issued - leeway) {
        return ngx_scale_jwt_refuse(jwt, "the token is not valid yet",
                                    "its \"iat\" is to come");
    }

    return NGX_OK;
}


/* one that is not there was long ago */

static ngx_int_t
ngx_scale_jwt_time(ngx_scale_raw_t *claim, time_t *date)
{
    if (claim->kind == NGX_SCALE_RAW_ABSENT) {
        *date = 0;
        return NGX_OK;
    }

    if (claim->kind != NGX_SCALE_RAW_NUMBER) {
        return NGX_DECLINED;
    }

    return ngx_scale_jwt_date(&claim->text, date);
}


/* RFC 7519, section 4.1.3: who is not meant must refuse it */

static ngx_int_t
ngx_scale_jwt_for_us(ngx_scale_raw_t *aud, ngx_array_t *audiences,
    ngx_scale_jwt_t *jwt)
{
    ngx_uint_t  i;

    if (audiences == NULL) {
        if (aud->kind == NGX_SCALE_RAW_ABSENT) {
            return NGX_OK;
        }

        return ngx_scale_jwt_refuse(jwt, "the token is for another audience",
                                    "it has an \"aud\", and \"audience\" says "
                                    "of none that it is meant");
    }

    if (ngx_scale_jwt_any(audiences, aud)) {
        return NGX_OK;
    }

    for (i = 0; i < aud->nelts; i++) {
        if (ngx_scale_jwt_any(audiences, &aud->elts[i])) {
            return NGX_OK;
        }
    }

    return ngx_scale_jwt_refuse(jwt, "the token is for another audience",
                                "its \"aud\" has none of \"audience\"");
}


static ngx_int_t
ngx_scale_jwt_names_who(ngx_scale_raw_t *claims, ngx_array_t *issuers,
    ngx_scale_jwt_t *jwt)
{
    ngx_scale_raw_t  *iss, *sub;

    iss = &claims[NGX_SCALE_JWT_ISS];
    sub = &claims[NGX_SCALE_JWT_SUB];

    if (issuers && !ngx_scale_jwt_any(issuers, iss)) {
        return ngx_scale_jwt_refuse(jwt, "the token is of another issuer",
                                    "its \"iss\" is none of \"issuer\"");
    }

    if (iss->kind != NGX_SCALE_RAW_ABSENT
        && iss->kind != NGX_SCALE_RAW_STRING)
    {
        return ngx_scale_jwt_refuse(jwt, ngx_scale_jwt_malformed,
                                    "its \"iss\" is no string");
    }

    /* who names nobody would share what is somebody's */

    if (sub->kind != NGX_SCALE_RAW_STRING || sub->text.len == 0) {
        return ngx_scale_jwt_refuse(jwt, "the token names nobody",
                                    "its \"sub\" is no string, or empty");
    }

    jwt->issuer = iss->text;
    jwt->subject = sub->text;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_jwt_any(ngx_array_t *known, ngx_scale_raw_t *text)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    name = known->elts;

    for (i = 0; text->kind == NGX_SCALE_RAW_STRING && i < known->nelts; i++) {
        if (ngx_scale_same(&name[i], &text->text)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_scale_jwt_refuse(ngx_scale_jwt_t *jwt, const char *description,
    const char *reason)
{
    jwt->description = description;
    jwt->reason = reason;

    return NGX_DECLINED;
}
