
/*
 * What clients carry for us and must not change: signed with the lines of
 * scale_secret_file.  Nothing here allocates after the configuration is read.
 */

#ifndef _NGX_SCALE_SIGN_H_INCLUDED_
#define _NGX_SCALE_SIGN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_SIGN_SECRETS     2
#define NGX_SCALE_SIGN_SECRET_MIN  16     /* characters */
#define NGX_SCALE_SIGN_KEY         32
#define NGX_SCALE_SIGN_MAC         16
#define NGX_SCALE_SIGN_MAX         8192   /* a name, a NUL and the data */


/* the first signs, each of the "n" verifies; 0: there is no secret */

typedef struct {
    ngx_uint_t    n;
    u_char        key[NGX_SCALE_SIGN_SECRETS][NGX_SCALE_SIGN_KEY];
} ngx_scale_sign_keys_t;


/*
 * Keys out of a secret file's content, one line each.  NGX_DECLINED with the
 * reason in "error", which never quotes the content.
 */
ngx_int_t ngx_scale_sign_keys(ngx_scale_sign_keys_t *keys, ngx_str_t *content,
    ngx_str_t *error);

/*
 * HMAC-SHA256 (RFC 2104) of the context's name, a NUL and the data, cut to
 * 128 bits.  Contexts keep what is signed for one use from another.
 * NGX_ERROR: they are longer than NGX_SCALE_SIGN_MAX; "mac" is zeros then,
 * which no data has for its signature.
 */
ngx_int_t ngx_scale_sign(ngx_scale_sign_keys_t *keys, const char *context,
    u_char *data, size_t len, u_char *mac);

/*
 * In constant time: NGX_OK or NGX_DECLINED.  What is too long to be signed has
 * no signature.
 */
ngx_int_t ngx_scale_sign_verify(ngx_scale_sign_keys_t *keys,
    const char *context, u_char *data, size_t len, u_char *mac);

/* SHA-256, cut to 128 bits and in hexadecimal digits */
#define NGX_SCALE_SIGN_DIGEST      32

void ngx_scale_sign_digest(u_char *data, size_t len, u_char *hex);

/* the same as bytes, NGX_SCALE_SIGN_DIGEST / 2 of them */
void ngx_scale_sign_hash(u_char *data, size_t len, u_char *hash);

/* all of it: FIPS 180-4 */
#define NGX_SCALE_SIGN_SHA256      64

void ngx_scale_sign_sha256(u_char *data, size_t len, u_char *hex);


/*
 * The read-your-writes token of scale_consistency bounded: where in the
 * database's write-ahead log a client's last write ended.  Fields are big
 * endian: version, system identifier, timeline, LSN, seconds since 1970, and
 * the signature; base64url (RFC 4648, 5) of all of it.
 */

/* 29 bytes and the signature, in base64url */
#define NGX_SCALE_TOKEN_LEN  60


typedef struct {
    uint64_t      system;
    uint32_t      timeline;
    uint64_t      lsn;
    uint64_t      time;
} ngx_scale_written_t;


/* "text" has room for NGX_SCALE_TOKEN_LEN characters */
void ngx_scale_token_write(ngx_scale_sign_keys_t *keys,
    ngx_scale_written_t *written, u_char *text);

/* NGX_DECLINED: not ours, or changed */
ngx_int_t ngx_scale_token_read(ngx_scale_sign_keys_t *keys, ngx_str_t *text,
    ngx_scale_written_t *written);


#endif /* _NGX_SCALE_SIGN_H_INCLUDED_ */
