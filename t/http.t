# What HTTP itself asks of a route: methods, negotiation, validators, fields.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Test::Nginx::Socket 'no_plan';

Scale::sql(<<'SQL');
CREATE TABLE notes (id bigint PRIMARY KEY, text text);
INSERT INTO notes VALUES (1, 'one'), (2, 'a "b", c'), (3, NULL), (4, 'ä');
SQL

our $HttpConfig = Scale::http_config() . <<'END';
    map $scale_cache_status $cache_status {
        HIT      "ngx_scale; hit";
        MISS     "ngx_scale; fwd=miss";
        BYPASS   "ngx_scale; fwd=bypass";
        default  "";
    }

    map $scale_db_time $server_timing {
        ""       "";
        default  "db;desc=$scale_db_role";
    }
END

our $Config = <<'END';
    location ~ ^/notes/(?<id>\d+)$ {
        scale_route  note;
        scale_param  id    $id        bigint required;
        scale_param  text  json.text  text;
        scale_query  GET row "SELECT id, text FROM notes WHERE id = :id";
        scale_query  PUT row "UPDATE notes SET text = :text WHERE id = :id
                              RETURNING id, text";
        scale_cache_valid  10m;
        add_header  Cache-Status   $cache_status   always;
        add_header  Server-Timing  $server_timing  always;
    }

    location = /notes {
        scale_route  notes;
        scale_query  GET rows "SELECT id, text FROM notes ORDER BY id";
        scale_cache_valid  10m;
        add_header  Cache-Status  $cache_status  always;
    }

    location = /count {
        scale_route  count;
        scale_query  GET value "SELECT count(*) FROM notes";
    }

    location = /inbox {
        scale_route  inbox;
        scale_param  text  json.text  text required;
        scale_query  POST none "SELECT :text";
    }

    location ~ ^/fields/(?<id>\d+)$ {
        scale_route  fields;
        scale_param  id  $id  bigint required;
        scale_query  GET row
            "SELECT id, 'public, max-age=60' AS \"http:Cache-Control\",
                    'a'  AS \"http:X-One\",
                    NULL AS \"http:X-None\",
                    '/elsewhere' AS \"http:Location\",
                    CASE id WHEN 1 THEN 203 WHEN 2 THEN 303 END
                        AS \"http:status\"
               FROM notes WHERE id = :id";
        scale_cache_valid  10m;
        add_header  Cache-Status  $cache_status  always;
    }

    location = /expires {
        scale_route  expires;
        scale_query  GET value "SELECT 1";
        scale_cache_valid  10m;
        expires  1h;
    }

    location = /evil {
        scale_route  evil;
        scale_query  GET row
            "SELECT 1 AS a, E'x\\r\\nX-Injected: 1' AS \"http:X-Two\",
                    'text/html' AS \"http:Content-Type\",
                    '5' AS \"http:Content-Length\",
                    'no' AS \"http:X Bad\",
                    999 AS \"http:status\"";
    }

    location ~ ^/shaped/(?<id>\w+)$ {
        scale_route  shaped;
        scale_param  id   $id       bigint required;
        scale_param  max  arg.max   int max=10;
        scale_query  GET row
            "SELECT id, scale.require(id <> 2, 402, 'Pay \"now\"')
               FROM notes WHERE id = :id AND id < coalesce(:max, 100)";
        error_page   400 402 404 405 406 = @shape;
    }

    location = /limited {
        scale_route  limited;
        scale_param  text  json.text  text;
        scale_query  POST value "SELECT :text";
        client_max_body_size  10;
        error_page   413 @shape;
        error_page   403 @shape;
        if ($arg_deny) { return 403; }
    }

    location ~ ^/chained/(?<id>\d+)$ {
        scale_route  chained;
        scale_param  id  $id  bigint required;
        scale_query  GET row "SELECT id FROM notes WHERE id = :id";
        scale_query  PUT row "UPDATE notes SET id = 1 WHERE id = :id
                              RETURNING id";
        error_page   404 409 = /notes/2;
    }

    location @shape {
        default_type  application/json;
        add_header    X-Status $scale_error_status;
        return 418
          '{"s":$scale_error_status,"t":$scale_error_title,"f":$scale_error_fields}';
    }

    absolute_redirect  off;
