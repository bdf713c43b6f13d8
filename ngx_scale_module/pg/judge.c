
/*
 * Who is the primary, and which replicas may be read.  Of two servers that
 * claim to be the primary the one on the higher timeline is: each promotion
 * begins a new one (PostgreSQL manual, 26.3.5 Timelines).  The worker that
 * meets it tells the others before it acknowledges a write: from then on no
 * worker of the node answers by an older one.
 */

#include "pg/cluster.h"
#include "pg/line.h"
#include "pg/pool.h"
#include "pg/roles.h"
#include "pg/shared.h"


static ngx_scale_pg_server_t *ngx_scale_pg_elect(ngx_scale_pg_t *pg);
static ngx_uint_t ngx_scale_pg_is_candidate(ngx_scale_pg_server_t *server);
static void ngx_scale_pg_reign(ngx_scale_pg_t *pg,
    ngx_scale_pg_position_t *position);
static void ngx_scale_pg_tell(ngx_scale_pg_t *pg);
static void ngx_scale_pg_fence(ngx_scale_pg_t *pg);
static void ngx_scale_pg_crown(ngx_scale_pg_t *pg,
    ngx_scale_pg_server_t *primary);


/* the first choice waits for all servers, for so long */
#define NGX_SCALE_PG_FIRST  1000


void
ngx_scale_pg_judge(ngx_scale_pg_t *pg)
{
    ngx_uint_t              i, replicas, changed;
    ngx_scale_pg_server_t  *primary, *server;

    if (pg->judging || pg->closing) {
        return;
    }

    pg->judging = 1;

    primary = ngx_scale_pg_elect(pg);
    changed = primary != pg->primary;

    if (changed) {
        ngx_scale_pg_crown(pg, primary);
    }

    if (primary && primary->position.system) {
        pg->system = primary->position.system;
        ngx_scale_pg_reign(pg, &primary->position);
    }

    ngx_scale_pg_fence(pg);

    if (primary && primary->position.lsn) {
        ngx_scale_pg_mile(pg, &primary->position, primary->sampled);
    }

    replicas = 0;

    for (i = 0; i < pg->nservers; i++) {
        server = &pg->servers[i];
        changed |= ngx_scale_pg_qualify(server);
        replicas += server->qualified;
    }

    pg->replicas = replicas;

    if (changed) {
        ngx_scale_pg_reroute(pg);
    }

    pg->judging = 0;
}


static ngx_scale_pg_server_t *
ngx_scale_pg_elect(ngx_scale_pg_t *pg)
{
    ngx_uint_t              i, asked;
    ngx_scale_pg_server_t  *server, *best;

    best = NULL;
    asked = 0;

    for (i = 0; i < pg->nservers; i++) {
        server = &pg->servers[i];
        asked += server->asked;

        if (!ngx_scale_pg_is_candidate(server)) {
            continue;
        }

        if (best == NULL
            || server->position.timeline > best->position.timeline
            || (server->position.timeline == best->position.timeline
                && server == pg->primary))
        {
            best = server;
        }
    }

    if (asked < pg->nservers && pg->system == 0
        && ngx_current_msec - pg->started < NGX_SCALE_PG_FIRST)
    {
        return NULL;
    }

    return best;
}


static ngx_uint_t
ngx_scale_pg_is_candidate(ngx_scale_pg_server_t *server)
{
    return server->up && !server->foreign
           && server->role == NGX_SCALE_PG_ROLE_PRIMARY
           && !ngx_scale_pg_is_deposed(server->pg, &server->position);
}


uint64_t
ngx_scale_pg_system(ngx_scale_pg_t *pg)
{
    return pg->system;
}


ngx_uint_t
ngx_scale_pg_is_deposed(ngx_scale_pg_t *pg, ngx_scale_pg_position_t *position)
{
    return position->timeline < pg->reign->timeline
           && position->system == pg->reign->system;
}


