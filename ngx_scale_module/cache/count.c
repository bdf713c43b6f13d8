
/*
 * Numbers that several web nodes count together: one in memcached for each
 * window, and the one before to go by.  A number that is lost, with a memcached
 * or its memory, counts from nothing again.
 */

#include "cache/cache_int.h"


struct ngx_scale_cache_asked_s {
    ngx_scale_place_t            place;
    ngx_scale_memc_op_t          before;
    ngx_scale_memc_op_t          counted;
    ngx_uint_t                   pending;
    ngx_uint_t                   failed;
    u_char                       old[NGX_SCALE_CACHE_NOTE_MAX];
    u_char                       wire[NGX_SCALE_CACHE_NOTE_MAX];
};


static void ngx_scale_count_key(ngx_scale_place_t *place, uint64_t number,
    u_char *buf, ngx_str_t *key);
static void ngx_scale_count_old(ngx_scale_memc_op_t *op);
static void ngx_scale_count_new(ngx_scale_memc_op_t *op);
static void ngx_scale_count_told(ngx_scale_count_t *count);
static ngx_uint_t ngx_scale_count_number(ngx_str_t *text, uint64_t *number);


ngx_int_t
ngx_scale_cache_count(ngx_scale_cache_t *cache, ngx_scale_count_t *count)
{
    ngx_scale_cache_asked_t  *asked;

    asked = ngx_pcalloc(count->pool, sizeof(ngx_scale_cache_asked_t));

    if (asked == NULL
        || ngx_scale_cache_place(cache, &asked->place,
                                 NGX_SCALE_CACHE_ROOM_LIMIT, &count->key)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    count->asked = asked;
    count->known = 0;

    asked->pending = 2;

    asked->before.verb = NGX_SCALE_MEMC_MG;
    asked->before.handler = ngx_scale_count_old;
    asked->before.data = count;
    ngx_scale_count_key(&asked->place, count->number - 1, asked->old,
                        &asked->before.key);

    asked->counted.verb = NGX_SCALE_MEMC_MA;
    asked->counted.lease = count->ttl;
    asked->counted.handler = ngx_scale_count_new;
    asked->counted.data = count;
    ngx_scale_count_key(&asked->place, count->number, asked->wire,
                        &asked->counted.key);

    ngx_scale_cache_send(&asked->place, &asked->before);
    ngx_scale_cache_send(&asked->place, &asked->counted);

    return NGX_OK;
}


/* both are where the key is, so that one memcached is asked, once */

static void
ngx_scale_count_key(ngx_scale_place_t *place, uint64_t number, u_char *buf,
    ngx_str_t *key)
{
    u_char  *p;

    p = ngx_cpymem(buf, place->wire.data, place->wire.len);
    p = ngx_sprintf(p, ":%xL", number);

    key->data = buf;
    key->len = p - buf;
}


static void
ngx_scale_count_old(ngx_scale_memc_op_t *op)
{
    ngx_scale_count_t  *count = op->data;

    count->before = 0;

    if (op->status != NGX_SCALE_MEMC_EN
        && (op->status != NGX_SCALE_MEMC_VA
            || !ngx_scale_count_number(&op->rvalue, &count->before)))
    {
        count->asked->failed = 1;
    }

    ngx_scale_count_told(count);
}


static void
ngx_scale_count_new(ngx_scale_memc_op_t *op)
{
    ngx_scale_count_t  *count = op->data;

    if (op->status != NGX_SCALE_MEMC_VA
        || !ngx_scale_count_number(&op->rvalue, &count->counted))
    {
        count->asked->failed = 1;
    }

    ngx_scale_count_told(count);
}


static void
ngx_scale_count_told(ngx_scale_count_t *count)
{
    if (--count->asked->pending) {
        return;
    }

    count->known = !count->asked->failed;
    count->handler(count);
}


/* a number that has become shorter may have blanks behind it */

static ngx_uint_t
ngx_scale_count_number(ngx_str_t *text, uint64_t *number)
{
    size_t     len;
    ngx_int_t  n;

    for (len = text->len; len && text->data[len - 1] == ' '; len--) {
        /* void */
    }

    n = ngx_atoi(text->data, len);
    *number = n;

    return n != NGX_ERROR;
}


void
ngx_scale_cache_count_cancel(ngx_scale_count_t *count)
{
    if (count->asked && count->asked->pending) {
        count->asked->pending = 0;
        ngx_scale_memc_cancel(&count->asked->before);
        ngx_scale_memc_cancel(&count->asked->counted);
    }
}


void
ngx_scale_cache_uncount(ngx_scale_count_t *count)
{
    ngx_scale_memc_op_t      *op;
    ngx_scale_cache_asked_t  *asked;

    asked = count->asked;

    op = ngx_scale_cache_note(asked->place.cache, &asked->counted.key, 0);
    if (op == NULL) {
        return;
    }

    op->verb = NGX_SCALE_MEMC_MA;
    op->subtract = 1;

    ngx_scale_cache_send(&asked->place, op);
}
