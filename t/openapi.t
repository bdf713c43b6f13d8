# The document of scale_openapi: what it says of the routes.

use strict;
use warnings;
use lib 't/lib';
use JSON::PP qw(decode_json);
use Scale qw(postgres memcached);
use Scale::Process qw(slurp);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    author bigint NOT NULL, title text NOT NULL);
INSERT INTO posts (author, title) VALUES (1, 'one');
SQL

open my $secret, '>', "$ENV{TEST_NGINX_DIR}/secret" or die "secret: $!\n";
print $secret "a secret of these tests\n";
close $secret;

my $nginx = Scale::nginx(Scale::http_config() . <<'END' . <<"END",
    server {
        listen 127.0.0.1:$ServerPort;
        scale_cors  https://app.example.com;

        location = /openapi.json {
            scale_openapi  title=Posts version=2.1 url=https://api.example.com;
        }

        location ~ ^/v1/posts/(?<id>\d+)$ {
            scale_route  post;
            scale_param  id     $id         bigint required;
            scale_param  title  json.title  text   len=1-200;
            scale_query  GET    row  "SELECT id, title FROM posts
                                       WHERE id = :id";
            scale_query  PATCH  row  "UPDATE posts
                                         SET title = coalesce(:title, title)
                                       WHERE id = :id RETURNING id, title";
            scale_query  DELETE none "DELETE FROM posts WHERE id = :id"
                         empty=410;
            scale_cache_valid  10m;
        }

        location = /v1/posts {
            scale_route  posts;
            scale_param  author  arg.author      bigint required;
            scale_param  limit   arg.limit       int    default=20 min=1 max=100;
            scale_param  kind    arg.kind        text   in=old|new;
            scale_param  lang    header.X-Lang   text   "pattern=^[a-z]{2}$";
            scale_param  since   $arg_since      timestamptz;
            scale_param  seen    $cookie_seen    date;
            scale_param  me      $remote_user    text   required;
            scale_param  ids     arg.ids         bigint[] max=5;
            scale_param  like    arg.like        jsonb;
            scale_identity  app.user  :me;
            scale_query  GET  rows "SELECT id, title FROM posts
                                     WHERE author = :author
                                       AND :kind IS DISTINCT FROM :lang
                                       AND :since IS DISTINCT FROM :seen
                                       AND NOT id = ANY(:ids)
                                       AND :like IS NULL
                                     LIMIT :limit";
            scale_param  title  json.title           text   required len=1-9;
            scale_param  by     json.meta.by         bigint required;
            scale_param  at     json.meta.at         timestamptz;
            scale_param  tags   json.tags            text[] max=3 len=5;
            scale_param  price  json.price           numeric min=0.5 max=10;
            scale_param  mood   json.mood            text   in=good|bad;
            scale_param  odd    json.odd             text   pattern=(?i)^x$;
            scale_param  blob   json.blob            bytea  len=10;
            scale_query  POST row  "INSERT INTO posts (author, title)
                                    VALUES (:by, :title) RETURNING id, title,
                                    :at, :tags, :price, :mood, :odd, :blob"
                         status=201;
            scale_sqlstate  23514 418;
        }

        location = /page {
            scale_route  page;
            scale_query  GET value "SELECT '<p>'" type=text/html;
        }
        location = /raw {
            scale_route  raw;
            scale_param  all  json  jsonb required;
            scale_query  PUT value "SELECT :all" read;
        }
        location ~ ^/pairs/(\d+)/(\d+)/?$ {
            scale_route  pair;
            scale_param  one    $1  int required;
            scale_param  token  $http_authorization  text;
            scale_query  GET value "SELECT :one || :token";
        }
        location ~ ^/pairs/(?<one>\d+)/(?<two>\d+)$ {
            scale_route  pair-too;
            scale_param  one  $one  int required;
            scale_query  GET value "SELECT :one + 1";
        }
        location ~ ^/(?:this|that)$ {
            scale_route  either;
            scale_query  GET value "SELECT 1";
        }
        location = /list {
            scale_route  list;
            scale_query  GET rows "SELECT id, author FROM posts";
            scale_page   keyset author,id max=50;
        }
        location ~ ^/guarded/(?<id>\d+)$ {
            scale_route  guarded;
            scale_param  id     $id         bigint required;
            scale_param  title  json.title  text   required;
            scale_etag      column=author;
            scale_if_match  required;
            scale_query  GET row "SELECT id, author FROM posts WHERE id = :id";
            scale_query  PUT row "UPDATE posts SET title = :title
                                   WHERE id = :id AND author = :if_match
                                  RETURNING id, author";
        }
        location = /many {
            scale_route  many;
            scale_idempotency  optional;
            scale_limit  $remote_addr  rate=100r/s;
            scale_batch  max=7;
            scale_param  title  json.title  text  required;
            scale_query  POST row "INSERT INTO posts (author, title)
                                   VALUES (1, :title) RETURNING id";
        }
        location = /inner {
            internal;
            scale_route  inner;
            scale_query  GET value "SELECT 2";
        }
    }

    server {
        listen 127.0.0.1:$ServerPort;
        server_name  other;

        location = /docs { scale_openapi; }
        location = /other {
            scale_route  other;
            scale_query  GET value "SELECT 3";
        }
    }
END
    scale_secret_file $ENV{TEST_NGINX_DIR}/secret;
END
    workers => 1);

