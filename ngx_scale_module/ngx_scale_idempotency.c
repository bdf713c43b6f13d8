
#include "ngx_scale_idempotency.h"
#include "ngx_scale_answer.h"
#include "ngx_scale_auth.h"
#include "ngx_scale_batch.h"


struct ngx_scale_keyed_s {
    ngx_scale_pg_call_t          first;
    ngx_scale_pg_call_t          last;
    const char                  *begin[3];
    const char                  *end[2];
    u_char                       key[NGX_SCALE_SIGN_DIGEST + 1];
    u_char                       request[NGX_SCALE_SIGN_DIGEST + 1];
    u_char                       ttl[NGX_TIME_T_LEN + 1];

    void                       (*again)(ngx_scale_flow_t *f);
    ngx_event_t                  timer;
    ngx_msec_t                   pause;      /* before the next attempt */
    unsigned                     unknown:1;  /* how an attempt has ended */
    unsigned                     busy:1;     /* another one is under way */
};


static ngx_int_t ngx_scale_idempotency_field(ngx_scale_flow_t *f,
    ngx_str_t *key);
static ngx_int_t ngx_scale_idempotency_hash_key(ngx_scale_flow_t *f,
    ngx_str_t *key);
static ngx_int_t ngx_scale_idempotency_hash_request(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_idempotency_hash(ngx_pool_t *pool,
    ngx_array_t *parts, u_char *hex);
static ngx_int_t ngx_scale_idempotency_part(ngx_array_t *parts,
    ngx_str_t *text);
static ngx_uint_t ngx_scale_idempotency_is_open(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_idempotency_wait(ngx_scale_flow_t *f);
static void ngx_scale_idempotency_again(ngx_event_t *ev);
static ngx_int_t ngx_scale_idempotency_replay(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_idempotency_read(ngx_scale_answer_t *answer,
    u_char *p, u_char *last);


#define NGX_SCALE_IDEMPOTENCY_MAX_KEY     255

/* bytes of an answer that is kept */
#define NGX_SCALE_IDEMPOTENCY_MAX_ANSWER  1048576

/* ms between two attempts, at first and at most */
#define NGX_SCALE_IDEMPOTENCY_PAUSE       10
#define NGX_SCALE_IDEMPOTENCY_MAX_PAUSE   160


ngx_int_t
ngx_scale_idempotency_step(ngx_scale_flow_t *f)
{
    ngx_int_t   rc;
    ngx_str_t   key;

    if (!f->method->keyed) {
        return NGX_OK;
    }

    rc = ngx_scale_idempotency_field(f, &key);

    if (rc == NGX_DECLINED
        && f->loc->idempotency != NGX_SCALE_REQUIRED)
    {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_KEY);
    }

    f->keyed = ngx_pcalloc(f->r->pool, sizeof(ngx_scale_keyed_t));

    if (f->keyed == NULL
        || ngx_scale_idempotency_hash_key(f, &key) != NGX_OK
        || ngx_scale_idempotency_hash_request(f) != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->keyed->pause = NGX_SCALE_IDEMPOTENCY_PAUSE;
    f->keyed->timer.handler = ngx_scale_idempotency_again;
    f->keyed->timer.data = f;
    f->keyed->timer.log = f->r->connection->log;

    return NGX_OK;
}


/* a string of RFC 8941 without escapes, or what others send: a bare word */

static ngx_int_t
ngx_scale_idempotency_field(ngx_scale_flow_t *f, ngx_str_t *key)
{
    size_t     i;
    ngx_int_t  rc;

    static ngx_str_t  name = ngx_string("idempotency-key");

    rc = ngx_scale_request_header(f->r, &name, key);
    if (rc != NGX_OK) {
        return rc;
    }

    if (key->len > 1 && key->data[0] == '"'
        && key->data[key->len - 1] == '"')
    {
        key->data++;
        key->len -= 2;
    }

    if (key->len == 0 || key->len > NGX_SCALE_IDEMPOTENCY_MAX_KEY) {
        return NGX_ABORT;
    }

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= ' ' || key->data[i] > '~' || key->data[i] == '"'
            || key->data[i] == '\\')
        {
            return NGX_ABORT;
        }
    }

    return NGX_OK;
}


/*
 * Of a route and of who asks: by auth_basic, by scale_auth, by identity, by
 * any secret that is bound.
 */

static ngx_int_t
ngx_scale_idempotency_hash_key(ngx_scale_flow_t *f, ngx_str_t *key)
{
    ngx_int_t              rc;
    ngx_str_t              name;
    ngx_uint_t             i, index;
    ngx_array_t           *parts;
    ngx_scale_declared_t  *declared;

    static ngx_str_t  user = ngx_string("remote_user");

    parts = ngx_array_create(f->r->pool, 4, sizeof(ngx_str_t));

    if (parts == NULL
        || ngx_scale_idempotency_part(parts, &f->loc->http.route) != NGX_OK
        || ngx_scale_idempotency_part(parts, key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    declared = f->loc->params ? f->loc->params->elts : NULL;

    if (ngx_scale_request_variable(f->r, &user, &name) == NGX_OK
        && ngx_scale_idempotency_part(parts, &name) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_scale_auth_identity(f, &name);

    if (rc == NGX_ERROR
        || (rc == NGX_OK && ngx_scale_idempotency_part(parts, &name) != NGX_OK))
    {
        return NGX_ERROR;
    }

    for (i = 0; i < f->method->nparams; i++) {
        index = f->method->params[i];

        if ((declared[index].identity || declared[index].hashed)
            && ngx_scale_idempotency_part(parts, &f->values[index].canon)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_scale_idempotency_hash(f->r->pool, parts, f->keyed->key);
}


static ngx_int_t
ngx_scale_idempotency_hash_request(ngx_scale_flow_t *f)
{
    ngx_str_t     body;
    ngx_array_t  *parts;

    if (ngx_scale_request_body(f->r, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    parts = ngx_array_create(f->r->pool, 3, sizeof(ngx_str_t));

    if (parts == NULL
        || ngx_scale_idempotency_part(parts, &f->r->method_name) != NGX_OK
        || ngx_scale_idempotency_part(parts, &f->r->unparsed_uri) != NGX_OK
        || ngx_scale_idempotency_part(parts, &body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_idempotency_hash(f->r->pool, parts, f->keyed->request);
}


static ngx_int_t
ngx_scale_idempotency_part(ngx_array_t *parts, ngx_str_t *text)
{
    ngx_str_t  *part;

    part = ngx_array_push(parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    *part = *text;

    return NGX_OK;
}


/* of parts with their lengths: no two lists are the same bytes */

static ngx_int_t
ngx_scale_idempotency_hash(ngx_pool_t *pool, ngx_array_t *parts, u_char *hex)
{
    u_char      *p, *data;
    size_t       len;
    ngx_str_t   *part;
    ngx_uint_t   i;

    part = parts->elts;
    len = 0;

    for (i = 0; i < parts->nelts; i++) {
        len += sizeof(size_t) + part[i].len;
    }

    data = ngx_pnalloc(pool, len);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = data;

    for (i = 0; i < parts->nelts; i++) {
        p = ngx_cpymem(p, &part[i].len, sizeof(size_t));
        p = ngx_cpymem(p, part[i].data, part[i].len);
    }

    ngx_scale_sign_digest(data, len, hex);
    hex[NGX_SCALE_SIGN_DIGEST] = '\0';

    return NGX_OK;
}


void
ngx_scale_idempotency_frame(ngx_scale_flow_t *f,
    void (*again)(ngx_scale_flow_t *f))
{
    ngx_scale_keyed_t  *keyed;

    keyed = f->keyed;
    keyed->again = again;

    *ngx_sprintf(keyed->ttl, "%T", f->loc->key_ttl) = '\0';

    keyed->begin[0] = (const char *) keyed->key;
    keyed->begin[1] = (const char *) keyed->request;
    keyed->begin[2] = (const char *) keyed->ttl;

    keyed->first.statement = &f->loc->database->keyed[0];
    keyed->first.values = keyed->begin;

    f->op.first = &keyed->first;
    f->op.last = NULL;
}


/* {length of the meta, 32 bits; of the etag, 32; meta; etag; body} */

ngx_int_t
ngx_scale_idempotency_keep(ngx_scale_flow_t *f)
{
    u_char              *p, *data;
    size_t               len;
    uint32_t             meta_len, etag_len;
    ngx_scale_keyed_t   *keyed;
    ngx_scale_answer_t  *answer;

    keyed = f->keyed;
    answer = &f->answer;

    ngx_memzero(answer, sizeof(ngx_scale_answer_t));

    if (ngx_scale_batch_answer(f) != NGX_OK) {
        return NGX_ERROR;
    }

    meta_len = answer->meta.len;
    etag_len = answer->etag.len;
    len = 2 * sizeof(uint32_t) + meta_len + etag_len + answer->body.len;

    if (len > NGX_SCALE_IDEMPOTENCY_MAX_ANSWER) {
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": the answer of a write with an "
                      "Idempotency-Key has more than %d bytes; return less",
                      &f->loc->http.route, NGX_SCALE_IDEMPOTENCY_MAX_ANSWER);
        return NGX_ERROR;
    }

    data = ngx_pnalloc(f->r->pool, len + 2 + 2 * len + 1);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(data, &meta_len, sizeof(uint32_t));
    p = ngx_cpymem(p, &etag_len, sizeof(uint32_t));
    p = ngx_cpymem(p, answer->meta.data, meta_len);
    p = ngx_cpymem(p, answer->etag.data, etag_len);
    p = ngx_cpymem(p, answer->body.data, answer->body.len);

    keyed->end[0] = (const char *) keyed->key;
    keyed->end[1] = (const char *) p;

    *p++ = '\\';
    *p++ = 'x';
    *ngx_hex_dump(p, data, len) = '\0';

    keyed->last.statement = &f->loc->database->keyed[1];
    keyed->last.values = keyed->end;

    f->op.last = &keyed->last;

    return NGX_OK;
}


ngx_int_t
ngx_scale_idempotency_done(ngx_scale_flow_t *f)
{
    u_char  *sqlstate;

    sqlstate = f->op.error.sqlstate;

    if (ngx_strcmp(sqlstate, "SC001") == 0) {
        return ngx_scale_idempotency_replay(f);
    }

    if (ngx_strcmp(sqlstate, "SC002") == 0) {
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_KEY_REUSED);
    }

    f->keyed->busy = ngx_strcmp(sqlstate, "SC003") == 0;
    f->keyed->unknown |= f->op.cause == NGX_SCALE_CAUSE_OUTCOME_UNKNOWN;

    return f->keyed->busy || ngx_scale_idempotency_is_open(f)
           ? ngx_scale_idempotency_wait(f) : NGX_OK;
}


/*
 * A second attempt meets what the first one has done, if it has; while nobody
 * can be asked, it is still not known.
 */

static ngx_uint_t
ngx_scale_idempotency_is_open(ngx_scale_flow_t *f)
{
    if (!f->keyed->unknown) {
        return 0;
    }

    switch (f->op.cause) {

    case NGX_SCALE_CAUSE_OUTCOME_UNKNOWN:
    case NGX_SCALE_CAUSE_UNAVAILABLE:
    case NGX_SCALE_CAUSE_QUEUE_FULL:
    case NGX_SCALE_CAUSE_RESOURCES:
        return 1;

    default:
        return 0;
    }
}


/* without a connection: those who wait may be many */

static ngx_int_t
ngx_scale_idempotency_wait(ngx_scale_flow_t *f)
{
    ngx_scale_keyed_t  *keyed;

    keyed = f->keyed;

    ngx_scale_pg_release(&f->op);
    ngx_memzero(&f->op, sizeof(ngx_scale_pg_op_t));

    ngx_add_timer(&keyed->timer, keyed->pause);

    keyed->pause = ngx_min(2 * keyed->pause, NGX_SCALE_IDEMPOTENCY_MAX_PAUSE);

    return NGX_AGAIN;
}


static void
ngx_scale_idempotency_again(ngx_event_t *ev)
{
    ngx_scale_flow_t  *f = ev->data;

    f->keyed->again(f);
}


void
ngx_scale_idempotency_release(ngx_scale_flow_t *f)
{
    if (f->keyed && f->keyed->timer.timer_set) {
        ngx_del_timer(&f->keyed->timer);
    }
}


void
ngx_scale_idempotency_expired(ngx_scale_flow_t *f)
{
    ngx_scale_idempotency_release(f);

    if (f->problem.cause != NGX_SCALE_CAUSE_UNAVAILABLE) {
        return;
    }

    if (f->keyed->unknown) {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_OUTCOME_UNKNOWN);

    } else if (f->keyed->busy) {
        (void) ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_KEY_BUSY);
    }
}


static ngx_int_t
ngx_scale_idempotency_replay(ngx_scale_flow_t *f)
{
    u_char     *p, *data;
    size_t      i, len;
    ngx_int_t   byte;

    static ngx_str_t  name = ngx_string("Idempotency-Replayed");
    static ngx_str_t  value = ngx_string("true");

    len = f->op.error.detail.len / 2;

    data = ngx_pnalloc(f->r->pool, len + 1);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = f->op.error.detail.data;

    for (i = 0; i < len; i++) {
        byte = ngx_hextoi(p + 2 * i, 2);
        if (byte == NGX_ERROR) {
            return NGX_ERROR;
        }

        data[i] = (u_char) byte;
    }

    ngx_memzero(&f->answer, sizeof(ngx_scale_answer_t));

    if (ngx_scale_idempotency_read(&f->answer, data, data + len) != NGX_OK
        || ngx_scale_answer_apply(f) != NGX_OK
        || ngx_scale_answer_field(f, &name, &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_pg_release(&f->op);

    return NGX_DONE;
}


static ngx_int_t
ngx_scale_idempotency_read(ngx_scale_answer_t *answer, u_char *p, u_char *last)
{
    uint32_t  meta_len, etag_len;

    if ((size_t) (last - p) < 2 * sizeof(uint32_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&meta_len, p, sizeof(uint32_t));
    p += sizeof(uint32_t);
    ngx_memcpy(&etag_len, p, sizeof(uint32_t));
    p += sizeof(uint32_t);

    if ((uint64_t) (last - p) < (uint64_t) meta_len + etag_len) {
        return NGX_ERROR;
    }

    answer->meta.data = p;
    answer->meta.len = meta_len;
    p += meta_len;

    answer->etag.data = p;
    answer->etag.len = etag_len;
    p += etag_len;

    answer->body.data = p;
    answer->body.len = last - p;

    return NGX_OK;
}
