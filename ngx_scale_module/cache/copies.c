
/*
 * Records that have copies: what each verb does with them.  To find is to ask
 * one after another, beginning with any of them, so that a copy that was lost
 * is asked first sooner or later, and is put back from another one.
 *
 * To end is a tombstone on each, and then a look whether they stand.  At the
 * moment before that look all did, so no copy held a value; and no reader had
 * one that it might put back, since a stub is won before a value is read, and
 * where a tombstone stands no stub is won.  Without the look a tombstone that
 * memcached had to forget meanwhile would have let in a value of a copy that
 * was not yet ended.
 *
 * While a ring changes, web nodes go by the former one, by both, and by the
 * next, but never by the former and the next at one time.  Those that know of
 * both find and fill only what is in both.
 */

#include "cache/copies_int.h"


/* ms between tries */
#define NGX_SCALE_COPIES_RETRY  10


static void ngx_scale_copies_on_event(ngx_event_t *ev);
static void ngx_scale_copies_on_reply(ngx_scale_memc_op_t *op);
static void ngx_scale_copies_read(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_put(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_make(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_kill(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_replace(ngx_scale_copies_run_t *run);
static ngx_scale_copy_t *ngx_scale_copies_seek(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_found(ngx_scale_copies_run_t *run,
    ngx_scale_copy_t *copy);
static ngx_int_t ngx_scale_copies_end(ngx_scale_copies_run_t *run);
static ngx_int_t ngx_scale_copies_fill(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_disown(ngx_scale_copy_t *copy);
static void ngx_scale_copies_wait(ngx_scale_copies_run_t *run);
static void ngx_scale_copies_finish(ngx_scale_copies_run_t *run,
    ngx_scale_copies_result_e result);


static void (*const ngx_scale_copies_verbs[])(ngx_scale_copies_run_t *run) = {
    [NGX_SCALE_COPIES_READ] = ngx_scale_copies_read,
    [NGX_SCALE_COPIES_PUT] = ngx_scale_copies_put,
    [NGX_SCALE_COPIES_MAKE] = ngx_scale_copies_make,
    [NGX_SCALE_COPIES_KILL] = ngx_scale_copies_kill,
    [NGX_SCALE_COPIES_REPLACE] = ngx_scale_copies_replace
};


ngx_int_t
ngx_scale_copies_start(ngx_scale_cache_t *cache, ngx_scale_copies_t *copies)
{
    ngx_uint_t               i;
    ngx_scale_copies_run_t  *run;

    run = ngx_pcalloc(copies->pool, sizeof(ngx_scale_copies_run_t));
    if (run == NULL) {
        return NGX_ERROR;
    }

    copies->run = run;

    run->copies = copies;
    run->cache = cache;
    run->deadline = ngx_current_msec + copies->patience;
    run->handler = ngx_scale_copies_on_reply;
    run->ending = copies->verb == NGX_SCALE_COPIES_KILL
                  || copies->verb == NGX_SCALE_COPIES_REPLACE;

    /* those who make a value meet at the first */

    if (copies->verb == NGX_SCALE_COPIES_READ) {
        run->first = ngx_scale_zone_draw(&cache->chance) % copies->n;
    }

    for (i = 0; i < NGX_SCALE_COPIES_MAX; i++) {
        run->copy[i].run = run;
    }

    run->event.handler = ngx_scale_copies_on_event;
    run->event.data = run;
    run->event.log = cache->log;

    ngx_post_event(&run->event, &ngx_posted_events);

    return NGX_OK;
}


static void
ngx_scale_copies_on_event(ngx_event_t *ev)
{
    ngx_scale_copies_run_t  *run = ev->data;

    if (ngx_scale_copies_find(run) == NGX_AGAIN) {
        ngx_scale_copies_wait(run);
        return;
    }

    ngx_scale_copies_verbs[run->copies->verb](run);
}


static void
ngx_scale_copies_on_reply(ngx_scale_memc_op_t *op)
{
    ngx_scale_copy_t  *copy = op->data;

    ngx_scale_copies_run_t  *run;

    run = copy->run;

    ngx_scale_copy_told(copy, op);

    if (run->pending == 0) {
        ngx_scale_copies_verbs[run->copies->verb](run);
    }
}


static void
ngx_scale_copies_read(ngx_scale_copies_run_t *run)
{
    ngx_scale_copy_t  *copy;

    copy = ngx_scale_copies_seek(run);

    if (run->pending) {
        return;
    }

    if (copy) {
        ngx_scale_copies_found(run, copy);

    } else if (ngx_scale_copies_are_out(run)) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_UNKNOWN);

    } else if (ngx_scale_copies_are_missing(run)
               && ngx_scale_copies_are_placed(run))
    {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_MISSING);

    } else {
        ngx_scale_copies_wait(run);
    }
}


/*
 * Nobody else knows the key; but what a server that stands still is sent may
 * reach it after the key has been killed there, so it goes under a stub, too.
 */

static void
ngx_scale_copies_put(ngx_scale_copies_run_t *run)
{
    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_NEW,
                                 ngx_scale_copy_look);
    if (run->pending) {
        return;
    }

    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_WON, ngx_scale_copy_fill);

    if (run->pending) {
        return;
    }

    if (ngx_scale_copies_are_out(run)) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_UNKNOWN);

    } else if (ngx_scale_copies_is_kept(run)) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_DONE);

    } else {
        ngx_scale_copies_wait(run);
    }
}


