# A transaction that waits before its COMMIT, for the marks of what its row
# says, and loses its connection or its time meanwhile.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Test::More 'no_plan';

Scale::sql(<<'SQL');
CREATE TABLE posts (id bigint PRIMARY KEY, author bigint NOT NULL,
                    n bigint NOT NULL);
INSERT INTO posts SELECT i, i, 0 FROM generate_series(1, 20) i;
SQL

# long enough a timeout for a silent memcached to be waited for

my $nginx = Scale::nginx(Scale::http_config() =~ s/timeout +50ms/timeout 5s/r
                         . <<'END', workers => 1);
    server {
        listen 127.0.0.1:$ServerPort;

        scale_param  id  $id  bigint required;

        location ~ ^/posts/(?<id>\d+)$ {
            scale_route       post;
            scale_query       POST row "UPDATE posts SET n = n + 1
                                         WHERE id = :id
                                     RETURNING n, author AS \"row:author\"";
            scale_purge_tags  "posts-of/:row.author";
        }

        location ~ ^/hurried/(?<id>\d+)$ {
            scale_route       hurried;
            scale_deadline    1s;
            scale_query       POST row "UPDATE posts SET n = n + 1
                                         WHERE id = :id
                                     RETURNING n, author AS \"row:author\"";
            scale_purge_tags  "posts-of/:row.author";
        }
    }
END

# its statement has run, and no Sync has followed: "active", it says

my $looking = "FROM pg_stat_activity WHERE usename = 'api'"
              . " AND xact_start < now() AND wait_event = 'ClientRead'"
              . " AND query LIKE 'UPDATE posts%'";


sub looking { return Scale::sql("SELECT count(*) $looking") }


sub n { return Scale::sql("SELECT n FROM posts WHERE id = $_[0]") }


# a write that waits for memcached before its COMMIT

sub waiting
{
    my ($path) = @_;

    Scale::signal_memcached('STOP');
    my $begun = Scale::begin('POST', $path, undef);
    ok(Scale::wait_for(sub { looking() == 1 }, 5),
       "$path waits before its COMMIT");

    return $begun;
}


sub end_sessions
{
    Scale::sql("SELECT pg_terminate_backend(pid, 1000) $looking");
}

is(Scale::request('POST', '/posts/1')->{code}, 200, 'a write');
is(n(1), 1, 'is done');

# its session ends; another write opens the next one meanwhile

my $write = waiting('/posts/2');

end_sessions();

my $other = Scale::begin('POST', '/posts/3', undef);

ok(Scale::wait_for(sub { looking() >= 1 }, 3), 'its session ends');
Scale::signal_memcached('CONT');

for ([2, $write], [3, $other]) {
    my ($id, $begun) = @$_;
    my $answer = Scale::receive($begun);

    is("$answer->{code} $answer->{body}", '200 {"n":1}' . "\n",
       "the write of post $id is acknowledged");
    is(n($id), 1, 'and was done, once');
}

# its session ends, several times

for my $id (4 .. 7) {
    $write = waiting("/posts/$id");
    end_sessions();
    Scale::signal_memcached('CONT');

    my $answer = Scale::receive($write);

    is($answer->{code} == 200 ? 1 : 0, n($id),
       "post $id: what is acknowledged was done, and nothing else");
}

# its time ends

$write = waiting('/hurried/10');

my $answer = Scale::receive($write);

is($answer->{code}, 503, 'at its deadline it is refused');
cmp_ok($answer->{seconds}, '<', 7, 'when its memcached has had its time, too');
is(n(10), 0, 'and not done');
Scale::signal_memcached('CONT');
is(looking(), 0, 'no transaction is left open');

# an idle session is closed when nginx shuts down: this one is not idle

$write = waiting('/posts/11');
kill QUIT => Scale::workers($nginx);
select undef, undef, undef, 0.2;
Scale::signal_memcached('CONT');
$answer = Scale::receive($write);
is("$answer->{code} $answer->{body}", '200 {"n":1}' . "\n",
   'a worker that is to leave ends its write');
is(n(11), 1, 'which is done, once');
