
#include "cache/memc_int.h"


static void ngx_scale_memc_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_scale_memc_connected(ngx_scale_memc_t *memc);
static void ngx_scale_memc_read_handler(ngx_event_t *rev);
static void ngx_scale_memc_ended(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_room(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_replies(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_reply(ngx_scale_memc_t *memc,
    ngx_scale_reply_t *reply);
static ngx_int_t ngx_scale_memc_status(ngx_scale_memc_verb_e verb,
    ngx_scale_reply_code_e code);
static ngx_uint_t ngx_scale_memc_is_late(ngx_scale_memc_t *memc);
static void ngx_scale_memc_complain(ngx_scale_memc_t *memc, ngx_err_t err,
    const char *reason);


#define NGX_SCALE_MEMC_BACKOFF  100        /* ms between connections */


/* what is said of a silent server, by state */

static const char  *ngx_scale_memc_silent[] = {
    NULL,
    "timed out when it was connected to",
    "timed out in the TLS handshake",
    "timed out when it was given user and password",
    "timed out when it was asked for \"stats\"",
    "timed out"
};


ngx_int_t
ngx_scale_memc_connect(ngx_scale_memc_t *memc)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    if ((ngx_msec_int_t) (memc->retry_at - ngx_current_msec) > 0) {
        return NGX_DECLINED;
    }

    if (ngx_scale_memc_equip(memc) != NGX_OK) {
        return NGX_DECLINED;
    }

    memc->retry_at = ngx_current_msec + NGX_SCALE_MEMC_BACKOFF;

    rc = ngx_event_connect_peer(&memc->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {

        ngx_scale_memc_complain(memc, ngx_socket_errno,
                                "cannot be connected to");

        if (memc->peer.connection) {
            ngx_close_connection(memc->peer.connection);
            memc->peer.connection = NULL;
        }

        if (memc->down) {
            memc->down(memc->data);
        }

        return NGX_DECLINED;
    }

    c = memc->peer.connection;
    c->data = memc;
    c->log = memc->log;
    c->read->log = memc->log;
    c->write->log = memc->log;

    ngx_scale_memc_listen(memc);

    memc->state = NGX_SCALE_MEMC_CONNECTING;
    memc->out_len = 0;
    memc->out_offset = 0;
    memc->in_pos = memc->in;
    memc->in_last = memc->in;

    /* a unix domain socket is connected at once; nothing is closed in here */

    if (rc == NGX_OK) {
        ngx_post_event(c->write, &ngx_posted_events);
    }

    return NGX_OK;
}


void
ngx_scale_memc_listen(ngx_scale_memc_t *memc)
{
    memc->peer.connection->read->handler = ngx_scale_memc_read_handler;
    memc->peer.connection->write->handler = ngx_scale_memc_write_handler;
}


void
ngx_scale_memc_flush(ngx_scale_memc_t *memc)
{
    ssize_t            n;
    size_t             sent;
    ngx_connection_t  *c;

    if (memc->state != NGX_SCALE_MEMC_OPEN || memc->out_len == 0) {
        return;
    }

    c = memc->peer.connection;
    sent = 0;

    while (sent < memc->out_len && c->write->ready) {
        n = c->send(c, memc->out + sent, memc->out_len - sent);

        if (n == NGX_ERROR) {
            ngx_scale_memc_close(memc, "could not send");
            return;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        sent += n;
    }

    memc->out_len -= sent;
    memc->out_offset += sent;

    if (memc->out_len) {
        ngx_memmove(memc->out, memc->out + sent, memc->out_len);
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_scale_memc_close(memc, "could not wait to send");
    }
}


static void
ngx_scale_memc_write_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;
    ngx_scale_memc_t  *memc;

    c = wev->data;
    memc = c->data;

    if (ngx_scale_memc_connected(memc) != NGX_OK) {
        return;
    }

    if (memc->state != NGX_SCALE_MEMC_OPEN) {
        (void) ngx_scale_memc_speak(memc);
        return;
    }

    ngx_scale_memc_flush(memc);
}


/* a refusal is an event of both directions, and reading comes first */

static ngx_int_t
ngx_scale_memc_connected(ngx_scale_memc_t *memc)
{
    int                err;
    socklen_t          len;
    ngx_connection_t  *c;

    if (memc->state != NGX_SCALE_MEMC_CONNECTING) {
        return NGX_OK;
    }

    c = memc->peer.connection;
    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_scale_memc_complain(memc, err, "cannot be connected to");
        ngx_scale_memc_close(memc, "cannot be connected to");
        return NGX_ERROR;
    }

    if (memc->peer.sockaddr->sa_family != AF_UNIX
        && ngx_tcp_nodelay(c) != NGX_OK)
    {
        ngx_scale_memc_close(memc, "takes no TCP_NODELAY");
        return NGX_ERROR;
    }

    return ngx_scale_memc_greet(memc);
}


static void
ngx_scale_memc_read_handler(ngx_event_t *rev)
{
    ssize_t            n;
    ngx_connection_t  *c;
    ngx_scale_memc_t  *memc;

    c = rev->data;
    memc = c->data;

    if (c->close) {
        ngx_scale_memc_close(memc, NULL);
        return;
    }

    if (ngx_scale_memc_connected(memc) != NGX_OK) {
        return;
    }

    do {
        if (ngx_scale_memc_room(memc) != NGX_OK) {
            ngx_scale_memc_close(memc, "no memory for a value");
            return;
        }

        n = c->recv(c, memc->in_last, memc->in + memc->in_size
                                      - memc->in_last);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_scale_memc_ended(memc);
            return;
        }

        memc->in_last += n;

        if (ngx_scale_memc_replies(memc) != NGX_OK) {
            ngx_scale_memc_close(memc, "sent what was not asked for");
            return;
        }

    } while (rev->ready);

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_scale_memc_close(memc, "could not wait for replies");
        return;
    }

    ngx_scale_memc_watch(memc);
}


