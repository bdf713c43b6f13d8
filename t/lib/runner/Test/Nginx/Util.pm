package Test::Nginx::Util;

# The server side of the runner: settings, nginx.conf, start, stop, error.log.
#
# A small implementation of what t/*.t use of Test::Nginx; t/lib/Scale.pm adds
# it at the end of @INC, so an installed Test::Nginx comes first.  Sections and
# functions mean what they mean there, with the same number of assertions.

use strict;
use warnings;
use Exporter qw(import);
use Fcntl qw(SEEK_SET);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Test::Builder;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(
    bail_out clear_server_root expand wait_until parse_time slurp new_block
    write_conf
    write_user_files start_nginx stop_nginx nginx_runs nginx_version
    skip_log log_lines keep_log
);

our $NginxBinary = $ENV{TEST_NGINX_BINARY} || 'nginx';
our $ServRoot = $ENV{TEST_NGINX_SERVROOT} || "$ENV{PWD}/t/servroot";
our $ServerPort = $ENV{TEST_NGINX_SERVER_PORT} || $ENV{TEST_NGINX_PORT}
                  || 1984;
our $ServerPortForClient = $ENV{TEST_NGINX_CLIENT_PORT} || $ServerPort;
our $ServerAddr = '127.0.0.1';
our $ServerName = 'localhost';
our $HtmlDir = "$ServRoot/html";
our $LogDir = "$ServRoot/logs";
our $ErrLogFile = "$LogDir/error.log";
our $ConfFile = "$ServRoot/conf/nginx.conf";
our $PidFile = "$LogDir/nginx.pid";

our $LogLevel = $ENV{TEST_NGINX_LOG_LEVEL} || 'debug';
our $MasterProcess = $ENV{TEST_NGINX_MASTER_PROCESS} || 'off';
our $Workers = 1;
our $WorkerConnections = 64;
our $Timeout = $ENV{TEST_NGINX_TIMEOUT} || 3;
our $RepeatEach = 1;
our $RootLocation = 1;
our $AccumulateLog = 0;
our $Preamble = '';
our @Environment;

# A start takes milliseconds; under a sanitizer or valgrind it takes seconds.

my $start_patience = 60;
my $stop_patience = 20;

my $owner = $$;
my $nginx_pid;
my $log_to_keep;
my $log_position = 0;
my %random_ports;


sub bail_out
{
    stop_nginx() if $$ == $owner;
    Test::Builder->new->BAIL_OUT(join '', @_);
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<', $path or return '';
    local $/;

    return scalar(<$in>) // '';
}


# the condition's value; polls it until it is true, at most so many seconds

sub wait_until
{
    my ($seconds, $condition) = @_;

    my $deadline = time + $seconds;

    while (1) {
        my $value = $condition->();
        return $value if $value || time >= $deadline;
        sleep 0.005;
    }
}


# "1.5", "2s", "300ms"

sub parse_time
{
    my ($text) = @_;

    return undef if !defined $text;
    return $1 / 1000 if $text =~ /^\s*([\d.]+)ms\s*$/;
    return $1 if $text =~ /^\s*([\d.]+)s?\s*$/;

    bail_out("\"$text\" is not a time");
}


# Test::Nginx's placeholders: $TEST_NGINX_RAND_PORT_1 is a free port, the same
# for the whole block, other $TEST_NGINX_X come from the environment

sub expand
{
    my ($name, $text) = @_;

    return undef if !defined $text;

    $text =~ s/\$(TEST_NGINX_[A-Z0-9_]+)/placeholder($name, $1)/ge;
    $text =~ s/\$ServerPortForClient\b/$ServerPortForClient/g;
    $text =~ s/\$ServerPort\b/$ServerPort/g;

    return $text;
}


sub placeholder
{
    my ($name, $variable) = @_;

    if ($variable =~ /^TEST_NGINX_RAND_PORT_\d+$/) {
        return $random_ports{$variable} //= free_port();
    }

    return $ENV{$variable} if defined $ENV{$variable};

    bail_out("$name - No environment $variable defined.");
}


# below the range that outgoing connections use

sub free_port
{
    for (1 .. 1000) {
        my $port = 12000 + int rand 20000;

        return $port if IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
                                              LocalAddr => $ServerAddr,
                                              LocalPort => $port);
    }

    bail_out('no free port');
}


sub new_block
{
    %random_ports = ();
}


# Only what the runner made: TEST_NGINX_SERVROOT may be somebody's directory.

sub clear_server_root
{
    local $?;

    remove_tree(dirname($ConfFile), $HtmlDir, $LogDir,
                map { "$ServRoot/${_}_temp" }
                qw(client_body proxy fastcgi uwsgi scgi));
    rmdir $ServRoot;
}


sub write_conf
{
    my ($block) = @_;

    my $text = nginx_conf($block);

    make_path(dirname($ConfFile), $HtmlDir, $LogDir);

    open my $out, '>', $ConfFile or bail_out("$ConfFile: $!");
    print $out $text;
    close $out;

    return $text;
}


