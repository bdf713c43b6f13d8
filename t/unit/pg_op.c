/* sources: pg/cancel.c pg/connection.c pg/line.c pg/op.c pg/pipeline.c pg/send.c pg/server.c pg/transaction.c pg/wipe.c */

/*
 * Where an operation is and what its cancel may promise, and the states of
 * a connection: without a server.
 */

#include "pg/conn.h"
#include "pg/line.h"
#include "pg/op.h"
#include "pg/outcome.h"
#include "test.h"


typedef struct {
    const char            *title;
    ngx_scale_pg_kind_e    kind;
    ngx_uint_t             ending;
    ngx_uint_t             rolled_back;
    ngx_uint_t             refused;
    ngx_uint_t             doubtful;
    ngx_int_t              expected;
} lost_t;


static lost_t  lost[] = {

    { "a read that is lost has changed nothing",
      NGX_SCALE_PG_READ, 0, 0, 0, 0, NGX_OK },

    { "nobody knows of a write that is lost",
      NGX_SCALE_PG_WRITE, 0, 0, 0, 0, NGX_BUSY },

    { "a write that was refused before has changed nothing",
      NGX_SCALE_PG_WRITE, 0, 0, 1, 0, NGX_OK },

    { "unless it is the end that was in doubt",
      NGX_SCALE_PG_WRITE, 0, 0, 1, 1, NGX_BUSY },

    { "a transaction before its COMMIT has changed nothing",
      NGX_SCALE_PG_TRANSACTION, 0, 0, 0, 0, NGX_OK },

    { "nobody knows of one after it",
      NGX_SCALE_PG_TRANSACTION, 1, 0, 0, 0, NGX_BUSY },

    { "a ROLLBACK is no COMMIT",
      NGX_SCALE_PG_TRANSACTION, 1, 1, 0, 0, NGX_OK },
};


static ngx_log_t              log;
static ngx_scale_pg_t         pg;
static ngx_scale_pg_server_t  server;
static ngx_scale_pg_conn_t    conns[2];


static void
init(void)
{
    ngx_uint_t  i;

    static ngx_scale_pg_server_conf_t  conf;

    pg.log = &log;
    server.pg = &pg;
    server.conf = &conf;
    server.pools[NGX_SCALE_PG_CLASS_EXCLUSIVE].closed = &conns[0];

    for (i = 0; i < 2; i++) {
        conns[i].pg = &pg;
        conns[i].server = &server;
        conns[i].class = NGX_SCALE_PG_CLASS_EXCLUSIVE;
        conns[i].broken.log = &log;
    }

    conns[0].next = &conns[1];

    for (i = 0; i < NGX_SCALE_PG_NLINES; i++) {
        ngx_queue_init(&pg.lines[i].ops);
    }

    ngx_queue_init(&ngx_posted_events);
}


static void
test_states(void)
{
    ngx_scale_pg_pool_t  *pool;

    pool = &server.pools[NGX_SCALE_PG_CLASS_EXCLUSIVE];

    ngx_scale_pg_become(&conns[1], NGX_SCALE_PG_CONNECTING);
    ngx_scale_pg_become(&conns[0], NGX_SCALE_PG_CONNECTING);

    ok(pool->open == &conns[1] && conns[1].next == &conns[0]
       && conns[0].next == NULL && pool->closed == NULL,
       "what connects is open, the oldest first");
    ok(pool->nopen == 2 && pool->nready == 0, "and not ready");

    ngx_scale_pg_become(&conns[0], NGX_SCALE_PG_READY);
    ok(pool->nopen == 2 && pool->nready == 1, "until it is");

    ngx_scale_pg_become(&conns[0], NGX_SCALE_PG_RETIRING);
    ok(pool->nready == 0 && ngx_scale_pg_is_open(&conns[0]),
       "one that retires takes no more, and is open");

    ngx_scale_pg_break(&conns[1], "one");
    ngx_scale_pg_break(&conns[1], "two");

    ok(conns[1].state == NGX_SCALE_PG_BROKEN && conns[1].broken.posted
       && strcmp(conns[1].reason, "one") == 0,
       "the first reason breaks a connection");
    ok(pool->nopen == 2, "which counts until it is closed");

    ngx_delete_posted_event(&conns[1].broken);
    ngx_scale_pg_become(&conns[1], NGX_SCALE_PG_CLOSED);

    ok(pool->open == &conns[0] && pool->closed == &conns[1]
       && pool->nopen == 1, "and may be opened again");
}


