/* sources: cache/memc.c cache/memc_buffer.c cache/memc_close.c cache/memc_command.c cache/memc_connection.c cache/memc_greeting.c cache/memc_pipeline.c cache/memc_tls.c cache/greeting.c cache/reply.c cache/weak.c */

/*
 * What the cache's protocol takes for granted of memcached, asked of the one
 * that is installed.
 */

#include "cache/memc.h"
#include "test.h"
#include "loop.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>


#define STUB     0
#define VALUE    1
#define PENDING  2

/* ms; a megabyte may take long where others compute */
#define TIMEOUT  1000


static ngx_scale_memc_t     *memc;
static ngx_scale_memc_op_t   op;
static ngx_uint_t            calls;
static char                  value[64];

static char                  path[] = "/tmp/cache_memcached.XXXXXX";
static struct sockaddr_un    sun;
static pid_t                 server;


static void
on_reply(ngx_scale_memc_op_t *reply)
{
    size_t  len;

    calls++;

    len = ngx_min(reply->rvalue.len, sizeof(value) - 1);
    ngx_memcpy(value, reply->rvalue.data, len);
    value[len] = '\0';
}


static void
start_server(void)
{
    unlink(sun.sun_path);

    server = fork();

    if (server == 0) {

        /* which a change of user would undo */

        prctl(PR_SET_PDEATHSIG, SIGKILL);

        execlp("memcached", "memcached", "-s", sun.sun_path, "-m", "16",
               "-u", "root", (char *) NULL);
        _exit(1);
    }
}


static void
stop_server(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}


static ngx_scale_memc_status_e
run(void)
{
    ngx_uint_t  turns;

    op.handler = on_reply;
    calls = 0;

    ngx_scale_memc_send(memc, &op);

    for (turns = 0; calls == 0 && turns < 1000; turns++) {
        loop_turn(5);
    }

    return op.status;
}


static void
prepare(ngx_scale_memc_verb_e verb, const char *key)
{
    ngx_memzero(&op, sizeof(op));

    op.verb = verb;
    op.key.data = (u_char *) key;
    op.key.len = strlen(key);
}


static ngx_scale_memc_status_e
get(const char *key, time_t lease)
{
    prepare(NGX_SCALE_MEMC_MG, key);
    op.lease = lease;

    return run();
}


static ngx_scale_memc_status_e
set(const char *key, const char *text, uint32_t flags,
    ngx_scale_token_t *token)
{
    prepare(NGX_SCALE_MEMC_MS, key);
    op.value.data = (u_char *) text;
    op.value.len = strlen(text);
    op.flags = flags;
    op.ttl = 15;
    op.return_cas = 1;

    if (token) {
        op.guarded = 1;
        op.token = *token;
    }

    return run();
}


static ngx_scale_memc_status_e
delete(const char *key, ngx_scale_token_t *token)
{
    prepare(NGX_SCALE_MEMC_MD, key);

    if (token) {
        op.guarded = 1;
        op.token = *token;
    }

    return run();
}


static ngx_scale_memc_status_e
look(const char *key, time_t recache)
{
    prepare(NGX_SCALE_MEMC_MG, key);
    op.recache = recache;

    return run();
}


static ngx_scale_memc_status_e
outdate(const char *key, ngx_scale_token_t *token)
{
    prepare(NGX_SCALE_MEMC_MD, key);
    op.keep = 1;
    op.guarded = 1;
    op.token = *token;

    return run();
}


