# Errors in a route are problem documents, elsewhere nginx's own pages.

use strict;
use warnings;
use lib 't/lib';
use IO::Uncompress::Gunzip qw(gunzip);
use Scale;
use Test::Nginx::Socket 'no_plan';

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<'END');
    gzip on;
    gzip_min_length 1;
    gzip_types application/problem+json;
END

    $block->set_value(config => <<'END');
        location /a { scale_route a; return 404; }
        location /plain { return 404; }
        location /b { scale_route b; client_max_body_size 3; root /none; }
        location /e { scale_route e; error_page 403 @mine; return 403; }
        location @mine { return 200 "reshaped"; }
END
});

add_response_body_check(sub {
    my ($block, $body) = @_;

    my $expected = $block->gunzipped_body;
    return if !defined $expected;

    gunzip(\$body => \my $plain);
    is($plain, $expected, $block->name . ' - gunzipped body');
});

no_shuffle();
run_tests();

__DATA__

=== TEST 1: an error in a route is a problem document that names the route
--- request
GET /a
--- error_code: 404
--- response_headers
Content-Type: application/problem+json
--- response_body
{"type":"about:blank","title":"Not Found","status":404,"route":"a"}
--- no_error_log
[error]



=== TEST 2: a problem document may be compressed
--- request
GET /a
--- more_headers
Accept-Encoding: gzip
--- error_code: 404
--- response_headers
Content-Encoding: gzip
--- gunzipped_body
{"type":"about:blank","title":"Not Found","status":404,"route":"a"}



=== TEST 3: nginx's own refusal of a large body is a problem document as well
--- request
POST /b
12345
--- error_code: 413
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "status":413



=== TEST 4: outside of routes nginx's own page stays
--- request
GET /plain
--- error_code: 404
--- response_headers
Content-Type: text/html
--- response_body_like: <center>



=== TEST 5: error_page reshapes an error of a route
--- request
GET /e
--- error_code: 403
--- response_body chomp
reshaped



=== TEST 6: the answer to HEAD has the document's headers and no body
--- request
HEAD /a
--- error_code: 404
--- response_headers
Content-Type: application/problem+json
--- response_body:
