/* sources: cache/ring.c */

#include "cache/ring.h"
#include "test.h"
#include <libmemcached/memcached.h>


#define KEYS  10000


static ngx_pool_t  *pool;


static ngx_scale_ring_server_t  mixed[] = {
    { ngx_string("mc-1.example"), 11211, 1 },
    { ngx_string("mc-2.example"), 11211, 2 },
    { ngx_string("mc-3.example"), 11311, 5 },
    { ngx_string("10.0.0.4"), 11211, 1 },
    { ngx_string("/run/memcached.sock"), 0, 2 },
    { ngx_string("[2001:db8::5]"), 11211, 3 }
};

#define MIXED  (sizeof(mixed) / sizeof(mixed[0]))


static ngx_str_t
nth_key(ngx_uint_t n)
{
    ngx_str_t      key;
    static u_char  buf[64];

    key.data = buf;
    key.len = ngx_sprintf(buf, "post:%ui", n * 7919) - buf;

    return key;
}


/*
 * As an application would set up its own client, by option string; the grammar
 * of which has no IPv6 addresses.
 */

static memcached_st *
plain_client(void)
{
    memcached_st  *client;

    static const char  options[] = "--SERVER=mc-1.example:11211/?1 "
                                   "--SERVER=mc-2.example:11211/?2 "
                                   "--SERVER=mc-3.example:11311/?5 "
                                   "--SERVER=10.0.0.4:11211/?1 "
                                   "--SOCKET=\"/run/memcached.sock\"/?2";

    client = memcached(options, strlen(options));

    if (client) {
        memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    }

    return client;
}


/* server by server */

static memcached_st *
called_client(void)
{
    ngx_uint_t     i;
    memcached_st  *client;

    client = memcached_create(NULL);

    for (i = 0; i < MIXED; i++) {
        if (mixed[i].port) {
            memcached_server_add_with_weight(client,
                                             (char *) mixed[i].host.data,
                                             mixed[i].port, mixed[i].weight);
        } else {
            memcached_server_add_unix_socket_with_weight(client,
                                                  (char *) mixed[i].host.data,
                                                  mixed[i].weight);
        }
    }

    memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);

    return client;
}


static void
agrees(memcached_st *client, ngx_uint_t n, const char *title)
{
    ngx_str_t                     key;
    ngx_uint_t                    i, node, differ;
    memcached_return_t            rc;
    ngx_scale_ring_t             *ring;
    const memcached_instance_st  *instance;

    if (client == NULL || memcached_server_count(client) != n) {
        ok(0, title);
        return;
    }

    ring = ngx_scale_ring_create(pool, mixed, n);
    differ = 0;

    for (i = 0; i < KEYS; i++) {
        key = nth_key(i);
        node = ngx_scale_ring_node(ring, &key);
        instance = memcached_server_by_key(client, (char *) key.data, key.len,
                                           &rc);

        differ += instance == NULL || node >= n
                  || strcmp(memcached_server_name(instance),
                            (char *) mixed[node].host.data) != 0;
    }

    ok(differ == 0, title);

    if (differ) {
        printf("# %lu of %d keys\n", (unsigned long) differ, KEYS);
    }

    memcached_free(client);
}


static void
weights(void)
{
    ngx_str_t          key;
    ngx_uint_t         i, share[MIXED], wrong;
    ngx_scale_ring_t  *ring;

    ring = ngx_scale_ring_create(pool, mixed, MIXED);
    ngx_memzero(share, sizeof(share));

    for (i = 0; i < KEYS; i++) {
        key = nth_key(i);
        share[ngx_scale_ring_node(ring, &key)]++;
    }

    wrong = 0;

    for (i = 0; i < MIXED; i++) {                  /* of 14 in all */
        wrong += share[i] < KEYS * mixed[i].weight / 14 * 7 / 10
                 || share[i] > KEYS * mixed[i].weight / 14 * 13 / 10;
    }

    ok(wrong == 0, "each server has its weight's share, within 30 %");
}


static void
growth(void)
{
    ngx_str_t          key;
    ngx_uint_t         i, before, after, moved, astray;
    ngx_scale_ring_t  *small, *large;

    small = ngx_scale_ring_create(pool, mixed, MIXED - 1);
    large = ngx_scale_ring_create(pool, mixed, MIXED);
    moved = 0;
    astray = 0;

    for (i = 0; i < KEYS; i++) {
        key = nth_key(i);
        before = ngx_scale_ring_node(small, &key);
        after = ngx_scale_ring_node(large, &key);

        moved += before != after;
        astray += before != after && after != MIXED - 1;
    }

    ok(moved > KEYS / 14 && moved < KEYS / 3 && astray < KEYS / 20,
       "a server more takes its share, and hardly a key moves elsewhere");

    printf("# %lu moved, %lu of them to another server\n",
           (unsigned long) moved, (unsigned long) astray);
}


static void
keys(void)
{
    u_char             odd[300];
    ngx_str_t          key;
    ngx_uint_t         wrong;
    ngx_scale_ring_t  *ring;

    ring = ngx_scale_ring_create(pool, mixed, MIXED);
    ngx_memset(odd, 0xff, sizeof(odd));
    odd[7] = ' ';

    key.data = odd;
    wrong = 0;

    for (key.len = 0; key.len <= sizeof(odd); key.len++) {
        wrong += ngx_scale_ring_node(ring, &key) >= MIXED;
    }

    ok(wrong == 0, "a key that memcached would refuse, or none, has a place");

    ring = ngx_scale_ring_create(pool, mixed, 1);
    key = nth_key(1);
    ok(ngx_scale_ring_node(ring, &key) == 0, "the only server has every key");
}


int
main(void)
{
    ngx_log_t  log;

    ngx_memzero(&log, sizeof(ngx_log_t));
    pool = ngx_create_pool(4096, &log);

    agrees(plain_client(), MIXED - 1, "a client made of an option string "
                                      "finds the server of 10000 keys");
    agrees(called_client(), MIXED, "and so does one that was told server by "
                                   "server, an IPv6 one among them");

    weights();
    growth();
    keys();

    ngx_destroy_pool(pool);

    return done();
}
