# A memcached belongs to one nginx, as long as ring and epoch are its own.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Items;
use Scale::Process qw(slurp);
use Test::More 'no_plan';

create_items(100);

my $http = Scale::http_config() . items_server();


sub memcached_says
{
    return join '', map { "$_\n" } Scale::memcached_says(undef, @_);
}


sub seen
{
    my ($nginx, $method, $id) = @_;

    return Scale::seen(Scale::request($method, "/items/$id", undef,
                                      ':port' => $nginx->{port}));
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
is(seen($two, 'POST', 2), '200 - 1', 'where it writes, too');
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
like(memcached_says('mg scale:owner v t'), qr/ t(?:2\d|30)\n.*nginx1/s,
     'with a record of its own, for half a minute');


# which is renewed: a record that nobody renews would have expired

memcached_says("mg scale:owner T15");
ok(Scale::wait_for(sub { memcached_says('mg scale:owner t') =~ / t(?:2\d|30)/ },
                   12),
   'and renews it');
