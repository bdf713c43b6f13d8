# The roles of conf/sql/roles.sql do what the demo's statements need, and are
# refused everything else.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres);
use Test::More;

my $root = Scale::root();

for my $file (qw(demo login queue photos roles roles)) {
    Scale::Postgres::quietly(Scale::Postgres::psql('app'), '-1', '-f',
                             "$root/conf/sql/$file.sql");
}

Scale::sql(<<'END');
CREATE SCHEMA private;
CREATE TABLE private.salaries (n int);
CREATE TABLE public.others (n int);
REVOKE ALL ON public.others FROM PUBLIC;
INSERT INTO users (name) VALUES ('anna'), ('bert');
INSERT INTO posts (author, title, body) VALUES (1, 'a', 'b');
INSERT INTO follows VALUES (1, 2);
END

Scale::sql($_) for 'CREATE DATABASE elsewhere',
                   'REVOKE CONNECT ON DATABASE elsewhere FROM PUBLIC';


# [statement, the roles that may]; each in a transaction that is rolled back

my ($read, $write, $worker) = qw(api_read api_write api_worker);
my @all = ($read, $write, $worker);

my @table = (
    ['SELECT id, author, title, body, version FROM posts', @all],
    ['SELECT id, name, bio FROM users', @all],
    ['SELECT p.id FROM follows f JOIN posts p ON p.author = f.followee', @all],
    ["INSERT INTO posts (author, title, body) VALUES (1, 'a', 'b')"
     . " RETURNING id, version, created_at", $write],
    ["UPDATE posts SET title = 'c', version = version + 1, updated_at = now()"
     . ' WHERE id = 1 RETURNING id, body', $write],
    ['DELETE FROM posts WHERE id = 1 RETURNING author', $write],
    ['INSERT INTO follows (follower, followee) VALUES (2, 1)'
     . ' ON CONFLICT DO NOTHING', $write],
    ['DELETE FROM follows WHERE follower = 1 AND followee = 2', $write],

    ["SELECT scale.require(true, 403)", @all],
    ["SELECT scale.bucket('7')", @all],
    ['SELECT scale.timeline()', @all],
    ["SELECT * FROM scale.idempotency_begin('k', 'r', 60)", $write],
    ["SELECT scale.idempotency_end('k', 'a')", $write],
    ["SELECT scale.session_start('k', 'o', '{}', 60, NULL, NULL)", $write],
    ["SELECT scale.session_end('k', NULL)", $write],
    ["SELECT scale.enqueue('q', '{}')", $write],
    ["SELECT * FROM scale.job_claim('q')", $write, $worker],
    ["SELECT login('anna', 'b')", $write],
    ["SELECT scale.jwt_sign('{}', repeat('x', 32), '1 h')"],
    ['SELECT * FROM scale.session'],
    ['SELECT * FROM scale.job'],
    ['SELECT * FROM passwords'],
    ["SELECT * FROM scale.ring_refresh('hot', 1, 'node')", $write],
    ["SELECT scale.ring_renew('hot', 1)", $write],
    ["SELECT scale.ring_add('hot', '10.0.0.1:11211')"],
    ["SELECT scale.ring_remove('hot', '10.0.0.1:11211')"],
    ['SELECT * FROM scale.ring'],
    ['SELECT * FROM scale.idempotency'],

    ["UPDATE posts SET author = 2"],
    ["UPDATE posts SET id = 7"],
    ['INSERT INTO posts (id, author, title, body)'
     . " VALUES (7, 1, 'a', 'b')"],
    ['DELETE FROM users'],
    ["UPDATE users SET name = 'x'"],
    ["INSERT INTO users (name) VALUES ('x')"],
    ['UPDATE follows SET follower = 2'],
    ['TRUNCATE posts'],
    ['SELECT * FROM others'],
    ['SELECT * FROM private.salaries'],
    ['LOCK TABLE users IN ACCESS EXCLUSIVE MODE'],
    ['CREATE TABLE mine (n int)'],
    ['CREATE TEMP TABLE mine (n int)'],
    ['CREATE SCHEMA mine'],
    ['CREATE ROLE mine'],
    ['CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$'],
    ['CREATE EXTENSION hstore'],
    ['ALTER TABLE posts ADD COLUMN mine int'],
    ['DROP TABLE posts'],
    ['CREATE INDEX ON posts (title)'],
    ['ALTER ROLE api_read SUPERUSER'],
    ['SET ROLE postgres'],
    ['SET SESSION AUTHORIZATION postgres'],
    ['GRANT api_write TO api_read'],
    ['ALTER SYSTEM SET work_mem = 1'],
    ['SELECT pg_reload_conf()'],
    ["COPY posts TO '/tmp/posts'"],
    ["COPY posts FROM PROGRAM 'id'"],
    ["SELECT pg_read_file('/etc/passwd')"],
    ['SELECT rolpassword FROM pg_authid'],
    ["SELECT pg_create_physical_replication_slot('mine')"],
);

