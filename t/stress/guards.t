# Is the checker worth anything?  Each guard of the protocol is left out by
# two web nodes (cache/weak.h), and an old value must be seen; two others do
# the same with all guards, and none may be.

use strict;
use warnings;
use lib 't/lib';
use Cwd qw(getcwd);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

BEGIN {
    $ENV{NGX_SCALE_MODULE} ||= getcwd() . '/build/ngx_scale_module_step.so';
    -e $ENV{NGX_SCALE_MODULE}
        or die "$ENV{NGX_SCALE_MODULE} is missing; run make step\n";
}

use Scale qw(postgres);
use Scale::Hammer;
use Scale::Ring;

my $rows = 30;      # of each run
my $x = 3;          # the memcached that leaves the ring, or dies

Scale::sql(<<'END');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 511) i;
END

my @address = addresses($x);

# its weight: most rows live there, whatever the ports make of the ring

Scale::sql('SELECT ' . join ', ', (map { "scale.ring_add('hot', '$_')" }
                                       @address[0 .. $x - 2]), enter_call());

# Who reads the row as it was at first can be held by a lock.  A write can be
# for longer than a new ring takes.

my $config = config(@address[0 .. $x - 2], "$address[-1] weight=3")
             =~ s/connections +16;\K/ timeout 9s;/r
             =~ s/SELECT id, n\K/, CASE WHEN n = 0 THEN
                  pg_advisory_xact_lock_shared(id)::text END AS held/r;

my @scenarios = (
    [mark    => 'reads and writes of a few keys',         \&load],
    [lease   => 'a fill that a write overtakes',          \&overtaken],
    [token   => 'a fill after a restart of memcached',    \&restarted],
    [prefix  => 'a memcached returns with what it had',   \&returned],
    [wait    => 'a node has not heard of the new ring',   \&unaware],
    [recheck => 'a node has not heard of the new ring',   \&unaware],
    [recheck => 'the ring changes while a write commits', \&changed],
    [local   => 'reads and writes of a few keys',         \&load],
);

my $runs = 0;
my @whole = pair();

