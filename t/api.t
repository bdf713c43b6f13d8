use strict;
use warnings;

use lib 't/lib';

use Scale qw(postgres memcached);
use Test::Nginx::Socket 'no_plan';

Scale::sql(<<'SQL');
CREATE TABLE posts (id bigint PRIMARY KEY, author bigint NOT NULL,
                    title text NOT NULL UNIQUE, made timestamptz);
INSERT INTO posts VALUES (1, 10, 'one', '2026-01-02 03:04:05.5+00'),
                         (2, 10, 'two "quoted"', NULL);
SQL

our $HttpConfig = Scale::http_config();

our $Config = <<'EOC';
    location ~ ^/posts/(?<id>[^/]+)$ {
        scale_route  post;
        scale_param  id     $id         bigint required;
        scale_param  title  json.title  text len=1-20;
        scale_param  tag    json.tags   text[] max=2;
        scale_query  GET row "SELECT id, author, title, made, '3'::int AS n,
                              1.50::numeric AS price, true AS ok,
                              '{1,NULL}'::int[] AS list
                              FROM posts WHERE id = :id";
        scale_query  PATCH row
            "UPDATE posts SET title = coalesce(:title, title) WHERE id = :id
             RETURNING id, title, cardinality(:tag) AS tags,
                       author AS \"row:author\",
                       scale.require(title <> 'forbidden', 403, 'No',
                                     '{\"why\": 1}')";
        scale_query  DELETE none "DELETE FROM posts WHERE id = :id
                                  RETURNING author AS \"row:author\"" empty=404;
        scale_cache_valid  10m missing=5s;
        scale_purge_tags   "posts-of/:row.author";
        add_header  X-Cache $scale_cache_status always;
    }

    location = /posts {
        scale_route  posts;
        scale_param  author  arg.author   bigint required;
        scale_param  id      json.id      bigint required;
        scale_param  me      json.author  bigint required;
        scale_param  title   json.title   text required;
        scale_query  GET rows "SELECT id, title FROM posts
                               WHERE author = :author ORDER BY id";
        scale_query  POST row "INSERT INTO posts VALUES (:id, :me, :title)
                     RETURNING id, '/posts/' || id AS \"http:Location\""
                     status=201;
        scale_sqlstate     23505:posts_title_key 409 field=title;
        scale_cache_valid  1m;
        scale_cache_tags   "posts-of/:author";
        scale_purge_tags   "posts-of/:me";
        scale_purge        post id=:id;
        add_header  X-Cache $scale_cache_status always;
    }

    absolute_redirect  off;
EOC

no_long_string();
run_tests();

__DATA__

=== TEST 1: a row is an object with its columns' own types; the second read hits
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /posts/1", "GET /posts/001"]
--- response_body eval
[qq({"id":1,"author":10,"title":"one","made":"2026-01-02T03:04:05.5Z","n":3,"price":1.50,"ok":true,"list":[1,null]}\n),
 qq({"id":1,"author":10,"title":"one","made":"2026-01-02T03:04:05.5Z","n":3,"price":1.50,"ok":true,"list":[1,null]}\n)]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT"]


=== TEST 2: an absent row is a 404, and is remembered
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /posts/77", "GET /posts/77"]
--- error_code eval
[404, 404]
--- response_headers eval
["X-Cache: MISS", "X-Cache: NEGATIVE"]
--- response_body_like eval
[qr/"type":"not-found"/, qr/"type":"not-found"/]


=== TEST 3: a write shows on the next read, by whatever spelling of the key
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /posts/2", "PATCH /posts/002
{\"title\":\"new\",\"tags\":[\"a\",\"b\"]}", "GET /posts/2", "GET /posts/2"]
--- more_headers
Content-Type: application/json
--- response_body_like eval
[qr/two \\"quoted\\"/, qr/^\{"id":2,"title":"new","tags":2\}$/, qr/"new"/,
 qr/"new"/]
--- response_headers eval
["X-Cache: MISS", "!X-Cache", "X-Cache: MISS", "X-Cache: HIT"]


