# Pages of other origins: what a browser hears before and after it sends.
# Beside it what is nginx's own on the way out, compression, with our ETag.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE posts (id bigint PRIMARY KEY, title text NOT NULL);
INSERT INTO posts SELECT i, repeat('long ', 200) FROM generate_series(1, 9) i;
SQL

my $app = 'https://app.example.com';

my $nginx = Scale::nginx(Scale::http_config() . <<"END", workers => 1);
    gzip  on;
    gzip_types  application/json application/problem+json;
    gzip_min_length  100;

    server {
        listen 127.0.0.1:\$ServerPort;
        scale_cors  $app http://localhost:3000 credentials;

        location ~ ^/posts/(?<id>\\d+)\$ {
            scale_route  post;
            scale_param  id     \$id          bigint required;
            scale_param  title  json.title   text   required len=1-9;
            scale_param  trace  header.trace text;
            scale_query  GET row "SELECT id, title FROM posts WHERE id = :id";
            scale_query  PUT row "UPDATE posts SET title = :title || :trace
                                  WHERE id = :id RETURNING id, title";
            scale_cache_valid  1m;
            client_max_body_size  100;
        }
        location = /posts {
            scale_route  posts;
            scale_query  GET rows "SELECT id FROM posts ORDER BY id";
            scale_cors  * methods=GET headers=X-A,X-B expose=X-C max_age=1h;
        }
        location = /list {
            scale_route  list;
            scale_query  GET rows "SELECT id FROM posts ORDER BY id";
        }
        location = /guarded {
            scale_route  guarded;
            scale_query  GET rows "SELECT id FROM posts ORDER BY id";
            auth_basic   guarded;
            auth_basic_user_file  /dev/null;
        }
        location = /ours {
            scale_route  ours;
            scale_query  GET rows "SELECT id FROM posts ORDER BY id";
            scale_cors   off;
        }
        location = /other { return 200; }
    }
END


# "field value" of each Access-Control field, and Vary

sub said
{
    my ($answer) = @_;

    my %field = %{ $answer->{headers} };

    return join ', ', map { "$_ $field{$_}" =~ s/access-control-//r }
                      grep { /^access-control-(?!expose)|^vary/ }
                      sort keys %field;
}


sub preflight
{
    my ($path, $origin) = @_;

    my $answer = Scale::request('OPTIONS', $path, undef, Origin => $origin,
                                'Access-Control-Request-Method' => 'PUT');

    return "$answer->{code} " . said($answer);
}


my $fields = 'Authorization, Content-Type, Idempotency-Key, If-Match, '
             . 'If-None-Match, Scale-Token';

is(preflight('/posts/1', $app),
   "204 allow-credentials true, allow-headers $fields, trace, "
   . "allow-methods GET, PUT, allow-origin $app, max-age 600, vary Origin",
   'a preflight hears all that the route takes');
is(preflight('/posts/1', 'http://localhost:3000')
       =~ /(allow-origin [^,]*)/ && $1, 'allow-origin http://localhost:3000',
   'each origin hears its own name');
is(preflight('/posts/1', 'https://evil.example.com'), '204 vary Origin',
   'another one hears nothing');
is(preflight('/posts/1', 'null'), '204 vary Origin', 'nor has one no name');
is(preflight('/posts', 'https://evil.example.com'),
   "204 allow-headers $fields, X-A,X-B, allow-methods GET, allow-origin *, "
   . 'max-age 3600', 'all origins are told apart by nobody');
is(preflight('/guarded', $app) =~ /\A(\d+)/ && $1, '204',
   'a preflight has no password, and needs none');
is(Scale::get('/guarded', Origin => $app)->{code}, 401, 'the request does');
is(preflight('/ours', $app), '204 ', 'off is off');
is(preflight('/other', $app) =~ s/ .*//r, '200', 'no other location is ours');

my $options = Scale::request('OPTIONS', '/posts/1', undef, Origin => $app);

is("$options->{code} $options->{headers}{allow}",
   '204 GET, HEAD, PUT, OPTIONS', 'OPTIONS for its own sake is answered');


# the request itself

my $own = "allow-credentials true, allow-origin $app, vary";
my $got = Scale::get('/posts/1', Origin => $app);

is(said($got), "$own trace, Origin" =~ s/trace, //r,
   'an answer says who may read it');
like($got->{headers}{'access-control-expose-headers'},
     qr/\bETag\b.*\bLink\b.*\bLocation\b.*\bRateLimit\b.*\bRetry-After\b/,
     'and which fields of it');
like(Scale::get('/posts', Origin => $app)
         ->{headers}{'access-control-expose-headers'}, qr/, X-C\z/,
     'or more of them');
is(said(Scale::get('/posts')), 'allow-origin *, vary Accept',
   'what all may read says so to all');
is(said(Scale::get('/list', Origin => $app)), "$own Accept, Origin",
   'Vary is one field');
is(said(Scale::get('/list')), 'vary Accept, Origin',
   'who is of no origin is told that they differ');
is(said(Scale::get('/posts/77', Origin => $app)), "$own Origin",
   'a problem can be read as well');
is(said(Scale::request('PUT', '/posts/1', 'x' x 200, Origin => $app)),
   "$own Origin", 'and one of nginx');
is(said(Scale::request('PUT', '/posts/2', '{"title":"x"}', Origin => $app,
                       Trace => 't', 'Content-Type' => 'application/json')),
   "$own trace, Origin", 'and what is written');


# compression

my $plain = Scale::get('/posts/1');
my $packed = Scale::get('/posts/1', 'Accept-Encoding' => 'gzip');
my $etag = $plain->{headers}{etag};
my $weak = $packed->{headers}{etag};

gunzip(\$packed->{body}, \my $body);

is($packed->{headers}{'content-encoding'}, 'gzip', 'nginx compresses answers');
is($body, $plain->{body}, 'which are the same');
is($weak, "W/$etag", 'their validator is a weak one then');

for my $validator ($weak, $etag) {
    for my $encoding ('gzip', 'identity') {
        my $same = Scale::get('/posts/1', 'If-None-Match' => $validator,
                              'Accept-Encoding' => $encoding);

        is("$same->{code} $same->{body}", '304 ',
           "either one is recognized: $validator, $encoding");
    }
}

is(Scale::get('/posts/1', 'If-None-Match' => 'W/"other"')->{code}, 200,
   'another one is not');

done_testing();
