# Sessions of two web nodes: known on both, ended on both, and there while one
# memcached is.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Ring;
use Scale::Session;
use Test::More;
use Time::HiRes qw(time sleep);

create_users();
write_secrets('the first secret of them all');

my @address = addresses(2);

add_to_ring(@address);

my $config = back_ends(@address) . <<'END';
    scale_secret_file  "$TEST_NGINX_DIR/secret";

    scale_session sid {}

    server {
        listen 127.0.0.1:$ServerPort;

        scale_param  me    session.user  bigint required;
        scale_param  name  json.name     text   required;
        scale_param  word  json.word     text   required;

        location = /login {
            scale_route  login;
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
        location = /me {
            scale_route  me;
            scale_query  GET row "SELECT :me::bigint AS n";
        }
    }
END

$config =~ s/\$login\b/login_statement()/e;

my ($a, $b) = map { Scale::nginx($config) } 1, 2;

ok(Scale::wait_for(sub { logged_in($a)->{code} == 200
                         && logged_in($b)->{code} == 200 }, 15),
   'both nodes take logins');


# Known everywhere, and ended everywhere.

my $ann = cookie(logged_in($a));

is(me($a, $ann), 200, 'who has logged in on one node');
is(me($b, $ann), 200, 'is known on the other');

my $other = cookie(logged_in($b));

is(out($b, '/logout', $ann), 204, 'and is logged out there');
is(me($a, $ann), 401, 'on the first one at once');
is(me($a, $other), 200, 'and nobody else is');

my @ann = map { cookie(logged_in($_)) } $a, $b, $a, $b;

is(out($b, '/logout-all', $ann[0]), 204, 'all sessions of a user end there');
is(join(' ', map { me($a, $_) } @ann, $other), '401 401 401 401 401',
   'and on the first one at once');
is(me($a, cookie(logged_in($a))), 200, 'a new one begins');


# A memcached stands still.

my @kept = map { cookie(logged_in($a)) } 1 .. 8;
my @ended = map { cookie(logged_in($a)) } 1 .. 8;

Scale::signal_memcached('STOP', 1);

my @code = map { out($b, '/logout', $_) } @ended;

is(scalar(grep { $_ != 204 && $_ != 504 } @code), 0,
   'a logout while a memcached stands still is done, or said to be unknown');
is(join(' ', map { me($_->[0], $_->[1]) }
             map { ([$a, $_], [$b, $_]) } certain(@ended)),
   join(' ', (401) x (2 * certain(@ended))), 'what is done is done');
is(scalar(certain(@ended)) > 0, 1, 'which it is in the end');

ok(stay_in(@kept), 'meanwhile everybody else is in');

Scale::signal_memcached('CONT', 1);

# it comes back into use not before 10 s have passed

my $until = time + 13;

while (time < $until) {
    my @alive = grep { me($a, $_) == 200 || me($b, $_) == 200 }
                     certain(@ended);

    if (@alive) {
        fail('nobody who is out is in again');
        last;
    }

    sleep 0.2;
}

ok(stay_in(@kept), 'and when it goes on');


# A memcached dies.

Scale::stop_memcached(1);

ok(stay_in(@kept), 'when one of two memcacheds dies everybody is in');
is(me($b, $_), 401, 'and who is out stays out') for (certain(@ended))[0];

ok(Scale::wait_for(sub { logged_in($b)->{code} == 200 }, 15),
   'logins go on');

my $late = cookie(logged_in($b));

is(me($a, $late), 200, 'on one memcached');

Scale::restart_memcached(1);

ok(Scale::wait_for(sub { in_use(1) }, 30), 'it comes back');
ok(stay_in(@kept, $late), 'and everybody is in');

Scale::restart_memcached($_) for 1, 2;

ok(Scale::wait_for(sub { logged_in($a)->{code} == 200 }, 30),
   'when both are new logins go on');
is(scalar(grep { me($a, $_) == 200 || me($b, $_) == 200 } @kept, $late), 0,
   'and everybody is out');

done_testing();


# those of the cookies whose logout was acknowledged

sub certain { return map { $code[$_] == 204 ? $_[$_] : () } 0 .. $#_ }


sub logged_in
{
    my ($node) = @_;

    return login('ann', 'a word', ':port' => $node->{port});
}


sub me
{
    my ($node, $cookie) = @_;

    return code('GET', '/me', Cookie => $cookie, ':port' => $node->{port});
}


sub out
{
    my ($node, $path, $cookie) = @_;

    return code('POST', $path, Cookie => $cookie, own(),
                ':port' => $node->{port}, ':timeout' => 20);
}


# nobody is out, on either node; 503 is asked again

sub stay_in
{
    my (@cookies) = @_;

    for my $node ($a, $b) {
        for my $cookie (@cookies) {
            my $code;

            Scale::wait_for(sub { ($code = me($node, $cookie)) != 503 }, 15);

            return 0 if $code != 200;
        }
    }

    return 1;
}


sub in_use
{
    my ($number) = @_;

    my $addr = $address[$number - 1];

    return Scale::sql("SELECT state FROM scale.ring WHERE addr = '$addr'")
           eq 'in';
}
