package Scale;

# The servers and helpers of t/*.t.
#
#     use lib 't/lib';
#     use Scale qw(postgres memcached);
#     use Test::Nginx::Socket 'no_plan';
#
# Everything started here is private to the test file, lives in a directory of
# its own and is gone afterwards, however the test ends.  For the blocks:
#
#     $TEST_NGINX_PG_SOCKET    /tmp/…/.s.PGSQL.<port>, database app, role api
#     $TEST_NGINX_PG_PORT      the same server on 127.0.0.1
#     $TEST_NGINX_MC_PORT      memcached on 127.0.0.1
#     $TEST_NGINX_PG_PORT_A    a member of Patroni's cluster, with "patroni"; so
#                              are B and C, and the ..._SOCKET_A to C
#     $TEST_NGINX_DNS_PORT     a name server on 127.0.0.1
#     $TEST_NGINX_AWS_S3       what stands for a service: Scale::Aws
#     $TEST_NGINX_DIR          the directory, for sockets and files of a test
#
# TEST_NGINX_BINARY, NGX_SCALE_MODULE and TEST_NGINX_LOAD_MODULES choose what
# is tested; other modules are added to the latter behind a space, and a space
# alone is none: the module is in the binary.  Scale::Steps prefers
# NGX_SCALE_MODULE_STEP.
# SCALE_KEEP=1 leaves the directory.
#
# An [alert] or [emerg] in any error.log, or a sanitizer's report, fails the
# test file: its exit status is 1.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);

my ($root, $owner, $dir, @expected);

BEGIN {
    $root = abs_path(dirname(__FILE__) . '/../..');
    push @INC, "$root/t/lib/runner";
}

use Scale::Aws;
use Scale::Dns;
use Scale::Http;
use Scale::Memcached;
use Scale::Nginx;
use Scale::Patroni;
use Scale::Postgres;
use Scale::Process;
use Scale::Rows;
use Scale::Tls;

my %servers = (
    postgres => \&postgres,
    memcached => sub {
        $ENV{TEST_NGINX_MC_PORT} = memcached(0)->{port};
    },
    patroni => sub {
        my %member = Scale::Patroni::start($root, "$dir/ha");

        for my $name (keys %member) {
            name_server($name, $member{$name});
        }
    },
    dns => sub {
        $ENV{TEST_NGINX_DNS_PORT} = Scale::Dns::start($dir);
    },
);


sub import
{
    my (undef, @names) = @_;

    prepare() if !defined $owner;

    for my $name (@names) {
        my $start = $servers{$name} or die "Scale knows no \"$name\"\n";
        $start->();
    }
}


# A short path under /tmp: unix sockets are made in it.

sub prepare
{
    $owner = $$;
    $dir = tempdir('scale-XXXXXX', DIR => '/tmp');
    chmod 0711, $dir;

    $ENV{PATH} .= ':/usr/sbin:/sbin';
    $ENV{TEST_NGINX_BINARY} ||= '/usr/sbin/nginx';
    $ENV{TEST_NGINX_DIR} = $dir;
    $ENV{TEST_NGINX_SERVROOT} = "$dir/servroot";
    $ENV{TEST_NGINX_PORT} = Scale::Process::free_port();
    $ENV{TEST_NGINX_ERROR_LOG} = "$dir/error.log";
    $ENV{TEST_NGINX_LOAD_MODULES} ||= $ENV{NGX_SCALE_MODULE}
                                      || "$root/build/ngx_scale_module.so";

    $SIG{$_} = sub { exit 1 } for qw(HUP INT TERM);
}


# PostgreSQL.  sql() is the superuser's, in database app; it dies on errors.
# The role api may use the tables and sequences it makes.  postgres() starts it
# with settings of its own, where it was not asked for above.

sub postgres
{
    my $server = Scale::Postgres::start($root, "$dir/pg", @_);

    $ENV{TEST_NGINX_PG_SOCKET} = $server->{socket};
    $ENV{TEST_NGINX_PG_PORT} = $server->{port};
}


sub sql { return Scale::Postgres::sql(@_) }

# tables of so many rows in one that the benchmarks keep, see there

sub rows
{
    my $server = Scale::Rows::start($root, "$dir/pg", @_);

    $ENV{TEST_NGINX_PG_SOCKET} = $server->{socket};
    $ENV{TEST_NGINX_PG_PORT} = $server->{port};
}


sub postgres_pids { return Scale::Postgres::pids() }
sub postgres_pid { return Scale::Postgres::pid() }
sub restart_postgres { Scale::Postgres::restart() }
sub stop_postgres { Scale::Postgres::shut_down() }
sub start_postgres { Scale::Postgres::launch() }


# Several of them: the first is called "primary".  A replica is { port, socket,
# pid, ... }, and is $TEST_NGINX_PG_SOCKET_<NAME> and $TEST_NGINX_PG_PORT_<NAME>
# for the blocks.

sub replica
{
    my ($name, %setting) = @_;

    my $from = delete $setting{from} // 'primary';

    return name_server($name,
                       Scale::Postgres::replica($name, $from, %setting));
}


# One more primary, with a system identifier of its own: a shard, or another
# database.  It is reached as a replica is.

sub database
{
    my ($name) = @_;

    return name_server($name, Scale::Postgres::database($root, $name));
}


sub name_server
{
    my ($name, $server) = @_;

    $ENV{'TEST_NGINX_PG_SOCKET_' . uc $name} = $server->{socket};
    $ENV{'TEST_NGINX_PG_PORT_' . uc $name} = $server->{port};

    return $server;
}


