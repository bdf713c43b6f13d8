# What an answer tells the caches between here and its reader, and what a stock
# nginx with proxy_cache, in the place of a CDN, makes of it.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Process qw(alive slurp);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE posts (id bigint PRIMARY KEY, author bigint NOT NULL,
                    title text NOT NULL);
INSERT INTO posts SELECT i, i % 3, 'post ' || i FROM generate_series(1, 9) i;
SQL

my $get = 'scale_query GET row "SELECT id, title FROM posts WHERE id = :id"';

my $origin = Scale::nginx(Scale::http_config() . <<"END", workers => 1);
    log_format asked '\$request_uri \$status';
    map \$arg_id \$mapped { default \$arg_id; }

    server {
        listen 127.0.0.1:\$ServerPort;
        access_log asked.log asked;
        scale_cdn on;

        location ~ ^/posts/(?<id>\\d+)\$ {
            scale_route  post;
            scale_param  id     \$id         bigint required;
            scale_param  title  json.title  text   required len=1-9;
            scale_query  GET row "SELECT id, title, author AS \\"row:author\\"
                                   FROM posts WHERE id = :id";
            scale_query  PUT row "INSERT INTO posts VALUES (:id, 0, :title)
                                  ON CONFLICT (id) DO UPDATE SET title = :title
                                  RETURNING id, title";
            scale_cache_valid  1m missing=5s stale=30s error=5m;
            client_max_body_size  100;
        }
        location = /authors {
            scale_route  authors;
            scale_param  author  arg.author   bigint required;
            scale_param  lang    header.lang  text   in=en|de;
            scale_query  GET rows "SELECT id, coalesce(:lang, 'en') AS lang
                                     FROM posts WHERE author = :author";
            scale_cache_valid  1m;
            scale_cache_tags   "by/:author" "some text/:author";
        }
        location = /browser {
            scale_route  browser;
            scale_param  id  arg.id  bigint required;
            $get;
            scale_cache_valid  1m;
            scale_cdn  browser;
        }
        location = /micro {
            scale_route  micro;
            scale_param  id  arg.id  bigint required;
            $get;
            scale_cache_valid  1m missing=1m stale=1m error=1m;
            scale_cdn  micro;
        }
        location = /fresh {
            scale_route  fresh;
            scale_param  id  arg.id  bigint required;
            $get;
        }
        location = /column {
            scale_route  column;
            scale_param  id  arg.id  bigint required;
            scale_query  GET row "SELECT id, 'max-age=7' AS
                                  \\"http:Cache-Control\\"
                                  FROM posts WHERE id = :id";
            scale_cache_valid  1m;
        }
        location = /expires {
            scale_route  expires;
            scale_param  id  arg.id  bigint required;
            $get;
            scale_cache_valid  1m;
            expires  9s;
        }
        location = /cookie {
            scale_route  cookie;
            scale_param  id  arg.id  bigint required;
            scale_query  GET row "SELECT id, 'a=b' AS \\"http:Set-Cookie\\"
                                  FROM posts WHERE id = :id";
            scale_cache_valid  1m;
        }

        # one client's

        location = /mine {
            scale_route  mine;
            scale_identity  app.user  \$http_x_user;
            scale_query  GET value "SELECT current_setting('app.user')";
            scale_cache_valid  1m missing=1m;
        }
        location = /token {
            scale_route  token;
            scale_param  token  header.x-token  text;
            scale_query  GET value "SELECT length(:token)";
            scale_cache_valid  1m;
            scale_cache_tags   "of/:token";
            scale_cdn  on private=no-cache;
        }
        location = /vouched {
            scale_route  vouched;
            scale_param  token  header.x-token  text;
            scale_query  GET value "SELECT length(:token)";
            scale_cache_valid  1m;
            scale_cache_tags   "of/:token" "all";
            scale_cdn  on shared;
        }
        location = /visit {
            scale_route  visit;
            scale_param  visitor  \$cookie_visitor  text;
            scale_query  GET value "SELECT :visitor";
            scale_cache_valid  1m;
        }
        location = /address {
            scale_route  address;
            scale_param  address  \$remote_addr  text;
            scale_query  GET value "SELECT :address";
        }
        location = /group {
            scale_route  group;
            scale_param  id  \$1  bigint;
            scale_query  GET value "SELECT :id";
            if (\$http_x_id ~ "^(.*)\$") { set \$group 1; }
        }
        location = /mapped {
            scale_route  mapped;
            scale_param  id  \$mapped  bigint required;
            $get;
            scale_cache_valid  1m;
        }
    }

    server {
        listen unix:$ENV{TEST_NGINX_DIR}/plain;

        location = /plain {
            scale_route  plain;
            scale_param  id  arg.id  bigint required;
            $get;
            scale_cache_valid  1m;
        }
        location = /short {
            scale_route  short;
            scale_param  id  arg.id  bigint required;
            $get;
            scale_cache_valid  1s missing=1s error=30s;
            scale_cdn  on;
        }
        location = /mine {
            scale_route  mine-too;
            scale_param  user  \$http_x_user  text;
            scale_query  GET value "SELECT :user";
            scale_cache_valid  1s error=30s;
            scale_cdn  on;
        }
        location / { proxy_pass http://127.0.0.1:\$ServerPort; }
    }
END

my $cdn = do {
    local $ENV{TEST_NGINX_LOAD_MODULES} = '';

    Scale::nginx(<<"END", workers => 1);
    proxy_cache_path  $ENV{TEST_NGINX_DIR}/cdn keys_zone=cdn:1m;

    server {
        listen 127.0.0.1:\$ServerPort;
        location / {
            proxy_pass  http://unix:$ENV{TEST_NGINX_DIR}/plain:;
            proxy_cache  cdn;
            proxy_cache_key  \$request_uri;
            proxy_cache_revalidate  on;
            add_header  X-CDN \$upstream_cache_status always;
        }
    }
END
};

my @origin = (':port' => $origin->{port});
my @cdn = (':port' => $cdn->{port});


# a field of what the origin answers

sub field
{
    my ($name, $path, %headers) = @_;

    my $answer = Scale::get($path, @origin, %headers);

    return $answer->{headers}{$name} // '-';
}


sub says { return field('cache-control', @_) }


# what the CDN answers: "status its-word body"

sub seen
{
    my $answer = Scale::get($_[0], @cdn, @_[1 .. $#_]);

    return join ' ', $answer->{code}, $answer->{headers}{'x-cdn'} // '-',
                     $answer->{body} =~ /\A([^\n]*)/;
}


# what may be kept, and for how long

my $post = 'max-age=0, s-maxage=60, stale-while-revalidate=30, '
           . 'stale-if-error=300';

is(says('/posts/1'), $post, 'a CDN may keep it for as long as memcached does');
is(says('/posts/1'), $post, 'a hit says the same');
is(Scale::request('HEAD', '/posts/1', undef, @origin)
       ->{headers}{'cache-control'}, $post, 'and HEAD');
is(says('/browser?id=1'), 'max-age=60, s-maxage=60', 'a browser, too');
is(says('/micro?id=1'), 'max-age=0, s-maxage=1, stale-while-revalidate=1, '
                        . 'stale-if-error=60', 'or the CDN for a moment');
is(says('/fresh?id=1'), 'no-cache', 'what is not cached here is not there');
is(says('/column?id=1'), 'max-age=7', 'a column has the last word');
like(says('/expires?id=1'), qr/\A(?:max-age=9)\z/, 'and so has expires');
is(says('/group', 'X-Id' => 5), 'private, no-store',
   'so it may be of a group that is not of the location');
is(says('/mapped?id=1'), 'private, no-store',
   'of a map nobody knows what it is made of');
like(slurp($origin->{dir} . '/stderr') . slurp($origin->{error_log}),
     qr/\[warn\].*route "mapped" is private for caches, since ":id" is not of /, 'and a warning says so');

my $etag = field('etag', '/posts/1');
my $same = Scale::get('/posts/1', @origin, 'If-None-Match' => $etag);

is("$same->{code} $same->{headers}{'cache-control'}", "304 $post",
   'a 304 says it once more');
is($same->{headers}{'surrogate-key'}, 'post:1', 'by its name');


# what there is not

is(says('/posts/77'), 'max-age=0, s-maxage=5', 'a 404 is kept as missing=');
is(field('surrogate-key', '/posts/77'), 'post:77', 'until there is one');
is(says('/micro?id=77'), 'max-age=0, s-maxage=1', 'or for a moment');
is(says('/browser?id=77'), 'no-store', 'without missing= it is not');
is(says('/browser?id=x'), 'no-store', 'nor is another refusal');
is(Scale::request('DELETE', '/posts/1', undef, @origin)
       ->{headers}{'cache-control'}, 'no-store', 'a method that is not there');

my $large = Scale::request('PUT', '/posts/1', 'x' x 200, @origin);

is("$large->{code} $large->{headers}{'cache-control'}", '413 no-store',
   'and what nginx refuses');
like($large->{body}, qr/"title":"Content Too Large","status":413,"route":"post"/,
     'a body beyond client_max_body_size is a problem document');

my $put = Scale::request('PUT', '/posts/8', '{"title":"new"}', @origin,
                         'Content-Type' => 'application/json');

is("$put->{code} " . ($put->{headers}{'cache-control'} // '-'), '200 -',
   'a write has nothing to say');


# whose it is

my %private = ('/mine' => { 'X-User' => 'ann' },
               '/visit' => { Cookie => 'visitor=ann' }, '/address' => {},
               '/posts/1' => { Authorization => 'Basic YTpi' },
               '/cookie?id=1' => {});

for my $path (sort keys %private) {
    is(says($path, %{ $private{$path} }), 'private, no-store',
       "$path is one client's");
    is(field('surrogate-key', $path, %{ $private{$path} }), '-',
       "$path is not purged anywhere");
}

is(says('/token', 'X-Token' => 'secret'), 'private, no-cache',
   'a browser may keep what is its own and ask each time');
is(field('vary', '/token', 'X-Token' => 'secret'), 'x-token',
   'it is told what chooses');
is(field('vary', '/visit', Cookie => 'visitor=ann'), '-', 'but not a cookie');

is(says('/vouched', 'X-Token' => 'secret'), 'max-age=0, s-maxage=60',
   'what is vouched for is shared');

is(field('surrogate-key', '/vouched', 'X-Token' => 'secret'), 'all',
   'by names without a secret');


# names, choices, and age

my $authors = '/authors?author=1';
my ($key, $by, $text) = split ' ', field('surrogate-key', $authors);

is("$key $by", 'authors:~:1 by/1', 'the names are its key and its tags');
like($text, qr/\A[0-9a-f]{32}\z/, 'one with a blank is its digest');
is(field('vary', $authors), 'Accept, lang', 'Vary has all that chooses');
is(field('surrogate-key', $authors, Accept => 'text/csv'), "$key $by $text",
   'CSV has the same names');
is(says($authors, Accept => 'text/csv'), 'max-age=0, s-maxage=60',
   'and may be kept, too');

is(field('age', '/browser?id=2'), '-', 'what is new has no age');
ok(Scale::wait_for(sub { field('age', '/browser?id=2') =~ /\A[12]\z/ }, 5),
   'what comes from the cache has that of its entry');


# the CDN

is(seen('/short?id=1'), '200 MISS {"id":1,"title":"post 1"}', 'it asks once');
is(seen('/short?id=1'), '200 HIT {"id":1,"title":"post 1"}', 'and keeps it');
ok(Scale::wait_for(sub { seen('/short?id=1') =~ /REVALIDATED/ }, 5),
   'it asks whether that is still so, and hears 304');

Scale::sql("UPDATE posts SET title = 'other' WHERE id = 1");

ok(Scale::wait_for(sub { seen('/short?id=1') =~ /"other"/ }, 5),
   'or what is new');
is(seen('/short?id=78') =~ s/ \{.*//r, '404 MISS', 'an absent row');
is(seen('/short?id=78') =~ s/ \{.*//r, '404 HIT', 'is kept');
is(seen('/mine', 'X-User' => 'ann'), '200 MISS "ann"', 'what is private');
is(seen('/mine', 'X-User' => 'bob'), '200 MISS "bob"', 'is never kept');
is(seen('/plain?id=3') =~ s/ \{.*//r, '200 MISS', 'without scale_cdn');
is(seen('/plain?id=3') =~ s/ \{.*//r, '200 MISS', 'nothing is');

seen('/short?id=4');
kill TERM => $origin->{pid};
Scale::wait_for(sub { !alive($origin->{pid}) }, 20);

ok(Scale::wait_for(sub { seen('/short?id=4')
                         eq '200 STALE {"id":4,"title":"post 4"}' }, 5),
   'while the origin is stopped, what is kept answers');
is(seen('/mine', 'X-User' => 'ann') =~ s/ - .*| <.*//r, '502 MISS',
   'but nothing that is private');

done_testing();
