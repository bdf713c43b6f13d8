# A standby is promoted under load; nobody tells nginx.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Hammer;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{SCALE_SOAK} ? 10 : 2;
my $keys = 100;

Scale::sql(<<"END");
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, $keys) i;
END

Scale::replica('a');
Scale::replica('b');

my $nginx = Scale::nginx(<<'END');
    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_A";
        server       "unix:$TEST_NGINX_PG_SOCKET_B";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    server {
        listen 127.0.0.1:$ServerPort;
        add_header X-Role $scale_db_role;

        scale_param id $id bigint required;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route item;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }

        location ~ ^/any/(?<id>\d+)$ {
            scale_route any;
            scale_stale_if_primary_down on;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id";
        }
    }
END

ok(Scale::wait_for(sub { Scale::request('POST', '/items/1')->{code} == 200 },
                   10),
   'a primary is found');

my ($primary, @standbys) = qw(primary a b);
my @resumed;

# in the last one no standby is synchronous

for my $round (1 .. $rounds + 1) {
    my ($next, $other) = @standbys;
    my $safe = $round <= $rounds;
    my $how = !$safe ? 'asynchronous' : $round % 2 ? 'read-only' : 'killed';

    Scale::configure($primary,
                     synchronous_standby_names => $safe ? $next : '');

    my ($promoted, $any);
    my $acks = Scale::dir() . "/acks$round";
    my $sum = Scale::Hammer::run(
        port => $nginx->{port}, dir => Scale::dir(), clients => 8,
        seconds => 6, keys => $keys, depth => 1, rate => 25, acks => $acks,
        meanwhile => sub {
            $any = readers();
            sleep 1;

            if ($how eq 'read-only') {
                Scale::configure($primary,
                                 default_transaction_read_only => 'on');
            } else {
                Scale::kill_server($primary);
            }

            sleep 0.5;
            Scale::promote($next);
            $promoted = time;
        });

    my ($any_reads, $any_failed) = split ' ', <$any>;
    my ($first) = grep { $_ > $promoted }
                  split /\n/, Scale::Process::slurp($acks);
    my $after = defined $first ? $first - $promoted : 99;

    push @resumed, $after;
    diag(sprintf 'round %d (%s): writes resume after %.2f s; %s', $round, $how,
         $after, join ', ', map { "$_ $sum->{$_}" } grep { $_ ne 'first' }
                            sort keys %$sum);
    diag("first: $sum->{first}") if $sum->{first};

    cmp_ok($after, '<=', 2, "$how: writes resume within 2 s");
    is($sum->{failed}, 0, "$how: no read fails before its deadline");
    is($sum->{hung}, 0, "$how: every request is answered");
    is($sum->{misplaced}, 0, "$how: no 25006 reaches a client");
    cmp_ok($any_reads, '>', 0, "$how: reads that may be old go on");
    is($any_failed, 0, "$how: and none fails");

    my $lost = lost($next);

    if ($safe) {
        is($sum->{stale}, 0, "$how: nobody reads less than was acknowledged");
        is($lost, 0, "$how: no acknowledged write is lost");
    } else {
        diag("asynchronous: $lost of $keys rows have lost acknowledged writes");
    }

    # the old primary may have sent it what the new one does not have

    Scale::stop_server($other);
    Scale::rejoin($other, $next);
    Scale::stop_server($primary) if $how eq 'read-only';
    recover($primary) if $how ne 'read-only';
    Scale::rejoin($primary, $next);
    Scale::configure($primary, default_transaction_read_only => 'off',
                     synchronous_standby_names => '');
    @standbys = ($other, $primary);
    $primary = $next;
}

@resumed = sort { $a <=> $b } @resumed;
diag(sprintf 'writes resume: min %.2f, median %.2f, max %.2f s of %d runs',
     @resumed[0, @resumed / 2, -1], scalar @resumed);

done_testing();


# pg_rewind wants a clean shutdown

sub recover
{
    my ($name) = @_;

    Scale::start_server($name);
    Scale::stop_server($name);
}


# rows that have counted less than was acknowledged

sub lost
{
    my ($name) = @_;

    return Scale::Hammer::lost(Scale::dir(), map { split /\|/ } split /\n/,
                               Scale::sql_on($name, 'SELECT id, n FROM items'));
}


# one client more, of what may be old: a handle that yields "reads failed"

sub readers
{
    pipe(my $in, my $out) or die "pipe: $!";

    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);

        my ($reads, $failed, $end) = (0, 0, time + 4.5);

        while (time < $end) {
            my $answer = Scale::get('/any/' . (1 + int rand $keys));

            $reads++;
            $failed++ if $answer->{code} != 200;
            sleep 0.02;
        }

        print $out "$reads $failed\n";
        close $out;
        POSIX::_exit(0);
    }

    close $out;

    return $in;
}
