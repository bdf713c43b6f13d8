# What clients and files keep secret is found neither in a core dump nor in a
# log: 1,000 requests with passwords, cookies and tokens, then the memory of
# each process, as far as a core dump has it, is searched.
#
# A secret is four times the same seven characters, so that parts of one are
# found, too.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Client;
use Scale::Memory;
use Scale::Process qw(slurp wait_for);
use Test::More;

my $requests = 1000;

my %kinds = (ck => 'cookies', pw => 'passwords', bt => 'bearer tokens',
             ak => 'API keys', pg => "the database's password",
             mc => "memcached's password", sk => 'the secret of signatures');
my $pattern = '(?:' . join('|', sort keys %kinds) . ')Q\d{4}';

my $dir = Scale::dir();

write_file('pg-password', secret('pg', 0) . "\n");
write_file('mc', 'app:' . secret('mc', 0) . "\n");
write_file('sk', secret('sk', 0) . "\n" . secret('sk', 1) . "\n");
write_file('users', "admin:{PLAIN}" . secret('pw', 9999) . "\n");

Scale::memcached_as(0, options => ['-Y', "$dir/mc"]);
$ENV{TEST_NGINX_MC_PORT} = Scale::memcached(0)->{port};

my $ca = Scale::authority('ca');
my $cert = Scale::certificate($ca, 'localhost', 'localhost');
my $https = Scale::Process::free_port();
my $h2c = Scale::Process::free_port();

create_accounts();

my $nginx = Scale::nginx(<<"END", workers => 2);
    log_format  all '\$remote_addr "\$request" \$status \$scale_route';
    scale_secret_file  $dir/sk;

    scale_database main {
        server         127.0.0.1:\$TEST_NGINX_PG_PORT;
        conninfo       "dbname=app user=scram";
        password_file  $dir/pg-password;
    }

    scale_cache hot {
        server     127.0.0.1:\$TEST_NGINX_MC_PORT;
        auth_file  $dir/mc;
    }

    server {
        listen               127.0.0.1:\$ServerPort;
        listen               127.0.0.1:$h2c http2;
        listen               127.0.0.1:$https ssl http2;
        ssl_certificate      $cert->{crt};
        ssl_certificate_key  $cert->{key};
        access_log           $dir/access.log all;

        scale_param  name      json.name      text required len=1-100;
        scale_param  password  json.password  text required len=8-20000;
        scale_param  sid       \${cookie_sid}  text required;
        scale_param  bearer    header.authorization  text required;
        scale_param  key       header.x-api-key      text required;

        location = /login {
            scale_route  login;
            scale_query  POST row
                "SELECT id FROM accounts
                  WHERE name = :name AND hash = crypt(:password, hash)"
                read empty=403;
        }

        # its body does not fit into memory

        location = /disk {
            client_body_buffer_size  1k;
            scale_route  disk;
            scale_query  POST row
                "UPDATE accounts SET seen = length(:password)
                  WHERE name = :name RETURNING seen";
        }

        location = /wrong {
            scale_route  wrong;
            scale_query  POST row "SELECT :password::text::int AS n, :name AS m"
                         read;
        }

        location = /me {
            scale_route  me;
            scale_query  GET row "SELECT count(*) AS n FROM accounts
                                   WHERE md5(:sid) = name";
            scale_cache_valid  1m;
        }

        location = /bearer {
            scale_route  bearer;
            scale_query  GET row "SELECT count(*) AS n FROM accounts
                                   WHERE name = :bearer";
        }

        location = /key {
            scale_route  key;
            scale_query  GET row "SELECT count(*) AS n FROM accounts
                                   WHERE name = :key";
        }

        location = /plain  { return 200 "plain"; }
        location = /basic  { auth_basic "a"; auth_basic_user_file $dir/users; }
    }
END

my %count;
my @shared = map { Scale::Client->new($nginx->{port}) } 1 .. 4;

ok(wait_for(sub { login(0, 0)->{code} == 200 }, 20), 'it answers');

for my $n (1 .. $requests) {
    $count{$_->{code}}++ for ask($n);
}

diag(join ', ', map { "$_: $count{$_}" } sort keys %count);
cmp_ok($count{$_} // 0, '>', 20, "many are answered by $_")
    for 200, 400, 401, 403, 404, 405, 415, 422;
ok(!$count{0}, 'and all of them');


# what was bound is overwritten within seconds

my @pids = ($nginx->{pid}, Scale::workers($nginx));
my @found;

wait_for(sub {
    !(@found = map { Scale::Memory::search($_, qr/$pattern/) } @pids);
}, 10);

for my $kind (sort keys %kinds) {
    my @of = grep { $_->[0] =~ /^$kind/ } @found;

    is(@of, 0, "no core dump has a trace of $kinds{$kind}")
        or diag(map { "$_->[1]: $_->[2]\n" } grep { $_ } @of[0 .. 5]);

    ok((slurp("$dir/access.log") . slurp($nginx->{error_log})) !~ /${kind}Q/,
       'nor has a log');
}

like($pattern, qr/ck/, 'and the search finds what is there:');
cmp_ok(scalar(Scale::Memory::search($$, qr/${\ secret('pg', 0)}/)), '>', 0,
       'in this process');

done_testing();


sub secret
{
    my ($kind, $n) = @_;

    return sprintf('%sQ%04d', $kind, $n) x 4;
}


sub create_accounts
{
    my $pw = secret('pw', 0);

    Scale::sql(<<"END");
CREATE EXTENSION pgcrypto;
CREATE ROLE scram LOGIN PASSWORD '${\ secret('pg', 0)}';
CREATE TABLE accounts (id int PRIMARY KEY, name text UNIQUE, hash text,
                       seen int);
INSERT INTO accounts SELECT n, 'user' || n,
       crypt(repeat('pwQ' || lpad(n::text, 4, '0'), 4), gen_salt('bf', 4))
  FROM generate_series(0, $requests) n;
GRANT SELECT, UPDATE ON accounts TO scram;
END

    Scale::access('primary', 'host all scram 127.0.0.1/32 scram-sha-256');
}


# each kind of request in turn; some share a connection, or a packet

sub ask
{
    my ($n) = @_;

    my @ways = (
        sub { login($n, $n) },
        sub { login($n, $n - 1) },
        sub { post('/login', "{\"name\": \"x\", \"password\": \""
                             . secret('pw', $n), 'application/json') },
        sub { post('/login', body($n, $n), 'text/plain') },
        sub { post('/me', body($n, $n), 'application/json') },
        sub { post('/wrong', body($n, $n), 'application/json') },
        sub { post('/disk', body($n, $n, 300), 'application/json') },
        sub { fetch('/me', 'Cookie', 'sid=' . secret('ck', $n)) },
        sub { fetch('/me', 'Cookie', 'x=' . secret('ck', $n)) },
        sub { fetch('/me', 'Cookie', 'a=' . 'b' x 1500 . '; sid='
                                     . secret('ck', $n)) },
        sub { fetch('/bearer', 'Authorization',
                    'Bearer ' . secret('bt', $n)) },
        sub { fetch('/basic', 'Authorization', 'Basic '
                    . secret('bt', $n)) },
        sub { fetch('/key', 'X-API-Key', secret('ak', $n)) },
        sub { fetch('/plain', 'X-API-Key', secret('ak', $n)) },
        sub { fetch('/none', 'X-API-Key', secret('ak', $n)) },
        sub { pipelined($n) },
        sub { curl($n, "https://localhost:$https", '--http1.1') },
        sub { curl($n, "https://localhost:$https", '--http2') },
        sub { curl($n, "http://localhost:$h2c", '--http2-prior-knowledge') },
    );

    return $ways[$n % @ways]->();
}


sub login
{
    my ($user, $n) = @_;

    return post('/login', body($user, $n), 'application/json');
}


sub body
{
    my ($user, $n, $times) = @_;

    return "{\"name\": \"user$user\", \"password\": \""
           . secret('pw', $n) x ($times // 1) . '"}';
}


sub post
{
    my ($path, $body, $type) = @_;

    return send_one("POST $path", $body, 'Content-Type', $type);
}


sub fetch
{
    my ($path, %fields) = @_;

    return send_one("GET $path", undef, %fields);
}


# every other one on a connection of its own

sub send_one
{
    my ($line, $body, %fields) = @_;

    my $client = rand() < 0.5 ? $shared[rand @shared]
                              : Scale::Client->new($nginx->{port});

    my ($answer) = $client->text(text($line, $body, %fields));

    return $answer;
}


sub text
{
    my ($line, $body, %fields) = @_;

    $fields{'Content-Length'} = length $body if defined $body;

    return join "\r\n", "$line HTTP/1.1", 'Host: localhost',
                        (map { "$_: $fields{$_}" } sort keys %fields), '',
                        $body // '';
}


sub pipelined
{
    my ($n) = @_;

    my @texts = map {
        (text('GET /me', undef, 'Cookie', 'sid=' . secret('ck', $n)),
         text('POST /login', body($n, $n), 'Content-Type', 'application/json'),
         text('GET /key', undef, 'X-API-Key', secret('ak', $n)),
         text('GET /me', undef, 'Cookie', 'a=' . 'b' x 1200 . '; sid='
                                          . secret('ck', $n)))
    } 1 .. 3;

    return Scale::Client->new($nginx->{port})->text(@texts);
}


sub curl
{
    my ($n, $url, @how) = @_;

    my @curl = ('curl', '-s', '-k', '-m', 10, '-w', '%{http_code} ',
                '-o', '/dev/null', @how, '-H', 'Content-Type: application/json');
    my $get = Scale::Postgres::quietly(
        @curl, '-H', 'Cookie: sid=' . secret('ck', $n),
        '-H', 'Authorization: Bearer ' . secret('bt', $n),
        '-H', 'X-API-Key: ' . secret('ak', $n),
        "$url/" . (qw(me key bearer none))[$n % 4]);
    my $post = Scale::Postgres::quietly(@curl, '-d', body($n, $n),
                                        "$url/login");

    return map { { code => $_ } } split ' ', $get . $post;
}


sub write_file
{
    my ($name, $content) = @_;

    open my $out, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $out $content;
    close $out;
}
