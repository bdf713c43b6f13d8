# A directory of nginx's own as an object store: what is signed for it is
# taken, as it is signed, and nothing else.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Aws;
use Scale::Process qw(slurp);
use JSON::PP;
use Test::More;

my $root = Scale::dir() . '/objects';
mkdir $root;
chmod 0777, $root;

my $keys = Scale::Aws::credentials(Scale::dir() . '/keys');

Scale::sql(<<'SQL');
CREATE TABLE photos (id uuid PRIMARY KEY, key text NOT NULL UNIQUE);
SQL

my $nginx = Scale::nginx(Scale::http_config() =~ s/scale_cache.*//sr
                         . <<"END", workers => 2);
    scale_object_store own {
        endpoint     http://127.0.0.1:\$ServerPort;
        region       eu-west-1;
        bucket       photos;
        credentials  file=$keys;
        path_style   on;
    }
    scale_object_store other {
        endpoint     http://127.0.0.1:\$ServerPort;
        region       eu-west-1;
        bucket       others;
        credentials  file=$keys;
        path_style   on;
    }

    server {
        listen 127.0.0.1:\$ServerPort;

        location /photos/ {
            scale_aws_verify       own;
            root                   $root;
            dav_methods            PUT;
            create_full_put_path   on;
            client_max_body_size   1m;
            client_body_temp_path  $root/temp;
        }
        location / { root $root; }

        location /worker/ {
            proxy_pass  http://127.0.0.1:\$ServerPort/photos/;
            scale_aws_sign  s3 eu-west-1 credentials=$keys payload=unsigned;
        }
        location /hash/ {
            proxy_pass  http://127.0.0.1:\$ServerPort/photos/;
            scale_aws_sign  s3 eu-west-1 credentials=$keys;
        }

        scale_param  id     \$scale_uuid uuid;
        scale_param  bytes  json.bytes  bigint required;
        scale_param  type   json.type   text;
        scale_param  name   arg.name    text;
        scale_param  url    presign.photo      text;
        scale_param  key    presign.photo.key  text;

        location = /put {
            scale_route    put;
            scale_presign  photo own PUT key=p/:id.jpg expires=60s max=500k
                           types=image/jpeg,image/png type=:type
                           length=:bytes;
            scale_query  POST row "INSERT INTO photos VALUES (:id, :key)
                                RETURNING id, key, :url AS url" status=201;
        }
        location = /once {
            scale_route    once;
            scale_presign  photo own PUT key=p/:id.jpg expires=60s
                           length=:bytes types=image/jpeg once;
            scale_query  POST row "INSERT INTO photos VALUES (:id, :key)
                                RETURNING id, key, :url AS url" status=201;
        }
        location = /second {
            scale_route    second;
            scale_presign  photo own GET key=p/:name.jpg expires=1s;
            scale_query  GET row "SELECT :url AS url";
        }
        location = /get {
            scale_route    get;
            scale_presign  photo own GET key=:name expires=60s;
            scale_query  GET row "SELECT :url AS url";
        }
        location = /other {
            scale_route    other;
            scale_presign  photo other PUT key=p/:id.jpg expires=60s;
            scale_query  POST row "SELECT :url AS url" read;
        }
    }
END

my $port = $nginx->{port};
my %host = (Host => "127.0.0.1:$port");
my $photo = 'P' x 4000;


