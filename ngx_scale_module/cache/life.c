
/* how long an entry lives in memcached, which counts whole seconds */

#include "cache/cache_int.h"


/* before the end of its ttl, then a read entry is read anew */
#define NGX_SCALE_LIFE_MARGIN_MIN  2
#define NGX_SCALE_LIFE_MARGIN_MAX  10


time_t
ngx_scale_life_draw(ngx_scale_place_t *place, ngx_scale_read_t *read,
    ngx_scale_entry_t *entry)
{
    time_t  ttl;

    entry->overtime = 0;

    if (entry->negative) {
        ttl = read->missing;

    } else {
        ttl = read->ttl - read->ttl / 10
              + ngx_random() % (read->ttl / 5 + 1);
    }

    if (place->gutter) {
        return ngx_min(ttl, NGX_SCALE_CACHE_GUTTER_TTL);
    }

    if (!entry->negative) {
        entry->overtime = ngx_max(read->stale, read->error);
    }

    return ttl + entry->overtime;
}


/* of a ttl of one there is none to spare, or every read would renew it */

time_t
ngx_scale_life_recache(ngx_scale_place_t *place, time_t ttl, time_t overtime)
{
    time_t  margin;

    if (place->gutter) {
        ttl = ngx_min(ttl, NGX_SCALE_CACHE_GUTTER_TTL);
        overtime = 0;
    }

    margin = ngx_max(NGX_SCALE_LIFE_MARGIN_MIN,
                     ngx_min(ttl / 10, NGX_SCALE_LIFE_MARGIN_MAX));

    if (ttl < NGX_SCALE_LIFE_MARGIN_MIN) {
        margin = 1;
    }

    return overtime + margin;
}