END

no_long_string();
run_tests();


# The rest needs answers of earlier requests.

Scale::another_memcached();
my $nginx = Scale::nginx(Scale::http_config() . <<'END' . "$Config}\n");
    map $scale_cache_status $cache_status { default $scale_cache_status; }
    map $scale_db_time $server_timing { default ""; }

    server {
        listen 127.0.0.1:$ServerPort;
END

my $first = Scale::get('/notes/1');
my $etag = $first->{headers}{etag};

like($etag, qr/^"[^"]+"$/, 'an answer has a strong validator');

my $hit = Scale::get('/notes/1');
is($hit->{headers}{'cache-status'}, 'HIT', 'the second read hits');
is($hit->{headers}{etag}, $etag, 'a hit has the same validator');

my %validators = (
    'the validator itself' => $etag,
    'its weak form' => "W/$etag",
    'a list that holds it' => "\"a\", W/\"b,c\", $etag",
    'a star' => '*',
);

for my $how (sort keys %validators) {
    for my $method (qw(GET HEAD)) {
        my $answer = Scale::request($method, '/notes/1', undef,
                                    'If-None-Match' => $validators{$how});

        is($answer->{code}, 304, "$method is not modified for $how");
        is($answer->{body}, '', "... and has no body");
        is($answer->{headers}{etag}, $etag, '... but the validator');
        is($answer->{headers}{'cache-control'}, 'no-cache',
           '... and what caches shall do');
    }
}

is(Scale::get('/notes/1', 'If-None-Match' => '"other"')->{code}, 200,
   'another validator is no match');
isnt(Scale::get('/notes/2')->{headers}{etag}, $etag,
     'another row has another validator');

my $head = Scale::request('HEAD', '/notes/1');
delete @{ $_->{headers} }{qw(date)} for $hit, $head;

is_deeply($head->{headers}, $hit->{headers},
          'HEAD has all fields of GET, Content-Length among them');
is($head->{body}, '', 'HEAD has no body');

my %lists = map { $_ => Scale::get('/notes', Accept => $_)->{headers}{etag} }
            qw(application/json application/x-ndjson text/csv);
my %different = reverse %lists;

is(keys %different, 3, 'each representation has a validator of its own');

my $failed = Scale::get('/notes/1', 'If-Match' => '"other"');
is($failed->{code}, 412, 'If-Match of another version fails');
is($failed->{headers}{'content-type'}, 'application/problem+json',
   '... with a problem');
is(Scale::get('/notes/1', 'If-Match' => $etag)->{code}, 200,
   'If-Match of this version does not');

my $put = Scale::request('PUT', '/notes/1', '{"text":"new"}',
                         'Content-Type' => 'application/json',
                         'If-None-Match' => '"x"');
is($put->{code}, 200, 'a write that was made is not turned into a refusal');
is($put->{headers}{etag}, undef, '... and has no validator');

my $changed = Scale::get('/notes/1', 'If-None-Match' => $etag);
is($changed->{code}, 200, 'what was written is modified for the old version');
is($changed->{body}, qq({"id":1,"text":"new"}\n), '... and is sent');


__DATA__

=== TEST 1: HEAD is GET without the body
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
HEAD /notes/1
--- response_headers
Content-Type: application/json
Content-Length: 22
Cache-Control: no-cache
--- response_body:


=== TEST 2: HEAD of what is not there has a problem's fields
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
HEAD /notes/99
--- error_code: 404
--- response_headers
Content-Type: application/problem+json
--- response_body:


=== TEST 3: OPTIONS tells what each route can do
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["OPTIONS /notes/1", "OPTIONS /notes", "OPTIONS /inbox"]
--- error_code eval
[204, 204, 204]
--- response_headers eval
["Allow: GET, HEAD, PUT, OPTIONS\n! Content-Length",
 "Allow: GET, HEAD, OPTIONS\n! Content-Length",
 "Allow: POST, OPTIONS\n! Content-Length"]


=== TEST 4: a method without a statement is a 405 that names those with one
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["DELETE /notes/1", "POST /notes\n{}", "HEAD /inbox", "GET /inbox",
 "BREW /notes"]
--- error_code eval
[405, 405, 405, 405, 405]
--- response_headers eval
["Allow: GET, HEAD, PUT, OPTIONS\nContent-Type: application/problem+json",
 "Allow: GET, HEAD, OPTIONS\nContent-Type: application/problem+json",
 "Allow: POST, OPTIONS\nContent-Type: application/problem+json",
 "Allow: POST, OPTIONS\nContent-Type: application/problem+json",
 "Allow: GET, HEAD, OPTIONS\nContent-Type: application/problem+json"]
--- response_body_like eval
[qr/^\{"type":"method-not-allowed","title":"Method Not Allowed","status":405,.*"route":"note"\}$/,
 qr/"route":"notes"/, qr/^$/, qr/"route":"inbox"/, qr/"route":"notes"/]


=== TEST 5: a row is JSON only
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /notes/1", "GET /notes/1", "GET /notes/1", "GET /notes/1", "GET /count",
 "GET /notes/1"]
