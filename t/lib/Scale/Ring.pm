package Scale::Ring;

# Web nodes that share a ring, for t/ring*.t and t/nodes*.t.

use strict;
use warnings;
use Exporter qw(import);
use IO::Socket::INET;
use Scale::Client;
use Scale::Process qw(slurp);

our @EXPORT = qw(addresses back_ends config two_nodes on seen warm by_status keys_of
                 log_of);

my $items = <<'END';
    scale_param  id  $id  bigint required;
    add_header   X-Cache $scale_cache_status always;

    server {
        listen 127.0.0.1:$ServerPort;
        keepalive_requests 1000000;

        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  POST row "UPDATE items SET n = n + 1 WHERE id = :id
                                   RETURNING id, n";
            scale_cache_valid  10m;
        }
    }
END


# of the memcacheds 1 to $n

sub addresses
{
    my ($n) = @_;

    return map { '127.0.0.1:' . Scale::memcached($_)->{port} } 1 .. $n;
}


# nginx.conf with these servers of the cache

sub config { return back_ends(@_) . $items }


sub back_ends
{
    my (@servers) = @_;

    my $lines = join "\n", map { "        server $_;" } @servers;

    return Scale::http_config()
        =~ s/^ +server +127.*?;$/$lines\n        ring database=main;\n        local 1m;/mr
        =~ s/timeout +50ms/timeout 100ms/r;
}


# two web nodes of a ring that has these servers, and 300 items

sub two_nodes
{
    my (@servers) = @_;

    Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 300) i;
SQL
    Scale::sql('SELECT ' . join ', ', map { "scale.ring_add('hot', '$_')" }
                                          @servers);

    return map { Scale::nginx(config(@servers)) } 1, 2;
}


sub on
{
    my ($node, $method, $id, %headers) = @_;

    return Scale::request($method, "/items/$id", undef,
                          ':port' => $node->{port}, %headers);
}


# "code status n"; what the node's own tier has is a hit, too

sub seen
{
    my $answer = on(@_);
    my ($n) = $answer->{body} =~ /"n":(\d+)/;

    return join ' ', $answer->{code}, status($answer) || '-', $n // '-';
}


sub status
{
    my $status = $_[0]{headers}{'x-cache'} // return;

    return $status eq 'LOCAL' ? 'HIT' : $status;
}


# fills, on any node, and returns when the other one finds it all

sub warm
{
    my ($nodes, @ids) = @_;

    return Scale::wait_for(sub {
        my %count = by_status($nodes->[0], @ids);
        return 0 if ($count{HIT} // 0) != @ids;

        %count = by_status($nodes->[1], @ids);
        return ($count{HIT} // 0) == @ids;
    }, 12);
}


sub by_status
{
    my ($node, @ids) = @_;

    my $client = Scale::Client->new($node->{port});
    my %count;

    while (my @some = splice @ids, 0, 100) {
        $count{status($_) // $_->{code}}++
            for $client->pipeline(map { "GET /items/$_" } @some);
    }

    return %count;
}


# those of the ids whose key a memcached holds in whatever ring

sub keys_of
{
    my ($number) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => Scale::memcached($number)->{port}) or return;
    my %id;

    print $socket "lru_crawler metadump all\r\n";

    while (my $line = <$socket>) {
        last if $line =~ /^END/;
        $id{$1} = 1 if $line =~ /^key=\S*?(\d+) /;
    }

    return sort { $a <=> $b } keys %id;
}


sub log_of
{
    my ($node) = @_;

    return slurp($node->{error_log});
}


1;
