/* sources: cache/zone.c */

#include "cache/zone.h"
#include "test.h"


static ngx_scale_zone_t  zone;

static ngx_str_t  cache = ngx_string("hot");
static ngx_str_t  one = ngx_string("10.0.0.1:11211");
static ngx_str_t  two = ngx_string("10.0.0.2:11211");


static uint64_t
word(ngx_scale_zone_cache_t *record)
{
    return record->nodes[0];
}


static uint64_t
sealed(ngx_scale_zone_cache_t *record)
{
    return ngx_scale_zone_sealed(record, 0, word(record));
}


static void
test_claims(ngx_scale_zone_cache_t *record, uint64_t a, uint64_t b)
{
    uint64_t  old;

    ok(a && b && a != b, "addresses differ");
    ok(sealed(record) == 0, "a new node is nobody's");

    ngx_scale_zone_claim(record, 0, word(record), a);
    ok(sealed(record) == a, "it is the address's that claims it");

    ngx_scale_zone_claim(record, 0, word(record), b);
    ok(sealed(record) == a, "and no other's after that");

    old = word(record);

    ok(ngx_scale_zone_eject(record, 0, b) == NGX_DECLINED
       && word(record) == old, "who is elsewhere cannot eject it");
    ok(ngx_scale_zone_eject(record, 0, a) == NGX_OK
       && ngx_scale_zone_is_out(word(record)) && sealed(record) == a,
       "who is there can");
    ok(ngx_scale_zone_readmit(record, 0, b) == NGX_DECLINED
       && ngx_scale_zone_is_out(word(record)),
       "who is elsewhere does not take it back");
    ok(ngx_scale_zone_readmit(record, 0, a) == NGX_OK
       && !ngx_scale_zone_is_out(word(record)) && word(record) != old,
       "who is there does, under another word");

    ngx_scale_zone_claim(record, 0, old, b);
    ok(sealed(record) == a, "a claim that comes late changes nothing");
}


static void
test_moves(ngx_scale_zone_cache_t *record, uint64_t a, uint64_t b)
{
    uint64_t  old;

    old = word(record);
    ngx_scale_zone_move(record, 0, b);
    ok(ngx_scale_zone_is_out(word(record)) && sealed(record) == b,
       "a node that moves is out, and the new address's");
    ok(ngx_scale_zone_sealed(record, 0, old) == 0,
       "the word of before is nobody's");

    ok(ngx_scale_zone_readmit(record, 0, b) == NGX_OK, "it comes back there");

    old = word(record);
    ngx_scale_zone_renew_node(record, 0);
    ok(word(record) != old && !ngx_scale_zone_is_out(word(record))
       && sealed(record) == b, "another word, the same address");

    /* a worker killed between the two */

    record->nodes[0] = ngx_scale_zone_random() & ~(uint64_t) 1;
    ok(sealed(record) == 0, "a word without its seal is nobody's");
    ngx_scale_zone_claim(record, 0, word(record), a);
    ok(sealed(record) == a, "and can be claimed");
}


int
main(void)
{
    uint64_t                 a, b;
    ngx_scale_zone_cache_t  *record;

    a = ngx_scale_zone_address(&one);
    b = ngx_scale_zone_address(&two);

    record = ngx_scale_zone_join(&zone, &cache, 1);

    test_claims(record, a, b);
    test_moves(record, a, b);

    ok(ngx_scale_zone_join(&zone, &cache, 1) == record
       && sealed(record) == a, "the same servers: it stays");
    ok(ngx_scale_zone_join(&zone, &cache, 2) == record
       && sealed(record) == 0, "other servers: it is nobody's again");

    return done();
}
