# Many at once: one statement for a herd, and nothing old after an
# acknowledgement.  SCALE_SOAK=1 is the full size.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Hammer;
use Scale::Items;
use Test::Nginx::Socket 'no_plan';
use IO::Socket::INET;

my ($herd, $slow, $seconds) = $ENV{SCALE_SOAK} ? (10_000, 2, 30)
                                               : (1_000, 1, 4);

create_items(101);

my $nginx = Scale::nginx(Scale::http_config()
    . items_server(<<'END' =~ s/SLOW/$slow/r) =~ s/ServerPort/$& backlog=8192/r,

        location ~ ^/slow/(?<id>\d+)$ {
            scale_route  slow;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, pg_sleep(SLOW) FROM items
                                  WHERE id = :id" timeout=5s;
            scale_cache_valid  10m;
        }
END
    connections => 16_384, main => 'worker_rlimit_nofile 20000;');

my $port = $nginx->{port};


# opens all connections, sends on all, then counts the answers
sub herd ($$) {
    my ($path, $n) = @_;
    my %codes;

    my @sockets = map {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5)
    } 1 .. $n;

    print {$_} "GET $path HTTP/1.0\r\n\r\n" for @sockets;

    for my $socket (@sockets) {
        my $line = <$socket>;
        $codes{$1}++ if defined $line && $line =~ m{^HTTP/1.1 (\d+)};
    }

    return \%codes;
}


is_deeply(herd('/items/101', $herd), { 200 => $herd }, 'a herd is answered');
is(Scale::statements('SELECT id, n FROM items%'), 1,
   'a herd on a cold key costs one statement');

is_deeply(herd('/slow/1', $herd), { 200 => $herd },
          'a herd on a slow key is answered');
is(Scale::statements('SELECT id, pg_sleep%'), 1,
   'a slow statement is run once for a herd');

my $seen = Scale::Hammer::run(port => $port, dir => Scale::dir(),
                              clients => 8, seconds => $seconds,
                              keys => 100, depth => 16);

diag(join ', ', map { "$_ $seen->{$_}" } sort keys %$seen);

is($seen->{stale}, 0, 'no read is older than an acknowledged write');
is($seen->{failed} + $seen->{unknown} + $seen->{refused} + $seen->{hung}, 0,
   'nothing fails while all is well') or diag($seen->{first});
is(Scale::sql('SELECT sum(n) FROM items'), $seen->{writes},
   'every acknowledged write is there, once');

run_tests();

__DATA__
