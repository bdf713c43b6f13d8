# conf/security.conf and conf/security.nft: what they forbid is refused.

use strict;
use warnings;
use lib 't/lib';
use Scale;
use Scale::Process qw(free_port);
use Test::More;

my $dir = Scale::dir();
my $root = Scale::root();
my $ca = Scale::authority('ca');
my $cert = Scale::certificate($ca, 'localhost', 'localhost');
my $https = free_port();

Scale::nginx(<<"END", workers => 1, main => 'worker_rlimit_core 0;');
    server {
        listen               127.0.0.1:$https ssl http2;
        ssl_certificate      $cert->{crt};
        ssl_certificate_key  $cert->{key};

        include $root/conf/security.conf;

        location = /yes { return 200 "yes"; }
    }
END


# TLS

my $yes = curl('/yes');

like($yes, qr/^HTTP\/2 200\b/, 'it is answered');
like($yes, qr/^strict-transport-security: max-age=\d{8}; includeSubDomains/m,
     'and has to be by TLS from now on');
like($yes, qr/^x-content-type-options: nosniff/m, 'as what it says it is');
like(curl('/no'), qr/^HTTP\/2 404\b.*strict-transport-security/s,
     'so is an error');
unlike($yes . curl('/no'), qr/nginx\/\d/, 'which version it is nobody hears');

like(tls('-tls1_3'), qr/TLSv1\.3/, 'TLS 1.3');
like(tls('-tls1_2'), qr/TLSv1\.2/, 'TLS 1.2');
unlike(tls('-tls1_2', '-tls1_2'), qr/session ticket/i, 'without a ticket');

# the client is willing: at security level 0 OpenSSL still speaks TLS 1.1

my $old = tls('-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0');

like($old, qr/alert protocol version/, 'TLS 1.1 is refused by the server');

for my $cipher (qw(AES128-SHA ECDHE-ECDSA-AES128-SHA)) {
    like(tls('-tls1_2', '-cipher', "$cipher\@SECLEVEL=0"),
         qr/alert handshake failure/, "and $cipher, which is old, too");
}


# The rules.  In namespaces of this test's own: the node has them, and an
# outside has what may be reached at 10.0.2.1 (a database), 10.0.4.1 (an object
# store) and 10.0.5.1 (nobody it knows).

my @unshare = ('unshare', '--net', '--mount', $> == 0 ? () : '--map-root-user');
my ($said, $status) = Scale::Postgres::said(@unshare, 'bash', '-c',
                                            script());
my %may = $said =~ /^(\S+) (yes|no)$/mg;

if ($status == 256 * 77) {
    pass('no network namespace may be made here');

} else {
    is($status, 0, 'the rules are loaded, twice') or diag($said);

    my %expected = (
        'out:10.0.2.1:5432'  => 'yes',
        'out:10.0.4.1:443'   => 'yes',
        'out:10.0.2.1:443'   => 'no',
        'out:10.0.2.1:9999'  => 'no',
        'out:10.0.5.1:443'   => 'no',
        'out:10.0.5.1:5432'  => 'no',
        'in:10.0.1.1:80'     => 'yes',
        'in:10.0.1.1:443'    => 'yes',
        'in:10.0.1.1:22'     => 'no',
        'in:10.0.1.1:8080'   => 'no',
        'in:10.0.9.1:22'     => 'yes',
        'in:10.0.9.1:443'    => 'no',
        'in:10.0.5.1:443'    => 'no',
    );

    for my $way (sort keys %expected) {
        is($may{$way}, $expected{$way}, "$way: $expected{$way}");
    }
}

done_testing();


sub curl
{
    return Scale::Postgres::quietly('curl', '-s', '-i', '-m', 10, '--cacert',
                                    $ca->{crt}, '--http2',
                                    "https://localhost:$https$_[0]");
}


sub tls
{
    my ($said) = Scale::Postgres::said('openssl', 's_client', '-connect',
                                       "127.0.0.1:$https", @_);

    return $said;
}


# 77: what the test needs may not be done

sub script
{
    return <<"END";
set -u
export PATH=\$PATH:/usr/sbin:/sbin
mount -t tmpfs none /run && ip netns add outside || exit 77
nft -c -f $root/conf/security.nft || exit 1

outside() { ip netns exec outside "\$@"; }

ip link add node type veth peer name peer netns outside || exit 77
ip link set lo up
ip addr add 10.0.0.1/16 dev node
ip link set node up
outside ip link set lo up
for n in 1 2 4 5 9; do
    outside ip addr add 10.0.\$n.1/16 dev peer
done
outside ip link set peer up

(exec ip netns exec outside /usr/bin/python3 \\
     -c '${\ listener(5432, 443, 9999)}' >/dev/null 2>&1) & others=\$!
/usr/bin/python3 -c '${\ listener(22, 80, 443, 8080)}' >/dev/null 2>&1 &
own=\$!
trap 'kill \$others \$own' EXIT

/usr/bin/python3 -c '${\ waiter()}' 10.0.2.1:9999
outside /usr/bin/python3 -c '${\ waiter()}' 10.0.0.1:8080

nft -f $root/conf/security.nft && nft -f $root/conf/security.nft || exit 1

for to in 10.0.2.1:5432 10.0.4.1:443 10.0.2.1:443 10.0.2.1:9999 \\
          10.0.5.1:443 10.0.5.1:5432; do
    echo "out:\$to \$(/usr/bin/python3 -c '${\ asker()}' 0.0.0.0 \$to)"
done

for from in 10.0.1.1:80 10.0.1.1:443 10.0.1.1:22 10.0.1.1:8080 \\
            10.0.9.1:22 10.0.9.1:443 10.0.5.1:443; do
    port=\${from#*:}
    echo "in:\$from \$(outside /usr/bin/python3 -c '${\ asker()}' \\
                     \${from%:*} 10.0.0.1:\$port)"
done
END
}


sub listener
{
    return <<"END";
import socket, select
ports = [@{[join ', ', @_]}]
all = [socket.create_server(("", port)) for port in ports]
while True:
    for one in select.select(all, [], [])[0]:
        one.accept()[0].close()
END
}


# what is dropped has no answer: two seconds are enough between neighbours

sub asker
{
    return <<'END';
import socket, sys
source, to = sys.argv[1], sys.argv[2].split(":")
try:
    socket.create_connection((to[0], int(to[1])), 2, (source, 0))
    print("yes")
except OSError:
    print("no")
END
}


sub waiter
{
    return <<'END';
import socket, sys, time
to = sys.argv[1].split(":")
for n in range(300):
    try:
        socket.create_connection((to[0], int(to[1])), 1)
        break
    except OSError:
        time.sleep(0.1)
END
}
