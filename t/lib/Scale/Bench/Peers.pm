package Scale::Bench::Peers;

# The servers beside ours: built from t/bench/peers, started, waited for.

use strict;
use warnings;
use Exporter qw(import);
use File::Copy qw(copy);
use File::Path qw(make_path);
use Scale;
use Scale::Bench qw(core);
use Scale::Postgres;
use Scale::Process qw(spawn stop alive wait_for slurp);

our @EXPORT_OK = qw(go node);

my @pids;


# Debian's packages of Go are a GOPATH.  One thread runs Go, as one runs an
# nginx worker.

sub go
{
    my ($port) = @_;

    my $to = build_dir();

    local @ENV{qw(GO111MODULE GOPATH GOCACHE GOFLAGS)}
        = ('off', '/usr/share/gocode', "$to/go-cache", '');
    local $ENV{GOMAXPROCS} = 1;

    Scale::Postgres::quietly('go', 'build', '-o', "$to/peer",
                             Scale::root() . '/t/bench/peers/peer.go');

    return listener($port, "$to/peer", $port, postgres(),
                    $ENV{TEST_NGINX_MC_PORT});
}


sub node
{
    my ($port) = @_;

    my $to = build_dir() . '/node';
    my $from = Scale::root() . '/t/bench/peers';

    make_path($to);

    for my $file (qw(package.json peer.js)) {
        copy("$from/$file", "$to/$file") or die "$to/$file: $!\n";
    }

    Scale::Postgres::quietly('npm', 'install', '--prefix', $to,
                             qw(--no-package-lock --no-audit --no-fund));

    local $ENV{NODE_ENV} = 'production';

    return listener($port, 'node', "$to/peer.js", $port, postgres());
}


sub build_dir
{
    return Scale::root() . '/build/bench';
}


sub postgres
{
    my ($directory) = $ENV{TEST_NGINX_PG_SOCKET} =~ m{^(.*)/};

    return $directory, $ENV{TEST_NGINX_PG_PORT};
}


sub listener
{
    my ($port, @command) = @_;

    my $log = Scale::dir() . "/peer-$port";
    my $pid = spawn({ log => $log }, 'taskset', '-c', core('server'),
                    @command);

    push @pids, $pid;

    wait_for(sub { !alive($pid) || IO::Socket::INET->new(
                       PeerAddr => "127.0.0.1:$port") }, 20);
    alive($pid) or die "$command[0] does not start:\n" . slurp($log);

    return $pid;
}


END {
    stop($_, 'KILL') for @pids;
}


1;
