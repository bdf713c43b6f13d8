package Scale::Postgres;

# A private PostgreSQL: one per test file, copied from a template that initdb
# makes once per version, and the replicas it asks for.

use strict;
use warnings;
use Fcntl qw(:flock);
use File::Path qw(make_path);
use IPC::Open3 qw(open3);
use Scale::Process qw(spawn stop alive free_port wait_for slurp as_user
                      server_user);

# The template is made anew when this changes.
my $template_version = 1;

my $start_patience = 60;
my $server;     # { pid, port, dir, bin, log, command }
my %servers;    # by name: $server is "primary"
my $databases = 0;  # beside it


sub bin
{
    my ($bin) = sort { version($b) <=> version($a) }
                grep { -x "$_/postgres" } glob '/usr/lib/postgresql/*/bin';

    return $bin // die "PostgreSQL is not installed\n";
}


sub version
{
    return $_[0] =~ m{/(\d+)/bin$} ? $1 : 0;
}


sub as_server
{
    my ($user) = server_user();

    return defined $user ? ('setpriv', as_user($user)) : ();
}


# A checkout under /root is closed to the server's user, so root's template is
# elsewhere; anybody may have been in /var/tmp before.

sub template_home
{
    my ($root) = @_;

    my $home = $> == 0 ? '/var/tmp/ngx_scale-test-0' : "$root/build/postgres";

    if (!-e $home) {
        make_path($home, { mode => 0700 });
        chown scalar getpwnam($_), scalar getgrnam($_), $home
            for server_user();
    }

    my $owner = (lstat $home)[4];
    my ($user) = server_user();

    -d _ && !-l $home && $owner == (defined $user ? getpwnam $user : $>)
        or die "$home belongs to somebody else; remove it\n";

    return $home;
}


sub template
{
    my ($root, $bin, $number) = @_;

    my $home = template_home($root);
    my $dir = "$home/template-" . version($bin) . "-$template_version"
              . ($number ? "-$number" : '');

    open my $lock, '>>', "$home/lock" or die "$home/lock: $!\n";
    flock $lock, LOCK_EX or die "$home/lock: $!\n";

    return $dir if -d $dir;

    quietly(as_server(), 'rm', '-rf', "$dir.new");
    quietly(as_server(), "$bin/initdb", '-D', "$dir.new", '-A', 'trust',
            '-U', 'postgres', '--no-sync', '--no-locale', '-E', 'UTF8');
    rename "$dir.new", $dir or die "$dir: $!\n";

    return $dir;
}


# runs a program, dies with what it said if it fails

sub quietly
{
    my (@command) = @_;

    my ($said, $status) = said(@command);

    die "@command:\n$said" if $status != 0;

    return $said;
}


# The exit status of this process is not that of the command; and a die() in
# the scope of "local $?" ends a test with status 0.

sub said
{
    my (@command) = @_;

    local $?;

    my $pid = open3(my $in, my $out, undef, @command);
    close $in;
    my $said = join '', <$out>;
    waitpid $pid, 0;

    return ($said, $?);
}


# $dir is new, and its path short: the socket's address has room for 107 bytes

sub start
{
    my ($root, $dir, %setting) = @_;

    $server = primary($root, $dir, 'primary', 0, %setting);

    return $server;
}


# One more primary beside the first.  Its template is its own: a copy of the
# same one would pass for the same cluster.

sub database
{
    my ($root, $name) = @_;

    my $dir = named('primary')->{dir} =~ s{[^/]+$}{}r . $name;

    return primary($root, $dir, $name, ++$databases);
}


sub primary
{
    my ($root, $dir, $name, $number, %setting) = @_;

    my $bin = bin();
    my $one = $servers{$name} = describe($bin, $dir, free_port(), %setting);

    make_home($dir);
    quietly(as_server(), 'cp', '-a', template($root, $bin, $number),
            "$dir/data");
    launch($one);
    furnish($root, $one);

    return $one;
}


# A primary whose data stays in $home, where the next run finds it.  What one
# version of PostgreSQL wrote is of no use to another.

sub kept
{
    my ($root, $home, $dir, %setting) = @_;

    my $bin = bin();
    my $data = "$home/" . version($bin);
    my $one = $server = $servers{primary}
            = describe($bin, $dir, free_port(), data => $data, %setting);

    $one->{keep} = 1;
    make_home($_) for grep { !-d } $home, $dir;

    if (!-d $data) {
        quietly(as_server(), 'rm', '-rf', "$data.new");
        quietly(as_server(), 'cp', '-a', template($root, $bin), "$data.new");
        rename "$data.new", $data or die "$data: $!\n";
    }

    launch($one);
    furnish($root, $one);

    return $one;
}


