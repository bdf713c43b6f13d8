
/* what is so of all copies of a record */

#include "cache/copies_int.h"


static ngx_uint_t ngx_scale_copies_are_killed(ngx_scale_copies_run_t *run,
    ngx_scale_place_t *places, ngx_uint_t n);


ngx_int_t
ngx_scale_copies_find(ngx_scale_copies_run_t *run)
{
    ngx_int_t          n;
    ngx_uint_t         i;
    ngx_scale_place_t  places[NGX_SCALE_COPIES_MAX];

    /* a stub that is ours would look like another one's */

    (void) ngx_scale_copies_each(run, NGX_SCALE_COPY_WON,
                                 ngx_scale_copy_leave);

    run->filling = 0;

    n = ngx_scale_cache_copies(run->cache, places, run->copies->n,
                               &run->copies->key);
    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (ngx_scale_copies_are_killed(run, places, n)) {
        return NGX_OK;
    }

    run->n = n;

    for (i = 0; i < run->n; i++) {
        ngx_scale_copy_place(&run->copy[i], &places[i]);
    }

    return NGX_OK;
}


/*
 * All of them, and only the ring of before is waited for.  Where one is not,
 * all get new tombstones: who replaces, too, may have filled another one under
 * what stood there, and goes on with the others.
 */

static ngx_uint_t
ngx_scale_copies_are_killed(ngx_scale_copies_run_t *run,
    ngx_scale_place_t *places, ngx_uint_t n)
{
    ngx_uint_t         i;
    ngx_scale_copy_t  *copy;

    if (!run->ending || run->n != n) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        copy = &run->copy[i];

        if ((copy->state != NGX_SCALE_COPY_KILLED
             && copy->state != NGX_SCALE_COPY_STANDS
             && copy->state != NGX_SCALE_COPY_UNUSED)
            || copy->place.tag != places[i].tag
            || !ngx_scale_same(&copy->place.wire, &places[i].wire))
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_scale_copies_each(ngx_scale_copies_run_t *run,
    ngx_scale_copy_state_e state, void (*verb)(ngx_scale_copy_t *copy))
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < run->n; i++) {

        if (run->copy[i].state != state) {
            continue;
        }

        n++;

        if (verb) {
            verb(&run->copy[i]);
        }
    }

    return n;
}


ngx_uint_t
ngx_scale_copies_are_placed(ngx_scale_copies_run_t *run)
{
    ngx_uint_t  i;

    for (i = 0; i < run->n; i++) {

        if (run->copy[i].state != NGX_SCALE_COPY_DISOWNED
            && !ngx_scale_cache_placed(&run->copy[i].place))
        {
            return 0;
        }
    }

    return 1;
}


/* what is on a node that is out nobody will ever see again */

ngx_uint_t
ngx_scale_copies_are_missing(ngx_scale_copies_run_t *run)
{
    ngx_uint_t         i;
    ngx_scale_copy_t  *copy;

    for (i = 0; i < run->n; i++) {
        copy = &run->copy[i];

        if (copy->state == NGX_SCALE_COPY_SILENT
            || (copy->state == NGX_SCALE_COPY_UNUSED
                && !ngx_scale_view_is_out(copy->place.spot.home_word)))
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_scale_copies_are_out(ngx_scale_copies_run_t *run)
{
    ngx_uint_t  i;

    for (i = 0; i < run->n; i++) {
        if (!ngx_scale_view_is_out(run->copy[i].place.spot.home_word)) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_scale_copies_is_kept(ngx_scale_copies_run_t *run)
{
    ngx_uint_t         i;
    ngx_scale_copy_t  *copy;

    for (i = 0; i < run->n; i++) {
        copy = &run->copy[i];

        if ((copy->state == NGX_SCALE_COPY_FILLED
             || copy->state == NGX_SCALE_COPY_FOUND)
            && ngx_scale_cache_placed(&copy->place))
        {
            return 1;
        }
    }

    return 0;
}
