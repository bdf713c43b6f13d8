# API keys: what the database says of a key's hash is asked once and cached, a
# revoked key is refused by every node at its next use, and no key is kept.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Http;
use Scale::Ring;
use Test::More;

my @json = ('Content-Type' => 'application/json');
my %secret = map { $_ => "sk_live_$_-0123456789abcdef" } 'a' .. 'k';

Scale::sql(<<'END');
CREATE TABLE api_keys (id int PRIMARY KEY, hash text NOT NULL UNIQUE,
                       owner text NOT NULL, plan text,
                       revoked bool NOT NULL DEFAULT false);
CREATE FUNCTION hash(secret text) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT encode(sha256(convert_to(secret, 'UTF8')), 'hex') $$;
CREATE TABLE pause (s float8 NOT NULL);
INSERT INTO pause VALUES (0);
END

my $id = 0;

Scale::sql("INSERT INTO api_keys VALUES (" . ++$id . ", hash('$secret{$_}'),
            'owner of $_', " . ($_ eq 'b' ? 'NULL' : "'gold'") . ')')
    for sort keys %secret;

my @address = addresses(2);

add_to_ring(@address);

my $config = back_ends(@address) . <<'END';
    scale_key api {
        query   "SELECT owner AS \"user\", plan, pg_sleep(s),
                        scale.require(plan IS DISTINCT FROM 'ended', 403,
                                      'this plan has ended')
                   FROM api_keys, pause WHERE hash = :hash AND NOT revoked";
        header  X-API-Key;
        valid   10m missing=1m;
    }

    add_header X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;

        scale_param  me    key.user  text  required;
        scale_param  plan  key.plan  text;
        scale_param  id    $id       int   required;

        location = /me {
            scale_route  me;
            scale_auth   key;
            scale_query  GET row "SELECT :me::text AS me, :plan::text AS plan";
            scale_query  POST row "SELECT :me::text AS me" read;
        }
        location = /maybe {
            scale_route  maybe;
            scale_param  anyone key.user text;
            scale_query  GET row "SELECT coalesce(:anyone, 'nobody') AS me";
        }
        location = /needed {
            scale_route  needed;
            scale_query  GET row "SELECT :me::text AS me";
        }
        location = /open {
            scale_route  open;
            scale_query  GET row "SELECT 1 AS me";
        }

        # whoever revokes a key, or makes one, purges what is known of it

        location ~ ^/keys/(?<id>\d+)$ {
            scale_route  keys;
            scale_query  DELETE none "UPDATE api_keys SET revoked = true
                                       WHERE id = :id
                                   RETURNING hash AS \"row:hash\"" empty=404;
            scale_query  PUT none    "UPDATE api_keys SET revoked = false
                                       WHERE id = :id
                                   RETURNING decode(hash, 'hex')
                                             AS \"row:hash\"" empty=404;
            scale_query  PATCH none  "UPDATE api_keys SET revoked = true
                                       WHERE id = :id
                                   RETURNING owner AS \"row:hash\"";
            scale_purge  api hash=:row.hash;
        }
        location = /keys {
            scale_route  make;
            scale_param  secret  json.secret  text required;
            scale_query  POST none "INSERT INTO api_keys
                                    SELECT max(id) + 1, hash(:secret), 'new'
                                      FROM api_keys
                                 RETURNING hash AS \"row:hash\"";
            scale_purge  api hash=:row.hash;
        }
    }
END

my @nodes = map { Scale::nginx($config) } 1, 2;


# "code body" of /me, or of another path, by a key

sub asks
{
    my ($node, $key, $path, %fields) = @_;

    my $answer = Scale::get($path // '/me', ':port' => $nodes[$node]{port},
                            defined $key ? ('X-API-Key' => $key) : (),
                            %fields);

    return "$answer->{code} $answer->{body}" =~ s/\n\z//r;
}


sub code { return substr asks(@_), 0, 3 }

sub me { return qq(200 {"me":"owner of $_[0]","plan":"gold"}) }

# statements that asked for a key

sub looks { return Scale::statements('SELECT owner AS "user", plan%') }


sub on_keys
{
    my ($method, $id, $node) = @_;

    return Scale::request($method, "/keys/$id", undef,
                          ':port' => $nodes[$node]{port})->{code};
}


