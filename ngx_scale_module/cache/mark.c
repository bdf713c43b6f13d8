
/*
 * Writes: a mark (PENDING) on every key and tag before the commit, and its
 * removal after.  Every unguarded command here only removes or blocks, so it
 * may be repeated, delayed or doubled.
 */

#include "cache/mark_int.h"


static void ngx_scale_mark_rest(ngx_scale_write_t *write);
static void ngx_scale_mark_post(ngx_scale_write_t *write);
static ngx_msec_t ngx_scale_mark_leased(ngx_scale_write_t *write);
static void ngx_scale_mark_disown(ngx_scale_write_t *write);
static void ngx_scale_mark_wait(ngx_scale_write_t *write);
static void ngx_scale_mark_step(ngx_scale_mark_t *mark);
static void ngx_scale_mark_set(ngx_scale_mark_t *mark);
static ngx_uint_t ngx_scale_mark_is_lost(ngx_scale_mark_t *mark);
static void ngx_scale_mark_release(ngx_scale_mark_t *mark);
static ngx_scale_memc_op_t *ngx_scale_mark_replace(ngx_scale_mark_t *mark);
static void ngx_scale_mark_purge(ngx_scale_mark_t *mark);
static ngx_uint_t ngx_scale_mark_recheck(ngx_scale_mark_t *mark);
static ngx_scale_memc_op_t *ngx_scale_mark_op(ngx_scale_mark_t *mark,
    ngx_uint_t verb);
static void ngx_scale_mark_send(ngx_scale_mark_t *mark,
    ngx_scale_mark_state_e state);
static void ngx_scale_mark_reply(ngx_scale_memc_op_t *op);
static void ngx_scale_mark_replied(ngx_scale_mark_t *mark,
    ngx_scale_memc_op_t *op);
static void ngx_scale_mark_released(ngx_scale_mark_t *mark,
    ngx_scale_memc_status_e status);
static void ngx_scale_mark_looked(ngx_scale_mark_t *mark,
    ngx_scale_memc_op_t *op);
static void ngx_scale_mark_count_lost(ngx_scale_mark_t *mark);


#if (NGX_SCALE_STEP)

/* before a command of this state is sent, and after its reply */

static const char  *ngx_scale_mark_steps[][2] = {
    [NGX_SCALE_MARK_SETTING] = { "mark.set", "mark.was_set" },
    [NGX_SCALE_MARK_RELEASING] = { "mark.release", "mark.was_released" },
    [NGX_SCALE_MARK_LOOKING] = { "mark.look", "mark.was_looked_at" },
    [NGX_SCALE_MARK_PURGING] = { "mark.purge", "mark.was_purged" }
};

#endif


/* ms between tries, while a server is silent and not yet out of use */
#define NGX_SCALE_MARK_RETRY  20

/* seconds before a mark's end, then it may have ended: clocks are coarse */
#define NGX_SCALE_MARK_DOUBT  3


void
ngx_scale_cache_mark(ngx_scale_write_t *write)
{
    write->unmarking = 0;
    ngx_scale_mark_post(write);
}


void
ngx_scale_cache_unmark(ngx_scale_write_t *write)
{
    write->unmarking = 1;
    ngx_scale_mark_post(write);
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

    ngx_scale_mark_rest(write);
}


static void
ngx_scale_mark_rest(ngx_scale_write_t *write)
{
    if (write->event.posted) {
        ngx_delete_posted_event(&write->event);
    }

    if (write->event.timer_set) {
        ngx_del_timer(&write->event);
    }
}


static void
ngx_scale_mark_post(ngx_scale_write_t *write)
{
    if (!write->event.posted) {
        ngx_post_event(&write->event, &ngx_posted_events);
    }
}


/* moves every mark that awaits nothing; done when there is none to move */

void
ngx_scale_mark_event(ngx_event_t *ev)
{
    ngx_scale_write_t  *write = ev->data;

    ngx_uint_t               moving;
    ngx_msec_t               leased;
    ngx_queue_t             *q;
    ngx_scale_mark_t        *mark;
    ngx_scale_mark_state_e   goal;

    /* a reply, a verb and the timer may all want it: done() runs once */

    ngx_scale_mark_rest(write);

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

    if (moving == 0) {
        leased = write->unmarking ? ngx_scale_mark_leased(write) : 0;

        if (leased) {
            ngx_add_timer(&write->event, leased);
            return;
        }

        if (write->unmarking) {
            ngx_scale_mark_disown(write);
        }

        write->done(write, NGX_OK);
        return;
    }

    if (write->pending == 0) {
        ngx_scale_mark_wait(write);
    }
}


/*
 * What is older leaves the local tier for good: local.h says why now and not
 * only when the markers were set.  Other nodes may hold it under a lease, for
 * so many ms more.
 */

