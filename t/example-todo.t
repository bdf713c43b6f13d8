# conf/examples/todo: the cases of Todo-Backend's specification, and what its
# browser client needs.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Example;
use JSON::PP;
use Test::More;

Scale::sql(Scale::Example::text('todo/schema.sql'));

my $nginx = Scale::nginx(Scale::Example::http('todo'), workers => 2);
my $host = "localhost:$nginx->{port}";


# a URL or a path; the body is a structure

sub ask
{
    my ($method, $url, $body, %headers) = @_;

    my $path = $url =~ s{^http://\Q$host\E}{}r;

    $headers{Host} //= $host;
    $headers{'Content-Type'} //= 'application/json' if defined $body;

    my $answer = Scale::request($method, $path,
                                defined $body ? encode_json($body) : undef,
                                %headers);

    $answer->{json} = eval { JSON::PP->new->decode($answer->{body}) };

    return $answer;
}

sub root   { return ask('GET', '/todos')->{json} }
sub post   { return ask('POST', '/todos', { title => 'blah', @_ })->{json} }
sub patch  { return ask('PATCH', $_[0], $_[1])->{json} }
sub fetch  { return ask('GET', $_[0])->{json} }
sub remove { return ask('DELETE', $_[0] // '/todos') }


subtest 'the pre-requisites' => sub {
    my $got = ask('GET', '/todos', undef, Origin => 'http://example.org');

    is($got->{code}, 200, 'the root answers a GET');
    is($got->{headers}{'access-control-allow-origin'}, '*',
       'to pages of other origins');
    is(post(title => 'a todo')->{title}, 'a todo',
       'a POST is answered with what was posted');
    is(remove()->{code}, 204, 'a DELETE of all succeeds');
    is_deeply(root(), [], 'after it there are none');
};

subtest 'new todos' => sub {
    remove();

    my $new = post(title => 'walk the dog');

    is_deeply(root(), [$new], 'a new todo is in the list');
    is($new->{title}, 'walk the dog', 'with its title');
    ok(defined $new->{completed} && !$new->{completed},
       'it is not completed');
    like($new->{url}, qr{^http://\Q$host\E/todos/\d+$},
         'it has an absolute URL');
    is_deeply(fetch($new->{url}), $new, 'which returns it');
};

subtest 'an existing todo' => sub {
    remove();
    post(title => 'the first');
    post(title => 'the second');

    my $list = root();

    is(@$list, 2, 'two are listed');
    is(fetch($_->{url})->{title}, $_->{title}, "$_->{title} is found by URL")
        for @$list;

    my $url = $list->[0]{url};

    is(patch($url, { title => 'bathe the cat' })->{title}, 'bathe the cat',
       'its title is changed by PATCH');

    my $done = patch($url, { completed => JSON::PP::true });

    ok($done->{completed}, 'so is whether it is completed');
    is($done->{title}, 'bathe the cat', 'what is not sent stays');
    is_deeply(fetch($url), $done, 'the change shows in the todo');
    is_deeply([grep { $_->{url} eq $url } @{ root() }], [$done],
              'and in the list');

    is(remove($url)->{code}, 204, 'it is deleted');
    is(@{ root() }, 1, 'the list knows');
    is(ask('GET', $url)->{code}, 404, 'its URL knows');
    is(remove($url)->{code}, 404, 'it cannot be deleted twice');
    is(ask('PATCH', $url, { title => 'x' })->{code}, 404, 'nor changed');
};

subtest 'order' => sub {
    remove();

    my $url = post(order => 523)->{url};

    is(fetch($url)->{order}, 523, 'a todo is made with an order');
    is(patch($url, { order => 95 })->{order}, 95, 'a PATCH changes it');
    is(fetch($url)->{order}, 95, 'and it is remembered');

    post(title => 'sooner', order => 1);
    is(root()->[0]{title}, 'sooner', 'the list is in that order');
};

subtest 'preflight and refusals are for pages of other origins, too' => sub {
    my %methods = ('/todos' => 'GET, POST, DELETE',
                   '/todos/1' => 'GET, DELETE, PATCH');

    for my $path (sort keys %methods) {
        my $got = ask('OPTIONS', $path, undef, Origin => 'http://example.org',
                      'Access-Control-Request-Method' => 'POST',
                      'Access-Control-Request-Headers' => 'content-type');

        is($got->{code}, 204, "OPTIONS of $path is answered");
        is($got->{headers}{'access-control-allow-methods'}, $methods{$path},
           'with the methods');
        like($got->{headers}{'access-control-allow-headers'},
             qr/\bContent-Type\b/, 'and the header fields');
    }

    my $got = ask('POST', '/todos', { order => 1 });

    is($got->{code}, 400, 'a todo without title is refused');
    like($got->{body}, qr/"name":"title"/, 'which the answer says');
    is($got->{headers}{'access-control-allow-origin'}, '*',
       'and the page can read it');
};

subtest 'a write is seen under each name of the host' => sub {
    remove();

    my $url = post(title => 'old')->{url};
    my @names = map { { Host => $_ } } 'a.test', 'b.test';
    my ($path) = $url =~ m{(/todos/\d+)$};

    for my $name (@names) {
        ask('GET', $path, undef, %$name) for 1 .. 2;
        is(ask('GET', $path, undef, %$name)->{json}{url},
           "http://$name->{Host}$path", "$name->{Host} has its own URLs");
    }

    patch($url, { title => 'new' });

    is(ask('GET', $path, undef, %$_)->{json}{title}, 'new',
       "$_->{Host} shows it") for @names;
};

done_testing();
