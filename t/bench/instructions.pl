#!/usr/bin/perl

# make bench-instructions: how many instructions of nginx a request costs.
#
# nginx runs under callgrind; PostgreSQL and memcached do not.  The kernel's
# share is not counted, so this says nothing of throughput, but it is the same
# on a busy machine: it finds what a change has made slower.
#
# "1" is one connection that waits for each answer.  "64" are 64 connections
# whose requests are all there before nginx looks, so that it meets them in one
# turn of its event loop: it is stopped meanwhile.
#
# A figure is what 2n requests need more than n, by n: the median of three, as
# PostgreSQL's answers may come in more than one piece.  It is compared with
# t/bench/instructions.txt: exits 1 if it has risen by more than 5 %, which
# UPDATE=1 writes anew instead.  PROFILE=dir keeps callgrind's files there.

use strict;
use warnings;
use IO::Socket::INET;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Bench::Instructions qw(connected counted marked
                                  rounds);

my $file = 't/bench/instructions.txt';
my $allowed = 5;            # per cent
my $requests = 1024;        # n, a multiple of 64
my $tries = 3;              # the median of

Scale::sql(<<'SQL');
CREATE TABLE bench (id bigint PRIMARY KEY, body text NOT NULL);
INSERT INTO bench SELECT i, left(repeat(md5(i::text), 40), 996)
                    FROM generate_series(1, 1000) i;
SQL
Scale::sql('VACUUM ANALYZE bench');

my $page = '{"id":7,"body":"' . 'x' x 996 . '"}';

my $item = <<'END';
            scale_param  id $id bigint required;
            scale_query  GET row "SELECT id, body FROM bench WHERE id = :id";
END

my $server = counted(Scale::http_config()
                     =~ s{connections  16;}{$&\n        queue 1024 timeout=10s;}r
                     . <<"END");
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

        location = /return {
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
            scale_cache_valid  1h;
$item        }

        location ~ ^/cached/(?<id>\\d+)\$ {
            scale_route        cached;
            scale_cache_valid  1h;
$item        }

        location ~ ^/database/(?<id>\\d+)\$ {
            scale_route  database;
$item        }

        location ~ ^/write/(?<id>\\d+)\$ {
            scale_route  write;
            scale_param  id \$id bigint required;
            scale_query  PUT row "UPDATE bench SET body = body WHERE id = :id
                                  RETURNING id, body";
        }

        location = /mark {
            error_page  418 = \@mark;
            return      418;
        }

        location \@mark {
            return  204;
        }
    }
END

my @paths = (
    # name, method, path
    ['return 200', 'GET', '/return'],
    ['local hit', 'GET', '/local/7'],
    ['memcached hit', 'GET', '/cached/7'],
    ['memcached_pass', 'GET', '/peer'],
    ['database read', 'GET', '/database/7'],
    ['write', 'PUT', '/write/7'],
);

prepare();

my %was = expected();
my @now = map { my $path = $_; map { figure($path, $_) } 1, 64 } @paths;

exit report();


sub prepare
{
    my $memcached = IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$ENV{TEST_NGINX_MC_PORT}") or die "memcached\n";

    printf $memcached "set peer 0 0 %d\r\n%s\r\n", length $page, $page;
    (<$memcached> // '') eq "STORED\r\n" or die "memcached does not store\n";

    my @clients = map { connected($server) } 1 .. 64;

    for my $path (@paths) {
        rounds(@$path[1, 2], 8, @clients);
    }
}


# Connections are made before and closed after what is counted.

sub figure
{
    my ($path, $connections) = @_;

    my ($name, $method, $uri) = @$path;
    my @clients = map { connected($server) } 1 .. $connections;
    my (@costs, @figures);

    rounds($method, $uri, 1, @clients);

    for my $try (1 .. $tries) {
        for my $factor (1, 2) {
            marked($server);
            rounds($method, $uri, $factor * $requests / $connections,
                   @clients);
            $costs[$factor] = marked($server, "$name $connections");
        }

        push @figures, ($costs[2] - $costs[1]) / $requests;
    }

    @figures = sort { $a <=> $b } @figures;

    return ["$name, $connections", $figures[$tries / 2]];
}


sub expected
{
    my %figures;

    open my $in, '<', $file or return;

    while (<$in>) {
        $figures{$1} = $2 if /^(\S.*?)\s+(\d+)$/;
    }

    return %figures;
}


sub report
{
    my $text = "# instructions of nginx per request and connections: see "
               . "instructions.pl\n\n";
    my $bad = 0;

    for my $line (@now) {
        my ($name, $cost) = @$line;
        my $was = $was{$name};
        my $change = $was ? 100 * ($cost / $was - 1) : 0;
        my $note = !$was ? 'new'
                   : $change > $allowed ? 'MORE THAN IT WAS'
                   : $change < -$allowed ? 'less: update the file' : '';

        $bad = 1 if $change > $allowed;
        $text .= sprintf "%-20s %6.0f\n", $name, $cost;
        printf "%-20s %6.0f  %+5.1f %%  %s\n", $name, $cost, $change, $note;
    }

    return $bad if !$ENV{UPDATE};

    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out;

    return 0;
}