static ngx_int_t
wait_for_server(void)
{
    ngx_uint_t  tries;

    for (tries = 0; tries < 40; tries++) {
        loop_run(110);
        prepare(NGX_SCALE_MEMC_MN, "");

        if (run() == NGX_SCALE_MEMC_HD) {
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static void
leases(void)
{
    ngx_scale_token_t  token;

    ok(get("a", 0) == NGX_SCALE_MEMC_EN, "a miss without a lease");
    ok(get("a", 5) == NGX_SCALE_MEMC_VA && op.won && !op.wait
       && op.rflags == STUB && op.rvalue.len == 0, "the first miss wins");
    token = op.rtoken;

    ok(get("a", 5) == NGX_SCALE_MEMC_VA && op.wait && !op.won
       && op.rtoken.cas == token.cas, "the second waits, with the same CAS");
    ok(set("a", "one", VALUE, &token) == NGX_SCALE_MEMC_HD, "the winner fills");
    ok(set("a", "two", VALUE, &token) == NGX_SCALE_MEMC_EX,
       "once and no more");
    ok(get("a", 5) == NGX_SCALE_MEMC_VA && op.rflags == VALUE
       && strcmp(value, "one") == 0 && !op.won && !op.wait, "a hit");
}


static void
marks(void)
{
    ngx_scale_token_t  lease, mark, other;

    get("b", 5);
    lease = op.rtoken;

    ok(set("b", "nonce", PENDING, NULL) == NGX_SCALE_MEMC_HD
       && op.rtoken.cas > lease.cas, "a mark over a lease");
    mark = op.rtoken;

    ok(set("b", "old", VALUE, &lease) == NGX_SCALE_MEMC_EX,
       "a fill begun before it is refused");
    ok(get("b", 5) == NGX_SCALE_MEMC_VA && op.rflags == PENDING && !op.won,
       "readers see the mark");

    set("b", "nonce", PENDING, NULL);
    other = op.rtoken;

    ok(delete("b", &mark) == NGX_SCALE_MEMC_EX, "another writer's mark stays");
    ok(delete("b", &other) == NGX_SCALE_MEMC_HD, "and goes by its own token");
    ok(delete("b", &other) == NGX_SCALE_MEMC_NF, "once");

    get("b", 5);
    lease = op.rtoken;
    delete("b", NULL);
    ok(set("b", "late", VALUE, &lease) == NGX_SCALE_MEMC_NF
       && get("b", 0) == NGX_SCALE_MEMC_EN,
       "a fill after a delete is refused");
}


/* what early refresh and a tag's stale pages rely on */

static void
ages(void)
{
    ngx_scale_token_t  token;

    get("f", 5);
    token = op.rtoken;

    prepare(NGX_SCALE_MEMC_MS, "f");
    ngx_str_set(&op.value, "one");
    op.flags = VALUE;
    op.ttl = 100;
    op.guarded = 1;
    op.token = token;
    ok(run() == NGX_SCALE_MEMC_HD, "a value for 100 seconds");

    ok(look("f", 50) == NGX_SCALE_MEMC_VA && !op.won && !op.wait
       && op.rttl > 90 && op.rttl <= 100, "its seconds left are told");
    ok(look("f", 110) == NGX_SCALE_MEMC_VA && op.won
       && strcmp(value, "one") == 0, "the first to see it near its end wins");
    token = op.rtoken;
    ok(look("f", 110) == NGX_SCALE_MEMC_VA && op.wait && !op.won
       && strcmp(value, "one") == 0, "and nobody else");

    ok(set("f", "two", VALUE, &token) == NGX_SCALE_MEMC_HD,
       "its CAS is the winner's token");
    ok(set("f", "three", VALUE, &token) == NGX_SCALE_MEMC_EX, "once");

    get("f", 0);
    token = op.rtoken;

    ok(outdate("f", &token) == NGX_SCALE_MEMC_HD, "an md that keeps it");
    ok(set("f", "three", VALUE, &token) == NGX_SCALE_MEMC_EX,
       "is an invalidation for fills begun before it");
    ok(look("f", 0) == NGX_SCALE_MEMC_VA && op.old && op.won
       && strcmp(value, "two") == 0, "it is old, and the first reader wins");
    token = op.rtoken;
    ok(look("f", 0) == NGX_SCALE_MEMC_VA && op.old && op.wait,
       "and nobody else");
    ok(set("f", "three", VALUE, &token) == NGX_SCALE_MEMC_HD
       && get("f", 0) == NGX_SCALE_MEMC_VA && !op.old
       && strcmp(value, "three") == 0, "what the winner stores is not old");

    set("f", "nonce", PENDING, NULL);
    ok(look("f", 4000) == NGX_SCALE_MEMC_VA && op.won
       && op.rflags == PENDING, "a mark can be won, too: it is told apart");
}


static void
refusals(void)
{
    char               *large;
    ngx_scale_token_t   token;

    set("c", "small", VALUE, NULL);
    token = op.rtoken;

    large = malloc(1100001);
    ngx_memset(large, 'x', 1100000);
    large[1100000] = '\0';

    ok(set("c", large, VALUE, NULL) == NGX_SCALE_MEMC_NS,
       "a value that is too large is not stored");
    ok(get("c", 0) == NGX_SCALE_MEMC_EN && op.rtoken.generation
       == token.generation, "the old one is gone, the connection is not");

    large[1000000] = '\0';
    ok(set("c", large, VALUE, NULL) == NGX_SCALE_MEMC_HD,
       "one of 1000000 bytes is stored");
    ok(get("c", 0) == NGX_SCALE_MEMC_VA && op.rvalue.len == 1000000
       && value[0] == 'x', "and read");

    free(large);
}


static ngx_scale_memc_status_e
count(const char *key, ngx_uint_t subtract)
{
    prepare(NGX_SCALE_MEMC_MA, key);
    op.lease = 10;
    op.subtract = subtract;

    return run();
}


static void
numbers(void)
{
    ngx_uint_t  i;

    ok(count("n", 1) == NGX_SCALE_MEMC_NF, "of nothing none is taken");
    ok(count("n", 0) == NGX_SCALE_MEMC_VA && strcmp(value, "1") == 0,
       "a number begins with one");

    for (i = 0; i < 9; i++) {
        count("n", 0);
    }

    ok(op.status == NGX_SCALE_MEMC_VA && strcmp(value, "10") == 0,
       "and counts");
    ok(count("n", 1) == NGX_SCALE_MEMC_HD && get("n", 0) == NGX_SCALE_MEMC_VA
       && strncmp(value, "9", 1) == 0 && strspn(value + 1, " ")
                                         == strlen(value + 1),
       "one less is shorter, with blanks or without");
    ok(op.rttl > 0 && op.rttl <= 10, "it has the lifetime it began with");
}


static void
stopped(void)
{
    ngx_scale_token_t  token;

    get("d", 5);
    token = op.rtoken;

    /* one thread takes the signal, another one may answer meanwhile */

    kill(server, SIGSTOP);
    waitpid(server, NULL, WUNTRACED);

    ok(get("d", 0) == NGX_SCALE_MEMC_FAILED, "a stopped server: failed");
    kill(server, SIGCONT);

    ok(wait_for_server() == NGX_OK, "it continues");
    ok(set("d", "late", VALUE, &token) == NGX_SCALE_MEMC_NF,
       "a token of the closed connection is not used");
    ok(get("d", 5) == NGX_SCALE_MEMC_VA && op.wait,
       "no late reply is taken for another");
}


static void
restarted(void)
{
    ngx_scale_token_t  token;

    get("e", 5);
    token = op.rtoken;

    stop_server();
    start_server();
    ok(wait_for_server() == NGX_OK, "it is back after kill -9");

    do {
        get("e", 5);                   /* it counts from 1 again */
        delete("e", NULL);
        get("e", 5);

    } while (op.rtoken.cas < token.cas);

    ok(set("e", "old", VALUE, &token) == NGX_SCALE_MEMC_NF
       && get("e", 0) == NGX_SCALE_MEMC_VA && op.rflags == STUB,
       "the same CAS of another life fills nothing");
}


int
main(void)
{
    ngx_addr_t   addr;
    ngx_pool_t  *pool;

    pool = loop_init();

    if (mkdtemp(path) == NULL) {
        printf("Bail out! no temporary directory\n");
        return 1;
    }

    sun.sun_family = AF_UNIX;
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/sock", path);

    addr.sockaddr = (struct sockaddr *) &sun;
    addr.socklen = sizeof(sun);
    ngx_str_set(&addr.name, "memcached");

    memc = ngx_scale_memc_create(pool, &addr, TIMEOUT, &loop_log);

    start_server();
    ok(wait_for_server() == NGX_OK, "memcached is there");

    leases();
    marks();
    ages();
    refusals();
    numbers();
    stopped();
    restarted();

    ngx_scale_memc_destroy(memc);
    stop_server();

    unlink(sun.sun_path);
    rmdir(path);
    ngx_destroy_pool(pool);

    return done();
}
