
/* a view, of the rows that the database has of its ring */

#include "cache/view.h"


enum {
    NGX_SCALE_VIEW_KIND = 0,
    NGX_SCALE_VIEW_ADDR,
    NGX_SCALE_VIEW_WEIGHT,
    NGX_SCALE_VIEW_STATE,
    NGX_SCALE_VIEW_STAMP,
    NGX_SCALE_VIEW_COLUMNS
};


typedef struct {
    ngx_str_t    name;
    ngx_int_t  (*parse)(ngx_scale_view_t *view, ngx_str_t *cell,
                        ngx_str_t *reason);
} ngx_scale_view_kind_t;


static ngx_int_t ngx_scale_view_parse_row(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_ring(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_member(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_gutter(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_node(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_uint_t role, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_version(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_place(ngx_scale_view_t *view,
    ngx_scale_view_version_t *version, u_char *p, size_t len);
static ngx_int_t ngx_scale_view_address(ngx_scale_view_node_t *node);
static ngx_int_t ngx_scale_view_unix(ngx_scale_view_node_t *node,
    ngx_str_t *path);
static ngx_int_t ngx_scale_view_inet6(ngx_scale_view_node_t *node,
    ngx_str_t *host, in_port_t port);
static ngx_int_t ngx_scale_view_inet(ngx_scale_view_node_t *node,
    ngx_str_t *host, in_port_t port);


#define ngx_scale_view_is(cell, s)                                            \
    ((cell)->len == sizeof(s) - 1                                             \
     && ngx_memcmp((cell)->data, s, sizeof(s) - 1) == 0)


static const ngx_scale_view_kind_t  ngx_scale_view_kinds[] = {
    { ngx_string("ring"), ngx_scale_view_parse_ring },
    { ngx_string("node"), ngx_scale_view_parse_member },
    { ngx_string("gutter"), ngx_scale_view_parse_gutter },
    { ngx_string("version"), ngx_scale_view_parse_version },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_scale_view_parse(ngx_scale_view_t *view, ngx_scale_rows_t *rows,
    ngx_str_t *reason)
{
    ngx_str_t   cell[NGX_SCALE_VIEW_COLUMNS];
    ngx_uint_t  row, i;

    ngx_memzero(view, sizeof(ngx_scale_view_t));

    view->off = 1;

    for (row = 0; row < rows->nrows; row++) {

        for (i = 0; i < NGX_SCALE_VIEW_COLUMNS; i++) {
            if (rows->get(rows, row, i, &cell[i]) != NGX_OK) {
                ngx_str_set(reason, "a column is missing");
                return NGX_ERROR;
            }
        }

        if (ngx_scale_view_parse_row(view, cell, reason) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_view_parse_row(ngx_scale_view_t *view, ngx_str_t *cell,
    ngx_str_t *reason)
{
    const ngx_scale_view_kind_t  *kind;

    for (kind = ngx_scale_view_kinds; kind->name.len; kind++) {
        if (ngx_scale_same(&kind->name, &cell[NGX_SCALE_VIEW_KIND])) {
            return kind->parse(view, cell, reason);
        }
    }

    ngx_str_set(reason, "a row is of no known kind");

    return NGX_ERROR;
}


static ngx_int_t
ngx_scale_view_parse_ring(ngx_scale_view_t *view, ngx_str_t *cell,
    ngx_str_t *reason)
{
    view->off = !ngx_scale_view_is(&cell[NGX_SCALE_VIEW_STATE], "on");
    view->epoch = ngx_atoof(cell[NGX_SCALE_VIEW_STAMP].data,
                            cell[NGX_SCALE_VIEW_STAMP].len);
    return NGX_OK;
}


static ngx_int_t
ngx_scale_view_parse_member(ngx_scale_view_t *view, ngx_str_t *cell,
    ngx_str_t *reason)
{
    return ngx_scale_view_parse_node(view, cell, NGX_SCALE_VIEW_MEMBER,
                                     reason);
}


static ngx_int_t
ngx_scale_view_parse_gutter(ngx_scale_view_t *view, ngx_str_t *cell,
    ngx_str_t *reason)
{
    return ngx_scale_view_parse_node(view, cell, NGX_SCALE_VIEW_GUTTER,
                                     reason);
}


static ngx_int_t
ngx_scale_view_parse_node(ngx_scale_view_t *view, ngx_str_t *cell,
    ngx_uint_t role, ngx_str_t *reason)
{
    off_t                   stamp;
    ngx_int_t               weight;
    ngx_scale_view_node_t  *node;

    node = ngx_scale_view_add(view, cell[NGX_SCALE_VIEW_ADDR].data,
                              cell[NGX_SCALE_VIEW_ADDR].len);
    weight = ngx_atoi(cell[NGX_SCALE_VIEW_WEIGHT].data,
                      cell[NGX_SCALE_VIEW_WEIGHT].len);
    stamp = ngx_atoof(cell[NGX_SCALE_VIEW_STAMP].data,
                      cell[NGX_SCALE_VIEW_STAMP].len);

    if (node == NULL || weight < 1 || stamp < 0) {
        ngx_str_set(reason, "a node is malformed, or one too many");
        return NGX_ERROR;
    }

    node->role = role;
    node->weight = weight;
    node->word = (uint64_t) stamp << 1
                 | ngx_scale_view_is(&cell[NGX_SCALE_VIEW_STATE], "out");

    if (ngx_scale_view_address(node) != NGX_OK) {
        ngx_str_set(reason, "an address is neither a literal one, localhost "
                            "nor unix:path");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* address=weight, separated by blanks; a node of the past is known by name */

static ngx_int_t
ngx_scale_view_parse_version(ngx_scale_view_t *view, ngx_str_t *cell,
    ngx_str_t *reason)
{
    u_char                    *p, *end, *last;
    ngx_scale_view_version_t  *version;

    if (view->nversions == NGX_SCALE_VIEW_VERSIONS) {
        ngx_str_set(reason, "there are too many versions");
        return NGX_ERROR;
    }

    version = &view->versions[view->nversions++];
    version->stamp = ngx_atoof(cell[NGX_SCALE_VIEW_STAMP].data,
                               cell[NGX_SCALE_VIEW_STAMP].len);

    p = cell[NGX_SCALE_VIEW_ADDR].data;
    last = p + cell[NGX_SCALE_VIEW_ADDR].len;

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ' ');
        if (end == NULL) {
            end = last;
        }

        if (ngx_scale_view_parse_place(view, version, p, end - p)
            != NGX_OK)
        {
            ngx_str_set(reason, "a version is malformed, or too long");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_view_parse_place(ngx_scale_view_t *view,
    ngx_scale_view_version_t *version, u_char *p, size_t len)
{
    u_char                 *eq;
    ngx_int_t               weight;
    ngx_scale_view_node_t  *node;

    eq = ngx_strlchr(p, p + len, '=');

    if (eq == NULL || version->n == NGX_SCALE_VIEW_NODES) {
        return NGX_ERROR;
    }

    weight = ngx_atoi(eq + 1, p + len - eq - 1);
    node = ngx_scale_view_find(view, p, eq - p);

    if (node == NULL) {
        node = ngx_scale_view_add(view, p, eq - p);
    }

    if (node == NULL || weight < 1) {
        return NGX_ERROR;
    }

    version->nodes[version->n] = node - view->nodes;
    version->weights[version->n] = weight;
    version->n++;

    return NGX_OK;
}


/* nothing is resolved here: a name would block the worker */

static ngx_int_t
ngx_scale_view_address(ngx_scale_view_node_t *node)
{
    ngx_str_t  host;
    in_port_t  port;

    ngx_scale_view_split(node->name, node->len, &host, &port);

    if (port == 0) {
        return ngx_scale_view_unix(node, &host);
    }

    if (host.len > 2 && host.data[0] == '[') {
        host.data++;
        host.len -= 2;
        return ngx_scale_view_inet6(node, &host, port);
    }

    if (ngx_scale_view_is(&host, "localhost")) {
        ngx_str_set(&host, "127.0.0.1");
    }

    return ngx_scale_view_inet(node, &host, port);
}


static ngx_int_t
ngx_scale_view_unix(ngx_scale_view_node_t *node, ngx_str_t *path)
{
    struct sockaddr_un  *sun;

    sun = &node->sockaddr.sockaddr_un;

    if (path->len == 0 || path->len >= sizeof(sun->sun_path)) {
        return NGX_ERROR;
    }

    sun->sun_family = AF_UNIX;
    ngx_memcpy(sun->sun_path, path->data, path->len);
    node->socklen = sizeof(struct sockaddr_un);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_view_inet6(ngx_scale_view_node_t *node, ngx_str_t *host,
    in_port_t port)
{
    struct sockaddr_in6  *sin6;

    sin6 = &node->sockaddr.sockaddr_in6;
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons(port);
    node->socklen = sizeof(struct sockaddr_in6);

    return ngx_inet6_addr(host->data, host->len, sin6->sin6_addr.s6_addr);
}


static ngx_int_t
ngx_scale_view_inet(ngx_scale_view_node_t *node, ngx_str_t *host,
    in_port_t port)
{
    struct sockaddr_in  *sin;

    sin = &node->sockaddr.sockaddr_in;
    sin->sin_family = AF_INET;
    sin->sin_port = htons(port);
    sin->sin_addr.s_addr = ngx_inet_addr(host->data, host->len);
    node->socklen = sizeof(struct sockaddr_in);

    return sin->sin_addr.s_addr == INADDR_NONE ? NGX_ERROR : NGX_OK;
}
