
/*
 * Which replicas may be read: those that follow the primary closely enough,
 * and of those that were out the ones that have done so for a while.
 */

#include "pg/cluster.h"
#include "pg/pool.h"
#include "pg/roles.h"


static ngx_uint_t ngx_scale_pg_is_good(ngx_scale_pg_server_t *server);
static ngx_uint_t ngx_scale_pg_replica_falls(ngx_scale_pg_server_t *server);
static ngx_uint_t ngx_scale_pg_replica_rises(ngx_scale_pg_server_t *server);
static ngx_msec_t ngx_scale_pg_lag(ngx_scale_pg_server_t *server);


/* a replica that was out is good for so long before it is read again */
#define NGX_SCALE_PG_BACK   3000

/* the newest sample of the primary is not older, while it answers */
#define NGX_SCALE_PG_FRESH  1500


ngx_uint_t
ngx_scale_pg_qualify(ngx_scale_pg_server_t *server)
{
    server->lag = ngx_scale_pg_lag(server);

    return ngx_scale_pg_is_good(server) ? ngx_scale_pg_replica_rises(server)
                                        : ngx_scale_pg_replica_falls(server);
}


static ngx_uint_t
ngx_scale_pg_is_good(ngx_scale_pg_server_t *server)
{
    ngx_scale_pg_t  *pg;

    pg = server->pg;

    return server->up && !server->foreign
           && server->role == NGX_SCALE_PG_ROLE_REPLICA
           && server->position.system && server->position.system == pg->system
           && server->position.timeline == pg->timeline
           && server->lag <= pg->conf->max_lag;
}


static ngx_uint_t
ngx_scale_pg_replica_falls(ngx_scale_pg_server_t *server)
{
    ngx_scale_pg_t  *pg;

    pg = server->pg;
    server->good = 0;

    if (!server->qualified) {
        return 0;
    }

    server->qualified = 0;
    server->fallen = 1;

    ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                  "database \"%V\": replica \"%V\" gets no reads: %s",
                  &pg->conf->name, &server->conf->name,
                  !server->up ? "it is down"
                  : server->lag > pg->conf->max_lag ? "it lags"
                  : "it does not follow the primary");
    return 1;
}


static ngx_uint_t
ngx_scale_pg_replica_rises(ngx_scale_pg_server_t *server)
{
    ngx_scale_pg_t  *pg;

    pg = server->pg;

    if (!server->good) {
        server->good = 1;
        server->good_since = ngx_current_msec;
    }

    if (server->qualified
        || (server->fallen && ngx_current_msec - server->good_since
                              < NGX_SCALE_PG_BACK))
    {
        return 0;
    }

    server->qualified = 1;
    server->back_since = ngx_current_msec;

    ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                  "database \"%V\": replica \"%V\" is read",
                  &pg->conf->name, &server->conf->name);

    ngx_scale_pg_grow(pg, NGX_SCALE_PG_LINE_REPLICA);

    return 1;
}


/*
 * The age of the newest sample of the primary that the replica has replayed;
 * clocks of other machines do not enter.  While the primary is silent nobody
 * knows better than that.
 */

static ngx_msec_t
ngx_scale_pg_lag(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i;
    ngx_msec_t            age;
    ngx_scale_pg_t       *pg;
    ngx_scale_pg_mile_t  *mile;

    pg = server->pg;

    for (i = 1; i <= ngx_min(pg->nmiles, NGX_SCALE_PG_MILES); i++) {
        mile = &pg->miles[(pg->nmiles - i) % NGX_SCALE_PG_MILES];

        if (mile->lsn > server->position.lsn) {
            continue;
        }

        age = ngx_current_msec - mile->time;

        return i == 1 && age < NGX_SCALE_PG_FRESH ? 0 : age;
    }

    return NGX_MAX_INT32_VALUE;
}


void
ngx_scale_pg_mile(ngx_scale_pg_t *pg, ngx_scale_pg_position_t *position,
    ngx_msec_t time)
{
    ngx_scale_pg_mile_t  *mile;

    if (pg->timeline != position->timeline) {
        pg->timeline = position->timeline;
        pg->nmiles = 0;
    }

    if (pg->nmiles
        && pg->miles[(pg->nmiles - 1) % NGX_SCALE_PG_MILES].time == time)
    {
        return;
    }

    mile = &pg->miles[pg->nmiles++ % NGX_SCALE_PG_MILES];

    mile->lsn = position->lsn;
    mile->time = time;
}
