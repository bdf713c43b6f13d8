package Scale::Memory;

# What a core dump of a process would hold: its writable memory, but for what
# it has excluded by MADV_DONTDUMP ("dd" of VmFlags, proc(5)).

use strict;
use warnings;
use Fcntl qw(SEEK_SET);


# [start, end, name] of each mapping

sub regions
{
    my ($pid) = @_;

    my (@regions, $region);

    open my $in, '<', "/proc/$pid/smaps" or die "/proc/$pid/smaps: $!\n";

    while (my $line = <$in>) {
        if ($line =~ /^([0-9a-f]+)-([0-9a-f]+) (..)\S+ \S+ \S+ \S+ *(.*)$/) {
            $region = $3 eq 'rw' ? [_address($1), _address($2), $4] : undef;
            push @regions, $region if $region;

        } elsif ($line =~ /^VmFlags:.* dd\b/ && $region) {
            pop @regions;
        }
    }

    return @regions;
}


sub _address
{
    no warnings 'portable';

    return hex $_[0];
}


# What matches, and where: [the text, the mapping, its surroundings].

sub search
{
    my ($pid, $pattern) = @_;

    my @found;

    open my $memory, '<:raw', "/proc/$pid/mem" or die "/proc/$pid/mem: $!\n";

    for my $region (regions($pid)) {
        my ($start, $end, $name) = @$region;
        my $content = '';

        sysseek $memory, $start, SEEK_SET or next;
        sysread $memory, $content, $end - $start;

        while ($content =~ /$pattern/g) {
            my $at = $-[0];
            my $from = $at > 100 ? $at - 100 : 0;

            push @found, [$&, sprintf('%x %s', $start + $at, $name),
                          substr($content, $from, 260)
                          =~ s/[^ -~]+/./gr];
        }
    }

    return @found;
}


1;