my $answer = Scale::get('/openapi.json');
my $api = decode_json($answer->{body});

is($answer->{code}, 200, 'the document is served');
is($answer->{headers}{'content-type'}, 'application/json', 'as JSON');

my $same = Scale::get('/openapi.json',
                      'If-None-Match' => $answer->{headers}{etag});

is("$same->{code} $same->{headers}{'cache-control'}", '304 no-cache',
   'whoever has it hears so');
is(Scale::get('/openapi.json', Origin => 'https://app.example.com')
       ->{headers}{'access-control-allow-origin'}, 'https://app.example.com',
   'pages of other origins may read it');

my $post = Scale::request('POST', '/openapi.json', 'x');

is("$post->{code} $post->{headers}{allow}", '405 GET, HEAD, OPTIONS',
   'it is read only');
like($post->{body}, qr/"status":405/, 'which is a problem document');

is($api->{openapi}, '3.1.0', 'its version is 3.1');
is_deeply($api->{info}, { title => 'Posts', version => '2.1' }, 'its title');
is_deeply($api->{servers}, [{ url => 'https://api.example.com' }],
          'its server');
is_deeply([sort keys %{ $api->{paths} }],
          ['/guarded/{id}', '/list', '/many', '/page', '/pairs/{1}/{2}', '/raw', '/v1/posts', '/v1/posts/{id}'],
          'the paths are templates; what is internal is not there');
like(slurp($nginx->{dir} . '/stderr'),
     qr/\[warn\].*route "either" is not in the document of scale_openapi: its/,
     'nor what is no template, which a warning says');
like(slurp($nginx->{dir} . '/stderr'),
     qr/route "pair-too" is not in the document .* the paths of another/,
     'nor one of two that have the same paths');


# every reference has a target, every operation a name of its own

my (@broken, %operation);

sub look
{
    my ($node) = @_;

    if (ref $node eq 'ARRAY') {
        look($_) for @$node;

    } elsif (ref $node eq 'HASH') {
        $operation{ $node->{operationId} }++ if $node->{operationId};

        if (my $ref = $node->{'$ref'}) {
            my $target = $api;
            $target = $target->{$_} for grep { $_ ne '#' } split m{/}, $ref;
            push @broken, $ref if !$target;
        }

        look($_) for values %$node;
    }
}

look($api);
is("@broken", '', 'no reference is broken');
is_deeply([grep { $operation{$_} > 1 } keys %operation], [],
          'an operation has a name of its own');
is_deeply([sort keys %operation],
          [qw(delete_post get_guarded get_list get_page get_pair get_post
              get_posts patch_post post_many post_posts put_guarded put_raw)],
          'of method and route');


# parameters

my $item = $api->{paths}{'/v1/posts/{id}'};
my $list = $api->{paths}{'/v1/posts'};

is_deeply($item->{parameters},
          [{ name => 'id', in => 'path', required => JSON::PP::true,
             schema => { type => 'integer', format => 'int64' } }],
          'a capture is a parameter of the path');
is_deeply($api->{paths}{'/pairs/{1}/{2}'}{parameters},
          [{ name => 1, in => 'path', required => JSON::PP::true,
             schema => { type => 'integer', format => 'int32' } },
           { name => 2, in => 'path', required => JSON::PP::true,
             schema => { type => 'string' } }],
          'one without a name has its number');

my %param = map { ("$_->{in} $_->{name}" => $_) }
            @{ $list->{get}{parameters} };

is_deeply([sort keys %param],
          ['cookie seen', 'header X-Lang', 'query author', 'query ids',
           'query kind', 'query like', 'query limit', 'query since'],
          'the others are where they come from');
ok($param{'query author'}{required} && !$param{'query limit'}{required},
   'what is required is');
is_deeply($param{'query limit'}{schema},
          { type => 'integer', format => 'int32', minimum => 1,
            maximum => 100, default => 20 }, 'a number has bounds');
is_deeply($param{'query kind'}{schema},
          { type => 'string', enum => ['old', 'new'] }, 'a choice');
is_deeply($param{'header X-Lang'}{schema},
          { type => 'string', pattern => '^[a-z]{2}$' }, 'a pattern');
is_deeply($param{'query since'}{schema},
          { type => 'string', format => 'date-time' }, 'a time');
