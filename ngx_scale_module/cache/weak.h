
/*
 * What the protocol is worth: each of its guards can be left out, to see that
 * t/stress/guards.t notices.  The environment's SCALE_WEAK names one: mark,
 * lease, token, prefix, wait, recheck or local; and t/unit/cache_copies.c:
 * tombstone or standing.  Never in a module that is shipped.
 */

#ifndef _NGX_SCALE_WEAK_H_INCLUDED_
#define _NGX_SCALE_WEAK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_SCALE_STEP || NGX_SCALE_WEAK)
ngx_uint_t ngx_scale_weak(const char *guard);
#else
#define ngx_scale_weak(guard)  0
#endif


#endif /* _NGX_SCALE_WEAK_H_INCLUDED_ */
