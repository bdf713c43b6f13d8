
/*
 * From a connection that is made to one that takes commands: TLS, ASCII
 * authentication, and what the server says of itself.  Commands wait
 * meanwhile, and their time-out is the greeting's.
 */

#include "cache/memc_int.h"


static ngx_int_t ngx_scale_memc_secure(ngx_scale_memc_t *memc);
static void ngx_scale_memc_on_handshake(ngx_connection_t *c);
static ngx_int_t ngx_scale_memc_secured(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_introduce(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_say(ngx_scale_memc_t *memc,
    ngx_scale_memc_state_e state);
static ngx_int_t ngx_scale_memc_is_stored(ngx_scale_memc_t *memc);
static ngx_int_t ngx_scale_memc_is_good(ngx_scale_memc_t *memc);
static void ngx_scale_memc_quote(ngx_scale_memc_t *memc, ngx_str_t *line);
static void ngx_scale_memc_refuse(ngx_scale_memc_t *memc, ngx_uint_t faults,
    ngx_str_t *detail);
static void ngx_scale_memc_open(ngx_scale_memc_t *memc);


#define NGX_SCALE_MEMC_QUOTE  64


void
ngx_scale_memc_greeting(ngx_scale_memc_t *memc,
    ngx_scale_memc_greeting_t *greeting)
{
    memc->greeting = greeting;
}


ngx_int_t
ngx_scale_memc_greet(ngx_scale_memc_t *memc)
{
    if (memc->greeting == NULL) {
        ngx_scale_memc_open(memc);
        return NGX_OK;
    }

    return memc->greeting->tls ? ngx_scale_memc_secure(memc)
                               : ngx_scale_memc_introduce(memc);
}


static ngx_int_t
ngx_scale_memc_secure(ngx_scale_memc_t *memc)
{
    ngx_int_t  rc;

    ngx_scale_memc_turn(memc, NGX_SCALE_MEMC_SECURING);

    rc = ngx_scale_memc_tls_handshake(memc->greeting->tls,
                                      memc->peer.connection,
                                      &memc->greeting->name, &memc->quiet,
                                      ngx_scale_memc_on_handshake);

    if (rc == NGX_ERROR) {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NO_TLS, 0);
        return NGX_ERROR;
    }

    return rc == NGX_OK ? ngx_scale_memc_secured(memc) : rc;
}


static void
ngx_scale_memc_on_handshake(ngx_connection_t *c)
{
    (void) ngx_scale_memc_secured(c->data);
}


/* the events are ours again */

static ngx_int_t
ngx_scale_memc_secured(ngx_scale_memc_t *memc)
{
    ngx_str_t          detail;
    ngx_connection_t  *c;

    c = memc->peer.connection;

    if (ngx_scale_memc_tls_verdict(c, &detail) != NGX_OK) {
        ngx_scale_memc_refuse(memc, NGX_SCALE_FAULT_TLS, &detail);
        return NGX_ERROR;
    }

    c->read->handler = memc->on_readable;
    c->write->handler = memc->on_writable;

    return ngx_scale_memc_introduce(memc);
}


static ngx_int_t
ngx_scale_memc_introduce(ngx_scale_memc_t *memc)
{
    return ngx_scale_memc_say(memc, memc->greeting->auth->len
                                    ? NGX_SCALE_MEMC_AUTHENTICATING
                                    : NGX_SCALE_MEMC_CHECKING);
}


static ngx_int_t
ngx_scale_memc_say(ngx_scale_memc_t *memc, ngx_scale_memc_state_e state)
{
    ngx_scale_memc_turn(memc, state);

    if (state == NGX_SCALE_MEMC_AUTHENTICATING) {
        memc->words = *memc->greeting->auth;

    } else {
        ngx_str_set(&memc->words, NGX_SCALE_GREETING_STATS);
        ngx_memzero(&memc->facts, sizeof(ngx_scale_facts_t));
    }

    return ngx_scale_memc_speak(memc);
}


ngx_int_t
ngx_scale_memc_speak(ngx_scale_memc_t *memc)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = memc->peer.connection;

    while (memc->words.len) {
        n = c->send(c, memc->words.data, memc->words.len);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NOT_GREETED, 0);
            return NGX_ERROR;
        }

        memc->words.data += n;
        memc->words.len -= n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_scale_memc_close(memc, NGX_SCALE_MEMC_NO_GREETING_EVENT, 0);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_memc_hear(ngx_scale_memc_t *memc)
{
    ngx_int_t  rc;

    if (memc->state == NGX_SCALE_MEMC_AUTHENTICATING) {
        rc = ngx_scale_memc_is_stored(memc);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_scale_memc_is_good(memc);
}


/* what it says instead is not quoted: it might repeat the password */

static ngx_int_t
ngx_scale_memc_is_stored(ngx_scale_memc_t *memc)
{
    ngx_int_t  rc;

    rc = ngx_scale_greeting_stored(&memc->in_pos, memc->in_last);

    if (rc == NGX_ERROR) {
        ngx_scale_memc_refuse(memc, NGX_SCALE_FAULT_AUTH, NULL);
        return NGX_ERROR;
    }

    return rc == NGX_OK ? ngx_scale_memc_say(memc, NGX_SCALE_MEMC_CHECKING)
                        : rc;
}


static ngx_int_t
ngx_scale_memc_is_good(ngx_scale_memc_t *memc)
{
    ngx_int_t   rc;
    ngx_str_t   line;
    ngx_uint_t  faults;

    rc = ngx_scale_greeting_stats(&memc->in_pos, memc->in_last, &memc->facts);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_ERROR) {
        ngx_scale_memc_quote(memc, &line);
        ngx_scale_memc_refuse(memc, NGX_SCALE_FAULT_ANSWER, &line);
        return NGX_ERROR;
    }

    faults = memc->facts.faults;

    if (memc->greeting->auth->len == 0) {
        faults &= ~NGX_SCALE_FAULT_ANYBODY;
    }

    if (faults & NGX_SCALE_FAULT_FATAL) {
        ngx_scale_memc_refuse(memc, faults, NULL);
        return NGX_ERROR;
    }

    memc->greeting->told(memc->greeting->data, faults, NULL);

    ngx_scale_memc_open(memc);

    return NGX_OK;
}


static void
ngx_scale_memc_quote(ngx_scale_memc_t *memc, ngx_str_t *line)
{
    u_char  *p, *last;

    last = memc->in_pos + ngx_min(memc->in_last - memc->in_pos,
                                  NGX_SCALE_MEMC_QUOTE);

    for (p = memc->in_pos; p < last && *p >= ' ' && *p < 0x7f; p++) {
        /* void */
    }

    line->data = memc->in_pos;
    line->len = p - memc->in_pos;
}


static void
ngx_scale_memc_refuse(ngx_scale_memc_t *memc, ngx_uint_t faults,
    ngx_str_t *detail)
{
    memc->greeting->told(memc->greeting->data, faults, detail);

    ngx_scale_memc_close(memc, NGX_SCALE_MEMC_REFUSED, 0);
}


static void
ngx_scale_memc_open(ngx_scale_memc_t *memc)
{
    ngx_scale_memc_turn(memc, NGX_SCALE_MEMC_OPEN);

    if (memc->out_len && !memc->flush.posted) {
        ngx_post_event(&memc->flush, &ngx_posted_events);
    }
}
