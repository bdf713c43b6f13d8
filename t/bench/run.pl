#!/usr/bin/perl

# make bench: what a request costs beside what others need for the same
# kilobyte.  The tables are build/bench/bench.md, the plot bench.svg.
#
#     B=            some of local, cached, database, write; else all
#     ROUNDS=       20
#     SECONDS=      1, of each variant in each round
#     KEYS=         10000 rows
#     PEER_NGX_POSTGRES=   ngx_postgres_module.so, built for this nginx
#
# Exits 1 if something did not run; a slow result is a result.

use strict;
use warnings;
use lib 't/lib';
use POSIX qw(strftime);
use Scale;
use Scale::Bench qw(core load measure pgbench rounds seconds);
use Scale::Bench::Machine qw(machine pin);
use Scale::Bench::Peers qw(go node);
use Scale::Bench::Plot qw(plot);
use Scale::Bench::Report qw(latencies median rates ratios);
use Scale::Process qw(free_port slurp);

my $keys = $ENV{KEYS} || 10000;
my %wanted = map { $_ => 1 }
             split /,/, $ENV{B} || 'local,cached,database,write';
my $out = Scale::root() . '/build/bench';
my $body = 'x' x 996;

# Each server has what it needs and nothing else; one waits while another is
# measured.  An nginx is named after its configuration in t/bench/nginx.

my $modules = '/usr/lib/nginx/modules';