# the directory of a server, which is its user's

sub make_home
{
    my ($dir) = @_;

    my ($user) = server_user();

    make_path($dir, { mode => 0711 });
    chown scalar getpwnam($user), scalar getgrnam($user), $dir
        if defined $user;
}


# what every test finds in a primary: database app, role api, scale.sql

sub furnish
{
    my ($root, $one) = @_;

    my $there = quietly(psql('postgres', $one), '-c',
                        'SELECT rolname FROM pg_roles'
                        . ' UNION ALL SELECT datname FROM pg_database');
    my @missing = (('CREATE ROLE api LOGIN') x ($there !~ /^api$/m),
                   ('CREATE DATABASE app') x ($there !~ /^app$/m));

    quietly(psql('postgres', $one), map { ('-c', $_) } @missing) if @missing;
    quietly(psql('app', $one), '-f', "$root/conf/sql/scale.sql",
            map { ('-c', $_) }
            'CREATE EXTENSION IF NOT EXISTS pg_stat_statements',
            'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO api',
            'ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO api');
}


# a server that somebody else starts and stops: { dir, port, bin }

sub adopt
{
    my ($name, $one) = @_;

    $servers{$name} = $one;
}


# settings given on the command line win over all others

sub describe
{
    my ($bin, $dir, $port, %more) = @_;

    my $data = delete $more{data} // "$dir/data";
    my %setting = (
        port                    => $port,
        listen_addresses        => '127.0.0.1',
        unix_socket_directories => $dir,
        unix_socket_permissions => '0777',
        fsync                   => 'off',
        wal_log_hints           => 'on',
        wal_keep_size           => '512MB',
        max_connections         => 200,
        shared_preload_libraries     => 'pg_stat_statements',
        'pg_stat_statements.track'   => 'all',
        logging_collector       => 'off',
        log_line_prefix         => '%m [%p] %a ',
        %more,
    );

    return { port => $port, dir => $dir, bin => $bin, log => "$dir.log",
             socket => "$dir/.s.PGSQL.$port",
             command => ["$bin/postgres", '-D', $data,
                         map { ('-c', "$_=$setting{$_}") }
                         sort keys %setting] };
}


sub launch
{
    my ($one) = (@_, $server);
    my ($user) = server_user();

    $one->{pid} = spawn({ user => $user, log => $one->{log}, dies => 'QUIT' },
                        @{ $one->{command} });

    wait_for(sub { !alive($one->{pid}) || ready($one) }, $start_patience);

    ready($one) or die "PostgreSQL does not start:\n" . slurp($one->{log});
}


sub ready
{
    my ($one) = @_;

    local $?;

    return system("$one->{bin}/pg_isready", '-q', '-h', $one->{dir},
                  '-p', $one->{port}) == 0;
}


