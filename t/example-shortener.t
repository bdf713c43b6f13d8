# conf/examples/shortener: what its visitors and those who shorten see.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Client;
use Scale::Example;
use IO::Handle;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

Scale::sql(Scale::Example::text('shortener/schema.sql'));

my $nginx = Scale::nginx(Scale::Example::http('shortener'), workers => 2);


sub shorten
{
    my ($url) = @_;

    my $answer = Scale::request('POST', '/links', encode_json({ url => $url }),
                                'Content-Type' => 'application/json');

    $answer->{json} = eval { decode_json($answer->{body}) };

    return $answer;
}

sub visit { return Scale::get("/$_[0]") }

sub top { return decode_json(Scale::get('/top')->{body}) }

sub hits
{
    return Scale::sql("SELECT coalesce(sum(n), 0) FROM hits"
                      . " WHERE code = '$_[0]'");
}


my $made = shorten('https://example.org/a?b=c#d');
my $code = $made->{json}{code};

subtest 'a link is made' => sub {
    is($made->{code}, 201, 'it is created');
    like($code, qr/^[0-9A-Za-z]{7}$/, 'its code has seven characters');
    is($made->{json}{target}, 'https://example.org/a?b=c#d', 'it has a target');
    is($made->{json}{url}, "http://localhost/$code", 'and a URL of its own');
    is($made->{headers}{location}, $made->{json}{url}, 'which is its Location');
    isnt(shorten('https://example.org/')->{json}{code}, $code,
         'another one has another code');

    for my $url ('javascript:alert(1)', 'https://', "https://a\r\nX: y",
                 'https://a/' . 'b' x 2000)
    {
        my $name = substr $url, 0, 20;
        is(shorten($url)->{code}, 400, "no link to " . ($name =~ s/\s/./gr));
    }
};

subtest 'a visit is a redirect that is answered from the cache' => sub {
    for my $cache (qr/MISS/, qr/HIT|LOCAL/, qr/HIT|LOCAL/) {
        my $got = visit($code);

        is($got->{code}, 302, 'it is a 302');
        is($got->{headers}{location}, 'https://example.org/a?b=c#d',
           'to the target');
        like($got->{headers}{'x-cache'}, $cache, "the cache: $cache");
        is($got->{headers}{'cache-control'}, 'no-cache',
           'which browsers ask for again');
    }

    is(visit('0000000')->{code}, 404, 'an unknown code is a 404');
    is(Scale::get('/hit')->{code}, 404, 'nobody counts by hand');
};

subtest 'a browser that wants a page is redirected' => sub {
    is(Scale::get("/$code", Accept => 'text/html')->{code}, 302, 'it is');
};

subtest 'each visit is counted' => sub {
    my $before = hits($code);

    Scale::request($_, "/$code") for ('GET') x 20, 'HEAD';

    ok(Scale::wait_for(sub { hits($code) == $before + 21 }, 5), 'all are');
    is(hits('0000000'), 0, 'those of unknown codes are not');
};

subtest 'a counter that hangs slows no redirect down' => sub {
    my $before = hits($code);

    open my $psql, '|-', Scale::Postgres::psql('app') or die;
    $psql->autoflush(1);
    print $psql "BEGIN; LOCK TABLE hits;\n";

    ok(Scale::wait_for(sub { Scale::sql(
           "SELECT count(*) FROM pg_locks WHERE granted"
           . " AND mode = 'AccessExclusiveLock'"
           . " AND relation = 'hits'::regclass") }, 5), 'the table is locked');

    for my $number (1 .. 3) {
        my $begun = time;
        my ($got) = Scale::Client->new($nginx->{port})
                                 ->pipeline("GET /$code");

        is($got->{code}, 302, "visit $number is redirected");
        cmp_ok(time - $begun, '<', 0.15, 'at once');
    }

    print $psql "COMMIT;\n";
    close $psql;

    ok(Scale::wait_for(sub { hits($code) == $before + 3 }, 5),
       'and counted when the counter goes on');
};

subtest 'a code that is taken is drawn again' => sub {
    Scale::sql(<<'SQL');
CREATE SEQUENCE draws;
GRANT USAGE ON draws TO api;
CREATE OR REPLACE FUNCTION draw_code() RETURNS text LANGUAGE sql VOLATILE
AS $$ SELECT 'sam' || to_char(nextval('draws') / 4, 'FM0000') $$;
SQL

    my @begun = map { Scale::begin('POST', '/links',
                                   encode_json({ url => "https://$_.test/" }),
                                   'Content-Type' => 'application/json') }
                    1 .. 8;
    my @got = map { Scale::receive($_) } @begun;
    my %target = map { decode_json($_->{body})->{code} => 1 } @got;

    is(join(' ', map { $_->{code} } @got), join(' ', (201) x 8),
       'eight at once are made');
    is(keys %target, 8, 'each has its own code');

    Scale::sql('ALTER SEQUENCE draws RESTART');

    my $full = shorten('https://full.test/');

    is($full->{code}, 503, 'where ten draws find none it is a 503');
    like($full->{body}, qr/No free code was drawn/, 'that says so');
};

subtest 'a code that was asked for too early is found once it is made' => sub {
    Scale::sql('ALTER SEQUENCE draws RESTART 4000');
    is(visit('sam1000')->{code}, 404, 'it is a 404') for 1, 2;

    is(shorten('https://late.test/')->{json}{code}, 'sam1000', 'it is made');
    is(visit('sam1000')->{code}, 302, 'it is a 302');
};

subtest 'the most visited are listed, five seconds old at most' => sub {
    my $list = top();

    is($list->[0]{code}, $code, 'the first is the most visited');
    is($list->[0]{hits}, hits($code), 'with its visits');

    my $begun = time;

    visit($code) for 1 .. 10;
    Scale::wait_for(sub { hits($code) == $list->[0]{hits} + 10 }, 5);

    is_deeply(top(), $list, 'it is cached');
    ok(Scale::wait_for(sub { top()->[0]{hits} == $list->[0]{hits} + 10 }, 8),
       'and knows of later visits');
    cmp_ok(time - $begun, '<', 6.5, 'after five seconds');
};

subtest 'the list is a page, too' => sub {
    my $evil = decode_json(shorten('https://a.test/<b>')->{body})->{code};

    visit($evil);
    Scale::wait_for(sub { hits($evil) == 1 }, 5);

    my $page = Scale::get('/', Accept => 'text/html');

    is($page->{code}, 200, 'a browser gets it');
    is($page->{headers}{'content-type'}, 'text/html; charset=utf-8', 'as HTML');
    like($page->{headers}{'x-cache'}, qr/MISS/, 'read once');
    like($page->{body}, qr{^<!DOCTYPE html>.*<a href="/$code">}s,
         'with links to all');
    like($page->{body}, qr/&lt;b&gt;/, 'what visitors wrote is escaped');
    unlike($page->{body}, qr/<b>/, 'always');

    my $again = Scale::get('/');

    is($again->{body}, $page->{body}, 'the next one sees the same');
    like($again->{headers}{'x-cache'}, qr/HIT|LOCAL/, 'from the cache');
    is($again->{headers}{'content-type'}, 'text/html; charset=utf-8',
       'with its type');
    is(Scale::get('/', 'If-None-Match' => $again->{headers}{etag})->{code},
       304, 'and is told what it knows already');
};

done_testing();
