# The rules of the house.  A rule is a sentence, a remedy, a check that returns
# [path, line, what] of each breach, and a few lines that must be found guilty.

use strict;
use warnings;
use lib 't/lib';
use Scale::Source;
use Test::More;

my $module = qr{^ngx_scale_module/};
my $c      = qr{^(?:ngx_scale_module|t/unit)/.*\.[ch]$};
my $all    = qr{^};

# harness.t tries the runner's own sections, those that skip among them

my $tests  = qr{^t/(?:(?!harness\.)[^/]+\.t|unit/.*)$};


# Who may include what: the first pattern that matches a file's path decides.
# Standard headers that are harmless everywhere are allowed to all.

my $harmless = qr{^<(?:math|emmintrin|malloc|sys/mman|sys/random)\.h>$};
my $core     = qr{<ngx_(?:config|core|md5|murmurhash)\.h>};
my $word     = qr{"ngx_scale\.h"};
my $event    = qr{<ngx_event(?:_connect)?\.h>};
my $pure     = qr{(?:checksum|key|codec|greeting|layout|local|rank|reply|ring
                    |view\w*|zone\w*)}x;
my $wire     = qr{(?:memc\w*|greeting|reply|weak)};

my @layers = (
    [qr{^ngx_scale\.h$},         qr{$core}],
    [qr{^json/json\.h$},         qr{$core|$word}],
    [qr{^json/},                 qr{$core|$word|"json/\w+\.h"|<yajl/\w+\.h>}],
    [qr{^route/},                qr{$core|$word|"route/\w+\.h"}],
    [qr{^shard/shard\.h$},       qr{$core|$word}],
    [qr{^shard/},                qr{$core|$word|"shard/\w+\.h"}],
    [qr{^limit/},                qr{$core|"limit/limit\.h"}],
    [qr{^session/},              qr{$core|"session/sessions\.h"}],
    [qr{^secret/tls\.c$},        qr{"secret/secret\.h"|<openssl/\w+\.h>}],
    [qr{^secret/},               qr{$core|"secret/secret\.h"}],
    [qr{^sign/\w+\.h$},          qr{$core|"sign/sign\.h"}],
    [qr{^sign/},                 qr{$core|"sign/\w+\.h"|<openssl/\w+\.h>}],
    [qr{^jwt/jwt\.h$},           qr{$core|$word}],
    [qr{^jwt/crypto\.c$},        qr{"jwt/crypto\.h"|<openssl/\w+\.h>}],
    [qr{^jwt/},                  qr{$core|"jwt/\w+\.h"}],
    [qr{^aws/digest\.c$},        qr{"aws/\w+\.h"|<openssl/\w+\.h>}],
    [qr{^aws/},                  qr{$core|"aws/\w+\.h"}],
    [qr{^pg/pg\.h$},             qr{$core|$word}],
    [qr{^pg/tls\.c$},            qr{"pg/\w+\.h"|<openssl/\w+\.h>}],
    [qr{^pg/},             qr{$core|$word|$event|"pg/\w+\.h"|<libpq-fe\.h>}],
    [qr{^cache/ring\.c$},        qr{"cache/ring\.h"|<libmemcached/\w+\.h>}],
    [qr{^cache/view\.h$},        qr{$core|$word}],
    [qr{^cache/$pure\.[ch]$},    qr{$core|"cache/$pure\.h"}],
    [qr{^cache/memc\w*\.[ch]$},
                                 qr{$core|$event|"cache/$wire\.h"}],
    [qr{^cache/},                qr{$core|$word|$event|"cache/\w+\.h"}],
    [qr{^http/wipe\.c$},         qr{"http/wipe\.h"|"secret/secret\.h"
                                    |<ngx_http_v2_module\.h>}x],
    [qr{^http/},                 qr{$core|$word|<ngx_http\.h>|"http/\w+\.h"}],
    [qr{^ngx_scale_},
     qr{ $core | $event | <ngx_http\.h> | "ngx_scale\w*\.h" | "json/json\.h"
       | "route/route\.h" | "pg/pg\.h" | "cache/cache\.h" | "sign/sign\.h"
       | "shard/shard\.h" | "limit/limit\.h" | "session/sessions\.h"
       | "jwt/jwt\.h" | "secret/secret\.h" | "aws/aws\.h"
       | "http/(?:context|cors|problem|request|response|wipe)\.h" }x],
);


# Names of a library, and where they may appear.

my @libraries = (
    [qr{\b(?:PQ[a-z]\w*|PGconn|PGresult|libpq-fe)\b}, qr{^pg/(?!pg\.h)}],
    [qr{\byajl_\w+},                                  qr{^json/(?!json\.h)}],
    [qr{\bmemcached_\w+},                             qr{^cache/ring\.c$}],
    [qr{\b(?:(?:SSL|EVP|HMAC|RAND|ERR|X509|BIO|BN|PEM|ECDSA|OSSL)_\w+
           |ngx_ssl_\w+)}x,
                    qr{^(?:sign/\w+|jwt/crypto|aws/digest|(?:pg|secret)/tls
                          |cache/memc_tls)\.c$}x],
    [qr{\bngx_http_\w+},                        qr{^(?:http/|ngx_scale_)}],
    # what proxy_pass answers is no flow's
    [qr{\bngx_http_finalize_request\b},
                                  qr{^ngx_scale_(?:flow|signed)\.c$}],
);


