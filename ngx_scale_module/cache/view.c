
#include "cache/view.h"


static ngx_int_t ngx_scale_view_parse_row(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_node(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_uint_t role, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_version(ngx_scale_view_t *view,
    ngx_str_t *cell, ngx_str_t *reason);
static ngx_int_t ngx_scale_view_parse_member(ngx_scale_view_t *view,
    ngx_scale_view_version_t *version, u_char *p, size_t len);
static ngx_int_t ngx_scale_view_address(ngx_scale_view_node_t *node);
static ngx_scale_view_node_t *ngx_scale_view_add(ngx_scale_view_t *view,
    u_char *name, size_t len);
static ngx_scale_view_node_t *ngx_scale_view_at(ngx_scale_view_t *view,
    ngx_scale_view_server_t *server);
static ngx_int_t ngx_scale_view_carry(ngx_scale_view_t *view,
    ngx_scale_view_t *old);
static ngx_int_t ngx_scale_view_carry_version(ngx_scale_view_t *view,
    ngx_scale_view_t *old, ngx_scale_view_version_t *former);
static uint64_t ngx_scale_view_word(uint64_t random);


enum {
    NGX_SCALE_VIEW_KIND = 0,
    NGX_SCALE_VIEW_ADDR,
    NGX_SCALE_VIEW_WEIGHT,
    NGX_SCALE_VIEW_STATE,
    NGX_SCALE_VIEW_STAMP,
    NGX_SCALE_VIEW_COLUMNS
};


#define ngx_scale_view_is(cell, s)                                            \
    ((cell)->len == sizeof(s) - 1                                             \
     && ngx_memcmp((cell)->data, s, sizeof(s) - 1) == 0)


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
    ngx_str_t  *kind;

    kind = &cell[NGX_SCALE_VIEW_KIND];

    if (ngx_scale_view_is(kind, "ring")) {
        view->off = !ngx_scale_view_is(&cell[NGX_SCALE_VIEW_STATE], "on");
        view->epoch = ngx_atoof(cell[NGX_SCALE_VIEW_STAMP].data,
                                cell[NGX_SCALE_VIEW_STAMP].len);
        return NGX_OK;
    }

    if (ngx_scale_view_is(kind, "node")) {
        return ngx_scale_view_parse_node(view, cell, NGX_SCALE_VIEW_MEMBER,
                                         reason);
    }

    if (ngx_scale_view_is(kind, "gutter")) {
        return ngx_scale_view_parse_node(view, cell, NGX_SCALE_VIEW_GUTTER,
                                         reason);
    }

    if (ngx_scale_view_is(kind, "version")) {
        return ngx_scale_view_parse_version(view, cell, reason);
    }

    ngx_str_set(reason, "a row is of no known kind");

    return NGX_ERROR;
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

        if (ngx_scale_view_parse_member(view, version, p, end - p)
            != NGX_OK)
        {
            ngx_str_set(reason, "a version is malformed, or too long");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_view_parse_member(ngx_scale_view_t *view,
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
    u_char               text[NGX_SCALE_VIEW_NAME + 1];
    ngx_str_t            host;
    in_port_t            port;
    struct sockaddr_in  *sin;
    struct sockaddr_in6 *sin6;
    struct sockaddr_un  *sun;

    ngx_scale_view_split(node->name, node->len, &host, &port);

    if (port == 0) {
        sun = &node->sockaddr.sockaddr_un;

        if (host.len == 0 || host.len >= sizeof(sun->sun_path)) {
            return NGX_ERROR;
        }

        sun->sun_family = AF_UNIX;
        ngx_memcpy(sun->sun_path, host.data, host.len);
        node->socklen = sizeof(struct sockaddr_un);

        return NGX_OK;
    }

    if (host.len > 2 && host.data[0] == '[') {
        sin6 = &node->sockaddr.sockaddr_in6;
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        node->socklen = sizeof(struct sockaddr_in6);

        return ngx_inet6_addr(host.data + 1, host.len - 2,
                              sin6->sin6_addr.s6_addr);
    }

    if (ngx_scale_view_is(&host, "localhost")) {
        host.len = ngx_sprintf(text, "127.0.0.1") - text;
        host.data = text;
    }

    sin = &node->sockaddr.sockaddr_in;
    sin->sin_family = AF_INET;
    sin->sin_port = htons(port);
    sin->sin_addr.s_addr = ngx_inet_addr(host.data, host.len);
    node->socklen = sizeof(struct sockaddr_in);

    return sin->sin_addr.s_addr == INADDR_NONE ? NGX_ERROR : NGX_OK;
}


void
ngx_scale_view_split(u_char *name, size_t len, ngx_str_t *host,
    in_port_t *port)
{
    u_char     *p;
    ngx_int_t   n;

    host->data = name;
    host->len = len;

    if (len > 5 && ngx_strncmp(name, "unix:", 5) == 0) {
        host->data += 5;
        host->len -= 5;
        *port = 0;
        return;
    }

    *port = NGX_SCALE_VIEW_PORT;

    for (p = name + len; p > name && p[-1] != ':' && p[-1] != ']'; p--) {
        /* void */
    }

    if (p == name || p[-1] != ':') {
        return;
    }

    n = ngx_atoi(p, name + len - p);

    if (n > 0 && n < 65536) {
        *port = n;
        host->len = p - name - 1;
    }
}


ngx_scale_view_node_t *
ngx_scale_view_find(ngx_scale_view_t *view, u_char *name, size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < view->nnodes; i++) {
        if (view->nodes[i].len == len
            && ngx_memcmp(view->nodes[i].name, name, len) == 0)
        {
            return &view->nodes[i];
        }
    }

    return NULL;
}


static ngx_scale_view_node_t *
ngx_scale_view_add(ngx_scale_view_t *view, u_char *name, size_t len)
{
    ngx_scale_view_node_t  *node;

    if (view->nnodes == NGX_SCALE_VIEW_NODES || len == 0
        || len > NGX_SCALE_VIEW_NAME
        || ngx_scale_view_find(view, name, len))
    {
        return NULL;
    }

    node = &view->nodes[view->nnodes++];

    ngx_memcpy(node->name, name, len);
    node->len = len;

    return node;
}


ngx_int_t
ngx_scale_view_change(ngx_scale_view_t *view, ngx_scale_view_server_t *servers,
    ngx_uint_t n, uint64_t (*random)(void))
{
    ngx_uint_t                 i;
    ngx_scale_view_t           old;
    ngx_scale_view_node_t     *node, *before;
    ngx_scale_view_version_t  *version;

    old = *view;

    ngx_memzero(view, sizeof(ngx_scale_view_t));

    version = &view->versions[view->nversions++];
    version->stamp = random();

    for (i = 0; i < n; i++) {
        node = ngx_scale_view_add(view, servers[i].name.data,
                                  servers[i].name.len);

        if (node == NULL) {
            return NGX_ERROR;
        }

        /* a gutter's ring has no versions: its keys may have moved */

        before = ngx_scale_view_at(&old, &servers[i]);

        node->word = before && !servers[i].gutter
                     ? before->word : ngx_scale_view_word(random());
        node->role = servers[i].gutter ? NGX_SCALE_VIEW_GUTTER
                                       : NGX_SCALE_VIEW_MEMBER;
        node->weight = servers[i].weight;

        if (servers[i].addr->sockaddr) {
            node->socklen = servers[i].addr->socklen;
            ngx_memcpy(&node->sockaddr, servers[i].addr->sockaddr,
                       node->socklen);
        }

        if (!servers[i].gutter) {
            version->nodes[version->n] = node - view->nodes;
            version->weights[version->n++] = node->weight;
        }
    }

    if (ngx_scale_view_carry(view, &old) != NGX_OK) {
        view->epoch = random();
    }

    return NGX_OK;
}


ngx_uint_t
ngx_scale_view_same(ngx_scale_view_t *view, ngx_scale_view_server_t *servers,
    ngx_uint_t n)
{
    ngx_uint_t              i, present;
    ngx_scale_view_node_t  *node;

    present = 0;

    for (i = 0; i < view->nnodes; i++) {
        present += view->nodes[i].role != NGX_SCALE_VIEW_PAST;
    }

    if (present != n) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        node = ngx_scale_view_at(view, &servers[i]);

        if (node == NULL || node->weight != servers[i].weight) {
            return 0;
        }
    }

    return 1;
}


/* the server, in the same role */

static ngx_scale_view_node_t *
ngx_scale_view_at(ngx_scale_view_t *view, ngx_scale_view_server_t *server)
{
    ngx_scale_view_node_t  *node;

    node = ngx_scale_view_find(view, server->name.data, server->name.len);

    if (node
        && node->role == (server->gutter ? NGX_SCALE_VIEW_GUTTER
                                         : NGX_SCALE_VIEW_MEMBER))
    {
        return node;
    }

    return NULL;
}


/* the versions of before; where they have no room all of them are forgotten */

static ngx_int_t
ngx_scale_view_carry(ngx_scale_view_t *view, ngx_scale_view_t *old)
{
    ngx_uint_t  v, nnodes;

    nnodes = view->nnodes;

    for (v = 0; v < old->nversions; v++) {

        if (ngx_scale_view_carry_version(view, old, &old->versions[v])
            != NGX_OK)
        {
            ngx_memzero(&view->versions[1], sizeof(view->versions)
                                            - sizeof(view->versions[0]));
            ngx_memzero(&view->nodes[nnodes],
                        (NGX_SCALE_VIEW_NODES - nnodes)
                        * sizeof(ngx_scale_view_node_t));

            view->nversions = 1;
            view->nnodes = nnodes;

            return NGX_DECLINED;
        }
    }

    view->epoch = old->epoch;

    return v ? NGX_OK : NGX_DECLINED;
}


/* it names nodes by their former places */

static ngx_int_t
ngx_scale_view_carry_version(ngx_scale_view_t *view, ngx_scale_view_t *old,
    ngx_scale_view_version_t *former)
{
    ngx_uint_t                 i;
    ngx_scale_view_node_t     *was, *node;
    ngx_scale_view_version_t  *version;

    if (view->nversions == NGX_SCALE_VIEW_VERSIONS) {
        return NGX_DECLINED;
    }

    version = &view->versions[view->nversions++];
    *version = *former;

    for (i = 0; i < version->n; i++) {
        was = &old->nodes[version->nodes[i]];
        node = ngx_scale_view_find(view, was->name, was->len);

        if (node == NULL) {
            node = ngx_scale_view_add(view, was->name, was->len);
        }

        if (node == NULL) {
            return NGX_DECLINED;
        }

        version->nodes[i] = node - view->nodes;
    }

    return NGX_OK;
}


static uint64_t
ngx_scale_view_word(uint64_t random)
{
    return random & ~(uint64_t) 1;
}
