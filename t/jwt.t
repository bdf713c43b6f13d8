# Tokens that others have signed: whom they name, and all that is refused.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Http;
use Scale::Jwt;
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);
use Test::More;

my $dir = Scale::dir();
my $now = time;

my %key = map { $_ => Scale::Jwt::key($dir, $_) } qw(RS256 ES256 EdDSA HS256);
my %other = map { $_ => Scale::Jwt::key($dir, $_) } qw(RS256 ES256 EdDSA HS256);
my ($old, $new) = map { Scale::Jwt::key($dir, 'EdDSA') } 1 .. 2;

my %anna = (iss => 'https://issuer.test', sub => 'anna', aud => 'api',
            exp => $now + 900);

file('jwks.json', Scale::Jwt::jwks(
    Scale::Jwt::jwk($key{ES256}, kid => 'es', use => 'sig', alg => 'ES256'),
    Scale::Jwt::jwk($key{EdDSA}, kid => 'ed'), Scale::Jwt::jwk($key{HS256}),
    { kty => 'RSA', use => 'enc', kid => 'enc', n => 'AQAB', e => 'AQAB' }));
file('rotated.json', Scale::Jwt::jwks(Scale::Jwt::jwk($old, kid => 'old')));

Scale::sql(<<'SQL');
CREATE EXTENSION pgcrypto;
CREATE TABLE accounts (id bigint PRIMARY KEY, name text UNIQUE, password text);
CREATE TABLE secrets (name text PRIMARY KEY, value text NOT NULL);
REVOKE ALL ON accounts, secrets FROM api;
INSERT INTO accounts VALUES (7, 'anna', crypt('pw of anna', gen_salt('bf', 4)));
INSERT INTO secrets VALUES ('jwt', encode(gen_random_bytes(32), 'base64'));

