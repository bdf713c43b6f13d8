# PostgreSQL as it is: its errors, its timeouts, its restarts, and what a
# client is told of each.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Door;
use Test::Nginx::Socket 'no_plan';
use IO::Socket::INET;
use Time::HiRes qw(time);

Scale::Door::install();
Scale::sql(<<'SQL');
CREATE TABLE owners (id bigint PRIMARY KEY);
CREATE TABLE items (id bigint PRIMARY KEY, n int NOT NULL CHECK (n < 1000),
                    name text UNIQUE, owner bigint REFERENCES owners);
CREATE TABLE loose (id bigint PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0, 'name ' || i FROM generate_series(1, 100) i;
INSERT INTO loose SELECT i, 0 FROM generate_series(1, 100) i;
CREATE SEQUENCE tries;

CREATE FUNCTION raise(code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the words of PostgreSQL' USING ERRCODE = code;
END
$$;

CREATE FUNCTION raise_first(code text, times int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('tries') <= times THEN
        PERFORM raise(code);
    END IF;
END
$$;

CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'DEALLOCATE ALL';
END
$$;
SQL

our $Routes = <<'EOC';
    scale_param  id    $id        bigint required;
    scale_param  door  $door      text   required;
    scale_param  code  $code      text   required;
    scale_param  name  json.name  text;
    scale_param  owner json.owner bigint;
    scale_param  n     json.n     int;

    location = /ping {
        return 204;
    }

    location ~ ^/items/(?<id>\d+)$ {
        scale_route  items;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_query  PUT row "UPDATE items SET name = coalesce(:name, name),
                                     owner = coalesce(:owner, owner),
                                     n = coalesce(:n, n)
                              WHERE id = :id RETURNING id, n";
        scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                               RETURNING id, n";
        scale_query  PATCH none "UPDATE items SET n = n + 1 WHERE id = :id";
        scale_query  PATCH row "SELECT n, id FROM items WHERE id = :id";
    }

    location ~ ^/loose/(?<id>\d+)$ {
        scale_route  loose;
        scale_query  GET row "SELECT * FROM loose WHERE id = :id";
        scale_query  POST row "UPDATE loose SET n = n + 1 WHERE id = :id
                               RETURNING *";
        scale_query  PATCH none "INSERT INTO loose SELECT * FROM loose
                                 WHERE false RETURNING *";
        scale_query  PATCH row "UPDATE loose SET n = n + 1 WHERE id = :id
                                RETURNING *";
    }

    location ~ ^/fresh/(?<id>\d+)$ {
        scale_route  fresh;
        scale_query  GET row "SELECT id, 'fresh' AS n FROM items
                              WHERE id = :id";
    }

    location ~ ^/other/(?<id>\d+)$ {
        scale_route  other;
        scale_query  GET row "SELECT id, 'other' AS n FROM items
                              WHERE id = :id";
    }

    location = /nap {
        scale_route  nap;
        scale_query  GET row "SELECT 1 AS id, pg_sleep(0.010)";
    }

    location = /pid {
        scale_route  pid;
        scale_query  GET value "SELECT pg_backend_pid()";
        scale_query  POST value "SELECT pg_backend_pid()";
        scale_query  PATCH value "SELECT pg_backend_pid()" timeout=5s;
    }

    location = /forget {
        scale_route  forget;
        scale_query  GET row "SELECT 1 AS id, forget()";
        scale_query  POST row "SELECT 1 AS id, forget()";
        scale_query  PATCH row "SELECT 1 AS id, forget()" timeout=5s;
    }

    location ~ ^/raise/(?<code>\w+)$ {
        scale_route  raise;
        scale_query  GET row "SELECT 1 AS id, raise(:code)";
        scale_query  POST row "SELECT 1 AS id, raise(:code)";
    }

    location ~ ^/first/(?<id>\d+)/(?<code>\w+)$ {
        scale_route  first;
        scale_query  POST row "SELECT :id AS id, raise_first(:code, :id::int)";
    }

    location ~ ^/door/(?<door>\w+)/(?<id>\d+)$ {
        scale_route  door;
        scale_query  GET row "SELECT id, through(:door) FROM items
                              WHERE id = :id";
        scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                               RETURNING n, through(:door)";
    }
EOC

our $Database = <<'EOC';
    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api";
        connections  5;
        queue        1024 timeout=8s;
        timeout      8s;
    }
EOC


# one connection of each kind

my $one = Scale::nginx($Database . <<"END", workers => 1);
    server {
        listen 127.0.0.1:\$ServerPort;
$Routes
    }
END

my ($worker) = Scale::workers($one);


sub code { return Scale::request(@_)->{code} }


sub codes { return join ' ', map { Scale::receive($_)->{code} } @_ }


sub n_of { return Scale::sql("SELECT n FROM items WHERE id = $_[0]") }


sub stopped
{
    my ($pid) = @_;

    kill STOP => $pid;
    Scale::wait_for(sub {
        Scale::Process::slurp("/proc/$pid/stat") =~ /\) [Tt] /;
    });
}


# Requests that arrive in one turn of the event loop: of connections that are
# accepted already.  The answer to /ping tells that an earlier one is over.

sub together
{
    my (@paths) = @_;

    my @sockets = map {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$one->{port}")
    } @paths;

    code('GET', '/ping');
    stopped($worker);

    my @begun = map { Scale::begin('GET', $_, undef,
                                   ':socket' => shift @sockets) } @paths;

    kill CONT => $worker;
    code('GET', '/ping');

    return @begun;
}


# prepared statements

for my $method (qw(GET POST PATCH)) {
    code($method, '/items/1');
    code($method, '/loose/1');
    code($method, '/forget');
    is(code($method, '/items/1'), 200,
       "$method: DEALLOCATE ALL is not noticed by a client");
    is(code($method, '/items/1'), 200, "$method: nor by the next");
    is(code($method, '/loose/1'), 200, "$method: nor in another statement");
}

Scale::sql('ALTER TABLE loose ADD COLUMN extra text');

for my $method (qw(GET POST PATCH)) {
    my $answer = Scale::request($method, '/loose/2');

    is($answer->{code}, 200, "$method: a changed table is not an error");
    like($answer->{body}, qr/"extra":null/, "$method: and shows its column");
    is(code($method, '/loose/2'), 200, "$method: so does the next");
}

# what was slow once has another connection for a while
code('GET', '/forget') for 1 .. 20;
code('GET', $_) for qw(/items/1 /loose/1 /other/1);
is(codes(together(qw(/forget /items/1 /loose/1 /other/1))), '200 200 200 200',
   'statements sent with a DEALLOCATE ALL are prepared again');

my $reader = int Scale::get('/pid')->{body};
code('GET', '/nap');
stopped($reader);
my @begun = (together(qw(/raise/22012 /fresh/1)), together(qw(/nap /fresh/2)));
kill CONT => $reader;
is(codes(@begun), '422 200 200 200',
   'a statement whose preparation a neighbour undid is prepared again');
is(code('GET', '/fresh/3'), 200, 'and can be used from then on');

Scale::sql('ALTER TABLE loose DROP COLUMN extra');
is(codes(together(qw(/raise/22012 /loose/1 /loose/2))), '422 200 200',
   'a changed table, and an error of a neighbour');
Scale::sql('ALTER TABLE loose ADD COLUMN extra text');
is(codes(together(qw(/loose/1 /raise/22012 /loose/2))), '200 422 200',
   'in whatever order');
is(code('GET', '/loose/3'), 200, 'do not hurt the next reader');


# neighbours

is(codes(together(map { ("/items/$_", '/raise/22012', "/items/20$_") }
                  1 .. 5)), join(' ', ('200 422 404') x 5),
   'an error of one is no error of those sent with it');


# SQLSTATEs: [code, read, write, type], "R" is with Retry-After

my @states = (
    ['HT402', '402',   '402',   'refused'],
    ['23505', '409',   '409',   'conflict'],
    ['23P01', '409',   '409',   'conflict'],
    ['23503', '422',   '422',   'unprocessable'],
    ['23502', '422',   '422',   'unprocessable'],
    ['23514', '422',   '422',   'unprocessable'],
    ['22012', '422',   '422',   'unprocessable'],
    ['42501', '403',   '403',   'forbidden'],
    ['P0001', '422',   '422',   'refused'],
    ['40001', '503 R', '503 R', 'busy'],
    ['40P01', '503 R', '503 R', 'busy'],
    ['53100', '503 R', '503 R', 'busy'],
    ['55P03', '503 R', '503 R', 'busy'],
    ['57P01', '503 R', '503 R', 'unavailable'],
    ['08006', '503 R', '503 R', 'unavailable'],
    ['57014', '504',   '503 R', 'timeout|unavailable'],
    ['25006', '500',   '503 R', 'internal|unavailable'],
    ['26000', '500',   '500',   'database'],
    ['0A000', '500',   '500',   'database'],
    ['42P01', '500',   '500',   'database'],
    ['XX000', '500',   '500',   'database'],
);

for my $state (@states) {
    my ($code, %expected);
    ($code, @expected{qw(GET POST)}, my $type) = @$state;

    for my $method (qw(GET POST)) {
        my $answer = Scale::request($method, "/raise/$code");
        my $status = $answer->{code}
                     . ($answer->{headers}{'retry-after'} ? ' R' : '');

        is($status, $expected{$method}, "$method: $code is $status");
        like($answer->{body}, qr/"type":"(?:$type)"/, "$method: type of $code");
        $answer->{body} !~ /words/ or $code =~ /^(?:HT402|P0001)$/
            or fail("$method: the message of $code is for the log only");
    }
}

is(code('GET', '/items/1') . code('POST', '/items/1'), '200200',
   'none of them leaves a connection unusable');

for my $code (qw(40001 40P01)) {
    Scale::sql("ALTER SEQUENCE tries RESTART");
    is(code('POST', "/first/3/$code"), 200, "$code is tried again");
    is(Scale::sql('SELECT last_value FROM tries'), 4, "as often as needed");
    Scale::sql("ALTER SEQUENCE tries RESTART");
    is(code('POST', "/first/9/$code"), 503, "$code is given up");
    is(Scale::sql('SELECT last_value FROM tries'), 4, 'after a few times');
}


# what a client no longer wants

my ($gone, @neighbours) = together(qw(/door/a/1 /items/1 /items/2));
is(Scale::Door::backends('through', 1), 1, 'a read runs');
close $gone->{socket};
is(codes(@neighbours), '200 200',
   'a client that goes away does not take its neighbours along');
is(scalar Scale::Door::running('through'), 0, 'and its read is cancelled');
is(codes(together(map { "/items/$_" } 1 .. 9)), join(' ', (200) x 9),
   'and nothing else is');

my $before = n_of(3);
my $write = Scale::begin('POST', '/door/b/3');
Scale::Door::backends('through', 1);
close $write->{socket};
code('GET', '/ping');
is(code('GET', '/items/1'), 200, 'the client of a write goes away');
is(scalar Scale::Door::running('through'), 1, 'its write goes on');
Scale::Door::unlock('b');
ok(Scale::wait_for(sub { n_of(3) == $before + 1 }), 'and is committed');


# backends that die

code($_, '/items/4') for qw(GET POST);

for my $method (qw(GET POST)) {
    Scale::sql('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity'
               . " WHERE usename = 'api'");
    is(code($method, '/items/4'), 200, "$method: after all backends are gone");
}

for my $method (qw(GET POST)) {
    my $begun = Scale::begin($method, '/door/c/5');
    my ($pid) = Scale::Door::backends('through', 1);
    Scale::sql("SELECT pg_terminate_backend($pid, 5000)");
    my ($next) = Scale::Door::backends('through', 1);
    isnt($next, $pid, "$method: what an administrator ended runs again");
    Scale::Door::unlock('c');
    is(Scale::receive($begun)->{code}, 200, "$method: and is answered");
    Scale::sql('DELETE FROM doors');
}

is(n_of(5), 1, 'once');

$write = Scale::begin('POST', '/door/d/6');
my ($pid) = Scale::Door::backends('through', 1);
kill KILL => $pid;
my $answer = Scale::receive($write);
is($answer->{code}, 504, 'a write whose backend was killed');
like($answer->{body}, qr/"type":"outcome-unknown"/, 'has an unknown outcome');
is($answer->{headers}{'retry-after'}, undef, 'and is not to be sent again');
ok(Scale::wait_for(sub { eval { Scale::sql('SELECT 1') }
                         && code('GET', '/items/6') == 200 }, 10),
   'PostgreSQL recovers, and so do we');
is(scalar Scale::Door::running('through'), 0, 'the write is not run again');
is(n_of(6), 0, 'nor was it made');

my $read = Scale::begin('GET', '/door/e/7');
($pid) = Scale::Door::backends('through', 1);
kill KILL => $pid;
ok(Scale::wait_for(sub { eval { Scale::Door::unlock('e'); 1 } }, 10),
   'a read whose backend was killed');
is(Scale::receive($read)->{code}, 200, 'is answered by the next');

Scale::restart_postgres();
is(code('GET', '/items/1') . code('POST', '/items/1'), '200200',
   'a restart of PostgreSQL is not noticed afterwards');

run_tests();

__DATA__
