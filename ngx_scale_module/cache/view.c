
/* the nodes of a view, and what becomes of it when its servers change */

#include "cache/view.h"


static void ngx_scale_view_describe(ngx_scale_view_node_t *node,
    ngx_scale_view_server_t *server);
static ngx_scale_view_node_t *ngx_scale_view_at(ngx_scale_view_t *view,
    ngx_scale_view_server_t *server);
static ngx_int_t ngx_scale_view_carry(ngx_scale_view_t *view,
    ngx_scale_view_t *old);
static ngx_int_t ngx_scale_view_carry_version(ngx_scale_view_t *view,
    ngx_scale_view_t *old, ngx_scale_view_version_t *former);
static uint64_t ngx_scale_view_word(uint64_t random);


#define ngx_scale_view_role(server)                                           \
    ((server)->gutter ? NGX_SCALE_VIEW_GUTTER : NGX_SCALE_VIEW_MEMBER)


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


ngx_scale_view_node_t *
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

        before = ngx_scale_view_at(&old, &servers[i]);

        ngx_scale_view_describe(node, &servers[i]);

        /* a gutter's ring has no versions: its keys may have moved */

        if (before && !servers[i].gutter) {
            node->word = before->word;

        } else {
            node->word = ngx_scale_view_word(random());
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


static void
ngx_scale_view_describe(ngx_scale_view_node_t *node,
    ngx_scale_view_server_t *server)
{
    node->role = ngx_scale_view_role(server);
    node->weight = server->weight;

    if (server->addr->sockaddr) {
        node->socklen = server->addr->socklen;
        ngx_memcpy(&node->sockaddr, server->addr->sockaddr, node->socklen);
    }
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

    return node && node->role == ngx_scale_view_role(server) ? node : NULL;
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
