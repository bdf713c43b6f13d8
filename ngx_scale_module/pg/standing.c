
/*
 * What a server is, asked of itself once a second on its control connection:
 * in recovery or not, read-only or not, which cluster and timeline, how far.
 * A role is believed no longer than that, however healthy the server looks.
 */

#include "pg/pg_int.h"


static void ngx_scale_pg_standing_timer(ngx_event_t *ev);
static ngx_msec_t ngx_scale_pg_standing_ask(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_standing_done(ngx_scale_pg_op_t *op);
static void ngx_scale_pg_standing_read(ngx_scale_pg_server_t *server,
    ngx_scale_rows_t *rows);
static ngx_scale_pg_role_e ngx_scale_pg_standing_role(
    ngx_scale_pg_server_t *server, ngx_scale_rows_t *rows);
static void ngx_scale_pg_standing_foreign(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_standing_simpler(ngx_scale_pg_server_t *server);
static ngx_uint_t ngx_scale_pg_standing_true(ngx_scale_rows_t *rows,
    ngx_uint_t column);


#define NGX_SCALE_PG_SAMPLE         1000   /* ms between samples */
#define NGX_SCALE_PG_SAMPLE_URGENT  100    /* while no primary is known */
#define NGX_SCALE_PG_SAMPLE_NOW     1


/*
 * PostgreSQL manual, 9.27 System Administration Functions.  A primary's
 * timeline is in the name of its WAL file; a standby tells its own to
 * scale.timeline() of scale.sql, to others as of its last restartpoint.  The
 * flushed LSN, since the inserted one may never be replayed.
 */

#define NGX_SCALE_PG_STANDING(timeline)                                       \
    "SELECT r, current_setting('default_transaction_read_only') = 'on',"      \
    " c.system_identifier,"                                                   \
    " CASE WHEN r THEN " timeline                                             \
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))"      \
    "::bit(32)::bigint END,"                                                  \
    " CASE WHEN r THEN pg_last_wal_replay_lsn()"                              \
    " ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn,"                   \
    " current_setting('synchronous_standby_names') = ''"                      \
    " FROM pg_is_in_recovery() r, pg_control_system() c"

static const char  *ngx_scale_pg_own_sql[NGX_SCALE_PG_NOWN] = {
    "SELECT pg_cancel_backend($1::int)",
    "SELECT set_config($1, $2, true)",
    "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
    " WHERE current_setting('default_transaction_read_only') = 'off'",
    "SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn",
    NGX_SCALE_PG_STANDING("scale.timeline()"),
    NGX_SCALE_PG_STANDING("(SELECT timeline_id FROM pg_control_checkpoint())"),
    "SELECT pg_is_in_recovery(), false, 0, 0, 0, false"
};


void
ngx_scale_pg_own_init(ngx_scale_pg_t *pg)
{
    ngx_uint_t                 i;
    ngx_scale_pg_statement_t  *own;

    static ngx_uint_t  unknown[2];

    static ngx_uint_t  nparams[NGX_SCALE_PG_NOWN] = { 1, 2 };

    for (i = 0; i < NGX_SCALE_PG_NOWN; i++) {
        own = &pg->own[i];

        own->sql.data = (u_char *) ngx_scale_pg_own_sql[i];
        own->sql.len = ngx_strlen(own->sql.data);
        own->nparams = nparams[i];
        own->oids = unknown;
        own->index = pg->conf->statements->nelts + i;
    }
}


void
ngx_scale_pg_standing_init(ngx_scale_pg_server_t *server)
{
    server->standing = NGX_SCALE_PG_OWN_STANDING;

    server->timer.handler = ngx_scale_pg_standing_timer;
    server->timer.data = server;
    server->timer.log = server->pg->log;
    server->timer.cancelable = 1;

    ngx_add_timer(&server->timer, NGX_SCALE_PG_SAMPLE_NOW);
}


