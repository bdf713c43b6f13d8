
#include "limit/limit.h"


/* ms: a shorter one would be over before all nodes have agreed on it */
#define NGX_SCALE_LIMIT_WINDOW  1000

#define NGX_SCALE_LIMIT_MSEC    ((uint64_t) 1000000)


void
ngx_scale_limit_window(ngx_scale_limit_rate_t *rate, uint64_t now,
    ngx_scale_limit_window_t *window)
{
    window->limit = rate->burst;
    window->length = (rate->burst * rate->interval + NGX_SCALE_LIMIT_MSEC - 1)
                     / NGX_SCALE_LIMIT_MSEC;

    if (window->length < NGX_SCALE_LIMIT_WINDOW) {
        window->length = NGX_SCALE_LIMIT_WINDOW;
        window->limit = NGX_SCALE_LIMIT_WINDOW * NGX_SCALE_LIMIT_MSEC
                        / rate->interval;
    }

    window->number = now / window->length;
    window->elapsed = now % window->length;
}


/*
 * More than its limit was never admitted in a window: what is counted beyond
 * it is of those who are just being refused.
 */

ngx_int_t
ngx_scale_limit_window_judge(ngx_scale_limit_window_t *window,
    uint64_t before, uint64_t counted, ngx_uint_t *remaining, uint64_t *wait)
{
    uint64_t  all, used;

    before = ngx_min(before, window->limit);
    counted = ngx_min(ngx_max(counted, 1) - 1, window->limit);

    all = window->limit * window->length;
    used = before * (window->length - window->elapsed)
           + counted * window->length;

    if (used < all) {
        used += window->length;

        *remaining = used < all ? (all - used) / window->length : 0;
        *wait = 0;

        return NGX_OK;
    }

    *remaining = 0;

    /* when the one before counts for less, or is this one */

    *wait = counted < window->limit ? (used - all) / before + 1
                                    : window->length - window->elapsed + 1;

    return NGX_DECLINED;
}
