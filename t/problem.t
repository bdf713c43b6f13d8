#!/usr/bin/perl

# Errors in a route are problem documents, elsewhere nginx's own pages.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More tests => 7;

my $root = abs_path(dirname(__FILE__) . '/..');
my $dir = tempdir(CLEANUP => 1);
my $probe = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $port = $probe->sockport();
close $probe;

mkdir "$dir/logs";
open my $conf, '>', "$dir/nginx.conf" or die $!;
print $conf <<"END";
load_module $root/build/ngx_scale_module.so;
pid $dir/pid;
error_log $dir/logs/error.log;
master_process off;
daemon on;
events { }
http {
    access_log off;
    client_body_temp_path $dir/body;
    gzip on;
    gzip_min_length 1;
    gzip_types application/problem+json;
    server {
        listen 127.0.0.1:$port;
        location /a { scale_route a; return 404; }
        location /plain { return 404; }
        location /b { scale_route b; client_max_body_size 3; root /none; }
        location /e { scale_route e; error_page 403 \@mine; return 403; }
        location \@mine { return 200 "reshaped"; }
    }
}
END
close $conf;

system('nginx', '-p', $dir, '-e', "$dir/logs/error.log",
       '-c', "$dir/nginx.conf") == 0 or die "nginx does not start";

open my $pidfile, '<', "$dir/pid" or die $!;
chomp(my $pid = <$pidfile>);

END {
    local $?;
    kill QUIT => $pid if $pid;
}

sub answer {
    return scalar `curl -si @_`;
}

my $url = "http://127.0.0.1:$port";

like(answer("$url/a"), qr/^Content-Type: application\/problem\+json/m,
     'an error in a route is a problem document');
like(answer("$url/a"),
     qr/\{"type":"about:blank","title":"Not Found","status":404,"route":"a"\}/,
     'it names status, title and route');
like(answer("--compressed $url/a"), qr/Content-Encoding: gzip.*"route":"a"/s,
     'it may be compressed');
like(answer("-d 12345 $url/b"), qr/ 413 .*"status":413/s,
     "nginx's own refusal is one as well");
like(answer("$url/plain"), qr/<center>/, 'elsewhere the page stays');
like(answer("$url/e"), qr/ 403 .*reshaped/s, 'error_page reshapes an error');
unlike(answer("-I $url/a"), qr/\}/, 'HEAD has no body');
