
/* What the workers of a node share, by name: see zone.c. */

#ifndef _NGX_SCALE_SHARED_H_INCLUDED_
#define _NGX_SCALE_SHARED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "pg/pg.h"


typedef struct {
    ngx_queue_t                queue;
    ngx_str_t                  name;
} ngx_scale_pg_named_t;


/* what a worker holds, and what it may still take of its own */

typedef struct {
    ngx_atomic_t               pid;
    ngx_atomic_t               used;
    ngx_atomic_t               reserved;
} ngx_scale_pg_holder_t;


#define NGX_SCALE_PG_HOLDERS    256        /* workers, old ones included */


struct ngx_scale_pg_quota_s {
    ngx_scale_pg_named_t       named;
    ngx_atomic_t               wanted;     /* when, in ms */
    ngx_scale_pg_holder_t      holders[NGX_SCALE_PG_HOLDERS];
};


/* the newest timeline that a worker has met: see judge.c */

struct ngx_scale_pg_reign_s {
    ngx_scale_pg_named_t       named;
    ngx_atomic_t               system;
    ngx_atomic_t               timeline;
    ngx_atomic_t               told;       /* of it, on_promotion() */
};


/* takes a worker's place, or gives up all it holds */
void ngx_scale_pg_quota_enter(ngx_scale_pg_quota_t *quota);
void ngx_scale_pg_quota_leave(ngx_scale_pg_quota_t *quota);

/*
 * One more connection: NGX_OK or NGX_DECLINED.  "first" of its class is
 * granted from what is reserved for the worker.
 */
ngx_int_t ngx_scale_pg_quota_take(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit, ngx_uint_t first);
void ngx_scale_pg_quota_give(ngx_scale_pg_quota_t *quota, ngx_uint_t first);

/* a worker's share */
ngx_uint_t ngx_scale_pg_quota_fair(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit);

/* somebody with less asks for more */
ngx_uint_t ngx_scale_pg_quota_is_wanted(ngx_scale_pg_quota_t *quota,
    ngx_uint_t limit);


#endif /* _NGX_SCALE_SHARED_H_INCLUDED_ */
