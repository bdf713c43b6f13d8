# A memcached belongs to one nginx, as long as ring and epoch are its own.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Process qw(slurp);
use IO::Socket::INET;
use Test::More 'no_plan';

Scale::sql(<<'SQL');
CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL);
INSERT INTO items SELECT i, 0 FROM generate_series(1, 100) i;
SQL

my $http = Scale::http_config() . <<'END';
    add_header   X-Cache $scale_cache_status always;
    scale_param  id  $id  bigint required;

    server {
        listen 127.0.0.1:$ServerPort;
        location ~ ^/items/(?<id>\d+)$ {
            scale_route  item;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_query  PUT row "UPDATE items SET n = n + 1 WHERE id = :id
                                  RETURNING id, n";
            scale_cache_valid  10m;
        }
    }
END


sub memcached_says
{
    my ($command) = @_;

    my $socket = IO::Socket::INET->new("127.0.0.1:$ENV{TEST_NGINX_MC_PORT}");
    my $text = '';

    print $socket "$command\r\nmn\r\n";

    while (my $line = <$socket>) {
        last if $line =~ /^MN/;
        $text .= $line;
    }

    return $text;
}


sub seen
{
    my ($nginx, $method, $id) = @_;

    my $answer = Scale::request($method, "/items/$id", undef,
                                ':port' => $nginx->{port});
    my ($n) = $answer->{body} =~ /"n":(\d+)/;

    return join ' ', $answer->{code},
                     $answer->{headers}{'x-cache'} || '-', $n // '-';
}


sub found
{
    my ($nginx, $id) = @_;

    return Scale::wait_for(sub { seen($nginx, 'GET', $id) =~ /HIT/ }, 8);
}


my $one = Scale::nginx($http, workers => 2);

ok(Scale::wait_for(sub { memcached_says('mg scale:owner v') =~ /nginx0/ }, 5),
   'a memcached tells whose it is, before anybody asks for a key');
ok(found($one, 1), 'its owner uses it');

my $two = Scale::nginx($http, workers => 2);

ok(Scale::wait_for(sub { slurp($two->{error_log}) =~ /is another nginx's/ },
                   5),
   'a second nginx finds out');
like(seen($two, 'GET', 1), qr/^200 BYPASS 0/, 'and reads from the database');
is(seen($two, 'PUT', 2), '200 - 1', 'where it writes, too');
is(seen($one, 'GET', 1), '200 HIT 0', 'the first one goes on');

my @said = grep { /another nginx's/ } split /\n/, slurp($two->{error_log});

is(scalar @said, 1, 'it is said once');
like($said[0], qr{nginx0/nginx\.conf.*"ring database=".*memcached of its own},
     'by name, and what to do');
unlike(slurp($one->{error_log}), qr/another nginx/, 'and by the second only');


# the same nginx, started again, is no other

kill QUIT => $one->{pid};
Scale::wait_for(sub { !Scale::Process::alive($one->{pid}) }, 10);

$one = Scale::Nginx::again($one);

ok(found($one, 1), 'an nginx that was restarted owns what it owned');
unlike(slurp($one->{error_log}), qr/another nginx/, 'and is not taken for another');


# the first has gone for good: as if 30 s had passed

kill QUIT => $one->{pid};
Scale::wait_for(sub { !Scale::Process::alive($one->{pid}) }, 10);
memcached_says('md scale:owner');

ok(found($two, 1), 'when the record is gone the second one takes over');
like(memcached_says('mg scale:owner v t'), qr/ t(?:2\d|30)\r.*nginx1/s,
     'with a record of its own, for half a minute');


# which is renewed: a record that nobody renews would have expired

memcached_says("mg scale:owner T15");
ok(Scale::wait_for(sub { memcached_says('mg scale:owner t') =~ / t(?:2\d|30)/ },
                   12),
   'and renews it');
