
/*
 * The document: its members are gathered, measured, and written.
 */

#include "http/problem.h"
#include "http/quote.h"


#define NGX_SCALE_PROBLEM_MEMBERS  9


typedef struct {
    const char                   *name;
    ngx_str_t                     value;
    unsigned                      text:1;      /* to be quoted */
} ngx_scale_problem_member_t;

typedef struct {
    ngx_uint_t                    n;
    ngx_scale_problem_member_t    members[NGX_SCALE_PROBLEM_MEMBERS];
    u_char                        status[NGX_INT_T_LEN];
    u_char                        element[NGX_INT_T_LEN];
} ngx_scale_problem_body_t;


static void ngx_scale_problem_of_nginx(ngx_scale_problem_body_t *body,
    ngx_scale_problem_t *p, ngx_uint_t status, ngx_str_t *type,
    ngx_str_t *detail, ngx_str_t *route);
static ngx_int_t ngx_scale_problem_of_ours(ngx_scale_problem_body_t *body,
    ngx_pool_t *pool, ngx_scale_problem_t *p);
static void ngx_scale_problem_text(ngx_scale_problem_body_t *body,
    const char *name, ngx_str_t *value);
static void ngx_scale_problem_json(ngx_scale_problem_body_t *body,
    const char *name, ngx_str_t *value);
static void ngx_scale_problem_member(ngx_scale_problem_body_t *body,
    const char *name, ngx_str_t *value, ngx_uint_t text);
static void ngx_scale_problem_number(ngx_scale_problem_body_t *body,
    const char *name, u_char *buf, ngx_uint_t n);
static size_t ngx_scale_problem_size(ngx_scale_problem_body_t *body);
static u_char *ngx_scale_problem_write(u_char *last,
    ngx_scale_problem_body_t *body);


ngx_buf_t *
ngx_scale_problem_body(ngx_http_request_t *r, ngx_scale_problem_t *p,
    ngx_uint_t status, ngx_str_t *route)
{
    ngx_buf_t                 *b;
    ngx_str_t                  type, detail, members;
    ngx_scale_problem_body_t   body;

    ngx_str_set(&type, "about:blank");
    ngx_str_null(&detail);
    ngx_str_null(&members);

    if (p) {
        (void) ngx_scale_problem_of(p->cause, &type, &detail);
        detail = p->detail.len ? p->detail : detail;
        members = p->members;
    }

    body.n = 0;

    ngx_scale_problem_of_nginx(&body, p, status, &type, &detail, route);

    if (p && ngx_scale_problem_of_ours(&body, r->pool, p) != NGX_OK) {
        return NULL;
    }

    b = ngx_create_temp_buf(r->pool, ngx_scale_problem_size(&body)
                                     + members.len + sizeof("{,}\n"));
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_scale_problem_write(b->last, &body);

    if (members.len > sizeof("{}") - 1) {
        *b->last++ = ',';
        b->last = ngx_cpymem(b->last, members.data + 1, members.len - 2);
    }

    *b->last++ = '}';
    *b->last++ = '\n';

    return b;
}


/* what an error of nginx's own has, too */

static void
ngx_scale_problem_of_nginx(ngx_scale_problem_body_t *body,
    ngx_scale_problem_t *p, ngx_uint_t status, ngx_str_t *type,
    ngx_str_t *detail, ngx_str_t *route)
{
    ngx_str_t  title;

    ngx_scale_problem_title(p, status, &title);

    ngx_scale_problem_text(body, "type", type);
    ngx_scale_problem_text(body, "title", &title);
    ngx_scale_problem_number(body, "status", body->status, status);
    ngx_scale_problem_text(body, "detail", detail);
    ngx_scale_problem_text(body, "route", route);
}


/* of an SQLSTATE its class, the first two characters */

