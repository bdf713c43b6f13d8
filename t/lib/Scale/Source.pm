package Scale::Source;

# The sources as a rule of t/lint.t sees them.  A tree maps paths to texts, so
# that a rule can be tried on a few lines as well as on the whole repository.

use strict;
use warnings;
use File::Find;


sub new
{
    my ($class, %text) = @_;

    return bless { text => {%text} }, $class;
}


# What is tracked, or would be; what lies there, where git does not know.

sub repository
{
    my ($class) = @_;

    my @path = split /\0/,
               `git ls-files -zco --exclude-standard 2>/dev/null`;

    find({ no_chdir => 1, wanted => sub {
        $File::Find::prune = 1 if m{^\./(?:\.git|build|run)$};
        push @path, substr $_, 2 if -f $_ && !-l $_;
    } }, '.') unless @path;

    return $class->new(map { ($_ => slurp($_)) } grep { -f } @path);
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$in>) // '';
}


# the paths that match, in order; binary files are nobody's

sub paths
{
    my ($self, $pattern) = @_;

    return sort grep { /$pattern/ && $self->{text}{$_} !~ /\0/ }
                keys %{ $self->{text} };
}


sub text
{
    my ($self, $path) = @_;

    return $self->{text}{$path};
}


sub lines
{
    my ($self, $path) = @_;

    return split /\n/, $self->{text}{$path}, -1;
}


# C with its comments blanked, and, in code(), its literals too: every line
# and every column stays where it is.

sub uncommented
{
    my ($self, $path) = @_;

    return $self->{uncommented}{$path} //= masked($self->text($path), qr{^/});
}


sub code
{
    my ($self, $path) = @_;

    return $self->{code}{$path} //= masked($self->text($path), qr{^});
}


sub masked
{
    my ($text, $what) = @_;

    $text =~ s{( /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )}
              { my $token = $1;
                $token =~ tr/\n/ /c if $token =~ $what;
                $token }gsex;

    return $text;
}


# [path, line, what matched] of every match in the code of some files

sub code_matches
{
    my ($self, $paths, $pattern) = @_;

    return map { my $path = $_;
                 map { [$path, @$_] } matches($self->code($path), $pattern) }
           $self->paths($paths);
}


sub text_matches
{
    my ($self, $paths, $pattern) = @_;

    return map { my $path = $_;
                 map { [$path, @$_] } matches($self->text($path), $pattern) }
           $self->paths($paths);
}


sub matches
{
    my ($text, $pattern) = @_;
    my ($line, $last, @found) = (1, 0);

    while ($text =~ /$pattern/g) {
        my $what = $1 // $&;
        $line += substr($text, $last, $-[0] - $last) =~ tr/\n//;
        $last = $-[0];
        push @found, [$line, $what];
    }

    return @found;
}


# [line, <file> or "file"] of every include

sub includes
{
    my ($self, $path) = @_;

    return matches($self->uncommented($path),
                   qr/^[ \t]*#[ \t]*include[ \t]+([<"][^>"\n]*[>"])/m);
}


# The functions of a file: name, its line, the first and the last line, and
# whether it is static.  An opening brace of the first column begins a body.

sub functions
{
    my ($self, $path) = @_;

    my @line = split /\n/, $self->code($path), -1;
    my @function;

    for my $open (grep { $line[$_] eq '{' } 0 .. $#line) {
        my $first = $open;
        $first-- while $first > 0 && $line[$first - 1] =~ /^[^#}\s]|^\s+\S/;

        my ($named) = grep { $line[$_] =~ /^\w+\(/ } $first .. $open;
        my $close = $open;
        $close++ while $close < $#line && $line[$close] !~ /^}/;

        my ($name) = $line[$named // $first] =~ /(\w+)\(/;

        push @function, {
            path   => $path,
            name   => $name // '?',
            typed  => defined $named && $named > $first,
            first  => $first + 1,
            line   => ($named // $first) + 1,
            open   => $open + 1,
            last   => $close + 1,
            length => $close - ($named // $first) + 1,
            static => scalar($line[$first] =~ /^static\b/),
        };
    }

    return @function;
}


# [path, line, name] of the members of every struct of a file; a struct within
# is a member, and so are its own

sub fields
{
    my ($self, $path) = @_;

    my $code = $self->code($path);
    my @field;

    while ($code =~ /^(?:typedef\s+)?(?:struct|union)[^{};]*
                     (\{(?:[^{}]++|(?1))*\})/gmx)
    {
        my ($body, $start) = ($1, $-[1]);

        # arguments and sizes are no members, nor is what stands at a brace
        $body =~ s{(\((?:[^()]++|(?1))*\)) | \[[^\]]*\]}
                  { my $all = $&;
                    $all =~ /^\(\s*\*/ ? $all =~ tr/()*/   /r
                                       : $all =~ tr/\n/ /cr }gex;

        while ($body =~ /\b(\w+)\s*(?::\s*\d+\s*)?[;,]/g) {
            my ($name, $above) = ($1, substr $code, 0, $start + $-[1]);
            push @field, [$path, 1 + $above =~ tr/\n//, $name];
        }
    }

    return @field;
}


# [path, line, name, text] of the entries of every table of a type

sub entries
{
    my ($self, $type, $paths) = @_;
    my @entry;

    for my $path ($self->paths($paths)) {
        my $text = $self->uncommented($path);

        while ($text =~ /^(?:static )?$type\s+\w+\[\] = \{$(.*?)^\};/gms) {
            my ($table, $before) = ($1, substr $text, 0, $-[1]);
            my $line = 1 + $before =~ tr/\n//;

            while ($table =~ /\{ ngx_string\("(\w+)"\),(.*?)\}/gs) {
                my ($name, $rest) = ($1, $2);
                my $above = substr $table, 0, $-[0];
                push @entry, [$path, $line + $above =~ tr/\n//, $name, $rest];
            }
        }
    }

    return @entry;
}


1;
