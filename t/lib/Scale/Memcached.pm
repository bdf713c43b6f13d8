package Scale::Memcached;

# Private memcacheds; number 0 is the one TEST_NGINX_MC_PORT names.

use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Scale::Process qw(spawn stop alive free_port wait_for);

my @servers;    # { address, port, socket, options, bare, pid }


# What the module's README asks of a memcached: temporary_ttl lets short-lived
# entries go to a slab page of their own, -R lets one connection pipeline.

sub server_or_start
{
    my ($number, @options) = @_;

    return $servers[$number] // start($number, options => \@options);
}


# Options: address, port, socket (a path, instead), options (a list), bare
# (without what the README asks for).

sub start
{
    my ($number, %option) = @_;

    my $server = { address => '127.0.0.1', options => [], %option };

    $server->{port} //= free_port() if !defined $server->{socket};
    $servers[$number] = $server;
    launch($server);

    return $server;
}


# on its old port, with other options

sub change
{
    my ($number, %option) = @_;

    my $server = server($number);

    kill_one($number);
    @$server{keys %option} = values %option;
    launch($server);
}


sub launch
{
    my ($server) = @_;

    # not by -u: a change of user clears the signal of a parent's death
    my $user = $> == 0 ? 'nobody' : undef;

    my @where = defined $server->{socket}
                ? ('-s', $server->{socket}, '-a', '0777')
                : ('-l', $server->{address}, '-p', $server->{port},
                   '-U', 0);
    my @how = $server->{bare}
              ? () : ('-c', 4096, '-R', 200, '-o', 'temporary_ttl=61');

    $server->{pid} = spawn({ user => $user, dies => 'KILL' }, 'memcached',
                           @where, @how, @{ $server->{options} });

    wait_for(sub { !alive($server->{pid}) || answers($server) }, 10);

    answers($server) or die "memcached does not start\n";
}


sub answers
{
    my ($server) = @_;

    return defined $server->{socket}
           ? IO::Socket::UNIX->new(Peer => $server->{socket})
           : IO::Socket::INET->new(PeerAddr => $server->{address},
                                   PeerPort => $server->{port});
}


# What it says to commands, one after the other, as lines; those that end an
# answer are left out.  Nothing, if it does not answer at all.

sub says
{
    my ($port, @commands) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
        or return;
    my @lines;

    for my $command (@commands) {
        print $socket "$command\r\n", $command =~ /^m/ ? "mn\r\n" : '';

        while (defined(my $line = <$socket>)) {
            $line =~ s/\r?\n\z//;
            last if $line =~ /^(?:END|MN|BUSY .*)\z/;
            push @lines, $line;
        }
    }

    return @lines;
}


sub server
{
    my ($number) = @_;

    return $servers[$number // 0] // die "there is no such memcached\n";
}


sub count { return scalar @servers }


sub signal
{
    my ($name, $number) = @_;
    my $pid = server($number)->{pid};

    kill $name => $pid;
    wait_for(sub { !grep { !/\) [tT] / } states($pid) }, 5) if $name eq 'STOP';
}


# one thread takes a STOP, another one may answer meanwhile

sub states
{
    my ($pid) = @_;

    return map { Scale::Process::slurp($_) } glob "/proc/$pid/task/*/stat";
}


# as a crash does

sub kill_one
{
    my ($number) = @_;

    stop(server($number)->{pid}, 'KILL');
}


# on its old port, empty

sub restart
{
    my ($number) = @_;

    kill_one($number);
    launch(server($number));
}


sub halt
{
    stop($_->{pid}, 'KILL') for grep { defined } @servers;
}


1;
