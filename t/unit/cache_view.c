/* sources: cache/view.c cache/view_parse.c cache/layout.c cache/ring.c cache/rank.c cache/key.c cache/checksum.c */

#include "cache/layout.h"
#include "test.h"
#include <time.h>


#define KEYS  4000


typedef const char  *row_t[5];


static ngx_pool_t          *pool;
static ngx_scale_view_t     view;
static ngx_scale_layout_t   layout;
static ngx_scale_spot_t     before[KEYS];


static ngx_int_t
get_cell(ngx_scale_rows_t *rows, ngx_uint_t row, ngx_uint_t column,
    ngx_str_t *cell)
{
    row_t  *table = rows->data;

    if (table[row][column] == NULL) {
        return NGX_DECLINED;
    }

    cell->data = (u_char *) table[row][column];
    cell->len = strlen(table[row][column]);

    return NGX_OK;
}


static ngx_int_t
parse(row_t *table, ngx_uint_t n)
{
    ngx_str_t         reason;
    ngx_scale_rows_t  rows;

    ngx_memzero(&rows, sizeof(ngx_scale_rows_t));

    rows.nrows = n;
    rows.get = get_cell;
    rows.data = table;

    return ngx_scale_view_parse(&view, &rows, &reason);
}


static ngx_str_t
nth_key(ngx_uint_t n)
{
    ngx_str_t      key;
    static u_char  buf[64];

    key.data = buf;
    key.len = ngx_sprintf(buf, "post:%ui", n * 7919) - buf;

    return key;
}


static void
find(ngx_uint_t n, ngx_scale_spot_t *spot)
{
    ngx_str_t  key;

    key = nth_key(n);

    ngx_scale_layout_find(&layout, NGX_SCALE_CACHE_ROOM_CONTENT, &key, spot);
}


static void
remember(void)
{
    ngx_uint_t  i;

    for (i = 0; i < KEYS; i++) {
        find(i, &before[i]);
    }
}


static row_t  grown[] = {
    { "ring", "", "0", "on", "77" },
    { "node", "10.0.0.1:11211", "1", "in", "101" },
    { "node", "10.0.0.2", "2", "in", "102" },
    { "node", "unix:/run/mc.sock", "1", "in", "103" },
    { "node", "[2001:db8::4]:11311", "1", "in", "104" },
    { "gutter", "localhost:11411", "1", "in", "105" },
    { "version", "10.0.0.1:11211=1 10.0.0.2=2 unix:/run/mc.sock=1"
                 " [2001:db8::4]:11311=1", "0", "", "901" },
    { "version", "10.0.0.1:11211=1 10.0.0.2=2 unix:/run/mc.sock=1"
                 " 10.9.9.9:1=3", "0", "", "900" }
};

#define ROWS  (sizeof(grown) / sizeof(grown[0]))


static void
parsed(void)
{
    in_port_t               port;
    ngx_str_t               host;
    ngx_scale_view_node_t  *node;

    ok(parse(grown, ROWS) == NGX_OK, "a view of all kinds of rows is parsed");
    ok(view.epoch == 77 && !view.off && view.nnodes == 6
       && view.nversions == 2, "with its epoch, nodes and versions");

    node = &view.nodes[1];
    ok(node->word == 204 && node->weight == 2
       && node->role == NGX_SCALE_VIEW_MEMBER
       && node->sockaddr.sockaddr_in.sin_port == htons(11211),
       "a node without a port has memcached's");
    ok(view.nodes[2].sockaddr.sockaddr.sa_family == AF_UNIX
       && strcmp(view.nodes[2].sockaddr.sockaddr_un.sun_path, "/run/mc.sock")
          == 0, "a unix domain socket is one");
    ok(view.nodes[3].sockaddr.sockaddr_in6.sin6_port == htons(11311),
       "as is an IPv6 address");
    ok(view.nodes[4].sockaddr.sockaddr_in.sin_addr.s_addr
       == htonl(INADDR_LOOPBACK), "localhost needs no resolver");
    ok(view.nodes[5].role == NGX_SCALE_VIEW_PAST,
       "a node of an older version only is known");

    ngx_scale_view_split((u_char *) "[2001:db8::4]:11311", 19, &host, &port);
    is_str(host, "[2001:db8::4]", "an IPv6 literal keeps its brackets");

    ngx_scale_view_split((u_char *) "[2001:db8::4]", 13, &host, &port);
    ok(host.len == 13 && port == 11211, "and its own colons");
}


