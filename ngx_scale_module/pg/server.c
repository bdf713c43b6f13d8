
/* What is asked of a server, and known of it, from many places. */

#include "pg/cluster.h"
#include "pg/roles.h"


#define NGX_SCALE_PG_BACKOFF_MIN  100
#define NGX_SCALE_PG_BACKOFF_MAX  1000

#define NGX_SCALE_PG_SOON         1        /* ms */


ngx_uint_t
ngx_scale_pg_is_standby(ngx_scale_pg_server_t *server)
{
    return server->up && !server->foreign
           && server->role == NGX_SCALE_PG_ROLE_REPLICA;
}


void
ngx_scale_pg_suspect(ngx_scale_pg_t *pg)
{
    ngx_uint_t  i;

    for (i = 0; i < pg->nservers && !pg->closing; i++) {
        ngx_scale_pg_hurry(&pg->servers[i]);
    }
}


/* a timer that is set moves by more than its laziness only */

void
ngx_scale_pg_hurry(ngx_scale_pg_server_t *server)
{
    if (server->timer.timer_set) {
        ngx_del_timer(&server->timer);
    }

    ngx_add_timer(&server->timer, NGX_SCALE_PG_SOON);
}


void
ngx_scale_pg_back_off(ngx_scale_pg_server_t *server)
{
    if (ngx_scale_pg_rest(server)) {
        return;
    }

    server->backoff = ngx_max(NGX_SCALE_PG_BACKOFF_MIN,
                              ngx_min(server->backoff * 2,
                                      NGX_SCALE_PG_BACKOFF_MAX));

    server->retry_at = ngx_current_msec + server->backoff / 2
                       + (ngx_msec_t) ngx_random() % (server->backoff / 2 + 1);
}


ngx_msec_t
ngx_scale_pg_rest(ngx_scale_pg_server_t *server)
{
    ngx_msec_int_t  left;

    left = server->backoff ? server->retry_at - ngx_current_msec : 0;

    return ngx_max(left, 0);
}