sub url
{
    my ($path, $json) = @_;

    my $answer = Scale::request($json ? 'POST' : 'GET', $path,
                                $json ? encode_json($json) : undef,
                                'Content-Type' => 'application/json');
    my $url = decode_json($answer->{body})->{url};

    return ($url // '') =~ m{^http://127\.0\.0\.1:$port(/.*)} ? $1 : undef;
}


sub straight
{
    my ($title, $method, $path, $body, %headers) = @_;

    return Scale::request($method, $path, $body, %headers);
}


sub objects { return sort glob "$root/photos/*/*" }

sub png { return url('/put', { type => 'image/png', bytes => length $photo }) }


my $path = png();
my @put = ('PUT', $path, $photo, %host, 'Content-Type' => 'image/png');

subtest 'what is signed is taken' => sub {
    is(straight('', @put)->{code}, 201, 'an object is sent');
    my ($file) = $path =~ m{^([^?]+)};
    ok(slurp("$root$file") eq $photo, 'and there');

    my ($name) = $file =~ m{^/photos/(.*)};
    my $answer = straight('', 'GET', url("/get?name=" . ($name =~ s{/.*}{}r)
                                         . '%2fx'), undef, %host);
    is($answer->{code}, 404, 'a name is one segment');

    $answer = straight('', 'GET', url('/second?name='
                                      . ($name =~ m{/(.*)\.jpg$})[0]),
                       undef, %host);
    is("$answer->{code} " . length $answer->{body}, '200 4000',
       'it is fetched');
    is(system("curl -sf -o /dev/null -T $root$file -H 'Content-Type: image/png'"
              . " 'http://127.0.0.1:$port" . png() . q{'}), 0, 'by curl, too');

    local $ENV{AWS_ACCESS_KEY_ID} = $Scale::Aws::ID;
    local $ENV{AWS_SECRET_ACCESS_KEY} = $Scale::Aws::SECRET;
    local $ENV{AWS_DEFAULT_REGION} = 'eu-west-1';

    my $copy = Scale::dir() . '/copy';
    my $aws = "/usr/bin/aws --endpoint-url http://127.0.0.1:$port";

    is(system("$aws s3 cp s3:/$file $copy >/dev/null"), 0,
       "Amazon's own client fetches it");
    is(length slurp($copy), 4000, 'as it is');

    chomp(my $url = qx($aws s3 presign s3:/$file));
    is(system("curl -sf -o $copy '$url'"), 0, 'and presigns it');
};

subtest 'nothing of it can be altered' => sub {
    my $before = join ' ', objects();
    my $new = png();
    my @new = ('PUT', $new, $photo, %host, 'Content-Type' => 'image/png');
    my @altered = Scale::Aws::alterations(@new);

    cmp_ok(scalar @altered, '>=', 20, '20 alterations, or more');
    is(straight(@$_)->{code}, 403, "PUT: $_->[0]") for @altered;
    is(join(' ', objects()), $before, 'nothing was written');
    is(straight('', @new)->{code}, 201, 'as it is it is good');

    my $get = url('/get?name=a.jpg');
    is(straight('', 'GET', $get, undef, %host)->{code}, 404, 'of a GET');
    @altered = Scale::Aws::alterations('GET', $get, undef, %host);
    is(straight(@$_)->{code}, 403, "GET: $_->[0]") for @altered;
};

subtest 'a path is what is signed, byte for byte' => sub {
    my $new = png();

    for my $change ([qr{/p/}, '/p%2F'], [qr{/p/}, '/p%2f'],
                    [qr{/p/}, '/%70/'], [qr{/p/}, '/x/../p/'],
                    [qr{/p/}, '/x/%2e%2e/p/'], [qr{/p/}, '/./p/'],
                    [qr{/p/}, '/p//'], [qr{^/photos}, '//photos'],
                    [qr{/p/}, '/p%5C'], [qr{\.jpg}, '.jpg%00'],
                    [qr{\.jpg}, '.jpg/'], [qr{\.jpg}, '%2Ejpg'],
                    [qr{/p/}, '/../photos/p/'], [qr{/p/}, '/..%2Fphotos/p/'])
    {
        my ($from, $to) = @$change;
        my $other = $new =~ s/$from/$to/r;
        my $code = straight('', 'PUT', $other, $photo, %host,
                            'Content-Type' => 'image/png')->{code};

        ok($code == 403 || $code == 400, ($other =~ s/\?.*//r) . ": $code");
    }

    is(straight('', 'PUT', $new, $photo, %host,
                'Content-Type' => 'image/png')->{code}, 201,
       'as it is it is good');
    is(url("/get?name=$_"), undef, "\"$_\" is no name")
        for '.', '..', '';
    like(url('/get?name=..%2f..%2fsecret'), qr{^/photos/\.\.%252F\.\.%252F},
         'a slash in a value is none of a path');

    my $other = url('/other', { bytes => 1 });
    is(straight('', 'PUT', $other =~ s/others/photos/r, 'x', %host)->{code},
       403, "another bucket's URL is not this one's");
};

subtest 'length and type are what is signed' => sub {
    my $new = png();
    my %type = ('Content-Type' => 'image/png');

    is(straight('', 'PUT', $new, undef, %host, %type, 'Transfer-Encoding' =>
                "chunked\r\n\r\n4\r\nabcd\r\n0\r\n")->{code}, 403,
       'no length is not');
    is(straight('', 'PUT', $new, $photo, %host, %type, 'Content-Length' => $_)
           ->{code}, 403, "a length of $_ is not")
        for 3999, 4001, 0, '04000';
    is(straight('', 'PUT', $new, $photo, %host, 'Content-Type' => $_)->{code},
       403, "a type of $_ is not")
        for 'image/jpeg', 'image/png; x', 'IMAGE/PNG', '';
};

subtest 'time' => sub {
    my $get = url('/second?name=none');

    is(straight('', 'GET', $get, undef, %host)->{code}, 404,
       'a URL is good for a second');
    ok(Scale::wait_for(sub {
           straight('', 'GET', $get, undef, %host)->{code} == 403
       }, 10), 'and not for longer');

    for my $ahead (400, -100) {
        my $signed = presign('GET', "/photos/none", $ahead, 60);
        is(straight('', 'GET', $signed, undef, %host)->{code}, 403,
           $ahead > 0 ? 'what is signed in the future is not good'
                      : 'what has expired is not');
    }

    is(straight('', 'GET', presign('GET', '/photos/none', 200, 60), undef,
                %host)->{code}, 404, 'clocks may differ by some minutes');
};

subtest 'a URL that is good once' => sub {
    my $once = url('/once', { bytes => 4 });
    my @once = ('PUT', $once, 'once', %host, 'Content-Type' => 'image/jpeg',
                'If-None-Match' => '*');

    is(straight('', @once[0 .. 6])->{code}, 403, 'it says so');
    is(straight('', @once)->{code}, 201, 'it is good');
    is(straight('', @once[0 .. 1], 'tons', @once[3 .. 8])->{code}, 412,
       'once');
    my ($file) = $once =~ m{^([^?]+)};
    is(slurp("$root$file"), 'once', 'what is there stays');
};

subtest 'a server of ours sends it by scale_aws_sign' => sub {
    is(straight('', 'PUT', '/worker/w/a%20(b)+c%25.jpg', 'small')->{code}, 201,
       'an object is sent');
    is(slurp("$root/photos/w/a (b)+c%.jpg"), 'small', 'under its name');
    is(straight('', 'GET', '/hash/w/a%20(b)+c%25.jpg', undef)->{body}, 'small',
       'and fetched');
    is(straight('', 'PUT', '/hash/w/b.jpg', 'small')->{code}, 403,
       'the hash of a body that is still to come is not taken');
};

subtest 'nobody else' => sub {
    is(straight('', $_, '/photos/p/x.jpg', $_ eq 'GET' ? undef : 'x', %host)
           ->{code}, 403, "no signature: $_")
        for qw(GET PUT POST DELETE PATCH MKCOL COPY MOVE);
    is(straight('', 'MOVE', $path, undef, %host, Destination => '/photos/y')
           ->{code}, 403, 'a PUT is no MOVE');
    is(scalar Scale::log_lines($nginx, $Scale::Aws::SECRET), 0,
       'the secret is not logged');
};


# by botocore, as if the clock were so many seconds ahead

sub presign
{
    my ($method, $path, $ahead, $expires) = @_;

    local $ENV{AWS_ACCESS_KEY_ID} = $Scale::Aws::ID;
    local $ENV{AWS_SECRET_ACCESS_KEY} = $Scale::Aws::SECRET;

    open my $pipe, '-|', '/usr/bin/python3', Scale::Aws::script('presign.py'),
        $method, "http://127.0.0.1:$port$path", $ahead, $expires
        or die "presign.py: $!\n";
    my $url = <$pipe>;
    close $pipe or die "presign.py\n";

    return $url =~ m{^http://[^/]+(/\S+)} ? $1 : die "$url\n";
}


done_testing();
