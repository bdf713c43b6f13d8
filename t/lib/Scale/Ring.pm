package Scale::Ring;

# Web nodes that share a ring, for t/ring*.t and t/nodes*.t.

use strict;
use warnings;
use Exporter qw(import);
use Scale::Client;
use Scale::Items;
use Scale::Process qw(slurp);

our @EXPORT = qw(addresses add_to_ring back_ends config two_nodes on seen
                 warm by_status keys_of log_of);

# of the memcacheds 1 to $n

sub addresses
{
    my ($n) = @_;

    return map { '127.0.0.1:' . Scale::memcached($_)->{port} } 1 .. $n;
}


sub add_to_ring
{
    my (@servers) = @_;

    Scale::sql('SELECT ' . join ', ', map { "scale.ring_add('hot', '$_')" }
                                          @servers);
}


# nginx.conf with these servers of the cache

sub config { return back_ends(@_) . items_server() }


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

    create_items(300);
    add_to_ring(@servers);

    return map { Scale::nginx(config(@servers)) } 1, 2;
}


sub on
{
    my ($node, $method, $id, %headers) = @_;

    return Scale::request($method, "/items/$id", undef,
                          ':port' => $node->{port}, %headers);
}


# "code status n"; what the node's own tier has is a hit, too

sub seen { return Scale::seen(on(@_)) =~ s/ LOCAL / HIT /r }


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

    my %id = map { /^key=\S*?(\d+) / ? ($1 => 1) : () }
                 Scale::memcached_says($number, 'lru_crawler metadump all');

    return sort { $a <=> $b } keys %id;
}


sub log_of { return slurp($_[0]{error_log}) }


1;
