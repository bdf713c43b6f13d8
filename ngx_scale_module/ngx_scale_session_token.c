
/* the cookies of sessions, and what their tokens name */

#include "ngx_scale_session_token.h"
#include "ngx_scale_answer.h"
#include "http/cors.h"
#include <sys/random.h>


static ngx_int_t ngx_scale_session_verify(ngx_scale_session_t *s,
    ngx_scale_session_token_t *token, ngx_uint_t *former);
static ngx_int_t ngx_scale_session_keys(ngx_scale_session_t *s,
    ngx_scale_session_ticket_t *ticket);
static void ngx_scale_session_sign(ngx_scale_session_t *s,
    ngx_scale_session_token_t *token);


static const char  ngx_scale_session_context[] = "session";


/*
 * Of several one is taken that is ours; of two of these nobody could say which
 * one is the client's, and which one a page of a neighbouring host has set.
 */

ngx_int_t
ngx_scale_session_find(ngx_scale_session_t *s)
{
    ngx_int_t                   rc;
    ngx_str_t                   rest, value;
    ngx_uint_t                  former;
    ngx_scale_session_token_t   token, *came;

    static ngx_str_t  field = ngx_string("Cookie");

    rc = ngx_scale_request_header(s->flow->r, &field, &rest);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : rc;
    }

    came = &s->came.token;

    while (ngx_scale_session_cookie_next(&rest, &s->conf->cookie.name, &value)
           == NGX_OK)
    {
        s->sent = 1;

        if (ngx_scale_session_token_read(&token, &value) != NGX_OK
            || ngx_scale_session_verify(s, &token, &former) != NGX_OK)
        {
            continue;
        }

        if (s->known && ngx_memcmp(&token, came, sizeof(token)) != 0) {
            s->known = 0;
            return NGX_OK;
        }

        *came = token;
        s->known = 1;
        s->former = former;
    }

    return s->known ? ngx_scale_session_keys(s, &s->came) : NGX_OK;
}


static ngx_int_t
ngx_scale_session_verify(ngx_scale_session_t *s,
    ngx_scale_session_token_t *token, ngx_uint_t *former)
{
    u_char                     bytes[NGX_SCALE_SESSION_SIGNED];
    size_t                     len;
    ngx_scale_session_token_t  own;

    len = ngx_scale_session_token_signed(token, &s->conf->block.name, bytes);

    if (ngx_scale_sign_verify(s->flow->main->secrets,
                              ngx_scale_session_context, bytes, len,
                              token->mac)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    own = *token;
    ngx_scale_session_sign(s, &own);

    *former = ngx_memcmp(own.mac, token->mac, NGX_SCALE_SESSION_MAC) != 0;

    return NGX_OK;
}


static void
ngx_scale_session_sign(ngx_scale_session_t *s,
    ngx_scale_session_token_t *token)
{
    u_char  bytes[NGX_SCALE_SESSION_SIGNED];
    size_t  len;

    len = ngx_scale_session_token_signed(token, &s->conf->block.name, bytes);

    (void) ngx_scale_sign(s->flow->main->secrets, ngx_scale_session_context,
                          bytes, len, token->mac);
}


/* an id that nobody can guess, and the tag of its user */

ngx_int_t
ngx_scale_session_make(ngx_scale_session_t *s, ngx_str_t *user)
{
    u_char                     *p, *text;
    size_t                      len;
    ngx_str_t                  *name;
    ngx_scale_session_token_t  *token;

    token = &s->made.token;
    name = &s->conf->block.name;
    len = name->len + 1 + user->len;

    text = ngx_pnalloc(s->flow->r->pool, len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text, name->data, name->len);
    *p++ = '\0';
    ngx_memcpy(p, user->data, user->len);

    ngx_scale_sign_hash(text, len, token->tag);

    if (getrandom(token->id, NGX_SCALE_SESSION_ID, GRND_NONBLOCK)
        != NGX_SCALE_SESSION_ID)
    {
        ngx_log_error(NGX_LOG_ALERT, s->flow->r->connection->log, ngx_errno,
                      "getrandom() failed");
        return NGX_ERROR;
    }

    ngx_scale_session_sign(s, token);

    return ngx_scale_session_keys(s, &s->made);
}


/* of an id nobody keeps more than its hash */

static ngx_int_t
ngx_scale_session_keys(ngx_scale_session_t *s,
    ngx_scale_session_ticket_t *ticket)
{
    u_char      digest[NGX_SCALE_SESSION_DIGEST], *p;
    ngx_str_t  *name;

    name = &s->conf->block.name;

    p = ngx_pnalloc(s->flow->r->pool, 2 * (NGX_SCALE_SESSION_KEY + 1));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_sign_digest(ticket->token.id, NGX_SCALE_SESSION_ID, digest);

    ticket->session.data = p;
    p = ngx_scale_session_key(p, name, 'i', digest);
    ticket->session.len = p - ticket->session.data;
    *p++ = '\0';

    (void) ngx_hex_dump(digest, ticket->token.tag, NGX_SCALE_SESSION_TAG);

    ticket->user.data = p;
    p = ngx_scale_session_key(p, name, 'u', digest);
    ticket->user.len = p - ticket->user.data;
    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_scale_session_set(ngx_scale_session_t *s,
    ngx_scale_session_ticket_t *ticket, time_t max_age)
{
    u_char      text[NGX_SCALE_SESSION_TEXT];
    ngx_str_t   token, value;

    static ngx_str_t  field = ngx_string("Set-Cookie");

    ngx_str_null(&token);

    if (ticket) {
        ngx_scale_session_sign(s, &ticket->token);
        ngx_scale_session_token_write(&ticket->token, text);
        token.data = text;
        token.len = NGX_SCALE_SESSION_TEXT;
    }

    value.data = ngx_pnalloc(s->flow->r->pool,
                             ngx_scale_session_cookie_len(&s->conf->cookie,
                                                          &token));
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_scale_session_cookie_write(value.data, &s->conf->cookie,
                                               &token, max_age)
                - value.data;
    s->sets = 1;

    return ngx_scale_answer_field(s->flow, &field, &value);
}


/*
 * Of a request that a browser may have been made to send.  One that starts a
 * session is among them: its page could log its visitor in as somebody else.
 */

ngx_uint_t
ngx_scale_session_is_forged(ngx_scale_session_t *s)
{
    ngx_scale_cors_t           *cors;
    ngx_http_request_t         *r;
    ngx_scale_loc_conf_t       *loc;
    ngx_scale_session_origin_t  origin;

    static ngx_str_t  site = ngx_string("Sec-Fetch-Site");
    static ngx_str_t  from = ngx_string("Origin");

    r = s->flow->r;
    loc = s->flow->loc;

    if (!loc->csrf || (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        || !(s->sent || s->flow->method->starts))
    {
        return 0;
    }

    ngx_memzero(&origin, sizeof(ngx_scale_session_origin_t));

    (void) ngx_scale_request_header(r, &site, &origin.site);
    (void) ngx_scale_request_header(r, &from, &origin.origin);

    /* a client that is no browser logs in without a cookie, and says nothing */

    if (!s->sent && origin.site.len == 0 && origin.origin.len == 0) {
        return 0;
    }

    ngx_scale_request_origin(r, &origin.scheme, &origin.host);

    if (ngx_scale_session_is_ours(&origin, loc->origins) == NGX_OK) {
        return 0;
    }

    cors = loc->http.cors;

    return cors == NULL || !cors->credentials
           || ngx_scale_session_is_ours(&origin, &cors->origins) != NGX_OK;
}
