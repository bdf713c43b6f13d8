# How old a cached answer may be: early refresh, stale=, error=, what a tag
# has made old, and writes that leave their row behind.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Items;
use Scale::Door;
use Test::More;
use Time::HiRes qw(sleep time);

create_items(100);
Scale::Door::install();

open my $secret, '>', Scale::dir() . '/secret' or die;
print $secret "a secret of the tests\n";
close $secret;

# each route's statement is its own: pg_stat_statements counts by its text
my $nginx = Scale::nginx(Scale::http_config() . <<'END', workers => 2);
    scale_secret_file  $TEST_NGINX_DIR/secret;
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;
        scale_param  id  $id  bigint required;

        location ~ ^/hot/(?<id>\d+)$ {
            scale_route  hot;
            scale_query  GET row "SELECT id, n, 'hot' AS r FROM items
                                  WHERE id = :id";
            scale_cache_valid  2s;
        }

        location ~ ^/stale/(?<id>\d+)$ {
            scale_route  stale;
            scale_query  GET row "SELECT id, n, through('stale') FROM items
                                  WHERE id = :id" timeout=5s;
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n, through('put')" timeout=5s;
            scale_query  DELETE none "DELETE FROM items WHERE id = :id";
            scale_cache_valid  1s stale=20s;
        }

        location ~ ^/error/(?<id>\d+)$ {
            scale_route  error;
            scale_query  GET row "SELECT id, n, 'error' AS r FROM items
                                  WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  1s error=30s;
        }

        location ~ ^/plain/(?<id>\d+)$ {
            scale_route  plain;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  1s;
        }

        location ~ ^/list/(?<id>\d+)$ {
            scale_route  list;
            scale_consistency  bounded;
            scale_query  GET rows "SELECT id, n, through('list') FROM items
                                   WHERE id = :id" timeout=5s;
            scale_cache_valid  10m stale=20s;
            scale_cache_tags   "list/:id";
        }

        location ~ ^/strict/(?<id>\d+)$ {
            scale_route  strict;
            scale_query  GET rows "SELECT id, n, 'strict' AS r FROM items
                                   WHERE id = :id";
            scale_cache_valid  10m stale=20s;
            scale_cache_tags   "list/:id";
        }

        location ~ ^/append/(?<id>\d+)$ {
            scale_route  append;
            scale_consistency  bounded;
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_purge_tags  "list/:id";
        }

        location ~ ^/store/(?<id>\d+)$ {
            scale_route  store;
            scale_query  GET row "SELECT id, n, 'store' AS r FROM items
                                  WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n, 'store' AS r" store;
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n, 'store' AS r,
                                             'x' AS \"http:X-More\"" store;
            scale_cache_valid  10m;
        }
    }
END


# "code status n" of an answer, and how long it took

sub seen { return Scale::seen(@_) }

sub get { return seen(Scale::get(@_)) }

sub reads
{
    my ($path, $count) = @_;
    my %seen;

    $seen{get($path)}++ for 1 .. $count;

    return \%seen;
}

sub shut { Scale::sql("DELETE FROM doors WHERE name = '$_[0]'") }


# early refresh

Scale::sql('SELECT pg_stat_statements_reset()');
is(get('/hot/1'), '200 MISS 0', 'a hot key is filled');

my (%status, $reads);

for (my $end = time + 6.5; time < $end; sleep 0.02) {
    $status{(split ' ', get('/hot/1'))[1]}++;
    $reads++;
}

is_deeply(\%status, { HIT => $reads },
          "and for three times its ttl never missing in $reads reads");

my $statements = Scale::statements("SELECT id, n, \$2 AS r%");
cmp_ok($statements, '>=', 3, 'it was read anew');
cmp_ok($statements, '<=', 12, "by one at a time ($statements statements)");


# past its ttl, while one reads the row

Scale::Door::unlock('stale');
is(get('/stale/1'), '200 MISS 0', 'an entry with stale= is filled');
is(get('/stale/1'), '200 HIT 0', 'and found');

shut('stale');
Scale::sql('UPDATE items SET n = 7 WHERE id = 1');

my $slowest = 0;
my %late;

ok(Scale::wait_for(sub {
       my $answer = Scale::get('/stale/1');
       $late{seen($answer)}++;
       $slowest = $answer->{seconds} if $answer->{seconds} > $slowest;
       seen($answer) eq '200 STALE 0';
   }, 5), 'past its ttl it still answers');
is(scalar Scale::Door::backends("through('stale')", 1), 1,
   'while the row is read');

my $many = reads('/stale/1', 50);
is_deeply($many, { '200 STALE 0' => 50 }, 'nobody waits for that');
is(scalar(Scale::Door::running("through('stale')")), 1,
   'and nobody reads it a second time');
is(Scale::get('/stale/1')->{headers}{'cache-status'},
   'ngx_scale; hit; detail=stale', 'the answer says so');
