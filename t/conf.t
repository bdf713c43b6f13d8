# What "nginx -t" says: every refusal is one line that quotes what was read,
# names the file and the line, and says what to write instead.
#
# "# <-" marks the line that has to be named.

use strict;
use warnings;
use lib 't/lib';
use Scale;
use Scale::Jwt;
use Test::More 'no_plan';
use Scale::Process qw(slurp);

my $dir = Scale::dir();
my $port = Scale::Process::free_port();
my $runs = 0;

# a label is not that long: no name server is asked
my $unknown = 'x' x 64;

open my $password, '>', "$dir/password" or die "$dir/password: $!\n";
print $password "secret\n";
close $password;

my $database = <<'END';
    scale_database main {
        server    127.0.0.1:5432;
        conninfo  "dbname=app user=api";
    }
END

my $cache = <<'END';
    scale_cache hot { server 127.0.0.1:11211; }
END


# nginx -t's output and the name of the file, for the content of http {}

sub verdict
{
    my ($http) = @_;

    my $base = $dir . '/' . ++$runs;
    my $modules = join '', map { "load_module $_;\n" }
                           split ' ', $ENV{TEST_NGINX_LOAD_MODULES};
    my $temp = join '', map { "    ${_}_temp_path $base.$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);

    open my $out, '>', "$base.conf" or die "$base.conf: $!\n";
    print $out <<"END";
${modules}worker_processes 2;
pid $base.pid;
error_log /dev/null;
events {}
http {
    access_log off;
$temp$http
}
END
    close $out;

    # nginx leaves its pools behind when it exits after a test
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (),
                                         'detect_leaks=0';

    my $text = `$ENV{TEST_NGINX_BINARY} -t -q -e /dev/null -c $base.conf 2>&1`;

    $text =~ s/^nginx: configuration file \Q$base\E.conf test failed\n//m;

    return ($text, "$base.conf");
}


sub marked_line
{
    my ($file) = @_;

    my @lines = split /\n/, slurp($file);
    my ($number) = grep { $lines[$_ - 1] =~ /# <-/ } 1 .. @lines;

    return $number // die "no line is marked\n";
}


sub line_of
{
    my ($file, $text) = @_;

    my @lines = split /\n/, slurp($file);
    my ($number) = grep { $lines[$_ - 1] =~ /\Q$text/ } 1 .. @lines;

    return $number;
}


sub refused
{
    my ($title, $http, $message) = @_;

    my ($text, $file) = verdict($http);
    my $line = marked_line($file);

    # of a block that holds blocks nginx says the first half before

    $text =~ s/\A(nginx: \[emerg\] unknown directive "\w+") in .*\n(?=\1)//;

    my $said = index($text, $message) >= 0
               && $text =~ /\Anginx: \[emerg\] .* in \Q$file\E:$line\n\z/;

    ok($said, $title) or diag("said: ${text}not:  $message in $file:$line");
}


sub accepted
{
    my ($title, $http) = @_;

    my ($text) = verdict($http);

    is($text, '', $title);
}


sub server
{
    my ($locations) = @_;

    return "server {\n listen 127.0.0.1:$port;\n$locations\n}\n";
}


# in a location, with back ends

sub route_refused
{
    my ($title, $location, $message) = @_;

    refused($title, $database . $cache
                    . server("location /x {\n$location\n}"), $message);
}


accepted('a configuration as it should be', $database . $cache
         . server(<<'END'));
    location /x {
        scale_route  x;
        scale_param  a  arg.a  int;
        scale_query  GET row "SELECT :a AS a, '$uri :b' AS b, now()::text";
        scale_query  POST none "SELECT :a" read;
        scale_cache_valid  1m missing=5s;
        scale_cache_key    "x/:a";
    }
END


# databases

refused('a database without a server', <<'END',
    scale_database main {                                       # <-
        conninfo "dbname=app";
    }
END
        'database "main" has no "server"; write "server host:port"');

refused('a database without a conninfo', <<'END',
    scale_database main {                                       # <-
        server 127.0.0.1;
    }
END
        'database "main" needs a "conninfo" such as "dbname=app user=api"');

refused('a conninfo that libpq does not understand', <<'END',
    scale_database main {                                       # <-
        server 127.0.0.1;
        conninfo "dbnam=app";
    }
END
        'conninfo of database "main": invalid connection option "dbnam"');

refused('two databases of one name', $database . <<'END',
    scale_database main {                                       # <-
    }
END
        'give one of them another name');

refused('an unknown directive of a database', <<'END',
    scale_database main {
        serve 127.0.0.1;                                        # <-
    }
END
        'unknown directive "serve" in this block; it knows server conninfo '
        . 'password_file connections queue zone max_lag idle lifetime '
        . 'timeout connect_timeout shard frozen');

for my $option (qw(weight=0 weight=101 weight=x zone= role=master backup)) {
    refused("a server with $option", <<"END",
    scale_database main {
        server 127.0.0.1 $option;                               # <-
    }
END
            'server knows weight= (1 to 100), zone= and role=primary|replica, '
            . "not \"$option\"");
}

refused('a lag that is of no use', <<'END',
    scale_database main {                                       # <-
        server 127.0.0.1;
        conninfo "dbname=app";
        max_lag 61s;
    }
END
        'max_lag of database "main" is more than 60s');


# identities

route_refused('an identity that is a setting of PostgreSQL', <<'END',
    scale_route x;
    scale_identity statement_timeout $http_x;                   # <-
    scale_query GET row "SELECT 1";
END
        '"statement_timeout" is not a setting of the application\'s own');
route_refused('an identity that nobody declared', <<'END',
    scale_route x;
    scale_identity app.user :me;                                # <-
    scale_query GET row "SELECT 1";
END
        'parameter ":me" is not declared');
route_refused('a write of one of several entries of a path', <<'END',
    scale_route post;
    scale_param id $id bigint required;
    scale_param host $http_host text;
    scale_query GET row "SELECT :id AS id, :host AS host";
    scale_query PUT row "SELECT :id AS id, :host AS host" write;  # <-
    scale_cache_valid 1m;
END
        'the key of route "post" holds ":host"', 'scale_cache_tags');

# versions

for my $bad ('column', 'version', 'column= ', 'body modified=x y',
             'modified=x column=y')
{
    route_refused("scale_etag $bad", <<"END",
    scale_route x;
    scale_etag $bad;                                            # <-
    scale_query GET row "SELECT 1";
END
        $bad =~ / \w+=?\w* / ? 'invalid number of arguments'
                            : 'takes body or column=name');
}

route_refused('scale_if_match without a GET that has the version', <<'END',
    scale_route x;
    scale_if_match optional;
    scale_query GET row "SELECT 1 AS version";
    scale_query PUT none "UPDATE t SET n = 1 WHERE v = :if_match";  # <-
END
        '":if_match" is for a write beside a GET that answers a row');
route_refused('a required If-Match that nothing is compared with', <<'END',
    scale_route x;
    scale_etag column=version;
    scale_if_match required;
    scale_query GET row "SELECT 1 AS version";
    scale_query PUT none "UPDATE t SET n = 1";                  # <-
END
        'this PUT requires If-Match and does not compare with it');
route_refused('a parameter of the name that scale_if_match declares', <<'END',
    scale_route x;
    scale_etag column=version;
    scale_if_match optional;
    scale_param if_match arg.x int;                             # <-
    scale_query GET row "SELECT 1 AS version";
    scale_query PUT none "UPDATE t SET n = 1 WHERE v = :if_match";
END
        '"if_match" is the parameter that scale_if_match declares');
route_refused('a GET that binds :if_match', <<'END',
    scale_route x;
    scale_etag column=version;
    scale_if_match optional;
    scale_query GET row "SELECT 1 AS version WHERE :if_match = 1";  # <-
END
        '":if_match" is for a write');
# batches

for my $bad ('100', 'max=0', 'max=x', 'max=301') {
    route_refused("scale_batch $bad", <<"END",
    scale_route x;
    scale_batch $bad;                                           # <-
    scale_query GET row "SELECT 1 AS id";
END
        'takes a number of elements up to 300');
}

route_refused('a batch of too many statements', <<'END',
    scale_route x;
    scale_batch max=200;                                        # <-
    scale_param a json.a int;
    scale_query POST none "INSERT INTO t VALUES (:a)";
    scale_query POST none "INSERT INTO u VALUES (:a)";
END
        'POST of route "x" cannot be a batch', 'more than 300');

# pages

for my $bad ('offset id max=5', 'keyset a,b,c,d,e max=5', 'keyset id max=0',
             'keyset id max=x', 'keyset id max=5 default=6', 'keyset id size=5',
             'keyset , max=5', 'keyset id max=20000')
{
    route_refused("scale_page $bad", <<"END",
    scale_route x;
    scale_page $bad;                                            # <-
    scale_query GET rows "SELECT 1 AS id";
END
        'takes keyset, up to 4 columns');
}

route_refused('a page of something else than a list', <<'END',
    scale_route x;
    scale_page keyset id max=5;                                 # <-
    scale_query GET row "SELECT 1 AS id";
END
        '"scale_page" is for a "scale_query GET rows"');
route_refused('a page without a secret', <<'END',
    scale_route x;
    scale_page keyset id max=5;                                 # <-
    scale_query GET rows "SELECT 1 AS id";
END
        '"scale_page" signs its cursors');

for my $bad ('on', 'optional ttl=0', 'optional ttl=x', 'required 5m') {
    route_refused("scale_idempotency $bad", <<"END",
    scale_route x;
    scale_idempotency $bad;                                     # <-
    scale_query GET row "SELECT 1";
END
        'takes off, optional or required, and maybe a time');
}

for my $shapes ('GET row, GET rows', 'PUT|PATCH value, PATCH|DELETE row') {
    my ($first, $last) = split /, /, $shapes;

    route_refused("two answers: $shapes", <<"END",
    scale_route x;
    scale_query $first "SELECT 1" read;
    scale_query POST row "SELECT 1";
    scale_query $last "SELECT 2" read;                          # <-
END
        'one statement of ' . ($shapes =~ /^(GET)/ ? $1 : 'PATCH')
        . ' answers, and that of line');
}

accepted('statements of which one answers, the others say when nothing does',
         $database . server(<<'END'));
    location /x {
        scale_route x;
        scale_query PATCH none "UPDATE a SET n = 1" empty=404;
        scale_query PUT row "SELECT 1" empty=409;
        scale_query GET|PATCH|PUT row "SELECT 2";
        scale_query POST|PUT none "SELECT 3";
        scale_query POST row "SELECT 4";
    }
END

route_refused('scale_if_match with another word', <<'END',
    scale_route x;
    scale_if_match on;                                          # <-
    scale_query GET row "SELECT 1";
END
        'is off, optional or required');

route_refused('the same identity twice', <<'END',
    scale_route x;
    scale_identity app.user $http_x;
    scale_identity app.user $http_y;                            # <-
    scale_query GET row "SELECT 1";
END
        'sets the same twice on this level');
route_refused('a key without who asks', <<'END',
    scale_route x;
    scale_identity app.user $http_x;
    scale_query GET row "SELECT 1";
    scale_cache_valid 1m;
    scale_cache_key "x";                                        # <-
END
        'key "x" lacks ":app_user" of scale_identity');


# keys of an API, and whose an entry is

my $apikey = <<'END';
    scale_key api {
        query "SELECT owner FROM api_keys WHERE hash = :hash";
    }
END


sub key_refused
{
    my ($title, $block, $message) = @_;

    refused($title, $database . $cache . $block, $message);
}


# in a location, with back ends and a scale_key

sub asked_refused
{
    my ($title, $location, $message) = @_;

    refused($title, $database . $cache . $apikey
                    . server("location /x {\n$location\n}"), $message);
}


key_refused('a scale_key without a query', <<'END',
    scale_key api {                                             # <-
        header X-API-Key;
    }
END
        'scale_key "api" needs a "query" that binds :hash and nothing else, '
        . 'such as "SELECT id, plan FROM api_keys WHERE hash = :hash"');

key_refused('a query of a scale_key that binds something else', <<'END',
    scale_key api {                                             # <-
        query "SELECT 1 FROM api_keys WHERE hash = :hash AND id = :id";
    }
END
        'scale_key "api" needs a "query" that binds :hash and nothing else');

key_refused('a query of a scale_key that is no statement', <<'END',
    scale_key api {
        query fanout;                                           # <-
    }
END
        'has no statement: write it in quotes, or file=');

key_refused('a key in the URL', <<'END',
    scale_key api {
        query "SELECT 1 FROM api_keys WHERE hash = :hash";
        key $arg_key;                                           # <-
    }
END
        '"$arg_key" is of the URL, which is in logs: a key has no place there; '
        . 'take it from a request field');

key_refused('a key in two places', <<'END',
    scale_key api {                                             # <-
        query "SELECT 1 FROM api_keys WHERE hash = :hash";
        key $http_x_key;
        header X-API-Key;
    }
END
        'scale_key "api" has a "header" and a "key"; remove one');

key_refused('two scale_keys of one name', $apikey . <<'END',
    scale_key api {                                             # <-
    }
END
        'has the name of another; give one of them another name');

key_refused('a scale_key whose name has other characters', <<'END',
    scale_key "a b" {                                           # <-
    }
END
        'takes a name of letters, digits, "_", "-" and "."');

key_refused('an unknown directive of a scale_key', <<'END',
    scale_key api {
        ttl 1m;                                                 # <-
    }
END
        'unknown directive "ttl" in this block; it knows database cache query '
        . 'valid header key');

key_refused('a verdict that has no lifetime', <<'END',
    scale_key api {
        valid for ever;                                         # <-
    }
END
        '"valid" directive takes a lifetime of 1s to 27d, or off');

key_refused('a directive of a scale_key, twice', <<'END',
    scale_key api {
        cache a;
        cache b;                                                # <-
    }
END
        '"cache" directive is duplicate');

key_refused('a scale_key of a database that is not there', <<'END',
    scale_key api {                                             # <-
        database other;
        query "SELECT 1 FROM api_keys WHERE hash = :hash";
    }
END
        'route "api" has no database other; declare it by scale_database in '
        . 'http{}, and where there are several name it by "database"');

key_refused('a scale_key of a cache that is not there', <<'END',
    scale_key api {                                             # <-
        cache other;
        query "SELECT 1 FROM api_keys WHERE hash = :hash";
    }
END
        'route "api" has no cache other; name one of the declared ones by '
        . '"cache"');

refused('a scale_key of a database with shards', <<'END',
    scale_database main {
        conninfo "dbname=app";
        shard a { server 127.0.0.1:5432; buckets 0-511; }
        shard b { server 127.0.0.1:5433; buckets 512-1023; }
    }
    scale_key api {                                             # <-
        query "SELECT 1 FROM api_keys WHERE hash = :hash";
    }
END
        'scale_key "api" reads of a database with shards, and no shard has all '
        . 'keys; keep them in one without, and name that by "database"');

refused('a purge of a scale_key that keeps nothing',
        $database . $cache . $apikey . server(<<'END'),
    location /x {
        scale_route x;
        scale_query POST none "SELECT 1";
        scale_purge api hash=a;                                 # <-
    }
END
        'no cached route has the name "api"');

refused('a key that is that of a scale_key',
        $database . $cache . ($apikey =~ s/^    \}/        valid 1m;\n    }/mr)
        . server(<<'END'),
    location /x {
        scale_route api;                                        # <-
        scale_param id arg.id int;
        scale_query GET row "SELECT :id";
        scale_cache_valid 1m;
    }
END
        'key "api" is already that of another statement');

