package Scale::Http;

# A tiny HTTP client that never dies: a failed request has code 0 and says
# why in "error".

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);


# { code, headers (lower-case names), body, seconds, error }.  Options that
# are no header fields: ":port", ":timeout" (seconds for the whole request),
# ":socket" (a connection that is open already).

sub request { return finish(start(@_)) }


# a request whose answer is fetched later, or never: { socket, … }

sub start
{
    my ($method, $path, $body, %headers) = @_;

    my $port = delete $headers{':port'};
    my $socket = delete $headers{':socket'};
    my $patience = delete $headers{':timeout'} // 10;
    my $start = time;
    my %send = (Host => 'localhost', Connection => 'close', %headers);

    $send{'Content-Length'} //= length $body if defined $body;

    my $text = join "\r\n", "$method $path HTTP/1.1",
                    (map { "$_: $send{$_}" } sort keys %send), '',
                    $body // '';

    my $begun = { method => $method, start => $start,
                  deadline => $start + $patience };

    $begun->{socket} = $socket
                       // IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                                PeerPort => $port,
                                                Timeout => $patience);

    if ($begun->{socket}) {
        local $SIG{PIPE} = 'IGNORE';
        $begun->{socket}->syswrite($text);

    } else {
        $begun->{error} = "cannot connect: $@";
    }

    return $begun;
}


sub finish
{
    my ($begun) = @_;

    my ($raw, $error) = $begun->{socket}
                        ? drain($begun->{socket}, $begun->{deadline})
                        : ('', $begun->{error});
    my $answer = parse($raw, $begun->{method});

    $answer->{error} = $error if defined $error;
    $answer->{seconds} = time - $begun->{start};

    return $answer;
}


sub drain
{
    my ($socket, $deadline) = @_;

    my $select = IO::Select->new($socket);
    my $raw = '';

    while ($select->can_read(left($deadline))) {
        my $n = sysread $socket, $raw, 65536, length $raw;
        return ($raw, "read: $!") if !defined $n;
        return ($raw, undef) if $n == 0;
    }

    return ($raw, 'timed out');
}


sub left
{
    my ($deadline) = @_;

    my $left = $deadline - time;

    return $left > 0 ? $left : 0;
}


sub parse
{
    my ($raw, $method) = @_;

    my ($head, $body) = $raw =~ /\A(HTTP\/.*?)\r\n\r\n(.*)\z/s
        or return { code => 0, headers => {}, body => '' };
    my ($line, @lines) = split /\r\n/, $head;
    my ($code) = $line =~ / (\d+)/;
    my %headers;

    for my $field (@lines) {
        my ($name, $value) = split /\s*:\s*/, $field, 2;
        my $known = $headers{lc $name};

        $headers{lc $name} = defined $known ? "$known, $value" : $value;
    }

    my $answer = { code => $code, headers => \%headers, body => $body };

    if (($headers{'transfer-encoding'} // '') eq 'chunked') {
        dechunk($answer);

    } elsif (length $body < ($headers{'content-length'} // 0)
             && $method ne 'HEAD' && $code != 304)
    {
        $answer->{error} = 'the body is cut short';
    }

    return $answer;
}


sub dechunk
{
    my ($answer) = @_;

    my $raw = $answer->{body};
    my $body = '';

    while ($raw =~ s/\A([0-9a-fA-F]+)[^\r\n]*\r\n//) {
        my $size = hex $1;

        if ($size == 0) {
            $answer->{body} = $body;
            return;
        }

        $body .= substr $raw, 0, $size + 2, '';
        substr($body, -2) = '';
    }

    $answer->{body} = $body;
    $answer->{error} = 'the last chunk is missing';
}


1;