--- more_headers eval
["Accept: text/csv", "Accept: application/*;q=0.1, text/html",
 "Accept: application/json;q=0, */*;q=0.5", "Accept: */*", "Accept: text/plain",
 "Accept: text/csv, */*;q=0"]
--- error_code eval
[406, 200, 406, 200, 406, 406]
--- response_headers eval
["Content-Type: application/problem+json", "Content-Type: application/json",
 "Content-Type: application/problem+json", "Content-Type: application/json",
 "Content-Type: application/problem+json",
 "Content-Type: application/problem+json"]


=== TEST 6: a list is what the client prefers
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /notes", "GET /notes", "GET /notes", "GET /notes", "GET /notes"]
--- more_headers eval
["Accept: text/csv", "Accept: text/csv;q=0.5, application/json;q=0.4",
 "Accept: application/x-ndjson", "Accept: text/*", "Accept: image/png"]
--- error_code eval
[200, 200, 200, 200, 406]
--- response_headers eval
["Content-Type: text/csv\nVary: Accept", "Content-Type: text/csv",
 "Content-Type: application/x-ndjson", "Content-Type: text/csv",
 "Content-Type: application/problem+json"]


=== TEST 7: CSV quotes what needs it, and a NULL is an empty field
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /notes
--- more_headers
Accept: text/csv
--- response_body eval
qq(id,text\r\n1,one\r\n2,"a ""b"", c"\r\n3,\r\n4,ä\r\n)
--- response_headers
Cache-Status: ngx_scale; fwd=bypass


=== TEST 8: NDJSON is one object a line
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /notes
--- more_headers
Accept: application/x-ndjson
--- response_body
{"id":1,"text":"one"}
{"id":2,"text":"a \"b\", c"}
{"id":3,"text":null}
{"id":4,"text":"ä"}


=== TEST 9: a value is bare JSON
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /count
--- response_body
4
--- response_headers
Content-Type: application/json
! Cache-Control
! Vary


=== TEST 10: a body of another type is a 415, one without a type as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /inbox\ntext=1", "POST /inbox\n{\"text\":\"1\"}",
 "POST /inbox\n{\"text\":\"1\"}", "POST /inbox\n{\"text\":\"1\"}",
 "POST /inbox\n{\"text\":\"1\"}"]
