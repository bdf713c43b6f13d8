
#include "limit/limit.h"


static uint64_t ngx_scale_limit_gcra_free(ngx_scale_limit_rate_t *rate,
    uint64_t time, uint64_t now);


#define NGX_SCALE_LIMIT_SECOND  ((uint64_t) 1000000000)


ngx_int_t
ngx_scale_limit_rate(ngx_str_t *text, ngx_scale_limit_rate_t *rate)
{
    u_char     *p;
    ngx_int_t   n;

    if (text->len < sizeof("1r/s") - 1) {
        return NGX_DECLINED;
    }

    p = text->data + text->len - 3;
    n = ngx_atoi(text->data, text->len - 3);

    if (p[0] != 'r' || p[1] != '/' || n < 1
        || n > NGX_SCALE_LIMIT_MAX_NUMBER)
    {
        return NGX_DECLINED;
    }

    switch (p[2]) {

    case 's':
        rate->period = 1;
        break;

    case 'm':
        rate->period = 60;
        break;

    case 'h':
        rate->period = 3600;
        break;

    default:
        return NGX_DECLINED;
    }

    rate->count = n;
    rate->interval = rate->period * NGX_SCALE_LIMIT_SECOND / n;
    rate->burst = ngx_max(rate->count / rate->period, 1);

    return NGX_OK;
}


ngx_int_t
ngx_scale_limit_gcra_take(ngx_scale_limit_rate_t *rate, uint64_t time,
    uint64_t now, uint64_t *next)
{
    if (ngx_scale_limit_gcra_free(rate, time, now) < rate->interval) {
        return NGX_DECLINED;
    }

    *next = ngx_max(time, now) + rate->interval;

    return NGX_OK;
}


void
ngx_scale_limit_gcra_state(ngx_scale_limit_rate_t *rate, uint64_t time,
    uint64_t now, ngx_scale_limit_state_t *state)
{
    uint64_t  free;

    if (time <= now) {
        state->remaining = rate->burst;
        state->wait = 0;
        return;
    }

    free = ngx_scale_limit_gcra_free(rate, time, now);

    state->remaining = free / rate->interval;
    state->wait = rate->interval - free % rate->interval;

    /* a time beyond what could be taken: others have said so */

    if (free == 0) {
        state->wait += time - now - rate->burst * rate->interval;
    }
}


uint64_t
ngx_scale_limit_gcra_time(ngx_scale_limit_rate_t *rate, uint64_t now,
    uint64_t delay, ngx_uint_t remaining)
{
    return now + delay
           + (rate->burst - ngx_min(remaining, rate->burst)) * rate->interval;
}


/* what may be taken, as the time it takes to pay it back */

static uint64_t
ngx_scale_limit_gcra_free(ngx_scale_limit_rate_t *rate, uint64_t time,
    uint64_t now)
{
    uint64_t  all, taken;

    all = rate->burst * rate->interval;
    taken = time > now ? time - now : 0;

    return taken < all ? all - taken : 0;
}
