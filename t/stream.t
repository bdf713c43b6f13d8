# Results that are too large to be held: streamed with bounded memory, at the
# client's speed.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Digest::MD5;
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(sleep time);

my $million = 1_000_000;
my $many = 200_000;
my %expected;

# A sanitizer keeps memory that was freed, and notes who asked for each piece:
# a million rows are as many pieces.

$ENV{ASAN_OPTIONS} .= ':quarantine_size_mb=1:fast_unwind_on_malloc=1'
    if $ENV{ASAN_OPTIONS};

Scale::sql(<<'END');
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 100) i;
END

Scale::replica('fast');

# of ten connections five may stream

my $http = <<'END';
    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=t";
        connections  10;
        queue        64 timeout=500ms;
        timeout      1s;
    }

    scale_database pair {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        server       "unix:$TEST_NGINX_PG_SOCKET_FAST";
        conninfo     "dbname=app user=api application_name=pair";
    }

    scale_cache hot { server 127.0.0.1:$TEST_NGINX_MC_PORT; timeout 1s; }

    server {
        listen 127.0.0.1:$ServerPort sndbuf=64k;
        listen unix:$TEST_NGINX_DIR/h2.sock http2;
        add_header X-Cache $scale_cache_status;
        add_header X-Role $scale_db_role;

        scale_use database=main;

        scale_param n  arg.n  int required;
        scale_param at arg.at int required;
        scale_param id arg.id int required;

        gzip_types application/json;

        location = /numbers {
            gzip on;
            scale_route numbers;
            scale_query GET rows "SELECT generate_series(1, :n) AS id,
                                         'rows and rows' AS pad,
                                         'seen' AS \"http:X-Seen\"";
        }

        location = /impatient {
            send_timeout 1s;
            scale_route impatient;
            scale_query GET rows "SELECT generate_series(1, :n) AS id,
                                         'rows and more' AS pad";
        }

        location = /fails {
            scale_route fails;
            scale_query GET rows "SELECT 10 / (:at - id) AS q, 'rows' AS pad
                             FROM (SELECT generate_series(1, :n) AS id) s";
        }

        location = /halts {
            scale_route halts;
            scale_query GET rows "SELECT id, CASE WHEN id = :at
                                                  THEN pg_sleep(20) END AS z
                             FROM (SELECT generate_series(1, :n) AS id) s";
        }

        location = /cached {
            scale_route cached;
            scale_query GET rows "SELECT generate_series(1, :n) AS id,
                                         'rows and rows' AS pad";
            scale_cache_valid 1m;
        }

        location = /pair {
            scale_route pair;
            scale_use database=pair;
            scale_query GET rows "SELECT generate_series(1, :n) AS id,
                                         'rows and rows' AS pad";
        }

        location = /item {
            scale_route item;
            scale_query GET   row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST  row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_query PATCH none "UPDATE items SET n = n + 1 WHERE id = :id";
            scale_query PATCH row "SELECT id, n FROM items WHERE id = :id";
        }
    }
END

my $nginx = Scale::nginx($http, workers => 1, log_level => 'info');
my ($worker) = Scale::workers($nginx);

ok(Scale::wait_for(sub { Scale::get('/item?id=1')->{code} == 200 }, 10),
   'it answers');

a_million_to_a_slow_client();
all_representations();
other_transports();
few_after_many();
short_ones_go_on();
clients_that_leave();
ends_that_are_seen();
cached_routes();
replicas();
a_reload();

done_testing();


sub a_million_to_a_slow_client
{
    my $before = rss();
    my $most = $before;
    my $started = time;
    my $slow = open_stream("/numbers?n=$million");
    my $summary = summary();

    while (more($slow, 65536)) {
        take($summary, $slow);

        my $now = rss();
        $most = $now if $now > $most;

        sleep 0.02 if time - $started < 2;
    }

    diag(sprintf '%d MB of answer in %.1f s, the worker grew by %d KB',
         $summary->{length} / 1e6, time - $started, $most - $before);

    is($slow->{error}, undef, 'a slow client gets the end');
    is($summary->{md5}->hexdigest, expected('json', $million),
       'of a million rows, all of them');
    like($slow->{head}, qr/\r\nTransfer-Encoding: chunked\r\n/i, 'in chunks');
    like($slow->{head}, qr/\r\nX-Seen: seen\r\n/, 'with the first row\'s field');
    unlike($slow->{head}, qr/\r\n(?:ETag|Content-Length):/i,
           'and nothing that only the whole answer has');
    cmp_ok($most - $before, '<', 32 * 1024, 'the worker does not grow');
}


