
/*
 * What a server is, asked of itself once a second on its control connection:
 * in recovery or not, read-only or not, which cluster and timeline, how far.
 * A role is believed no longer than that, however healthy the server looks.
 */

#include "pg/cluster.h"
#include "pg/conn.h"
#include "pg/op.h"
#include "pg/pipeline.h"
#include "pg/pool.h"
#include "pg/roles.h"
#include "pg/session.h"


static void ngx_scale_pg_standing_timer(ngx_event_t *ev);
static void ngx_scale_pg_standing_done(ngx_scale_pg_op_t *op);
static void ngx_scale_pg_standing_simpler(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_standing_read(ngx_scale_pg_server_t *server,
    ngx_scale_rows_t *rows);
static void ngx_scale_pg_standing_warn(ngx_scale_pg_server_t *server);
static ngx_scale_pg_role_e ngx_scale_pg_standing_role(
    ngx_scale_pg_server_t *server, ngx_scale_rows_t *rows);
static void ngx_scale_pg_standing_foreign(ngx_scale_pg_server_t *server);
static ngx_uint_t ngx_scale_pg_standing_true(ngx_scale_rows_t *rows,
    ngx_uint_t column);


#define NGX_SCALE_PG_SAMPLE         1000   /* ms between samples */
#define NGX_SCALE_PG_SAMPLE_URGENT  100    /* while no primary is known */


void
ngx_scale_pg_standing_init(ngx_scale_pg_server_t *server)
{
    server->standing = NGX_SCALE_PG_OWN_STANDING;

    server->timer.handler = ngx_scale_pg_standing_timer;
    server->timer.data = server;
    server->timer.log = server->pg->log;
    server->timer.cancelable = 1;

    ngx_scale_pg_hurry(server);
}


static void
ngx_scale_pg_standing_timer(ngx_event_t *ev)
{
    ngx_scale_pg_server_t  *server = ev->data;

    ngx_msec_t  delay;

    delay = ngx_scale_pg_standing_ask(server);

    ngx_scale_pg_reap(server);
    ngx_scale_pg_cover(server);

    if (!ev->timer_set) {
        ngx_add_timer(ev, delay);
    }
}


ngx_msec_t
ngx_scale_pg_standing_ask(ngx_scale_pg_server_t *server)
{
    ngx_msec_t          rest;
    ngx_scale_pg_op_t  *sample;

    rest = ngx_scale_pg_rest(server);
    sample = &server->sample;

    if (server->control->state == NGX_SCALE_PG_CLOSED) {

        if (rest) {
            return rest;
        }

        (void) ngx_scale_pg_connect(server->control);

    } else if (sample->stage == NGX_SCALE_PG_NOWHERE) {
        ngx_memzero(sample, sizeof(ngx_scale_pg_op_t));

        server->sample_call.statement = &server->pg->own[server->standing];
        sample->calls = &server->sample_call;
        sample->ncalls = 1;
        sample->done = ngx_scale_pg_standing_done;
        sample->data = server;

        (void) ngx_scale_pg_control(server, sample);
    }

    return server->pg->primary && server->up ? NGX_SCALE_PG_SAMPLE
                                             : NGX_SCALE_PG_SAMPLE_URGENT;
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

    ngx_scale_pg_hurry(server);

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

    ngx_scale_pg_hurry(server);

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
    server->role = ngx_scale_pg_standing_role(server, rows);
    server->position.system = ngx_scale_pg_number(rows,
                                                NGX_SCALE_PG_STANDING_SYSTEM);
    server->position.timeline = ngx_scale_pg_number(rows,
                                              NGX_SCALE_PG_STANDING_TIMELINE);
    server->position.lsn = ngx_scale_pg_number(rows,
                                               NGX_SCALE_PG_STANDING_LSN);
    server->sampled = ngx_current_msec;

    ngx_scale_pg_standing_foreign(server);

    if (server->role == NGX_SCALE_PG_ROLE_PRIMARY
        && ngx_scale_pg_standing_true(rows, NGX_SCALE_PG_STANDING_LOSES))
    {
        ngx_scale_pg_standing_warn(server);
    }
}


/* once */

static void
ngx_scale_pg_standing_warn(ngx_scale_pg_server_t *server)
{
    ngx_scale_pg_t  *pg;

    pg = server->pg;

    if (pg->warned || pg->nservers == 1 || ngx_worker != 0) {
        return;
    }

    pg->warned = 1;

    ngx_log_error(NGX_LOG_WARN, pg->log, 0,
                  "database \"%V\": synchronous_standby_names is empty on "
                  "\"%V\": acknowledged writes can be lost at a failover",
                  &pg->conf->name, &server->conf->name);
}


static ngx_scale_pg_role_e
ngx_scale_pg_standing_role(ngx_scale_pg_server_t *server,
    ngx_scale_rows_t *rows)
{
    if (server->conf->role != NGX_SCALE_PG_ROLE_UNKNOWN) {
        return server->conf->role;
    }

    if (ngx_scale_pg_standing_true(rows, NGX_SCALE_PG_STANDING_RECOVERY)) {
        return NGX_SCALE_PG_ROLE_REPLICA;
    }

    if (ngx_scale_pg_standing_true(rows, NGX_SCALE_PG_STANDING_READ_ONLY)) {
        return NGX_SCALE_PG_ROLE_READ_ONLY;
    }

    return NGX_SCALE_PG_ROLE_PRIMARY;
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
