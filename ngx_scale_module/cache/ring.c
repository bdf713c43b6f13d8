
#include "cache/ring.h"
#include <libmemcached/memcached.h>


struct ngx_scale_ring_s {
    memcached_st    *memcached;
    ngx_uint_t       n;
};


static ngx_int_t ngx_scale_ring_add(ngx_scale_ring_t *ring,
    ngx_scale_ring_server_t *server);
static void ngx_scale_ring_free(void *data);


ngx_scale_ring_t *
ngx_scale_ring_create(ngx_pool_t *pool, ngx_scale_ring_server_t *servers,
    ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_scale_ring_t    *ring;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_scale_ring_t));
    if (cln == NULL) {
        return NULL;
    }

    ring = cln->data;
    ring->n = n;
    ring->memcached = memcached_create(NULL);

    if (ring->memcached == NULL) {
        return NULL;
    }

    cln->handler = ngx_scale_ring_free;

    if (memcached_behavior_set(ring->memcached,
                               MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1)
        != MEMCACHED_SUCCESS)
    {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        if (ngx_scale_ring_add(ring, &servers[i]) != NGX_OK) {
            return NULL;
        }
    }

    return ring;
}


static ngx_int_t
ngx_scale_ring_add(ngx_scale_ring_t *ring, ngx_scale_ring_server_t *server)
{
    memcached_return_t  rc;

    if (server->port == 0) {
        rc = memcached_server_add_unix_socket_with_weight(ring->memcached,
                                                   (char *) server->host.data,
                                                   server->weight);
    } else {
        rc = memcached_server_add_with_weight(ring->memcached,
                                              (char *) server->host.data,
                                              server->port, server->weight);
    }

    return rc == MEMCACHED_SUCCESS ? NGX_OK : NGX_ERROR;
}


static void
ngx_scale_ring_free(void *data)
{
    ngx_scale_ring_t  *ring = data;

    memcached_free(ring->memcached);
}


ngx_uint_t
ngx_scale_ring_node(ngx_scale_ring_t *ring, ngx_str_t *key)
{
    if (ring->n == 1) {
        return 0;
    }

    return memcached_generate_hash(ring->memcached, (char *) key->data,
                                   key->len);
}
