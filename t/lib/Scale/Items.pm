package Scale::Items;

# The rows in which tests of the cache count writes, items(id, n), and the
# location that reads and increments them.

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(create_items items_location items_server);


# 1 to $count

sub create_items
{
    my ($count) = @_;

    Scale::sql(<<"SQL");
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, $count) i;
SQL
}


# PUT leaves what it wrote in the cache.

sub items_location
{
    return <<'END';
        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n" store;
            scale_cache_valid  10m;
        }
END
}


# a server with that and more locations, whose answers have X-Cache

sub items_server
{
    my ($more) = @_;

    return join '', <<'END', items_location(), $more // '', "    }\n";
    add_header   X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;
        keepalive_requests 1000000;

END
}


1;
