/* sources: cache/memc.c cache/memc_buffer.c cache/memc_close.c cache/memc_command.c cache/memc_connection.c cache/memc_greeting.c cache/memc_pipeline.c cache/memc_tls.c cache/greeting.c cache/reply.c cache/weak.c */

/*
 * A server in the same process, whose every byte the test writes itself.
 */

#include "cache/memc.h"
#include "test.h"
#include "loop.h"


#define TIMEOUT   300       /* ms */
#define PATIENCE  10000     /* where time is not what is tested */
#define LARGE     1000000


static ngx_pool_t        *pool;
static ngx_scale_memc_t  *memc;
static ngx_uint_t         downs;

static char               path[] = "/tmp/cache_memc.XXXXXX";
static ngx_addr_t         addr;
static int                listener = -1;
static int                peer = -1;

static char               got[1024 * 1024];
static size_t             got_len;


static void
on_down(void *data)
{
    downs++;
}


static int
listen_unix(void)
{
    int  s;

    s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    unlink(((struct sockaddr_un *) addr.sockaddr)->sun_path);

    if (bind(s, addr.sockaddr, addr.socklen) == -1 || listen(s, 8) == -1) {
        printf("Bail out! no socket to listen on\n");
        exit(1);
    }

    return s;
}


static void
set_up(void)
{
    static struct sockaddr_un  sun;

    if (mkdtemp(path) == NULL) {
        printf("Bail out! no temporary directory\n");
        exit(1);
    }

    sun.sun_family = AF_UNIX;
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/sock", path);

    addr.sockaddr = (struct sockaddr *) &sun;
    addr.socklen = sizeof(sun);
    ngx_str_set(&addr.name, "unix:test");

    listener = listen_unix();
}


/* a connection of its own for each test */

static void
begin(ngx_msec_t timeout)
{
    memc = ngx_scale_memc_create(pool, &addr, timeout, &loop_log);
    ngx_scale_memc_on_down(memc, on_down, NULL);

    downs = 0;
    loop_lines = 0;
}


static void
hang_up(void)
{
    if (peer != -1) {
        close(peer);
        peer = -1;
    }
}


static void
end(void)
{
    ngx_scale_memc_destroy(memc);
    hang_up();
    loop_turn(1);
}


/* what the server has received since it was last asked; "" for nothing */

static const char *
received(void)
{
    ssize_t  n;

    if (peer == -1) {
        peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    }

    got_len = 0;

    while ((n = recv(peer, got + got_len, sizeof(got) - 1 - got_len, 0)) > 0) {
        got_len += n;
    }

    got[got_len] = '\0';

    return got;
}


static void
answer(const char *text)
{
    (void) !send(peer, text, strlen(text), MSG_NOSIGNAL);
}


/* a command that remembers how it ended */

typedef struct {
    ngx_scale_memc_op_t   op;
    ngx_uint_t            calls;
    char                  value[64];
} test_op_t;


static void
on_reply(ngx_scale_memc_op_t *op)
{
    size_t      len;
    test_op_t  *test = op->data;

    test->calls++;

    len = ngx_min(op->rvalue.len, sizeof(test->value) - 1);
    ngx_memcpy(test->value, op->rvalue.data, len);
    test->value[len] = '\0';
}


static void
prepare(test_op_t *test, ngx_scale_memc_verb_e verb, const char *key)
{
    ngx_memzero(test, sizeof(test_op_t));

    test->op.verb = verb;
    test->op.key.data = (u_char *) key;
    test->op.key.len = strlen(key);
    test->op.handler = on_reply;
    test->op.data = test;
}


static void
get(test_op_t *test, const char *key)
{
    prepare(test, NGX_SCALE_MEMC_MG, key);
    ngx_scale_memc_send(memc, &test->op);
}


static ngx_uint_t
ended(test_op_t *test, ngx_scale_memc_status_e status)
{
    return test->calls == 1 && test->op.status == status;
}


