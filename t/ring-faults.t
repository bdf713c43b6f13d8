# A ring that two web nodes share, while memcacheds and web nodes fail.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use IO::Select;
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep time);

my @address = addresses(3);
my @nodes = two_nodes(@address);
my @ids = (1 .. 300);

ok(warm(\@nodes, @ids), 'all keys are cached');


# what has to be waited for, as if it had been

sub ten_seconds_pass
{
    Scale::sql("UPDATE scale.ring SET since = since - interval '10 s';"
               . " UPDATE scale.ring_epoch SET since = since - interval '10 s',"
               . " ejected = ejected - interval '10 s'");
}


sub state_of
{
    my ($number) = @_;

    return Scale::sql('SELECT state FROM scale.ring'
                      . " WHERE addr = '$address[$number - 1]'");
}


# A write by each node to a key of this memcached, and reads meanwhile:
# { codes of reads, codes of writes, longest }

sub under_fault
{
    my ($number, $fault) = @_;

    my @keys = keys_of($number);
    my (%read, @write, %floor);

    $fault->();

    my @begun = map { Scale::begin('POST', "/items/$keys[$_]", undef,
                                   ':port' => $nodes[$_]{port}) } 0, 1;
    my $slowest = 0;
    my $start = time;
    my @open = @begun;
    my $longest;

    while (@open && time < $start + 8) {
        $longest = time - $start;
        @open = grep { !IO::Select->new($_->{socket})->can_read(0) } @open;

        for my $node (@nodes) {
            my $answer = on($node, 'GET', $keys[rand 2]);

            $read{$answer->{code}}++;
            $slowest = $answer->{seconds} if $answer->{seconds} > $slowest;
        }

        sleep 0.02;
    }

    @write = map { Scale::receive($_) } @begun;

    my @seen = map { my $node = $_; map { seen($nodes[$node], 'GET', $_) }
                                        @keys[0, 1] } 0, 1;

    return { read => \%read, slowest => $slowest, keys => \@keys,
             seen => \@seen, codes => join(' ', map { $_->{code} } @write),
             longest => $longest };
}


sub survives
{
    my ($what, $was) = @_;

    is($was->{codes}, '200 200', "$what: writes to its keys succeed");
    cmp_ok($was->{longest}, '<=', 5, 'within 5 s');
    is(join(' ', keys %{ $was->{read} }), '200', 'no read fails');
    cmp_ok($was->{slowest}, '<', 1, 'or waits');
    is_deeply([grep { !/ 1$/ } @{ $was->{seen} }], [],
              'both nodes read what was written');
    diag(sprintf '%s: writes %.2f s, reads %.2f s', $what, $was->{longest},
                 $was->{slowest});
}


# Killed.

survives('a memcached is killed',
         under_fault(2, sub { Scale::stop_memcached(2) }));
is(state_of(2), 'out', 'it is out of use');

Scale::restart_memcached(2);
ten_seconds_pass();
ok(Scale::wait_for(sub { state_of(2) eq 'in' }, 5), 'and in use again later');
ok(warm(\@nodes, @ids), 'as empty as it is');


# Silent: what it remembers is old.

ten_seconds_pass();

my $was = under_fault(3, sub { Scale::signal_memcached('STOP', 3) });

survives('a memcached is silent', $was);
is(state_of(3), 'out', 'it is out of use');
Scale::signal_memcached('CONT', 3);
ten_seconds_pass();

my $old = 0;
my $back = Scale::wait_for(sub {
    $old += grep { !/ 1$/ } map { my $node = $_; map { seen($node, 'GET', $_) }
                                                     @{ $was->{keys} }[0, 1] }
                                @nodes;
    state_of(3) eq 'in' && (by_status($nodes[0], @ids))[0] eq 'HIT';
}, 12);

ok($back, 'it is back');
ok(warm(\@nodes, @ids), 'and used');
$old += grep { !/ 1$/ } map { seen($nodes[0], 'GET', $_) }
                            @{ $was->{keys} }[0, 1];
is($old, 0, 'what it remembers is not read');
