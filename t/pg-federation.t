# Two databases in one server: one goes, and the other's routes do not notice.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Client;
use Test::More;
use Time::HiRes qw(time);

my $reads = $ENV{SCALE_SOAK} ? 20_000 : 2_000;

Scale::database('forums');

Scale::sql('CREATE TABLE users AS SELECT 1 AS id, 0 AS n');
Scale::sql_on('forums', 'CREATE TABLE posts AS SELECT 1 AS id, 0 AS n');

my $nginx = Scale::nginx(<<'END');
    scale_database users {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=users";
        connections  10;
        queue        100 timeout=1s;
    }

    scale_database forums {
        server       "unix:$TEST_NGINX_PG_SOCKET_FORUMS";
        conninfo     "dbname=app user=api application_name=forums";
        connections  12;
        queue        10 timeout=1s;
    }

    server {
        listen 127.0.0.1:$ServerPort;

        location = /user {
            scale_use    database=users;
            scale_route  user;
            scale_query  GET row "SELECT id, n FROM users";
            scale_query  PUT row "UPDATE users SET n = n + 1 RETURNING n";
        }

        location = /post {
            scale_use       database=forums;
            scale_route     post;
            scale_deadline  1500ms;
            scale_query     GET row "SELECT id, n FROM posts";
            scale_query     PUT row "UPDATE posts SET n = n + 1 RETURNING n";
        }

        location = /nap {
            scale_use    database=forums;
            scale_route  nap;
            scale_query  PUT row "SELECT pg_sleep(0.3), 1 AS one";
        }
    }
END

for my $path (qw(/user /post)) {
    ok(Scale::wait_for(sub { Scale::request('PUT', $path)->{code} == 200 }, 10),
       "$path is there");
}

# more than it may have

my @naps = map { Scale::begin('PUT', '/nap') } 1 .. 60;
my ($busy) = reads();
my %codes;

$codes{ Scale::receive($_)->{code} }++ for @naps;

cmp_ok($codes{200}, '>=', 8, 'as many as its connections run');
cmp_ok($codes{503}, '>=', 20, 'what is beyond its queue is refused');
is($codes{200} + $codes{503}, 60, '... and nothing else happens');

my ($before) = reads();

Scale::stop_server('forums');

my @waiting = map { Scale::begin($_ % 2 ? 'GET' : 'PUT', '/post') } 1 .. 60;
my ($after, $failed) = reads();
my $written = Scale::request('PUT', '/user');

is($failed, 0, 'one is down: no read of the other fails');
is($written->{code}, 200, '... and no write');

diag(sprintf 'median of the other one: %.2f ms while one is busy, %.2f ms, '
             . '%.2f ms while it is down', $busy * 1e3, $before * 1e3,
     $after * 1e3);
cmp_ok($after, '<', 3 * $before + 0.002, '... and it is as quick');

my $slowest = 0;
%codes = ();

for my $begun (@waiting) {
    my $answer = Scale::receive($begun);

    $codes{ $answer->{code} }++;
    $codes{retry}++ if $answer->{headers}{'retry-after'};
}

is_deeply(\%codes, { 503 => 60, retry => 60 }, 'its own routes: 503');

my $answer = Scale::get('/post');
is($answer->{code}, 503, 'one that is alone: 503');
cmp_ok($answer->{seconds}, '<', 2, '... by its deadline');

Scale::start_server('forums');
ok(Scale::wait_for(sub { Scale::get('/post')->{code} == 200 }, 10),
   'it is back without a reload');

done_testing();


# the median of their seconds, and how many failed

sub reads
{
    my $client = Scale::Client->new($nginx->{port});
    my ($failed, @seconds) = (0);

    for (1 .. $reads) {
        my $start = time;

        $failed++ if $client->request('GET /user')->{code} != 200;
        push @seconds, time - $start;
    }

    @seconds = sort { $a <=> $b } @seconds;

    return ($seconds[@seconds / 2], $failed);
}
