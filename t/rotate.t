# A secret is replaced by writing its file: no reload, nobody is refused
# meanwhile, and what is wrong with the new one leaves the old one in use.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Items;
use Scale::Process qw(slurp wait_for);
use Test::More;

my $dir = Scale::dir();
my ($first, $second, $third) = map { "$_ secret of the tests" }
                                   qw(first second third);

create_items(100);

# memcacheds that want a password, and a certificate

my $ca = Scale::authority('ca');
my $other = Scale::authority('other');
my $server = Scale::certificate($ca, 'server', 'localhost');
my %client = (good => Scale::certificate($ca, 'good', 'client.test'),
              bad => Scale::certificate($other, 'bad', 'client.test'));

chmod 0644, $server->{key};
put('password', "app:old-horse\n");
put('users', "app:old-horse\n");
show('bad');

Scale::memcached_as(1, options => ['-Y', "$dir/users"]);
Scale::memcached_as(2, options => ['-Z', '-o', "ssl_chain_cert=$server->{crt},"
    . "ssl_key=$server->{key},ssl_verify_mode=2,ssl_ca_cert=$ca->{crt}"]);

put('secret', "$first\n");

my $nginx = Scale::nginx(<<"END", workers => 2);
    scale_secret_file  $dir/secret;
    add_header  X-Cache \$scale_cache_status always;

    scale_database main {
        server    "unix:\$TEST_NGINX_PG_SOCKET";
        conninfo  "dbname=app user=api";
    }

    scale_cache plain   { server 127.0.0.1:\$TEST_NGINX_MC_PORT; }
    scale_cache asking  { server 127.0.0.1:${\ port(1)};
                          auth_file $dir/password; }
    scale_cache mutual  { server localhost:${\ port(2)};
                          tls on ca=$ca->{crt} cert=$dir/crt key=$dir/key; }

    server {
        listen 127.0.0.1:\$ServerPort;

        location = /items {
            scale_route  items;
            scale_use    cache=plain;
            scale_query  GET rows "SELECT id, n FROM items";
            scale_page   keyset id max=10;
        }

        location ~ ^/(asking)/(\\d+)\$ { ${\ item('asking') } }
        location ~ ^/(mutual)/(\\d+)\$ { ${\ item('mutual') } }
    }
END

ok(wait_for(sub { page('/items') }, 20), 'it answers');


# cursors are signed: two generations

my $old = page('/items');

put('secret', "$second\n$first\n");
changed(1, 'secret');

my $new;

ok(wait_for(sub { ($new = page('/items')) ne $old }, 20),
   'new cursors are signed by the first line');
ok(wait_for(sub { good($new) }, 20), 'and good, by all workers');
ok(good($old), 'as those of before are');

put('secret', "$second\n");
changed(2, 'secret');

ok(wait_for(sub { bad($old) }, 20),
   'what the line that is gone has signed is not');
ok(good($new), 'but what the other has');


# a file that is none

for my $wrong (['short', "short\n", qr/has a line of less than 16 characters/],
               ['empty', '', qr/is empty; make one by/],
               ['long', "$first\n$second\n$third\n", qr/has more than two lines/])
{
    my ($what, $content, $reason) = @$wrong;

    put('secret', $content);
    ok(wait_for(sub { logged(qr/secret" has changed, but $reason/) }, 20),
       "a file that is $what: the reason is in the log");
    put('secret', "$second\n");
    ok(wait_for(sub { !complaining() }, 20), 'until it is right again');
}

unlink "$dir/secret";
ok(wait_for(sub { logged(qr/secret" cannot be read/) }, 20), 'or gone');
tick() for 1 .. 3;
is(logged(qr/\[error\].*secret" cannot be read/), 1, 'which is said once');
ok(good($new), 'and what it held before is used');

put('secret', "$third\n$second\n");
ok(wait_for(sub { page('/items') ne $new }, 20), 'it is back');
ok(good($new), 'with both');

Scale::reload($nginx);
ok(good($new), 'so it is after a reload');
unlike(slurp($nginx->{error_log}), qr/of the tests|horse/,
       'the log has none of them');


# the password of a memcached

ok(wait_for(sub { hits('asking') }, 20), 'a memcached with a password');

my $said = logged(qr/password" has changed/);

put('users', "app:new-horse\n");
put('password', "app:new-horse\n");
changed($said + 1, 'password');
Scale::restart_memcached(1);

ok(wait_for(sub { hits('asking') }, 40), 'takes the new one');


# and a certificate

ok(!hits('mutual'), 'a certificate that is not trusted');

show('good');
changed(1, 'crt');
ok(wait_for(sub { hits('mutual') }, 40), 'is replaced by one that is');

put('key', slurp($client{bad}{key}));
ok(wait_for(sub { logged(qr/tls ".*crt" has changed, but ".*key" holds no /) },
            20), 'a key that fits no certificate is not used');

is(scalar(Scale::workers($nginx)), 2, 'no worker has died');

done_testing();


sub port { return Scale::memcached($_[0])->{port} }


sub item
{
    my ($name) = @_;

    return <<"END";
            scale_route  $name;
            scale_use    cache=$name;
            scale_param  id \$2 bigint required;
            scale_query  GET row "SELECT id, n FROM items WHERE id = :id";
            scale_cache_valid  10m;
END
}


# by rename, so that nobody reads half of it

sub put
{
    my ($name, $content) = @_;

    open my $out, '>', "$dir/$name.new" or die "$dir/$name: $!\n";
    print $out $content;
    close $out;
    chmod 0644, "$dir/$name.new";
    rename "$dir/$name.new", "$dir/$name" or die "$dir/$name: $!\n";
}


sub show
{
    my ($which) = @_;

    put('key', slurp($client{$which}{key}));
    put('crt', slurp($client{$which}{crt}));
}


sub logged { return scalar Scale::log_lines($nginx, @_) }


# said by one worker, the first

sub changed
{
    my ($times, $name) = @_;

    ok(wait_for(sub { logged(qr/$name" has changed and is used/) >= $times },
                20), "the new $name is noticed");
}


# all files have been looked at once more

sub tick
{
    my $said = logged(qr/password" has changed/);

    put('password', slurp("$dir/password"));
    wait_for(sub { logged(qr/password" has changed/) > $said }, 20);
}


sub complaining
{
    my ($last) = reverse Scale::log_lines($nginx, qr/secret" (?:has|cannot)/);

    return $last =~ /\[error\]/;
}


# the cursor of the next page

sub page
{
    my $link = Scale::get($_[0])->{headers}{link} // '';

    return $link =~ /[?&]after=([^&>]+)/ ? $1 : '';
}


# for whichever worker it is

sub codes
{
    my ($cursor) = @_;

    my %codes = map { Scale::get("/items?after=$cursor")->{code} => 1 }
                    1 .. 20;

    return join ' ', sort keys %codes;
}


sub good { return codes($_[0]) eq '200' }
sub bad { return codes($_[0]) eq '400' }


sub hits
{
    my ($name) = @_;

    my $id = 1 + int rand 100;

    Scale::get("/$name/$id");

    return (Scale::get("/$name/$id")->{headers}{'x-cache'} // '') eq 'HIT';
}
