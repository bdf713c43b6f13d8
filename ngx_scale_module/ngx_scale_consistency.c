
/*
 * scale_consistency: who may answer a read, and the token by which a writer's
 * own reads are never older than her writes.
 */

#include "ngx_scale_query.h"
#include "ngx_scale_answer.h"


static ngx_scale_pg_freshness_e ngx_scale_consistency_freshness(
    ngx_scale_flow_t *f);
static void ngx_scale_consistency_token(ngx_scale_flow_t *f,
    ngx_scale_cluster_t *cluster, ngx_scale_pg_op_t *op);
static void ngx_scale_consistency_floor(ngx_scale_flow_t *f,
    ngx_scale_cluster_t *cluster, ngx_scale_pg_op_t *op, ngx_str_t *token);
static u_char *ngx_scale_consistency_name(u_char *p, u_char *last,
    ngx_scale_flow_t *f, ngx_scale_cluster_t *cluster);


#define NGX_SCALE_CONSISTENCY_FIELD   "Scale-Token"
#define NGX_SCALE_CONSISTENCY_COOKIE  "Scale-Token-"     /* of a cluster */
#define NGX_SCALE_CONSISTENCY_NAME    128

/*
 * Seconds beyond max_lag, then every replica that is read has the write: the
 * nodes' clocks may differ by so much
 */
#define NGX_SCALE_CONSISTENCY_SLACK   60


void
ngx_scale_consistency_read(ngx_scale_flow_t *f, ngx_scale_cluster_t *cluster,
    ngx_scale_pg_op_t *op)
{
    op->freshness = ngx_scale_consistency_freshness(f);
    op->wait = f->loc->wait;
    op->stale = f->loc->stale_down;

    if (op->freshness == NGX_SCALE_PG_BOUNDED) {
        ngx_scale_consistency_token(f, cluster, op);
    }
}


ngx_uint_t
ngx_scale_consistency_is_writer(ngx_scale_flow_t *f)
{
    ngx_uint_t            i, n;
    ngx_scale_pg_op_t     op;
    ngx_scale_cluster_t  *cluster;

    if (f->loc->consistency != NGX_SCALE_BOUNDED) {
        return 0;
    }

    cluster = f->cluster;
    n = 1;

    if (cluster == NULL) {             /* a fanout */
        cluster = f->loc->database->clusters.elts;
        n = f->loc->database->clusters.nelts;
    }

    ngx_memzero(&op, sizeof(ngx_scale_pg_op_t));

    for (i = 0; i < n; i++) {
        ngx_scale_consistency_token(f, &cluster[i], &op);
    }

    return op.floor.lsn != 0;
}


/*
 * What is stored must be new: an old value would stay for its whole lifetime.
 * While a write is under way only the primary knows.
 */

static ngx_scale_pg_freshness_e
ngx_scale_consistency_freshness(ngx_scale_flow_t *f)
{
    if (f->loc->consistency == NGX_SCALE_PRIMARY || f->method->primary
        || (f->filling && f->read.pending))
    {
        return NGX_SCALE_PG_PRIMARY;
    }

    if (f->loc->consistency == NGX_SCALE_STRICT
        || (f->filling && !f->read.bypassed))
    {
        return NGX_SCALE_PG_CURRENT;
    }

    return NGX_SCALE_PG_BOUNDED;
}


/*
 * An entry that a tag made old answers those who have not written it.  When a
 * token says nothing more, such an entry is too old for everybody: half of the
 * slack is for the clocks.
 */

time_t
ngx_scale_consistency_lenience(ngx_scale_flow_t *f)
{
    time_t  useful;

    if (f->loc->consistency != NGX_SCALE_BOUNDED || f->read.stale == 0
        || ngx_scale_consistency_is_writer(f))
    {
        return 0;
    }

    useful = f->loc->database->conf.max_lag / 1000
             + NGX_SCALE_CONSISTENCY_SLACK / 2;

    return ngx_min(f->read.stale, useful);
}


/*
 * The field may list tokens of several clusters, the cookie is this one's.
 * An old one says nothing more, a forged one is as good as none.
 */

