# Bodies as clients send them, and clients that do not behave.

use strict;
use warnings;
use lib 't/lib';
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Scale qw(postgres memcached);
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(time);

Scale::sql(<<'SQL');
CREATE TABLE notes (id bigint PRIMARY KEY, text text UNIQUE CHECK (text <> ''));
INSERT INTO notes VALUES (1, 'one');
SQL

our $HttpConfig = Scale::http_config();

our $Config = <<'END';
    client_body_buffer_size  1k;

    location = /text {
        scale_route  text;
        scale_param  text  json.text  text;
        scale_query  POST row "SELECT length(:text) AS n, left(:text, 5) AS t";
    }

    location = /raw {
        scale_route  raw;
        scale_param  raw  body  text required;
        scale_query  POST row "SELECT length(:raw) AS n, left(:raw, 5) AS t";
    }

    location = /whole {
        scale_route  whole;
        scale_param  all  json  json;
        scale_query  POST value "SELECT :all";
    }

    location = /file {
        scale_route  file;
        scale_param  text  json.text  text;
        scale_query  POST value "SELECT length(:text)";
        client_body_in_file_only  clean;
    }

    location = /small {
        scale_route  small;
        scale_param  text  json.text  text;
        scale_query  POST value "SELECT length(:text)";
        client_max_body_size  100;
    }

    location ~ ^/notes/(?<id>\d+)$ {
        scale_route  note;
        scale_param  id    $id        bigint required;
        scale_param  n     json.n     int max=5;
        scale_param  text  json.text  text;
        scale_query  GET row "SELECT id, text FROM notes WHERE id = :id";
        scale_query  PUT row "INSERT INTO notes
                              VALUES (:id + coalesce(:n, 0), :text)
                              RETURNING id";
        scale_cache_valid  10m;
    }

    location = /slow {
        scale_route  slow;
        scale_query  GET value "SELECT pg_sleep(0.3), 'done' AS x";
    }

    location = /endless {
        scale_route  endless;
        scale_query  GET value "SELECT pg_sleep(60), 'never' AS x" timeout=60s;
        scale_deadline  60s;
    }

    location ~ ^/late/(?<id>\d+)$ {
        scale_route  late;
        scale_param  id  $id  bigint required;
        scale_query  PUT none "INSERT INTO notes
                               SELECT :id, 'late' FROM pg_sleep(0.3)";
    }

    location = /much {
        scale_route  much;
        scale_query  GET rows "SELECT i, repeat('x', 100) AS x
                                 FROM generate_series(1, 100000) i";
    }
END

no_long_string();
run_tests();


Scale::another_memcached();

my $http2_port = Scale::Process::free_port();
my $nginx = Scale::nginx(Scale::http_config() . <<END . "$Config}\n",
    server {
        listen 127.0.0.1:\$ServerPort;
        listen 127.0.0.1:$http2_port http2;
END
                         workers => 1);

my @json = ('Content-Type' => 'application/json');


sub post ($$)
{
    my ($path, $body) = @_;

    return Scale::request('POST', $path, $body, @json);
}


sub connection ()
{
    return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$nginx->{port}",
                                 Timeout => 5) || die "cannot connect: $@\n";
}


# what arrives until it matches, the peer closes, or five seconds have passed

sub receive ($$)
{
    my ($socket, $pattern) = @_;

    my $select = IO::Select->new($socket);
    my $deadline = time + 5;
    my $text = '';

    while ($text !~ $pattern && $select->can_read($deadline - time)) {
        sysread $socket, $text, 65536, length $text or last;
    }

    return $text;
}


sub logged ($)
{
    my ($pattern) = @_;

    return Scale::Process::slurp($nginx->{error_log}) =~ $pattern;
}


sub active ($)
{
    my ($like) = @_;

    return Scale::sql("SELECT count(*) FROM pg_stat_activity WHERE state ="
                      . " 'active' AND usename = 'api' AND query LIKE '$like'");
}


