# What the other tests rely on: the runner's sections, the private servers.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Test::Nginx::Socket 'no_plan';

is(Scale::sql('SELECT current_database()'), 'app', 'sql() speaks to app');
is(Scale::sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'api'"), 't',
   'the role api may log in');
Scale::sql('CREATE TABLE here (id int)');
is(Scale::sql("SELECT has_table_privilege('api', 'here', 'INSERT')"), 't',
   'api may write to new tables');
ok(!eval { Scale::sql('SELECT nothing'); 1 }, 'sql() dies of an error');
like($@, qr/"nothing" does not exist/, 'and says which');

Scale::sql('SELECT 1 + 1') for 1 .. 3;
is(Scale::statements('SELECT $1 + $2'), 3, 'statements() counts executions');

my $first = Scale::memcached(0);
my $second = Scale::memcached(1);

is($first->{port}, $ENV{TEST_NGINX_MC_PORT}, 'memcached 0 is the default one');
isnt($second->{port}, $first->{port}, 'memcached 1 is another');
Scale::stop_memcached(1);
ok(!kill(0, $second->{pid}), 'a stopped memcached is gone');
Scale::restart_memcached(1);
ok(kill(0, $second->{pid}), 'a restarted one is back');

my $nginx = Scale::nginx(<<'END', workers => 2);
    server {
        listen 127.0.0.1:$ServerPort;
        location = /echo { return 201 "$request_method $http_x_a"; }
        location = /slow { limit_rate 1; return 200 "slowly"; }
    }
END

my @workers = Scale::workers($nginx);
is(@workers, 2, 'nginx() has real workers');

my $answer = Scale::request('PUT', '/echo', 'body', 'X-A' => 'b');
is("$answer->{code} $answer->{body}", '201 PUT b', 'request() sends headers');
is($answer->{headers}{'content-length'}, 5, 'and gives those of the answer');
is(Scale::get('/slow', ':timeout' => 0.2)->{error}, 'timed out',
   'get() gives up in time');
is(Scale::get('/', ':port' => 1)->{code}, 0, 'a refused connection is code 0');

Scale::expect_in_log(qr/exited on signal 9/);
kill KILL => $workers[0];
ok(Scale::wait_for(sub { Scale::workers($nginx) == 2
                         && !grep { $_ == $workers[0] }
                                  Scale::workers($nginx) }, 5),
   'wait_for() sees the new worker');

my $rounds = 0;

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(config => $block->config . "\n        # a comment\n")
        if defined $block->config;
});

add_cleanup_handler(sub { $rounds++ });
repeat_each(2);
no_shuffle();
run_tests();

is($rounds, 1, 'the cleanup handler ran once');

__DATA__

=== TEST 1: a request with headers and a body, an answer checked in full
--- config
        location /t {
            add_header X-Echo $http_x_a always;
            add_header X-Length $http_content_length always;
            return 202 "on $server_port\n";
        }
--- more_headers
X-A: one two
--- request
POST /t
hello
--- error_code: 202
--- response_headers
X-Echo: one two
X-Length: 5
! X-None
--- raw_response_headers_like: X-Length: 5\r\n
--- response_body
on $ServerPort
--- error_log eval
["http request line", qr/\bPOST \/t\b/]
--- no_error_log
[error]
[alert]



=== TEST 2: a block without a configuration goes on with the running nginx
--- request
GET /t
--- error_code_like: ^20[0-9]$
--- response_headers_like
Content-Type: text/.*
--- response_body_like: ^on \d+$



=== TEST 3: several requests have arrays of expectations
--- request eval
["GET /t", "GET /none", "HEAD /t"]
--- error_code eval
[202, 404, 202]
--- response_body_like eval
["^on", "404 Not Found", "^\$"]
--- error_log eval
[qr/http request line/]



=== TEST 4: pipelined requests share a connection
--- config
        location /n { return 200 "$connection_requests\n"; }
--- pipelined_requests eval
["GET /n", "POST /n\nbody", "GET /n"]
--- response_body eval
["1\n", "2\n", "3\n"]



=== TEST 5: a chunked answer is put together
--- config
        location ~ txt { root html; ssi on; ssi_types text/plain; }
--- user_files
>>> part.txt
<!--# echo var="arg_a" -->, there
--- request
GET /part.txt?a=hi
--- response_headers
Transfer-Encoding: chunked
! Content-Length
--- response_body
hi, there



=== TEST 6: a request in packets
--- config
        location /t {
            client_body_in_single_buffer on;
            proxy_pass http://127.0.0.1:$TEST_NGINX_PORT/body;
        }
        location /body { return 200 "$http_content_length"; }
--- request eval
[["POST /t\nab", { value => "cd", delay_before => 0.05 }, "ef"]]
--- response_body chomp
6



=== TEST 7: a raw request that is none
--- config
--- raw_request eval
["GARBAGE\x01", "\r\n\r\n"]
--- error_code: 400
--- response_body_like: 400 Bad Request
--- error_log
client sent invalid method



=== TEST 8: a configuration that nginx must refuse
--- config
        location /t { return a b c; }
--- must_die
--- error_log
invalid number of arguments in "return" directive
--- no_error_log
[alert]



=== TEST 9: the exit code of a refusal
--- config
        location /t { nonsense; }
--- must_die: 1
--- error_log eval
qr/\[emerg\] .* unknown directive "nonsense"/



=== TEST 10: a mocked server sees the query and answers
--- config
        location /t {
            set $memcached_key some;
            memcached_pass 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
["VALUE some 0 5\r\n", "hello\r\nEND\r\n"]
--- tcp_query eval
"get some\r\n"
--- tcp_query_len: 10
--- request
GET /t
--- response_body chomp
hello



=== TEST 11: a mock that makes its answer of the query, late, on a unix socket
--- config
        location /t {
            set $memcached_key other;
            memcached_pass unix:$TEST_NGINX_DIR/mock.sock;
        }
--- tcp_listen: $TEST_NGINX_DIR/mock.sock
--- tcp_reply eval
sub { my ($key) = $_[0] =~ /get (\S+)/; "VALUE $key 0 5\r\n$key\r\nEND\r\n" }
--- tcp_reply_delay: 100ms
--- request
GET /t
--- response_body chomp
other



=== TEST 12: the real memcached is reached
--- config
        location /t {
            set $memcached_key absent;
            memcached_pass 127.0.0.1:$TEST_NGINX_MC_PORT;
        }
--- request
GET /t
--- error_code: 404
--- response_body_unlike: absent
--- grep_error_log eval
qr/key: "[^"]+" was not found/
--- grep_error_log_out
key: "absent" was not found



=== TEST 13: a client that gives up
--- config
        location /t { limit_rate 1; return 200 "slow"; }
--- request
GET /t
--- timeout: 100ms
--- abort
--- ignore_response
--- no_error_log
[error]



=== TEST 14: blocks that do not apply are skipped
--- config
        location /t { return 200; }
--- request
GET /t
--- skip_nginx: 1: >= 1.0.0



=== TEST 15: Perl decides what is skipped
--- request
GET /t
--- skip_eval: 1: $ENV{TEST_NGINX_PORT} > 0