static void
ngx_scale_consistency_token(ngx_scale_flow_t *f, ngx_scale_cluster_t *cluster,
    ngx_scale_pg_op_t *op)
{
    u_char     *p, *last, name[NGX_SCALE_CONSISTENCY_NAME];
    ngx_str_t   text, cookie;

    static ngx_str_t  field = ngx_string("http_scale_token");

    cookie.data = name;
    cookie.len = ngx_scale_consistency_name(ngx_cpymem(name, "cookie_", 7),
                                            name + sizeof(name), f, cluster)
                 - name;

    if (ngx_scale_request_variable(f->r, &field, &text) != NGX_OK
        && ngx_scale_request_variable(f->r, &cookie, &text) != NGX_OK)
    {
        return;
    }

    p = text.data;
    last = p + text.len;

    while (p < last) {
        text.data = p;

        while (p < last && *p != ',') {
            p++;
        }

        text.len = p++ - text.data;

        while (text.len && *text.data == ' ') {
            text.data++;
            text.len--;
        }

        ngx_scale_consistency_floor(f, cluster, op, &text);
    }
}


/* the cookie's */

static u_char *
ngx_scale_consistency_name(u_char *p, u_char *last, ngx_scale_flow_t *f,
    ngx_scale_cluster_t *cluster)
{
    p = ngx_slprintf(p, last, NGX_SCALE_CONSISTENCY_COOKIE "%V",
                     &f->loc->database->conf.name);

    return cluster->name.len ? ngx_slprintf(p, last, "-%V", &cluster->name)
                             : p;
}


static void
ngx_scale_consistency_floor(ngx_scale_flow_t *f, ngx_scale_cluster_t *cluster,
    ngx_scale_pg_op_t *op, ngx_str_t *token)
{
    time_t               age, useful;
    ngx_scale_written_t  written;

    if (ngx_scale_token_read(f->main->secrets, token, &written) != NGX_OK
        || written.system != ngx_scale_pg_system(cluster->pg))
    {
        return;
    }

    age = ngx_time() - (time_t) written.time;
    useful = f->loc->database->conf.max_lag / 1000
             + NGX_SCALE_CONSISTENCY_SLACK;

    if (age > useful
        || (written.timeline == op->floor.timeline
            ? written.lsn <= op->floor.lsn
            : written.timeline < op->floor.timeline))
    {
        return;
    }

    op->floor.system = written.system;
    op->floor.timeline = written.timeline;
    op->floor.lsn = written.lsn;
}


ngx_int_t
ngx_scale_consistency_written(ngx_scale_flow_t *f)
{
    u_char               *p, *last;
    size_t                len;
    time_t                age;
    ngx_str_t             token, cookie;
    ngx_scale_written_t   written;

    static ngx_str_t  field = ngx_string(NGX_SCALE_CONSISTENCY_FIELD);
    static ngx_str_t  set_cookie = ngx_string("Set-Cookie");
    static u_char     format[] = "=%V; Max-Age=%T; Path=/; HttpOnly; "
                                 "SameSite=Lax%s";

    /* it is written, but nobody could say where */

    if (f->op.position.lsn == 0) {
        return NGX_OK;
    }

    written.system = f->op.position.system;
    written.timeline = f->op.position.timeline;
    written.lsn = f->op.position.lsn;
    written.time = ngx_time();

    len = 2 * NGX_SCALE_TOKEN_LEN + sizeof(format)
          + sizeof(NGX_SCALE_CONSISTENCY_COOKIE "-")
          + f->loc->database->conf.name.len + f->cluster->name.len
          + NGX_TIME_T_LEN + sizeof("; Secure");

    p = ngx_pnalloc(f->r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    token.data = p;
    token.len = NGX_SCALE_TOKEN_LEN;
    ngx_scale_token_write(f->main->secrets, &written, token.data);

    age = f->loc->database->conf.max_lag / 1000 + NGX_SCALE_CONSISTENCY_SLACK;

    cookie.data = p + token.len;
    last = p + len;

    p = ngx_scale_consistency_name(cookie.data, last, f, f->cluster);
    p = ngx_slprintf(p, last, (char *) format, &token, age,
                     ngx_scale_request_is_secure(f->r) ? "; Secure" : "");
    cookie.len = p - cookie.data;

    if (ngx_scale_answer_field(f, &field, &token) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_scale_answer_field(f, &set_cookie, &cookie);
}
