
/*
 * How sessions begin and end.  What ends is ended in the table first, with the
 * statements of the request, then in memcached, and only then acknowledged; an
 * id begins to be known when nobody else can have it.
 */

#include "ngx_scale_login.h"
#include "ngx_scale_session_copies.h"
#include "ngx_scale_session_table.h"
#include "ngx_scale_session_token.h"


static ngx_int_t ngx_scale_session_prepare(ngx_scale_session_t *s);
static ngx_scale_rows_t *ngx_scale_session_rows(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_session_json(ngx_scale_session_t *s,
    ngx_scale_rows_t *rows);
static ngx_int_t ngx_scale_session_bind_start(ngx_scale_session_t *s);
static void ngx_scale_session_bind_end(ngx_scale_session_t *s);
static ngx_str_t *ngx_scale_session_all(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_go(ngx_scale_session_t *s);
static void ngx_scale_session_next(ngx_scale_session_t *s, ngx_int_t rc);
static ngx_int_t ngx_scale_session_forget(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_replace(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_kill(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_generate(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_put(ngx_scale_session_t *s);
static void ngx_scale_session_ended(ngx_scale_copies_t *copies);
static void ngx_scale_session_generated(ngx_scale_copies_t *copies);
static void ngx_scale_session_written(ngx_scale_copies_t *copies);
static ngx_int_t ngx_scale_session_doubt(ngx_scale_session_t *s);
static ngx_int_t ngx_scale_session_answer(ngx_scale_session_t *s);


/* in this order; NGX_OK: there is nothing to do */

static ngx_int_t  (*ngx_scale_session_changes[])(ngx_scale_session_t *s) = {
    ngx_scale_session_forget,
    ngx_scale_session_replace,
    ngx_scale_session_kill,
    ngx_scale_session_generate,
    ngx_scale_session_put,
    NULL
};


ngx_int_t
ngx_scale_session_row(ngx_scale_flow_t *f)
{
    if (!f->method->starts || f->method->durable) {
        return NGX_OK;
    }

    return ngx_scale_session_prepare(f->session);
}


static ngx_int_t
ngx_scale_session_prepare(ngx_scale_session_t *s)
{
    ngx_str_t          user;
    ngx_uint_t         i;
    ngx_scale_rows_t  *rows;

    s->ready = 0;
    rows = ngx_scale_session_rows(s->flow);

    /* that there is none is refused, or answered, by the step that renders */

    if (rows->nrows == 0) {
        return NGX_OK;
    }

    i = ngx_scale_meta_find(rows, &s->conf->user);

    if (i == rows->ncolumns || rows->get(rows, 0, i, &user) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, s->flow->r->connection->log, 0,
                      "route \"%V\": no session \"%V\" starts of a row whose "
                      "\"%V\" is missing or null; return that column, or name "
                      "another by \"user\" of scale_session",
                      &s->flow->loc->http.route, &s->conf->block.name,
                      &s->conf->user);
        return NGX_ERROR;
    }

    if (ngx_scale_session_json(s, rows) != NGX_OK
        || ngx_scale_session_make(s, &user) != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->record.created = ngx_time();
    s->ready = 1;

    return NGX_OK;
}


static ngx_scale_rows_t *
ngx_scale_session_rows(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    for (i = 0; f->method->queries[i] != f->method->answer; i++) {
        /* void */
    }

    return &f->op.calls[i].rows;
}


/* all columns, those that stand beside the body among them */

static ngx_int_t
ngx_scale_session_json(ngx_scale_session_t *s, ngx_scale_rows_t *rows)
{
    ngx_str_t           *json, *name;
    ngx_uint_t           i;
    ngx_scale_rows_t     all;
    ngx_scale_column_t  *columns;

    columns = ngx_palloc(s->flow->r->pool,
                         rows->ncolumns * sizeof(ngx_scale_column_t));
    if (columns == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < rows->ncolumns; i++) {
        columns[i] = rows->columns[i];
        name = &columns[i].name;

        if (ngx_scale_meta_kind(name) == NGX_SCALE_META_ROW) {
            name->data += sizeof("row:") - 1;
            name->len -= sizeof("row:") - 1;
        }
    }

    all = *rows;
    all.columns = columns;
    json = &s->record.json;

    if (ngx_scale_json_write(s->flow->r->pool, &all, NGX_SCALE_JSON_ROW,
                             NGX_SCALE_REPR_JSON, json)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (json->len && json->data[json->len - 1] == LF) {
        json->len--;
    }

    if (json->len > NGX_SCALE_SESSION_MAX) {
        ngx_log_error(NGX_LOG_ERR, s->flow->r->connection->log, 0,
                      "route \"%V\": the row of a session has more than %d "
                      "bytes; return less", &s->flow->loc->http.route,
                      NGX_SCALE_SESSION_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_session_keep(ngx_scale_flow_t *f)
{
    ngx_scale_session_t  *s;

    s = f->session;

    if (f->method->starts && ngx_scale_session_prepare(s) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&s->call, sizeof(ngx_scale_pg_call_t));
    ngx_scale_session_bind_end(s);

    if (!s->ready) {
        ngx_scale_session_table_bind(s, &s->call, NGX_SCALE_SESSION_END);

    } else if (ngx_scale_session_bind_start(s) != NGX_OK) {
        return NGX_ERROR;
    }

    f->op.last = &s->call;

    return NGX_OK;
}


/* key, owner, value, ttl, and as for an end */

static ngx_int_t
ngx_scale_session_bind_start(ngx_scale_session_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(s->flow->r->pool,
                    s->record.json.len + 1 + NGX_TIME_T_LEN + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    s->args[4] = s->args[0];
    s->args[5] = s->args[1];
    s->args[0] = (const char *) s->made.session.data;
    s->args[1] = (const char *) s->made.user.data;
    s->args[2] = (const char *) p;

    p = ngx_cpymem(p, s->record.json.data, s->record.json.len);
    *p++ = '\0';

    s->args[3] = (const char *) p;
    *ngx_sprintf(p, "%T", s->conf->ttl) = '\0';

    ngx_scale_session_table_bind(s, &s->call, NGX_SCALE_SESSION_START);

    return NGX_OK;
}


/* the session that came, and whose all are to end; NULL: none */

static void
ngx_scale_session_bind_end(ngx_scale_session_t *s)
{
    ngx_str_t  *user;

    user = ngx_scale_session_all(s);

    s->args[0] = s->known ? (const char *) s->came.session.data : NULL;
    s->args[1] = user ? (const char *) user->data : NULL;
}


/* of whom all sessions end: of who starts one, or else asks; or NULL */

static ngx_str_t *
ngx_scale_session_all(ngx_scale_session_t *s)
{
    if (s->flow->method->ends != NGX_SCALE_SESSION_ALL) {
        return NULL;
    }

    if (s->ready) {
        return &s->made.user;
    }

    return s->flow->who[NGX_SCALE_AUTH_SESSION].found ? &s->came.user : NULL;
}


ngx_int_t
ngx_scale_session_change(ngx_scale_flow_t *f)
{
    if (f->session == NULL || f->problem.cause) {
        return NGX_OK;
    }

    return ngx_scale_session_go(f->session);
}


/* what is asked of memcached ends by itself */

ngx_int_t
ngx_scale_session_change_expire(ngx_scale_flow_t *f)
{
    return f->session->querying ? ngx_scale_session_table_expire(f->session)
                                : NGX_AGAIN;
}


static ngx_int_t
ngx_scale_session_go(ngx_scale_session_t *s)
{
    ngx_int_t  rc;

    while (ngx_scale_session_changes[s->change]) {
        rc = ngx_scale_session_changes[s->change++](s);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_scale_session_answer(s);
}


static void
ngx_scale_session_next(ngx_scale_session_t *s, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        rc = ngx_scale_session_go(s);
    }

    if (rc != NGX_AGAIN) {
        ngx_scale_flow_resume(s->flow, rc);
    }
}


static ngx_int_t
ngx_scale_session_forget(ngx_scale_session_t *s)
{
    if (s->conf->database == NULL || s->flow->method->durable
        || !s->flow->method->ends || !s->known)
    {
        return NGX_OK;
    }

    ngx_scale_session_bind_end(s);
    ngx_scale_session_table_ask(s, NGX_SCALE_SESSION_END,
                                ngx_scale_session_next);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_scale_session_replace(ngx_scale_session_t *s)
{
    ngx_str_t  value, *user;

    user = ngx_scale_session_all(s);

    if (user == NULL) {
        return NGX_OK;
    }

    return ngx_scale_session_draw(s, &value) == NGX_OK
           && ngx_scale_session_copies(s, &s->owner, NGX_SCALE_COPIES_REPLACE,
                                       user, &value, 0,
                                       ngx_scale_session_ended)
              == NGX_OK
           ? NGX_AGAIN : NGX_ERROR;
}


static ngx_int_t
ngx_scale_session_kill(ngx_scale_session_t *s)
{
    if (!s->known || !(s->flow->method->ends || s->ready)) {
        return NGX_OK;
    }

    return ngx_scale_session_copies(s, &s->session, NGX_SCALE_COPIES_KILL,
                                    &s->came.session, NULL, 0,
                                    ngx_scale_session_ended)
           == NGX_OK ? NGX_AGAIN : NGX_ERROR;
}


static void
ngx_scale_session_ended(ngx_scale_copies_t *copies)
{
    ngx_scale_session_t  *s;

    s = ngx_scale_session_copied(copies);

    ngx_scale_session_next(s, copies->result == NGX_SCALE_COPIES_DONE
                              ? NGX_OK : ngx_scale_session_doubt(s));
}


static ngx_int_t
ngx_scale_session_generate(ngx_scale_session_t *s)
{
    ngx_str_t  value;

    if (!s->ready) {
        return NGX_OK;
    }

    return ngx_scale_session_draw(s, &value) == NGX_OK
           && ngx_scale_session_copies(s, &s->owner, NGX_SCALE_COPIES_MAKE,
                                       &s->made.user, &value,
                                       s->conf->patience,
                                       ngx_scale_session_generated)
              == NGX_OK
           ? NGX_AGAIN : NGX_ERROR;
}


/* what the table has needs no copy */

static void
ngx_scale_session_generated(ngx_scale_copies_t *copies)
{
    ngx_scale_session_t  *s;

    s = ngx_scale_session_copied(copies);
    ngx_scale_session_date(s, copies);

    ngx_scale_session_next(s, s->dated || s->conf->database
                              ? NGX_OK : ngx_scale_session_doubt(s));
}


static ngx_int_t
ngx_scale_session_put(ngx_scale_session_t *s)
{
    ngx_str_t  value;

    if (!s->ready || !s->dated) {
        return NGX_OK;
    }

    s->record.generation = s->generation;

    return ngx_scale_session_value(s, &value) == NGX_OK
           && ngx_scale_session_copies(s, &s->session, NGX_SCALE_COPIES_PUT,
                                       &s->made.session, &value,
                                       s->conf->patience,
                                       ngx_scale_session_written)
              == NGX_OK
           ? NGX_AGAIN : NGX_ERROR;
}


static void
ngx_scale_session_written(ngx_scale_copies_t *copies)
{
    ngx_scale_session_t  *s;

    s = ngx_scale_session_copied(copies);

    ngx_scale_session_next(s, copies->result == NGX_SCALE_COPIES_DONE
                              || s->conf->database
                              ? NGX_OK : ngx_scale_session_doubt(s));
}


static ngx_int_t
ngx_scale_session_doubt(ngx_scale_session_t *s)
{
    return ngx_scale_flow_refuse(s->flow, s->flow->method->write
                                          ? NGX_SCALE_CAUSE_OUTCOME_UNKNOWN
                                          : NGX_SCALE_CAUSE_UNAVAILABLE);
}


static ngx_int_t
ngx_scale_session_answer(ngx_scale_session_t *s)
{
    time_t             left;
    ngx_scale_flow_t  *f;

    f = s->flow;

    if (f->method->nqueries == 0) {
        f->answer.status = NGX_HTTP_NO_CONTENT;
    }

    if (s->ready) {
        return ngx_scale_session_set(s, &s->made, s->conf->ttl);
    }

    if (f->method->ends) {
        return s->sent ? ngx_scale_session_set(s, NULL, 0) : NGX_OK;
    }

    /* signed anew, so that the secret before this one can be forgotten */

    left = ngx_scale_session_left(&s->record, s->conf->ttl, ngx_time());

    return s->former && f->who[NGX_SCALE_AUTH_SESSION].found
           ? ngx_scale_session_set(s, &s->came, left) : NGX_OK;
}
