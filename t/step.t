# Interleavings of workers, played step by step: what one does between two
# commands of another must never bring an old value back.

use strict;
use warnings;
use lib 't/lib';
use Scale::Steps;
use Scale qw(postgres memcached);
use Scale::Items;
use Test::More;

create_items(100);

my $steps = Scale::Steps->new;

Scale::nginx(Scale::http_config() . <<'END', workers => 3,
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;
        scale_param  id  $id  bigint required;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  10m;
        }

        location ~ ^/store/(?<id>\d+)$ {
            scale_route  store;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n" store;
            scale_cache_valid  10m;
        }

        location ~ ^/stale/(?<id>\d+)$ {
            scale_route  stale;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  1s stale=60s;
        }

        location ~ ^/list/(?<id>\d+)$ {
            scale_route  list;
            scale_query  GET rows "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  10m;
            scale_cache_tags   "list/:id";
            scale_purge_tags   "list/:id";
        }

        location ~ ^/short/(?<id>\d+)$ {
            scale_route  short;
            scale_deadline  1s;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  10m;
        }
    }
END
    main => 'env SCALE_STEP;');


sub seen { return Scale::seen(@_) }

sub get { return seen($steps->request('GET', $_[0])) }
sub put { return seen($steps->request('PUT', $_[0])) }
sub n { return (split ' ', $_[0])[2] }


# a fill that comes late

my $late = $steps->begin('GET', '/items/1');
my $filler = $steps->until('fill.store');

is(put('/items/1'), '200 - 1', 'a write while a filler holds the old row');
is(n(get('/items/1')), 1, 'is seen');
$steps->release($filler);
is(n(seen($steps->answer($late))), 0, 'the filler began before it');
is(n(get('/items/1')), 1, 'its late fill is refused');
is(get('/items/1'), '200 HIT 1', 'the new row is what is kept');


# a read between mark and commit

my $write = $steps->begin('PUT', '/items/2');
my $writer = $steps->until('write.query');

is(get('/items/2'), '200 BYPASS 0', 'a read under a mark fills nothing');
$steps->release($writer);
is(seen($steps->answer($write)), '200 - 1', 'the write');
is(get('/items/2'), '200 MISS 1', 'is seen by the next read');


# a read between commit and unmark

$write = $steps->begin('PUT', '/items/3');
$writer = $steps->until('mark.release');

is(get('/items/3'), '200 BYPASS 1', 'a committed row is read, and not kept');
$steps->release($writer);
is(seen($steps->answer($write)), '200 - 1', 'until the write has ended');
is(get('/items/3'), '200 MISS 1', 'then it is');


# two writers; the first to commit is the last to unmark, with its row

$write = $steps->begin('PUT', '/store/4');
$writer = $steps->until('write.done');

is(put('/store/4'), '200 - 2', 'a second write of the same key');
is(get('/store/4'), '200 HIT 2', 'leaves its row behind');
$steps->release($writer);
is(seen($steps->answer($write)), '200 - 1', 'the first one ends after it');
is(n(get('/store/4')), 2, 'and leaves its own nowhere');


# two marks: the first one ends while the second stands

$write = $steps->begin('PUT', '/items/5');
$writer = $steps->until('write.query');

my $other = $steps->begin('PUT', '/items/5');
my $second = $steps->until('write.query');

$steps->release($writer);
is(seen($steps->answer($write)), '200 - 1', 'the first write ends');
is(get('/items/5'), '200 BYPASS 1', 'the mark of the second still stands');
$steps->release($second);
is(seen($steps->answer($other)), '200 - 2', 'and goes with it');
is(get('/items/5'), '200 MISS 2', 'then the row is kept');


# an entry that is read anew

is(get('/stale/6'), '200 MISS 0', 'an entry');
$steps->pause(1.2);

my $old = $steps->begin('GET', '/stale/6');
my $job = $steps->until('job.row');

is(put('/stale/6'), '200 - 1', 'a write while the old row is read anew');
is(n(get('/stale/6')), 1, 'is seen');
$steps->release($job);
is(seen($steps->answer($old)), '200 STALE 0', 'its reader began before it');
is(n(get('/stale/6')), 1, 'what was read anew is refused');


# a tag that is made new while a list is read

my $list = $steps->begin('GET', '/list/7');
$filler = $steps->until('read.row');

is(put('/list/7'), '200 - 1', 'a write purges a tag whose list is read');
$steps->release($filler);
is(n(seen($steps->answer($list))), 0, 'that read began before');
is(n(get('/list/7')), 1, 'and what it stored is old');


# a mark that ends before the commit

is(get('/short/8'), '200 MISS 0', 'an entry');
$write = $steps->begin('PUT', '/short/8');
$writer = $steps->until('mark.was_set');

is(get('/short/8'), '200 BYPASS 0', 'a writer falls asleep on its mark');
$steps->pause(6.5);
is(get('/short/8'), '200 MISS 0', 'the mark ends, and an old row is filled');
$steps->taken();
$steps->release($writer);
is(seen($steps->answer($write)), '200 - 1', 'the write is acknowledged');

my $own = join ' ', map { /(mark\.\S+)/ } $steps->taken();
is($own, 'mark.purge mark.was_purged', 'after it removed what stands there');
is(get('/short/8'), '200 MISS 1', 'and is seen');

done_testing();
