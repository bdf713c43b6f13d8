# Sessions of one web node: what its cookie is, how one begins and ends, and
# what is not one.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Process qw(slurp wait_for);
use Scale::Session;
use Time::HiRes qw(sleep);
use Test::More;

create_users();
write_secrets('the first secret of them all');

my $config = <<'END' . Scale::http_config() . <<'END';
    scale_secret_file  "$TEST_NGINX_DIR/secret";

    scale_session sid {}
    scale_session brief { cookie brief insecure; ttl 3s; idle 2s; }
    scale_session other { cookie other insecure; same_site strict; user name; }

    log_format  who  '$session_user/$session_name/$session_rank';
END
    server {
        access_log  who.log who;
        listen 127.0.0.1:$ServerPort;

        scale_use    session=sid;
        scale_param  me      session.user  bigint required;
        scale_param  viewer  session.user  bigint;
        scale_param  name    json.name     text   required;
        scale_param  word    json.word     text   required;

        location = /login {
            scale_route  login;
            scale_query  POST row $login;
            scale_session_start;
        }
        location = /login-read {
            scale_route  login_read;
            scale_query  POST row $login read;
            scale_session_start;
        }
        location = /login-nobody {
            scale_route  login_nobody;
            scale_query  POST row "SELECT 1 AS n";
            scale_session_start;
        }
        location = /login-brief {
            scale_route  login_brief;
            scale_use    session=brief;
            scale_query  POST row $login;
            scale_session_start;
        }
        location = /login-other {
            scale_route  login_other;
            scale_use    session=other;
            scale_query  POST row $login;
            scale_session_start;
        }
        location = /password {
            scale_route  password;
            scale_query  POST row
                "UPDATE users SET word = :word WHERE id = :me
              RETURNING id AS \"user\", name";
            scale_session_start;
            scale_session_end    all;
        }
        location = /logout {
            scale_route  logout;
            scale_session_end  one;
        }
        location = /logout-all {
            scale_route  logout_all;
            scale_session_end  all;
        }
        location = /logout-noted {
            scale_route  logout_noted;
            scale_query  POST none "UPDATE users SET noted = noted + 1
                                     WHERE id = :me";
            scale_session_end  one;
        }
        location = /me {
            scale_route  me;
            scale_query  GET row "SELECT id AS n, name FROM users
                                   WHERE id = :me";
            scale_query  POST row "UPDATE users SET noted = noted + 1
                                    WHERE id = :me RETURNING noted AS n";
        }
        location = /me-brief {
            scale_route  me_brief;
            scale_use    session=brief;
            scale_query  GET row "SELECT id AS n, name FROM users
                                   WHERE id = :me";
        }
        location = /me-other {
            scale_route  me_other;
            scale_use    session=other;
            scale_query  GET row "SELECT :viewer::bigint AS n";
        }
        location = /maybe {
            scale_route  maybe;
            scale_query  GET row "SELECT :viewer::bigint AS n";
        }
        location = /inner {
            scale_route  inner;
            scale_auth   session;
            scale_query  GET  row  "SELECT 1 AS n";
            scale_query  POST none "UPDATE users SET noted = 0 WHERE id = 1";
        }
        location = /edge {
            scale_route  edge;
            scale_cdn    on private=no-cache;
            scale_query  GET row "SELECT :viewer::bigint AS n";
        }
        location = /slow {
            scale_route  slow;
            scale_query  GET row "SELECT :me AS n FROM pg_sleep(1)";
        }
        location = /open {
            scale_route  open;
            scale_csrf   off;
            scale_query  POST row "SELECT :me AS n";
        }
        location = /listed {
            scale_route  listed;
            scale_csrf   https://app.example.com;
            scale_query  POST row "SELECT :me AS n";
        }
        location = /shared {
            scale_route  shared;
            scale_cors   https://web.example.com credentials;
            scale_query  POST row "SELECT :me AS n";
        }
        location = /shared-open {
            scale_route  shared_open;
            scale_cors   *;
            scale_query  POST row "SELECT :me AS n";
        }
    }
END

$config =~ s/\$login\b/login_statement()/ge;

my $nginx = Scale::nginx($config, workers => 2);


# The cookie.