/* only who has the stubs of all copies makes it: no two do */

static void
ngx_scale_copies_make(ngx_scale_copies_run_t *run)
{
    ngx_int_t          rc;
    ngx_scale_copy_t  *copy;

    if (!run->filling) {
        copy = ngx_scale_copies_seek(run);

        if (run->pending) {
            return;
        }

        if (copy && copy->state == NGX_SCALE_COPY_FOUND) {
            ngx_scale_copies_found(run, copy);
            return;
        }

        if (ngx_scale_copies_are_out(run)) {
            ngx_scale_copies_finish(run, NGX_SCALE_COPIES_UNKNOWN);
            return;
        }

        if (copy || !ngx_scale_copies_are_missing(run)
            || ngx_scale_copies_each(run, NGX_SCALE_COPY_ABSENT, NULL))
        {
            ngx_scale_copies_wait(run);
            return;
        }

        run->filling = 1;
    }

    rc = ngx_scale_copies_fill(run);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc == NGX_OK && ngx_scale_copies_is_kept(run)) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_DONE);

    } else {
        ngx_scale_copies_wait(run);
    }
}


static void
ngx_scale_copies_kill(ngx_scale_copies_run_t *run)
{
    if (ngx_scale_copies_end(run) == NGX_OK) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_DONE);
    }
}


/* another one's value is as good: it is after the end, too */

static void
ngx_scale_copies_replace(ngx_scale_copies_run_t *run)
{
    if (!run->filling) {

        if (ngx_scale_copies_end(run) != NGX_OK) {
            return;
        }

        run->filling = 1;
    }

    if (ngx_scale_copies_fill(run) != NGX_AGAIN) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_DONE);
    }
}


/* who has it, or a tombstone; else, if nothing is pending, nobody */

static ngx_scale_copy_t *
ngx_scale_copies_seek(ngx_scale_copies_run_t *run)
{
    ngx_uint_t         i;
    ngx_scale_copy_t  *copy;

    for (i = 0; i < run->n; i++) {
        copy = &run->copy[(run->first + i) % run->n];

        if (copy->state == NGX_SCALE_COPY_FOUND
            || copy->state == NGX_SCALE_COPY_DEAD)
        {
            return copy;
        }

        if (copy->state == NGX_SCALE_COPY_NEW) {
            ngx_scale_copy_look(copy);
            return NULL;
        }
    }

    return NULL;
}


/* in the handler of the reply: the value is there no longer */

