# Whose a cached answer is: one's who asked, and each write reaches all of
# these; or everybody's, and then it was asked for by nobody.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Http;
use Test::More;

my @json = ('Content-Type' => 'application/json');

Scale::sql(<<'END');
CREATE TABLE api_keys (hash text PRIMARY KEY, owner int NOT NULL);
INSERT INTO api_keys
    SELECT encode(sha256(convert_to('key-of-' || i, 'UTF8')), 'hex'),
           (i + 1) / 2
      FROM generate_series(1, 6) i;
CREATE TABLE shared (id int PRIMARY KEY, text text);
INSERT INTO shared VALUES (1, 'old');
CREATE FUNCTION whoami() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT coalesce(current_setting('app.user', true), '') $$;
CREATE TABLE made (n int GENERATED ALWAYS AS IDENTITY, owner int);
END

Scale::nginx(Scale::http_config() . <<'END', workers => 1);
    map $http_x_key $key { default $http_x_key; }

    scale_key api {
        query  "SELECT owner FROM api_keys WHERE hash = :hash";
        key    $key;
        valid  1m missing=1m;
    }

    add_header X-Cache $scale_cache_status always;
    scale_cache_valid  1m missing=1m;

    server {
        listen 127.0.0.1:$ServerPort;

        scale_auth      key;
        scale_identity  app.user key.owner;
        scale_param     id arg.id int required;

        location = /private {
            scale_route  private;
            scale_param  text json.text text required;
            scale_query  GET row "SELECT id, text, whoami() AS me FROM shared
                                   WHERE id = :id";
            scale_query  PATCH row "UPDATE shared SET text = :text
                                     WHERE id = :id RETURNING id, text";
            scale_purge  private id=:id;
            scale_purge  public id=:id;
            scale_purge  hand id=:id;
        }
        location = /public {
            scale_route        public;
            scale_cache_scope  public;
            scale_query  GET row "SELECT id, text, whoami() AS me FROM shared
                                   WHERE id = :id";
            scale_query  POST row "SELECT whoami() AS me" read;
        }
        location = /hand {
            scale_route      hand;
            scale_cache_key  "by-hand/:app_user/:identity/:id";
            scale_query  GET row "SELECT id, text, whoami() AS me FROM shared
                                   WHERE id = :id";
        }
        location = /bound {
            scale_route  bound;
            scale_query  GET value "SELECT :identity::text";
        }
        location = /off {
            scale_route        off;
            scale_cache_valid  off;
            scale_query  GET value "SELECT whoami()";
        }
        location = /cdn {
            scale_route  cdn;
            scale_cdn    on;
            scale_query  GET value "SELECT whoami()";
        }
        location = /public-cdn {
            scale_route  public-cdn;
            scale_cdn    on;
            scale_cache_scope  public;
            scale_query  GET value "SELECT whoami()";
        }
        location = /made {
            scale_route        made;
            scale_cache_valid  off;
            scale_idempotency  optional;
            scale_query  POST row "INSERT INTO made (owner)
                                   VALUES (whoami()::int) RETURNING n, owner";
        }
    }

    server {
        listen unix:$TEST_NGINX_DIR/open;

        location = /open {
            scale_route  open;
            scale_query  GET value "SELECT whoami()";
        }
        location = /nobody {
            scale_route        nobody;
            scale_identity     app.user key.owner;
            scale_cache_scope  public;
            scale_cdn          on;
            scale_query  GET value "SELECT whoami()";
            scale_query  POST value "SELECT whoami()" read;
        }
        location = /viewer {
            scale_route  viewer;
            scale_param  viewer key.owner int;
            scale_query  GET value "SELECT coalesce(:viewer, 0)";
        }
    }
END

my $plain = "$ENV{TEST_NGINX_DIR}/open";


# "code status body" by the key of a number; those of two numbers are one's

sub asks
{
    my ($key, $path, %fields) = @_;

    my $answer = on($key, $path, %fields);

    return join ' ', $answer->{code}, $answer->{headers}{'x-cache'} || '-',
                     $answer->{body} =~ s/\n\z//r;
}


sub on
{
    my ($key, $path, %fields) = @_;

    return Scale::request(delete $fields{':method'} // 'GET', $path,
                          delete $fields{':body'},
                          $key ? ('X-Key' => "key-of-$key") : (), %fields,
                          $path =~ m{^/(?:open|nobody|viewer)}
                          ? (':socket' => IO::Socket::UNIX->new($plain)) : ());
}


sub row
{
    my ($text, $me) = @_;

    return qq({"id":1,"text":"$text","me":"$me"});
}


ok(Scale::wait_for(sub { asks(1, '/off') =~ /^200/ }, 10), 'it answers');


# private

