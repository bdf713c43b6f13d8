
/*
 * What is said to a memcached before the first command, and what it says of
 * itself: the classic text protocol (memcached's protocol.txt, "Authentication"
 * and "Statistics").  Pure.
 */

#ifndef _NGX_SCALE_GREETING_H_INCLUDED_
#define _NGX_SCALE_GREETING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what is asked of each server; two lists are the answer */
#define NGX_SCALE_GREETING_STATS     "stats" CRLF "stats settings" CRLF

/* "user:password", and a line's end */
#define NGX_SCALE_GREETING_MAX_AUTH  250


/* why a server is not used, or should be started otherwise: bits of a word */

#define NGX_SCALE_FAULT_TLS          0x0001
#define NGX_SCALE_FAULT_AUTH         0x0002
#define NGX_SCALE_FAULT_ANSWER       0x0004
#define NGX_SCALE_FAULT_OLD          0x0008
#define NGX_SCALE_FAULT_CAS          0x0010
#define NGX_SCALE_FAULT_EXTSTORE     0x0020
#define NGX_SCALE_FAULT_WARM         0x0040
#define NGX_SCALE_FAULT_FATAL        0x00ff

#define NGX_SCALE_FAULT_EVICTS       0x0100
#define NGX_SCALE_FAULT_SMALL        0x0200
#define NGX_SCALE_FAULT_ANYBODY      0x0400


/* the text continues `memcached "name" ` and says what to do */

typedef struct {
    ngx_uint_t       fault;
    const char      *text;
} ngx_scale_fault_t;

/* ends with a fault of 0 */
extern const ngx_scale_fault_t  ngx_scale_faults[];


/* zeroed before the answer is read */

typedef struct {
    ngx_uint_t       faults;
    ngx_uint_t       lists;      /* that have ended */
    unsigned         version:1;  /* was told */
} ngx_scale_facts_t;


/* and the command it makes */
#define NGX_SCALE_GREETING_AUTH_SIZE                                          \
    (sizeof("set auth 0 -1 " CRLF CRLF) + NGX_SIZE_T_LEN                      \
     + NGX_SCALE_GREETING_MAX_AUTH)

/*
 * The command that authenticates, of a file that holds "user:password" in up
 * to NGX_SCALE_GREETING_MAX_AUTH bytes; command->data has room for
 * NGX_SCALE_GREETING_AUTH_SIZE.  NGX_DECLINED: "error" says what is wrong with
 * the content, and the command is as it was.
 */
ngx_int_t ngx_scale_greeting_auth(ngx_str_t *content, ngx_str_t *command,
    ngx_str_t *error);

/* the answer to it.  NGX_AGAIN: not complete; NGX_ERROR: not "STORED" */
ngx_int_t ngx_scale_greeting_stored(u_char **pos, u_char *last);

/*
 * Reads the answer to NGX_SCALE_GREETING_STATS, as far as it goes, and moves
 * *pos behind it.  NGX_OK: it is complete, "faults" says what it amounts to;
 * NGX_ERROR: *pos is at the line that is none of such an answer.
 */
ngx_int_t ngx_scale_greeting_stats(u_char **pos, u_char *last,
    ngx_scale_facts_t *facts);


#endif /* _NGX_SCALE_GREETING_H_INCLUDED_ */
