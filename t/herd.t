# Many at once: one statement for a herd, and nothing old after an
# acknowledgement, whatever dies.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Test::Nginx::Socket 'no_plan';
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 100) i;
SQL

my $nginx = Scale::nginx(Scale::http_config() . <<'END', workers => 2,
    server {
        listen 127.0.0.1:$ServerPort backlog=8192;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_param  id  $id     bigint required;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_cache_valid  10m;
        }

        location ~ ^/slow/(?<id>\d+)$ {
            scale_route  slow;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, pg_sleep(1) FROM items
                                  WHERE id = :id" timeout=5s;
            scale_cache_valid  10m;
        }
    }
END
    connections => 4096);

my $port = $nginx->{port};


# opens all connections, sends on all, then counts the answers
sub herd ($$) {
    my ($path, $n) = @_;
    my %codes;

    my @sockets = map {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5)
    } 1 .. $n;

    print {$_} "GET $path HTTP/1.0\r\n\r\n" for @sockets;

    for my $socket (@sockets) {
        my $line = <$socket>;
        $codes{$1}++ if defined $line && $line =~ m{^HTTP/1.1 (\d+)};
    }

    return \%codes;
}


is_deeply(herd('/items/1', 1000), { 200 => 1000 }, 'a herd is answered');
is(Scale::statements('SELECT id, n FROM items%'), 1,
   'a herd on a cold key costs one statement');

is_deeply(herd('/slow/1', 1000), { 200 => 1000 },
          'a herd on a slow key is answered');
is(Scale::statements('SELECT id, pg_sleep%'), 1,
   'a slow statement is run once for a herd');


# a client reads and writes keys, and knows what was acknowledged to it or to
# others before: the floor of each key, in a file of numbers that only grow

sub client ($$) {
    my ($seconds, $seed) = @_;
    my (%floor, $stale, $reads, $writes, $errors);

    $stale = $reads = $writes = $errors = 0;
    srand($seed);

    for (my $end = time() + $seconds; time() < $end;) {
        my $id = 2 + int rand 8;
        my $method = rand() < 0.2 ? 'POST' : 'GET';
        my $before = Scale::Herd::floor($id);
        my $answer = Scale::request($method, "/items/$id", '',
                                    ':port' => $port);

        if ($answer->{code} != 200) {
            $errors++;
            next;
        }

        my ($n) = $answer->{body} =~ /"n":(\d+)/;

        $stale++ if $n < $before;

        if ($method eq 'POST') {
            $writes++;
            Scale::Herd::raise($id, $n);

        } else {
            $reads++;
        }
    }

    return ($stale, $reads, $writes, $errors);
}


sub hammer ($$) {
    my ($clients, $seconds) = @_;
    my (@pipes, @sum);

    for my $i (1 .. $clients) {
        pipe(my $in, my $out) or die "pipe: $!";

        if (!fork()) {
            print $out join(' ', client($seconds, $i)), "\n";
            close $out;
            require POSIX;
            POSIX::_exit(0);
        }

        push @pipes, $in;
    }

    for my $in (@pipes) {
        my @part = split ' ', <$in> // '';
        $sum[$_] += $part[$_] for 0 .. $#part;
    }

    wait() for @pipes;

    return @sum;
}

{
    package Scale::Herd;

    use Fcntl qw(:flock);

    my $file = Scale::dir() . '/floors';

    open my $fh, '>', $file or die "$file: $!";
    print $fh pack('Q*', (0) x 128);
    close $fh;

    sub floor {
        open my $fh, '<', $file or die "$file: $!";
        sysseek $fh, 8 * $_[0], 0;
        sysread $fh, my $value, 8;
        return unpack 'Q', $value;
    }

    sub raise {
        my ($id, $n) = @_;

        open my $fh, '+<', $file or die "$file: $!";
        flock $fh, LOCK_EX;
        sysseek $fh, 8 * $id, 0;
        sysread $fh, my $value, 8;
        if (unpack('Q', $value) < $n) {
            sysseek $fh, 8 * $id, 0;
            syswrite $fh, pack('Q', $n);
        }
    }
}

my ($stale, $reads, $writes, $errors) = hammer(6, 5);
diag("$reads reads, $writes writes, $errors errors, $stale stale");

is($stale, 0, 'no read is older than an acknowledged write');
is($errors, 0, 'nothing fails while all is well');
is(Scale::sql('SELECT sum(n) FROM items WHERE id BETWEEN 2 AND 9'), $writes,
   'every acknowledged write is there, once');

run_tests();

__DATA__
