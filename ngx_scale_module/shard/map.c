
/* from a key to the shard that holds it */

#include "shard/shard.h"
#include <ngx_md5.h>


/* longer pieces are read by words, wherever they are in memory */
#define NGX_SCALE_SHARD_PIECE  32


static size_t ngx_scale_shard_escape(u_char *p, ngx_str_t *value);
static ngx_int_t ngx_scale_shard_order(ngx_str_t *a, ngx_str_t *b);
static int ngx_libc_cdecl ngx_scale_shard_cmp_ranges(const void *one,
    const void *two);
static ngx_uint_t ngx_scale_shard_bucket(ngx_str_t *key);
static ngx_scale_shard_range_t *ngx_scale_shard_in(ngx_array_t *ranges,
    ngx_str_t *key);


ngx_int_t
ngx_scale_shard_key(ngx_pool_t *pool, ngx_str_t *values, ngx_uint_t n,
    ngx_str_t *key)
{
    size_t       len;
    u_char      *p;
    ngx_uint_t   i;

    if (n == 1) {
        *key = *values;
        return NGX_OK;
    }

    len = n;

    for (i = 0; i < n; i++) {
        len += ngx_scale_shard_escape(NULL, &values[i]);
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;

    for (i = 0; i < n; i++) {

        if (i) {
            *p++ = ':';
        }

        p += ngx_scale_shard_escape(p, &values[i]);
    }

    key->len = p - key->data;

    return NGX_OK;
}


/* "p" NULL: its length only */

static size_t
ngx_scale_shard_escape(u_char *p, ngx_str_t *value)
{
    u_char  ch;
    size_t  i, len;

    len = 0;

    for (i = 0; i < value->len; i++) {
        ch = value->data[i];

        if (ch != '%' && ch != ':') {
            if (p) {
                p[len] = ch;
            }

            len++;
            continue;
        }

        if (p) {
            ngx_memcpy(p + len, ch == '%' ? "%25" : "%3A", 3);
        }

        len += 3;
    }

    return len;
}


ngx_int_t
ngx_scale_shard_map_init(ngx_pool_t *pool, ngx_scale_shard_map_t *map)
{
    ngx_uint_t  i;

    ngx_memzero(map, sizeof(ngx_scale_shard_map_t));

    for (i = 0; i < NGX_SCALE_SHARD_BUCKETS; i++) {
        map->owners[i] = NGX_SCALE_SHARD_NONE;
    }

    if (ngx_array_init(&map->ranges, pool, 4, sizeof(ngx_scale_shard_range_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_array_init(&map->frozen_ranges, pool, 4,
                          sizeof(ngx_scale_shard_range_t));
}


ngx_int_t
ngx_scale_shard_interval(ngx_str_t *word, ngx_uint_t *first, ngx_uint_t *last)
{
    u_char     *dash, *end;
    ngx_int_t   from, to;

    end = word->data + word->len;
    dash = ngx_strlchr(word->data, end, '-');

    from = ngx_atoi(word->data, (dash ? dash : end) - word->data);
    to = dash ? ngx_atoi(dash + 1, end - dash - 1) : from;

    if (from == NGX_ERROR || to < from || to >= NGX_SCALE_SHARD_BUCKETS) {
        return NGX_ERROR;
    }

    *first = from;
    *last = to;

    return NGX_OK;
}


ngx_int_t
ngx_scale_shard_map_give(ngx_scale_shard_map_t *map, ngx_uint_t first,
    ngx_uint_t last, ngx_uint_t shard, ngx_uint_t *taken)
{
    ngx_uint_t  i;

    for (i = first; i <= last; i++) {
        if (map->owners[i] != NGX_SCALE_SHARD_NONE) {
            *taken = i;
            return NGX_DECLINED;
        }

        map->owners[i] = shard;
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_shard_map_gap(ngx_scale_shard_map_t *map, ngx_uint_t *first,
    ngx_uint_t *last)
{
    ngx_uint_t  i, n;

    for (i = 0; i < NGX_SCALE_SHARD_BUCKETS; i++) {
        if (map->owners[i] == NGX_SCALE_SHARD_NONE) {
            break;
        }
    }

    for (n = i; n < NGX_SCALE_SHARD_BUCKETS; n++) {
        if (map->owners[n] != NGX_SCALE_SHARD_NONE) {
            break;
        }
    }

    *first = i;
    *last = n - 1;

    return i < n ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_scale_shard_map_sort(ngx_scale_shard_map_t *map, ngx_str_t *from,
    ngx_str_t *to)
{
    ngx_int_t                 order;
    ngx_uint_t                i, open;
    ngx_scale_shard_range_t  *range;

    range = map->ranges.elts;

    ngx_qsort(range, map->ranges.nelts, sizeof(ngx_scale_shard_range_t),
              ngx_scale_shard_cmp_ranges);

    /* "from" is where the ranges so far end */

    ngx_str_null(from);
    open = 0;

    for (i = 0; i < map->ranges.nelts; i++) {
        order = open ? -1 : ngx_scale_shard_order(&range[i].from, from);

        if (order) {
            *(order < 0 ? from : to) = range[i].from;
            return order < 0 ? NGX_BUSY : NGX_DECLINED;
        }

        *from = range[i].to;
        open = range[i].to.len == 0;
    }

    ngx_str_null(to);

    return open ? NGX_OK : NGX_DECLINED;
}


static int ngx_libc_cdecl
ngx_scale_shard_cmp_ranges(const void *one, const void *two)
{
    const ngx_scale_shard_range_t  *a = one, *b = two;

    return (int) ngx_scale_shard_order((ngx_str_t *) &a->from,
                                       (ngx_str_t *) &b->from);
}


static ngx_int_t
ngx_scale_shard_order(ngx_str_t *a, ngx_str_t *b)
{
    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


ngx_uint_t
ngx_scale_shard_map_find(ngx_scale_shard_map_t *map, ngx_str_t *key)
{
    if (map->ranges.nelts) {
        return ngx_scale_shard_in(&map->ranges, key)->shard;
    }

    return map->owners[ngx_scale_shard_bucket(key)];
}


ngx_uint_t
ngx_scale_shard_map_is_frozen(ngx_scale_shard_map_t *map, ngx_str_t *key)
{
    if (map->ranges.nelts) {
        return ngx_scale_shard_in(&map->frozen_ranges, key) != NULL;
    }

    return map->frozen[ngx_scale_shard_bucket(key)];
}


static ngx_uint_t
ngx_scale_shard_bucket(ngx_str_t *key)
{
    size_t     n;
    u_char    *p, *last, digest[16];
    ngx_md5_t  md5;

    ngx_md5_init(&md5);

    last = key->data + key->len;

    for (p = key->data; p < last; p += n) {
        n = ngx_min(last - p, NGX_SCALE_SHARD_PIECE);
        ngx_md5_update(&md5, p, n);
    }

    ngx_md5_final(digest, &md5);

    return (digest[2] << 8 | digest[3]) % NGX_SCALE_SHARD_BUCKETS;
}


static ngx_scale_shard_range_t *
ngx_scale_shard_in(ngx_array_t *ranges, ngx_str_t *key)
{
    ngx_uint_t                i;
    ngx_scale_shard_range_t  *range;

    range = ranges->elts;

    for (i = 0; i < ranges->nelts; i++) {
        if (ngx_scale_shard_order(key, &range[i].from) >= 0
            && (range[i].to.len == 0
                || ngx_scale_shard_order(key, &range[i].to) < 0))
        {
            return &range[i];
        }
    }

    return NULL;
}
