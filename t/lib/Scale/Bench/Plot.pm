package Scale::Bench::Plot;

# An SVG of bars: the median of each variant, with a line from the least to the
# most of its rounds.

use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(max min);
use POSIX qw(ceil floor);
use Scale::Bench::Report qw(median);

our @EXPORT_OK = qw(plot);

my $bar = 18;
my $gap = 6;
my $left = 270;
my $width = 520;
my $right = 90;
my $top = 50;

my %colour = (ours => '#1b6ca8', peer => '#b9c2cb');


# variants are { name, ours, group }; a group has a space above it

sub plot
{
    my ($title, $variants, $runs) = @_;

    my @shown = grep { $runs->{ $_->{name} } } @$variants;
    my %rates = map { my $name = $_->{name};
                      $name => [map { $_->{rate} } @{ $runs->{$name} }] }
                @shown;
    my $scale = scale(max(map { @$_ } values %rates));
    my $y = $top;
    my ($group, @bars) = ('');

    for my $variant (@shown) {
        $y += $bar if $variant->{group} ne $group;
        $group = $variant->{group};
        push @bars, bar($y, $variant, $scale, @{ $rates{ $variant->{name} } });
        $y += $bar + $gap;
    }

    return join "\n", head($title, $y), axis($y, $scale), @bars, "</svg>\n";
}


# the end of the axis: 1, 2 or 5 with zeros

sub scale
{
    my ($most) = @_;

    my $power = 10 ** floor(log($most) / log(10));

    return min(grep { $_ >= $most } map { $_ * $power } 1, 2, 5, 10);
}


sub head
{
    my ($title, $y) = @_;

    my ($w, $h) = ($left + $width + $right, $y + 30);

    return qq(<svg xmlns="http://www.w3.org/2000/svg" width="$w" height="$h")
           . qq( viewBox="0 0 $w $h" font-family="sans-serif" font-size="12">),
           qq(<rect width="$w" height="$h" fill="white"/>),
           text(10, 24, $title, 'font-size="15"');
}


sub axis
{
    my ($y, $scale) = @_;

    return map { my $x = $left + $width * $_ / 5;
                 (qq(<line x1="$x" y1="$top" x2="$x" y2="$y")
                  . qq( stroke="#e3e6e9"/>),
                  text($x, $y + 16, thousands($scale * $_ / 5),
                       'text-anchor="middle" fill="#667"')) }
           0 .. 5;
}


sub bar
{
    my ($y, $variant, $scale, @rates) = @_;

    my ($from, $to, $end) = map { sprintf '%.1f', $left + $width * $_ / $scale }
                            min(@rates), max(@rates), median(@rates);
    my $middle = $y + $bar / 2;
    my $long = $end - $left;
    my $fill = $colour{ $variant->{ours} ? 'ours' : 'peer' };

    return text($left - 8, $middle + 4, $variant->{name}, 'text-anchor="end"'),
           qq(<rect x="$left" y="$y" width="$long" height="$bar")
           . qq( fill="$fill"/>),
           qq(<line x1="$from" y1="$middle" x2="$to" y2="$middle")
           . ' stroke="#222" stroke-width="2"/>',
           text(max($to, $end) + 8, $middle + 4, thousands(median(@rates)));
}


sub text
{
    my ($x, $y, $what, $how) = @_;

    my %entity = ('&' => 'amp', '<' => 'lt', '>' => 'gt');

    $what =~ s/([&<>])/&$entity{$1};/g;
    $how //= '';

    return qq(<text x="$x" y="$y" $how>$what</text>);
}


sub thousands
{
    my $number = sprintf '%.0f', $_[0];

    1 while $number =~ s/(\d)(\d{3})(?!\d)/$1,$2/;

    return $number;
}


1;
