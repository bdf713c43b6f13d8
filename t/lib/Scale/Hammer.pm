package Scale::Hammer;

# Clients that read and count up the same rows, and know what was acknowledged
# to any of them before: a floor per key, in a file of numbers that only grow.
# The rows are "id, n"; POST adds one to n and answers the new n.

use strict;
use warnings;
use Fcntl qw(:flock);
use POSIX ();
use Scale::Client;
use Time::HiRes qw(sleep time);

my $keys = 512;


# Options: port, or nodes, of { port, host } (each time another one), dir,
# clients, seconds, keys, first (the row before the first), depth (requests of
# a pipeline; 1 sends again what met a closing connection),
# close (a connection per request), rate (requests per second of each client,
# depth 1), acks (a file that gets the time of each acknowledgement), again (what
# is refused is sent again, depth 1), meanwhile (called once while they run),
# stop (a file that ends it early once it exists).
#
# { reads, writes (acknowledged), unknown (writes without an answer), refused
# (503, nothing changed), failed, stale, hung, first (an example of failed),
# hits (reads that the cache answered: X-Cache), misplaced (a problem of SQLSTATE class 25: a write met a read-only server) }

sub run
{
    my (%option) = @_;

    my $floors = make_floors($option{dir});
    my %sum = map { $_ => 0 }
                  qw(reads hits writes unknown refused failed stale hung
                     misplaced);
    my @pipes = map { client_process($floors, $_, %option) }
                    1 .. $option{clients};

    $option{meanwhile}->() if $option{meanwhile};

    for my $in (@pipes) {
        my %part = split /[=\t]/, <$in> // 'lost=1';
        my $first = delete $part{first};

        $sum{first} //= $first if $first;
        $sum{$_} += $part{$_} for keys %part;
        close $in;
    }

    return \%sum;
}


sub client_process
{
    my ($floors, $seed, %option) = @_;

    pipe(my $in, my $out) or die "pipe: $!";

    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);
        srand $seed;
        my $part = client($floors, %option);
        print $out join("\t", map { "$_=$part->{$_}" } keys %$part);
        close $out;
        POSIX::_exit(0);
    }

    close $out;

    return $in;
}


sub client
{
    my ($floors, %option) = @_;

    my @nodes = map { Scale::Client->new($_->{port}, host => $_->{host}) }
                    @{ $option{nodes} // [{ port => $option{port} }] };
    my $first = 1 + ($option{first} // 0);
    my %part;
    my $next = time;
    my $end = $next + $option{seconds};

    while (time < $end && !-e ($option{stop} // '')) {
        my @ids = map { $first + int rand $option{keys} }
                      1 .. 1 + int rand $option{depth};
        my @requests = map { (rand() < 0.2 ? 'POST' : 'GET') . " /items/$_" }
                           @ids;
        my $http = $nodes[rand @nodes];
        my $before = read_floors($floors);
        my @answers = $option{depth} == 1 ? $http->request(@requests)
                                          : $http->pipeline(@requests);

        while ($option{again} && $answers[0]{code} == 503 && time < $end) {
            $part{again}++;
            sleep 0.02;
            @answers = $http->request(@requests);
        }

        for my $i (0 .. $#ids) {
            judge(\%part, $before, $ids[$i], $requests[$i], $answers[$i],
                  $floors, $option{acks});
        }

        $next += 1 / $option{rate} if $option{rate};
        my $early = $option{rate} ? $next - time : 0;
        sleep $early if $early > 0;

        $http->close() if $option{close};
    }

    $part{hung} += $_->{hung} // 0 for @nodes;

    return \%part;
}


sub judge
{
    my ($part, $before, $id, $request, $answer, $floors, $acks) = @_;

    my $writes = $request =~ /^POST/;
    my ($n) = $answer->{body} =~ /"n":(\d+)/;

    if ($answer->{code} != 200 || !defined $n) {
        my $what = $answer->{code} == 503 ? 'refused'
                   : $writes ? 'unknown' : 'failed';

        $part->{$what}++;
        $part->{misplaced}++ if $answer->{body} =~ /"sqlstate":"25"/;
        $part->{first} //= "$request: $answer->{code} $answer->{body}"
            =~ s/[\t\n=]+/ /gr;
        return;
    }

    $part->{stale}++ if $n < $before->[$id] + $writes;
    $part->{$writes ? 'writes' : 'reads'}++;
    $part->{hits}++ if !$writes && ($answer->{headers}{'x-cache'} // '')
                                   =~ /^(?:LOCAL|HIT|STALE|NEGATIVE)$/;

    return if !$writes;

    $before->[$id] = $n;
    raise_floor($floors, $id, $n);
    note_time($acks) if $acks;
}


sub make_floors
{
    my ($dir) = @_;

    open my $out, '>', "$dir/floors" or die "$dir/floors: $!\n";
    print $out pack('Q*', (0) x $keys);
    close $out;

    return "$dir/floors";
}


sub read_floors
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!\n";
    sysread $in, my $all, 8 * $keys;

    return [unpack 'Q*', $all];
}


sub raise_floor
{
    my ($path, $id, $n) = @_;

    open my $io, '+<', $path or die "$path: $!\n";
    flock $io, LOCK_EX;
    sysseek $io, 8 * $id, 0;
    sysread $io, my $value, 8;

    return if unpack('Q', $value) >= $n;

    sysseek $io, 8 * $id, 0;
    syswrite $io, pack('Q', $n);
}


# how many rows (a map of ids to n) have counted less than was acknowledged

sub lost
{
    my ($dir, %n) = @_;

    my $floor = read_floors("$dir/floors");

    return scalar grep { $n{$_} < $floor->[$_] } keys %n;
}


sub note_time
{
    my ($path) = @_;

    open my $out, '>>', $path or die "$path: $!\n";
    syswrite $out, sprintf "%.3f\n", time;
}


1;
