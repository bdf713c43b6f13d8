package Scale::Bench::Machine;

# Where processes run, what they cost, and what they run on.

use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(sum0);
use POSIX qw(sysconf _SC_CLK_TCK);
use Scale::Process qw(slurp);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(pin cpu used machine machine_time);

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


# { all, busy, stolen }, in seconds of all cores; what the host took is busy, too

sub machine_time
{
    my ($line) = slurp('/proc/stat') =~ /^cpu +(.*)/m;
    my @field = (split ' ', $line)[0 .. 7];
    my $all = $tick * sum0(@field);

    return { all => $all, busy => $all - $tick * ($field[3] + $field[4]),
             stolen => $tick * $field[7] };
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

    my $machine = machine_time();
    my %used = (wall => time, all => $machine->{busy} - $machine->{stolen});

    for my $name (keys %group) {
        $used{$name} = $tick * sum0(map { times_of($_) } $group{$name}->());
    }

    return \%used;
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
