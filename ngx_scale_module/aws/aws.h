
/*
 * AWS Signature Version 4: requests signed, presigned and verified, for S3 and
 * for the other services (Amazon S3 API Reference, "Authenticating Requests
 * (AWS Signature Version 4)"; IAM User Guide, "Create a signed AWS API
 * request").  Pure: time and memory are arguments, and no request is known,
 * only its parts.  OpenSSL is in digest.c alone.
 *
 * NGX_ERROR is memory everywhere.  A body is signed as a whole or not at all:
 * the chunked signatures, "STREAMING-...", are not spoken.
 */

#ifndef _NGX_SCALE_AWS_H_INCLUDED_
#define _NGX_SCALE_AWS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_AWS_DIGEST       32
#define NGX_SCALE_AWS_HEX          64
#define NGX_SCALE_AWS_DATE         16      /* 20150830T123600Z */
#define NGX_SCALE_AWS_DAY          8

#define NGX_SCALE_AWS_MAX_EXPIRES  604800  /* seconds: seven days */

#define NGX_SCALE_AWS_UNSIGNED     "UNSIGNED-PAYLOAD"


typedef struct {
    ngx_str_t      id;
    ngx_str_t      secret;
    ngx_str_t      token;                  /* of a session, or empty */
    ngx_uint_t     version;                /* another for other ones */
} ngx_scale_aws_credentials_t;

/*
 * Out of a file as AWS's tools have it: "name = value" lines, those before
 * the first section and those of [default].  The strings point into the
 * content.  NGX_DECLINED with "error", which quotes none of it.
 */
ngx_int_t ngx_scale_aws_credentials_read(ngx_str_t *content,
    ngx_scale_aws_credentials_t *credentials, ngx_str_t *error);


/*
 * What a signature is good for, and the key for it, which is derived once for
 * each day and each version of the credentials.
 */

typedef struct {
    ngx_str_t      region;
    ngx_str_t      service;
    ngx_uint_t     version;                /* of whose key it is; 0: none */
    u_char         day[NGX_SCALE_AWS_DAY];
    u_char         key[NGX_SCALE_AWS_DIGEST];
} ngx_scale_aws_scope_t;

/* wipes the key */
void ngx_scale_aws_scope_forget(ngx_scale_aws_scope_t *scope);


/* as it is sent; "path" and "args" are still percent-encoded */

typedef struct {
    ngx_str_t      method;
    ngx_str_t      path;
    ngx_str_t      args;
    ngx_array_t   *headers;                /* of ngx_keyval_t */
    ngx_str_t      payload;                /* its hash, or UNSIGNED */
} ngx_scale_aws_request_t;


/* SHA-256 in hexadecimal digits, which is what a payload is signed by */
ngx_int_t ngx_scale_aws_hash(u_char *data, size_t len, u_char *hex);

/* as X-Amz-Date has it: NGX_SCALE_AWS_DATE characters */
void ngx_scale_aws_date(time_t now, u_char *date);

/*
 * The canonical form of a path.  S3: each byte encoded once, and "//", "." and
 * ".." are parts of a name; other services: dot segments and empty ones are
 * removed, and what is encoded is encoded again.
 */
ngx_int_t ngx_scale_aws_path(ngx_pool_t *pool, ngx_str_t *path,
    ngx_uint_t s3, ngx_str_t *canonical);

/* a path in clear, each byte encoded once */
ngx_int_t ngx_scale_aws_encode_path(ngx_pool_t *pool, ngx_str_t *path,
    ngx_str_t *encoded);

/* a path without its encoding has a segment "." or ".." */
ngx_uint_t ngx_scale_aws_has_dots(ngx_str_t *path);

/*
 * Arguments in their canonical order and encoding, of which "+" is a space.
 * "except", unless NULL, is left out.
 */
ngx_int_t ngx_scale_aws_args(ngx_pool_t *pool, ngx_str_t *args,
    ngx_str_t *except, ngx_str_t *canonical);

/*
 * The canonical request, and the names of its headers.  All headers are
 * signed; names are in any case and order.
 */
ngx_int_t ngx_scale_aws_canonical(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_request_t *request,
    ngx_str_t *except, ngx_str_t *canonical, ngx_str_t *names);

/* what is signed: "date" is that of ngx_scale_aws_date() */
ngx_int_t ngx_scale_aws_text(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    u_char *date, ngx_str_t *canonical, ngx_str_t *text);


/*
 * The value of Authorization.  The request's headers are host, x-amz-date,
 * which is "date", x-amz-security-token where the credentials have one,
 * x-amz-content-sha256 for S3, and whatever else is to be signed.
 */
ngx_int_t ngx_scale_aws_authorize(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, u_char *date, ngx_str_t *authorization);

/*
 * The arguments of a URL that is good for "expires" seconds from "now" on, of
 * a request that comes with the headers, host among them.  What the request
 * has of arguments is among them.
 */
ngx_int_t ngx_scale_aws_presign(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, time_t now, time_t expires,
    ngx_str_t *args);


/* a form that uploads an object: what it may be */

typedef struct {
    ngx_str_t      bucket;
    ngx_str_t      key;
    ngx_str_t      type;                   /* "image/png", or empty: any */
    ngx_str_t      family;                 /* "image/", instead of a type */
    off_t          min;                    /* bytes */
    off_t          max;                    /* 0: no limit */
} ngx_scale_aws_post_t;

/*
 * The fields of the form, of ngx_keyval_t, but for the file, which comes last
 * and, of a family, for Content-Type (Amazon S3 API Reference, "POST Policy").
 */
ngx_int_t ngx_scale_aws_policy(ngx_pool_t *pool, ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, ngx_scale_aws_post_t *post,
    time_t now, time_t expires, ngx_array_t *fields);


/*
 * A request that came, with all its headers: signed by the credentials, for
 * the scope, by arguments or by Authorization, at "now" or at most "skew"
 * seconds from it.  "payload" is set to what was signed.  Host and every
 * x-amz-... header must be signed.  Signatures are compared in constant time.
 * NGX_DECLINED with "reason", static text for a log.
 */
ngx_int_t ngx_scale_aws_verify(ngx_pool_t *pool,
    ngx_scale_aws_scope_t *scope, ngx_scale_aws_credentials_t *credentials,
    ngx_scale_aws_request_t *request, time_t now, time_t skew,
    const char **reason);


#endif /* _NGX_SCALE_AWS_H_INCLUDED_ */
