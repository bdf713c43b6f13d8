package Test::Nginx::Mock;

# "--- tcp_listen": a server that answers one connection, then leaves.
# Good for a memcached that says something strange.

use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempfile);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw();
use Test::More ();
use Test::Nginx::Util qw(bail_out expand parse_time slurp wait_until);
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(start_mock check_mock stop_mock);


# { pid, query (a file), path (of a unix socket) }, or undef without the section

sub start_mock
{
    my ($block) = @_;

    my $name = $block->name;
    my $target = expand($name, scalar $block->tcp_listen);
    return undef if !defined $target;

    defined $block->tcp_reply || defined $block->tcp_shutdown
        or bail_out("$name - tcp_listen without tcp_reply");

    my $socket = listening_socket($target)
        or bail_out("$name - tcp_listen: $target: $!");

    my ($handle, $query) = tempfile('scale-mock-XXXXXX', TMPDIR => 1);

    my $pid = fork // bail_out("fork: $!");

    if ($pid == 0) {
        local $SIG{TERM} = 'DEFAULT';
        local $SIG{INT} = 'IGNORE';

        eval { serve($block, $socket, $handle); 1 } or warn $@;
        POSIX::_exit(0);
    }

    return { pid => $pid, query => $query,
             path => $target =~ m{/} ? $target : undef };
}


sub listening_socket
{
    my ($target) = @_;

    if ($target =~ /^\d+$/) {
        return IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                     LocalPort => $target, Listen => 5,
                                     ReuseAddr => 1);
    }

    unlink $target;

    return IO::Socket::UNIX->new(Local => $target, Listen => 5);
}


sub serve
{
    my ($block, $socket, $query) = @_;

    my $client = $socket->accept or die "tcp_listen: accept: $!\n";
    my $shutdown = $block->tcp_shutdown;
    my $got = '';

    $client->shutdown($shutdown) if defined $shutdown;

    $got = read_query($block, $client, $query)
        if !defined $shutdown || $shutdown == 1;

    my $delay = parse_time(scalar $block->tcp_reply_delay);
    sleep $delay if $delay;

    my $reply = $block->tcp_reply;
    $reply = $reply->($got) if ref $reply eq 'CODE';

    if (defined $reply && !(defined $shutdown && $shutdown > 0)) {
        for my $part (ref $reply ? @$reply : $reply) {
            $client->send($part);
        }
    }

    # until stop_mock()
    sleep 3600 if defined $block->tcp_no_close;
}


# one read, or as many as tcp_query or tcp_query_len ask for

sub read_query
{
    my ($block, $client, $query) = @_;

    my $length = $block->tcp_query_len // length($block->tcp_query // '');
    my $got = '';

    $query->autoflush;

    do {
        sysread $client, my $part, 4096 or return $got;
        print $query $part;
        $got .= $part;
    } while (length $got < $length);

    return $got;
}


sub check_mock
{
    my ($block, $mock) = @_;

    my $name = $block->name;
    my $query = $block->tcp_query;
    my $length = $block->tcp_query_len;
    my $least = $length // length($query // '');

    wait_until(1, sub { (-s $mock->{query} // 0) >= $least });

    my $got = slurp($mock->{query});

    Test::More::is($got, $query, "$name - tcp_query ok") if defined $query;
    Test::More::is(length $got, $length, "$name - TCP query length ok")
        if defined $length;
}


sub stop_mock
{
    my ($mock) = @_;

    local $?;

    kill KILL => $mock->{pid};
    waitpid $mock->{pid}, 0;

    unlink $mock->{query}, grep { defined } $mock->{path};
}


1;
