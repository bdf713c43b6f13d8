
/*
 * A copy of a session's record on one memcached.  A value gets there only
 * under the CAS of a stub that the same connection has won: what is late, of a
 * reader or of a server that stood still, finds another CAS.
 */

#include "cache/copies_int.h"


static void ngx_scale_copy_send(ngx_scale_copy_t *copy,
    ngx_scale_copy_state_e state);
static ngx_scale_memc_op_t *ngx_scale_copy_op(ngx_scale_copy_t *copy,
    ngx_uint_t verb);
static void ngx_scale_copy_was_looked_at(ngx_scale_copy_t *copy,
    ngx_scale_memc_op_t *op);
static void ngx_scale_copy_was_killed(ngx_scale_copy_t *copy,
    ngx_scale_memc_op_t *op);
static void ngx_scale_copy_was_checked(ngx_scale_copy_t *copy,
    ngx_scale_memc_op_t *op);
static void ngx_scale_copy_was_filled(ngx_scale_copy_t *copy,
    ngx_scale_memc_op_t *op);
static void ngx_scale_copy_note(ngx_scale_copy_t *copy, ngx_uint_t verb,
    ngx_str_t *value, time_t ttl);


/* by state: what a reply says */

static void (*const ngx_scale_copy_replies[])(ngx_scale_copy_t *copy,
    ngx_scale_memc_op_t *op) = {

    [NGX_SCALE_COPY_LOOKING] = ngx_scale_copy_was_looked_at,
    [NGX_SCALE_COPY_KILLING] = ngx_scale_copy_was_killed,
    [NGX_SCALE_COPY_CHECKING] = ngx_scale_copy_was_checked,
    [NGX_SCALE_COPY_FILLING] = ngx_scale_copy_was_filled
};


/*
 * A copy that readers do not use yet is filled by nobody: who goes by the ring
 * of before would not end it.  What is to end is ended there, too.
 */

void
ngx_scale_copy_place(ngx_scale_copy_t *copy, ngx_scale_place_t *place)
{
    copy->place = *place;
    copy->place.wire.data = copy->place.buf;

    copy->state = place->node == NULL || (place->early && !copy->run->ending)
                  ? NGX_SCALE_COPY_UNUSED : NGX_SCALE_COPY_NEW;
}


void
ngx_scale_copy_look(ngx_scale_copy_t *copy)
{
    ngx_scale_copy_op(copy, NGX_SCALE_MEMC_MG)->lease = NGX_SCALE_COPY_LEASE;

    ngx_scale_copy_send(copy, NGX_SCALE_COPY_LOOKING);
}


/*
 * Not removed: who has read the value from another copy a moment ago would get
 * a stub here and put it back.
 */

void
ngx_scale_copy_kill(ngx_scale_copy_t *copy)
{
    ngx_scale_memc_op_t  *op;

    op = ngx_scale_copy_op(copy, ngx_scale_weak("tombstone")
                                 ? NGX_SCALE_MEMC_MD : NGX_SCALE_MEMC_MS);

    op->flags = NGX_SCALE_CACHE_PENDING;
    op->ttl = ngx_min(copy->run->copies->patience / 1000
                      + NGX_SCALE_CACHE_GRACE, NGX_SCALE_COPY_TOMBSTONE);
    op->return_cas = 1;

    ngx_scale_copy_send(copy, NGX_SCALE_COPY_KILLING);
}


void
ngx_scale_copy_check(ngx_scale_copy_t *copy)
{
    if (ngx_scale_weak("tombstone") || ngx_scale_weak("standing")) {
        copy->state = NGX_SCALE_COPY_STANDS;
        return;
    }

    (void) ngx_scale_copy_op(copy, NGX_SCALE_MEMC_MG);

    ngx_scale_copy_send(copy, NGX_SCALE_COPY_CHECKING);
}


void
ngx_scale_copy_fill(ngx_scale_copy_t *copy)
{
    ngx_scale_memc_op_t  *op;

    op = ngx_scale_copy_op(copy, NGX_SCALE_MEMC_MS);

    op->value = copy->run->copies->value;
    op->flags = NGX_SCALE_CACHE_VALUE;
    op->ttl = copy->run->copies->ttl;
    op->guarded = 1;
    op->token = copy->token;

    ngx_scale_copy_send(copy, NGX_SCALE_COPY_FILLING);
}


