
/* what the files of the room share */

#ifndef _NGX_SCALE_AWS_INT_H_INCLUDED_
#define _NGX_SCALE_AWS_INT_H_INCLUDED_


#include "aws/aws.h"


#define NGX_SCALE_AWS_ALGORITHM  "AWS4-HMAC-SHA256"
#define NGX_SCALE_AWS_REQUEST    "aws4_request"

#define ngx_scale_aws_copy(p, s)  ngx_cpymem(p, (s)->data, (s)->len)

#define ngx_scale_aws_is(s, text)                                             \
    ((s)->len == sizeof(text) - 1                                             \
     && ngx_memcmp((s)->data, text, sizeof(text) - 1) == 0)


/* digest.c: NGX_ERROR where OpenSSL has none of its memory */

ngx_int_t ngx_scale_aws_sha256(u_char *data, size_t len, u_char *digest);
ngx_int_t ngx_scale_aws_hmac(u_char *key, size_t key_len, u_char *data,
    size_t len, u_char *mac);

/* in constant time */
ngx_uint_t ngx_scale_aws_equal(u_char *a, u_char *b, size_t len);


/* encode.c */

/* of unreserved characters (RFC 3986, section 2.3) and, if "slash", of "/" */
u_char *ngx_scale_aws_encode(u_char *p, u_char *data, size_t len,
    ngx_uint_t slash);

/* "%XX", and "+" where it is a space; what is malformed is as it is */
u_char *ngx_scale_aws_decode(u_char *p, ngx_str_t *text, ngx_uint_t plus);

/*
 * Takes the first "name=value" off "rest", still encoded; NGX_DONE: there is
 * none.
 */
ngx_int_t ngx_scale_aws_next_arg(ngx_str_t *rest, ngx_keyval_t *arg);


/* key.c */

/* "day/region/service/aws4_request" */
size_t ngx_scale_aws_scope_len(ngx_scale_aws_scope_t *scope);
u_char *ngx_scale_aws_scope_write(u_char *p, ngx_scale_aws_scope_t *scope,
    u_char *date);

ngx_int_t ngx_scale_aws_signature(ngx_scale_aws_scope_t *scope,
    ngx_scale_aws_credentials_t *credentials, u_char *date, ngx_str_t *text,
    u_char *hex);

/* S3 signs paths as they are */
ngx_uint_t ngx_scale_aws_is_s3(ngx_scale_aws_scope_t *scope);


#endif /* _NGX_SCALE_AWS_INT_H_INCLUDED_ */
