
/*
 * Where a key lives: libmemcached's weighted ketama, so that any libmemcached
 * client with the same servers agrees.  The only file with libmemcached, which
 * never opens a socket here: its I/O ends in poll().
 */

#ifndef _NGX_SCALE_RING_H_INCLUDED_
#define _NGX_SCALE_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_scale_ring_s  ngx_scale_ring_t;


/* "host" is NUL-terminated; a port of 0 makes it a unix domain socket's path */

typedef struct {
    ngx_str_t        host;
    in_port_t        port;
    ngx_uint_t       weight;
} ngx_scale_ring_server_t;


/* freed with the pool; NULL: memory, or libmemcached refuses a server */
ngx_scale_ring_t *ngx_scale_ring_create(ngx_pool_t *pool,
    ngx_scale_ring_server_t *servers, ngx_uint_t n);

/* an index into "servers" */
ngx_uint_t ngx_scale_ring_node(ngx_scale_ring_t *ring, ngx_str_t *key);


#endif /* _NGX_SCALE_RING_H_INCLUDED_ */
