# Rows that are read while no client waits: the auditor, for which some hits,
# here all, are held against the primary; and what becomes of a refresh that
# fails, or whose worker leaves.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Door;
use Scale::Process qw(slurp);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL, secret text);
INSERT INTO items SELECT i, 0, 'hush' FROM generate_series(1, 100) i;
SQL
Scale::Door::install();

my $nginx = Scale::nginx(Scale::http_config() . <<'END', workers => 2);
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;
        scale_param  id  $id  bigint required;

        location = /counters {
            return 200 "$scale_audit_total $scale_stale_total";
        }

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n, secret FROM items
                                  WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n, secret" store;
            scale_cache_valid  10s;
            scale_cache_audit  100%;
        }

        location ~ ^/tagged/(?<id>\d+)$ {
            scale_route  tagged;
            scale_query  GET rows "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT none "UPDATE items SET n = n + 1 WHERE id = :id";
            scale_cache_valid  10s;
            scale_cache_tags   "tag/:id";
            scale_purge_tags   "tag/:id";
            scale_cache_audit  100%;
        }

        location ~ ^/stale/(?<id>\d+)$ {
            scale_route  stale;
            scale_query  GET row "SELECT id, n, through('stale') FROM items
                                  WHERE id = :id" timeout=500ms;
            scale_cache_valid  1s stale=30s;
        }

        location ~ ^/slow/(?<id>\d+)$ {
            scale_route  slow;
            scale_query  GET row "SELECT id, n, through('slow') FROM items
                                  WHERE id = :id" timeout=9s;
            scale_cache_valid  1s stale=30s;
        }

        location ~ ^/never/(?<id>\d+)$ {
            scale_route  never;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  10s;
        }
    }
END


sub counters { return split ' ', Scale::get('/counters')->{body} }
sub get { return Scale::seen(Scale::get(@_)) }


is_deeply([counters()], [0, 0], 'nothing was audited');
get('/never/1') for 1 .. 3;
get('/items/1') for 1 .. 3;
ok(Scale::wait_for(sub { (counters())[0] == 2 }, 5), 'each hit is audited');
is((counters())[1], 0, 'and none is stale');

srand 7;

for (1 .. 300) {
    my $id = 1 + int rand 5;
    my $path = rand() < 0.5 ? "/items/$id" : "/tagged/1$id";

    Scale::request(rand() < 0.2 ? 'PUT' : 'GET', $path);
}

my ($audits, $stale) = counters();
cmp_ok($audits, '>', 40, "$audits audits while others write");
is($stale, 0, 'find nothing stale: a write makes entries old before it ends');

get("/items/50") for 1 .. 2;
Scale::sql("UPDATE items SET n = 7, secret = 'psst' WHERE id = 50");
is(get('/items/50'), '200 HIT 0', 'a write past the module is not seen');
ok(Scale::wait_for(sub { (counters())[1] == 1 }, 5), 'but found');

my $log = slurp($nginx->{error_log});
like($log, qr/route "item": a cached answer is stale/, 'and said in the log');
unlike($log, qr/hush|psst/, 'without its values');

get("/tagged/60") for 1 .. 2;
Scale::sql('DELETE FROM items WHERE id = 60');
is(get('/tagged/60'), '200 HIT 0', 'a row that is gone');
ok(Scale::wait_for(sub { (counters())[1] == 2 }, 5), 'is found, too');



# a refresh that fails

sub shut { Scale::sql("DELETE FROM doors WHERE name = '$_[0]'") }

Scale::Door::unlock($_) for qw(stale slow);
is(get("/$_/70"), '200 MISS 0', 'an entry with stale=') for qw(stale slow);
shut($_) for qw(stale slow);
Scale::sql('UPDATE items SET n = 1 WHERE id = 70');

ok(Scale::wait_for(sub { get('/stale/70') eq '200 STALE 0' }, 5),
   'it is read anew');
ok(Scale::wait_for(sub { slurp($nginx->{error_log})
                         =~ /route "stale": a cached answer could not be/ },
                   5), 'and cannot be: the log says so');
is(get('/stale/70'), '200 STALE 0', 'it goes on to answer');
Scale::Door::unlock('stale');
ok(Scale::wait_for(sub { get('/stale/70') eq '200 HIT 1' }, 10),
   'and is tried again');


# a worker that leaves

ok(Scale::wait_for(sub { get('/slow/70') eq '200 STALE 0' }, 5),
   'another entry is read anew');
Scale::Door::backends("through('slow')", 1);

my %old = map { $_ => 1 } Scale::workers($nginx);

kill HUP => $nginx->{pid};
ok(Scale::wait_for(sub { my @now = Scale::workers($nginx);
                         @now == 2 && !grep { $old{$_} } @now }, 8),
   'a worker that is to leave does not wait for it');
is(get('/slow/70'), '200 STALE 0', 'the entry goes on to answer');

done_testing();
