package Scale::Bench::Instructions;

# An nginx under callgrind, which writes what was executed since the last time
# whenever somebody asks for /mark: its function below is called there only.

use strict;
use warnings;
use Exporter qw(import);
use File::Copy qw(copy);
use IO::Socket::INET;
use Scale;
use Scale::Nginx;
use Scale::Process qw(wait_for);

our @EXPORT_OK = qw(connected counted marked rounds);

my $mark = 'ngx_http_named_location';
my $patience = 30;


sub counted
{
    my ($http) = @_;

    my $out = Scale::dir() . '/callgrind';
    my $server = Scale::nginx($http, workers => 1, connections => 512,
        log_level => 'warn',
        wrap => ['valgrind', '-q', '--tool=callgrind', "--dump-before=$mark",
                 '--compress-strings=no',
                 "--callgrind-out-file=$out.%p"]);

    $server->{out} = $out;
    $server->{dumps} = 0;
    $server->{worker} = (Scale::Nginx::workers($server))[0];

    return $server;
}


# The instructions since the last mark.  With a name callgrind's file is kept.

sub marked
{
    my ($server, $name) = @_;

    rounds('GET', '/mark', 1, $server->{marker} //= connected($server));

    my $dump = "$server->{out}.$server->{worker}." . ++$server->{dumps};
    my $total;

    wait_for(sub { $total = total($dump) }, $patience)
        or die "callgrind wrote no $dump\n";

    if (defined $name && $ENV{PROFILE}) {
        $name =~ tr/ /-/;
        copy($dump, "$ENV{PROFILE}/$name.out") or die "$ENV{PROFILE}: $!\n";
    }

    return $total;
}


sub total
{
    my ($dump) = @_;

    open my $in, '<', $dump or return undef;
    local $/;

    return scalar(<$in>) =~ /^(?:summary|totals): (\d+)$/m ? $1 : undef;
}


sub connected
{
    my ($server) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $server->{port})
        or die "cannot connect: $@\n";

    return { socket => $socket, worker => $server->{worker} };
}


# In each round one request per connection; nginx sees them all at once.

sub rounds
{
    my ($method, $uri, $rounds, @clients) = @_;

    my $length = $method eq 'GET' ? '' : "Content-Length: 0\r\n";
    my $request = "$method $uri HTTP/1.1\r\nHost: localhost\r\n$length\r\n";
    my $worker = $clients[0]{worker};

    for (1 .. $rounds) {
        kill STOP => $worker if @clients > 1;
        syswrite $_->{socket}, $request for @clients;
        kill CONT => $worker if @clients > 1;

        answered($_->{socket}, $uri) for @clients;
    }
}


sub answered
{
    my ($socket, $uri) = @_;

    my $text = '';
    my $whole;

    do {
        sysread $socket, $text, 65536, length $text
            or die "$uri: no answer, or cut short: $text\n";

        $whole = $text =~ /^(.*?\r\n\r\n)/s
                 && length($1) + ($1 =~ /^Content-Length: (\d+)/im ? $1 : 0);
    } while (!$whole || length $text < $whole);

    $text =~ m{^HTTP/1\.1 20[04] } or die "$uri answers: $text\n";
}


1;
