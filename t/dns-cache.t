# The name of a memcached comes to stand for another one, which may hold
# values of long ago.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached dns);
use Scale::Hammer;
use IO::Socket::INET;
use Scale::Items;
use Test::More;
use Time::HiRes qw(sleep);

my $port = $ENV{TEST_NGINX_MC_PORT};
my $seconds = $ENV{SCALE_SOAK} ? 60 : 6;

Scale::memcached_at(1, '127.0.0.2', $port);
Scale::dns('mc.test', 1, '127.0.0.1');
Scale::dns('long.test', 3600, '127.0.0.1');

create_items(300);

my $nginx = nginx_with('mc.test');

ok(Scale::wait_for(sub { item('GET', 7)->{cache} eq 'HIT' }, 5),
   'a name is resolved, and used');

# what the second one holds is what the first held, marks and stamps included

item('POST', 7);
cmp_ok(item('GET', 7)->{n}, '==', 1, 'a row is cached') for 1 .. 2;
cmp_ok(copy_items('127.0.0.1', '127.0.0.2'), '>=', 1,
       'its entry is planted in the other memcached');
item('POST', 7);
Scale::dns('mc.test', 1, '127.0.0.2');

my ($stale, $hits) = (0, 0);

ok(Scale::wait_for(sub {
       my $item = item('GET', 7);

       $stale++ if $item->{n} != 2;
       $hits++ if $item->{cache} eq 'HIT';
       return asked('127.0.0.2') && $hits > 100;
   }, 10), 'the other one is used');
is($stale, 0, 'the old value is never served');
is(logged($nginx, qr/\[notice\].*"mc\.test:$port" is at 127\.0\.0\.2:$port now/),
   2, 'each worker says so');

# back and forth, under load

my $sum = Scale::Hammer::run(
    port => $nginx->{port}, dir => Scale::dir(), clients => 4, keys => 100,
    first => 100, seconds => $seconds, depth => 4, rate => 200,
    meanwhile => sub {
        for (1 .. $seconds / 1.5) {
            sleep 1.5;
            Scale::dns('mc.test', 1, '127.0.0.' . (1 + $_ % 2));
        }
    });

diag(join ', ', map { "$_ $sum->{$_}" } sort keys %$sum);
is($sum->{stale}, 0, 'back and forth under load: nobody reads an old value');
is($sum->{$_}, 0, "back and forth: $_ none") for qw(failed unknown hung);

# one worker knows better than the other for an hour

$nginx = nginx_with('long.test');

my @before = Scale::workers($nginx);

ok(Scale::wait_for(sub { item('GET', 200)->{cache} eq 'HIT' }, 5),
   'another nginx uses the first one');
Scale::dns('long.test', 3600, '127.0.0.2');
kill KILL => $before[0];
Scale::expect_in_log(qr/worker process $before[0] exited on signal 9/);
ok(Scale::wait_for(sub { my @now = Scale::workers($nginx);
                         @now == 2 && !grep { $_ == $before[0] } @now }, 10),
   'one of its workers is replaced');
ok(Scale::wait_for(sub { logged($nginx, qr/is in use, empty/) }, 10),
   'and takes the cache to the second');

my %served;

$stale = 0;

for my $i (1 .. 400) {
    my $id = 201 + $i % 20;
    my $written = item('POST', $id);
    my $one = item('GET', $id);
    my $two = item('GET', $id);

    $stale++ if $one->{n} != $written->{n} || $two->{n} != $written->{n};
    $served{ $_->{pid} }{ $_->{cache} }++ for $one, $two;
}

is(scalar keys %served, 2, 'both workers serve');
is($stale, 0, 'nobody reads an old value');
is($served{ $before[1] }{HIT} // 0, 0, 'who is elsewhere serves no cached one');

# a reload tells her

kill HUP => $nginx->{pid};
ok(Scale::wait_for(sub { !grep { $_ == $before[1] } Scale::workers($nginx) },
                   10),
   'a reload');

%served = ();

ok(Scale::wait_for(sub {
       my $item = item('GET', 250);

       $served{ $item->{pid} } = 1 if $item->{cache} eq 'HIT';
       return keys %served == 2;
   }, 5), 'and both workers have the cache');

done_testing();


sub nginx_with
{
    my ($name) = @_;

    return Scale::nginx((<<'END' =~ s/NAME/$name/r) . items_location() . '}');
    resolver 127.0.0.1:$TEST_NGINX_DNS_PORT;

    scale_database main {
        server       "unix:$TEST_NGINX_PG_SOCKET";
        conninfo     "dbname=app user=api";
        connections  16;
    }

    scale_cache hot { server NAME:$TEST_NGINX_MC_PORT; }

    server {
        listen 127.0.0.1:$ServerPort;
        keepalive_requests 1000000;
        add_header X-Cache $scale_cache_status;
        add_header X-Pid $pid;

END
}


sub item
{
    my ($method, $id) = @_;

    my $answer = Scale::request($method, "/items/$id");
    my ($n) = $answer->{body} =~ /"n":(\d+)/;

    return { n => $n // -1, cache => $answer->{headers}{'x-cache'} // '',
             pid => $answer->{headers}{'x-pid'} // '' };
}


# one command, and what it answers until a line that ends it

sub talk
{
    my ($socket, $command, $end) = @_;

    my @lines;

    print $socket "$command\r\n";

    while (defined(my $line = <$socket>)) {
        return @lines if $line =~ $end;
        push @lines, $line;
    }

    die "memcached closed the connection\n";
}


sub connect_to
{
    my ($address) = @_;

    return IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port)
           // die "memcached: $!\n";
}


# all items, with their flags

sub copy_items
{
    my ($source, $target) = map { connect_to($_) } @_;

    my @keys = map { /^key=(\S+)/ ? $1 =~ s/%(..)/chr hex $1/ger : () }
                   talk($source, 'lru_crawler metadump all', qr/^END/);

    for my $key (@keys) {
        my ($head, @body) = talk($source, "get $key", qr/^END/);
        my ($flags, $length) = $head =~ /^VALUE \S+ (\d+) (\d+)/ or next;
        my $value = substr join('', @body), 0, $length;

        talk($target, "set $key $flags 600 $length\r\n$value", qr/^STORED/);
    }

    return scalar @keys;
}


# has this one been asked for a value at all

sub asked
{
    my ($stat) = grep { /^STAT get_hits [1-9]/ }
                 talk(connect_to($_[0]), 'stats', qr/^END/);

    return $stat;
}


sub logged { return scalar(() = Scale::log_lines(@_)) }
