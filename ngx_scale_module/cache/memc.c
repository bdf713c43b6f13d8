
#include "cache/memc_int.h"
#include "cache/weak.h"


static void ngx_scale_memc_cleanup(void *data);
static void ngx_scale_memc_forget(ngx_scale_memc_t *memc);
static ngx_uint_t ngx_scale_memc_is_key(ngx_str_t *key);
static ngx_int_t ngx_scale_memc_append(ngx_scale_memc_t *memc,
    ngx_scale_memc_op_t *op);
static u_char *ngx_scale_memc_reserve(ngx_scale_memc_t *memc, size_t len);
static u_char *ngx_scale_memc_format(u_char *p, ngx_scale_memc_op_t *op);
static void ngx_scale_memc_flush_handler(ngx_event_t *ev);
static void ngx_scale_memc_stamp(ngx_scale_memc_t *memc);


#define NGX_SCALE_MEMC_OUT      (4 * 1024 * 1024)
#define NGX_SCALE_MEMC_LINE     384        /* of a command, at most */
#define NGX_SCALE_MEMC_MAX_KEY  250


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

    memc->peer.get = ngx_event_get_peer;
    memc->peer.log = &memc->quiet;
    memc->peer.log_error = NGX_ERROR_INFO;

    /* nginx's own line about every try would come ten times a second */

    memc->quiet = *log;
    memc->quiet.log_level = ngx_min(log->log_level, NGX_LOG_ALERT);

    ngx_queue_init(&memc->deferred);

    memc->flush.handler = ngx_scale_memc_flush_handler;
    memc->flush.data = memc;
    memc->flush.log = log;

    memc->timer.handler = ngx_scale_memc_timer_handler;
    memc->timer.data = memc;
    memc->timer.log = log;
    memc->timer.cancelable = 1;

    cln->handler = ngx_scale_memc_cleanup;

    return memc;
}


ngx_int_t
ngx_scale_memc_equip(ngx_scale_memc_t *memc)
{
    if (memc->slots == NULL) {
        memc->slots = ngx_alloc(NGX_SCALE_MEMC_SLOTS
                                * sizeof(ngx_scale_memc_slot_t), memc->log);
    }

    if (memc->in == NULL) {
        memc->in = ngx_alloc(NGX_SCALE_MEMC_IN, memc->log);
        memc->in_size = NGX_SCALE_MEMC_IN;
    }

    return memc->slots && memc->in ? NGX_OK : NGX_ERROR;
}


static void
ngx_scale_memc_cleanup(void *data)
{
    ngx_scale_memc_t  *memc = data;

    ngx_free(memc->slots);
    ngx_free(memc->in);
    ngx_free(memc->out);

    memc->slots = NULL;
    memc->in = NULL;
    memc->out = NULL;
    memc->out_size = 0;
}


void
ngx_scale_memc_rest(ngx_scale_memc_t *memc)
{
    ngx_scale_memc_close(memc, NULL);
    ngx_scale_memc_cleanup(memc);
}


void
ngx_scale_memc_destroy(ngx_scale_memc_t *memc)
{
    memc->down = NULL;

    ngx_scale_memc_close(memc, NULL);
    ngx_scale_memc_forget(memc);

    if (memc->flush.posted) {
        ngx_delete_posted_event(&memc->flush);
    }
}


void
ngx_scale_memc_address(ngx_scale_memc_t *memc, ngx_addr_t *addr)
{
    ngx_scale_memc_close(memc, NULL);

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


/* close() has deferred what was in flight */

static void
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


/* a wrong length, or a key too long, and memcached would execute the rest */

static ngx_uint_t
ngx_scale_memc_is_key(ngx_str_t *key)
{
    size_t  i;

    if (key->len == 0 || key->len > NGX_SCALE_MEMC_MAX_KEY) {
        return 0;
    }

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= 0x20 || key->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
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


static u_char *
ngx_scale_memc_reserve(ngx_scale_memc_t *memc, size_t len)
{
    u_char  *out;
    size_t   size;

    len += memc->out_len;

    if (len > NGX_SCALE_MEMC_OUT) {
        return NULL;
    }

    if (len > memc->out_size) {
        for (size = 65536; size < len; size *= 2) { /* void */ }

        out = ngx_alloc(size, memc->log);
        if (out == NULL) {
            return NULL;
        }

        ngx_memcpy(out, memc->out, memc->out_len);
        ngx_free(memc->out);

        memc->out = out;
        memc->out_size = size;
    }

    return memc->out + memc->out_len;
}


static u_char *
ngx_scale_memc_format(u_char *p, ngx_scale_memc_op_t *op)
{
    static ngx_str_t  verbs[NGX_SCALE_MEMC_NVERBS] = {
        ngx_string("mg "), ngx_string("ms "), ngx_string("md "),
        ngx_string("ma "), ngx_string("mn")
    };

    p = ngx_cpymem(p, verbs[op->verb].data, verbs[op->verb].len);

    if (op->verb == NGX_SCALE_MEMC_MN) {
        *p++ = CR;
        *p++ = LF;
        return p;
    }

    p = ngx_cpymem(p, op->key.data, op->key.len);

    if (op->verb == NGX_SCALE_MEMC_MG) {
        p = ngx_cpymem(p, " v f c t", sizeof(" v f c t") - 1);

        if (op->lease) {
            p = ngx_sprintf(p, " N%T", op->lease);
        }

        if (op->recache) {
            p = ngx_sprintf(p, " R%T", op->recache);
        }

    } else if (op->verb == NGX_SCALE_MEMC_MS) {
        p = ngx_sprintf(p, " %uz F%uD T%T", op->value.len, op->flags, op->ttl);

        if (op->return_cas) {
            p = ngx_cpymem(p, " c", sizeof(" c") - 1);
        }

    } else if (op->subtract) {
        p = ngx_cpymem(p, " MD", sizeof(" MD") - 1);

    } else if (op->verb == NGX_SCALE_MEMC_MA) {
        p = ngx_sprintf(p, " v N%T J1", op->lease);

    } else if (op->keep) {
        p = ngx_cpymem(p, " I", sizeof(" I") - 1);
    }

    if (op->guarded) {
        p = ngx_sprintf(p, " C%uL", op->token.cas);
    }

    p = ngx_sprintf(p, " O%xL" CRLF, op->number);

    if (op->verb == NGX_SCALE_MEMC_MS) {
        p = ngx_cpymem(p, op->value.data, op->value.len);
        *p++ = CR;
        *p++ = LF;
    }

    return p;
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


/* the turn's end: what is answered without being sent, then one write */

static void
ngx_scale_memc_flush_handler(ngx_event_t *ev)
{
    ngx_scale_memc_t  *memc = ev->data;

    ngx_queue_t           answered, *q;
    ngx_scale_memc_op_t  *op;

    ngx_queue_init(&answered);

    if (!ngx_queue_empty(&memc->deferred)) {
        ngx_queue_add(&answered, &memc->deferred);
        ngx_queue_init(&memc->deferred);
    }

    while (!ngx_queue_empty(&answered)) {
        q = ngx_queue_head(&answered);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_scale_memc_op_t, queue);
        op->deferred = 0;
        op->handler(op);
    }

    ngx_scale_memc_stamp(memc);
    ngx_scale_memc_flush(memc);
}


/*
 * nginx's clock stands still within a turn, and a turn may be long (a herd of
 * TLS handshakes): that time is not the server's.
 */

static void
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
