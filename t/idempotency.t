# Writes with an Idempotency-Key: done once, however often they are sent.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Process qw(wait_for);
use Time::HiRes qw(time sleep);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                     what text NOT NULL CHECK (what <> 'bad'),
                     who text);
CREATE TABLE counters (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO counters VALUES (1, 0), (2, 0);
GRANT ALL ON ALL TABLES IN SCHEMA public TO api;
SQL

my $config = Scale::http_config() . <<'END';
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;

        location = /orders {
            scale_route  orders;
            scale_idempotency  optional;
            scale_param  what  json.what  text required;
            scale_query  POST row
                "INSERT INTO orders (what) VALUES (:what)
              RETURNING id, what, '/orders/' || id AS \"http:Location\""
                status=201;
        }

        location = /slow {
            scale_route  slow;
            scale_idempotency  required ttl=1h;
            scale_deadline     3s;
            scale_param  wait  arg.wait  float8 default=1;
            scale_query  POST row
                "INSERT INTO orders (what)
                 SELECT 'slow' FROM pg_sleep(:wait) RETURNING id";
        }

        location = /brief {
            scale_route  brief;
            scale_idempotency  required ttl=1s;
            scale_query  POST row
                "INSERT INTO orders (what) VALUES ('brief') RETURNING id";
        }

        location = /mine {
            scale_route  mine;
            scale_idempotency  required;
            scale_identity  app.user $http_x_user;
            scale_query  POST row
                "INSERT INTO orders (what, who)
                 VALUES ('mine', current_setting('app.user'))
              RETURNING id, who";
        }

        location ~ ^/counters/(?<id>\d+)$ {
            scale_route  counter;
            scale_idempotency  optional;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, n FROM counters WHERE id = :id";
            scale_query  PATCH row
                "UPDATE counters SET n = n + 1 WHERE id = :id
              RETURNING id, n";
            scale_query  DELETE none "DELETE FROM counters WHERE id = :id";
            scale_cache_valid  10m;
        }
    }
END

my $one = Scale::nginx($config, workers => 2);
my $two = Scale::nginx($config, workers => 2);


sub begin
{
    my ($node, $path, $key, $body, %more) = @_;

    return Scale::begin($more{':method'} // 'POST', $path, $body // '{}',
                        'Content-Type' => 'application/json',
                        defined $key ? ('Idempotency-Key' => $key) : (),
                        ':port' => $node->{port}, ':timeout' => 20,
                        map { $_ => $more{$_} } grep { !/^:/ } keys %more);
}


# once more where nothing was done, for want of a connection

sub post
{
    my (@request) = @_;
    my $answer;

    wait_for(sub {
        $answer = Scale::receive(begin(@request));
        return $answer->{code} != 503;
    });

    return $answer;
}