=== TEST 4: a refusal of the application undoes the write
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["PATCH /posts/2
{\"title\":\"forbidden\"}", "GET /posts/2"]
--- more_headers
Content-Type: application/json
--- error_code eval
[403, 200]
--- response_body_like eval
[qr/"title":"No".*"why": ?1/, qr/"title":"new"/]


=== TEST 5: every violation is reported at once
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
PATCH /posts/x
{"title":"","tags":["a","b","c"]}
--- more_headers
Content-Type: application/json
--- error_code: 400
--- response_body_like: "title".*1 to 20 characters.*"id".*must be an integer.*"tags".*at most 2 elements


=== TEST 6: a body is checked before anything else
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["PATCH /posts/1
{\"title\":\"a\",\"title\":\"b\"}", "PATCH /posts/1
{\"title\":\"\\ud800\"}"]
--- more_headers
Content-Type: application/json
--- error_code eval
[400, 400]
--- response_body_like eval
[qr/"type":"invalid-body"/, qr/"type":"invalid-body"/]


=== TEST 7: a body of another type is refused
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
PATCH /posts/1
title=x
--- error_code: 415
--- response_body_like: unsupported-media-type


=== TEST 8: a list knows its author's new post, and forgets a deleted one
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /posts?author=10", "POST /posts
{\"id\":3,\"author\":10,\"title\":\"three\"}", "GET /posts?author=10",
"GET /posts?author=10", "DELETE /posts/3", "GET /posts?author=10"]
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 201, 200, 200, 204, 200]
--- response_body_like eval
[qr/\[\{"id":1,"title":"one"\},\{"id":2,"title":"new"\}\]/, qr/\{"id":3\}/,
 qr/"three"/, qr/"three"/, qr/^$/, qr/^(?!.*three)/]
--- response_headers eval
["X-Cache: MISS", "Location: /posts/3", "X-Cache: MISS", "X-Cache: HIT",
 "!X-Cache", "X-Cache: MISS"]


=== TEST 9: a unique violation names its field
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
POST /posts
{"id":4,"author":10,"title":"one"}
--- more_headers
Content-Type: application/json
--- error_code: 409
--- response_body_like: "sqlstate":"23","errors":\[\{"name":"title"


=== TEST 10: a list comes as CSV or NDJSON, past the cache
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /posts?author=10
--- more_headers
Accept: application/x-ndjson
--- response_body
{"id":1,"title":"one"}
{"id":2,"title":"new"}
--- response_headers
Content-Type: application/x-ndjson
X-Cache: BYPASS


=== TEST 11: what we do not speak is a 406
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /posts/1
--- more_headers
Accept: text/html
--- error_code: 406
--- response_body_like: not-acceptable


=== TEST 12: OPTIONS and unknown methods tell what there is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["OPTIONS /posts", "PUT /posts"]
--- error_code eval
[204, 405]
--- response_headers eval
["Allow: GET, HEAD, POST, OPTIONS", "Allow: GET, HEAD, POST, OPTIONS"]


=== TEST 13: an undeclared parameter is refused with file, line and remedy
--- http_config eval: $::HttpConfig
--- config
    location /x { scale_route x; scale_query GET row "SELECT :a"; }
--- must_die
--- error_log eval
qr/parameter ":a" is not declared; add "scale_param a .* in .*nginx.conf:\d+/


=== TEST 14: a key that lacks a bound parameter is refused
--- http_config eval: $::HttpConfig
--- config
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_param b arg.b int;
        scale_query GET row "SELECT :a + :b AS c";
        scale_cache_valid 1m;
        scale_cache_key "x/:a";
    }
--- must_die
--- error_log
key "x/:a" lacks ":b", which the GET statement binds; add it to the key


=== TEST 15: a write that cannot name its location's entry is refused
--- http_config eval: $::HttpConfig
--- config
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_query GET row "SELECT :a AS a";
        scale_query POST none "SELECT 1";
        scale_cache_valid 1m;
    }
--- must_die
--- error_log
this POST does not bind ":a"


=== TEST 16: one key used by two statements is refused
--- http_config eval: $::HttpConfig
--- config
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_query GET row "SELECT :a AS a";
        scale_cache_valid 1m;
        scale_cache_key "k/:a";
    }
    location /y {
        scale_route y;
        scale_param b arg.b int;
        scale_query GET row "SELECT :b AS b";
        scale_cache_valid 1m;
        scale_cache_key "k/:b";
    }
--- must_die
--- error_log
is already that of another statement


=== TEST 17: an nginx variable in SQL or key is refused
--- http_config eval: $::HttpConfig
--- config
    location /x { scale_route x; scale_query GET row "SELECT $uri"; }
--- must_die
--- error_log
nginx variable


=== TEST 18: a text is sent as its own type, to whoever asks, from the cache too
--- http_config eval: $::HttpConfig
--- config
    location = /text {
        scale_route text;
        scale_query GET value "SELECT 'no-store' AS \"http:Cache-Control\",
                                      E'a \"quoted\" line\\n'"
                    "type=text/plain; charset=utf-8";
        scale_cache_valid 1m;
        add_header X-Cache $scale_cache_status always;
    }
--- request eval
["GET /text", "GET /text"]
--- more_headers
Accept: text/plain
--- response_body eval
["a \"quoted\" line\n", "a \"quoted\" line\n"]
--- response_headers eval
["Content-Type: text/plain; charset=utf-8
Cache-Control: no-store
X-Cache: MISS",
 "Content-Type: text/plain; charset=utf-8
Cache-Control: no-store
X-Cache: HIT"]


=== TEST 19: an empty text is an answer, and is kept
--- http_config eval: $::HttpConfig
--- config
    location = /empty {
        scale_route empty;
        scale_query GET value "SELECT NULL::text" type=text/plain;
        scale_cache_valid 1m;
        add_header X-Cache $scale_cache_status always;
    }
--- request eval
["GET /empty", "GET /empty"]
--- response_body eval
["", ""]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT"]


=== TEST 20: a redirect is for whoever follows it, whatever she accepts
--- http_config eval: $::HttpConfig
--- config
    location = /away {
        scale_route away;
        scale_query GET row "SELECT 'http://a.test/' AS \"http:Location\""
                    status=302;
    }
--- request
GET /away
--- more_headers
Accept: text/html
--- error_code: 302
--- response_headers
Location: http://a.test/
