/* sources: cache/zone.c cache/zone_kernel.c cache/zone_word.c cache/view.c cache/view_parse.c */

#include "cache/zone.h"
#include "test.h"


static ngx_scale_zone_cache_t  record;
static ngx_scale_zone_slot_t   slot;
static ngx_scale_view_t        first, second, third;


static void
begin(void)
{
    ngx_memzero(&record, sizeof(ngx_scale_zone_cache_t));
    ngx_memzero(&first, sizeof(ngx_scale_view_t));

    record.shared = 1;
    first.epoch = 1;
    second = first;
    second.epoch = 2;
    third = first;
    third.epoch = 3;
}


static void
leases(void)
{
    uint64_t  now, tag;

    begin();
    now = ngx_scale_zone_now();

    ok(ngx_scale_zone_read(&record, &slot) == NGX_DECLINED,
       "before a confirmation there is no view");
    ok(!ngx_scale_zone_is_leased(&record, 0), "and no lease");

    ok(ngx_scale_zone_confirm(&record, &first, now) == NGX_OK,
       "the first confirmation is a change");
    ok(ngx_scale_zone_read(&record, &slot) == NGX_OK && slot.now.epoch == 1
       && !slot.has_old, "there is a view, and none before it");

    tag = slot.tag;
    ok(ngx_scale_zone_is_leased(&record, tag), "it is leased");
    ok(slot.active >= now + NGX_SCALE_ZONE_LEASE,
       "it is active when no other node can use another one");

    ok(ngx_scale_zone_confirm(&record, &first, now + 5) == NGX_DECLINED
       && ngx_scale_zone_tag(&record) == tag, "the same again is no change");

    ngx_scale_zone_drop(&record);
    ok(!ngx_scale_zone_is_leased(&record, tag), "a lease can be dropped");
    ok(ngx_scale_zone_read(&record, &slot) == NGX_OK, "not the view");

    (void) ngx_scale_zone_confirm(&record, &first, now + 6);
    ok(ngx_scale_zone_is_leased(&record, tag), "and be confirmed again");

    ok(ngx_scale_zone_confirm(&record, &second,
                              now - NGX_SCALE_ZONE_LEASE - 1)
       == NGX_DECLINED && ngx_scale_zone_tag(&record) == tag,
       "what was asked 3 s ago says nothing");
    ok(ngx_scale_zone_confirm(&record, &second, now) == NGX_DECLINED,
       "nor what was asked before the last confirmation");

    begin();
    (void) ngx_scale_zone_confirm(&record, &first,
                                  now - NGX_SCALE_ZONE_LEASE + 100);
    tag = ngx_scale_zone_tag(&record);
    ngx_msleep(120);
    ok(!ngx_scale_zone_is_leased(&record, tag),
       "a lease counts from when it was asked for");
}


static void
changes(void)
{
    uint64_t  now;

    begin();
    now = ngx_scale_zone_now();

    (void) ngx_scale_zone_confirm(&record, &first, now);
    (void) ngx_scale_zone_confirm(&record, &second, now);
    (void) ngx_scale_zone_read(&record, &slot);
    ok(slot.now.epoch == 2 && !slot.has_old,
       "what never was active is no former view");

    record.slot.active = 0;
    record.slot.checksum = ngx_crc32_long((u_char *) &record.slot,
                               offsetof(ngx_scale_zone_slot_t, checksum));

    (void) ngx_scale_zone_confirm(&record, &third, now);
    (void) ngx_scale_zone_read(&record, &slot);
    ok(slot.now.epoch == 3 && slot.has_old && slot.old.epoch == 2,
       "what was is one");

    (void) ngx_scale_zone_confirm(&record, &first, now);
    (void) ngx_scale_zone_read(&record, &slot);
    ok(slot.now.epoch == 1 && slot.old.epoch == 2,
       "until the next one is active, however many come");

    record.slot.now.epoch = 7;
    ok(ngx_scale_zone_read(&record, &slot) == NGX_DECLINED,
       "a damaged view is none");

    (void) ngx_scale_zone_confirm(&record, &first, now);
    ok(ngx_scale_zone_read(&record, &slot) == NGX_OK && !slot.has_old,
       "the next confirmation mends it, and nothing of it is trusted");
}


