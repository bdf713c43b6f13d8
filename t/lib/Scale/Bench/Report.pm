package Scale::Bench::Report;

# Markdown tables of what was measured.

use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(max min);

our @EXPORT_OK = qw(rates ratios latencies median);


# $runs is { name => [{ rate, cpu, refused, others }] }; @who are the columns of
# the processor time, names of processes

sub rates
{
    my ($variants, $runs, @who) = @_;

    return table(['variant', 'requests/s', 'least', 'most',
                  (map { "$_, us" } @who), 'refused', 'others'],
        map { my $of = $runs->{ $_->{name} };
              my @rate = map { $_->{rate} } @$of;
              [$_->{name},
               (map { sprintf '%.0f', $_ } median(@rate), min(@rate),
                                           max(@rate)),
               (map { cost($of, $_) } @who),
               map { my $share = $_;
                     percent(median(map { $_->{$share} // 0 } @$of)) }
               qw(refused others)] }
        grep { $runs->{ $_->{name} } } @$variants);
}


# microseconds per request; empty where there is no such process

sub cost
{
    my ($of, $who) = @_;

    my @cost = grep { defined } map { $_->{cpu}{$who} } @$of;

    return @cost ? sprintf '%.1f', median(@cost) : '';
}


# Comparisons are [ours, reference, goal or undef].  A ratio is taken within
# each round.

sub ratios
{
    my ($comparisons, $runs) = @_;

    return table(['path', 'reference', 'ratio', 'least', 'most', 'goal'],
        map { my ($ours, $reference, $goal) = @$_;
              my @ratio = map { $runs->{$ours}[$_]{rate}
                                / $runs->{$reference}[$_]{rate} }
                          0 .. $#{ $runs->{$ours} };
              [$ours, $reference,
               (map { sprintf '%.2f x', $_ } median(@ratio), min(@ratio),
                                             max(@ratio)),
               defined $goal ? sprintf '%.2f x', $goal : ''] }
        grep { $runs->{ $_->[0] } && $runs->{ $_->[1] } } @$comparisons);
}


# $at is { name => { share of the maximum => run } }

sub latencies
{
    my ($variants, $at) = @_;
    my @rows;

    for my $variant (grep { $at->{ $_->{name} } } @$variants) {
        my $of = $at->{ $variant->{name} };

        push @rows, map { my $run = $of->{$_};
                          [$variant->{name}, 100 * $_ . ' %',
                           sprintf('%.0f', $run->{wanted}),
                           sprintf('%.0f', $run->{rate}),
                           (map { sprintf '%.2f', $run->{latency_us}{$_} / 1e3 }
                            qw(p50 p90 p99 p999 max)),
                           map { percent($run->{$_}) } qw(refused others)] }
                    sort { $a <=> $b } keys %$of;
    }

    return table(['variant', 'load', 'wanted/s', 'answered/s',
                  (map { "$_, ms" } qw(p50 p90 p99 p99.9 max)), 'refused',
                  'others'], @rows);
}


sub percent
{
    return sprintf '%.0f %%', 100 * $_[0];
}


# numbers are aligned as such

sub table
{
    my ($head, @rows) = @_;

    my @align = map { my $column = $_;
                      (grep { $_->[$column] =~ /[^\d. x%]/ } @rows)
                      ? '---' : '---:' }
                0 .. $#$head;

    return join '', map { '| ' . join(' | ', @$_) . " |\n" }
                    $head, \@align, @rows;
}


sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}


1;
