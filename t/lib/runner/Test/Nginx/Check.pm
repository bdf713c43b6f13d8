package Test::Nginx::Check;

# The assertions: what each expecting section of a block adds to the plan.

use strict;
use warnings;
use Exporter qw(import);
use Test::More import => [qw(diag fail is like ok unlike)];
use Test::Nginx::Client qw(parse_response field);
use Test::Nginx::Util qw(bail_out expand log_lines skip_log wait_until);
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(check_error_log check_response);

our @Body;      # add_response_body_check()

# how long error.log may lag behind the response it belongs to

my $log_lag = 0.02;
my $log_patience = 1;


sub is_str
{
    my ($got, $expected, $title) = @_;

    return ref $expected ? like($got, $expected, $title)
                         : is($got, $expected, $title);
}


# Blocks of several requests have arrays of expectations.

sub expected
{
    my ($block, $section, $index) = @_;

    my $value = $block->$section;

    return ref $value eq 'ARRAY' ? $value->[$index // 0] : $value
        if !defined $index || ref $value eq 'ARRAY';

    bail_out($block->name, " - several requests, but \"--- $section\"",
             " is not an array");
}


# Returns the bytes behind the response.

sub check_response
{
    my ($block, $raw, $method, $index, $round) = @_;

    my ($response, $rest) = defined $block->http09
        ? ({ code => 200, headers => '', fields => [], body => $raw }, '')
        : parse_response($raw, $method);

    fail($block->name . ' - the last chunk is missing')
        if $response && $response->{broken};

    check_code($block, $response, $index);
    check_head($block, $response, $index);
    check_fields($block, $response, $index);
    check_body($block, $response, $index, $round);

    return $rest;
}


sub check_code
{
    my ($block, $response, $index) = @_;

    my $title = $block->name . ' - status code ok';
    my $code = $response ? $response->{code} : '';

    if (defined $block->error_code_like) {
        my $pattern = expected($block, 'error_code_like', $index);
        like($code, qr/$pattern/sm, $title);
        return;
    }

    is($code, defined $block->error_code
              ? expected($block, 'error_code', $index) : 200, $title);
}


sub check_head
{
    my ($block, $response, $index) = @_;

    my $name = $block->name;
    my $head = $response ? $response->{headers} : '';

    if (defined $block->raw_response_headers_like) {
        my $like = expected($block, 'raw_response_headers_like', $index);
        like($head, qr/$like/s, "$name - raw resp headers like");
    }

    if (defined $block->raw_response_headers_unlike) {
        my $unlike = expected($block, 'raw_response_headers_unlike', $index);
        unlike($head, qr/$unlike/s, "$name - raw resp headers unlike");
    }
}


# "Name: value", or "! Name" for a field that must be absent

sub check_fields
{
    my ($block, $response, $index) = @_;

    my $name = $block->name;
    my $like = !defined $block->response_headers;
    my $section = $like ? 'response_headers_like' : 'response_headers';
    return if !defined $block->$section;

    my %seen;

    for my $line (split /\n/, expected($block, $section, $index) // '') {
        $line =~ s/^\s+|\s+$//g;

        my $absent = $line =~ s/^!\s*//;
        my ($field, $value) = split /\s*:\s*/, $line, 2;
        next if $seen{$field // ''}++;

        my $found = $response ? field($response, $field) // '' : '';

        if ($absent) {
            unlike($response ? $response->{headers} : '',
                   qr/^\s*\Q$field\E\s*:/m,
                   "$name - header $field not present in the raw headers");

        } elsif ($like) {
            like($found, qr/^$value$/, "$name - header $field like ok");

        } else {
            is($found, expand($name, $value), "$name - header $field ok");
        }
    }
}


sub check_body
{
    my ($block, $response, $index, $round) = @_;

    my $name = $block->name;
    my $body = $response ? $response->{body} : undef;
    my $place = "(repeated req $round, req " . ($index // 0) . ')';

    if (defined $block->response_body) {
        my $expected = expected($block, 'response_body', $index);
        my $title = "$name - response_body - response is expected $place";

        ref $expected ? like($body, $expected, $title)
                      : is($body, expand($name, $expected), $title);

    } elsif (defined $block->response_body_like) {
        my $pattern = expected($block, 'response_body_like', $index);
        like($body, qr/$pattern/s, "$name - response_body_like $place");

    } elsif (defined $block->response_body_unlike) {
        my $pattern = expected($block, 'response_body_unlike', $index);
        unlike($body, qr/$pattern/s, "$name - response_body_unlike $place");
    }

    $_->($block, $body, $index // 0, $round, undef) for @Body;
}


# one pattern a line, a qr//, or an array of both

sub patterns
{
    my ($value) = @_;

    return if !defined $value;
    return grep { defined } @$value if ref $value eq 'ARRAY';
    return ref $value ? $value : grep { $_ ne '' } split /\n+/, $value;
}


sub matches
{
    my ($pattern, @lines) = @_;

    return scalar grep { ref $pattern ? $_ =~ $pattern
                                      : index($_, $pattern) >= 0 } @lines;
}


sub check_error_log
{
    my ($block, $round) = @_;

    my $name = $block->name;
    my @wanted = patterns(scalar $block->error_log);
    my @unwanted = patterns(scalar $block->no_error_log);
    my @lines;

    check_grep($block, $round) if defined $block->grep_error_log;

    sleep $log_lag if @unwanted;

    wait_until($log_patience, sub {
        @lines = log_lines();
        return !grep { !matches($_, @lines) } @wanted;
    });

    for my $pattern (@wanted) {
        ok(matches($pattern, @lines),
           "$name - pattern \"$pattern\" matches a line in error.log"
           . " (req $round)");
    }

    for my $pattern (@unwanted) {
        my ($line) = grep { matches($pattern, $_) } @lines;

        ok(!defined $line, "$name - pattern \"$pattern\" does not match"
                           . " a line in error.log (req $round)")
            or diag("but it matches: $line");
    }

    skip_log();
}


# the matched parts of the lines, one a line

sub check_grep
{
    my ($block, $round) = @_;

    my $pattern = $block->grep_error_log;
    $pattern = $pattern->[$round] if ref $pattern eq 'ARRAY';
    $pattern = qr/\Q$pattern\E/ if !ref $pattern;

    my $expected = $block->grep_error_log_out;
    $expected = $expected->[$round] if ref $expected eq 'ARRAY';
    defined $expected
        or bail_out($block->name, ' - grep_error_log_out is missing');

    my $found;

    wait_until($log_patience, sub {
        $found = join '', map { /$pattern/ ? "$&\n" : () } log_lines();
        return ref $expected ? $found =~ $expected : $found eq $expected;
    });

    is_str($found, $expected,
           $block->name . " - grep_error_log_out (req $round)");
}


1;