for my $node (0, 1) {
    ok(Scale::wait_for(sub {
           my $before = looks();
           asks($node, $secret{a}) eq me('a') && looks() == $before
       }, 12), 'a node uses the cache');
}


# who is known

my $answer = Scale::get('/me');

is($answer->{code}, 401, 'who has no key gets 401');
is($answer->{headers}{'www-authenticate'}, 'Bearer', 'which says what to send');
like($answer->{body}, qr/"type":"[^"]*identity-required"/, 'as a problem');
is(asks(0, $secret{b}), '200 {"me":"owner of b","plan":null}',
   'a column may be null');

my $before = looks();

is(asks($_ % 2, $secret{a}), me('a'), 'a key is good on each node')
    for 1 .. 6;
is(looks() - $before, 0, 'and the database is asked once for all nodes');

is(asks(0, $secret{a}, '/needed'), '200 {"me":"owner of a"}',
   'a required source needs no scale_auth');
is(code(0, undef, '/needed'), 401, 'and is required');
is(asks(0, $secret{a}, '/maybe'), '200 {"me":"owner of a"}', 'one that is not');
is(asks(0, undef, '/maybe'), '200 {"me":"nobody"}', 'may be missing');
is(looks() - $before, 0, 'all by one entry');
is(code(0, 'unknown-but-nobody-asks', '/open'), 200,
   'where nothing needs it no key is looked for');
is(looks() - $before, 0, 'really');

$answer = Scale::request('POST', '/me', '{"a":', @json,
                         ':port' => $nodes[0]{port});
is($answer->{code}, 401, 'who is nobody is told so, whatever the body is');


# who is not

$before = looks();
is(code($_ % 2, 'sk_live_nobody'), 401, 'an unknown key is refused')
    for 1 .. 6;
is(looks() - $before, 1, 'and looked for once');

$before = looks();
is(code(0, $_->[0]), 401, "$_->[1] is no key")
    for [ '', 'nothing' ], [ 'a b', 'what has a blank' ],
        [ 'x' x 257, 'what is too long' ], [ "caf\xe9", 'what is not ASCII' ],
        [ "a\x01b", 'what has a control' ], [ 'x' x 3000, 'a page' ];

my $twice = Scale::Http::request('GET', '/me', undef,
                                 ':port' => $nodes[0]{port},
                                 "X-API-Key: $secret{a}\r\nX-API-Key"
                                     => $secret{b});
is($twice->{code}, 401, 'two are none');
is(looks() - $before, 0, 'and nobody is asked for these');

is(code(0, $secret{a} . 'x'), 401, 'a longer key is another one');
is(asks(0, $secret{a}, '/me', Authorization => 'Bearer nonsense'), me('a'),
   'another field makes no difference');


# An answer that its client has is not a verdict that nobody needs.

my $etag = Scale::get('/me', ':port' => $nodes[0]{port},
                      'X-API-Key' => $secret{a})->{headers}{etag};

is(code(0, $secret{a}, '/me', 'If-None-Match' => $_), 304,
   'an answer is known by its ETag') for $etag, '*';
is(code(0, $secret{a} . 'x', '/me', 'If-None-Match' => $_), 401,
   'which is no key') for $etag, '*';


# revoked

for my $round (0, 1) {
    is(on_keys('DELETE', 3, $round), 204, 'a key is revoked on a node');
    is(code($_, $secret{c}), 401, 'and refused on each') for 0, 1;
    is(on_keys('PUT', 3, 1 - $round), 204, 'it is allowed again');
    is(asks($_, $secret{c}), me('c'), 'on each') for 0, 1, 0, 1;
}

$before = looks();

for my $round (1 .. 40) {
    on_keys('DELETE', 4, $round % 2);

    my @codes = map { code($_, $secret{d}) } 0, 1;

    if ("@codes" ne '401 401') {
        fail("round $round: a revoked key gets @codes");
        last;
    }

    on_keys('PUT', 4, $round % 2);
    @codes = map { code($_, $secret{d}) } 0, 1, 0, 1;

    if ("@codes" ne '200 200 200 200') {
        fail("round $round: a key gets @codes");
        last;
    }
}

cmp_ok(looks() - $before, '<=', 80, 'each verdict is read once for both nodes');

is(on_keys('PATCH', 5, 0), 500, 'what is no hash would revoke nothing');
is(Scale::sql('SELECT revoked FROM api_keys WHERE id = 5'), 'f',
   'and is not written');