sub all_representations
{
    my %type = (json => 'application/json', csv => 'text/csv',
                ndjson => 'application/x-ndjson');

    for my $name (sort keys %type) {
        my $all = Scale::get("/numbers?n=$many", Accept => $type{$name});

        is($all->{error}, undef, "$name has an end");
        is($all->{headers}{'content-type'}, $type{$name}, 'its type');
        is(Digest::MD5::md5_hex($all->{body}), expected($name, $many),
           'and its rows');
    }
}


sub other_transports
{
    my $zipped = Scale::get("/numbers?n=$many", 'Accept-Encoding' => 'gzip');

    is($zipped->{headers}{'content-encoding'}, 'gzip', 'it can be compressed');
    gunzip(\$zipped->{body} => \my $plain);
    is(Digest::MD5::md5_hex($plain // ''), expected('json', $many),
       'and is the same');

    is(over_http2("/numbers?n=$many"), expected('json', $many),
       'HTTP/2 has the same');
    is($? >> 8, 0, 'with an end');

    my $head = Scale::request('HEAD', "/numbers?n=$many");

    is_deeply([$head->{code}, $head->{body}, $head->{headers}{'x-seen'}],
              [200, '', 'seen'], 'HEAD has the header only');
    ok(Scale::wait_for(sub { streams() == 0 }, 2), 'and asks for no more');
}


# what was large is asked for row by row, also when it is not

sub few_after_many
{
    my $three = Scale::get('/numbers?n=3');

    is($three->{body}, join('', content('json', 3)), 'three rows');
    is($three->{headers}{'content-length'}, length $three->{body},
       'have a length');
    like($three->{headers}{etag}, qr/^"/, 'and an ETag');
    is($three->{headers}{'x-seen'}, 'seen', 'and the first row\'s field');

    my $again = Scale::get('/numbers?n=3',
                           'If-None-Match' => $three->{headers}{etag});

    is($again->{code}, 304, 'which the client may hold already');
    is(Scale::get('/numbers?n=0')->{body}, "[]\n", 'no row');
    is(Scale::get('/numbers?n=0', Accept => 'text/csv')->{body},
       "id,pad\r\n", 'nor one of CSV');

    my @same = grep { Scale::get('/numbers?n=3')->{body} eq $three->{body} }
                    1 .. 30;

    is(@same, 30, 'however often');
    is(Digest::MD5::md5_hex(Scale::get("/numbers?n=$many")->{body}),
       expected('json', $many), 'and many again');
}


sub short_ones_go_on
{
    my @stalled = map { open_stream("/numbers?n=$million") } 1 .. 5;

    ok(Scale::wait_for(sub { stalled() == 5 }, 5), 'five clients do not read');

    my $sixth = Scale::get("/numbers?n=$million");

    is($sixth->{code}, 503, 'a sixth is not served');
    cmp_ok($sixth->{seconds}, '<', 1, 'and is told soon');
    is(Scale::get('/fails?n=5&at=9')->{code}, 200,
       'what never was large is');

    my @short = map { Scale::request($_, '/item?id=7') }
                    map { ('GET', 'POST', 'PATCH') } 1 .. 50;
    my ($longest) = sort { $b <=> $a } map { $_->{seconds} } @short;

    is(scalar(grep { $_->{code} == 200 } @short), 150,
       'reads, writes and transactions go on');
    cmp_ok($longest, '<', 0.5, 'without delay');
    is(stalled(), 5, 'while the five are there yet');

    close $_->{socket} for @stalled;
    ok(Scale::wait_for(sub { streams() == 0 }, 2), 'until they leave');
    is(Scale::get("/numbers?n=$many")->{code}, 200, 'then others are served');
}


sub clients_that_leave
{
    my $reader = open_stream("/numbers?n=$million");

    more($reader, 4096);
    close $reader->{socket};
    ok(Scale::wait_for(sub { streams() == 0 }, 1),
       'a client that leaves cancels the statement');

    my $idle = open_stream("/impatient?n=$million");
    my $started = time;

    ok(Scale::wait_for(sub { stalled() == 1 }, 2), 'one does not read');
    ok(Scale::wait_for(sub { streams() == 0 }, 3), 'and is sent away');
    cmp_ok(time - $started, '>', 0.9, 'after its send_timeout');
    drain($idle);
    is($idle->{error}, 'cut', 'it can see that');
}


sub ends_that_are_seen
{
    my $victim = open_stream("/numbers?n=$million");

    ok(Scale::wait_for(sub { stalled() == 1 }, 2), 'a client is slow');
    Scale::sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
               . " WHERE usename = 'api' AND state = 'active'");
    drain($victim);
    is($victim->{error}, 'cut', 'a backend that dies ends the answer early');
    ok(logged(qr/route "numbers": the answer ends after \d+ rows/),
       'the log says so');

    is(Scale::get('/fails?n=5000&at=5000')->{code}, 422,
       'one whose statement fails before it is known to be large is refused');

    my $failed = Scale::get('/fails?n=100000&at=100000');

    is_deeply([$failed->{code}, $failed->{error}],
              [200, 'the last chunk is missing'], 'later it ends early');
    ok(logged(qr/route "fails": the answer ends after \d+ rows: 22012/),
       'the log has the SQLSTATE');
    is(Scale::get('/fails?n=100000&at=1')->{code}, 422,
       'one that fails at once is refused');

    over_http2('/fails?n=100000&at=100000');
    is($? >> 8, 92, 'HTTP/2 resets the stream');

    my $old = open_stream('/fails?n=100000&at=100000', 'HTTP/1.0');

    drain($old);
    like($old->{error}, qr/reset/i, 'a client without chunks is reset');

    Scale::get('/halts?n=100000&at=0');

    my $halted = Scale::get('/halts?n=100000&at=90000');

    is($halted->{error}, 'the last chunk is missing',
       'a statement that halts is ended');
    cmp_ok($halted->{seconds}, '<', 3, 'by its timeout');
    is(Scale::get('/halts?n=100000&at=1')->{code}, 504, 'also at its first row');
    is(streams(), 0, 'nothing runs any more');
}


sub cached_routes
{
    my @all = map { Scale::begin('GET', "/cached?n=$many") } 1 .. 4;
    my @answer = map { Scale::receive($_) } @all;
    my $right = expected('json', $many);

    is(scalar(grep { Digest::MD5::md5_hex($_->{body}) eq $right } @answer), 4,
       'a herd on a route that caches gets a large answer')
        or diag(explain([map { { %$_, body => length $_->{body} } } @answer]));
    is(Scale::get("/cached?n=$many")->{headers}{'x-cache'}, 'BYPASS',
       'which is not cached');

    my @told = Scale::Process::slurp($nginx->{error_log})
               =~ /route "cached": answers larger than 1000000 bytes/g;

    is(@told, 1, 'the log says so once');

    for my $n (3, 10_000) {
        my @twice = map { Scale::get("/cached?n=$n") } 1, 2;

        is_deeply([map { $_->{headers}{'x-cache'} } @twice], ['MISS', 'HIT'],
                  "$n rows are");
        is(Digest::MD5::md5_hex($_->{body}), expected('json', $n), 'and right')
            for @twice;
    }
}


sub replicas
{
    ok(Scale::wait_for(sub { Scale::get('/pair?n=1')->{headers}{'x-role'}
                             eq 'replica' }, 10), 'a replica is read');

    for (1, 2) {
        my $all = Scale::get("/pair?n=$many");

        is($all->{headers}{'x-role'}, 'replica', 'it streams');
        is(Digest::MD5::md5_hex($all->{body}), expected('json', $many),
           'all rows');
    }

    Scale::sql_on('fast', 'SELECT pg_wal_replay_pause()');
    Scale::sql('UPDATE items SET n = n + 1');

    my $behind = Scale::get("/pair?n=$many");

    is($behind->{headers}{'x-role'}, 'primary', 'one that is behind does not');
    is(Digest::MD5::md5_hex($behind->{body}), expected('json', $many),
       'the primary does');
    Scale::sql_on('fast', 'SELECT pg_wal_replay_resume()');
}


# the old worker waits for the client, however slow

sub a_reload
{
    my $slow = open_stream("/numbers?n=$million");
    my $summary = summary();

    ok(Scale::wait_for(sub { stalled() == 1 }, 2), 'a client is slow');
    kill HUP => $nginx->{pid};
    ok(Scale::wait_for(sub { grep { $_ != $worker }
                                  Scale::workers($nginx) }, 5),
       'while nginx is told to reload');

    take($summary, $slow) while more($slow, 1 << 18);

    is($summary->{md5}->hexdigest, expected('json', $million),
       'it gets all rows');
    ok(Scale::wait_for(sub { !grep { $_ == $worker }
                                   Scale::workers($nginx) }, 5),
       'and the old worker leaves');
}


# the rows as they are to be written

sub content
{
    my ($name, $n) = @_;

    my @row = $name eq 'csv' ? map { "$_,rows and rows\r\n" } 1 .. $n
              : map { qq({"id":$_,"pad":"rows and rows"}) } 1 .. $n;

    return ("id,pad\r\n", @row) if $name eq 'csv';
    return map { "$_\n" } @row if $name eq 'ndjson';
    return ('[', join(',', @row), "]\n");
}


sub expected
{
    my ($name, $n) = @_;

    return $expected{"$name $n"} //= do {
        my $md5 = Digest::MD5->new;

        $md5->add($_) for content($name, $n);
        $md5->hexdigest;
    };
}


