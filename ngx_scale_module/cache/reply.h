
/*
 * One reply of memcached's meta protocol.  Pure; strict where a doubt would
 * match a reply to another command, deaf to flags it does not know.
 */

#ifndef _NGX_SCALE_REPLY_H_INCLUDED_
#define _NGX_SCALE_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a line without a value, and a value */
#define NGX_SCALE_REPLY_MAX_LINE   2048
#define NGX_SCALE_REPLY_MAX_VALUE  (1024 * 1024 + 65536)


typedef enum {
    NGX_SCALE_REPLY_VA = 0,
    NGX_SCALE_REPLY_HD,
    NGX_SCALE_REPLY_EN,
    NGX_SCALE_REPLY_NF,
    NGX_SCALE_REPLY_EX,
    NGX_SCALE_REPLY_NS,
    NGX_SCALE_REPLY_MN,
    NGX_SCALE_REPLY_SERVER_ERROR,
    NGX_SCALE_REPLY_NCODES
} ngx_scale_reply_code_e;


typedef struct {
    ngx_scale_reply_code_e    code;
    ngx_str_t                 value;
    uint64_t                  cas;
    uint64_t                  opaque;
    uint32_t                  flags;
    time_t                    ttl;         /* seconds left, -1: no end */
    size_t                    size;        /* AGAIN: of the whole reply, or 0 */
    unsigned                  has_opaque:1;
    unsigned                  won:1;
    unsigned                  wait:1;
    unsigned                  old:1;
} ngx_scale_reply_t;


/* replies that may come without the opaque of their command */
#define ngx_scale_reply_is_bare(code)                                         \
    ((code) == NGX_SCALE_REPLY_EN || (code) == NGX_SCALE_REPLY_MN             \
     || (code) == NGX_SCALE_REPLY_SERVER_ERROR)


/*
 * Reads a reply at *pos and moves *pos behind it; "value" points into the
 * buffer.  NGX_AGAIN: it is not complete; NGX_ERROR: not a reply we know, and
 * nothing after it can be trusted (CLIENT_ERROR and ERROR included).
 */
ngx_int_t ngx_scale_reply_parse(u_char **pos, u_char *last,
    ngx_scale_reply_t *reply);


#endif /* _NGX_SCALE_REPLY_H_INCLUDED_ */