is(scalar(Scale::log_lines($nodes[0], 'a purge of a scale_key is given what is'
                                      . ' no SHA-256')), 1,
   'the log says why');


# a new one, which was unknown before

is(code($_, 'sk_new_one'), 401, 'a key that is not there yet') for 0, 1;
is(Scale::request('POST', '/keys', '{"secret": "sk_new_one"}', @json,
                  ':port' => $nodes[1]{port})->{code}, 204, 'is made');
is(asks($_, 'sk_new_one'), '200 {"me":"new","plan":null}', 'and good at once')
    for 0, 1;


# what the statement says itself

Scale::sql("UPDATE api_keys SET plan = 'ended' WHERE id = 6");

$answer = Scale::get('/me', ':port' => $nodes[0]{port},
                     'X-API-Key' => $secret{f});
is($answer->{code}, 403, 'the statement may refuse');
like($answer->{body}, qr/"title":"this plan has ended"/, 'in its own words');


# many at once

Scale::sql('UPDATE pause SET s = 0.5');
$before = looks();

my @asked = map { Scale::begin('GET', '/me', undef,
                               ':port' => $nodes[$_ % 2]{port},
                               'X-API-Key' => $secret{g}) } 1 .. 60;
my @codes = map { Scale::receive($_)->{code} } @asked;

is(scalar(grep { $_ == 200 } @codes), 60, '60 come at once with a new key');
is(looks() - $before, 1, 'and one statement knows it');


# a client that does not wait

my $gone = Scale::begin('GET', '/me', undef, ':port' => $nodes[0]{port},
                        'X-API-Key' => $secret{h});
ok(Scale::wait_for(sub {
    Scale::sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active'
                 AND query LIKE 'SELECT owner AS \"user\"%'")
}, 5), 'a key is looked for');
close $gone->{socket};
Scale::sql('UPDATE pause SET s = 0');
is(asks(0, $secret{h}), me('h'), 'while its client leaves');


# no database

Scale::stop_postgres();

is(code(0, $secret{a}), 503, 'with the database down a route fails');

$answer = Scale::get('/me', ':port' => $nodes[0]{port},
                     'X-API-Key' => $secret{i});
is($answer->{code}, 503, 'and a key that nobody could ask for is not refused');
ok($answer->{headers}{'retry-after'}, 'but told to come again');

Scale::start_postgres();

ok(Scale::wait_for(sub { asks($_, $secret{i}) eq me('i') }, 20),
   'it is known then') for 0, 1;


# nothing of a key is anywhere

my $all = join "\n", map { my $n = $_; my @keys = Scale::memcached_keys($n);
                           @keys, Scale::memcached_says($n, map { "get $_" }
                                                                @keys) } 1, 2;

cmp_ok(length $all, '>', 500, 'memcached has the verdicts');
is(scalar(grep { index($all, $_) >= 0 } values %secret), 0, 'and no key');

my $log = join '', map { log_of($_) } @nodes;

is(scalar(grep { index($log, $_) >= 0 } values %secret), 0, 'the log has none');


# where a key is

my $elsewhere = Scale::nginx(Scale::http_config()
                             =~ s/scale_cache hot \{.*?\n    \}\n//sr . <<'END');
    scale_key bearer {
        query  "SELECT owner FROM api_keys WHERE hash = :hash AND NOT revoked";
    }

    server {
        listen 127.0.0.1:$ServerPort;

        location = /me {
            scale_route  me;
            scale_auth   key;
            scale_param  me key.owner text required;
            scale_query  GET value "SELECT :me";
        }
    }
END

sub bearer
{
    my (%fields) = @_;

    return Scale::get('/me', %fields)->{code};
}

ok(Scale::wait_for(sub { bearer(Authorization => "Bearer $secret{a}") == 200 },
                   10), 'a key is a Bearer token, if nothing else is said');
is(bearer(Authorization => "bearer   $secret{a}"), 200, 'in any case');
is(bearer(Authorization => $_), 401, "$_ is none")
    for 'Bearer', 'Bearer ', "Basic $secret{a}", $secret{a}, "Bearer$secret{a}",
        "Bearer $secret{a} $secret{b}";

Scale::sql('UPDATE api_keys SET revoked = true WHERE id = 1');
is(bearer(Authorization => "Bearer $secret{a}"), 401,
   'without "valid" the database is asked each time');

done_testing();
