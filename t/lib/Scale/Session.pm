package Scale::Session;

# Users who log in, for t/session*.t.

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP;

our @EXPORT = qw(create_users write_secrets login_statement credentials said
                 login cookie own code body);


sub create_users
{
    Scale::sql(<<'SQL');
CREATE TABLE users (id bigint PRIMARY KEY, name text UNIQUE NOT NULL,
                    word text NOT NULL, noted int NOT NULL DEFAULT 0);
INSERT INTO users VALUES (1, 'ann', 'a word'), (2, 'bob', 'b word');
GRANT ALL ON ALL TABLES IN SCHEMA public TO api;
SQL
}


# scale_secret_file's, by which nginx signs from its next reload on

sub write_secrets
{
    my $file = Scale::dir() . '/secret';

    open my $out, '>', $file or die "$file: $!\n";
    print $out map { "$_\n" } @_;
    close $out;
}


# of nginx.conf, with :name and :word; "row:rank" is kept and not sent

sub login_statement
{
    return <<'END' =~ s/\s+$//r;
"SELECT u.id AS \"user\", u.name, 'admin' AS \"row:rank\",
        scale.require(u.word = :word, 401, 'Wrong name or password')
   FROM (VALUES (:name)) AS given (name)
        LEFT JOIN users u ON u.name = given.name"
END
}


sub credentials
{
    my ($name, $word) = @_;

    return encode_json({ name => $name, word => $word });
}


# the same as the headers of code()

sub said
{
    return { 'Content-Type' => 'application/json',
             ':body' => credentials(@_) };
}


# the answer; ":path" is /login unless given

sub login
{
    my ($name, $word, %headers) = @_;

    my $path = delete $headers{':path'} // '/login';
    my %from = exists $headers{Cookie} ? own() : ();

    return Scale::request('POST', $path, credentials($name, $word),
                          'Content-Type' => 'application/json', %from,
                          %headers);
}


# what a browser sends of the cookie that it got

sub cookie
{
    my ($answer) = @_;

    return ($answer->{headers}{'set-cookie'} // '') =~ s/;.*//r;
}


# as of a page of the same origin

sub own { return ('Sec-Fetch-Site' => 'same-origin') }


sub code
{
    my ($method, $path, %headers) = @_;

    my $body = delete $headers{':body'};

    return Scale::request($method, $path, $body, %headers)->{code};
}


sub body
{
    my ($path, %headers) = @_;

    return Scale::get($path, %headers)->{body};
}


1;
