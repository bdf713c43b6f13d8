# What a client sends in its fields is its own: nothing of it is readable in
# memcached or in the log, and the keys and tags made of it work as others do.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Http;
use Scale::Jwt;
use Test::More;

my %token = (map { $_ => "$_-token-of-anna" } qw(bearer cookie field vary jwt));
my $key = Scale::Jwt::key(Scale::dir(), 'ES256');

Scale::sql(<<"END");
CREATE TABLE drawers (token text PRIMARY KEY, n int NOT NULL);
INSERT INTO drawers SELECT t, 0
    FROM unnest(ARRAY['$token{bearer}', '$token{cookie}', '$token{field}',
                      '$token{vary}', '$token{jwt}', 'of others']) t;
END

my $row = 'row "SELECT n FROM drawers WHERE token = :token"';
my $update = 'row "UPDATE drawers SET n = n + 1 WHERE token = :token
                   RETURNING n, token AS \"row:token\""';

my $nginx = Scale::nginx(Scale::http_config() . <<"END", workers => 1);
    add_header X-Cache \$scale_cache_status always;
    map \$http_x_field \$mapped { default \$http_x_field; }

    scale_jwt { key_file $key->{public}; }

    server {
        listen 127.0.0.1:\$ServerPort;

        location = /bearer {
            scale_route bearer;
            scale_purge bearer token=:token;
            scale_param token "\$http_authorization" text required;
            scale_query GET   $row;
            scale_query PATCH $update;
            scale_cache_valid 1m;
        }

        location = /cookie {
            scale_route cookie;
            scale_purge cookie token=:token;
            scale_param token "\${cookie_sid}" text required;
            scale_query GET   $row;
            scale_query PATCH $update;
            scale_cache_valid 1m;
        }

        location = /field {
            scale_route    field;
            scale_param    token \$mapped text;
            scale_identity app.user :token;
            scale_query    GET   $row;
            scale_query    PATCH $update;
            scale_cache_valid 1m;
        }

        location = /jwt {
            scale_route    jwt;
            scale_auth     jwt;
            scale_param    token jwt.app.token text required;
            scale_identity app.user jwt.sub;
            scale_query    GET   $row;
            scale_query    PATCH $update;
            scale_cache_valid 1m;
        }

        location = /tagged {
            scale_route       tagged;
            scale_param       token header.x-vary text required;
            scale_query       GET row
                              "SELECT n FROM drawers WHERE token = :token";
            scale_cache_valid 1m;
            scale_cache_tags  "drawer/:token";
        }

        location = /by-tag {
            scale_route       by-tag;
            scale_param       token json.token text required;
            scale_query       POST $update;
            scale_purge_tags  "drawer/:row.token";
        }

        # the same entry by another way

        location = /by-argument {
            scale_route bearer;
            scale_purge bearer token=:token;
            scale_param token arg.token text required;
            scale_query GET $row;
            scale_query PATCH $update;
            scale_cache_valid 1m;
        }

        location = /by-name {
            scale_route       by-name;
            scale_param       token json.token text required;
            scale_query       POST $update;
            scale_purge       bearer token=:row.token;
        }
    }
END

my $signed = Scale::Jwt::token($key, { iss => 'https://issuer.test',
                               sub => 'subject-anna', exp => time + 900,
                               app => { token => $token{jwt} } });

my %as = (
    jwt => [ Authorization => "Bearer $signed" ],
    bearer => [ Authorization => $token{bearer} ],
    cookie => [ Cookie => "sid=$token{cookie}" ],
    field => [ 'X-Field' => $token{field} ],
    tagged => [ 'X-Vary' => $token{vary} ],
);

ok(Scale::wait_for(sub { seen('GET', 'bearer') =~ /^200/ }, 10), 'it answers');

for my $route (sort keys %as) {
    seen('GET', $route);
    is(seen('GET', $route), '200 HIT 0', "$route: an entry is found");
}

is(seen('GET', 'bearer', Authorization => 'of others'), '200 MISS 0',
   'who sends something else has an entry of her own');

for my $route (qw(bearer cookie field jwt)) {
    like(seen('PATCH', $route), qr/^200 \S+ 1$/, "$route: a write");
    is(seen('GET', $route), '200 MISS 1', "$route: makes it old");
    is(seen('GET', $route), '200 HIT 1', "$route: once");
}

post('/by-name', $token{bearer});
is(seen('GET', 'bearer'), '200 MISS 2', 'a purge by a row makes the same key');

is(seen('PATCH', "by-argument?token=$token{bearer}", Accept => '*/*'),
   '200 - 3', 'a route of the same name');
is(seen('GET', 'bearer'), '200 MISS 3', 'has the same entry');

post('/by-tag', $token{vary});
is(seen('GET', 'tagged'), '200 MISS 1', 'and a tag of a row the same tag');
is(seen('GET', 'tagged'), '200 HIT 1', 'which holds then');


my $all = contents();

cmp_ok(length $all, '>', 1000, 'memcached has it all');

for my $what (sort(values %token), $signed, 'subject-anna', 'issuer.test') {
    ok(index($all, $what) == -1, "$what is not in memcached");
    ok(index(log_of($nginx), $what) == -1, "nor in the log");
}

done_testing();


sub seen
{
    my ($method, $route, @fields) = @_;

    @fields = @{ $as{$route} } if !@fields;

    return Scale::seen(Scale::request($method, "/$route", undef, @fields));
}


sub post
{
    my ($path, $token) = @_;

    my $answer = Scale::request('POST', $path, qq({"token": "$token"}),
                                'Content-Type' => 'application/json');

    is($answer->{code}, 200, "$path writes");
}


# the keys and values that memcached holds

sub contents
{
    my @keys = Scale::memcached_keys();

    return join "\n", @keys,
                      Scale::memcached_says(undef, map { "get $_" } @keys);
}


sub log_of { return Scale::Process::slurp($_[0]{error_log}) }
