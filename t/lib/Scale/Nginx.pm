package Scale::Nginx;

# An nginx with real workers, for what one process cannot show.

use strict;
use warnings;
use File::Path qw(make_path);
use Scale::Process qw(spawn stop alive free_port wait_for slurp);

my $start_patience = 60;
my $stop_patience = 20;
my @servers;    # { pid, port, dir, error_log }


# $http is the content of http {}; $ServerPort in it is the new server's port,
# $TEST_NGINX_X comes from the environment.  Options: workers, connections,
# main (text outside http {}), log_level, user (of the workers), wrap (a command
# that runs nginx).

sub start
{
    my ($base, $http, %option) = @_;

    my $dir = "$base/nginx" . @servers;
    my $server = { port => free_port(), dir => $dir,
                   error_log => "$dir/error.log",
                   wrap => $option{wrap} // [] };

    make_path("$dir/html");
    write_conf($server, $http, %option);
    push @servers, $server;
    launch($server, $option{workers} // 2);

    return $server;
}


# the same one, after it has left

sub again
{
    my ($server) = @_;

    launch($server, $server->{workers});

    return $server;
}


sub launch
{
    my ($server, $count) = @_;

    my $dir = $server->{dir};

    $server->{workers} = $count;
    $server->{pid} = spawn({ log => "$dir/stderr", dies => 'TERM' },
                           @{ $server->{wrap} },
                           $ENV{TEST_NGINX_BINARY}, '-p', "$dir/",
                           '-e', $server->{error_log},
                           '-c', "$dir/nginx.conf");

    wait_for(sub { !alive($server->{pid}) || workers($server) >= $count },
             $start_patience);

    alive($server->{pid}) && workers($server) >= $count
        or die "nginx does not start:\n" . slurp("$dir/stderr");
}


sub write_conf
{
    my ($server, $http, %option) = @_;

    my $dir = $server->{dir};
    my $modules = join '', map { "load_module $_;\n" }
                           split ' ', $ENV{TEST_NGINX_LOAD_MODULES};
    my $env = join '', map { "env $_;\n" }
                       qw(ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS);
    my $temp = join '', map { "    ${_}_temp_path $dir/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);
    my $user = $> == 0 ? 'user ' . ($option{user} // 'root') . ";\n" : '';
    my $workers = $option{workers} // 2;
    my $connections = $option{connections} // 4096;
    my $level = $option{log_level} // 'info';
    my $main = $option{main} // '';

    $http =~ s/\$ServerPort\b/$server->{port}/g;
    $http =~ s/\$(TEST_NGINX_[A-Z0-9_]+)/$ENV{$1} \/\/ die "no $1\n"/ge;

    open my $out, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!\n";
    print $out <<"END";
$modules$user$env
daemon off;
worker_processes $workers;
pid $dir/pid;
error_log $server->{error_log} $level;
$main
events {
    worker_connections $connections;
}

http {
    access_log off;
$temp
$http
}
END
    close $out;
}


# Another configuration, or what its file says by now; returns when all workers
# are those of it.

sub reload
{
    my ($server, $http, %option) = @_;

    my %old = map { $_ => 1 } workers($server);

    write_conf($server, $http, %option) if defined $http;
    kill HUP => $server->{pid};

    my $count = $option{workers} // $server->{workers};

    wait_for(sub { my @now = workers($server);
                   @now == $count && !grep { $old{$_} } @now },
             $start_patience)
        or die "nginx does not reload:\n" . slurp($server->{error_log});
}


sub latest_port
{
    return @servers ? $servers[-1]{port} : undef;
}


# the pids of the workers that run, those of a previous configuration included

sub workers
{
    my ($server) = @_;

    my $path = "/proc/$server->{pid}/task/$server->{pid}/children";
    my @pids = split ' ', slurp($path);

    return @pids;
}


sub halt
{
    for my $server (@servers) {
        stop($server->{pid}, 'QUIT', $stop_patience);
    }
}


sub error_logs
{
    return map { $_->{error_log} } @servers;
}


1;
