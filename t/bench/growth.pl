#!/usr/bin/perl

# make bench-growth: what a request costs when something grows.
#
#     rows         ROWS/100, ROWS/10 and ROWS (10,000,000), in the PostgreSQL
#                  that make bench-day keeps; any of them, from the database
#     connections  of clients: 1 to 10,000
#     nodes        memcacheds, each a process: 1 to 64; hits
#     routes       1 to 1,000, each asked as often as the others
#     workers      1 and 2
#
# The measure is the CPU of nginx for a request, beside that of "return 200" of
# 1 KB under the same number of connections in the same round.  A figure is the
# median of ROUNDS (3), each of SECONDS (4), without the time to connect.  PART
# names one of the tables.  64 connections where they do not grow; one worker on
# core 0 and the load on core 1 where they do not, nothing else is pinned.
# Exits 1 if something did not run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use Scale;
use Scale::Bench::Machine qw(used);
use Scale::Load qw(begin_load end_load);
use Scale::Process qw(slurp);
use Time::HiRes qw(sleep);

my $rows = $ENV{ROWS} || 10_000_000;
my $seconds = $ENV{SECONDS} || 4;
my $rounds = $ENV{ROUNDS} || 3;

my @rows = map { int $rows / $_ } 100, 10, 1;
my $few = $rows[0];     # the table of whoever does not count rows
my $keys = 1_000;       # of what is cached
my $page = '{"id":7,"body":"' . 'x' x 1000 . '"}';

my @parts = (
    # name, what makes its variants
    [rows        => \&by_rows],
    [connections => \&by_connections],
    [nodes       => \&by_nodes],
    [routes      => \&by_routes],
    [workers     => \&by_workers],
);

my @memcached;      # their pids

Scale::rows(@rows);
$| = 1;

for my $part (@parts) {
    my ($name, $variants) = @$part;

    next if $ENV{PART} && $ENV{PART} ne $name;
    report($name, measure($name, $variants->()));
}


# A variant is { point, path, nginx, to, ... }: what the load asks for.  The
# path "return" is what the others of its point are measured against.

sub by_rows
{
    my $nginx = nginx(1, map { route("/rows$_", $_) } @rows);

    return map { my $point = $_;
                 (variant($nginx, $point, 'return', '/return'),
                  variant($nginx, $point, 'database', "/rows$point?id=%d",
                          keys => $point)) } @rows;
}


sub by_connections
{
    my $nginx = nginx(1, all_paths());

    return map { my $count = $_;
                 map { variant($nginx, $count, @$_, connections => $count) }
                     requests() } 1, 10, 100, 1_000, 10_000;
}


sub by_nodes
{
    my @points = (1, 4, 16, 64);
    my $nginx = nginx(1, map { (cache("of$_", $_),
                                route("/of$_", $few, "of$_")) } @points);

    return map { (variant($nginx, $_, 'return', '/return'),
                  variant($nginx, $_, 'memcached', "/of$_?id=%d",
                          keys => $keys)) } @points;
}


sub by_routes
{
    return map { routes($_) } 1, 10, 100, 1_000;
}


sub routes
{
    my ($count) = @_;

    my $nginx = nginx(1, cache('near', 1, 'local 64m;'),
                      map { (page("/return$_"), route("/local$_", $few, 'near'),
                             route("/database$_", $few)) } 1 .. $count);

    return map { variant($nginx, $count, $_, "/$_%d?id=7", keys => $count) }
               qw(return local database);
}


sub by_workers
{
    return map { my $nginx = nginx($_, all_paths());
                 my $count = $_;
                 map { variant($nginx, $count, @$_, core => undef) }
                     requests() } 1, 2;
}


# what a request can meet, and what asks for it

sub all_paths
{
    return (['', "scale_use cache=near;\n"],
            cache('near', 1, 'local 64m;'), cache('far', 1),
            route('/local', $few, 'near'), route('/memcached', $few, 'far'),
            route('/database', $few));
}


sub requests
{
    return (['return', '/return'],
            map { [$_, "/$_?id=%d", keys => $keys] }
                qw(local memcached database));
}


sub variant
{
    my ($nginx, $point, $path, $url, %option) = @_;

    return { nginx => $nginx, point => $point, path => $path, url => $url,
             connections => 64, keys => 1, core => 1, %option };
}


# The parts of a configuration: [for http, for server].

sub cache
{
    my ($name, $nodes, $more) = @_;

    my @servers = map { Scale::memcached_as(Scale::Memcached::count(),
                                            options => [qw(-t 1)]) }
                      1 .. $nodes;

    push @memcached, map { $_->{pid} } @servers;

    return [join("\n", "scale_cache $name {", $more // '',
                 (map { "server 127.0.0.1:$_->{port};" } @servers), "}\n"),
            ''];
}


sub route
{
    my ($path, $count, $cache) = @_;

    my $name = $path =~ s{/}{}r;
    my $cached = defined $cache
                 ? "scale_use cache=$cache; scale_cache_valid 1h;" : '';

    return ['', <<"END"];
        location = $path {
            scale_route  $name;
            scale_param  id arg.id bigint required;
            scale_query  GET row "SELECT id, version, title, body
                                    FROM rows_$count WHERE id = :id";
            $cached
        }
END
}


