/* sources: cache/adopt.c cache/flight_end.c cache/life.c cache/probe.c cache/seal.c cache/cache.c cache/check.c cache/checksum.c cache/codec.c cache/copies.c cache/copies_all.c cache/copies_touch.c cache/copy.c cache/fill.c cache/note.c cache/flight.c cache/write.c cache/warm.c cache/due.c cache/flight_memory.c cache/greeting.c cache/key.c cache/layout.c cache/local.c cache/mark.c cache/memc.c cache/memc_buffer.c cache/memc_close.c cache/memc_command.c cache/memc_connection.c cache/memc_greeting.c cache/memc_pipeline.c cache/memc_tls.c cache/node.c cache/owner.c cache/place.c cache/rank.c cache/reply.c cache/ring.c cache/tier.c cache/view.c cache/view_parse.c cache/weak.c cache/zone.c cache/zone_kernel.c cache/zone_word.c */

/*
 * Records of sessions on real memcacheds: two workers of a web node, one of a
 * ring that a database has, and a reader whose every command is sent by hand.
 */

#include "cache/cache_int.h"
#include "cache/node_int.h"
#include "test.h"
#include "loop.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>


#define SERVERS   3
#define TTL       600
#define PATIENCE  8000


typedef struct {
    char                      name[128];       /* unix:path */
    struct sockaddr_un        sun;
    ngx_addr_t                addr;
    pid_t                     pid;
    ngx_scale_memc_t         *memc;            /* by hand */
} server_t;

typedef struct {
    ngx_scale_cache_conf_t    conf;
    ngx_scale_cache_t        *cache;
    ngx_scale_copies_t        copies;
    ngx_uint_t                done;
    char                      value[64];
} worker_t;


static char                     path[] = "/tmp/cache_copies.XXXXXX";
static server_t                 servers[SERVERS];

static ngx_pool_t              *pool;
static ngx_scale_zone_cache_t   record, shared;
static worker_t                 one, other, slow, far;
static ngx_scale_view_t         view;
static ngx_uint_t               keys;

static ngx_scale_memc_op_t      op;
static ngx_uint_t               replied;
static char                     text[64];


static void
start_server(server_t *s)
{
    unlink(s->sun.sun_path);

    s->pid = fork();

    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);

        /* one thread: who asks first is answered first */

        execlp("memcached", "memcached", "-s", s->sun.sun_path, "-m", "16",
               "-t", "1", "-o", "temporary_ttl=61", "-u", "root",
               (char *) NULL);
        _exit(1);
    }
}


static void
stop_server(server_t *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}


/* returns when it has stopped */

static void
freeze_server(server_t *s)
{
    kill(s->pid, SIGSTOP);
    waitpid(s->pid, NULL, WUNTRACED);
}


static void
create_server(server_t *s, ngx_uint_t number)
{
    s->sun.sun_family = AF_UNIX;
    snprintf(s->sun.sun_path, sizeof(s->sun.sun_path), "%s/%lu", path,
             (unsigned long) number);
    snprintf(s->name, sizeof(s->name), "unix:%s", s->sun.sun_path);

    s->addr.sockaddr = (struct sockaddr *) &s->sun;
    s->addr.socklen = sizeof(s->sun);
    s->addr.name.data = (u_char *) s->name;
    s->addr.name.len = strlen(s->name);

    s->memc = ngx_scale_memc_create(pool, &s->addr, 1000, &loop_log);

    start_server(s);
}


/* one command by hand; of what it replies, the value in "text" */

static void
on_reply(ngx_scale_memc_op_t *reply)
{
    size_t  len;

    len = ngx_min(reply->rvalue.len, sizeof(text) - 1);
    ngx_memcpy(text, reply->rvalue.data, len);
    text[len] = '\0';

    replied = 1;
}


static ngx_scale_memc_status_e
by_hand(server_t *s)
{
    op.handler = on_reply;
    replied = 0;

    ngx_scale_memc_send(s->memc, &op);

    while (!replied) {
        loop_turn(5);
    }

    return op.status;
}


