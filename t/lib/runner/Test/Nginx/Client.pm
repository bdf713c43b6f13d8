package Test::Nginx::Client;

# The client side of the runner: requests from a block, the wire, responses.

use strict;
use warnings;
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use Test::Nginx::Util qw(bail_out expand);
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(requests_of send_request parse_response field);


# A list of connections, each { packets => [...], methods => [...] }; a packet
# is { value, delay_before }, and pipelined requests are several methods.

sub requests_of
{
    my ($block) = @_;

    my $name = $block->name;
    my $raw = $block->raw_request;
    my $pipelined = $block->pipelined_requests;

    if (defined $raw) {
        my @packets = map { { value => $_ } } ref $raw ? @$raw : $raw;
        my ($method) = $packets[0]{value} =~ /^\s*(\S+)/;

        return { packets => \@packets, methods => [$method // ''] };
    }

    if (defined $pipelined) {
        ref $pipelined eq 'ARRAY'
            or bail_out("$name - pipelined_requests is not an array");

        return pipeline($block, @$pipelined);
    }

    my $request = $block->request;
    defined $request or bail_out("$name - there is no request");

    if (!ref $request) {
        $request =~ s/\A(?:\s*\#[^\n]+\s+|\s+)+//;
        return request($block, 0, 'close', $request);
    }

    my @requests;

    for my $i (0 .. $#$request) {
        my $one = $request->[$i];
        push @requests, request($block, $i, 'close',
                                ref $one ? @$one : $one);
    }

    return @requests;
}


sub pipeline
{
    my ($block, @texts) = @_;

    my ($value, @methods) = ('');

    for my $i (0 .. $#texts) {
        my $request = request($block, $i,
                              $i == $#texts ? 'close' : 'keep-alive',
                              expand($block->name, $texts[$i]));

        $value .= $request->{packets}[0]{value};
        push @methods, @{ $request->{methods} };
    }

    return { packets => [{ value => $value }], methods => \@methods };
}


# The first packet holds the request line and the start of the body.

sub request
{
    my ($block, $index, $connection, @packets) = @_;

    my $name = $block->name;

    @packets = map { ref $_ ? { %$_ } : { value => $_ } } @packets;

    my ($line, $start) = split /\n/, $packets[0]{value}, 2;
    my ($method, $target, $version) = split ' ', $line // '';

    defined $method or bail_out("$name - the request line is empty");

    $target //= '/';
    $version //= 'HTTP/1.1';
    $packets[0]{value} = $start // '';

    my ($fields, $chunked) = more_headers($block, $index);
    my $body = join '', map { $_->{value} } @packets;

    if ($body ne '' && !$chunked && $fields !~ /^Content-Length:/m) {
        $packets[0]{value} =~ s/^\s+//;
        $packets[-1]{value} =~ s/\s+$//;
        $body = join '', map { $_->{value} } @packets;
        $fields .= 'Content-Length: ' . length($body) . "\r\n";
    }

    $fields = "Connection: $connection\r\n$fields"
        if $fields !~ /^Connection/mi;
    $fields = "Host: $Test::Nginx::Util::ServerName\r\n$fields"
        if $fields !~ /^Host:/mi;

    substr($packets[0]{value}, 0, 0) =
        "$method $target $version\r\n$fields\r\n";

    return { packets => \@packets, methods => [$method] };
}


sub more_headers
{
    my ($block, $index) = @_;

    my $text = $block->more_headers // '';

    if (ref $text) {
        $text = $text->[$index]
            // bail_out($block->name, " - more_headers has no entry $index");
    }

    my ($fields, $chunked) = ('', 0);

    for my $line (split /\n+/, $text) {
        next if $line =~ /^\s*\#/;

        $line =~ s/\r$//;

        my ($key, $value) = split /:\s*/, $line, 2;
        $value //= '';

        $chunked = 1 if lc $key eq 'transfer-encoding' && $value eq 'chunked';
        $fields .= "$key: $value\r\n";
    }

    return ($fields, $chunked);
}


# (what was received, an error or undef); the patience is between two events

sub send_request
{
    my ($request, $patience, $pause, $shutdown) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => $Test::Nginx::Util::ServerAddr,
        PeerPort => $Test::Nginx::Util::ServerPortForClient,
        Timeout  => $patience,
    ) or return ('', "cannot connect: $@");

    local $SIG{PIPE} = 'IGNORE';

    my $select = IO::Select->new($socket);
    my $received = '';
    my @packets = @{ $request->{packets} };

    $socket->blocking(0);

    for my $i (0 .. $#packets) {
        my $delay = $packets[$i]{delay_before};
        $delay //= $pause if $i > 0;
        sleep $delay if $delay;

        my $error = write_all($select, $packets[$i]{value}, $patience,
                              \$received);
        return ($received, $error) if $error;
    }

    $socket->shutdown($shutdown =~ /\d/ ? $shutdown : 1) if defined $shutdown;

    while ($select->can_read($patience)) {
        my $n = sysread $socket, $received, 65536, length $received;
        return ($received, undef) if !$n;
    }

    return ($received, 'client socket timed out');
}


# A server may answer and close before it has read a whole body: a failed
# write is no error, the answer tells.  Answers are read meanwhile, else both
# sides wait for each other once the socket buffers are full.

sub write_all
{
    my ($select, $data, $patience, $received) = @_;

    my ($socket) = $select->handles;

    while ($data ne '') {
        my ($readable, $writable) =
            IO::Select->select($select, $select, undef, $patience);

        defined $writable or return 'client socket timed out';

        if (@$readable) {
            my $n = sysread $socket, $$received, 65536, length $$received;
            return if defined $n && $n == 0;
        }

        next if !@$writable;

        my $n = syswrite $socket, $data;
        next if !defined $n && $!{EAGAIN};
        return if !defined $n;

        substr($data, 0, $n) = '';
    }

    return;
}


# ({ code, fields, headers, body } or undef, the bytes behind it); "headers"
# is the text of the response's head

sub parse_response
{
    my ($raw, $method) = @_;

    my ($head, $rest) = $raw =~ /\A(.*?\r\n)\r\n(.*)\z/s;
    return (undef, '') if !defined $head;

    my ($line, @lines) = split /\r\n/, $head;
    my ($code) = $line =~ m{^HTTP/\S+ (\d+)};
    return (undef, '') if !defined $code;

    my @fields = map { [split /\s*:\s*/, $_, 2] } @lines;
    my $response = { code => $code, headers => $head, fields => \@fields,
                     body => '' };

    return ($response, $rest)
        if $method eq 'HEAD' || $code =~ /^(?:101|204|304)$/;

    my $length = field($response, 'Content-Length');
    my $coding = field($response, 'Transfer-Encoding') // '';

    if ($coding eq 'chunked') {
        ($response->{body}, $rest) = dechunk($rest);
        $response->{broken} = 1 if !defined $rest;

    } elsif (defined $length) {
        $response->{body} = substr $rest, 0, $length;
        $rest = length $rest > $length ? substr $rest, $length : '';

    } else {
        $response->{body} = $rest;
        $rest = '';
    }

    return ($response, $rest // '');
}


# repeated fields are joined with ", "

sub field
{
    my ($response, $name) = @_;

    my @values = map { $_->[1] // '' }
                 grep { lc $_->[0] eq lc $name } @{ $response->{fields} };

    return @values ? join(', ', @values) : undef;
}


# (body, bytes behind it); no second value if the last chunk is missing

sub dechunk
{
    my ($raw) = @_;

    my $body = '';
    pos($raw) = 0;

    while ($raw =~ /\G[ \t]*([0-9a-fA-F]+)[ \t]*(?:;[^\r\n]*)?\r\n/gc) {
        my $size = hex $1;

        if ($size == 0) {
            $raw =~ /\G(?:[^\r\n]+\r\n)*\r\n/gc or return ($body, undef);
            return ($body, substr $raw, pos $raw);
        }

        $body .= substr $raw, pos $raw, $size;
        pos($raw) += $size;

        $raw =~ /\G\r\n/gc or return ($body, undef);
    }

    return ($body, undef);
}


1;
