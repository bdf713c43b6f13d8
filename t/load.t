# What a client sees while servers die and configurations change.
# SCALE_SOAK=1 is the full size.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Hammer;
use Scale::Items;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(sleep time);

my $soak = $ENV{SCALE_SOAK};
my $cap = 16;      # connections of Scale::http_config()

create_items(300);

my $nginx = Scale::nginx(Scale::http_config() . items_server());


sub backends {
    return split /\n/, Scale::sql("SELECT pid FROM pg_stat_activity"
                                  . " WHERE usename = 'api'");
}



# every hammer has rows of its own: what is set to zero behind the cache's back
# would be stale
my $rows = 0;

sub hammer {
    my (%option) = @_;

    my $seen = Scale::Hammer::run(port => $nginx->{port}, dir => Scale::dir(),
                                  clients => 8, keys => 100,
                                  first => $rows, %option);

    diag(join ', ', map { "$_ $seen->{$_}" } sort keys %$seen);

    $seen->{sum} = Scale::sql("SELECT sum(n) FROM items WHERE id"
                              . " BETWEEN $rows + 1 AND $rows + 100");
    $rows += 100;

    return $seen;
}


# Until $seconds are over: the most connections PostgreSQL ever had of us.

sub most_backends {
    my ($until, $each) = @_;
    my $most = 0;

    while (time < $until) {
        my $count = () = backends();
        $most = $count if $count > $most;
        $each->() if $each;
    }

    return $most;
}


# A server at a time dies, while all clients go on.

my $seconds = $soak ? 30 : 4;

my $seen = hammer(depth => 8, seconds => $seconds, meanwhile => sub {
    for my $kill (
        sub { kill KILL => (backends())[0] },
        sub { Scale::stop_memcached() },
        sub { kill KILL => (Scale::workers($nginx))[0] },
        sub { Scale::restart_memcached() },
        sub { kill KILL => (backends())[0] },
    ) {
        sleep $seconds / 7;
        $kill->();
    }
});

Scale::expect_in_log(qr/worker process \d+ exited on signal 9/);

is($seen->{stale}, 0, 'no death lets an old value out');
is($seen->{hung}, 0, 'no request hangs');
cmp_ok($seen->{sum}, '>=', $seen->{writes}, 'no acknowledged write is lost');
cmp_ok($seen->{sum}, '<=', $seen->{writes} + $seen->{unknown},
       'no write is done twice');


# The configuration changes ten times; clients with a connection each time.

sub reloads {
    my ($seconds) = @_;

    my $before = join ' ', Scale::workers($nginx);
    my $most = 0;

    for (1 .. 10) {
        kill HUP => $nginx->{pid};
        my $count = most_backends(time + $seconds / 12);
        $most = $count if $count > $most;
    }

    return $most;
}

for my $close (1, 0) {
    my $who = $close ? 'a client with a connection per request'
                     : 'a client that keeps its connection';
    my ($most, %old);

    $seen = hammer(depth => 1, seconds => $seconds, close => $close,
                   meanwhile => sub { $most = reloads($seconds) });

    is($seen->{failed} + $seen->{unknown} + $seen->{refused} + $seen->{hung},
       0, "$who sees no reload") or diag($seen->{first});
    is($seen->{stale}, 0, "$who reads nothing old");
    is($seen->{sum}, $seen->{writes}, "$who finds all writes, once");
    cmp_ok($most, '<=', 2 * $cap, 'old workers keep to their share');

    ok(Scale::wait_for(sub { Scale::workers($nginx) == 2 }, 10),
       'the old workers have gone');
    ok(Scale::wait_for(sub { backends() <= $cap }, 5),
       'and so have their connections');
}

run_tests();

__DATA__