static void
one_write(void)
{
    test_op_t  op[4];

    begin(PATIENCE);

    prepare(&op[0], NGX_SCALE_MEMC_MG, "a");
    op[0].op.lease = 12;
    ngx_scale_memc_send(memc, &op[0].op);

    prepare(&op[1], NGX_SCALE_MEMC_MS, "b");
    ngx_str_set(&op[1].op.value, "hello");
    op[1].op.flags = 2;
    op[1].op.ttl = 15;
    op[1].op.return_cas = 1;
    ngx_scale_memc_send(memc, &op[1].op);

    prepare(&op[2], NGX_SCALE_MEMC_MD, "c");
    ngx_scale_memc_send(memc, &op[2].op);

    prepare(&op[3], NGX_SCALE_MEMC_MN, "");
    ngx_scale_memc_send(memc, &op[3].op);

    ok(!ngx_scale_memc_is_sent(&op[0].op), "a command is not sent at once");

    loop_turn(5);

    ok(ngx_scale_memc_is_sent(&op[3].op), "but when the turn has ended");
    ok(strcmp(received(),
              "mg a v f c t N12 O0\r\nms b 5 F2 T15 c O1\r\nhello\r\n"
              "md c O2\r\nmn\r\n") == 0,
       "what a turn sends is written as the protocol has it");

    answer("VA 2 f1 c950 t7 O0 W\r\nhi\r\nHD c951 O1\r\nNF O2\r\nMN\r\n");
    loop_turn(5);

    ok(op[0].op.rttl == 7 && !op[0].op.old, "the value has 7 seconds left");
    ok(ended(&op[0], NGX_SCALE_MEMC_VA) && strcmp(op[0].value, "hi") == 0
       && op[0].op.rflags == 1 && op[0].op.rtoken.cas == 950 && op[0].op.won
       && !op[0].op.wait, "mg has its value and who may fill");
    ok(ended(&op[1], NGX_SCALE_MEMC_HD) && op[1].op.rtoken.cas == 951,
       "ms has its CAS");
    ok(ended(&op[2], NGX_SCALE_MEMC_NF), "md found nothing");
    ok(ended(&op[3], NGX_SCALE_MEMC_HD), "mn is answered");

    prepare(&op[1], NGX_SCALE_MEMC_MS, "b");
    ngx_str_set(&op[1].op.value, "x");
    op[1].op.flags = 1;
    op[1].op.ttl = 300;
    op[1].op.guarded = 1;
    op[1].op.token = op[0].op.rtoken;
    ngx_scale_memc_send(memc, &op[1].op);

    prepare(&op[2], NGX_SCALE_MEMC_MD, "a");
    op[2].op.guarded = 1;
    op[2].op.token = op[0].op.rtoken;
    ngx_scale_memc_send(memc, &op[2].op);

    loop_turn(5);

    ok(strcmp(received(), "ms b 1 F1 T300 C950 O4\r\nx\r\nmd a C950 O5\r\n")
       == 0, "a guarded command carries its token");

    answer("EX O4\r\nHD O5\r\n");
    loop_turn(5);

    ok(ended(&op[1], NGX_SCALE_MEMC_EX) && ended(&op[2], NGX_SCALE_MEMC_HD),
       "EX and HD");
    ok(loop_lines == 0 && downs == 0, "nothing to complain of");

    end();
}


static void
split_replies(void)
{
    size_t      i;
    test_op_t   op[3];
    ngx_uint_t  calls[3];

    static const char  wire[] = "VA 5 f1 c1 O0\r\na\r\nbc\r\nEN\r\n"
                                "VA 0 f0 c2 O2 Z\r\n\r\n";
    begin(PATIENCE);

    get(&op[0], "a");
    get(&op[1], "b");
    get(&op[2], "c");
    loop_turn(5);
    received();

    ngx_memzero(calls, sizeof(calls));

    for (i = 0; i < sizeof(wire) - 1; i++) {
        (void) !send(peer, wire + i, 1, MSG_NOSIGNAL);
        loop_turn(5);

        if (i == 20) {
            calls[0] = op[0].calls;
        }

        if (i == 24) {
            calls[1] = op[1].calls;
        }
    }

    ok(ended(&op[0], NGX_SCALE_MEMC_VA) && strcmp(op[0].value, "a\r\nbc") == 0
       && ended(&op[1], NGX_SCALE_MEMC_EN) && ended(&op[2], NGX_SCALE_MEMC_VA)
       && op[2].op.wait, "replies that come byte by byte, a bare EN among "
                         "them");
    ok(calls[0] == 0 && calls[1] == 0, "none is believed before it is whole");

    end();
}


