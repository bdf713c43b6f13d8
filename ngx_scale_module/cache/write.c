
/*
 * Writes: what each marks, what it leaves behind in a mark's place, and when
 * all its marks are where they are to be.
 */

#include "cache/mark_int.h"


/* ms between tries, while a server is silent and not yet out of use */
#define NGX_SCALE_WRITE_RETRY  20


static ngx_int_t ngx_scale_write_add(ngx_scale_write_t *write, u_char room,
    ngx_str_t *key);
static ngx_scale_mark_t *ngx_scale_write_find(ngx_scale_write_t *write,
    u_char room, ngx_str_t *key);
static void ngx_scale_write_post(ngx_scale_write_t *write);
static void ngx_scale_write_on_event(ngx_event_t *ev);
static ngx_uint_t ngx_scale_write_move(ngx_scale_write_t *write);
static void ngx_scale_write_finish(ngx_scale_write_t *write);
static void ngx_scale_write_on_reply(ngx_scale_memc_op_t *op);
static ngx_msec_t ngx_scale_write_leased(ngx_scale_write_t *write);
static void ngx_scale_write_disown(ngx_scale_write_t *write);
static void ngx_scale_write_wait(ngx_scale_write_t *write);
static void ngx_scale_write_rest(ngx_scale_write_t *write);


void
ngx_scale_cache_write_init(ngx_scale_cache_t *cache, ngx_scale_write_t *write)
{
    write->cache = cache;
    write->pending = 0;
    write->nmarks = 0;
    write->unmarking = 0;
    write->failed = 0;

    ngx_queue_init(&write->marks);

    write->event.handler = ngx_scale_write_on_event;
    write->event.data = write;
    write->event.log = cache->log;
}


ngx_int_t
ngx_scale_cache_write_key(ngx_scale_write_t *write, ngx_str_t *key)
{
    return ngx_scale_write_add(write, NGX_SCALE_CACHE_ROOM_CONTENT, key);
}


ngx_int_t
ngx_scale_cache_write_tag(ngx_scale_write_t *write, ngx_str_t *tag)
{
    return ngx_scale_write_add(write, NGX_SCALE_CACHE_ROOM_TAG, tag);
}


