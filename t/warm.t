# A cache that is cold: what the database's queue would refuse waits.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Door;
use Test::More;
use Time::HiRes qw(sleep);

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY);
INSERT INTO items SELECT i FROM generate_series(1, 1000) i;
SQL
Scale::Door::install();

# a queue that is shorter than a herd
Scale::nginx(Scale::http_config() =~ s/connections.*/connections 16;
        queue 16 timeout=300ms;/r . <<'END', workers => 1);
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_param  id    $id        bigint required;
            scale_param  door  arg.door   text   required;
            scale_query  GET row "SELECT id, through(:door) FROM items
                                  WHERE id = :id" timeout=20s;
            scale_cache_valid   10m;
            scale_cache_bypass  $arg_fresh;
        }
    }
END


# how many of a herd are answered, if their statements take a while

sub herd
{
    my ($first, $last, $door) = @_;

    my @begun = map { Scale::begin('GET', "/items/$_?door=$door") }
                    $first .. $last;
    my %codes;

    sleep 0.7;
    Scale::Door::unlock($door =~ s/&.*//r);
    $codes{ Scale::receive($_)->{code} }++ for @begun;

    return \%codes;
}


Scale::Door::unlock('open');
Scale::get('/items/1?door=open&fresh=1') for 1 .. 20;
cmp_ok(herd(1, 100, 'past&fresh=1')->{503} // 0, '>', 50,
       'a herd past the cache is more than the database takes');
is_deeply(herd(1, 100, 'cold'), { 200 => 100 }, 'in a cold cache it waits');
is(Scale::get('/items/100?door=cold')->{headers}{'x-cache'}, 'HIT',
   'and fills it');

Scale::get('/items/1?door=cold') for 1 .. 400;
cmp_ok(herd(1, 100, 'warm')->{503} // 0, '>', 50,
       'when the cache is warm, misses are refused as ever');

# of so many misses one knows it
Scale::get("/items/$_?door=open") for 1 .. 300;
is_deeply(herd(1, 100, 'again'), { 200 => 100 },
          'when it is cold again, they wait');

# of all that wait, the key that most ask for comes first

Scale::get("/items/$_?door=open") for 301 .. 600;

my @first = map { Scale::begin('GET', "/items/$_?door=first") } 701 .. 720;
my @later = map { Scale::begin('GET', "/items/$_?door=later") } 721 .. 760;
my @hot = map { Scale::begin('GET', '/items/799?door=first') } 1 .. 5;

sleep 0.3;
Scale::Door::unlock('first');

my %codes;

$codes{ Scale::receive($_)->{code} }++ for @hot;
is_deeply(\%codes, { 200 => 5 }, 'the key that most wait for is filled first');
is(Scale::sql("SELECT count(*) FROM doors WHERE name = 'later'"), 0,
   'while others still wait');

Scale::Door::unlock('later');
Scale::receive($_) for @first, @later;

done_testing();