static void
cancelled(void)
{
    test_op_t  op[3];

    begin(PATIENCE);

    get(&op[0], "a");
    get(&op[1], "b");
    get(&op[2], "c");
    ngx_scale_memc_cancel(&op[0].op);
    loop_turn(5);
    ngx_scale_memc_cancel(&op[1].op);
    ngx_memset(op, 0xaa, 2 * sizeof(test_op_t));

    received();
    answer("VA 1 f1 c1 O0\r\na\r\nEN\r\nVA 1 f1 c2 O2\r\nc\r\n");
    loop_turn(5);

    ok(ended(&op[2], NGX_SCALE_MEMC_VA) && strcmp(op[2].value, "c") == 0,
       "the reply of a cancelled command is swallowed, not the next one's");

    get(&op[0], "a");
    get(&op[1], "b");
    loop_turn(5);
    received();
    ngx_scale_memc_cancel(&op[0].op);
    ngx_scale_memc_cancel(&op[0].op);
    answer("ERROR\r\n");
    loop_turn(5);

    ok(op[0].calls == 0 && ended(&op[1], NGX_SCALE_MEMC_FAILED),
       "a cancelled command does not fail either");

    end();
}


/* what was answered, all alone on its connection */

static void
doubt(ngx_scale_memc_verb_e verb, const char *wire, const char *title)
{
    test_op_t  op[2];

    begin(PATIENCE);

    prepare(&op[0], verb, verb == NGX_SCALE_MEMC_MN ? "" : "a");
    ngx_scale_memc_send(memc, &op[0].op);
    get(&op[1], "b");

    loop_turn(5);
    received();
    answer(wire);
    loop_turn(5);

    ok(ended(&op[0], NGX_SCALE_MEMC_FAILED)
       && ended(&op[1], NGX_SCALE_MEMC_FAILED)
       && recv(peer, got, 1, 0) == 0 && downs == 1 && loop_lines == 1, title);

    end();
}


static void
doubts(void)
{
    doubt(NGX_SCALE_MEMC_MG, "VA 1 f1 c1 O1\r\na\r\n",
          "another command's opaque: all have failed, the connection is "
          "closed, and it is said once");
    doubt(NGX_SCALE_MEMC_MG, "CLIENT_ERROR bad data chunk\r\n",
          "so after CLIENT_ERROR");
    doubt(NGX_SCALE_MEMC_MG, "SERVER_ERROR out of memory\r\n",
          "so after SERVER_ERROR that is not of an ms");
    doubt(NGX_SCALE_MEMC_MS, "ERROR\r\n", "so after ERROR");
    doubt(NGX_SCALE_MEMC_MG, "HD O0\r\n", "so after HD for an mg");
    doubt(NGX_SCALE_MEMC_MD, "EN\r\n", "so after EN for an md");
    doubt(NGX_SCALE_MEMC_MD, "HD\r\n", "so after HD that names no command");
    doubt(NGX_SCALE_MEMC_MG, "VA 1 f1 c1\r\na\r\n",
          "so after a value that names no command");
    doubt(NGX_SCALE_MEMC_MN, "EN\r\n", "so after EN for an mn");
    doubt(NGX_SCALE_MEMC_MG, "VA -1 f1 c1 O0\r\n", "so after a length below 0");
}


