# A hundred buckets move from one shard to another as the manual says, while
# clients read and count up their rows.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Hammer;
use Test::More;
use Time::HiRes qw(sleep time);

my $keys = 400;
my $moved = 'scale.bucket(id::text) BETWEEN 100 AND 199';
my $file = Scale::dir() . '/moved';

Scale::database('s2');

for my $shard (qw(primary s2)) {
    Scale::sql_on($shard, <<"END");
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, $keys) i
 WHERE (scale.bucket(i::text) < 512) = ('$shard' = 'primary');
END
}

my $nginx = Scale::nginx(conf('0-511', '512-1023'));

ok(Scale::wait_for(sub { 200 == Scale::get('/items/1')->{code} }, 10),
   'the shards are found');

my ($frozen) = split /\n/, Scale::sql("SELECT id FROM items WHERE $moved");
my ($n, %said);

my $sum = Scale::Hammer::run(
    port => $nginx->{port}, dir => Scale::dir(), clients => 4, keys => $keys,
    seconds => 8, depth => 1, again => 1, rate => 150,
    meanwhile => sub { sleep 1; move() });

diag(join ', ', map { "$_ $sum->{$_}" } grep { $_ ne 'first' } sort keys %$sum);
diag("first: $sum->{first}") if $sum->{first};

is($said{write}, '503 1', 'a write to a frozen bucket: 503, and Retry-After');
is($said{read}, 200, 'a read of it: 200');
is($said{shard}, '2', 'after the move it is on the other shard');
cmp_ok($said{seconds}, '<', 7, 'the move ended before the clients did');

cmp_ok($n, '>', 20, "$n rows moved");
cmp_ok($sum->{again}, '>', 0, 'writes were refused and sent again');
is($sum->{$_}, 0, "no request $_") for qw(failed unknown hung);
is($sum->{stale}, 0, 'nobody reads less than was acknowledged');

my @rows = map { split /\n/, Scale::sql_on($_, 'SELECT id, n FROM items') }
               qw(primary s2);
my (%n, $total);

for (@rows) {
    my ($id, $count) = split /\|/;

    $n{$id}++;
    $total += $count;
}

is(scalar(keys %n), $keys, 'every row is there');
is(scalar(@rows), $keys, '... once');
is($total, $sum->{writes}, 'no acknowledged write is lost, and none doubled');
is(Scale::sql_on('s2', "SELECT count(*) FROM items WHERE $moved"), $n,
   'the moved ones are on the other shard');

done_testing();


sub conf
{
    my ($first, $second, $frozen) = @_;

    my $line = $frozen ? "frozen buckets $frozen;" : '';

    return <<"END" . <<'END';
    scale_database main {
        conninfo "dbname=app user=api application_name=t";
        shard { server "unix:\$TEST_NGINX_PG_SOCKET";    buckets $first; }
        shard { server "unix:\$TEST_NGINX_PG_SOCKET_S2"; buckets $second; }
        $line
    }
END
    scale_cache hot { server 127.0.0.1:$TEST_NGINX_MC_PORT; }

    server {
        listen 127.0.0.1:$ServerPort;
        add_header X-Shard $scale_shard always;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route item;
            scale_shard_key :id;
            scale_param id $id int required;
            scale_query GET  row "SELECT id, n FROM items WHERE id = :id";
            scale_query POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid 1m;
        }
    }
END
}


sub code
{
    my ($method, $id) = @_;

    my $answer = Scale::request($method, "/items/$id");

    return join ' ', $answer->{code}, $answer->{headers}{'retry-after'} // ();
}


sub move
{
    my $start = time;

    # no new write, then none that has begun

    Scale::reload($nginx, conf('0-511', '512-1023', '100-199'));
    Scale::sql('BEGIN; LOCK TABLE items IN SHARE MODE; COMMIT');

    $said{write} = code('POST', $frozen);
    $said{read} = code('GET', $frozen);

    # copy

    Scale::sql("\\copy (SELECT * FROM items WHERE $moved) TO '$file'");
    Scale::sql_on('s2', "\\copy items FROM '$file'");
    $n = Scale::sql("SELECT count(*) FROM items WHERE $moved");

    # read there, then write there

    my @new = ('0-99 200-511', '100-199 512-1023');

    Scale::reload($nginx, conf(@new, '100-199'));
    Scale::reload($nginx, conf(@new));

    # drop

    Scale::sql("DELETE FROM items WHERE $moved");

    $said{shard} = Scale::get("/items/$frozen")->{headers}{'x-shard'};
    $said{seconds} = time - $start;
}