sub sql_on { return Scale::Postgres::sql_on(@_) }
sub promote { Scale::Postgres::promote(@_) }
sub rejoin { Scale::Postgres::rejoin(@_) }
sub caught_up { Scale::Postgres::caught_up($_[0], $_[1] // 'primary') }
sub configure { Scale::Postgres::configure(@_) }
sub kill_server { Scale::Postgres::kill_server(@_) }
sub stop_server { Scale::Postgres::shut_down(@_) }
sub signal_server { Scale::Postgres::signal_server(@_) }
sub access { Scale::Postgres::access(@_) }
sub start_server
{
    Scale::Postgres::launch(Scale::Postgres::named($_[0]));
}


# how often statements LIKE this were executed

sub statements
{
    my ($like) = @_;

    $like =~ s/'/''/g;

    return sql("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"
               . " WHERE query LIKE '$like'");
}


# memcached: { port, pid } of number $n, which is started if it is new.  Number
# 0, the one meant where no number is given, is TEST_NGINX_MC_PORT's, until
# another_memcached(): it belongs to one nginx.  memcached_at() starts it at an
# address and a port, memcached_as() with other options (see there),
# change_memcached() once more.

sub memcached_at
{
    my ($number, $address, $port, @options) = @_;

    return Scale::Memcached::start($number, address => $address,
                                   port => $port, options => \@options);
}


sub another_memcached
{
    $ENV{TEST_NGINX_MC_PORT} = memcached(Scale::Memcached::count())->{port};
}


sub memcached { return Scale::Memcached::server_or_start(@_) }
sub memcached_as { return Scale::Memcached::start(@_) }
sub change_memcached { Scale::Memcached::change(@_) }
sub restart_memcached { Scale::Memcached::restart(@_) }
sub stop_memcached { Scale::Memcached::kill_one(@_) }
sub signal_memcached { Scale::Memcached::signal(@_) }


# What number $n, or TEST_NGINX_MC_PORT's, says to commands: lines.  The keys
# that it holds; what it knows of them is the rest of "lru_crawler metadump all".

sub memcached_says
{
    my ($number, @commands) = @_;

    return Scale::Memcached::says(defined $number ? memcached($number)->{port}
                                                  : $ENV{TEST_NGINX_MC_PORT},
                                  @commands);
}


sub memcached_keys
{
    return map { /^key=(\S+)/ ? $1 =~ s/%(..)/chr hex $1/ger : () }
               memcached_says($_[0], 'lru_crawler metadump all');
}


# The name server: dns('a.test', 1, '127.0.0.2') gives an address that lives a
# second, dns('a.test') takes the name away.

sub dns { Scale::Dns::set(@_ > 1 ? @_ : (@_, 0)) }


# Certificates: { crt, key }.

sub authority { return Scale::Tls::authority($dir, @_) }
sub certificate { return Scale::Tls::certificate($dir, @_) }


# nginx with master and workers: { pid, port, dir, error_log }

sub nginx { return Scale::Nginx::start($dir, @_) }
sub workers { return Scale::Nginx::workers(@_) }
sub reload { Scale::Nginx::reload(@_) }


# the lines of its error.log that match

sub log_lines
{
    my ($nginx, $pattern) = @_;

    return grep { /$pattern/ }
                split /\n/, Scale::Process::slurp($nginx->{error_log});
}


# the back ends as most tests want them

sub http_config
{
    return <<'END';
    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    scale_cache hot {
        server   127.0.0.1:$TEST_NGINX_MC_PORT;
        timeout  50ms;
    }
END
}


# The client; goes to the last Scale::nginx(), else to the blocks' nginx.

sub get
{
    my ($path, %headers) = @_;

    return request('GET', $path, undef, %headers);
}


sub request { return receive(begin(@_)) }


# a request whose answer is fetched later by receive(), or never

sub begin
{
    my ($method, $path, $body, %headers) = @_;

    $headers{':port'} //= Scale::Nginx::latest_port()
                          // $ENV{TEST_NGINX_PORT};

    return Scale::Http::start($method, $path, $body, %headers);
}


sub receive { return Scale::Http::finish(@_) }


# "code status n" of an answer with X-Cache; "-" where there is none

sub seen
{
    my ($answer) = @_;
    my ($n) = $answer->{body} =~ /"n":(\d+)/;

    return join ' ', $answer->{code},
                     $answer->{headers}{'x-cache'} || '-', $n // '-';
}


sub wait_for { return Scale::Process::wait_for(@_) }
sub dir { return $dir }
sub root { return $root }


# an [alert] that this test causes itself

sub expect_in_log
{
    push @expected, @_;
}


sub complaints
{
    my @bad;

    for my $log ($ENV{TEST_NGINX_ERROR_LOG}, Scale::Nginx::error_logs()) {
        for my $line (split /\n/, Scale::Process::slurp($log)) {
            next if $line !~ /\[(?:alert|emerg)\]|runtime error:
                              |(?:Address|Leak)Sanitizer/x;
            next if grep { $line =~ $_ } @expected;

            push @bad, $line;
        }
    }

    return @bad;
}


END {
    if (defined $owner && $$ == $owner) {
        my $status = $?;

        $SIG{$_} = 'IGNORE' for qw(HUP INT TERM);

        Test::Nginx::Util::stop_nginx()
            if Test::Nginx::Util->can('stop_nginx');
        Scale::Nginx::halt();
        Scale::Aws::halt();
        Scale::Memcached::halt();
        Scale::Patroni::halt();
        Scale::Postgres::halt();
        Scale::Dns::halt();

        my @bad = complaints();

        print STDERR map { "# error.log: $_\n" } @bad;

        if ($ENV{SCALE_KEEP}) {
            print STDERR "# left: $dir\n";
        } else {
            remove_tree($dir);
        }

        $? = $status || (@bad ? 1 : 0);
    }
}


1;
