
/* the end of a connection, for whatever reason, and what is said of it */

#include "cache/memc_int.h"


typedef struct {
    const char      *text;     /* behind the server's name; NULL: it was said */
    ngx_msec_t       backoff;  /* until it is connected to again */
} ngx_scale_memc_end_t;


static void ngx_scale_memc_complain(ngx_scale_memc_t *memc, const char *text,
    ngx_err_t err);
static void ngx_scale_memc_disconnect(ngx_scale_memc_t *memc);


#define NGX_SCALE_MEMC_BACKOFF_REFUSED  1000       /* ms */


static const ngx_scale_memc_end_t  ngx_scale_memc_ends[] = {

    [NGX_SCALE_MEMC_UNREACHABLE] = {
        "cannot be connected to", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NO_NODELAY] = {
        "takes no TCP_NODELAY", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NO_TLS] = {
        "cannot be spoken to by TLS", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NOT_GREETED] = {
        "could not be greeted", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NO_GREETING_EVENT] = {
        "could not wait to greet", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_REFUSED] = {
        NULL, NGX_SCALE_MEMC_BACKOFF_REFUSED },

    [NGX_SCALE_MEMC_ENDED_EARLY] = {
        "closed the connection when it was greeted; it may want \"tls on\", or "
        "its \"cert=\"", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NOT_SENT] = {
        "could not send", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NO_WRITE_EVENT] = {
        "could not wait to send", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NO_READ_EVENT] = {
        "could not wait for replies", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NO_MEMORY] = {
        "no memory for a value", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_NOT_ASKED] = {
        "sent what was not asked for", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_ENDED] = {
        "closed by the server", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_SILENT + NGX_SCALE_MEMC_CONNECTING] = {
        "timed out when it was connected to", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_SILENT + NGX_SCALE_MEMC_SECURING] = {
        "timed out in the TLS handshake", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_SILENT + NGX_SCALE_MEMC_AUTHENTICATING] = {
        "timed out when it was given user and password",
        NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_SILENT + NGX_SCALE_MEMC_CHECKING] = {
        "timed out when it was asked for \"stats\"", NGX_SCALE_MEMC_BACKOFF },

    [NGX_SCALE_MEMC_SILENT + NGX_SCALE_MEMC_OPEN] = {
        "timed out", NGX_SCALE_MEMC_BACKOFF }
};


void
ngx_scale_memc_close(ngx_scale_memc_t *memc, ngx_scale_memc_reason_e reason,
    ngx_err_t err)
{
    if (memc->timer.timer_set) {
        ngx_del_timer(&memc->timer);
    }

    if (memc->state == NGX_SCALE_MEMC_CLOSED) {
        return;
    }

    if (reason != NGX_SCALE_MEMC_QUIETLY) {
        ngx_scale_memc_complain(memc, ngx_scale_memc_ends[reason].text, err);
        memc->retry_at = ngx_current_msec
                         + ngx_scale_memc_ends[reason].backoff;
    }

    ngx_scale_memc_disconnect(memc);
    ngx_scale_memc_fail(memc);

    if (reason != NGX_SCALE_MEMC_QUIETLY && memc->down) {
        memc->down(memc->data);
    }
}


/* once, until it answers again */

static void
ngx_scale_memc_complain(ngx_scale_memc_t *memc, const char *text,
    ngx_err_t err)
{
    if (memc->complained) {
        return;
    }

    memc->complained = 1;

    if (text) {
        ngx_log_error(NGX_LOG_ERR, memc->log, err,
                      "memcached \"%V\" %s, with %uL commands in flight",
                      memc->peer.name, text, memc->tail - memc->head);
    }
}


/* one that could not be begun may have no connection */

static void
ngx_scale_memc_disconnect(ngx_scale_memc_t *memc)
{
    ngx_connection_t  *c;

    c = memc->peer.connection;

    if (c) {
        ngx_scale_memc_tls_close(c);
        ngx_close_connection(c);
        memc->peer.connection = NULL;
    }

    memc->generation++;
    memc->out_len = 0;

    ngx_scale_memc_turn(memc, NGX_SCALE_MEMC_CLOSED);
}


void
ngx_scale_memc_turn(ngx_scale_memc_t *memc, ngx_scale_memc_state_e state)
{
    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, memc->log, 0,
                   "scale memcached \"%V\" state:%d to:%d", memc->peer.name,
                   memc->state, state);

    memc->state = state;
}