sub rss
{
    my ($kb) = Scale::Process::slurp("/proc/$worker/status")
               =~ /^VmRSS:\s+(\d+) kB/m;

    return $kb;
}


sub streams
{
    return Scale::sql('SELECT count(*) FROM pg_stat_activity WHERE usename ='
                      . " 'api' AND state = 'active'"
                      . " AND query LIKE '%generate_series%'");
}


# those whose client does not read

sub stalled
{
    return Scale::sql('SELECT count(*) FROM pg_stat_activity WHERE usename ='
                      . " 'api' AND wait_event = 'ClientWrite'");
}


sub logged
{
    my ($pattern) = @_;

    return Scale::wait_for(sub { Scale::Process::slurp($nginx->{error_log})
                                 =~ $pattern }, 2);
}


# A client with little room for what it does not read: { socket, head, body,
# ended, error }, where "body" is what more() has brought.

sub open_stream
{
    my ($path, $version) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die;

    $socket->setsockopt(SOL_SOCKET, SO_RCVBUF, 16384);
    $socket->connect(Socket::pack_sockaddr_in($nginx->{port},
                                   Socket::inet_aton('127.0.0.1'))) or die;
    $socket->syswrite("GET $path " . ($version // 'HTTP/1.1')
                      . "\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    return { socket => $socket, raw => '', body => '', head => '' };
}


sub more
{
    my ($stream, $size) = @_;

    my $n = sysread $stream->{socket}, $stream->{raw}, $size,
                    length $stream->{raw};

    if (!$n) {
        $stream->{error} = defined $n ? $stream->{ended} ? undef : 'cut'
                                      : "$!";
        return 0;
    }

    $stream->{head} = $1
        if !$stream->{head} && $stream->{raw} =~ s/\A(.*?\r\n\r\n)//s;

    while ($stream->{raw} =~ /\A([0-9a-f]+)\r\n/i) {
        my ($size, $start) = (hex $1, $+[0]);

        last if length $stream->{raw} < $start + $size + 2;

        $stream->{body} .= substr $stream->{raw}, $start, $size;
        substr($stream->{raw}, 0, $start + $size + 2) = '';
        $stream->{ended} = 1 if $size == 0;
    }

    return 1;
}


sub drain
{
    my ($stream) = @_;

    while (more($stream, 1 << 20)) {
        $stream->{body} = '';
    }
}


sub summary { return { md5 => Digest::MD5->new, length => 0 } }


sub take
{
    my ($summary, $stream) = @_;

    $summary->{md5}->add($stream->{body});
    $summary->{length} += length $stream->{body};
    $stream->{body} = '';
}


# the body's checksum; $? is curl's status

sub over_http2
{
    my ($path) = @_;

    my $body = qx{curl -s --http2-prior-knowledge --unix-socket \\
                      $ENV{TEST_NGINX_DIR}/h2.sock 'http://localhost$path'};

    return Digest::MD5::md5_hex($body);
}
