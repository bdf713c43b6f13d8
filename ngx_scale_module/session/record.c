
#include "session/sessions.h"


static u_char *ngx_scale_session_put(u_char *p, uint64_t n);
static uint64_t ngx_scale_session_get(u_char *p);


#define NGX_SCALE_SESSION_VERSION  1


/* {version, generation, 64 bits, when it began, 64, JSON} */

void
ngx_scale_session_record_write(ngx_scale_session_record_t *record,
    u_char *text)
{
    *text++ = NGX_SCALE_SESSION_VERSION;
    text = ngx_scale_session_put(text, record->generation);
    text = ngx_scale_session_put(text, (uint64_t) record->created);

    ngx_memcpy(text, record->json.data, record->json.len);
}


ngx_int_t
ngx_scale_session_record_read(ngx_scale_session_record_t *record,
    ngx_str_t *text)
{
    if (text->len < NGX_SCALE_SESSION_HEAD
        || text->data[0] != NGX_SCALE_SESSION_VERSION)
    {
        return NGX_DECLINED;
    }

    record->generation = ngx_scale_session_get(text->data + 1);
    record->created = (time_t) ngx_scale_session_get(text->data + 9);
    record->json.data = text->data + NGX_SCALE_SESSION_HEAD;
    record->json.len = text->len - NGX_SCALE_SESSION_HEAD;

    return NGX_OK;
}


void
ngx_scale_session_generation_write(uint64_t generation, u_char *text)
{
    (void) ngx_scale_session_put(text, generation);
}


ngx_int_t
ngx_scale_session_generation_read(uint64_t *generation, ngx_str_t *text)
{
    if (text->len != NGX_SCALE_SESSION_GENERATION) {
        return NGX_DECLINED;
    }

    *generation = ngx_scale_session_get(text->data);

    return NGX_OK;
}


static u_char *
ngx_scale_session_put(u_char *p, uint64_t n)
{
    ngx_uint_t  bits;

    for (bits = 64; bits; /* void */ ) {
        bits -= 8;
        *p++ = (u_char) (n >> bits);
    }

    return p;
}


static uint64_t
ngx_scale_session_get(u_char *p)
{
    uint64_t     n;
    ngx_uint_t   i;

    n = 0;

    for (i = 0; i < 8; i++) {
        n = n << 8 | p[i];
    }

    return n;
}


/* another node's clock may be ahead of ours */

time_t
ngx_scale_session_left(ngx_scale_session_record_t *record, time_t ttl,
    time_t now)
{
    time_t  age;

    age = now - record->created;

    return age < ttl ? ttl - ngx_max(age, 0) : 0;
}


ngx_uint_t
ngx_scale_session_is_due(time_t left, time_t idle)
{
    return left < idle - ngx_max(idle / 16, 1);
}
