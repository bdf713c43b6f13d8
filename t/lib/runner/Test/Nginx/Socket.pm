package Test::Nginx::Socket;

# Runs the blocks of a .t file: what each section asks for and checks.
#
# Every function has a prototype: Test::Base's source filter would put a $self
# into those without.

use Test::Base -Base;
use Scalar::Util qw(looks_like_number);
use Test::Nginx::Check qw(check_error_log check_response);
use Test::Nginx::Client qw(requests_of send_request);
use Test::Nginx::Mock qw(start_mock check_mock stop_mock);
use Test::Nginx::Util qw(bail_out clear_server_root log_lines new_block
                         nginx_runs nginx_version parse_time slurp
                         start_nginx stop_nginx write_conf write_user_files);
use Time::HiRes qw(sleep);

our @EXPORT = qw(
    add_block_preprocessor add_cleanup_handler add_response_body_check
    add_test_cleanup_handler bail_out check_accum_error_log config_preamble
    env_to_nginx html_dir is_str log_level master_off master_on
    master_process_enabled no_long_string no_root_location no_shuffle
    repeat_each run_tests server_addr server_name server_port
    server_port_for_client server_root timeout worker_connections workers
);

# A test that passes because its section is ignored is worse than none.

my @unsupported = qw(
    access_log curl curl_error curl_options curl_protocol http2 http3
    no_access_log no_shutdown_error_log post_setup_server_root
    response_body_filters response_body_json_sort shutdown_error_log
    skip_nginx2 skip_openssl stap stap_out stap_out_like tcp_query_auto_timeout
    todo_nginx udp_listen
);

my (@preprocessors, @cleanups, @block_cleanups);
my $running_conf;


sub add_block_preprocessor (&) { push @preprocessors, shift }
sub add_cleanup_handler ($) { push @cleanups, shift }
sub add_response_body_check ($) { push @Test::Nginx::Check::Body, shift }
sub add_test_cleanup_handler ($) { push @block_cleanups, shift }
sub check_accum_error_log () { $Test::Nginx::Util::AccumulateLog = 1 }
sub config_preamble ($) { $Test::Nginx::Util::Preamble = shift }
sub env_to_nginx (@) { push @Test::Nginx::Util::Environment, @_ }
sub html_dir () { $Test::Nginx::Util::HtmlDir }
sub is_str (@) { goto &Test::Nginx::Check::is_str }
sub log_level (@) { setting(\$Test::Nginx::Util::LogLevel, @_) }
sub master_off () { $Test::Nginx::Util::MasterProcess = 'off' }
sub master_on () { $Test::Nginx::Util::MasterProcess = 'on' }
sub no_long_string () { }
sub no_root_location () { $Test::Nginx::Util::RootLocation = 0 }
sub no_shuffle () { }
sub repeat_each (@) { setting(\$Test::Nginx::Util::RepeatEach, @_) }
sub server_addr (@) { setting(\$Test::Nginx::Util::ServerAddr, @_) }
sub server_name (@) { setting(\$Test::Nginx::Util::ServerName, @_) }
sub server_port (@) { setting(\$Test::Nginx::Util::ServerPort, @_) }
sub server_root () { $Test::Nginx::Util::ServRoot }
sub timeout (@) { setting(\$Test::Nginx::Util::Timeout, @_) }
sub workers (@) { setting(\$Test::Nginx::Util::Workers, @_) }

sub server_port_for_client (@)
{
    setting(\$Test::Nginx::Util::ServerPortForClient, @_);
}

sub worker_connections (@)
{
    setting(\$Test::Nginx::Util::WorkerConnections, @_);
}

sub master_process_enabled (@)
{
    @_ && ($_[0] ? master_on() : master_off());

    return $Test::Nginx::Util::MasterProcess eq 'on';
}


sub setting ($@)
{
    my ($variable, @value) = @_;

    $$variable = $value[0] if @value;

    return $$variable;
}


sub run_tests ()
{
    $ENV{TEST_NGINX_SERVER_PORT} //= $Test::Nginx::Util::ServerPort;

    for my $block (blocks()) {
        $_->($block) for @preprocessors;
        $block->set_value(name => "$0 " . $block->name);

        for my $section (@unsupported) {
            defined $block->$section
                and bail_out($block->name, " - \"--- $section\" is not",
                             " supported by t/lib/runner");
        }

        run_block($block);

        $_->($block) for @block_cleanups;
    }

    $_->() for @cleanups;

    stop_nginx();
}


