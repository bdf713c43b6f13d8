package Scale::Bench;

# What the benchmarks of t/bench share: who runs where, the two clients, and
# rounds.  A run of a variant is { rate, cpu, ... }, see load().
#
# ROUNDS and SECONDS say how many rounds there are, and how long each variant
# runs in one.

use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(max sum0);
use Scale;
use Scale::Bench::Machine qw(cpu machine_time);
use Scale::Load;
use Scale::Postgres;

our @EXPORT_OK = qw(measure load pgbench rounds seconds core);

# Many short rounds: what else the machine does lasts for seconds, so that a
# ratio of neighbours is that of one moment.

my $rounds = $ENV{ROUNDS} || 20;
my $seconds = $ENV{SECONDS} || 1;
my $warm = 0.3;


# The server that is measured has a core to itself as far as the back ends
# allow, and so has the client, which would else be slowed down by what it
# measures.  The back ends may use both: on one of them they would compete with
# the server of some variants and with the client of the others, and leave
# pgbench, which has no server, half a machine.

my %core = (server => '0', client => '1', backend => '0-1');


sub rounds { return $rounds }
sub seconds { return $seconds }
sub core { return $core{$_[0]} }


# Variants are { name, run }.  They take turns, so that a noisy minute hits them
# all.  Yields the runs by name, and why a variant did not run: it has no turn
# after that.

sub measure
{
    my (@variants) = @_;
    my (%runs, %failed);

    for my $round (1 .. $rounds) {
        for my $variant (grep { !$failed{ $_->{name} } } @variants) {
            my $name = $variant->{name};
            my $run = eval { $variant->{run}->() };

            if ($run) {
                push @{ $runs{$name} }, $run;
                progress($round, $name, sprintf '%9.0f/s', $run->{rate});

            } else {
                $failed{$name} = $@;
                delete $runs{$name};
                progress($round, $name, "failed: $@");
            }
        }
    }

    return \%runs, \%failed;
}


sub progress
{
    my ($round, $name, $what) = @_;

    printf STDERR "round %d of %d  %-36s %s\n", $round, $rounds, $name, $what;
}


# Requests over 64 connections; dies if an answer is wrong, or half of them are
# refusals: these do not count for the rate, and their share is told.  Options:
# port, path, method, body, keys, distribution, expected, rate (an open loop),
# seconds, and processes: { name => pid }, whose time is told beside the client's in
# microseconds per request.

sub load
{
    my (%option) = @_;

    my %letter = (keys => 'k', distribution => 'd', expected => 'e',
                  rate => 'r', body => 'b', method => 'M');
    my %ask = map { ($letter{$_} => $option{$_}) }
              grep { defined $option{$_} } keys %letter;

    my ($run, $account) = account($option{processes}, sub {
        Scale::Load::load(c => 64, t => $option{seconds} // $seconds,
                          w => $warm, %ask, core => $core{client},
                          to => ["127.0.0.1:$option{port}", $option{path}]);
    });

    my %status = %{ $run->{status} };
    my $refused = sum0(map { $status{$_} } grep { !/^2/ } keys %status);

    die "$run->{all} answers, $run->{errors} errors, $run->{wrong} of"
        . " $run->{sampled} wrong, status ", join(', ', sort keys %status), "\n"
        if $run->{errors} || $run->{wrong} || 2 * $refused >= $run->{requests};

    my $share = $refused / $run->{requests};

    return { %$run, %{ per_request($account, $run->{all}) },
             rate => $run->{rate} * (1 - $share), refused => $share };
}


# Statements of 8 clients, prepared.  Options: script, keys, host (a directory,
# or an address), define, processes.

sub pgbench
{
    my (%option) = @_;

    my $define = $option{define} // {};

    my @command = ('taskset', '-c', $core{client},
        Scale::Postgres::bin() . '/pgbench', qw(-n -M prepared -c 8 -j 1),
        '-T', $seconds, '-f', $option{script}, '-h', $option{host},
        '-p', $ENV{TEST_NGINX_PG_PORT}, '-U', 'api',
        (map { ('-D', "$_=$define->{$_}") } sort keys %$define), 'app');

    my ($text, $account) = account($option{processes}, sub {
        output_of(@command);
    });

    my ($rate) = $text =~ /^tps = (\S+)/m;
    my ($all) = $text =~ /^number of transactions actually processed: (\d+)/m;

    die "pgbench: $text\n" if !$rate || $text !~ /^number of failed .* 0 /m;

    return { rate => $rate, %{ per_request($account, $all) } };
}


# { cpu => { name => microseconds }, others => the share of the machine that was
# at the disposal of none of them }

sub per_request
{
    my ($account, $all) = @_;

    my ($cpu, $machine) = @$account{qw(cpu machine)};

    return { cpu => { map { $_ => 1e6 * $cpu->{$_} / $all } keys %$cpu },
             others => max(0, $machine->{busy} - sum0(values %$cpu))
                       / $machine->{all} };
}


# what a client says, and { cpu, machine } in seconds of processor time

sub account
{
    my ($processes, $client_says) = @_;

    my %before = map { $_ => cpu($processes->{$_}) } keys %$processes;
    my $client = client_time();
    my $machine = machine_time();

    my $said = $client_says->();

    my $now = machine_time();
    my %cpu = map { $_ => cpu($processes->{$_}) - $before{$_} }
              keys %$processes;

    $cpu{client} = client_time() - $client;

    return $said, { cpu => \%cpu,
                    machine => { map { $_ => $now->{$_} - $machine->{$_} }
                                 keys %$now } };
}


sub output_of
{
    my (@command) = @_;

    open my $out, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $text = <$out>;
    close $out or die "@command fails: $text\n";

    return $text;
}


sub client_time
{
    my (undef, undef, $user, $system) = times;

    return $user + $system;
}


1;
