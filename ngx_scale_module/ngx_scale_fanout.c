
/*
 * A statement on every shard at once, and one result of theirs.  Shards that
 * cannot answer fail the request, or under fanout=partial are named in it.
 */

#include "ngx_scale_read.h"
#include "ngx_scale_answer.h"
#include "ngx_scale_query.h"


typedef struct {
    ngx_scale_flow_t         *f;
    ngx_str_t                *name;        /* of the shard */
    ngx_scale_pg_op_t         op;
    ngx_scale_pg_call_t       call;
    unsigned                  pending:1;
    unsigned                  done:1;
    unsigned                  idle:1;      /* at the last look, too */
} ngx_scale_fanout_part_t;

struct ngx_scale_fanout_s {
    ngx_scale_fanout_part_t  *parts;
    ngx_uint_t                n;
    ngx_uint_t                pending;
    ngx_event_t               timer;       /* partial: who cannot begin? */
};


static ngx_int_t ngx_scale_fanout_create(ngx_scale_flow_t *f);
static void ngx_scale_fanout_begin(ngx_scale_flow_t *f,
    ngx_scale_fanout_part_t *part, ngx_scale_cluster_t *cluster);
static void ngx_scale_fanout_look_later(ngx_scale_flow_t *f);
static void ngx_scale_fanout_look(ngx_event_t *ev);
static void ngx_scale_fanout_done(ngx_scale_pg_op_t *op);
static void ngx_scale_fanout_give_up(ngx_scale_fanout_part_t *part);
static void ngx_scale_fanout_stop(ngx_scale_fanout_t *fanout);
static ngx_uint_t ngx_scale_fanout_forgives(ngx_scale_flow_t *f,
    ngx_scale_cause_e cause);
