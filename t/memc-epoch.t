# After an asynchronous failover the cache may hold what was never replicated.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Items;
use Scale::Process qw(slurp);
use Test::More 'no_plan';

create_items(100);

Scale::replica('a');

my $nginx = Scale::nginx(<<'END' . items_server(), workers => 2);
    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_A";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    scale_cache hot { server 127.0.0.1:$TEST_NGINX_MC_PORT; }
END


sub seen { return Scale::seen(Scale::request($_[0], "/items/$_[1]")) }


sub epochs
{
    return scalar(() = slurp($nginx->{error_log})
                       =~ /cache "hot" begins anew: database "main" has/g);
}


ok(Scale::wait_for(sub { seen('GET', 1) eq '200 HIT 0' }, 10),
   'an entry is found');

Scale::caught_up('a');
Scale::configure('a', primary_conninfo => '');

is(seen('POST', 2), '200 - 1', 'a write that is not replicated');
ok(Scale::wait_for(sub { seen('GET', 2) eq '200 HIT 1' }, 5), 'is cached');
is(epochs(), 0, 'until now nothing began anew');

Scale::kill_server('primary');
Scale::promote('a');

ok(Scale::wait_for(sub { seen('POST', 3) =~ /^200 - / }, 10),
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
