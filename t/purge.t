# Purges that are made of returned rows, and what several statements answer.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Process qw(slurp);
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, kind text NOT NULL,
                    size int NOT NULL, n bigint NOT NULL CHECK (n < 10));
INSERT INTO items SELECT i, 'k' || i % 2, i % 3, 0
                    FROM generate_series(1, 6) i;
CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, what text NOT NULL);
SQL

my $nginx = Scale::nginx(Scale::http_config() . <<'END', workers => 1);
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  10m;
        }

        location ~ ^/lists/(?<kind>\w+)/(?<size>\d+)$ {
            scale_route  list;
            scale_param  kind  $kind  text required;
            scale_param  size  $size  int  required;
            scale_query  GET rows "SELECT id, n FROM items
                                    WHERE kind = :kind AND size = :size";
            scale_cache_valid  10m;
            scale_cache_tags   "list/:kind/:size";
        }

        location ~ ^/kinds/(?<kind>\w+)$ {
            scale_route  kind;
            scale_param  kind  $kind      text required;
            scale_param  by    arg.by     int  default=1;
            scale_query  POST none
                "UPDATE items SET n = n + :by WHERE kind = :kind
              RETURNING id AS \"row:item\", kind AS \"row:kind\",
                        size AS \"row:size\"" empty=404;
            scale_query  POST none "SELECT scale.fail(418, 'No n', '{\"n\": 1}')
                                      FROM items WHERE n = 7";
            scale_query  POST row  "INSERT INTO log (what)
                 SELECT CASE WHEN count(*) > 0 THEN :kind END
                   FROM items WHERE kind = :kind RETURNING id, what";
            scale_purge       item id=:row.item;
            scale_purge_tags  "list/:row.kind/:row.size";
        }

        location = /many {
            scale_route  many;
            scale_query  POST rows "SELECT id FROM generate_series(1001, 2001) id";
            scale_purge  item id=:row.id;
        }

        location = /all {
            scale_route  all;
            scale_query  POST none "UPDATE items SET n = n + 1";
            scale_query  DELETE none "DELETE FROM items WHERE id = 0
                                      RETURNING id";
            scale_purge  item id=:row.id;
        }
    }
END


sub seen
{
    my ($path) = @_;

    my $answer = Scale::get($path);
    my @n = $answer->{body} =~ /"n":(\d+)/g;

    return "$answer->{headers}{'x-cache'} @n";
}


my @paths = qw(/items/1 /items/2 /items/3 /items/5 /lists/k1/1 /lists/k0/1
               /lists/k1/0);

seen($_) for @paths;
is(join(', ', map { seen($_) } @paths),
   'HIT 0, HIT 0, HIT 0, HIT 0, HIT 0, HIT 0, HIT 0', 'all are cached');

my $post = Scale::request('POST', '/kinds/k1');
is("$post->{code} $post->{body}", qq(200 {"id":1,"what":"k1"}\n),
   'a write of three statements, of which one returns what is purged');
is(join(', ', map { seen($_) } @paths),
   'MISS 1, HIT 0, MISS 1, MISS 1, MISS 1, HIT 0, MISS 1',
   'each of its rows made its entry and its list old, and no other');


# what no statement returns

my $refused = Scale::request('POST', '/all');
is($refused->{code}, 500, 'a write that cannot say what it purges is refused');
is(Scale::sql('SELECT max(n) FROM items'), 1, 'and undone');
like(slurp($nginx->{error_log}),
     qr/\Qroute "all": no statement of POST returns what "scale_purge item" \E
        \Qis made of; add such as id AS "row:id" to its RETURNING\E/x,
     'the log says what is missing');
is(Scale::request('DELETE', '/all')->{code}, 204,
   'no row of a statement that has the column is no fault');


# more than can be marked

is(Scale::request('POST', '/many')->{code}, 500, 'too many rows are refused');
like(slurp($nginx->{error_log}),
     qr/\Qroute "many": one POST makes more than 1000 entries old; give them a \E
        \Qtag in common and purge that\E/x, 'and the log says what to do');


# several statements, of which one is refused

my $empty = Scale::request('POST', '/kinds/none');
is($empty->{code}, 404, 'a statement that found nothing is the answer, and '
                        . 'not what a later one fails with');
is(Scale::request('POST', '/kinds/k1?by=6')->{code}, 418,
   'one that found something is not');
is(Scale::request('POST', '/kinds/k1?by=20')->{code}, 422,
   'the first that fails is');
is(Scale::sql('SELECT max(n) || \' \' || (SELECT count(*) FROM log)'
              . ' FROM items'), '1 1', 'and nothing is done');
is(seen('/items/1'), 'HIT 1', 'nor is anything made old');

done_testing();
