
/* what a write marks, and what it leaves behind in a mark's place */

#include "cache/mark_int.h"


static ngx_int_t ngx_scale_mark_add(ngx_scale_write_t *write, u_char room,
    ngx_str_t *key);
static ngx_scale_mark_t *ngx_scale_mark_find(ngx_scale_write_t *write,
    u_char room, ngx_str_t *key);


void
ngx_scale_cache_write_init(ngx_scale_cache_t *cache, ngx_scale_write_t *write)
{
    write->cache = cache;
    write->pending = 0;
    write->nmarks = 0;
    write->unmarking = 0;
    write->failed = 0;

    ngx_queue_init(&write->marks);

    write->event.handler = ngx_scale_mark_event;
    write->event.data = write;
    write->event.log = cache->log;
}


ngx_int_t
ngx_scale_cache_write_key(ngx_scale_write_t *write, ngx_str_t *key)
{
    return ngx_scale_mark_add(write, NGX_SCALE_CACHE_ROOM_CONTENT, key);
}


ngx_int_t
ngx_scale_cache_write_tag(ngx_scale_write_t *write, ngx_str_t *tag)
{
    return ngx_scale_mark_add(write, NGX_SCALE_CACHE_ROOM_TAG, tag);
}


static ngx_int_t
ngx_scale_mark_add(ngx_scale_write_t *write, u_char room, ngx_str_t *key)
{
    ngx_scale_mark_t  *mark;

    if (ngx_scale_mark_find(write, room, key)) {
        return NGX_OK;
    }

    if (write->nmarks == NGX_SCALE_CACHE_MAX_MARKS) {
        return NGX_DECLINED;
    }

    mark = ngx_pcalloc(write->pool, sizeof(ngx_scale_mark_t));
    if (mark == NULL) {
        return NGX_ERROR;
    }

    write->nmarks++;

    mark->write = write;
    mark->room = room;
    mark->key = *key;

    ngx_queue_insert_tail(&write->marks, &mark->queue);

    return NGX_OK;
}


static ngx_scale_mark_t *
ngx_scale_mark_find(ngx_scale_write_t *write, u_char room, ngx_str_t *key)
{
    ngx_queue_t       *q;
    ngx_scale_mark_t  *mark;

    for (q = ngx_queue_head(&write->marks);
         q != ngx_queue_sentinel(&write->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_scale_mark_t, queue);

        if (mark->room == room && mark->key.len == key->len
            && ngx_memcmp(mark->key.data, key->data, key->len) == 0)
        {
            return mark;
        }
    }

    return NULL;
}


ngx_int_t
ngx_scale_cache_write_through(ngx_scale_write_t *write, ngx_scale_read_t *as,
    ngx_scale_entry_t *entry)
{
    size_t             len;
    ngx_scale_mark_t  *mark;

    mark = ngx_scale_mark_find(write, NGX_SCALE_CACHE_ROOM_CONTENT, &as->key);

    if (mark == NULL || !mark->held) {
        return NGX_OK;
    }

    entry->key = as->key;
    entry->statement = as->statement;
    entry->stored = ngx_time();

    mark->ttl = ngx_scale_life_draw(&mark->place, as, entry);

    len = ngx_scale_codec_header_len(entry) + entry->body.len;

    if (len > NGX_SCALE_CACHE_MAX_VALUE) {
        return NGX_OK;
    }

    mark->entry.data = ngx_pnalloc(write->pool, len);
    if (mark->entry.data == NULL) {
        return NGX_ERROR;
    }

    mark->entry.len = ngx_scale_codec_encode(mark->entry.data, entry)
                      - mark->entry.data;

    return NGX_OK;
}
