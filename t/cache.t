# The cache as a client sees it: what is found, for how long, what a write
# makes old, and what happens to all that when a memcached goes away.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Door;
use Test::Nginx::Socket 'no_plan';
use IO::Socket::INET;

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, owner bigint NOT NULL,
                    n bigint NOT NULL);
INSERT INTO items SELECT i, i % 10, 0 FROM generate_series(1, 200) i;
SQL
Scale::Door::install();

our $HttpConfig = Scale::http_config() . <<'EOC';
    scale_param  id     $id        bigint required;
    scale_param  owner  arg.owner  bigint;
    scale_param  word   arg.word   text;
    add_header   X-Cache $scale_cache_status always;
    add_header   X-Cache-Time $scale_cache_time;
EOC

# nobody is told of this change, as if psql had made it
our $Behind = <<'EOC';
    location ~ ^/behind/(?<id>\d+)$ {
        scale_route  behind;
        scale_query  POST row "INSERT INTO items VALUES (:id, 1, 1)
                               ON CONFLICT (id) DO UPDATE SET n = items.n + 1
                               RETURNING n";
    }
EOC

our $Item = <<'EOC';
    location ~ ^/items/(?<id>[^/]+)$ {
        scale_route  item;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_query  PUT|POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
        scale_cache_valid  10m;
    }
EOC

our $Bypass = 'scale_cache_bypass $arg_fresh $http_x_fresh;';


# "code status n": of the first n in the body, "-" for what there is none of

sub seen
{
    my ($method, $path, %headers) = @_;

    return Scale::seen(Scale::request($method, $path, undef, %headers));
}


# the record of its owner does not count

sub items_of
{
    my ($number) = @_;

    return map { /^STAT curr_items (\d+)/ ? $1 - 1 : () }
               Scale::memcached_says($number, 'stats');
}


# one memcached

my $one = Scale::nginx($HttpConfig . <<"END", workers => 2);
    server {
        listen 127.0.0.1:\$ServerPort;
$Behind
$Item
        location ~ ^/short/(?<id>\\d+)\$ {
            scale_route  short;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  1s missing=1s;
        }
        location ~ ^/nap/(?<id>\\d+)\$ {
            scale_route  nap;
            scale_query  GET row "SELECT id, n, pg_sleep(n) FROM items
                                  WHERE id = :id" timeout=1s;
            scale_cache_valid  10m;
        }
        location ~ ^/slow/(?<id>\\d+)\$ {
            scale_route  slow;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n, through(:word)" timeout=9s;
            scale_cache_valid  10m;
        }
        location = /counters {
            return 200 "\$scale_cache_contended \$scale_cache_lost_marks
                        \$scale_cache_ejections";
        }
    }
END

my @one = (':port' => $one->{port});

seen('GET', '/short/1', @one);
is(seen('GET', '/short/1', @one), '200 HIT 0', 'an entry is found');
seen('POST', '/behind/1', @one);
is(seen('GET', '/short/201', @one), '404 MISS -', 'so is an absent row');
seen('POST', '/behind/201', @one);
ok(Scale::wait_for(sub { seen('GET', '/short/1', @one) =~ / 1$/ }, 5),
   'an entry lives for its time');
ok(Scale::wait_for(sub { seen('GET', '/short/201', @one) =~ / 1$/ }, 5),
   'the memory of an absent row lives for its own');

seen('GET', '/items/2', @one);
is(seen('GET', '/items/2', @one), '200 HIT 0', 'before a reload, a hit');
like(Scale::get('/items/2', @one)->{headers}{'x-cache-time'},
     qr/^0\.\d{6}$/, 'the time that it took is known');
ok(Scale::reload($one), 'nginx is reloaded');
is(seen('GET', '/items/2', @one), '200 HIT 0', 'after the reload, a hit');
is(seen('PUT', '/items/2', @one), '200 - 1', 'and a write by the new workers');
is(seen('GET', '/items/2', @one), '200 MISS 1', 'is seen by the next reader');


# a filler that dies

Scale::sql('UPDATE items SET n = 30 WHERE id = 3');

my $reader = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$one->{port}");
my $naps = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(n)%'"
           . " AND state = 'active' AND pid <> pg_backend_pid()";

print $reader "GET /nap/3 HTTP/1.0\r\n\r\n";
Scale::wait_for(sub { Scale::sql($naps) }, 5);
Scale::expect_in_log(qr/exited on signal 9/);
kill KILL => Scale::workers($one);
Scale::sql('UPDATE items SET n = 0 WHERE id = 3');
Scale::wait_for(sub { seen('GET', '/items/3', @one) =~ /^200/ }, 5);

