# What a memcached is asked for before it is used: TLS, a password, and how it
# was started.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Items;
use Scale::Process qw(slurp);
use Test::More 'no_plan';

my $dir = Scale::dir();

create_items(100);

mkdir "$dir/mc";
chmod 0777, "$dir/mc";


# Certificates.  memcached is not run as root: it reads the keys, too.

sub openssl
{
    my $said = `openssl @_ 2>&1`;

    $? == 0 or die "openssl @_: $said\n";
}


sub authority
{
    my ($name) = @_;

    openssl("req -x509 -days 2 -nodes -newkey ec"
            . " -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=$name"
            . " -keyout $dir/$name.key -out $dir/$name.crt");
}


sub certificate
{
    my ($name, $ca, $names) = @_;

    openssl("req -new -nodes -newkey ec"
            . " -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=$name"
            . " -keyout $dir/$name.key -out $dir/$name.csr");
    put("$name.ext", "subjectAltName=$names\n");
    openssl("x509 -req -days 2 -CAcreateserial -in $dir/$name.csr"
            . " -CA $dir/$ca.crt -CAkey $dir/$ca.key -extfile $dir/$name.ext"
            . " -out $dir/$name.crt");
    chmod 0644, "$dir/$name.key";
}


sub put
{
    my ($name, $text) = @_;

    open my $out, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $out $text;
    close $out;

    return "$dir/$name";
}


authority($_) for qw(ca other);
certificate('server', 'ca', 'DNS:localhost,IP:127.0.0.1');
certificate('elsewhere', 'ca', 'DNS:elsewhere.test');
certificate('client', 'ca', 'DNS:client.test');
put('users', "app:right-horse\n");
put('good', "app:right-horse\n");
put('bad', "app:wrong-horse\n");


# { name => [options of the memcached, lines of the scale_cache, its host] }

my @tls = ('-Z', '-o', "ssl_chain_cert=$dir/server.crt,"
                       . "ssl_key=$dir/server.key");
my @elsewhere = ('-Z', '-o', "ssl_chain_cert=$dir/elsewhere.crt,"
                             . "ssl_key=$dir/elsewhere.key");
my @mutual = ('-Z', '-o', "ssl_chain_cert=$dir/server.crt,"
              . "ssl_key=$dir/server.key,ssl_verify_mode=2,"
              . "ssl_ca_cert=$dir/ca.crt");
my @users = ('-Y', "$dir/users");
my $file = "/dev/shm/scale-$$";

my %used = (
    tls      => [[@tls], 'tls on ca=ca.crt;', 'localhost'],
    address  => [[@tls], "tls on ca=$dir/ca.crt;"],
    named    => [[@elsewhere], "tls on ca=$dir/ca.crt name=elsewhere.test;"],
    trusting => [[@elsewhere], 'tls on verify=off;'],
    mutual   => [[@mutual], "tls on ca=$dir/ca.crt cert=$dir/client.crt"
                            . " key=$dir/client.key;"],
    auth     => [[@users], "auth_file $dir/good;"],
    both     => [[@tls, @users], "tls on ca=$dir/ca.crt;"
                                 . " auth_file $dir/good;"],
    unix     => [[], '', "unix:$dir/mc/sock"],
);

