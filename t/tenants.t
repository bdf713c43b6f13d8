# Row-level security and the cache, with its tier on each node: 1,000 people
# ask two nodes for the same URLs, mixed on the same connections, and write, and
# a worker is killed.  Whoever is named in a body is who asked for it.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use List::Util qw(shuffle);
use POSIX ();
use Scale::Client;
use Scale::Jwt;
use Scale::Ring;
use Scale::Session qw(cookie write_secrets);
use Test::More;
use Time::HiRes qw(sleep);

my $people = 1000;
my $clients = 4;
my $passes = 3;
my $depth = 8;

my $signer = Scale::Jwt::key(Scale::dir(), 'HS256');
my $jwks = Scale::dir() . '/jwks.json';
my @token = map { Scale::Jwt::token($signer, { sub => "person $_", owner => $_,
                                               exp => time + 3600 }) }
                0 .. $people;

open my $out, '>', $jwks or die "$jwks: $!\n";
print $out Scale::Jwt::jwks(Scale::Jwt::jwk($signer));
close $out;

# how a person says who she is: a block, what a location requires, the source
# of her number, and what she sends

my @cookie;
my @kinds = (
    { name   => 'key',
      block  => 'scale_key api {
                     query   "SELECT owner FROM api_keys WHERE hash = :hash";
                     header  X-API-Key;
                     valid   10m;
                 }',
      source => 'key.owner',
      fields => sub { return 'X-API-Key' => "secret-of-$_[0]" } },

    { name   => 'jwt',
      block  => "scale_jwt { jwks_file $jwks; alg HS256; }",
      source => 'jwt.owner',
      fields => sub { return Authorization => "Bearer $token[$_[0]]" } },

    { name     => 'session',
      block    => 'scale_secret_file  "$TEST_NGINX_DIR/secret";
                   scale_session sid { cookie sid insecure; }',
      location => 'location = /login {
                       scale_auth   none;
                       scale_route  login;
                       scale_param  who json.who int required;
                       scale_query  POST row "SELECT :who AS owner,
                                                     :who AS \"user\"" read;
                       scale_session_start;
                   }',
      begin    => \&log_in,
      source   => 'session.owner',
      fields   => sub { return Cookie => $cookie[$_[0]],
                               'Sec-Fetch-Site' => 'same-origin' } },
);

write_secrets('a secret of a thousand people');

Scale::sql(<<"END");
CREATE TABLE api_keys (hash text PRIMARY KEY, owner int NOT NULL);
INSERT INTO api_keys
    SELECT encode(sha256(convert_to('secret-of-' || i, 'UTF8')), 'hex'), i
      FROM generate_series(1, $people) i;

CREATE TABLE docs (id int PRIMARY KEY, owner int NOT NULL, n int NOT NULL);
INSERT INTO docs SELECT i, 1 + (i - 1) % $people, 0
                   FROM generate_series(1, 2 * $people) i;
CREATE INDEX ON docs (owner);
CREATE TABLE open AS SELECT * FROM docs WHERE owner = 7;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON docs
    USING (owner = nullif(current_setting('app.user', true), '')::int);
END

my @address = addresses(2);

add_to_ring(@address);

for my $kind (@kinds) {
    my @nodes = map { Scale::nginx(with_docs($kind)) } 1, 2;

    $kind->{begin}->(@nodes) if $kind->{begin};
    warm_up($kind, @nodes);

    my $sum = run($kind, $passes, \@nodes, sub {
        Scale::expect_in_log(qr/worker process \d+ exited on signal 9/);
        kill KILL => (Scale::workers($nodes[0]))[0];
    });

    diag("$kind->{name}: ", join ', ', map { "$sum->{$_} $_" } sort keys %$sum);

    is($sum->{asked}, $clients * $passes * $people * 2,
       "$kind->{name}: $people people ask");
    is($sum->{others}, 0, 'and not one is answered what is another\'s');
    is($sum->{wrong}, 0, 'nor told that her own is not there');
    is($sum->{stale}, 0, 'nor what she has changed before');
    is($sum->{failed}, 0, 'all are answered, once more where a worker died');
    cmp_ok($sum->{hits}, '>', $sum->{asked} / 4, 'the cache in use');
    cmp_ok($sum->{writes}, '>', $people, 'and writes');


    # what is declared to be everybody's, and is not

    Scale::reload($_, in_public($kind)) for @nodes;
    $sum = run($kind, 1, \@nodes);

    cmp_ok($sum->{others}, '>', $people / 2, 'the checker sees a leak');
}

done_testing();