is(seen('GET', '/nap/3', @one), '200 MISS 0',
   'a reader does not wait for a filler that died');
is(seen('GET', '/nap/3', @one), '200 HIT 0', 'and fills in its place');
Scale::sql("SELECT pg_terminate_backend(pid) FROM ($naps) AS nap");


# what is counted

sub counters
{
    return split ' ', Scale::get('/counters', @one)->{body};
}


# what has been added to them

sub counted
{
    my ($before) = @_;
    my @now = counters();

    return join ' ', map { $now[$_] - $before->[$_] } 0 .. 2;
}


# as a memcached does that has no room

sub forget
{
    my ($name) = @_;

    Scale::memcached_says(undef, map { "md $_" } grep { /\Q$name\E/ }
                                 Scale::memcached_keys());
}


sub begin_slow
{
    my ($id, $door) = @_;

    return Scale::begin('PUT', "/slow/$id?word=$door", undef, @one);
}


ok(Scale::wait_for(sub { seen('GET', '/items/5', @one) =~ /HIT/ }, 10),
   'the cache is used');

my @before = counters();
my $first = begin_slow(5, 'a');
Scale::Door::backends('through', 1);
my $second = begin_slow(5, 'b');
Scale::Door::backends('through', 2);
Scale::Door::unlock($_) for 'a', 'b';
like($_->{body}, qr/"n":[12]/, 'a write beside another one of its key')
    for map { Scale::receive($_) } $first, $second;
is(seen('GET', '/slow/5', @one), '200 MISS 2', 'both are read');
is(counted(\@before), '1 0 0', 'the mark of the first was contended');

my $third = begin_slow(5, 'c');
Scale::Door::backends('through', 1);
forget(':slow:5');
is(seen('GET', '/slow/5', @one), '200 MISS 2', 'a write loses its mark');
Scale::Door::unlock('c');
like(Scale::receive($third)->{body}, qr/"n":3/, 'and is done');
is(seen('GET', '/slow/5', @one), '200 MISS 3', 'what was filled has gone');
is(counted(\@before), '1 1 0', 'the lost mark is counted');


# what was acknowledged stays, whatever the memcached remembers

for my $id (11 .. 13) {
    seen('GET', "/items/$id", @one) for 1 .. 2;
}

Scale::signal_memcached('STOP');
is(seen('PUT', '/items/11', @one), '200 - 1',
   'a write is acknowledged although the memcached is silent');
like(seen('GET', '/items/11', @one), qr/^200 \w+ 1$/,
     'and read from the database');
like(seen('GET', '/items/12', @one), qr/^200 \w+ 0$/, 'as is any other row');

Scale::signal_memcached('CONT');
my %read;
$read{seen('GET', '/items/11', @one)}++ for 1 .. 100;
is_deeply([grep { !/ 1$/ } keys %read], [],
          'the memcached is back, and what it remembers is not read');
ok(Scale::wait_for(sub { seen('GET', '/items/11', @one) eq '200 HIT 1' }, 10),
   'until it is in use again');
is(seen('PUT', '/items/12', @one), '200 - 1',
   'a write to the one that is back');
like(seen('GET', '/items/12', @one), qr/ 1$/, 'is read');
like(counted(\@before), qr/ 1$/, 'it was put out of use once');

Scale::stop_memcached();
is(seen('PUT', '/items/13', @one), '200 - 1',
   'a write is acknowledged although the memcached is dead');
like(seen('GET', '/items/13', @one), qr/^200 \w+ 1$/,
     'and read from the database');
Scale::restart_memcached();
%read = ();
$read{seen('GET', '/items/13', @one)}++ for 1 .. 100;
is_deeply([grep { !/ 1$/ } keys %read], [], 'the restarted one knows it, too');
ok(Scale::wait_for(sub { seen('GET', '/items/13', @one) eq '200 HIT 1' }, 10),
   'and is in use again');
like(counted(\@before), qr/ 2$/, 'after it was put out of use for the second time');


# three memcacheds

my $servers = join "\n",
    map { 'server 127.0.0.1:' . Scale::memcached($_)->{port}
          . ($_ == 2 ? ' weight=4;' : ';') } 1 .. 3;

my $three = Scale::nginx($HttpConfig =~ s/server +127.*?;/$servers/r . <<"END",
    server {
        listen 127.0.0.1:\$ServerPort;
$Item
    }
END
    workers => 2);

my @three = (':port' => $three->{port});
my @ids = (1 .. 120);


sub all
{
    my %count;

    for my $id (@ids) {
        my ($code, $status) = split ' ', seen('GET', "/items/$id", @three);
        $count{"$code $status"}++;
    }

    return \%count;
}


