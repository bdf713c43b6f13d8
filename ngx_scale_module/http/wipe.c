
#include "http/wipe.h"
#include "secret/secret.h"

#if (NGX_HTTP_V2)
#include <ngx_http_v2_module.h>
#endif


typedef struct {
    ngx_http_request_t   *r;
    ngx_scale_wipe_t     *wipe;
} ngx_scale_wipe_entry_t;


static ngx_uint_t ngx_scale_wipe_is_secret(ngx_table_elt_t *field);
static ngx_int_t ngx_scale_wipe_stream(ngx_http_request_t *r);
static void ngx_scale_wipe_handler(void *data);
static void ngx_scale_wipe_fields(ngx_http_request_t *r);
static void ngx_scale_wipe_chain(ngx_http_request_t *r, ngx_chain_t *cl);
static void ngx_scale_wipe_buffer(ngx_http_request_t *r, ngx_buf_t *b);
static void ngx_scale_wipe_later(ngx_http_request_t *r,
    ngx_scale_wipe_t *wipe);
static void ngx_scale_wipe_turn(ngx_event_t *ev);


/* a field that a parameter reads is wiped whatever its name */

static ngx_str_t  ngx_scale_wipe_secret[] = {
    ngx_string("cookie"),
    ngx_string("x-api-key"),
    ngx_string("x-auth-token"),
    ngx_string("x-csrf-token"),
    ngx_string("authorization"),
    ngx_string("proxy-authorization"),
    ngx_null_string
};


void
ngx_scale_wipe_init(ngx_scale_wipe_t *wipe, ngx_log_t *log)
{
    wipe->event.handler = ngx_scale_wipe_turn;
    wipe->event.data = wipe;
    wipe->event.log = log;
}


ngx_uint_t
ngx_scale_wipe_is_due(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *field;

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return 1;
    }

#if (NGX_HTTP_V2)

    if (r->stream && !r->stream->in_closed) {
        return 1;
    }

#endif

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        field = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_scale_wipe_is_secret(&field[i])) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_scale_wipe_is_secret(ngx_table_elt_t *field)
{
    ngx_str_t  *name;

    /* they are of 6, 9, 12, 13 and 19 characters */

    if (field->key.len > 19 || !(1 << field->key.len & 0x83240)) {
        return 0;
    }

    for (name = ngx_scale_wipe_secret; name->len; name++) {
        if (name->len == field->key.len
            && ngx_memcmp(name->data, field->lowcase_key, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_scale_wipe_request(ngx_http_request_t *r, ngx_scale_wipe_t *wipe)
{
    ngx_pool_cleanup_t      *cln;
    ngx_scale_wipe_entry_t  *entry;

    if (ngx_scale_secret_is(r->pool)) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_scale_wipe_entry_t));

    if (cln == NULL || ngx_scale_secret_pool(r->pool) != NGX_OK
        || ngx_scale_secret_pool(r->connection->pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    entry = cln->data;
    entry->r = r->main;
    entry->wipe = wipe;

    cln->handler = ngx_scale_wipe_handler;

    return ngx_scale_wipe_stream(r);
}


/* HTTP/2 decodes fields into a pool that outlives the request's */

static ngx_int_t
ngx_scale_wipe_stream(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)

    if (r->stream) {
        return ngx_scale_secret_pool(r->stream->pool);
    }

#endif

    return NGX_OK;
}


static void
ngx_scale_wipe_handler(void *data)
{
    ngx_scale_wipe_entry_t *entry = data;

    ngx_scale_wipe_fields(entry->r);
    ngx_scale_wipe_later(entry->r, entry->wipe);
}


/*
 * The buffers of HTTP/1 are the connection's (ngx_http_request.c): one that is
 * always there, and large ones.  In the one the request ends in, the next may
 * have begun; all others hold nothing of it.
 */

static void
ngx_scale_wipe_fields(ngx_http_request_t *r)
{
    ngx_http_connection_t  *hc;

#if (NGX_HTTP_V2)

    if (r->stream) {
        return;
    }

#endif

    hc = r->http_connection;

    if (r->connection->buffer) {
        ngx_scale_wipe_buffer(r, r->connection->buffer);
    }

    ngx_scale_wipe_chain(r, hc->busy);
    ngx_scale_wipe_chain(r, hc->free);
}


static void
ngx_scale_wipe_chain(ngx_http_request_t *r, ngx_chain_t *cl)
{
    for ( /* void */ ; cl; cl = cl->next) {
        ngx_scale_wipe_buffer(r, cl->buf);
    }
}


static void
ngx_scale_wipe_buffer(ngx_http_request_t *r, ngx_buf_t *b)
{
    u_char  *end;

    end = b == r->header_in ? b->pos : b->end;

    ngx_explicit_memzero(b->start, end - b->start);
}


/*
 * Bytes of other requests may wait in the buffer of HTTP/2 until its handler,
 * which may be what runs, returns.
 */

static void
ngx_scale_wipe_later(ngx_http_request_t *r, ngx_scale_wipe_t *wipe)
{
#if (NGX_HTTP_V2)

    ngx_http_v2_main_conf_t  *h2mcf;

    if (r->stream == NULL) {
        return;
    }

    h2mcf = ngx_http_get_module_main_conf(r, ngx_http_v2_module);

    wipe->received = h2mcf->recv_buffer;
    wipe->size = h2mcf->recv_buffer_size;

    if (!wipe->event.posted) {
        ngx_post_event(&wipe->event, &ngx_posted_events);
    }

#endif
}


static void
ngx_scale_wipe_turn(ngx_event_t *ev)
{
    ngx_scale_wipe_t  *wipe = ev->data;

    ngx_explicit_memzero(wipe->received, wipe->size);
}
