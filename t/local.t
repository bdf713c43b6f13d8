# The node's own tier: hot entries are answered from shared memory, and nobody
# reads one that is older than an acknowledged write.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use IO::Socket::INET;
use Scale::Hammer;
use Scale::Process qw(slurp);
use Test::More 'no_plan';
use Time::HiRes qw(sleep time);

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL,
                    owner bigint NOT NULL DEFAULT 1);
INSERT INTO items SELECT i, 0, 1 + i % 3 FROM generate_series(1, 500) i;
SQL

open my $secret, '>', Scale::dir() . '/secret' or die "secret: $!\n";
print $secret "a secret of the tests\n";
close $secret;

my $http = Scale::http_config()
           =~ s/timeout  50ms;/timeout  50ms;\n        local    2m;/r . <<'END';
    scale_secret_file  $TEST_NGINX_DIR/secret;
    add_header         X-Cache $scale_cache_status always;
    keepalive_requests 1000000;

    server {
        listen 127.0.0.1:$ServerPort;

        scale_param  id     $id        bigint required;
        scale_param  owner  arg.owner  bigint required;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_query  PUT row "INSERT INTO items VALUES (:id, 1)
                                  RETURNING id, n";
            scale_cache_valid  10m missing=5m;
        }

        location = /sums {
            scale_route  sums;
            scale_query  GET row "SELECT sum(n) AS n FROM items
                                   WHERE owner = :owner";
            scale_query  POST row "UPDATE items SET n = n + 1
                                    WHERE id = (SELECT max(id) FROM items
                                                 WHERE owner = :owner)
                                RETURNING n, owner AS \"row:owner\"";
            scale_cache_valid  10m;
            scale_cache_tags   "sum-of/:owner";
            scale_purge_tags   "sum-of/:row.owner";
        }

        location ~ ^/bounded/(?<id>\d+)$ {
            scale_route        bounded;
            scale_consistency  bounded;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_cache_valid  10m;
        }

        location ~ ^/primary/(?<id>\d+)$ {
            scale_route        primary;
            scale_consistency  primary;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  10m;
        }

        location ~ ^/short/(?<id>\d+)$ {
            scale_route  short;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  2s;
        }

        location ~ ^/large/(?<id>\d+)$ {
            scale_route  large;
            scale_query  GET row "SELECT repeat('x', :id::int * 1000) AS x";
            scale_cache_valid  10m;
        }

        location ~ ^/slow/(?<id>\d+)$ {
            scale_route  slow;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n, pg_sleep(0.6)::text";
            scale_cache_valid  10m;
        }

        location ~ ^/behind/(?<id>\d+)$ {
            scale_route  behind;
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING n";
        }
    }
END

my $nginx = Scale::nginx($http, workers => 2);


# "code status n", each time on a connection of its own

sub seen
{
    my ($method, $path, %headers) = @_;

    return Scale::seen(Scale::request($method, $path, undef, %headers));
}


# until it is in the local tier, or five seconds are over

sub warm
{
    my ($path, %headers) = @_;

    return Scale::wait_for(sub {
        seen('GET', $path, %headers) =~ /^200 LOCAL/;
    }, 5);
}


sub gets_of_memcached
{
    my ($gets) = map { /^STAT cmd_get (\d+)/ }
                     Scale::memcached_says(undef, 'stats');

    return $gets;
}


# what is found

is(seen('GET', '/items/1'), '200 MISS 0', 'an entry is filled');
is(seen('GET', '/items/1'), '200 HIT 0', 'found in memcached');
is(seen('GET', '/items/1'), '200 LOCAL 0', 'and then in the local tier');

my %worker;

for (1 .. 40) {
    $worker{seen('GET', '/items/1')}++;
}

is_deeply(\%worker, { '200 LOCAL 0' => 40 }, 'whichever worker is asked');

my $answer = Scale::get('/items/1');
my $head = Scale::request('HEAD', '/items/1');
my $etag = $answer->{headers}{etag};

is("$head->{code} $head->{headers}{'x-cache'} $head->{headers}{etag}",
   "200 LOCAL $etag", 'HEAD has its fields');
is(seen('GET', '/items/1', 'If-None-Match' => $etag), '304 LOCAL -',
   'a condition that holds is a 304');
is($answer->{headers}{'content-type'}, 'application/json', 'JSON is JSON');

seen('GET', '/items/900') for 1 .. 3;
is(seen('GET', '/items/900'), '404 NEGATIVE -', 'an absent row is remembered');
is(seen('PUT', '/items/900'), '200 - 1', 'until it is there');
like(seen('GET', '/items/900'), qr/^200 \w+ 1$/, 'which is seen at once');

ok(Scale::wait_for(sub { seen('GET', '/large/30') eq '200 LOCAL -' }, 5),
   '30 KB are kept');
seen('GET', '/large/70') for 1 .. 2;
is(seen('GET', '/large/70'), '200 HIT -', '70 KB are memcached\'s alone');

