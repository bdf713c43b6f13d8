# Versions of rows: ETag and Last-Modified from columns, writes that are made
# of the version that was read only.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE posts (id bigint PRIMARY KEY, title text NOT NULL,
                    n int NOT NULL DEFAULT 0, version int NOT NULL DEFAULT 1,
                    changed timestamptz NOT NULL);
INSERT INTO posts SELECT i, 'Post ' || i, 0, 1, '2026-01-31 12:00:00.5+00'
                    FROM generate_series(1, 9) i;
CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, what text NOT NULL);
SQL

my $nginx = Scale::nginx(Scale::http_config() . <<'END', workers => 2);
    add_header  X-Cache $scale_cache_status always;
    gzip_types  application/json;
    gzip_min_length 0;

    server {
        listen 127.0.0.1:$ServerPort;
        scale_etag  column=version modified=changed;

        location ~ ^/posts/(?<id>\d+)$ {
            scale_route     post;
            scale_if_match  required;
            scale_param  id     $id         bigint required;
            scale_param  title  json.title  text;
            scale_query  GET row "SELECT id, title, n, version, changed
                                    FROM posts WHERE id = :id";
            scale_query  PATCH row
                "UPDATE posts SET title = coalesce(:title, title), n = n + 1,
                                  version = version + 1, changed = now()
                  WHERE id = :id AND version = :if_match
              RETURNING id, title, n, version, changed" store;
            scale_query  DELETE none
                "DELETE FROM posts WHERE id = :id AND version = :if_match";
            scale_cache_valid  10m;
        }

        location ~ ^/cast/(?<id>\d+)$ {
            scale_route     cast;
            scale_if_match  required;
            scale_param  id     $id         bigint required;
            scale_param  n      json.n      text;
            scale_query  GET row "SELECT id, version FROM posts
                                   WHERE id = :id";
            scale_query  PATCH none
                "UPDATE posts SET n = (:n || '')::int
                  WHERE id = :id AND version = :if_match";
        }

        location ~ ^/optional/(?<id>\d+)$ {
            scale_route     optional;
            scale_if_match  optional;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, n, version
                                    FROM posts WHERE id = :id";
            scale_query  PATCH none
                "UPDATE posts SET n = n + 1, version = version + 1
                  WHERE id = :id
                    AND version = coalesce(:if_match, version)";
            scale_query  PATCH none "INSERT INTO log (what) VALUES ('patched')";
        }

        location ~ ^/zip/(?<id>\d+)$ {
            gzip on;
            scale_route  zip;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, version, repeat('x', 3000) AS x
                                    FROM posts WHERE id = :id";
        }

        location = /times {
            scale_route  times;
            scale_etag   column=changed;
            scale_if_match  required;
            scale_query  GET row "SELECT id, changed FROM posts WHERE id = 9";
            scale_query  PUT row "UPDATE posts SET changed = now()
                                   WHERE id = 9 AND changed = :if_match
                               RETURNING id, changed";
        }

        location = /odd {
            scale_route  odd;
            scale_query  GET row "SELECT 1 AS id, 'a,\"b' AS version";
        }

        location = /list {
            scale_route  list;
            scale_query  GET rows "SELECT id, version FROM posts LIMIT 1";
        }
    }
END


sub get { return Scale::get(@_) }


sub patch
{
    my ($path, $tag, $body, @more) = @_;

    return Scale::request('PATCH', $path, $body // '{}',
                          'Content-Type' => 'application/json',
                          defined $tag ? ('If-Match' => $tag) : (), @more);
}


sub told
{
    my ($answer) = @_;

    return join ' ', $answer->{code}, $answer->{headers}{etag} // '-',
                     $answer->{headers}{'x-cache'} || '-';
}


# what a reader gets

is(told(get('/posts/1')), '200 "1" MISS', 'the version is the ETag');
is(get('/posts/1')->{headers}{'last-modified'},
   'Sat, 31 Jan 2026 12:00:00 GMT', 'and the time of a column is there, too');
is(told(get('/posts/1', 'If-None-Match' => '"1"')), '304 "1" HIT',
   'who has that version is told so from the cache');
is(told(get('/posts/1', 'If-None-Match' => '"0", W/"1"')), '304 "1" HIT',
   'also among others, and weakly');
is(told(get('/posts/1', 'If-None-Match' => '"11"')), '200 "1" HIT',
   'another one gets the row');
is(get('/posts/1', 'If-Modified-Since' => 'Sat, 31 Jan 2026 12:00:00 GMT')
       ->{code}, 304, 'the time is good for it, too');
is(get('/posts/1', 'If-None-Match' => '"1"',
       'If-Modified-Since' => 'Fri, 30 Jan 2026 12:00:00 GMT')->{code}, 200,
   'nginx wants both where both are given');
