# A ring that several web nodes share: its table, who may change it, and what
# nginx.conf has to do with it.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Items;
use Scale::Ring;
use Test::More 'no_plan';

create_items(300);

my @address = addresses(4);

# which the reads that nobody can answer wait for

my $config = "scale_deadline 5s;\n" . config(@address[0 .. 2]);
my @nodes = map { Scale::nginx($config) } 1, 2;


# Before the operator has said which servers there are.

my $statement = qr/"main" is empty, and counts; .*? run there: (SELECT .*)$/m;

ok(Scale::wait_for(sub { log_of($nodes[0]) =~ $statement }, 5),
   'an empty table: the log has the statement to run');

my ($said) = log_of($nodes[0]) =~ $statement;

is($said, "SELECT " . join(', ', map { "scale.ring_add('hot', '$_', 1)" }
                                 @address[0 .. 2]),
   'with the servers of nginx.conf');
is(seen($nodes[0], 'GET', 1), '200 BYPASS 0', 'until then, reads bypass');
is(seen($nodes[0], 'POST', 1), '200 - 1', 'and writes are done');

Scale::sql($said);

ok(warm(\@nodes, 1 .. 300), 'then all keys are cached, for both nodes');
is(Scale::sql('SELECT count(*) FROM scale.ring_version'), 1,
   'one statement is one change');
is(Scale::sql('SELECT count(*) FROM scale.ring_lease'), 2,
   'each web node has its lease');


# What one node writes the other one reads.

my $stale = 0;

for my $i (1 .. 100) {
    my $id = 1 + $i % 50;
    my (undef, undef, $n) = split ' ', seen($nodes[$i % 2], 'POST', $id);

    $stale += seen($nodes[1 - $i % 2], 'GET', $id) !~ / \Q$n\E$/;
}

is($stale, 0, 'what a node has written is read on the other one at once');


# nginx.conf says something else than the table.

Scale::Nginx::write_conf($nodes[0], config("$address[0] weight=2",
                                           @address[1, 3]));
ok(Scale::reload($nodes[0]), 'a reload with other servers');
ok(Scale::wait_for(sub { log_of($nodes[0]) =~ /has other servers than/ }, 5),
   'is noticed');

($said) = log_of($nodes[0]) =~ /nginx\.conf, and counts; .*? run there: (.*)$/m;

is($said, "SELECT scale.ring_reweight('hot', '$address[0]', 2),"
          . " scale.ring_add('hot', '$address[3]', 1),"
          . " scale.ring_remove('hot', '$address[2]')",
   'with the statement that would make it so');
is((by_status($nodes[0], 1))[0], 'HIT', 'what is cached stays');


# The database was failed over: what was lost with the old one may be cached.

Scale::sql('UPDATE scale.ring_epoch SET timeline = timeline + 1');
ok(Scale::wait_for(sub { seen($nodes[1], 'GET', 1) =~ /MISS/ }, 8),
   'another timeline: the cache begins cold');
ok(warm(\@nodes, 1 .. 100), 'and is warm again');


# The database is away.

Scale::stop_postgres();
ok(Scale::wait_for(sub { on($nodes[1], 'GET', 1)->{code} != 200 }, 6),
   'without the database for 3 s, nothing that is cached is answered');
Scale::start_postgres();
ok(Scale::wait_for(sub { seen($nodes[1], 'GET', 1) =~ / HIT / }, 10),
   'it is back, and what was cached is found');


# Who may do what.

for my $call ("ring_add('hot', '127.0.0.1:1')", "ring_place('hot')",
              "ring_remove('hot', '$address[0]')",
              "ring_reweight('hot', '$address[0]', 7)")
{
    my ($name) = $call =~ /(\w+)/;

    ok(!eval { Scale::sql("SET ROLE api; SELECT scale.$call"); 1 },
       "the web nodes' role may not call scale.$name()");
    like($@, qr/permission denied/, 'it is said so');
}

ok(!eval { Scale::sql("SET ROLE api; UPDATE scale.ring SET weight = 5"); 1 },
   'nor write the table');

for my $address ('db.example:11211', '127.0.0.1 :1', "x' --", 'unix:relative') {
    ok(!eval { Scale::sql('SELECT scale.ring_add(\'hot\', $$' . $address
                          . '$$)'); 1 },
       "\"$address\" is no address");
}