static void
test_lines(void)
{
    ngx_scale_pg_op_t  a, b;

    ngx_memzero(&a, sizeof(a));
    ngx_memzero(&b, sizeof(b));

    a.pg = b.pg = &pg;
    a.kind = b.kind = NGX_SCALE_PG_WRITE;

    ngx_scale_pg_enqueue(&a, NGX_SCALE_PG_LINE_WRITE, 0);
    ngx_scale_pg_enqueue(&b, NGX_SCALE_PG_LINE_WRITE, 1);

    ok(pg.lines[NGX_SCALE_PG_LINE_WRITE].length == 2, "two wait");
    ok(ngx_scale_pg_cancel(&a) == NGX_OK
       && pg.lines[NGX_SCALE_PG_LINE_WRITE].length == 1,
       "one that was not sent has changed nothing, and waits no more");

    ngx_scale_pg_enqueue(&b, NGX_SCALE_PG_LINE_REFUSED, 0);

    ok(pg.lines[NGX_SCALE_PG_LINE_WRITE].length == 0
       && pg.lines[NGX_SCALE_PG_LINE_REFUSED].length == 1,
       "an operation is in one line");
    ok(ngx_scale_pg_dequeue(&pg, NGX_SCALE_PG_LINE_REFUSED) == &b
       && ngx_scale_pg_dequeue(&pg, NGX_SCALE_PG_LINE_REFUSED) == NULL,
       "and leaves it once");
    ok(ngx_scale_pg_cancel(&b) == NGX_OK, "nothing is left to cancel then");
}


static void
test_lost(void)
{
    ngx_uint_t         i;
    ngx_scale_pg_op_t  op;

    for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
        ngx_memzero(&op, sizeof(op));

        op.pg = &pg;
        op.kind = lost[i].kind;
        op.conn = &conns[0];

        ngx_scale_pg_place(&op, NGX_SCALE_PG_SENT);

        op.ending = lost[i].ending;
        op.rolled_back = lost[i].rolled_back;
        op.doubtful = lost[i].doubtful;

        if (lost[i].refused) {
            ngx_scale_pg_fail(&op, PQmakeEmptyPGresult(NULL,
                                                       PGRES_FATAL_ERROR));
        }

        ngx_scale_pg_enqueue(&op, NGX_SCALE_PG_LINE_LOST, 0);

        ok(op.conn == NULL && ngx_scale_pg_cancel(&op) == lost[i].expected
           && pg.lines[NGX_SCALE_PG_LINE_LOST].length == 0, lost[i].title);

        ngx_scale_pg_release(&op);
    }
}


static void
test_looking(void)
{
    ngx_scale_pg_op_t  op;

    ngx_memzero(&op, sizeof(op));

    op.pg = &pg;
    op.kind = NGX_SCALE_PG_TRANSACTION;
    op.conn = &conns[0];

    ngx_scale_pg_place(&op, NGX_SCALE_PG_SENT);
    ngx_scale_pg_place(&op, NGX_SCALE_PG_LOOKING);

    ok(conns[0].looking == &op && !ngx_scale_pg_is_idle(&conns[0]),
       "a transaction that looks keeps its connection");

    ngx_scale_pg_enqueue(&op, NGX_SCALE_PG_LINE_LOST, 0);
    ngx_scale_pg_commit(&op);

    ok(conns[0].looking == NULL && op.stage == NGX_SCALE_PG_WAITING
       && !op.ending, "and commits nothing when that is lost");

    (void) ngx_scale_pg_cancel(&op);
}


int
main(void)
{
    init();

    test_states();
    test_lines();
    test_lost();
    test_looking();

    return done();
}
