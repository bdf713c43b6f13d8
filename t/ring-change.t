# Servers come, go and get another weight while clients read and write through
# two web nodes.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Items;
use Scale::Client;
use Scale::Hammer;
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep);

create_items(2000);

my @address = addresses(4);

add_to_ring(@address[0 .. 2]);

my $config = config(@address[0 .. 2]);
my @nodes = map { Scale::nginx($config) } 1, 2;


sub hammer
{
    my ($meanwhile, %option) = @_;

    my $seen = Scale::Hammer::run(
        nodes => \@nodes, dir => Scale::dir(), clients => 4,
        keys => 100, depth => 4, seconds => 4.5,
        meanwhile => $meanwhile, %option);

    diag(join ', ', map { "$_ $seen->{$_}" } sort keys %$seen);

    return $seen;
}


sub undisturbed
{
    my ($seen, $what) = @_;

    is($seen->{stale}, 0, "$what: no read is stale");
    is($seen->{failed} + $seen->{refused} + $seen->{unknown} + $seen->{hung},
       0, "$what: nothing fails") or diag($seen->{first});
}


sub after_change
{
    my ($call) = @_;

    return sub {
        sleep 0.5;
        Scale::sql("SELECT scale.$call");
    };
}

warm(\@nodes, 1001 .. 2000);
undisturbed(hammer(after_change("ring_add('hot', '$address[3]')")),
            'a server is added');

my %count = by_status($nodes[0], 1001 .. 2000);
diag(join ', ', map { "$_ $count{$_}" } sort keys %count);
cmp_ok($count{MISS}, '>', 100, 'the new server has its share of the keys');
cmp_ok($count{HIT} // 0, '>=', 700, 'the others stay warm');

warm(\@nodes, 1001 .. 2000);
undisturbed(hammer(after_change("ring_remove('hot', '$address[3]')")),
            'it is removed');

%count = by_status($nodes[1], 1001 .. 2000);
diag(join ', ', map { "$_ $count{$_}" } sort keys %count);
cmp_ok($count{HIT} // 0, '>=', 700, 'what the others had stays warm');


# Each change is a version; the ninth is a new epoch.

Scale::sql('SELECT ' . join ', ', map { "scale.ring_add('hot', '$_:1')" }
                                      map { "127.0.0.$_" } 2 .. 4);

for my $weight (2 .. 7) {
    Scale::sql("SELECT scale.ring_reweight('hot', '127.0.0.2:1', $weight)");
}

is(Scale::sql('SELECT count(*) FROM scale.ring_version'), 2,
   'the ninth version begins a new epoch');