like(get('/list')->{headers}{etag}, qr/^"[0-9a-f]{32}"$/,
     'a list has no version: its body is hashed');
like(get('/odd')->{headers}{etag}, qr/^"[0-9a-f]{32}"$/,
     'nor has a row whose version has other characters');

{
    my $answer = get('/zip/1', 'Accept-Encoding' => 'gzip');

    is($answer->{headers}{'content-encoding'}, 'gzip', 'gzip compresses');
    is($answer->{headers}{etag}, 'W/"1"', 'and weakens the tag');
    is(get('/zip/1', 'Accept-Encoding' => 'gzip',
           'If-None-Match' => 'W/"1"')->{code}, 304,
       'which is good for a 304 all the same');
}


# two who edit one post

{
    get('/posts/2');

    is(told(patch('/posts/2', '"1"', '{"title":"One"}')), '200 "2" -',
       'the first one writes, and has the new version');
    is(told(get('/posts/2')), '200 "2" HIT', 'which is what is cached then');

    my $two = patch('/posts/2', '"1"', '{"title":"Two"}');

    is(told($two), '412 "2" -', 'the second one is told the version there is');
    like($two->{body}, qr/"type":"precondition-failed"/, 'as a problem');
    like(get('/posts/2')->{body}, qr/"One"/, 'and has changed nothing');

    is(told(patch('/posts/2', 'W/"2"', '{"title":"Two"}')), '200 "3" -',
       'a tag that gzip made weak is good for a write');
}

is(told(patch('/posts/3', undef)), '428 - -', 'a write without a version');
is(told(patch('/posts/99', '"1"')), '404 - -', 'a post that is not there');
is(told(patch('/posts/3', '"x"')), '412 - -',
   'a version that is none of the column');
is(patch('/posts/3', '"99999999999999999999"')->{code}, 412,
   'nor one that is too large for it');
is(patch('/cast/4', '"1"', '{"n":"x"}')->{code}, 422,
   'a value of the statement that is none is another matter');
is(patch('/cast/4', '"x"', '{"n":"1"}')->{code}, 412,
   'than the version beside it');
is(patch('/posts/3', '"1", "2"')->{code}, 400, 'two versions at once');
is(patch('/posts/3', '1')->{code}, 400, 'a version without its quotes');
is(Scale::request('DELETE', '/posts/3', undef, 'If-Match' => '"7"')->{code},
   412, 'DELETE wants the version, too');
is(Scale::request('DELETE', '/posts/3', undef, 'If-Match' => '"1"')->{code},
   204, 'and deletes what it names');
is(get('/posts/3')->{code}, 404, 'for good');


# optional, and more than one statement

is(patch('/optional/4', undef)->{code}, 204, 'no version: any will do');
is(patch('/optional/4', '*')->{code}, 204, 'the same of *');
is(told(patch('/optional/4', '"1"')), '412 "3" -', 'an old one');
is(patch('/optional/4', '"3"')->{code}, 204, 'the right one');
is(Scale::sql('SELECT count(*) FROM log'), 3,
   'what is refused has undone its other statements');


# a time as version

{
    my $tag = get('/times')->{headers}{etag};

    is($tag, '"2026-01-31T12:00:00.5+00"', 'a time is a version, too');
    is(Scale::request('PUT', '/times', undef, 'If-Match' => $tag)->{code},
       200, 'of which a write is made');
    is(Scale::request('PUT', '/times', undef, 'If-Match' => $tag)->{code},
       412, 'once');
}


# 1,000 increments by 8 clients, each of what it has read

{
    my ($done, $lost, @busy) = (0, 0);
    my $want = $ENV{SCALE_SOAK} ? 1000 : 200;
    my %tag = (tag => get('/posts/5')->{headers}{etag});

    while ($done < $want) {
        push @busy, Scale::begin('PATCH', '/posts/5', '{}',
                                 'Content-Type' => 'application/json',
                                 'If-Match' => $tag{tag})
            while @busy < 8;

        my $answer = Scale::receive(shift @busy);

        $answer->{code} == 200 ? $done++ : $lost++;
        $tag{tag} = $answer->{headers}{etag};

        die "$answer->{code}: $answer->{body}"
            unless $answer->{code} =~ /^(?:200|412)$/ && $tag{tag};
    }

    for my $begun (@busy) {
        $done++ if Scale::receive($begun)->{code} == 200;
    }

    is(Scale::sql('SELECT n FROM posts WHERE id = 5'), $done,
       'each increment that was acknowledged is there');
    cmp_ok($lost, '>', 0, 'others were refused meanwhile');
    diag("$done made, $lost refused");
}

is(join('', Scale::complaints()), '', 'nobody complains');

done_testing();
