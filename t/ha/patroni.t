# make ha: Patroni's leader goes under load, and nobody tells nginx.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(patroni);
use Scale::Hammer;
use Test::More;
use Time::HiRes qw(sleep time);

my @rounds = (('killed') x ($ENV{SCALE_SOAK} ? 10 : 3), 'frozen',
              'switched over');
my $keys = 100;

# how a leader goes, and how it is a member again

my %way = (
    killed          => [\&Scale::Patroni::kill_member,
                        \&Scale::Patroni::launch],
    frozen          => [sub { Scale::Patroni::signal_member($_[0], 'STOP') },
                        sub { Scale::Patroni::signal_member($_[0], 'CONT') }],
    'switched over' => [\&Scale::Patroni::switch_over, sub { }],
);

my $leader = Scale::Patroni::settled();

Scale::sql_on($leader, <<"END");
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, $keys) i;
END

my $nginx = Scale::nginx(<<'END');
    scale_database main {
        server       127.0.0.1:$TEST_NGINX_PG_PORT_A;
        server       127.0.0.1:$TEST_NGINX_PG_PORT_B;
        server       127.0.0.1:$TEST_NGINX_PG_PORT_C;
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    server {
        listen 127.0.0.1:$ServerPort;

        # shorter than Patroni takes: some of the requests wait, some give up

        scale_deadline 4s;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route item;
            scale_param id $id bigint required;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }
    }
END

ok(Scale::wait_for(sub { Scale::request('POST', '/items/1')->{code} == 200 },
                   10),
   'the leader is found');

my (%promoted, %resumed);

for my $round (1 .. @rounds) {
    my $how = $rounds[$round - 1];
    my ($go, $return) = @{ $way{$how} };
    my $old = Scale::Patroni::settled();
    my $acks = Scale::dir() . "/acks$round";
    my $stop = Scale::dir() . "/stop$round";
    my ($gone, $promoted, $first);

    my $sum = Scale::Hammer::run(
        port => $nginx->{port}, dir => Scale::dir(), clients => 8,
        seconds => 60, keys => $keys, depth => 1, rate => 25, acks => $acks,
        stop => $stop,
        meanwhile => sub {
            sleep 1;

            Scale::Patroni::watch(grep { $_ ne $old } qw(a b c));
            $gone = time;
            $go->($old);
            ($leader, $promoted) = Scale::Patroni::promoted(30);

            Scale::wait_for(sub { $first = first_after($acks, $promoted) }, 10)
                if $promoted;

            # what it believes when it is back must not reach anybody

            $return->($old);
            sleep 3;
            open my $out, '>', $stop or die "$stop: $!\n";
        });

    ok($promoted, "$how: Patroni promotes another") or last;

    my $after = defined $first ? $first - $promoted : 99;

    push @{ $promoted{$how} }, $promoted - $gone;
    push @{ $resumed{$how} }, $after;
    diag(sprintf 'round %d: %s %s, %s promoted after %.2f s, writes resume '
                 . '%.2f s later; %s', $round, $old, $how, $leader,
         $promoted - $gone, $after, join ', ', map { "$_ $sum->{$_}" }
         grep { $_ ne 'first' } sort keys %$sum);
    diag("first: $sum->{first}") if $sum->{first};

    cmp_ok($after, '<=', 2,
           "$how: writes resume within 2 s of Patroni's promotion");
    is($sum->{stale}, 0, "$how: nobody reads less than was acknowledged");
    is($sum->{failed}, 0,
       "$how: a read is answered, or refused at its deadline");
    is($sum->{hung}, 0, "$how: every request is answered");
    is($sum->{misplaced}, 0, "$how: no 25006 reaches a client");

    is(Scale::Hammer::lost(Scale::dir(), map { split /\|/ } split /\n/,
           Scale::sql_on($leader, 'SELECT id, n FROM items')),
       0, "$how: no acknowledged write is lost");
}

for my $how (sort keys %resumed) {
    diag(spread("$how: Patroni promotes after", @{ $promoted{$how} }));
    diag(spread("$how: writes resume after", @{ $resumed{$how} }));
}

done_testing();


# the first acknowledgement of the file after a time

sub first_after
{
    my ($acks, $time) = @_;

    my ($first) = sort { $a <=> $b } grep { $_ > $time } split /\n/,
                  Scale::Process::slurp($acks);

    return $first;
}


sub spread
{
    my ($what, @seconds) = @_;

    @seconds = sort { $a <=> $b } @seconds;

    return sprintf '%s min %.2f, median %.2f, max %.2f s of %d runs', $what,
           @seconds[0, @seconds / 2, -1], scalar @seconds;
}