sub run_block ($)
{
    my ($block) = @_;

    new_block();

    my ($count, $reason) = skip_of($block);

    my ($todo, $why) = ($block->todo // '') =~ /^\s*(\d+)\s*:\s*(.*)/;
    my $rounds = $Test::Nginx::Util::RepeatEach;

    if ($count) {
        SKIP: { skip($block->name . " - $reason", $count * $rounds) }
        return;
    }

    if ($todo) {
        TODO: { todo_skip($block->name . " - $why", $todo * $rounds) }
        return;
    }

    for my $round (0 .. $rounds - 1) {
        defined $block->must_die ? check_death($block, $round)
                                 : run_round($block, $round);
    }
}


# (number of tests, reason) if the block does not apply here

sub skip_of ($)
{
    my ($block) = @_;

    my $code = $block->skip_eval;
    my $version = $block->skip_nginx;

    if (defined $code) {
        my ($count, $condition) = $code =~ /^\s*(\d+)\s*:\s*(.*)/s
            or bail_out($block->name, " - skip_eval: $code");
        my $skips = eval "package main; $condition";

        bail_out($block->name, " - skip_eval: $@") if $@;
        return ($count, 'skip_eval') if $skips;
    }

    if (defined $version) {
        my ($count, $sign, $major, $minor, $patch, $reason) = $version
            =~ /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+)\.(\d+)\.(\d+)(?:\s*:(.*))?/
            or bail_out($block->name, " - skip_nginx: $version");
        my $wanted = $major * 1e6 + $minor * 1e3 + $patch;
        my $found = nginx_version();
        my %holds = ('<' => $found < $wanted, '<=' => $found <= $wanted,
                     '>' => $found > $wanted, '>=' => $found >= $wanted);

        return ($count, $reason // "nginx version $sign $major.$minor.$patch")
            if $holds{$sign};
    }

    return;
}


sub run_init ($)
{
    my ($block) = @_;

    my $code = $block->init // return;

    eval "package main; $code; 1" or bail_out($block->name, " - init: $@");
}


sub check_death ($$)
{
    my ($block, $round) = @_;

    my $name = $block->name;
    my $expected = $block->must_die;

    prepare_nginx($block);
    undef $running_conf;
    run_init($block) if $round == 0;

    my $status = start_nginx();

    if (!defined $status) {
        fail("$name - nginx must die but it runs");
        stop_nginx();

    } elsif ($status & 127) {
        fail("$name - nginx died of signal " . ($status & 127));

    } elsif (looks_like_number($expected)) {
        is($status >> 8, $expected, "$name - die with the expected exit code");

    } else {
        isnt($status, 0, "$name - die as expected");
    }

    check_error_log($block, $round);
}


sub prepare_nginx ($)
{
    my ($block) = @_;

    stop_nginx();
    clear_server_root();

    my $conf = write_conf($block);

    write_user_files($block);

    return $conf;
}


# A block without "--- config" goes on with the nginx of the one before.

sub ensure_nginx ($)
{
    my ($block) = @_;

    my $name = $block->name;

    if (!defined $block->config && defined $running_conf && nginx_runs()) {
        write_user_files($block);
        run_init($block);
        return;
    }

    defined $block->config
        or bail_out("$name - no \"--- config\", and no nginx runs");

    $running_conf = prepare_nginx($block);
    run_init($block);

    defined(my $status = start_nginx()) or return;

    diag(slurp("$Test::Nginx::Util::LogDir/stderr"));
    diag(grep { /\[(?:emerg|alert|crit)\]/ } log_lines());
    die "$name - cannot start nginx: wait status $status\n";
}


sub run_round ($$)
{
    my ($block, $round) = @_;

    ensure_nginx($block) if $round == 0;
    write_user_files($block) if $round > 0;

    my $mock = start_mock($block);

    eval {
        run_requests($block, $round);
        check_mock($block, $mock) if $mock;
        1;
    } or bail_out($block->name, " - $@");

    stop_mock($mock) if $mock;
}


sub run_requests ($$)
{
    my ($block, $round) = @_;

    my $name = $block->name;
    my $patience = parse_time(scalar $block->timeout)
                   // $Test::Nginx::Util::Timeout;
    my @requests = requests_of($block);
    my $many = @requests > 1 || defined $block->pipelined_requests;
    my $pause = parse_time(scalar $block->raw_request_middle_delay);
    my $parse = !defined $block->ignore_response;
    my $index = 0;

    for my $request (@requests) {
        my ($raw, $error) = send_request($request, $patience, $pause,
                                         scalar $block->shutdown);

        if (defined $error && !defined $block->abort) {
            fail("$name - ERROR: $error");
        }

        for my $method (@{ $request->{methods} }) {
            my $indexed = $many ? $index : undef;

            $raw = check_response($block, $raw, $method, $indexed, $round)
                if $parse;

            sleep parse_time(scalar $block->wait) if $block->wait;
            check_error_log($block, $round);
            $index++;
        }

        diag("$name - bytes behind the response: $raw")
            if $parse && $raw ne '';
    }
}


1;
