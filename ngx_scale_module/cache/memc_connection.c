
/* the events of a connection: it is made, taken from and given to */

#include "cache/memc_int.h"


static void ngx_scale_memc_begin(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_on_connected(ngx_scale_memc_t *memc);
static ngx_err_t ngx_scale_memc_socket_error(ngx_socket_t fd);
static void ngx_scale_memc_on_end(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_replies(ngx_scale_memc_t *memc);


ngx_int_t
ngx_scale_memc_connect(ngx_scale_memc_t *memc)
{
    ngx_int_t  rc;

    if ((ngx_msec_int_t) (memc->retry_at - ngx_current_msec) > 0
        || ngx_scale_memc_equip(memc) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    memc->retry_at = ngx_current_msec + NGX_SCALE_MEMC_BACKOFF;

    ngx_scale_memc_turn(memc, NGX_SCALE_MEMC_CONNECTING);

    rc = ngx_event_connect_peer(&memc->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_UNREACHABLE,
                             ngx_socket_errno);
        return NGX_DECLINED;
    }

    ngx_scale_memc_begin(memc);

    /* a unix domain socket is connected at once; nothing is closed in here */

    if (rc == NGX_OK) {
        ngx_post_event(memc->peer.connection->write, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_scale_memc_begin(ngx_scale_memc_t *memc)
{
    ngx_connection_t  *c;

    c = memc->peer.connection;

    c->data = memc;
    c->log = memc->log;
    c->read->log = memc->log;
    c->write->log = memc->log;
    c->read->handler = memc->on_readable;
    c->write->handler = memc->on_writable;

    memc->out_len = 0;
    memc->out_offset = 0;
    memc->in_pos = memc->in;
    memc->in_last = memc->in;
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
            ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NOT_SENT, 0);
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
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NO_WRITE_EVENT, 0);
    }
}


void
ngx_scale_memc_on_writable(ngx_event_t *wev)
{
    ngx_connection_t  *c;
    ngx_scale_memc_t  *memc;

    c = wev->data;
    memc = c->data;

    if (ngx_scale_memc_on_connected(memc) != NGX_OK) {
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
ngx_scale_memc_on_connected(ngx_scale_memc_t *memc)
{
    ngx_err_t          err;
    ngx_connection_t  *c;

    if (memc->state != NGX_SCALE_MEMC_CONNECTING) {
        return NGX_OK;
    }

    c = memc->peer.connection;
    err = ngx_scale_memc_socket_error(c->fd);

    if (err) {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_UNREACHABLE, err);
        return NGX_ERROR;
    }

    if (memc->peer.sockaddr->sa_family != AF_UNIX
        && ngx_tcp_nodelay(c) != NGX_OK)
    {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NO_NODELAY, 0);
        return NGX_ERROR;
    }

    return ngx_scale_memc_greet(memc);
}


static ngx_err_t
ngx_scale_memc_socket_error(ngx_socket_t fd)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1
           ? ngx_socket_errno : err;
}


void
ngx_scale_memc_on_readable(ngx_event_t *rev)
{
    ssize_t            n;
    ngx_connection_t  *c;
    ngx_scale_memc_t  *memc;

    c = rev->data;
    memc = c->data;

    if (c->close) {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_QUIETLY, 0);
        return;
    }

    if (ngx_scale_memc_on_connected(memc) != NGX_OK) {
        return;
    }

    do {
        if (ngx_scale_memc_room(memc) != NGX_OK) {
            ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NO_MEMORY, 0);
            return;
        }

        n = c->recv(c, memc->in_last, memc->in + memc->in_size
                                      - memc->in_last);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_scale_memc_on_end(memc);
            return;
        }

        memc->in_last += n;

        if (ngx_scale_memc_replies(memc) != NGX_OK) {
            ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NOT_ASKED, 0);
            return;
        }

    } while (rev->ready);

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NO_READ_EVENT, 0);
        return;
    }

    ngx_scale_memc_watch(memc);
}


static void
ngx_scale_memc_on_end(ngx_scale_memc_t *memc)
{
    ngx_scale_memc_reason_e  reason;

    if (memc->state != NGX_SCALE_MEMC_OPEN) {
        reason = NGX_SCALE_MEMC_ENDED_EARLY;

    } else if (memc->head != memc->tail) {
        reason = NGX_SCALE_MEMC_ENDED;

    } else {
        reason = NGX_SCALE_MEMC_QUIETLY;
    }

    ngx_scale_memc_close(memc, reason, 0);
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


void
ngx_scale_memc_on_timer(ngx_event_t *ev)
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
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_SILENT + memc->state, 0);
        return;
    }

    /* nginx may leave a timer where it was, if it moves by less than 300 ms */

    ngx_scale_memc_watch(memc);
}