sub nginx_conf
{
    my ($block) = @_;

    my $name = $block->name;
    my %part = map { $_ => expand($name, scalar $block->$_) // '' }
               qw(main_config http_config config post_main_config);

    my $level = $block->log_level || $LogLevel;
    my $modules = join '', map { "load_module $_;\n" }
                           split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';
    my $env = join '', map { /\s/ ? "env '$_';\n" : "env $_;\n" }
                       qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS
                          LSAN_OPTIONS UBSAN_OPTIONS), @Environment;
    my $temp = join '', map { "    ${_}_temp_path $ServRoot/${_}_temp;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);
    my $user = $ENV{TEST_NGINX_WORKER_USER} // ($> == 0 ? 'root' : undef);
    my $server_name = $block->server_name // $ServerName;
    my $event_type = $ENV{TEST_NGINX_EVENT_TYPE};

    return join '',
        $modules,
        "worker_processes $Workers;\n",
        "daemon off;\n",
        "master_process $MasterProcess;\n",
        "error_log $ErrLogFile $level;\n",
        "pid $PidFile;\n",
        defined $user ? "user $user;\n" : '',
        $env,
        "$part{main_config}\n\n",
        "http {\n",
        "    access_log $LogDir/access.log;\n",
        $temp,
        "    default_type text/plain;\n",
        "    keepalive_timeout 68s;\n\n",
        "$part{http_config}\n\n",
        "    server {\n",
        "        listen $ServerPort;\n",
        "        server_name '$server_name';\n",
        "        client_max_body_size 30m;\n\n",
        $Preamble,
        "$part{config}\n",
        $RootLocation ? "        location / {\n"
                      . "            root $HtmlDir;\n"
                      . "            index index.html index.htm;\n"
                      . "        }\n"
                      : '',
        "    }\n",
        "}\n\n",
        "$part{post_main_config}\n",
        "events {\n",
        "    accept_mutex off;\n",
        "    worker_connections $WorkerConnections;\n",
        defined $event_type ? "    use $event_type;\n" : '',
        "}\n";
}


# ">>> name [touch's date]" and the content, or [[name, content, date], ...]

sub write_user_files
{
    my ($block) = @_;

    my $files = $block->user_files;
    return if !defined $files;

    if (!ref $files) {
        my (undef, @parts) = split /^>>> (\S+)(?:[ \t]+(.+))?\n/m, $files;
        my @list;

        while (my ($file, $date, $content) = splice @parts, 0, 3) {
            push @list, [$file, $content, $date];
        }

        $files = \@list;
    }

    for my $file (@$files) {
        my ($path, $content, $date) = @$file;

        $path = "$HtmlDir/$path" if $path !~ m{^/};
        make_path(dirname($path));

        open my $out, '>', $path or bail_out("$path: $!");
        binmode $out;
        print $out expand($block->name, $content) // '';
        close $out;

        next if !defined $date;

        local $ENV{TZ} = 'GMT';
        system('touch', '-t', $date, $path) == 0
            or bail_out("touch -t $date $path failed");
    }
}


# Returns the wait status if nginx ended instead of starting, else undef.
# What it wrote before error.log was open is in $LogDir/stderr.

sub start_nginx
{
    make_path($LogDir);
    unlink $PidFile, $ErrLogFile;
    $log_position = 0;

    my @command = ($NginxBinary, '-p', "$ServRoot/", '-c', $ConfFile,
                   '-e', $ErrLogFile);

    # a killed test leaves no server behind
    unshift @command, qw(setpriv --pdeathsig TERM) if -x '/usr/bin/setpriv';

    my $pid = fork // bail_out("fork: $!");

    if ($pid == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$LogDir/stderr";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    $nginx_pid = $pid;

    my $status;

    wait_until($start_patience, sub {
        if (waitpid($pid, WNOHANG) == $pid) {
            $status = $?;
            return 1;
        }
        return -s $PidFile;
    });

    undef $nginx_pid if defined $status;
    $log_to_keep = !defined $status;

    return $status;
}


sub nginx_runs
{
    return 0 if !$nginx_pid;
    return 1 if waitpid($nginx_pid, WNOHANG) == 0;

    undef $nginx_pid;

    return 0;
}


sub stop_nginx
{
    local $?;

    if (nginx_runs()) {
        my $pid = $nginx_pid;

        kill QUIT => $pid;

        if (!wait_until($stop_patience, sub { !nginx_runs() })) {
            warn "nginx $pid does not leave on SIGQUIT, it is killed\n";
            kill KILL => $pid;
            waitpid $pid, 0;
        }
    }

    undef $nginx_pid;

    keep_log() if $log_to_keep;
    $log_to_keep = 0;
}


# every error.log goes to the end of this file

sub keep_log
{
    my $total = $ENV{TEST_NGINX_ERROR_LOG} or return;

    open my $out, '>>', $total or return;
    print $out slurp($ErrLogFile);
}


# the lines of error.log since the last call of skip_log()

sub log_lines
{
    open my $in, '<', $ErrLogFile or return;
    seek $in, $log_position, SEEK_SET if !$AccumulateLog;

    return <$in>;
}


sub skip_log
{
    $log_position = -s $ErrLogFile // 0;
}


sub nginx_version
{
    my $out = `$NginxBinary -V 2>&1`;

    return $out =~ m{^nginx version: \S+/(\d+)\.(\d+)\.(\d+)}m
           ? $1 * 1e6 + $2 * 1e3 + $3
           : 0;
}


END {
    if ($$ == $owner) {
        stop_nginx();

        clear_server_root() if !$ENV{TEST_NGINX_NO_CLEAN};
    }
}


1;