sub page
{
    my ($path) = @_;

    return ['', "location = $path { default_type application/json;"
                . " return 200 '$page'; }\n"];
}


sub nginx
{
    my ($workers, @parts) = @_;

    unshift @parts, page('/return');

    my ($http, $server) = map { my $i = $_; join '', map { $_->[$i] } @parts }
                              0, 1;

    return Scale::nginx(<<"END",
    scale_database main {
        server       "unix:\$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=growth";
        connections  16;
        queue        16384 timeout=10s;
    }
    keepalive_requests  1000000000;
    $http
    server {
        listen 127.0.0.1:\$ServerPort reuseport backlog=4096;
        location = /status { stub_status; }
        $server
    }
END
        workers => $workers, connections => 16384, log_level => 'warn',
        main => 'pcre_jit on; worker_rlimit_nofile 20000;'
                . ($workers == 1 ? 'worker_cpu_affinity 01;' : ''));
}


# Yields { point => { path => [{ rate, nginx, ... } of each round] } }.  What is
# cached is there before the first round.

sub measure
{
    my ($part, @variants) = @_;
    my %seen;

    end_load(ask($_, 2)) for @variants;

    for my $round (1 .. $rounds) {
        for my $variant (@variants) {
            my $one = once($variant);

            push @{ $seen{$variant->{point}}{$variant->{path}} }, $one;
            printf STDERR "%s, round %d of %d  %9d  %-10s %9.0f/s %6.1f us\n",
                          $part, $round, $rounds, @$variant{qw(point path)},
                          @$one{qw(rate nginx)};
        }
    }

    Scale::Nginx::halt();

    return \@variants, \%seen;
}


# A busy machine may keep this program from looking in time: then once more.

sub once
{
    my ($variant) = @_;

    for (1 .. 5) {
        my $one = try_once($variant);
        return $one if $one;
    }

    die "$variant->{path}: the load was not seen at work\n";
}


# The load runs two seconds longer than is measured: it is counted between two
# looks at a server that has all its connections.  Yields nothing if it had not
# at both.

sub try_once
{
    my ($variant) = @_;

    my $nginx = $variant->{nginx};
    my $idle = status($nginx);
    my $load = ask($variant, $seconds + 2);
    my $works = sub { my $now = status($nginx);
                      return $now->{active} > $variant->{connections}
                             && $now->{requests} > $idle->{requests} + 1000
                             && $now; };
    my ($before, $after);

    Scale::wait_for($works, $seconds + 10);
    my $used = used(sub {
        $before = $works->();
        sleep $seconds;
        $after = $works->();
    }, nginx => sub { Scale::workers($nginx) }, memcached => sub { @memcached },
       PostgreSQL => \&Scale::postgres_pids);

    my $got = end_load($load);

    $got->{errors} == 0 && join('', keys %{ $got->{status} }) eq '200'
        or die "$variant->{path}: answers are missing or no success\n",
               slurp($nginx->{error_log});

    if (!$before || !$after) {
        printf STDERR "%s, %d: not seen at work; it had %.0f answers/s, the"
                      . " slowest in %.0f ms; nginx says:\n%s",
                      @$variant{qw(path point)}, $got->{rate},
                      $got->{latency_us}{max} / 1000,
                      slurp($nginx->{error_log});
        return undef;
    }

    my $requests = $after->{requests} - $before->{requests};

    return { rate => $requests / $used->{wall},
             map { $_ => $used->{$_} * 1e6 / $requests }
                 qw(nginx memcached PostgreSQL) };
}


sub ask
{
    my ($variant, $time) = @_;

    return begin_load(c => $variant->{connections}, t => $time,
                      k => $variant->{keys}, core => $variant->{core},
                      to => ["127.0.0.1:$variant->{nginx}{port}",
                             $variant->{url}]);
}


# the connection that asks is one of the active ones

sub status
{
    my ($nginx) = @_;

    my $text = Scale::get('/status', ':port' => $nginx->{port})->{body};

    $text =~ /^Active connections: (\d+).*^ \d+ \d+ (\d+)/ms
        or die "nginx has no status: $text\n";

    return { active => $1, requests => $2 };
}


# "grown" is the cost beside "return 200", compared with that of the first point

sub report
{
    my ($part, $variants, $seen) = @_;
    my %first;

    print "\n| $part | path | requests/s | nginx, us | x return 200 | grown |"
          . " memcached, us | PostgreSQL, us |\n",
          '|---:|---|', '---:|' x 6, "\n";

    for my $variant (@$variants) {
        my ($point, $path) = @$variant{qw(point path)};
        my @rounds = @{ $seen->{$point}{$path} };
        my @base = @{ $seen->{$point}{return} };
        my $ratio = median(map { $rounds[$_]{nginx} / $base[$_]{nginx} }
                               0 .. $#rounds);

        $first{$path} //= $ratio;

        printf "| %d | %s | %.0f | %.1f | %.2f | %.2f | %.1f | %.1f |\n",
               $point, $path,
               (map { my $what = $_; median(map { $_->{$what} } @rounds) }
                    qw(rate nginx)), $ratio, $ratio / $first{$path},
               map { my $what = $_; median(map { $_->{$what} } @rounds) }
                   qw(memcached PostgreSQL);
    }
}


sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}
