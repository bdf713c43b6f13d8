# 1,000 people log in, ask, and half of them log out: neither the memory of nginx
# as a core dump has it, nor a log, nor memcached has a password or a session's
# id, and no error says one.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Client;
use Scale::Memory;
use Scale::Process qw(slurp wait_for);
use Scale::Session;
use Test::More;

my $people = 1000;

create_users();
write_secrets('a secret of all who log in here');
Scale::sql("INSERT INTO users SELECT n, 'user' || n, repeat('pwQ' || lpad("
           . "n::text, 4, '0'), 4) FROM generate_series(1000, 1999) n");

my $nginx = Scale::nginx(<<'END' . Scale::http_config() . <<'END', workers => 2);
    scale_secret_file  "$TEST_NGINX_DIR/secret";
    scale_session sid { cookie sid insecure; store database=main; }
END
    server {
        listen 127.0.0.1:$ServerPort;
        scale_param  me    session.user  bigint required;
        scale_param  name  json.name     text   required;
        scale_param  word  json.word     text   required;

        location = /session {
            scale_route  session;
            scale_query  GET  row "SELECT id, name FROM users WHERE id = :me";
            scale_query  POST row "SELECT id AS \"user\", name FROM users
                                    WHERE name = :name AND word = :word"
                         empty=403;
            scale_session_start;
            scale_session_end    one;
        }
    }
END

Scale::sql('GRANT ALL ON ALL TABLES IN SCHEMA public TO api');

ok(wait_for(sub { ask('POST', said('ann', 'a word')) == 200 }, 12),
   'it answers');

my (@ids, %count);

for my $n (1000 .. 999 + $people) {
    my $word = "pwQ$n" x 4;

    $count{ask('POST', said("user$n", "$word!"))}++ if $n % 10 == 0;

    my $answer = login("user$n", $word, ':path' => '/session');
    my $cookie = cookie($answer);

    $count{$answer->{code}}++;
    push @ids, $cookie =~ /^sid=([\w-]{64})/;
    $count{ask('GET', { Cookie => $cookie })}++;
    $count{ask('GET', { Cookie => substr $cookie, 0, 60 })}++ if $n % 10 == 1;
    $count{ask('POST', { Cookie => $cookie,
                         %{ said("user$n", $word) } })}++ if $n % 10 == 2;
    $count{ask('DELETE', { Cookie => $cookie, own() })}++ if $n % 2;
}

diag(join ', ', map { "$_: $count{$_}" } sort keys %count);
is(@ids, $people, 'all of them log in');
is($count{200}, 2 * $people, 'and are known');
is($count{204}, $people / 2, 'half of them log out');
is($count{403}, 2 * $people / 10, 'wrong passwords and other pages are refused');


# of what is random of an id the first 96 bits

my $ids = join '|', map { quotemeta(substr $_, 0, 16) } @ids;
my @found;

wait_for(sub {
    !(@found = map { Scale::Memory::search($_, qr/pwQ\d{4}|$ids/) }
               $nginx->{pid}, Scale::workers($nginx));
}, 10);

is(@found, 0, 'no core dump has a password or an id')
    or diag(map { "$_->[1]: $_->[2]\n" } grep { $_ } @found[0 .. 5]);

my $logs = slurp($nginx->{error_log});

unlike($logs, qr/pwQ\d{4}|$ids/, 'nor has a log');

my $kept = join ' ', Scale::memcached_keys(0);

like($kept, qr{sid/i/}, 'memcached knows sessions');
unlike($kept, qr/$ids/, 'by a hash');
is(Scale::sql("SELECT count(*) FROM scale.session WHERE key ~ '$ids[1]'"), 0,
   'and so does the table');

done_testing();


sub ask
{
    my ($method, $fields) = @_;

    return code($method, '/session', %$fields);
}
