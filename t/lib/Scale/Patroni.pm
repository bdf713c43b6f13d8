package Scale::Patroni;

# Three PostgreSQL servers of a cluster that Patroni keeps: members a, b and c,
# which agree by raft, so that nothing else is needed; one of the standbys is
# synchronous.  Patroni itself runs as the servers' user.

use strict;
use warnings;
use JSON::PP qw(decode_json encode_json);
use Scale::Http;
use Scale::Postgres;
use Scale::Process qw(spawn stop alive free_port wait_for slurp server_user);

my $start_patience = 60;
my $stop_patience = 20;
my $program = '/usr/bin/patroni';
my @names = qw(a b c);
my %members;    # by name: { port, dir, bin, log, socket } as Scale::Postgres
                # has them, and { patroni, rest, raft, conf, watch, seen }


# $dir is new, and its path short; yields the members

sub start
{
    my ($root, $dir) = @_;

    -x $program or die "Patroni is not installed; see make ha\n";

    Scale::Postgres::make_home($dir);

    %members = map { ($_ => member($dir, $_)) } @names;

    for my $name (@names) {
        Scale::Postgres::adopt($name, $members{$name});
        configure($name);
        launch($name);
    }

    Scale::Postgres::furnish($root, $members{ settled() });

    return %members;
}


sub member
{
    my ($dir, $name) = @_;

    my $port = free_port();

    Scale::Postgres::make_home("$dir/$name");

    return { dir => "$dir/$name", port => $port, rest => free_port(),
             raft => '127.0.0.1:' . free_port(), log => "$dir/$name.log",
             conf => "$dir/$name.json", bin => Scale::Postgres::bin(),
             socket => "$dir/$name/.s.PGSQL.$port" };
}


# JSON is YAML, too.  The times are as short as Patroni takes them.

sub configure
{
    my ($name) = @_;

    my $one = $members{$name};
    my @partners = map { $members{$_}{raft} } grep { $_ ne $name } @names;
    my $rest = "127.0.0.1:$one->{rest}";
    my $postgres = "127.0.0.1:$one->{port}";
    my $yes = JSON::PP::true;

    my %conf = (
        scope => 'scale',
        name => $name,
        restapi => { listen => $rest, connect_address => $rest },
        raft => { data_dir => "$one->{dir}/raft", self_addr => $one->{raft},
                  partner_addrs => \@partners },
        watchdog => { mode => 'off' },
        bootstrap => {
            dcs => {
                ttl => 6, loop_wait => 1, retry_timeout => 3,
                synchronous_mode => $yes,
                postgresql => { use_pg_rewind => $yes },
            },
            initdb => [{ encoding => 'UTF8' }, 'no-locale'],
        },
        postgresql => {
            listen => $postgres,
            connect_address => $postgres,
            use_unix_socket => $yes,
            data_dir => "$one->{dir}/data",
            bin_dir => $one->{bin},
            pgpass => "$one->{dir}/pgpass",
            authentication => { map { ($_ => { username => 'postgres' }) }
                                    qw(superuser replication rewind) },
            pg_hba => ['local all all trust',
                       'local replication all trust',
                       'host all all 127.0.0.1/32 trust',
                       'host replication all 127.0.0.1/32 trust'],
            parameters => {
                unix_socket_directories => $one->{dir},
                fsync => 'off',
                logging_collector => 'off',
                log_line_prefix => '%m [%p] %a ',
            },
        },
    );

    open my $out, '>', $one->{conf} or die "$one->{conf}: $!\n";
    print $out encode_json(\%conf);
    close $out;
}


# The system's own Python, whatever else is first in PATH.

sub launch
{
    my ($name) = @_;

    my $one = $members{$name};
    my ($user) = server_user();

    $one->{patroni} = spawn({ user => $user, log => $one->{log},
                              dies => 'TERM' },
                            qw(env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8),
                            $program, $one->{conf});
}


# The leader's name, as soon as all members run and Patroni has made one of
# the standbys the synchronous one: no other may become leader.

sub settled
{
    return wait_for(\&steady_leader, $start_patience)
           // die "Patroni does not settle:\n",
                  map { slurp($members{$_}{log}) } @names;
}