static void
keepers(void)
{
    begin();

    ok(ngx_scale_zone_keep(&record, 1000) == NGX_OK, "a keeper is taken");

    ngx_pid++;
    ok(ngx_scale_zone_keep(&record, 1000) == NGX_DECLINED,
       "another worker is not");
    ngx_msleep(20);
    ok(ngx_scale_zone_keep(&record, 10) == NGX_OK,
       "unless the first one was not heard of");
    ngx_pid--;
    ok(ngx_scale_zone_keep(&record, 1000) == NGX_DECLINED,
       "which has lost its place then");
    ok(ngx_scale_zone_keep(&record, 0) == NGX_OK, "but may take it by force");
}


static uint64_t
sealed(ngx_uint_t node)
{
    return ngx_scale_zone_sealed(&record, node, record.words[node]);
}


static void
own_ring(void)
{
    uint64_t                 tag, word, a, b;
    ngx_str_t                text;
    ngx_scale_view_server_t  server[2];

    static ngx_addr_t  unknown;

    begin();
    record.shared = 0;
    ngx_memzero(server, sizeof(server));

    server[0].addr = server[1].addr = &unknown;
    server[0].weight = server[1].weight = 1;
    ngx_str_set(&server[0].name, "a:1");
    ngx_str_set(&server[1].name, "b:1");

    ngx_str_set(&text, "10.0.0.1:1");
    a = ngx_scale_zone_address(&text);
    ngx_str_set(&text, "10.0.0.2:1");
    b = ngx_scale_zone_address(&text);

    ok(ngx_scale_zone_set(&record, server, 1) == NGX_OK
       && ngx_scale_zone_read(&record, &slot) == NGX_OK
       && slot.active == 0, "a ring of the zone's own is active at once");

    tag = slot.tag;
    ok(ngx_scale_zone_is_leased(&record, tag), "and for ever");
    ok(a && b && a != b && sealed(0) == 0, "a new node is nobody's");

    ngx_scale_zone_claim(&record, 0, record.words[0], a);
    ngx_scale_zone_claim(&record, 0, record.words[0], b);
    ok(sealed(0) == a, "it is the first address's that claims it");

    word = record.words[0];

    ok(ngx_scale_zone_eject(&record, 0, b) == NGX_DECLINED,
       "who is elsewhere cannot put it out of use");
    ok(ngx_scale_zone_eject(&record, 0, a) == NGX_OK
       && record.words[0] != word
       && ngx_scale_view_is_out(record.words[0]), "who is there can");
    ok(ngx_scale_zone_eject(&record, 0, a) == NGX_DECLINED, "once");

    ngx_scale_zone_claim(&record, 0, word, b);
    ok(sealed(0) == a, "a claim that comes late changes nothing");

    word = record.words[0];
    ok(ngx_scale_zone_set(&record, server, 1) == NGX_OK
       && ngx_scale_zone_tag(&record) == tag && record.words[0] == word,
       "the same servers change nothing");

    ngx_str_set(&server[1].name, "a:1");
    ngx_str_set(&server[0].name, "b:1");

    ok(ngx_scale_zone_set(&record, server, 2) == NGX_OK
       && ngx_scale_zone_tag(&record) != tag && record.words[1] == word
       && sealed(1) == a && sealed(0) == 0,
       "others leave those that stay as they are, wherever their place is");
    ok(ngx_scale_zone_readmit(&record, 1, b) == NGX_DECLINED
       && ngx_scale_zone_readmit(&record, 1, a) == NGX_OK
       && record.words[1] != word
       && !ngx_scale_view_is_out(record.words[1]), "it returns, as another");

    word = record.words[1];
    ngx_scale_zone_move(&record, 1, b);
    ok(ngx_scale_view_is_out(record.words[1]) && sealed(1) == b,
       "a node that moves is out, and the new address's");
    ok(ngx_scale_zone_sealed(&record, 1, word) == 0,
       "the word of before is nobody's");

    (void) ngx_scale_zone_readmit(&record, 1, b);
    word = record.words[1];
    ngx_scale_zone_renew_node(&record, 1);
    ok(record.words[1] != word && sealed(1) == b,
       "another word, the same address");

    /* a worker killed between the two */

    record.words[1] = ngx_scale_zone_random() & ~(uint64_t) 1;
    ok(sealed(1) == 0, "a word without its seal is nobody's");
    ngx_scale_zone_claim(&record, 1, record.words[1], a);
    ok(sealed(1) == a, "and can be claimed");
}


int
main(void)
{
    static ngx_log_t    log;
    static ngx_cycle_t  cycle;

    cycle.log = &log;
    ngx_cycle = &cycle;
    ngx_pid = 1234;
    ngx_cacheline_size = 64;
    ngx_crc32_table_init();

    leases();
    changes();
    keepers();
    own_ring();

    return done();
}
