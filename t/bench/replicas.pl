#!/usr/bin/perl

# make bench-replicas: reads of 1, 2 and 3 PostgreSQL servers through nginx.
#
#     nginx      one worker, on core 0
#     load       64 connections, on core 1
#     PostgreSQL a primary and two replicas, where the kernel puts them
#
# A figure is the median of the rounds.  ROUNDS and SECONDS say how many and
# how long.  Exits 1 if something did not run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Bench qw(load measure);
use Scale::Bench::Report qw(rates ratios);

my @levels = qw(strict bounded);
my @servers = ('', '_A', '_B');

Scale::sql(<<'SQL');
CREATE TABLE bench (id bigint PRIMARY KEY, body text NOT NULL);
INSERT INTO bench SELECT i, left(repeat(md5(i::text), 40), 996)
                    FROM generate_series(1, 1000) i;
SQL
Scale::sql('VACUUM ANALYZE bench');

Scale::replica($_) for qw(a b);

open my $secret, '>', Scale::dir() . '/secret' or die "secret: $!\n";
print $secret "a secret of the benchmark\n";
close $secret;

my $nginx = Scale::nginx(conf(), workers => 1, connections => 1024,
                         log_level => 'warn',
                         main => 'worker_cpu_affinity 01;');
my (@variants, @comparisons);

for my $level (@levels) {
    for my $n (1 .. 3) {
        my $name = $n == 1 ? "$level, 1 server" : "$level, $n servers";

        await($level, $n);
        push @variants, { name => $name, run => sub {
            load(port => $nginx->{port}, path => "/$level$n/%d", keys => 1000,
                 expected => '"id":%d,',
                 processes => { server => $nginx->{pid} }) } };
        push @comparisons, [$name, "$level, 1 server"] if $n > 1;
    }
}

my ($runs, $failed) = measure(@variants);

print rates(\@variants, $runs, qw(server client)), "\n",
      ratios(\@comparisons, $runs), <<'END';

All servers, nginx and the load share this machine's cores: the figures show
what replicas cost here, not what they add where each has a machine.  Where
there are replicas they answer all of these reads; under "strict" the primary
is asked how far it is, once for all reads that wait for it.
END

die map { "$_ did not run: $failed->{$_}" } sort keys %$failed if %$failed;


# a database of each number of servers, a location for each way to read it

sub conf
{
    my $conf = '    scale_secret_file $TEST_NGINX_DIR/secret;'
               . " keepalive_requests 1000000000;\n";
    my $locations = '';

    for my $n (1 .. 3) {
        my $lines = join '', map { "server \"unix:\$TEST_NGINX_PG_SOCKET$_\";" }
                             @servers[0 .. $n - 1];

        $conf .= <<"END";
    scale_database n$n {
        $lines
        conninfo     "dbname=app user=api application_name=n$n";
        connections  16;
    }
END
        $locations .= join '', map { <<"END" } @levels;
        location ~ ^/$_$n/(?<id>\\d+)\$ {
            scale_route        $_$n;
            scale_use          database=n$n;
            scale_consistency  $_;
            scale_param        id \$id bigint required;
            scale_query        GET row
                               "SELECT id, body FROM bench WHERE id = :id";
            add_header         X-Server \$scale_db_server;
        }
END
    }

    return $conf . <<"END";
    server {
        listen 127.0.0.1:\$ServerPort;
$locations
    }
END
}


# until all that shall answer have answered

sub await
{
    my ($level, $n) = @_;

    my $expected = $n == 1 ? 1 : $n - 1;
    my %seen;

    Scale::wait_for(sub {
        my $answer = Scale::get("/$level$n/7");
        my $server = $answer->{headers}{'x-server'};

        $answer->{code} == 200 && length $answer->{body} > 1000
            or die "$level$n answers $answer->{code}: $answer->{body}\n";

        $seen{$server}++ if $n == 1
                            || $server ne "unix:$ENV{TEST_NGINX_PG_SOCKET}";

        return keys %seen == $expected;
    }, 20) or die "$level: not all of the $n servers answer\n";
}
