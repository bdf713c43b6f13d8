# TLS to PostgreSQL, client certificates, and a password that is replaced.

use strict;
use warnings;
use lib 't/lib';
use Cwd qw(abs_path);
use Scale qw(postgres dns);
use Scale::Client;
use Test::More;

# OpenSSL allocates so often that the sanitizer's exact stacks take seconds

$ENV{ASAN_OPTIONS} .= ':fast_unwind_on_malloc=1' if $ENV{ASAN_OPTIONS};

my $dir = Scale::dir();
my ($old, $new) = ('the first of two words', 'quite another one');

my $ca = Scale::authority('ca');
my $other = Scale::authority('other');
my $server = Scale::certificate($ca, 'server', 'good.test');
my $client = Scale::certificate($ca, 'certified');
my $https;

serve_tls();
Scale::dns($_, 60, '127.0.0.1') for qw(good.test bad.test);

write_file('password', "$old\n");
write_file('wrong', "nobody's word\n");

my $tls = "sslmode=verify-full dbname=app sslrootcert=$ca->{crt}";
my %conninfo = (
    scram     => "$tls user=scram application_name=rotated",
    certified => "$tls user=certified sslcert=$client->{crt}"
                 . " sslkey=$client->{key}",
    nobody    => "$tls user=certified",
    misnamed  => "$tls user=scram",
    stranger  => "$tls user=scram" =~ s/\Q$ca->{crt}/$other->{crt}/r,
    unusable  => "$tls user=scram" =~ s/\Q$ca->{crt}/$client->{key}/r,
    mistaken  => "$tls user=scram",
    proxied   => "$tls user=api",
);
my %host = (misnamed => 'bad.test');
my %port = (proxied => proxy());
my %file = (mistaken => 'wrong', map { $_ => undef }
                                qw(certified nobody proxied));

my %refused = map { $_ => 1 } qw(misnamed stranger nobody unusable mistaken);
my @all = sort keys %conninfo;
my $first = Scale::nginx(<<"END" . databases(@all) . server(@all));
    resolver 127.0.0.1:\$TEST_NGINX_DNS_PORT;
END
my $nginx = $first;

like(body('/scram/session'), qr/^\{"ssl":true,"client":null\}$/,
     'a password, over TLS that is verified in full');
like(body('/certified/session'), qr{^\{"ssl":true,"client":"/CN=certified"\}$},
     'a certificate instead of a password');

$refused{$_} = Scale::begin('GET', "/$_/session") for keys %refused;

refused('misnamed', 'a server of another name',
        qr/certificate for "good\.test" does not match host name "bad\.test"/);
refused('stranger', 'a server of another authority',
        qr/certificate verify failed/);
refused('nobody', 'no certificate where one is asked for',
        qr/connection requires a valid client certificate/);
refused('unusable', 'a file that is no certificate',
        qr/could not read root certificate file/);
refused('mistaken', 'a wrong password',
        qr/password authentication failed for user "scram"/);

like(`curl -sk https://127.0.0.1:$https/scram/text?size=3`, qr/^"xxx"/,
     'the failures leave nothing behind for TLS of clients');

for my $size (1, 8_000, 16_384, 100_000, 3_000_000) {
    is(length body("/scram/text?size=$size"), $size + 3,
       "a value of $size bytes arrives");
}

my $pipe = Scale::Client->new($nginx->{port});
my @answers = $pipe->pipeline(map { "GET /scram/text?size=" . 97 * $_ } 1 .. 300);

is(scalar(grep { $_->{code} == 200 } @answers), 300, '300 reads in a pipeline');
is(scalar(grep { length $answers[$_ - 1]{body} == 97 * $_ + 3 } 1 .. 300), 300,
   'each has its own answer');

# 32 kB, in two records of which the second does not fit into libpq's buffer

is(scalar(grep { length body("/proxied/rows?last=$_") > 32_000 }
          map { 25 * $_ } 1 .. 24), 24, 'records of 16 kB do not get stuck');

for my $name (qw(scram proxied)) {
    my @rows = body("/$name/list") =~ /"x":/g;

    is(scalar @rows, 20_000, "$name: 10 MB leave as they arrive");
}

# the new password, by rename, and no reload

Scale::sql("ALTER ROLE scram PASSWORD '$new'");
is(Scale::get('/scram/session')->{code}, 200, 'open connections stay open');
write_file('password', "$new\n");
reconnects('the new password is used');

write_file('password', '');
reconnects('an empty file: the password stays');
is(log_lines(qr/\[error\].*"scram": password_file.*must hold the password/),
   workers(), 'and each worker says so once');

unlink "$dir/password";
write_file('password', "$new\n");
reconnects('the file is back');

unprivileged() if $> == 0;

unlike(Scale::Process::slurp($_->{error_log}), qr/\Q$old\E|\Q$new\E/,
       'no password is in the log') for $first, $nginx;

done_testing();


sub proxy
{
    my $port = Scale::Process::free_port();

    Scale::Process::spawn({}, '/usr/bin/python3', abs_path('t/lib/tls_proxy.py'),
                          $port, $ENV{TEST_NGINX_PG_PORT}, $server->{crt},
                          $server->{key});

    return $port;
}


# only root has another user for the workers