my $answer = login('ann', 'a word');
my $set = $answer->{headers}{'set-cookie'};

is($answer->{code}, 200, 'who knows the password is logged in');
like($set, qr/^__Host-sid=[\w-]{64}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=2592000$/,
     'by a cookie that no script, no other host and no plain connection gets');
is($answer->{headers}{'cache-control'}, 'no-store',
   'and that no cache keeps');
is($answer->{body}, qq({"user":1,"name":"ann"}\n),
   'the row is the answer, but for what stands beside it');

my $ann = cookie($answer);

is(code('GET', '/me', Cookie => $ann), 200, 'it opens what needs a session');
is(body('/me', Cookie => $ann), qq({"n":1,"name":"ann"}\n), 'as her');
is(body('/maybe', Cookie => $ann), qq({"n":1}\n),
   'and is there where it may be');
is(Scale::get('/me', Cookie => $ann)->{headers}{'cache-control'},
   'private, no-cache', 'what it opens is her own');
is(Scale::get('/edge', Cookie => $ann)->{headers}{'cache-control'},
   'private, no-cache', 'or as scale_cdn says');
is(code('GET', '/me'), 401, 'without it there is none');
is(body('/maybe'), qq({"n":null}\n), 'or nobody');
is(code('GET', '/inner'), 401, 'scale_auth needs one');
is(code('GET', '/inner', Cookie => $ann), 200, 'and has it');

$answer = login('ann', 'a word', ':path' => '/login-other');

like($answer->{headers}{'set-cookie'},
     qr/^other=[\w-]{64}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=/,
     'a cookie may be insecure, and strict');
is(code('GET', '/me', Cookie => cookie($answer)), 401,
   'a session of another name is another one');
is(body('/me-other', Cookie => cookie($answer)), qq({"n":1}\n),
   'whose user may be another column');

wait_for(sub { slurp("$nginx->{dir}/who.log") =~ m{^1/ann/admin$}m }, 5);

like(slurp("$nginx->{dir}/who.log"), qr{^1/ann/admin$}m,
     'variables have its members, those beside the body, too');
like(slurp("$nginx->{dir}/who.log"), qr{^-/-/-$}m, 'or nothing');

is(code('POST', '/login', %{ said('ann', 'no word') }), 401,
   'who does not know the password is not');
is(Scale::request('POST', '/login', credentials('ann', 'no word'))
       ->{headers}{'set-cookie'}, undef, 'and gets no cookie');
is(code('POST', '/login-nobody', %{ said('ann', 'a word') }), 500,
   'a row that does not say whose it is starts nothing');
ok(Scale::log_lines($nginx, qr/"login_nobody": no session "sid" starts of a /),
   'and says so in the log');
is(code('GET', '/me', Cookie => cookie(login('ann', 'a word',
                                             ':path' => '/login-read'))),
   200, 'a login may read only');


# What is none.

my ($value) = $ann =~ /=(.*)/;

my %none = (
    'an empty one'           => '',
    'garbage'                => 'garbage',
    'one cut short'          => substr($value, 0, 63),
    'one with more behind'   => $value . 'A',
    'another id'             => changed($value, 3),
    'another user'           => changed($value, 30),
    'another signature'      => changed($value, 60),
    'one of 4 KB'            => 'A' x 4096,
    'one of other letters'   => "\xff" x 64,
);

for my $what (sort keys %none) {
    is(code('GET', '/me', Cookie => "__Host-sid=$none{$what}"), 401,
       "$what is no session");
}

is(code('GET', '/me', Cookie => "__host-sid=$value"), 401,
   'nor is a cookie that differs by case: browsers protect no such name');
is(code('GET', '/me', Cookie => "x=1; __Host-sid=none; $ann; y=2"), 200,
   'of several the one that is signed counts');

my $bob = cookie(login('bob', 'b word'));

is(code('GET', '/me', Cookie => "$ann; $bob"), 401,
   'of two that are signed none does');
is(code('GET', '/me', Cookie => "$ann; $ann"), 200,
   'but the same one twice is one');


# A session of one's own choice.

my $fixed = cookie(login('bob', 'b word', Cookie => $bob));

isnt($fixed, $bob, 'a login has a new id, whatever cookie came');
is(code('GET', '/me', Cookie => $bob), 401, 'and the id that came is dead');
is(code('GET', '/me', Cookie => $fixed), 200, 'while the new one lives');

