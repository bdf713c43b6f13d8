#!/usr/bin/perl

# make bench-day: the average day of the design, and ten times as much.
#
#     rows        ROWS (10,000,000) of 1 KB in a PostgreSQL that is kept, see
#                 t/lib/Scale/Rows.pm; read into memory first
#     nginx       WORKERS (2), a local tier of 256 MB
#     memcached   2 threads, 4 GB
#     the day     40,000 reads/s and 400 writes/s by an open loop over 400
#                 connections for SECONDS (300); keys are zipfian, 0.99
#     the burst   400,000 reads/s and 4,000 writes/s for BURST (30) over 4,000
#
# A day begins warm: 400 connections ask as fast as they can, for WARM (120)
# seconds.  Latency is counted from when a request was due.  All share the
# machine, the load too, and nothing is pinned.  Exits 1 if something did not
# run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use Scale;
use Scale::Bench::Machine qw(used);
use Scale::Load qw(load begin_load end_load);
use Scale::Process qw(slurp);
use List::Util qw(max min sum0);
use Time::HiRes qw(sleep);

my $rows = $ENV{ROWS} || 10_000_000;
my $seconds = $ENV{SECONDS} || 300;
my $warm = $ENV{WARM} || 120;
my $burst = $ENV{BURST} || 30;
my $workers = $ENV{WORKERS} || 2;

my ($reads, $writes) = (40_000, 400);
my $connections = 400;
my $bound = 10_000;     # us: the p99 of a day that is held

Scale::rows($rows);

my $memcached = Scale::memcached_as(0, options => [qw(-m 4096 -t 2)]);
$ENV{TEST_NGINX_MC_PORT} = $memcached->{port};

my $nginx = Scale::nginx(conf(), workers => $workers, connections => 16384,
                         log_level => 'warn',
                         main => 'pcre_jit on; worker_rlimit_nofile 20000;');
my %group = (
    nginx      => sub { Scale::workers($nginx) },
    memcached  => sub { $memcached->{pid} },
    PostgreSQL => \&Scale::postgres_pids,
);

$| = 1;
print "$rows rows, nginx with $workers workers, ", scalar cpus(), " cores\n";

warm_up();
my $capacity = capacity();
day();
burst();
recovery();


sub conf
{
    return <<"END";
    scale_database main {
        server       "unix:\$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=day";
        connections  16;
    }
    scale_cache hot {
        server  127.0.0.1:\$TEST_NGINX_MC_PORT;
        local   256m;
    }

    keepalive_requests  1000000000;
    add_header          X-Cache \$scale_cache_status always;

    server {
        listen 127.0.0.1:\$ServerPort reuseport backlog=4096;

        location ~ ^/rows/(?<id>\\d+)\$ {
            scale_route        row;
            scale_param        id     \$id        bigint required;
            scale_param        title  json.title text   len=1-200;
            scale_query        GET   row "SELECT id, version, title, body
                                            FROM rows_$rows WHERE id = :id";
            scale_query        PATCH row "UPDATE rows_$rows
                                             SET title = :title,
                                                 version = version + 1
                                           WHERE id = :id
                                       RETURNING id, version";
            scale_cache_valid  1h;
        }
    }
END
}


# what the day and the burst ask for, at a rate, or as fast as it goes

sub ask
{
    my (%option) = @_;

    return (c => $connections, k => $rows, d => 'zipf:0.99',
            p => $writes / ($reads + $writes), e => '"id":%d,',
            b => '{"title":"Row %d, written"}',
            to => ["127.0.0.1:$nginx->{port}", '/rows/%d', '/rows/%d'],
            %option);
}


sub warm_up
{
    my $got = load(ask(t => $warm, x => 2));

    printf "\nWarm after %d s: %d requests/s meanwhile, %s.\n", $warm,
           $got->{rate}, tiers($got);
}


# a closed loop over the connections of a burst: what it could do at most

sub capacity
{
    my $got = load(ask(t => min($seconds, 10), c => 10 * $connections,
                       x => 3));

    printf "Capacity over %d connections: %d good answers/s, %s.\n",
           10 * $connections, good_rate($got), statuses($got);

    return good_rate($got);
}


sub day
{
    my $got;
    my $used = used(sub { $got = load(ask(t => $seconds, x => 4,
                                          r => $reads + $writes)) }, %group);

    printf "\n## The average day, %d s\n\n", $seconds;
    printf "%.0f of %d requests/s; %d errors, %d unanswered, %d of %d wrong;"
           . " %s.\nRead from: %s.\n\n", @$got{qw(rate wanted errors
           unanswered wrong sampled)}, statuses($got), tiers($got);
    latencies($got);
    split_of_cpu($used, $got);

    printf "\nThe day is %s: at least 99 %% of the rate, and a p99 below"
           . " %d ms.\n",
           $got->{rate} >= 0.99 * $got->{wanted} && $got->{reads}{p99} < $bound
           && $got->{writes}{p99} < $bound ? 'held' : 'NOT held',
           $bound / 1000;
}


