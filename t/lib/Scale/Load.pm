package Scale::Load;

# The load generator of the benchmarks, build/bench/load, and who used the
# machine meanwhile.

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP qw(decode_json);
use POSIX qw(sysconf _SC_CLK_TCK);
use Scale::Process qw(slurp);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(load begin_load end_load used);

my $tick = sysconf(_SC_CLK_TCK);


# The options are those of the generator by their letters; "to" has what
# follows them, "pinned" sends it to core 1.  Yields what it reports; what did
# not run ends the benchmark.

sub load { return end_load(begin_load(@_)) }


sub begin_load
{
    my (%option) = @_;

    my @to = @{ delete $option{to} };
    my @where = delete $option{pinned} ? qw(taskset -c 1) : ();
    my @command = (@where, 'build/bench/load',
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


# The seconds of CPU that groups of processes used while $run ran, { name =>
# seconds, all => those of the whole machine, wall => ... }.  A group is a
# function that yields its pids; a postmaster's children that have left are in
# its own account.

sub used
{
    my ($run, %group) = @_;

    my $before = account(%group);
    $run->();
    my $after = account(%group);

    return { map { $_ => $after->{$_} - $before->{$_} } keys %$after };
}


sub account
{
    my (%group) = @_;

    my %used = (wall => time, all => machine());

    for my $name (keys %group) {
        $used{$name} = 0;
        $used{$name} += process($_) for $group{$name}->();
    }

    return \%used;
}


sub process
{
    my ($pid) = @_;

    my ($numbers) = slurp("/proc/$pid/stat") =~ /\) (.*)/s or return 0;
    my @of = split ' ', $numbers;

    return ($of[11] + $of[12] + $of[13] + $of[14]) / $tick;
}


# user, nice, system, irq, softirq

sub machine
{
    my @of = split ' ', slurp('/proc/stat');

    return ($of[1] + $of[2] + $of[3] + $of[6] + $of[7]) / $tick;
}


1;
