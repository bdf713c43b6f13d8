# The keeper, the one worker of a web node that renews its lease of a shared
# ring, is killed: another one takes over before the lease ends, and nobody
# reads anything old meanwhile.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Items;
use Scale::Hammer;
use Scale::Process qw(slurp);
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep time);

create_items(300);

my @address = addresses(3);

add_to_ring(@address);

# a client's port is how a worker is known to PostgreSQL

my $config = config(@address)
    =~ s/"unix:\$TEST_NGINX_PG_SOCKET"/127.0.0.1:\$TEST_NGINX_PG_PORT/r;
my @nodes = map { Scale::nginx($config) } 1, 2;
my @ids = (1 .. 300);


# the ports of a process's connections

sub ports
{
    my ($pid) = @_;

    my %socket = map { (readlink($_) // '') =~ /^socket:\[(\d+)\]$/
                       ? ($1 => 1) : () } glob "/proc/$pid/fd/*";

    return map { hex((split /:/, $_->[1])[1]) }
           grep { $socket{$_->[9]} }
           map { [split] } grep { /^ *\d/ } split /\n/, slurp('/proc/net/tcp');
}


# of a node, the worker whose transaction was the last: nobody else has any

sub keeper
{
    my ($node) = @_;

    my %worker;

    for my $pid (Scale::workers($node)) {
        $worker{$_} = $pid for ports($pid);
    }

    my @last = split ' ', Scale::sql("SELECT client_port FROM pg_stat_activity"
                              . " WHERE usename = 'api' AND query = 'COMMIT'"
                              . " AND state_change > now() - interval '1.5 s'"
                              . " ORDER BY state_change DESC");

    my ($keeper) = grep { defined } map { $worker{$_} } @last;

    return $keeper;
}


# seconds since each of the nodes has renewed its lease, the longer one

sub silence
{
    return Scale::sql('SELECT extract(epoch FROM clock_timestamp()'
                      . ' - min(renewed)) FROM scale.ring_lease');
}


ok(warm(\@nodes, @ids), 'all keys are cached');

Scale::expect_in_log(qr/exited on signal 9/);


# While nobody else writes.

my $keeper = Scale::wait_for(sub { keeper($nodes[0]) }, 5);

ok($keeper, 'a worker keeps the lease');
kill KILL => $keeper;

my ($until, $silence, %status, @wrong) = (time + 4, 0);

while (time < $until) {
    my $answer = seen($nodes[0], 'GET', 1 + int rand 300);

    if ($answer =~ /^200 (\w+) 0$/) {
        $status{$1}++;
    } else {
        push @wrong, $answer;
    }

    my $now = silence();
    $silence = $now if $now > $silence;
}

is_deeply(\@wrong, [], 'it is killed: no read fails');
cmp_ok($status{HIT}, '>', 10 * ($status{BYPASS} // 0),
       'or goes without the cache for long');
cmp_ok($silence, '<', 3, 'the lease is renewed before it ends');
diag(sprintf 'silent for %.1f s; %s', $silence,
             join ', ', map { "$_ $status{$_}" } sort keys %status);

my $next = Scale::wait_for(sub { keeper($nodes[0]) }, 5);

isnt($next // '', $keeper, 'by another worker');


# While clients write on both nodes, again and again.

my $killed = 0;
my $sum = Scale::Hammer::run(
    nodes => \@nodes, dir => Scale::dir(), clients => 4, keys => 100,
    depth => 1, seconds => 6,
    meanwhile => sub {
        for (1 .. 3) {
            my $pid = keeper($nodes[$_ % 2]);

            $killed += kill KILL => $pid if $pid;
            sleep 1.8;
        }
    });

diag(join ', ', map { "$_ $sum->{$_}" } sort keys %$sum);
cmp_ok($killed, '>=', 2, 'keepers are killed under load');
is($sum->{stale}, 0, 'no read is older than an acknowledged write');
is($sum->{hung}, 0, 'and every request is answered');
cmp_ok($sum->{writes}, '>', 100, 'enough was written');
cmp_ok($sum->{hits}, '>', $sum->{reads} / 2, 'and found in the cache');


# The new keeper tells what its node has seen.

my ($key) = keys_of(3);

Scale::stop_memcached(3);
is(on($nodes[0], 'POST', $key)->{code}, 200,
   'a memcached dies: a write of its key is acknowledged');
is(Scale::sql("SELECT state FROM scale.ring WHERE addr = '$address[2]'"),
   'out', 'since it is out of use');
