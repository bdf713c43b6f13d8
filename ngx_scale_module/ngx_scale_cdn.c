
#include "ngx_scale_cdn.h"
#include "ngx_scale_login.h"
#include "ngx_scale_values.h"


static ngx_uint_t ngx_scale_cdn_sets(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_cdn_is_private(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_cdn_is_doubtful(ngx_scale_answer_t *answer);
static ngx_uint_t ngx_scale_cdn_is_missing(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_cdn_label(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_cdn_name(ngx_scale_flow_t *f,
    ngx_scale_key_t *made, ngx_str_t *names);
static ngx_uint_t ngx_scale_cdn_is_token(ngx_str_t *key);
static ngx_int_t ngx_scale_cdn_age(ngx_scale_flow_t *f);


/* all names of an answer are within what proxies take by default, 4 KB */
#define NGX_SCALE_CDN_NAME  256


static ngx_str_t  ngx_scale_cdn_no_cache = ngx_string("no-cache");
static ngx_str_t  ngx_scale_cdn_personal = ngx_string("private, no-cache");
static ngx_str_t  ngx_scale_cdn_no_store = ngx_string("no-store");


ngx_int_t
ngx_scale_cdn_answer(ngx_scale_flow_t *f, ngx_str_t *cache_control)
{
    ngx_scale_edge_t  *edge;

    if (ngx_scale_cdn_sets(f)) {
        *cache_control = ngx_scale_cdn_no_store;
        return NGX_OK;
    }

    if (f->method->method != NGX_HTTP_GET) {
        return NGX_OK;
    }

    edge = f->loc->edge;

    if (edge == NULL) {

        if (f->method->personal) {
            *cache_control = ngx_scale_cdn_personal;

        } else if (f->method->cached) {
            *cache_control = ngx_scale_cdn_no_cache;
        }

        return NGX_OK;
    }

    if (ngx_scale_cdn_is_private(f)) {
        *cache_control = edge->secret;
        return NGX_OK;
    }

    if (ngx_scale_cdn_is_doubtful(&f->answer)) {
        *cache_control = ngx_scale_cdn_no_store;
        return ngx_scale_cdn_age(f);
    }

    if (!f->method->cached) {
        *cache_control = ngx_scale_cdn_no_cache;
        return NGX_OK;
    }

    *cache_control = edge->found;

    return ngx_scale_cdn_label(f);
}


ngx_int_t
ngx_scale_cdn_problem(ngx_scale_flow_t *f)
{
    ngx_uint_t  missing;

    static ngx_str_t  name = ngx_string("Cache-Control");

    if (ngx_scale_cdn_sets(f)) {
        return ngx_scale_response_add(f->r, &name, &ngx_scale_cdn_no_store);
    }

    if (!f->loc->http.shared) {
        return f->method && f->method->personal
               ? ngx_scale_response_add(f->r, &name, &ngx_scale_cdn_personal)
               : NGX_OK;
    }

    missing = ngx_scale_cdn_is_missing(f);

    if (ngx_scale_response_add(f->r, &name, missing ? &f->loc->edge->missing
                                                    : &ngx_scale_cdn_no_store)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return missing ? ngx_scale_cdn_label(f) : NGX_OK;
}


/* the cookie of a session: it begins, ends, or is signed anew */

static ngx_uint_t
ngx_scale_cdn_sets(ngx_scale_flow_t *f)
{
    return f->session && f->session->sets;
}


/*
 * s-maxage lets a cache keep what an Authorization field has opened (RFC 9111,
 * section 3.5), and a cookie that is set is one client's.
 */

static ngx_uint_t
ngx_scale_cdn_is_private(ngx_scale_flow_t *f)
{
    ngx_uint_t     i;
    ngx_keyval_t  *field;

    static ngx_str_t  cookie = ngx_string("set-cookie");

    if (f->loc->edge->private || f->r->headers_in.authorization) {
        return 1;
    }

    field = f->answer.fields ? f->answer.fields->elts : NULL;

    for (i = 0; field && i < f->answer.fields->nelts; i++) {
        if (field[i].key.len == cookie.len
            && ngx_strncasecmp(field[i].key.data, cookie.data, cookie.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* others shall not keep for as long what is here kept for want of a new one */

static ngx_uint_t
ngx_scale_cdn_is_doubtful(ngx_scale_answer_t *answer)
{
    return answer->old || answer->unverified || answer->partial;
}


static ngx_uint_t
ngx_scale_cdn_is_missing(ngx_scale_flow_t *f)
{
    return f->problem.cause == NGX_SCALE_CAUSE_NOT_FOUND
           && f->method->cached
           && f->loc->edge->missing.len
           && !ngx_scale_cdn_is_doubtful(&f->answer)
           && !ngx_scale_cdn_is_private(f);
}


static ngx_int_t
ngx_scale_cdn_label(ngx_scale_flow_t *f)
{
    ngx_str_t          value;
    ngx_uint_t         i;
    ngx_scale_key_t   *tag;
    ngx_scale_edge_t  *edge;

    static ngx_str_t  field = ngx_string("Surrogate-Key");

    edge = f->loc->edge;
    tag = edge->ntags ? f->loc->tags->elts : NULL;

    value.len = 0;
    value.data = ngx_pnalloc(f->r->pool, (edge->ntags + 1)
                                         * (NGX_SCALE_CDN_NAME + 1));
    if (value.data == NULL
        || (edge->shown
            && ngx_scale_cdn_name(f, f->loc->key, &value) != NGX_OK))
    {
        return NGX_ERROR;
    }

    for (i = 0; i < edge->ntags; i++) {
        if (ngx_scale_cdn_name(f, &tag[edge->tags[i]], &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (value.len
        && ngx_scale_response_add(f->r, &field, &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_cdn_age(f);
}


/* one more name, which has room behind the others */

static ngx_int_t
ngx_scale_cdn_name(ngx_scale_flow_t *f, ngx_scale_key_t *made,
    ngx_str_t *names)
{
    u_char     *p;
    ngx_str_t   key;

    if (ngx_scale_keys_make(f, made, NULL, 0, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    p = names->data + names->len;

    if (names->len) {
        *p++ = ' ';
    }

    if (ngx_scale_cdn_is_token(&key)) {
        p = ngx_cpymem(p, key.data, key.len);

    } else {
        ngx_scale_sign_digest(key.data, key.len, p);
        p += NGX_SCALE_SIGN_DIGEST;
    }

    names->len = p - names->data;

    return NGX_OK;
}


/* names stand in one field, apart by blanks */

static ngx_uint_t
ngx_scale_cdn_is_token(ngx_str_t *key)
{
    size_t  i;

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= 0x20 || key->data[i] >= 0x7f) {
            return 0;
        }
    }

    return key->len <= NGX_SCALE_CDN_NAME;
}


/* RFC 9111, section 5.1; another node's clock may be ahead of ours */

static ngx_int_t
ngx_scale_cdn_age(ngx_scale_flow_t *f)
{
    time_t     age;
    ngx_str_t  value;

    static ngx_str_t  field = ngx_string("Age");

    if (f->answer.stored == 0) {
        return NGX_OK;
    }

    age = ngx_time() - f->answer.stored;

    value.data = ngx_pnalloc(f->r->pool, NGX_TIME_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%T", ngx_max(age, 0)) - value.data;

    return ngx_scale_response_add(f->r, &field, &value);
}
