package Scale::Load;

# The load generator of the benchmarks, build/bench/load.

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP qw(decode_json);

our @EXPORT_OK = qw(load begin_load end_load);


# The options are those of the generator by their letters; "to" has what
# follows them, "core" is where it runs.  Yields what it reports; what did
# not run ends the benchmark.

sub load { return end_load(begin_load(@_)) }


sub begin_load
{
    my (%option) = @_;

    my @to = @{ delete $option{to} };
    my $core = delete $option{core};
    my @command = (defined $core ? ('taskset', '-c', $core) : (),
                   Scale::root() . '/build/bench/load',
                   (map { ("-$_", $option{$_}) } sort keys %option), @to);

    open my $out, '-|', @command or die "$command[0]: $!\n";

    return { out => $out, command => "@command" };
}


sub end_load
{
    my ($load) = @_;

    my $out = $load->{out};
    my $text = do { local $/; <$out> };

    close $out && ($text // '') =~ /^\{/ or die "$load->{command}: failed\n";

    return decode_json($text);
}


1;