static void
not_asked(void)
{
    test_op_t  op;

    begin(PATIENCE);

    get(&op, "a");
    loop_turn(5);
    received();
    answer("EN\r\nEN\r\n");
    loop_turn(5);

    ok(ended(&op, NGX_SCALE_MEMC_EN) && recv(peer, got, 1, 0) == 0,
       "a reply that nobody asked for closes the connection");

    end();
}


static void
not_stored(void)
{
    test_op_t  op[2];

    begin(PATIENCE);

    prepare(&op[0], NGX_SCALE_MEMC_MS, "a");
    ngx_str_set(&op[0].op.value, "x");
    ngx_scale_memc_send(memc, &op[0].op);
    get(&op[1], "b");

    loop_turn(5);
    received();
    answer("SERVER_ERROR object too large for cache\r\nEN\r\n");
    loop_turn(5);

    ok(ended(&op[0], NGX_SCALE_MEMC_NS) && ended(&op[1], NGX_SCALE_MEMC_EN)
       && downs == 0, "SERVER_ERROR of an ms is its own, the connection stays");

    end();
}


static void
refused_keys(void)
{
    char        key[252];
    test_op_t   op[4];

    begin(PATIENCE);

    ngx_memset(key, 'k', sizeof(key));
    key[251] = '\0';
    get(&op[0], key);
    get(&op[1], "a b");
    get(&op[2], "a\r\nflush_all");
    get(&op[3], "");

    ok(op[0].calls + op[1].calls + op[2].calls + op[3].calls == 0,
       "a refusal comes later, too");

    loop_turn(5);

    ok(ended(&op[0], NGX_SCALE_MEMC_FAILED)
       && ended(&op[1], NGX_SCALE_MEMC_FAILED)
       && ended(&op[2], NGX_SCALE_MEMC_FAILED)
       && ended(&op[3], NGX_SCALE_MEMC_FAILED),
       "a key of 251 bytes, with a blank, a line's end, or empty has failed");
    ok(accept(listener, NULL, NULL) == -1, "and nothing was sent");

    key[250] = '\0';
    get(&op[0], key);
    loop_turn(5);
    received();
    answer("EN\r\n");
    loop_turn(5);
    ok(ended(&op[0], NGX_SCALE_MEMC_EN), "one of 250 bytes is sent");

    end();
}


static void
silence(void)
{
    test_op_t          op[3];
    ngx_msec_t         start;
    ngx_scale_token_t  token;

    begin(TIMEOUT);

    get(&op[0], "a");
    loop_turn(5);
    received();
    answer("VA 0 f0 c77 O0 W\r\n\r\n");
    loop_turn(5);
    token = op[0].op.rtoken;

    loop_run(120);                     /* not a new connection any more */

    start = ngx_current_msec;
    get(&op[0], "a");
    loop_turn(5);
    loop_run(TIMEOUT / 3);
    get(&op[1], "b");
    loop_run(TIMEOUT / 3);
    ok(op[0].calls == 0, "within the timeout a silent server is waited for");

    while (op[0].calls == 0 && ngx_current_msec - start < 5000) {
        loop_turn(5);
    }

    loop_turn(5);
    ok(ended(&op[0], NGX_SCALE_MEMC_FAILED)
       && ended(&op[1], NGX_SCALE_MEMC_FAILED)
       && ngx_current_msec - start < 5 * TIMEOUT,
       "then all its commands have failed");
    received();
    ok(recv(peer, got, 1, 0) == 0 && downs == 1 && loop_lines == 1
       && strstr(loop_line, "timed out"),
       "the connection is closed and it is said once");
    hang_up();

    get(&op[0], "a");
    ok(op[0].calls == 0, "soon after, a command does not fail at once");
    loop_turn(5);
    ok(ended(&op[0], NGX_SCALE_MEMC_FAILED)
       && accept(listener, NULL, NULL) == -1,
       "but in the same turn, without a connection");

    loop_run(120);
    get(&op[0], "a");

    prepare(&op[1], NGX_SCALE_MEMC_MD, "a");
    op[1].op.guarded = 1;
    op[1].op.token = token;
    ngx_scale_memc_send(memc, &op[1].op);
    ok(op[1].calls == 0, "an old token is not refused at once");

    loop_turn(5);
    ok(ended(&op[1], NGX_SCALE_MEMC_NF), "but in the same turn, with NF");

    prepare(&op[2], NGX_SCALE_MEMC_MS, "a");
    op[2].op.guarded = 1;
    op[2].op.token = token;
    ngx_scale_memc_send(memc, &op[2].op);
    loop_turn(5);

    ok(ended(&op[2], NGX_SCALE_MEMC_NF)
       && strncmp(received(), "mg a ", 5) == 0 && strchr(got, '\n')[1] == '\0',
       "a new connection never sees it");

    answer("EN\r\n");
    loop_turn(5);
    ok(op[0].op.status == NGX_SCALE_MEMC_EN || op[0].op.rtoken.cas == 0,
       "the new connection works");

    end();
}


