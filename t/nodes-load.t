# Two web nodes with one ring, under load: a key that everybody reads, and what
# PostgreSQL gets when all memcacheds are down.  SCALE_SOAK=1 has them down for
# a minute.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use IO::Socket::INET;
use List::Util qw(max);
use Scale::Hammer;
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep time);

my $down = $ENV{SCALE_SOAK} ? 60 : 5;
my $quota = 10;
my @ids = (1 .. 300);

# what the api's backends were at most, of those that run and of all

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 301) i;

CREATE FUNCTION peak(seconds float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    until    timestamptz := clock_timestamp() + seconds * interval '1 s';
    busy     bigint;
    there    bigint;
    busiest  bigint := 0;
    most     bigint := 0;
BEGIN
    WHILE clock_timestamp() < until LOOP
        PERFORM pg_stat_clear_snapshot(), pg_sleep(0.01);
        SELECT count(*) FILTER (WHERE state <> 'idle'), count(*)
          INTO busy, there
          FROM pg_stat_activity WHERE usename = 'api';
        busiest := greatest(busiest, busy);
        most := greatest(most, there);
    END LOOP;

    RETURN busiest || ' ' || most;
END
$$;
SQL

my @address = addresses(3);

add_to_ring(@address);

# a statement takes a while, or the pipelines would not fill the connections

my $config = config(@address) =~ s/connections +\K\d+/$quota/r
             =~ s/SELECT id, n\K(?= FROM)/, pg_sleep(0.002)/r;
my @nodes = map { Scale::nginx($config) } 1, 2;

ok(warm(\@nodes, @ids), 'all keys are cached');


# A hot key; with sanitizers one of twenty reads will do.

sub gets
{
    my $sum = 0;

    for my $number (1 .. 3) {
        my $socket = IO::Socket::INET->new(PeerAddr => $address[$number - 1])
            or die "memcached $number: $@\n";

        print $socket "stats\r\n";

        while (my $line = <$socket>) {
            $sum += $1 if $line =~ /^STAT cmd_get (\d+)/;
            last if $line =~ /^END/;
        }
    }

    return $sum;
}

# several connections, so that both workers of each node are asked

my @clients = map { IO::Socket::INET->new(
                        PeerAddr => "127.0.0.1:$nodes[$_ % 2]{port}") } 1 .. 8;
my $rounds = $ENV{ASAN_OPTIONS} ? 5 : 100;
my $right = 0;

on($nodes[$_ % 2], 'GET', 301) for 1 .. 10;

my $before = gets();
my $start = time;

for my $round (1 .. $rounds) {
    print $_ "GET /items/301 HTTP/1.1\r\nHost: a\r\n\r\n" x 125 for @clients;

    for my $client (@clients) {
        my ($seen, $rest) = (0, '');

        while ($seen < 125) {
            sysread $client, $rest, 65536, length $rest or last;
            $seen++ while $rest =~ /"n":0\}/g;
            $rest = substr $rest, -4;
        }

        $right += $seen;
    }
}

my $took = time - $start;
my $gets = (gets() - $before) / @nodes;

diag(sprintf '%d reads of one key in %.1f s: %.1f mg/s and node', $right,
             $took, $gets / $took);
is($right, 1000 * $rounds, 'reads of a hot key are answered');
cmp_ok($gets, '<=', 50 * $took + 1,
       'and cost memcached at most 50 mg/s and node');
close $_ for @clients;


# All memcacheds are down.

sub within_quota
{
    my ($what, $busy, $there) = @_;

    diag("$what: at most $busy statements, $there connections");
    cmp_ok($busy, '<=', $quota * @nodes, "$what: no more at once than quotas");
    cmp_ok($there, '<=', $quota * @nodes, 'nor connected');
}


# the longest time without an acknowledgement

sub longest_gap
{
    my ($from, $to) = @_;

    open my $in, '<', Scale::dir() . '/acks' or die "acks: $!\n";
    my @times = sort { $a <=> $b } grep { $_ > $from && $_ < $to } <$in>;
    my ($last, $longest) = ($from, 0);

    for my $time (@times, $to) {
        $longest = $time - $last if $time - $last > $longest;
        $last = $time;
    }

    return $longest;
}


sub ten_seconds_pass
{
    Scale::sql("UPDATE scale.ring SET since = since - interval '10 s';"
               . " UPDATE scale.ring_epoch SET since = since - interval '10 s',"
               . " ejected = NULL");
}

my (@herd, @dead, @back, $out, $in, $on, $warm, %count, %herd);

sub warmer
{
    my @peak = split ' ', Scale::sql('SELECT peak(0.3)');

    $back[$_] = max($back[$_] // 0, $peak[$_]) for 0, 1;
    %count = by_status($nodes[0], @ids);

    return ($count{HIT} // 0) >= 0.75 * @ids;
}

my $seen = Scale::Hammer::run(
    nodes => \@nodes, dir => Scale::dir(), clients => 16, keys => 300,
    depth => 4, seconds => $down + 120, stop => Scale::dir() . '/enough',
    acks => Scale::dir() . '/acks',
    meanwhile => sub {
        $out = time;
        Scale::stop_memcached($_) for 1 .. 3;
        @herd = map { my $id = $_; map { Scale::begin('GET', "/items/$id",
                                                      undef,
                                                      ':port' => $_->{port}) }
                                       @nodes } @ids;
        @dead = split ' ', Scale::sql("SELECT peak($down)");
        $in = time;
        $herd{Scale::receive($_)->{code}}++ for @herd;
        Scale::restart_memcached($_) for 1 .. 3;
        ten_seconds_pass();
        $on = Scale::wait_for(sub {
            Scale::sql('SELECT state FROM scale.ring_epoch') eq 'on'
        }, 5);
        $warm = Scale::wait_for(\&warmer, 15);
        open my $enough, '>', Scale::dir() . '/enough' or die "enough: $!\n";
    });

diag(join ', ', map { "$_ $seen->{$_}" } sort keys %$seen);

my $gap = longest_gap($out, $in);

diag(sprintf 'the longest time without a write: %.2f s', $gap);
cmp_ok($gap, '<=', 5, 'all memcacheds are down: writes go on within 5 s');
is($seen->{failed} + $seen->{unknown} + $seen->{refused} + $seen->{hung}, 0,
   'nothing fails') or diag($seen->{first});
is($seen->{stale}, 0, 'and no read is stale');
is(Scale::sql('SELECT sum(n) FROM items'), $seen->{writes}, 'or write lost');
within_quota('while they are down', @dead);
is_deeply(\%herd, { 200 => @ids * @nodes }, 'a herd is answered, too');
ok($on, 'they are back: the ring is on');
within_quota('when they are back', @back);

diag(join ', ', map { "$_ $count{$_}" } sort keys %count);
ok($warm, 'and the cache gets warm');
