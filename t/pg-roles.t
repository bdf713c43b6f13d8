# Nobody declares who is primary, and a server's own word is not enough.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Http;
use Test::More;
use Time::HiRes qw(sleep time);

Scale::sql(<<'END');
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 100) i;
ALTER ROLE api SET synchronous_commit = off;
END

Scale::replica('a');
Scale::replica('b');

my $nginx = Scale::nginx(<<'END');
    scale_deadline 5s;

    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_A";
        server       "unix:$TEST_NGINX_PG_SOCKET_B";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    scale_database pinned {
        server       "unix:$TEST_NGINX_PG_SOCKET"   role=primary;
        server       "unix:$TEST_NGINX_PG_SOCKET_B" role=replica;
        conninfo     "dbname=app user=api application_name=p";
        connections  16;
    }

    server {
        listen 127.0.0.1:$ServerPort;
        add_header X-Server $scale_db_server always;
        add_header X-Role $scale_db_role always;

        scale_use   database=main;
        scale_param id $id bigint required;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route item;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }

        location ~ ^/pinned/(?<id>\d+)$ {
            scale_route pinned;
            scale_use   database=pinned;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }

        location = /durable {
            scale_route durable;
            scale_query POST value "SELECT current_setting('synchronous_commit')";
        }
    }
END

my $log = $nginx->{error_log};

sub write_one
{
    return Scale::request('POST', '/items/' . (1 + int rand 100));
}

sub read_one
{
    return Scale::get('/items/' . (1 + int rand 100));
}

sub server
{
    return $_[0]->{headers}{'x-server'} // '';
}

ok(Scale::wait_for(sub { server(read_one()) =~ m{/[ab]/} }, 10),
   'a replica is read');

ok(Scale::wait_for(sub { Scale::get('/pinned/1')->{headers}{'x-role'} eq
                         'replica' }, 10), 'a pinned replica is read');
is(Scale::request('POST', '/pinned/1')->{headers}{'x-role'}, 'primary',
   'and a pinned primary written');

is(Scale::request('POST', '/durable')->{body}, qq("on"\n),
   'a session that would not wait for its commits does');
like(Scale::Process::slurp($log), qr/synchronous_commit is off/,
     'which the log says');
my $said = () = Scale::Process::slurp($log) =~ /synchronous_standby_names is/g;
is($said, 2, 'so it does of a primary without a synchronous standby, once each');


# a replica falls silent: its reads go elsewhere

Scale::signal_server('a', 'STOP');

my ($slowest, %codes) = (0);

for (1 .. 200) {
    my $start = time;

    $codes{ read_one()->{code} }++;

    my $took = time - $start;
    $slowest = $took if $took > $slowest;
}

is_deeply(\%codes, { 200 => 200 }, 'a silent replica costs no read');
diag(sprintf 'the slowest took %.2f s', $slowest);

ok(Scale::wait_for(sub { Scale::Process::slurp($log)
                         =~ /replica "unix:[^"]*\/a\/[^"]*" gets no reads/ },
                   10),
   'it gets no more');

Scale::signal_server('a', 'CONT');

ok(Scale::wait_for(sub { server(read_one()) =~ m{/a/} }, 15),
   'and reads again when it answers again');


# two primaries: the standby is promoted, the old one does not know

Scale::promote('a');

ok(Scale::wait_for(sub { server(write_one()) =~ m{/a/} }, 5),
   'of two primaries the newer is written');

my %wrote;

for (1 .. 100) {
    my $answer = write_one();

    $wrote{ server($answer) =~ m{/a/} ? 'a' : $answer->{code} }++;
}

is($wrote{200}, undef, 'and none is acknowledged by the other from then on');
cmp_ok($wrote{a}, '>=', 98, 'nor do many meet it');

%wrote = ();
$wrote{ server(read_one()) =~ m{/a/} ? 'a' : 'other' }++ for 1 .. 100;
is_deeply(\%wrote, { a => 100 },
          'what follows the old one is not read either');
like(Scale::Process::slurp($log), qr/claims to be the primary, which is on/,
     'the log names the old one');

done_testing();