/* an event loop that stood still is not a silent server */

static void
long_turns(void)
{
    test_op_t  op[2];

    begin(TIMEOUT);

    get(&op[0], "a");
    usleep((TIMEOUT + 20) * 1000);     /* the rest of this turn */
    loop_turn(1);
    loop_turn(1);
    received();
    ok(op[0].calls == 0, "the time before a command has left does not count");

    answer("EN\r\n");
    loop_turn(5);
    ok(ended(&op[0], NGX_SCALE_MEMC_EN), "and it is answered");

    get(&op[1], "b");
    loop_turn(5);
    received();
    answer("EN\r\n");
    usleep((TIMEOUT + 20) * 1000);
    ngx_time_update();
    ngx_event_expire_timers();         /* as before posted events, or a long
                                          list of other connections' events */
    loop_turn(5);
    ok(ended(&op[1], NGX_SCALE_MEMC_EN) && downs == 0,
       "a reply that waits in the kernel is not late");

    end();
}


static void
large_value(void)
{
    char       *wire;
    size_t      len, sent;
    ssize_t     n;
    test_op_t   op[3];

    begin(PATIENCE);

    get(&op[0], "a");
    get(&op[1], "b");
    get(&op[2], "c");
    loop_turn(5);
    received();

    wire = malloc(2 * LARGE);
    len = sprintf(wire, "EN\r\nVA %d f1 c9 O1\r\n", LARGE);
    ngx_memset(wire + len, 'v', LARGE);
    len += LARGE;
    len += sprintf(wire + len, "\r\nVA 1 f1 c9 O2\r\nz\r\n");

    for (sent = 0; sent < len && downs == 0; sent += n) {
        n = send(peer, wire + sent, ngx_min(len - sent, 99991), MSG_NOSIGNAL);
        n = ngx_max(n, 0);
        loop_turn(1);
    }

    free(wire);
    loop_turn(5);

    ok(ended(&op[0], NGX_SCALE_MEMC_EN) && ended(&op[1], NGX_SCALE_MEMC_VA)
       && op[1].op.rvalue.len == LARGE && op[1].value[0] == 'v'
       && op[1].value[62] == 'v' && ended(&op[2], NGX_SCALE_MEMC_VA)
       && strcmp(op[2].value, "z") == 0,
       "a value of 1000000 bytes, and the reply behind it");

    end();
}


