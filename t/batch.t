# A write with an array: each element in one transaction, all or nothing.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use JSON::PP;
use Test::More;

# a repeat has the same bytes: Perl's hashes have no order
my $json = JSON::PP->new->utf8->canonical;

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL UNIQUE,
                    n int NOT NULL CHECK (n < 100));
INSERT INTO items SELECT i, 'item ' || i, 0 FROM generate_series(1, 9) i;
CREATE TABLE log (what text NOT NULL);
GRANT ALL ON ALL TABLES IN SCHEMA public TO api;
SQL

my $nginx = Scale::nginx(Scale::http_config() . <<'END', workers => 1);
    add_header  X-Cache $scale_cache_status always;
    client_max_body_size 4m;

    server {
        listen 127.0.0.1:$ServerPort;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, name, n FROM items
                                   WHERE id = :id";
            scale_cache_valid  10m;
        }

        location = /items {
            scale_route  items;
            scale_batch  max=100;
            scale_idempotency  optional;
            scale_param  id    json.id    bigint required;
            scale_param  name  json.name  text   required len=1-20;
            scale_param  n     json.n     int    default=1;
            scale_query  POST row
                "INSERT INTO items (id, name, n) VALUES (:id, :name, :n)
              RETURNING id, name" status=201;
            scale_query  PATCH row
                "UPDATE items SET n = n + :n WHERE id = :id
              RETURNING id, n, name AS \"row:name\"";
            scale_query  PATCH none "INSERT INTO log VALUES (:name)";
            scale_query  DELETE none "DELETE FROM items WHERE id = :id" empty=404;
            scale_purge  item id=:id;
        }

        location = /pick {
            scale_route  pick;
            scale_batch  max=3;
            scale_param  id  json.id  bigint required;
            scale_query  POST row "SELECT id, name FROM items WHERE id = :id"
                         write empty=204;
        }
    }
END


sub send_all
{
    my ($method, $path, $body, @more) = @_;

    return Scale::request($method, $path,
                          ref $body ? $json->encode($body) : $body,
                          'Content-Type' => 'application/json', @more);
}


sub told
{
    my ($answer) = @_;

    return "$answer->{code} " . $answer->{body} =~ s/\n//r;
}


sub problem { return decode_json($_[0]{body}) }
sub n { return Scale::sql("SELECT $_[0]") }


is(told(send_all('POST', '/items', [ map { { id => $_, name => "new $_" } }
                                         11 .. 13 ])),
   '201 [{"id":11,"name":"new 11"},{"id":12,"name":"new 12"},'
   . '{"id":13,"name":"new 13"}]', 'an array is answered by an array');
is(told(send_all('POST', '/items', { id => 14, name => 'new 14' })),
   '201 {"id":14,"name":"new 14"}', 'an object by an object');
is(told(send_all('POST', '/items', " \n[" . '{"id":15,"name":"new 15"}]')),
   '201 [{"id":15,"name":"new 15"}]', 'an array of one by one of one');

{
    my @many = map { { id => $_, name => "many $_" } } 1001 .. 1100;
    my $answer = send_all('POST', '/items', \@many);

    is($answer->{code}, 201, 'a hundred at once');
    is(join(' ', map { $_->{id} } @{ decode_json($answer->{body}) }),
       join(' ', 1001 .. 1100), 'in their order');

    my $refused = send_all('POST', '/items', [@many, @many]);

    is($refused->{code}, 400, 'more than a hundred');
    like($refused->{body}, qr/the array must have 1 to 100 elements/,
         'hears how many there may be');
    is(send_all('POST', '/items', '[]')->{code}, 400, 'none is too few');
}


# all or nothing

{
    my $answer = send_all('POST', '/items', [{ id => 21, name => 'a' },
                                             { id => 22, name => 'a' },
                                             { id => 23, name => 'b' }]);

    is($answer->{code}, 409, 'one that the database refuses');
    is(problem($answer)->{element}, 1, 'is named by its index');
    is(n('count(*) FROM items WHERE id > 20 AND id < 30'), 0,
       'and nothing is done');
}

{
    my $answer = send_all('POST', '/items', [{ id => 21, name => 'a' },
                                             { id => 'x' }]);

    is($answer->{code}, 400, 'one with a wrong value');
    is(problem($answer)->{element}, 1, 'is named, too');
    is(join(', ', map { "$_->{name} $_->{detail}" }
                      @{ problem($answer)->{errors} }),
       'id must be an integer, name is required', 'with what is wrong');
}

is(problem(send_all('POST', '/items', [{ id => 21, name => 'a' }, 5]))
       ->{detail}, 'the element is not an object', 'so is one of another kind');

{
    my $answer = send_all('PATCH', '/items', [{ id => 1, name => 'x' },
                                              { id => 2, name => 'x' },
                                              { id => 999, name => 'x' }]);

    is($answer->{code}, 404, 'one that finds no row');
    is(problem($answer)->{element}, 2, 'is named');
    is(n('sum(n) FROM items WHERE id < 10'), 0, 'and nothing is done');
    is(n('count(*) FROM log'), 0, 'by any statement');
}

is(told(send_all('PATCH', '/items', [{ id => 1, name => 'x' },
                                     { id => 1, name => 'y', n => 5 }])),
   '200 [{"id":1,"n":1},{"id":1,"n":6}]', 'each sees what those before it did');
is(n("string_agg(what, ',' ORDER BY what) FROM log"), 'x,y',
   'all statements run for each');
is(send_all('DELETE', '/items', [{ id => 1001 }, { id => 1002 }])->{code},
   204, 'no answer of any is none of all');
is(n('count(*) FROM items WHERE id IN (1001, 1002)'), 0, 'both are gone');
is(told(send_all('POST', '/pick', [{ id => 2 }, { id => 999 }, { id => 3 }])),
   '200 [{"id":2,"name":"item 2"},null,{"id":3,"name":"item 3"}]',
   'an element that may find nothing is null');


# the cache, and keys

for my $id (2 .. 4) {
    Scale::wait_for(sub { Scale::get("/items/$id")->{headers}{'x-cache'}
                          eq 'HIT' });
}

send_all('PATCH', '/items', [map { { id => $_, name => 'z' } } 2, 3]);
is(join(' ', map { Scale::get("/items/$_")->{headers}{'x-cache'} } 2 .. 4),
   'MISS MISS HIT', 'what each element changes is old, and nothing else');

{
    my @twice = map { send_all('PATCH', '/items', '[{"id":5,"name":"k"}]',
                               'Idempotency-Key' => 'b') } 1, 2;

    is(told($twice[1]), told($twice[0]), 'a batch with a key');
    is(n('n FROM items WHERE id = 5'), 1, 'is done once');
}

is(join('', Scale::complaints()), '', 'nobody complains');

done_testing();
