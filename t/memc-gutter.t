# A gutter of a ring that one web node has to itself: it keeps the keys of a
# memcached that is out of use, for a while, and nobody reads anything old when
# that one is back, or goes once more.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Items;
use Scale::Ring;
use Test::More 'no_plan';

create_items(60);

my @address = addresses(3);
my $servers = join "\n", map { "server $_;" } @address[0, 1],
                                              "$address[2] gutter";

my $http = Scale::http_config()
           =~ s/server +127.*?;/$servers/r
           =~ s/timeout +50ms/timeout 100ms/r . items_server(<<'END');
        location ~ ^/tagged/(?<id>\d+)$ {
            scale_route  tagged;
            scale_param  id  $id  bigint required;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST none "SELECT :id";
            scale_cache_valid  10m;
            scale_cache_tags   "tag/:id";
            scale_purge_tags   "tag/:id";
        }

        location = /counters {
            return 200 $scale_cache_ejections;
        }
END
my $node = Scale::nginx($http, workers => 2);
my @ids = (1 .. 60);


# all of them are answered from the cache

sub all_hit
{
    return Scale::wait_for(sub {
        my %count = by_status($node, @ids);
        return ($count{HIT} // 0) == @ids;
    }, 10);
}


sub write_to
{
    my ($method, @some) = @_;

    return grep { on($node, $method, $_)->{code} != 200 } @some;
}


# those of the ids that are not read as this n

sub other_than
{
    my ($n, @some) = @_;

    return grep { seen($node, 'GET', $_) !~ /^200 \w+ $n$/ } @some;
}


sub ejections
{
    return Scale::get('/counters', ':port' => $node->{port})->{body};
}


# seconds that are left of what a memcached holds, its owner's record aside

sub lifetimes
{
    my ($number) = @_;

    return sort { $a <=> $b }
           map { / exp=(-?\d+) / && !/owner/ ? $1 - time : () }
               Scale::memcached_says($number, 'lru_crawler metadump all');
}


ok(all_hit(), 'all keys are cached');
is_deeply([keys_of(3)], [], 'the gutter keeps nothing of them');

my %of_first = map { $_ => 1 } keys_of(1);
my @first = sort { $a <=> $b } keys %of_first;
my @others = grep { !$of_first{$_} } @ids;

cmp_ok(@first, '>', 10, 'a memcached has its share');


# It falls silent, and remembers what it had.

Scale::signal_memcached('STOP', 1);

is_deeply([write_to('POST', @first)], [],
          'it is silent: writes of its keys are acknowledged');
is_deeply([other_than(1, @first)], [], 'and read');
is_deeply([other_than(0, @others)], [], 'the other keys are as they were');
ok(all_hit(), 'all keys are cached');
is(join(' ', grep { $of_first{$_} } keys_of(3)), "@first",
   'its own in the gutter');
is(ejections(), 1, 'it was put out of use');

is_deeply([write_to('PUT', @first)], [], 'writes that leave their row there');
is_deeply([other_than(2, @first)], [], 'are read');

# a tag is made by a reader, and anew by a write

for my $id (@ids) {
    Scale::request($_, "/tagged/$id", undef, ':port' => $node->{port})
        for 'GET', 'POST', 'GET';
}

my @left = lifetimes(3);

cmp_ok($left[-1], '<=', 60, 'nothing stays in the gutter for more than 60 s');
cmp_ok($left[0], '>', 0, 'or for ever');


# It is back.

Scale::signal_memcached('CONT', 1);

my $before = () = lifetimes(1);
my $old = 0;

ok(Scale::wait_for(sub {
       $old += other_than(2, @first[0 .. 9]);
       my @now = lifetimes(1);
       @now > $before;
   }, 10), 'it is in use again');
is($old, 0, 'and what it remembers is not read');
is_deeply([other_than(2, @first)], [], 'of none of its keys');
ok(all_hit(), 'all keys are cached');
is_deeply([write_to('POST', @first)], [], 'writes go on');
is_deeply([other_than(3, @first)], [], 'and are read');


# It dies, while the gutter remembers.

Scale::stop_memcached(1);

is_deeply([other_than(3, @first)], [],
          'it dies: what the gutter remembers is not read');
is_deeply([write_to('POST', @first)], [], 'writes are acknowledged');
is_deeply([other_than(4, @first)], [], 'and read');
ok(all_hit(), 'all keys are cached');
is_deeply([other_than(4, @first)], [], 'as they are');


# So does the gutter.

Scale::stop_memcached(3);

is_deeply([write_to('POST', @first)], [],
          'without a gutter writes are acknowledged');
is_deeply([other_than(5, @first)], [], 'and read, from the database');
is_deeply([other_than(0, @others)], [], 'the other keys are as they were');

Scale::restart_memcached($_) for 1, 3;
ok(all_hit(), 'both are back: all keys are cached');
is_deeply([other_than(5, @first)], [], 'as they are');