--- more_headers eval
["Content-Type: application/x-www-form-urlencoded", "",
 "Content-Type: application/json; charset=utf-8",
 "Content-Type: application/vnd.note+JSON",
 "Content-Type: application/jsonp"]
--- error_code eval
[415, 415, 204, 204, 415]


=== TEST 11: columns become fields and the status, of a hit as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /fields/1", "GET /fields/1"]
--- error_code eval
[203, 203]
--- response_headers eval
["X-One: a\n! X-None\nLocation: /elsewhere\nCache-Status: ngx_scale; fwd=miss",
 "X-One: a\n! X-None\nLocation: /elsewhere\nCache-Status: ngx_scale; hit"]
--- response_body eval
[qq({"id":1}\n), qq({"id":1}\n)]


=== TEST 12: a redirect may come from a row
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /fields/2
--- error_code: 303
--- response_headers
Location: /elsewhere


=== TEST 13: the row's Cache-Control takes the place of no-cache
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /fields/3", "GET /fields/3"]
--- response_headers eval
["Cache-Control: public, max-age=60", "Cache-Control: public, max-age=60"]


=== TEST 14: expires takes its place as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /expires
--- raw_response_headers_like: Cache-Control: max-age=3600
--- raw_response_headers_unlike: no-cache


=== TEST 15: fields that are not the application's to set are left out
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /evil
--- response_headers
Content-Type: application/json
Content-Length: 8
! X-Two
! X-Injected
--- response_body
{"a":1}
--- error_log
column "http:X-Two" is not sent
column "http:Content-Type" is not sent
column "http:Content-Length" is not sent
column "http:X Bad" is not sent
column "http:status" is not a status


=== TEST 16: Cache-Status and Server-Timing are sent where there is something to say
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /notes/4", "GET /notes/4", "PUT /notes/4\n{\"text\":\"x\"}"]
--- more_headers
Content-Type: application/json
--- response_headers eval
["Cache-Status: ngx_scale; fwd=miss\nServer-Timing: db;desc=primary",
 "Cache-Status: ngx_scale; hit\n! Server-Timing",
 "! Cache-Status\nServer-Timing: db;desc=primary"]


=== TEST 17: error_page gets the status, the title and the fields of a refusal
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /shaped/x?max=11", "GET /shaped/2", "GET /shaped/9", "PUT /shaped/9",
 "GET /shaped/1"]
--- error_code eval
[418, 418, 418, 418, 200]
--- response_body eval
[qq({"s":400,"t":"Bad Request","f":[{"name":"id","detail":"must be an integer"},{"name":"max","detail":"must be at most 10"}]}),
 qq({"s":402,"t":"Pay \\"now\\"","f":[]}),
 qq({"s":404,"t":"Not Found","f":[]}),
 qq({"s":405,"t":"Method Not Allowed","f":[]}),
 qq({"id":1}\n)]
--- response_headers eval
["Content-Type: application/json", "Content-Type: application/json",
 "Content-Type: application/json",
 "Allow: GET, HEAD, OPTIONS", "! X-Status"]


=== TEST 18: error_page gets them of nginx's own refusals as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /limited\n{\"text\":\"long\"}", "GET /limited?deny=1"]
--- more_headers
Content-Type: application/json
--- error_code eval
[413, 403]
--- response_body eval
[qq({"s":413,"t":"Content Too Large","f":[]}),
 qq({"s":403,"t":"Forbidden","f":[]})]


=== TEST 19: error_page may lead to another route
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["GET /chained/99", "PUT /chained/2", "HEAD /chained/99"]
--- error_code eval
[200, 200, 200]
--- response_body_like eval
[qr/^\{"id":2,/, qr/^\{"id":2,/, qr/^$/]
--- response_headers eval
["Cache-Status: ngx_scale; fwd=miss", "Cache-Status: ngx_scale; hit",
 "Cache-Status: ngx_scale; hit"]
