
/* who a client is by the key that it sends */

#include "ngx_scale_apikey.h"
#include "ngx_scale_answer.h"
#include "ngx_scale_query.h"
#include "ngx_scale_read.h"


static ngx_int_t ngx_scale_apikey_sent(ngx_scale_flow_t *f,
    ngx_scale_apikey_t *apikey, ngx_str_t *key);
static ngx_uint_t ngx_scale_apikey_is_key(ngx_str_t *key);
static ngx_int_t ngx_scale_apikey_hash(ngx_scale_flow_t *inner,
    ngx_str_t *key);
static void ngx_scale_apikey_done(ngx_scale_flow_t *inner);
static ngx_int_t ngx_scale_apikey_verdict(ngx_scale_flow_t *f);


/* what is longer is nobody's: nothing is asked for its sake */
#define NGX_SCALE_APIKEY_MAX  256


static ngx_scale_step_t  ngx_scale_apikey_steps[] = {

    { "apikey lookup",
      ngx_scale_read_lookup,
      ngx_scale_read_expire,
      ngx_scale_read_release, 0 },

    { "apikey query",
      ngx_scale_read_query,
      ngx_scale_query_expire,
      ngx_scale_query_release, 0 },

    { "apikey render",
      ngx_scale_answer_render, NULL, NULL, 0 },

    { "apikey settle",
      ngx_scale_read_settle, NULL, NULL, 1 },

    ngx_scale_last_step
};


ngx_int_t
ngx_scale_apikey_step(ngx_scale_flow_t *f)
{
    ngx_int_t            rc;
    ngx_str_t            key;
    ngx_scale_flow_t    *inner;
    ngx_scale_apikey_t  *apikey;

    if (!ngx_scale_auth_asks(f, NGX_SCALE_AUTH_KEY)) {
        return NGX_OK;
    }

    apikey = (ngx_scale_apikey_t *) f->loc->by[NGX_SCALE_AUTH_KEY];

    rc = ngx_scale_apikey_sent(f, apikey, &key);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : rc;
    }

    if (!ngx_scale_apikey_is_key(&key)) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_IDENTITY);
    }

    inner = ngx_scale_flow_within(f, apikey->route);

    if (inner == NULL || ngx_scale_apikey_hash(inner, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    inner->cluster = apikey->route->database->clusters.elts;
    inner->done = ngx_scale_apikey_done;

    f->inner = inner;

    return ngx_scale_flow_run_within(inner, ngx_scale_apikey_steps) == NGX_OK
           ? ngx_scale_apikey_verdict(f) : NGX_AGAIN;
}


/* NGX_DECLINED: there is none */

static ngx_int_t
ngx_scale_apikey_sent(ngx_scale_flow_t *f, ngx_scale_apikey_t *apikey,
    ngx_str_t *key)
{
    ngx_int_t  rc;

    if (apikey->value) {
        rc = ngx_http_complex_value(f->r, apikey->value, key);

    } else if (apikey->header.len) {
        rc = ngx_scale_request_header(f->r, &apikey->header, key);

    } else {
        return ngx_scale_request_bearer(f->r, key);
    }

    return rc == NGX_OK && key->len == 0 ? NGX_DECLINED : rc;
}


static ngx_uint_t
ngx_scale_apikey_is_key(ngx_str_t *key)
{
    size_t  i;

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= 0x20 || key->data[i] >= 0x7f) {
            return 0;
        }
    }

    return key->len > 0 && key->len <= NGX_SCALE_APIKEY_MAX;
}


/* the value of :hash, which is bound as a string of C */

static ngx_int_t
ngx_scale_apikey_hash(ngx_scale_flow_t *inner, ngx_str_t *key)
{
    u_char  *hex;

    inner->values = ngx_pcalloc(inner->r->pool, sizeof(ngx_scale_value_t));
    hex = ngx_pnalloc(inner->r->pool, NGX_SCALE_SIGN_SHA256 + 1);

    if (inner->values == NULL || hex == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_sign_sha256(key->data, key->len, hex);
    hex[NGX_SCALE_SIGN_SHA256] = '\0';

    inner->values->text.data = hex;
    inner->values->text.len = NGX_SCALE_SIGN_SHA256;
    inner->values->canon = inner->values->text;

    return NGX_OK;
}


static void
ngx_scale_apikey_done(ngx_scale_flow_t *inner)
{
    ngx_scale_flow_t  *f;

    f = inner->outer;

    ngx_scale_flow_resume(f, ngx_scale_apikey_verdict(f));
}


/* nobody could be asked: that is no verdict, and nothing was done yet */

static ngx_int_t
ngx_scale_apikey_verdict(ngx_scale_flow_t *f)
{
    ngx_scale_who_t   *who;
    ngx_scale_flow_t  *inner;

    inner = f->inner;

    switch (inner->problem.cause) {

    case NGX_SCALE_CAUSE_NONE:
        break;

    case NGX_SCALE_CAUSE_NOT_FOUND:
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_IDENTITY);

    case NGX_SCALE_CAUSE_TIMEOUT:
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);

    default:
        f->problem = inner->problem;
        return ngx_scale_flow_refuse(f, inner->problem.cause);
    }

    who = &f->who[NGX_SCALE_AUTH_KEY];

    who->members = inner->answer.body;
    who->user = inner->values->text;
    who->found = 1;

    return NGX_OK;
}


/* the inner flow's time ends with this one's, and it says so itself */

ngx_int_t
ngx_scale_apikey_expire(ngx_scale_flow_t *f)
{
    return NGX_AGAIN;
}


void
ngx_scale_apikey_release(ngx_scale_flow_t *f)
{
    if (f->inner) {
        ngx_scale_flow_end_within(f->inner);
    }
}