sub is_problem ($$$$)
{
    my ($answer, $status, $type, $title) = @_;

    my $problem = eval { decode_json($answer->{body}) } || {};

    is($answer->{code}, $status, $title);
    is($answer->{headers}{'content-type'}, 'application/problem+json',
       "$title: it is a problem");
    is_deeply([ @$problem{qw(type status)} ], [ $type, $status ],
              "$title: its type and status");
    ok(defined $problem->{title}, "$title: it has a title");

    return $problem;
}


# what is no JSON, and at which byte

my @refused = (
    [ 'a member that ends early', '{"text":', 8 ],
    [ 'a word', '{"text":yes}', 8 ],
    [ 'two values', '{} {}', 3 ],
    [ 'white space only', ' ', 1 ],
    [ 'a comma too many', '{"text":"a",}', 12 ],
    [ 'a leading zero', '{"text":01}', 8 ],
    [ 'a line break in a string', qq({"text":"a\nb"}), 10 ],
    [ 'a cut UTF-8 sequence', qq({"text":"\xc3"}), 9 ],
    [ 'an overlong UTF-8 sequence', qq({"text":"\xc0\xaf"}), 9 ],
    [ 'a surrogate in UTF-8', qq({"text":"\xed\xa0\x80"}), 9 ],
    [ 'an unpaired surrogate', '{"text":"\ud800"}', 9 ],
    [ 'a NUL', '{"text":"\u0000"}', 9 ],
    [ 'a member given twice', '{"text":"a","text":"b"}', 12 ],
    [ 'a member given twice, spelled differently',
      '{"text":"a","\u0074ext":"b"}', 12 ],
    [ 'nesting 65 deep', '[' x 65 . ']' x 65, 64 ],
    [ 'a byte order mark', qq(\xef\xbb\xbf{}), 0 ],
);

for my $case (@refused) {
    my ($what, $body, $byte) = @$case;
    my $problem = is_problem(post('/text', $body), 400, 'invalid-body', $what);

    like($problem->{detail}, qr/ at byte $byte\z/, "$what: where");
}

is(post('/text', '[' x 64 . ']' x 64)->{code}, 200, 'nesting 64 deep is taken');


# 1000 members are no depth, and 100 KB are read in one piece

my $many = '{' . join(',', map { qq("m$_":{"text":$_}) } 1 .. 10000)
           . ',"text":"' . 'y' x 50000 . '"}';

is(post('/text', $many)->{body}, qq({"n":50000,"t":"yyyyy"}\n),
   'a member behind thousands of others is found');


# Expect: 100-continue

my $socket = connection();
my $text = '{"text":"abc"}';

$socket->syswrite("POST /text HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  . "Content-Type: application/json\r\n"
                  . "Content-Length: " . length($text) . "\r\n\r\n");
like(receive($socket, qr/\r\n\r\n/), qr/\AHTTP\/1.1 100 Continue\r\n\r\n\z/,
     'a client that waits for it is told to go on');

$socket->syswrite($text);
like(receive($socket, qr/\}/), qr/\AHTTP\/1.1 200 .*"n":3/s,
     '... and is answered');

$socket->syswrite("POST /text HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  . "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n");
like(receive($socket, qr/\}/), qr/\AHTTP\/1.1 415 /,
     'one that sends what is refused anyway is told before it sends');


# one connection, several requests

