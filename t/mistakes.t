# The mistakes of the first five minutes: what a request and the log say of
# them.  Those of the configuration are in conf.t.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Process qw(slurp);
use JSON::PP;
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    text text NOT NULL);
CREATE TABLE hidden (id bigint);
REVOKE ALL ON hidden FROM api;
CREATE TABLE kept (id bigint);
ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON kept USING (id < 10);
REVOKE DELETE ON kept FROM api;
SQL

my $nginx = Scale::nginx(Scale::http_config() =~ s/scale_cache.*//sr . <<'END',
    server {
        listen 127.0.0.1:$ServerPort;

        location = /notes {
            scale_route  notes;
            scale_param  words  json.note.text  text    required len=1-5;
            scale_param  tags   json.tags       text[]  max=2 len=3;
            scale_param  kind   json.kind       text    in=a|b|-b;
            scale_param  level  json.level      int     in=01|2;
            scale_param  code   json.code       text    pattern=^[a-z]+$;
            scale_param  price  json.price      numeric min=0.50 max=10;
            scale_param  least  json.least      int     min=1;
            scale_param  blob   json.blob       bytea   len=2;
            scale_param  old    arg.before      bigint;
            scale_query  GET  rows "SELECT text FROM notes
                                     WHERE id < coalesce(:old, 9)";
            scale_query  POST row  "SELECT :words, :tags, :kind, :level, :code,
                                           :price, :least, :blob";
        }

        location = /hidden {
            scale_route  hidden;
            scale_query  GET row "SELECT id FROM hidden";
        }
        location = /kept {
            scale_route  kept;
            scale_param  id  json.id  bigint required;
            scale_query  POST   none "INSERT INTO kept VALUES (:id)";
            scale_query  PATCH  none "UPDATE kept SET id = :id";
            scale_query  DELETE none "DELETE FROM kept";
        }
        location = /table {
            scale_route  table;
            scale_query  GET row "SELECT id FROM nodes";
        }
        location = /column {
            scale_route  column;
            scale_query  GET row "SELECT txet FROM notes";
        }
        location = /function {
            scale_route  function;
            scale_query  GET row "SELECT scale.refuse(403)";
        }
        location = /schema {
            scale_route  schema;
            scale_query  GET row "SELECT scael.fail(403, 'no')";
        }
        location = /syntax {
            scale_route  syntax;
            scale_query  GET row "SELEC 1";
        }
        location = /shown {
            scale_route  shown;
            scale_error_detail  on;
            scale_query  GET row "SELECT txet FROM notes";
        }
    }
END
workers => 1);


# "name detail" of each violation

sub violations
{
    my (@request) = @_;

    my $answer = Scale::request(@request);
    my $problem = decode_json($answer->{body});

    return join ', ', map { "$_->{name} $_->{detail}" }
                      @{ $problem->{errors} };
}


sub post
{
    my (%body) = @_;

    return violations('POST', '/notes', encode_json(\%body),
                      'Content-Type' => 'application/json');
}


my %good = (note => { text => 'x' });

is(post(), 'note.text is required', 'what is missing is named as it is sent');
is(violations('GET', '/notes?before=x'), 'before must be an integer',
   'and so is an argument');
is(post(note => { text => 'longer' }), 'note.text must have 1 to 5 characters',
   'a text that is too long');
is(post(note => { text => '' }), 'note.text must have 1 to 5 characters',
   'or too short hears how long it may be');
is(post(%good, tags => [qw(a b c)]), 'tags must have at most 2 elements',
   'so does an array');
is(post(%good, tags => ['long']), 'tags must have at most 3 characters',
   'and its element');
is(post(%good, kind => 'c'), 'kind must be one of a, b, -b',
   'a choice hears what there is');
is(post(%good, level => 3), 'level must be one of 1, 2', 'of numbers, too');
is(post(%good, code => '1'), 'code must match ^[a-z]+$', 'a pattern');
is(post(%good, price => 10.01), 'price must be 0.5 to 10', 'a range');
is(post(%good, least => 0), 'least must be at least 1', 'half of one');
is(post(%good, blob => 'YWJj'), 'blob must have at most 2 bytes', 'bytes');
is(Scale::request('POST', '/notes', encode_json({
       %good, tags => ['a', 'abc'], kind => '-b', level => 1, code => 'x',
       price => 10, least => 1, blob => 'YWI=' }),
       'Content-Type' => 'application/json')->{code},
   200, 'what is within all limits is accepted');


my @json = ('Content-Type' => 'application/json');


# what is wrong with the body as a whole

for my $case (['{}', 'invalid-parameter',
               'one or more parameters were not accepted'],
              [' [{"id": 1}]', 'invalid-body',
               'an object is needed, and an array begins at byte 1'],
              ['7', 'invalid-body',
               'an object is needed, and a single value begins at byte 0'])
{
    my ($body, @expected) = @$case;
    my $answer = Scale::request('POST', '/kept', $body, @json);

    is($answer->{code}, 400, "$body is no id");
    is_deeply([@{ decode_json($answer->{body}) }{qw(type detail)}],
              \@expected, "$body: what it lacks");
}


# a method that the resource does not have

my $other = Scale::request('PUT', '/kept', '{"id":1}', @json);

is($other->{headers}{allow}, 'POST, DELETE, PATCH, OPTIONS',
   'another method is answered with those that there are');
is(decode_json($other->{body})->{detail},
   'this resource has POST, DELETE, PATCH', 'in words, too');


# the log

my %remedy = (
    hidden   => '403 42501, the role of "conninfo" may not do that; GRANT it',
    table    => '500 42P01, there is no such table; create it in the database',
    column   => '500 42703, there is no such column; "scale_error_detail on"',
    function => '500 42883, there is no such function or operator for these '
                . 'types; add a cast, or apply conf/sql/scale.sql',
    schema   => '500 3F000, there is no such schema; create it, or apply '
                . 'conf/sql/scale.sql',
    syntax   => '500 42601, its syntax is wrong; "scale_error_detail on"',
);

for my $route (sort keys %remedy) {
    my ($code, $text) = split / /, $remedy{$route}, 2;

    is(Scale::get("/$route")->{code}, $code, "$route: the status");
    like(slurp($nginx->{error_log}),
         qr/route "$route": a statement of GET failed: \Q$text\E/,
         "$route: the log has a remedy");
}

# a client's row that a policy does not let in is no fault of the application

is(Scale::request('POST', '/kept', '{"id":1}', @json)->{code}, 204,
   'a policy lets a row in');

for my $method (qw(POST PATCH)) {
    my $answer = Scale::request($method, '/kept', '{"id":10}', @json);

    is($answer->{code}, 403, "$method: a policy refuses a row");
    like(slurp($nginx->{error_log}),
         qr/\[info\].* route "kept": a policy of a table refused a row of (?#
            )$method: 42501/, "$method: the log says so for information");
}

unlike(slurp($nginx->{error_log}), qr/\[error\].*"kept"/,
       'and not as an error, with which a client could fill it');
is(Scale::request('DELETE', '/kept')->{code}, 403,
   'what the role may not do at all is refused, too');
like(slurp($nginx->{error_log}),
     qr/\[error\].*route "kept": a statement of DELETE failed: 42501, the role/,
     'and is an error with a remedy');

unlike(slurp($nginx->{error_log}), qr/txet|nodes/,
       'and nothing of the statement or of PostgreSQL\'s text');
like(Scale::get('/shown')->{body}, qr/column \\"txet\\" does not exist/,
     'scale_error_detail shows that');

done_testing();
