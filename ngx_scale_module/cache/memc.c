
/* the verbs: a server is made known, commands are sent, and it rests */

#include "cache/memc_int.h"
#include "cache/weak.h"


static void ngx_scale_memc_on_turn_end(ngx_event_t *ev);


ngx_scale_memc_t *
ngx_scale_memc_create(ngx_pool_t *pool, ngx_addr_t *addr, ngx_msec_t timeout,
    ngx_log_t *log)
{
    ngx_scale_memc_t    *memc;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_scale_memc_t));
    if (cln == NULL) {
        return NULL;
    }

    memc = cln->data;
    ngx_memzero(memc, sizeof(ngx_scale_memc_t));

    memc->log = log;
    memc->timeout = timeout;
    memc->generation = 1;

    if (addr->sockaddr) {
        ngx_scale_memc_address(memc, addr);
    }

    memc->on_readable = ngx_scale_memc_on_readable;
    memc->on_writable = ngx_scale_memc_on_writable;

    memc->peer.get = ngx_event_get_peer;
    memc->peer.log = &memc->quiet;
    memc->peer.log_error = NGX_ERROR_INFO;

    /* nginx's own line about every try would come ten times a second */

    memc->quiet = *log;
    memc->quiet.log_level = ngx_min(log->log_level, NGX_LOG_ALERT);

    ngx_queue_init(&memc->deferred);

    memc->flush.handler = ngx_scale_memc_on_turn_end;
    memc->flush.data = memc;
    memc->flush.log = log;

    memc->timer.handler = ngx_scale_memc_on_timer;
    memc->timer.data = memc;
    memc->timer.log = log;
    memc->timer.cancelable = 1;

    cln->handler = ngx_scale_memc_strip;

    return memc;
}


void
ngx_scale_memc_rest(ngx_scale_memc_t *memc)
{
    ngx_scale_memc_close(memc, NGX_SCALE_MEMC_QUIETLY, 0);
    ngx_scale_memc_strip(memc);
}


void
ngx_scale_memc_destroy(ngx_scale_memc_t *memc)
{
    memc->down = NULL;

    ngx_scale_memc_close(memc, NGX_SCALE_MEMC_QUIETLY, 0);
    ngx_scale_memc_forget(memc);

    if (memc->flush.posted) {
        ngx_delete_posted_event(&memc->flush);
    }
}


void
ngx_scale_memc_address(ngx_scale_memc_t *memc, ngx_addr_t *addr)
{
    ngx_scale_memc_close(memc, NGX_SCALE_MEMC_QUIETLY, 0);

    ngx_memcpy(&memc->sockaddr, addr->sockaddr, addr->socklen);

    memc->name.data = memc->text;
    memc->name.len = ngx_min(addr->name.len, sizeof(memc->text));
    ngx_memcpy(memc->text, addr->name.data, memc->name.len);

    memc->peer.sockaddr = &memc->sockaddr.sockaddr;
    memc->peer.socklen = addr->socklen;
    memc->peer.name = &memc->name;

    memc->retry_at = ngx_current_msec;
    memc->complained = 0;
}


void
ngx_scale_memc_on_down(ngx_scale_memc_t *memc, void (*down)(void *data),
    void *data)
{
    memc->down = down;
    memc->data = data;
}


void
ngx_scale_memc_send(ngx_scale_memc_t *memc, ngx_scale_memc_op_t *op)
{
    op->memc = memc;

    if (op->guarded && !ngx_scale_weak("token")
        && (memc->state != NGX_SCALE_MEMC_OPEN
            || op->token.generation != memc->generation))
    {
        ngx_scale_memc_defer(memc, op, NGX_SCALE_MEMC_NF);
        return;
    }

    if ((op->verb != NGX_SCALE_MEMC_MN && !ngx_scale_memc_is_key(&op->key))
        || (memc->state == NGX_SCALE_MEMC_CLOSED
            && ngx_scale_memc_connect(memc) != NGX_OK)
        || ngx_scale_memc_append(memc, op) != NGX_OK)
    {
        ngx_scale_memc_defer(memc, op, NGX_SCALE_MEMC_FAILED);
        return;
    }

    if (!memc->flush.posted) {
        ngx_post_event(&memc->flush, &ngx_posted_events);
    }

    if (memc->head + 1 == memc->tail) {
        ngx_scale_memc_watch(memc);
    }
}


/* what is answered without being sent, then one write */

static void
ngx_scale_memc_on_turn_end(ngx_event_t *ev)
{
    ngx_scale_memc_t  *memc = ev->data;

    ngx_scale_memc_run_deferred(memc);
    ngx_scale_memc_stamp(memc);
    ngx_scale_memc_flush(memc);
}