$socket = connection();
$socket->syswrite(join '',
    "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /text HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    . "Content-Length: 14\r\n\r\n$text",
    "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
    "DELETE /text HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "GET /notes/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

my $all = receive($socket, qr/no such byte/);
my @codes = $all =~ /HTTP\/1\.1 (\d+)/g;

is("@codes", '200 200 404 405 200', 'pipelined requests are answered in order');


# a body nobody asked for, half of it late

$socket = connection();
$socket->syswrite("GET /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
                  . 'ab');
ok(Scale::wait_for(sub { active('%pg_sleep(0.3)%') }, 5), 'a read runs');
$socket->syswrite('cdefghij');
like(receive($socket, qr/done/), qr/\AHTTP\/1.1 200 .*"done"/s,
     'GET with a body is answered');
$socket->syswrite("GET /notes/1 HTTP/1.1\r\nHost: a\r\n\r\n");
like(receive($socket, qr/"one"/), qr/\AHTTP\/1.1 200 .*"one"/s,
     '... and so is the next request on its connection');


# HTTP/1.0

$socket = connection();
$socket->syswrite("GET /notes/1 HTTP/1.0\r\n\r\n");
$text = receive($socket, qr/no such byte/);
like($text, qr/\AHTTP\/1.1 200 .*\{"id":1,"text":"one"\}\n\z/s,
     'a client of HTTP/1.0 is answered, and the connection is closed');
unlike($text, qr/Transfer-Encoding/, '... without chunks');


# clients that go away

$socket = connection();
$socket->syswrite("PUT /notes/50 HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n"
                  . "Content-Type: application/json\r\n\r\n{\"text\":\"ha");
close $socket;
ok(Scale::wait_for(sub { logged(qr/prematurely closed.*PUT \/notes\/50/) }, 5),
   'a client that leaves within its body is noticed');
is(Scale::sql('SELECT count(*) FROM notes WHERE id = 50'), 0,
   '... and has written nothing');

$socket = connection();
$socket->syswrite("PUT /late/60 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
                  . "\r\n");
ok(Scale::wait_for(sub { active('%pg_sleep(0.3)%') }, 5), 'a write runs');
close $socket;
ok(Scale::wait_for(sub {
       Scale::sql('SELECT count(*) FROM notes WHERE id = 60')
   }, 5), 'a write goes on without its client');

$socket = connection();
$socket->syswrite("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
ok(Scale::wait_for(sub { active('%pg_sleep(60)%') }, 5), 'a read is slow');
close $socket;
ok(Scale::wait_for(sub { !active('%pg_sleep(60)%') }, 5),
   '... and is cancelled when its client leaves');

for (1 .. 3) {
    $socket = connection();
    $socket->syswrite("GET /much HTTP/1.1\r\nHost: a\r\n\r\n");
    receive($socket, qr/\r\n\r\n/);
    close $socket;
}

my $much = Scale::get('/much');
is($much->{code}, 200, 'after clients that left within the answer');
is($much->{error}, undef, '... the next one gets all of it');
is(scalar(() = $much->{body} =~ /"i":/g), 100_000, '... each row once');


# what clients send stays out of errors and logs

my $secret = 'hunter2';

is_problem(Scale::request('PUT', '/notes/70',
                          qq({"n":"$secret","text":"$secret"}), @json),
           400, 'invalid-parameter', 'a number is none');
is_problem(Scale::request('PUT', '/notes/70', qq({"$secret":$secret}), @json),
           400, 'invalid-body', 'a body is no JSON');
is(Scale::request('PUT', '/notes/70', qq({"text":"$secret"}), @json)->{code},
   200, 'the secret is taken');

my @problems = (
    is_problem(Scale::request('PUT', '/notes/71', qq({"text":"$secret"}),
                              @json), 409, 'conflict', 'it is taken already'),
    is_problem(Scale::request('PUT', '/notes/71', '{"text":""}', @json),
               422, 'unprocessable', 'a value is refused'),
    is_problem(post('/raw', "$secret\xff"), 400, 'invalid-parameter',
               'a text is no UTF-8'),
    is_problem(post('/raw', "$secret\0"), 400, 'invalid-parameter',
               'a text holds a NUL'),
);

unlike(join('', map { JSON::PP->new->canonical->encode($_) } @problems),
       qr/$secret/, 'no problem repeats a value');
ok(!logged(qr/$secret/), 'error.log has no value');


# HTTP/2 needs no Content-Length and has no chunks

{
    my $curl = "curl -s -m 5 --http2-prior-knowledge -o /dev/stdout"
               . " -w ' %{http_code} %{http_version}'";
    my $url = "http://127.0.0.1:$http2_port";
    my $type = "-H 'Content-Type: application/json'";
    my $file = Scale::dir() . '/body.json';

    open my $out, '>', $file or die "$file: $!\n";
    print $out '{"text":"' . 'z' x 200000 . '"}';
    close $out;

    is(`$curl $url/notes/1`, qq({"id":1,"text":"one"}\n 200 2),
       'HTTP/2: a row');
    is(`$curl $type -d '{"text":"abc"}' $url/text`,
       qq({"n":3,"t":"abc"}\n 200 2), 'HTTP/2: a body');
    is(`$curl $type -X POST -T - $url/text < $file`,
       qq({"n":200000,"t":"zzzzz"}\n 200 2),
       'HTTP/2: a body of no known length');
    like(`printf text=1 | $curl -X POST -T - $url/text`,
         qr/unsupported-media-type.* 415 2\z/s, 'HTTP/2: another type');
    is(`$curl -I $url/notes/1 | grep -c '^content-length: 22'`, "1\n",
       'HTTP/2: HEAD');
}


__DATA__

=== TEST 1: a body may come with its length
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
POST /text
{"text":"ä\u00e4\ud83d\ude00"}
--- more_headers
Content-Type: application/json
--- response_body
{"n":3,"t":"ää😀"}


=== TEST 2: a body may come in chunks, split anywhere
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /text\n5\r\n{\"tex\r\n1\r\nt\r\n8;a=b\r\n\":\"abc\"}\r\n0\r\n\r\n",
 "POST /text\n0\r\n\r\n"]
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- response_body eval
[qq({"n":3,"t":"abc"}\n), qq({"n":null,"t":null}\n)]


=== TEST 3: a body larger than its buffer is read from its file
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /text\n{\"text\":\"" . "x" x 100000 . "\"}",
 "POST /file\n{\"text\":\"abc\"}",
 "POST /raw\n" . "z" x 100000]
--- more_headers
Content-Type: application/json
--- response_body eval
[qq({"n":100000,"t":"xxxxx"}\n), "3\n", qq({"n":100000,"t":"zzzzz"}\n)]


=== TEST 4: chunks larger than the buffer, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
"POST /text\n3e8\r\n{\"text\":\"" . "x" x 991 . "\r\n"
. ("7d0\r\n" . "x" x 2000 . "\r\n") x 4 . "2\r\n\"}\r\n0\r\n\r\n"
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- response_body
{"n":8991,"t":"xxxxx"}


=== TEST 5: no body is no member, and needs no type
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /text", "POST /text"]
--- more_headers eval
["", "Content-Length: 0"]
--- response_body eval
[qq({"n":null,"t":null}\n), qq({"n":null,"t":null}\n)]


=== TEST 6: a body that is required and empty is named
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
POST /raw
--- error_code: 400
--- response_body_like: "type":"invalid-parameter".*"name":"raw"


=== TEST 7: a body too large is a 413, with a length or in chunks
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /small\n{\"text\":\"" . "x" x 100 . "\"}",
 "POST /small\n66\r\n" . "x" x 102 . "\r\n0\r\n\r\n"]
--- more_headers eval
["Content-Type: application/json",
 "Content-Type: application/json\nTransfer-Encoding: chunked"]
--- error_code eval
[413, 413]
--- response_headers eval
["Content-Type: application/problem+json",
 "Content-Type: application/problem+json"]
--- response_body_like eval
[qr/^\{"type":"about:blank","title":"Content Too Large","status":413,"route":"small"\}$/,
 qr/"status":413/]


=== TEST 8: a route that takes the body as it is takes any type
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
POST /raw
text=%41
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- response_body
{"n":8,"t":"text="}


=== TEST 9: a whole body keeps its spelling
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /whole\n{\"b\":1.50,  \"a\":[null,\"x\"]}",
 "POST /whole\n12345678901234567890", "POST /whole\n\"x\"", "POST /whole\nnull"]
--- more_headers
Content-Type: application/json
--- response_body eval
[qq({"b":1.50,  "a":[null,"x"]}\n), "12345678901234567890\n", qq("x"\n),
 "null\n"]


=== TEST 10: a body that is no object has no members
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /text\n[1,{\"text\":\"a\"}]", "POST /text\n\"text\"",
 "POST /text\n{\"a\":{\"text\":\"b\"},\"text\":null}"]
--- more_headers
Content-Type: application/json
--- response_body eval
[qq({"n":null,"t":null}\n), qq({"n":null,"t":null}\n),
 qq({"n":null,"t":null}\n)]


=== TEST 11: an empty body in chunks needs no type either
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
"POST /text\n0\r\n\r\n"
--- more_headers
Transfer-Encoding: chunked
--- response_body
{"n":null,"t":null}
