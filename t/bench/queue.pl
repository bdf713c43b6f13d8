#!/usr/bin/perl

# make bench-queue: what jobs cost.
#
#     claims    put in, claimed and acknowledged by 4 sessions of pgbench, with
#               1,000 and with JOBS (1,000,000) waiting, in databases of their
#               own, in turns.  Nothing is vacuumed: what was claimed lies in
#               the way of the next claim.
#     wake      from sending a POST until a client that waits has the job
#     idle      statements while clients wait and nothing comes
#
# A figure is the median of the ROUNDS, of SECONDS each.  Exits 1 if something
# did not run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use IO::Select;
use JSON::PP qw(decode_json);
use Scale qw(postgres);
use Scale::Process qw(slurp wait_for);
use Time::HiRes qw(time sleep);

my $jobs    = $ENV{JOBS} // 1_000_000;
my $rounds  = $ENV{ROUNDS} // 5;
my $seconds = $ENV{SECONDS} // 5;
my $wakes   = $ENV{WAKES} // 200;
my $clients = 10;

my ($pgbench) = grep { -x } map { "$_/pgbench" } Scale::Postgres::bin();
my $script = Scale::dir() . '/cycle.sql';
my %waiting = (app => 1000, deep => $jobs);

prepare($_) for 'app', 'deep';
claims();

my $nginx = Scale::nginx(conf(), workers => 1, log_level => 'warn');

wake();
idle();


sub prepare
{
    my ($database) = @_;

    Scale::sql('CREATE DATABASE deep') if $database eq 'deep';
    Scale::sql(slurp("conf/sql/$_.sql"), $database) for qw(scale queue);
    Scale::sql('GRANT scale_queue TO api; ALTER TABLE scale.job'
               . ' SET (autovacuum_enabled = off)', $database);
    Scale::sql('INSERT INTO scale.job (id, queue, priority, run_at, queued,'
               . ' payload)'
               . " SELECT scale.job_id(), 'b', 0, t, t, '{\"photo\": 7}'"
               . " FROM generate_series(1, $waiting{$database}) AS n,"
               . " LATERAL (SELECT clock_timestamp() + 0 * n * interval '1s')"
               . ' AS come (t)', $database);
    Scale::sql('VACUUM ANALYZE scale.job', $database);
    Scale::sql('CHECKPOINT');
}


sub claims
{
    my (%rate, %pages);

    open my $out, '>', $script or die "$script: $!\n";
    print $out "SELECT scale.enqueue('b', '{\"photo\": 7}');\n",
               "SELECT scale.job_ack('b', id, claim)",
               " FROM scale.job_claim('b');\n";
    close $out;

    for my $round (1 .. $rounds) {
        push @{ $rate{$_} }, cycle($_) for 'app', 'deep';
    }

    $pages{$_} = pages($_) for 'app', 'deep';

    printf "%-26s %10s %10s %8s\n", 'jobs waiting', 1000, $jobs, '';
    printf "%-26s %10.0f %10.0f %7.2fx\n", 'put in, claimed, done, 1/s',
           median($rate{app}), median($rate{deep}),
           median($rate{deep}) / median($rate{app});
    printf "%-26s %10d %10d\n", 'pages of a claim', @pages{qw(app deep)};
    printf "%-26s %10d %10d\n", 'that were done before it',
           map { Scale::sql('SELECT count(*) FROM scale.job_done', $_) }
           qw(app deep);
}


sub cycle
{
    my ($database) = @_;
    my ($directory, $port) = $ENV{TEST_NGINX_PG_SOCKET}
                             =~ m{^(.*)/\.s\.PGSQL\.(\d+)$};

    my $said = qx($pgbench -n -M prepared -c 4 -T $seconds -h $directory \\
                  -p $port -U api -f $script $database 2>&1);

    return $said =~ /^tps = ([\d.]+)/m ? $1 : die "pgbench: $said";
}


# of a session that has claimed before

sub pages
{
    my ($database) = @_;
    my $claim = "SELECT * FROM scale.job_claim('b')";

    my $plan = Scale::sql("SELECT 1 FROM scale.job_claim('b');" x 20
                          . "EXPLAIN (ANALYZE, BUFFERS) $claim", $database);
    my ($buffers) = $plan =~ /Buffers: shared (.*)/;
    my $sum = 0;

    $sum += $_ for $buffers =~ /(?:hit|read)=(\d+)/g;

    return $sum;
}


sub conf
{
    return <<'END';
    scale_database main {
        server    "unix:$TEST_NGINX_PG_SOCKET";
        conninfo  "dbname=app user=api";
    }

    scale_queue q { }

    server {
        listen 127.0.0.1:$ServerPort;

        location /q {
            allow  127.0.0.1;
            deny   all;
            scale_queue_api  q;
        }
    }
END
}


sub wake
{
    my @took;

    for my $n (1 .. $wakes) {
        my $waiting = Scale::begin('GET', '/q?wait=20s', undef,
                                   ':timeout' => 30);
        wait_for(\&is_watched);
        sleep 0.02;

        my $begin = time;
        my $put = Scale::begin('POST', '/q', '{"payload":{"n":1}}',
                               'Content-Type' => 'application/json');

        IO::Select->new($waiting->{socket})->can_read(30);
        push @took, 1000 * (time - $begin);

        my $job = decode_json(Scale::receive($waiting)->{body})->[0];

        Scale::receive($put);
        Scale::request('DELETE', "/q/$job->{id}", undef,
                       'Job-Claim' => $job->{claim});
    }

    @took = sort { $a <=> $b } @took;

    printf "\n%-26s %10s %10s %10s\n", 'a client waits', 'p50', 'p99', 'max';
    printf "%-26s %10.1f %10.1f %10.1f\n", 'has the job after, ms',
           @took[$#took / 2, $#took * 0.99, $#took];
}


sub is_watched
{
    return Scale::sql("SELECT count(*) > 0 FROM pg_locks"
                      . " WHERE locktype = 'advisory' AND classid = 7122"
                      . " AND mode = 'ShareLock'") eq 't';
}


# the control connection asks for the server's role, too: every second

sub idle
{
    sleep 5;
    my $without = statements(20);
    my @waiting = map { Scale::begin('GET', '/q?wait=60s', undef,
                                     ':timeout' => 90) } 1 .. $clients;
    wait_for(\&is_watched);
    sleep 1;

    printf "\n%-26s %10s %10s\n", 'statements, 1/s', 'nobody',
           "$clients wait";
    printf "%-26s %10.2f %10.2f\n", 'of one worker', $without, statements(20);
}


# of nginx's role, at the top level

sub statements
{
    my ($time) = @_;
    my $begin = time;
    my $count = sub { Scale::sql('SELECT coalesce(sum(calls), 0)'
                                 . ' FROM pg_stat_statements s JOIN pg_roles r'
                                 . ' ON r.oid = s.userid'
                                 . " WHERE rolname = 'api' AND toplevel") };
    my $before = $count->();

    sleep $time;

    return ($count->() - $before) / (time - $begin);
}


sub median
{
    my @sorted = sort { $a <=> $b } @{ $_[0] };

    return $sorted[$#sorted / 2];
}
