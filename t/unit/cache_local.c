/* sources: cache/local.c cache/checksum.c */

#include "cache/local.h"
#include "test.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>


#define SIZE     NGX_SCALE_LOCAL_MIN_SIZE
#define NOW      1000000
#define LIFE     60000
#define KEYS     48                    /* of the stress */
#define WORKERS  4
#define SECONDS  4


static u_char             *memory;
static ngx_scale_local_t   local;
static u_char              value[NGX_SCALE_LOCAL_MAX_VALUE];
static u_char              got[NGX_SCALE_LOCAL_MAX_VALUE];


static void
fresh(void)
{
    (void) ngx_scale_local_format(memory, SIZE, 42);
    ngx_scale_local_open(&local, memory);
}


static ngx_scale_local_meta_t
meta_of(uint64_t hash, size_t len)
{
    ngx_scale_local_meta_t  meta;

    meta.hash = hash;
    meta.generation = ngx_scale_local_generation(&local, hash);
    meta.word = 7;
    meta.sent = NOW;
    meta.life = LIFE;
    meta.len = len;
    meta.node = 3;

    return meta;
}


static ngx_int_t
store(uint64_t hash, const char *text)
{
    ngx_scale_local_meta_t  meta;

    meta = meta_of(hash, strlen(text));

    return ngx_scale_local_store(&local, &meta, (u_char *) text);
}


static ngx_int_t
find_at(uint64_t hash, uint64_t now, uint64_t age)
{
    ngx_scale_local_found_t  found;

    return ngx_scale_local_find(&local, hash, now, age, &found);
}


/* what is found, or "-" */

static const char *
text_of(uint64_t hash)
{
    ngx_scale_local_found_t  found;

    if (ngx_scale_local_find(&local, hash, NOW, 0, &found) != NGX_OK
        || ngx_scale_local_take(&local, &found, got) != NGX_OK)
    {
        return "-";
    }

    got[found.meta.len] = '\0';

    return (char *) got;
}


static ngx_uint_t
is_text(uint64_t hash, const char *text)
{
    return strcmp(text_of(hash), text) == 0;
}


static uint64_t
hash_of(const char *name)
{
    ngx_str_t  key;

    key.data = (u_char *) name;
    key.len = strlen(name);

    return ngx_scale_local_hash(&local, 'c', &key);
}


