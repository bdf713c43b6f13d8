package Scale::Example;

# The applications of conf/examples, on the test's own servers.

use strict;
use warnings;
use Scale::Process qw(slurp);

my $home = 'conf/examples';


sub text
{
    my ($path) = @_;

    return slurp("$home/$path");
}


# The content of its http{}, with $cache_status as X-Cache; back ends and port
# are those of Scale::nginx().

sub http
{
    my ($name) = @_;

    my $text = text("$name/nginx.conf");

    $text =~ s/\A.*?^http \{\n(.*)^\}\n\z/$1/ms
        or die "$name/nginx.conf has no http{}\n";
    $text =~ s{unix:/run/postgresql/\.s\.PGSQL\.5432}
              {unix:\$TEST_NGINX_PG_SOCKET};
    $text =~ s/127\.0\.0\.1:11211/127.0.0.1:\$TEST_NGINX_MC_PORT/;
    $text =~ s/\blisten  8080;/listen  127.0.0.1:\$ServerPort;/;
    $text =~ s{\bfile=(?=\w)}{file=$ENV{PWD}/$home/$name/}g;

    return "add_header  X-Cache \$scale_cache_status always;\n$text";
}


1;
