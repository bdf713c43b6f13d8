
/*
 * What a session is told without asking: NOTIFY, on the control connection of
 * the primary.
 */

#include "pg/conn.h"
#include "pg/pipeline.h"
#include "pg/session.h"


void
ngx_scale_pg_on_notify(ngx_scale_pg_t *pg,
    void (*heard)(void *data, ngx_str_t *payload), void *data)
{
    pg->heard = heard;
    pg->heard_data = data;
}


ngx_int_t
ngx_scale_pg_attend(ngx_scale_pg_t *pg, ngx_scale_pg_op_t *op)
{
    if (pg->primary == NULL) {
        return NGX_DECLINED;
    }

    return ngx_scale_pg_control(pg->primary, op);
}


void
ngx_scale_pg_notified(ngx_scale_pg_conn_t *conn)
{
    PGnotify   *notify;
    ngx_str_t   payload;

    if (conn->pg->heard == NULL) {
        return;
    }

    while ((notify = PQnotifies(conn->pgconn)) != NULL) {
        payload.data = (u_char *) notify->extra;
        payload.len = ngx_strlen(notify->extra);

        conn->pg->heard(conn->pg->heard_data, &payload);

        PQfreemem(notify);
    }
}
