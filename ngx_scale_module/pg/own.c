
/* The statements of the room itself. */

#include "pg/cluster.h"


typedef struct {
    const char     *sql;
    ngx_uint_t      nparams;
} ngx_scale_pg_owned_t;


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


static ngx_scale_pg_owned_t  ngx_scale_pg_owns[NGX_SCALE_PG_NOWN] = {

    [NGX_SCALE_PG_OWN_CANCEL] =
        { "SELECT pg_cancel_backend($1::int)", 1 },

    [NGX_SCALE_PG_OWN_SET] =
        { "SELECT set_config($1, $2, true)", 2 },

    [NGX_SCALE_PG_OWN_FLUSHED] =
        { "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
          " WHERE current_setting('default_transaction_read_only') = 'off'",
          0 },

    [NGX_SCALE_PG_OWN_REPLAYED] =
        { "SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn", 0 },

    /* it comes back: what was received is overwritten, too */

    [NGX_SCALE_PG_OWN_COVER] =
        { "SELECT $1::text", 1 },

    [NGX_SCALE_PG_OWN_STANDING] =
        { NGX_SCALE_PG_STANDING("scale.timeline()"), 0 },

    [NGX_SCALE_PG_OWN_STANDING_PLAIN] =
        { NGX_SCALE_PG_STANDING("(SELECT timeline_id"
                                " FROM pg_control_checkpoint())"), 0 },

    [NGX_SCALE_PG_OWN_STANDING_PROBE] =
        { "SELECT pg_is_in_recovery(), false, 0, 0, 0, false", 0 },
};


void
ngx_scale_pg_own_init(ngx_scale_pg_t *pg)
{
    ngx_uint_t                 i;
    ngx_scale_pg_statement_t  *own;

    static ngx_uint_t  unknown[2];

    for (i = 0; i < NGX_SCALE_PG_NOWN; i++) {
        own = &pg->own[i];

        own->sql.data = (u_char *) ngx_scale_pg_owns[i].sql;
        own->sql.len = ngx_strlen(own->sql.data);
        own->nparams = ngx_scale_pg_owns[i].nparams;
        own->oids = unknown;
        own->index = pg->conf->statements->nelts + i;
    }
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