for my $line (@table) {
    my ($statement, @may) = @$line;

    for my $role (@all) {
        my $expected = grep({ $_ eq $role } @may) ? 'may' : 'may not';
        my $said = as($role, $statement);

        is($said eq '' ? 'may' : 'may not', $expected,
           "$role $expected: $statement") or diag($said);

        # by privilege, not by a mistake in the table

        like($said, qr/42501|0A000|25001/, '... for lack of a privilege')
            if $expected eq 'may not';
    }
}

for my $role (@all) {
    like(said($role, 'elsewhere', 'SELECT 1'), qr/permission denied/,
         "$role has no other database");

    is(Scale::sql("SELECT rolsuper OR rolbypassrls OR rolreplication"
                  . " OR rolcreaterole OR rolcreatedb OR rolinherit"
                  . " OR rolconnlimit < 0"
                  . " FROM pg_roles WHERE rolname = '$role'"), 'f',
       "$role is nothing special, and its connections have a limit");

    like(said($role, 'app', 'SHOW statement_timeout'), qr/^\d+(?:s|min)$/m,
         'nor do its statements last for ever');
}


# nginx with two of them

Scale::nginx(<<'END', workers => 1);
    scale_database reads {
        server    "unix:$TEST_NGINX_PG_SOCKET";
        conninfo  "dbname=app user=api_read";
    }

    scale_database writes {
        server    "unix:$TEST_NGINX_PG_SOCKET";
        conninfo  "dbname=app user=api_write";
    }

    server {
        listen       127.0.0.1:$ServerPort;
        scale_use    database=reads;
        scale_param  title json.title text required;

        location = /posts {
            scale_route  posts;
            scale_query  GET row "SELECT title FROM posts WHERE id = 1";
        }

        location = /edit {
            scale_route  edit;
            scale_use    database=writes;
            scale_query  POST row "UPDATE posts SET title = :title
                                    WHERE id = 1 RETURNING title";
        }

        location = /mistake {
            scale_route  mistake;
            scale_query  POST row "UPDATE posts SET title = :title
                                    WHERE id = 1 RETURNING title";
        }
    }
END

ok(Scale::wait_for(sub { Scale::get('/posts')->{code} == 200 }, 20),
   'a read by the one role');
like(post('/edit'), qr/^200 \{"title":"new"\}/, 'a write by the other');
like(post('/mistake'), qr/^403 /, 'and none by the first');

done_testing();


sub post
{
    my $answer = Scale::request('POST', $_[0], '{"title": "new"}',
                                'Content-Type' => 'application/json');

    return "$answer->{code} $answer->{body}";
}


# empty, or the error with its SQLSTATE

sub as
{
    my ($role, $statement) = @_;

    my $said = said($role, 'app', "BEGIN; $statement; ROLLBACK");

    return $said =~ /ERROR|FATAL/ ? $said : '';
}


sub said
{
    my ($role, $database, $statement) = @_;

    my @psql = Scale::Postgres::psql($database);
    my ($said) = Scale::Postgres::said(@psql, '-v', 'VERBOSITY=verbose',
                                       '-U', $role, '-c', $statement);

    return $said;
}