void
ngx_scale_pg_suspect(ngx_scale_pg_t *pg)
{
    ngx_uint_t              i;
    ngx_scale_pg_server_t  *server;

    for (i = 0; i < pg->nservers && !pg->closing; i++) {
        server = &pg->servers[i];

        /* a timer that is set moves by more than its laziness only */

        if (server->timer.timer_set) {
            ngx_del_timer(&server->timer);
        }

        ngx_add_timer(&server->timer, NGX_SCALE_PG_SAMPLE_NOW);
    }
}


static void
ngx_scale_pg_standing_timer(ngx_event_t *ev)
{
    ngx_scale_pg_server_t  *server = ev->data;

    ngx_msec_t  delay;

    delay = ngx_scale_pg_standing_ask(server);

    ngx_scale_pg_reap(server);

    if (!ev->timer_set) {
        ngx_add_timer(ev, delay);
    }
}


/* how long until the next sample, or attempt to connect */

static ngx_msec_t
ngx_scale_pg_standing_ask(ngx_scale_pg_server_t *server)
{
    ngx_msec_int_t        left;
    ngx_scale_pg_conn_t  *conn;

    conn = server->control;
    left = server->backoff ? server->retry_at - ngx_current_msec : 0;

    if (conn->state == NGX_SCALE_PG_CLOSED && left > 0) {
        return left;
    }

    if (conn->state == NGX_SCALE_PG_CLOSED) {
        (void) ngx_scale_pg_connect(conn);

    } else if (server->sample.stage == NGX_SCALE_PG_NOWHERE) {
        ngx_memzero(&server->sample, sizeof(ngx_scale_pg_op_t));

        server->sample_call.statement = &server->pg->own[server->standing];
        server->sample.calls = &server->sample_call;
        server->sample.ncalls = 1;
        server->sample.done = ngx_scale_pg_standing_done;
        server->sample.data = server;

        (void) ngx_scale_pg_control(server, &server->sample);
    }

    return server->pg->primary && server->up ? NGX_SCALE_PG_SAMPLE
                                             : NGX_SCALE_PG_SAMPLE_URGENT;
}


void
ngx_scale_pg_standing_open(ngx_scale_pg_server_t *server)
{
    ngx_scale_pg_standing_ask(server);
}


/*
 * A connection that was lost says nothing about its server: the attempt to
 * open another one does.
 */

void
ngx_scale_pg_standing_lost(ngx_scale_pg_server_t *server, ngx_uint_t failed)
{
    ngx_scale_pg_conn_t  *conn;
    ngx_scale_pg_pool_t  *pool;

    server->asked |= failed;

    if (failed && server->up) {
        server->up = 0;
        server->role = NGX_SCALE_PG_ROLE_UNKNOWN;

        pool = &server->pools[NGX_SCALE_PG_CLASS_READ];

        for (conn = pool->open; conn; conn = conn->next) {
            ngx_scale_pg_break(conn, "the server is down");
        }
    }

    if (server->timer.timer_set) {
        ngx_del_timer(&server->timer);
    }

    ngx_add_timer(&server->timer, NGX_SCALE_PG_SAMPLE_NOW);

    ngx_scale_pg_judge(server->pg);
}


static void
ngx_scale_pg_standing_done(ngx_scale_pg_op_t *op)
{
    ngx_scale_pg_server_t  *server = op->data;

    u_char  *sqlstate;

    sqlstate = op->error.sqlstate;
    server->asked = 1;

    if (op->cause == NGX_SCALE_CAUSE_NONE && op->calls[0].rows.nrows == 1) {
        ngx_scale_pg_standing_read(server, &op->calls[0].rows);
        server->up = 1;

    } else if ((ngx_strncmp(sqlstate, "42", 2) == 0
                || ngx_strncmp(sqlstate, "3F", 2) == 0)
               && server->standing < NGX_SCALE_PG_OWN_STANDING_PROBE)
    {
        ngx_scale_pg_standing_simpler(server);

    } else if (sqlstate[0]
               && server->conf->role != NGX_SCALE_PG_ROLE_UNKNOWN)
    {
        server->role = server->conf->role;
        server->up = 1;
    }

    ngx_scale_pg_release(op);
    ngx_scale_pg_judge(server->pg);
}