seen('GET', '/primary/1') for 1 .. 3;
unlike(seen('GET', '/primary/1'), qr/LOCAL/, 'the primary is not the tier');


# what psql changes shows when memcached's entry has ended, and no later

ok(warm('/short/2'), 'an entry of 2 s is in the tier');
seen('POST', '/behind/2');

my $begin = time;

ok(Scale::wait_for(sub { seen('GET', '/short/2') =~ / 1$/ }, 5),
   'and ends there, too');
cmp_ok(time - $begin, '<', 3, 'no later than it would in memcached');


# writes

my @old;
my %status;

for my $round (1 .. 150) {
    my $id = 10 + $round % 3;
    my $written = seen('POST', "/items/$id");
    my ($n) = $written =~ / (\d+)$/;

    for (1 .. 5) {
        my $read = seen('GET', "/items/$id");

        push @old, "$read after $written" if $read !~ / $n$/;
        $status{(split ' ', $read)[1]}++;
    }
}

is_deeply(\@old, [], 'a write is seen at once, whoever is asked')
    or diag(scalar @old);
cmp_ok($status{LOCAL} // 0, '>', 150, 'most of the time in the tier')
    or diag(explain \%status);

@old = ();

for my $round (1 .. 30) {
    warm('/sums?owner=2') or push @old, 'not warm';

    my ($before) = seen('GET', '/sums?owner=2') =~ / (\d+)$/;
    seen('POST', '/sums?owner=2');
    my ($after) = seen('GET', '/sums?owner=2') =~ / (\d+)$/;

    push @old, "$after after $before" if $after != $before + 1;
}

is_deeply(\@old, [], 'a purged tag makes the entry old at once');
ok(warm('/sums?owner=1'), 'an entry of another tag');
seen('POST', '/sums?owner=2');
like(seen('GET', '/sums?owner=1'), qr/LOCAL/, 'stays');


# bounded

ok(warm('/bounded/20'), 'under bounded, too, there is the tier');

my $write = Scale::request('POST', '/bounded/20');
my $token = $write->{headers}{'scale-token'};

ok(warm('/bounded/20'), 'others use it after a write');
is(seen('GET', '/bounded/20', 'Scale-Token' => $token), '200 HIT 1',
   'the writer does not');
is(seen('GET', '/bounded/20', 'Scale-Token' => 'x' x 60), '200 LOCAL 1',
   'a forged token is none');


# a hot key; with sanitizers one of twenty reads will do

my $thousands = $ENV{ASAN_OPTIONS} ? 5 : 100;

ok(warm('/items/30'), 'a hot key');

my $gets = gets_of_memcached();
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$nginx->{port}");
my $right = 0;
my $rest = '';

$begin = time;

for (1 .. $thousands) {
    print $socket "GET /items/30 HTTP/1.1\r\nHost: a\r\n\r\n" x 1000;

    for (my $wanted = $right + 1000; $right < $wanted; ) {
        sysread $socket, $rest, 65536, length $rest or last;
        $right++ while $rest =~ /"n":0\}/g;
        $rest = substr $rest, -4;
    }
}

my $took = time - $begin;
$gets = gets_of_memcached() - $gets;

diag(sprintf '%d reads of one key in %.1f s: %d mg', $right, $took, $gets);
is($right, 1000 * $thousands, 'its reads are answered');
cmp_ok($gets, '<=', 50 * ($took + 1),
       'and cost memcached at most 50 mg a second');


# a marker that is lost before the commit, and a writer that is

sub running
{
    return Scale::sql("SELECT count(*) FROM pg_stat_activity WHERE state ="
                      . " 'active' AND query LIKE 'UPDATE%pg_sleep%'");
}

sub flush_memcached
{
    my $socket = IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$ENV{TEST_NGINX_MC_PORT}") or return;

    print $socket "flush_all\r\n";
    return <$socket>;
}

ok(warm('/slow/60'), 'an entry in the tier');
my $writing = Scale::begin('POST', '/slow/60');
ok(Scale::wait_for(sub { running() == 1 }, 5), 'a write that takes a while');
unlike(seen('GET', '/slow/60'), qr/LOCAL/, 'is marked: nobody uses the tier');
flush_memcached();
ok(warm('/slow/60'), 'its marker is lost, and the old row kept once more');
is(Scale::receive($writing)->{code}, 200, 'it is acknowledged');
like(seen('GET', '/slow/60'), qr/ 1$/, 'and nobody reads the old row');

Scale::expect_in_log(qr/worker process \d+ exited on signal 9/);
ok(warm('/slow/61'), 'another entry');
$writing = Scale::begin('POST', '/slow/61');
Scale::wait_for(sub { running() == 1 }, 5);
kill KILL => Scale::workers($nginx);
Scale::wait_for(sub { running() == 0 && Scale::workers($nginx) == 2 }, 5);

my $n = Scale::sql('SELECT n FROM items WHERE id = 61');