sub unprivileged
{
    chmod 0600, "$dir/password";
    $nginx = Scale::nginx(<<"END" . databases('scram') . server('scram'),
    resolver 127.0.0.1:\$TEST_NGINX_DNS_PORT;
END
                          user => 'nobody nogroup');

    like(body('/scram/session'), qr/"ssl":true/,
         'workers that cannot read the file have the password of the start');

    my @lines = log_lines(qr/\[warn\].*password_file/);

    is(scalar @lines, 1, 'one of them warns');
    like($lines[0], qr/a new password needs a reload; let the user of the/,
         'and says what to do');
}


sub workers { return scalar Scale::workers($nginx) }


# all sessions are ended, and each worker has to open new ones

sub reconnects
{
    my ($title) = @_;

    my $ended = 'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
                . " WHERE application_name = 'rotated'";
    my $opened = 'SELECT count(*) FROM pg_stat_activity'
                 . " WHERE application_name = 'rotated' AND backend_start >";

    my $since = Scale::sql('SELECT clock_timestamp()');

    Scale::sql($ended);
    Scale::wait_for(sub { Scale::sql("$opened '$since'") >= workers() }, 5);

    is(scalar(grep { $_->{code} == 200 }
              map { Scale::get('/scram/session') } 1 .. 10), 10, $title);
}


sub serve_tls
{
    my $data = "$dir/pg/data";

    for my $file (qw(crt key)) {
        Scale::Postgres::quietly('cp', $server->{$file}, "$data/server.$file");
        chmod 0600, "$data/server.$file";
        chown scalar getpwnam($_), -1, "$data/server.$file"
            for Scale::Process::server_user();
    }

    Scale::Postgres::quietly('cp', $ca->{crt}, "$data/root.crt");
    chmod 0644, "$data/root.crt";

    Scale::sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE scram"
               . " LOGIN PASSWORD '$old'; CREATE ROLE certified LOGIN");
    Scale::access('primary', 'hostssl all scram all scram-sha-256',
                  'hostssl all certified all cert',
                  'hostnossl all api all trust');
    Scale::configure('primary', ssl_cert_file => 'server.crt',
                     ssl_key_file => 'server.key', ssl_ca_file => 'root.crt');
    Scale::configure('primary', ssl => 'on');
}


# by rename, as a secret is replaced

sub write_file
{
    my ($name, $content) = @_;

    open my $out, '>', "$dir/$name.new" or die "$name: $!\n";
    print $out $content;
    close $out;
    rename "$dir/$name.new", "$dir/$name" or die "$name: $!\n";
}


sub databases
{
    my (@names) = @_;

    my $text = '';

    for my $name (@names) {
        my $host = $host{$name} // 'good.test';
        my $port = $port{$name} // '$TEST_NGINX_PG_PORT';
        my $file = exists $file{$name} ? $file{$name} : 'password';

        $text .= "    scale_database $name {\n"
                 . "        server $host:$port;\n"
                 . "        queue 1024 timeout=5s;\n"
                 . "        conninfo \"$conninfo{$name}\";\n"
                 . (defined $file ? "        password_file $dir/$file;\n" : '')
                 . "    }\n";
    }

    return $text;
}


sub server
{
    my (@names) = @_;

    $https = Scale::Process::free_port();

    my $text = "    server {\n        listen 127.0.0.1:\$ServerPort;\n"
               . "        listen 127.0.0.1:$https ssl;\n"
               . "        ssl_certificate $server->{crt};\n"
               . "        ssl_certificate_key $server->{key};\n";

    for my $name (@names) {
        my $deadline = $refused{$name} ? '1s' : '10s';

        $text .= <<"END";
        location = /$name/session {
            scale_deadline $deadline;
            scale_use database=$name;
            scale_route $name-session;
            scale_query GET row "SELECT ssl, client_dn AS client
                FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        }
        location = /$name/rows {
            scale_use database=$name;
            scale_route $name-rows;
            scale_param last arg.last int required;
            scale_query GET rows "SELECT repeat('x', 500) AS x
                FROM generate_series(1, 63) UNION ALL SELECT repeat('y', :last)";
        }
        location = /$name/list {
            scale_use database=$name;
            scale_route $name-list;
            scale_query GET rows "SELECT repeat('x', 500) AS x
                FROM generate_series(1, 20000)";
        }
        location = /$name/text {
            scale_use database=$name;
            scale_route $name-text;
            scale_param size arg.size int required;
            scale_query GET value "SELECT repeat('x', :size)";
        }
END
    }

    return "$text    }\n";
}


sub body
{
    my ($path) = @_;

    return Scale::get($path)->{body};
}


sub log_lines { return Scale::log_lines($nginx, @_) }


# one error of a server that was never reached, per worker

sub refused
{
    my ($name, $title, $pattern) = @_;

    is(Scale::receive($refused{$name})->{code}, 503, "$title: 503");

    my $line = qr/\[error\].*database "$name": connection/;

    Scale::wait_for(sub { log_lines($line) }, 5);

    my @lines = log_lines($line);

    cmp_ok(scalar @lines, '>=', 1, "$title: the log says so");
    cmp_ok(scalar @lines, '<=', 2, "$title: once");
    like($lines[0] // '', $pattern, "$title: and why");
}
