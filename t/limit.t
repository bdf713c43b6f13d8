# scale_limit: who is admitted, what the others are told, and that hits cost
# nothing.  Two web nodes that count together, and their memcached's end.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use JSON::PP;
use IO::Socket::INET;
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep time);

my $seconds = $ENV{SCALE_SOAK} ? 10 : 4;

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 1000) i;
SQL

my ($address) = addresses(1);

Scale::sql("SELECT scale.ring_add('hot', '$address')");

my $item = <<'END';
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
END
my $write = <<'END';
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
END

my $config = back_ends($address) . <<"END";
    scale_param  id  \$id  bigint required;
    add_header   X-Cache \$scale_cache_status always;

    server {
        listen 127.0.0.1:\$ServerPort;
        scale_limit  \$http_x_server rate=10r/m burst=2 name=server;

        location ~ ^/free/(?<id>\\d+)\$ {
            scale_route  free;
            scale_limit  off;
$item
        }
        location ~ ^/server/(?<id>\\d+)\$ {
            scale_route  server;
$item
        }
        location ~ ^/node/(?<id>\\d+)\$ {
            scale_route  node;
            scale_limit  \$http_x_client rate=30r/m burst=5;
            error_page   404 = \@absent;
$item$write
        }
        location \@absent { return 404; }

        location ~ ^/two/(?<id>\\d+)\$ {
            scale_route  two;
            scale_limit  \$http_x_client rate=1r/h burst=3 name=hour;
            scale_limit  \$http_x_user   rate=1r/h burst=2 name=user;
$item
        }
        location ~ ^/miss/(?<id>\\d+)\$ {
            scale_route  miss;
            scale_limit  \$http_x_client rate=1r/h burst=3 cost=miss;
            scale_cache_valid  1h;
$item$write
        }
        location ~ ^/old/(?<id>\\d+)\$ {
            scale_route  old;
            scale_limit  \$http_x_client rate=1r/h burst=1 cost=miss;
            scale_cache_valid  1s error=10m;
$item
        }
        location ~ ^/slow/(?<id>\\d+)\$ {
            scale_route  slow;
            scale_limit  \$http_x_client rate=1r/h burst=1 cost=miss;
            scale_cache_valid  1h;
            scale_query  GET row "SELECT id, n, pg_sleep(0.3) FROM items
                                  WHERE id = :id";
        }
        location ~ ^/all/(?<id>\\d+)\$ {
            scale_route  all;
            scale_limit  \$http_authorization rate=10r/s scope=cluster;
$item
        }
        location ~ ^/hurry/(?<id>\\d+)\$ {
            scale_route     hurry;
            scale_deadline  5ms;
            scale_limit     \$http_x_client rate=100r/s scope=cluster;
$item
        }
        location ~ ^/all-miss/(?<id>\\d+)\$ {
            scale_route  all-miss;
            scale_limit  \$http_x_client rate=1r/m burst=2 scope=cluster
                         cost=miss;
            scale_cache_valid  1h;
$item$write
        }
    }
END

my @nodes = map { Scale::nginx($config, workers => 2) } 1, 2;

for my $node (0, 1) {
    ok(Scale::wait_for(sub { ask('GET', '/miss/999', node => $node)
                                 ->{headers}{'x-cache'} =~ /HIT|LOCAL/ }, 12),
       "node $node uses the ring");
}


# an answer of the first node, or of the one given

sub ask
{
    my ($method, $path, %option) = @_;

    my $node = delete $option{node} // 0;

    return Scale::request($method, $path, undef,
                          ':port' => $nodes[$node]{port}, %option);
}


# "200 200 429": n requests of a client, one after the other

sub codes
{
    my ($n, @request) = @_;

    return join ' ', map { ask(@request)->{code} } 1 .. $n;
}


# answers within $seconds at $rate, both nodes in turn; how many of each code,
# the seconds it took, and how long they took, the longest first

sub load
{
    my ($rate, $seconds, $path, %header) = @_;

    my $start = time;
    my (%count, @took);

    for my $i (1 .. $rate * $seconds) {
        my $wait = $start + $i / $rate - time;
        sleep $wait if $wait > 0;

        my $answer = ask('GET', $path, node => $i % 2, %header);

        $count{$answer->{code}}++;
        push @took, $answer->{seconds};
    }

    return (\%count, time - $start, sort { $b <=> $a } @took);
}


# scope=node, cost=request

my @a = ('X-Client' => 'a');

is(codes(5, 'GET', '/node/1', @a), '200 200 200 200 200',
   'a burst of five is admitted');

my $refused = ask('GET', '/node/1', @a);
my $problem = eval { decode_json($refused->{body}) } // {};

is($refused->{code}, 429, 'the sixth is refused');
is($refused->{headers}{'retry-after'}, 2, 'and told when to come again');
is($refused->{headers}{'ratelimit-policy'}, '"30r/m";q=30;w=60;scale-burst=5',
   'by which rule');
is($refused->{headers}{ratelimit}, '"30r/m";r=0;t=2', 'and that none is left');
is($refused->{headers}{'content-type'}, 'application/problem+json',
   'it is a problem');
is_deeply([@$problem{qw(type status title route)},
           $problem->{'violated-policies'}],
          ['quota-exceeded', 429, 'Too Many Requests', 'node', ['30r/m']],
          'whose members say the same');

my $other = ask('GET', '/node/1', 'X-Client' => 'b');

is($other->{code}, 200, 'another client is not concerned');
is($other->{headers}{ratelimit}, '"30r/m";r=4;t=2',
   'and told what it has left');
is(ask('GET', '/node/1')->{headers}{ratelimit}, undef,
   'a request without a key is not counted');
is(codes(7, 'GET', '/node/1'), join(' ', (200) x 7), 'however many they are');
is(ask('GET', '/node/5000', 'X-Client' => 'b')->{headers}{ratelimit},
   '"30r/m";r=3;t=2', 'an error_page keeps the fields');
is(ask('HEAD', '/node/1', 'X-Client' => 'h')->{headers}{ratelimit},
   '"30r/m";r=4;t=2', 'HEAD counts as GET does');
is(codes(6, 'POST', '/node/2', 'X-Client' => 'w'), '200 200 200 200 200 429',
   'a write is counted, too');
is(Scale::sql('SELECT n FROM items WHERE id = 2'), 5,
   'and what was refused was not done');
ok(Scale::wait_for(sub { ask('GET', '/node/1', @a)->{code} == 200 }, 5),
   'after a while the client is admitted again');

is(codes(3, 'GET', '/server/1', 'X-Server' => 's'), '200 200 429',
   'a limit of the server counts where none is written');
is(codes(3, 'GET', '/node/1', 'X-Server' => 't'), '200 200 200',
   'and not where there is another');
is(codes(3, 'GET', '/free/1', 'X-Server' => 's'), '200 200 200',
   'or "off"');


is(ask('GET', '/two/1', 'X-Client' => 'k')->{headers}{ratelimit},
   '"hour";r=2;t=3600', 'before a reload, a request');
ok(Scale::reload($nodes[0]), 'nginx is reloaded');
is(ask('GET', '/two/1', 'X-Client' => 'k')->{headers}{ratelimit}
       =~ s/;t=\d+//r,
   '"hour";r=1', 'the new workers know what a key has taken');


# several lines

is(codes(3, 'GET', '/two/1', 'X-Client' => 'a', 'X-User' => 'u'),
   '200 200 429', 'of two lines both have to admit');
is(ask('GET', '/two/1', 'X-Client' => 'a', 'X-User' => 'u')
       ->{headers}{ratelimit},
   '"hour";r=1;t=3600, "user";r=0;t=3600',
   'what one refuses the other does not count');
is(codes(2, 'GET', '/two/1', 'X-Client' => 'a', 'X-User' => 'v'), '200 429',
   'each has its own key');


# cost=miss

is(codes(4, 'GET', '/miss/1', @a), '200 200 200 200', 'hits are free');
is(codes(1, 'GET', '/miss/2', @a), '200', 'the second miss is admitted');
is(codes(1, 'POST', '/miss/1', @a), '200', 'a write costs as much');
is(codes(1, 'GET', '/miss/3', @a), '429', 'a fourth miss is refused');
is(codes(1, 'POST', '/miss/1', @a), '429', 'so is a write');
is(codes(1, 'GET', '/miss/1', @a), '429', 'and what the write has made old');
like(join(' ', map { my $a = ask('GET', '/miss/2', @a);
                     "$a->{code} $a->{headers}{'x-cache'}" } 1 .. 300),
     qr/^(?:200 (?:LOCAL|HIT) ?){300}$/, 'hits are not refused then either');
is(ask('GET', '/miss/2', @a)->{headers}{ratelimit} =~ s/;t=\d+//r,
   '"1r/h";r=0', 'and say that nothing is left');

is(ask('GET', '/old/1', @a)->{code}, 200, 'an entry is made');
ok(Scale::wait_for(sub { ask('GET', '/old/1', @a)->{headers}{'x-cache'}
                         eq 'STALE' }, 5),
   'whose client may not ask the database is answered what error= keeps');
