# What proxy_pass sends to AWS: conf/examples/aws in front of servers that take
# nothing but what botocore would have signed, too.

use strict;
use warnings;
use lib 't/lib';
use Scale;
use Scale::Aws;
use Scale::Example;
use Encode qw(decode);
use JSON::PP;
use Test::More;

my $token = 'a/session+token==';
my $keys = Scale::Aws::credentials(Scale::dir() . '/keys');

Scale::Aws::s3('my-assets');
Scale::Aws::sqs();
Scale::Aws::dynamodb();
Scale::Aws::verifier('ECHO');
Scale::Aws::verifier('SESSION', 0, $token);

my $session = Scale::Aws::credentials(Scale::dir() . '/session', undef, $token);
my $rotated = Scale::Aws::credentials(Scale::dir() . '/rotated', 'of before');

my $http = Scale::Example::http('aws');

$http =~ s{https://(s3|sqs|dynamodb)\.eu-west-1\.amazonaws\.com(?=[/;])(?!/123)}
          {http://127.0.0.1:\$TEST_NGINX_AWS_\U$1}g;
$http =~ s{/run/secrets/aws}{$keys}g;
$http =~ s{/var/cache/nginx}{\$TEST_NGINX_DIR}g;
$http =~ s/^\s+load_module.*$//m;

my $nginx = Scale::nginx($http . <<"END", workers => 2);
    upstream aws {
        server 127.0.0.1:1;
        server 127.0.0.1:\$TEST_NGINX_AWS_ECHO;
        keepalive 4;
    }
    server {
        listen 127.0.0.1:\$ServerPort;
        server_name  echo;
        proxy_pass_request_headers  on;

        location / {
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_ECHO;
            scale_aws_sign  s3 us-east-1 credentials=$keys;
        }
        location /prefix/ {
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_ECHO/bucket/;
            scale_aws_sign  s3 us-east-1 credentials=$keys payload=unsigned;
            proxy_set_header  x-amz-acl  private;
            client_body_buffer_size  1k;
        }
        location /other/ {
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_ECHO;
            scale_aws_sign  execute-api us-east-1 credentials=$keys;
            client_body_buffer_size  1k;
        }
        location /session/ {
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_SESSION;
            scale_aws_sign  s3 us-east-1 credentials=$session;
        }
        location /rotated/ {
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_ECHO;
            scale_aws_sign  s3 us-east-1 credentials=$rotated;
        }
        location /if/ {
            if (\$arg_a) { set \$b 1; }
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_ECHO;
            scale_aws_sign  s3 us-east-1 credentials=$keys;
        }
        location /kept/ {
            proxy_pass  http://aws;
            proxy_set_header  Connection  "";
            scale_aws_sign  s3 us-east-1 credentials=$keys;
        }
        location /named/ {
            set \$there  127.0.0.1:\$TEST_NGINX_AWS_ECHO;
            proxy_pass  http://\$there;
            proxy_request_buffering  off;
            scale_aws_sign  s3 us-east-1 credentials=$keys;
        }
        location /stale/ {
            proxy_pass  http://127.0.0.1:\$TEST_NGINX_AWS_ECHO;
            proxy_cache  assets;
            proxy_cache_valid  1s;
            proxy_cache_use_stale  updating;
            proxy_cache_background_update  on;
            add_header  X-Cache \$upstream_cache_status;
            scale_aws_sign  s3 us-east-1 credentials=$keys;
        }
        location /gone/ {
            proxy_pass  http://127.0.0.1:1;
            scale_aws_sign  s3 us-east-1 credentials=$keys;
        }
        location = /uuid {
            return 200 "\$scale_uuid \$scale_uuid \$scale_json_arg_a\\n";
        }
    }
END


sub ask
{
    my ($method, $path, $body, %headers) = @_;

    my $answer = Scale::request($method, $path, $body, %headers);

    $answer->{json} = eval { decode_json($answer->{body}) };

    return $answer;
}

sub echo { return ask(@_[0 .. 1], $_[2] // '', Host => 'echo', @_[3 .. $#_]) }


subtest 'what leaves is signed, whatever made it so' => sub {
    for my $path ('/', '/a', '/a%20b', '/a+b', '/a(b)', '/a%25b', '/%C3%A9',
                  "/!\$&'()*,;=:\@", '//a//b', '/a%2Fb', '/~-_.', '/a?b=c',
                  '/?b=2&a=1&b=10', '/a?x=%2F%20+y&empty&=z', '/a?%E1%88%B4=b',
                  '/%E4%BD%A0?a=%41', '/prefix/a%20b(c)+d%25', '/prefix/?x')
    {
        my $answer = echo('GET', $path);
        is($answer->{code}, 200, $path) or diag $answer->{body};

        $answer = echo('GET', "/other$path");
        is($answer->{code}, 200, "/other$path") or diag $answer->{body};
    }

    is(echo('GET', '/a(b)+c')->{json}{path}, '/a%28b%29%2Bc',
       'a name is sent to S3 as it is signed');
    is(echo('GET', '/other/a(b)+c')->{json}{path}, '/other/a(b)+c',
       'to others as it is');
};

subtest 'so is what has a body' => sub {
    my $long = 'x' x 5000;

    for my $path ('/a', '/other/a', '/prefix/a') {
        for my $body ('', 'short', $long) {
            my $answer = echo('PUT', $path, $body,
                              'Content-Type' => 'text/plain; a=b');
            is($answer->{json}{body}, $body, "$path, " . length $body)
                or diag $answer->{body};
        }
    }

    is(echo('PUT', '/prefix/a', 'a')->{json}{headers}{'x-amz-content-sha256'},
       'UNSIGNED-PAYLOAD', 'or it is not signed, where that is asked for');

    my $answer = ask('POST', '/a', undef, Host => 'echo',
                     'Transfer-Encoding' => "chunked\r\n\r\n5\r\nshort"
                                            . "\r\n0\r\n");
    is($answer->{json}{body}, 'short', 'a chunked one is');
};

subtest 'so is what proxy_pass sends otherwise than usual' => sub {
    is(echo('PUT', '/kept/a', "body $_")->{json}{body}, "body $_",
       'again, where a server is down') for 1 .. 4;
    is(echo('PUT', '/named/a', 'body')->{json}{body}, 'body',
       'to a name that is a variable');

    is(echo('GET', '/stale/a')->{headers}{'x-cache'}, 'MISS', 'for a cache');
    ok(Scale::wait_for(sub {
           echo('GET', '/stale/a')->{headers}{'x-cache'} eq 'STALE'
       }, 10), 'which answers with what is old');
    ok(Scale::wait_for(sub {
           echo('GET', '/stale/a')->{headers}{'x-cache'} eq 'HIT'
       }, 10), 'while it asks for what is new');
};

subtest 'a session has its token' => sub {
    is(echo('GET', '/session/a')->{json}{headers}{'x-amz-security-token'},
       $token, 'which is signed');
};

subtest 'a client cannot speak in the name of the credentials' => sub {
    my $answer = echo('PUT', '/prefix/a', 'a',
                      'X-Amz-Copy-Source' => '/secret/object',
                      'x-amz-acl' => 'public-read', 'X-AMZ-Date' => 'a',
                      Authorization => 'AWS4-HMAC-SHA256 Credential=a');

    is($answer->{code}, 200, 'it is signed as nginx has it')
        or diag $answer->{body};
    is($answer->{json}{headers}{'x-amz-copy-source'}, undef,
       'its fields of x-amz- are not passed');
    is($answer->{json}{headers}{'x-amz-acl'}, 'private',
       'those of proxy_set_header are');

    for my $path ('/a/../b', '/a/./b', '/a/%2e%2e/b', '/..%2fb', '/a/..') {
        is(echo('GET', $path)->{code}, 400, "$path is no name of S3");
    }
};

subtest 'what is not there is an error as always' => sub {
    is(echo('GET', '/gone/a')->{code}, 502, 'no server');
    is(echo('GET', '/if/a?a=1')->{code}, 200, 'an "if" is signed, too');
    is(echo('GET', '/if/a')->{code}, 200, 'and without it');
};

subtest 'new credentials are read' => sub {
    is(echo('GET', '/rotated/a')->{code}, 403, 'the old ones are not good');
    Scale::Aws::credentials($rotated);
    ok(Scale::wait_for(sub { echo('GET', '/rotated/a')->{code} == 200 }, 30),
       'the new ones are');

    open my $out, '>', $rotated;
    print $out "nothing\n";
    close $out;

    ok(Scale::wait_for(sub {
           Scale::log_lines($nginx, 'credentials .* those it had are used')
       }, 30), 'what is no file of credentials is logged');
    is(echo('GET', '/rotated/a')->{code}, 200, 'and those it had are used');
    is(scalar Scale::log_lines($nginx, 'wJalr|of before|session.token'), 0,
       'none is ever logged');
};

subtest 'static files of S3, through a cache' => sub {
    my $s3 = Scale::dir() . '/s3/my-assets';

    put('a b+c.txt', 'text');
    my $answer = Scale::get('/assets/a%20b+c.txt');
    is("$answer->{code} $answer->{body}", '200 text', 'a file is there');
    is($answer->{headers}{'x-cache'}, 'MISS', 'it is fetched');
    is(Scale::get('/assets/a%20b+c.txt')->{headers}{'x-cache'}, 'HIT',
       'once');
    is(Scale::get('/assets/a%20b+c.txt?acl')->{body}, 'text',
       'arguments are not asked for');
    is(ask('HEAD', '/assets/a%20b+c.txt')->{code}, 200, 'HEAD');
    is(Scale::get('/assets/no.txt')->{code}, 404, 'what is not there');
    is(Scale::get($_)->{code}, 404, "$_ is no list") for '/assets/',
                                                         '/assets/?list-type=2';
    is(ask('PUT', '/assets/x', 'x')->{code}, 403, 'nothing is written');
    is(ask('DELETE', '/assets/a%20b+c.txt')->{code}, 403, 'nor deleted');
};

subtest 'a message that is not deleted comes again' => sub {
    my $body = qq({"job": "\\"}, \\u00e9 \xc3\xa9", "n": 1}\n);
    my $answer = ask('POST', '/jobs', $body);

    ok($answer->{json}{MessageId}, 'a message is sent') or diag $answer->{body};
    is(ask('GET', '/jobs')->{code}, 403, 'and only sent');

    my $got = receive(600);
    is($got->{Body}, decode('UTF-8', $body), 'it comes as it was sent');
    is(receive(600), undef, 'once');

    sqs('ChangeMessageVisibility', VisibilityTimeout => 1,
        ReceiptHandle => $got->{ReceiptHandle});

    my $again;
    ok(Scale::wait_for(sub { $again = receive(0) }, 20),
       'it comes again, as it was not deleted');
    is($again->{MessageId}, $got->{MessageId}, 'the same one');

    sqs('DeleteMessage', ReceiptHandle => $again->{ReceiptHandle});
    is(receive(0), undef, 'deleted it is gone');
};

subtest 'a profile of DynamoDB' => sub {
    aws('dynamodb', 'DYNAMODB', 'DynamoDB_20120810.CreateTable',
        { TableName => 'profiles', BillingMode => 'PAY_PER_REQUEST',
          KeySchema => [{ AttributeName => 'id', KeyType => 'HASH' }],
          AttributeDefinitions => [{ AttributeName => 'id',
                                     AttributeType => 'S' }] });
    ok(Scale::wait_for(sub { ask('GET', '/profiles/1')->{code} == 200 }, 20),
       'there is a table');

    is(ask('GET', '/profiles/1')->{body}, '{}', 'and nothing in it');
    is(ask('PUT', '/profiles/1', '{"name": "Ann \"A\""}')->{code}, 200,
       'a profile is created');
    is(item('1')->{profile}{S}, '{"name": "Ann \"A\""}', 'and read');
    is(ask('PUT', '/profiles/1', '{}')->{json}{__type} =~ s/.*#//r,
       'ConditionalCheckFailedException', 'but not created twice');

    is(ask('PATCH', '/profiles/1?version=2', '{}')->{code}, 400,
       'another version of it is not changed');
    my $answer = ask('PATCH', '/profiles/1?version=1', '{"name": "Bob"}');
    is($answer->{json}{Attributes}{version}{N}, 2, 'this version is')
        or diag $answer->{body};
    is(ask('POST', '/profiles/1', '{}')->{code}, 405, 'that is all');

    is(ask('PUT', '/profiles/other', '{"name": "Eve"}')->{code}, 200,
       'there is another');

    my $before = [item('1'), item('other')];

    for my $id ('1"}},"TableName":"profiles","Key":{"id":{"S":"other',
                'x\\', 'x"', "x\n\t", '","version":{"N":"9"},"a":{"S":"b',
                "\xc3\xa9\xf0\x9f\x98\x80", '$scale_json_id', '${id}', '%22',
                'other" OR 1=1', "x\r\nX-Amz-Target: a")
    {
        my $path = '/profiles/' . ($id =~ s/([^\w])/sprintf '%%%02X', ord $1/ger);

        is(ask('PUT', $path, '{"a": 1}')->{code}, 200, "$path is created");
        is(ask('GET', $path)->{json}{Item}{id}{S}, decode('UTF-8', $id),
           'under its own name');
        is(ask('PATCH', "$path?version=1", '{"a": 2}')->{code}, 200,
           'changed');
        is(ask('DELETE', $path)->{code}, 200, 'and deleted');
    }

    for my $version ('1"},":one":{"N":"100', '1%22%7D%2C%22a%22%3A%7B%22',
                     '', '1&version=2', '%ff')
    {
        is(ask('PATCH', "/profiles/1?version=$version", '{}')->{code}, 400,
           "version $version changes nothing");
    }

    is(ask('PUT', '/profiles/%FF%FE', '{}')->{code}, 400,
       'what is no UTF-8 is refused');
    is(ask('PUT', '/profiles/2', "\xff")->{code}, 400, 'in a body, too');

    is_deeply([item('1'), item('other')], $before,
              'none of this has changed another item');

    is(ask('DELETE', '/profiles/1')->{code}, 200, 'a profile is deleted');
    is(ask('GET', '/profiles/1')->{body}, '{}', 'and gone');
};

subtest 'variables' => sub {
    my ($a, $b, $json) = split ' ', echo('GET', '/uuid?a=%22%5C+%C3%A9')
                                    ->{body}, 3;

    like($a, qr/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}
                -[0-9a-f]{12}$/x, 'a UUID of version 4');
    is($a, $b, 'the same all through a request');
    unlike(echo('GET', '/uuid')->{body}, qr/$a/, 'another of another');
    is($json, qq("\\"\\\\ \xc3\xa9"\n), 'an argument as JSON is decoded');
    like(echo('GET', '/uuid')->{body}, qr/ null$/, 'none is null');
};


# by botocore's own hand, past nginx

sub aws
{
    my ($service, $name, $target, $body) = @_;

    local $ENV{AWS_ACCESS_KEY_ID} = $Scale::Aws::ID;
    local $ENV{AWS_SECRET_ACCESS_KEY} = $Scale::Aws::SECRET;

    open my $pipe, '-|', '/usr/bin/python3', Scale::Aws::script('send.py'),
        $service, 'POST', "http://127.0.0.1:$ENV{qq(TEST_NGINX_AWS_$name)}/",
        encode_json($body), "X-Amz-Target=$target",
        'Content-Type=application/x-amz-json-1.0' or die "send.py: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "$target: $text\n";

    return decode_json($text);
}

sub sqs { return aws('sqs', 'SQS', "AmazonSQS.$_[0]", { @_[1 .. $#_] }) }

sub receive
{
    my ($hidden) = @_;

    return sqs('ReceiveMessage', VisibilityTimeout => $hidden)->{Messages}[0];
}

sub put
{
    my ($name, $content) = @_;

    local $ENV{AWS_ACCESS_KEY_ID} = $Scale::Aws::ID;
    local $ENV{AWS_SECRET_ACCESS_KEY} = $Scale::Aws::SECRET;

    my $path = $name =~ s/([^\w.])/sprintf '%%%02X', ord $1/ger;

    system('/usr/bin/python3', Scale::Aws::script('send.py'), 's3', 'PUT',
           "http://127.0.0.1:$ENV{TEST_NGINX_AWS_S3}/my-assets/$path",
           $content) == 0 or die "put $name\n";
}

sub item { return ask('GET', "/profiles/$_[0]")->{json}{Item} }


done_testing();
