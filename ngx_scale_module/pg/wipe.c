
/*
 * What libpq keeps of secrets, for which it has no interface: the password,
 * and what was bound until something else is sent.
 */

#include "pg/conn.h"
#include "pg/pipeline.h"
#include "pg/session.h"
#include <malloc.h>


static void ngx_scale_pg_scrub(size_t size);
static void ngx_scale_pg_perturb(ngx_uint_t on);
static void ngx_scale_pg_cover_session(ngx_scale_pg_conn_t *conn);


/* copies that may have been freed one after another */
#define NGX_SCALE_PG_COPIES     32

/* libpq sends when it has so much (fe-misc.c), and has room for two of it */
#define NGX_SCALE_PG_BUFFER     8192

/* what is worth a statement; beyond it a new connection is cheaper */
#define NGX_SCALE_PG_COVER_MAX  65536


/* PQpass() is libpq's own copy, which only PQreset() would need again */

void
ngx_scale_pg_forget_password(ngx_scale_pg_conn_t *conn)
{
    char    *password;
    size_t   len;

    password = PQpass(conn->pgconn);
    len = password ? ngx_strlen(password) : 0;

    if (len) {
        ngx_explicit_memzero(password, len);
        ngx_scale_pg_scrub(len + 1);
    }
}


/* malloc() returns first what was freed last of the same size */

static void
ngx_scale_pg_scrub(size_t size)
{
    void        *copies[NGX_SCALE_PG_COPIES];
    ngx_uint_t   i;

    for (i = 0; i < NGX_SCALE_PG_COPIES; i++) {
        copies[i] = ngx_alloc(size, ngx_cycle->log);

        if (copies[i]) {
            ngx_explicit_memzero(copies[i], size);
        }
    }

    while (i--) {
        ngx_free(copies[i]);
    }
}


void
ngx_scale_pg_finish_session(ngx_scale_pg_conn_t *conn)
{
    if (conn->pgconn) {
        ngx_scale_pg_forget_password(conn);
    }

    ngx_scale_pg_perturb(1);

    PQfinish(conn->pgconn);

    ngx_scale_pg_perturb(0);
}


/*
 * What is freed is overwritten (mallopt(3)), if it is more than a kilobyte:
 * libpq's buffers, when they are closed, or grow and move.
 */

static void
ngx_scale_pg_perturb(ngx_uint_t on)
{
    (void) mallopt(M_PERTURB, on);
}


void
ngx_scale_pg_execute_secret(ngx_scale_pg_conn_t *conn, ngx_scale_pg_op_t *op,
    ngx_uint_t call)
{
    size_t                     size;
    ngx_uint_t                 i, grows;
    const char               **values;
    ngx_scale_pg_statement_t  *statement;

    size = NGX_SCALE_PG_BUFFER;
    values = op->calls[call].values;
    statement = op->calls[call].statement;

    for (i = 0; i < statement->nparams; i++) {
        size += values[i] ? ngx_strlen(values[i]) : 0;
    }

    conn->stain = ngx_max(conn->stain, size);

    grows = size > 2 * NGX_SCALE_PG_BUFFER;

    if (grows) {
        ngx_scale_pg_perturb(1);
    }

    ngx_scale_pg_execute(conn, NGX_SCALE_PG_SLOT_CALL, op, call, statement,
                         values);

    if (grows) {
        ngx_scale_pg_perturb(0);
    }
}


void
ngx_scale_pg_cover(ngx_scale_pg_server_t *server)
{
    ngx_uint_t            i;
    ngx_scale_pg_conn_t  *conn;

    for (i = 0; i < NGX_SCALE_PG_CLASS_CONTROL; i++) {
        for (conn = server->pools[i].open; conn; conn = conn->next) {

            if (conn->stain && conn->state == NGX_SCALE_PG_READY
                && ngx_scale_pg_is_idle(conn))
            {
                ngx_scale_pg_cover_session(conn);
            }
        }
    }
}


static void
ngx_scale_pg_cover_session(ngx_scale_pg_conn_t *conn)
{
    char        *text;
    const char  *values[1];

    if (conn->stain > NGX_SCALE_PG_COVER_MAX) {
        ngx_scale_pg_break(conn, NULL);
        return;
    }

    text = ngx_alloc(conn->stain + 1, conn->pg->log);
    if (text == NULL) {
        return;
    }

    ngx_memset(text, '-', conn->stain);
    text[conn->stain] = '\0';

    values[0] = text;
    conn->stain = 0;

    ngx_scale_pg_perturb(1);

    ngx_scale_pg_send_own(conn, NGX_SCALE_PG_SLOT_COVER, NULL,
                          NGX_SCALE_PG_OWN_COVER, values);
    ngx_scale_pg_sync(conn, NULL, 0);
    ngx_scale_pg_progress(conn);
    ngx_scale_pg_flush(conn);

    ngx_scale_pg_perturb(0);

    ngx_free(text);
}
