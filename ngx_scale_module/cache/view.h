
/*
 * What the ring is at one time: its nodes, their stamps, and the versions that
 * its list of members had since the epoch began.  Plain memory without
 * pointers, so that it can lie in shared memory; what is not used is zero, so
 * that equal views are equal bytes.
 *
 * A node's state is a word: a random stamp, and in its lowest bit whether the
 * node is out of use.
 */

#ifndef _NGX_SCALE_VIEW_H_INCLUDED_
#define _NGX_SCALE_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


#define NGX_SCALE_VIEW_NODES     64
#define NGX_SCALE_VIEW_VERSIONS  8
#define NGX_SCALE_VIEW_NAME      112
#define NGX_SCALE_VIEW_PORT      11211
#define NGX_SCALE_VIEW_COPIES    3         /* of a session, at most */


#define ngx_scale_view_is_out(word)  ((word) & 1)


typedef enum {
    NGX_SCALE_VIEW_PAST = 0,           /* of an older version only */
    NGX_SCALE_VIEW_MEMBER,
    NGX_SCALE_VIEW_GUTTER
} ngx_scale_view_role_e;


/* "name" is as written: "host:port", "host" or "unix:path" */

typedef struct {
    uint64_t                      word;
    uint32_t                      role;
    uint32_t                      weight;
    uint32_t                      socklen;
    uint32_t                      len;
    ngx_sockaddr_t                sockaddr;
    u_char                        name[NGX_SCALE_VIEW_NAME];
} ngx_scale_view_node_t;


typedef struct {
    uint64_t                      stamp;
    uint32_t                      n;
    uint8_t                       nodes[NGX_SCALE_VIEW_NODES];
    uint32_t                      weights[NGX_SCALE_VIEW_NODES];
} ngx_scale_view_version_t;


/* the newest version is the first; "off": no node serves anything */

typedef struct {
    uint64_t                      epoch;
    uint32_t                      off;
    uint32_t                      nnodes;
    uint32_t                      nversions;
    ngx_scale_view_version_t      versions[NGX_SCALE_VIEW_VERSIONS];
    ngx_scale_view_node_t         nodes[NGX_SCALE_VIEW_NODES];
} ngx_scale_view_t;


/* a server as nginx.conf has it */

typedef struct {
    ngx_str_t                     name;
    ngx_addr_t                   *addr;  /* no sockaddr: not yet known */
    ngx_uint_t                    weight;
    unsigned                      gutter:1;
} ngx_scale_view_server_t;


/*
 * What scale.ring_refresh() of scale.sql returned: kind, addr, weight, state,
 * stamp.  No rows are a ring that is off.  NGX_ERROR: "reason" says what no
 * such function returns.
 */
ngx_int_t ngx_scale_view_parse(ngx_scale_view_t *view, ngx_scale_rows_t *rows,
    ngx_str_t *reason);

/* are these the servers that the view has */
ngx_uint_t ngx_scale_view_same(ngx_scale_view_t *view,
    ngx_scale_view_server_t *servers, ngx_uint_t n);

/*
 * The view of other servers than before: a version more, and stamps of
 * "random" for the nodes that are new.  "view" is what was, and all zero where
 * there was nothing.  NGX_ERROR: a name is too long, or there are too many.
 */
ngx_int_t ngx_scale_view_change(ngx_scale_view_t *view,
    ngx_scale_view_server_t *servers, ngx_uint_t n, uint64_t (*random)(void));

/* a name's host and port; a port of 0 makes the host a path */
void ngx_scale_view_split(u_char *name, size_t len, ngx_str_t *host,
    in_port_t *port);

/* a node of a new name; NULL: it is not, too long, or there are too many */
ngx_scale_view_node_t *ngx_scale_view_add(ngx_scale_view_t *view,
    u_char *name, size_t len);

/* NULL: there is none of that name */
ngx_scale_view_node_t *ngx_scale_view_find(ngx_scale_view_t *view,
    u_char *name, size_t len);


#endif /* _NGX_SCALE_VIEW_H_INCLUDED_ */