static void
prepare(ngx_scale_memc_verb_e verb, ngx_scale_place_t *place)
{
    ngx_memzero(&op, sizeof(op));

    op.verb = verb;
    op.key = place->wire;
}


static server_t *
server_of(ngx_scale_place_t *place)
{
    ngx_uint_t  i;

    for (i = 0; i < SERVERS; i++) {
        if (ngx_scale_same(&servers[i].addr.name, &place->node->name)) {
            return &servers[i];
        }
    }

    return NULL;
}


static ngx_scale_memc_status_e
get(ngx_scale_place_t *place, time_t lease)
{
    prepare(NGX_SCALE_MEMC_MG, place);
    op.lease = lease;

    return by_hand(server_of(place));
}


static ngx_scale_memc_status_e
set(ngx_scale_place_t *place, const char *value, ngx_scale_token_t token)
{
    prepare(NGX_SCALE_MEMC_MS, place);
    op.value.data = (u_char *) value;
    op.value.len = strlen(value);
    op.flags = NGX_SCALE_CACHE_VALUE;
    op.ttl = TTL;
    op.guarded = 1;
    op.token = token;

    return by_hand(server_of(place));
}


/* as memcached does when it needs the room */

static void
evict(ngx_scale_place_t *place)
{
    prepare(NGX_SCALE_MEMC_MD, place);
    (void) by_hand(server_of(place));
}


static ngx_uint_t
holds(ngx_scale_place_t *place, const char *value)
{
    return get(place, 0) == NGX_SCALE_MEMC_VA
           && op.rflags == NGX_SCALE_CACHE_VALUE && strcmp(text, value) == 0;
}


static ngx_uint_t
is_dead(ngx_scale_place_t *place)
{
    return get(place, 0) == NGX_SCALE_MEMC_VA
           && op.rflags == NGX_SCALE_CACHE_PENDING;
}


static void
wait_for_servers(void)
{
    ngx_uint_t  i, tries;

    for (i = 0; i < SERVERS; i++) {
        for (tries = 0; tries < 100; tries++) {
            ngx_memzero(&op, sizeof(op));
            op.verb = NGX_SCALE_MEMC_MN;

            if (by_hand(&servers[i]) == NGX_SCALE_MEMC_HD) {
                break;
            }

            loop_run(110);
        }
    }
}


static void
start_worker(worker_t *w, ngx_scale_zone_cache_t *its, ngx_uint_t n,
    ngx_msec_t timeout)
{
    ngx_uint_t                 i;
    ngx_scale_cache_server_t  *s;

    ngx_str_set(&w->conf.name, "sessions");
    w->conf.timeout = timeout;
    w->conf.shared = its->shared;

    (void) ngx_array_init(&w->conf.servers, pool, SERVERS,
                          sizeof(ngx_scale_cache_server_t));

    for (i = 0; i < n; i++) {
        s = ngx_array_push(&w->conf.servers);
        ngx_memzero(s, sizeof(ngx_scale_cache_server_t));

        s->name = servers[i].addr.name;
        s->addr = &servers[i].addr;
        s->weight = 1;
    }

    if (!its->shared) {
        (void) ngx_scale_zone_set(its, w->conf.servers.elts, n);
    }

    w->cache = ngx_scale_cache_create(pool, &w->conf, its, &loop_log);
}


static void
on_copies(ngx_scale_copies_t *copies)
{
    size_t     len;
    worker_t  *w = copies->data;

    len = ngx_min(copies->value.len, sizeof(w->value) - 1);
    ngx_memcpy(w->value, copies->value.data, len);
    w->value[len] = '\0';

    w->done = 1;
}


