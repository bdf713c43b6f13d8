package Scale::Dns;

# A name server on 127.0.0.1 that knows what set() was told: A records only.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Socket::INET;
use Socket qw(inet_aton);
use Scale::Process qw(spawn stop free_port wait_for slurp);

my $lib = abs_path(dirname(__FILE__) . '/..');
my ($pid, $port, $file, %names);


sub start
{
    my ($dir) = @_;

    return $port if $port;

    $port = free_port();
    $file = "$dir/names";
    write_file();

    $pid = spawn({ dies => 'KILL' }, $^X, "-I$lib", '-MScale::Dns', '-e',
                 'Scale::Dns::serve(@ARGV)', $port, $file);

    wait_for(\&answers, 10) or die "the name server does not start\n";

    return $port;
}


sub answers
{
    my $socket = client();
    my ($bits, $said) = ('', '');

    $socket->send(pack('n6 C a* C n2', 1, 0x0100, 1, 0, 0, 0, 1, 'x', 0, 1, 1));
    vec($bits, fileno $socket, 1) = 1;

    return select($bits, undef, undef, 0.1) > 0
           && defined $socket->recv($said, 512) && length $said;
}


sub client
{
    return IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
                                 PeerPort => $port);
}


# no address: the name does not exist

sub set
{
    my ($name, $ttl, @addresses) = @_;

    $names{$name} = [$ttl, @addresses];
    delete $names{$name} if !@addresses;
    write_file();
}


sub write_file
{
    open my $out, '>', "$file.new" or die "$file: $!\n";
    print $out "$_ @{ $names{$_} }\n" for sort keys %names;
    close $out;

    rename "$file.new", $file or die "$file: $!\n";
}


# the server's process; the file is read for each question

sub serve
{
    my ($port, $file) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'udp', LocalPort => $port,
                                       LocalAddr => '127.0.0.1')
                 or die "port $port: $!\n";

    while (1) {
        defined $socket->recv(my $question, 512) or next;
        $socket->send(answer($question, $file));
    }
}


# RFC 1035, 4.1: the question is sent back before the answers

sub answer
{
    my ($message, $file) = @_;

    my ($id) = unpack 'n', $message;
    my ($name, $at) = ('', 12);

    while (my $length = ord substr $message, $at, 1) {
        $name .= '.' if length $name;
        $name .= substr $message, $at + 1, $length;
        $at += 1 + $length;
    }

    my $asked = substr $message, 12, $at + 5 - 12;
    my ($type) = unpack 'n', substr $asked, -4, 2;
    my ($line) = grep { /^\Q$name\E /i } split /\n/, slurp($file);
    my (undef, $ttl, @addresses) = split ' ', $line // '';

    @addresses = () if $type != 1;

    return pack('n6', $id, defined $line ? 0x8180 : 0x8183, 1,
                scalar @addresses, 0, 0)
           . $asked
           . join '', map { pack('n3 N n a4', 0xc00c, 1, 1, $ttl, 4,
                                 inet_aton($_)) } @addresses;
}


sub halt
{
    stop($pid, 'KILL') if $pid;
}


1;