sub with_docs
{
    my ($kind) = @_;

    return back_ends(@address) . <<"END";
    $kind->{block}
    add_header X-Cache \$scale_cache_status always;

    server {
        listen 127.0.0.1:\$ServerPort;
        keepalive_requests 100000;

        scale_auth      $kind->{name};
        scale_identity  app.user $kind->{source};
        scale_param     id \$id int required;

        ${\ ($kind->{location} // '') }
        location = /docs {
            scale_route  docs;
            scale_query  GET rows "SELECT id, owner, n FROM docs ORDER BY id";
            scale_cache_valid  10m;
            scale_cache_tags   "docs";
        }
        location = /me {
            scale_route  me;
            scale_query  GET row
                         "SELECT current_setting('app.user')::int AS owner";
            scale_cache_valid  10m;
        }
        location ~ ^/docs/(?<id>\\d+)\$ {
            scale_route  doc;
            scale_query  GET row "SELECT id, owner, n FROM docs
                                   WHERE id = :id";
            scale_query  PATCH row "UPDATE docs SET n = n + 1 WHERE id = :id
                                 RETURNING id, owner, n";
            scale_cache_valid  10m missing=1m;
        }
    }
END
}


# of a table without a policy

sub in_public
{
    my ($kind) = @_;

    return with_docs($kind)
           =~ s/FROM docs ORDER BY id";/FROM open ORDER BY id";
                scale_cache_scope public;/r;
}


# at either node, and known at both

sub log_in
{
    my (@nodes) = @_;

    Scale::wait_for(sub { login($nodes[0], 1)->{code} == 200 }, 12)
        or die "nobody can log in\n";

    @cookie = ('', map { cookie(login($nodes[$_ % 2], $_)) } 1 .. $people);
}


sub login
{
    my ($node, $who) = @_;

    return Scale::request('POST', '/login', qq({"who": $who}),
                          'Content-Type' => 'application/json',
                          ':port' => $node->{port});
}


sub warm_up
{
    my ($kind, @nodes) = @_;

    for my $node (@nodes) {
        ok(Scale::wait_for(sub {
               Scale::get('/me', ':port' => $node->{port},
                          $kind->{fields}(1))->{headers}{'x-cache'} =~ /LOCAL/
           }, 12), "$kind->{name}: a node uses the cache");
    }
}


# Processes that each ask for everybody, on connections to both nodes

sub run
{
    my ($kind, $rounds, $nodes, $meanwhile) = @_;

    my %sum = map { $_ => 0 }
                  qw(asked again others wrong stale failed hits writes);
    my @pipes = map { client_process($_, $kind, $rounds, $nodes) }
                    0 .. $clients - 1;
    my @begun = map { scalar readline $_ } @pipes;

    $meanwhile->() if $meanwhile;

    for my $in (@pipes) {
        my %part = split /[= ]/, readline($in) // 'failed=1';

        $sum{$_} += $part{$_} for keys %part;
        close $in;
    }

    return \%sum;
}


sub client_process
{
    my ($number, $kind, $rounds, $nodes) = @_;

    pipe(my $in, my $out) or die "pipe: $!";

    my $pid = fork // die "fork: $!";

    if ($pid) {
        close $out;
        return $in;
    }

    $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);
    srand 1 + $number;
    $out->autoflush(1);

    my %part;
    my @open = map { Scale::Client->new($_->{port}) } (@$nodes) x 3;
    my @n;

    for my $round (1 .. $rounds) {
        my @who = shuffle map { $_, $_ } 1 .. $people;

        while (@who) {
            ask($kind, $number, \%part, \@n,
                map { [ $_, splice @who, 0, $depth ] } @open);
            print $out "begun\n"
                if $part{asked} > $people / 2 && !$part{begun}++;
        }
    }

    delete $part{begun};
    print $out join(' ', map { "$_=$part{$_}" } keys %part), "\n";
    POSIX::_exit(0);
}


# connections, each with those who use it: all is sent before any is read

sub ask
{
    my ($kind, $number, $part, $n, @lots) = @_;

    my @sent;

    for my $lot (@lots) {
        my ($client, @who) = @$lot;
        my @asked = map { what($_, $number) } @who;

        $client->send(map { [ $_->{line}, $kind->{fields}($_->{who}) ] }
                          @asked);
        push @sent, [ $client, @asked ];
    }

    my %floor = map { $_ => $n->[$_] } map { $_->{doc} // () }
                map { @$_[1 .. $#$_] } @sent;

    for my $lot (@sent) {
        my ($client, @asked) = @$lot;
        my @answers = $client->answers(scalar @asked);

        for my $i (0 .. $#asked) {
            my $answer = $answers[$i];

            for my $pause (0, (0.25) x 40) {
                last if $answer->{code} && $answer->{code} != 503;
                sleep $pause if $pause;
                $part->{again}++;
                $answer = $client->request([ $asked[$i]{line},
                                           $kind->{fields}($asked[$i]{who}) ]);
            }

            judge($part, $n, \%floor, $asked[$i], $answer);
        }
    }
}


# a document is written by one process, which knows what it has to find

sub what
{
    my ($who, $number) = @_;

    my $chance = rand;
    my $doc = $who + (rand() < 0.5 ? $people : 0);
    my $mine = $who % $clients == $number;

    return { who => $who, line => 'GET /docs' } if $chance < 0.3;
    return { who => $who, line => 'GET /me' } if $chance < 0.5;
    return { who => $who, line => 'GET /docs/' . (1 + $doc % $people),
             other => 1 } if $chance < 0.6;
    return { who => $who, line => "PATCH /docs/$doc", doc => $doc,
             write => 1 } if $mine && $chance < 0.8;

    return { who => $who, line => "GET /docs/$doc",
             $mine ? (doc => $doc) : () };
}


sub judge
{
    my ($part, $n, $floor, $asked, $answer) = @_;

    my @owners = $answer->{body} =~ /"owner":(\d+)/g;
    my $status = $answer->{headers}{'x-cache'} // '';

    $part->{asked}++;
    $part->{hits}++ if $status =~ /^(?:LOCAL|HIT|NEGATIVE)$/;
    $part->{others}++ if grep { $_ != $asked->{who} } @owners;

    if ($answer->{code} == 404) {
        $part->{wrong}++ if !$asked->{other};
        return;
    }

    if ($answer->{code} != 200 || !@owners) {
        $part->{failed}++;
        return;
    }

    return if !defined $asked->{doc};

    my ($now) = $answer->{body} =~ /"n":(\d+)/;
    my $before = $floor->{ $asked->{doc} } // 0;

    $part->{writes}++ if $asked->{write};
    $part->{stale}++ if $now < $before + ($asked->{write} ? 1 : 0);

    $n->[$asked->{doc}] = $now if $now > ($n->[$asked->{doc}] // 0);
}
