# The manual: its configurations are accepted.  What it names, t/lint.t checks.
#
# A block of README.md that begins with ```nginx and main, http or server is
# what stands on that level.

use strict;
use warnings;
use lib 't/lib';
use Scale;
use Test::More 'no_plan';
use Scale::Jwt;
use Scale::Process qw(slurp);

my $dir = Scale::dir();
my $readme = slurp('README.md');

my $database = 'scale_database main { server 127.0.0.1:5432;'
               . ' conninfo "dbname=app"; }';
my $cache = 'scale_cache hot { server 127.0.0.1:11211; }';
my $secret = 'scale_secret_file /run/secrets/scale;';

my $store = 'scale_object_store photos { region eu; bucket photos;'
            . ' credentials file=/run/secrets/aws; }';

my %wrap = (
    main => sub { $_[0] =~ s/^load_module.*\n//mr },
    http => sub { "events {}\nhttp {\n$_[0]\n}\n" },
    server => sub { "events {}\nhttp {\n$database\n$cache\n$secret\n"
                    . "$store\nscale_queue thumbs { }\nserver {\n"
                    . "$_[0]\n}\n}\n" },
);

my %files = (aws => "aws_access_key_id = A\naws_secret_access_key = B",
             password => 'a secret of the tests',
             secret => 'a secret of the tests', memcached => 'app:secret');

my $partner = Scale::Jwt::key($dir, 'ES256');

$files{'jwks.json'} = Scale::Jwt::jwks(Scale::Jwt::jwk($partner));

for my $name (sort keys %files) {
    open my $out, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $out "$files{$name}\n";
    close $out;
}


sub verdict
{
    my ($conf) = @_;

    my $modules = join '', map { "load_module $_;\n" }
                           split ' ', $ENV{TEST_NGINX_LOAD_MODULES};

    my $temp = join '', map { "${_}_temp_path $dir/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);

    $conf =~ s{/run/secrets/pg}{$dir/password}g;
    $conf =~ s{/run/secrets/scale}{$dir/secret}g;
    $conf =~ s{/run/secrets/aws}{$dir/aws}g;
    $conf =~ s{/run/secrets/memcached}{$dir/memcached}g;
    $conf =~ s{/run/secrets/jwks}{$dir/jwks}g;
    $conf =~ s{/run/secrets/partner.pem}{$partner->{public}}g;
    $conf =~ s{(?<=https://)[\w.-]+\.amazonaws\.com(?=/)}{127.0.0.1}g;
    $conf =~ s{/srv/temp}{$dir/put}g;
    $conf =~ s/^http \{\n/$&access_log off;\n$temp/m;

    open my $out, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!\n";
    print $out "${modules}pid $dir/pid;\n$conf";
    close $out;

    # nginx leaves its pools behind when it exits after a test
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (),
                                         'detect_leaks=0';

    my @command = ($ENV{TEST_NGINX_BINARY}, '-t', '-p', "$dir/",
                   '-e', "$dir/error.log", '-c', "$dir/nginx.conf");
    my $said = qx(@command 2>&1);

    return $? == 0 ? 'accepted' : $said;
}

while ($readme =~ /^```nginx (\w+)\n(.*?)^```$/msg) {
    my ($level, $text) = ($1, $2);
    my $line = 1 + (substr($readme, 0, $-[0]) =~ tr/\n//);
    my $wrap = $wrap{$level} or die "README.md:$line: no level $level\n";

    is(verdict($wrap->($text)), 'accepted', "README.md:$line runs");
}