static void
refused(void)
{
    ngx_uint_t  i;
    row_t       many[70];

    static char  names[70][16];

    static row_t  odd[][1] = {
        { { "thing", "", "0", "", "1" } },
        { { "node", "db.example:1", "1", "in", "1" } },
        { { "node", "10.0.0.1:1", "0", "in", "1" } },
        { { "node", "10.0.0.1:1", "1", "in", "x" } },
        { { "node", "", "1", "in", "1" } },
        { { "node", "10.0.0.1:1", NULL, "in", "1" } },
        { { "version", "10.0.0.1:1", "0", "", "1" } },
        { { "version", "10.0.0.1:1=", "0", "", "1" } }
    };

    static const char  *titles[] = {
        "a row of another kind is refused", "so is a name",
        "a weight of none", "a stamp that is no number", "an empty address",
        "a missing column", "a member without a weight", "or an empty one"
    };

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        ok(parse(odd[i], 1) == NGX_ERROR, titles[i]);
    }

    for (i = 0; i < 65; i++) {
        sprintf(names[i], "10.0.0.%d:1", (int) i);
        ngx_memcpy(many[i], grown[1], sizeof(row_t));
        many[i][1] = names[i];
    }

    ok(parse(many, 64) == NGX_OK, "64 nodes are a view");
    ok(parse(many, 65) == NGX_ERROR, "65 are not");
    ok(parse(many, 0) == NGX_OK && view.off, "no row is a ring that is off");
}


static void
placed(void)
{
    ngx_uint_t        i, same, cold, lost, elsewhere;
    ngx_scale_spot_t  spot;

    parse(&grown[0], ROWS);
    view.nversions = 1;
    view.versions[0] = view.versions[1];
    ngx_scale_layout_init(&layout, pool, &view, NULL);
    remember();

    parse(grown, ROWS);
    ngx_scale_layout_init(&layout, pool, &view, NULL);

    same = 0;
    cold = 0;
    lost = 0;

    for (i = 0; i < KEYS; i++) {
        find(i, &spot);

        if (spot.stamp == before[i].stamp) {
            same++;
            lost += spot.node != before[i].node;

        } else {
            cold++;
            lost += spot.node == before[i].node;
        }
    }

    ok(lost == 0, "a key keeps its stamp if and only if it keeps its node");
    ok(same > KEYS / 3 && cold > KEYS / 5, "some do, some do not");

    remember();
    layout.own[1] |= 1;
    elsewhere = 0;
    same = 0;

    for (i = 0; i < KEYS; i++) {
        find(i, &spot);

        if (before[i].node == 1) {
            elsewhere += spot.node == 4 && spot.home == 1
                         && spot.stamp != before[i].stamp;
        } else {
            same += spot.stamp == before[i].stamp;
        }

        lost += ngx_scale_layout_has_changed(&layout, &before[i])
                != (before[i].node == 1);
    }

    ok(elsewhere > KEYS / 5 && elsewhere + same == KEYS,
       "the keys of a node that is out are the gutter's, under other stamps");
    ok(lost == 0, "who asked before sees that it has changed");

    layout.own[4] |= 1;
    find(0, &spot);

    for (i = 0; spot.home != 1; i++) {
        find(i, &spot);
    }

    ok(spot.node == NGX_SCALE_LAYOUT_NOWHERE && spot.stamp == 0,
       "if that is out, too, they are nowhere");

    view.off = 1;
    find(0, &spot);
    ok(spot.node == NGX_SCALE_LAYOUT_NOWHERE, "as all are when it is off");
}


/* leaves, and comes back: another version, another stamp */