my %server = (
    stock        => { modules => '' },
    ours         => { modules => $ENV{TEST_NGINX_LOAD_MODULES} },
    lua          => { modules => "$modules/ndk_http_module.so"
                                 . " $modules/ngx_http_lua_module.so" },
    ngx_postgres => { modules => $ENV{PEER_NGX_POSTGRES} // '' },
    go           => { start => \&go },
    node         => { start => \&node },
);

my %port = map { $_ => free_port() }
           qw(return memcached_pass local cached socket tcp write dict
              lua_memcached ngx_postgres go node);

my $zipf = ['uniform', 'zipf:0.99'];

# {idle}: who must have nothing to do, else the variant is not what it is
# called; a request to PostgreSQL costs it about 10 us

my @variants = grep { $wanted{ $_->{group} } } (
    http('local', 'nginx: return 200', stock => 'return',
         expected => '"id":7,'),
    http('local', 'local hit', ours => 'local', keys => $zipf,
         idle => [qw(memcached PostgreSQL)]),
    http('local', 'lua: shared dict', lua => 'dict', keys => $zipf,
         fill => '/fill/%d'),

    http('cached', 'nginx: memcached_pass', stock => 'memcached_pass',
         keys => $zipf),
    http('cached', 'memcached hit', ours => 'cached', keys => $zipf,
         idle => ['PostgreSQL']),
    http('cached', 'lua: memcached', lua => 'lua_memcached', keys => $zipf),
    http('cached', 'Go: gomemcache', go => 'go', keys => $zipf,
         path => '/cached/%d'),

    bench('database', 'pgbench: select', 'select', 'socket'),
    http('database', 'database read', ours => 'socket', keys => $zipf),
    bench('database', 'pgbench: select, TCP', 'select', 'tcp'),
    http('database', 'database read, TCP', ours => 'tcp'),
    http('database', 'Go: pgx', go => 'go', keys => $zipf),
    http('database', 'Node: fastify, pg', node => 'node', keys => $zipf),
    $ENV{PEER_NGX_POSTGRES}
        ? http('database', 'ngx_postgres', ngx_postgres => 'ngx_postgres')
        : (),

    bench('write', 'pgbench: insert', 'insert', 'socket'),
    http('write', 'write', ours => 'write', insert => 1),
);

my @comparisons = (
    ['local hit', 'nginx: return 200', 0.92],
    ['local hit, zipf', 'nginx: return 200', 0.92],
    ['local hit', 'lua: shared dict', 1.5],
    ['local hit, zipf', 'lua: shared dict, zipf', 1.5],
    ['memcached hit', 'nginx: memcached_pass', 1.9],
    ['memcached hit, zipf', 'nginx: memcached_pass, zipf', 1.9],
    ['memcached hit', 'lua: memcached', 2.5],
    ['memcached hit, zipf', 'lua: memcached, zipf', 2.5],
    ['memcached hit', 'Go: gomemcache', undef],
    ['database read', 'pgbench: select', 1],
    ['database read, zipf', 'pgbench: select', 1],
    ['database read, TCP', 'pgbench: select, TCP', 1.3],
    ['database read', 'Go: pgx', 4],
    ['database read, zipf', 'Go: pgx, zipf', 4],
    ['database read', 'Node: fastify, pg', 4],
    ['database read, zipf', 'Node: fastify, pg, zipf', 4],
    ['database read', 'ngx_postgres', 4],
    ['write', 'pgbench: insert', 1],
);


@variants or die "B= is some of local, cached, database, write\n";

start_back_ends();

my ($runs, $failed) = measure(@variants);
check_idle();
my $latency = latency();

write_report();

for my $name (sort keys %$failed) {
    print STDERR "$name did not run: $failed->{$name}\n";
}

exit 1 if %$failed;


# one variant, or one for each distribution of the keys

sub http
{
    my ($group, $name, $server, $port, %option) = @_;

    return map {
        my %variant = (expected => qq("id":%d,"body":"%d.%d.),
                       path => '/rows/%d', %option, group => $group,
                       ours => $server eq 'ours', server => $server,
                       port => $port{$port}, distribution => $_,
                       name => $name . ($_ =~ /^zipf/ ? ', zipf' : ''));

        $variant{run} = sub { request(\%variant, @_) };
        \%variant;
    } @{ $option{keys} // ['uniform'] };
}


sub bench
{
    my ($group, $name, $script, $transport, %option) = @_;

    my $variant = { group => $group, name => $name };

    $variant->{run} = sub {
        my ($directory) = $ENV{TEST_NGINX_PG_SOCKET} =~ m{^(.*)/};

        clear() if $script eq 'insert';

        return pgbench(%option, script => script($script),
            host => $transport eq 'tcp' ? '127.0.0.1' : $directory,
            define => { keys => $keys, body => $body },
            processes => { PostgreSQL => Scale::postgres_pid() });
    };

    return $variant;
}


# Uniform alone: pgbench has no zipfian exponent below 1.001, and to draw such a
# key costs it as much as to ask for the row.

sub script
{
    my ($name) = @_;

    my %script = (
        'select' => <<'END',
\set id random(1, :keys)
SELECT id, body FROM bench WHERE id = :id;
END
        'insert' => <<'END',
\set id random(1, :keys)
INSERT INTO written (key, body) VALUES (:id, :body) RETURNING id;
END
    );

    my $path = Scale::dir() . "/$name.sql";

    open my $to, '>', $path or die "$path: $!\n";
    print $to $script{$name};
    close $to;

    return $path;
}


# a turn of a variant; its first one fills and looks

sub request
{
    my ($variant, %more) = @_;

    my $server = running($variant->{server});
    my %option = ((map { $_ => $variant->{$_} }
                   qw(port path distribution expected)),
                  keys => $keys, %more);

    if ($variant->{insert}) {
        clear();
        delete $option{expected};
        @option{qw(method body)} = ('PUT', qq({"body":"$body"}));

    } elsif (!$variant->{seen}++) {
        fill($variant);
        look($variant);
    }

    return load(%option, processes => {
        server     => $server->{pid},
        memcached  => Scale::memcached(0)->{pid},
        PostgreSQL => Scale::postgres_pid() });
}


# PostgreSQL has work of its own now and then: the median of the rounds counts

sub check_idle
{
    for my $variant (grep { $runs->{ $_->{name} } } @variants) {
        my $name = $variant->{name};

        for my $who (@{ $variant->{idle} // [] }) {
            my $cost = median(map { $_->{cpu}{$who} } @{ $runs->{$name} });

            $failed->{$name} = sprintf "%s works %.1f us per request\n", $who,
                                       $cost if $cost > 3;
        }

        delete $runs->{$name} if $failed->{$name};
    }
}


# each key three times: what the local tier keeps was asked for twice

sub fill
{
    my ($variant) = @_;

    my $all = 0;

    while ($all < 3 * $keys) {
        $all += load(port => $variant->{port}, keys => $keys,
                     distribution => 'turn',
                     path => $variant->{fill} // $variant->{path})->{all};
    }
}


sub look
{
    my ($variant) = @_;

    for my $key (7, $keys) {
        my $wanted = $variant->{expected} =~ /%d/ ? row($key) : row(7);
        my $answer = Scale::get($variant->{path} =~ s/%d/$key/r,
                                ':port' => $variant->{port});
        my $is = $answer->{body} =~ s/\n\z//r;

        $answer->{code} == 200 && $is eq $wanted
            or die "$answer->{code} with a body of @{[length $is]} bytes"
                   . " instead of @{[length $wanted]}\n";
    }
}


# the answer, as PostgreSQL and all servers write it

sub row
{
    my ($key) = @_;

    return qq({"id":$key,"body":") . substr("$key." x 500, 0, 996) . '"}';
}


# { pid }, started where it was not; dies each time if that failed

sub running
{
    my ($name) = @_;

    my $server = $server{$name};

    if (!$server->{tried}++) {
        $server->{pid} = eval { $server->{start}
                                ? $server->{start}->($port{$name})
                                : start_nginx($name, $server->{modules}) };
        $server->{reason} = $@;
    }

    $server->{pid} or die "$name: $server->{reason}";

    return $server;
}


sub start_nginx
{
    my ($name, $list) = @_;

    my %known = (%port, row => row(7),
                 peers => Scale::root() . '/t/bench/peers');
    my $conf = slurp(Scale::root() . "/t/bench/nginx/$name.conf")
               =~ s/\{(\w+)\}/$known{$1} \/\/ die "no $1\n"/ger;

    local $ENV{TEST_NGINX_LOAD_MODULES} = $list;

    for my $module (split ' ', $list) {
        -e $module or die "there is no $module\n";
    }

    my $mask = join '', map { $_ == core('server') ? 1 : 0 } 1, 0;

    return Scale::nginx("    keepalive_requests 1000000000;\n$conf",
        workers => 1, connections => 1024, log_level => 'warn',
        main => "pcre_jit on; worker_cpu_affinity $mask;")->{pid};
}


# as in production: a commit is on the disk; but no checkpoint in a round

sub start_back_ends
{
    Scale::postgres(fsync => 'on', shared_preload_libraries => '',
                    wal_log_hints => 'off', wal_keep_size => 0,
                    checkpoint_timeout => '1h', max_wal_size => '8GB',
                    autovacuum => 'off');
    pin(core('backend'), Scale::postgres_pid());

    Scale::sql(<<"END");
CREATE TABLE bench (id bigint PRIMARY KEY, body text NOT NULL);
INSERT INTO bench SELECT i, left(repeat(i || '.', 500), 996)
                    FROM generate_series(1, $keys) i;
CREATE TABLE written (id bigserial PRIMARY KEY, key bigint NOT NULL,
                      body text NOT NULL);
END
    Scale::sql('VACUUM ANALYZE bench');

    my $memcached = Scale::memcached_as(0, options => ['-m', 1024]);

    $ENV{TEST_NGINX_MC_PORT} = $memcached->{port};
    pin(core('backend'), $memcached->{pid});
    running('ours');
    fill_memcached($memcached->{port});
}


# after the one that it belongs to has begun with an empty one

sub fill_memcached
{
    my ($port) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
        or die "memcached: $@\n";

    for my $key (1 .. $keys) {
        my $row = row($key);

        print $socket "set row$key 0 0 ", length $row, " noreply\r\n$row\r\n";
    }

    print $socket "get row$keys\r\n";
    (<$socket> // '') =~ /^VALUE row$keys / or die "memcached does not store\n";
}


sub clear
{
    Scale::sql('TRUNCATE written');
    Scale::sql('CHECKPOINT');
}


# at half and at most of what a variant has reached, on a schedule, for 3 s

sub latency
{
    my %at;

    for my $variant (grep { $_->{server} && $runs->{ $_->{name} } } @variants) {
        my $name = $variant->{name};
        my $most = median(map { $_->{rate} } @{ $runs->{$name} });

        for my $share (0.5, 0.8) {
            print STDERR "latency at $share of its maximum: $name\n";
            $at{$name}{$share}
                = eval { $variant->{run}->(rate => $share * $most,
                                             seconds => 3) };
            $failed->{$name} = $@ if !$at{$name}{$share};
        }

        delete $at{$name} if $failed->{$name};
    }

    return \%at;
}


sub write_report
{
    my $text = join "\n", about(),
        rates(\@variants, $runs, qw(server memcached PostgreSQL client)),
        ratios(\@comparisons, $runs),
        latencies(\@variants, $latency);

    print $text;

    save('bench.md', $text);
    save('bench.svg', plot('Requests per second, one nginx worker',
                           \@variants, $runs)) if %$runs;
}


sub save
{
    my ($name, $text) = @_;

    open my $to, '>', "$out/$name" or die "$out/$name: $!\n";
    print $to $text;
    close $to;
}


sub about
{
    my ($server, $client, $backend) = map { core($_) }
                                      qw(server client backend);
    my $what = sprintf '%s; %s. %d rounds of %d s each, %d rows.',
                       strftime('%Y-%m-%d', gmtime), machine(), rounds(),
                       seconds(), $keys;

    return <<"END";
$what

The server is one process (an nginx worker, Node, Go with GOMAXPROCS=1) on core
$server, the client (64 connections; pgbench: 8) on core $client; PostgreSQL and
memcached may use cores $backend in every variant.  Variants take turns; a
figure is the median of the rounds, a ratio is taken within each round.
Processor time is user and system, in microseconds per request; "others" is the
share of the machine that was nobody's of these: beyond a few percent a figure
is worth little.  What is refused (503) does not count.  In the last table each
variant is asked on a schedule, request i at start + i / rate, and the latency
counts from then on, whether or not a connection was free to send it.
END
}
