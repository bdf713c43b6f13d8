# Four web nodes with one ring: a herd on all of them, a filler that dies or is
# too late, and lists by tag, with the nodes' own tiers and without.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use IO::Socket::INET;
use Scale::Ring;
use Test::More 'no_plan';
use Time::HiRes qw(sleep time);

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 20) i;
CREATE TABLE pause (s float8 NOT NULL);
INSERT INTO pause VALUES (0);
CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    author bigint NOT NULL);
INSERT INTO posts (author) SELECT 1 + i % 3 FROM generate_series(1, 30) i;
SQL

my @address = addresses(3);

add_to_ring(@address);

my $config = back_ends(@address) . <<'END';
    add_header  X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort backlog=1024;

        scale_param  id      $id         bigint required;
        scale_param  author  arg.author  bigint required;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n, pg_sleep(s)
                                    FROM items, pause WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_cache_valid  10m;
        }

        location = /posts {
            scale_route  posts;
            scale_query  GET rows "SELECT id FROM posts
                                    WHERE author = :author ORDER BY id DESC";
            scale_query  POST row "INSERT INTO posts (author) VALUES (:author)
                                   RETURNING id, author AS \"row:author\"";
            scale_cache_valid  10m;
            scale_cache_tags   "posts-of/:author";
            scale_purge_tags   "posts-of/:row.author";
        }
    }
END

# every other one has no tier of its own

my @nodes = map { Scale::nginx($config =~ s/local 1m;/$_/r) }
                ('local 1m;', '') x 2;

ok(Scale::wait_for(sub { !grep { seen($_, 'GET', 20) !~ / HIT / } @nodes }, 12),
   'four nodes use the cache');


# statements that ran on an item, and those that run

sub fills { return Scale::statements('SELECT id, n, pg_sleep%') }


sub filling
{
    return Scale::sql("SELECT count(*) FROM pg_stat_activity WHERE state ="
                      . " 'active' AND query LIKE 'SELECT id, n, pg_sleep%'");
}


sub pause { Scale::sql("UPDATE pause SET s = $_[0]") }


sub ask
{
    my ($node, $id) = @_;

    return Scale::begin('GET', "/items/$id", undef, ':port' => $node->{port});
}


# [node, status, n] of those that do not read this n

sub other_than
{
    my ($n, $id) = @_;

    return grep { !/^200 \w+ $n$/ } map { seen($_, 'GET', $id) } @nodes;
}


# A herd.

sub herd
{
    my ($path, $clients) = @_;
    my %codes;

    my @sockets = map {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$nodes[$_ % 4]{port}",
                              Timeout => 5)
    } 1 .. $clients;

    print {$_} "GET $path HTTP/1.0\r\n\r\n" for @sockets;

    for my $socket (@sockets) {
        my $line = <$socket>;
        $codes{$1}++ if defined $line && $line =~ m{^HTTP/1.1 (\d+)};
    }

    return \%codes;
}

for my $id (1, 2) {
    pause($id == 1 ? 0 : 0.5);

    my $before = fills();

    is_deeply(herd("/items/$id", 1000), { 200 => 1000 },
              '1,000 clients of four nodes miss one key and are answered');
    is(fills() - $before, 1, 'by one statement');
}


# The lease's holder is killed.

pause(1.5);

my $before = fills();

Scale::expect_in_log(qr/worker process \d+ exited on signal 9/);

my $killed = ask($nodes[0], 3);

ok(Scale::wait_for(sub { filling() == 1 }, 5), 'a node fills an entry');

pause(0);

my @waiting = map { ask($nodes[1 + $_ % 3], 3) } 1 .. 60;

kill KILL => Scale::workers($nodes[0]);

my @answers = map { Scale::receive($_) } @waiting;
my ($slowest) = sort { $b <=> $a } map { $_->{seconds} } @answers;

diag(sprintf 'its readers on other nodes waited %.2f s', $slowest);
is(Scale::receive($killed)->{code}, 0, 'its workers are killed');
is_deeply([grep { $_->{code} != 200 } @answers], [],
          'readers on other nodes are answered');
cmp_ok($slowest, '<', 4.5, 'as soon as no filler can take longer');
ok(Scale::wait_for(sub { filling() == 0 }, 5), 'the dead node\'s query ends');
diag('statements: ' . (fills() - $before));
is(fills() - $before, 2, 'the second filler is the last one');
is(join(' ', map { (split)[1] } map { seen($_, 'GET', 3) } @nodes[1 .. 3]),
   'HIT HIT HIT', 'and what it read is cached');


# A write during a slow fill.

pause(1.5);

my $filler = ask($nodes[0], 4);

ok(Scale::wait_for(sub { filling() == 1 }, 5), 'a slow fill');
pause(0);

my @joined = map { ask($_, 4) } @nodes;

is(on($nodes[1], 'POST', 4)->{code}, 200, 'a write meanwhile on another node');
is(filling(), 1, 'is acknowledged before the fill ends');

my @old;
my $rounds = 0;

while (filling()) {
    push @old, other_than(1, 4);
    $rounds++;
}

$_ = Scale::receive($_) for $filler, @joined;
like($filler->{body}, qr/"n":0/, 'who asked before it reads the old value');
is_deeply([grep { $_->{code} != 200 } @joined], [],
          'those who waited for it are answered');
push @old, other_than(1, 4) for 1 .. 20;
diag("$rounds rounds of reads while it filled");
cmp_ok($rounds, '>', 0, 'reads while it fills');
is_deeply(\@old, [], 'nobody reads the old value after the write, ever');
is(join(' ', map { (split)[1] } map { seen($_, 'GET', 4) } @nodes),
   'HIT HIT HIT HIT', 'the new one is cached');


# A list by tag.

sub list
{
    my ($node, $author) = @_;

    my $answer = Scale::request('GET', "/posts?author=$author", undef,
                                ':port' => $node->{port});

    return (status($answer), $answer->{body} =~ /"id":(\d+)/);
}


sub status { return Scale::Ring::status(@_) }


sub listed
{
    my (@authors) = @_;

    return Scale::wait_for(sub {
        !grep { my $author = $_;
                grep { (list($_, $author))[0] ne 'HIT' } @nodes } @authors;
    }, 5);
}

my (@missing, @cold);

for my $round (1 .. 12) {
    my $author = 1 + $round % 3;
    my $writer = $nodes[$round % 4];

    listed(1, 2, 3) or push @cold, "before $round";

    my $post = Scale::request('POST', "/posts?author=$author", undef,
                              ':port' => $writer->{port});
    my ($id) = $post->{body} =~ /"id":(\d+)/;

    for my $node (@nodes) {
        my (undef, $first) = list($node, $author);
        push @missing, "$first, not $id" if $first != $id;
    }

    for my $other (grep { $_ != $author } 1 .. 3) {
        push @cold, "$other" if grep { (list($_, $other))[0] ne 'HIT' } @nodes;
    }
}

is_deeply(\@missing, [],
          'a new post is on its author\'s page on the next read of every node');
is_deeply(\@cold, [], 'other authors\' pages stay cached');