/* the function is missing, or foreign servers have no such thing */

static void
ngx_scale_pg_standing_simpler(ngx_scale_pg_server_t *server)
{
    server->standing++;

    if (server->timer.timer_set) {
        ngx_del_timer(&server->timer);
    }

    ngx_add_timer(&server->timer, NGX_SCALE_PG_SAMPLE_NOW);

    if (server->pg->nservers > 1 && ngx_worker == 0) {
        ngx_log_error(NGX_LOG_WARN, server->pg->log, 0,
                      "database \"%V\": server \"%V\" has no "
                      "scale.timeline(), so a failover is noticed late by its "
                      "replicas; apply conf/sql/scale.sql",
                      &server->pg->conf->name, &server->conf->name);
    }
}


static void
ngx_scale_pg_standing_read(ngx_scale_pg_server_t *server,
    ngx_scale_rows_t *rows)
{
    ngx_scale_pg_t  *pg;

    pg = server->pg;

    server->role = ngx_scale_pg_standing_role(server, rows);
    server->position.system = ngx_scale_pg_number(rows, 2);
    server->position.timeline = ngx_scale_pg_number(rows, 3);
    server->position.lsn = ngx_scale_pg_number(rows, 4);
    server->sampled = ngx_current_msec;

    ngx_scale_pg_standing_foreign(server);

    if (server->role == NGX_SCALE_PG_ROLE_PRIMARY && pg->nservers > 1
        && ngx_worker == 0 && !pg->warned
        && ngx_scale_pg_standing_true(rows, 5))
    {
        pg->warned = 1;

        ngx_log_error(NGX_LOG_WARN, pg->log, 0,
                      "database \"%V\": synchronous_standby_names is empty on "
                      "\"%V\": acknowledged writes can be lost at a failover",
                      &pg->conf->name, &server->conf->name);
    }
}


static ngx_scale_pg_role_e
ngx_scale_pg_standing_role(ngx_scale_pg_server_t *server,
    ngx_scale_rows_t *rows)
{
    if (server->conf->role != NGX_SCALE_PG_ROLE_UNKNOWN) {
        return server->conf->role;
    }

    if (ngx_scale_pg_standing_true(rows, 0)) {
        return NGX_SCALE_PG_ROLE_REPLICA;
    }

    return ngx_scale_pg_standing_true(rows, 1) ? NGX_SCALE_PG_ROLE_READ_ONLY
                                               : NGX_SCALE_PG_ROLE_PRIMARY;
}


/* the cluster is the first primary's, as long as this worker lives */

static void
ngx_scale_pg_standing_foreign(ngx_scale_pg_server_t *server)
{
    ngx_uint_t       foreign;
    ngx_scale_pg_t  *pg;

    pg = server->pg;
    foreign = pg->system && server->position.system
              && server->position.system != pg->system;

    if (foreign && !server->foreign) {
        ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                      "database \"%V\": server \"%V\" belongs to another "
                      "cluster and is not used; if the cluster was replaced, "
                      "reload nginx", &pg->conf->name, &server->conf->name);
    }

    server->foreign = foreign;
}


static ngx_uint_t
ngx_scale_pg_standing_true(ngx_scale_rows_t *rows, ngx_uint_t column)
{
    ngx_str_t  cell;

    return rows->get(rows, 0, column, &cell) == NGX_OK && cell.data[0] == 't';
}


uint64_t
ngx_scale_pg_number(ngx_scale_rows_t *rows, ngx_uint_t column)
{
    ngx_str_t  cell;

    if (rows->nrows == 0 || rows->get(rows, 0, column, &cell) != NGX_OK) {
        return 0;
    }

    return strtoull((char *) cell.data, NULL, 10);
}
