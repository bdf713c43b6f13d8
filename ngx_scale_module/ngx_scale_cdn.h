
/*
 * What caches between here and an answer's readers are told: how long they may
 * keep it (RFC 9111, RFC 5861), how old it is, and by which names it can be
 * taken out of them.  These names are what a write marks in memcached, its
 * keys and tags, so whoever purges a CDN has them there; one that is long, or
 * has blanks or other bytes, is 128 bits of its SHA-256, in hex.
 */

#ifndef _NGX_SCALE_CDN_H_INCLUDED_
#define _NGX_SCALE_CDN_H_INCLUDED_


#include "ngx_scale_flow.h"


/* adds what belongs to the answer; Cache-Control is a column's to replace */
ngx_int_t ngx_scale_cdn_answer(ngx_scale_flow_t *f, ngx_str_t *cache_control);

/* the same of f->problem; only that there is no such row may be kept */
ngx_int_t ngx_scale_cdn_problem(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_CDN_H_INCLUDED_ */
