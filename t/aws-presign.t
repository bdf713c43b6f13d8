# Presigned URLs and forms: made beside the row that waits for the object, used
# by curl against an S3 that verifies them.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Scale::Aws;
use Scale::Process qw(slurp);
use JSON::PP;
use Test::More;

Scale::sql(<<'SQL');
CREATE TABLE photos (id uuid PRIMARY KEY, owner bigint NOT NULL,
                     key text NOT NULL UNIQUE,
                     state text NOT NULL DEFAULT 'pending');
SQL

my $keys = Scale::Aws::credentials(Scale::dir() . '/keys');
my $token = 'a/session+token==';
my $session = Scale::Aws::credentials(Scale::dir() . '/session', undef, $token);

my $s3 = Scale::Aws::s3('photos');
Scale::Aws::verifier('SESSION', 0, $token);

my $config = Scale::http_config() =~ s/scale_cache.*//sr . <<"END";
    scale_object_store s3 {
        endpoint     http://127.0.0.1:\$TEST_NGINX_AWS_S3;
        region       eu-west-1;
        bucket       photos;
        credentials  file=$keys;
        path_style   on;
    }
    scale_object_store session {
        endpoint     http://127.0.0.1:\$TEST_NGINX_AWS_SESSION;
        region       eu-west-1;
        bucket       photos;
        credentials  file=$session;
        path_style   on;
    }
    scale_object_store amazon {
        region       eu-west-1;
        bucket       photos;
        credentials  file=$keys;
    }

    server {
        listen 127.0.0.1:\$ServerPort;

        scale_param  me     arg.user    bigint required;
        scale_param  id     \$scale_uuid uuid;
        scale_param  bytes  json.bytes  bigint required;
        scale_param  type   json.type   text;

        location = /put {
            scale_route     put;
            scale_identity  app.user :me;
            scale_presign   photo s3 PUT key=u/:me/:id.jpg expires=60s max=1m
                            types=image/jpeg,image/png type=:type
                            length=:bytes;
            scale_param  url  presign.photo      text;
            scale_param  key  presign.photo.key  text;
            scale_query  POST row
                "INSERT INTO photos (id, owner, key) VALUES (:id, :me, :key)
              RETURNING id, key, :url AS url" status=201;
        }
        location = /form {
            scale_route     form;
            scale_identity  app.user :me;
            scale_presign   photo s3 POST key=u/:me/:id.jpg expires=60s
                            max=1000 types=image/*;
            scale_param  form  presign.photo      jsonb;
            scale_param  key   presign.photo.key  text;
            scale_query  POST row
                "INSERT INTO photos (id, owner, key) VALUES (:id, :me, :key)
              RETURNING id, key, :form AS form" status=201;
        }
        location = /exact {
            scale_route     exact;
            scale_presign   photo s3 POST key=e/:id.jpg expires=60s
                            types=image/png length=:bytes;
            scale_param  form  presign.photo  jsonb;
            scale_query  POST row "SELECT :form AS form" read;
        }
        location ~ ^/get/(?<photo>[0-9a-f-]+)\$ {
            scale_route    get;
            scale_param    photo  \$photo  uuid required;
            scale_presign  photo s3 GET key=u/:me/:photo.jpg expires=60s;
            scale_param  url  presign.photo  text;
            scale_query  GET row
                "SELECT key, :url AS \\"http:Location\\" FROM photos
                  WHERE id = :photo AND owner = :me" status=303;
        }
        location = /names {
            scale_route    names;
            scale_param    name  arg.name  text;
            scale_presign  file  s3 PUT key=n/:name/x.jpg expires=60s;
            scale_presign  away  amazon PUT key=n/:name expires=60s once;
            scale_param  url   presign.file      text;
            scale_param  key   presign.file.key  text;
            scale_param  away  presign.away      text;
            scale_query  GET row "SELECT :url AS url, :key AS key,
                                         :away AS away";
        }
        location = /secret {
            scale_route    secret;
            scale_param    who  header.x-who  text;
            scale_presign  file  s3 GET key=h/:who/x expires=60s;
            scale_param  key  presign.file.key  text;
            scale_query  GET row "SELECT :key AS key";
        }
        location = /session {
            scale_route    session;
            scale_presign  file  session GET key=a expires=60s;
            scale_param  url  presign.file  text;
            scale_query  GET row "SELECT :url AS url";
        }
    }
END

my $nginx = Scale::nginx($config, workers => 2);


sub api
{
    my ($method, $path, $json) = @_;

    my $answer = Scale::request($method, $path,
                                defined $json ? encode_json($json) : undef,
                                'Content-Type' => 'application/json');

    $answer->{json} = eval { decode_json($answer->{body}) };

    return $answer;
}


# what curl says, and the status behind it

sub curl
{
    open my $pipe, '-|', 'curl', '--silent', '--max-time', 20,
        '--write-out', '\n%{http_code}', @_ or die "curl: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe;

    return $text =~ /\A(.*)\n(\d+)\z/s ? ($2, $1) : (0, $text);
}


sub straight
{
    my ($title, $method, $path, $body, %headers) = @_;

    return Scale::request($method, $path, $body, %headers, ':port' => $s3);
}


sub file
{
    my ($name, $content) = @_;

    my $path = Scale::dir() . "/$name";

    open my $out, '>', $path or die "$path: $!\n";
    print $out $content;
    close $out;

    return $path;
}


my $photo = join '', map { chr } 0 .. 255;
my $made;

subtest 'a client sends the object itself' => sub {
    $made = api('POST', '/put?user=7',
                { type => 'image/jpeg', bytes => length $photo });

    is($made->{code}, 201, 'a row waits for it') or diag $made->{body};
    is($made->{json}{key}, "u/7/$made->{json}{id}.jpg",
       'whose key says who and what');

    my @put = ('-T', file('photo.jpg', $photo), '-H',
               'Content-Type: image/jpeg', $made->{json}{url});

    is((curl(@put))[0], 200, 'it is sent there');

    my ($get) = api('GET', "/get/$made->{json}{id}?user=7");
    is($get->{code}, 303, 'whoever may read it is sent there, too');

    my ($code, $body) = curl($get->{headers}{location});
    is($code, 200, 'it is there');
    ok($body eq $photo, 'as it was sent');

    local $ENV{AWS_ACCESS_KEY_ID} = $Scale::Aws::ID;
    local $ENV{AWS_SECRET_ACCESS_KEY} = $Scale::Aws::SECRET;
    local $ENV{AWS_DEFAULT_REGION} = 'eu-west-1';

    my $copy = Scale::dir() . '/copy.jpg';

    is(system("/usr/bin/aws --endpoint-url http://127.0.0.1:$s3 s3 cp"
              . " s3://photos/$made->{json}{key} $copy >/dev/null"), 0,
       "Amazon's own client finds it");
    ok(slurp($copy) eq $photo, 'and it is the same');
};

subtest 'nothing of a URL can be altered' => sub {
    my %host = (Host => "127.0.0.1:$s3");
    my $url = api('POST', '/put?user=7',
                  { type => 'image/png', bytes => length $photo })->{json}{url};
    my ($path) = $url =~ m{^http://[^/]+(.*)};
    my @put = ('PUT', $path, $photo, %host, 'Content-Type' => 'image/png');
    my @altered = Scale::Aws::alterations(@put);

    cmp_ok(scalar @altered, '>=', 20, '20 alterations, or more');
    is(straight(@$_)->{code}, 403, "PUT: $_->[0]") for @altered;
    is(straight('', @put)->{code}, 200, 'as it is it is good');

    $url = api('GET', "/get/$made->{json}{id}?user=7")->{headers}{location};
    ($path) = $url =~ m{^http://[^/]+(.*)};
    @altered = Scale::Aws::alterations('GET', $path, undef, %host);

    cmp_ok(scalar @altered, '>=', 20, '20 of a GET');
    is(straight(@$_)->{code}, 403, "GET: $_->[0]") for @altered;
    is(straight('', 'GET', $path, undef, %host)->{code}, 200,
       'as it is it is good');
};

subtest 'a form has a policy' => sub {
    my $form = api('POST', '/form?user=7')->{json}{form};
    my $path = file('form.jpg', 'x' x 500);
    my @type = ('Content-Type' => 'image/webp');

    is(send_form($form, $path, @type), 204, 'a browser sends it');
    is(send_form($form, file('big.jpg', 'x' x 1001), @type), 403,
       'what is larger is refused');
    is(send_form($form, $path, 'Content-Type' => 'text/html'), 403,
       'what is of another family is');
    is(send_form($form, $path), 403, 'what is of none is');
    is(send_form($form, $path, @type, acl => 'public-read'), 403,
       'what wants more is');

    my %field = %{ $form->{fields} };
    my $altered = 5;

    for my $name (sort keys %field) {
        my $value = $field{$name} =~ s/(\w)(?=\w{4})/$1 eq 'a' ? 'b' : 'a'/er;

        is(send_form({ %$form, fields => { %field, $name => $value } },
                     $path, @type), 403, "another $name is");
        my %less = %field;
        delete $less{$name};
        is(send_form({ %$form, fields => \%less }, $path, @type), 403,
           "no $name is");
        $altered += 2;
    }

    is(send_form({ %$form, url => $form->{url} =~ s/photos/photot/r }, $path,
                 @type), 403, 'another bucket is');
    is(send_form({ %$form, fields => { %field,
                     key => $field{key} =~ s{[^/]+$}{../../8/x.jpg}r } },
                 $path, @type), 403, 'a path up is');
    is(send_form({ %$form, fields => { %field, policy => '' } }, $path,
                 @type), 403, 'an empty policy is');
    cmp_ok($altered + 3, '>=', 20, '20 alterations, or more');

    $form = api('POST', '/exact', { bytes => 500 })->{json}{form};
    is($form->{fields}{'Content-Type'}, 'image/png', 'one type is a field');
    is(send_form($form, $path), 204, 'one length is that length');
    is(send_form($form, file('less.jpg', 'x' x 499)), 403, 'and no other');
};

subtest 'what may not be is not signed' => sub {
    my %bad = (
        'a type that is not listed' => { type => 'text/html', bytes => 9 },
        'no type' => { bytes => 9 },
        'no length' => { type => 'image/png' },
        'too much' => { type => 'image/png', bytes => 2 ** 20 + 1 },
        'nothing' => { type => 'image/png', bytes => 0 },
        'less than nothing' => { type => 'image/png', bytes => -1 },
    );

    for my $title (sort keys %bad) {
        my $answer = api('POST', '/put?user=7', $bad{$title});
        is($answer->{code}, 400, $title);
        is(scalar @{ $answer->{json}{errors} // [] }, 1, 'is one violation')
            or diag $answer->{body};
    }

    is(api('POST', '/put', { type => 'image/png', bytes => 9 })->{code}, 401,
       'and nobody is no one');
    is(Scale::sql("SELECT count(*) FROM photos WHERE state <> 'pending'"), 0,
       'no row is made');
};

subtest 'a name stays in its place' => sub {
    my %made = ('a b' => 'n/a%20b/x.jpg', 'a/b' => 'n/a%2Fb/x.jpg',
                '%2F' => 'n/%252F/x.jpg', '../..' => 'n/..%2F../x.jpg',
                "\xc3\xa9" => 'n/%C3%A9/x.jpg', 'a+b&c=d?e#f' =>
                'n/a+b&c=d?e#f/x.jpg');

    for my $name (sort keys %made) {
        my $escaped = $name =~ s/(\W)/sprintf '%%%02X', ord $1/ger;
        my $answer = api('GET', "/names?name=$escaped");

        is($answer->{json}{key}, $made{$name}, "$name is a part of a key");
        is((curl('-T', file('n.jpg', $name), $answer->{json}{url}))[0], 200,
           'its URL is good');
    }

    is(api('GET', "/names?name=$_")->{code}, 400, "\"$_\" is none")
        for '.', '..', '', 'a' x 1100;

    like(Scale::get('/secret', 'X-Who' => 'a secret')->{body},
         qr{"h/[0-9a-f]{32}/x"}, 'what may be a secret is hashed');
    like(api('GET', '/names?name=a')->{json}{away},
         qr{^https://photos\.s3\.eu-west-1\.amazonaws\.com/n/a\?.*
            SignedHeaders=host%3Bif-none-match&}x,
         'a bucket is a host where it is at Amazon');
};

subtest 'a session has its token' => sub {
    my $url = api('GET', '/session')->{json}{url};

    is((curl($url))[0], 200, 'which is in the URL');
    is((curl($url =~ s/Token=a/Token=b/r))[0], 403, 'and signed');
};


sub send_form
{
    my ($form, $path, %more) = @_;

    my %field = (%{ $form->{fields} }, %more);

    my ($code) = curl((map { ('--form-string', "$_=$field{$_}") }
                       sort keys %field), '-F', "file=\@$path",
                      $form->{url});

    return $code;
}


done_testing();
