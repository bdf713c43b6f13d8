# "connections" is the whole node's, whatever its clients and workers do.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Http;
use Test::More;
use Time::HiRes qw(sleep time);

my $limit = 28;
my $clients = 2000;

Scale::sql(<<"END");
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 100) i;
ALTER ROLE api CONNECTION LIMIT $limit;
END

my $nginx = Scale::nginx(<<"END", workers => 4, connections => 8192);
    scale_deadline 30s;

    scale_database main {
        server       "unix:\$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=t";
        connections  $limit;
        idle         1s;
        queue        4096 timeout=20s;
    }

    keepalive_timeout 300s;

    server {
        listen 127.0.0.1:\$ServerPort backlog=4096;

        scale_param id \$id bigint required;

        location ~ ^/items/(?<id>\\d+)\$ {
            scale_route item;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
        }

        location = /sleep {
            scale_route sleep;
            scale_query GET value "SELECT pg_sleep(1.5)::text" timeout=10s;
        }
    }
END

ok(Scale::wait_for(sub { Scale::get('/items/1')->{code} == 200 }, 10),
   'it answers');

my $most = 0;
my %codes;
my @sockets = map { socket_of($_) } 1 .. $clients;

for my $round (1 .. 3) {
    kill HUP => $nginx->{pid} if $round == 2;

    my @open = map { Scale::begin($_ % 5 ? 'GET' : 'POST',
                                  '/items/' . (1 + $_ % 100)) } 1 .. 600;

    for my $one (@open) {
        $codes{ Scale::receive($one)->{code} }++;

        next if rand() > 0.1;

        my $now = count();
        $most = $now if $now > $most;
    }
}

is_deeply(\%codes, { 200 => 1800 }, 'all requests are answered');
is(scalar(grep { $_ } @sockets), $clients, "with $clients connections open");
cmp_ok($most, '<=', $limit, "never more than $limit: $most at most");
unlike(Scale::Process::slurp($nginx->{error_log}), qr/too many/,
       'PostgreSQL never refuses one');
@sockets = ();

my @sleepers = map { Scale::begin('GET', '/sleep') } 1 .. 11;

ok(Scale::wait_for(sub { asleep() >= 9 }, 3),
   'a worker uses what the others leave');
is(join(' ', map { Scale::receive($_)->{code} } @sleepers),
   join(' ', (200) x 11), 'and all are answered');

ok(Scale::wait_for(sub { count() <= 4 * 4 }, 10),
   'idle connections are closed, but one per kind and worker');

my ($victim) = Scale::workers($nginx);

Scale::expect_in_log(qr/worker process $victim exited on signal 9/);

kill KILL => $victim;
ok(Scale::wait_for(sub { Scale::workers($nginx) == 4
                         && !grep { $_ == $victim }
                                  Scale::workers($nginx) }, 10),
   'a worker is killed');

@sleepers = map { Scale::begin('GET', '/sleep') } 1 .. 11;
ok(Scale::wait_for(sub { asleep() >= 9 }, 3),
   'what it held can be used again');
is(join(' ', map { Scale::receive($_)->{code} } @sleepers),
   join(' ', (200) x 11), 'and all are answered');

done_testing();


sub socket_of
{
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $nginx->{port});
}


sub count
{
    return Scale::sql('SELECT count(*) FROM pg_stat_activity'
                      . " WHERE usename = 'api'");
}


sub asleep
{
    return Scale::sql('SELECT count(*) FROM pg_stat_activity WHERE'
                      . " usename = 'api' AND wait_event = 'PgSleep'");
}
