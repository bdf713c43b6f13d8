
/*
 * A body in parts, each of which the client has taken before the next one
 * comes; the client's send_timeout counts meanwhile.
 */

#include "http/response.h"


static ngx_int_t ngx_scale_response_wait(ngx_http_request_t *r,
    ngx_buf_t *buf);


/* flushed, since a filter that keeps a part until the next one waits for us */

ngx_int_t
ngx_scale_response_part(ngx_http_request_t *r, ngx_buf_t *buf,
    ngx_str_t *data, ngx_uint_t last)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    ngx_memzero(buf, sizeof(ngx_buf_t));

    buf->start = data->data;
    buf->pos = data->data;
    buf->last = data->data + data->len;
    buf->end = buf->last;
    buf->temporary = (data->len != 0);
    buf->flush = !last;
    buf->last_buf = last;
    buf->last_in_chain = last;

    out.buf = buf;
    out.next = NULL;

    rc = ngx_http_output_filter(r, &out);

    if (last || rc == NGX_ERROR) {
        return rc;
    }

    return ngx_scale_response_wait(r, buf);
}


/* as ngx_http_writer() does */

ngx_int_t
ngx_scale_response_continue(ngx_http_request_t *r, ngx_buf_t *buf)
{
    ngx_event_t       *wev;
    ngx_connection_t  *c;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        return NGX_HTTP_REQUEST_TIME_OUT;
    }

    if (!wev->delayed && ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_scale_response_wait(r, buf);
}


static ngx_int_t
ngx_scale_response_wait(ngx_http_request_t *r, ngx_buf_t *buf)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = r->connection->write;

    if (buf->pos == buf->last) {

        if (wev->timer_set && !wev->delayed) {
            ngx_del_timer(wev);
        }

        return NGX_OK;
    }

    clcf = ngx_http_get_module_loc_conf(r->main, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


/*
 * Where neither chunks nor frames say where it ends, the end of the connection
 * is that of the response: it is reset instead (RFC 9112, section 8).
 */

void
ngx_scale_response_abort(ngx_http_request_t *r)
{
    struct linger  linger;

    if (r->chunked || r->http_version >= NGX_HTTP_VERSION_20) {
        return;
    }

    linger.l_onoff = 1;
    linger.l_linger = 0;

    if (setsockopt(r->connection->fd, SOL_SOCKET, SO_LINGER,
                   (const void *) &linger, sizeof(struct linger))
        == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, ngx_socket_errno,
                      "setsockopt(SO_LINGER) failed");
    }
}