for my $path ('/private', '/hand') {
    for my $key (1, 3, 5) {
        my $me = ($key + 1) / 2;

        is(asks($key, "$path?id=1"), '200 MISS ' . row('old', $me),
           "$path: $me has no entry yet");
        is(asks($key, "$path?id=1"), '200 HIT ' . row('old', $me),
           "$path: $me has one");
    }

    is(asks(2, "$path?id=1"), '200 MISS ' . row('old', 1),
       "$path: another key is another one");
}

is(asks(undef, '/private?id=1'), '401 - '
   . asks(undef, '/private?id=1') =~ s/^401 - //r, 'who is nobody gets none');
is(asks(1, '/private?id=2') =~ s/ \{.*//sr, '404 MISS', 'what is not there');
is(asks(1, '/private?id=2') =~ s/ \{.*//sr, '404 NEGATIVE', 'is not,');
is(asks(3, '/private?id=2') =~ s/ \{.*//sr, '404 MISS', 'to one');


# public

is(asks(1, '/public?id=1'), '200 MISS ' . row('old', ''),
   'what is public was asked for by nobody');
is(asks($_, '/public?id=1'), '200 HIT ' . row('old', ''), 'for all')
    for 1, 3, 5;
is(asks(undef, '/public?id=1') =~ s/ \{.*//sr, '401 -',
   'of those who are let in');
is(asks(3, '/public', ':method' => 'POST'), '200 - {"me":"2"}',
   'other methods have who asks');


# a write

is(on(3, '/private?id=1', ':method' => 'PATCH', ':body' => '{"text": "new"}',
      @json)->{code}, 200, 'one of them writes');
is(asks($_, '/private?id=1'), '200 MISS ' . row('new', ($_ + 1) / 2),
   'and all of them read that') for 1, 3, 5;
is(asks(1, '/public?id=1'), '200 MISS ' . row('new', ''),
   'so do the entries of others that it purges');
is(asks($_, '/hand?id=1'), '200 MISS ' . row('new', ($_ + 1) / 2),
   'which may be everybody\'s own') for 1, 3;


# by who asks alone

like(asks(1, '/bound'), qr/^200 MISS "[0-9a-f]{32}"$/,
     'who asks is a digest');
like(asks(1, '/bound'), qr/^200 HIT /, 'and has an entry');
like(asks(2, '/bound'), qr/^200 MISS /, 'of his own');

is(asks(undef, '/viewer'), '200 MISS 0', 'where nobody has to ask');
is(asks(undef, '/viewer'), '200 HIT 0', 'nobody has an entry,');
is(asks(1, '/viewer'), '200 MISS 1', 'somebody another one');
is(asks(3, '/viewer'), '200 MISS 2', 'each');
is(asks(1, '/viewer'), '200 HIT 1', 'a key');
is(on('none', '/viewer')->{code}, 401, 'but not who says what is wrong');


# what others are told

sub kept
{
    my ($key, $path, %fields) = @_;

    my $headers = on($key, $path, %fields)->{headers};

    return join '; ', $headers->{'cache-control'} // '-',
                      $headers->{'surrogate-key'} // '-',
                      $headers->{vary} // '-';
}

is(kept(1, '/private?id=1'), 'private, no-cache; -; -',
   'a private answer is for its reader');
is(kept(1, '/private?id=2'), 'private, no-cache; -; -', 'so is that of none');
is(kept(1, '/off'), 'private, no-cache; -; -', 'and one that is not cached');
is(kept(1, '/public?id=1'), 'private, no-cache; -; -',
   'what is public is for those who are let in');
is(kept(undef, '/open'), 'no-cache; -; -', 'what is open for all');
is(kept(1, '/cdn'), 'private, no-store; -; -', 'a CDN gets nothing of one');
is(kept(1, '/public-cdn'), 'private, no-store; -; -',
   'nor of those who are let in');
is(kept(1, '/nobody'), 'max-age=0, s-maxage=60; nobody; -',
   'but what nobody has asked for');

my $etag = on(1, '/private?id=1')->{headers}{etag};

is(on(1, '/private?id=1', 'If-None-Match' => $etag)->{code}, 304,
   'her own is known by its ETag');
is(on(3, '/private?id=1', 'If-None-Match' => $etag)->{code}, 200,
   'by nobody else');


# a key of idempotency is one's, too

my @once = (':method' => 'POST', ':body' => '{}', @json,
            'Idempotency-Key' => 'the-same');

is(asks(1, '/made', @once), '200 - {"n":1,"owner":1}', 'one makes it');
is(asks(1, '/made', @once), '200 - {"n":1,"owner":1}', 'once');
is(asks(3, '/made', @once), '200 - {"n":2,"owner":2}',
   'another one something else');


# no database

asks('9', '/off');
Scale::stop_postgres();

is(asks(1, '/private?id=1') =~ s/ \{.*//sr, '200 HIT',
   'with the database down, what is cached is for whom it was');
is(on('9', '/private?id=1')->{code}, 401, 'an unknown key is one');
is(on('10', '/private?id=1')->{code}, 503, 'another one may be good');

done_testing();
