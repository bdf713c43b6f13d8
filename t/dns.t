# A server's name comes to stand for another address; nobody tells nginx.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres dns);
use Socket qw(inet_aton);
use Test::More;
use Time::HiRes qw(sleep time);

my $port = $ENV{TEST_NGINX_PG_PORT};

Scale::sql('CREATE TABLE notes (text text)');
Scale::replica('b', port => $port, listen_addresses => '127.0.0.2,127.0.0.3');
Scale::dns('pg.test', 1, '127.0.0.1');
Scale::dns('both.test', 60, '127.0.0.1', '127.0.0.9');

my $nginx = Scale::nginx(<<'END');
    resolver 127.0.0.1:$TEST_NGINX_DNS_PORT ipv6=off;

    scale_database main {
        server       pg.test:$TEST_NGINX_PG_PORT;
        conninfo     "dbname=app user=api";
        connections  16;
    }

    scale_database late {
        server    late.test:$TEST_NGINX_PG_PORT;
        conninfo  "dbname=app user=api";
    }

    scale_database both {
        server           both.test:$TEST_NGINX_PG_PORT;
        conninfo         "dbname=app user=api";
        connect_timeout  300ms;
    }

    server {
        listen 127.0.0.1:$ServerPort;

        location = /where {
            scale_use   database=main;
            scale_route where;
            scale_query GET value "SELECT host(inet_server_addr())";
        }

        location = /notes {
            scale_use   database=main;
            scale_route notes;
            scale_param seconds arg.seconds float8 required;
            scale_query POST value "INSERT INTO notes SELECT host(
                inet_server_addr()) FROM pg_sleep(:seconds) RETURNING text"
                timeout=5s;
        }

        location = /late {
            scale_use   database=late;
            scale_route late;
            scale_deadline 500ms;
            scale_query GET value "SELECT 1";
        }

        location = /both {
            scale_use   database=both;
            scale_route both;
            scale_query GET value "SELECT 1";
        }
    }
END

is(Scale::get('/where')->{body}, qq("127.0.0.1"\n), 'a name is resolved');
is(Scale::get('/both')->{body}, "1\n",
   'where a name has two addresses, one that answers is found');

is(Scale::get('/late')->{code}, 503,
   'nginx starts with a name that does not exist, and says 503');
Scale::dns('late.test', 1, '127.0.0.1');
ok(Scale::wait_for(sub { Scale::get('/late')->{code} == 200 }, 10),
   'it is used as soon as it does');
is(log_lines(qr/"late\.test:$port" could not be resolved/), 2,
   'each worker has said so once');

# a failover

Scale::configure('primary', synchronous_standby_names => 'b');
is(Scale::request('POST', '/notes?seconds=0')->{body}, qq("127.0.0.1"\n),
   'writes go there, too');
Scale::kill_server('primary');
Scale::promote('b');
Scale::dns('pg.test', 1, '127.0.0.2');

my $start = time;
my $answer = Scale::request('POST', '/notes?seconds=0');

is($answer->{body}, qq("127.0.0.2"\n), 'a write waits for the new address');
diag(sprintf 'for %.1f s', time - $start);
moved_to('127.0.0.2', 'reads go there');

# an address is given up while a write runs there

my $slow = Scale::begin('POST', '/notes?seconds=3');

Scale::dns('pg.test', 1, '127.0.0.3');
moved_to('127.0.0.3', 'reads follow the name');
cmp_ok(Scale::sql_on('b', "SELECT count(*) FROM pg_stat_activity WHERE"
                          . " state = 'active' AND query LIKE '%pg_sleep%'"
                          . " AND pid <> pg_backend_pid()"),
       '==', 1, 'while the write goes on');
is(Scale::receive($slow)->{body}, qq("127.0.0.2"\n), 'and ends where it began');
ok(Scale::wait_for(sub { sessions('127.0.0.2') == 0 }, 5),
   'then nothing of the old address is left');
cmp_ok(sessions('127.0.0.3'), '>=', 4, 'both workers are at the new one');

# the name is gone

Scale::dns('pg.test');
ok(Scale::wait_for(sub { log_lines(qr/"pg\.test:$port" could not be/) == 2 },
                   10),
   'a name that is gone is complained of');
is(Scale::get('/where')->{body}, qq("127.0.0.3"\n),
   'and the address it had is used');
sleep 1.5;
is(log_lines(qr/"pg\.test:$port" could not be resolved/), 2,
   'once per worker');

done_testing();


# both workers have

sub moved_to
{
    my ($address, $title) = @_;

    my $row = 0;

    ok(Scale::wait_for(sub {
           my $now = Scale::get('/where');

           $row = $now->{body} eq qq("$address"\n) ? $row + 1 : 0;
           return $row == 30;
       }, 10), $title);
}


# TCP connections to the address, of whomever

sub sessions
{
    my ($address) = @_;

    my $remote = sprintf '%08X:%04X', unpack('L', inet_aton($address)), $port;

    return scalar grep { (split)[2] eq $remote && (split)[3] eq '01' }
                       split /\n/, Scale::Process::slurp('/proc/net/tcp');
}


sub log_lines { return scalar(() = Scale::log_lines($nginx, @_)) }