sub psql
{
    my ($database, $one) = @_;

    $one //= $server;

    return ("$one->{bin}/psql", '-qAtX', '-v', 'ON_ERROR_STOP=1',
            '-h', $one->{dir}, '-p', $one->{port}, '-U', 'postgres',
            '-d', $database // 'app');
}


sub sql
{
    my ($text, $database) = @_;

    $server or die "this test did not ask for PostgreSQL\n";

    return sql_on('primary', $text, $database);
}


sub sql_on
{
    my ($name, $text, $database) = @_;

    local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
    my $out = quietly(psql($database, named($name)), '-c', $text);
    chomp $out;

    return $out;
}


sub named
{
    return $servers{ $_[0] } // die "there is no server $_[0]\n";
}


# A streaming replica of $from; more settings are its own.

sub replica
{
    my ($name, $from, %setting) = @_;

    my $source = named($from);
    my $dir = "$source->{dir}/../$name";
    my $port = delete $setting{port} // free_port();

    $dir =~ s{[^/]+/\.\./}{};

    make_home($dir);
    quietly(as_server(), "$source->{bin}/pg_basebackup", '-h', $source->{dir},
            '-p', $source->{port}, '-U', 'postgres', '-D', "$dir/data",
            qw(-X stream -c fast --no-sync));

    my $one = $servers{$name} = describe($source->{bin}, $dir, $port,
                                         %setting);
    become_standby($one, $source, $name);
    launch($one);
    wait_for(sub { streams($name, $from) }, $start_patience)
        or die "$name does not stream:\n" . slurp($one->{log});

    return $one;
}


sub become_standby
{
    my ($one, $source, $name) = @_;

    my $data = "$one->{dir}/data";

    open my $out, '>>', "$data/postgresql.auto.conf" or die "$data: $!\n";
    print $out "primary_conninfo = '", conninfo($source, $name), "'\n",
               "recovery_target_timeline = 'latest'\n";
    close $out;

    quietly(as_server(), 'touch', "$data/standby.signal");
}


sub conninfo
{
    my ($source, $name) = @_;

    return "host=$source->{dir} port=$source->{port} user=postgres"
           . " application_name=$name";
}


sub streams
{
    my ($name, $from) = @_;

    return sql_on($from, 'SELECT count(*) FROM pg_stat_replication'
                         . " WHERE application_name = '$name'"
                         . " AND state = 'streaming'", 'postgres') > 0;
}


# takes effect without a restart; returns when it has

sub configure
{
    my ($name, %setting) = @_;

    for my $key (sort keys %setting) {
        sql_on($name, "ALTER SYSTEM SET $key = '$setting{$key}'", 'postgres');
    }

    sql_on($name, 'SELECT pg_reload_conf()', 'postgres');

    for my $key (sort keys %setting) {
        wait_for(sub { sql_on($name, "SHOW $key", 'postgres')
                       eq $setting{$key} }, 10)
            or die "$name: $key is not set\n";
    }
}


# who may connect, as in pg_hba.conf; the superuser may, by the socket

sub access
{
    my ($name, @lines) = @_;

    my $path = named($name)->{dir} . '/data/pg_hba.conf';

    open my $out, '>', $path or die "$path: $!\n";
    print $out "$_\n" for 'local all postgres trust',
                          'local replication postgres trust', @lines;
    close $out;

    sql_on($name, 'SELECT pg_reload_conf()', 'postgres');
}


# returns when it takes writes

sub promote
{
    my ($name) = @_;

    sql_on($name, 'SELECT pg_promote(true, 30)', 'postgres');
}


# a server of the past, which is stopped, becomes a standby of another

sub rejoin
{
    my ($name, $from) = @_;

    my ($one, $source) = (named($name), named($from));

    quietly(as_server(), "$one->{bin}/pg_rewind", '-D', "$one->{dir}/data",
            '--no-sync', '--source-server', "host=$source->{dir}"
            . " port=$source->{port} user=postgres dbname=postgres");
    become_standby($one, $source, $name);
    launch($one);
    wait_for(sub { streams($name, $from) }, $start_patience)
        or die "$name does not stream:\n" . slurp($one->{log});
}


# returns when it has replayed what $from has flushed

sub caught_up
{
    my ($name, $from) = @_;

    my $lsn = sql_on($from, 'SELECT pg_current_wal_flush_lsn()', 'postgres');

    wait_for(sub { sql_on($name, "SELECT pg_last_wal_replay_lsn() >= '$lsn'",
                          'postgres') eq 't' }, $start_patience)
        or die "$name does not catch up with $from\n";
}


# kill -9, of its backends too: a dying postmaster leaves them

sub kill_server
{
    my ($name) = @_;

    my $pid = named($name)->{pid};
    my @children = split ' ', slurp("/proc/$pid/task/$pid/children");

    kill KILL => $pid, @children;
    wait_for(sub { !alive($pid) && !grep { kill 0 => $_ } @children }, 10);
}


sub signal_server
{
    my ($name, $signal) = @_;

    my $pid = named($name)->{pid};

    kill $signal => $pid,
         split ' ', slurp("/proc/$pid/task/$pid/children");
}


sub pid
{
    return $server->{pid};
}


# all its processes

sub pids
{
    my $pid = pid();

    return $pid, split ' ', slurp("/proc/$pid/task/$pid/children");
}


# immediate: nobody needs the data, unless it is kept

sub halt
{
    for my $one (values %servers) {
        next if !$one->{pid};
        $one->{keep} ? leave() : stop($one->{pid}, 'QUIT');
    }
}


# what is kept is written first, which may take a while

sub leave
{
    stop($server->{pid}, 'INT', 300);
}


# as an administrator does

sub shut_down
{
    stop((@_ ? named($_[0]) : $server)->{pid}, 'INT');
}


sub restart
{
    shut_down();
    launch();
}


1;
