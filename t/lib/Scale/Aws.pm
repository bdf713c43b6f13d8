package Scale::Aws;

# What stands for AWS in t/aws-*.t: servers of t/aws, each behind one that
# verifies signatures as botocore makes them.  Ports are in
# $TEST_NGINX_AWS_<NAME>, for configurations.

use strict;
use warnings;
use IO::Socket::INET;
use Scale::Process qw(spawn stop alive wait_for free_port);

# the id that s3rver knows

our $ID = 'S3RVER';
our $SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

my @pids;


# credentials as a file

sub credentials
{
    my ($path, $secret, $token) = @_;

    open my $out, '>', "$path.new" or die "$path: $!\n";
    print $out "[default]\naws_access_key_id = $ID\n",
               'aws_secret_access_key = ', $secret // $SECRET, "\n",
               defined $token ? "aws_session_token = $token\n" : '';
    close $out;
    chmod 0644, "$path.new";
    rename "$path.new", $path or die "$path: $!\n";

    return $path;
}


# in front of a port, or an echo in front of none

sub verifier
{
    my ($name, $backend, $token) = @_;

    local $ENV{AWS_ACCESS_KEY_ID} = $ID;
    local $ENV{AWS_SECRET_ACCESS_KEY} = $SECRET;
    local $ENV{AWS_SESSION_TOKEN} = $token;
    delete $ENV{AWS_SESSION_TOKEN} if !defined $token;

    return $ENV{"TEST_NGINX_AWS_$name"} =
        server($name, '/usr/bin/python3', script('verifier.py'), 'PORT',
               $backend // 0);
}


sub s3
{
    my ($bucket) = @_;

    my $dir = Scale::dir() . '/s3';
    mkdir $dir;

    my $port = server('s3rver', 'node', node('s3rver/bin/s3rver.js'),
                      '--silent', '--directory', $dir, '--address',
                      '127.0.0.1', '--port', 'PORT', '--configure-bucket',
                      $bucket, '--no-vhost-buckets');

    return verifier('S3', $port);
}


sub dynamodb
{
    return verifier('DYNAMODB',
                    server('dynalite', 'node', node('dynalite/cli.js'),
                           '--port', 'PORT', '--createTableMs', 0));
}


sub sqs
{
    return verifier('SQS', server('sqs', '/usr/bin/python3',
                                  script('sqs.py'), 'PORT'));
}


sub script { return Scale::root() . "/t/aws/$_[0]" }
sub node { return Scale::root() . "/build/aws/node_modules/$_[0]" }


# the port on which the command listens, which has PORT for it

sub server
{
    my ($name, @command) = @_;

    my $port = free_port();
    my $log = Scale::dir() . "/aws-$name.log";
    my $pid = spawn({ log => $log },
                    map { $_ eq 'PORT' ? $port : $_ } @command);

    push @pids, $pid;

    wait_for(sub { !alive($pid) || IO::Socket::INET->new(
                       PeerAddr => "127.0.0.1:$port") }, 30);
    alive($pid) or die "$name does not start:\n" . Scale::Process::slurp($log);

    return $port;
}


# What may be done to a presigned request on its way, and must not help:
# [title, method, path, body, headers] of each.

sub alterations
{
    my ($method, $path, $body, %headers) = @_;

    my $change = sub {
        my ($title, $from, $to) = @_;
        my $changed = $path =~ s/$from/$to/r;

        die "$title: no $from in $path\n" if $changed eq $path;
        return [$title, $method, $changed, $body, %headers];
    };

    my @altered = (
        ['another method', $method eq 'GET' ? 'PUT' : 'POST', $path, $body,
         %headers],
        ['no body asked for', 'HEAD', $path, undef, Host => $headers{Host}],
        $change->('another object', qr/\.jpg\?/, '.jpf?'),
        $change->('a path that goes on', qr/\.jpg\?/, '.jpg/x?'),
        $change->('a path up', qr{(?<=\w)/(?=\w)}, '/x/../'),
        $change->('two slashes', qr{(?<=\w)/(?=\w)}, '//'),
        $change->('more time', qr/Expires=6/, 'Expires=7'),
        $change->('for ever', qr/Expires=\d+/, 'Expires=99999999'),
        $change->('another second', qr/Date=\w+/, 'Date=20150830T123600Z'),
        $change->('another day', qr/%2F20\d{6}/, '%2F20150830'),
        $change->('another region', qr/eu-west-1/, 'eu-west-2'),
        $change->('another service', qr/%2Fs3%2F/, '%2Fsqs%2F'),
        $change->('another key id', qr/S3RVER/, 'S3RVES'),
        $change->('another algorithm', qr/HMAC-SHA256/, 'HMAC-SHA1'),
        $change->('headers that are not signed', qr/SignedHeaders=[^&]+/,
                  'SignedHeaders=x'),
        $change->('a header more that is', qr/host&/, 'host%3Bx&'),
        $change->('another signature', qr/(?<=Signature=)./, 'x'),
        $change->('half a signature', qr/\w{32}$/, ''),
        $change->('no signature', qr/X-Amz-Signature/, 'X-Amz-Signaturf'),
        $change->('nothing signed', qr/\?.*/, '?'),
        $change->('an argument more', qr/\?/, '?acl&'),
        $change->('an argument twice', qr/\?/, '?X-Amz-Expires=60&'),
        $change->('a token', qr/\?/, '?X-Amz-Security-Token=a&'),
        ['another host', $method, $path, $body, %headers, Host => 'localhost'],
        ['a grant', $method, $path, $body, %headers,
         'x-amz-acl' => 'public-read'],
        ['another signature beside it', $method, $path, $body, %headers,
         Authorization => 'AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host,'
                          . ' Signature=a'],
    );

    return @altered if $method eq 'GET';

    return @altered,
           ['a longer body', $method, $path, "${body}x", %headers],
           ['a shorter one', $method, $path, substr($body, 1), %headers],
           ['another type', $method, $path, $body, %headers,
            'Content-Type' => 'text/html'],
           ['no type', $method, $path, $body,
            map { $_ eq 'Content-Type' ? () : ($_ => $headers{$_}) }
            keys %headers];
}


sub halt { stop($_, 'TERM') for splice @pids }


1;
