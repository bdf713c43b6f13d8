
#include "cache/layout.h"


static ngx_int_t ngx_scale_layout_version(ngx_scale_layout_t *layout,
    ngx_pool_t *pool, ngx_uint_t v);
static ngx_int_t ngx_scale_layout_gutter(ngx_scale_layout_t *layout,
    ngx_pool_t *pool);
static ngx_int_t ngx_scale_layout_place(ngx_scale_ring_server_t *place,
    ngx_pool_t *pool, ngx_scale_view_node_t *node, ngx_uint_t weight);
static ngx_uint_t ngx_scale_layout_home(ngx_scale_layout_t *layout,
    ngx_uint_t v, ngx_str_t *key);
static ngx_uint_t ngx_scale_layout_lowest(ngx_scale_layout_t *layout,
    ngx_uint_t v, uint64_t *draws, uint8_t *nodes, ngx_uint_t n);
static ngx_uint_t ngx_scale_layout_keep(ngx_uint_t *since, uint8_t *nodes,
    ngx_uint_t n, ngx_uint_t v, uint8_t *former, ngx_uint_t nformer);
static void ngx_scale_layout_spot(ngx_scale_layout_t *layout,
    ngx_scale_spot_t *spot, ngx_uint_t node, uint64_t since);


ngx_int_t
ngx_scale_layout_init(ngx_scale_layout_t *layout, ngx_pool_t *pool,
    ngx_scale_view_t *view, ngx_atomic_t *words)
{
    ngx_uint_t  i;

    ngx_memzero(layout, sizeof(ngx_scale_layout_t));

    layout->view = view;
    layout->words = words ? words : layout->own;

    for (i = 0; i < view->nnodes; i++) {
        layout->own[i] = view->nodes[i].word;
        layout->names[i] = ngx_scale_rank_hash(view->nodes[i].name,
                                               view->nodes[i].len);
    }

    for (i = 0; i < view->nversions; i++) {
        if (ngx_scale_layout_version(layout, pool, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_scale_layout_gutter(layout, pool);
}


static ngx_int_t
ngx_scale_layout_version(ngx_scale_layout_t *layout, ngx_pool_t *pool,
    ngx_uint_t v)
{
    ngx_uint_t                 i;
    ngx_scale_ring_server_t    place[NGX_SCALE_VIEW_NODES];
    ngx_scale_view_version_t  *version;

    version = &layout->view->versions[v];

    if (version->n == 0) {
        return NGX_OK;
    }

    for (i = 0; i < version->n; i++) {
        if (ngx_scale_layout_place(&place[i], pool,
                                   &layout->view->nodes[version->nodes[i]],
                                   version->weights[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    layout->rings[v] = ngx_scale_ring_create(pool, place, version->n);

    return layout->rings[v] ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_scale_layout_gutter(ngx_scale_layout_t *layout, ngx_pool_t *pool)
{
    ngx_uint_t                i, n;
    ngx_scale_view_node_t    *node;
    ngx_scale_ring_server_t   place[NGX_SCALE_VIEW_NODES];

    n = 0;

    for (i = 0; i < layout->view->nnodes; i++) {
        node = &layout->view->nodes[i];

        if (node->role != NGX_SCALE_VIEW_GUTTER) {
            continue;
        }

        if (ngx_scale_layout_place(&place[n], pool, node, node->weight)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        layout->gutters[n++] = i;
    }

    if (n == 0) {
        return NGX_OK;
    }

    layout->gutter = ngx_scale_ring_create(pool, place, n);

    return layout->gutter ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_scale_layout_place(ngx_scale_ring_server_t *place, ngx_pool_t *pool,
    ngx_scale_view_node_t *node, ngx_uint_t weight)
{
    ngx_str_t  host;

    ngx_scale_view_split(node->name, node->len, &host, &place->port);

    place->weight = weight;
    place->host.len = host.len;
    place->host.data = ngx_pnalloc(pool, host.len + 1);

    if (place->host.data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(place->host.data, host.data, host.len) = '\0';

    return NGX_OK;
}


void
ngx_scale_layout_find(ngx_scale_layout_t *layout, u_char room, ngx_str_t *key,
    ngx_scale_spot_t *spot)
{
    ngx_uint_t         v;
    ngx_scale_view_t  *view;

    view = layout->view;

    ngx_memzero(spot, sizeof(ngx_scale_spot_t));

    spot->node = NGX_SCALE_LAYOUT_NOWHERE;
    spot->gutter = NGX_SCALE_LAYOUT_NOWHERE;
    spot->home = view->off ? NGX_SCALE_LAYOUT_NOWHERE
                           : ngx_scale_layout_home(layout, 0, key);

    if (spot->home == NGX_SCALE_LAYOUT_NOWHERE) {
        return;
    }

    for (v = 1; v < view->nversions; v++) {
        if (ngx_scale_layout_home(layout, v, key) != spot->home) {
            break;
        }
    }

    spot->home_word = layout->words[spot->home];

    if (!ngx_scale_view_is_out(spot->home_word)) {
        spot->node = spot->home;

    } else if (layout->gutter) {
        spot->gutter = layout->gutters[ngx_scale_ring_node(layout->gutter,
                                                           key)];
        spot->gutter_word = layout->words[spot->gutter];

        if (!ngx_scale_view_is_out(spot->gutter_word)) {
            spot->node = spot->gutter;
        }
    }

    if (spot->node != NGX_SCALE_LAYOUT_NOWHERE) {
        spot->stamp = ngx_scale_cache_stamp(room, view->epoch,
                                            spot->home_word, spot->gutter_word,
                                            view->versions[v - 1].stamp);
    }
}


static ngx_uint_t
ngx_scale_layout_home(ngx_scale_layout_t *layout, ngx_uint_t v, ngx_str_t *key)
{
    ngx_uint_t                 i;
    ngx_scale_view_version_t  *version;

    if (layout->rings[v] == NULL) {
        return NGX_SCALE_LAYOUT_NOWHERE;
    }

    version = &layout->view->versions[v];
    i = ngx_scale_ring_node(layout->rings[v], key);

    return version->nodes[i];
}


ngx_uint_t
ngx_scale_layout_copies(ngx_scale_layout_t *layout, ngx_str_t *key,
    ngx_scale_spot_t *spots, ngx_uint_t n)
{
    uint8_t            nodes[NGX_SCALE_VIEW_COPIES];
    uint8_t            former[NGX_SCALE_VIEW_COPIES];
    uint64_t           hash, draws[NGX_SCALE_VIEW_NODES];
    ngx_uint_t         i, v, found, nformer;
    ngx_uint_t         since[NGX_SCALE_VIEW_COPIES];
    ngx_scale_view_t  *view;

    view = layout->view;
    hash = ngx_scale_rank_hash(key->data, key->len);

    for (i = 0; i < view->nnodes; i++) {
        draws[i] = ngx_scale_rank_draw(hash, layout->names[i]);
    }

    ngx_memzero(since, sizeof(since));

    found = ngx_scale_layout_lowest(layout, 0, draws, nodes, n);

    for (v = 1; v < view->nversions; v++) {
        nformer = ngx_scale_layout_lowest(layout, v, draws, former, n);

        if (ngx_scale_layout_keep(since, nodes, found, v, former, nformer)
            == 0)
        {
            break;
        }
    }

    /* what n copies are is nothing where there are fewer or more */

    for (i = 0; i < found; i++) {
        ngx_scale_layout_spot(layout, &spots[i], nodes[i],
                              view->versions[since[i]].stamp + n);
    }

    return found;
}


static ngx_uint_t
ngx_scale_layout_lowest(ngx_scale_layout_t *layout, ngx_uint_t v,
    uint64_t *draws, uint8_t *nodes, ngx_uint_t n)
{
    ngx_scale_view_version_t  *version;

    version = &layout->view->versions[v];

    return ngx_scale_rank_lowest(draws, version->nodes, version->weights,
                                 version->n, nodes, n);
}


/* returns how many have been there since version "v" at least */

static ngx_uint_t
ngx_scale_layout_keep(ngx_uint_t *since, uint8_t *nodes, ngx_uint_t n,
    ngx_uint_t v, uint8_t *former, ngx_uint_t nformer)
{
    ngx_uint_t  i, k, kept;

    kept = 0;

    for (i = 0; i < n; i++) {
        for (k = 0; k < nformer; k++) {

            if (former[k] == nodes[i] && since[i] == v - 1) {
                since[i] = v;
                kept++;
            }
        }
    }

    return kept;
}


static void
ngx_scale_layout_spot(ngx_scale_layout_t *layout, ngx_scale_spot_t *spot,
    ngx_uint_t node, uint64_t since)
{
    spot->home = node;
    spot->home_word = layout->words[node];
    spot->gutter = NGX_SCALE_LAYOUT_NOWHERE;
    spot->gutter_word = 0;
    spot->node = ngx_scale_view_is_out(spot->home_word)
                 ? NGX_SCALE_LAYOUT_NOWHERE : node;
    spot->stamp = ngx_scale_cache_stamp(NGX_SCALE_CACHE_ROOM_SESSION, 0,
                                        spot->home_word, 0, since);
}


ngx_uint_t
ngx_scale_layout_has_changed(ngx_scale_layout_t *layout,
    ngx_scale_spot_t *spot)
{
    return (spot->home != NGX_SCALE_LAYOUT_NOWHERE
            && layout->words[spot->home] != spot->home_word)
           || (spot->gutter != NGX_SCALE_LAYOUT_NOWHERE
               && layout->words[spot->gutter] != spot->gutter_word);
}
