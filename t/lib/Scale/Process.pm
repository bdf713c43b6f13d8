package Scale::Process;

# Servers of a test: started in the background, ended by pid.

use strict;
use warnings;
use Exporter qw(import);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(spawn stop alive free_port wait_for slurp as_user
                    server_user);

my %ours;       # pid => 1 until it is reaped
my @claims;     # sockets that keep ports of ours from other test files


# the user for servers that refuse to run as root: () or (name)

sub server_user
{
    return $> == 0 ? 'postgres' : ();
}


# setpriv's arguments

sub as_user
{
    my ($name) = @_;

    my $group = (getpwnam $name)[3] // die "there is no user $name\n";

    return ("--reuid=$name", "--regid=$group", '--clear-groups');
}


# The condition's value; polls it until it is true, at most so many seconds.

sub wait_for
{
    my ($condition, $seconds) = @_;

    my $deadline = time + ($seconds // 5);

    while (1) {
        my $value = $condition->();
        return $value if $value || time >= $deadline;
        sleep 0.01;
    }
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<', $path or return '';
    local $/;

    return scalar(<$in>) // '';
}


# Below the range that outgoing connections use, else one of them may hold the
# port when the server wants it.  The abstract socket is the claim of this
# process; the kernel drops it with the process.

sub free_port
{
    for (1 .. 1000) {
        my $port = 12000 + int rand 20000;
        my $claim = IO::Socket::UNIX->new(Local => "\0ngx_scale-port-$port",
                                          Listen => 1) or next;

        IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                              LocalPort => $port, ReuseAddr => 1) or next;

        push @claims, $claim;
        return $port;
    }

    die "no free port\n";
}


# Options: user, log (a file), dies (the signal it gets if the test is killed).
# A session of its own, so that Ctrl-C reaches the test alone, which then
# stops the servers in order.

sub spawn
{
    my ($option, @command) = @_;

    my @as = qw(setpriv --pdeathsig);
    push @as, $option->{dies} // 'KILL';
    push @as, as_user($option->{user}) if defined $option->{user};

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        POSIX::setsid();
        chdir '/';
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $option->{log} // '/dev/null';
        open STDERR, '>&', \*STDOUT;
        { no warnings; exec @as, '--', @command }
        POSIX::_exit(127);
    }

    $ours{$pid} = 1;

    return $pid;
}


# is a process of ours still there (reaps it if not)

sub alive
{
    my ($pid) = @_;

    return 0 if !$ours{$pid};

    local ($?, $!);
    return 1 if waitpid($pid, WNOHANG) == 0;

    delete $ours{$pid};

    return 0;
}


# a stopped process is woken: it cannot leave otherwise

sub stop
{
    my ($pid, $signal, $seconds) = @_;

    return if !alive($pid);

    kill $signal => $pid;
    kill CONT => $pid;

    return if wait_for(sub { !alive($pid) }, $seconds // 10);

    kill KILL => $pid;
    wait_for(sub { !alive($pid) }, 10);
}


1;
