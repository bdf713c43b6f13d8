
/* commands that await replies, in order, and those that get none */

#include "cache/memc_int.h"


static void ngx_scale_memc_answer(ngx_scale_memc_op_t *op,
    ngx_scale_memc_status_e status, ngx_scale_reply_t *reply);


ngx_int_t
ngx_scale_memc_append(ngx_scale_memc_t *memc, ngx_scale_memc_op_t *op)
{
    u_char                 *p;
    ngx_scale_memc_slot_t  *slot;

    if (memc->tail - memc->head == NGX_SCALE_MEMC_SLOTS) {
        return NGX_ERROR;
    }

    p = ngx_scale_memc_reserve(memc, NGX_SCALE_MEMC_LINE + op->value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    op->number = memc->tail;
    op->offset = memc->out_offset + memc->out_len;
    op->flying = 1;

    memc->out_len = ngx_scale_memc_format(p, op) - memc->out;

    slot = &memc->slots[memc->tail++ % NGX_SCALE_MEMC_SLOTS];

    slot->op = op;
    slot->verb = op->verb;
    slot->sent = ngx_current_msec;

    return NGX_OK;
}


void
ngx_scale_memc_defer(ngx_scale_memc_t *memc, ngx_scale_memc_op_t *op,
    ngx_scale_memc_status_e status)
{
    op->status = status;
    op->deferred = 1;

    ngx_queue_insert_tail(&memc->deferred, &op->queue);

    if (!memc->flush.posted) {
        ngx_post_event(&memc->flush, &ngx_posted_events);
    }
}


/* what a handler defers is for the next turn */

void
ngx_scale_memc_run_deferred(ngx_scale_memc_t *memc)
{
    ngx_queue_t           answered, *q;
    ngx_scale_memc_op_t  *op;

    if (ngx_queue_empty(&memc->deferred)) {
        return;
    }

    ngx_queue_init(&answered);
    ngx_queue_add(&answered, &memc->deferred);
    ngx_queue_init(&memc->deferred);

    while (!ngx_queue_empty(&answered)) {
        q = ngx_queue_head(&answered);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_scale_memc_op_t, queue);
        op->deferred = 0;
        op->handler(op);
    }
}


void
ngx_scale_memc_cancel(ngx_scale_memc_op_t *op)
{
    if (op->deferred) {
        op->deferred = 0;
        ngx_queue_remove(&op->queue);

    } else if (op->flying) {
        op->flying = 0;
        op->memc->slots[op->number % NGX_SCALE_MEMC_SLOTS].op = NULL;
    }
}


ngx_uint_t
ngx_scale_memc_is_sent(ngx_scale_memc_op_t *op)
{
    return !op->flying || op->memc->out_offset > op->offset;
}


/* in order, and by the opaque; a miss may be answered by a bare EN */

ngx_int_t
ngx_scale_memc_reply(ngx_scale_memc_t *memc, ngx_scale_reply_t *reply)
{
    ngx_scale_memc_op_t      *op;
    ngx_scale_memc_slot_t    *slot;
    ngx_scale_memc_status_e   status;

    if (memc->head == memc->tail) {
        return NGX_ERROR;
    }

    if (reply->has_opaque ? reply->opaque != memc->head
                          : !ngx_scale_reply_is_bare(reply->code))
    {
        return NGX_ERROR;
    }

    slot = &memc->slots[memc->head % NGX_SCALE_MEMC_SLOTS];
    status = ngx_scale_memc_status(slot->verb, reply->code);

    if (status == NGX_SCALE_MEMC_FAILED) {
        return NGX_ERROR;
    }

    memc->head++;
    memc->complained = 0;

    op = slot->op;

    if (op) {
        slot->op = NULL;
        ngx_scale_memc_answer(op, status, reply);
    }

    return NGX_OK;
}


static void
ngx_scale_memc_answer(ngx_scale_memc_op_t *op, ngx_scale_memc_status_e status,
    ngx_scale_reply_t *reply)
{
    op->flying = 0;
    op->status = status;
    op->rvalue = reply->value;
    op->rflags = reply->flags;
    op->rttl = reply->ttl;
    op->rtoken.cas = reply->cas;
    op->rtoken.generation = op->memc->generation;
    op->won = reply->won;
    op->wait = reply->wait;
    op->old = reply->old;

    op->handler(op);
}


void
ngx_scale_memc_fail(ngx_scale_memc_t *memc)
{
    ngx_scale_memc_op_t  *op;

    for ( /* void */ ; memc->head != memc->tail; memc->head++) {
        op = memc->slots[memc->head % NGX_SCALE_MEMC_SLOTS].op;

        if (op) {
            op->flying = 0;
            ngx_scale_memc_defer(memc, op, NGX_SCALE_MEMC_FAILED);
        }
    }
}


void
ngx_scale_memc_forget(ngx_scale_memc_t *memc)
{
    ngx_queue_t          *q;
    ngx_scale_memc_op_t  *op;

    while (!ngx_queue_empty(&memc->deferred)) {
        q = ngx_queue_head(&memc->deferred);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_scale_memc_op_t, queue);
        op->deferred = 0;
    }
}


/*
 * nginx's clock stands still within a turn, and a turn may be long (a herd of
 * TLS handshakes): that time is not the server's.
 */

void
ngx_scale_memc_stamp(ngx_scale_memc_t *memc)
{
    uint64_t  n;

    if (memc->fresh == memc->tail) {
        return;
    }

    ngx_time_update();

    for (n = ngx_max(memc->fresh, memc->head); n != memc->tail; n++) {
        memc->slots[n % NGX_SCALE_MEMC_SLOTS].sent = ngx_current_msec;
    }

    memc->fresh = memc->tail;
}


void
ngx_scale_memc_watch(ngx_scale_memc_t *memc)
{
    ngx_msec_int_t  left;

    if (memc->state == NGX_SCALE_MEMC_CLOSED) {
        return;
    }

    memc->peer.connection->idle = (memc->head == memc->tail);

    if (memc->head == memc->tail) {
        if (memc->timer.timer_set) {
            ngx_del_timer(&memc->timer);
        }

        return;
    }

    left = memc->slots[memc->head % NGX_SCALE_MEMC_SLOTS].sent
           + memc->timeout - ngx_current_msec;

    ngx_add_timer(&memc->timer, (ngx_msec_t) ngx_max(left, 1));
}


ngx_uint_t
ngx_scale_memc_is_late(ngx_scale_memc_t *memc)
{
    ngx_msec_int_t  late;

    late = ngx_current_msec - memc->timeout
           - memc->slots[memc->head % NGX_SCALE_MEMC_SLOTS].sent;

    /* what has not left yet is not awaited yet */

    return memc->head < memc->fresh && late >= 0;
}
