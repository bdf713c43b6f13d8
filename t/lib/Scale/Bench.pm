package Scale::Bench;

# What the benchmarks of t/bench share.  ROUNDS and SECONDS say how many rounds
# there are, and how long each variant runs in one.

use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(max min);

our @EXPORT_OK = qw(measure report wrk seconds);

my $rounds = $ENV{ROUNDS} || 5;
my $seconds = $ENV{SECONDS} || 4;


sub seconds { return $seconds }


# Variants are [name, sub that yields a rate, the name of a peer or undef].
# They take turns, so that a noisy minute hits them all; yields the rates of
# the rounds by name.

sub measure
{
    my (@variants) = @_;
    my %rates;

    for my $round (1 .. $rounds) {
        for my $variant (@variants) {
            my ($name, $run) = @$variant;

            push @{$rates{$name}}, $run->();
            printf STDERR "round %d of %d  %-22s %9.0f/s\n",
                          $round, $rounds, $name, $rates{$name}[-1];
        }
    }

    return %rates;
}


# requests per second; an answer that is no success ends the benchmark

sub wrk
{
    my ($url) = @_;

    my $text = qx(taskset -c 1 wrk -t 1 -c 64 -d $seconds $url 2>&1);

    $text !~ /Non-2xx|Socket errors/ && $text =~ m{^Requests/sec:\s+(\S+)}m
        or die "wrk $url:\n$text";

    return $1;
}


# A Markdown table.  The ratio of a variant to its peer is taken within each
# round.

sub report
{
    my ($variants, %rates) = @_;

    print "\n| variant | requests/s | least | most | ratio | least | most |\n",
          "|---|---:|---:|---:|---:|---:|---:|\n";

    for my $variant (@$variants) {
        my ($name, undef, $peer) = @$variant;
        my @of = @{$rates{$name}};

        printf "| %s | %.0f | %.0f | %.0f |", $name, median(@of), min(@of),
               max(@of);

        if (defined $peer) {
            my @ratios = map { $of[$_] / $rates{$peer}[$_] } 0 .. $#of;

            printf " %.2f x %s | %.2f | %.2f |\n", median(@ratios), $peer,
                   min(@ratios), max(@ratios);
        } else {
            print " | | |\n";
        }
    }
}


sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}


1;
