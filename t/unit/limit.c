/* sources: limit/gcra.c limit/table.c limit/window.c */

#include "limit/limit.h"
#include "test.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>


#define SECOND  ((uint64_t) 1000000000)
#define SIZE    (64 * 1024)

/* of the simulated nodes */
#define NODES   3
#define EVENTS  20000


static ngx_scale_limit_rate_t    rate;
static ngx_scale_limit_table_t  *table;

static uint64_t                  admitted[EVENTS];
static ngx_uint_t                nadmitted;


static ngx_int_t
parse(const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return ngx_scale_limit_rate(&s, &rate);
}


/* as many as a burst and the rate allow, wherever one begins to count */

static ngx_int_t
worst(ngx_uint_t burst)
{
    double      most, excess;
    ngx_uint_t  i, first;

    most = -1e9;
    first = 0;

    for (i = 0; i < nadmitted; i++) {
        excess = i + 1 - first
                 - (double) (admitted[i] - admitted[first]) / rate.interval;
        most = ngx_max(most, excess);

        /* the best beginning of what follows */

        if (excess < 1) {
            first = i;
        }
    }

    return most <= burst + 1e-6;
}


static void
rates(void)
{
    ngx_uint_t   i, wrong;
    const char  *bad[] = { "", "r/s", "0r/s", "-1r/s", "1", "1r", "1r/d",
                           "10r/m ", "1.5r/s", "1000001r/s", "10R/s" };

    ok(parse("10r/s") == NGX_OK && rate.interval == SECOND / 10
       && rate.burst == 10 && rate.count == 10 && rate.period == 1,
       "10r/s is one in 100 ms, ten at once");
    ok(parse("600r/m") == NGX_OK && rate.interval == SECOND / 10
       && rate.burst == 10 && rate.period == 60, "so is 600r/m");
    ok(parse("6r/m") == NGX_OK && rate.interval == 10 * SECOND
       && rate.burst == 1, "6r/m is one in 10 s, one at once");
    ok(parse("1r/h") == NGX_OK && rate.interval == 3600 * SECOND,
       "1r/h is one in an hour");

    wrong = 0;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        wrong += parse(bad[i]) != NGX_DECLINED;
    }

    ok(wrong == 0, "what is no rate is refused");
}


static ngx_int_t
take(uint64_t hash, uint64_t now)
{
    return ngx_scale_limit_take(table, hash, &rate, now);
}


static ngx_uint_t
take_all(uint64_t hash, uint64_t now)
{
    ngx_uint_t  n;

    for (n = 0; n < 1000 && take(hash, now) == NGX_OK; n++) { /* void */ }

    return n;
}


static ngx_uint_t
left(uint64_t hash, uint64_t now, uint64_t *wait)
{
    ngx_scale_limit_state_t  state;

    ngx_scale_limit_state(table, hash, &rate, now, &state);
    *wait = state.wait;

    return state.remaining;
}


static void
keys(void)
{
    uint64_t  now, wait;

    parse("10r/s");
    rate.burst = 5;
    now = 1000 * SECOND;

    ok(left(1, now, &wait) == 5 && wait == 0, "a new key has its burst");
    ok(take_all(1, now) == 5, "which it may take at once");
    ok(left(1, now, &wait) == 0 && wait == SECOND / 10,
       "then none is left, and one comes in 100 ms");
    ok(take(1, now + SECOND / 10 - 1) == NGX_DECLINED
       && take(1, now + SECOND / 10) == NGX_OK, "not sooner");
    ok(left(1, now + SECOND / 10 + 1, &wait) == 0
       && wait == SECOND / 10 - 1, "and the next 100 ms later");
    ok(take_all(2, now) == 5, "another key has its own");
    ok(take_all(1, now + 10 * SECOND) == 5, "a rest brings the burst, no more");

    ngx_scale_limit_return(table, 1, &rate);
    ok(take_all(1, now + 10 * SECOND) == 1, "what is given back is there");

    ngx_scale_limit_raise(table, 1,
                          ngx_scale_limit_gcra_time(&rate, now + 20 * SECOND,
                                                    2 * SECOND, 1),
                          now + 20 * SECOND);
    ok(left(1, now + 20 * SECOND, &wait) == 0 && wait == 2 * SECOND,
       "a key may be told to wait for 2 s");
    ok(take(1, now + 22 * SECOND - 1) == NGX_DECLINED
       && take_all(1, now + 22 * SECOND) == 1, "and has one then");

    ngx_scale_limit_raise(table, 1, now, now + 23 * SECOND);
    ok(left(1, now + 22 * SECOND, &wait) == 0, "but not to have more");
}


static void
crowd(void)
{
    uint64_t    hash, now, wait;
    ngx_uint_t  had;

    now = 5000 * SECOND;

    for (hash = 100; hash < 20100; hash++) {
        take(hash, now + hash);
    }

    had = 0;

    for (hash = 100; hash < 20100; hash++) {
        had += left(hash, now + 20100, &wait) == 4;
    }

    ok(had > 400 && had <= SIZE / 16, "of 20000 keys as many are known as "
                                      "have room");

    had = 0;

    for (hash = 20000; hash < 20100; hash++) {
        had += left(hash, now + 20100, &wait) == 4;
    }

    ok(had == 100, "the newest among them");
    ok(ngx_scale_limit_format(table, 64) == NGX_ERROR,
       "a table of 64 bytes is none");
}


/* at random times, often and seldom, one node */