asked_refused('a scope that is none', <<'END',
    scale_cache_scope shared;                                   # <-
END
        '"scale_cache_scope" directive is private or public');

asked_refused('a scope, twice', <<'END',
    scale_cache_scope public;
    scale_cache_scope private;                                  # <-
END
        '"scale_cache_scope" directive is duplicate');

asked_refused('a key of its own where only some are let in', <<'END',
    scale_route x;
    scale_auth key;
    scale_query GET row "SELECT 1";
    scale_cache_valid 1m;
    scale_cache_key "x";                                        # <-
END
        'key "x" lacks ":identity", so one would get what another may see; add '
        . 'it to the key, or write "scale_cache_scope public" if all may see '
        . 'all of it');

asked_refused('a key of its own where GET binds who asks', <<'END',
    scale_route x;
    scale_param me key.owner int;
    scale_query GET row "SELECT :me";
    scale_cache_valid 1m;
    scale_cache_key "x/:me";                                    # <-
END
        'key "x/:me" lacks ":identity"');

asked_refused('an answer for all of who asks', <<'END',
    scale_route x;
    scale_auth key;
    scale_cache_scope public;
    scale_param me key.owner int;
    scale_query GET row "SELECT :me";                           # <-
    scale_cache_valid 1m;
END
        'route "x" is "scale_cache_scope public", and its GET binds ":me", '
        . 'which says who asks; remove one');

asked_refused('an answer for all of a setting\'s parameter', <<'END',
    scale_route x;
    scale_cache_scope public;
    scale_param me header.x-user int;
    scale_identity app.user :me;
    scale_query GET row "SELECT :me";                           # <-
    scale_cache_valid 1m;
END
        'and its GET binds ":me", which says who asks; remove one');

asked_refused('a parameter that has the name of who asks', <<'END',
    scale_route x;
    scale_auth key;
    scale_param identity arg.identity int;                      # <-
    scale_query GET row "SELECT :identity";
END
        '":identity" is whoever asks, by scale_auth; give this parameter '
        . 'another name');

asked_refused('an answer of those who are let in, for a CDN', <<'END',
    scale_route x;
    scale_auth key;
    scale_cache_scope public;
    scale_query GET row "SELECT 1";
    scale_cache_valid 1m;
    scale_cdn on shared;                                        # <-
END
        'route "x" depends on who asks, by scale_auth, and cannot be '
        . '"scale_cdn shared"; remove one');

asked_refused('a write that stores for all what one may see', <<'END',
    scale_route x;
    scale_cache_scope public;
    scale_identity app.user $remote_user;
    scale_query GET row "SELECT 1";
    scale_query PATCH row "UPDATE t SET a = 1 RETURNING 1" store; # <-
    scale_cache_valid 1m;
END
        'GET runs without the identity that it has; remove "store"');

accepted('keys of an API, and entries of their own', $database . $cache
         . $apikey . server(<<'END'));
    scale_auth key;
    scale_cache_valid 1m;
    location /x {
        scale_route  x;
        scale_param  id  arg.id  int;
        scale_query  GET row "SELECT :id";
        scale_cache_key "x/:identity/:id";
    }
    location /y {
        scale_cache_scope public;
        scale_route  y;
        scale_query  GET row "SELECT 1";
        if ($arg_z) { add_header X-Z 1; }
    }
END


# shards

sub shards
{
    my ($blocks) = @_;

    return "    scale_database main {\n conninfo \"dbname=app\";\n$blocks }\n";
}


# the fault is of the database as a whole

