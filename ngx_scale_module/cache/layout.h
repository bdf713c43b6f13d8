
/*
 * A view made ready for lookups: one ketama ring per version, and one of the
 * gutter's nodes.
 *
 * A key's prefix holds the stamp of the oldest version since which its node
 * was the same without interruption: a key that a change of the ring left
 * where it was stays warm, one that moved is cold, and what its former node
 * holds is unreachable when it comes back.
 */

#ifndef _NGX_SCALE_LAYOUT_H_INCLUDED_
#define _NGX_SCALE_LAYOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "cache/key.h"
#include "cache/rank.h"
#include "cache/ring.h"
#include "cache/view.h"


#define NGX_SCALE_LAYOUT_NOWHERE  NGX_SCALE_VIEW_NODES


typedef struct {
    ngx_scale_view_t      *view;
    ngx_atomic_t          *words;      /* the nodes' states */
    ngx_scale_ring_t      *rings[NGX_SCALE_VIEW_VERSIONS];
    ngx_scale_ring_t      *gutter;
    uint8_t                gutters[NGX_SCALE_VIEW_NODES];
    ngx_atomic_t           own[NGX_SCALE_VIEW_NODES];
    uint64_t               names[NGX_SCALE_VIEW_NODES];
} ngx_scale_layout_t;


/*
 * Where a key is: "node" serves it, or it is NOWHERE, with a stamp of 0.
 * "home" and "gutter" are the nodes that were asked, with their states then.
 */

typedef struct {
    ngx_uint_t             node;
    ngx_uint_t             home;
    ngx_uint_t             gutter;
    uint64_t               home_word;
    uint64_t               gutter_word;
    uint64_t               stamp;
} ngx_scale_spot_t;


/*
 * "words" are the nodes' states where they change by themselves, NULL: those
 * of the view, which must outlive the layout.  It is freed with the pool.
 * NGX_ERROR: memory.
 */
ngx_int_t ngx_scale_layout_init(ngx_scale_layout_t *layout, ngx_pool_t *pool,
    ngx_scale_view_t *view, ngx_atomic_t *words);

void ngx_scale_layout_find(ngx_scale_layout_t *layout, u_char room,
    ngx_str_t *key, ngx_scale_spot_t *spot);

/*
 * The same of the "n" copies of a session, whether or not the ring is off: a
 * copy whose node is out is NOWHERE, and no gutter takes its place.  A copy's
 * stamp holds the version since which its node has one of "n" without
 * interruption, whoever has the others.  Returns how many nodes there are.
 */
ngx_uint_t ngx_scale_layout_copies(ngx_scale_layout_t *layout, ngx_str_t *key,
    ngx_scale_spot_t *spots, ngx_uint_t n);

/* a node that was asked for the spot has changed its state */
ngx_uint_t ngx_scale_layout_has_changed(ngx_scale_layout_t *layout,
    ngx_scale_spot_t *spot);


#endif /* _NGX_SCALE_LAYOUT_H_INCLUDED_ */