is_deeply(all(), { '200 MISS' => 120 }, 'the keys of three servers are filled');
is_deeply(all(), { '200 HIT' => 120 }, 'and found');

my @items = map { items_of($_) } 1 .. 3;
my @least = sort { $a <=> $b } @items;

cmp_ok($least[0], '>', 0, 'every server has some of them');
is($items[1], $least[2], 'that of the greatest weight has the most');
diag("items: @items");

Scale::stop_memcached(1);
my $count = all();
is($count->{'200 HIT'}, $items[1] + $items[2],
   'the keys of the others are still found when one dies');
is(($count->{'200 HIT'} // 0) + ($count->{'200 MISS'} // 0)
   + ($count->{'200 BYPASS'} // 0), 120, 'its own come from the database');

Scale::restart_memcached(1);
ok(Scale::wait_for(sub { (all()->{'200 HIT'} // 0) == 120 }, 10),
   'when it is back, all are found again');


# a server more: this web node's workers agree on it at once

Scale::Nginx::write_conf($three, $HttpConfig =~ s/server +127.*?;/
                                                 $servers . "\n" . 'server'
                                                 . ' 127.0.0.1:'
                                                 . Scale::memcached(4)->{port}
                                                 . ';'/er . <<"END");
    server {
        listen 127.0.0.1:\$ServerPort;
$Item
    }
END
ok(Scale::reload($three), 'a reload with one more server');
$count = all();
is(($count->{'200 HIT'} // 0) + ($count->{'200 MISS'} // 0), 120,
   'nothing waits for it');
cmp_ok($count->{'200 MISS'} // 0, '<', 60, 'what it does not take stays warm');
diag("of 120 keys moved: $count->{'200 MISS'}");
is_deeply(all(), { '200 HIT' => 120 }, 'and what it takes is filled');


# writes and reads while they come and go

my %floor;
my %faults = (
    stop    => sub { Scale::signal_memcached('STOP', $_[0]) },
    wake    => sub { Scale::signal_memcached('CONT', $_[0]) },
    kill    => sub { Scale::stop_memcached($_[0]) },
    restart => sub { Scale::restart_memcached($_[0]) },
    reload  => sub { kill HUP => $three->{pid} },
);
my %next = (up => ['stop', 'kill', 'reload'], stop => ['wake', 'restart'],
            kill => ['restart']);
my %state = map { $_ => 'up' } 1 .. 3;
my %codes;
my @stale;


sub fault
{
    my $number = 1 + int rand 3;
    my @choice = @{ $next{$state{$number}} };
    my $name = $choice[rand @choice];

    $faults{$name}->($number);
    $state{$number} = $next{$name} ? $name : 'up';

    return "$name $number";
}


sub use_some
{
    my ($after) = @_;

    for (1 .. 12) {
        my $id = 160 + int rand 20;
        my $method = rand() < 0.3 ? 'PUT' : 'GET';
        my ($code, $status, $n) = split ' ', seen($method, "/items/$id",
                                                  @three);

        $codes{"$method $code"}++;
        next if $code != 200;

        push @stale, "$method $id $status: $n < $floor{$id} after $after"
            if $n < ($floor{$id} // 0);

        $floor{$id} = $n;
    }
}


srand 5;
my $end = time() + 3;
use_some(fault()) while time() < $end;
Scale::restart_memcached($_) for 1 .. 3;
use_some('all restarts');

diag(join ', ', map { "$_: $codes{$_}" } sort keys %codes);
is_deeply(\@stale, [], 'no read is older than an acknowledged write');
is_deeply([grep { !/ 200$/ } keys %codes], [], 'nothing was refused');
cmp_ok($codes{'GET 200'}, '>', 20, 'there were reads');
cmp_ok($codes{'PUT 200'}, '>', 5, 'there were writes');
ok(Scale::wait_for(sub { (all()->{'200 HIT'} // 0) == 120 }, 10),
   'at last all are found again');


# none at all

my $none = Scale::nginx($HttpConfig =~ s/scale_cache hot .*?\}//sr . <<"END",
    server {
        listen 127.0.0.1:\$ServerPort;
$Item
    }
END
    workers => 1);

my @none = (':port' => $none->{port});

is(seen('GET', '/items/150', @none), '200 - 0', 'without a memcached, a read');
is(seen('PUT', '/items/150', @none), '200 - 1', 'a write');
is(seen('GET', '/items/150', @none), '200 - 1', 'and what it wrote');

Scale::another_memcached();
no_long_string();
run_tests();

__DATA__

=== TEST 1: the default key is the route and its parameters, by their values
--- http_config eval: $::HttpConfig
--- config
    location ~ ^/of/(?<id>[^/]+)$ {
        scale_route  of;
        scale_query  GET row "SELECT id, n, :word AS word FROM items
                              WHERE id = :id AND owner = coalesce(:owner, 0)";
        scale_cache_valid  10m;
    }
--- request eval
["GET /of/10", "GET /of/010?other=1", "GET /of/10?owner=0", "GET /of/10?word=",
 "GET /of/10?word=~", "GET /of/10?word=%7E", "GET /of/10?word=a%3A0",
 "GET /of/10?word=a&owner=0"]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT", "X-Cache: MISS", "X-Cache: MISS",
 "X-Cache: MISS", "X-Cache: HIT", "X-Cache: MISS", "X-Cache: MISS"]


=== TEST 2: two routes with one key share their entries
--- http_config eval: $::HttpConfig
--- config
    location ~ ^/a/(?<id>\d+)$ {
        scale_route  a;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_cache_valid  10m;
        scale_cache_key    "shared/:id";
    }
    location ~ ^/b/(?<id>\d+)$ {
        scale_route  b;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_query  PUT none "UPDATE items SET n = n + 1 WHERE id = :id";
        scale_cache_valid  10m;
        scale_cache_key    "shared/:id";
    }
--- request eval
["GET /a/21", "GET /b/21", "PUT /b/21", "GET /a/21", "GET /a/22"]
--- error_code eval
[200, 200, 204, 200, 200]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT", "!X-Cache", "X-Cache: MISS", "X-Cache: MISS"]
--- response_body_like eval
[qr/"n":0/, qr/"n":0/, qr/^$/, qr/"n":1/, qr/"n":0/]


=== TEST 3: an absent row is remembered where missing= says so
--- http_config eval: $::HttpConfig
--- config
    location ~ ^/remembered/(?<id>\d+)$ {
        scale_route  remembered;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_query  PUT row "INSERT INTO items VALUES (:id, 1, 5)
                              RETURNING id, n" status=201;
        scale_cache_valid  10m missing=10m;
    }
    location ~ ^/forgotten/(?<id>\d+)$ {
        scale_route  forgotten;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_cache_valid  10m;
    }
--- request eval
["GET /remembered/301", "GET /remembered/301", "PUT /remembered/301",
 "GET /remembered/301", "GET /forgotten/302", "GET /forgotten/302"]
--- error_code eval
[404, 404, 201, 200, 404, 404]
--- response_headers eval
["X-Cache: MISS", "X-Cache: NEGATIVE", "!X-Cache", "X-Cache: MISS",
 "X-Cache: MISS", "X-Cache: MISS"]


=== TEST 4: a lifetime of off, here or further out, keeps nothing
--- http_config eval: $::HttpConfig . "scale_cache_valid 10m;"
--- config
    location ~ ^/on/(?<id>\d+)$ {
        scale_route  on;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
    }
    location ~ ^/off/(?<id>\d+)$ {
        scale_route  off;
        scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
        scale_cache_valid  off;
    }
--- request eval
["GET /on/31", "GET /on/31", "GET /off/31", "GET /off/31"]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT", "!X-Cache", "!X-Cache"]


=== TEST 5: a bypass neither reads an entry nor replaces it
--- http_config eval: $::HttpConfig
--- config eval
$::Behind . $::Item =~ s/scale_cache_valid/$::Bypass $&/r
--- request eval
["GET /items/41", "POST /behind/41", "GET /items/41", "GET /items/41?fresh=1",
 "GET /items/41?fresh=0", "GET /items/41"]
--- response_headers eval
["X-Cache: MISS", "!X-Cache", "X-Cache: HIT", "X-Cache: BYPASS",
 "X-Cache: HIT", "X-Cache: HIT"]
--- response_body_like eval
[qr/"n":0/, qr/"n":1/, qr/"n":0/, qr/"n":1/, qr/"n":0/, qr/"n":0/]


=== TEST 6: a bypass by a header
--- http_config eval: $::HttpConfig
--- config eval
$::Item =~ s/scale_cache_valid/$::Bypass $&/r
--- request eval
["GET /items/42", "GET /items/42"]
--- more_headers
X-Fresh: yes
--- response_headers eval
["X-Cache: BYPASS", "X-Cache: BYPASS"]


=== TEST 7: a write purges another route, by a parameter and by its row
--- http_config eval: $::HttpConfig
--- config eval
$::Item . <<'EOC';
    location ~ ^/owners/(?<id>\d+)$ {
        scale_route  owner;
        scale_query  GET row "SELECT sum(n) AS n FROM items
                              WHERE owner = :id
                                AND id BETWEEN 51 AND 60";
        scale_cache_valid  10m;
    }
    location ~ ^/raise/(?<id>\d+)$ {
        scale_route  raise;
        scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                               RETURNING n, owner AS \"row:owner\"";
        scale_purge  item id=:id;
        scale_purge  owner id=:row.owner;
    }
EOC
--- request eval
["GET /items/51", "GET /items/52", "GET /owners/1", "GET /owners/2",
 "POST /raise/0051",
 "GET /items/51", "GET /items/52", "GET /owners/1", "GET /owners/2"]
--- response_headers eval
["X-Cache: MISS", "X-Cache: MISS", "X-Cache: MISS", "X-Cache: MISS",
 "!X-Cache",
 "X-Cache: MISS", "X-Cache: HIT", "X-Cache: MISS", "X-Cache: HIT"]
--- response_body_like eval
[qr/"n":0/, qr/"n":0/, qr/"n":0/, qr/"n":0/, qr/^\{"n":1\}$/,
 qr/"n":1/, qr/"n":0/, qr/"n":1/, qr/"n":0/]


=== TEST 8: a purge by a word
--- http_config eval: $::HttpConfig
--- config
    location = /top {
        scale_route  top;
        scale_param  few  arg.few  int default=3;
        scale_query  GET rows "SELECT id, n FROM items ORDER BY n DESC, id
                               LIMIT :few";
        scale_cache_valid  10m;
    }
    location ~ ^/raise/(?<id>\d+)$ {
        scale_route  raise;
        scale_query  POST none "UPDATE items SET n = n + 100 WHERE id = :id";
        scale_purge  top few=3;
    }
--- request eval
["GET /top", "GET /top?few=003", "GET /top?few=2", "POST /raise/61",
 "GET /top", "GET /top?few=2"]
--- error_code eval
[200, 200, 200, 204, 200, 200]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT", "X-Cache: MISS", "!X-Cache", "X-Cache: MISS",
 "X-Cache: HIT"]


=== TEST 9: a tag makes all its entries old, and no others
--- http_config eval: $::HttpConfig
--- config
    location = /list {
        scale_route  list;
        scale_query  GET rows "SELECT id, n, :word AS word FROM items
                               WHERE owner = :owner AND id BETWEEN 71 AND 80";
        scale_cache_valid  10m;
        scale_cache_tags   "owned/:owner" "lists";
    }
    location ~ ^/raise/(?<id>\d+)$ {
        scale_route  raise;
        scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                               RETURNING n, owner AS \"row:owner\"";
        scale_purge_tags  "owned/:row.owner";
    }
    location = /clear {
        scale_route  clear;
        scale_query  POST none "UPDATE items SET n = 7
                                WHERE id BETWEEN 71 AND 80";
        scale_purge_tags  lists;
    }
--- request eval
["GET /list?owner=1", "GET /list?owner=1&word=a", "GET /list?owner=2",
 "POST /raise/71",
 "GET /list?owner=1", "GET /list?owner=1&word=a", "GET /list?owner=2",
 "POST /clear",
 "GET /list?owner=1", "GET /list?owner=2", "GET /list?owner=1"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200, 204, 200, 200, 200]
--- response_headers eval
["X-Cache: MISS", "X-Cache: MISS", "X-Cache: MISS",
 "!X-Cache",
 "X-Cache: MISS", "X-Cache: MISS", "X-Cache: HIT",
 "!X-Cache",
 "X-Cache: MISS", "X-Cache: MISS", "X-Cache: HIT"]
--- response_body_like eval
[qr/"n":0/, qr/"n":0/, qr/"n":0/, qr/"n":1/, qr/"n":1/, qr/"n":1/, qr/"n":0/,
 qr/^$/, qr/"n":7/, qr/"n":7/, qr/"n":7/]


=== TEST 10: a write that changes nothing purges nothing less
--- http_config eval: $::HttpConfig
--- config eval
$::Behind . $::Item . <<'EOC';
    location ~ ^/touch/(?<id>\d+)$ {
        scale_route  touch;
        scale_query  POST none "UPDATE items SET n = n WHERE id = -:id";
        scale_purge  item id=:id;
    }
EOC
--- request eval
["GET /items/91", "POST /behind/91", "GET /items/91", "POST /touch/91",
 "GET /items/91"]
--- error_code eval
[200, 200, 200, 204, 200]
--- response_body_like eval
[qr/"n":0/, qr/"n":1/, qr/"n":0/, qr/^$/, qr/"n":1/]