static ngx_scale_memc_op_t *
ngx_scale_copy_op(ngx_scale_copy_t *copy, ngx_uint_t verb)
{
    ngx_scale_memc_op_t  *op;

    op = &copy->op;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = verb;
    op->key = copy->place.wire;
    op->handler = copy->run->handler;
    op->data = copy;

    return op;
}


static void
ngx_scale_copy_send(ngx_scale_copy_t *copy, ngx_scale_copy_state_e state)
{
    copy->state = state;
    copy->busy = 1;
    copy->run->pending++;

    ngx_scale_cache_send(&copy->place, &copy->op);
}


void
ngx_scale_copy_told(ngx_scale_copy_t *copy, ngx_scale_memc_op_t *op)
{
    copy->busy = 0;
    copy->run->pending--;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, copy->run->cache->log, 0,
                   "scale copy \"%V\" state:%d status:%ui flags:%uD",
                   &copy->place.wire, copy->state, op->status, op->rflags);

    if (op->status == NGX_SCALE_MEMC_FAILED) {
        copy->state = NGX_SCALE_COPY_SILENT;
        return;
    }

    ngx_scale_copy_replies[copy->state](copy, op);
}


static void
ngx_scale_copy_was_looked_at(ngx_scale_copy_t *copy, ngx_scale_memc_op_t *op)
{
    copy->state = NGX_SCALE_COPY_ABSENT;

    if (op->status != NGX_SCALE_MEMC_VA) {
        return;
    }

    switch (op->rflags) {

    case NGX_SCALE_CACHE_STUB:
        if (op->won) {
            copy->token = op->rtoken;
            copy->state = NGX_SCALE_COPY_WON;
        }

        return;

    case NGX_SCALE_CACHE_VALUE:
        copy->state = NGX_SCALE_COPY_FOUND;
        return;

    case NGX_SCALE_CACHE_PENDING:
        copy->state = NGX_SCALE_COPY_DEAD;
    }
}


static void
ngx_scale_copy_was_killed(ngx_scale_copy_t *copy, ngx_scale_memc_op_t *op)
{
    copy->token = op->rtoken;
    copy->state = op->status == NGX_SCALE_MEMC_NS ? NGX_SCALE_COPY_SILENT
                                                  : NGX_SCALE_COPY_KILLED;
}


/*
 * Another one, of who ends the same, is as good from now on.  None: memcached
 * has forgotten it, and what it may hold instead is not known.
 */

static void
ngx_scale_copy_was_checked(ngx_scale_copy_t *copy, ngx_scale_memc_op_t *op)
{
    if (op->status != NGX_SCALE_MEMC_VA
        || op->rflags != NGX_SCALE_CACHE_PENDING)
    {
        copy->state = NGX_SCALE_COPY_SILENT;
        return;
    }

    copy->state = op->rtoken.cas == copy->token.cas
                  && op->rtoken.generation == copy->token.generation
                  ? NGX_SCALE_COPY_STANDS : NGX_SCALE_COPY_KILLED;

    copy->token = op->rtoken;
}


static void
ngx_scale_copy_was_filled(ngx_scale_copy_t *copy, ngx_scale_memc_op_t *op)
{
    copy->state = op->status == NGX_SCALE_MEMC_HD ? NGX_SCALE_COPY_FILLED
                                                  : NGX_SCALE_COPY_LOST;
}


void
ngx_scale_copy_repair(ngx_scale_copy_t *copy, ngx_str_t *value, time_t ttl)
{
    if (copy->state == NGX_SCALE_COPY_WON) {
        ngx_scale_copy_note(copy, NGX_SCALE_MEMC_MS, value, ttl);
    }
}


void
ngx_scale_copy_leave(ngx_scale_copy_t *copy)
{
    ngx_str_t  none = ngx_null_string;

    if (copy->state == NGX_SCALE_COPY_WON) {
        ngx_scale_copy_note(copy, NGX_SCALE_MEMC_MD, &none, 0);
    }
}


static void
ngx_scale_copy_note(ngx_scale_copy_t *copy, ngx_uint_t verb, ngx_str_t *value,
    time_t ttl)
{
    ngx_scale_memc_op_t  *op;

    copy->state = NGX_SCALE_COPY_ABSENT;

    op = ngx_scale_cache_note(copy->run->cache, &copy->place.wire, value->len);
    if (op == NULL) {
        return;
    }

    ngx_memcpy(op->value.data, value->data, value->len);

    op->verb = verb;
    op->flags = NGX_SCALE_CACHE_VALUE;
    op->ttl = ttl;
    op->guarded = 1;
    op->token = copy->token;

    ngx_scale_cache_send(&copy->place, op);
}
