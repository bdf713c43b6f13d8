# Four shards, each a server of its own: every row is where its key says, a
# read of all is one page, and a shard that is down takes nobody with it.

use strict;
use warnings;
use lib 't/lib';
use Digest::MD5 qw(md5);
use Scale qw(postgres memcached);
use Scale::Client;
use Test::More;
use Time::HiRes qw(sleep time);

my $rows = 10_000;
my @shards = qw(primary s2 s3 s4);
my @names = (1, 2, 'third', 4);
my @buckets = ([0, 255], [256, 511], [512, 767], [768, 1023]);

Scale::database($_) for @shards[1 .. 3];

on_each(<<'END');
CREATE TABLE items (id bigint PRIMARY KEY, n int NOT NULL, title text,
                    price numeric, made timestamptz);
CREATE TABLE names (name text PRIMARY KEY);
CREATE TABLE pairs (a text, b bigint, PRIMARY KEY (a, b));
END

open my $secret, '>', Scale::dir() . '/secret' or die;
print $secret "a secret of the tests\n";
close $secret;

my $nginx = Scale::nginx(<<'END');
    scale_secret_file $TEST_NGINX_DIR/secret;
    scale_cache hot { server 127.0.0.1:$TEST_NGINX_MC_PORT; }

    scale_database main {
        conninfo "dbname=app user=api application_name=t";
        queue    1024 timeout=200ms;

        shard {
            server  "unix:$TEST_NGINX_PG_SOCKET";
            buckets 0-99 100-255;
        }
        shard {
            server  "unix:$TEST_NGINX_PG_SOCKET_S2";
            buckets 256-511;
        }
        shard third {
            server  "unix:$TEST_NGINX_PG_SOCKET_S3";
            buckets 512-767;
        }
        shard {
            server  "unix:$TEST_NGINX_PG_SOCKET_S4";
            buckets 768-1023;
        }
    }

    scale_database names {
        conninfo "dbname=app user=api application_name=t";
        shard a-m { server "unix:$TEST_NGINX_PG_SOCKET";    range "" N; }
        shard n-z { server "unix:$TEST_NGINX_PG_SOCKET_S2"; range N ""; }
    }

    server {
        listen 127.0.0.1:$ServerPort;
        add_header X-Shard $scale_shard always;
        add_header X-Cache $scale_cache_status always;

        scale_use        database=main;
        scale_deadline   1s;
        scale_shard_key  :id;
        scale_param      id $id bigint required;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route item;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row
                "INSERT INTO items
                 SELECT :id, 0, 'item ' || :id, :id / 100.0,
                        timestamptz '2024-01-01Z' + :id * interval '1 s'
                 RETURNING id";
            scale_query PUT none "UPDATE items SET n = n + 1 WHERE id = :id";
            scale_query PUT row  "SELECT n FROM items WHERE id = :id";
        }

        location ~ ^/cached/(?<id>\d+)$ {
            scale_route cached;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                 RETURNING n";
            scale_cache_valid 1m;
        }

        location ~ ^/bounded/(?<id>\d+)$ {
            scale_route bounded;
            scale_consistency bounded;
            scale_query GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                 RETURNING n";
        }

        location = /null {
            scale_route null;
            scale_param id arg.id bigint;
            scale_query GET row "SELECT :id AS id";
        }

        location = /page {
            scale_route page;
            scale_param after arg.after bigint default=0;
            scale_param limit arg.limit int default=50 min=1 max=1000;
            scale_query GET rows "SELECT id, title FROM items WHERE id > :after
                                  ORDER BY id LIMIT :limit"
                        fanout sort=id limit=:limit;
        }

        location = /dearest {
            scale_route dearest;
            scale_query GET rows "SELECT price, made AS \"row:made\", id
                                    FROM items ORDER BY price DESC, 2 LIMIT 20"
                        fanout sort=price:desc,row:made limit=20;
        }

        location = /all {
            scale_route all;
            scale_query GET rows "SELECT count(*) AS n FROM items" fanout;
        }

        location = /some {
            scale_route some;
            scale_query GET rows "SELECT count(*) AS n FROM items"
                        fanout=partial;
        }

        location = /some-cached {
            scale_route some-cached;
            scale_query GET rows "SELECT count(*) AS n FROM items"
                        fanout=partial;
            scale_cache_valid 1m;
        }

        location = /refused {
            scale_route refused;
            scale_query GET rows
                "SELECT scale.require(count(*) < 0, 403) FROM items"
                fanout=partial;
        }

        location = /slow {
            scale_route slow;
            scale_param s arg.s float8 default=0;
            scale_query GET rows "SELECT pg_sleep(:s), 1 AS one" fanout
                        timeout=20s;
        }

        location = /slow-one {
            scale_route slow-one;
            scale_param port arg.port text default=0;
            scale_query GET rows
                "SELECT 1 AS n FROM pg_sleep(
                     CASE current_setting('port') WHEN :port THEN 20 ELSE 0 END)"
                fanout=partial timeout=20s;
        }

        location = /lacks {
            scale_route lacks;
            scale_query GET rows "SELECT 1 AS one" fanout sort=two;
        }

        location ~ ^/names/(?<name>\w+)$ {
            scale_use database=names;
            scale_shard_key :name;
            scale_route names;
            scale_param name $name text required;
            scale_query POST none "INSERT INTO names VALUES (:name)";
        }

        location ~ ^/pairs/(?<b>\d+)$ {
            scale_shard_key :a :b;
            scale_route pairs;
            scale_param a arg.a text required;
            scale_param b $b bigint required;
            scale_query POST none "INSERT INTO pairs VALUES (:a, :b)";
        }
    }
