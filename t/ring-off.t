# A ring that two web nodes share: when too much of it fails, and when one of
# the web nodes stands still.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep);

my @address = addresses(3);
my @nodes = two_nodes(@address);
my @ids = (1 .. 300);

ok(warm(\@nodes, @ids), 'all keys are cached');


sub epoch
{
    return Scale::sql('SELECT state FROM scale.ring_epoch');
}


# One web node stands still while the ring changes: what it knows by heart is
# in the memcached still, untouched.

my ($key) = keys_of(1);
my @frozen = Scale::workers($nodes[1]);

kill STOP => @frozen;
Scale::sql("SELECT scale.ring_eject('hot', addr, stamp, 1) FROM scale.ring"
           . " WHERE addr = '$address[0]'");

is(Scale::wait_for(sub { seen($nodes[0], 'GET', $key) =~ /BYPASS/ }, 5), 1,
   'a web node learns that a memcached is out of use');

my $written = on($nodes[0], 'POST', $key);

is($written->{code}, 200, 'a write while another web node stands still');
cmp_ok($written->{seconds}, '>', 1, 'waits until that one has no lease');

my @late = map { Scale::begin('GET', "/items/$key", undef,
                              ':port' => $nodes[1]{port}) } 1 .. 8;

kill CONT => @frozen;

my @answers = map { Scale::receive($_) } @late;

is_deeply([grep { $_->{body} !~ /"n":1/ } @answers], [],
          'it wakes up, and answers nothing old');

my $old = grep { sleep 0.01; seen($nodes[1], 'GET', $key) !~ / 1$/ } 1 .. 100;
is($old, 0, 'nor later');


# More fail than may be put out of use.

Scale::stop_memcached(2);

my @some = grep { $_ != $key } 1 .. 40;
my @begun = map { Scale::begin('POST', "/items/$_", undef,
                               ':port' => $nodes[0]{port}) } @some;

ok(Scale::wait_for(sub { epoch() eq 'off' }, 5), 'the ring is off');

my @written = map { Scale::receive($_) } @begun;
my ($longest) = sort { $b <=> $a } map { $_->{seconds} } @written;

is_deeply([grep { $_->{code} != 200 } @written], [], 'all writes succeed');
cmp_ok($longest, '<=', 5, 'within 5 s');
diag("the longest write: $longest s");
is_deeply({ by_status($nodes[1], @ids) }, { BYPASS => 300 },
          'the database answers everything');


$written = on($nodes[1], 'POST', 200);
is($written->{code}, 200, 'a write is done');
cmp_ok($written->{seconds}, '<', 1, 'without waiting');

Scale::restart_memcached(2);
Scale::sql("UPDATE scale.ring_epoch SET since = since - interval '10 s'");
ok(Scale::wait_for(sub { epoch() eq 'on' }, 5),
   'when two thirds answer the ring is on');
Scale::sql("UPDATE scale.ring SET since = since - interval '10 s';"
           . " UPDATE scale.ring_epoch SET ejected = NULL");

$old = 0;
for my $node (@nodes) {
    $old += grep { seen($node, 'GET', $_) !~ / 1$/ } @some;
}

is($old, 0, 'nothing old is in it');
ok(warm(\@nodes, @ids), 'and all keys are cached again');


# A gutter takes the place of what is out of use; workers die.

my ($gutter) = reverse addresses(4);

Scale::sql("SELECT scale.ring_add('hot', '$gutter', 1, true)");
is(Scale::sql("SELECT scale.ring_eject('hot', addr, stamp, 1) FROM scale.ring"
              . " WHERE addr = '$address[2]'"), 'ejected',
   'one is out of use');
ok(Scale::wait_for(sub { by_status($nodes[0], @ids); ($key) = keys_of(4) }, 8)
   && warm(\@nodes, @ids), 'a gutter takes its place');
$written = on($nodes[0], 'POST', $key);
is(on($nodes[1], 'GET', $key)->{body}, $written->{body},
   'and is written through');

Scale::expect_in_log(qr/exited on signal 9/);
kill KILL => Scale::workers($nodes[0]);
ok(Scale::wait_for(sub { seen($nodes[0], 'GET', 7) =~ /^200/ }, 2),
   'workers are killed');

my $dead = Scale::sql("SELECT clock_timestamp() + interval '0.5 s'");

ok(Scale::wait_for(sub {
       Scale::sql("SELECT count(*) FROM scale.ring_lease"
                  . " WHERE renewed > '$dead'") == 2;
   }, 8), 'the lease is renewed');

my %count = by_status($nodes[0], @ids);
cmp_ok($count{HIT} // 0, '>', 100, 'and used by new ones');