static void
ngx_scale_memc_ended(ngx_scale_memc_t *memc)
{
    const char  *reason;

    reason = NULL;

    if (memc->state != NGX_SCALE_MEMC_OPEN) {
        reason = "closed the connection when it was greeted; it may want "
                 "\"tls on\", or its \"cert=\"";

    } else if (memc->head != memc->tail) {
        reason = "closed by the server";
    }

    ngx_scale_memc_close(memc, reason);
}


/* room for more input, and for all of a value that has begun */

static ngx_int_t
ngx_scale_memc_room(ngx_scale_memc_t *memc)
{
    u_char             *in;
    size_t              len;
    ngx_scale_reply_t   reply;

    len = memc->in_last - memc->in_pos;

    if (len == 0) {
        memc->in_pos = memc->in;
        memc->in_last = memc->in;
        return NGX_OK;
    }

    if (memc->in_last < memc->in + memc->in_size) {
        return NGX_OK;
    }

    if (memc->in_pos > memc->in) {
        ngx_memmove(memc->in, memc->in_pos, len);

    } else {
        in = memc->in_pos;
        (void) ngx_scale_reply_parse(&in, memc->in_last, &reply);

        in = ngx_alloc(ngx_max(reply.size, memc->in_size) + memc->in_size,
                       memc->log);
        if (in == NULL) {
            return NGX_ERROR;
        }

        memc->in_size += ngx_max(reply.size, memc->in_size);

        ngx_memcpy(in, memc->in_pos, len);
        ngx_free(memc->in);
        memc->in = in;
    }

    memc->in_pos = memc->in;
    memc->in_last = memc->in + len;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_memc_replies(ngx_scale_memc_t *memc)
{
    ngx_int_t          rc;
    ngx_scale_reply_t  reply;

    if (memc->state != NGX_SCALE_MEMC_OPEN) {
        rc = ngx_scale_memc_hear(memc);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        /* no command was sent yet, so that nothing is an answer to it */

        return rc == NGX_OK && memc->in_pos == memc->in_last ? NGX_OK
                                                             : NGX_ERROR;
    }

    while (memc->in_pos < memc->in_last) {

        rc = ngx_scale_reply_parse(&memc->in_pos, memc->in_last, &reply);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc != NGX_OK || ngx_scale_memc_reply(memc, &reply) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* in order, and by the opaque; a miss may be answered by a bare EN */

static ngx_int_t
ngx_scale_memc_reply(ngx_scale_memc_t *memc, ngx_scale_reply_t *reply)
{
    ngx_int_t               status;
    ngx_scale_memc_op_t    *op;
    ngx_scale_memc_slot_t  *slot;

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

    if (status == NGX_ERROR) {
        return NGX_ERROR;
    }

    memc->head++;
    memc->complained = 0;

    op = slot->op;

    if (op == NULL) {
        return NGX_OK;
    }

    slot->op = NULL;

    op->flying = 0;
    op->status = status;
    op->rvalue = reply->value;
    op->rflags = reply->flags;
    op->rttl = reply->ttl;
    op->rtoken.cas = reply->cas;
    op->rtoken.generation = memc->generation;
    op->won = reply->won;
    op->wait = reply->wait;
    op->old = reply->old;

    op->handler(op);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_memc_status(ngx_scale_memc_verb_e verb, ngx_scale_reply_code_e code)
{
    switch (code) {

    case NGX_SCALE_REPLY_VA:
        return verb == NGX_SCALE_MEMC_MG || verb == NGX_SCALE_MEMC_MA
               ? NGX_SCALE_MEMC_VA : NGX_ERROR;

    case NGX_SCALE_REPLY_EN:
        return verb == NGX_SCALE_MEMC_MG ? NGX_SCALE_MEMC_EN : NGX_ERROR;

    case NGX_SCALE_REPLY_MN:
        return verb == NGX_SCALE_MEMC_MN ? NGX_SCALE_MEMC_HD : NGX_ERROR;

    case NGX_SCALE_REPLY_SERVER_ERROR:
        return verb == NGX_SCALE_MEMC_MS || verb == NGX_SCALE_MEMC_MA
               ? NGX_SCALE_MEMC_NS : NGX_ERROR;

    default:
        break;
    }

    if (verb == NGX_SCALE_MEMC_MG || verb == NGX_SCALE_MEMC_MN) {
        return NGX_ERROR;
    }

    switch (code) {

    case NGX_SCALE_REPLY_HD:
        return NGX_SCALE_MEMC_HD;

    case NGX_SCALE_REPLY_EX:
        return NGX_SCALE_MEMC_EX;

    case NGX_SCALE_REPLY_NF:
        return NGX_SCALE_MEMC_NF;

    default:
        return NGX_SCALE_MEMC_NS;
    }
}


/* the oldest command's time is the connection's */

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


void
ngx_scale_memc_timer_handler(ngx_event_t *ev)
{
    ngx_event_t       *rev;
    ngx_scale_memc_t  *memc;

    memc = ev->data;

    /* timers run before posted events: a reply may be here already */

    if (memc->state > NGX_SCALE_MEMC_CONNECTING
        && ngx_scale_memc_is_late(memc))
    {
        rev = memc->peer.connection->read;
        rev->available = -1;           /* unknown: recv() asks the kernel */

        rev->handler(rev);
    }

    if (ngx_scale_memc_is_late(memc)) {
        ngx_scale_memc_close(memc, ngx_scale_memc_silent[memc->state]);
        return;
    }

    /* nginx may leave a timer where it was, if it moves by less than 300 ms */

    ngx_scale_memc_watch(memc);
}


static ngx_uint_t
ngx_scale_memc_is_late(ngx_scale_memc_t *memc)
{
    ngx_msec_int_t  late;

    late = ngx_current_msec - memc->timeout
           - memc->slots[memc->head % NGX_SCALE_MEMC_SLOTS].sent;

    /* what has not left yet is not awaited yet */

    return memc->head < memc->fresh && late >= 0;
}


void
ngx_scale_memc_close(ngx_scale_memc_t *memc, const char *reason)
{
    uint64_t              n, last;
    ngx_scale_memc_op_t  *op;

    if (memc->timer.timer_set) {
        ngx_del_timer(&memc->timer);
    }

    if (memc->state == NGX_SCALE_MEMC_CLOSED) {
        return;
    }

    if (reason) {
        ngx_scale_memc_complain(memc, 0, reason);
    }

    ngx_scale_memc_tls_close(memc->peer.connection);
    ngx_close_connection(memc->peer.connection);

    memc->peer.connection = NULL;
    memc->state = NGX_SCALE_MEMC_CLOSED;
    memc->generation++;
    memc->out_len = 0;

    if (reason) {
        memc->retry_at = ngx_current_msec + NGX_SCALE_MEMC_BACKOFF;
    }

    last = memc->tail;

    for (n = memc->head; n != last; n++) {
        op = memc->slots[n % NGX_SCALE_MEMC_SLOTS].op;

        if (op) {
            op->flying = 0;
            ngx_scale_memc_defer(memc, op, NGX_SCALE_MEMC_FAILED);
        }
    }

    memc->head = last;

    if (reason && memc->down) {
        memc->down(memc->data);
    }
}


/* once, until it answers again */

static void
ngx_scale_memc_complain(ngx_scale_memc_t *memc, ngx_err_t err,
    const char *reason)
{
    if (memc->complained) {
        return;
    }

    memc->complained = 1;

    ngx_log_error(NGX_LOG_ERR, memc->log, err,
                  "memcached \"%V\" %s, with %uL commands in flight",
                  memc->peer.name, reason, memc->tail - memc->head);
}
