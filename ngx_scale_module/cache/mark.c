
/*
 * A mark: PENDING on a key or tag before the commit, and its removal after.
 * Every unguarded command here only removes or blocks, so it may be repeated,
 * delayed or doubled.
 */

#include "cache/mark_int.h"


typedef struct {
    void  (*step)(ngx_scale_mark_t *mark);
    void  (*told)(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op);
} ngx_scale_mark_rule_t;


static void ngx_scale_mark_set(ngx_scale_mark_t *mark);
static ngx_uint_t ngx_scale_mark_is_lost(ngx_scale_mark_t *mark);
static void ngx_scale_mark_release(ngx_scale_mark_t *mark);
static ngx_scale_memc_op_t *ngx_scale_mark_replace(ngx_scale_mark_t *mark);
static void ngx_scale_mark_purge(ngx_scale_mark_t *mark);
static ngx_scale_memc_op_t *ngx_scale_mark_op(ngx_scale_mark_t *mark,
    ngx_uint_t verb);
static void ngx_scale_mark_send(ngx_scale_mark_t *mark,
    ngx_scale_mark_state_e state);
static void ngx_scale_mark_was_set(ngx_scale_mark_t *mark,
    ngx_scale_memc_op_t *op);
static void ngx_scale_mark_was_released(ngx_scale_mark_t *mark,
    ngx_scale_memc_op_t *op);
static void ngx_scale_mark_was_looked_at(ngx_scale_mark_t *mark,
    ngx_scale_memc_op_t *op);
static void ngx_scale_mark_was_purged(ngx_scale_mark_t *mark,
    ngx_scale_memc_op_t *op);
static void ngx_scale_mark_count_lost(ngx_scale_mark_t *mark);


/* by state: what moves a mark that awaits nothing, and where a reply does */

static const ngx_scale_mark_rule_t  ngx_scale_mark_rules[] = {

    [NGX_SCALE_MARK_NEW] = { ngx_scale_mark_set, NULL },

    [NGX_SCALE_MARK_SETTING] = {
        ngx_scale_mark_purge, ngx_scale_mark_was_set },

    [NGX_SCALE_MARK_SET] = { ngx_scale_mark_release, NULL },

    [NGX_SCALE_MARK_RELEASING] = {
        ngx_scale_mark_purge, ngx_scale_mark_was_released },

    [NGX_SCALE_MARK_LOOKING] = {
        ngx_scale_mark_purge, ngx_scale_mark_was_looked_at },

    [NGX_SCALE_MARK_PURGING] = {
        ngx_scale_mark_purge, ngx_scale_mark_was_purged },

    [NGX_SCALE_MARK_CLEAN] = { ngx_scale_mark_purge, NULL }
};


#if (NGX_SCALE_STEP)

/* before a command of this state is sent, and after its reply */

static const char  *ngx_scale_mark_steps[][2] = {
    [NGX_SCALE_MARK_SETTING] = { "mark.set", "mark.was_set" },
    [NGX_SCALE_MARK_RELEASING] = { "mark.release", "mark.was_released" },
    [NGX_SCALE_MARK_LOOKING] = { "mark.look", "mark.was_looked_at" },
    [NGX_SCALE_MARK_PURGING] = { "mark.purge", "mark.was_purged" }
};

#endif


/* seconds before a mark's end, then it may have ended: clocks are coarse */
#define NGX_SCALE_MARK_DOUBT  3


void
ngx_scale_mark_step(ngx_scale_mark_t *mark)
{
    ngx_scale_mark_rules[mark->state].step(mark);
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

ngx_uint_t
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
    op->handler = mark->handler;
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


void
ngx_scale_mark_told(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
{
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

    ngx_scale_mark_rules[mark->state].told(mark, op);
}


static void
ngx_scale_mark_was_set(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
{
    if (op->status != NGX_SCALE_MEMC_HD) {
        mark->state = NGX_SCALE_MARK_NEW;
        return;
    }

    mark->token = op->rtoken;
    mark->held = 1;
    mark->state = NGX_SCALE_MARK_SET;

    ngx_scale_tier_remove(mark->write->cache, mark->room, &mark->key);
}


static void
ngx_scale_mark_was_released(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
{
    switch (op->status) {

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
ngx_scale_mark_was_looked_at(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
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


/* else it is tried again */

static void
ngx_scale_mark_was_purged(ngx_scale_mark_t *mark, ngx_scale_memc_op_t *op)
{
    if (op->status == NGX_SCALE_MEMC_HD || op->status == NGX_SCALE_MEMC_NF) {
        mark->state = NGX_SCALE_MARK_CLEAN;
    }
}


static void
ngx_scale_mark_count_lost(ngx_scale_mark_t *mark)
{
    (void) ngx_atomic_fetch_add(&mark->write->cache->record->counts.lost, 1);
}
