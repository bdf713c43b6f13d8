
/* who asks, by the cookie of a session */

#include "ngx_scale_login.h"
#include "ngx_scale_auth.h"
#include "ngx_scale_session_copies.h"
#include "ngx_scale_session_table.h"
#include "ngx_scale_session_token.h"


/* ms in which a copy is made of what the table has, or is not */
#define NGX_SCALE_SESSION_FILL  50
#define NGX_SCALE_SESSION_LATE  10000


static ngx_int_t ngx_scale_session_ask(ngx_scale_session_t *s);
static void ngx_scale_session_read(ngx_scale_copies_t *copies);
static void ngx_scale_session_owner(ngx_scale_copies_t *copies);
static void ngx_scale_session_asked(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_judge(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_record(ngx_scale_session_t *s,
    ngx_str_t *value);
static void ngx_scale_session_touch(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_alive(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_restore(ngx_scale_session_t *s);
static void ngx_scale_session_dated(ngx_scale_copies_t *copies);
static ngx_int_t ngx_scale_session_look(ngx_scale_session_t *s);
static void ngx_scale_session_found(ngx_scale_session_t *s, ngx_int_t rc);
static ngx_int_t ngx_scale_session_stored(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_fill(ngx_scale_session_t *s);
static void ngx_scale_session_filled(ngx_scale_copies_t *copies);


ngx_int_t
ngx_scale_session_step(ngx_scale_flow_t *f)
{
    ngx_scale_session_t  *s;

    if (!ngx_scale_auth_asks(f, NGX_SCALE_AUTH_SESSION)
        && !f->method->starts && !f->method->ends)
    {
        return NGX_OK;
    }

    s = ngx_pcalloc(f->r->pool, sizeof(ngx_scale_session_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    s->flow = f;
    s->conf = (ngx_scale_session_conf_t *) f->loc->by[NGX_SCALE_AUTH_SESSION];
    f->session = s;

    if (ngx_scale_session_find(s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_scale_session_is_forged(s)) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_CROSS_SITE);
    }

    if (!s->known || !ngx_scale_auth_asks(f, NGX_SCALE_AUTH_SESSION)) {
        return NGX_OK;
    }

    return ngx_scale_session_ask(s);
}


/* both leave in one turn */

static ngx_int_t
ngx_scale_session_ask(ngx_scale_session_t *s)
{
    if (ngx_scale_session_copies(s, &s->session, NGX_SCALE_COPIES_READ,
                                 &s->came.session, NULL, s->conf->patience,
                                 ngx_scale_session_read)
        != NGX_OK
        || ngx_scale_session_copies(s, &s->owner, NGX_SCALE_COPIES_READ,
                                    &s->came.user, NULL, s->conf->patience,
                                    ngx_scale_session_owner)
           != NGX_OK)
    {
        ngx_scale_session_copies_release(s);
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_scale_session_expire(ngx_scale_flow_t *f)
{
    ngx_scale_session_release(f);

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
}


void
ngx_scale_session_release(ngx_scale_flow_t *f)
{
    ngx_scale_session_t  *s;

    s = f->session;

    if (s == NULL) {
        return;
    }

    ngx_scale_session_copies_release(s);
    ngx_scale_session_table_release(s);
}


static void
ngx_scale_session_read(ngx_scale_copies_t *copies)
{
    ngx_scale_session_t  *s;

    s = ngx_scale_session_copied(copies);

    /* what is no record of this version is none */

    if (copies->result == NGX_SCALE_COPIES_DONE
        && ngx_scale_session_record(s, &copies->value) != NGX_OK)
    {
        copies->result = NGX_SCALE_COPIES_MISSING;
    }

    ngx_scale_session_asked(s);
}


static void
ngx_scale_session_owner(ngx_scale_copies_t *copies)
{
    ngx_scale_session_t  *s;

    s = ngx_scale_session_copied(copies);
    ngx_scale_session_date(s, copies);
    ngx_scale_session_asked(s);
}


static void
ngx_scale_session_asked(ngx_scale_session_t *s)
{
    ngx_int_t  rc;

    if (s->session.data || s->owner.data) {
        return;
    }

    rc = ngx_scale_session_judge(s);

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(s->flow, rc);
    }
}


/* what was ended is over; what is not there, only if no table has it */

static ngx_int_t
ngx_scale_session_judge(ngx_scale_session_t *s)
{
    ngx_scale_copies_result_e  session, owner;

    session = s->session.result;
    owner = s->owner.result;

    if (session == NGX_SCALE_COPIES_DEAD) {
        return NGX_OK;
    }

    if (session == NGX_SCALE_COPIES_DONE && s->dated
        && s->record.generation == s->generation)
    {
        if (ngx_scale_session_left(&s->record, s->conf->ttl, ngx_time()) == 0) {
            return NGX_OK;
        }

        ngx_scale_session_touch(s);

        return ngx_scale_session_alive(s);
    }

    if (s->conf->database) {
        return ngx_scale_session_restore(s);
    }

    if (session == NGX_SCALE_COPIES_MISSING
        || (session == NGX_SCALE_COPIES_DONE
            && owner != NGX_SCALE_COPIES_UNKNOWN))
    {
        return NGX_OK;
    }

    return ngx_scale_flow_refuse(s->flow, NGX_SCALE_CAUSE_UNAVAILABLE);
}


/* in a copy: what was read is there for a moment only */

static ngx_int_t
ngx_scale_session_record(ngx_scale_session_t *s, ngx_str_t *value)
{
    ngx_str_t  *json;

    if (ngx_scale_session_record_read(&s->record, value) != NGX_OK) {
        return NGX_DECLINED;
    }

    json = &s->record.json;
    json->data = ngx_pstrdup(s->flow->r->pool, json);

    return json->data ? NGX_OK : NGX_ERROR;
}


static void
ngx_scale_session_touch(ngx_scale_session_t *s)
{
    time_t              idle;
    ngx_scale_cache_t  *cache;

    idle = s->conf->idle;
    cache = s->conf->store->cache;

    if (ngx_scale_session_is_due(s->owner.left, idle)) {
        ngx_scale_copies_touch(cache, &s->came.user, s->conf->copies, idle);
    }

    if (!ngx_scale_session_is_due(s->session.left, idle)) {
        return;
    }

    ngx_scale_copies_touch(cache, &s->came.session, s->conf->copies, idle);

    if (s->conf->database) {
        ngx_scale_session_table_see(s);
    }
}


static ngx_int_t
ngx_scale_session_alive(ngx_scale_session_t *s)
{
    ngx_scale_who_t        *who;
    ngx_scale_json_want_t   want;

    who = &s->flow->who[NGX_SCALE_AUTH_SESSION];

    ngx_memzero(&want, sizeof(ngx_scale_json_want_t));
    want.path = &s->conf->user;
    want.npath = 1;

    if (ngx_scale_json_read(s->flow->r->pool, &s->record.json, &want, 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    who->members = s->record.json;
    who->user = want.raw.text;
    who->found = 1;

    return NGX_OK;
}


/*
 * The table knows.  A copy is made of what it has, of a generation that was
 * there before it was asked: if all sessions of the user end meanwhile, that
 * copy is of no use.  If this one ends meanwhile, a tombstone keeps the copy
 * out, for longer than NGX_SCALE_SESSION_LATE.
 */

static ngx_int_t
ngx_scale_session_restore(ngx_scale_session_t *s)
{
    ngx_str_t  value;

    if (s->dated || s->owner.result == NGX_SCALE_COPIES_UNKNOWN) {
        return ngx_scale_session_look(s);
    }

    return ngx_scale_session_draw(s, &value) == NGX_OK
           && ngx_scale_session_copies(s, &s->owner, NGX_SCALE_COPIES_MAKE,
                                       &s->came.user, &value,
                                       s->conf->patience,
                                       ngx_scale_session_dated)
              == NGX_OK
           ? NGX_AGAIN : NGX_ERROR;
}


static void
ngx_scale_session_dated(ngx_scale_copies_t *copies)
{
    ngx_int_t             rc;
    ngx_scale_session_t  *s;

    s = ngx_scale_session_copied(copies);
    ngx_scale_session_date(s, copies);

    rc = ngx_scale_session_look(s);

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(s->flow, rc);
    }
}


static ngx_int_t
ngx_scale_session_look(ngx_scale_session_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(s->flow->r->pool, NGX_TIME_T_LEN + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf(p, "%T", s->conf->idle) = '\0';

    s->looked = ngx_current_msec;
    s->args[0] = (const char *) s->came.session.data;
    s->args[1] = (const char *) p;

    ngx_scale_session_table_ask(s, NGX_SCALE_SESSION_READ,
                                ngx_scale_session_found);

    return NGX_AGAIN;
}


static void
ngx_scale_session_found(ngx_scale_session_t *s, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        rc = ngx_scale_session_stored(s);
    }

    ngx_scale_session_table_release(s);

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(s->flow, rc);
    }
}


static ngx_int_t
ngx_scale_session_stored(ngx_scale_session_t *s)
{
    ngx_int_t          rc;
    ngx_str_t          created, json, due;
    ngx_scale_rows_t  *rows;

    rows = &s->call.rows;

    if (rows->nrows == 0
        || rows->get(rows, 0, 0, &created) != NGX_OK
        || rows->get(rows, 0, 1, &json) != NGX_OK
        || rows->get(rows, 0, 2, &due) != NGX_OK)
    {
        return NGX_OK;
    }

    s->record.generation = s->generation;
    s->record.created = ngx_atotm(created.data, created.len);

    if (ngx_scale_session_left(&s->record, s->conf->ttl, ngx_time()) == 0) {
        return NGX_OK;
    }

    s->record.json.len = json.len;
    s->record.json.data = ngx_pstrdup(s->flow->r->pool, &json);

    if (s->record.json.data == NULL) {
        return NGX_ERROR;
    }

    if (due.data[0] == 't') {
        ngx_scale_session_table_see(s);
    }

    rc = ngx_scale_session_alive(s);

    /* a copy of a former generation is not replaced: its end might be */

    return rc == NGX_OK && s->dated
           && s->session.result == NGX_SCALE_COPIES_MISSING
           && ngx_current_msec - s->looked < NGX_SCALE_SESSION_LATE
           ? ngx_scale_session_fill(s) : rc;
}


static ngx_int_t
ngx_scale_session_fill(ngx_scale_session_t *s)
{
    ngx_str_t  value;

    return ngx_scale_session_value(s, &value) == NGX_OK
           && ngx_scale_session_copies(s, &s->session, NGX_SCALE_COPIES_PUT,
                                       &s->came.session, &value,
                                       NGX_SCALE_SESSION_FILL,
                                       ngx_scale_session_filled)
              == NGX_OK
           ? NGX_AGAIN : NGX_ERROR;
}


static void
ngx_scale_session_filled(ngx_scale_copies_t *copies)
{
    ngx_scale_flow_resume(ngx_scale_session_copied(copies)->flow, NGX_OK);
}