my $theirs = cookie(login('ann', 'a word', Cookie => $fixed));

is(body('/me', Cookie => $theirs), qq({"n":1,"name":"ann"}\n),
   'a login over another one is the new one');
is(code('GET', '/me', Cookie => $fixed), 401, 'and ends the other one');


# The end.

$answer = Scale::request('POST', '/logout', undef, Cookie => $theirs, own());

is($answer->{code}, 204, 'a logout needs no statement');
is($answer->{headers}{'set-cookie'},
   '__Host-sid=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0',
   'and takes the cookie away');
is(code('GET', '/me', Cookie => $theirs), 401, 'which is of no use');
is(code('GET', '/me', Cookie => $ann), 200,
   'another session of hers goes on');
is(code('POST', '/logout', Cookie => $theirs, own()), 204,
   'who is out is out');
is(code('DELETE', '/logout'), 204, 'and so is who was never in');
is(code('GET', '/logout'), 405, 'a link logs nobody out');

my $noted = noted(1);

is(code('POST', '/logout-noted', Cookie => $ann, own()), 204,
   'a logout may have a statement');
is(noted(1), $noted + 1, 'which runs');
is(code('GET', '/me', Cookie => $ann), 401, 'before it ends');

my @ann = map { cookie(login('ann', 'a word')) } 1 .. 3;
$bob = cookie(login('bob', 'b word'));

is(code('POST', '/logout-all', Cookie => $theirs, own()), 401,
   'only a session that lives ends all');
is(code('DELETE', '/logout-all', Cookie => $ann[0], own()), 204,
   'all end at once');
is(code('GET', '/me', Cookie => $_), 401, 'each of them') for @ann;
is(code('GET', '/me', Cookie => $bob), 200, 'of this user alone');

@ann = map { cookie(login('ann', 'a word')) } 1 .. 2;
$answer = Scale::request('POST', '/password', '{"word": "new word"}',
                         'Content-Type' => 'application/json',
                         Cookie => $ann[0], own());

is($answer->{code}, 200, 'a changed password ends all and starts one');
is(code('GET', '/me', Cookie => $_), 401, 'what was there is over') for @ann;
is(code('GET', '/me', Cookie => cookie($answer)), 200, 'what is new is not');
is(code('POST', '/login', %{ said('ann', 'a word') }), 401,
   'nor does the old password do');


# It ends while a request is under way, and while a body is.

my $slow = Scale::begin('GET', '/slow', undef, Cookie => $bob);
sleep 0.2;

is(code('POST', '/logout', Cookie => $bob, own()), 204,
   'a session may end while a request is under way');
is(Scale::receive($slow)->{code}, 200, 'which is answered');
is(code('GET', '/slow', Cookie => $bob), 401, 'and is the last one');


# Lifetimes.

my $brief = cookie(login('bob', 'b word', ':path' => '/login-brief'));
my $used = cookie(login('bob', 'b word', ':path' => '/login-brief'));

is(code('GET', '/me-brief', Cookie => $brief), 200, 'a brief session lives');

ok(wait_for(sub { code('GET', '/me-brief', Cookie => $used) == 401 }, 10),
   'one that is used ends at its ttl');
is(code('GET', '/me-brief', Cookie => $brief), 401,
   'one that is not has ended before');

$used = cookie(login('bob', 'b word', ':path' => '/login-brief'));
my $begin = Time::HiRes::time();
sleep 1.4;
my $first = code('GET', '/me-brief', Cookie => $used);
my $then = Time::HiRes::time() - $begin;

ok($first == 200 || $then > 1.9, 'who comes before idle is over stays in');


# Pages of others.

$bob = cookie(login('bob', 'b word'));

my $own = "http://127.0.0.1:$nginx->{port}";
my %host = (Host => "127.0.0.1:$nginx->{port}");

is(post('/me', %host), 403, 'a POST with a cookie says where it comes from');
is(post('/me', %host, 'Sec-Fetch-Site' => 'same-origin'), 200,
   'of the same origin it is made');
