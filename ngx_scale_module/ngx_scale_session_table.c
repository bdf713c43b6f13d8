
/* the sessions of "store database=": a table, see scale.session in scale.sql */

#include "ngx_scale_session_table.h"


typedef struct {
    ngx_scale_pg_op_t            op;
    ngx_scale_pg_call_t          call;
    const char                  *args[2];
    ngx_queue_t                  queue;
    ngx_pool_t                  *pool;
    ngx_scale_session_conf_t    *conf;
} ngx_scale_session_seen_t;


static void ngx_scale_session_table_done(ngx_scale_pg_op_t *op);
static ngx_int_t ngx_scale_session_table_judge(ngx_scale_session_t *s);
static void ngx_scale_session_table_saw(ngx_scale_pg_op_t *op);
static void ngx_scale_session_table_forget(ngx_scale_session_seen_t *seen);


/* writes of a worker that nobody waits for */
#define NGX_SCALE_SESSION_MAX_SEEN  64


void
ngx_scale_session_table_bind(ngx_scale_session_t *s,
    ngx_scale_pg_call_t *call, ngx_scale_session_call_e number)
{
    call->statement = &s->conf->calls[number];
    call->values = s->args;
}


/* reads are of what was committed before, on whichever server they run */

void
ngx_scale_session_table_ask(ngx_scale_session_t *s,
    ngx_scale_session_call_e number,
    void (*done)(ngx_scale_session_t *s, ngx_int_t rc))
{
    ngx_scale_cluster_t  *cluster;

    ngx_memzero(&s->op, sizeof(ngx_scale_pg_op_t));
    ngx_memzero(&s->call, sizeof(ngx_scale_pg_call_t));

    ngx_scale_session_table_bind(s, &s->call, number);

    s->op.kind = number == NGX_SCALE_SESSION_READ ? NGX_SCALE_PG_READ
                                                  : NGX_SCALE_PG_WRITE;
    s->op.read_only = number == NGX_SCALE_SESSION_READ;
    s->op.freshness = NGX_SCALE_PG_CURRENT;
    s->op.pool = s->flow->r->pool;
    s->op.calls = &s->call;
    s->op.ncalls = 1;
    s->op.done = ngx_scale_session_table_done;
    s->op.data = s;
    s->done = done;

    s->querying = 1;
    cluster = s->conf->database->clusters.elts;
    ngx_scale_pg_submit(cluster->pg, &s->op);
}


static void
ngx_scale_session_table_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_session_t  *s = op->data;

    s->querying = 0;
    s->done(s, ngx_scale_session_table_judge(s));
}


static ngx_int_t
ngx_scale_session_table_judge(ngx_scale_session_t *s)
{
    switch (s->op.cause) {

    case NGX_SCALE_CAUSE_NONE:
        return NGX_OK;

    case NGX_SCALE_CAUSE_OUTCOME_UNKNOWN:
    case NGX_SCALE_CAUSE_QUEUE_FULL:
    case NGX_SCALE_CAUSE_RESOURCES:
    case NGX_SCALE_CAUSE_SERIALIZATION:
        return ngx_scale_flow_refuse(s->flow, s->op.cause);

    case NGX_SCALE_CAUSE_UNAVAILABLE:
    case NGX_SCALE_CAUSE_TIMEOUT:
        return ngx_scale_flow_refuse(s->flow, NGX_SCALE_CAUSE_UNAVAILABLE);

    default:
        ngx_log_error(NGX_LOG_ERR, s->flow->r->connection->log, 0,
                      "session \"%V\": database \"%V\" refused its statement, "
                      "SQLSTATE %s: \"%V\"; apply conf/sql/scale.sql there",
                      &s->conf->block.name, &s->conf->table,
                      s->op.error.sqlstate, &s->op.error.message);

        return ngx_scale_flow_refuse(s->flow, NGX_SCALE_CAUSE_DATABASE);
    }
}


ngx_int_t
ngx_scale_session_table_expire(ngx_scale_session_t *s)
{
    s->querying = 0;

    return ngx_scale_flow_refuse(s->flow,
                                 ngx_scale_pg_cancel(&s->op) == NGX_BUSY
                                 ? NGX_SCALE_CAUSE_OUTCOME_UNKNOWN
                                 : NGX_SCALE_CAUSE_UNAVAILABLE);
}


void
ngx_scale_session_table_release(ngx_scale_session_t *s)
{
    if (s->querying) {
        s->querying = 0;
        (void) ngx_scale_pg_cancel(&s->op);
    }

    if (s->op.ncalls) {
        ngx_scale_pg_release(&s->op);
        s->op.ncalls = 0;
    }
}


/* that it was used is written while nobody waits, and not if many are */

void
ngx_scale_session_table_see(ngx_scale_session_t *s)
{
    u_char                    *p;
    ngx_pool_t                *pool;
    ngx_scale_cluster_t       *cluster;
    ngx_scale_session_seen_t  *seen;

    if (s->conf->nseen == NGX_SCALE_SESSION_MAX_SEEN) {
        return;
    }

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    seen = ngx_pcalloc(pool, sizeof(ngx_scale_session_seen_t));
    p = ngx_pnalloc(pool, s->came.session.len + 1 + NGX_TIME_T_LEN + 1);

    if (seen == NULL || p == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    seen->pool = pool;
    seen->conf = s->conf;
    seen->args[0] = (const char *) p;
    p = ngx_cpymem(p, s->came.session.data, s->came.session.len + 1);
    seen->args[1] = (const char *) p;
    *ngx_sprintf(p, "%T", s->conf->idle) = '\0';

    seen->call.statement = &s->conf->calls[NGX_SCALE_SESSION_SEEN];
    seen->call.values = seen->args;
    seen->op.kind = NGX_SCALE_PG_WRITE;
    seen->op.pool = pool;
    seen->op.calls = &seen->call;
    seen->op.ncalls = 1;
    seen->op.done = ngx_scale_session_table_saw;
    seen->op.data = seen;

    ngx_queue_insert_tail(&s->conf->seen, &seen->queue);
    s->conf->nseen++;

    cluster = s->conf->database->clusters.elts;
    ngx_scale_pg_submit(cluster->pg, &seen->op);
}


static void
ngx_scale_session_table_saw(ngx_scale_pg_op_t *op)
{
    ngx_scale_session_table_forget(op->data);
}


static void
ngx_scale_session_table_forget(ngx_scale_session_seen_t *seen)
{
    ngx_queue_remove(&seen->queue);
    seen->conf->nseen--;

    ngx_scale_pg_release(&seen->op);
    ngx_destroy_pool(seen->pool);
}


void
ngx_scale_session_table_close(ngx_scale_main_conf_t *main)
{
    ngx_uint_t                  i;
    ngx_queue_t                *q;
    ngx_array_t                *blocks;
    ngx_scale_session_seen_t   *seen;
    ngx_scale_session_conf_t  **session;

    blocks = &main->auth[NGX_SCALE_AUTH_SESSION];
    session = blocks->elts;

    for (i = 0; i < blocks->nelts; i++) {
        while (!ngx_queue_empty(&session[i]->seen)) {
            q = ngx_queue_head(&session[i]->seen);
            seen = ngx_queue_data(q, ngx_scale_session_seen_t, queue);

            (void) ngx_scale_pg_cancel(&seen->op);
            ngx_scale_session_table_forget(seen);
        }
    }
}