is_deeply($param{'query ids'},
          { name => 'ids', in => 'query', explode => JSON::PP::false,
            schema => { type => 'array', maxItems => 5,
                        items => { type => 'integer', format => 'int64' } } },
          'the elements of an array have commas between');
is_deeply($param{'query like'}{content},
          { 'application/json' => { schema => {} } }, 'a document is JSON');
is_deeply($list->{get}{security}, [{ basic => [] }],
          'who asks is a scheme of security');
is_deeply($api->{paths}{'/pairs/{1}/{2}'}{get}{security},
          [{}, { bearer => [] }], 'or may be');


sub names
{
    my ($path, $method) = @_;

    return join ', ', sort map { ($_->{required} ? '' : 'maybe ') . $_->{name} }
                           @{ $api->{paths}{$path}{$method}{parameters} };
}

is(names('/list', 'get'), 'maybe after, maybe limit', 'pages have a cursor');
is(names('/guarded/{id}', 'put'), 'If-Match', 'scale_if_match a field');
is(names('/guarded/{id}', 'get'), '', 'of writes');
is(names('/many', 'post'), 'maybe Idempotency-Key', 'scale_idempotency, too');


# the body

my $body = $list->{post}{requestBody};
my $schema = $body->{content}{'application/json'}{schema};

ok($body->{required}, 'a body is required where a member is');
is_deeply([sort @{ $schema->{required} }], ['meta', 'title'],
          'and so is what holds one');
is_deeply($schema->{properties}, {
    title => { type => 'string', minLength => 1, maxLength => 9 },
    meta => { type => 'object', required => ['by'], properties => {
        by => { type => 'integer', format => 'int64' },
        at => { type => ['string', 'null'], format => 'date-time' } } },
    tags => { type => ['array', 'null'], maxItems => 3,
              items => { type => 'string', maxLength => 5 } },
    price => { type => ['number', 'null'], minimum => 0.5, maximum => 10 },
    mood => { type => ['string', 'null'], enum => ['good', 'bad', undef] },
    odd => { type => ['string', 'null'] },
    blob => { type => ['string', 'null'], contentEncoding => 'base64' },
}, 'its members have types and bounds; null is absent');
ok(!$item->{patch}{requestBody}{required}, 'a PATCH may be empty');
is_deeply($api->{paths}{'/raw'}{put}{requestBody}{content},
          { 'application/json' => { schema => {} } }, 'a whole body is JSON');

my $one = { type => 'object', required => ['title'],
            properties => { title => { type => 'string' } } };

is_deeply($api->{paths}{'/many'}{post}{requestBody}{content}
              {'application/json'}{schema},
          { oneOf => [$one, { type => 'array', maxItems => 7,
                              items => $one }] }, 'a batch is several');
ok(!$list->{get}{requestBody}, 'GET has none');


# answers

sub statuses { return join ' ', sort keys %{ $_[0]{responses} } }

is(statuses($item->{get}), '200 304 400 403 404 406 422 500 503 504 default',
   'a row is there, unchanged, or not');
is(statuses($item->{patch}),
   '200 400 403 404 406 409 413 415 422 500 503 504 default',
   'a write may be refused');
is(statuses($api->{paths}{'/guarded/{id}'}{put}),
   '200 400 403 404 406 409 412 413 415 422 428 500 503 504 default',
   'a guarded one for its version');
is(statuses($api->{paths}{'/many'}{post}),
   '200 400 403 404 406 409 413 415 422 429 500 503 504 default',
   'and scale_limit has one');
is(statuses($item->{delete}),
   '204 400 403 409 410 422 500 503 504 default', 'empty= says its status');
is(statuses($list->{post}),
   '201 400 401 403 404 406 409 413 415 418 422 500 503 504 default',
   'so do status= and scale_sqlstate, and who asks');
is_deeply([sort keys %{ $list->{get}{responses}{200}{content} }],
          ['application/json', 'application/x-ndjson', 'text/csv'],
          'rows have three forms');
is($list->{get}{responses}{200}{content}{'application/json'}{schema}{type},
   'array', 'an array is one');
is($item->{get}{responses}{200}{content}{'application/json'}{schema}{type},
   'object', 'a row is an object');
is_deeply($api->{paths}{'/page'}{get}{responses}{200}{content},
          { 'text/html' => { schema => { type => 'string' } } },
          'type= is what it is');
ok(!$item->{delete}{responses}{204}{content}, '204 has no content');
like($api->{components}{responses}{'problem-409'}{description},
     qr/^Conflict; type conflict: another row already has this value/,
     'a problem has its types');
ok($api->{components}{responses}{'problem-503'}{headers}{'Retry-After'},
   'and 503 when to try again');

is_deeply([keys %{ decode_json(Scale::get('/docs', Host => 'other')->{body})
                       ->{paths} }], ['/other'],
          'another server has its own routes');

done_testing();