is(post('/me', %host, 'Sec-Fetch-Site' => 'none'), 200, 'of no page, too');
is(post('/me', %host, 'Sec-Fetch-Site' => 'cross-site',
        Origin => 'https://evil.example.com'), 403, 'of another one it is not');
is(post('/me', %host, 'Sec-Fetch-Site' => 'same-site',
        Origin => 'http://127.0.0.1:1'), 403,
   'a neighbour is another one');
is(post('/me', %host, Origin => $own), 200, 'an older browser says Origin');
is(post('/me', %host, Origin => 'null'), 403, 'which may be nobody\'s');
is(post('/me', %host, Origin => 'https://evil.example.com'), 403,
   'or another\'s');
is(post('/me', %host, Origin => "https://127.0.0.1:$nginx->{port}"), 403,
   'or of another scheme');
is(post('/inner', %host), 403, 'scale_auth is no exception');

$answer = Scale::request('POST', '/me', undef, Cookie => $bob, %host,
                         Origin => 'https://evil.example.com');

like($answer->{body}, qr/"type":"[^"]*cross-site-request"/,
     'the refusal has a type of its own');
is(code('GET', '/me', Cookie => $bob,
        'Sec-Fetch-Site' => 'cross-site'), 200, 'a GET is safe');
is(code('POST', '/me', 'Sec-Fetch-Site' => 'cross-site'), 401,
   'without a cookie nothing can be forged');
is(code('POST', '/logout', Cookie => $bob,
        'Sec-Fetch-Site' => 'cross-site'), 403,
   'no other page logs anybody out');
is(code('GET', '/me', Cookie => $bob), 200, 'and did not');
is(Scale::request('POST', '/login', credentials('bob', 'b word'),
                  'Content-Type' => 'application/json',
                  Origin => 'https://evil.example.com')->{code}, 403,
   'or in, as somebody else');

is(post('/open', %host, Origin => 'https://evil.example.com'), 200,
   'scale_csrf off asks nobody');
is(post('/listed', %host, Origin => 'https://app.example.com'), 200,
   'an origin that is listed may');
is(post('/listed', %host, Origin => 'https://app.example.org'), 403,
   'and no other one');
is(post('/shared', %host, Origin => 'https://web.example.com'), 200,
   'so may one of scale_cors with credentials');
is(post('/shared-open', %host, Origin => 'https://web.example.com'), 403,
   'but not one of all others');


# The secret changes.

write_secrets('a newer secret of them all', 'the first secret of them all');
Scale::reload($nginx, $config);

$answer = Scale::get('/me', Cookie => $bob);

is($answer->{code}, 200, 'a cookie of the former secret is good');
like($answer->{headers}{'set-cookie'} // '',
     qr/^__Host-sid=[\w-]{64}; .*; Max-Age=2592000$|Max-Age=25919\d\d$/,
     'and is signed anew, for what is left of its time');
is($answer->{headers}{'cache-control'}, 'no-store', 'for nobody else');

my $again = cookie($answer);

isnt($again, $bob, 'the new one is another one');
is(Scale::get('/me', Cookie => $again)->{headers}{'set-cookie'}, undef,
   'which is not signed again');

write_secrets('a newer secret of them all');
Scale::reload($nginx, $config);

is(code('GET', '/me', Cookie => $bob), 401,
   'when that secret is forgotten so is its cookie');
is(code('GET', '/me', Cookie => $again), 200, 'and the new one is not');


# What memcached is told, and the log.

my @keys = grep { m{/} } Scale::memcached_keys();
my @ids = map { /=(.{22})/ } $ann, $bob, $again;

ok(!grep({ my $key = $_; grep { index($key, $_) >= 0 } @ids } @keys),
   'no key has an id in it');
unlike(slurp($nginx->{error_log}), qr/\Q$value\E|a word|b word/,
       'and the log has no id and no password');

done_testing();


# a request of bob's session

sub post
{
    my ($path, %headers) = @_;

    return Scale::request('POST', $path, undef, Cookie => $bob, %headers)
               ->{code};
}


sub noted { return Scale::sql("SELECT noted FROM users WHERE id = $_[0]") }


# another letter at this place

sub changed
{
    my ($text, $i) = @_;

    substr($text, $i, 1) = substr($text, $i, 1) eq 'A' ? 'B' : 'A';

    return $text;
}
