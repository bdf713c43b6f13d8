
#include "ngx_scale_admit.h"


/* of a request and a line that limits it */

typedef struct {
    ngx_scale_limit_t         *limit;
    uint64_t                   hash;
    u_char                     digest[NGX_SCALE_SIGN_DIGEST];
    ngx_scale_limit_window_t   window;
    ngx_scale_count_t          count;
    unsigned                   keyed:1;      /* it has a key */
    unsigned                   charged:1;
    unsigned                   asked:1;      /* the other nodes */
} ngx_scale_charge_t;

struct ngx_scale_charges_s {
    ngx_scale_flow_t          *flow;
    ngx_scale_charge_t        *charge;
    ngx_uint_t                 n;
    ngx_uint_t                 pending;
    ngx_event_t                patience;
    unsigned                   told:1;
};


static ngx_scale_charges_t *ngx_scale_admit_create(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_admit_key(ngx_scale_flow_t *f,
    ngx_scale_charge_t *charge);
static ngx_int_t ngx_scale_admit_charge(ngx_scale_flow_t *f, ngx_uint_t miss);
static ngx_uint_t ngx_scale_admit_concerns(ngx_scale_charge_t *charge,
    ngx_uint_t miss);
static ngx_int_t ngx_scale_admit_ask(ngx_scale_flow_t *f, ngx_uint_t miss);
static void ngx_scale_admit_counted(ngx_scale_count_t *count);
static void ngx_scale_admit_impatient(ngx_event_t *ev);
static ngx_int_t ngx_scale_admit_judge(ngx_scale_charges_t *charges);
static ngx_int_t ngx_scale_admit_judge_one(ngx_scale_flow_t *f,
    ngx_scale_charge_t *charge);
static ngx_int_t ngx_scale_admit_refuse(ngx_scale_flow_t *f,
    ngx_scale_charge_t *charge);
static void ngx_scale_admit_undo(ngx_scale_flow_t *f,
    ngx_scale_charge_t *charge);
static ngx_int_t ngx_scale_admit_policies(ngx_scale_flow_t *f,
    ngx_str_t *value);
static ngx_int_t ngx_scale_admit_states(ngx_scale_flow_t *f, ngx_str_t *value);


/* ms that memcached has */
#define NGX_SCALE_ADMIT_PATIENCE  20

#define ngx_scale_admit_seconds(ns)                                           \
    (((ns) + 999999999) / 1000000000)

#define ngx_scale_admit_table(f)  ((f)->main->limit_table)


ngx_int_t
ngx_scale_admit_request(ngx_scale_flow_t *f)
{
    if (f->loc->limits == NULL) {
        return NGX_OK;
    }

    f->charges = ngx_scale_admit_create(f);

    return f->charges ? ngx_scale_admit_charge(f, 0) : NGX_ERROR;
}


ngx_int_t
ngx_scale_admit_miss(ngx_scale_flow_t *f)
{
    return f->charges ? ngx_scale_admit_charge(f, 1) : NGX_OK;
}


static ngx_scale_charges_t *
ngx_scale_admit_create(ngx_scale_flow_t *f)
{
    ngx_uint_t             i;
    ngx_scale_limit_t    **limit;
    ngx_scale_charges_t   *charges;

    charges = ngx_pcalloc(f->r->pool, sizeof(ngx_scale_charges_t));
    if (charges == NULL) {
        return NULL;
    }

    charges->flow = f;
    charges->n = f->loc->limits->nelts;
    charges->charge = ngx_pcalloc(f->r->pool,
                                  charges->n * sizeof(ngx_scale_charge_t));
    if (charges->charge == NULL) {
        return NULL;
    }

    charges->patience.handler = ngx_scale_admit_impatient;
    charges->patience.data = charges;
    charges->patience.log = f->r->connection->log;

    limit = f->loc->limits->elts;

    for (i = 0; i < charges->n; i++) {
        charges->charge[i].limit = limit[i];

        if (ngx_scale_admit_key(f, &charges->charge[i]) != NGX_OK) {
            return NULL;
        }
    }

    return charges;
}


/* a key may be its client's secret: nobody keeps more than its hash */

static ngx_int_t
ngx_scale_admit_key(ngx_scale_flow_t *f, ngx_scale_charge_t *charge)
{
    u_char     *p;
    ngx_int_t   i;
    ngx_str_t   value, text, *owner;

    if (ngx_http_complex_value(f->r, &charge->limit->key, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        return NGX_OK;
    }

    owner = &charge->limit->owner;

    text.len = owner->len + value.len;
    text.data = ngx_pnalloc(f->r->pool, text.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text.data, owner->data, owner->len);
    ngx_memcpy(p, value.data, value.len);

    ngx_scale_sign_digest(text.data, text.len, charge->digest);

    for (i = 0; i < 16; i += 4) {
        charge->hash = charge->hash << 16
                       | ngx_hextoi(&charge->digest[i], 4);
    }

    charge->keyed = 1;

    return NGX_OK;
}


/* nobody else is asked what this node knows to be too much */

static ngx_int_t
ngx_scale_admit_charge(ngx_scale_flow_t *f, ngx_uint_t miss)
{
    uint64_t             now;
    ngx_uint_t           i;
    ngx_scale_charge_t  *charge;

    now = ngx_scale_pg_now();
    charge = f->charges->charge;

    for (i = 0; i < f->charges->n; i++) {

        if (!ngx_scale_admit_concerns(&charge[i], miss)) {
            continue;
        }

        if (ngx_scale_limit_take(ngx_scale_admit_table(f), charge[i].hash,
                                 &charge[i].limit->rate, now)
            != NGX_OK)
        {
            return ngx_scale_admit_refuse(f, &charge[i]);
        }

        charge[i].charged = 1;
    }

    return ngx_scale_admit_ask(f, miss);
}


static ngx_uint_t
ngx_scale_admit_concerns(ngx_scale_charge_t *charge, ngx_uint_t miss)
{
    return charge->keyed && charge->limit->miss == miss;
}


static ngx_int_t
ngx_scale_admit_ask(ngx_scale_flow_t *f, ngx_uint_t miss)
{
    ngx_time_t           *tp;
    ngx_uint_t            i;
    ngx_scale_charge_t   *charge;
    ngx_scale_charges_t  *charges;

    tp = ngx_timeofday();
    charges = f->charges;

    for (i = 0; i < charges->n; i++) {
        charge = &charges->charge[i];

        if (!charge->limit->cluster
            || !ngx_scale_admit_concerns(charge, miss))
        {
            continue;
        }

        ngx_scale_limit_window(&charge->limit->rate,
                               (uint64_t) tp->sec * 1000 + tp->msec,
                               &charge->window);

        charge->count.pool = f->r->pool;
        charge->count.key.data = charge->digest;
        charge->count.key.len = NGX_SCALE_SIGN_DIGEST;
        charge->count.number = charge->window.number;
        charge->count.ttl = 2 * charge->window.length / 1000 + 2;
        charge->count.handler = ngx_scale_admit_counted;
        charge->count.data = charges;

        if (ngx_scale_cache_count(f->loc->store->cache, &charge->count)
            == NGX_OK)
        {
            charge->asked = 1;
            charges->pending++;
        }
    }

    if (charges->pending == 0) {
        return NGX_OK;
    }

    ngx_add_timer(&charges->patience, NGX_SCALE_ADMIT_PATIENCE);

    return NGX_AGAIN;
}


static void
ngx_scale_admit_counted(ngx_scale_count_t *count)
{
    ngx_scale_charges_t  *charges = count->data;

    if (--charges->pending == 0) {
        ngx_del_timer(&charges->patience);
        ngx_scale_flow_resume(charges->flow, ngx_scale_admit_judge(charges));
    }
}


static void
ngx_scale_admit_impatient(ngx_event_t *ev)
{
    ngx_scale_charges_t  *charges = ev->data;

    ngx_scale_admit_release(charges->flow);
    ngx_scale_flow_resume(charges->flow, ngx_scale_admit_judge(charges));
}


ngx_int_t
ngx_scale_admit_expire(ngx_scale_flow_t *f)
{
    ngx_scale_admit_release(f);

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
}


void
ngx_scale_admit_release(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    if (f->charges == NULL || f->charges->pending == 0) {
        return;
    }

    f->charges->pending = 0;

    if (f->charges->patience.timer_set) {
        ngx_del_timer(&f->charges->patience);
    }

    for (i = 0; i < f->charges->n; i++) {
        if (f->charges->charge[i].asked) {
            ngx_scale_cache_count_cancel(&f->charges->charge[i].count);
        }
    }
}


/* of those who were not answered the node's own verdict stands */

static ngx_int_t
ngx_scale_admit_judge(ngx_scale_charges_t *charges)
{
    ngx_uint_t           i;
    ngx_scale_flow_t    *f;
    ngx_scale_charge_t  *charge, *refused;

    f = charges->flow;
    charge = charges->charge;
    refused = NULL;

    for (i = 0; i < charges->n; i++) {

        if (!charge[i].asked) {
            continue;
        }

        charge[i].asked = 0;

        if (charge[i].count.known
            && ngx_scale_admit_judge_one(f, &charge[i]) != NGX_OK
            && refused == NULL)
        {
            refused = &charge[i];
        }
    }

    return refused ? ngx_scale_admit_refuse(f, refused) : NGX_OK;
}


/* what all nodes have taken is what this one knows from now on */

static ngx_int_t
ngx_scale_admit_judge_one(ngx_scale_flow_t *f, ngx_scale_charge_t *charge)
{
    uint64_t                 now, wait;
    ngx_int_t                rc;
    ngx_uint_t               remaining;
    ngx_scale_limit_rate_t  *rate;

    rate = &charge->limit->rate;
    now = ngx_scale_pg_now();

    rc = ngx_scale_limit_window_judge(&charge->window, charge->count.before,
                                      charge->count.counted, &remaining,
                                      &wait);

    if (rc != NGX_OK) {
        ngx_scale_admit_undo(f, charge);
        remaining = 1;
    }

    ngx_scale_limit_raise(ngx_scale_admit_table(f), charge->hash,
                          ngx_scale_limit_gcra_time(rate, now, wait * 1000000,
                                                    remaining),
                          now);
    return rc;
}


static ngx_int_t
ngx_scale_admit_refuse(ngx_scale_flow_t *f, ngx_scale_charge_t *charge)
{
    ngx_uint_t                i;
    ngx_scale_limit_state_t   state;

    for (i = 0; i < f->charges->n; i++) {
        if (f->charges->charge[i].limit->miss == charge->limit->miss) {
            ngx_scale_admit_undo(f, &f->charges->charge[i]);
        }
    }

    ngx_scale_limit_state(ngx_scale_admit_table(f), charge->hash,
                          &charge->limit->rate, ngx_scale_pg_now(), &state);

    f->problem.retry_after = ngx_scale_admit_seconds(state.wait);
    f->problem.members = charge->limit->violated;

    ngx_log_error(NGX_LOG_INFO, f->r->connection->log, 0,
                  "route \"%V\": refused by scale_limit \"%V\"",
                  &f->loc->http.route, &charge->limit->name);

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_LIMITED);
}


static void
ngx_scale_admit_undo(ngx_scale_flow_t *f, ngx_scale_charge_t *charge)
{
    if (!charge->charged) {
        return;
    }

    charge->charged = 0;

    ngx_scale_limit_return(ngx_scale_admit_table(f), charge->hash,
                           &charge->limit->rate);

    if (charge->count.known) {
        ngx_scale_cache_uncount(&charge->count);
    }
}


/* draft-ietf-httpapi-ratelimit-headers-10, 3 and 4 */

ngx_int_t
ngx_scale_admit_tell(ngx_scale_flow_t *f)
{
    ngx_str_t  value;

    static ngx_str_t  policy = ngx_string("RateLimit-Policy");
    static ngx_str_t  limit = ngx_string("RateLimit");

    if (f->charges == NULL || f->charges->told) {
        return NGX_OK;
    }

    f->charges->told = 1;

    if (ngx_scale_admit_policies(f, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        return NGX_OK;
    }

    if (ngx_scale_response_add(f->r, &policy, &value) != NGX_OK
        || ngx_scale_admit_states(f, &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_response_add(f->r, &limit, &value);
}


static ngx_int_t
ngx_scale_admit_policies(ngx_scale_flow_t *f, ngx_str_t *value)
{
    u_char              *p;
    ngx_uint_t           i;
    ngx_scale_charge_t  *charge;

    charge = f->charges->charge;
    value->len = 0;

    for (i = 0; i < f->charges->n; i++) {
        value->len += charge[i].limit->policy.len + sizeof(", ") - 1;
    }

    p = ngx_pnalloc(f->r->pool, value->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    for (i = 0; i < f->charges->n; i++) {

        if (!charge[i].keyed) {
            continue;
        }

        if (p > value->data) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, charge[i].limit->policy.data,
                       charge[i].limit->policy.len);
    }

    value->len = p - value->data;

    return NGX_OK;
}


/* what was not charged is looked at */

static ngx_int_t
ngx_scale_admit_states(ngx_scale_flow_t *f, ngx_str_t *value)
{
    size_t                    len;
    u_char                   *p, *last;
    uint64_t                  now;
    ngx_uint_t                i;
    ngx_scale_charge_t       *charge;
    ngx_scale_limit_state_t   state;

    now = ngx_scale_pg_now();
    charge = f->charges->charge;
    len = 0;

    for (i = 0; i < f->charges->n; i++) {
        len += charge[i].limit->name.len
               + sizeof(", \"\";r=;t=") - 1 + 2 * NGX_INT64_LEN;
    }

    p = ngx_pnalloc(f->r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    last = p + len;

    for (i = 0; i < f->charges->n; i++) {

        if (!charge[i].keyed) {
            continue;
        }

        ngx_scale_limit_state(ngx_scale_admit_table(f), charge[i].hash,
                              &charge[i].limit->rate, now, &state);

        p = ngx_slprintf(p, last, "%s\"%V\";r=%ui",
                         p > value->data ? ", " : "",
                         &charge[i].limit->name, state.remaining);

        if (state.wait) {
            p = ngx_slprintf(p, last, ";t=%uL",
                             ngx_scale_admit_seconds(state.wait));
        }
    }

    value->len = p - value->data;

    return NGX_OK;
}
