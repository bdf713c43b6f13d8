package Scale::Postgres;

# A private PostgreSQL: one per test file, copied from a template that initdb
# makes once per version.

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
my $server;     # { pid, port, dir, bin, log }


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
    my ($root, $bin) = @_;

    my $home = template_home($root);
    my $dir = "$home/template-" . version($bin) . "-$template_version";

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

    local $?;

    my $pid = open3(my $in, my $out, undef, @command);
    close $in;
    my $said = join '', <$out>;
    waitpid $pid, 0;

    die "@command:\n$said" if $? != 0;

    return $said;
}


# $dir is new, and its path short: the socket's address has room for 107 bytes

sub start
{
    my ($root, $dir) = @_;

    my $bin = bin();
    my $port = free_port();
    my ($user) = server_user();

    mkdir $dir, 0711 or die "$dir: $!\n";
    chown scalar getpwnam($user), scalar getgrnam($user), $dir
        if defined $user;

    quietly(as_server(), 'cp', '-a', template($root, $bin), "$dir/data");

    my %setting = (
        port                    => $port,
        listen_addresses        => '127.0.0.1',
        unix_socket_directories => $dir,
        unix_socket_permissions => '0777',
        fsync                   => 'off',
        full_page_writes        => 'off',
        max_connections         => 200,
        shared_preload_libraries     => 'pg_stat_statements',
        'pg_stat_statements.track'   => 'all',
        logging_collector       => 'off',
        log_line_prefix         => '%m [%p] %a ',
    );

    $server = { port => $port, dir => $dir, bin => $bin,
                log => "$dir.log",
                command => ["$bin/postgres", '-D', "$dir/data",
                            map { ('-c', "$_=$setting{$_}") }
                            sort keys %setting] };
    launch();

    sql('CREATE ROLE api LOGIN', 'postgres');
    sql('CREATE DATABASE app', 'postgres');
    quietly(psql('app'), '-f', "$root/conf/sql/scale.sql", map { ('-c', $_) }
            'CREATE EXTENSION pg_stat_statements',
            'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO api',
            'ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO api');

    return { port => $port, socket => "$dir/.s.PGSQL.$port" };
}


sub launch
{
    my ($user) = server_user();

    $server->{pid} = spawn({ user => $user, log => $server->{log},
                             dies => 'QUIT' }, @{ $server->{command} });

    wait_for(sub { !alive($server->{pid}) || ready() }, $start_patience);

    ready() or die "PostgreSQL does not start:\n" . slurp($server->{log});
}


sub ready
{
    local $?;

    return system("$server->{bin}/pg_isready", '-q', '-h', $server->{dir},
                  '-p', $server->{port}) == 0;
}


sub psql
{
    my ($database) = @_;

    return ("$server->{bin}/psql", '-qAtX', '-v', 'ON_ERROR_STOP=1',
            '-h', $server->{dir}, '-p', $server->{port}, '-U', 'postgres',
            '-d', $database // 'app');
}


sub sql
{
    my ($text, $database) = @_;

    $server or die "this test did not ask for PostgreSQL\n";

    local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
    my $out = quietly(psql($database), '-c', $text);
    chomp $out;

    return $out;
}


sub pid
{
    return $server->{pid};
}


# immediate: nobody needs the data

sub halt
{
    stop($server->{pid}, 'QUIT') if $server;
}


# as an administrator does

sub shut_down
{
    stop($server->{pid}, 'INT');
}


sub restart
{
    shut_down();
    launch();
}


1;
