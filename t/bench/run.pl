#!/usr/bin/perl

# make bench: what a request costs beside what stock servers need for the
# same kilobyte.
#
#     nginx      one worker, on core 0
#     wrk        one thread, 64 connections, on core 1; so is pgbench's client
#     PostgreSQL, memcached    where the kernel puts them
#
# The variants take turns, so that a noisy minute hits them all; a figure is
# the median of the rounds.  ROUNDS and SECONDS say how many and how long.
# Exits 1 if something did not run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use List::Util qw(max min);

my $rounds = $ENV{ROUNDS} || 5;
my $seconds = $ENV{SECONDS} || 4;

Scale::sql(<<'SQL');
CREATE TABLE bench (id bigint PRIMARY KEY, body text NOT NULL);
INSERT INTO bench SELECT i, left(repeat(md5(i::text), 40), 996)
                    FROM generate_series(1, 1000) i;
SQL
Scale::sql('VACUUM ANALYZE bench');

my $page = '{"id":7,"body":"' . 'x' x 996 . '"}';

my $nginx = Scale::nginx(Scale::http_config() . <<"END", workers => 1,
    upstream memcached {
        server     127.0.0.1:\$TEST_NGINX_MC_PORT;
        keepalive  64;
    }

    keepalive_requests 1000000000;

    server {
        listen 127.0.0.1:\$ServerPort;

        location = /static {
            default_type  application/json;
            return        200 '$page';
        }

        location = /peer {
            default_type    application/json;
            set             \$memcached_key peer;
            memcached_pass  memcached;
        }

        location ~ ^/cached/(?<id>\\d+)\$ {
            scale_route        cached;
            scale_param        id \$id bigint required;
            scale_query        GET row
                               "SELECT id, body FROM bench WHERE id = :id";
            scale_cache_valid  1h;
        }

        location ~ ^/database/(?<id>\\d+)\$ {
            scale_route  database;
            scale_param  id \$id bigint required;
            scale_query  GET row "SELECT id, body FROM bench WHERE id = :id";
        }
    }
END
    connections => 1024, log_level => 'warn',
    main => 'worker_cpu_affinity 01;');

my $url = "http://127.0.0.1:$nginx->{port}";
my $select = Scale::dir() . '/select.sql';

my @variants = (
    # name, what runs, the variant it is measured against
    ['nginx: return 200', sub { wrk('/static') }, undef],
    ['nginx: memcached_pass', sub { wrk('/peer') }, undef],
    ['cached read', sub { wrk('/cached/7') }, 'nginx: memcached_pass'],
    ['pgbench -c 8', \&pgbench, undef],
    ['database read', sub { wrk('/database/7') }, 'pgbench -c 8'],
);

prepare();
report(measure());


sub prepare
{
    my $memcached = IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$ENV{TEST_NGINX_MC_PORT}") or die "memcached\n";

    printf $memcached "set peer 0 0 %d\r\n%s\r\n", length $page, $page;
    (<$memcached> // '') eq "STORED\r\n" or die "memcached does not store\n";

    open my $out, '>', $select or die "$select: $!\n";
    print $out "SELECT id, body FROM bench WHERE id = 7;\n";
    close $out;

    for my $path ('/static', '/peer', '/cached/7', '/cached/7', '/database/7')
    {
        my $answer = Scale::get($path);

        $answer->{code} == 200
            && abs(length($answer->{body}) - length $page) <= 1
            or die "$path answers $answer->{code}: $answer->{body}\n";
    }
}


sub measure
{
    my %rates;

    for my $round (1 .. $rounds) {
        for my $variant (@variants) {
            my ($name, $run) = @$variant;

            push @{$rates{$name}}, $run->();
            printf STDERR "round %d of %d  %-22s %9.0f/s\n",
                          $round, $rounds, $name, $rates{$name}[-1];
        }
    }

    return %rates;
}


sub wrk
{
    my ($path) = @_;

    my $text = qx(taskset -c 1 wrk -t 1 -c 64 -d $seconds $url$path 2>&1);

    $text !~ /Non-2xx|Socket errors/ && $text =~ m{^Requests/sec:\s+(\S+)}m
        or die "wrk $path:\n$text";

    return $1;
}


sub pgbench
{
    my ($where) = $ENV{TEST_NGINX_PG_SOCKET} =~ m{^(.*)/};

    my $text = qx(taskset -c 1 pgbench -n -M prepared -c 8 -j 1 -T $seconds \\
                  -f $select -h $where -p $ENV{TEST_NGINX_PG_PORT} \\
                  -U api app 2>&1);

    $text =~ /^tps = (\S+)/m or die "pgbench:\n$text";

    return $1;
}


sub report
{
    my (%rates) = @_;

    print "\n| variant | requests/s | least | most | ratio | least | most |\n",
          "|---|---:|---:|---:|---:|---:|---:|\n";

    for my $variant (@variants) {
        my ($name, undef, $peer) = @$variant;
        my @of = @{$rates{$name}};

        printf "| %s | %.0f | %.0f | %.0f |", $name, median(@of), min(@of),
               max(@of);

        if (defined $peer) {
            my @ratios = map { $of[$_] / $rates{$peer}[$_] } 0 .. $#of;

            printf " %.2f x %s | %.2f | %.2f |\n", median(@ratios), $peer,
                   min(@ratios), max(@ratios);
        } else {
            print " | | |\n";
        }
    }
}


sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}
