# The database of a shared ring is failed over, and has lost a write that is
# cached: with the same failover the ring begins a new epoch.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Items;
use Scale::Ring;
use Test::More 'no_plan';

create_items(100);

my @address = addresses(2);

add_to_ring(@address);
Scale::replica('a');

my $config = config(@address)
    =~ s/^( +server +"unix:\$TEST_NGINX_PG_SOCKET)";$/$1";\n$1_A";/mr;
my @nodes = map { Scale::nginx($config) } 1, 2;

ok(warm(\@nodes, 1 .. 100), 'all keys are cached');

Scale::caught_up('a');
Scale::configure('a', primary_conninfo => '');

is(seen($nodes[0], 'POST', 2), '200 - 1', 'a write that is not replicated');
ok(Scale::wait_for(sub { seen($nodes[1], 'GET', 2) eq '200 HIT 1' }, 5),
   'is cached');

Scale::kill_server('primary');
Scale::promote('a');

ok(Scale::wait_for(sub { on($nodes[0], 'POST', 3)->{code} == 200 }, 15),
   'the replica is promoted, and takes writes');

# the nodes hear of the new epoch when they renew their leases

ok(Scale::wait_for(sub { !grep { seen($_, 'GET', 2) !~ / 0$/ } @nodes }, 5),
   'the write that was lost is soon forgotten');

my @late = map { my $node = $_; map { seen($node, 'GET', 2) } 1 .. 50 } @nodes;

is_deeply([grep { !/ 0$/ } @late], [], 'and not read again');
ok(warm(\@nodes, 1 .. 100), 'all keys are cached anew');
is_deeply([map { seen($_, 'GET', 2) } @nodes], [('200 HIT 0') x 2],
          'as they are');
is(Scale::sql_on('a', "SELECT scale.ring_renew('hot', stamp),"
                      . " scale.ring_renew('hot', 1) FROM scale.ring_epoch",
                 'app'), 'renewed|declined',
   'an epoch is begun by who knows the last one');