# Calls that wait, and the files that may make them all the same.

my @blocking = (
    [qr{PQexec\w*|PQprepare|PQdescribe(?:Prepared|Portal)|PQclose\w+},
                                                      qr{(?!)}],
    [qr{PQconnectdb\w*|PQsetdb\w*|PQreset|PQping\w*}, qr{(?!)}],
    [qr{PQcancel\w*|PQrequestCancel|PQfn|PQendcopy|PQgetline|lo_\w+},
                                                      qr{(?!)}],
    [qr{PQgetResult},                                 qr{^pg/receive\.c$}],
    [qr{memcached_(?!create\b|free\b|behavior_set\b|generate_hash\b
                    |server_add_(?:unix_socket_)?with_weight\b)\w+}x,
                                                      qr{(?!)}],
    [qr{gethostby\w+|getaddrinfo|getnameinfo|ngx_inet_resolve_host},
                                                      qr{(?!)}],
    # resolves names: when the configuration is read, never in a request
    [qr{ngx_parse_url},
                     qr{^ngx_scale_(?!flow|read|write|answer|values)\w+\.c$}],
    [qr{u?sleep|nanosleep|ngx_(?:m|u)?sleep|select|poll|epoll_wait|flock|lockf
       |fsync|fdatasync|system|popen|fork|v?fork|wait|waitpid|sem_wait
       |pthread_(?:mutex_lock|join|cond_wait)|fopen|fgets|fread}x,
                                                      qr{(?!)}],
);


# "path name" => why it may.  Everything else comes from a pool.

my %allocates = (
    'ngx_scale_module/pg/connect.c ngx_calloc' =>
        'what a connection needs, while it is open only: few are',
    'ngx_scale_module/pg/close.c ngx_free' => 'its end',
    'ngx_scale_module/pg/wipe.c ngx_alloc' =>
        'what libpq has freed is met again, and what covers its buffer',
    'ngx_scale_module/pg/wipe.c ngx_free' => 'their end',
    'ngx_scale_module/secret/pool.c ngx_free' =>
        'what a pool has that is wiped, before the pool is destroyed',
    'ngx_scale_module/cache/flight_memory.c ngx_calloc' =>
        'a flight outlives the request that began it',
    'ngx_scale_module/cache/flight_memory.c ngx_alloc' =>
        'a copy outlives the request, too',
    'ngx_scale_module/cache/note.c ngx_alloc' => 'so does a note',
    'ngx_scale_module/cache/note.c ngx_free' => 'its end',
    'ngx_scale_module/cache/flight_memory.c ngx_free' => 'their end',
    'ngx_scale_module/cache/memc_buffer.c ngx_alloc' =>
        'the buffers of a worker, which grow: a pool keeps the old ones',
    'ngx_scale_module/cache/memc_buffer.c ngx_free' => 'their end',
);


# "path format" => why what is formatted is no longer than its buffer.

my %formats = (
    'ngx_scale_module/route/time.c ".%V"' =>
        'the parser takes six digits of a fraction',
    'ngx_scale_module/ngx_scale_plan.c "%V, "' =>
        'each method once, and the buffer is for all of them',
    'ngx_scale_module/ngx_scale_values.c "%s at byte %uz"' =>
        'the buffer is made for the reason',
);


# "path field" => why nobody reaches it by its name.

my %fields = (
    'ngx_scale_module/json/arena.h unused' => 'the size of the header',
    'ngx_scale_module/pg/shared.h named' =>
        'the first part of what is found by name, as another type',
);


# Ceilings.  What is here may only shrink; below the limit it leaves the list.

my $file_limit     = 600;
my $function_limit = 90;
my %share          = (0.5 => 21, 0.95 => 60);
my $run            = 8;

my %long_files = (
);

my %long_functions = (
);

# What is written in two files, and how often.

my %repeated = (
);

# Knots: files of a room that call one another.  They may only become smaller.

my %knots = (
);


# The patterns are spelled so that they do not match themselves.

my $machine  = qr{(?<![\w.\$)\}])(/(?:(?:hom[e]|roo[t])/\w[\w./-]*|wor[k]\b))};
my $registry = qr{\b((?:registry[.]npmjs|pypi[.]org|files[.]pythonhosted
                 |(?:deb|security|snapshot|ftp\.\w+)[.]debian[.]org
                 |archive[.]ubuntu|proxy[.]golang|crates[.]io|rubygems[.]org
                 |cpan[.]org|metacpan[.]org|ghcr[.]io|docker[.]io)[\w./]*)}x;