static void
ngx_scale_copies_found(ngx_scale_copies_run_t *run, ngx_scale_copy_t *copy)
{
    time_t               ttl;
    ngx_uint_t           i;
    ngx_scale_copies_t  *copies;

    /* else it may have been killed elsewhere, and be put back here */

    if (!ngx_scale_cache_placed(&copy->place)) {
        ngx_scale_copies_wait(run);
        return;
    }

    if (copy->state == NGX_SCALE_COPY_DEAD) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_DEAD);
        return;
    }

    copies = run->copies;

    copies->value = copy->op.rvalue;
    copies->left = copy->op.rttl;

    ttl = copies->left < 0 ? copies->ttl : ngx_max(copies->left, 1);

    for (i = 0; i < run->n; i++) {
        ngx_scale_copy_repair(&run->copy[i], &copies->value, ttl);
    }

    ngx_scale_copies_finish(run, NGX_SCALE_COPIES_DONE);
}


/* NGX_AGAIN: a reply or the timer is awaited, or it has been finished */

static ngx_int_t
ngx_scale_copies_end(ngx_scale_copies_run_t *run)
{
    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_NEW, ngx_scale_copy_kill);

    if (run->pending) {
        return NGX_AGAIN;
    }

    if (ngx_scale_copies_each(run, NGX_SCALE_COPY_SILENT, NULL)
        || !ngx_scale_copies_are_placed(run))
    {
        ngx_scale_copies_wait(run);
        return NGX_AGAIN;
    }

    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_UNUSED,
                                 ngx_scale_copies_disown);

    if (ngx_scale_copies_each(run, NGX_SCALE_COPY_KILLED, NULL) == 0) {
        return NGX_OK;
    }

    /* all of them: they have to stand at one time */

    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_STANDS,
                                 ngx_scale_copy_check);
    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_KILLED,
                                 ngx_scale_copy_check);

    return run->pending ? NGX_AGAIN : NGX_OK;
}


/*
 * One after another, and the others only by who has filled the first: all get
 * the same.  NGX_DECLINED: somebody else was first.
 */

static ngx_int_t
ngx_scale_copies_fill(ngx_scale_copies_run_t *run)
{
    ngx_uint_t         i, filled;
    ngx_scale_copy_t  *copy;

    filled = 0;

    for (i = 0; i < run->n; i++) {
        copy = &run->copy[i];

        if (copy->state == NGX_SCALE_COPY_WON
            || copy->state == NGX_SCALE_COPY_STANDS)
        {
            ngx_scale_copy_fill(copy);
            return NGX_AGAIN;
        }

        if (copy->state == NGX_SCALE_COPY_FILLED) {
            filled = 1;

        } else if (copy->state != NGX_SCALE_COPY_UNUSED && !filled) {
            break;
        }
    }

    return filled ? NGX_OK : NGX_DECLINED;
}


/* others hold it, and only this worker does not know where */

static void
ngx_scale_copies_disown(ngx_scale_copy_t *copy)
{
    if (!ngx_scale_view_is_out(copy->place.spot.home_word)) {
        ngx_scale_cache_disown_copy(&copy->place);
        copy->state = NGX_SCALE_COPY_DISOWNED;
    }
}


static void
ngx_scale_copies_wait(ngx_scale_copies_run_t *run)
{
    if ((ngx_msec_int_t) (run->deadline - ngx_current_msec) <= 0) {
        ngx_scale_copies_finish(run, NGX_SCALE_COPIES_UNKNOWN);
        return;
    }

    ngx_add_timer(&run->event, NGX_SCALE_COPIES_RETRY);
}


static void
ngx_scale_copies_finish(ngx_scale_copies_run_t *run,
    ngx_scale_copies_result_e result)
{
    ngx_scale_copies_t  *copies;

    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_WON,
                                 ngx_scale_copy_leave);

    copies = run->copies;
    copies->result = result;
    copies->run = NULL;

    copies->handler(copies);
}


void
ngx_scale_copies_cancel(ngx_scale_copies_t *copies)
{
    ngx_uint_t               i;
    ngx_scale_copies_run_t  *run;

    run = copies->run;

    if (run == NULL) {
        return;
    }

    for (i = 0; i < run->n; i++) {
        if (run->copy[i].busy) {
            ngx_scale_memc_cancel(&run->copy[i].op);
        }
    }

    if (run->event.posted) {
        ngx_delete_posted_event(&run->event);
    }

    if (run->event.timer_set) {
        ngx_del_timer(&run->event);
    }

    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_WON,
                                 ngx_scale_copy_leave);

    copies->run = NULL;
}