# Newcomers, each with a connection of its own, see what a client sees that
# waits for its own request alone: the load's wait behind ten times as many.

sub burst
{
    my $before = memory();
    my ($got, $most, @newcomers) = (undef, $before);

    my $used = used(sub {
        my $load = begin_load(ask(t => $burst, c => 10 * $connections,
                                  r => 10 * ($reads + $writes), x => 5));

        for (1 .. 5 * ($burst - 1)) {
            push @newcomers, Scale::get('/rows/' . int 1 + rand $rows);
            $most = max($most, memory());
            sleep 0.2;
        }

        $got = end_load($load);
    }, %group);

    my $good = good_rate($got);
    my @refused = grep { $_->{code} == 503 } @newcomers;
    my @times = sort { $a <=> $b } map { $_->{seconds} * 1000 } @newcomers;

    printf "\n## Ten times as much, %d s\n\n", $burst;
    printf "%d/s offered, %d answers/s, %d good ones/s (%.2f of the"
           . " capacity); %d errors; %s.\nRead from: %s.\n",
           $got->{wanted}, $got->{rate}, $good, $good / $capacity,
           $got->{errors}, statuses($got), tiers($got);
    printf "A newcomer waits %.0f ms, at most %.0f ms; of %d newcomers %d were"
           . " refused, %d of them with Retry-After, and %d failed.\n",
           @times[@times / 2, -1], scalar @times, scalar @refused,
           scalar(grep { defined $_->{headers}{'retry-after'} } @refused),
           scalar(grep { $_->{code} != 503 && $_->{code} != 200 } @newcomers);
    printf "Memory of nginx: %d MB, at most %d MB, then %d MB.\n\n",
           $before, $most, memory();
    split_of_cpu($used, $got);
}


# second by second: each is a run of its own

sub recovery
{
    print "\n## The day goes on\n\n",
          "| second | requests/s | p50, ms | p99, ms | refused | unanswered |\n",
          "|---:|---:|---:|---:|---:|---:|\n";

    for my $second (1 .. 10) {
        my $got = load(ask(t => 1, r => $reads + $writes, x => 5 + $second));

        printf "| %d | %.0f | %.1f | %.1f | %d | %d |\n", $second,
               $got->{rate},
               (map { $_ / 1000 } @{ $got->{latency_us} }{qw(p50 p99)}),
               sum0(values %{ $got->{status} }) - good($got),
               $got->{unanswered};
    }
}


sub latencies
{
    my ($got) = @_;

    print "| ms | p50 | p90 | p99 | p99.9 | max |\n",
          "|---|---:|---:|---:|---:|---:|\n";

    for my $kind (qw(reads writes)) {
        printf "| %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n", $kind,
               map { $_ / 1000 } @{ $got->{$kind} }{qw(p50 p90 p99 p999 max)};
    }
}


# What is nobody's is the kernel's, and of those who are not asked.

sub split_of_cpu
{
    my ($used, $got) = @_;

    my %cores = (load => $got->{cpu} / $used->{wall},
                 map { $_ => $used->{$_} / $used->{wall} } keys %group);

    $cores{others} = $used->{all} / $used->{wall} - sum0 values %cores;

    print "\n| CPU | cores | us per request |\n|---|---:|---:|\n";
    printf "| %s | %.2f | %.1f |\n", $_, $cores{$_},
           $cores{$_} * $used->{wall} * 1e6 / $got->{all}
        for 'nginx', 'memcached', 'PostgreSQL', 'load', 'others';
}


sub tiers
{
    my ($got) = @_;

    my %of = %{ $got->{cache} };
    my $all = sum0(values %of) || 1;

    return join ', ', map { sprintf '%s %.1f %%', $_, 100 * $of{$_} / $all }
                      sort { $of{$b} <=> $of{$a} } keys %of;
}


sub statuses
{
    my ($got) = @_;

    return join ', ', map { "$got->{status}{$_} x $_" }
                      sort keys %{ $got->{status} };
}


sub good
{
    my ($got) = @_;

    return sum0 map { $got->{status}{$_} } grep { /^2/ }
                                          keys %{ $got->{status} };
}


sub good_rate
{
    my ($got) = @_;

    return $got->{rate} * good($got) / (sum0(values %{ $got->{status} }) || 1);
}


# of all workers together, in MB, without what they share

sub memory
{
    return sum0 map { slurp("/proc/$_/status") =~ /^RssAnon:\s+(\d+)/m
                      ? $1 / 1024 : 0 } Scale::workers($nginx);
}


sub cpus
{
    return grep { /^processor/ } split /\n/, slurp('/proc/cpuinfo');
}
