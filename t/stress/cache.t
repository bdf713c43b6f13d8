# The promise under faults: two web nodes that share a ring of three
# memcacheds, a primary and a replica that lags.  No read that begins after a
# write was acknowledged returns less, whatever dies.
#
# SCALE_SECONDS is the length of each run.  It needs root: the second web node
# lives in a network namespace of its own, so that one memcached can be cut off
# from it alone.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Client;
use Scale::Hammer;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{SCALE_SECONDS} // 60;
my $clients = 8;
my $keys = 60;

my $netns = "scale$$";
my ($here, $there) = ('10.213.77.1', '10.213.77.2');

$> == 0 or die "this suite needs root, for a network namespace\n";

command("ip netns add $netns");
END { command("ip netns del $netns") if $netns }
command("ip link add $netns type veth peer name inner netns $netns");
command("ip addr add $here/30 dev $netns");
command("ip link set $netns up");
inside("ip addr add $there/30 dev inner");
inside('ip link set inner up');
inside('ip link set lo up');

Scale::sql(<<'END');
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 500) i;
END

Scale::replica('late');
Scale::configure('late', recovery_min_apply_delay => '200ms');

my @servers = map { "$here:" . Scale::memcached($_, '-l', $here)->{port} } 1 .. 3;

Scale::sql("SELECT scale.ring_add('hot', '$_')") for @servers;

my @nodes = (node('127.0.0.1'), node($there, 'ip', 'netns', 'exec', $netns));

ok(Scale::wait_for(sub { !grep { cached($_) ne 'HIT' } @nodes }, 20),
   'both nodes use the cache');


my $first = 0;

run('nothing happens', sub { });

run('a memcached is killed and restarted every 0.7 s', sub {
    each_time($_[0], 0.7, sub { Scale::restart_memcached(1 + int rand 3) });
});

# a long silence puts it out of use, several within 10 s the whole ring

run('memcacheds are stopped for moments, and one for 5 s, and go on', sub {
    my $long = time + 2;

    each_time($_[0], 0.5, sub {
        my $which = time > $long ? 1 : 2 + int rand 2;
        my $pause = $which == 1 ? 5 : rand 0.15;

        $long += 25 if $which == 1;
        Scale::signal_memcached('STOP', $which);
        sleep $pause;
        Scale::signal_memcached('CONT', $which);
    });
});

run('a memcached is cut off from one web node for half of the time', sub {
    my ($port) = $servers[0] =~ /:(\d+)$/;

    sleep $seconds / 4;
    inside('nft add table ip cut');
    inside("nft 'add chain ip cut out { type filter hook output priority 0; }'");
    inside("nft add rule ip cut out ip daddr $here tcp dport $port drop");
    sleep $seconds / 2;
    inside('nft delete table ip cut');
});

run('a memcached leaves the ring and comes back every 10 s', sub {
    each_time($_[0], 5, sub {
        Scale::sql("SELECT scale.ring_remove('hot', '$servers[2]')");
        sleep 5;
        Scale::sql("SELECT scale.ring_add('hot', '$servers[2]')");
    });
});

done_testing();


# rows of its own for each run, and what must hold whatever was done

sub run
{
    my ($title, $faults) = @_;

    my $until = time + $seconds - 1;
    my %before = counters();
    my $sum = Scale::Hammer::run(
        nodes => \@nodes, dir => Scale::dir(), clients => $clients,
        seconds => $seconds, keys => $keys, first => $first, depth => 1,
        meanwhile => sub {
            $faults->($until);
        });

    $first += $keys;

    my $n = Scale::sql("SELECT sum(n) FROM items WHERE id > $first - $keys"
                       . " AND id <= $first");
    my $share = $sum->{hits} / ($sum->{reads} || 1);

    my %after = counters();

    diag(sprintf '%s: %s; hits %.0f %%; %s', $title,
         join(', ', map { "$_ $sum->{$_}" } grep { $_ ne 'first' }
              sort keys %$sum), 100 * $share,
         join(', ', map { my $n = $after{$_} - $before{$_}; "$_ $n" }
                    sort keys %after));
    diag("first: $sum->{first}") if $sum->{first};

    is($sum->{stale}, 0, "$title: no read is stale");
    is($sum->{hung}, 0, "$title: every request is answered");
    cmp_ok($sum->{writes}, '>=', 1000 * ($seconds < 60 ? $seconds / 60 : 1),
           "$title: enough was written to prove it");
    cmp_ok($share, '>=', 0.5, "$title: and half of the reads were hits");
    cmp_ok($n, '>=', $sum->{writes}, "$title: no acknowledged write is lost");
    cmp_ok($n, '<=', $sum->{writes} + $sum->{unknown},
           "$title: and none was done twice");
}


sub each_time
{
    my ($until, $pause, $fault) = @_;

    while (time < $until) {
        $fault->();
        sleep $pause;
    }
}


sub node
{
    my ($address, @wrap) = @_;

    my $lines = join "\n", map { "        server $_;" } @servers;
    my $nginx = Scale::nginx(<<"END", wrap => \@wrap, address => $address);
    scale_database main {
        server       "unix:\$TEST_NGINX_PG_SOCKET";
        server       "unix:\$TEST_NGINX_PG_SOCKET_LATE";
        conninfo     "dbname=app user=api application_name=t";
    }

    scale_cache hot {
$lines
        ring     database=main;
        timeout  50ms;
    }

    add_header X-Cache \$scale_cache_status always;

    server {
        listen $address:\$ServerPort;
        keepalive_requests 1000000;

        location ~ ^/items/(?<id>\\d+)\$ {
            scale_route  item;
            scale_param  id  \$id  bigint required;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_cache_valid  10m;
        }

        location = /counters {
            return 200 "contended marks: \$scale_cache_contended;
                        lost marks: \$scale_cache_lost_marks;
                        ejections: \$scale_cache_ejections";
        }
    }
END

    return { %$nginx, host => $address };
}


sub cached
{
    my ($node) = @_;

    my $answer = Scale::Client->new($node->{port}, host => $node->{host})
                     ->request('GET /items/500');

    return $answer->{headers}{'x-cache'} // '';
}


# of both nodes, since they were started

sub counters
{
    my %sum;

    for my $node (@nodes) {
        my $answer = Scale::Client->new($node->{port}, host => $node->{host})
                         ->request('GET /counters');

        while ($answer->{body} =~ /(\w[\w ]*): (\d+)/g) {
            $sum{$1} += $2;
        }
    }

    return %sum;
}


sub inside
{
    command("ip netns exec $netns $_[0]");
}


sub command
{
    my ($line) = @_;

    local $?;

    system($line) == 0 or warn "failed: $line\n";
}
