package Scale::Bench::Machine;

# Where processes run, what they cost, and what they run on.

use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(sum0);
use POSIX qw(sysconf _SC_CLK_TCK);
use Scale::Process qw(slurp);

our @EXPORT_OK = qw(pin cpu machine machine_time);

my $tick = 1 / sysconf(_SC_CLK_TCK);


# a process with all its threads and children; later children follow it

sub pin
{
    my ($cores, $pid) = @_;

    for my $one ($pid, children($pid)) {
        system("taskset -a -c -p $cores $one > /dev/null") == 0
            or die "taskset cannot move $one to $cores\n";
    }
}


# seconds, user and system, of a process and its children, alive or not

sub cpu
{
    my ($pid) = @_;

    my ($user, $system, @dead) = times_of($pid);

    return $tick * sum0($user, $system, @dead,
                        map { (times_of($_))[0, 1] } children($pid));
}


sub times_of
{
    my ($pid) = @_;

    my ($fields) = slurp("/proc/$pid/stat") =~ /.*\) (.*)/s
        or return (0) x 4;

    return (split ' ', $fields)[11 .. 14];
}


sub children
{
    my ($pid) = @_;

    return map { split ' ', slurp($_) } glob "/proc/$pid/task/*/children";
}


# { all, busy }, in seconds of all cores; what the host took is busy, too

sub machine_time
{
    my ($line) = slurp('/proc/stat') =~ /^cpu +(.*)/m;
    my @field = (split ' ', $line)[0 .. 7];
    my $all = $tick * sum0(@field);

    return { all => $all, busy => $all - $tick * ($field[3] + $field[4]) };
}


sub machine
{
    my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
    my $cores = () = slurp('/proc/cpuinfo') =~ /^processor/mg;
    my ($kernel) = slurp('/proc/version') =~ /^Linux version (\S+)/;

    return sprintf '%d cores of %s, Linux %s', $cores, $model // 'unknown make',
                   $kernel;
}


1;