static void
gcra(void)
{
    uint64_t    now;
    ngx_uint_t  i;

    parse("10r/s");
    now = 10000 * SECOND;
    nadmitted = 0;

    for (i = 0; i < EVENTS; i++) {
        now += random() % (i % 2000 < 1000 ? SECOND / 50 : SECOND / 5);

        if (take(7, now) == NGX_OK) {
            admitted[nadmitted++] = now;
        }
    }

    ok(nadmitted > EVENTS / 3 && worst(10),
       "in no time more than a burst and the rate are admitted");
}


/*
 * What nodes do whose clocks differ by "skew" ms, one after the other; returns
 * what the rate brings while they do.
 */

static ngx_uint_t
window(uint64_t step, ngx_uint_t even, uint64_t skew)
{
    uint64_t                  now, ms, wait;
    ngx_uint_t                i, remaining, refusals;
    ngx_scale_limit_window_t  w;

    static uint64_t  count[EVENTS];

    ngx_memzero(count, sizeof(count));

    now = 100 * SECOND;
    nadmitted = 0;
    refusals = 0;

    for (i = 0; i < EVENTS; i++) {
        now += even ? step : random() % (2 * step);
        ms = now / 1000000 + (i % NODES) * skew;

        ngx_scale_limit_window(&rate, ms, &w);

        if (ngx_scale_limit_window_judge(&w, count[w.number - 1],
                                         ++count[w.number], &remaining, &wait)
            == NGX_OK)
        {
            admitted[nadmitted++] = now;
            continue;
        }

        count[w.number]--;
        refusals += wait == 0 || wait > w.length + 1 || remaining;
    }

    ok(refusals == 0, "who is refused is told to wait for a window at most");

    return (now - 100 * SECOND) / rate.interval;
}


static void
windows(void)
{
    uint64_t                  wait;
    ngx_uint_t                due, remaining;
    ngx_scale_limit_window_t  w;

    parse("10r/s");

    due = window(SECOND / 100, 0, 0);
    ok(worst(11) && nadmitted >= due && nadmitted <= due + 11,
       "windows admit the rate, a burst and one");

    (void) window(SECOND / 10 + 1000000, 1, 0);
    ok(nadmitted == EVENTS, "who keeps to the rate is never refused");

    (void) window(SECOND / 9, 0, 0);
    ok(nadmitted > EVENTS * 9 / 10, "who does on the average, seldom");

    due = window(SECOND / 100, 0, 300);
    ok(worst(21 + 6) && nadmitted >= due * 9 / 10,
       "of clocks that differ the windows overlap");

    due = window(SECOND / 100, 0, 2500);
    ok(worst(21 + 50) && nadmitted <= due + 21 + 50,
       "once: clocks that differ by seconds keep the rate");

    parse("2r/s");
    rate.burst = 1;

    due = window(SECOND / 100, 0, 0);
    ok(worst(3) && nadmitted + 3 >= due, "a small burst is one of a second");

    parse("10r/s");
    ngx_scale_limit_window(&rate, 50250, &w);

    ok(w.number == 50 && w.elapsed == 250 && w.length == 1000 && w.limit == 10,
       "10r/s is ten in a second");
    ok(ngx_scale_limit_window_judge(&w, 0, 1, &remaining, &wait) == NGX_OK
       && remaining == 9, "the first one leaves nine");
    ok(ngx_scale_limit_window_judge(&w, 10, 1, &remaining, &wait) == NGX_OK
       && remaining == 1, "after ten in the window before one is left");
    ok(ngx_scale_limit_window_judge(&w, 10, 4, &remaining, &wait)
       == NGX_DECLINED && wait == 51, "then one comes in 51 ms");
    ok(ngx_scale_limit_window_judge(&w, 0, 11, &remaining, &wait)
       == NGX_DECLINED && wait == 751, "of a full window, in the next one");
    ok(ngx_scale_limit_window_judge(&w, 0, 5000, &remaining, &wait)
       == NGX_DECLINED && wait == 751, "however many are being refused");
}


/* two processes take from the same keys, one of which is killed and replaced */

static pid_t
worker(ngx_atomic_t *taken)
{
    pid_t     pid;
    uint64_t  hash;

    pid = fork();

    if (pid) {
        return pid;
    }

    prctl(PR_SET_PDEATHSIG, SIGKILL);

    for ( ;; ) {
        for (hash = 1; hash <= 8; hash++) {
            if (take(hash, 20000 * SECOND) == NGX_OK) {
                (void) ngx_atomic_fetch_add(taken, 1);
            }
        }
    }
}


static void
together(void)
{
    pid_t          pid[2];
    uint64_t       wait;
    ngx_uint_t     i, gone;
    ngx_atomic_t  *taken;

    taken = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                 -1, 0);

    parse("1r/h");
    rate.interval = 1000;
    rate.burst = 100000;

    pid[0] = worker(taken);
    pid[1] = worker(taken);

    for (i = 0; i < 20; i++) {
        ngx_msleep(5);
        kill(pid[i % 2], SIGKILL);
        waitpid(pid[i % 2], NULL, 0);
        pid[i % 2] = worker(taken);
    }

    do {
        ngx_msleep(5);
        gone = 0;

        for (i = 1; i <= 8; i++) {
            gone += left(i, 20000 * SECOND, &wait) == 0;
        }

    } while (gone < 8);

    for (i = 0; i < 2; i++) {
        kill(pid[i], SIGKILL);
        waitpid(pid[i], NULL, 0);
    }

    /* killed between the taking and its counting here */

    ok(*taken <= 800000 && *taken + 22 >= 800000,
       "workers that are killed neither lose nor find any");
}


int
main(void)
{
    table = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                 -1, 0);

    ok(ngx_scale_limit_format(table, SIZE) == NGX_OK, "a table is made");

    rates();
    keys();
    gcra();
    windows();
    together();

    parse("10r/s");
    rate.burst = 5;
    crowd();

    return done();
}
