
/* a flight's memory: it outlives the request that began it */

#include "cache/flight_int.h"


ngx_scale_flight_t *
ngx_scale_flight_alloc(ngx_scale_cache_t *cache, ngx_scale_read_t *read)
{
    u_char              *p;
    size_t               len;
    ngx_uint_t           i;
    ngx_scale_flight_t  *flight;

    len = sizeof(ngx_scale_flight_t)
          + read->ntags * sizeof(ngx_scale_flight_tag_t) + read->key.len;

    for (i = 0; i < read->ntags; i++) {
        len += read->tags[i].len;
    }

    flight = ngx_calloc(len, cache->log);
    if (flight == NULL) {
        return NULL;
    }

    flight->cache = cache;
    flight->statement = read->statement;
    flight->patience = read->patience;
    flight->share = read->share;
    flight->ttl = read->ttl;
    flight->overtime = ngx_max(read->stale, read->error);
    flight->tags = (ngx_scale_flight_tag_t *) (flight + 1);
    flight->ntags = read->ntags;

    p = (u_char *) (flight->tags + read->ntags);

    flight->node.str.data = p;
    flight->node.str.len = read->key.len;
    p = ngx_cpymem(p, read->key.data, read->key.len);

    for (i = 0; i < read->ntags; i++) {
        flight->tags[i].tag.data = p;
        flight->tags[i].tag.len = read->tags[i].len;
        p = ngx_cpymem(p, read->tags[i].data, read->tags[i].len);
    }

    ngx_queue_init(&flight->readers);
    ngx_queue_init(&flight->late);

    return flight;
}


void
ngx_scale_flight_destroy(ngx_scale_flight_t *flight)
{
    if (flight->event.timer_set) {
        ngx_del_timer(&flight->event);
    }

    if (flight->event.posted) {
        ngx_delete_posted_event(&flight->event);
    }

    if (flight->detached) {
        ngx_queue_remove(&flight->queue);
        flight->cache->nrenewals--;

    } else {
        ngx_rbtree_delete(&flight->cache->flights, &flight->node.node);
    }

    ngx_free(flight);
}


ngx_int_t
ngx_scale_flight_hold(ngx_scale_flight_t *flight)
{
    ngx_str_t  *value;

    value = &flight->op.rvalue;

    if (value->len == 0 || value->data == flight->copy) {
        return NGX_OK;
    }

    ngx_scale_flight_let_go(flight);

    flight->copy = ngx_alloc(value->len, flight->cache->log);
    if (flight->copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(flight->copy, value->data, value->len);
    value->data = flight->copy;

    return NGX_OK;
}


void
ngx_scale_flight_let_go(ngx_scale_flight_t *flight)
{
    if (flight->copy) {
        ngx_free(flight->copy);
        flight->copy = NULL;
    }
}