END

ok(Scale::wait_for(sub { request('GET', '/all')->{code} == 200 }, 10),
   'the shards are found');

every_row_on_its_shard();
the_module_and_sql_agree();
pages();
tokens();
one_is_down();
nothing_is_left();

done_testing();


sub request { return Scale::request(@_[0, 1], undef, @_[2 .. $#_]) }

sub on_each
{
    my ($sql) = @_;

    return map { Scale::sql_on($_, $sql) } @shards;
}


# as the manual says

sub shard_of
{
    my ($id) = @_;

    my $bucket = unpack('N', md5($id)) % 1024;

    return (grep { $bucket <= $buckets[$_][1] } 0 .. 3)[0];
}


# how many rows are on a shard that is not theirs by scale.bucket(), and how
# many are on each

sub misplaced
{
    my ($table, $key) = @_;

    my ($wrong, @counts) = (0);

    for my $i (0 .. 3) {
        my ($first, $last) = @{ $buckets[$i] };
        my ($n, $bad) = split /\|/, Scale::sql_on($shards[$i],
            'SELECT count(*), count(*) FILTER (WHERE scale.bucket'
            . "($key) NOT BETWEEN $first AND $last) FROM $table");

        push @counts, $n;
        $wrong += $bad;
    }

    return ($wrong, @counts);
}


sub sum
{
    my $sum = 0;

    $sum += $_ for @_;

    return $sum;
}


sub every_row_on_its_shard
{
    my $client = Scale::Client->new($nginx->{port});
    my %codes;

    for (my $id = 1; $id <= $rows; $id += 100) {
        $codes{ $_->{code} }++ for
            $client->pipeline(map { "POST /items/$_" } $id .. $id + 99);
    }

    is_deeply(\%codes, { 200 => $rows }, "$rows rows are written");

    my ($wrong, @counts) = misplaced('items', 'id::text');

    diag("rows of the shards: @counts");
    is($wrong, 0, 'each is on the shard of its bucket');
    is(sum(@counts), $rows, 'and all are there');

    my $right = 0;

    for (my $id = 1; $id <= $rows; $id += 100) {
        my $next = $id;

        $right += grep { $_->{body} eq '{"id":' . $next++ . qq(,"n":0}\n) }
                       $client->pipeline(map { "GET /items/$_" }
                                             $id .. $id + 99);
    }

    is($right, $rows, 'and each is read by its key');
}


sub the_module_and_sql_agree
{
    for my $id (1, 7, 42, '9223372036854775807', '007') {
        is(request('GET', "/items/$id")->{headers}{'x-shard'},
           $names[shard_of($id + 0)], "\$scale_shard of $id");
    }

    my $answer = request('PUT', '/items/7');
    is($answer->{body}, qq({"n":1}\n), 'a transaction runs on one shard');

    $answer = request('GET', '/null');
    is($answer->{code}, 400, 'no key, no shard');
    like($answer->{body}, qr/"name":"id","detail":"is required"/,
         '... which the problem names');

    my @is = map { request('POST', "/names/$_")->{headers}{'x-shard'} . " $_" }
                 qw(Ann Mz N Zoe anna);
    is_deeply(\@is, ['a-m Ann', 'a-m Mz', 'n-z N', 'n-z Zoe', 'n-z anna'],
              'a range holds what its text says');
    is(Scale::sql("SELECT string_agg(name, ' ' ORDER BY name) FROM names"),
       'Ann Mz', '... in its tables, too');

    my @a = ('', 'a', 'a:b', 'a%', "Gr\xc3\xbcn", "\xe2\x98\x83:%3A",
             'x' x 100, 'tenant-1');

    for my $a (@a) {
        my $sent = $a =~ s/([^\w-])/sprintf '%%%02X', ord $1/ger;

        request('POST', "/pairs/$_?a=$sent") for 1 .. 5;
    }

    my ($wrong, @counts) = misplaced('pairs', 'a, b::text');
    is("$wrong of " . sum(@counts), '0 of ' . 5 * @a,
       'a key of two values, of any text, is on its shard');
}


sub pages
{
    my $answer = request('GET', '/page?after=4990&limit=20');

    is($answer->{body}, '[' . join(',', map { qq({"id":$_,"title":"item $_"}) }
                                        4991 .. 5010) . "]\n",
       'a page of all shards is in order and no longer than asked for');
    is($answer->{headers}{'x-shard'}, '*', '... $scale_shard is "*"');

    $answer = request('GET', '/page?after=9990');
    is(scalar(() = $answer->{body} =~ /"id"/g), 10, 'the last page');

    $answer = request('GET', '/page?after=10000');
    is($answer->{body}, "[]\n", 'a page of no row');

    $answer = request('GET', '/page?limit=2', Accept => 'text/csv');
    is($answer->{body}, "id,title\r\n1,item 1\r\n2,item 2\r\n",
       'a page as CSV');

    my ($seen, $after, $pages) = (0, 0, 0);

    while (1) {
        my @ids = request('GET', "/page?limit=1000&after=$after")->{body}
                  =~ /"id":(\d+)/g;
        last if !@ids || $pages++ > 20;

        $seen += grep { $_ == ++$after } @ids;
    }

    is($seen, $rows, 'page by page, every row is seen once');

    $answer = request('GET', '/dearest');
    is(join(' ', $answer->{body} =~ /"id":(\d+)/g),
       join(' ', reverse 9981 .. 10000), 'a descending page, by two columns');

    $answer = request('GET', '/all');
    is(sum($answer->{body} =~ /"n":(\d+)/g), $rows,
       'without sort= the results follow one another');

    $answer = request('GET', '/refused');
    is($answer->{code}, 403, 'a refusal is a refusal, partial or not');

    $answer = request('GET', '/lacks');
    is($answer->{code}, 500, 'a column of sort= that is not there');
    like(Scale::Process::slurp($nginx->{error_log}),
         qr/route "lacks": the statement does not return a column of sort=/,
         '... is told to the log');
}


sub tokens
{
    my %seen;

    for my $id (1 .. 40) {
        my $answer = request('PUT', "/bounded/$id");
        my ($cookie) = $answer->{headers}{'set-cookie'} =~ /^([^=]+)=/;

        $seen{"$answer->{headers}{'x-shard'} $cookie"}++;
    }

    is_deeply([sort keys %seen],
              [map { "$_ Scale-Token-main-$_" } qw(1 2 4 third)],
              'each shard has its own token');
}


# 503 where the key says so, and nowhere else

sub one_is_down
{
    my $down = shard_of(1);
    my $name = $names[$down];
    my @here = grep { shard_of($_) == $down } 1 .. 60;
    my @there = grep { shard_of($_) != $down } 1 .. 60;

    request('GET', "/cached/$here[0]");
    Scale::stop_server($shards[$down]);

    my @waiting = map { Scale::begin('GET', "/items/$_") } @here;
    my ($slowest, %codes) = (0);

    for my $id (@there) {
        my $answer = request('GET', "/items/$id");

        $codes{ $answer->{code} }++;
        $slowest = $answer->{seconds} if $answer->{seconds} > $slowest;
    }

    is_deeply(\%codes, { 200 => scalar @there }, 'the keys of the others: 200');
    diag(sprintf 'the slowest of them took %.3f s', $slowest);
    cmp_ok($slowest, '<', 0.5, '... and wait for nobody');

    %codes = ();
    $codes{ Scale::receive($_)->{code} }++ for @waiting;
    is_deeply(\%codes, { 503 => scalar @here }, 'the keys of the one: 503');

    my $answer = request('PUT', "/items/$here[0]");
    is($answer->{code}, 503, 'a write there: 503');
    ok($answer->{headers}{'retry-after'}, '... and when to try again');

    $answer = request('GET', "/cached/$here[0]");
    is("$answer->{code} $answer->{headers}{'x-cache'}", '200 HIT',
       'what is cached is still read');

    $answer = request('GET', '/all');
    is($answer->{code}, 503, 'a read of all: 503');
    like($answer->{body}, qr/"shards":\["$name"\]/,
         '... which names the shard');

    partial($_, $name) for '/some', '/some-cached', '/some-cached';
    shared_partial($name);

    Scale::start_server($shards[$down]);

    ok(Scale::wait_for(sub { request('GET', "/items/$here[0]")->{code}
                             == 200 }, 10),
       'the shard is back');

    ok(Scale::wait_for(sub { $answer = request('GET', '/some-cached');
                             !defined $answer->{headers}{warning} }, 10),
       'all are there, nobody is warned');
    is(request('GET', '/some-cached')->{headers}{'x-cache'}, 'HIT',
       '... and it is cached');
}


sub partial
{
    my ($path, $name) = @_;

    my $answer = request('GET', $path);

    is($answer->{code}, 200, "$path, of the shards that are there: 200");
    is($answer->{headers}{warning}, qq(199 - "shard $name is unavailable"),
       '... with a warning');
    is($answer->{headers}{'cache-control'}, 'no-store',
       '... for nobody\'s cache');
    is($answer->{headers}{etag}, undef, '... and without a validator');
    is(scalar(() = $answer->{body} =~ /"n"/g), 3, '... of three shards');
    cmp_ok($answer->{seconds}, '<', 0.8, '... before the deadline');
    isnt($answer->{headers}{'x-cache'}, 'HIT', '... and not from the cache');
}


# one of them asks the shards for all

sub shared_partial
{
    my ($name) = @_;

    my @begun = map { Scale::begin('GET', '/some-cached') } 1 .. 10;
    my @answers = map { Scale::receive($_) } @begun;

    is(scalar(grep { $_->{code} == 200
                     && ($_->{headers}{warning} // '') =~ /shard $name / }
              @answers), 10,
       'those that share a partial answer are warned, too');
}


# the shards have nothing to do any more

sub nothing_is_left
{
    my $sleeping = "SELECT count(*) FROM pg_stat_activity"
                   . " WHERE state = 'active' AND query LIKE '%pg_sleep(%'"
                   . " AND application_name = 't'";
    my $asleep = sub {
        my ($count) = @_;

        return Scale::wait_for(sub { 4 == grep { $_ == $count }
                                              on_each($sleeping) }, 5);
    };

    my $answer = request('GET', "/slow-one?port=$ENV{TEST_NGINX_PG_PORT_S2}");
    is("$answer->{code} $answer->{headers}{warning}",
       '200 199 - "shard 2 is unavailable"',
       'at the deadline the rows of those that have answered are enough');
    is($answer->{body}, qq([{"n":1},{"n":1},{"n":1}]\n), '... all of them');
    ok($asleep->(0), '... and the other one is cancelled');

    my $begun = Scale::begin('GET', '/slow?s=20');
    ok($asleep->(1), 'a read runs on all shards');
    close $begun->{socket};
    ok($asleep->(0), 'its client goes: it is cancelled on all');

    $answer = request('GET', '/slow?s=20');
    is($answer->{code}, 504, 'its deadline comes: 504');
    like($answer->{body}, qr/"shards":\["1","2","third","4"\]/,
         '... and names the shards');
    ok($asleep->(0), '... and it is cancelled on all');
}
