# A ring of two memcacheds that web nodes share: with one of them the ring is
# off, but each has a stamp of its own, which sessions go by: the one that dies
# gets another one, the one that does not keeps its own.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Ring;
use Test::More 'no_plan';

my @address = addresses(2);
my @nodes = two_nodes(@address);
my @ids = (1 .. 200);

ok(warm(\@nodes, @ids), 'all keys are cached');


# of a server, "state stamp"

sub server
{
    my ($number) = @_;

    return Scale::sql("SELECT state || ' ' || stamp FROM scale.ring"
                      . " WHERE addr = '$address[$number - 1]'");
}


sub epoch
{
    return Scale::sql("SELECT state || ' ' || stamp FROM scale.ring_epoch");
}


# until it is not what it was: what it is

sub changed
{
    my ($is, $was) = @_;

    my $now;

    Scale::wait_for(sub { ($now = $is->()) ne $was }, 6);

    return $now;
}


# nobody is readmitted before 10 s have passed

sub ten_seconds_later
{
    Scale::sql("UPDATE scale.ring SET since = since - interval '10 s';"
               . " UPDATE scale.ring_epoch"
               . " SET since = since - interval '10 s', ejected = NULL");
}


my ($first, $second, $epoch) = (server(1), server(2), epoch());

Scale::stop_memcached(2);

my $ejected = changed(sub { seen($nodes[0], 'GET', 1 + int rand 200);
                            server(2) }, $second);

like($ejected, qr/^out /, 'one of two dies: it is out of use');
isnt((split ' ', $ejected)[1], (split ' ', $second)[1],
     'under another stamp');
is(server(1), $first, 'the other one is in, under its own');

my $off = changed(\&epoch, $epoch);

like($off, qr/^off /, 'and the ring is off');
ok(Scale::wait_for(sub { seen($nodes[0], 'GET', 1) =~ /BYPASS/ }, 5),
   'the database answers');
is(on($nodes[0], 'POST', $_)->{code}, 200, "and takes a write ($_)")
    for 1 .. 3;


# The other one dies, too, and comes back alone.

Scale::stop_memcached(1);
like(changed(sub { server(1) }, $first), qr/^out /,
     'where the ring is off another one that dies is out of use, too');

my $both = server(1);

Scale::restart_memcached(1);
ok(!Scale::wait_for(sub { server(1) ne $both }, 1),
   'it answers, and is not in use before 10 s');
ten_seconds_later();

$first = changed(sub { server(1) }, $both);

like($first, qr/^in /, 'then it is');
ok(!grep({ (split ' ', $first)[1] eq $_ }
         map { (split)[1] } $both, $ejected),
   'under another stamp');
is(server(2), $ejected, 'the one that is dead is out');
is(epoch(), $off, 'and the ring off');


# Both answer.

Scale::restart_memcached(2);
ten_seconds_later();

like(my $on = changed(\&epoch, $off), qr/^on /, 'both answer: the ring is on');
isnt((split ' ', $on)[1], (split ' ', $epoch)[1], 'of another epoch');
is(server(1), $first, 'the one that has been in has kept its stamp');

my $back = server(2);

like($back, qr/^in /, 'the other one is in');
isnt((split ' ', $back)[1], (split ' ', $ejected)[1], 'under another stamp');

my @old = map { my $node = $_; map { seen($node, 'GET', $_) } 1 .. 3 } @nodes;

is_deeply([grep { !/ 1$/ } @old], [], 'nothing old is read');
ok(warm(\@nodes, @ids), 'and all keys are cached again');


# What is cached where a stamp stays is of the epoch before.

$epoch = epoch();
is(Scale::sql("SELECT scale.ring_eject('hot', addr, stamp, 1) FROM scale.ring"
              . " WHERE addr = '$address[1]'"), 'off',
   'somebody puts one out of use');
ok(Scale::wait_for(sub { !grep { seen($_, 'GET', 1) !~ /BYPASS/ } @nodes }, 8),
   'the ring is off for all');

my @failed = grep { on($nodes[0], 'POST', $_)->{code} != 200 } 11 .. 60;

is_deeply(\@failed, [], 'what is cached is written');
$off = epoch();
ten_seconds_later();
like(changed(\&epoch, $off), qr/^on /, 'the ring is on');
is(server(1), $first, 'the one that has been in has kept its stamp');
ok(Scale::wait_for(sub { !grep { seen($_, 'GET', 1) =~ /BYPASS/ } @nodes }, 8),
   'and is used');
@old = map { my $node = $_; map { seen($node, 'GET', $_) } 11 .. 60 } @nodes;
is_deeply([grep { !/ 1$/ } @old], [], 'nothing old is read');
