package Scale::Jwt;

# Keys, and the tokens that they sign, by openssl(1).
#
#     my $key = Scale::Jwt::key($dir, 'ES256');     { alg, private, public }
#     my $token = Scale::Jwt::token($key, { sub => 'anna', exp => … });
#
# A token is signed as its key can, whatever its header says.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64url);

my %generate = (
    RS256 => '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
    RS256_short => '-algorithm RSA -pkeyopt rsa_keygen_bits:1024',
    ES256 => '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    ES384 => '-algorithm EC -pkeyopt ec_paramgen_curve:P-384',
    EdDSA => '-algorithm ED25519',
);

my $json = JSON::PP->new->utf8->canonical;
my $made = 0;


sub key
{
    my ($dir, $type) = @_;

    return secret(join '', map { chr rand 256 } 1 .. 32) if $type eq 'HS256';

    my $name = "$dir/jwt-" . $made++;
    my $key = { alg => $type =~ s/_.*//r, dir => $dir,
                private => "$name.key", public => "$name.pem" };

    openssl("genpkey $generate{$type} -out $key->{private}");
    openssl("pkey -in $key->{private} -pubout -out $key->{public}");

    return $key;
}


sub secret { return { alg => 'HS256', secret => $_[0] } }


sub pem
{
    my ($key) = @_;

    open my $in, '<', $key->{public} or die "$key->{public}: $!\n";
    local $/;

    return scalar <$in>;
}


# what is between the lines of the PEM file

sub der { return decode_base64(pem($_[0]) =~ s/^-.*$//mgr) }


# as a JSON Web Key; members may be added, or taken away as undef

sub jwk
{
    my ($key, %more) = @_;

    my %jwk = (%{ numbers($key) }, %more);

    delete @jwk{ grep { !defined $jwk{$_} } keys %jwk };

    return \%jwk;
}


# The last bytes of a public key are its numbers, apart from RSA's.

sub numbers
{
    my ($key) = @_;

    return { kty => 'oct', k => encode_base64url($key->{secret}) }
        if $key->{secret};

    my $der = der($key);

    return { kty => 'OKP', crv => 'Ed25519',
             x => encode_base64url(substr $der, -32) }
        if $key->{alg} eq 'EdDSA';

    return { kty => 'EC', crv => 'P-256',
             x => encode_base64url(substr $der, -64, 32),
             y => encode_base64url(substr $der, -32) }
        if $key->{alg} eq 'ES256';

    my ($n) = openssl("rsa -pubin -in $key->{public} -noout -modulus")
              =~ /=(\w+)/;

    return { kty => 'RSA', n => encode_base64url(pack 'H*', $n),
             e => 'AQAB' };
}


sub jwks { return $json->encode({ keys => [@_] }) }


# Claims and header are members, or text as it is; "header" adds to the usual.

sub token
{
    my ($key, $claims, %header) = @_;

    my $text = delete $header{text};
    my $content = join '.', map { encode_base64url($_) }
                  $text // $json->encode({ alg => $key->{alg}, %header }),
                  ref $claims ? $json->encode($claims) : $claims;

    return "$content." . encode_base64url(signature($key, $content));
}


sub signature
{
    my ($key, $content) = @_;

    return hmac_sha256($content, $key->{secret}) if defined $key->{secret};

    my $in = "$key->{dir}/jwt.in";

    open my $out, '>', $in or die "$in: $!\n";
    print $out $content;
    close $out;

    return openssl("pkeyutl -sign -rawin -inkey $key->{private} -in $in")
        if $key->{alg} eq 'EdDSA';

    my $signature = openssl("dgst -sha256 -sign $key->{private} $in");

    return $key->{alg} =~ /^ES/ ? join '', integers($signature) : $signature;
}


# r and s of a signature in DER, 32 bytes each

sub integers
{
    my ($der) = @_;

    my ($r, $s) = unpack 'x2 x C/a x C/a', $der;

    return map { substr "\0" x 32 . $_, -32 } $r, $s;
}


sub openssl
{
    my ($command) = @_;

    my $said = qx(openssl $command 2>/dev/null);
    $? == 0 or die "openssl $command failed\n";

    return $said;
}


1;
