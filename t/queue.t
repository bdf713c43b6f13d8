# Jobs in PostgreSQL: put in by a write, claimed over HTTP, done at least once.

use strict;
use warnings;
use lib 't/lib';
use JSON::PP qw(decode_json encode_json);
use Scale qw(postgres memcached);
use Scale::Process qw(wait_for slurp);
use Time::HiRes qw(time sleep);
use Test::More;

Scale::sql(slurp('conf/sql/queue.sql'));
Scale::sql(<<'SQL');
GRANT scale_queue TO api;
CREATE TABLE photos (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                     name text NOT NULL);
GRANT ALL ON ALL TABLES IN SCHEMA public TO api;
SQL

my $queues = <<'END';
    scale_queue main { }
    scale_queue slow { visibility 2s; attempts 2; backoff 100ms max=1s; }
    scale_queue full { depth max=3; }
    scale_queue short { visibility 200ms; }
    scale_queue dead { attempts 1; keep 1s; }
    scale_queue many { }
    scale_queue line { }
    scale_queue idle { }
END

my $apis = join '', map { <<"END" } qw(main slow full short dead many line idle);
        location /q/$_ {
            allow  127.0.0.1;
            deny   all;
            scale_queue_api  $_;
        }
END

my $config = Scale::http_config() . $queues . <<'END' . $apis . "    }\n";
    server {
        listen 127.0.0.1:$ServerPort;
        scale_cache_valid  1m;

        location = /photos {
            scale_route  photos;
            scale_param  name  json.name  text required len=1-100;
            scale_query  POST row
                "INSERT INTO photos (name) VALUES (:name)
              RETURNING id, scale.enqueue('main', jsonb_build_object('photo',
                                                                     id)) AS job,
                        scale.require(name <> 'bad', 422)";
        }

        location = /thumbnails {
            scale_route  thumbnails;
            scale_param  photo  json.photo  bigint required;
            scale_param  size   json.size   int    default=200 min=10;
            scale_enqueue  POST full :photo :size key=:photo priority=3
                           location=/jobs/;
        }

        location /jobs {
            scale_queue_api  full status;
        }
END

my $nginx = Scale::nginx($config, workers => 2);


sub ask
{
    my ($method, $path, $body, %more) = @_;
    my $json = $body && encode_json($body);

    return Scale::begin($method, $path, $json, ':timeout' => 30,
                        $json ? ('Content-Type' => 'application/json') : (),
                        %more);
}


# a write that found no connection is sent again: nothing was done

sub answer
{
    my @request = @_;
    my $answer;

    wait_for(sub {
        $answer = Scale::receive(ask(@request));
        return $answer->{code} != 503 || $answer->{body} !~ /"unavailable"/;
    });

    $answer->{json} = eval { decode_json($answer->{body}) };

    return $answer;
}


sub enqueue
{
    my ($queue, $payload, %more) = @_;

    return answer('POST', "/q/$queue", { payload => $payload, %more });
}


sub claim
{
    my ($queue, $args) = @_;
    my $claimed = answer('GET', "/q/$queue" . ($args ? "?$args" : ''));

    return $claimed->{code} == 200 ? @{ $claimed->{json} } : ();
}


sub with_claim
{
    my ($method, $queue, $job, $verb, $body) = @_;

    return answer($method, "/q/$queue/$job->{id}" . ($verb ? "/$verb" : ''),
                  $body, 'Job-Claim' => $job->{claim});
}


sub ack { return with_claim('DELETE', @_)->{code} }
sub status { return answer('GET', "/q/$_[0]/$_[1]")->{json}{status} }
sub jobs { return Scale::sql("SELECT count(*) FROM scale.job WHERE $_[0]") }


# one job

{
    my $put = enqueue('main', { photo => 7 });
    my ($id) = $put->{body} =~ /"id":"([0-9a-f-]{36})"/;

    is($put->{code}, 202, 'a job is accepted');
    is($put->{headers}{location} =~ s{^http://[^/]+}{}r, "/q/main/$id",
       'and has an address');
    is(status('main', $id), 'waiting', 'it waits');

    my @job = claim('main');

    is(scalar @job, 1, 'it is claimed');
    is($job[0]{id}, $id, 'as itself');
    is_deeply($job[0]{payload}, { photo => 7 }, 'with its payload');
    is($job[0]{attempt}, 1, 'for the first time');
    is(status('main', $id), 'running', 'and runs');
    is_deeply([claim('main')], [], 'nobody else gets it');
    is(answer('GET', '/q/main')->{code}, 204, 'but an answer without content');

    my $more = with_claim('PATCH', 'main', $job[0], undef,
                          { visibility => 60 });

    is($more->{code}, 200, 'the claim is extended');
    like($more->{json}{visible}, qr/^\d{4}-/, 'until some time');

    is(with_claim('DELETE', 'main', { %{ $job[0] },
                  claim => '00000000-0000-4000-8000-000000000000' })->{code},
       409, 'another claim does not acknowledge it');
    is(answer('DELETE', "/q/main/$id")->{code}, 400, 'nor does none');
    is(ack('main', $job[0]), 204, 'its own does');
    is(ack('main', $job[0]), 204, 'and may do so twice');
    is(status('main', $id), 'done', 'it is done');
    is(answer('GET', "/q/slow/$id")->{code}, 404,
       'and is unknown to another queue');
    is(answer('GET', '/q/main/none')->{code}, 404, 'there is nothing else');
    is(answer('HEAD', '/q/main')->{code}, 405, 'HEAD claims nothing');
    is(answer('OPTIONS', '/q/main')->{headers}{allow}, 'GET, POST, OPTIONS',
       'as Allow says');
}


# with a write, or not at all

is(answer('POST', '/photos', { name => 'cat' })->{code}, 200,
   'a write with a job');
is(answer('POST', '/photos', { name => 'bad' })->{code}, 422,
   'one that is refused');
is_deeply([map { $_->{payload}{photo} } claim('main', 'max=10')], [1],
          'has left no job');

Scale::sql(<<'SQL');
CREATE PROCEDURE put(n integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        PERFORM scale.enqueue('many', jsonb_build_object('n', i));

        IF i % 10 IN (2, 5, 8) THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END
$$;
SQL
Scale::sql('CALL put(10000)');
is(jobs("queue = 'many'"), 7000,
   'of 10000 transactions, 3000 of which roll back, there are 7000 jobs');


# nobody gets the job of another

{
    my %seen;
    my $twice = 0;

    while (1) {
        my @asked = map { ask('GET', '/q/many?max=100') } 1 .. 8;
        my @jobs = map { $_->{code} == 200 ? @{ decode_json($_->{body}) } : () }
                   map { Scale::receive($_) } @asked;

        last if !@jobs && jobs("queue = 'many' AND claim IS NULL") == 0;

        $twice += $seen{$_->{id}}++ for @jobs;
    }

    is(scalar keys %seen, 7000, '8 clients that claim at once get all of them');
    is($twice, 0, 'and none of them twice');
}


# order

{
    my @put = map { enqueue('line', { n => $_->[0] }, priority => $_->[1]) }
              [1, 0], [2, 5], [3, 0], [4, 9];

    enqueue('line', { n => 5 }, priority => 9, delay => 3600);
    is(enqueue('line', {}, priority => 10)->{code}, 400,
       'there is no tenth priority');

    my @job = claim('line', 'max=10');

    is_deeply([map { $_->{payload}{n} } @job], [4, 2, 1, 3],
              'the highest priority comes first, then who came first');
    ack('line', $_) for @job;
}

{
    my $begin = time;

    enqueue('main', { n => 'late' }, delay => 1);
    is_deeply([claim('main')], [], 'what is delayed is not there yet');

    my @job = claim('main', 'wait=20s');

    is($job[0]{payload}{n}, 'late', 'who waits gets it');
    cmp_ok(time - $begin, '>=', 1, 'when it is time');
    ack('main', $job[0]);
}


# a key

{
    my @id = map { enqueue('main', { n => $_ }, key => 'k')->{json}{id} } 1, 2;

    is($id[0], $id[1], 'a key that waits already is that job');

    my ($job) = claim('main');

    is(enqueue('main', {}, key => 'k')->{json}{id}, $id[0], 'also if it runs');
    ack('main', $job);
    isnt(enqueue('main', {}, key => 'k')->{json}{id}, $id[0],
         'but not when it is done');
    ack('main', $_) for claim('main');
}


# it is not acknowledged

{
    my $id = enqueue('short', { n => 1 })->{json}{id};
    my ($first) = claim('short');
    my ($second) = claim('short', 'wait=20s');

    is($second->{id}, $id, 'when its time is over it is claimed again');
    is($second->{attempt}, 2, 'for the second time');
    is(ack('short', $first), 409, 'the first claim is worth nothing then');
    is(with_claim('PATCH', 'short', $first, undef, {})->{code}, 409,
       'it extends nothing');
    is(with_claim('POST', 'short', $first, 'fail')->{code}, 409,
       'fails nothing');
    is(with_claim('POST', 'short', $first, 'return')->{code}, 409,
       'and returns nothing');

    with_claim('PATCH', 'short', $second, undef, { visibility => 60 });
    is(ack('short', $second), 204, 'the second is');
}

{
    my $id = enqueue('dead', { n => 2 })->{json}{id};

    claim('dead');
    Scale::sql("UPDATE scale.job SET run_at = now() WHERE id = '$id'");
    is_deeply([claim('dead')], [], 'after its last attempt it is not claimed');
    is(status('dead', $id), 'dead', 'but dead');
}


# it fails

{
    my $id = enqueue('slow', { n => 1 })->{json}{id};
    my ($job) = claim('slow');
    my $failed = with_claim('POST', 'slow', $job, 'fail',
                            { error => 'no such photo' });

    is($failed->{json}{status}, 'waiting', 'a job that fails waits again');

    ($job) = claim('slow', 'wait=20s');
    is($job->{attempt}, 2, 'and is tried again');

    $failed = with_claim('POST', 'slow', $job, 'fail', { error => 'still' });
    is($failed->{json}{status}, 'dead', 'until its attempts are spent');

    my $dead = answer('GET', '/q/slow/dead')->{json};

    is($dead->[0]{id}, $id, 'then it is a dead letter');
    is($dead->[0]{error}, 'still', 'that says why');
    is(answer('POST', '/q/slow/redrive', { id => $id })->{json}{redriven}, 1,
       'it may be tried once more');
    ($job) = claim('slow');
    is("$job->{id} $job->{attempt}", "$id 1", 'from the first attempt on');
    is(with_claim('POST', 'slow', $job, 'return')->{code}, 204,
       'a job may be given back');
    ($job) = claim('slow');
    is("$job->{id} $job->{attempt}", "$id 1", 'as if it was not claimed');
    ack('slow', $job);
}

{
    enqueue('dead', { n => $_ }) for 1 .. 3;

    with_claim('POST', 'dead', $_, 'fail') for claim('dead', 'max=10');

    my $page = answer('GET', '/q/dead/dead?limit=2')->{json};
    my $next = answer('GET', "/q/dead/dead?limit=2&after=$page->[1]{id}");

    is_deeply([map { $_->{payload}{n} } @$page, @{ $next->{json} }],
              [2, 1, 2, 3], 'dead letters have pages');
    is(answer('POST', '/q/dead/redrive', { max => 3 })->{json}{redriven}, 3,
       'many are redriven at once');
    like(answer('GET', '/q/dead/stats')->{body},
         qr/^\{"depth":3,"oldest":[\d.]+,"dead":1\}$/, 'as is counted');
}

{
    my ($job) = claim('dead');

    ack('dead', $job);
    wait_for(sub {
        return Scale::sql('SELECT scale.job_purge() > 0') eq 't'
               || status('dead', $job->{id}) ne 'done';
    });
    is(answer('GET', "/q/dead/$job->{id}")->{code}, 404,
       'what is done is forgotten some time');
}


# a write that is accepted as a job

{
    my $put = answer('POST', '/thumbnails', { photo => 1 });
    my $path = $put->{headers}{location} =~ s{^http://[^/]+}{}r;

    is($put->{code}, 202, 'a write is accepted');
    like($path, qr{^/jobs/[0-9a-f-]{36}$}, 'its address is for everybody');
    is(answer('GET', $path)->{json}{status}, 'waiting', 'who sees how it is');
    is(answer('DELETE', $path)->{code}, 405, 'and no more');
    is(answer('GET', '/jobs')->{code}, 404, 'there is no list');
    is(answer('POST', '/thumbnails', { photo => 'x' })->{code}, 400,
       'what is wrong is refused before');
    is(answer('POST', '/thumbnails', { photo => 1 })->{json}{id},
       $put->{json}{id}, 'what waits already is the same job');

    is(answer('POST', '/thumbnails', { photo => $_ })->{code}, 202,
       "number $_") for 2, 3;

    my $refused = answer('POST', '/thumbnails', { photo => 4 });

    is($refused->{code}, 503, 'a full queue takes no more');
    like($refused->{headers}{'retry-after'}, qr/^\d+$/, 'for a while');
    is(enqueue('full', {})->{code}, 503, 'nor does it otherwise');

    my @job = claim('full', 'max=10');

    is_deeply($job[0]{payload}, { photo => 1, size => 200 },
              'the payload is what was validated');
    is($job[0]{priority}, 3, 'with its priority');
    ack('full', $_) for @job;
    is(answer('POST', '/thumbnails', { photo => 4 })->{code}, 202,
       'until some are done');
}

is(answer('POST', '/q/main', { payload => {}, delay => -1 })->{code}, 400,
   'a delay is checked');
is(answer('GET', '/q/main?wait=2m')->{code}, 400, 'so is a wait');
is(answer('GET', '/q/main?wait=61')->{code}, 400, 'of a minute at most');


# who waits

{
    my $waiting = ask('GET', '/q/idle?wait=20s');

    wait_for(\&is_watched);
    enqueue('idle', { n => 1 });

    my $job = Scale::receive($waiting);

    is($job->{code}, 200, 'who waits gets the job that comes');
    ack('idle', decode_json($job->{body})->[0]);

    my $begin = time;

    is(Scale::receive(ask('GET', '/q/idle?wait=1s'))->{code}, 204,
       'or nothing, when that is over');
    cmp_ok(time - $begin, '>=', 0.9, 'not before');
}


# does a session say so?

sub is_watched
{
    return Scale::sql("SELECT count(*) > 0 FROM pg_locks"
                      . " WHERE locktype = 'advisory' AND classid = 7122"
                      . " AND mode = 'ShareLock'") eq 't';
}


# in the order of arrival, of one worker

{
    my $one = Scale::nginx($config, workers => 1);
    my @waiting;

    for my $n (1 .. 5) {
        push @waiting, ask('GET', '/q/line?wait=20s');
        wait_for(sub { clients($one) >= $n });
    }

    for my $n (1 .. 5) {
        enqueue('line', { n => "w$n" });

        my $job = Scale::receive($waiting[$n - 1]);

        like($job->{body}, qr/"payload":\{"n": "w$n"\}/,
             "job $n is of client $n")
            or diag("$job->{code} after $job->{seconds} s");
    }

    my $leaves = ask('GET', '/q/line?wait=20s');
    my $stays = ask('GET', '/q/line?wait=20s');

    wait_for(sub { clients($one) == 2 });
    close $leaves->{socket};
    wait_for(sub { clients($one) == 1 });
    enqueue('line', { n => 'stays' });
    like(Scale::receive($stays)->{body}, qr/"n": ?"stays"/,
         'a client that leaves is in no line');

    # a claim that is under way when its client leaves

    my $id = enqueue('line', { n => 'back' })->{json}{id};
    my $lock = lock_jobs();

    $leaves = ask('GET', '/q/line?wait=20s');
    wait_for(sub { Scale::sql("SELECT count(*) FROM pg_stat_activity"
                              . " WHERE wait_event_type = 'Lock'") > 0 });
    close $leaves->{socket};
    close $lock;
    my ($job) = claim('line', 'wait=20s');

    is($job->{id}, $id, 'what was claimed for it is given back');
    is($job->{attempt}, 1, 'as if it had not been');
    ack('line', $job);

    # the worker leaves

    my $waits = ask('GET', '/q/line?wait=20s');

    wait_for(sub { clients($one) == 1 });
    Scale::reload($one);
    is(Scale::receive($waits)->{code}, 204,
       'a reload does not wait for those who wait');
}


# connections that nginx has accepted

sub clients
{
    my ($node) = @_;

    return scalar(() = qx(ss -Htn state established sport = :$node->{port})
                       =~ /\n/g);
}


# a session that holds all jobs until it is closed

sub lock_jobs
{
    my @psql = Scale::Postgres::psql();

    open my $in, '|-', @psql or die "psql: $!\n";
    syswrite $in, "BEGIN; LOCK TABLE scale.job;\n";
    wait_for(sub {
        return Scale::sql("SELECT count(*) FROM pg_locks WHERE granted"
                          . " AND mode = 'AccessExclusiveLock'"
                          . " AND relation = 'scale.job'::regclass") == 1;
    });

    return $in;
}


# faults: whoever dies, each job is done, and those of the living once

{
    Scale::expect_in_log(qr/exited on signal 9/);

    my $node = Scale::nginx($config, workers => 2);

    my $waits = ask('GET', '/q/idle?wait=30s');

    wait_for(\&is_watched);
    Scale::restart_postgres();
    wait_for(\&is_watched);
    enqueue('idle', { n => 'restarted' });
    like(Scale::receive($waits)->{body}, qr/restarted/,
         'who waits while the database is restarted gets a job after that');

    Scale::sql('TRUNCATE scale.job, scale.job_done');
    Scale::sql("SELECT count(scale.enqueue('short', jsonb_build_object('n', n)))"
               . ' FROM generate_series(1, 200) AS n');

    my (%done, $kills);
    my $begin = time;

    while (jobs("queue = 'short'") && time - $begin < 60) {

        if (++$kills % 5 == 0 && $kills < 40) {
            my @pids = Scale::workers($node);
            kill 'KILL', $pids[rand @pids] if @pids;
        }

        for my $job (claim('short', 'max=10&wait=1s')) {
            $done{$job->{payload}{n}}++ if ack('short', $job) == 204;
        }
    }

    is(jobs("queue = 'short'"), 0, 'workers are killed: no job is left');
    is(Scale::sql('SELECT count(*) FROM scale.job_done'), 200, 'all are done');
    is(Scale::sql('SELECT count(*) FROM scale.job_dead'
                  . " WHERE queue = 'short'"), 0, 'none is dead');
}

done_testing();