static ngx_int_t ngx_scale_fanout_result(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_fanout_merge(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_fanout_limit(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_fanout_names(ngx_scale_flow_t *f);


/* what says nothing about the statement, only about the shard */

static ngx_scale_cause_e  ngx_scale_fanout_forgivable[] = {
    NGX_SCALE_CAUSE_SERIALIZATION,
    NGX_SCALE_CAUSE_RESOURCES,
    NGX_SCALE_CAUSE_QUEUE_FULL,
    NGX_SCALE_CAUSE_UNAVAILABLE,
    NGX_SCALE_CAUSE_TIMEOUT,
    NGX_SCALE_CAUSE_NONE
};


ngx_int_t
ngx_scale_fanout_query(ngx_scale_flow_t *f)
{
    ngx_uint_t            i;
    ngx_scale_cluster_t  *cluster;

    if (ngx_scale_query_read(f, NULL) != NGX_OK
        || ngx_scale_fanout_create(f) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cluster = f->loc->database->clusters.elts;
    f->querying = 1;

    for (i = 0; i < f->fanout->n; i++) {
        ngx_scale_fanout_begin(f, &f->fanout->parts[i], &cluster[i]);
    }

    if (f->method->answer->partial) {
        ngx_scale_fanout_look_later(f);
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_scale_fanout_create(ngx_scale_flow_t *f)
{
    ngx_scale_fanout_t  *fanout;

    fanout = ngx_pcalloc(f->r->pool, sizeof(ngx_scale_fanout_t));
    if (fanout == NULL) {
        return NGX_ERROR;
    }

    fanout->n = f->loc->database->clusters.nelts;
    fanout->parts = ngx_pcalloc(f->r->pool, fanout->n
                                            * sizeof(ngx_scale_fanout_part_t));
    if (fanout->parts == NULL) {
        return NGX_ERROR;
    }

    fanout->timer.handler = ngx_scale_fanout_look;
    fanout->timer.data = f;
    fanout->timer.log = f->r->connection->log;

    f->fanout = fanout;

    return NGX_OK;
}


static void
ngx_scale_fanout_begin(ngx_scale_flow_t *f, ngx_scale_fanout_part_t *part,
    ngx_scale_cluster_t *cluster)
{
    part->f = f;
    part->name = &cluster->name;
    part->call = f->op.calls[0];
    part->op = f->op;
    part->op.calls = &part->call;
    part->op.done = ngx_scale_fanout_done;
    part->op.data = part;
    part->pending = 1;

    f->fanout->pending++;

    ngx_scale_consistency_read(f, cluster, &part->op);
    ngx_scale_pg_submit(cluster->pg, &part->op);
}


/*
 * A shard without a primary would keep everybody until the deadline: who finds
 * it so twice, half of "queue timeout=" apart, goes on without it.
 */

static void
ngx_scale_fanout_look_later(ngx_scale_flow_t *f)
{
    ngx_add_timer(&f->fanout->timer,
                  f->loc->database->conf.queue_timeout / 2 + 1);
}


static void
ngx_scale_fanout_look(ngx_event_t *ev)
{
    ngx_scale_flow_t  *f = ev->data;

    ngx_uint_t                i;
    ngx_scale_fanout_part_t  *part;

    for (i = 0; i < f->fanout->n; i++) {
        part = &f->fanout->parts[i];

        if (!part->pending) {
            continue;
        }

        if (ngx_scale_pg_is_sent(&part->op)) {
            part->idle = 0;

        } else if (part->idle) {
            ngx_scale_fanout_give_up(part);

        } else {
            part->idle = 1;
        }
    }

    if (f->fanout->pending) {
        ngx_scale_fanout_look_later(f);
        return;
    }

    ngx_scale_flow_resume(f, ngx_scale_fanout_result(f));
}


static void
ngx_scale_fanout_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_fanout_part_t  *part = op->data;

    ngx_scale_flow_t  *f;

    f = part->f;

    part->pending = 0;
    part->done = op->cause == NGX_SCALE_CAUSE_NONE;
    f->fanout->pending--;

    if (f->fanout->pending == 0
        || (!part->done && !ngx_scale_fanout_forgives(f, op->cause)))
    {
        ngx_scale_flow_resume(f, ngx_scale_fanout_result(f));
    }
}


/* some shards' rows may be enough */


ngx_int_t
ngx_scale_fanout_expire(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    for (i = 0; i < f->fanout->n; i++) {
        if (f->fanout->parts[i].pending) {
            ngx_scale_fanout_give_up(&f->fanout->parts[i]);
        }
    }

    return ngx_scale_fanout_result(f);
}


static void
ngx_scale_fanout_give_up(ngx_scale_fanout_part_t *part)
{
    part->op.cause = ngx_scale_pg_is_sent(&part->op)
                     ? NGX_SCALE_CAUSE_TIMEOUT : NGX_SCALE_CAUSE_UNAVAILABLE;

    (void) ngx_scale_pg_cancel(&part->op);

    part->pending = 0;
    part->f->fanout->pending--;
}


void
ngx_scale_fanout_release(ngx_scale_flow_t *f)
{
    ngx_uint_t  i;

    if (f->fanout == NULL) {
        return;
    }

    f->querying = 0;
    ngx_scale_fanout_stop(f->fanout);

    for (i = 0; i < f->fanout->n; i++) {
        ngx_scale_pg_release(&f->fanout->parts[i].op);
    }
}


static void
ngx_scale_fanout_stop(ngx_scale_fanout_t *fanout)
{
    ngx_uint_t  i;

    for (i = 0; i < fanout->n; i++) {
        if (fanout->parts[i].pending) {
            fanout->parts[i].pending = 0;
            (void) ngx_scale_pg_cancel(&fanout->parts[i].op);
        }
    }

    fanout->pending = 0;

    if (fanout->timer.timer_set) {
        ngx_del_timer(&fanout->timer);
    }
}


/* never a refusal by the application, nor an error of the statement */

static ngx_uint_t
ngx_scale_fanout_forgives(ngx_scale_flow_t *f, ngx_scale_cause_e cause)
{
    ngx_scale_cause_e  *c;

    if (!f->method->answer->partial) {
        return 0;
    }

    for (c = ngx_scale_fanout_forgivable; *c; c++) {
        if (*c == cause) {
            return 1;
        }
    }

    return 0;
}


/* the parts' end becomes the end of f->op; what still runs is in vain */

static ngx_int_t
ngx_scale_fanout_result(ngx_scale_flow_t *f)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, done;
    ngx_scale_pg_op_t        *failed;
    ngx_scale_fanout_part_t  *part;

    ngx_scale_fanout_stop(f->fanout);

    f->op.time = -1;
    failed = NULL;
    done = 0;

    for (i = 0; i < f->fanout->n; i++) {
        part = &f->fanout->parts[i];

        f->op.time = ngx_max(f->op.time, part->op.time);

        if (part->done) {
            f->answer.unverified |= part->op.unverified;
            done++;

        } else if (part->op.cause
                   && (failed == NULL
                       || (ngx_scale_fanout_forgives(f, failed->cause)
                           && !ngx_scale_fanout_forgives(f, part->op.cause))))
        {
            failed = &part->op;
        }
    }

    if (failed && ngx_scale_fanout_names(f) != NGX_OK) {
        return NGX_ERROR;
    }

    if (failed && (done == 0 || !ngx_scale_fanout_forgives(f, failed->cause)))
    {
        f->op.cause = failed->cause;
        f->op.error = failed->error;

        return ngx_scale_query_end(f);
    }

    f->answer.partial = failed != NULL;

    rc = ngx_scale_fanout_merge(f);

    return rc == NGX_OK ? ngx_scale_query_end(f) : rc;
}


static ngx_int_t
ngx_scale_fanout_merge(ngx_scale_flow_t *f)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, n;
    const char               *error;
    ngx_scale_rows_t        **rows;
    ngx_scale_pg_call_t      *call;
    ngx_scale_fanout_part_t  *part;

    rows = ngx_palloc(f->r->pool, f->fanout->n * sizeof(ngx_scale_rows_t *));
    if (rows == NULL) {
        return NGX_ERROR;
    }

    call = &f->op.calls[0];
    n = 0;

    for (i = 0; i < f->fanout->n; i++) {
        part = &f->fanout->parts[i];

        if (part->done) {
            rows[n++] = &part->call.rows;
            call->affected += part->call.affected;
        }
    }

    rc = ngx_scale_shard_merge(f->r->pool, rows, n, f->method->answer->sort,
                               ngx_scale_fanout_limit(f), &call->rows, &error);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": %s", &f->loc->http.route, error);
        return NGX_ERROR;
    }

    return rc;
}


static ngx_uint_t
ngx_scale_fanout_limit(ngx_scale_flow_t *f)
{
    ngx_int_t           limit;
    ngx_scale_query_t  *query;
    ngx_scale_value_t  *value;

    query = f->method->answer;

    if (query->limit_name.len == 0) {
        return query->limit;
    }

    value = &f->values[query->limit_arg];
    limit = value->null ? 0 : ngx_atoi(value->canon.data, value->canon.len);

    return limit > 0 ? limit : 0;
}


/* the shards that failed, as JSON: the names need no escapes */

static ngx_int_t
ngx_scale_fanout_names(ngx_scale_flow_t *f)
{
    u_char                   *p;
    size_t                    len;
    ngx_uint_t                i;
    ngx_scale_fanout_part_t  *part;

    part = f->fanout->parts;
    len = sizeof("[]");

    for (i = 0; i < f->fanout->n; i++) {
        len += part[i].name->len + sizeof("\"\",");
    }

    p = ngx_pnalloc(f->r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    f->problem.shards.data = p;

    for (i = 0; i < f->fanout->n; i++) {
        if (part[i].op.cause) {
            *p = p == f->problem.shards.data ? '[' : ',';
            p = ngx_slprintf(p + 1, f->problem.shards.data + len, "\"%V\"",
                             part[i].name);
        }
    }

    *p++ = ']';
    f->problem.shards.len = p - f->problem.shards.data;

    return NGX_OK;
}


ngx_int_t
ngx_scale_fanout_warn(ngx_scale_flow_t *f)
{
    u_char                   *p;
    size_t                    len;
    ngx_str_t                 text;
    ngx_uint_t                i;
    ngx_scale_fanout_part_t  *part;

    static u_char     format[] = "199 - \"shard %V is unavailable\"";
    static ngx_str_t  warning = ngx_string("Warning");
    static ngx_str_t  cache_control = ngx_string("Cache-Control");
    static ngx_str_t  no_store = ngx_string("no-store");

    if (!f->answer.partial) {
        return NGX_OK;
    }

    /* it is not the representation that a validator would name */

    ngx_str_null(&f->answer.etag);

    for (i = 0; i < f->fanout->n; i++) {
        part = &f->fanout->parts[i];

        if (part->op.cause == NGX_SCALE_CAUSE_NONE) {
            continue;
        }

        len = sizeof(format) + part->name->len;

        p = ngx_pnalloc(f->r->pool, len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        text.data = p;
        text.len = ngx_slprintf(p, p + len, (char *) format, part->name) - p;

        if (ngx_scale_answer_share_field(f, &warning, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_scale_answer_share_field(f, &cache_control, &no_store);
}