static void
begin(worker_t *w, ngx_scale_copies_verb_e verb, ngx_str_t *key,
    const char *value)
{
    ngx_memzero(&w->copies, sizeof(w->copies));

    w->copies.pool = pool;
    w->copies.verb = verb;
    w->copies.key = *key;
    w->copies.n = 2;
    w->copies.ttl = TTL;
    w->copies.patience = PATIENCE;
    w->copies.value.data = (u_char *) value;
    w->copies.value.len = value ? strlen(value) : 0;
    w->copies.handler = on_copies;
    w->copies.data = w;
    w->done = 0;

    (void) ngx_scale_copies_start(w->cache, &w->copies);
}


/* the lease of a database's ring */

static void
renew(void)
{
    if (far.cache) {
        (void) ngx_scale_zone_confirm(&shared, &view, ngx_scale_zone_now());
    }
}


static ngx_scale_copies_result_e
finish(worker_t *w)
{
    while (!w->done) {
        renew();
        loop_turn(5);
    }

    return w->copies.result;
}


static ngx_scale_copies_result_e
run(worker_t *w, ngx_scale_copies_verb_e verb, ngx_str_t *key,
    const char *value)
{
    begin(w, verb, key, value);

    return finish(w);
}


static ngx_uint_t
finds(worker_t *w, ngx_str_t *key, const char *value)
{
    return run(w, NGX_SCALE_COPIES_READ, key, NULL) == NGX_SCALE_COPIES_DONE
           && strcmp(w->value, value) == 0;
}


