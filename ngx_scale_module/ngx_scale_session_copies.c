
#include "ngx_scale_session_copies.h"


/* what is to end may wait so long for a memcached that does not answer, ms */
#define NGX_SCALE_SESSION_LEAST  2000


ngx_int_t
ngx_scale_session_copies(ngx_scale_session_t *s, ngx_scale_copies_t *copies,
    ngx_scale_copies_verb_e verb, ngx_str_t *key, ngx_str_t *value,
    ngx_msec_t patience, void (*handler)(ngx_scale_copies_t *copies))
{
    ngx_msec_int_t  left, least;

    left = s->flow->deadline - ngx_current_msec;
    least = verb == NGX_SCALE_COPIES_READ ? 1 : NGX_SCALE_SESSION_LEAST;

    ngx_memzero(copies, sizeof(ngx_scale_copies_t));

    copies->pool = s->flow->r->pool;
    copies->verb = verb;
    copies->key = *key;
    copies->n = s->conf->copies;
    copies->ttl = s->conf->idle;
    copies->patience = patience ? patience
                                : (ngx_msec_t) ngx_max(left, least);
    copies->handler = handler;
    copies->data = s;

    if (value) {
        copies->value = *value;
    }

    if (ngx_scale_copies_start(s->conf->store->cache, copies) != NGX_OK) {
        copies->data = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_scale_session_t *
ngx_scale_session_copied(ngx_scale_copies_t *copies)
{
    ngx_scale_session_t  *s = copies->data;

    copies->data = NULL;

    return s;
}


void
ngx_scale_session_copies_release(ngx_scale_session_t *s)
{
    if (s->session.data) {
        s->session.data = NULL;
        ngx_scale_copies_cancel(&s->session);
    }

    if (s->owner.data) {
        s->owner.data = NULL;
        ngx_scale_copies_cancel(&s->owner);
    }
}


ngx_int_t
ngx_scale_session_value(ngx_scale_session_t *s, ngx_str_t *value)
{
    value->len = NGX_SCALE_SESSION_HEAD + s->record.json.len;
    value->data = ngx_pnalloc(s->flow->r->pool, value->len);

    if (value->data == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_session_record_write(&s->record, value->data);

    return NGX_OK;
}


ngx_int_t
ngx_scale_session_draw(ngx_scale_session_t *s, ngx_str_t *value)
{
    value->len = NGX_SCALE_SESSION_GENERATION;
    value->data = ngx_pnalloc(s->flow->r->pool, value->len);

    if (value->data == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_session_generation_write(ngx_scale_zone_random(), value->data);

    return NGX_OK;
}


void
ngx_scale_session_date(ngx_scale_session_t *s, ngx_scale_copies_t *copies)
{
    s->dated = copies->result == NGX_SCALE_COPIES_DONE
               && ngx_scale_session_generation_read(&s->generation,
                                                    &copies->value)
                  == NGX_OK;
}