sub order { return post($_[0], '/orders', $_[1], qq({"what":"$_[2]"})) }
sub orders { return Scale::sql("SELECT count(*) FROM orders WHERE $_[0]") }
sub replayed { return $_[0]{headers}{'idempotency-replayed'} // '-' }


# sent twice

{
    my $first = order($one, '"a-1"', 'book');
    my $again = order($two, '"a-1"', 'book');

    is($first->{code}, 201, 'the first one is done');
    is(replayed($first), '-', 'and says nothing of a replay');
    is($again->{code}, 201, 'the second one, on another node, has its status');
    is($again->{body}, $first->{body}, 'its body');
    is($again->{headers}{location} =~ s/:\d+//r,
       $first->{headers}{location} =~ s/:\d+//r, 'and its fields');
    is(replayed($again), 'true', 'and says so');
    is(orders(q(what = 'book')), 1, 'there is one order');
}

is(order($one, 'a-1', 'pen')->{code}, 422,
   'the key with another body is refused, quoted or not');
like(order($one, 'a-1', 'pen')->{body}, qr/"idempotency-key-reused"/,
     'by a problem that says why');
is(order($one, undef, 'none')->{code}, 201, 'a write without a key');
is(order($one, undef, 'none')->{code}, 201, 'is done each time');
is(orders(q(what = 'none')), 2, 'indeed');
is(order($one, 'x' x 256, 'long')->{code}, 400, 'a key that is too long');
is(order($one, '""', 'long')->{code}, 400, 'an empty one');
is(post($one, '/slow', undef)->{code}, 400, 'none where one is required');


# what is refused is not kept

is(order($one, 'bad', 'bad')->{code}, 422, 'a write that is refused');
is(order($one, 'bad', 'bad')->{code}, 422, 'is so again');
is(Scale::sql('SELECT count(*) FROM scale.idempotency WHERE answer IS NULL'),
   0, 'and leaves no key behind');


# who asks

{
    my $hers = post($one, '/mine', 'k', '{}', 'X-User' => 'ann');
    my $his = post($one, '/mine', 'k', '{}', 'X-User' => 'bob');

    like($hers->{body}, qr/"ann"/, 'one with a key');
    like($his->{body}, qr/"bob"/, 'another one with the same key');
    is(replayed(post($two, '/mine', 'k', '{}', 'X-User' => 'ann')), 'true',
       'each has a first time');
}


# at the same time

{
    my @begun = map { begin($_ % 2 ? $one : $two, '/slow', 'same') } 1 .. 50;
    my @answers = map { Scale::receive($_) } @begun;
    my %seen = map { ("$_->{code} $_->{body}" => 1) } @answers;

    is(join(', ', keys %seen), $answers[0]{code} . " $answers[0]{body}",
       'all who come at once get one answer');
    is($answers[0]{code}, 200, 'the good one');
    is((grep { replayed($_) eq 'true' } @answers), 49, 'all but one later');
    is(orders(q(what = 'slow')), 1, 'of one order');
}

{
    my $begun = begin($one, '/slow?wait=1', 'stuck');

    wait_for(sub { Scale::sql(<<'SQL') });
SELECT count(*) FROM pg_stat_activity
 WHERE state = 'active' AND query LIKE '%pg_sleep%'
   AND pid <> pg_backend_pid()
SQL

    my $second = begin($two, '/slow?wait=1', 'stuck');

    Scale::receive($begun);
    is(Scale::receive($second)->{code}, 200, 'the second one waits');
}

{
    my $begun = begin($one, '/slow?wait=60', 'endless');

    wait_for(sub { Scale::sql(<<'SQL') });
SELECT count(*) FROM pg_stat_activity
 WHERE state = 'active' AND query LIKE '%pg_sleep%'
   AND pid <> pg_backend_pid()
SQL

    my $second = post($two, '/slow?wait=60', 'endless');

    is($second->{code}, 409, 'until its deadline');
    ok($second->{headers}{'retry-after'}, 'and is told to come again');
    is(Scale::receive($begun)->{code}, 503, 'the first one has its own');
}


# the cache

Scale::get('/counters/1', ':port' => $one->{port});
post($one, '/counters/1', 'c', '{}', ':method' => 'PATCH');
is(Scale::get('/counters/1', ':port' => $one->{port})->{body},
   qq({"id":1,"n":1}\n), 'a keyed write makes the entry old');
is(post($two, '/counters/1', 'c', '{}', ':method' => 'PATCH')->{body},
   qq({"id":1,"n":1}\n), 'its replay answers as it did');
is(Scale::get('/counters/1', ':port' => $one->{port})->{body},
   qq({"id":1,"n":1}\n), 'and has changed nothing');
is(post($one, '/counters/2', 'd', undef, ':method' => 'DELETE')->{code}, 204,
   'an answer without a body');
is(replayed(post($one, '/counters/2', 'd', undef, ':method' => 'DELETE')),
   'true', 'is replayed, too');


# old keys

{
    my $first = post($one, '/brief', 'b');

    sleep 1.1;

    my $second = post($one, '/brief', 'b');

    isnt($second->{body}, $first->{body}, 'a key that has expired is a new one');

    Scale::sql(<<'SQL');
INSERT INTO scale.idempotency
SELECT 'old' || i, '', '', now() - interval '1 day'
  FROM generate_series(1, 500) i;
SQL

    post($one, '/brief', "n$_") for 1 .. 300;

    cmp_ok(Scale::sql(q(SELECT count(*) FROM scale.idempotency
                         WHERE key LIKE 'old%')), '<', 500,
           'what has expired is removed by and by');
}


# backends and workers are killed at random moments

{
    my $want = $ENV{SCALE_SOAK} ? 2000 : 300;
    my ($next, $killed, $failed, @busy) = (1, 0, 0);
    my $kill = time + 0.05;

    while ($next <= $want || @busy) {
        while ($next <= $want && @busy < 8) {
            push @busy, { n => $next, begun => keyed($next) };
            $next++;
        }

        if (time > $kill && $next <= $want) {
            $killed++;
            somebody_dies($killed);
            $kill = time + 0.05;
        }

        my $job = shift @busy;
        my $answer = Scale::receive($job->{begun});

        next if $answer->{code} == 201;

        $failed++;
        die "$answer->{code} $answer->{body}" if $failed > 10 * $want;

        $job->{begun} = keyed($job->{n});
        push @busy, $job;
    }

    is(orders(q(what LIKE 'retried-%')), $want, 'each write is done once');
    is(Scale::sql(q(SELECT count(DISTINCT what) FROM orders
                     WHERE what LIKE 'retried-%')), $want, 'none is lost');
    diag("$killed were killed, $failed answers were no success");
}


sub keyed
{
    my ($n) = @_;

    return begin(int(rand 2) ? $one : $two, '/orders', "r-$n",
                 qq({"what":"retried-$n"}));
}


# a backend's death by SIGKILL is that of all of them

sub somebody_dies
{
    my ($n) = @_;

    if ($n % 3 == 0) {
        my @workers = Scale::workers(int(rand 2) ? $one : $two);

        kill 'KILL', $workers[rand @workers];

    } elsif ($ENV{SCALE_SOAK} && $n % 10 == 1) {
        my @pids = Scale::postgres_pids();

        kill 'KILL', $pids[rand @pids];

    } else {
        Scale::sql(<<'SQL');
SELECT count(pg_terminate_backend(pid))
  FROM (SELECT pid FROM pg_stat_activity
         WHERE usename = 'api' AND query LIKE '%orders%'
         ORDER BY state, random() LIMIT 1) AS q
SQL
    }
}


Scale::expect_in_log(qr/exited on signal 9/);

is(join('', Scale::complaints()), '', 'nobody complains');

done_testing();
