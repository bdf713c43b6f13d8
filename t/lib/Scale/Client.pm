package Scale::Client;

# An HTTP client that keeps its connection and may pipeline.  Like Scale::Http
# it never dies: a request without an answer has code 0.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Scale::Http;
use Time::HiRes qw(time);


sub new
{
    my ($class, $port, %option) = @_;

    return bless { port => $port, host => $option{host} // '127.0.0.1',
                   patience => $option{patience} // 20,
                   buffer => '' }, $class;
}


# "GET /path", or ["GET /path", field => value, ...], sent as one write; the
# answers come in their order.  Those that the server did not begin before it
# closed have code 0 and "unanswered".

sub pipeline
{
    my ($self, @requests) = @_;

    $self->send(@requests);

    return $self->answers(scalar @requests);
}


# its two halves, for several connections at once

sub send
{
    my ($self, @requests) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $socket = $self->connected() or return;

    $socket->syswrite(join '', map { request_text(ref $_ ? @$_ : $_) }
                                   @requests);
}


sub answers
{
    my ($self, $n) = @_;

    my $deadline = time + $self->{patience};

    return map { $self->answer($deadline) } 1 .. $n;
}


sub request_text
{
    my ($line, %fields) = @_;

    $fields{Host} //= 'localhost';
    $fields{'Content-Length'} //= 0 if $line !~ /^GET/;

    return join "\r\n", "$line HTTP/1.1",
                        (map { "$_: $fields{$_}" } sort keys %fields),
                        '', '';
}


# whole requests, as they are

sub text
{
    my ($self, @texts) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $socket = $self->connected() or return map { failed() } @texts;

    $socket->syswrite(join '', @texts);

    return $self->answers(scalar @texts);
}


# As RFC 9112 9.3.1 lets a client do: a connection that was closed before the
# first byte of an answer was idle for the server, so the request is sent again.

sub request
{
    my ($self, $request) = @_;

    my ($answer) = $self->pipeline($request);

    ($answer) = $self->pipeline($request)
        if $answer->{unanswered} && $self->{used};

    return $answer;
}


sub connected
{
    my ($self) = @_;

    return $self->{socket} if $self->{socket};

    $self->{buffer} = '';
    $self->{used} = 0;
    $self->{socket} = IO::Socket::INET->new(PeerAddr => $self->{host},
                                            PeerPort => $self->{port},
                                            Timeout => $self->{patience});

    return $self->{socket};
}


sub failed
{
    my (%more) = @_;

    return { code => 0, headers => {}, body => '', %more };
}


sub answer
{
    my ($self, $deadline) = @_;

    return failed(unanswered => 1) if !$self->{socket};


    while ($self->{buffer} !~ /\r\n\r\n/) {
        $self->more($deadline)
            or return $self->broken(unanswered => !length $self->{buffer});
    }

    my ($head) = $self->{buffer} =~ /\A(.*?\r\n\r\n)/s;
    my ($length) = $head =~ /^content-length:\s*(\d+)/im;

    $length = length($head) + ($length // 0);

    while (length $self->{buffer} < $length) {
        $self->more($deadline) or return $self->broken();
    }

    $self->{used}++;
    $self->close() if $head =~ /^connection:\s*close/im;

    return Scale::Http::parse(substr($self->{buffer}, 0, $length, ''), 'GET');
}


sub more
{
    my ($self, $deadline) = @_;

    my $socket = $self->{socket} or return 0;
    my $select = IO::Select->new($socket);

    if (!$select->can_read(Scale::Http::left($deadline))) {
        $self->{hung}++;
        return 0;
    }

    return sysread $socket, $self->{buffer}, 65536, length $self->{buffer};
}


sub broken
{
    my ($self, %more) = @_;

    my $used = $self->{used};

    $self->close();
    $self->{used} = $used;

    return failed(%more);
}


# What was read stays: answers to a pipeline may wait in it.

sub close
{
    my ($self) = @_;

    close $self->{socket} if $self->{socket};
    $self->{socket} = undef;
}


1;