static void
slow_reader(void)
{
    char       *value;
    size_t      total;
    test_op_t   op[6];
    ngx_uint_t  i;

    begin(PATIENCE);

    value = malloc(LARGE);
    ngx_memset(value, 'v', LARGE);

    for (i = 0; i < 5; i++) {
        prepare(&op[i], NGX_SCALE_MEMC_MS, "a");
        op[i].op.value.data = (u_char *) value;
        op[i].op.value.len = LARGE;
        ngx_scale_memc_send(memc, &op[i].op);
    }

    free(value);
    loop_turn(5);

    ok(ended(&op[4], NGX_SCALE_MEMC_FAILED) && op[0].calls == 0,
       "more than 4 MB that cannot leave: a new command fails, no other");
    ok(ngx_scale_memc_is_sent(&op[0].op) && !ngx_scale_memc_is_sent(&op[3].op),
       "the first has begun to leave, the last has not");

    for (total = 0, i = 0; i < 10000 && total < 4 * LARGE; i++) {
        received();
        total += got_len;
        loop_turn(1);
    }

    received();
    total += got_len;

    ok(total == 4 * (LARGE + 2) + 4 * strlen("ms a 1000000 F0 T0 O0\r\n"),
       "the others leave as the server reads");

    answer("HD O0\r\nHD O1\r\nHD O2\r\nHD O3\r\n");
    loop_turn(5);
    ok(ended(&op[0], NGX_SCALE_MEMC_HD) && ended(&op[3], NGX_SCALE_MEMC_HD),
       "and are answered");

    end();
}


static void
idle(void)
{
    test_op_t          op;
    ngx_connection_t  *c;

    begin(PATIENCE);

    get(&op, "a");
    loop_turn(5);
    received();

    c = &loop_connections[0];
    while (c->fd == -1) {
        c++;
    }

    ngx_close_idle_connections(&loop_cycle);
    ok(c->fd != -1, "a connection that awaits a reply is not idle");

    answer("EN\r\n");
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_EN), "the reply comes");

    ok(ngx_event_no_timers_left() == NGX_OK, "no timer keeps a worker");

    ngx_close_idle_connections(&loop_cycle);
    ok(c->fd == -1 && downs == 0 && loop_lines == 0,
       "one that awaits nothing is, and closes in silence");
    hang_up();

    loop_run(120);
    get(&op, "a");
    loop_turn(5);
    received();
    answer("EN\r\n");
    loop_turn(5);
    hang_up();
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_EN) && downs == 0 && loop_lines == 0,
       "a server that closes an idle connection is heard, in silence");

    loop_run(120);
    get(&op, "b");
    loop_turn(5);
    ok(strncmp(received(), "mg b ", 5) == 0, "the next command connects anew");
    hang_up();
    loop_turn(5);
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED) && downs == 1 && loop_lines == 1,
       "closed before the reply: failed, and said");

    end();
}


static void
nobody_there(const char *title)
{
    test_op_t   op;
    ngx_uint_t  i, failed;

    begin(PATIENCE);
    failed = 0;

    for (i = 0; i < 3; i++) {
        get(&op, "a");
        failed += op.calls;            /* never at once */
        loop_run(10);
        failed += ended(&op, NGX_SCALE_MEMC_FAILED);
        loop_run(110);
    }

    ok(failed == 3 && downs == 3, title);
    ok(loop_lines == 1, "which is said once, not at every try");

    if (loop_lines != 1) {
        printf("# %lu lines, last: %s\n", (unsigned long) loop_lines,
               loop_line);
    }

    end();
}


