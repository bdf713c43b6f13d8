package Scale::Tls;

# Certification authorities and certificates, by openssl's command line.

use strict;
use warnings;


# { crt, key }; files of that name in the directory

sub authority
{
    my ($dir, $name) = @_;

    my %ca = files($dir, $name);

    openssl(qw(req -x509 -days 2), key_options(), '-subj', "/CN=$name",
            '-keyout', $ca{key}, '-out', $ca{crt});

    return \%ca;
}


# of an authority; the names are DNS names

sub certificate
{
    my ($dir, $ca, $subject, @names) = @_;

    my %cert = files($dir, $subject);
    my $request = "$dir/$subject.csr";
    my $more = "$dir/$subject.ext";

    open my $out, '>', $more or die "$more: $!\n";
    print $out 'subjectAltName=', join(',', map { "DNS:$_" } @names), "\n"
        if @names;
    close $out;

    openssl(qw(req -new), key_options(), '-subj', "/CN=$subject",
            '-keyout', $cert{key}, '-out', $request);
    openssl(qw(x509 -req -days 2 -CAcreateserial), '-in', $request,
            '-CA', $ca->{crt}, '-CAkey', $ca->{key}, '-extfile', $more,
            '-out', $cert{crt});

    return \%cert;
}


sub files
{
    my ($dir, $name) = @_;

    return (crt => "$dir/$name.crt", key => "$dir/$name.key");
}


sub key_options
{
    return qw(-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1);
}


sub openssl
{
    my $said = Scale::Postgres::quietly('openssl', @_);

    return $said;
}


1;