ok(Scale::wait_for(sub { ask('GET', '/old/1', 'X-Client' => 'c')
                             ->{headers}{'x-cache'} =~ /^(?:MISS|HIT|LOCAL)$/
                       }, 5),
   'another one may');


# those who wait for a filler that is refused

ask('GET', '/slow/1', @a);

my @waiting = map { Scale::begin('GET', '/slow/2', undef, ':timeout' => 5,
                                 ':port' => $nodes[0]{port},
                                 'X-Client' => $_) }
                  qw(a a b a a c a);
my @answers = map { Scale::receive($_)->{code} } @waiting;

ok(!grep({ $_ != 200 && $_ != 429 } @answers),
   'a refused filler leaves nobody behind') or diag("@answers");
is($answers[2] . ' ' . $answers[5], '200 200',
   'who has something left is answered');


# scope=cluster

my ($seen, $took) = load(100, $seconds, '/all/1',
                         'Authorization' => 'Bearer s3cret');
my $due = 10 * $seconds;

cmp_ok($seen->{200}, '>=', $due - 5, "of 100 a second for $seconds s at two "
                                     . "nodes about $due are admitted");
cmp_ok($seen->{200}, '<=', 10 * $took + 15, 'and hardly more');
is($seen->{200} + $seen->{429}, 100 * $seconds, 'the others are refused');
diag("admitted: $seen->{200} of $due and the burst of 10");

my %herd;
my $began = time;

$herd{Scale::receive($_)->{code}}++
    for map { Scale::begin('GET', '/all/2', undef, Authorization => 'herd',
                           ':port' => $nodes[$_ % 2]{port}) } 1 .. 40;

cmp_ok($herd{200}, '>=', 10, 'of forty at once ten are admitted');
cmp_ok($herd{200}, '<=', 11 + 10 * (time - $began), 'and hardly more');

is(join(' ', map { ask('GET', '/all-miss/1', node => $_ % 2, @a)->{code} }
                 1 .. 4),
   '200 200 200 200', 'hits of a ring are free, too');
is(codes(2, 'GET', '/all-miss/2', @a, node => 1), '200 200',
   'the second miss is admitted, by another node');
is(ask('GET', '/all-miss/3', @a)->{code}, 429, 'a third by none');
is(ask('GET', '/all-miss/3', @a, node => 1)->{code}, 429, 'of them');
is(ask('POST', '/all-miss/1', @a, node => 1)->{code}, 429, 'nor a write');
like(ask('GET', '/all-miss/2', @a)->{headers}{ratelimit},
     qr{^"1r/m";r=0;t=\d+$}, 'a node says what all have left');

my @keys = counted();

cmp_ok(scalar(@keys), '>', 2, 'the numbers are in memcached');
ok(!grep({ /s3cret|Bearer|:a\b/ } @keys), 'and nobody\'s secret')
    or diag("@keys");


# memcached is silent, then gone

Scale::signal_memcached(STOP => 1);

is(ask('GET', '/hurry/1', @a)->{code}, 503,
   'the deadline counts while memcached is waited for');

for my $path (('/all/1', '/all-miss/77') x 10) {
    Scale::begin('GET', $path, undef, ':port' => $nodes[0]{port},
                 Authorization => "gone $path", 'X-Client' => "gone $path")
        ->{socket}->close;
}

my ($silent, $lasted, @longest) = load(50, 2, '/all/1', 'Authorization' => 'x');

is(join(' ', sort keys %$silent), '200 429',
   'without memcached a request is admitted or refused, and does not fail');
cmp_ok($silent->{200}, '>=', 35, 'each node admits at the rate');
cmp_ok($silent->{200}, '<=', 2 * (10 * $lasted + 11), 'and no more');
cmp_ok($longest[9], '<', 0.08, 'none waits for long');
diag("admitted: $silent->{200} of 2 * (20 and 10); longest: @longest[0 .. 3]");

Scale::signal_memcached(CONT => 1);
Scale::stop_memcached(1);

my ($gone) = load(50, 1, '/all/1', 'Authorization' => 'y');

is(join(' ', sort keys %$gone), '200 429', 'so it is when it is gone');


# keys of numbers, in memcached

sub counted
{
    my $socket = IO::Socket::INET->new(PeerAddr => $address) or return;
    my @found;

    print $socket "lru_crawler metadump all\r\n";

    while (my $line = <$socket>) {
        last if $line =~ /^END/;
        push @found, $1 if $line =~ /^key=(\S*%3Al%3A\S*)/;
    }

    return @found;
}