static void
nobody(void)
{
    int                  s;
    socklen_t            len;
    ngx_addr_t           saved;
    struct sockaddr_in   sin;

    saved = addr;

    close(listener);
    nobody_there("a unix domain socket nobody listens on: failed");
    listener = listen_unix();

    ngx_memzero(&sin, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    s = socket(AF_INET, SOCK_STREAM, 0);
    len = sizeof(sin);
    (void) !bind(s, (struct sockaddr *) &sin, len);
    getsockname(s, (struct sockaddr *) &sin, &len);

    addr.sockaddr = (struct sockaddr *) &sin;
    addr.socklen = sizeof(sin);

    nobody_there("a TCP port nobody listens on: failed");

    close(s);
    addr = saved;
}


static ngx_uint_t  chained;


static void
on_chain(ngx_scale_memc_op_t *op)
{
    test_op_t  *other = op->data;

    chained++;

    if (other) {
        ngx_scale_memc_cancel(&other->op);
    }

    if (chained == 1) {
        op->data = NULL;
        ngx_scale_memc_send(memc, op);
        chained += 10;
    }
}


static void
handlers(void)
{
    test_op_t  op[3];

    begin(PATIENCE);
    chained = 0;

    prepare(&op[0], NGX_SCALE_MEMC_MG, "a");
    op[0].op.handler = on_chain;
    op[0].op.data = &op[1];
    ngx_scale_memc_send(memc, &op[0].op);
    get(&op[1], "b");
    get(&op[2], "c");
    loop_turn(5);
    received();
    answer("VA 1 f1 c1 O0\r\na\r\nEN\r\nVA 1 f1 c1 O2\r\nc\r\n");
    loop_turn(5);

    ok(chained == 11 && op[1].calls == 0 && ended(&op[2], NGX_SCALE_MEMC_VA)
       && strcmp(op[2].value, "c") == 0,
       "a handler may cancel the next command and use its own again");
    ok(strcmp(received(), "mg a v f c t O3\r\n") == 0, "which is sent anew");

    answer("EN\r\n");
    loop_turn(5);
    ok(chained == 12, "and answered");

    end();
}


static void
destroyed(void)
{
    test_op_t    op[4];
    ngx_pool_t  *saved;

    saved = pool;
    pool = ngx_create_pool(4096, &loop_log);

    begin(TIMEOUT);

    get(&op[0], "a");
    loop_turn(5);
    received();
    get(&op[1], "b");
    get(&op[2], "not a key");
    prepare(&op[3], NGX_SCALE_MEMC_MD, "c");
    op[3].op.guarded = 1;
    ngx_scale_memc_send(memc, &op[3].op);

    ngx_scale_memc_destroy(memc);
    ngx_destroy_pool(pool);
    pool = saved;

    loop_run(TIMEOUT + 20);

    ok(op[0].calls + op[1].calls + op[2].calls + op[3].calls == 0
       && recv(peer, got, 1, 0) == 0,
       "what is destroyed calls no handler and is closed");

    ngx_scale_memc_cancel(&op[0].op);
    ngx_scale_memc_cancel(&op[1].op);
    ngx_scale_memc_cancel(&op[2].op);
    ok(ngx_scale_memc_is_sent(&op[0].op), "its commands can still be "
                                          "cancelled");
    hang_up();

    pool = ngx_create_pool(4096, &loop_log);
    begin(PATIENCE);
    get(&op[0], "not a key");
    ngx_scale_memc_destroy(memc);
    ngx_destroy_pool(pool);
    pool = saved;

    loop_turn(5);
    ok(op[0].calls == 0, "also one that never had a connection");
}


#define STATS     "stats\r\nstats settings\r\n"
#define VERSION   "STAT version 1.6.18\r\nEND\r\n"
#define GOOD      VERSION "STAT cas_enabled yes\r\nEND\r\n"
#define NO_CAS    VERSION "STAT cas_enabled no\r\nEND\r\n"
#define PASSWORD  "set auth 0 -1 3\r\na b\r\n"

static ngx_uint_t                 told;
static ngx_uint_t                 told_faults;
static char                       told_detail[64];
static ngx_scale_memc_greeting_t  greeting;


static void
on_told(void *data, ngx_uint_t faults, ngx_str_t *detail)
{
    told++;
    told_faults = faults;
    told_detail[0] = '\0';

    if (detail) {
        snprintf(told_detail, sizeof(told_detail), "%.*s", (int) detail->len,
                 (char *) detail->data);
    }
}


static void
begin_greeting(const char *auth)
{
    static ngx_str_t  words;

    begin(TIMEOUT);

    words.data = (u_char *) auth;
    words.len = strlen(auth);

    greeting.auth = &words;
    greeting.told = on_told;
    told = 0;

    ngx_scale_memc_greeting(memc, &greeting);
}


static void
greeted(void)
{
    size_t       i;
    char         half[128];
    test_op_t    op;
    ngx_uint_t   good;

    begin_greeting(PASSWORD);
    get(&op, "a");
    loop_turn(5);
    ok(!strcmp(received(), PASSWORD), "a connection begins with the password");

    answer("STO");
    loop_turn(5);
    answer("RED\r\n");
    loop_turn(5);
    ok(!strcmp(received(), STATS), "which is taken before anything else");

    answer(GOOD);
    loop_turn(5);
    ok(!strcmp(received(), "mg a v f c t O0\r\n") && op.calls == 0
       && told == 1 && told_faults == 0,
       "a command waits until the server has said what it is");

    answer("VA 1 f0 c1 O0\r\nb\r\n");
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_VA) && loop_lines == 0, "and is answered");
    end();

    good = 1;

    for (i = 0; i < sizeof(GOOD) - 1; i++) {
        begin_greeting("");
        get(&op, "a");
        loop_turn(5);
        received();

        snprintf(half, sizeof(half), "%.*s", (int) i, GOOD);
        answer(half);
        loop_turn(1);
        answer(GOOD + i);
        loop_turn(5);
        good &= !strcmp(received(), "mg a v f c t O0\r\n");
        end();
    }

    ok(good, "what it says may come in two pieces");
}