my $avoided  = qr{(?:^---\ |\b)(SKI[P]\b|skip_al[l]|todo_ski[p]|TOD[O]:
                 |skip_(?:nginx2?|eva[l]|openssl)|(?<=---\ )(?:skip|todo)\w*
                 |\bski[p]\()}x;


my @rules = (

{ title  => 'a room includes what lies below it, and of others nothing',
  remedy => 'take the public header of the room, named from the top folder; '
            . 'what a room lacks is handed to it by the flow',
  check  => \&layers,
  guilty => { 'ngx_scale_module/route/a.c' => qq(#include "pg/conn.h"\n),
              'ngx_scale_module/http/a.c'  => qq(#include "cache/cache.h"\n),
              'ngx_scale_module/ngx_scale_a.c' => qq(#include "pg/conn.h"\n),
              'ngx_scale_module/json/json.h' =>
                  qq(#include <yajl/yajl_parse.h>\n) },
  finds  => 4 },

{ title  => 'a library is known in one room only',
  remedy => 'call the room that has the library',
  check  => sub { placed($_[0], \@libraries) },
  guilty => { 'ngx_scale_module/ngx_scale_a.c' => "    PQfinish(conn);\n",
              'ngx_scale_module/cache/memc.c' => "    memcached_free(m);\n",
              'ngx_scale_module/pg/a.c' => "    ngx_http_request_t  *r;\n" },
  finds  => 3 },

{ title  => 'a worker never waits',
  remedy => 'send, return to the event loop, and go on in a handler',
  check  => \&blocking,
  guilty => { 'ngx_scale_module/pg/a.c' =>
                  "    PQexec(c, s);\n    PQgetResult(c);\n    usleep(1);\n",
              'ngx_scale_module/cache/ring.c' => "    memcached_get(m);\n" },
  finds  => 4 },

{ title  => 'memory comes from pools',
  remedy => 'ngx_palloc(), or an entry in %allocates with its reason',
  check  => \&allocates,
  guilty => { 'ngx_scale_module/pg/a.c' =>
                  "    p = malloc(1);\n    strcpy(p, s);\n    free(p);\n" },
  finds  => 3 },

{ title  => 'a format writes no more than its buffer holds',
  remedy => 'ngx_snprintf() or ngx_cpymem(), or an entry in %formats that '
            . 'says why it is bounded',
  check  => \&formats,
  guilty => { 'ngx_scale_module/pg/a.c' =>
                  qq(    ngx_sprintf(p, "a%V", &s);\n    sprintf(p, "a");\n) },
  finds  => 2 },

{ title  => 'a permission is in use',
  remedy => 'remove the entry',
  check  => \&stale,
  guilty => {},
  finds  => keys(%allocates) + keys(%formats) + keys(%long_files)
            + keys(%long_functions) + keys(%fields) + keys(%repeated)
            + keys(%knots) },

{ title  => 'files call downwards only',
  remedy => 'move what both need below them, or hand the lower one what it '
            . 'calls, as a step or a handler is handed',
  check  => \&circles,
  guilty => { 'ngx_scale_module/a.c' => "void\na(void)\n{\n    b();\n}\n",
              'ngx_scale_module/b.c' => "void\nb(void)\n{\n    c();\n}\n",
              'ngx_scale_module/c.c' => "void\nc(void)\n{\n    a();\n}\n",
              'ngx_scale_module/d.c' => "void\nd(void)\n{\n    a();\n}\n" },
  finds  => 1 },

{ title  => 'no tab and no trailing blank, and a line end ends a file',
  remedy => 'spaces, and an editor that shows them',
  check  => \&blanks,
  guilty => { 'ngx_scale_module/a.c' => "\tx;\n", 'README.md' => "a \nb" },
  finds  => 3 },

{ title  => 'C has 80 columns',
  remedy => 'break the line as nginx does',
  check  => sub { grep { $_->[2] !~ m{^/\* sources:} }
                       $_[0]->text_matches($c, qr/^(.{81,})$/m) },
  guilty => { 'ngx_scale_module/a.c' => 'x' x 81 . "\n" },
  finds  => 1 },

{ title  => 'a function begins with its type on a line and a brace on a line',
  remedy => 'type, name, brace: three lines, each at the first column',
  check  => \&signatures,
  guilty => { 'ngx_scale_module/a.c' =>
                  "void a(void)\n{\n}\n\n\nint\nb(int c,\n    int d) {\n}\n" },
  finds  => 2 },

{ title  => 'two blank lines are between functions',
  remedy => 'two, neither one nor three',
  check  => \&distances,
  guilty => { 'ngx_scale_module/a.c' =>
                  "void\na(void)\n{\n}\n\nvoid\nb(void)\n{\n}\n"
                  . "\n\n\nint  a;\n" },
  finds  => 2 },

{ title  => 'a comment is /* */, and promises nothing',
  remedy => 'do it, or leave it; dead code is deleted',
  check  => \&comments,
  guilty => { 'ngx_scale_module/a.c' =>
                  "int  a;  // b\n#if 0\n#endif\n/* TO" . "DO: c */\n" },
  finds  => 3 },

{ title  => 'a header has a guard named after it, and no other has its name',
  remedy => '_NGX_SCALE_<FILE>_H_INCLUDED_ in #ifndef, #define and #endif',
  check  => \&guards,
  guilty => { 'ngx_scale_module/pg/a.h' => "#ifndef A_H\n#define A_H\n#endif\n",
              'ngx_scale_module/http/a.h' =>
                  "#ifndef _NGX_SCALE_A_H_INCLUDED_\n"
                  . "#define _NGX_SCALE_A_H_INCLUDED_\n"
                  . "\n#endif /* _NGX_SCALE_A_H_INCLUDED_ */\n" },
  finds  => 2 },

{ title  => "a file has $file_limit lines at most",
  remedy => 'one file, one role: what has another role moves to its own',
  check  => \&long_files,
  guilty => { 'ngx_scale_module/a.c' => "\n" x 601 },
  finds  => 1 },

{ title  => "a function has $function_limit lines at most",
  remedy => 'name its parts',
  check  => \&long_functions,
  guilty => { 'ngx_scale_module/a.c' =>
                  "int\na(void)\n{\n" . "    b();\n" x 98 . "}\n" },
  finds  => 1 },

{ title  => 'of all functions ' . join(', ', map { $_ * 100
                . "% have at most $share{$_} lines" } sort keys %share),
  remedy => 'split where a part has a name of its own',
  check  => \&lengths,
  guilty => { 'ngx_scale_module/a.c' =>
                  "int\na(void)\n{\n" . "    b();\n" x 57 . "}\n" },
  finds  => 1 },

{ title  => 'a field of a header is used',
  remedy => 'delete it',
  check  => \&fields,
  guilty => { 'ngx_scale_module/a.h' => <<'END',
typedef struct {
    ngx_str_t    used;
    ngx_uint_t  *set, unused;
    u_char       array[2];
    void       (*call)(ngx_uint_t argument,
                       void *data);
    struct {
        unsigned inner:1;
    }            nested;
} ngx_scale_a_t;

struct ngx_scale_b_s {
    ngx_str_t    not_named;
};
END
              'ngx_scale_module/a.c' =>
                  "{\n    a->used = b.set;\n    not_named();\n}\n" },
  finds  => 6 },

{ title  => "no $run lines of code are written in two files",
  remedy => 'one function, in the file below both',
  check  => \&repeated,
  guilty => { map { ("ngx_scale_module/$_.c" => "int  $_;\n\n"
                     . join('', map { "    f($_);\n" } 1 .. $run + 1)
                     . "    /* $_ */\n    $_();\n"
                     . join('', map { "    g($_);\n" } 2 .. $run)) }
              qw(a b) },
  finds  => 1 },

{ title  => 'nothing knows the machine it was written on',
  remedy => 'a path below the checkout, or a variable',
  check  => sub { $_[0]->text_matches($all, $machine) },
  guilty => { 'Makefile' => "a = /wor" . "k/b\nb = /hom" . "e/c\n" },
  finds  => 2 },

{ title  => 'packages come from where the machine takes them',
  remedy => 'apt knows its mirrors: name the package in conf/packages',
  check  => sub { $_[0]->text_matches($all, $registry) },
  guilty => { 'a.sh' => "curl https://deb.debian." . "org/debian\n" },
  finds  => 1 },

{ title  => 'a test is run or deleted',
  remedy => 'make it pass',
  check  => sub { $_[0]->text_matches($tests, $avoided) },
  guilty => { 't/a.t' => "plan skip_" . "all => 'later';\n--- ski" . "p\n" },
  finds  => 2 },

{ title  => 'README.md has each directive, in its contexts, and no other',
  remedy => 'the command table and the tables of README.md say the same',
  check  => \&directives,
  guilty => { 'ngx_scale_module/a.c' =>
                  "static ngx_command_t  a[] = {\n"
                  . qq(    { ngx_string("scale_a"), NGX_HTTP_SRV_CONF },\n)
                  . qq(    { ngx_string("scale_b"), NGX_HTTP_SRV_CONF }\n};\n),
              'README.md' => "| `scale_a` | - | http |\n`scale_c`\n" },
  finds  => 3 },

{ title  => 'README.md has each directive of a block of ours',
  remedy => 'describe it where the block is described',
  check  => \&inner_directives,
  guilty => { 'ngx_scale_module/a.c' =>
                  "static ngx_scale_block_directive_t  "
                  . "ngx_scale_a_block[] = {\n"
                  . qq(    { ngx_string("one"), 1, 1, a, 0 },\n)
                  . qq(    { ngx_string("two"), 1, 1, a, 0 },\n};\n),
              'README.md' => "### scale_a\n\n| `one 1` |\n\n### b\n`two`\n" },
  finds  => 1 },

{ title  => 'README.md has each variable, and no other',
  remedy => 'the table of variables and the one of README.md say the same',
  check  => \&variables,
  guilty => { 'ngx_scale_module/a.c' =>
                  "static ngx_http_variable_t  a[] = {\n"
                  . qq(    { ngx_string("scale_a"), NULL },\n};\n),
              'README.md' => "`\$scale_b`\n" },
  finds  => 2 },

{ title  => 'the configurations of conf/ use what exists',
  remedy => 'correct the configuration',
  check  => \&configurations,
  guilty => { 'conf/a.conf' =>
                  "    scale_a on;\n    # scale_b\n    return \$scale_c;\n" },
  finds  => 2 },

{ title  => 'a unit test names its sources in its first line',
  remedy => '/* sources: room/file.c */, of files that exist',
  check  => \&unit_sources,
  guilty => { 't/unit/a.c' => "\n/* sources: a.c */\n",
              't/unit/b.c' => "/* sources: b/c.c */\n" },
  finds  => 2 },

{ title  => 'config builds and watches each file of the module',
  remedy => 'ngx_module_srcs has the .c files, ngx_module_deps the headers',
  check  => \&configured,
  guilty => { 'ngx_scale_module/a/b.c' => '', 'ngx_scale_module/c.h' => '',
              'config' => 'ngx_module_srcs=$(echo $ngx_scale_dir/*.c)' },
  finds  => 2 },

{ title  => 'what is not static is in a header and used elsewhere',
  remedy => 'make it static, or delete it',
  check  => \&exported,
  guilty => { 'ngx_scale_module/a.c' => "void\nngx_scale_a(void)\n{\n}\n",
              'ngx_scale_module/b.c' => "void\nngx_scale_b(void)\n{\n}\n",
              'ngx_scale_module/b.h' => "void ngx_scale_b(void);\n",
              't/unit/a.c' => "ngx_scale_a();\n" },
  finds  => 2 },

{ title  => 'what a header declares exists',
  remedy => 'delete the prototype',
  check  => \&declared,
  guilty => { 'ngx_scale_module/a.h' => "void ngx_scale_a(void);\n"
                                        . "#define ngx_scale_b(x)  (x)\n" },
  finds  => 1 },

);


my $tree = Scale::Source->repository;

cmp_ok(scalar(my @sources = $tree->paths($c)), '>', 50,
       'the sources are found');

for my $rule (@rules) {
    my @guilty = $rule->{check}(Scale::Source->new(%{ $rule->{guilty} }));
    my @found = $rule->{check}($tree);

    is(@guilty, $rule->{finds}, "it is noticed whether $rule->{title}")
        or diag(map { report($_) } @guilty);

    ok(!@found, $rule->{title})
        or diag(map({ report($_) } @found), "remedy: $rule->{remedy}");
}

diag(figures($tree));

done_testing();


sub report
{
    my ($path, $line, $what) = @{ $_[0] };

    return "$path:$line: " . substr($what =~ s{\s+}{ }gr, 0, 100) . "\n";
}


sub room
{
    my ($path) = @_;

    return $path =~ s{$module}{}r;
}


sub layers
{
    my ($tree) = @_;
    my @found;

    for my $path ($tree->paths(qr{${module}.*\.[ch]$})) {
        my ($layer) = grep { room($path) =~ $_->[0] } @layers;

        push @found, map { [$path, @$_] }
                     grep { $_->[1] !~ $harmless
                            && !($layer && $_->[1] =~ /^(?:$layer->[1])$/) }
                          $tree->includes($path);
    }

    return @found;
}


sub placed
{
    my ($tree, $table) = @_;

    return map { my ($pattern, $where) = @$_;
                 grep { room($_->[0]) !~ $where }
                      $tree->code_matches(qr{${module}.*\.[ch]$}, $pattern) }
           @$table;
}


sub blocking
{
    my ($tree) = @_;

    return placed($tree, [map { [qr/(?<![\w.>])($_->[0])\s*\(/, $_->[1]] }
                          @blocking]);
}


# [path, line, function] of what is not from a pool, permitted or not

sub allocations
{
    my ($tree) = @_;

    return $tree->code_matches(qr{${module}.*\.[ch]$},
        qr{ (?<![\w.>])
            ( (?:ngx_)?(?:m|c|re)?alloc | ngx_memalign | posix_memalign | alloca
            | (?:ngx_)?free | strn?dup | strn?cpy | strn?cat | stpcpy | gets
            | strtok ) \s*\( }x);
}


sub allocates
{
    my ($tree) = @_;

    return grep { !$allocates{"$_->[0] $_->[2]"} } allocations($tree);
}


# [path, line, format] of what formats strings without a bound

sub unbounded
{
    my ($tree) = @_;
    my @found;

    for my $path ($tree->paths(qr{${module}.*\.[ch]$})) {
        push @found, map { [$path, @$_] } Scale::Source::matches(
            $tree->uncommented($path),
            qr{ (?<!\w) (?: v?sprintf \s*\( | ngx_v?sprintf \( [^"';]*
                ( "(?=(?:\\.|[^"\\])*%\*?[sVv])(?:\\.|[^"\\])*" ) ) }x);
    }

    return @found;
}


sub formats
{
    my ($tree) = @_;

    return grep { !$formats{"$_->[0] $_->[2]"} } unbounded($tree);
}


sub stale
{
    my ($tree) = @_;

    my %used = map { ("$_->[0] $_->[2]" => 1) }
               allocations($tree), unbounded($tree);
    my %long = map { ($_ => 1) }
               map({ $_->[0] } beyond_file_limit($tree)),
               map({ "$_->[0] $_->[2]" } beyond_function_limit($tree));

    my %unnamed = map { ("$_->[0] $_->[2]" => 1) } unnamed($tree);
    my %twice = repeats($tree);
    my %tied = map { ($_->[0] => scalar @$_) } knots($tree);

    return map({ ['t/lint.t', line_of($_), $_] }
               grep({ $knots{$_} != ($tied{$_} // 0) } sort keys %knots),
               grep({ !$used{$_} } sort(keys %allocates), sort keys %formats),
               grep({ !$unnamed{$_} } sort keys %fields),
               grep({ $repeated{$_} != ($twice{$_} // 0) }
                    sort keys %repeated),
               grep({ !$long{$_} } sort(keys %long_files),
                                   sort keys %long_functions));
}


sub line_of
{
    my ($entry) = @_;
    my ($found) = Scale::Source::matches(Scale::Source::slurp($0),
                                         qr/^    '\Q$entry\E'/m);

    return $found ? $found->[0] : 1;
}


sub blanks
{
    my ($tree) = @_;

    return $tree->text_matches($all, qr/^(.*[ \t])$/m),
           $tree->text_matches(qr{$c|\.(?:t|pm|pl|py|sh|md|sql|conf)$},
                               qr/^(.*\t.*)$/m),
           $tree->text_matches($all, qr/^(.+)\z/m);
}


sub signatures
{
    my ($tree) = @_;
    my @found;

    for my $path ($tree->paths($c)) {
        push @found, map { [$path, $_->{line}, $_->{name}] }
                     grep { !$_->{typed} } $tree->functions($path);
    }

    return @found, $tree->code_matches($c,
                                  qr/^(\w[^=:;{}#]*\)(?:[ ]*|\n[ ]+)\{)/m);
}


# A comment may stand between the blank lines and the function.

sub distances
{
    my ($tree) = @_;
    my @found;

    for my $path ($tree->paths($c)) {
        my @line = $tree->lines($path);

        for my $function ($tree->functions($path)) {
            my $next = $function->{last};
            $next++ while $next <= $#line && $line[$next] eq '';

            push @found, [$path, $next + 1, "after $function->{name}()"]
                if $next <= $#line && $line[$next] !~ /^#/
                   && $next - $function->{last} != 2;

            my $before = $function->{first} - 2;
            $before-- while $before >= 0 && $line[$before] eq '';

            push @found, [$path, $function->{line}, $function->{name} . '()']
                if $before >= 0 && $line[$before] !~ m{^#|^\}|\*/$}
                   && $function->{first} - $before != 4;
        }
    }

    return @found;
}


sub comments
{
    my ($tree) = @_;

    return $tree->code_matches($c, qr{(//.*|^[ ]*\#[ ]*if[ ]+0\b)}m),
           $tree->text_matches($c, qr{\b((?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b.*)});
}


sub guards
{
    my ($tree) = @_;
    my (%seen, @found);

    for my $path ($tree->paths(qr{$c(?<=h)})) {
        my ($name) = $path =~ m{([^/]+)\.h$};
        my $guard = '_NGX_SCALE_' . uc("${name}_H_INCLUDED_"
                                       =~ s/^ngx_scale_//r);

        push @found, [$path, 1, "its guard is not $guard"]
            if $tree->text($path) !~ m{ \#ifndef\ $guard\n\#define\ $guard\n
                                        .* \n\#endif\ /\*\ $guard\ \*/\n \z }xs;
        push @found, [$path, 1, "the guard is that of $seen{$guard}"]
            if $seen{$guard};
        $seen{$guard} = $path;
    }

    return @found;
}


sub beyond_file_limit
{
    my ($tree) = @_;

    return map { my $lines = $tree->text($_) =~ tr/\n//;
                 $lines > $file_limit ? [$_, $lines, "$lines lines"] : () }
           $tree->paths(qr{${module}.*\.[ch]$});
}


sub long_files
{
    my ($tree) = @_;

    return grep { $_->[1] > ($long_files{$_->[0]} // 0) }
                beyond_file_limit($tree);
}


sub beyond_function_limit
{
    my ($tree) = @_;

    return map { $_->{length} > $function_limit
                     ? [$_->{path}, $_->{line}, $_->{name}, $_->{length}] : () }
           map { $tree->functions($_) } $tree->paths(qr{${module}.*\.[ch]$});
}


sub long_functions
{
    my ($tree) = @_;

    return grep { $_->[3] > ($long_functions{"$_->[0] $_->[2]"} // 0) }
                beyond_function_limit($tree);
}


# the functions of the module, the short ones first

sub by_length
{
    my ($tree) = @_;

    return sort { $a->{length} <=> $b->{length} || $a->{name} cmp $b->{name} }
           map { $tree->functions($_) } $tree->paths(qr{${module}.*\.[ch]$});
}


sub figures
{
    my ($tree) = @_;
    my @length = map { $_->{length} } by_length($tree);

    return sprintf '%d functions: the median has %d lines, 95%% have at most '
                   . '%d, the longest %d', scalar @length,
                   @length[$#length / 2, $#length * 0.95, $#length];
}


sub lengths
{
    my ($tree) = @_;
    my @function = by_length($tree) or return;

    return map { my $one = $function[$#function * $_];
                 $one->{length} > $share{$_}
                     ? ["$one->{path}", $one->{line},
                        "$one->{name}(), $one->{length} lines; "
                        . figures($tree)] : () }
           sort keys %share;
}


sub fields
{
    my ($tree) = @_;

    return grep { !$fields{"$_->[0] $_->[2]"} } unnamed($tree);
}


# A name counts as used wherever a member of that name is reached.

sub unnamed
{
    my ($tree) = @_;
    my @sources = $tree->paths(qr{${module}.*\.[ch]$});
    my %used;

    for my $code (map { $tree->code($_) } @sources) {
        $used{$_} = 1 for $code =~ /(?:->|\.)\s*(\w+)/g,
                          $code =~ /\boffsetof\([^,]+,\s*(\w+)\)/g;
    }

    return grep { !$used{$_->[2]} }
           map { $tree->fields($_) } grep { /h$/ } @sources;
}


sub repeated
{
    my ($tree) = @_;
    my %count;

    return grep { $count{"$_->[0] $_->[3]"}++
                      >= ($repeated{"$_->[0] $_->[3]"} // 0) } runs($tree);
}


sub repeats
{
    my ($tree) = @_;
    my %count;

    $count{"$_->[0] $_->[3]"}++ for runs($tree);

    return %count;
}


# [path, line, where else, its path] of the first line of each such run.  What
# is a brace only is no line of it.

sub runs
{
    my ($tree) = @_;
    my (%seen, @found);

    for my $path ($tree->paths(qr{${module}.*\.c$})) {
        my @line = Scale::Source::matches($tree->uncommented($path),
                                          qr/^[ ]*(\S*\w.*?)[ ]*$/m);
        my $last = '';

        for my $i (0 .. $#line - $run + 1) {
            my $text = join "\n", map { $_->[1] } @line[$i .. $i + $run - 1];
            my $place = $seen{$text} //= [$path, $line[$i][0]];
            my $other = $place->[0] eq $path ? '' : $place->[0];

            push @found, [$path, $line[$i][0], "as $other:$place->[1]", $other]
                if $other && $other ne $last;
            $last = $other;
        }
    }

    return @found;
}


# README.md as [line, cells of a table's row]

sub rows
{
    my ($tree) = @_;

    return map { [$_->[1], split / +\| +/, $_->[2] =~ s/^\| +| +\|$//gr] }
           $tree->text_matches(qr{^README\.md$}, qr/^(\|.*\|)$/m);
}


sub contexts
{
    my ($flags) = @_;

    my @context = (MAIN => 'http', SRV => 'server', LOC => 'location');
    my @found;

    while (my ($flag, $name) = splice @context, 0, 2) {
        push @found, $name
            if $flags =~ /NGX_HTTP_${flag}_CONF\b|NGX_SCALE_ANY_CONF\b/;
    }

    return join ', ', @found;
}


sub commands
{
    my ($tree) = @_;

    return $tree->entries('ngx_command_t', $module);
}


sub mentioned
{
    my ($tree, $paths, $exists, $pattern) = @_;

    # "row_" is all of "row_..."

    my @prefixes = grep { /_$/ } keys %$exists;

    return grep { my $name = $_->[2];
                  !$exists->{$name}
                  && !grep { index($name, $_) == 0 } @prefixes }
           $tree->text_matches($paths, $pattern);
}


sub directives
{
    my ($tree) = @_;

    my %exists = map { ($_->[2] => 1) } commands($tree);
    my %context = map { $_->[1] =~ /^`(scale_\w+)/ ? ($1 => $_->[-1]) : () }
                  rows($tree);

    return map({ my ($path, $line, $name, $rest) = @$_;
                 my $needed = contexts($rest =~ s/OFFSET.*//sr);
                 my $given = $context{$name} // 'no row';
                 $given eq $needed ? ()
                     : [$path, $line, "$name is of $needed; there: $given"] }
               commands($tree)),
           mentioned($tree, qr{^README\.md$}, \%exists,
                     qr/(?<![\w\$.])(scale_[a-z]\w*)/);
}


# What a block holds is in the section with its name.

sub inner_directives
{
    my ($tree) = @_;
    my @found;

    my %section = map { $_->[2] =~ /^### (\w+)/ ? ($1 => $_->[2]) : () }
                  $tree->text_matches(qr{^README\.md$},
                      qr/^(\#\#\#\ scale_\w+\n.*?)(?=^\#|\z)/ms);

    for my $path ($tree->paths($module)) {
        my $text = $tree->uncommented($path);

        while ($text =~ /^static\ ngx_scale_block_directive_t\s+
                         ngx_(\w+)_block\[\]\ =\ \{$(.*?)^\};/gmsx)
        {
            my ($block, $table, $above) = ($1, $2, substr $text, 0, $-[0]);
            my $line = 1 + $above =~ tr/\n//;

            # a block within a block is described with that

            $block =~ s/_[a-z]+$// while !$section{$block} && $block =~ /_.*_/;

            push @found, map { [$path, $line, "$block has no \"$_\""] }
                         grep { ($section{$block} // '') !~ /`$_\b/ }
                              $table =~ /ngx_string\("(\w+)"\)/g;
        }
    }

    return @found;
}


sub variables
{
    my ($tree) = @_;

    my @variable = $tree->entries('ngx_http_variable_t', $module);
    my %exists = map { ($_->[2] => 1) } @variable;
    my ($readme) = map { $tree->text($_) } $tree->paths(qr{^README\.md$});

    return grep({ $readme !~ /`\$$_->[2]/ } @variable),
           mentioned($tree, qr{^README\.md$}, \%exists, qr/\$(scale_\w+)/);
}


sub configurations
{
    my ($tree) = @_;

    my %directive = map { ($_->[2] => 1) } commands($tree);
    my %variable = map { ($_->[2] => 1) }
                   $tree->entries('ngx_http_variable_t', $module);

    return mentioned($tree, qr{^conf/.*\.conf$}, \%directive,
                     qr/^[^#\n]*?(?:^|[\s;{])(scale_\w+)\s/m),
           mentioned($tree, qr{^conf/.*\.conf$}, \%variable,
                     qr/\$(scale_\w+)/);
}


sub unit_sources
{
    my ($tree) = @_;
    my @found;

    for my $path ($tree->paths(qr{^t/unit/.*\.c$})) {
        my ($sources) = $tree->text($path) =~ m{\A/\* sources: (.*) \*/\n};

        push @found, [$path, 1, 'it names none'] unless defined $sources;
        push @found, map { [$path, 1, "$_ does not exist"] }
                     grep { !defined $tree->text("ngx_scale_module/$_") }
                          split ' ', $sources // '';
    }

    return @found;
}


sub configured
{
    my ($tree) = @_;
    my $config = $tree->text('config') // '';
    my @found;

    for (['srcs', qr{\.c$}], ['deps', qr{\.h$}]) {
        my ($variable, $files) = @$_;
        my ($list) = $config =~ /^ngx_module_$variable=(?:\$\(echo)?([^)]*)/m;

        my @pattern = map { quotemeta =~ s{\\\*}{[^/]*}gr }
                      ($list // '') =~ m{\$ngx_scale_dir/(\S+)}g;

        push @found, map { [$_, 1, "it is not in ngx_module_$variable"] }
                     grep { my $path = $_;
                            $path =~ $files
                            && !grep { room($path) =~ /^$_$/ } @pattern }
                          $tree->paths(qr{${module}.*\.[ch]$});
    }

    return @found;
}


# An inline function of a header is a user; a prototype is not.

sub exported
{
    my ($tree) = @_;
    my (%declared, %users, @found);

    for my $path ($tree->paths($c)) {
        my $code = $tree->code($path);

        if ($path =~ /h$/) {
            $declared{$_} = 1 for $code =~ /\b(ngx_scale_\w+)/g;
            $code = join "\n", (map { body($tree, $_) }
                                     $tree->functions($path)),
                               $code =~ /^#define(.*)/mg;
        }

        $users{$_}{$path} = 1 for $code =~ /\b(ngx_scale_\w+)/g;
    }

    for my $function (map { $tree->functions($_) }
                      $tree->paths(qr{${module}.*\.c$}))
    {
        my ($path, $line, $name) = @$function{qw(path line name)};

        next if $function->{static};

        push @found, [$path, $line, "$name() is in no header"]
            unless $declared{$name};
        push @found, [$path, $line, "$name() is used in its file only"]
            unless grep { $_ ne $path } keys %{ $users{$name} };
    }

    return @found;
}


# Files that reach one another by the functions that they name.

sub circles
{
    my ($tree) = @_;

    return map { ["ngx_scale_module/$_->[0]", 1, scalar(@$_) . " files: @$_"] }
           grep { @$_ > ($knots{ $_->[0] } // 0) } knots($tree);
}


sub knots
{
    my ($tree) = @_;
    my @path = map { room($_) } $tree->paths(qr{${module}.*\.c$});
    my (%home, %below, %seen);

    for my $path (@path) {
        $home{ $_->{name} } = $path
            for grep { !$_->{static} }
                $tree->functions("ngx_scale_module/$path");
    }

    for my $path (@path) {
        my $code = $tree->code("ngx_scale_module/$path");
        my @used = grep { defined && $_ ne $path }
                   map { $home{$_} } $code =~ /\b(\w+)\b/g;

        $below{$path} = { map { $_ => 1 } @used };
    }

    for my $by (@path) {
        for my $path (grep { $below{$_}{$by} } @path) {
            $below{$path}{$_} = 1 for keys %{ $below{$by} };
        }
    }

    return grep { @$_ && !$seen{ $_->[0] }++ }
           map { my $path = $_;
                 [grep { $below{$path}{$_} && $below{$_}{$path} } @path] }
           @path;
}


sub body
{
    my ($tree, $function) = @_;
    my @line = split /\n/, $tree->code($function->{path}), -1;

    return @line[$function->{open} - 1 .. $function->{last} - 1];
}


sub declared
{
    my ($tree) = @_;

    my %exists = map { ($_->{name} => 1) } map { $tree->functions($_) }
                 $tree->paths(qr{${module}.*\.[ch]$});

    return grep { !$exists{$_->[2]} }
                $tree->code_matches(qr{${module}.*\.h$},
                    qr/^(?![#\s])[\w\s*]*?\b(ngx_scale_\w+)\([^)]*\);/m);
}