/*
 * It ends a session, or refuses a write: what it is will be known in a moment.
 * Until then no write is sent to one that has refused, lest all its attempts
 * are spent there.
 */

void
ngx_scale_pg_disown(ngx_scale_pg_server_t *server, ngx_uint_t ended)
{
    if (!ended && server->conf->role == NGX_SCALE_PG_ROLE_UNKNOWN) {
        server->role = NGX_SCALE_PG_ROLE_READ_ONLY;
        ngx_scale_pg_judge(server->pg);
    }

    ngx_scale_pg_suspect(server->pg);
}


void
ngx_scale_pg_on_promotion(ngx_scale_pg_t *pg, void (*promoted)(void *data),
    void *data)
{
    pg->promoted = promoted;
    pg->data = data;
}


/*
 * A name may stand for another server than before, so it is not only a new
 * primary that has a new timeline.  It is told when workers that still follow
 * the old one are not believed any more, and by the next worker, if this one
 * is killed before.
 */

static void
ngx_scale_pg_reign(ngx_scale_pg_t *pg, ngx_scale_pg_position_t *position)
{
    ngx_atomic_uint_t      timeline, told;
    ngx_scale_pg_reign_t  *reign;

    reign = pg->reign;

    if (reign->system != position->system) {
        ngx_scale_pg_tell(pg);
        reign->told = 0;
        reign->timeline = 0;
        reign->system = position->system;
    }

    do {
        timeline = reign->timeline;

    } while (timeline < position->timeline
             && !ngx_atomic_cmp_set(&reign->timeline, timeline,
                                    position->timeline));

    told = reign->told;

    if (told < position->timeline) {
        ngx_scale_pg_tell(pg);
        (void) ngx_atomic_cmp_set(&reign->told, told, position->timeline);
    }
}


static void
ngx_scale_pg_tell(ngx_scale_pg_t *pg)
{
    if (pg->reign->told && pg->promoted) {
        pg->promoted(pg->data);
    }
}


static void
ngx_scale_pg_fence(ngx_scale_pg_t *pg)
{
    ngx_uint_t              i, fenced;
    ngx_scale_pg_server_t  *server;

    for (i = 0; i < pg->nservers; i++) {
        server = &pg->servers[i];
        fenced = server->up && server != pg->primary && !server->foreign
                 && server->role == NGX_SCALE_PG_ROLE_PRIMARY && pg->timeline;

        if (fenced && !server->fenced) {
            ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                          "database \"%V\": \"%V\" (timeline %uD) claims to "
                          "be the primary, which is on timeline %uA; it is "
                          "not used", &pg->conf->name, &server->conf->name,
                          server->position.timeline, pg->reign->timeline);
        }

        server->fenced = fenced;
    }
}


static void
ngx_scale_pg_crown(ngx_scale_pg_t *pg, ngx_scale_pg_server_t *primary)
{
    ngx_scale_pg_server_t  *old;

    old = pg->primary;
    pg->primary = primary;

    if (old) {
        ngx_scale_pg_retire(old, NGX_SCALE_PG_CLASS_WRITE);
        ngx_scale_pg_retire(old, NGX_SCALE_PG_CLASS_EXCLUSIVE);
    }

    if (primary == NULL) {
        ngx_log_error(NGX_LOG_WARN, pg->log, 0,
                      "database \"%V\": \"%V\" is no longer the primary, and "
                      "no other server is", &pg->conf->name,
                      &old->conf->name);
        ngx_scale_pg_suspect(pg);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                  "database \"%V\": \"%V\" is the primary, timeline %uD",
                  &pg->conf->name, &primary->conf->name,
                  primary->position.timeline);

    ngx_scale_pg_grow(pg, NGX_SCALE_PG_LINE_READ);
    ngx_scale_pg_grow(pg, NGX_SCALE_PG_LINE_WRITE);
    ngx_scale_pg_grow(pg, NGX_SCALE_PG_LINE_EXCLUSIVE);
}
