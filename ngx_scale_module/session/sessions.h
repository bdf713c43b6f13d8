
/*
 * Sessions: what a cookie says, what is kept of it, when it is over, and
 * whether a request with one was made by a page of somebody else.  Pure: who
 * calls brings memory, the time, and what the digests and signatures are.
 *
 * The cookie is base64url (RFC 4648, 5) of an id, the tag of its user and the
 * signature of both, so that nobody is asked about what was made up.
 */

#ifndef _NGX_SCALE_SESSIONS_H_INCLUDED_
#define _NGX_SCALE_SESSIONS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_SESSION_ID      16
#define NGX_SCALE_SESSION_TAG     16
#define NGX_SCALE_SESSION_MAC     16
#define NGX_SCALE_SESSION_TEXT    64      /* characters of it all */

/* of a session's name, in characters */
#define NGX_SCALE_SESSION_NAME    32

/* what is signed: the name, a NUL, the id and the tag */
#define NGX_SCALE_SESSION_SIGNED                                              \
    (NGX_SCALE_SESSION_NAME + 1 + NGX_SCALE_SESSION_ID + NGX_SCALE_SESSION_TAG)

#define NGX_SCALE_SESSION_DIGEST  32      /* hexadecimal digits */
#define NGX_SCALE_SESSION_KEY                                                 \
    (NGX_SCALE_SESSION_NAME + sizeof("/i/") - 1 + NGX_SCALE_SESSION_DIGEST)

/* of the JSON that is kept */
#define NGX_SCALE_SESSION_MAX     8192


typedef struct {
    u_char       id[NGX_SCALE_SESSION_ID];
    u_char       tag[NGX_SCALE_SESSION_TAG];
    u_char       mac[NGX_SCALE_SESSION_MAC];
} ngx_scale_session_token_t;


/*
 * token.c: NGX_DECLINED where the text is none; "text" of write() has room for
 * NGX_SCALE_SESSION_TEXT characters, "bytes" for NGX_SCALE_SESSION_SIGNED.
 */
ngx_int_t ngx_scale_session_token_read(ngx_scale_session_token_t *token,
    ngx_str_t *text);
void ngx_scale_session_token_write(ngx_scale_session_token_t *token,
    u_char *text);
size_t ngx_scale_session_token_signed(ngx_scale_session_token_t *token,
    ngx_str_t *name, u_char *bytes);

/*
 * The key of a session ('i', the digest of its id) or of its user's generation
 * ('u', the tag in hexadecimal); returns its end.
 */
u_char *ngx_scale_session_key(u_char *p, ngx_str_t *name, u_char kind,
    u_char *digest);


/* cookie.c */

typedef struct {
    ngx_str_t    name;
    ngx_str_t    same_site;
    unsigned     secure:1;
} ngx_scale_session_cookie_t;

/*
 * The next value of the cookie "name" in a Cookie field (RFC 6265, section
 * 5.4), which is taken off "rest".  Names differ by case, too: browsers hold
 * only "__Host-" and not "__host-" to be what it says.  NGX_DONE: no more.
 */
ngx_int_t ngx_scale_session_cookie_next(ngx_str_t *rest, ngx_str_t *name,
    ngx_str_t *value);

/* the Set-Cookie field; an empty value and 0 seconds take the cookie away */
size_t ngx_scale_session_cookie_len(ngx_scale_session_cookie_t *cookie,
    ngx_str_t *value);
u_char *ngx_scale_session_cookie_write(u_char *p,
    ngx_scale_session_cookie_t *cookie, ngx_str_t *value, time_t max_age);


/* record.c: what is kept; numbers are big endian */

#define NGX_SCALE_SESSION_GENERATION  8
#define NGX_SCALE_SESSION_HEAD        17

typedef struct {
    uint64_t     generation;               /* of its user, when it began */
    time_t       created;
    ngx_str_t    json;                     /* an object; points into the text */
} ngx_scale_session_record_t;

/* "text" has room for NGX_SCALE_SESSION_HEAD bytes and the JSON */
void ngx_scale_session_record_write(ngx_scale_session_record_t *record,
    u_char *text);
ngx_int_t ngx_scale_session_record_read(ngx_scale_session_record_t *record,
    ngx_str_t *text);

void ngx_scale_session_generation_write(uint64_t generation, u_char *text);
ngx_int_t ngx_scale_session_generation_read(uint64_t *generation,
    ngx_str_t *text);

/* seconds that are left of it; 0: it is over */
time_t ngx_scale_session_left(ngx_scale_session_record_t *record, time_t ttl,
    time_t now);

/*
 * What ends "left" seconds from now if nobody comes is to be put off, as it
 * was for "idle" when somebody came last: each sixteenth of that at most.
 */
ngx_uint_t ngx_scale_session_is_due(time_t left, time_t idle);


/* csrf.c: fields of a request as they came, empty where they did not */

typedef struct {
    ngx_str_t    site;                     /* Sec-Fetch-Site */
    ngx_str_t    origin;
    ngx_str_t    scheme;
    ngx_str_t    host;                     /* with its port, if it is named */
} ngx_scale_session_origin_t;

/*
 * The page that made the request is this host's, by what browsers say, or of
 * one of "origins" (of ngx_str_t; NULL: none).  NGX_DECLINED: it is somebody
 * else's, or nothing is said.
 */
ngx_int_t ngx_scale_session_is_ours(ngx_scale_session_origin_t *request,
    ngx_array_t *origins);


#endif /* _NGX_SCALE_SESSIONS_H_INCLUDED_ */