static ngx_int_t
ngx_scale_write_add(ngx_scale_write_t *write, u_char room, ngx_str_t *key)
{
    ngx_scale_mark_t  *mark;

    if (ngx_scale_write_find(write, room, key)) {
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
    mark->handler = ngx_scale_write_on_reply;
    mark->room = room;
    mark->key = *key;

    ngx_queue_insert_tail(&write->marks, &mark->queue);

    return NGX_OK;
}


static ngx_scale_mark_t *
ngx_scale_write_find(ngx_scale_write_t *write, u_char room, ngx_str_t *key)
{
    ngx_queue_t       *q;
    ngx_scale_mark_t  *mark;

    for (q = ngx_queue_head(&write->marks);
         q != ngx_queue_sentinel(&write->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_scale_mark_t, queue);

        if (mark->room == room && ngx_scale_same(&mark->key, key)) {
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

    mark = ngx_scale_write_find(write, NGX_SCALE_CACHE_ROOM_CONTENT, &as->key);

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


void
ngx_scale_cache_mark(ngx_scale_write_t *write)
{
    write->unmarking = 0;
    ngx_scale_write_post(write);
}


void
ngx_scale_cache_unmark(ngx_scale_write_t *write)
{
    write->unmarking = 1;
    ngx_scale_write_post(write);
}


static void
ngx_scale_write_post(ngx_scale_write_t *write)
{
    if (!write->event.posted) {
        ngx_post_event(&write->event, &ngx_posted_events);
    }
}


static void
ngx_scale_write_on_event(ngx_event_t *ev)
{
    ngx_scale_write_t  *write = ev->data;

    /* a reply, a verb and the timer may all want it: done() runs once */

    ngx_scale_write_rest(write);

    if (ngx_scale_write_move(write) == 0) {
        ngx_scale_write_finish(write);
        return;
    }

    if (write->pending == 0) {
        ngx_scale_write_wait(write);
    }
}


/* every mark that awaits nothing; how many are not yet where they are to be */

static ngx_uint_t
ngx_scale_write_move(ngx_scale_write_t *write)
{
    ngx_uint_t               moving;
    ngx_queue_t             *q;
    ngx_scale_mark_t        *mark;
    ngx_scale_mark_state_e   goal;

    goal = write->unmarking ? NGX_SCALE_MARK_CLEAN : NGX_SCALE_MARK_SET;
    moving = 0;

    for (q = ngx_queue_head(&write->marks);
         q != ngx_queue_sentinel(&write->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_scale_mark_t, queue);

        if (!mark->busy && mark->state != goal) {
            ngx_scale_mark_step(mark);
        }

        moving += mark->state != goal || mark->busy
                  || (write->unmarking && ngx_scale_mark_recheck(mark));
    }

    return moving;
}


static void
ngx_scale_write_finish(ngx_scale_write_t *write)
{
    ngx_msec_t  leased;

    if (write->unmarking) {
        leased = ngx_scale_write_leased(write);

        if (leased) {
            ngx_add_timer(&write->event, leased);
            return;
        }

        ngx_scale_write_disown(write);
    }

    write->done(write, NGX_OK);
}


static void
ngx_scale_write_on_reply(ngx_scale_memc_op_t *op)
{
    ngx_scale_mark_t  *mark = op->data;

    ngx_scale_write_t  *write;

    write = mark->write;

    ngx_scale_mark_told(mark, op);

    if (write->pending) {
        return;
    }

    if (write->failed) {
        write->failed = 0;
        ngx_scale_write_wait(write);
        return;
    }

    ngx_scale_write_on_event(&write->event);
}


/*
 * What is older leaves the local tier for good: local.h says why now and not
 * only when the markers were set.  Other nodes may hold it under a lease, for
 * so many ms more.
 */

static ngx_msec_t
ngx_scale_write_leased(ngx_scale_write_t *write)
{
    uint64_t           now, until;
    ngx_queue_t       *q;
    ngx_scale_mark_t  *mark;

    now = ngx_scale_zone_now();
    until = now;

    for (q = ngx_queue_head(&write->marks);
         q != ngx_queue_sentinel(&write->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_scale_mark_t, queue);

        ngx_scale_tier_remove(write->cache, mark->room, &mark->key);

        if (write->cache->conf->lease && !ngx_scale_weak("local")) {
            until = ngx_max(until, mark->fenced + write->cache->conf->lease
                                   + 1);
        }
    }

    return until - now;
}


/* what this worker could not mark, because others know better where it is */

static void
ngx_scale_write_disown(ngx_scale_write_t *write)
{
    ngx_queue_t       *q;
    ngx_scale_mark_t  *mark;

    for (q = ngx_queue_head(&write->marks);
         q != ngx_queue_sentinel(&write->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_scale_mark_t, queue);
        ngx_scale_cache_disown(&mark->place);
    }
}


static void
ngx_scale_write_wait(ngx_scale_write_t *write)
{
    if ((ngx_msec_int_t) (write->deadline - ngx_current_msec) <= 0) {
        write->done(write, NGX_ERROR);
        return;
    }

    ngx_add_timer(&write->event, NGX_SCALE_WRITE_RETRY);
}


void
ngx_scale_cache_write_cancel(ngx_scale_write_t *write)
{
    ngx_queue_t       *q;
    ngx_scale_mark_t  *mark;

    for (q = ngx_queue_head(&write->marks);
         q != ngx_queue_sentinel(&write->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_scale_mark_t, queue);

        if (mark->busy) {
            mark->busy = 0;
            ngx_scale_memc_cancel(&mark->op);
        }
    }

    ngx_queue_init(&write->marks);
    write->pending = 0;

    ngx_scale_write_rest(write);
}


static void
ngx_scale_write_rest(ngx_scale_write_t *write)
{
    if (write->event.posted) {
        ngx_delete_posted_event(&write->event);
    }

    if (write->event.timer_set) {
        ngx_del_timer(&write->event);
    }
}