static void
returned(void)
{
    ngx_uint_t        i, moved, wrong;
    ngx_scale_spot_t  spot;

    static row_t  back[] = {
        { "ring", "", "0", "on", "77" },
        { "node", "10.0.0.1:1", "1", "in", "101" },
        { "node", "10.0.0.2:1", "1", "in", "102" },
        { "version", "10.0.0.1:1=1 10.0.0.2:1=1", "0", "", "903" },
        { "version", "10.0.0.1:1=1", "0", "", "902" },
        { "version", "10.0.0.1:1=1 10.0.0.2:1=1", "0", "", "901" }
    };

    parse(back, 3);
    view.nversions = 1;
    view.versions[0].n = 2;
    view.versions[0].nodes[1] = 1;
    view.versions[0].weights[0] = view.versions[0].weights[1] = 1;
    view.versions[0].stamp = 901;
    ngx_scale_layout_init(&layout, pool, &view, NULL);
    remember();

    parse(back, 6);
    ngx_scale_layout_init(&layout, pool, &view, NULL);
    moved = 0;
    wrong = 0;

    for (i = 0; i < KEYS; i++) {
        find(i, &spot);

        wrong += spot.node != before[i].node
                 || (spot.node == 1) != (spot.stamp != before[i].stamp);
        moved += spot.node == 1;
    }

    ok(wrong == 0 && moved > KEYS / 3,
       "keys that went and came back have another stamp, others their own");
}


static ngx_uint_t
copies_of(ngx_uint_t nth, ngx_scale_spot_t *spots, ngx_uint_t n)
{
    ngx_str_t  key;

    key = nth_key(nth);

    return ngx_scale_layout_copies(&layout, &key, spots, n);
}


/* a node has left and another one has come */

static void
copied(void)
{
    ngx_uint_t               i, k, found, kept, wrong, lost;
    ngx_scale_spot_t         spots[2];
    static ngx_scale_spot_t  former[KEYS][2];

    parse(grown, ROWS);
    view.nversions = 1;
    view.versions[0] = view.versions[1];
    ngx_scale_layout_init(&layout, pool, &view, NULL);

    for (i = 0; i < KEYS; i++) {
        (void) copies_of(i, former[i], 2);
    }

    parse(grown, ROWS);
    ngx_scale_layout_init(&layout, pool, &view, NULL);

    wrong = 0;
    lost = 0;

    for (i = 0; i < KEYS; i++) {
        wrong += copies_of(i, spots, 2) != 2 || spots[0].node == spots[1].node;
        kept = 0;

        for (k = 0; k < 4; k++) {
            found = spots[k / 2].home == former[i][k % 2].home;
            wrong += found != (spots[k / 2].stamp == former[i][k % 2].stamp);
            kept += found;
        }

        lost += kept == 0;
    }

    ok(wrong == 0, "two copies are on two nodes, and one keeps its stamp if "
                   "and only if it stays");
    ok(lost == 0, "one of them does");
}


static void
copies_last(void)
{
    ngx_uint_t        i, share;
    ngx_scale_spot_t  spots[3], later[3];

    parse(grown, ROWS);
    ngx_scale_layout_init(&layout, pool, &view, NULL);
    (void) copies_of(0, spots, 3);

    view.epoch++;
    view.off = 1;
    ok(copies_of(0, later, 3) == 3
       && ngx_memcmp(spots, later, sizeof(spots)) == 0,
       "copies outlive an epoch, and a ring that is off");

    layout.own[spots[1].node] |= 1;
    (void) copies_of(0, later, 3);
    ok(later[1].node == NGX_SCALE_LAYOUT_NOWHERE
       && later[1].home == spots[1].home && later[1].stamp != spots[1].stamp
       && later[0].stamp == spots[0].stamp
       && later[2].stamp == spots[2].stamp,
       "where a node is out nothing takes its place");

    (void) copies_of(0, later, 1);
    ok(later[0].home == spots[0].home && later[0].stamp != spots[0].stamp,
       "a single copy is the first, under another stamp");

    share = 0;

    for (i = 0; i < KEYS; i++) {
        (void) copies_of(i, spots, 1);
        share += spots[0].home == 1;
    }

    ok(share > KEYS * 36 / 100 && share < KEYS * 44 / 100,
       "a node of weight 2 among three others has two fifths");

    view.versions[0].n = 1;
    ok(copies_of(0, later, 3) == 1, "there are no more copies than nodes");
    view.versions[0].n = 0;
    ok(copies_of(0, later, 3) == 0, "and none without");
}


