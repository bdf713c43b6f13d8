# Row-level security: nobody sees or changes another's rows, whoever had the
# connection before.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Http;
use Test::More;

my $people = 1000;
my @json = ('Content-Type' => 'application/json');

Scale::sql(<<"END");
CREATE TABLE notes (id int PRIMARY KEY, owner int NOT NULL, text text);
INSERT INTO notes SELECT i, 1 + (i - 1) % $people, 'of ' || (1 + (i - 1) % $people)
    FROM generate_series(1, 2 * $people) i;
CREATE INDEX ON notes (owner);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON notes
    USING (owner = nullif(current_setting('app.user', true), '')::int);
CREATE TABLE shared (id int PRIMARY KEY, text text);
INSERT INTO shared VALUES (1, 'old');
CREATE FUNCTION whoami() RETURNS text LANGUAGE sql STABLE
    AS \$\$ SELECT coalesce(current_setting('app.user', true), '') \$\$;
END

my $http = Scale::http_config() . <<'END';
    server {
        listen 127.0.0.1:$ServerPort;
        add_header X-Cache $scale_cache_status always;

        scale_param     me  header.x-user  int required;
        scale_param     id  $id            int required;

        location = /notes {
            scale_route     notes;
            scale_identity  app.user :me;
            scale_query GET rows "SELECT id, owner, text FROM notes";
            scale_query DELETE none "DELETE FROM notes WHERE text = 'nobody'";
        }

        location ~ ^/notes/(?<id>\d+)$ {
            scale_route     note;
            scale_identity  app.user :me;
            scale_param     text json.text text len=0-20;
            scale_query GET   row "SELECT id, owner, text FROM notes
                                    WHERE id = :id";
            scale_query PATCH row "UPDATE notes SET text = :text
                                    WHERE id = :id RETURNING id, owner, text";
            scale_query PUT   row "UPDATE notes SET owner = owner
                                    WHERE id = :id AND 1 / :text::int > 0
                                RETURNING id";
            scale_cache_valid 1m missing=10s;
        }

        location ~ ^/shared/(?<id>\d+)$ {
            scale_route     shared;
            scale_identity  app.user $http_x_user;
            scale_param     text json.text text required;
            scale_query GET   row "SELECT id, text, whoami() AS me FROM shared
                                    WHERE id = :id";
            scale_query PATCH row "UPDATE shared SET text = :text
                                    WHERE id = :id RETURNING id, text";
            scale_cache_valid 1m;
        }

        location = /touch {
            scale_route  touch;
            scale_param  text json.text text required;
            scale_query  POST none "UPDATE shared SET text = :text
                                     WHERE id = 1";
            scale_purge  shared id=1;
        }

        location = /nobody {
            scale_route  nobody;
            scale_query  GET value "SELECT whoami()" timeout=1s;
        }
    }
END

Scale::nginx($http, workers => 1);

ok(Scale::wait_for(sub { Scale::get('/nobody')->{code} == 200 }, 10),
   'it answers');

is(Scale::get('/notes')->{code}, 401, 'who does not say who she is gets 401');
is(Scale::get('/notes', 'X-User' => 'x')->{code}, 400, 'and who errs 400');


# all at once, over the few connections that there are

my ($wrong, $nobody, $n) = (0, 0, 0);

for my $from (map { 200 * $_ } 0 .. 4) {
    my @open = map { [ $_, Scale::begin('GET', '/notes', undef,
                                        'X-User' => $_) ] }
               $from + 1 .. $from + 200;

    push @open, map { [ '', Scale::begin('GET', '/nobody') ] } 1 .. 20;

    for my $one (@open) {
        my ($who, $request) = @$one;
        my $answer = Scale::receive($request);

        if ($who eq '') {
            $nobody++ if $answer->{body} ne qq(""\n);
            next;
        }

        my $other = $who + $people;

        $n++;
        $wrong++ if $answer->{body} ne
            qq([{"id":$who,"owner":$who,"text":"of $who"},)
            . qq({"id":$other,"owner":$who,"text":"of $who"}]\n);
    }
}

is($n, $people, "$people people ask");
is($wrong, 0, 'each sees her rows, and no other');
is($nobody, 0, 'and nothing is left for who is nobody');
cmp_ok(Scale::sql("SELECT count(*) FROM pg_stat_activity
                    WHERE application_name = 't'"), '<=', 16,
       'on 16 connections at most');


# the cache

sub note_of
{
    my ($who, $id) = @_;

    return Scale::get("/notes/$id", 'X-User' => $who);
}

is(note_of(1, 1)->{headers}{'x-cache'}, 'MISS', 'a note is read');
is(note_of(1, 1)->{headers}{'x-cache'}, 'HIT', 'and cached');
is(note_of(2, 1)->{code}, 404, 'for its owner');
is(note_of(2, 1)->{headers}{'x-cache'}, 'NEGATIVE', 'others are told nothing');
is(note_of(1, 1)->{code}, 200, 'whoever asked before');

sub patch
{
    my ($who, $path, $text) = @_;

    return Scale::request('PATCH', $path, qq({"text": "$text"}), @json,
                          'X-User' => $who);
}

is(patch(2, '/notes/1', 'stolen')->{code}, 404, 'nobody writes another\'s');
is(Scale::sql('SELECT text FROM notes WHERE id = 1'), 'of 1', 'really');
is(patch(1, '/notes/1', 'mine')->{code}, 200, 'she writes her own');
like(note_of(1, 1)->{body}, qr/"mine"/, 'and reads it');

for my $who (1 .. 3) {
    Scale::get('/shared/1', 'X-User' => $who);

    my $hit = Scale::get('/shared/1', 'X-User' => $who);

    is("$hit->{headers}{'x-cache'} $hit->{body}",
       qq(HIT {"id":1,"text":"old","me":"$who"}\n), "$who has an entry");
}

is(patch(1, '/shared/1', 'new')->{code}, 200, 'one of them writes');
like(Scale::get('/shared/1', 'X-User' => $_)->{body}, qr/"new","me":"$_"/,
     "$_ reads what was written") for 1 .. 3;

is(Scale::request('POST', '/touch', '{"text": "other"}', @json)->{code}, 204,
   'another route purges it');
like(Scale::get('/shared/1', 'X-User' => $_)->{body}, qr/"other","me":"$_"/,
     "$_ reads that") for 1 .. 3;


# a statement that fails leaves nothing either

is(Scale::request('PUT', '/notes/5', '{"text": "0"}', @json,
                  'X-User' => 5)->{code}, 422, 'a statement fails');
is(Scale::get('/nobody')->{body}, qq(""\n), 'and leaves nobody')
    for 1 .. 16;

done_testing();