is_deeply([grep { !/^200 (?:HIT|STALE) 0$/ } keys %late], [],
          'there was no other answer');

Scale::Door::unlock('stale');
ok(Scale::wait_for(sub { get('/stale/1') eq '200 HIT 7' }, 5),
   'then it is new');


# a write is no expiry

shut('stale');
ok(Scale::wait_for(sub { get('/stale/1') eq '200 STALE 7' }, 5),
   'it is stale again');
Scale::Door::unlock('put');

is(seen(Scale::request('PUT', '/stale/1')), '200 - 8',
   'a write while an old answer is still served');
my $begun = Scale::begin('GET', '/stale/1');
Scale::Door::unlock('stale');
is(seen(Scale::receive($begun)), '200 MISS 8',
   'ends that: who reads after it waits for the row');
is_deeply([grep { !/ 8$/ } keys %{ reads('/stale/1', 20) }], [],
          'and all others see it');

ok(Scale::wait_for(sub { get('/stale/1') =~ /STALE 8|HIT 8/ }, 5),
   'an entry is there');
is(Scale::request('DELETE', '/stale/1')->{code}, 204, 'a row is deleted');
is(get('/stale/1'), '404 MISS -', 'and not served from memory');


# what a tag has made old, under "bounded"

Scale::Door::unlock('list');
is(get('/list/20'), '200 MISS 0', 'a list');
is(get('/list/20'), '200 HIT 0', 'is cached');
is(get('/strict/20'), '200 MISS 0', 'so is a strict one with the same tag');

shut('list');
my $written = Scale::request('POST', '/append/20');
my @token = ('Scale-Token' => $written->{headers}{'scale-token'});
is(seen($written), '200 - 1', 'a write purges the tag');

is_deeply(reads('/list/20', 20), { '200 STALE 0' => 20 },
          'others get the old list meanwhile');
is(scalar Scale::Door::backends("through('list')", 1), 1,
   'one statement reads the new one');
is(get('/strict/20'), '200 MISS 1', 'a strict reader gets none');

my $own = Scale::begin('GET', '/list/20', undef, @token);
Scale::Door::backends("through('list')", 2);
Scale::Door::unlock('list');
is((split ' ', seen(Scale::receive($own)))[2], 1,
   'the writer gets what she wrote');
ok(Scale::wait_for(sub { get('/list/20') eq '200 HIT 1' }, 5),
   'and soon so do all');


# a write that leaves its row behind

Scale::sql('SELECT pg_stat_statements_reset()');
is(seen(Scale::request('PUT', '/store/30')), '200 - 1', 'a write stores');
my $stored = Scale::get('/store/30');
is(seen($stored), '200 HIT 1', 'its row is a hit');
is(Scale::statements("SELECT id, n, \$2 AS r%"), 0, 'that nobody has read');

seen(Scale::request('POST', '/store/31'));
my $filled = Scale::get('/store/31');
is(seen($filled), '200 MISS 1', 'a row with more than its body is not stored');
is(($filled->{body} =~ s/31/30/r), $stored->{body},
   'what was stored is what GET makes');
is(seen(Scale::request('PUT', '/store/31')), '200 - 2', 'over an entry');
is(get('/store/31'), '200 HIT 2', 'a row is stored, too');

my $etag = Scale::get('/store/31')->{headers}{etag};
Scale::restart_memcached();
Scale::wait_for(sub { get('/store/31') =~ /HIT/ }, 10);
is(Scale::get('/store/31')->{headers}{etag}, $etag,
   'its validator is the one of a row that was read');


# the database is down

is(get('/error/40'), '200 MISS 0', 'an entry with error= is filled');
is(get('/plain/40'), '200 MISS 0', 'and one without');
Scale::sql('UPDATE items SET n = 9 WHERE id = 40');
Scale::stop_postgres();

ok(Scale::wait_for(sub { get('/error/40') eq '200 STALE 0' }, 10),
   'an old entry answers while PostgreSQL is down');
is_deeply(reads('/error/40', 20), { '200 STALE 0' => 20 }, 'everybody');

my $quick = Scale::get('/error/40');
is($quick->{headers}{'cache-status'},
   'ngx_scale; fwd=stale; detail=stale-if-error', 'and says so');
cmp_ok($quick->{seconds}, '<', 1, 'soon');

my $refused = Scale::begin('GET', '/plain/40');

Scale::start_postgres();
ok(Scale::wait_for(sub { get('/error/40') eq '200 HIT 9' }, 10),
   'when it is back the row is read');
is((split ' ', seen(Scale::receive($refused)))[2], 9,
   'without error= a reader waits for it');
is(seen(Scale::request('PUT', '/error/40')), '200 - 10', 'and a write');
is((split ' ', get('/error/40'))[2], 10, 'is seen');

done_testing();