my %refused = (
    stranger  => [[@tls], "tls on ca=$dir/other.crt;", undef,
                  qr/is not trusted.*unable to get local issuer/],
    system    => [[@tls], 'tls on;', undef,
                  qr/is not trusted.*unable to get local issuer/],
    misnamed  => [[@elsewhere], "tls on ca=$dir/ca.crt;", 'localhost',
                  qr/is not trusted.*[Hh]ostname mismatch/],
    moved     => [[@elsewhere], "tls on ca=$dir/ca.crt;", undef,
                  qr/is not trusted.*IP address mismatch/],
    plain     => [[@tls], '', undef, qr/closed the connection.*"tls on"/],
    anonymous => [[@mutual], "tls on ca=$dir/ca.crt;", undef,
                  qr/closed the connection.*"cert="/],
    cheat     => [[@users], "auth_file $dir/bad;", undef,
                  qr/takes no such user and password/],
    nobody    => [[@users], '', undef,
                  qr/does not answer "stats".*\(CLIENT_ERROR unauth/],
    nocas     => [['-C'], '', undef, qr/has no CAS.*start it without -C/],
    extstore  => [['-o', "ext_path=$dir/mc/ext:64m"], '', undef,
                  qr/keeps values in files \(extstore\)/],
    warm      => [['-e', $file, '-m', 64], '', undef,
                  qr/keeps old values over its restart; .* -e/],
);

my %warned = (
    bare  => [[], '', undef, qr/evicts the marks.*temporary_ttl=61/],
    small => [['-I', '512k'], '', undef, qr/refuses values.*"-I 1m"/],
    open  => [[], "auth_file $dir/good;", undef, qr/asks nobody.*with -Y/],
);

my (%number, %node);


# an nginx whose caches are these

sub start
{
    my (%cases) = @_;

    my ($caches, $locations) = ('', '');

    for my $name (sort keys %cases) {
        my ($options, $lines, $host) = @{ $cases{$name} };
        my @socket = ($host // '') =~ /^unix:(.*)/ ? (socket => $1) : ();

        $number{$name} = keys %number;

        my $server = Scale::memcached_as($number{$name}, @socket,
                                         options => $options,
                                         bare => $name eq 'bare');
        my $address = @socket ? $host
                              : ($host // '127.0.0.1') . ":$server->{port}";

        $caches .= "scale_cache $name { server $address weight=2;"
                   . " timeout 1s; $lines }\n";
        $locations .= <<"END";
        location ~ ^/$name/(?<id>\\d+)\$ {
            scale_route  $name;
            scale_use    cache=$name;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid 10m;
        }
        location = /large/$name {
            scale_route  large-$name;
            scale_use    cache=$name;
            scale_query  GET value "SELECT repeat('0123456789', 90000)";
            scale_cache_valid 10m;
        }
END
    }

    my $nginx = Scale::nginx(<<"END", workers => 2);
    scale_database main {
        server       "unix:\$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api application_name=t";
        connections  16;
    }

    $caches

    add_header   X-Cache \$scale_cache_status always;
    scale_param  id  \$id  bigint required;

    server {
        listen 127.0.0.1:\$ServerPort;
$locations
    }
END

    $node{$_} = $nginx for keys %cases;
}


# one "ca=" is relative to the directory of nginx.conf

mkdir "$dir/nginx0";
put('nginx0/ca.crt', slurp("$dir/ca.crt"));

start(%used, %warned);
start(%refused);


sub ask
{
    my ($method, $name, $path) = @_;

    return Scale::request($method, $path, undef,
                          ':port' => $node{$name}{port});
}


sub seen
{
    my ($method, $name, $id) = @_;

    return Scale::seen(ask($method, $name, "/$name/$id"));
}


sub lines_of
{
    my ($name, $pattern) = @_;

    return grep { /memcached/ && $_ =~ $pattern
                  && (/cache "$name"/ || $pattern =~ /closed the conn/) }
           split /\n/, slurp($node{$name}{error_log});
}


for my $name (sort(keys %used), sort keys %warned) {
    seen('GET', $name, 1);
    is(seen('GET', $name, 1), '200 HIT 0', "$name: an entry is found");
    like(seen('PUT', $name, 1), qr/^200 - /, "$name: a write");
    like(seen('GET', $name, 1), qr/^200 MISS /, "$name: makes it old");
    Scale::sql('UPDATE items SET n = 0');
}

my @large = map { ask('GET', 'tls', '/large/tls') } 1 .. 3;

is(length $large[0]{body}, 900_003, 'a large value is read');
is($large[2]{headers}{'x-cache'}, 'HIT', 'and found, over TLS');
ok($large[2]{body} eq $large[0]{body}, 'as it was');

for my $name (sort keys %warned) {
    is(scalar(lines_of($name, $warned{$name}[3])), 1,
       "$name: what could be better is said once");
}


# those that are not used

for my $name (sort keys %refused) {
    my %codes;

    $codes{seen('GET', $name, 2)}++ for 1 .. 3;
    ok(!grep({ !/^200 (?:MISS|BYPASS) 0$/ } keys %codes),
       "$name: the row comes from the database")
        or diag(join ', ', sort keys %codes);
}

for my $name (sort keys %refused) {
    ok(Scale::wait_for(sub { seen('GET', $name, 2) =~ /BYPASS/ }, 5),
       "$name: it is out of use");
}

for my $name (grep { !/^(?:plain|anonymous)$/ } sort keys %refused) {
    my @lines = lines_of($name, $refused{$name}[3]);

    is(scalar @lines, 1, "$name: why is said once") or diag(@lines);
}

for my $name (qw(plain anonymous)) {
    ok(scalar(lines_of($name, $refused{$name}[3])), "$name: why is said");
}

unlike(slurp($node{plain}{error_log}), qr/SSL_/,
       'OpenSSL adds no lines of its own');


# what is put right is used again, without a reload

my %right = (
    misnamed => { options => \@tls },
    cheat    => { options => [] },
    nocas    => { options => [] },
    nobody   => { options => [] },
);

Scale::change_memcached($number{$_}, %{ $right{$_} }) for sort keys %right;

for my $name (sort keys %right) {
    ok(Scale::wait_for(sub { seen('GET', $name, 3) eq '200 HIT 0' }, 10),
       "$name: put right, it is used");
}

unlike(slurp($_->{error_log}), qr/horse/, 'no password is in the log')
    for @node{qw(auth cheat)};

END { unlink glob "/dev/shm/scale-$$*" }