static void
not_welcome(void)
{
    test_op_t    op;
    ngx_msec_t   start;

    begin_greeting("");
    get(&op, "a");
    loop_turn(5);
    received();
    answer(NO_CAS);
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED) && told == 1 && downs == 1
       && told_faults == NGX_SCALE_FAULT_CAS && loop_lines == 0
       && !strcmp(received(), ""),
       "a server with a fault sees no command, and its owner is told");
    hang_up();

    loop_run(200);
    get(&op, "a");
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED)
       && accept(listener, NULL, NULL) == -1,
       "it is not asked again at once");

    loop_run(900);
    get(&op, "a");
    loop_turn(5);
    ok(!strcmp(received(), STATS), "but a second later");
    end();

    begin_greeting("");
    get(&op, "a");
    loop_turn(5);
    received();
    answer("CLIENT_ERROR a\tb\r\n");
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED)
       && told_faults == NGX_SCALE_FAULT_ANSWER
       && !strcmp(told_detail, "CLIENT_ERROR a"),
       "what is no answer is quoted, as far as it can be read");
    end();

    begin_greeting(PASSWORD);
    get(&op, "a");
    loop_turn(5);
    received();
    answer("CLIENT_ERROR a b\r\n");
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED)
       && told_faults == NGX_SCALE_FAULT_AUTH && told_detail[0] == '\0',
       "a wrong password is not");
    end();

    begin_greeting("");
    get(&op, "a");
    start = ngx_current_msec;
    loop_turn(5);
    received();

    while (op.calls == 0 && ngx_current_msec - start < 5000) {
        loop_turn(5);
    }

    ok(ended(&op, NGX_SCALE_MEMC_FAILED) && told == 0 && loop_lines == 1
       && ngx_current_msec - start < 5 * TIMEOUT
       && strstr(loop_line, "timed out when it was asked for \"stats\""),
       "a server that does not say what it is has timed out");
    end();

    begin_greeting("");
    get(&op, "a");
    loop_turn(5);
    received();
    hang_up();
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED) && loop_lines == 1
       && strstr(loop_line, "closed the connection when it was greeted"),
       "one that hangs up is complained of");
    end();

    begin_greeting("");
    get(&op, "a");
    loop_turn(5);
    received();
    answer(GOOD "VA 1 f0 c1 O0\r\nb\r\n");
    loop_turn(5);
    ok(ended(&op, NGX_SCALE_MEMC_FAILED),
       "an answer to a command that was not sent is none");
    end();
}


int
main(void)
{
    pool = loop_init();
    set_up();

    one_write();
    split_replies();
    cancelled();
    doubts();
    not_asked();
    not_stored();
    refused_keys();
    silence();
    long_turns();
    large_value();
    slow_reader();
    idle();
    nobody();
    handlers();
    destroyed();
    greeted();
    not_welcome();

    unlink(((struct sockaddr_un *) addr.sockaddr)->sun_path);
    rmdir(path);
    ngx_destroy_pool(pool);

    return done();
}
