
/*
 * A cold cache: after a start, a new epoch or a memcached that came back empty
 * most reads miss at once.  For the first minute of that only so many rows are
 * read at a time, and the others wait here, each until its own deadline, where
 * the database's queue would refuse them.  The key that most readers wait for
 * comes first.
 */

#include "cache/flight_int.h"


static ngx_uint_t ngx_scale_warm_is_cold(ngx_scale_cache_t *cache);
static ngx_scale_flight_t *ngx_scale_warm_hottest(ngx_scale_cache_t *cache);
static ngx_uint_t ngx_scale_warm_heat(ngx_scale_flight_t *flight);


/* the misses among the last few hundred reads, of 1024 */
#define NGX_SCALE_WARM_WHOLE  1024
#define NGX_SCALE_WARM_COLD   512
#define NGX_SCALE_WARM_WARM   256
#define NGX_SCALE_WARM_SHIFT  7

/* ms: who misses for longer is not cold, and had better be refused */
#define NGX_SCALE_WARM_TIME   60000

/* flights that are looked at, and readers of each that are counted */
#define NGX_SCALE_WARM_LOOK   64


void
ngx_scale_warm_init(ngx_scale_cache_t *cache)
{
    ngx_queue_init(&cache->warm.line);

    cache->warm.misses = NGX_SCALE_WARM_WHOLE << NGX_SCALE_WARM_SHIFT;
    cache->warm.cold = 1;
    cache->warm.cold_since = ngx_current_msec;
}


void
ngx_scale_warm_count(ngx_scale_cache_t *cache, ngx_uint_t missed)
{
    ngx_uint_t  share;

    cache->warm.misses -= cache->warm.misses >> NGX_SCALE_WARM_SHIFT;

    if (missed) {
        cache->warm.misses += NGX_SCALE_WARM_WHOLE;
    }

    share = cache->warm.misses >> NGX_SCALE_WARM_SHIFT;

    if (share < NGX_SCALE_WARM_WARM) {
        cache->warm.cold = 0;

    } else if (share > NGX_SCALE_WARM_COLD && !cache->warm.cold) {
        cache->warm.cold = 1;
        cache->warm.cold_since = ngx_current_msec;
    }
}


static ngx_uint_t
ngx_scale_warm_is_cold(ngx_scale_cache_t *cache)
{
    return cache->warm.cold
           && ngx_current_msec - cache->warm.cold_since < NGX_SCALE_WARM_TIME;
}


ngx_int_t
ngx_scale_warm_enter(ngx_scale_flight_t *flight)
{
    ngx_scale_cache_t  *cache;

    cache = flight->cache;

    if (flight->counted) {
        return NGX_OK;
    }

    if (flight->share && cache->warm.fills >= flight->share
        && ngx_scale_warm_is_cold(cache))
    {
        ngx_queue_insert_tail(&cache->warm.line, &flight->queue);
        return NGX_AGAIN;
    }

    flight->counted = 1;
    cache->warm.fills++;

    return NGX_OK;
}


void
ngx_scale_warm_leave(ngx_scale_flight_t *flight)
{
    ngx_scale_cache_t   *cache;
    ngx_scale_flight_t  *next;

    cache = flight->cache;

    if (!flight->counted) {
        return;
    }

    flight->counted = 0;
    cache->warm.fills--;

    while (!ngx_queue_empty(&cache->warm.line)) {
        next = ngx_scale_warm_hottest(cache);

        if (cache->warm.fills >= next->share && ngx_scale_warm_is_cold(cache)) {
            return;
        }

        ngx_queue_remove(&next->queue);

        next->counted = 1;
        cache->warm.fills++;

        ngx_scale_flight_again(next);
    }
}


static ngx_scale_flight_t *
ngx_scale_warm_hottest(ngx_scale_cache_t *cache)
{
    ngx_uint_t           n, heat, most;
    ngx_queue_t         *q;
    ngx_scale_flight_t  *flight, *hottest;

    hottest = NULL;
    most = 0;

    for (q = ngx_queue_head(&cache->warm.line), n = 0;
         q != ngx_queue_sentinel(&cache->warm.line) && n < NGX_SCALE_WARM_LOOK;
         q = ngx_queue_next(q), n++)
    {
        flight = ngx_queue_data(q, ngx_scale_flight_t, queue);
        heat = ngx_scale_warm_heat(flight);

        if (hottest == NULL || heat > most) {
            hottest = flight;
            most = heat;
        }
    }

    return hottest;
}


static ngx_uint_t
ngx_scale_warm_heat(ngx_scale_flight_t *flight)
{
    ngx_uint_t    n;
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&flight->readers), n = 0;
         q != ngx_queue_sentinel(&flight->readers)
         && n < NGX_SCALE_WARM_LOOK;
         q = ngx_queue_next(q), n++)
    {
        /* void */
    }

    return n;
}