static ngx_msec_t
ngx_scale_mark_leased(ngx_scale_write_t *write)
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
ngx_scale_mark_disown(ngx_scale_write_t *write)
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
ngx_scale_mark_wait(ngx_scale_write_t *write)
{
    if ((ngx_msec_int_t) (write->deadline - ngx_current_msec) <= 0) {
        write->done(write, NGX_ERROR);
        return;
    }

    ngx_add_timer(&write->event, NGX_SCALE_MARK_RETRY);
}


static void
ngx_scale_mark_step(ngx_scale_mark_t *mark)
{
    switch (mark->state) {

    case NGX_SCALE_MARK_NEW:
        ngx_scale_mark_set(mark);
        return;

    case NGX_SCALE_MARK_SET:
        ngx_scale_mark_release(mark);
        return;

    default:
        ngx_scale_mark_purge(mark);
    }
}


/*
 * A server that is out of use holds nothing that anybody reads.  While nobody
 * knows who is, the mark waits.
 */

static void
ngx_scale_mark_set(ngx_scale_mark_t *mark)
{
    ngx_scale_memc_op_t  *op;

    if (mark->write->unmarking) {
        ngx_scale_mark_purge(mark);
        return;
    }

    if (ngx_scale_cache_place(mark->write->cache, &mark->place, mark->room,
                              &mark->key)
        == NGX_AGAIN)
    {
        return;
    }

    if (mark->place.node == NULL || ngx_scale_weak("mark")) {
        mark->state = NGX_SCALE_MARK_SET;
        return;
    }

    op = ngx_scale_mark_op(mark, NGX_SCALE_MEMC_MS);

    mark->value = ngx_scale_zone_draw(&mark->write->cache->chance);
    mark->set = ngx_current_msec;

    op->value.data = (u_char *) &mark->value;
    op->value.len = sizeof(uint64_t);
    op->flags = NGX_SCALE_CACHE_PENDING;
    op->ttl = mark->write->lifetime;
    op->return_cas = 1;

    ngx_scale_mark_send(mark, NGX_SCALE_MARK_SETTING);
}


/* it may have ended before the commit, so that an old value was filled */

static ngx_uint_t
ngx_scale_mark_is_lost(ngx_scale_mark_t *mark)
{
    return (ngx_msec_int_t) (ngx_current_msec - mark->set)
           > (mark->write->lifetime - NGX_SCALE_MARK_DOUBT) * 1000;
}


static void
ngx_scale_mark_release(ngx_scale_mark_t *mark)
{
    ngx_scale_memc_op_t  *op;

    if (!mark->held) {
        mark->state = NGX_SCALE_MARK_CLEAN;
        return;
    }

    if (ngx_scale_mark_is_lost(mark)) {
        ngx_scale_mark_count_lost(mark);
        ngx_scale_mark_purge(mark);
        return;
    }

    op = ngx_scale_mark_replace(mark);
    op->guarded = 1;
    op->token = mark->token;

    ngx_scale_mark_send(mark, NGX_SCALE_MARK_RELEASING);
}


/* a tag gets a new generation, a key what the write made of it, or nothing */

static ngx_scale_memc_op_t *
ngx_scale_mark_replace(ngx_scale_mark_t *mark)
{
    ngx_scale_memc_op_t  *op;

    if (mark->room != NGX_SCALE_CACHE_ROOM_TAG && mark->entry.len == 0) {
        return ngx_scale_mark_op(mark, NGX_SCALE_MEMC_MD);
    }

    op = ngx_scale_mark_op(mark, NGX_SCALE_MEMC_MS);
    op->flags = NGX_SCALE_CACHE_VALUE;

    if (mark->room != NGX_SCALE_CACHE_ROOM_TAG) {
        op->value = mark->entry;
        op->ttl = mark->ttl;
        return op;
    }

    mark->value = ngx_scale_zone_draw(&mark->write->cache->chance);

    op->value.data = (u_char *) &mark->value;
    op->value.len = sizeof(uint64_t);
    op->ttl = ngx_scale_cache_tag_ttl(&mark->place);

    return op;
}


static void
ngx_scale_mark_purge(ngx_scale_mark_t *mark)
{
    if (ngx_scale_cache_place(mark->write->cache, &mark->place, mark->room,
                              &mark->key)
        == NGX_AGAIN)
    {
        mark->state = NGX_SCALE_MARK_PURGING;
        return;
    }

    if (mark->place.node == NULL) {
        mark->state = NGX_SCALE_MARK_CLEAN;
        return;
    }

    (void) ngx_scale_mark_op(mark, NGX_SCALE_MEMC_MD);

    ngx_scale_mark_send(mark, NGX_SCALE_MARK_PURGING);
}


/*
 * Other nodes may use another place by now, and have filled it meanwhile: what
 * is there is removed.  Or they may go on with the former one for a moment.
 */

