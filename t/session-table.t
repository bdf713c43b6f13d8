# Sessions with a table beside memcached: who is in stays in when memcached
# forgets, and who is out stays out.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Session;
use Test::More;
use Time::HiRes qw(sleep);

create_users();
write_secrets('the first secret of them all');

my $config = <<'END' . Scale::http_config() . <<'END';
    scale_secret_file  "$TEST_NGINX_DIR/secret";

    scale_session sid   { store database=main; }
    scale_session brief { store database=main; idle 2s; cookie b insecure; }
    scale_session once  { store database=main; ttl 2s; cookie c insecure; }
END
    server {
        listen 127.0.0.1:$ServerPort;

        scale_use    session=sid;
        scale_param  me    session.user  bigint required;
        scale_param  name  json.name     text   required;
        scale_param  word  json.word     text   required;

        location = /login {
            scale_route  login;
            scale_query  POST none "UPDATE users SET noted = noted + 1
                                     WHERE name = :name";
            scale_query  POST row  $login;
            scale_session_start;
        }
        location = /login-brief {
            scale_route  login_brief;
            scale_use    session=brief;
            scale_query  POST row $login;
            scale_session_start;
        }
        location = /login-once {
            scale_route  login_once;
            scale_use    session=once;
            scale_query  POST row $login;
            scale_session_start;
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
        location = /logout-refused {
            scale_route  logout_refused;
            scale_query  POST none "SELECT scale.fail(409, 'Not now')";
            scale_session_end  one;
        }
        location = /renew {
            scale_route  renew;
            scale_query  POST row "SELECT id AS \"user\", name FROM users
                                    WHERE id = :me";
            scale_session_start;
            scale_session_end    all;
        }
        location = /me {
            scale_route  me;
            scale_query  GET row "SELECT :me::bigint AS n";
        }
        location = /me-brief {
            scale_route  me_brief;
            scale_use    session=brief;
            scale_query  GET row "SELECT :me::bigint AS n";
        }
        location = /me-once {
            scale_route  me_once;
            scale_use    session=once;
            scale_query  GET row "SELECT :me::bigint AS n";
        }
    }
END

$config =~ s/\$login\b/login_statement()/ge;

my $nginx = Scale::nginx($config, workers => 2);


# A row of the table is a session.

my $ann = cookie(login('ann', 'a word'));

is(me($ann), 200, 'who has logged in is in');
is(rows(), 1, 'the table has a row');
is(Scale::sql("SELECT value->>'name' || ' ' || (value->>'rank')
                 FROM scale.session"), 'ann admin', 'of what the login said');
is(Scale::sql("SELECT count(*) FROM scale.session
                WHERE position('" . substr($ann, 11, 22) . "' IN key) > 0"), 0,
   'and no id');

is(code('POST', '/login', %{ said('ann', 'no word') }), 401,
   'who is refused is not');
is(rows(), 1, 'in the table, either');
is(Scale::sql('SELECT noted FROM users WHERE id = 1'), 1,
   'nor is what was written before');


# memcached forgets.

my @all = ($ann, map { cookie(login('ann', 'a word')) } 1 .. 3);
my $bob = cookie(login('bob', 'b word'));

Scale::restart_memcached(0);

ok(again_in($ann), 'when memcached is new who was in is in');
ok(again_in($_), 'and everybody else') for @all, $bob;

my $reads = reads();

is(me($_), 200, 'again') for @all, $bob;
is(reads(), $reads, 'without the table, which was asked once');

is(code('POST', '/logout', Cookie => $ann, own()), 204, 'who logs out');
is(me($ann), 401, 'is out');
is(rows(), 4, 'and has no row');

my $next = cookie(login('ann', 'a word', Cookie => $bob));

is(me($bob), 401, 'a login ends what its browser had');
is(rows(), 4, 'there, too');

Scale::restart_memcached(0);

ok(again_in($next), 'when memcached is new once more');
is(me($ann), 401, 'who was out is out');
is(me($bob), 401, 'and what a login has ended is over');

is(code('POST', '/logout-all', Cookie => $next, own()), 204,
   'all sessions of a user end');
is(rows(), 0, 'in the table');
is(me($_), 401, 'and everywhere') for @all, $next;

Scale::restart_memcached(0);
ok(Scale::wait_for(sub { me($next) == 401 }, 15),
   'also when memcached has forgotten that');


# With a statement.

$ann = cookie(login('ann', 'a word'));

is(code('POST', '/logout-refused', Cookie => $ann, own()), 409,
   'where the statement is refused');
is(me($ann), 200, 'nothing ends');
is(rows(), 1, 'nothing at all');
is(code('POST', '/logout-noted', Cookie => $ann, own()), 204,
   'where it is made the session ends');
is(me($ann), 401, 'with it');
is(rows(), 0, 'in one transaction');

@all = map { cookie(login('ann', 'a word')) } 1 .. 3;
$bob = cookie(login('bob', 'b word'));

my $answer = Scale::request('POST', '/renew', undef, Cookie => $all[1], own());

is($answer->{code}, 200, 'one that ends all and starts one');
is(me($_), 401, 'ends all') for @all;
is(me(cookie($answer)), 200, 'starts one');
is(me($bob), 200, 'and is of one user');
is(rows(), 2, 'in the table, too');


# memcached is not there.

$ann = cookie($answer);

Scale::stop_memcached(0);

ok(again_in($ann), 'without memcached the table answers');
ok(again_in($bob), 'everybody');
is(me('__Host-sid=' . 'A' x 64), 401, 'who is in it');

my $new = cookie(login('ann', 'a word', ':timeout' => 20));

is(me($new), 200, 'and who logs in meanwhile');
is(code('POST', '/logout', Cookie => $ann, own(), ':timeout' => 20), 204,
   'who logs out');
is(me($ann), 401, 'is out');

Scale::restart_memcached(0);

ok(Scale::wait_for(sub { me($new) == 200 && me($ann) == 401 }, 15),
   'when it comes back it is as it was');
sleep 0.1;
is(me($ann), 401, 'and stays so');


# Times.

my $brief = cookie(login('bob', 'b word', ':path' => '/login-brief'));
my $seen = Scale::sql("SELECT seen FROM scale.session WHERE key LIKE 'brief/%'");

ok(Scale::wait_for(sub {
       code('GET', '/me-brief', Cookie => $brief);
       Scale::sql("SELECT seen FROM scale.session WHERE key LIKE 'brief/%'")
           ne $seen;
   }, 10), 'the table knows when a session was used last');

Scale::sql("UPDATE scale.session SET seen = now() - interval '3 s'
             WHERE key LIKE 'brief/%'");
Scale::restart_memcached(0);
ok(Scale::wait_for(sub { code('GET', '/me-brief', Cookie => $brief) == 401 },
                   10), 'and by that alone it may be over');

my $once = cookie(login('bob', 'b word', ':path' => '/login-once'));

ok(Scale::wait_for(sub { code('GET', '/me-once', Cookie => $once) == 401 },
                   10), 'a session has its time');
Scale::restart_memcached(0);
is(code('GET', '/me-once', Cookie => $once), 401, 'and no more');

done_testing();


sub me { return code('GET', '/me', Cookie => $_[0], ':timeout' => 15) }
sub rows { return Scale::sql('SELECT count(*) FROM scale.session') }
sub reads { return Scale::statements('SELECT created, value%') }


# it may be a moment until a memcached is known to be another one

sub again_in
{
    my ($cookie) = @_;
    my $code;

    Scale::wait_for(sub { ($code = me($cookie)) != 503 }, 15);

    return $code == 200;
}