/* what another machine has to find, too */

static void
drawn(void)
{
    ngx_uint_t  i;
    uint64_t    sum;

    sum = 0;

    for (i = 0; i < KEYS; i++) {
        sum += ngx_scale_rank_draw(i, 7 * i);
    }

    ok(sum / KEYS > 0xe0000000 && sum / KEYS < 0x200000000,
       "draws are exponentially distributed");
    ok(ngx_scale_rank_draw(1, 2) == 0xa4a168b
       && ngx_scale_rank_draw(~(uint64_t) 0, 0) == 0x47419640,
       "and always the same");
}


static uint64_t
next_random(void)
{
    static uint64_t  n = 1000;

    return n += 2;
}


static void
changed(void)
{
    ngx_int_t                rc;
    ngx_uint_t               i, wrong;
    ngx_scale_spot_t         spot;
    ngx_scale_view_server_t  server[3];

    static ngx_addr_t          addr[3];
    static struct sockaddr_in  sin[3];
    static const char         *name[] = { "a:1", "b:1", "c:1" };

    for (i = 0; i < 3; i++) {
        sin[i].sin_family = AF_INET;
        sin[i].sin_port = htons(i + 1);
        ngx_memzero(&server[i], sizeof(ngx_scale_view_server_t));
        server[i].name.data = (u_char *) name[i];
        server[i].name.len = 3;
        addr[i].sockaddr = (struct sockaddr *) &sin[i];
        addr[i].socklen = sizeof(struct sockaddr_in);
        server[i].addr = &addr[i];
        server[i].weight = 1;
    }

    ngx_memzero(&view, sizeof(ngx_scale_view_t));
    rc = ngx_scale_view_change(&view, server, 2, next_random);
    ok(rc == NGX_OK && view.nversions == 1 && view.epoch,
       "the first servers begin an epoch");
    ok(ngx_scale_view_same(&view, server, 2)
       && !ngx_scale_view_same(&view, server, 3), "the same are no change");

    ngx_scale_layout_init(&layout, pool, &view, NULL);
    remember();

    rc = ngx_scale_view_change(&view, server, 3, next_random);
    ok(rc == NGX_OK && view.nversions == 2, "one more is a version more");

    ngx_scale_layout_init(&layout, pool, &view, NULL);
    wrong = 0;

    for (i = 0; i < KEYS; i++) {
        find(i, &spot);
        wrong += (spot.stamp == before[i].stamp) != (spot.node < 2
                                        && spot.node == before[i].node);
    }

    ok(wrong == 0, "what stays where it was keeps its stamp");

    for (i = 0; i < 20; i++) {
        server[0].weight = 2 + i % 2;
        (void) ngx_scale_view_change(&view, server, 3, next_random);
    }

    ok(view.nversions <= NGX_SCALE_VIEW_VERSIONS,
       "there are never more than eight versions");
}


static double
nanoseconds(ngx_uint_t versions)
{
    ngx_uint_t        i;
    struct timespec   from, to;
    ngx_scale_spot_t  spot;

    parse(grown, ROWS);

    for (i = 1; i < versions; i++) {
        view.versions[i] = view.versions[0];
        view.versions[i].weights[0] = 1 + i % 2;
    }

    view.nversions = versions;
    ngx_scale_layout_init(&layout, pool, &view, NULL);

    clock_gettime(CLOCK_MONOTONIC, &from);

    for (i = 0; i < 20 * KEYS; i++) {
        find(i, &spot);
    }

    clock_gettime(CLOCK_MONOTONIC, &to);

    return ((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec)
           / (20 * KEYS);
}


int
main(void)
{
    ngx_log_t  log;

    ngx_memzero(&log, sizeof(ngx_log_t));
    pool = ngx_create_pool(4096, &log);

    parsed();
    refused();
    placed();
    returned();
    copied();
    copies_last();
    drawn();
    changed();

    printf("# a lookup: %.0f ns with one version, %.0f ns with eight\n",
           nanoseconds(1), nanoseconds(8));

    ngx_destroy_pool(pool);

    return done();
}