static void
basics(void)
{
    u_char                    *moved;
    uint64_t                   a, b;
    ngx_str_t                  key = ngx_string("a");
    ngx_scale_local_found_t    found;

    ok(ngx_scale_local_format(memory, SIZE - 1, 1) == NGX_ERROR,
       "too few bytes are refused");

    fresh();
    a = hash_of("a");
    b = hash_of("b");

    ok(is_text(a, "-"), "a new tier is empty");
    ok(store(a, "one") == NGX_OK && is_text(a, "one"), "stored and found");
    ok(is_text(b, "-"), "another key is not");
    ok(ngx_scale_local_hash(&local, 't', &key) != a,
       "a tag of the same name is another key");

    ok(ngx_scale_local_find(&local, a, NOW, 0, &found) == NGX_OK
       && found.meta.word == 7 && found.meta.node == 3
       && found.meta.sent == NOW && !found.old, "with what belongs to it");

    store(a, "two");
    ok(is_text(a, "two"), "the later one replaces it");
    ok(store(b, "") == NGX_OK && is_text(b, ""), "a value may be empty");

    moved = mmap(NULL, SIZE, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    ngx_memcpy(moved, memory, SIZE);
    ngx_scale_local_open(&local, moved);
    ok(is_text(a, "two"), "the memory may be mapped anywhere");
    munmap(moved, SIZE);
}


static void
times(void)
{
    uint64_t  a;

    fresh();
    a = hash_of("a");
    store(a, "one");

    ok(find_at(a, NOW + LIFE - 1, 0) == NGX_OK, "a record lives for its time");
    ok(find_at(a, NOW + LIFE, 0) == NGX_DECLINED, "and no longer");
    ok(find_at(a, NOW + 19, 20) == NGX_OK, "a lease of 20 ms lives for 19");
    ok(find_at(a, NOW + 20, 20) == NGX_AGAIN, "and ends at 20");
    ok(find_at(a, NOW + LIFE, 20) == NGX_DECLINED,
       "a record that is over is not under a lease that is");
    ok(find_at(a, NOW - 1, 20) == NGX_OK,
       "a reader's clock may be behind the writer's");

    ok(ngx_scale_local_turn(&local, a, NOW, 20) == NGX_OK, "a turn to ask");
    ok(ngx_scale_local_turn(&local, a, NOW + 19, 20) == NGX_DECLINED
       && ngx_scale_local_turn(&local, a, NOW - 1, 20) == NGX_DECLINED,
       "is one's alone for 20 ms");
    ok(ngx_scale_local_turn(&local, a, NOW + 20, 20) == NGX_OK,
       "then another's");
}


/* every order of a read's and a write's steps */

static void
generations(void)
{
    uint64_t                a, b;
    ngx_scale_local_meta_t  meta;

    fresh();
    a = hash_of("a");
    meta = meta_of(a, 3);

    store(a, "old");
    ngx_scale_local_remove(&local, a);
    ok(is_text(a, "-"), "noted, stored, removed: gone");

    ok(ngx_scale_local_store(&local, &meta, (u_char *) "old") == NGX_DECLINED
       && is_text(a, "-"), "noted, removed, stored: not stored");

    store(a, "new");
    ok(is_text(a, "new"), "removed, noted, stored: found");

    ok(ngx_scale_local_store(&local, &meta, (u_char *) "old") == NGX_DECLINED
       && is_text(a, "new"), "a late store does not displace it");

    b = a ^ (uint64_t) 1 << 40;
    ok(is_text(b, "-"), "a key that differs only behind the tag is another");
    store(b, "beside");
    ok(is_text(b, "beside") && is_text(a, "-"), "and takes its place");

    b = a ^ (uint64_t) 1 << 63;
    store(a, "new");
    store(b, "beside");
    ok(is_text(b, "beside") && is_text(a, "new"),
       "two keys of one set are told apart");

    ngx_scale_local_remove(&local, b);
    ok(is_text(a, "-") && is_text(b, "-"),
       "keys that share a generation go together");

    store(a, "new");
    ok(is_text(a, "new"), "and come back one by one");
}


static void
damage(void)
{
    size_t                    i, wrong;
    uint64_t                  a;
    ngx_scale_local_found_t   found;

    fresh();
    a = hash_of("a");
    store(a, "0123456789abcdef-0123456789");
    (void) ngx_scale_local_find(&local, a, NOW, 0, &found);

    /* the record: its header before the value, and nothing behind */

    for (wrong = 0, i = 0; i < 8 * (64 + 27); i++) {
        found.value[(ssize_t) i / 8 - 64] ^= 1 << i % 8;
        wrong += !is_text(a, "-");
        found.value[(ssize_t) i / 8 - 64] ^= 1 << i % 8;
    }

    ok(wrong == 0, "a record with any one bit turned is not found");
    ok(is_text(a, "0123456789abcdef-0123456789"), "and the record itself is");
}


/* stores other keys until the head has moved by so many bytes, or more */

static void
push(size_t bytes)
{
    size_t                   done;
    ngx_scale_local_meta_t   meta;

    static uint64_t  n = 0x100000;

    for (done = 0; done < bytes; done += 1024) {
        meta = meta_of(++n * 0x9e3779b97f4a7c15u, 1024 - 64);
        (void) ngx_scale_local_store(&local, &meta, value);
    }
}


static void
round_the_ring(void)
{
    u_char                    *place, saved[16 + 64];
    uint64_t                   a, steps;
    ngx_scale_local_found_t    found, later;

    fresh();
    a = hash_of("a");
    store(a, "the first of a");
    (void) ngx_scale_local_find(&local, a, NOW, 0, &found);

    push(local.ring_size / 2);
    ok(is_text(a, "the first of a"), "half a ring later it is there");

    push(local.ring_size / 4 + 4096);
    (void) ngx_scale_local_find(&local, a, NOW, 0, &later);
    ok(later.old, "in the last quarter it is old");

    push(local.ring_size / 4);
    ok(is_text(a, "-"), "a whole ring later it is gone");
    ok(ngx_scale_local_take(&local, &found, got) == NGX_DECLINED,
       "and who had found it does not get it");

    /* a writer stopped in the middle and woken a ring later */

    fresh();
    store(a, "the first of a");
    (void) ngx_scale_local_find(&local, a, NOW, 0, &found);
    place = found.value - 64;
    ngx_memcpy(saved, place, 64 + 14);

    for (steps = 0; steps < 100000; steps++) {
        store(a, "the other of a");
        (void) ngx_scale_local_find(&local, a, NOW, 0, &later);

        if (later.value == found.value) {
            break;
        }
    }

    ok(later.value == found.value && is_text(a, "the other of a"),
       "a later record of the key in the same place");

    ngx_memcpy(got, place, 64 + 14);
    ngx_memcpy(place + 64, saved + 64, 14);
    ok(is_text(a, "-"), "the value of the first with its header: not found");
    ngx_memcpy(place, saved, 64);
    ok(is_text(a, "-"), "all of the first in its place: not found");
}


static void
crowd(void)
{
    size_t                    n, i, there, wrong, len;
    uint64_t                  hash;
    ngx_scale_local_meta_t    meta;
    ngx_scale_local_found_t   found;

    fresh();
    there = 0;
    wrong = 0;

    for (n = 1; n < 20000; n++) {
        hash = n * 0x9e3779b97f4a7c15u;
        len = n % 2000;

        for (i = 0; i < len; i++) {
            value[i] = (u_char) (n + i);
        }

        meta = meta_of(hash, len);
        (void) ngx_scale_local_store(&local, &meta, value);

        hash = (n - n % 100) * 0x9e3779b97f4a7c15u;

        if (ngx_scale_local_find(&local, hash, NOW, 0, &found) != NGX_OK
            || ngx_scale_local_take(&local, &found, got) != NGX_OK)
        {
            continue;
        }

        there++;

        for (i = 0; i < found.meta.len; i++) {
            wrong += got[i] != (u_char) (n - n % 100 + i);
        }
    }

    ok(wrong == 0, "20000 values in the room of 200: none is another's");
    ok(there > 19000, "and the last hundred are there");

    meta = meta_of(1, NGX_SCALE_LOCAL_MAX_VALUE);
    ok(ngx_scale_local_store(&local, &meta, value) == NGX_OK
       && find_at(1, NOW, 0) == NGX_OK, "the largest value");
    meta = meta_of(2, NGX_SCALE_LOCAL_MAX_VALUE + 1);
    ok(ngx_scale_local_store(&local, &meta, value) == NGX_DECLINED,
       "one that is larger is not stored");
}


static void
admission(void)
{
    size_t    n, admitted;
    uint64_t  a, hash;

    fresh();
    a = hash_of("a");

    ngx_scale_local_miss(&local, a);
    ok(!ngx_scale_local_admits(&local, a), "missed once: not admitted");
    ngx_scale_local_miss(&local, a);
    ok(ngx_scale_local_admits(&local, a), "missed twice: admitted");

    admitted = 0;

    for (n = 1; n <= 100000; n++) {
        hash = n * 0x9e3779b97f4a7c15u;
        ngx_scale_local_miss(&local, hash);
        admitted += ngx_scale_local_admits(&local, hash);
    }

    printf("# %lu of 100000\n", (unsigned long) admitted);
    ok(admitted < 10000, "of keys that are asked for once few are admitted");
    ok(!ngx_scale_local_admits(&local, a), "and the others are forgotten");
}


/*
 * Processes that read, write and fill, one of which is killed, or stopped for
 * a while, again and again.  The database is an array.
 */

typedef struct {
    ngx_atomic_t  row[KEYS];
    ngx_atomic_t  acknowledged[KEYS];
    ngx_atomic_t  hits;
    ngx_atomic_t  stores;
    ngx_atomic_t  writes;
    ngx_atomic_t  wrong;
    ngx_atomic_t  stale;
} stress_t;


static stress_t  *stress;


static size_t
make(uint64_t key, uint64_t version)
{
    size_t  i, len;

    len = 16 + (key * 37 + version * 11) % 6000;

    ngx_memcpy(value, &key, 8);
    ngx_memcpy(value + 8, &version, 8);

    for (i = 16; i < len; i++) {
        value[i] = (u_char) (key * 31 + version * 7 + i);
    }

    return len;
}


static void
stress_write(uint64_t key, uint64_t hash)
{
    uint64_t  version, last;

    version = ngx_atomic_fetch_add(&stress->row[key], 1) + 1;

    ngx_scale_local_remove(&local, hash);

    do {
        last = stress->acknowledged[key];
    } while (last < version
             && !ngx_atomic_cmp_set(&stress->acknowledged[key], last,
                                    version));

    (void) ngx_atomic_fetch_add(&stress->writes, 1);
}


static void
stress_fill(uint64_t key, uint64_t hash)
{
    ngx_scale_local_meta_t  meta;

    meta = meta_of(hash, 0);
    meta.len = make(key, stress->row[key]);

    if (random() % 8 == 0) {
        sched_yield();
    }

    if (ngx_scale_local_store(&local, &meta, value) == NGX_OK) {
        (void) ngx_atomic_fetch_add(&stress->stores, 1);
    }
}


static void
stress_read(uint64_t key, uint64_t hash)
{
    size_t                    len;
    uint64_t                  floor, version;
    ngx_scale_local_found_t   found;

    floor = stress->acknowledged[key];

    if (ngx_scale_local_find(&local, hash, NOW, 0, &found) != NGX_OK
        || ngx_scale_local_take(&local, &found, got) != NGX_OK)
    {
        stress_fill(key, hash);
        return;
    }

    ngx_memcpy(&version, got + 8, 8);
    len = make(key, version);

    if (found.meta.len != len || ngx_memcmp(got, value, len) != 0) {
        (void) ngx_atomic_fetch_add(&stress->wrong, 1);

    } else if (version < floor) {
        (void) ngx_atomic_fetch_add(&stress->stale, 1);
    }

    (void) ngx_atomic_fetch_add(&stress->hits, 1);
}


static pid_t
stress_worker(void)
{
    pid_t     pid;
    char      name[32];
    uint64_t  key, hash;

    pid = fork();

    if (pid) {
        return pid;
    }

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    srandom(getpid());
    ngx_scale_local_open(&local, memory);

    for ( ;; ) {
        key = random() % KEYS;
        snprintf(name, sizeof(name), "key %d", (int) key);
        hash = hash_of(name);

        switch (random() % 16) {

        case 0:
            stress_write(key, hash);
            break;

        case 1:
        case 2:
            stress_fill(key, hash);
            break;

        default:
            stress_read(key, hash);
        }
    }
}


static double
seconds(void)
{
    struct timeval  tv;

    gettimeofday(&tv, NULL);

    return tv.tv_sec + tv.tv_usec / 1e6;
}


static void
under_stress(void)
{
    pid_t         pids[WORKERS];
    double        end;
    ngx_uint_t    i, kills;
    ngx_atomic_t  before;

    fresh();
    srandom(1);
    kills = 0;

    for (i = 0; i < WORKERS; i++) {
        pids[i] = stress_worker();
    }

    for (end = seconds() + SECONDS; seconds() < end; kills++) {
        usleep(1000 + random() % 8000);
        i = random() % WORKERS;

        if (random() % 2) {
            kill(pids[i], SIGSTOP);
            usleep(random() % 20000);
            kill(pids[i], SIGCONT);
            continue;
        }

        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
        pids[i] = stress_worker();
    }

    before = stress->hits;
    usleep(200000);
    ok(stress->hits > before + 1000, "the workers that live go on");

    for (i = 0; i < WORKERS; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }

    printf("# %lu hits, %lu stores, %lu writes, %lu killed or stopped\n",
           (unsigned long) stress->hits, (unsigned long) stress->stores,
           (unsigned long) stress->writes, (unsigned long) kills);

    ok(kills > 100, "one is killed or stopped at any point, often");
    ok(stress->wrong == 0, "no value is another's, or broken");
    ok(stress->stale == 0, "none is older than what was acknowledged");
}


/* what a hit of 1 KB costs; no judgement: machines differ, sanitizers more */

static void
cost(void)
{
    double                    begin;
    uint64_t                  a;
    ngx_uint_t                i;
    ngx_scale_local_meta_t    meta;
    ngx_scale_local_found_t   found;

    fresh();
    a = hash_of("a");
    meta = meta_of(a, 1100);
    (void) ngx_scale_local_store(&local, &meta, value);

    begin = seconds();

    for (i = 0; i < 200000; i++) {
        (void) ngx_scale_local_find(&local, a, NOW, 0, &found);
        (void) ngx_scale_local_take(&local, &found, got);
    }

    printf("# a hit of 1100 bytes: %.0f ns\n",
           (seconds() - begin) / 200000 * 1e9);
}


int
main(void)
{
    memory = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                  -1, 0);
    stress = mmap(NULL, sizeof(stress_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || stress == MAP_FAILED) {
        printf("Bail out! no memory\n");
        return 1;
    }

    basics();
    times();
    generations();
    damage();
    round_the_ring();
    crowd();
    admission();
    under_stress();
    cost();

    return done();
}
