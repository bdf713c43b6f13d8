#!/usr/bin/perl

# make bench: what a request costs beside what stock servers need for the
# same kilobyte.
#
#     nginx      one worker, on core 0
#     wrk        one thread, 64 connections, on core 1; so is pgbench's client
#     PostgreSQL, memcached    where the kernel puts them
#
# A figure is the median of the rounds.  ROUNDS and SECONDS say how many and
# how long.  Exits 1 if something did not run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Bench qw(measure report wrk seconds);

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

    scale_cache near {
        server  127.0.0.1:\$TEST_NGINX_MC_PORT;
        local   32m;
    }

    keepalive_requests 1000000000;

    server {
        listen 127.0.0.1:\$ServerPort;

        scale_use cache=hot;

        location = /static {
            default_type  application/json;
            return        200 '$page';
        }

        location = /peer {
            default_type    application/json;
            set             \$memcached_key peer;
            memcached_pass  memcached;
        }

        location ~ ^/local/(?<id>\\d+)\$ {
            scale_use          cache=near;
            scale_route        local;
            scale_param        id \$id bigint required;
            scale_query        GET row
                               "SELECT id, body FROM bench WHERE id = :id";
            scale_cache_valid  1h;
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
    ['nginx: return 200', sub { wrk("$url/static") }, undef],
    ['local read', sub { wrk("$url/local/7") }, 'nginx: return 200'],
    ['nginx: memcached_pass', sub { wrk("$url/peer") }, undef],
    ['cached read', sub { wrk("$url/cached/7") }, 'nginx: memcached_pass'],
    ['pgbench -c 8', \&pgbench, undef],
    ['database read', sub { wrk("$url/database/7") }, 'pgbench -c 8'],
);

prepare();
report(\@variants, measure(@variants));


sub prepare
{
    my $memcached = IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$ENV{TEST_NGINX_MC_PORT}") or die "memcached\n";

    printf $memcached "set peer 0 0 %d\r\n%s\r\n", length $page, $page;
    (<$memcached> // '') eq "STORED\r\n" or die "memcached does not store\n";

    open my $out, '>', $select or die "$select: $!\n";
    print $out "SELECT id, body FROM bench WHERE id = 7;\n";
    close $out;

    for my $path ('/static', '/peer', ('/local/7') x 3, '/cached/7',
                  '/cached/7', '/database/7')
    {
        my $answer = Scale::get($path);

        $answer->{code} == 200
            && abs(length($answer->{body}) - length $page) <= 1
            or die "$path answers $answer->{code}: $answer->{body}\n";
    }
}


sub pgbench
{
    my ($where) = $ENV{TEST_NGINX_PG_SOCKET} =~ m{^(.*)/};
    my $seconds = seconds();

    my $text = qx(taskset -c 1 pgbench -n -M prepared -c 8 -j 1 -T $seconds \\
                  -f $select -h $where -p $ENV{TEST_NGINX_PG_PORT} \\
                  -U api app 2>&1);

    $text =~ /^tps = (\S+)/m or die "pgbench:\n$text";

    return $1;
}
