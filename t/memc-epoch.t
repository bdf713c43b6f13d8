# After an asynchronous failover the cache may hold what was never replicated.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Process qw(slurp);
use Test::More 'no_plan';

Scale::sql(<<'SQL');
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 100) i;
SQL

Scale::replica('a');

my $nginx = Scale::nginx(<<'END', workers => 2);
    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_A";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    scale_cache hot { server 127.0.0.1:$TEST_NGINX_MC_PORT; }

    add_header   X-Cache $scale_cache_status always;
    scale_param  id  $id  bigint required;

    server {
        listen 127.0.0.1:$ServerPort;
        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  10m;
        }
    }
END


sub seen
{
    my ($method, $id) = @_;

    my $answer = Scale::request($method, "/items/$id");
    my ($n) = $answer->{body} =~ /"n":(\d+)/;

    return join ' ', $answer->{code},
                     $answer->{headers}{'x-cache'} || '-', $n // '-';
}


sub epochs
{
    return scalar(() = slurp($nginx->{error_log})
                       =~ /cache "hot" begins anew: database "main" has/g);
}


ok(Scale::wait_for(sub { seen('GET', 1) eq '200 HIT 0' }, 10),
   'an entry is found');

Scale::caught_up('a');
Scale::configure('a', primary_conninfo => '');

is(seen('PUT', 2), '200 - 1', 'a write that is not replicated');
ok(Scale::wait_for(sub { seen('GET', 2) eq '200 HIT 1' }, 5), 'is cached');
is(epochs(), 0, 'until now nothing began anew');

Scale::kill_server('primary');
Scale::promote('a');

ok(Scale::wait_for(sub { seen('PUT', 3) =~ /^200 - / }, 10),
   'the replica is promoted and followed');
is(seen('GET', 1), '200 MISS 0', 'an entry of before is not found');
is(seen('GET', 2), '200 MISS 0', 'nor that of the write which is lost');
ok(Scale::wait_for(sub { seen('GET', 1) eq '200 HIT 0' }, 5),
   'but filled anew');

sleep 2;
is(epochs(), 1, 'one worker of the node has begun the epoch');
ok(Scale::reload($nginx), 'nginx is reloaded');
ok(Scale::wait_for(sub { seen('GET', 1) eq '200 HIT 0' }, 5),
   'new workers do not begin another');
is(epochs(), 1, 'nor later');
