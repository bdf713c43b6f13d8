
/* a round's end: its readers are told, and those who were late begin another */

#include "cache/flight_int.h"


/* from a posted event, so that no handler runs before its verb returns */

void
ngx_scale_flight_again(ngx_scale_flight_t *flight)
{
    flight->state = NGX_SCALE_FLIGHT_RESTING;

    if (!flight->event.posted) {
        ngx_post_event(&flight->event, &ngx_posted_events);
    }
}


void
ngx_scale_flight_answer(ngx_scale_flight_t *flight,
    ngx_scale_cache_verdict_e verdict, ngx_scale_entry_t *entry, void *failure)
{
    ngx_scale_flight_tell(flight, verdict, entry, failure);
    ngx_scale_flight_end(flight);
}


/* readers that come meanwhile are late: the state is FILLING */

void
ngx_scale_flight_tell(ngx_scale_flight_t *flight,
    ngx_scale_cache_verdict_e verdict, ngx_scale_entry_t *entry, void *failure)
{
    ngx_uint_t         shared;
    ngx_queue_t       *q;
    ngx_scale_read_t  *read;

    shared = flight->state == NGX_SCALE_FLIGHT_FILLING;
    flight->state = NGX_SCALE_FLIGHT_FILLING;

    while (!ngx_queue_empty(&flight->readers)) {
        q = ngx_queue_head(&flight->readers);
        ngx_queue_remove(q);

        read = ngx_queue_data(q, ngx_scale_read_t, queue);

        read->flight = NULL;
        read->verdict = verdict;
        read->entry = entry;
        read->failure = failure;
        read->shared = shared;
        read->old = flight->old;
        read->cas = shared ? 0 : flight->op.rtoken.cas;
        read->due = flight->due ? flight : NULL;
        flight->due = 0;
        read->handler(read);
    }

    flight->old = 0;
}


void
ngx_scale_flight_end(ngx_scale_flight_t *flight)
{
    flight->leased = 0;
    flight->bypassed = 0;
    flight->cleared = 0;
    flight->noted = 0;
    flight->renewing = 0;
    flight->keeps = 0;
    flight->delay = 0;

    ngx_scale_flight_let_go(flight);

    if (ngx_queue_empty(&flight->late)) {
        ngx_scale_flight_destroy(flight);
        return;
    }

    ngx_scale_flight_again(flight);
}