static ngx_uint_t
ngx_scale_mark_recheck(ngx_scale_mark_t *mark)
{
    if (ngx_scale_cache_placed(&mark->place) || ngx_scale_weak("recheck")) {
        return 0;
    }

    if (ngx_scale_cache_is_moved(&mark->place)) {
        ngx_scale_mark_purge(mark);

    } else if (!mark->waits) {
        mark->waits = 1;
        (void) ngx_atomic_fetch_add(&mark->write->cache->record->counts.held,
                                    1);
    }

    return mark->state != NGX_SCALE_MARK_CLEAN
           || !ngx_scale_cache_placed(&mark->place);
}


static ngx_scale_memc_op_t *
ngx_scale_mark_op(ngx_scale_mark_t *mark, ngx_uint_t verb)
{
    ngx_scale_memc_op_t  *op;

    op = &mark->op;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = verb;
    op->key = mark->place.wire;
    op->handler = ngx_scale_mark_reply;
    op->data = mark;

    return op;
}


static void
ngx_scale_mark_send(ngx_scale_mark_t *mark, ngx_scale_mark_state_e state)
{
    SCALE_STEP(ngx_scale_mark_steps[state][0]);

    mark->state = state;
    mark->busy = 1;
    mark->write->pending++;

    ngx_scale_cache_send(&mark->place, &mark->op);
}


static void
ngx_scale_mark_reply(ngx_scale_memc_op_t *op)
{
    ngx_scale_mark_t  *mark = op->data;

    mark->busy = 0;
    mark->write->pending--;

    SCALE_STEP(ngx_scale_mark_steps[mark->state][1]);

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, mark->write->cache->log, 0,
                   "scale mark \"%V\" state:%d status:%ui flags:%uD",
                   &mark->key, mark->state, op->status, op->rflags);

    /* released by its own token, the marker has stood since it was set */

    if (mark->state != NGX_SCALE_MARK_RELEASING) {
        mark->fenced = ngx_scale_zone_now();
    }

    mark->write->failed |= op->status == NGX_SCALE_MEMC_FAILED
                           || op->status == NGX_SCALE_MEMC_NS;

    ngx_scale_mark_replied(mark, op);

    if (mark->write->pending) {
        return;
    }

    if (mark->write->failed) {
        mark->write->failed = 0;
        ngx_scale_mark_wait(mark->write);
        return;
    }

    ngx_scale_mark_event(&mark->write->event);
}


static void
ngx_scale_mark_replied(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
{
    switch (mark->state) {

    case NGX_SCALE_MARK_SETTING:

        if (op->status == NGX_SCALE_MEMC_HD) {
            mark->token = op->rtoken;
            mark->held = 1;
            mark->state = NGX_SCALE_MARK_SET;

            ngx_scale_tier_remove(mark->write->cache, mark->room, &mark->key);

        } else {
            mark->state = NGX_SCALE_MARK_NEW;
        }

        return;

    case NGX_SCALE_MARK_RELEASING:
        ngx_scale_mark_released(mark, op->status);
        return;

    case NGX_SCALE_MARK_LOOKING:
        ngx_scale_mark_looked(mark, op);
        return;

    default:                           /* PURGING; else it is tried again */

        if (op->status == NGX_SCALE_MEMC_HD || op->status == NGX_SCALE_MEMC_NF)
        {
            mark->state = NGX_SCALE_MARK_CLEAN;
        }
    }
}


static void
ngx_scale_mark_released(ngx_scale_mark_t *mark, ngx_scale_memc_status_e status)
{
    switch (status) {

    case NGX_SCALE_MEMC_HD:
        mark->state = NGX_SCALE_MARK_CLEAN;
        return;

    case NGX_SCALE_MEMC_EX:
        (void) ngx_scale_mark_op(mark, NGX_SCALE_MEMC_MG);
        ngx_scale_mark_send(mark, NGX_SCALE_MARK_LOOKING);
        return;

    case NGX_SCALE_MEMC_NF:
        ngx_scale_mark_count_lost(mark);
        ngx_scale_mark_purge(mark);
        return;

    case NGX_SCALE_MEMC_FAILED:
        ngx_scale_mark_count_lost(mark);
        /* fall through */

    default:                           /* NS: the entry is too large */
        mark->state = NGX_SCALE_MARK_PURGING;
    }
}


/* at what is in the mark's place */

static void
ngx_scale_mark_looked(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
{
    if (op->status == NGX_SCALE_MEMC_VA
        && op->rflags == NGX_SCALE_CACHE_PENDING)
    {
        (void) ngx_atomic_fetch_add(
                          &mark->write->cache->record->counts.contended, 1);
        mark->state = NGX_SCALE_MARK_CLEAN;
        return;
    }

    ngx_scale_mark_count_lost(mark);

    if (op->status == NGX_SCALE_MEMC_VA) {
        ngx_scale_mark_purge(mark);
        return;
    }

    mark->state = op->status == NGX_SCALE_MEMC_EN ? NGX_SCALE_MARK_CLEAN
                                                  : NGX_SCALE_MARK_PURGING;
}


static void
ngx_scale_mark_count_lost(ngx_scale_mark_t *mark)
{
    (void) ngx_atomic_fetch_add(&mark->write->cache->record->counts.lost, 1);
}