static ngx_uint_t
finds_none(worker_t *w, ngx_str_t *key)
{
    ngx_uint_t                 i;
    ngx_scale_copies_result_e  result;

    for (i = 0; i < 10; i++) {
        result = run(w, NGX_SCALE_COPIES_READ, key, NULL);

        if (result != NGX_SCALE_COPIES_MISSING
            && result != NGX_SCALE_COPIES_DEAD)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_str_t
new_key(void)
{
    ngx_str_t  key;

    key.data = ngx_pnalloc(pool, 32);
    key.len = ngx_sprintf(key.data, "sid/i/%04ui", keys++) - key.data;

    return key;
}


static void
places_of(worker_t *w, ngx_str_t *key, ngx_scale_place_t *places)
{
    ngx_int_t  i, n;

    n = ngx_scale_cache_copies(w->cache, places, 2, key);

    for (i = 0; i < n; i++) {
        places[i].wire.data = places[i].buf;
    }
}


/* a key with a value on both of its servers, and where that is */

static ngx_str_t
stored(worker_t *w, ngx_scale_place_t *places)
{
    ngx_str_t  key;

    key = new_key();

    (void) run(w, NGX_SCALE_COPIES_PUT, &key, "value");
    places_of(w, &key, places);

    return key;
}


/* who reads it again and again finds it, and at last each server has it */

static ngx_uint_t
heals(worker_t *w, ngx_str_t *key, ngx_scale_place_t *places)
{
    while (finds(w, key, "value")) {

        if (holds(&places[0], "value") && holds(&places[1], "value")) {
            return 1;
        }
    }

    return 0;
}


static void
verbs(void)
{
    ngx_str_t          key;
    ngx_scale_place_t  places[2];

    key = new_key();

    ok(run(&one, NGX_SCALE_COPIES_READ, &key, NULL)
       == NGX_SCALE_COPIES_MISSING, "what was not put is missing");
    ok(run(&one, NGX_SCALE_COPIES_PUT, &key, "value")
       == NGX_SCALE_COPIES_DONE, "it is put");

    places_of(&one, &key, places);

    ok(places[0].node != places[1].node && holds(&places[0], "value")
       && holds(&places[1], "value"), "on two servers");
    ok(finds(&other, &key, "value") && other.copies.left > TTL - 5
       && other.copies.left <= TTL, "another worker finds it");

    evict(&places[0]);
    ok(heals(&one, &key, places), "a lost copy is put back");
    evict(&places[1]);
    ok(heals(&one, &key, places), "whichever it is");

    ok(run(&one, NGX_SCALE_COPIES_KILL, &key, NULL)
       == NGX_SCALE_COPIES_DONE, "it is killed");
    ok(is_dead(&places[0]) && is_dead(&places[1]), "on both servers");
    ok(run(&other, NGX_SCALE_COPIES_READ, &key, NULL)
       == NGX_SCALE_COPIES_DEAD, "another worker finds it dead");

    evict(&places[0]);
    evict(&places[1]);
    ok(finds_none(&other, &key), "then nothing");
}


static ngx_uint_t
both_are_done(void)
{
    (void) finish(&one);
    (void) finish(&other);

    return one.copies.result == NGX_SCALE_COPIES_DONE
           && other.copies.result == NGX_SCALE_COPIES_DONE;
}


static void
makes(void)
{
    ngx_str_t          key;
    ngx_uint_t         i, differ;
    ngx_scale_place_t  places[2];

    key = new_key();

    ok(run(&one, NGX_SCALE_COPIES_MAKE, &key, "a") == NGX_SCALE_COPIES_DONE
       && strcmp(one.value, "a") == 0, "a value is made");
    ok(run(&other, NGX_SCALE_COPIES_MAKE, &key, "b") == NGX_SCALE_COPIES_DONE
       && strcmp(other.value, "a") == 0, "once");

    ok(run(&other, NGX_SCALE_COPIES_REPLACE, &key, "c")
       == NGX_SCALE_COPIES_DONE && finds(&one, &key, "c"), "it is replaced");

    places_of(&one, &key, places);
    ok(holds(&places[0], "c") && holds(&places[1], "c"), "on both servers");

    differ = 0;

    for (i = 0; i < 50; i++) {
        key = new_key();
        begin(&one, NGX_SCALE_COPIES_MAKE, &key, "a");
        begin(&other, NGX_SCALE_COPIES_MAKE, &key, "b");
        differ += !both_are_done() || strcmp(one.value, other.value) != 0;
    }

    ok(differ == 0, "two make one at one time: they get the same");
    differ = 0;

    for (i = 0; i < 50; i++) {
        begin(&one, NGX_SCALE_COPIES_REPLACE, &key, "d");
        begin(&other, NGX_SCALE_COPIES_REPLACE, &key, "e");
        differ += !both_are_done();

        places_of(&one, &key, places);
        differ += !(holds(&places[0], "d") && holds(&places[1], "d"))
                  && !(holds(&places[0], "e") && holds(&places[1], "e"));
    }

    ok(differ == 0, "two replace one: the copies are the same");
    differ = 0;

    for (i = 0; i < 50; i++) {
        begin(&one, NGX_SCALE_COPIES_REPLACE, &key, "f");
        begin(&other, NGX_SCALE_COPIES_MAKE, &key, "g");
        differ += !both_are_done() || !finds(&one, &key, "f");
    }

    ok(differ == 0, "one makes it meanwhile: what replaces it remains");
}


/* all that this worker was told to do before */

static void
touch(ngx_str_t *key, time_t ttl)
{
    ngx_scale_copies_touch(one.cache, key, 2, ttl);

    while (!ngx_queue_empty(&one.cache->notes)) {
        loop_turn(5);
    }
}


static void
touches(void)
{
    ngx_str_t          key;
    ngx_uint_t         long_lived;
    ngx_scale_place_t  places[2];

    key = stored(&one, places);

    touch(&key, 2 * TTL);
    (void) get(&places[0], 0);
    long_lived = op.rttl > TTL;
    (void) get(&places[1], 0);
    ok(long_lived && op.rttl > TTL, "a touch makes both live longer");

    evict(&places[0]);
    touch(&key, TTL);
    ok(get(&places[0], 0) == NGX_SCALE_MEMC_EN, "and brings nothing back");

    (void) get(&places[0], 5);
    touch(&key, TTL);
    ok(get(&places[0], 0) == NGX_SCALE_MEMC_VA && op.rttl <= 5,
       "a stub ends as soon as before");

    (void) run(&one, NGX_SCALE_COPIES_KILL, &key, NULL);
    touch(&key, TTL);
    ok(is_dead(&places[1]) && op.rttl <= 60, "and so does a tombstone");
}


static void
cancels(void)
{
    ngx_str_t                key;
    ngx_uint_t               i, turns;
    ngx_scale_copies_verb_e  verb;

    key = new_key();

    for (verb = NGX_SCALE_COPIES_READ; verb <= NGX_SCALE_COPIES_REPLACE;
         verb++)
    {
        for (turns = 0; turns < 8; turns++) {
            begin(&one, verb, &key, "x");

            for (i = 0; i < turns && !one.done; i++) {
                loop_turn(1);
            }

            ngx_scale_copies_cancel(&one.copies);
            one.done = 0;
            loop_run(2);

            if (one.done) {
                ok(0, "a cancelled verb is not heard of");
                return;
            }
        }
    }

    ok(run(&one, NGX_SCALE_COPIES_REPLACE, &key, "y") == NGX_SCALE_COPIES_DONE
       && finds(&one, &key, "y"), "a cancelled verb is not heard of");
}


/* by hand: what a reader has won and read is stored after a kill */

static void
a_late_repair(void)
{
    ngx_str_t          key;
    ngx_scale_token_t  token;
    ngx_scale_place_t  places[2];

    key = stored(&one, places);
    evict(&places[0]);

    ok(get(&places[0], 5) == NGX_SCALE_MEMC_VA && op.won,
       "a reader has a stub");
    token = op.rtoken;
    ok(holds(&places[1], "value"), "and a value");
    ok(run(&one, NGX_SCALE_COPIES_KILL, &key, NULL) == NGX_SCALE_COPIES_DONE,
       "it is killed");
    ok(set(&places[0], "value", token) == NGX_SCALE_MEMC_EX,
       "the value does not get there");
    ok(finds_none(&other, &key), "and is not found");
}


/*
 * A kill has reached one server when a reader comes, and not yet the other,
 * which answers the reader first.  1: the value was found afterwards.
 */

static ngx_uint_t
read_amid_a_kill(ngx_uint_t evicted)
{
    ngx_str_t            key;
    server_t            *second;
    ngx_uint_t           won;
    ngx_scale_token_t    token;
    ngx_scale_place_t    places[2];
    ngx_scale_memc_op_t  first;

    key = stored(&slow, places);
    second = server_of(&places[1]);

    (void) get(&places[1], 0);                      /* it is connected */
    freeze_server(second);

    prepare(NGX_SCALE_MEMC_MG, &places[1]);
    op.handler = on_reply;
    first = op;
    ngx_scale_memc_send(second->memc, &first);
    loop_turn(1);

    begin(&slow, NGX_SCALE_COPIES_KILL, &key, NULL);

    while (holds(&places[0], "value")) {
        loop_turn(1);
    }

    if (evicted) {
        evict(&places[0]);
    }

    (void) get(&places[0], 5);
    won = op.won;
    token = op.rtoken;

    kill(second->pid, SIGCONT);
    (void) finish(&slow);

    if (won && first.rflags == NGX_SCALE_CACHE_VALUE) {
        (void) set(&places[0], "value", token);
    }

    return !finds_none(&other, &key);
}


static void
a_read_amid_a_kill(void)
{
    ok(!read_amid_a_kill(0), "who reads between two servers of a kill puts "
                             "nothing back");
    setenv("SCALE_WEAK", "tombstone", 1);
    ok(read_amid_a_kill(0), "were there no tombstones he would");

    setenv("SCALE_WEAK", "", 1);
    ok(!read_amid_a_kill(1), "nor where memcached has forgotten a tombstone");
    setenv("SCALE_WEAK", "standing", 1);
    ok(read_amid_a_kill(1), "did nobody look whether they stand he would");

    setenv("SCALE_WEAK", "", 1);
}


static void
wait_until_all_are_in(ngx_scale_zone_cache_t *its, ngx_uint_t n)
{
    ngx_uint_t  i, in, tries;

    for (tries = 0; tries < 500; tries++) {
        in = 0;

        for (i = 0; i < n; i++) {
            in += !ngx_scale_view_is_out(its->words[i]);
        }

        if (in == n) {
            return;
        }

        loop_run(20);
    }
}


static void
one_dies(void)
{
    ngx_str_t          key, made, killed;
    uint64_t           word;
    server_t          *second;
    ngx_uint_t         i, found;
    ngx_scale_place_t  places[2], others[2];

    key = stored(&one, places);
    killed = stored(&one, others);
    second = server_of(&places[1]);
    word = record.words[places[0].spot.home];
    made = new_key();

    stop_server(second);

    for (i = 0, found = 0; i < 20; i++) {
        found += finds(&one, &key, "value");
    }

    ok(found == 20, "one of two servers dies: what it had is found");
    ok(run(&one, NGX_SCALE_COPIES_MAKE, &made, "m") == NGX_SCALE_COPIES_DONE
       && finds(&other, &made, "m"), "a value is made");
    ok(run(&one, NGX_SCALE_COPIES_KILL, &killed, NULL)
       == NGX_SCALE_COPIES_DONE && finds_none(&other, &killed),
       "another is killed");
    ok(run(&one, NGX_SCALE_COPIES_READ, &killed, NULL)
       != NGX_SCALE_COPIES_UNKNOWN, "and it is known to be");

    start_server(second);
    wait_for_servers();
    wait_until_all_are_in(&record, 2);

    ok(finds(&one, &key, "value") && finds(&one, &made, "m")
       && record.words[places[0].spot.home] == word,
       "it is started again, empty, and the other one keeps its stamp");

    places_of(&one, &key, places);
    (void) heals(&one, &key, places);

    stop_server(server_of(&places[0]));
    ok(finds(&one, &key, "value"), "it has got its copy when the other dies");
    ok(finds_none(&one, &killed), "and nothing that was killed");

    start_server(server_of(&places[0]));
    wait_for_servers();
    wait_until_all_are_in(&record, 2);
}


/* it has its memory, and all that it was sent meanwhile */

static void
one_stands_still(void)
{
    uint64_t           word;
    ngx_str_t          key;
    server_t          *second;
    ngx_uint_t         index, early;
    ngx_scale_place_t  places[2];

    key = stored(&one, places);
    second = server_of(&places[1]);
    index = places[1].spot.home;
    word = record.words[index];

    freeze_server(second);

    begin(&one, NGX_SCALE_COPIES_KILL, &key, NULL);
    early = 0;

    while (!one.done) {
        loop_turn(5);
        early += one.done && record.words[index] == word;
    }

    ok(one.copies.result == NGX_SCALE_COPIES_DONE && !early,
       "a server stands still: a kill waits until nobody asks it");

    kill(second->pid, SIGCONT);
    ok(finds_none(&other, &key), "it goes on, and is not asked");
    wait_until_all_are_in(&record, 2);
    ok(holds(&places[1], "value") || is_dead(&places[1]), "with its memory");
    ok(finds_none(&other, &key), "which nobody reaches");

    key = stored(&one, places);
    second = server_of(&places[1]);
    index = places[1].spot.home;
    word = record.words[index];

    freeze_server(second);
    begin(&one, NGX_SCALE_COPIES_KILL, &key, NULL);
    loop_run(100);
    early = one.done && record.words[index] == word;
    kill(second->pid, SIGCONT);

    ok(finish(&one) == NGX_SCALE_COPIES_DONE && !early,
       "for a moment: a kill waits until it answers");
    ok(finds_none(&other, &key), "and it is dead");
    wait_until_all_are_in(&record, 2);
}


static void
patience_ends(void)
{
    ngx_str_t          key;
    ngx_uint_t         i;
    ngx_scale_place_t  places[2];

    key = stored(&one, places);

    freeze_server(server_of(&places[0]));

    begin(&one, NGX_SCALE_COPIES_KILL, &key, NULL);
    one.copies.patience = 1;
    ngx_scale_copies_cancel(&one.copies);
    (void) ngx_scale_copies_start(one.cache, &one.copies);

    ok(finish(&one) == NGX_SCALE_COPIES_UNKNOWN,
       "who has no patience does not know");

    kill(server_of(&places[0])->pid, SIGCONT);
    wait_until_all_are_in(&record, 2);

    for (i = 0; i < 2; i++) {
        stop_server(&servers[i]);
    }

    (void) run(&one, NGX_SCALE_COPIES_KILL, &key, NULL);

    ok(run(&one, NGX_SCALE_COPIES_READ, &key, NULL)
       == NGX_SCALE_COPIES_UNKNOWN, "all are out: nobody knows");
    ok(run(&one, NGX_SCALE_COPIES_KILL, &key, NULL)
       == NGX_SCALE_COPIES_DONE, "and nobody ever will: it is killed");

    for (i = 0; i < 2; i++) {
        start_server(&servers[i]);
    }

    wait_for_servers();
    wait_until_all_are_in(&record, 2);
    ok(run(&one, NGX_SCALE_COPIES_READ, &key, NULL)
       == NGX_SCALE_COPIES_MISSING, "they are back: all is missing");
}


static ngx_uint_t
is_active(void)
{
    return ngx_scale_zone_now() >= shared.slot.active;
}


static void
wait_until_active(void)
{
    do {
        renew();
        loop_run(20);

    } while (!is_active());
}


/* one of the keys, which it leaves, whose second copy is new in the ring */

static ngx_str_t
moved(ngx_str_t *before, ngx_uint_t n, ngx_scale_place_t *places)
{
    ngx_str_t   key;
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        places_of(&far, &before[i], places);

        if (!places[0].early && places[1].early && before[i].len) {
            break;
        }
    }

    key = before[i];
    before[i].len = 0;

    return key;
}


static ngx_uint_t
found_of(ngx_str_t *before, ngx_uint_t n)
{
    ngx_uint_t  i, found;

    for (i = 0, found = 0; i < n; i++) {
        found += before[i].len && finds(&far, &before[i], "value");
    }

    return found;
}


static void
a_ring_changes(void)
{
    ngx_str_t          before[64], key, fresh;
    ngx_uint_t         i, n;
    ngx_scale_place_t  places[2];

    for (i = 0; i < 64; i++) {
        before[i] = new_key();
        (void) run(&far, NGX_SCALE_COPIES_PUT, &before[i], "value");
    }

    (void) ngx_scale_view_change(&view, far.conf.servers.elts, 3,
                                 ngx_scale_zone_random);
    renew();

    ok(found_of(before, 64) == 64 && !is_active(),
       "a server is added: all is found at once");

    key = moved(before, 64, places);
    ok(get(&places[1], 0) == NGX_SCALE_MEMC_EN,
       "nobody fills what readers do not use yet");

    fresh = new_key();
    ok(run(&far, NGX_SCALE_COPIES_PUT, &fresh, "new") == NGX_SCALE_COPIES_DONE
       && finds(&far, &fresh, "new"), "what is put is found");

    evict(&places[0]);
    (void) run(&far, NGX_SCALE_COPIES_READ, &key, NULL);
    ok(far.copies.result == NGX_SCALE_COPIES_MISSING && is_active(),
       "what is not found is missing only when all can be asked");

    wait_until_active();
    n = 0;

    for (i = 0; i < 64; i++) {
        places_of(&far, &before[i], places);
        n += server_of(&places[0]) == &servers[2]
             || server_of(&places[1]) == &servers[2];
    }

    printf("# of 64 keys %lu have a copy on the new server\n",
           (unsigned long) n);
    ok(found_of(before, 64) == 63 && n > 25 && n < 60,
       "the new one is used, nothing is lost");

    (void) ngx_scale_view_change(&view, far.conf.servers.elts, 2,
                                 ngx_scale_zone_random);
    renew();

    key = moved(before, 64, places);
    ok(run(&far, NGX_SCALE_COPIES_KILL, &key, NULL) == NGX_SCALE_COPIES_DONE
       && is_active(),
       "it is removed: a kill waits for those who go by the ring of before");
    ok(finds_none(&far, &key), "then it is dead");

    ok(found_of(before, 64) == 62, "and all others are found");
}


static void
a_ring_is_off(void)
{
    uint64_t           active;
    ngx_str_t          key;
    ngx_uint_t         index;
    ngx_scale_place_t  places[2];

    key = stored(&far, places);
    index = places[0].spot.home;

    view.off = 1;
    view.epoch = ngx_scale_zone_random();
    view.nodes[index].word = ngx_scale_zone_random() | 1;
    renew();

    active = shared.slot.active;
    ok(finds(&far, &key, "value") && ngx_scale_zone_now() < active,
       "a ring is off, and a server out: what the other has is found");
    ok(run(&far, NGX_SCALE_COPIES_KILL, &key, NULL) == NGX_SCALE_COPIES_DONE
       && ngx_scale_zone_now() >= active, "a kill waits for the others");

    key = new_key();
    ok(run(&far, NGX_SCALE_COPIES_PUT, &key, "value")
       == NGX_SCALE_COPIES_DONE && finds(&far, &key, "value"),
       "one is enough");

    view.off = 0;
    view.epoch = ngx_scale_zone_random();
    view.nodes[index].word = ngx_scale_zone_random() & ~(uint64_t) 1;
    renew();
    ok(finds(&far, &key, "value"), "it is on, of another epoch: it is found");

    wait_until_active();

    places_of(&far, &key, places);
    ok(heals(&far, &key, places), "and gets its copy");

    (void) ngx_scale_zone_drop(&shared);
    begin(&far, NGX_SCALE_COPIES_READ, &key, NULL);
    loop_run(50);
    ok(!far.done, "without a lease nobody is asked");
    ok(finish(&far) == NGX_SCALE_COPIES_DONE, "until there is one");
}


static void
copies_differ(void)
{
    ngx_str_t  key;

    key = new_key();
    (void) run(&one, NGX_SCALE_COPIES_PUT, &key, "value");

    begin(&one, NGX_SCALE_COPIES_READ, &key, NULL);
    one.copies.n = 1;

    ok(finish(&one) == NGX_SCALE_COPIES_MISSING,
       "another number of copies is another place");
}


int
main(void)
{
    ngx_uint_t  i;

    pool = loop_init();

    if (mkdtemp(path) == NULL) {
        printf("Bail out! no temporary directory\n");
        return 1;
    }

    for (i = 0; i < SERVERS; i++) {
        create_server(&servers[i], i);
    }

    wait_for_servers();

    shared.shared = 1;

    start_worker(&one, &record, 2, 50);
    start_worker(&other, &record, 2, 50);
    start_worker(&slow, &record, 2, 5000);
    wait_until_all_are_in(&record, 2);

    verbs();
    copies_differ();
    makes();
    touches();
    cancels();
    a_late_repair();
    a_read_amid_a_kill();
    wait_until_all_are_in(&record, 2);
    one_dies();
    one_stands_still();
    patience_ends();

    start_worker(&far, &shared, 3, 50);
    (void) ngx_scale_view_change(&view, far.conf.servers.elts, 2,
                                 ngx_scale_zone_random);
    wait_until_active();

    a_ring_changes();
    a_ring_is_off();

    ngx_scale_cache_destroy(one.cache);
    ngx_scale_cache_destroy(other.cache);
    ngx_scale_cache_destroy(slow.cache);
    ngx_scale_cache_destroy(far.cache);

    for (i = 0; i < SERVERS; i++) {
        ngx_scale_memc_destroy(servers[i].memc);
        stop_server(&servers[i]);
        unlink(servers[i].sun.sun_path);
    }

    rmdir(path);
    ngx_destroy_pool(pool);

    return done();
}