like(seen('GET', '/slow/61'), qr/^200 \w+ $n$/,
     "a writer that is killed leaves nothing old: $n");


# a memcached that is silent, and what a write does meanwhile

ok(warm('/items/40'), 'an entry in the tier');
Scale::signal_memcached('STOP');
is(seen('POST', '/items/40'), '200 - 1', 'a write without memcached');
like(seen('GET', '/items/40'), qr/^200 \w+ 1$/, 'is read');
Scale::signal_memcached('CONT');
like(seen('GET', '/items/40'), qr/^200 \w+ 1$/, 'also when it continues');
ok(warm('/items/40'), 'and the tier is used again');
like(seen('GET', '/items/40'), qr/ 1$/, 'with the new value');


# clients that know what was acknowledged, while servers die

my $rows = 100;

sub hammer
{
    my ($title, %option) = @_;

    my $seen = Scale::Hammer::run(port => $nginx->{port}, dir => Scale::dir(),
                                  clients => 6, keys => 24, first => $rows,
                                  %option);

    my $sum = Scale::sql("SELECT sum(n) FROM items WHERE id"
                         . " BETWEEN $rows + 1 AND $rows + 24");
    $rows += 24;

    diag(join ', ', map { "$_ $seen->{$_}" } sort keys %$seen);
    is($seen->{stale}, 0, "$title: nothing is stale");
    is($seen->{hung}, 0, "$title: nothing hangs");
    cmp_ok($sum, '>=', $seen->{writes}, "$title: no write is lost");
    cmp_ok($seen->{reads}, '>', 100, "$title: there were reads");

    return $seen;
}


my $seconds = $ENV{SCALE_SOAK} ? 30 : 1.5;

hammer('readers and writers', depth => 8, seconds => $seconds);

hammer('workers and servers die', depth => 8, seconds => $seconds,
       meanwhile => sub {
    for my $kill (
        sub { kill KILL => (Scale::workers($nginx))[0] },
        sub { Scale::stop_memcached() },
        sub { kill KILL => (Scale::workers($nginx))[-1] },
        sub { Scale::restart_memcached() },
        sub { kill KILL => (Scale::workers($nginx))[0] },
    ) {
        sleep $seconds / 7;
        $kill->();
    }
});

my $seen = hammer('reloads', depth => 1, seconds => $seconds,
                  meanwhile => sub {
    for (1 .. 5) {
        kill HUP => $nginx->{pid};
        sleep $seconds / 7;
    }
});

is($seen->{failed} + $seen->{unknown} + $seen->{refused}, 0,
   'reloads: nobody sees them') or diag($seen->{first});


# reloads that change the tier

ok(Scale::wait_for(sub { Scale::workers($nginx) == 2 }, 10),
   'the old workers have gone');
ok(warm('/items/50'), 'an entry in the tier');
ok(Scale::reload($nginx), 'nginx is reloaded');
is(seen('GET', '/items/50'), '200 LOCAL 0', 'the tier is what it was');

my $conf = "$nginx->{dir}/nginx.conf";

sub with_local
{
    my ($line) = @_;

    my $text = slurp($conf) =~ s/^ *local .*;\n//mr;
    $text =~ s/^( *timeout  50ms;\n)/$1        $line\n/m if length $line;

    open my $out, '>', $conf or die "$conf: $!\n";
    print $out $text;
    close $out;
}

with_local('');
ok(Scale::reload($nginx), 'a reload without it');
seen('GET', '/items/50') for 1 .. 3;
is(seen('GET', '/items/50'), '200 HIT 0', 'there is no tier');
is(seen('POST', '/items/50'), '200 - 1', 'a write meanwhile');

# an old worker, who knows of no tier, still writes when there is one

my %without = map { $_ => 1 } Scale::workers($nginx);

$writing = Scale::begin('POST', '/slow/62');
Scale::wait_for(sub { running() == 1 }, 5);
with_local('local 2m;');
kill HUP => $nginx->{pid};
Scale::wait_for(sub {
    (grep { !$without{$_} } Scale::workers($nginx)) == 2;
}, 10);

is(running(), 1, 'a reload brings it back under a write');
like(seen('GET', '/items/50'), qr/ 1$/, 'nothing old comes back with it');
flush_memcached();
ok(warm('/slow/62'), 'the old row is kept');
is(Scale::receive($writing)->{code}, 200, 'the write is acknowledged');
like(seen('GET', '/slow/62'), qr/ 1$/, 'and nobody reads the old row');
ok(Scale::wait_for(sub { Scale::workers($nginx) == 2 }, 10),
   'the old workers leave');

Scale::expect_in_log(qr/"local" cannot change its size by a reload/);
with_local('local 3m;');
my @before = Scale::workers($nginx);
kill HUP => $nginx->{pid};
ok(Scale::wait_for(sub {
    slurp($nginx->{error_log}) =~ /"local" cannot change its size/;
}, 5), 'another size is refused');
is_deeply([Scale::workers($nginx)], \@before, 'and the workers stay');