for my $scenario (@scenarios) {
    my ($guard, $title, $play) = @$scenario;

    my $with = run($play, @whole);
    my $without = run($play, pair($guard));

    diag("$guard, $title: with ", figures($with), '; without ',
         figures($without));

    is($with->{stale} // 0, 0, "$title: no read is stale");
    cmp_ok($with->{writes} // 0, '>', 0, "$title: something was written");
    cmp_ok($without->{stale} // 0, '>', 0,
           "$title: without the guard \"$guard\" it is noticed");
}

done_testing();


# two web nodes, without one of the guards

sub pair
{
    local $ENV{SCALE_WEAK} = $_[0] // '';

    return map { Scale::nginx($config, workers => 1,
                              main => 'env SCALE_WEAK;') } 1, 2;
}


# A run has rows of its own, which both nodes have in the cache at first.
# { nodes, ids, at_x (those of them that live there), floors }, and what the
# checker counts.

sub run
{
    my ($play, @nodes) = @_;

    my $first = $rows * $runs++;
    my $run = { nodes => \@nodes, first => $first,
                ids => [$first + 1 .. $first + $rows],
                floors => Scale::Hammer::make_floors(Scale::dir()) };

    # before they hear that x is back, all of it is elsewhere

    Scale::wait_for(sub {
        warm(\@nodes, @{ $run->{ids} }) or return 0;

        my $there = items();

        $run->{at_x} = [grep { $there->{$_} } @{ $run->{ids} }];
        @{ $run->{at_x} } >= 3;
    }, 25) or die "the cache stays cold\n";

    $play->($run, @nodes);

    return $run->{sum};
}


sub figures
{
    my ($sum) = @_;

    return join ', ', map({ "$_ " . ($sum->{$_} // 0) } qw(stale reads writes)),
                      $sum->{first} // ();
}


sub load
{
    my ($run, @nodes) = @_;

    $run->{sum} = Scale::Hammer::run(
        nodes => \@nodes, dir => Scale::dir(), clients => 6, keys => 8,
        seconds => 3, depth => 1, first => $run->{first});
}


sub overtaken
{
    my ($run, $here, $there) = @_;
    my $id = $run->{at_x}[0];

    remove($id);

    my ($reading, $lock) = held_reader($here, $id);

    judge($run, $there, 'POST', $id);
    close $lock;
    Scale::receive($reading);
    reads($run, $id);
}


# Its CAS numbers begin again: the filler's is that of the new entry.  Where the
# restart took so long that the ring went on without it, once more.

sub restarted
{
    my ($run, $here, $there) = @_;

    my ($other, @ids) = @{ $run->{at_x} };

    for my $id (@ids) {
        return if token_again($run, $here, $there, $id, $other);
    }

    fail('another entry has the CAS of the lease');
}


sub token_again
{
    my ($run, $here, $there, $id, $other) = @_;

    wait_hit($_, $id) for $here, $there;
    remove($id);
    raise_cas(cas() + 100);

    my ($reading, $lock) = held_reader($here, $id);
    my $token = item_soon($id)->{cas};

    Scale::restart_memcached($x);

    # a statement of $here might wait behind the one that is held

    my $same = is_hit($there, $other, 2);

    if ($same) {
        judge($run, $there, 'POST', $id);
        raise_cas($token - 2);
        judge($run, $there, 'GET', $id);

        $same = Scale::wait_for(sub {
            my $item = item($id);
            $item && $item->{cas} == $token;
        }, 1);
    }

    close $lock;
    Scale::receive($reading);
    reads($run, $id);

    return $same;
}


sub returned
{
    my ($run, $here, $there) = @_;

    my ($id, $other) = @{ $run->{at_x} };

    leave();
    wait_bypass($_, $other) for $here, $there;
    judge($run, $here, 'POST', $id);
    wait_hit($_, $other) for $here, $there;
    enter();
    wait_bypass($_, $other) for $here, $there;
    wait_hit($_, $other) for $here, $there;
    reads($run, $id);
}


# The refresh of one node waits for its row while its lease lasts.

sub unaware
{
    my ($run, $here, $there) = @_;

    my $lock = hold('SELECT FROM scale.ring_lease WHERE name LIKE'
                    . " '%/$there->{pid}' FOR UPDATE");
    my $end = time + 2;

    leave();

    while (time < $end) {
        for my $id (@{ $run->{at_x} }) {
            judge($run, $here, 'POST', $id);
            judge($run, $there, 'GET', $id);
        }
    }

    close $lock;
    enter();
}


# What the new owner has is older than what the old one was marked for.

sub changed
{
    my ($run, $here, $there) = @_;

    my $id = $run->{at_x}[0];
    my $lock = hold("SELECT FROM items WHERE id = $id FOR UPDATE");
    my $before = Scale::Hammer::read_floors($run->{floors});
    my $writing = Scale::begin('POST', "/items/$id", undef,
                               ':port' => $here->{port});

    wait_blocked();
    leave();
    wait_bypass($there, $run->{at_x}[1]);
    wait_hit($there, $id);
    close $lock;

    judge_answer($run, $before, 'POST', $id, Scale::receive($writing));
    reads($run, $id);
    enter();
}


sub leave { Scale::sql("SELECT scale.ring_remove('hot', '$address[-1]')") }
sub enter { Scale::sql('SELECT ' . enter_call()) }
sub enter_call { return "scale.ring_add('hot', '$address[-1]', 3)" }


# a request, and what the checker says

sub judge
{
    my ($run, $node, $method, $id) = @_;

    my $before = Scale::Hammer::read_floors($run->{floors});

    return judge_answer($run, $before, $method, $id,
                        on($node, $method, $id));
}


sub judge_answer
{
    my ($run, $before, $method, $id, $answer) = @_;

    $run->{sum} //= {};
    Scale::Hammer::judge($run->{sum}, $before, $id, "$method /items/$id",
                         $answer, $run->{floors});
}


# nobody awaits the reply to a fill

sub reads
{
    my ($run, $id) = @_;

    for (1 .. 20) {
        judge($run, $_, 'GET', $id) for @{ $run->{nodes} };
        sleep 0.01;
    }
}


sub is_hit
{
    my ($node, $id, $seconds) = @_;

    return Scale::wait_for(sub { seen($node, 'GET', $id) =~ / HIT / },
                           $seconds);
}


# a memcached that was put out of use is so for 10 s

sub wait_hit
{
    my ($node, $id) = @_;

    is_hit($node, $id, 20) or die "$id stays out of the cache\n";
}


# a new ring is not used at once; what it moves was a hit until then

sub wait_bypass
{
    my ($node, $id) = @_;

    Scale::wait_for(sub { seen($node, 'GET', $id) !~ / HIT / }, 3)
        or die "the node does not hear of the change\n";
}


# a session that holds what the statement has locked, until it is closed

sub hold
{
    my ($sql) = @_;

    open my $session, '|-', Scale::Postgres::psql('app') or die "psql: $!\n";
    $session->autoflush(1);
    print $session "\\o /dev/null\nBEGIN;\n$sql;\n";

    Scale::wait_for(sub {
        Scale::sql("SELECT count(*) FROM pg_stat_activity WHERE"
                   . " state = 'idle in transaction'"
                   . " AND usename = 'postgres'");
    }, 5) or die "nothing is locked\n";

    return $session;
}


sub held_reader
{
    my ($node, $id) = @_;

    my $lock = hold("SELECT pg_advisory_xact_lock($id)");
    my $reading = Scale::begin('GET', "/items/$id", undef,
                               ':port' => $node->{port});

    wait_blocked();

    return ($reading, $lock);
}


sub wait_blocked
{
    Scale::wait_for(sub {
        Scale::sql("SELECT count(*) FROM pg_stat_activity"
                   . " WHERE wait_event_type = 'Lock' AND usename = 'api'"
                   . " AND query LIKE '%items%'");
    }, 5) or die "nobody is blocked\n";
}


# A conversation with the memcached x: the lines of the answer.

sub raw
{
    my ($command, $end) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => $address[-1])
        or die "memcached: $!\n";
    my @lines;

    print $socket $command;

    while (my $line = <$socket>) {
        $line =~ s/\r?\n//;
        last if $line =~ /^END/;
        push @lines, $line;
        last if !$end || $line =~ /^BUSY/;
    }

    return @lines;
}


# The entries there, { key, cas } by the row.  The dump leaves out what is in
# use at that moment, and there is one at a time.

sub items
{
    my (%item, @line);

    Scale::wait_for(sub {
        @line = raw("lru_crawler metadump all\r\n", 1);
        !@line || $line[-1] !~ /^BUSY/;
    }, 5);

    for my $line (@line) {
        my ($key, $id, $cas) = $line =~ /^key=(\S+%3A(\d+)) .*?cas=(\d+)/
            or next;

        $item{$id} = { key => $key =~ s/%(..)/chr hex $1/ger, cas => $cas };
    }

    return \%item;
}


sub item { return items()->{$_[0]} }


sub item_soon
{
    my ($id) = @_;

    return Scale::wait_for(sub { item($id) }, 2)
           || die "memcached has no entry of $id\n";
}


# not by the protocol: a node may have it under a lease of 20 ms

sub remove
{
    my ($id) = @_;

    raw('md ' . item_soon($id)->{key} . "\r\n");
    sleep 0.025;
}


sub cas
{
    my ($answer) = raw("ms none 1 c\r\nx\r\n");

    return ($answer =~ /^HD c(\d+)/)[0];
}


sub raise_cas
{
    my ($goal) = @_;

    while (cas() < $goal) { }
}