# three that run have three roles: "leader", "sync_standby", "replica"

sub steady_leader
{
    my %by_role = map { ($_->{role} => $_->{name}) }
                  grep { $_->{state} eq 'running' } cluster();

    return if keys %by_role != 3;

    my $streaming = eval {
        Scale::Postgres::sql_on($by_role{leader}, <<'END', 'postgres');
SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'
END
    };

    return ($streaming // 0) == 2 ? $by_role{leader} : undef;
}


# the members as the first that answers knows them

sub cluster
{
    for my $name (@names) {
        my $answer = Scale::Http::request('GET', '/cluster', undef,
                                          ':port' => $members{$name}{rest},
                                          ':timeout' => 5);

        return @{ decode_json($answer->{body})->{members} }
            if $answer->{code} == 200;
    }

    return;
}


# a member is its Patroni and its PostgreSQL: all of that at once

sub signal_member
{
    my ($name, $signal) = @_;

    kill $signal => processes($members{$name});
}


sub kill_member
{
    my ($name) = @_;

    my $patroni = $members{$name}{patroni};
    my @pids = processes($members{$name});

    kill KILL => @pids;
    wait_for(sub { !alive($patroni) && !grep { kill 0 => $_ } @pids }, 10)
        or die "$name is still there\n";
}


sub processes
{
    my ($one) = @_;

    my $postmaster = postmaster($one);
    my @children = split ' ',
                   slurp("/proc/$postmaster/task/$postmaster/children");

    return grep { $_ } $one->{patroni}, $postmaster, @children;
}


# 0 if there is none; a file left behind may name a process of somebody else

sub postmaster
{
    my ($one) = @_;

    my $data = "$one->{dir}/data";
    my ($pid) = slurp("$data/postmaster.pid") =~ /\A(\d+)/ or return 0;

    return (readlink("/proc/$pid/cwd") // '') eq $data ? $pid : 0;
}


# as an operator does it: to the synchronous standby

sub switch_over
{
    my ($from) = @_;

    my ($to) = map { $_->{name} }
               grep { $_->{role} eq 'sync_standby' } cluster();
    my $answer = Scale::Http::request(
        'POST', '/switchover', encode_json({ leader => $from,
                                             candidate => $to }),
        ':port' => $members{$from}{rest}, ':timeout' => $start_patience);

    $answer->{code} == 200 or die "Patroni does not switch over: "
                                  . "$answer->{code} $answer->{body}\n";
}


# Notes every 20 ms whether these are in recovery, from connections that a
# promotion does not end.

sub watch
{
    my (@of) = @_;

    for my $one (map { $members{$_} } @of) {
        $one->{seen} = "$one->{dir}.seen";
        unlink $one->{seen};

        open my $out, '>', "$one->{dir}.sql" or die "$one->{dir}.sql: $!\n";
        print $out 'SELECT extract(epoch FROM clock_timestamp()),',
                   " pg_is_in_recovery() \\watch 0.02\n";
        close $out;

        $one->{watch} = spawn({ log => $one->{seen} },
                              Scale::Postgres::psql('postgres', $one),
                              '-f', "$one->{dir}.sql");
    }
}


# (name, time) of the one that has been promoted: when it was last seen in
# recovery.  The watch ends.

sub promoted
{
    my ($patience) = @_;

    my @watched = grep { $members{$_}{watch} } @names;

    my $name = wait_for(sub {
        (grep { slurp($members{$_}{seen}) =~ /^[\d.]+\|f$/m } @watched)[0]
    }, $patience) // return;

    my ($time) = slurp($members{$name}{seen})
                 =~ /^([\d.]+)\|t\n(?:[^|\n]*\n)*[\d.]+\|f$/m;

    stop(delete $members{$_}{watch}, 'KILL') for @watched;

    return ($name, $time);
}


# All are told before any is waited for, lest the last of them be promoted.

sub halt
{
    my @running = grep { $_->{patroni} && alive($_->{patroni}) }
                  values %members;

    kill CONT => map { processes($_) } @running;
    kill TERM => map { $_->{patroni} } @running;
    stop($_->{patroni}, 'TERM', $stop_patience) for @running;

    kill QUIT => grep { $_ } map { postmaster($_) } values %members;
}


1;