sub database_refused
{
    my ($title, $blocks, $message) = @_;

    refused($title, shards($blocks) =~ s/main \{/$& # <-/r, $message);
}

my $first = 'shard { server 127.0.0.1:5432; buckets 0-511; }';
my $second = 'shard { server 127.0.0.1:5433; buckets 512-1023; }';

accepted('two shards, and what is frozen',
         shards("$first $second frozen buckets 0-99 700;"));
accepted('shards by range', shards(<<'END'));
    shard a-m { server 127.0.0.1;      range "" N; }
    shard n-z { server 127.0.0.1:5433; range N ""; }
    frozen range B C;
END
accepted('a shard of several servers and buckets', shards(<<'END'));
    shard x {
        server  127.0.0.1;
        server  127.0.0.1:5433 weight=2;
        buckets 0-99 200-1023;
        buckets 100-199;
    }
END

refused('an unknown directive of a shard', shards(<<'END'),
    shard {
        serve 127.0.0.1;                                        # <-
    }
END
        'unknown directive "serve" in this block; it knows server buckets '
        . 'range');
refused('a shard that is no block', shards(<<'END'),
    shard one;                                                  # <-
END
        'directive "shard" has no opening "{"');
refused('a shard without a server', shards(<<"END"),
    $first
    shard {                                                     # <-
        buckets 512-1023;
    }
END
        'shard "main/2" has no "server"; write "server host:port"');
refused('two shards of one name', shards(<<'END'),
    shard a { server 127.0.0.1; }
    shard a {                                                   # <-
    }
END
        'shard "a" has the name of another; give each a name, or none');
refused('a shard with a name that is none', shards(<<'END'),
    shard a/b {                                                 # <-
    }
END
        '"a/b" cannot name a shard; a name has letters, digits, "_", "-" and '
        . '"."');
refused('a bucket of two shards', shards(<<"END"),
    $first
    shard {
        buckets 511-1023;                                       # <-
    }
END
        'bucket 511 is of shard "1" already; leave it to one of them');
refused('a bucket that is none', shards(<<'END'),
    shard {
        buckets 0-1024;                                         # <-
    }
END
        '"0-1024" names no buckets; write a number of 0 to 1023, or two such '
        . 'as 0-511');
refused('something frozen that is neither', shards(<<'END'),
    frozen bucket 7;                                            # <-
END
        '"frozen" directive takes what a shard holds, such as '
        . '"frozen buckets 0-99;" or "frozen range A N;"');
refused('a range from back to front', shards(<<'END'),
    shard {
        range N A;                                              # <-
    }
END
        '"range" directive takes the first text it holds and the first one it '
        . 'does not, such as "range A N;"; "" is an open end');

database_refused('servers beside shards', "server 127.0.0.1; $first $second",
                 'database "main" has servers beside its shards; write each '
                 . '"server" into a "shard" block');
database_refused('frozen without shards',
                 'server 127.0.0.1; frozen buckets 1;',
                 'database "main" has "frozen" and no shards');
database_refused('buckets that are nobody\'s',
                 "$first shard { server 127.0.0.1; buckets 600-1023; }",
                 'buckets 512-599 of database "main" have no shard; give them '
                 . 'to one');
database_refused('buckets and ranges',
                 "$first shard { server 127.0.0.1; range N \"\"; }",
                 'database "main" has both "buckets" and "range"; leave one '
                 . 'kind');
database_refused('a range that is frozen where buckets are held',
                 "$first $second frozen range A B;",
                 'database "main" has both "buckets" and "range"; leave one '
                 . 'kind');
database_refused('keys that are in no range',
                 'shard { server 127.0.0.1; range "" M; }'
                 . 'shard { server 127.0.0.1:5433; range N ""; }',
                 'keys of database "main" from "M" to "N" are in no range; '
                 . 'give them to a shard');
database_refused('a key that is in two ranges',
                 'shard { server 127.0.0.1; range "" N; }'
                 . 'shard { server 127.0.0.1:5433; range M ""; }',
                 'key "M" of database "main" is in two ranges; leave it to '
                 . 'one of them');


# a location on two shards, or on another database

sub shard_route
{
    my ($location, $on) = @_;

    return ($on // shards("$first $second"))
           . server("location /x {\n scale_route x;\n"
                    . "scale_param id arg.id bigint;\n$location\n}");
}

my $by_name = shards('shard { server 127.0.0.1; range "" ""; }');

accepted('a key, and reads of all', shard_route(<<'END'));
    scale_shard_key :id;
    scale_query GET rows "SELECT 1 AS n, :id" fanout sort=n:desc,a limit=:id;
    scale_query POST rows "SELECT 1 AS n" read fanout=partial limit=5;
    scale_query PUT none "DELETE FROM a WHERE id = :id";
    scale_query PUT row "SELECT 1 WHERE :id = 1";
END
accepted('a key and a read of all where there are no shards',
         shard_route(<<'END', $database));
    scale_shard_key :id;
    scale_query GET rows "SELECT 1 AS n" fanout sort=n;
    scale_query PUT none "DELETE FROM a WHERE id = :id";
END
accepted('a key that policies bind', shard_route(<<'END'));
    scale_shard_key :app_tenant;
    scale_identity app.tenant $http_x;
    scale_query GET rows "SELECT id FROM a WHERE id > :id";
END
refused('no key where there are shards', shard_route(<<'END'),
    scale_query GET row "SELECT :id";                           # <-
END
        'database "main" has shards, and nothing says which one this GET is '
        . 'for; write "scale_shard_key :param;" and bind it, or add "fanout" '
        . 'to read from all');
refused('a statement that does not bind the key', shard_route(<<'END'),
    scale_shard_key :id;
    scale_query PUT none "DELETE FROM a WHERE id = :id";
    scale_query PUT row "SELECT 1";                             # <-
END
        'this statement does not bind ":id", the key of its shard '
        . '(scale_shard_key); bind it, or add "fanout" to read from all');
refused('a key that is not declared', shard_route(<<'END', $database),
    scale_shard_key :author;                                    # <-
    scale_query GET row "SELECT :id";
END
        'parameter ":author" is not declared');
refused('a key that is no parameter', shard_route(<<'END'),
    scale_shard_key id;                                         # <-
END
        '"scale_shard_key" directive takes parameters, such as '
        . '"scale_shard_key :author;"');
refused('a key of a type with many spellings', shard_route(<<'END'),
    scale_shard_key :a;                                         # <-
    scale_param a arg.a numeric;
    scale_query GET row "SELECT :id, :a";
END
        '":a" cannot be a shard\'s key; its type has to be int, bigint, text, '
        . 'uuid or date');
refused('a number as the key of a range', shard_route(<<'END', $by_name),
    scale_shard_key :id;                                        # <-
    scale_query GET row "SELECT :id";
END
        '":id" cannot be a shard\'s key in a range; its type has to be text, '
        . 'uuid or date');
refused('two parameters as the key of a range', shard_route(<<'END', $by_name),
    scale_shard_key :a :b;                                      # <-
    scale_param a arg.a text;
    scale_param b arg.b text;
    scale_query GET row "SELECT :id, :a, :b";
END
        'the ranges of database "main" are of one parameter');
refused('a write to all shards', shard_route(<<'END'),
    scale_query POST rows "DELETE FROM a WHERE :id = 1" fanout; # <-
END
        'a statement with "fanout" writes; write to one shard by its key, or '
        . 'add "read"');
refused('one row of all shards', shard_route(<<'END'),
    scale_query GET row "SELECT :id" fanout;                    # <-
END
        'a statement with "fanout" has another shape than rows; only rows can '
        . 'be joined');
refused('two statements of which one is for all', shard_route(<<'END'),
    scale_shard_key :id;
    scale_query GET none "SELECT :id";
    scale_query GET rows "SELECT 1" fanout;                     # <-
END
        'a statement with "fanout" is one of several statements');
refused('a fanout that is none', shard_route(<<'END'),
    scale_query GET rows "SELECT :id" fanout=all;               # <-
END
        'takes fanout, or fanout=partial');
refused('a sort without a column', shard_route(<<'END'),
    scale_query GET rows "SELECT :id" fanout sort=a,;           # <-
END
        'takes the columns of its ORDER BY as sort=, such as '
        . '"sort=created:desc,id"');
refused('a limit of nothing', shard_route(<<'END'),
    scale_query GET rows "SELECT :id" fanout limit=0;           # <-
END
        'takes the number of its LIMIT as limit=, or its parameter, such as '
        . '"limit=50" or "limit=:n"');
refused('a limit that is not bound', shard_route(<<'END'),
    scale_query GET rows "SELECT 1" fanout limit=:id;           # <-
END
        'limit= takes an int or bigint that the statement binds as its LIMIT, '
        . 'which ":id" is not');
refused('a limit of one shard', shard_route(<<'END'),
    scale_shard_key :id;
    scale_query GET rows "SELECT :id" limit=5;                  # <-
END
        'takes sort= and limit= with "fanout" only');


# secrets and consistency

sub secret_file
{
    my ($content) = @_;

    open my $out, '>', Scale::dir() . '/secret' or die;
    print $out $content;
    close $out;

    return 'scale_secret_file ' . Scale::dir() . "/secret;  # <-\n";
}

my $secret = 'secret of the tests';

accepted('two secrets', secret_file("$secret, new\n$secret\n") =~ s/#.*//r);
refused('a short secret', secret_file("0123456789abcde\n"),
        'has a line of less than 16 characters');
refused('three secrets', secret_file("$secret\n" x 3),
        'has more than two lines');
refused('an empty secret', secret_file("\n"),
        'is empty; make one by "openssl rand -base64 32"');
refused('a long secret', secret_file('x' x 2000), 'has more than 1023 bytes');
refused('a secret that is not there', "scale_secret_file /none;  # <-\n",
        'open() "/none" failed');
refused('two files of secrets',
        secret_file("$secret\n") =~ s/#.*//r . secret_file("$secret\n"),
        '"scale_secret_file" directive is duplicate');

refused('a consistency that is none', $database
        . "scale_consistency eventual;  # <-\n",
        '"scale_consistency" directive is strict, bounded or primary');
refused('a wait where nobody waits', $database
        . "scale_consistency strict wait=1s;  # <-\n",
        'takes wait= after bounded');

route_refused('bounded without a secret', <<'END',
    scale_route x;                                              # <-
    scale_consistency bounded;
    scale_query GET row "SELECT 1";
END
        'route "x" is "scale_consistency bounded", whose tokens are signed; '
        . 'write "scale_secret_file path;" in http{}');

refused('too many arguments of a block\'s directive', <<'END',
    scale_cache hot {
        server 127.0.0.1 weight=1 gutter fast;                  # <-
    }
END
        '"server" takes 1 to 3 arguments, 4 are given');

refused('a server without an address', <<'END',
    scale_database main {
        server 127.0.0.1:99999;                                 # <-
    }
END
        'server "127.0.0.1:99999": invalid port');

refused('a unix socket that is not a PostgreSQL one', <<'END',
    scale_database main {
        server unix:/run/postgresql;                            # <-
    }
END
        'write unix:<directory>/.s.PGSQL.<port>');

refused('a conninfo given twice', <<'END',
    scale_database main {
        conninfo "dbname=a";
        conninfo "dbname=b";                                    # <-
    }
END
        '"conninfo" directive is duplicate');

refused('connections given twice', <<'END',
    scale_database main {
        connections 16;
        connections 17;                                         # <-
    }
END
        '"connections" directive is duplicate');

refused('a timeout given twice', <<'END',
    scale_database main {
        timeout 1s;
        timeout 2s;                                             # <-
    }
END
        '"timeout" directive is duplicate');

refused('a queue given twice', <<'END',
    scale_database main {
        queue 10;
        queue 20;                                               # <-
    }
END
        '"queue" directive is duplicate');

refused('a password file given twice', <<"END",
    scale_database main {
        password_file $dir/password;
        password_file $dir/password;                            # <-
    }
END
        '"password_file" directive is duplicate');

refused('connections that are no number', <<'END',
    scale_database main {
        connections many;                                       # <-
    }
END
        '"connections" takes a number from 1, not "many"');

refused('a timeout of nothing', <<'END',
    scale_database main {
        timeout 0;                                              # <-
    }
END
        '"timeout" takes a time such as 500ms or 2s, not "0"');

refused('a time with an unknown unit', <<'END',
    scale_database main {
        connect_timeout 2fortnights;                            # <-
    }
END
        'takes a time such as 500ms or 2s, not "2fortnights"');

refused('a queue of no size', <<'END',
    scale_database main {
        queue 0;                                                # <-
    }
END
        '"queue" directive takes a number of operations and timeout=, such as '
        . '"queue 1024 timeout=500ms;"');

refused('a queue with an unknown option', <<'END',
    scale_database main {
        queue 10 time=1s;                                       # <-
    }
END
        'such as "queue 1024 timeout=500ms;"');

accepted('a name that nobody knows, where there is a resolver', <<"END");
    resolver 127.0.0.1;
    scale_database main {
        server    $unknown;
        conninfo  "dbname=app";
    }
    scale_cache hot { server $unknown:11211; }
END

refused('the same without one', <<"END",
    scale_database main {
        server    $unknown;                                     # <-
        conninfo  "dbname=app";
    }
END
        qq(server "$unknown": host not found));

for my $block ('scale_cache hot { server 127.1; }',
               'scale_database main { server 127.1; conninfo "dbname=app"; }')
{
    my ($text, $file) = verdict("$block\n");

    is($text, 'nginx: [warn] server "127.1" is resolved once, when nginx starts'
              . ' or reloads; write "resolver" and a name server in http{} to'
              . ' have its name followed in ' . "$file:" . line_of($file, '127.1')
              . "\n", 'a name without a resolver: a warning');
}

accepted('localhost without one', <<'END');
    scale_cache hot { server localhost; }
END

refused('a password file that is not there', <<'END',
    scale_database main {
        password_file /nonexistent/password;                    # <-
    }
END
        'open() "/nonexistent/password" failed (2: No such file');

refused('an empty password file', <<'END',
    scale_database main {
        password_file /dev/null;                                # <-
    }
END
        '"/dev/null" must hold the password and nothing else');

refused('fewer connections than the workers need', <<'END',
    scale_database main {                                       # <-
        server 127.0.0.1;
        conninfo "dbname=app";
        connections 7;
    }
END
        '"connections 7" of database "main" are too few for 2 workers, which '
        . 'need 5 each; write at least 10, or fewer worker_processes');

for my $conninfo ('dbname=app password=open sesame',
                  'postgresql://api:sesame@[::1/app')
{
    my ($text) = verdict(<<"END");
    scale_database main {
        server 127.0.0.1;
        conninfo "$conninfo";
    }
END
    like($text, qr/conninfo of database "main": .*put the password into/,
         'a conninfo with a password is not understood');
    unlike($text, qr/sesame/, 'and nothing of the password is shown');
}


for (['a password', 'dbname=app password=sesame',
      'it holds a password; put that into a file of its own and name it by '
      . 'password_file'],
     ['a host', 'dbname=app host=127.0.0.1', 'it names a server; write that '
      . 'as "server host:port", and here such as "dbname=app user=api"'],
     ['a URL with a host', 'postgresql://api@127.0.0.1/app',
      'it names a server'])
{
    my ($title, $conninfo, $message) = @$_;

    refused("a conninfo that holds $title", <<"END",
    scale_database main {                                       # <-
        server 127.0.0.1;
        conninfo "$conninfo";
    }
END
            qq(conninfo of database "main": $message));
}


# caches

refused('a cache without a server', <<'END',
    scale_cache hot {                                           # <-
    }
END
        'cache "hot" needs 1 to 64 "server" lines');

refused('two caches of one name', $cache . <<'END',
    scale_cache hot {                                           # <-
    }
END
        'give one of them another name');

refused('a weight that is no number', <<'END',
    scale_cache hot {
        server 127.0.0.1 weight=heavy;                          # <-
    }
END
        'server knows weight= (1 to 1000) and gutter, not "weight=heavy"');

refused('a server twice', <<'END',
    scale_cache hot {
        server 127.0.0.1:11211;
        server 127.0.0.1:11211 weight=2;                        # <-
    }
END
        '"server" directive names a server twice; leave one');

refused('a cache with a gutter only', <<'END',
    scale_cache hot {                                           # <-
        server 127.0.0.1 gutter;
    }
END
        'cache "hot" has "gutter" servers only; they take the place of others');

refused('a memcached without an address', <<'END',
    scale_cache hot {
        server 127.0.0.1:port;                                  # <-
    }
END
        'server "127.0.0.1:port": invalid port');

# the wire to memcached

sub wire_refused
{
    my ($title, $line, $message, $server) = @_;

    $server //= '127.0.0.1:11211';

    refused($title, <<"END", $message);
    scale_cache hot {
        server $server;
        $line  # <-
    }
END
}


sub file
{
    my ($name, $text) = @_;

    open my $out, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $out $text;
    close $out;

    return "$dir/$name";
}


accepted('a wire as it should be', <<'END');
    scale_cache hot  { server 127.0.0.1:11211; tls on; }
    scale_cache mild { server unix:/run/a; tls on name=a.test; }
    scale_cache cold { server unix:/run/b weight=2; tls on verify=off; }
END

accepted('a user and a password', 'scale_cache hot { server 127.0.0.1;'
         . ' auth_file ' . file('auth', "app:secret\n") . '; }');

wire_refused('TLS that is neither on nor off', 'tls off;',
             '"tls" directive takes "on" and what belongs to it');
wire_refused('TLS twice', "tls on verify=off; tls on;",
             '"tls" directive is duplicate');
wire_refused('an unknown argument of TLS', 'tls on verify=on;',
             '"tls" knows ca=, name=, cert=, key= and verify=off, not '
             . '"verify=on"');
wire_refused('an argument of TLS without a value', 'tls on ca=;',
             'not "ca="');
wire_refused('an argument of TLS twice', 'tls on name=a name=b;',
             '"tls" directive has an argument twice');
wire_refused('a certificate without a key', "tls on cert=$dir/password;",
             '"tls" directive takes cert= and key= together');
wire_refused('a name that is not compared', 'tls on verify=off name=a;',
             '"tls" directive takes verify=off without ca= and name=');
wire_refused('an authority that is not there', 'tls on ca=/none;',
             '"/none" holds no certificates (');
wire_refused('an authority that is none', "tls on ca=$dir/password;",
             "\"$dir/password\" holds no certificates (");
wire_refused('a certificate that is none',
             "tls on cert=$dir/password key=$dir/password;",
             "\"$dir/password\" holds no certificate (");

refused('a certificate of a unix domain socket', <<'END',
    scale_cache hot {                                           # <-
        server 127.0.0.1:11211;
        server unix:/run/memcached.sock;
        tls on;
    }
END
        'server "unix:/run/memcached.sock" has no host name that its '
        . 'certificate could hold; write "tls on name=", or verify=off');

wire_refused('a file of a user and a password that is not there',
             'auth_file /none;', '"/none" failed');
wire_refused('a file without a user', 'auth_file ' . file('auth1', "secret\n")
             . ';', 'auth1" holds no line "user:password"');
wire_refused('a file of two users',
             'auth_file ' . file('auth2', "a:b\nc:d\n") . ';',
             'auth2" holds more than a line "user:password"');
wire_refused('a password that is too long',
             'auth_file ' . file('auth3', 'a:' . 'b' x 300) . ';',
             'auth3" has more than 250 bytes');
wire_refused('two files of a user and a password',
             "auth_file $dir/auth; auth_file $dir/auth;",
             '"auth_file" directive is duplicate');

refused('a ring of another kind', <<'END',
    scale_cache hot {
        ring consul=main;                                       # <-
    }
END
        '"ring" directive is "ring zone", for one web node, or "ring '
        . 'database=name", for several');

refused('two rings', <<'END',
    scale_cache hot {
        ring zone;
        ring database=main;                                     # <-
    }
END
        '"ring" directive is duplicate');

refused('a ring in a database that does not exist', <<'END',
    scale_cache hot {                                           # <-
        server 127.0.0.1;
        ring   database=main;
    }
END
        'cache "hot" has "ring database=main", and there is no such '
        . 'scale_database');

for my $local ('local 32k', 'local 1023k', 'local much', 'local 32m ttl=',
               'local 32m ttl=0', 'local 32m ttl=2d', 'local 32m for=1s')
{
    refused("\"$local\"", <<"END",
    scale_cache hot {
        server 127.0.0.1;
        $local;                                                 # <-
    }
END
            '"local" directive takes a size of at least 1m, and ttl= of 1ms '
            . 'to 1d, such as "local 32m ttl=1m;"');
}

refused('two local tiers of a cache', <<'END',
    scale_cache hot {
        server 127.0.0.1;
        local 1m;
        local 2m;                                               # <-
    }
END
        '"local" directive is duplicate');

refused('a block in a block', <<'END',
    scale_cache hot {
        server {                                                # <-
        }
    }
END
        'unexpected "{"');

refused('a zone that is too small', <<'END',
    scale_zone 4k;                                              # <-
END
        'takes a size of at least 128k, such as "scale_zone 8m;"');

refused('a size with an unknown unit', <<'END',
    scale_zone 8mb;                                             # <-
END
        'takes a size of at least 128k, such as "scale_zone 8m;"');

refused('a zone given twice', <<'END',
    scale_zone 8m;
    scale_zone 8m;                                              # <-
END
        '"scale_zone" directive is duplicate');


# which of them is used

refused('a route without a database', server(<<'END'),
    location /x {
        scale_route x;                                          # <-
        scale_query GET row "SELECT 1";
    }
END
        'route "x" has no database; declare it by scale_database in http{}');

refused('a database that is not declared', $database . server(<<'END'),
    scale_use database=other;
    location /x {
        scale_route x;                                          # <-
        scale_query GET row "SELECT 1";
    }
END
        'route "x" has no database other; declare it by scale_database in '
        . 'http{}');

refused('a cache that is not declared', $database . $cache . server(<<'END'),
    location /x {
        scale_use cache=other;
        scale_route x;                                          # <-
        scale_query GET row "SELECT 1";
    }
END
        'route "x" has no cache other; name one of the declared ones by '
        . 'scale_use cache=');

refused('several caches and none chosen', $database . $cache . <<'END'
    scale_cache cold { server 127.0.0.1:11212; }
END
        . server(<<'END'),
    location /x {
        scale_route x;                                          # <-
        scale_query GET row "SELECT 1";
    }
END
        'route "x" has no cache; name one of the declared ones by scale_use '
        . 'cache=');

refused('an unknown kind of back end', <<'END',
    scale_use queue=main;                                       # <-
END
        'scale_use knows database=, cache=, session=, jwt= and key=, not "queue=main"');

refused('one kind of back end named twice', <<'END',
    scale_use database=a database=b;                            # <-
END
        'names the same kind twice; leave one');

refused('a deadline that is no time', <<'END',
    scale_deadline soon;                                        # <-
END
        '"scale_deadline" directive takes a time such as 500ms or 10s');

refused('a deadline of nothing', <<'END',
    scale_deadline 0;                                           # <-
END
        '"scale_deadline" directive takes a time such as 500ms or 10s');


# routes

route_refused('a statement without a route', <<'END',
    scale_query GET row "SELECT 1";                             # <-
END
        'a location with scale_query or scale_session_end needs a '
        . 'scale_route');

refused('a nested location that borrows its route', $database . $cache
        . server(<<'END'),
    location /x {
        scale_route x;
        scale_query GET row "SELECT 1";

        location /x/y {
            scale_query GET row "SELECT 2";                     # <-
        }
    }
END
        'a location with scale_query or scale_session_end needs a '
        . 'scale_route');

route_refused('a route given twice', <<'END',
    scale_route x;
    scale_route y;                                              # <-
END
        '"scale_route" directive is duplicate');

route_refused('a route\'s name with other characters', <<'END',
    scale_route "a b";                                          # <-
END
        '"a b" cannot name a route; a name has letters, digits, "_", "-" and '
        . '"."');

route_refused('a route without a name', <<'END',
    scale_route "";                                             # <-
END
        '"" cannot name a route; a name has letters, digits, "_", "-" and '
        . '"."');


route_refused('a route that another directive answers, too', <<'END',
    proxy_pass http://127.0.0.1;
    scale_route x;                                              # <-
    scale_query GET row "SELECT 1";
END
        'route "x" has scale_query and another directive that answers, such '
        . 'as proxy_pass; remove one, or give each a location');


# parameters

route_refused('a parameter of a variable that there is none of', <<'END',
    scale_route x;
    scale_param id $id bigint;                                  # <-
    scale_query GET row "SELECT :id";
END
        'there is no variable "$id"; capture it, such as "location ~ '
        . '^/x/(?<id>[^/]+)$", or write arg.id or json.id if the request '
        . 'brings it so');

route_refused('a parameter of text with such a variable', <<'END',
    scale_route x;
    scale_param id "$host-${idd}" text;                         # <-
    scale_query GET row "SELECT :id";
END
        'there is no variable "$idd"; capture it');

accepted('parameters of variables of any kind', 'map $uri $mapped { a b; }'
         . $database . server(<<'END'));
    set $own 1;
    location ~ ^/(?<Part>x)(y)$ {
        scale_route  x;
        scale_param  a  $arg_a      int;
        scale_param  b  $mapped     int;
        scale_param  c  $own        int;
        scale_param  d  $part       int;
        scale_param  e  $2          int;
        scale_param  f  "$scheme://${remote_addr}-$part"  text;
        scale_query  GET row "SELECT :a, :b, :c, :d, :e, :f";
    }
END

route_refused('a parameter without a type', <<'END',
    scale_param a arg.a;                                        # <-
END
        'a parameter takes a name, a source and a type, such as '
        . '"id arg.id int"');

route_refused('a parameter of an unknown type', <<'END',
    scale_param a arg.a integer;                                # <-
END
        'scale_param "a": "integer" is not a type; use one of bool int bigint '
        . 'numeric float8 text uuid date timestamptz json jsonb bytea, or '
        . 'such an array as text[]');

route_refused('an array of what has none', <<'END',
    scale_param a json.a json[];                                # <-
END
        'there are no arrays of json');

route_refused('a parameter of an unknown source', <<'END',
    scale_param a query.a int;                                  # <-
END
        '"query.a" is not a source; use arg.name, header.name, json, '
        . 'json.path, body, session.name, jwt.path, key.name, presign.name or '
        . 'text with a '
        . '$variable');

route_refused('a parameter of a session that is not declared', <<'END',
    scale_route r;
    scale_param a session.user int;                             # <-
    scale_query GET value "SELECT :a::int";
END
        'route "r" asks who it is by a session, and there is no scale_session; '
        . 'declare it in http{}');

route_refused('a token where there is no scale_jwt', <<'END',
    scale_route r;
    scale_auth jwt;                                             # <-
    scale_query GET value "SELECT 1";
END
        'and there is no scale_jwt; declare it in http{}');

route_refused('an identity of another kind', <<'END',
    scale_auth session|basic;                                   # <-
END
        'is none, or one or more of session, jwt and key, such as '
        . '"scale_auth session|jwt;"');

# keys of tokens

my $es = Scale::Jwt::key($dir, 'ES256');

my @unfit = (
    ['that are not there', 'key_file', '/nonexistent/key.pem',
     '"/nonexistent/key.pem" cannot be read (2: No such file or directory)'],
    ['in no file', 'jwks_file', $dir,
     'cannot be read (21: Is a directory)'],
    ['that are none', 'key_file', file('none.pem', "none\n"),
     'is no PEM file, or is cut off'],
    ['of RSA with 1024 bits', 'key_file',
     Scale::Jwt::key($dir, 'RS256_short')->{public},
     'has an RSA key of less than 2048 bits'],
    ['of another curve', 'key_file', Scale::Jwt::key($dir, 'ES384')->{public},
     'has an elliptic curve key that is not of P-256'],
    ['that are private', 'key_file', $es->{private},
     'has another part than a PUBLIC KEY, which is all that is needed here: '
     . '"openssl pkey -in file -pubout" writes it'],
    ['in a set that is none', 'jwks_file', file('none.json', '[]'),
     'is no JWK set, {"keys": [...]}, or is cut off'],
    ['of HS256 with 31 bytes', 'alg HS256; jwks_file',
     file('short.json', Scale::Jwt::jwks(Scale::Jwt::jwk(
                            Scale::Jwt::secret('x' x 31)))),
     'has a secret of less than 32 bytes'],
    ['of HS256 that nobody asked for', 'jwks_file',
     file('secret.json', Scale::Jwt::jwks(Scale::Jwt::jwk(
                             Scale::Jwt::secret('x' x 32)))),
     'has no key of "alg", which is RS256 ES256 EdDSA where it is not '
     . 'written'],
    ['of too much', 'jwks_file', file('long.json', ' ' x 65536),
     'has more than 65535 bytes'],
);

for (@unfit) {
    my ($title, $directive, $path, $message) = @$_;

    refused("keys $title", <<"END", $message);
    scale_jwt {
        $directive $path;                                       # <-
    }
END
}

refused('a token without keys', <<'END',
    scale_jwt staff {                                           # <-
        audience a;
    }
END
        'scale_jwt needs the keys of who signs: a "key_file" in PEM, or a '
        . '"jwks_file"');

for (['alg none', '"alg" directive knows RS256, ES256, EdDSA and HS256 only'],
     ['alg es256', 'such as "alg RS256 ES256;"'],
     ['leeway 2h', 'takes seconds up to an hour, such as "leeway 30s;"'],
     ['token cookie', 'takes a variable, such as "token $cookie_token;"'],
     ["key_file $es->{public} x", 'takes a path and maybe the keys\' name'],
     ['keys x', 'unknown directive "keys" in this block; it knows key_file '
                . 'jwks_file alg audience issuer leeway token'])
{
    my ($line, $message) = @$_;

    refused("scale_jwt with $line", <<"END", $message);
    scale_jwt {
        $line;                                                  # <-
    }
END
}

for my $again ('alg ES256', 'audience a', 'issuer a', 'leeway 1s',
               'token $cookie_a')
{
    refused("scale_jwt with $again twice", <<"END", 'is duplicate');
    scale_jwt {
        $again;
        $again;                                                 # <-
    }
END
}

refused('two of scale_jwt without a name', <<"END",
    scale_jwt { key_file $es->{public}; }
    scale_jwt {                                                 # <-
        key_file $es->{public};
    }
END
        'has the name of another, or both have none; give each a name');


route_refused('a path with an empty step', <<'END',
    scale_param a json.b..c int;                                # <-
END
        '"json.b..c" has an empty step; write one name between two dots');

route_refused('a parameter\'s name with other characters', <<'END',
    scale_param a-b arg.a int;                                  # <-
END
        '"a-b" cannot name a parameter; a name has letters, digits and "_"');

route_refused('a parameter declared twice', <<'END',
    scale_param a arg.a int;
    scale_param a arg.b int;                                    # <-
END
        'parameter "a" is declared twice on this level; remove one, or give '
        . 'it another name');

route_refused('an unknown option of a parameter', <<'END',
    scale_param a arg.a int optional;                           # <-
END
        '"optional" is not an option of a parameter; use required, default=, '
        . 'min=, max=, len=, pattern= or in=');

route_refused('an option given twice', <<'END',
    scale_param a arg.a int min=1 min=2;                        # <-
END
        '"min=" is given twice; leave one');

route_refused('a bound that is not of the type', <<'END',
    scale_param a arg.a int min=one;                            # <-
END
        '"min=one" must be an integer');

route_refused('a least above the most', <<'END',
    scale_param a arg.a int min=2 max=1;                        # <-
END
        '"min=2" is above "max=1"; exchange them');

route_refused('a bound of a text', <<'END',
    scale_param a arg.a text max=10;                            # <-
END
        '"max=" means nothing for text; use "len="');

route_refused('a length of a number', <<'END',
    scale_param a arg.a int len=10;                             # <-
END
        '"len=" means nothing for int; use "min=" and "max="');

route_refused('a length that is none', <<'END',
    scale_param a arg.a text len=10-5;                          # <-
END
        '"len=10-5" is not a length; write the most, len=10, or the least and '
        . 'the most, len=1-64k');

route_refused('a number of elements that is none', <<'END',
    scale_param a json.a text[] max=few;                        # <-
END
        '"max=few" is not a number; of an array it is the number of elements');

route_refused('a least number of elements', <<'END',
    scale_param a json.a text[] min=1;                          # <-
END
        'an array has no "min="; its elements are counted by "max="');

route_refused('a choice of nothing', <<'END',
    scale_param a arg.a text in=;                               # <-
END
        '"in=" has an empty value; write such as in=name|price');

route_refused('a choice with an empty value', <<'END',
    scale_param a arg.a text in=name|;                          # <-
END
        '"in=name|" has an empty value; write such as in=name|price');

route_refused('a choice that is not of the type', <<'END',
    scale_param a arg.a int in=1|two;                           # <-
END
        '"in=two" must be an integer');

route_refused('a choice of JSON', <<'END',
    scale_param a json.a json in=1|2;                           # <-
END
        '"in=" means nothing for json; remove it, or declare the parameter as '
        . 'text');

route_refused('a default that is not among the choices', <<'END',
    scale_param a arg.a text default=rank in=name|price;        # <-
END
        '"default=rank" must be one of name, price');

route_refused('a default that is too large', <<'END',
    scale_param a arg.a int default=50 min=1 max=10;            # <-
END
        '"default=50" must be 1 to 10');

route_refused('a pattern of JSON', <<'END',
    scale_param a json.a json pattern=^1;                       # <-
END
        '"pattern=" means nothing for json; remove it, or declare the '
        . 'parameter as text');

route_refused('an empty pattern', <<'END',
    scale_param a arg.a text pattern=;                          # <-
END
        '"pattern=" is empty; write a regular expression or remove it');

route_refused('a pattern that is no regular expression', <<'END',
    scale_param a arg.a text pattern=(a;                        # <-
END
        'missing closing parenthesis in "(a"');

route_refused('a default that is not of the type', <<'END',
    scale_param a arg.a int default=none;                       # <-
END
        '"default=none" must be an integer');

route_refused('a default of what is required', <<'END',
    scale_param a arg.a int required default=1;                 # <-
END
        '"required" and "default=" exclude each other; remove one');

route_refused('an undeclared parameter', <<'END',
    scale_route x;
    scale_query GET row "SELECT 1,
                                :a";                            # <-
END
        'parameter ":a" is not declared; add "scale_param a <source> <type>;"');

route_refused('an undeclared parameter of a tag', <<'END',
    scale_route x;
    scale_query POST none "SELECT 1";
    scale_purge_tags "x/:a";                                    # <-
END
        'parameter ":a" is not declared; add "scale_param a <source> <type>;"');

route_refused('a parameter that nothing binds', <<'END',
    scale_route x;
    scale_param a arg.a int;                                    # <-
    scale_query GET row "SELECT 1";
END
        'parameter "a" is declared and never bound; remove it, or bind :a');


# statements

route_refused('an unknown method', <<'END',
    scale_query GET|FETCH row "SELECT 1";                       # <-
END
        '"GET|FETCH" is not a list of GET, POST, PUT, PATCH and DELETE such '
        . 'as "POST|PUT"; HEAD and OPTIONS come by themselves');

route_refused('a method named twice', <<'END',
    scale_query GET|GET row "SELECT 1";                         # <-
END
        '"GET|GET" is not a list of GET, POST, PUT, PATCH and DELETE');

route_refused('an unknown shape', <<'END',
    scale_query GET list "SELECT 1";                            # <-
END
        'the shape is row, rows, value or none, not "list"; write such as GET '
        . 'row "SELECT ..."');

route_refused('no shape', <<'END',
    scale_query GET "SELECT a, b, c FROM d";                    # <-
END
        'the shape is row, rows, value or none, not "SELECT a, b, c FROM "');

route_refused('a statement without quotes', <<'END',
    scale_query GET row SELECT a, b FROM c;                     # <-
END
        'the statement is "SELECT", and "a," is not an option; put all of the '
        . 'statement in quotes');

route_refused('no statement', <<'END',
    scale_query GET row;                                        # <-
END
        '"scale_query" directive has no statement: write it in quotes, or '
        . 'file=');

route_refused('a file that is not there', <<'END',
    scale_query GET row file=/nonexistent/q.sql;                # <-
END
        'open() "/nonexistent/q.sql" failed (2: No such file or directory)');

route_refused('a file that cannot be read', <<'END',
    scale_query GET row file=/proc;                             # <-
END
        'could not read "/proc"');

route_refused('an unknown option of a statement', <<'END',
    scale_query GET row "SELECT 1" wait=1s;                     # <-
END
        '"wait=1s" is not an option; there are read, write, store, type=, '
        . 'status=, empty=, role=, timeout=, fanout, sort=, limit=, claim= '
        . 'and file=, and one statement');

route_refused('a statement that reads and writes', <<'END',
    scale_query GET row "SELECT 1" read write;                  # <-
END
        '"scale_query" directive cannot be both read and write; leave one');

route_refused('a media type of a row', <<'END',
    scale_query GET row "SELECT 1" type=text/html;              # <-
END
        'takes type= with the shape "value" only: that value is what is sent; '
        . 'all else is JSON');

route_refused('a media type that is none', <<'END',
    scale_query GET value "SELECT 1" type=html;                 # <-
END
        'takes a media type as type=, such as "type=text/html; charset=utf-8"');

route_refused('a statement without its semicolon', <<'END',
    scale_query GET row "SELECT 1"
    scale_cache_valid 1m;                                       # <-
END
        'limit=, claim= and file=, and one statement; a ";" is missing before it');

route_refused('a status that is a refusal', <<'END',
    scale_query GET row "SELECT 1" status=404;                  # <-
END
        'takes a status= of 200 to 399; refusals are scale.fail()\'s');

route_refused('an empty= that is no status', <<'END',
    scale_query GET row "SELECT 1" empty=none;                  # <-
END
        'takes a status of 200 to 599 as empty=');

route_refused('an unknown role', <<'END',
    scale_query GET row "SELECT 1" role=master;                 # <-
END
        'takes role=primary; where it is not written, a replica answers if it can');

route_refused('a timeout that is no time', <<'END',
    scale_query GET row "SELECT 1" timeout=never;               # <-
END
        'takes a timeout= such as 500ms or 5s');

route_refused('more statements than a method can have', <<'END'
    scale_route x;                                              # <-
END
        . "scale_query GET none \"SELECT 1\";\n" x 17,
        'route "x" has more than 16 statements for one method; put them into '
        . 'a function');

my @sql = (
    ['an empty statement', '-- nothing',
     'the statement is empty; write one SQL statement'],
    ['nothing before a semicolon', ';',
     'the statement before ";" is empty; write one SQL statement'],
    ['a second statement', 'SELECT 1; SELECT 2',
     'a second statement follows ";"; write one SQL statement'],
    ['a comment without an end', 'SELECT 1 /* one /* two */',
     'a comment is not ended; close every "/*" with "*/"'],
    ['a string without an end', 'SELECT \'one',
     'a string is not ended; close it with "\'", a quote within it is "\'\'"'],
    ['an identifier without an end', 'SELECT 1 AS \"one',
     'a quoted identifier is not ended; close it with'],
    ['an escaped string without an end', 'SELECT E\'one\\\\\'',
     'a string of E\'\' is not ended; close it with "\'"'],
    ['a dollar quote without an end', 'SELECT $a$one',
     'the text quoted by "$a$" is not ended; close it with "$a$"'],
    ['an nginx variable', 'SELECT $uri',
     'an nginx variable cannot stand in SQL, "$uri" does; declare it with '
     . 'scale_param and write :name'],
    ['an nginx variable in braces', 'SELECT ${uri}',
     'an nginx variable cannot stand in SQL, "${uri}" does; declare it'],
    ['an nginx variable at the end of a word', 'SELECT posts$uri',
     'an nginx variable cannot stand in SQL, "$uri" does; declare it'],
    ['a number of a parameter', 'SELECT $1',
     '"$1" cannot stand in SQL; declare a parameter with scale_param and '
     . 'write :name'],
    ['a parameter without a blank', 'SELECT (list)[lower:upper]',
     '":upper" follows a word or a number without a blank'],
    ['a parameter with other characters', "SELECT :caf\xc3\xa9",
     'a parameter\'s name has a non-ASCII character; use letters, digits and '
     . '"_"'],
    ['too many parameters', 'SELECT ' . join(',', map { ":p$_" } 1 .. 129),
     'the statement has more than 128 parameters; pass some of them as an '
     . 'array or as json'],
);

for my $case (@sql) {
    my ($title, $sql, $message) = @$case;

    route_refused("in a statement, $title",
                  "scale_query GET row \"$sql\n\"; # <-\n",
                  "statement: $message");
}


# keys and tags

my @keys = (
    ['an empty key', '', 'the key is empty; write text and :name parts'],
    ['an nginx variable', 'x/$uri',
     'an nginx variable cannot stand in a key, "$uri" does; declare it with '
     . 'scale_param and write :name'],
    ['an nginx variable in braces', 'x/${uri}y',
     'an nginx variable cannot stand in a key, "${uri}" does; declare it'],
    ['values that are not kept apart', ':a-:b',
     '"a" and "b" are not kept apart, so different values may make the same '
     . 'key; put "/" or ":" between them'],
);

for my $directive (qw(scale_cache_key scale_cache_tags scale_purge_tags)) {
    for my $case (@keys) {
        my ($title, $key, $message) = @$case;

        route_refused("in $directive, $title",
                      "$directive \"$key\"; # <-\n", "\"$key\": $message");
    }
}

route_refused('a key given twice', <<'END',
    scale_cache_key x;
    scale_cache_key y;                                          # <-
END
        '"scale_cache_key" directive is duplicate');

route_refused('a key of a row', <<'END',
    scale_cache_key x/:row.id;                                  # <-
END
        'cannot hold :row parts: it is made before there is a row');

route_refused('a tag of a row that is not there yet', <<'END',
    scale_cache_tags x/:row.id;                                 # <-
END
        'cannot hold :row parts: tags are made before there is a row');

route_refused('more tags than an entry can have', <<'END',
    scale_cache_tags a b c d e f g h
                     i;                                         # <-
END
        '"scale_cache_tags" directive takes at most 8 tags');

route_refused('a key that lacks a parameter', <<'END',
    scale_route x;
    scale_param a arg.a int;
    scale_param b arg.b int;
    scale_query GET row "SELECT :a + :b AS c";
    scale_cache_valid 1m;
    scale_cache_key "x/:a";                                     # <-
END
        'key "x/:a" lacks ":b", which the GET statement binds; add it to the '
        . 'key');

route_refused('a key of JSON', <<'END',
    scale_route x;
    scale_param a arg.a jsonb;
    scale_query GET row "SELECT :a";
    scale_cache_valid 1m;
    scale_cache_key "x/:a";                                     # <-
END
        'parameter ":a" is JSON and cannot be part of a key or tag: equal '
        . 'values have many spellings; declare the members it needs');

route_refused('a default key of JSON', <<'END',
    scale_route x;                                              # <-
    scale_param a arg.a json;
    scale_query GET row "SELECT :a";
    scale_cache_valid 1m;
END
        'parameter ":a" is JSON and cannot be part of a key');

route_refused('a write that does not bind what the key holds', <<'END',
    scale_route x;
    scale_param a arg.a int;
    scale_query GET row "SELECT :a";
    scale_query PUT none "SELECT 1";                            # <-
    scale_cache_valid 1m;
END
        'this PUT does not bind ":a", so it cannot name the cached entry of '
        . 'route "x" that it makes old; bind it, or give the entries a tag '
        . '(scale_cache_tags) and purge that (scale_purge_tags)');

my $two = <<'END';
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_query GET row "SELECT :a + 1 AS c";
        scale_cache_valid 1m;
        scale_cache_key "k/:a";
    }
    location /y {
        scale_route y;
        scale_param b arg.b TYPE;
        scale_query GET SHAPE "SELECT :b + NUMBER AS c";
        scale_cache_valid 1m;
        scale_cache_key "k/:b";                                 # <-
    }
END


sub two
{
    my ($type, $shape, $number) = @_;

    return $two =~ s/TYPE/$type/r =~ s/SHAPE/$shape/r =~ s/NUMBER/$number/r;
}


for my $case (['statements', two('int', 'row', 2)],
              ['types of parameters', two('bigint', 'row', 1)],
              ['shapes', two('int', 'rows', 1)])
{
    refused("one key of two $case->[0]",
            $database . $cache . server($case->[1]),
            'key "k/:b" is already that of another statement, in '
            . "$dir/" . ($runs + 1) . '.conf:');
}

accepted('one key of the same statement twice',
         $database . $cache . server(two('int', 'row', 1)));

refused('one key of two databases', $database . $cache . <<'END'
    scale_database other {
        server 127.0.0.1;
        conninfo "dbname=other";
    }
END
        . server('scale_use database=main;'
                 . two('int', 'row', 1)
                   =~ s/scale_route y;/$& scale_use database=other;/r),
        'key "k/:b" is already that of another statement');

refused('one key of entries with other tags', $database . $cache
        . server(two('int', 'row', 1)
                 =~ s/scale_route y;/$& scale_cache_tags "t\/:b";/r),
        'key "k/:b" is already that of entries with other tags, in');

route_refused('a tag of what the key lacks', <<'END',
    scale_route x;
    scale_param a arg.a int;
    scale_param b arg.b int;
    scale_query GET row "SELECT :a AS a";
    scale_cache_valid 1m;
    scale_cache_tags "x/:a" "y/:b";                             # <-
END
        'tag "y/:b" holds ":b", which the key lacks, so one entry would have '
        . 'several; add it to scale_cache_key');

route_refused('a lifetime of nothing', <<'END',
    scale_cache_valid 0;                                        # <-
END
        '"scale_cache_valid" directive takes a lifetime of 1s to 27d, or off');

route_refused('a lifetime that memcached takes for a date', <<'END',
    scale_cache_valid 31d;                                      # <-
END
        'takes a lifetime of 1s to 27d, or off');

route_refused('a lifetime given twice', <<'END',
    scale_cache_valid 1m;
    scale_cache_valid 2m;                                       # <-
END
        '"scale_cache_valid" directive is duplicate');

route_refused('a lifetime of the missing that is none', <<'END',
    scale_cache_valid 1m missing=often;                         # <-
END
        '"missing=often" has no lifetime of at most 27d; write one such as '
        . '"missing=5s"');

route_refused('an option of a lifetime that there is none of', <<'END',
    scale_cache_valid 1m fresh=5s;                              # <-
END
        '"fresh=5s" is not an option; there are missing=, stale= and error=');

route_refused('a lifetime that is too long with its error=', <<'END',
    scale_route x;
    scale_query GET row "SELECT 1";
    scale_cache_valid 10m stale=5s error=1h;                    # <-
END
        'keeps answers for longer than cache "hot" has "max_ttl" (3600 '
        . 'seconds)');

route_refused('a lifetime of what no GET answers', <<'END',
    scale_route x;
    scale_cache_valid 1m;                                       # <-
    scale_query POST row "SELECT 1" read;
END
        'route "x" has no GET whose answers could be kept; remove '
        . 'scale_cache_valid, or write the scale_query of GET into this '
        . 'location');

accepted('a lifetime of many locations, one without a GET', $database . $cache
         . server('scale_cache_valid 1m;' . <<'END'));
    location /x {
        scale_route x;
        scale_query POST row "SELECT 1" read;
    }
    location /y {
        scale_route y;
        scale_cache_valid off;
        scale_query POST row "SELECT 1" read;
    }
END

refused('a longest lifetime of nothing', $database . <<'END',
    scale_cache hot {
        server   127.0.0.1:11211;
        max_ttl  0;                                             # <-
    }
END
        '"max_ttl 0": write a time of 1s to 27d');

accepted('a long lifetime that a cache allows', $database . <<'END'
    scale_cache hot { server 127.0.0.1:11211; max_ttl 2d; }
END
         . server(<<'END'));
    location /x {
        scale_route  x;
        scale_query  GET row "SELECT 1";
        scale_cache_valid  1d error=1d;
    }
END

for (['without a cached GET', '', '', 'there is no cached GET whose key it '
                                      . 'binds'],
     ['of tags', 'scale_cache_valid 1m; scale_cache_tags x;', '',
      'the entries have tags'],
     ['of another status', 'scale_cache_valid 1m;', 'status=201',
      "its status and GET's are not both 200"])
{
    my ($what, $cache, $option, $reason) = @$_;

    route_refused("a row that is stored $what", <<"END",
    scale_route x;
    scale_query GET row "SELECT 1 AS a";
    scale_query PUT row "SELECT 2 AS a" store $option;              # <-
    $cache
END
            'this PUT cannot "store" what it returns: ' . $reason
            . '; remove "store"');
}

route_refused('a row that is stored for one who asks', <<'END',
    scale_route x;
    scale_identity app.user $remote_user;
    scale_query GET row "SELECT 1 AS a";
    scale_query PUT row "SELECT 2 AS a" store;                  # <-
    scale_cache_valid 1m;
END
        'the entries depend on who asks; remove "store"');

route_refused('a row that is stored in the shape of another', <<'END',
    scale_route x;
    scale_query GET rows "SELECT 1 AS a";
    scale_query PUT row "SELECT 2 AS a" store;                  # <-
    scale_cache_valid 1m;
END
        'it does not answer with a row or value as GET does');

route_refused('a text that is stored where GET answers with JSON', <<'END',
    scale_route x;
    scale_query GET value "SELECT 'a'";
    scale_query PUT value "SELECT 'a'" store type=text/plain;   # <-
    scale_cache_valid 1m;
END
        'it does not answer with a row or value as GET does');

route_refused('a share of nothing', <<'END',
    scale_cache_valid 1m;
    scale_cache_audit 0.1;                                      # <-
END
        '"scale_cache_audit" directive takes a share of the hits, such as '
        . '0.1%, or off');


# purges

my $target = <<'END';
    location /t {
        scale_route t;
        scale_param a arg.a int;
        scale_query GET row "SELECT :a AS a";
        scale_cache_valid 1m;
    }
    location /u {
        scale_route u;
        scale_query GET row "SELECT 1 AS a";
    }
END


sub purge_refused
{
    my ($title, $purge, $message) = @_;

    refused($title, $database . $cache . server($target . <<"END"), $message);
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_query POST none "SELECT :a";
        scale_purge $purge;                                     # <-
    }
END
}


purge_refused('a purge of an unknown route', 'none a=:a',
              'no cached route has the name "none"; it needs a GET statement '
              . 'and scale_cache_valid');

purge_refused('a purge of a route that is not cached', 'u',
              'no cached route has the name "u"');

refused('a purge of a key that nothing reads', $database . $cache
        . server('scale_cache_valid 1m;' . <<'END'),
    location /t {
        scale_route t;
        scale_query POST none "SELECT 1";
        scale_cache_key "t/:none";
        scale_purge_tags "t";
    }
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_query POST none "SELECT :a";
        scale_purge t none=:a;                                  # <-
    }
END
        'no cached route has the name "t"');

purge_refused('a purge without a value', 't :a',
              '":a": write the parameter of route "t" and its value, such as '
              . 'id=:id or id=:row.id');

purge_refused('a purge of a row and no column', 't a=:row',
              '":row" names no column; write such as ":row.id"');

purge_refused('a purge with a value of several parts', 't a=x/:a',
              '"a=x/:a": a value is one parameter, one column of the row or '
              . 'one word');

purge_refused('a purge with an empty value', 't a=',
              '"a=": write the parameter of route "t" and its value');

purge_refused('a purge with an nginx variable', 't a=$uri',
              '"$uri" does; declare it with scale_param and write :name');

purge_refused('a purge of an undeclared parameter', 't a=:b',
              'parameter ":b" is not declared; add "scale_param b <source> '
              . '<type>;", or write ":row.b" where a statement returns it');

purge_refused('a purge that lacks a parameter', 't',
              'the key of route "t" has "a"; give it as a=:name');

purge_refused('a purge of a parameter that the key lacks', 't a=:a b=:a',
              'the key of route "t" has no "b"; remove it, or add it to that '
              . 'key');

purge_refused('a purge that gives a parameter twice', 't a=:a a=1',
              '"a=1" gives "a" twice; leave one');

purge_refused('a purge with a word that is not of the type', 't a=one',
              '"a" of route "t" must be an integer, which "one" is not');

refused('a purge of another cache', $database . $cache . <<'END'
    scale_cache cold { server 127.0.0.1:11212; }
END
        . server('scale_use cache=hot;' . $target . <<'END'),
    location /x {
        scale_use cache=cold;
        scale_route x;
        scale_param a arg.a int;
        scale_query POST none "SELECT :a";
        scale_purge t a=:a;                                     # <-
    }
END
        'route "t" uses another cache than "x"; give both the same by '
        . 'scale_use cache=');

refused('a purge of a name that two routes have', $database . $cache
        . server($target . <<'END'),
    location /tt {
        scale_route t;
        scale_query GET row "SELECT 2 AS a";
        scale_cache_valid 1m;
    }
    location /x {
        scale_route x;
        scale_param a arg.a int;
        scale_query POST none "SELECT :a";
        scale_purge t a=:a;                                     # <-
    }
END
        'two routes with entries of their own have the name "t"; give one of '
        . 'them another scale_route');


# caches on the way

route_refused('a preset that there is not', <<'END',
    scale_cdn fast;                                             # <-
END
        'is on, browser, micro or off, and knows "shared", private=no-store '
        . 'and private=no-cache');

route_refused('an option that there is not', <<'END',
    scale_cdn on public;                                        # <-
END
        'is on, browser, micro or off, and knows "shared"');

route_refused('two presets', <<'END',
    scale_cdn on;
    scale_cdn off;                                              # <-
END
        '"scale_cdn" directive is duplicate');

route_refused('what depends on who asks, for all', <<'END',
    scale_route x;
    scale_param me $remote_user text;
    scale_identity app.user :me;
    scale_query GET row "SELECT 1";
    scale_cdn on shared;                                        # <-
END
        'route "x" depends on who asks, by scale_identity, and cannot be '
        . '"scale_cdn shared"; remove one');


route_refused('an origin with a path', <<'END',
    scale_cors https://app.example.com/;                        # <-
END
        '"https://app.example.com/" is neither an origin as browsers write it, '
        . 'such as "https://app.example.com"');

route_refused('an origin in capitals, which no browser has', <<'END',
    scale_cors https://App.example.com;                         # <-
END
        '"https://App.example.com" is neither an origin as browsers write it');

route_refused('an origin without a name', <<'END',
    scale_cors null;                                            # <-
END
        'nor an option; there are methods=, headers=, expose=, credentials '
        . 'and max_age=');

route_refused('options without an origin', <<'END',
    scale_cors max_age=1h;                                      # <-
END
        'names no origin; write such as "https://app.example.com", "*" or off');

route_refused('credentials for all', <<'END',
    scale_cors * credentials;                                   # <-
END
        'cannot have "*" beside credentials or other origins; name all '
        . 'origins');

route_refused('all and one', <<'END',
    scale_cors * https://app.example.com;                       # <-
END
        'cannot have "*" beside credentials or other origins');

route_refused('no time', <<'END',
    scale_cors * max_age=long;                                  # <-
END
        '"max_age=long" is no time; write one such as "max_age=10m"');


# the document

route_refused('an option that no document has', <<'END',
    scale_openapi name=x;                                       # <-
END
        '"name=x" is not an option; there are title=, version= and url=');

route_refused('a document beside statements', <<'END',
    scale_openapi;
    scale_route x;                                              # <-
    scale_query GET row "SELECT 1";
END
        'route "x" has scale_query and another directive that answers');


# errors of the database

route_refused('an SQLSTATE of another length', <<'END',
    scale_sqlstate 2350 409;                                    # <-
END
        'takes an SQLSTATE of five characters, maybe with ":constraint", and '
        . 'a status of 400 to 599');

route_refused('an SQLSTATE that is no error', <<'END',
    scale_sqlstate 23505 200;                                   # <-
END
        'and a status of 400 to 599');

route_refused('an unknown option of an SQLSTATE', <<'END',
    scale_sqlstate 23505 409 member=a;                          # <-
END
        '"member=a": there are field= and detail=');

route_refused('a detail that is neither on nor off', <<'END',
    scale_error_detail yes;                                     # <-
END
        'invalid value "yes" in "scale_error_detail" directive, it must be '
        . '"on" or "off"');


# limits

my $limited = <<'END';
    scale_route x;
    scale_query GET row "SELECT 1 AS a";
END

sub limit_refused
{
    my ($title, $words, $message) = @_;

    route_refused($title, "    scale_limit $words;  # <-\n$limited", $message);
}

limit_refused('a limit without a rate', '$remote_addr burst=5',
              'needs a rate, such as "scale_limit $remote_addr rate=10r/s;"');

limit_refused('a rate without its time', '$remote_addr rate=10',
              'scale_limit\'s "rate=" takes a rate such as 10r/s, 600r/m or '
              . '1000r/h, not "10"');

limit_refused('a rate of nothing', '$remote_addr rate=0r/s',
              'takes a rate such as 10r/s, 600r/m or 1000r/h, not "0r/s"');

limit_refused('a burst of nothing', '$remote_addr rate=1r/s burst=0',
              'scale_limit\'s "burst=" takes a number of requests, 1 to '
              . '1000000, not "0"');

limit_refused('a burst that takes days', '$remote_addr rate=1r/h burst=25',
              'has a burst that its rate takes more than a day to pay back; '
              . 'make it smaller');

limit_refused('an unknown scope', '$remote_addr rate=1r/s scope=all',
              'scale_limit\'s "scope=" takes "node" or "cluster", not "all"');

limit_refused('an unknown cost', '$remote_addr rate=1r/s cost=hit',
              'scale_limit\'s "cost=" takes "request" or "miss", not "hit"');

limit_refused('an odd name of a limit', '$remote_addr rate=1r/s name=a"b',
              'scale_limit\'s "name=" takes up to 64 letters, digits, "_", '
              . '"-", "." and "/", not "a"b"');

limit_refused('a word twice', '$remote_addr rate=1r/s rate=2r/s',
              'scale_limit has "rate=" twice; leave one');

limit_refused('a word of limit_req', '$remote_addr rate=1r/s nodelay',
              'scale_limit knows rate=, burst=, scope=, cost= and name=, not '
              . '"nodelay"');

limit_refused('a limit of several web nodes with a ring of one',
              '$remote_addr rate=1r/s scope=cluster',
              'scale_limit "1r/s" has scope=cluster, and route "x" no cache '
              . 'that several web nodes share; give its scale_cache a "ring '
              . 'database=name", or write scope=node');

route_refused('two limits of one name', <<"END",
    scale_limit \$remote_addr rate=1r/s;
    scale_limit \$http_a      rate=1r/s;  # <-
$limited
END
              'two scale_limit of this level are "1r/s"; give one another '
              . 'name=');

route_refused('a ninth limit', join('', map({
    "    scale_limit \$remote_addr rate=1r/s name=$_;\n" } 1 .. 8),
    "    scale_limit \$remote_addr rate=1r/s name=9;  # <-\n", $limited),
              'is the ninth of this level, which has at most 8');

route_refused('a limit beside "off"', <<"END",
    scale_limit off;
    scale_limit \$remote_addr rate=1r/s;  # <-
$limited
END
              'stands beside "scale_limit off"; leave one');

route_refused('a limit of what has no statement', <<'END',
    scale_limit $remote_addr rate=1r/s;  # <-
    return 204;
END
              'scale_limit "1r/s" limits nothing: no location here has '
              . 'scale_query; for others nginx has limit_req');

accepted('limits of each level', $database . $cache
         . "    scale_limit \$remote_addr rate=10r/s;\n" . server(<<"END"));
    scale_limit \$remote_addr rate=1000r/h burst=100 cost=miss name=hour;
    scale_limit "\$host \$uri" rate=5r/s scope=node cost=request;
    location /x {
$limited
    }
    location /y {
        scale_limit off;
        scale_route y;
        scale_query GET row "SELECT 2 AS a";
    }
    server_name a.test;
}
server {
    listen 127.0.0.1:$port;
    server_name b.test;
    location /z {
        scale_route z;
        scale_query GET row "SELECT 3 AS a";
    }
END


# Sessions.

my $signed = "    scale_secret_file $dir/secret;\n";

open my $secrets, '>', "$dir/secret" or die "$dir/secret: $!\n";
print $secrets "the secret of the tests\n";
close $secrets;

sub session_refused
{
    my ($title, $block, $message) = @_;

    refused($title, $database . $cache . $signed . $block, $message);
}

refused('a session without a secret', $database . $cache
        . "    scale_session sid {} # <-\n",
        'the cookies of session "sid" are signed; write "scale_secret_file '
        . 'path;" in http{}');

refused('a session without a cache', $database . $signed
        . "    scale_session sid {} # <-\n",
        'session "sid" has no cache; declare one by scale_cache in http{}');

session_refused('a session of an unknown cache',
                "    scale_session sid { # <-\n cache cold;\n}\n",
                'session "sid" has no cache cold; declare one by scale_cache');

session_refused('a session of an unknown table',
                "    scale_session sid { # <-\n store database=other;\n}\n",
                'session "sid" has "store database=other", and there is no '
                . 'such scale_database without shards');

session_refused('two sessions of one name',
                "    scale_session sid {}\n    scale_session sid { # <-\n}\n",
                'has the name of another');

session_refused('a session whose name is none',
                "    scale_session s/d { # <-\n}\n",
                'takes a name of 1 to 32 letters, digits');

session_refused('an unknown directive of a session',
                "    scale_session sid {\n domain a.test; # <-\n}\n",
                'unknown directive "domain" in this block; it knows cookie '
                . 'cache ttl idle copies user same_site store');

for my $bad (['cookie __Host-sid insecure', 'cannot be insecure by that name'],
             ['cookie "a b"', "takes a cookie's name and maybe"],
             ['cookie sid secure', "takes a cookie's name and maybe"],
             ['ttl never', '"ttl" takes a time such as 1h or 30d'],
             ['copies 4', 'is 1, 2 or 3'],
             ['same_site maybe', 'is lax, strict or none'],
             ['store memcached', 'is "store cache", for memcached alone'])
{
    session_refused("a session with $bad->[0]",
                    "    scale_session sid {\n $bad->[0]; # <-\n}\n",
                    $bad->[1]);
}

session_refused('a session that is idle for longer than it lives',
                "    scale_session sid { # <-\n ttl 1h; idle 2h;\n}\n",
                'session "sid" has an "idle" of 7200 s and a "ttl" of 3600 s');

session_refused('an insecure cookie for other sites',
                "    scale_session sid { # <-\n cookie s insecure;"
                . " same_site none;\n}\n",
                'browsers take of secure cookies only');

sub login_refused
{
    my ($title, $location, $message, $block) = @_;

    session_refused($title, ($block // "    scale_session sid {}\n")
                            . server("location /x {\n$location\n}"), $message);
}

login_refused('a login without a row', <<'END',
    scale_route x;
    scale_query POST none "SELECT 1";
    scale_session_start;  # <-
END
              'route "x" starts a session and has no POST whose answer is a '
              . '"row"');

login_refused('a login that may be repeated', <<'END',
    scale_route x;
    scale_idempotency optional;
    scale_query POST row "SELECT 1 AS \"user\"";
    scale_session_start;  # <-
END
              'route "x" starts or ends a session, which scale_idempotency, '
              . 'scale_batch and fanout cannot have');

login_refused('a login that only reads, and is stored', <<'END',
    scale_route x;
    scale_query POST row "SELECT 1 AS \"user\"" read;
    scale_session_start;  # <-
END
              'session "sid" is stored in database "main", in the transaction '
              . 'of the statement',
              "    scale_session sid { store database=main; }\n");

login_refused('an end of neither one nor all', <<'END',
    scale_route x;
    scale_session_end this;  # <-
END
              'is one, for the session that asks, or all, for all of its user');

login_refused('an end without a route', <<'END',
    scale_session_end one;  # <-
END
              'a location with scale_query or scale_session_end needs a '
              . 'scale_route');

route_refused('an end where there is no session', <<'END',
    scale_route x;
    scale_session_end one;  # <-
END
              'and there is no scale_session');

login_refused('an origin that is none', <<'END',
    scale_route x;
    scale_csrf app.example.com;  # <-
    scale_session_end one;
END
              'scale_csrf is on, off, or such origins as '
              . '"https://app.example.com", not "app.example.com"');


# queues of jobs

sub queue_refused
{
    my ($title, $lines, $message) = @_;

    refused($title, "$database$cache    scale_queue thumbs {\n$lines    }\n",
            $message);
}

sub api_refused
{
    my ($title, $lines, $message) = @_;

    refused($title, $database . $cache . "    scale_queue thumbs { }\n"
                    . "    server {\n$lines    }\n", $message);
}

accepted('a queue', <<"END");
$database
    scale_queue thumbs {
        database main; visibility 1m; attempts 3; backoff 2s max=1h;
        depth max=1000; keep 1d;
    }

    server {
        scale_param  me  \$http_x_me  bigint required;
        scale_cache_valid  1m;

        location /a { auth_basic here; scale_queue_api thumbs; }
        location /b { internal; scale_queue_api thumbs; }
        location /c { auth_request /auth; scale_queue_api thumbs; }
        location /d { scale_queue_api thumbs; allow 10.0.0.0/8; deny all; }
        location /e { scale_queue_api thumbs status; }
    }
END

queue_refused('a back-off that shrinks', <<'END',
        backoff 1m max=1s;                                      # <-
END
        'takes a time before the second attempt and maybe the longest one');

queue_refused('a depth without its limit', <<'END',
        depth 1000;                                             # <-
END
        'takes a number of jobs up to 100000000, such as "depth max=100000;"');

queue_refused('a setting that a queue has not', <<'END',
        retries 5;                                              # <-
END
        'unknown directive "retries" in this block; it knows database '
        . 'visibility attempts backoff depth keep');

refused('two queues of a name', <<"END", 'has the name of another queue');
$database
    scale_queue a { }
    scale_queue a { }                                           # <-
END

refused('a queue that no key could have', <<"END",
$database
    scale_queue a/b { }                                         # <-
END
        'takes a name of at most 64 letters');

refused('a queue of an unknown database', <<"END",
$database
    scale_queue a { database other; }                           # <-
END
        'queue "a" has no database other; name one of the declared ones by '
        . '"database"');

api_refused('a queue that is open to everybody', <<'END',
        location /q {
            scale_queue_api  thumbs;                            # <-
        }
END
        'this location is open to everybody; say who may ask by "allow ...; '
        . 'deny all;", scale_auth, auth_basic, auth_request or "internal"');

api_refused('a queue that is not declared', <<'END',
        location /q {
            internal;
            scale_queue_api  pictures;                          # <-
        }
END
        'there is no queue "pictures"; write "scale_queue pictures { }" in '
        . 'http{}, before this server');

for my $location ('= /q', '/q/', '~ ^/q$', '/', '/q.d') {
    api_refused("a queue at location $location", <<"END",
        location $location {
            internal;
            scale_queue_api  thumbs;                            # <-
        }
END
            'is for a location of a prefix without "." or a "/" at its end');
}

api_refused('a queue and something else', <<'END',
        location /q {
            internal;
            empty_gif;
            scale_queue_api  thumbs;                            # <-
        }
END
        'is in a location that has another directive that answers');

api_refused('a claim beside another statement', <<'END',
        location = /q {
            scale_route  q;
            scale_query  GET rows "SELECT id, claim FROM j" write claim=thumbs; # <-
            scale_query  GET none "DELETE FROM j" write;
        }
END
        'a statement with "claim=thumbs" is the only one of its method, of '
        . 'the shape "rows", with "write" if that is GET, and of the database '
        . '"main"');

api_refused('a claim that does not write', <<'END',
        location = /q {
            scale_route  q;
            scale_query  GET rows "SELECT id, claim FROM j" claim=thumbs; # <-
        }
END
        'with "write" if that is GET');

api_refused('a job of what is no parameter', <<'END',
        location = /q {
            scale_route    q;
            scale_enqueue  POST thumbs photo;                   # <-
        }
END
        '"photo" is neither a parameter such as ":photo" nor one of '
        . 'priority=0 to 9, delay=, key=:param and location=/path/');

api_refused('a job of a parameter that is not declared', <<'END',
        location = /q {
            scale_route    q;
            scale_enqueue  POST thumbs :photo;                  # <-
        }
END
        'parameter ":photo" is not declared; add');

api_refused('a job of the eleventh priority', <<'END',
        location = /q {
            scale_route    q;
            scale_enqueue  POST thumbs priority=10;             # <-
        }
END
        '"priority=10" is neither a parameter');


# signed upstreams


# object stores, presigned URLs, signed upstreams

open my $aws, '>', "$dir/aws" or die "$dir/aws: $!\n";
print $aws "aws_access_key_id = A\naws_secret_access_key = B\n";
close $aws;

my $store = "scale_object_store s { region eu; bucket photos;"
            . " credentials file=$dir/aws; }\n";

delete @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)};


sub store_refused
{
    my ($title, $inner, $message) = @_;

    refused($title, "    scale_object_store s {            # <-\n"
                    . "$inner\n    }\n", $message);
}

sub presign_refused
{
    my ($title, $location, $message) = @_;

    refused($title, $database . $cache . $store
                    . server("location /x {\n    scale_route x;\n$location\n}"),
            $message);
}

my $whole = "region eu; bucket photos; credentials file=$dir/aws;";

store_refused('a store without credentials', 'region eu; bucket photos;',
              'needs a region, a bucket of lower case letters');
store_refused('a bucket that is none',
              "region eu; bucket Photos; credentials file=$dir/aws;",
              'needs a region, a bucket of lower case letters');
store_refused('an endpoint with a path', "$whole endpoint https://a/b;",
              'has the endpoint "https://a/b"');
store_refused('an endpoint without a scheme', "$whole endpoint a;",
              'has the endpoint "a"; write such as '
              . 'https://s3.eu-west-1.amazonaws.com, without a path');

refused('credentials of nowhere', <<"END",
    scale_object_store s {
        credentials $dir/aws;                                   # <-
    }
END
        'is env, or such as file=/run/secrets/aws');
refused('credentials that are not there', <<"END",
    scale_object_store s {
        credentials file=$dir/none;                             # <-
    }
END
        "credentials \"$dir/none\" cannot be read");
refused('a file that has none', <<"END",
    scale_object_store s {
        credentials file=$dir/password;                         # <-
    }
END
        "\"$dir/password\" has a line that is no \"name = value\"");
refused('an environment without any', <<'END',
    scale_object_store s {
        credentials env;                                        # <-
    }
END
        'the environment of nginx has no "AWS_ACCESS_KEY_ID"');
refused('a style that is none', <<'END',
    scale_object_store s {
        path_style maybe;                                       # <-
    }
END
        'is on or off');

presign_refused('a method that is not presigned', <<'END',
    scale_presign p s DELETE key=a expires=1m;                  # <-
END
                'takes a name, a store, and then PUT, POST or GET');
presign_refused('no key', <<'END',
    scale_presign p s GET expires=1m;                           # <-
END
                'needs key= and expires=');
presign_refused('more than seven days', <<'END',
    scale_presign p s GET key=a expires=8d;                     # <-
END
                'takes expires= of 1s to 7d');
presign_refused('a variable in a key', <<'END',
    scale_presign p s GET key=a/$uri expires=1m;                # <-
END
                'an nginx variable cannot stand in a key');
presign_refused('a key that begins with a slash', <<'END',
    scale_presign p s GET key=/a expires=1m;                    # <-
END
                'has a key that begins with a slash');
presign_refused('a limit of a PUT that says no length', <<'END',
    scale_presign p s PUT key=a expires=1m max=1m;              # <-
END
                'takes max= of a PUT with length=:param');
presign_refused('several types, and none is chosen', <<'END',
    scale_presign p s PUT key=a expires=1m types=a/b,a/c;       # <-
END
                'takes several types with type=:param');
presign_refused('a family for a PUT', <<'END',
    scale_presign p s PUT key=a expires=1m types=image/*;       # <-
END
                'takes several types with type=:param');
presign_refused('types of a GET', <<'END',
    scale_presign p s GET key=a expires=1m types=image/png;     # <-
END
                'takes key= and expires= of a GET, and nothing else');
presign_refused('an option that is none', <<'END',
    scale_presign p s GET key=a expires=1m once;                # <-
END
                'takes key=, expires=, max=, types=');
presign_refused('no such store', <<'END',
    scale_presign p other GET key=a expires=1m;                 # <-
    scale_param  u presign.p text;
    scale_query  GET row "SELECT :u AS u";
END
                'there is no object store "other"');
presign_refused('no such presign', <<'END',
    scale_param  u presign.q text;                              # <-
    scale_query  GET row "SELECT :u AS u";
END
                'there is no scale_presign "q" in this location');
presign_refused('a form as text', <<'END',
    scale_presign p s POST key=a expires=1m;
    scale_param  u presign.p text;                              # <-
    scale_query  GET row "SELECT :u AS u";
END
                '"u" must be jsonb, as it has the fields of a form');
presign_refused('a URL as a number', <<'END',
    scale_presign p s PUT key=a expires=1m;
    scale_param  u presign.p int;                               # <-
    scale_query  GET row "SELECT :u AS u";
END
                '"u" must be text');
presign_refused('a column in a key', <<'END',
    scale_presign p s PUT key=a/:row.id expires=1m;             # <-
    scale_param  u presign.p text;
    scale_query  GET row "SELECT :u AS u";
END
                'key "a/:row.id" is made before there is a row');
presign_refused('a URL that is made of itself', <<'END',
    scale_presign p s PUT key=a/:u expires=1m;                  # <-
    scale_param  u presign.p text;
    scale_query  POST none "SELECT :u";
END
                'a presigned URL cannot be made of ":u", which is one');
presign_refused('a parameter that is not declared', <<'END',
    scale_presign p s PUT key=a/:b expires=1m;                  # <-
    scale_param  u presign.p text;
    scale_query  POST none "SELECT :u";
END
                'parameter ":b" is not declared');
presign_refused('a length that is a text', <<'END',
    scale_presign p s PUT key=a expires=1m length=:b;           # <-
    scale_param  b arg.b text;
    scale_param  u presign.p text;
    scale_query  POST none "SELECT :u";
END
                '":b" must be int or bigint');
presign_refused('a URL that is cached', <<'END',
    scale_presign p s GET key=a expires=1m;                     # <-
    scale_param  u presign.p text;
    scale_query  GET row "SELECT :u AS u";
    scale_cache_valid 1m;
END
                'route "x" is cached, and a presigned URL expires');
presign_refused('an upload that does not say whose it is', <<'END',
    scale_param  me arg.me bigint;
    scale_identity  app.user :me;
    scale_presign p s PUT key=a expires=1m;                     # <-
    scale_param  u presign.p text;
    scale_query  POST none "SELECT :u";
END
                'key "a" has no part that says who uploads');

refused('a location of no store', server(<<'END'),
    location /x {
        scale_aws_verify none;                                  # <-
    }
END
        'there is no object store "none"');
refused('nothing to sign', server(<<"END"),
    location /x {
        scale_aws_sign s3 eu credentials=$dir/aws;              # <-
    }
END
        'this location has no proxy_pass');
refused('an unsigned payload of another service', server(<<"END"),
    location /x {
        scale_aws_sign sqs eu payload=unsigned;                 # <-
    }
END
        'takes payload=unsigned for the service s3 only');
refused('an option of signing that is none', server(<<"END"),
    location /x {
        scale_aws_sign sqs eu token=a;                          # <-
    }
END
        'takes a service, a region, and then credentials= or '
        . 'payload=unsigned');

like((verdict(server('return 200 $scale_json_nothing;')))[0],
     qr/there is no variable "\$nothing" for "\$scale_json_nothing"/,
     'the JSON of a variable that is none');

accepted('stores and what is signed', $database . $store
         . "map \$uri \$m { default \$scale_json_arg_a; }\n"
         . server(<<"END"));
    location /x {
        proxy_pass http://127.0.0.1:1;
        scale_aws_sign s3 eu credentials=$dir/aws payload=unsigned;
        limit_except GET { deny all; }
        if (\$arg_x) { return 400; }
    }
    location /y {
        scale_route y;
        scale_param me arg.me bigint;
        scale_identity app.user :me;
        scale_presign p s PUT key=a/:me expires=1m;
        scale_presign g s GET key=a expires=7d;
        scale_param u presign.p text;
        scale_param k presign.p.key text;
        scale_param g presign.g text;
        scale_query POST none "SELECT :u, :k, :g";
        scale_aws_verify s;
    }
END