CREATE FUNCTION login(name text, password text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT scale.jwt_sign(jsonb_build_object('sub', a.id::text, 'ä', '"+/='),
                          s.value, '15 min')
      FROM accounts a, secrets s
     WHERE a.name = login.name AND s.name = 'jwt'
       AND a.password = crypt(login.password, a.password)
$$;
SQL

file('issued.json', Scale::sql("SELECT scale.jwt_jwks(value) FROM secrets"));

my $nginx = Scale::nginx(Scale::http_config() . <<"END", workers => 2);
    large_client_header_buffers 4 128k;
    add_header X-Cache \$scale_cache_status always;

    scale_jwt all {
        key_file   $key{RS256}{public};
        jwks_file  $dir/jwks.json;
        alg        RS256 ES256 EdDSA HS256;
        audience   api other;
        issuer     https://issuer.test https://second.test;
        leeway     30s;
    }
    scale_jwt rotated {
        jwks_file  $dir/rotated.json;
        token      \$cookie_token;
    }
    scale_jwt issued {
        jwks_file  $dir/issued.json;
        alg        HS256;
        leeway     0;
    }

    server {
        listen 127.0.0.1:\$ServerPort;
        scale_use jwt=all;

        location = /me {
            scale_route  me;
            scale_auth   jwt;
            scale_param  sub    jwt.sub         text;
            scale_param  plan   jwt.app.plan    text;
            scale_param  roles  jwt.roles       text[];
            scale_param  exp    jwt.exp         numeric;
            scale_query  GET  row "SELECT :sub AS sub, :plan AS plan,
                                       :roles AS roles, :exp AS exp";
            scale_query  POST row "SELECT :sub";
        }
        location = /maybe {
            scale_route  maybe;
            scale_param  sub  jwt.sub  text;
            scale_query  GET  value "SELECT coalesce(:sub, 'nobody')";
        }
        location = /required {
            scale_route  required;
            scale_param  tenant  jwt.tenant  int required;
            scale_query  GET  value "SELECT :tenant";
        }
        location = /cached {
            scale_route  cached;
            scale_param  sub  jwt.sub  text required;
            scale_query  GET  value "SELECT :sub";
            scale_cache_valid 1m;
        }
        location = /rotated {
            scale_route  rotated;
            scale_use    jwt=rotated;
            scale_auth   jwt;
            scale_param  sub  jwt.sub  text;
            scale_query  GET  value "SELECT :sub";
        }
        location = /issued {
            scale_route  issued;
            scale_use    jwt=issued;
            scale_param  id  jwt.sub  bigint required;
            scale_query  GET  value "SELECT :id";
        }
        location = /login {
            scale_route  login;
            scale_param  name      json.name      text required;
            scale_param  password  json.password  text required;
            scale_query  POST row "SELECT token
                               FROM login(:name, :password) AS token
                              WHERE token IS NOT NULL" read empty=401;
        }
        location = /direct {
            scale_route  direct;
            scale_query  GET  rows "SELECT value FROM secrets";
        }
    }
END

ok(Scale::wait_for(sub { Scale::get('/maybe')->{code} == 200 }, 20),
   'it answers');


# who is let in

for my $alg (sort keys %key) {
    my $token = Scale::Jwt::token($key{$alg}, { %anna,
                                  app => { plan => 'gold' },
                                  roles => [ 'a', "\x{e4}" ] });

    for my $time ('first', 'second') {
        my $answer = ask('/me', $token);

        is_deeply([ $answer->{code}, eval { decode_json($answer->{body}) } ],
                  [ 200, { sub => 'anna', plan => 'gold',
                           roles => [ 'a', "\x{e4}" ],
                           exp => $anna{exp} } ],
                  "$alg: the $time time its claims are sources");
    }
}

my %good = map { $_ => Scale::Jwt::token($key{$_}, \%anna) } keys %key;

admitted('a kid', Scale::Jwt::token($key{ES256}, \%anna, kid => 'es'));
admitted('a type', Scale::Jwt::token($key{HS256}, \%anna, typ => 'at+jwt'));
admitted('several audiences',
         signed(aud => [ 'x', 'other' ], iss => 'https://second.test'));
admitted('a date with a fraction', signed(exp => $now + 100.5));
admitted('dates within the leeway',
         signed(exp => $now - 5, nbf => $now + 20, iat => $now + 20));

is(Scale::get('/me', Authorization => "bEARER  $good{ES256}")->{code}, 200,
   'the scheme has any case');
is(Scale::request('POST', '/me', '{}', Authorization => "Bearer $good{ES256}",
                  'Content-Type' => 'application/json')->{code}, 200,
   'a POST');


# who is not

my $absent = Scale::get('/me');

is($absent->{code}, 401, 'without a token: 401');
is($absent->{headers}{'www-authenticate'}, 'Bearer', 'of which nothing is said');
is(Scale::get('/me', Authorization => 'Basic YTpi')->{code}, 401,
   'another scheme is no token');
is(Scale::get('/maybe')->{body}, qq("nobody"\n), 'where none is required');
is(ask('/maybe', $good{EdDSA})->{body}, qq("anna"\n), 'one names who asks');
is(ask('/maybe', 'x')->{code}, 401, 'but a false one is refused');
is(ask('/required', $good{EdDSA})->{code}, 401, 'a claim that is required');
is(ask('/required', signed(tenant => 5))->{body}, "5\n", 'and is there');
is(ask('/required', signed(tenant => 'x'))->{code}, 400, 'of another type');

my $malformed = 'the token is malformed';
my $signature = 'the signature is not valid';
my $claims = 'the claims are malformed';
my $expired = 'the token has expired';
my $early = 'the token is not valid yet';
my $audience = 'the token is for another audience';
my $issuer = 'the token is of another issuer';
my ($header, $payload, $mac) = split /\./, $good{HS256};

refused('expired', $expired, signed(exp => $now - 31));
refused('long expired', $expired, signed(exp => 1));
refused('without an end', 'the token never expires', signed(exp => undef));
refused('nbf to come', $early, signed(nbf => $now + 1000));
refused('iat to come', $early, signed(iat => $now + 1000));
refused('an end that is a text', $claims, signed(exp => '' . ($now + 9)));
refused('another audience', $audience, signed(aud => 'Api'));
refused('other audiences', $audience, signed(aud => [ 'a', [ 'api' ], {} ]));
refused('no audience', $audience, signed(aud => undef));
refused('another issuer', $issuer, signed(iss => 'https://issuer.test/'));
refused('no issuer', $issuer, signed(iss => undef));
refused('nobody', 'the token names nobody', signed(sub => undef));

for my $exp ('1e400', '-1', '1e99999999999', '9' x 400, '-1e400',
             $now * 1000)
{
    refused('exp ' . substr($exp, 0, 20), $claims,
            text(qq({"iss":"https://issuer.test","sub":"anna","aud":"api",)
                 . qq("exp":$exp})));
}

for my $none (qw(none None nOnE NONE)) {
    my $unsigned = encode_base64url(qq({"alg":"$none"})) . ".$payload.";

    refused("alg $none", $signature, $unsigned);
    refused("alg $none with a signature", $signature, $unsigned . $mac);
}

for my $secret (Scale::Jwt::pem($key{RS256}), Scale::Jwt::der($key{RS256}),
                Scale::Jwt::pem($key{RS256}) =~ s/\n\z//r,
                decode_base64url(Scale::Jwt::jwk($key{RS256})->{n}),
                Scale::Jwt::pem($key{ES256}),
                decode_base64url(Scale::Jwt::jwk($key{EdDSA})->{x}), '')
{
    refused('HS256 by what of a public key is ' . length($secret) . ' bytes',
            $signature, Scale::Jwt::token(Scale::Jwt::secret($secret), \%anna));
}

for my $alg (sort keys %key) {
    refused("$alg of another key", $signature,
            Scale::Jwt::token($other{$alg}, \%anna));
    refused("$alg of an unknown kid", $signature,
            Scale::Jwt::token($key{$alg}, \%anna, kid => 'EX'));

    my ($h, $p, $s) = split /\./, $good{$alg};
    my $raw = decode_base64url($s);
    my $half = length($raw) / 2;

    for my $as (grep { $_ ne $alg } sort(keys %key), 'RS512', 'ES384', 'PS256')
    {
        refused("$alg called $as", $signature,
                Scale::Jwt::token($key{$alg}, \%anna, alg => $as));
    }

    for my $n (map { 7 * $_ } 0 .. length($good{$alg}) / 7 - 1) {
        refused("$alg cut at $n", qr/malformed|not valid/,
                substr($good{$alg}, 0, $n)) if $n;
    }

    refused("$alg: a signature of zeros", $signature,
            signature($h, $p, "\0" x length $raw));
    refused("$alg: a zero before the signature", $signature,
            signature($h, $p, "\0$raw"));
    refused("$alg: a zero after it", $signature, signature($h, $p, "$raw\0"));
    refused("$alg: the first half is zero", $signature,
            signature($h, $p, "\0" x $half . substr $raw, $half));
    refused("$alg: the second half is zero", $signature,
            signature($h, $p, substr($raw, 0, $half) . "\0" x $half));
    refused("$alg: all bits are one", $signature,
            signature($h, $p, "\xff" x length $raw));
    refused("$alg: a padded signature", $malformed, "$good{$alg}=");
    refused("$alg: a signature in base64", $malformed, "$h.$p.+/$s");
    refused("$alg: no signature", $signature, "$h.$p.");
    refused("$alg: another payload", $signature,
            "$h." . encode_base64url(encode_json({ %anna, sub => 'otto' }))
            . ".$s");
    refused("$alg: a point more", $malformed, "$good{$alg}.");
    refused("$alg: parts more", $malformed, "$good{$alg}.$p.$s");
    refused("$alg: a part less", $malformed, "$h.$p");
}

refused('ES256 in DER', $signature, do {
    my $content = "$header.$payload" =~ s/^[^.]+/encode_base64url('{"alg":"ES256"}')/er;
    my $in = "$dir/jwt.in";
    file('jwt.in', $content);
    $content . '.' . encode_base64url(Scale::Jwt::openssl(
        "dgst -sha256 -sign $key{ES256}{private} $in"));
});
refused('ES256 of another curve', $signature,
        Scale::Jwt::token(Scale::Jwt::key($dir, 'ES384'), \%anna,
                          alg => 'ES256'));

for my $text ('', '{', '[]', '""', '1', 'null', '{"alg":"HS256"', '{}x',
              '{"alg":"HS256","alg":"HS256"}', '{"alg":null}', '{"alg":1}',
              "{\"alg\":\"HS256\",\"x\":\"\xff\"}",
              '{"alg":"HS256","crit":["exp"],"exp":1}',
              '{"alg":"HS256","crit":[]}', '{"alg":"HS256","kid":5}',
              '{"alg":"HS256","typ":"logout+jwt"}',
              '{"alg":"HS256","x":"\\u0000"}', '{"alg":"HS256","x":"\\ud800"}',
              '{"alg":"HS256","x":' . '[' x 2000 . ']' x 2000 . '}',
              '{"alg":"HS256","x":' . '{"a":' x 900)
{
    refused('the header ' . substr($text, 0, 40), qr/malformed|not valid/,
            Scale::Jwt::token($key{HS256}, \%anna, text => $text));
}

my $rest = '"iss":"https://issuer.test","sub":"anna","aud":"api","exp":'
           . ($now + 900);

for my $text ('', '{', '[]', '""', '1', 'null', "{$rest", "{$rest}{}",
              "{$rest,\"sub\":\"otto\"}", "{$rest,\"exp\":9999999999}",
              "{$rest,\"s\\u0075b\":\"otto\"}", "{$rest,\"x\":\"\xc3\x28\"}",
              "{$rest,\"a\":{\"b\":1,\"b\":2}}", "{$rest,\"x\":01}",
              "{$rest,\"x\":\"\\u0000\"}", "\xef\xbb\xbf{$rest}",
              "{$rest,\"x\":" . '[' x 2000 . ']' x 2000 . '}',
              "{$rest,\"x\":" . '{"a":' x 900)
{
    refused('the payload ' . substr($text, 0, 20) . '…' . substr($text, -20),
            $claims, text($text));
}

refused('64 KB', $malformed, text("{$rest,\"x\":\"" . 'a' x 49152 . '"}'));
refused('9 KB', $malformed, text("{$rest,\"x\":\"" . 'a' x 6144 . '"}'));
refused('8 KB of points', $malformed, '.' x 8192);
refused('letters', $malformed, 'x' x 8192);

admitted('7 KB', text("{$rest,\"x\":\"" . 'a' x 5000 . '"}'));
admitted('and after all this one that is good', $good{RS256});

is(Scale::request('POST', '/me', '{}', Authorization => 'Bearer x.y.z',
                  'Content-Type' => 'application/json')->{code}, 401,
   'a POST is refused, too');


# what is cached is the own

is(ask('/cached', $good{ES256})->{body}, qq("anna"\n), 'a cached answer');
is(seen('/cached', $good{EdDSA}), '200 HIT', 'is found by another token');
is(ask('/cached', signed(sub => 'otto'))->{body}, qq("otto"\n),
   'and not by another\'s');
ok(!grep({ /anna|otto|issuer/ } Scale::memcached_keys()),
   'no key in memcached says who');


# what an application issues

my $login = Scale::request('POST', '/login',
                           '{"name":"anna","password":"pw of anna"}',
                           'Content-Type' => 'application/json');
my $issued = eval { decode_json($login->{body})->{token} } // '';

is($login->{code}, 200, 'scale.jwt_sign() makes a token');
is(ask('/issued', $issued)->{body}, "7\n", 'which is good');
is(ask('/me', $issued)->{code}, 401, 'here only');
is(ask('/issued', $good{HS256})->{code}, 401, 'where others are not');
is(Scale::request('POST', '/login', '{"name":"anna","password":"x"}',
                  'Content-Type' => 'application/json')->{code}, 401,
   'a wrong password has none');
is(Scale::get('/direct')->{code}, 403, 'and nginx may not read the secret');

for my $wrong ("'[]', repeat('x', 32), '1 min'", "'{}', 'short', '1 min'") {
    ok(!eval { Scale::sql("SELECT scale.jwt_sign($wrong)"); 1 },
       "scale.jwt_sign($wrong) is refused");
}


# keys that change while they are used

my %by = (old => Scale::Jwt::token($old, { sub => 'old', exp => $now + 900 },
                                   kid => 'old'),
          new => Scale::Jwt::token($new, { sub => 'new', exp => $now + 900 },
                                   kid => 'new'));

is(rotated('old') . rotated('new'), '200401', 'before');

replace('rotated.json', Scale::Jwt::jwks(
    Scale::Jwt::jwk($old, kid => 'old'), Scale::Jwt::jwk($new, kid => 'new')));
until_all(sub { $_[0] eq '200200' }, sub { $_[0] =~ /^200/ },
          'a key is added');

replace('rotated.json', '{"keys": [');
ok(Scale::wait_for(sub { Scale::log_lines($nginx,
       qr/\[error\].*scale_jwt "rotated": ".*rotated\.json" is no JWK set/)
       == 2 }, 20), 'a broken file is said once by each worker');
is(rotated('old') . rotated('new'), '200200', 'and the keys are kept');

unlink "$dir/rotated.json";
ok(Scale::wait_for(sub { Scale::log_lines($nginx,
       qr/\[error\].*rotated\.json" cannot be read; the keys it had are used/)
       == 2 }, 20), 'so they are without it');
is(rotated('old') . rotated('new'), '200200', 'which are used');

file('rotated.json', Scale::Jwt::jwks(Scale::Jwt::jwk($new, kid => 'new')));
until_all(sub { $_[0] eq '401200' }, sub { $_[0] =~ /200$/ },
          'a key is taken away');

is(Scale::log_lines($nginx, qr/is no JWK set/), 2, 'nothing was said again');
ok(Scale::log_lines($nginx, qr/\[info\].*scale_jwt "all": a token is refused: it has expired/) > 0,
   'the log knows why a token was refused');

my $log = Scale::Process::slurp($nginx->{error_log});

for my $token (values %good, values %by, $issued) {
    ok(index($log, $token) == -1, 'and not which one it was');
}
# a configuration that is read by a master which runs already

Scale::reload($nginx);

is(join(' ', map { Scale::get('/me', Authorization => "Bearer $good{$_}")
                       ->{code} } sort keys %good),
   join(' ', (200) x keys %good), 'after a reload the same tokens are good');

unprivileged() if $> == 0;

done_testing();


# only root has another user for the workers

sub unprivileged
{
    chmod 0600, "$dir/rotated.json";

    my $other = Scale::nginx(Scale::http_config() . <<"END", workers => 2,
    scale_jwt { jwks_file $dir/rotated.json; token \$cookie_token; }

    server {
        listen 127.0.0.1:\$ServerPort;

        location = /rotated {
            scale_route  rotated;
            scale_auth   jwt;
            scale_query  GET  value "SELECT 1";
        }
    }
END
                             user => 'nobody nogroup');

    is(rotated('new'), 200, 'workers that cannot read a file have its keys');
    is(Scale::log_lines($other,
           qr/\[warn\].*rotated\.json" cannot be read by a worker, so that/), 1,
       'and one of them warns');
}


sub file
{
    my ($name, $content) = @_;

    open my $out, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $out $content;
    close $out;
}


sub replace
{
    my ($name, $content) = @_;

    file("$name.new", $content);
    rename "$dir/$name.new", "$dir/$name" or die "$dir/$name: $!\n";
}


sub ask
{
    my ($path, $token) = @_;

    return Scale::get($path, Authorization => "Bearer $token");
}


sub seen
{
    my $answer = ask(@_);

    return "$answer->{code} $answer->{headers}{'x-cache'}";
}


# of HS256, with some other claims than Anna's; undef: without

sub signed
{
    my %claims = (%anna, @_);

    delete @claims{ grep { !defined $claims{$_} } keys %claims };

    return Scale::Jwt::token($key{HS256}, \%claims);
}


sub text { return Scale::Jwt::token($key{HS256}, $_[0]) }


sub signature
{
    my ($header, $payload, $raw) = @_;

    return join '.', $header, $payload, encode_base64url($raw);
}


sub admitted
{
    my ($title, $token) = @_;

    is(ask('/me', $token)->{code}, 200, "good: $title");
}


sub refused
{
    my ($title, $description, $token) = @_;

    my $answer = ask('/me', $token);
    my $challenge = $answer->{headers}{'www-authenticate'} // '';
    my $said = $challenge =~ /^Bearer error="invalid_token", error_description="([^"\\]*)"$/
               ? $1 : $challenge;
    my $as = ref $description ? $said =~ $description : $said eq $description;

    ok($answer->{code} == 401 && $as, "refused: $title")
        or diag("$answer->{code} $said");
}


sub rotated
{
    return Scale::get('/rotated', Cookie => "token=$by{$_[0]}")->{code};
}


# what was good is good all the time, and what is to come comes at all workers

sub until_all
{
    my ($end, $always, $title) = @_;

    my ($wrong, $in_a_row) = ('', 0);

    ok(Scale::wait_for(sub {
        my $codes = rotated('old') . rotated('new');

        $wrong .= " $codes" if !$always->($codes);
        $in_a_row = $end->($codes) ? $in_a_row + 1 : 0;

        return $in_a_row == 40;
    }, 30), $title);
    is($wrong, '', 'and no other is refused meanwhile');
}