static ngx_int_t
ngx_scale_problem_of_ours(ngx_scale_problem_body_t *body, ngx_pool_t *pool,
    ngx_scale_problem_t *p)
{
    ngx_str_t  sqlstate, fields;

    if (p->sqlstate.len >= 2) {
        sqlstate.data = p->sqlstate.data;
        sqlstate.len = 2;
        ngx_scale_problem_text(body, "sqlstate", &sqlstate);
    }

    if (p->element) {
        ngx_scale_problem_number(body, "element", body->element,
                                 p->element - 1);
    }

    if (p->nviolations) {
        if (ngx_scale_problem_fields(pool, p, &fields) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_scale_problem_json(body, "errors", &fields);
    }

    ngx_scale_problem_json(body, "shards", &p->shards);

    return NGX_OK;
}


static void
ngx_scale_problem_text(ngx_scale_problem_body_t *body, const char *name,
    ngx_str_t *value)
{
    ngx_scale_problem_member(body, name, value, 1);
}


static void
ngx_scale_problem_json(ngx_scale_problem_body_t *body, const char *name,
    ngx_str_t *value)
{
    ngx_scale_problem_member(body, name, value, 0);
}


/* an empty one is left out */

static void
ngx_scale_problem_member(ngx_scale_problem_body_t *body, const char *name,
    ngx_str_t *value, ngx_uint_t text)
{
    ngx_scale_problem_member_t  *member;

    if (value->len == 0) {
        return;
    }

    member = &body->members[body->n++];

    member->name = name;
    member->value = *value;
    member->text = text;
}


static void
ngx_scale_problem_number(ngx_scale_problem_body_t *body, const char *name,
    u_char *buf, ngx_uint_t n)
{
    ngx_str_t  value;

    value.data = buf;
    value.len = ngx_sprintf(buf, "%ui", n) - buf;

    ngx_scale_problem_json(body, name, &value);
}


static size_t
ngx_scale_problem_size(ngx_scale_problem_body_t *body)
{
    size_t                       size;
    ngx_uint_t                   i;
    ngx_scale_problem_member_t  *member;

    size = 0;

    for (i = 0; i < body->n; i++) {
        member = &body->members[i];

        size += sizeof(",\"\":") - 1 + ngx_strlen(member->name)
                + (member->text ? ngx_scale_quote_len(&member->value)
                                : member->value.len);
    }

    return size;
}


/* all but the brace that ends it */

static u_char *
ngx_scale_problem_write(u_char *last, ngx_scale_problem_body_t *body)
{
    ngx_uint_t                   i;
    ngx_scale_problem_member_t  *member;

    for (i = 0; i < body->n; i++) {
        member = &body->members[i];

        *last++ = i ? ',' : '{';
        *last++ = '"';
        last = ngx_cpymem(last, member->name, ngx_strlen(member->name));
        *last++ = '"';
        *last++ = ':';

        if (member->text) {
            last = ngx_scale_quote(last, &member->value);

        } else {
            last = ngx_cpymem(last, member->value.data, member->value.len);
        }
    }

    return last;
}


ngx_int_t
ngx_scale_problem_fields(ngx_pool_t *pool, ngx_scale_problem_t *p,
    ngx_str_t *json)
{
    size_t                  len;
    u_char                 *last;
    ngx_uint_t              i;
    ngx_scale_violation_t  *v;

    len = sizeof("[]") - 1;

    for (i = 0; i < p->nviolations; i++) {
        v = &p->violations[i];
        len += sizeof(",{\"name\":,\"detail\":}") - 1
               + ngx_scale_quote_len(&v->name)
               + ngx_scale_quote_len(&v->detail);
    }

    last = ngx_pnalloc(pool, len);
    if (last == NULL) {
        return NGX_ERROR;
    }

    json->data = last;
    *last++ = '[';

    for (i = 0; i < p->nviolations; i++) {
        v = &p->violations[i];

        if (i) {
            *last++ = ',';
        }

        last = ngx_cpymem(last, "{\"name\":", sizeof("{\"name\":") - 1);
        last = ngx_scale_quote(last, &v->name);
        last = ngx_cpymem(last, ",\"detail\":", sizeof(",\"detail\":") - 1);
        last = ngx_scale_quote(last, &v->detail);
        *last++ = '}';
    }

    *last++ = ']';
    json->len = last - json->data;

    return NGX_OK;
}
