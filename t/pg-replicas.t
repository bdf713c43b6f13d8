# A primary and two replicas, one of which replays three seconds late.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Client;
use Test::More;
use Time::HiRes qw(time);

my $pairs = $ENV{SCALE_SOAK} ? 10_000 : 1_000;

Scale::sql(<<'END');
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL, title text);
INSERT INTO items SELECT i, 0, 'item ' || i FROM generate_series(1, 200) i;
END

Scale::replica('fast');
Scale::replica('late');
Scale::configure('late', recovery_min_apply_delay => '3s');

open my $secret, '>', Scale::dir() . '/secret' or die;
print $secret "a secret of the tests\n";
close $secret;

my $http = <<'END';
    scale_secret_file $TEST_NGINX_DIR/secret;

    scale_database far {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_LATE";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
        max_lag      20s;
    }

    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_FAST";
        server       "unix:$TEST_NGINX_PG_SOCKET_LATE" weight=2;
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    server {
        listen 127.0.0.1:$ServerPort;
        add_header X-Server $scale_db_server;
        add_header X-Role $scale_db_role;

        scale_use   database=main;
        scale_param id $id bigint required;

        location ~ ^/far/(?<id>\d+)$ {
            scale_route far;
            scale_use database=far;
            scale_consistency bounded wait=10ms;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }

        location ~ ^/strict/(?<id>\d+)$ {
            scale_route strict;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }

        location ~ ^/primary/(?<id>\d+)$ {
            scale_route primary;
            scale_consistency primary;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id";
        }

        location ~ ^/forced/(?<id>\d+)$ {
            scale_route forced;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id"
                        role=primary;
        }

        location ~ ^/loose/(?<id>\d+)$ {
            scale_route loose;
            scale_consistency bounded;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id";
        }

        location ~ ^/both/(?<id>\d+)$ {
            scale_route both;
            scale_query GET none "SELECT 1 FROM items WHERE id = :id" ;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id";
        }
    }
END

my @nodes = map { Scale::nginx($http) } 1, 2;

sub on
{
    my ($node, $method, $path) = @_;

    return Scale::request($method, $path, undef,
                          ':port' => $nodes[$node]{port});
}

sub role { return on(0, 'GET', $_[0])->{headers}{'x-role'} // '' }

for my $node (0, 1) {
    ok(Scale::wait_for(sub { on($node, 'GET', '/loose/1')->{headers}{'x-role'}
                             eq 'replica' }, 10),
       "node $node reads a replica");
}

is(role('/primary/1'), 'primary', 'consistency primary reads the primary');
is(role('/forced/1'), 'primary', 'so does role=primary');
is(on(0, 'GET', '/both/1')->{code}, 200, 'a transaction reads a replica');

my ($stale, %served) = (0);

for my $i (1 .. $pairs) {
    my $id = 1 + $i % 200;
    my $written = on($i % 2, 'POST', "/strict/$id")->{body};
    my $read = on(($i + 1) % 2, 'GET', "/strict/$id");

    $stale++ if $read->{body} ne $written;
    $served{ $read->{headers}{'x-server'} }++;
}

is($stale, 0, "strict: $pairs reads by another client saw the write");

writers_see_their_own();

Scale::configure('late', recovery_min_apply_delay => '0');

my %name = map { $ENV{"TEST_NGINX_PG_SOCKET$_->[1]"} => $_->[0] }
               ['primary', ''], ['fast', '_FAST'], ['late', '_LATE'];
my %share = shares();

diag(join ', ', map { sprintf '%s %.1f%%', $_, 100 * $share{$_} / $pairs }
                    qw(primary fast late));
cmp_ok($share{fast}, '>', $pairs / 2, 'most of them on the fast replica');
is($share{late}, 0, 'none on the late one');

# it was out, and comes back slowly: another node has not met it yet

my $fresh = Scale::nginx($http);

Scale::caught_up('late');
ok(Scale::wait_for(sub { %served = ();
                         read_from($fresh, '/loose/', 20);
                         my %now = shares();
                         $now{late} && $now{fast} }, 10),
   'a node that is new to it reads it at once');

for my $path ('/loose/', '/strict/') {
    %served = ();
    read_from($fresh, $path, 3000);
    %share = shares();

    my $part = $share{late} / (($share{fast} + $share{late}) || 1);

    diag(sprintf '%s late %.1f%%, primary %d', $path, 100 * $part,
         $share{primary});
    cmp_ok(abs($part - 2 / 3), '<', 2 / 3 / 10,
           "$path: a weight of two gets two thirds of the reads");
}

is($share{primary}, 0, 'the primary gets none');

Scale::stop_server($_) for qw(fast late);
%served = ();
read_from($fresh, '/strict/', 100);
%share = shares();
is($share{primary}, 100, 'all replicas stopped: the primary reads');

Scale::start_server($_) for qw(fast late);
ok(Scale::wait_for(sub { %served = ();
                         read_from($fresh, '/strict/', 50);
                         my %now = shares();
                         $now{fast} + $now{late} == 50 }, 15),
   'started again: the replicas do');

done_testing();


# of a replica three seconds late, which "bounded" and max_lag allow

sub writers_see_their_own
{
    my $path = '/far/7';

    ok(Scale::wait_for(sub { role($path) eq 'replica' }, 10),
       'bounded: a late replica is read');

    my $written = on(0, 'POST', $path);
    my $token = $written->{headers}{'scale-token'};
    my ($cookie) = $written->{headers}{'set-cookie'} =~ /^(Scale-Token-far=[^;]+)/;
    my $forged = $token =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/er;

    my %read = (
        none   => read_with($path),
        forged => read_with($path, 'Scale-Token' => $forged),
        field  => read_with($path, 'Scale-Token' => $token),
        among  => read_with($path, 'Scale-Token' => "$forged, $token"),
        cookie => read_with($path, 'Cookie' => $cookie),
    );

    isnt($read{none}{body}, $written->{body}, 'others may see the old row');
    is($read{forged}{body}, $read{none}{body}, 'so may a forger');
    is($read{field}{body}, $written->{body}, 'the writer sees hers, by field');
    is($read{among}{body}, $written->{body}, 'or among others');
    is($read{cookie}{body}, $written->{body}, 'or by cookie');
    like($written->{headers}{'set-cookie'},
         qr/; Max-Age=80; Path=\/; HttpOnly; SameSite=Lax$/,
         'the cookie ends with its use');
    like(slurp_logs(), qr/^(?:(?!\Q$token\E).)*$/s, 'no log has the token');
}


sub read_with
{
    my ($path, %headers) = @_;

    return Scale::get($path, %headers, ':port' => $nodes[1]{port});
}


sub slurp_logs
{
    return join '', map { Scale::Process::slurp($_->{error_log}) } @nodes;
}


sub read_from
{
    my ($node, $path, $times) = @_;

    my $client = Scale::Client->new($node->{port});

    for my $i (1 .. $times) {
        my ($answer) = $client->request('GET ' . $path . (1 + $i % 200));

        $served{ $answer->{headers}{'x-server'} // 'none' }++;
    }
}


# by name

sub shares
{
    return map { my $n = $served{"unix:$_"} // 0; ($name{$_} => $n) }
           keys %name;
}
