package Scale::Steps;

# The controller of a module that was built with SCALE_STEP (`make step`):
# workers tell it each step and wait.  One that nobody holds goes on at once.
#
#     my $steps = Scale::Steps->new;
#     my $nginx = Scale::nginx(..., main => 'env SCALE_STEP;');
#     my $read = $steps->begin('GET', '/items/1');
#     my $held = $steps->until('fill.store');     # its worker stands there
#     ... others are served by the other workers ...
#     $steps->release($held);
#     my $answer = $steps->answer($read);

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Select;
use IO::Socket::UNIX;
use Scale::Http;
use Time::HiRes qw(time);

my $patience = 20;


# before Scale is imported: the module that the workers load

sub import
{
    $ENV{NGX_SCALE_MODULE} = $ENV{NGX_SCALE_MODULE_STEP}
        if defined $ENV{NGX_SCALE_MODULE_STEP};

    $ENV{NGX_SCALE_MODULE} ||= abs_path(dirname(__FILE__) . '/../../..')
                               . '/build/ngx_scale_module_step.so';

    -e $ENV{NGX_SCALE_MODULE}
        or die "$ENV{NGX_SCALE_MODULE} is missing; run make step\n";
}


sub new
{
    my ($class) = @_;

    my $path = Scale::dir() . '/steps';
    my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 16)
        or die "$path: $!\n";

    chmod 0777, $path;
    $ENV{SCALE_STEP} = $path;

    return bless { select => IO::Select->new($listen), listen => $listen,
                   hold => {}, held => {}, seen => [] }, $class;
}


sub begin
{
    my ($self, @request) = @_;

    return Scale::begin(@request);
}


# The next worker that comes to the step stands there.

sub until
{
    my ($self, $step) = @_;

    $self->{hold}{$step} = 1;
    $self->turn(sub { $self->{held}{$step} }) or die "nobody comes to $step\n";

    return delete $self->{held}{$step};
}


sub release
{
    my ($self, $held) = @_;

    syswrite $held, "\n";
}


# the steps that were taken since this was asked before

sub taken
{
    my ($self) = @_;

    return splice @{ $self->{seen} };
}


# the answer to what was begun, while workers step on

sub answer
{
    my ($self, $begun) = @_;

    my $raw = '';
    my $ended = 0;

    $self->turn(sub { $ended }, $begun->{socket}, sub {
        $ended = !sysread $begun->{socket}, $raw, 65536, length $raw;
    }) or die "no answer\n";

    return Scale::Http::parse($raw, $begun->{method});
}


sub request
{
    my ($self, @request) = @_;

    return $self->answer($self->begin(@request));
}


# lets workers step on for so long

sub pause
{
    my ($self, $seconds) = @_;

    my $end = time + $seconds;

    $self->turn(sub { time >= $end });
}


sub turn
{
    my ($self, $done, $socket, $readable) = @_;

    my $end = time + $patience;

    while (!$done->()) {
        return 0 if time > $end;

        my $select = IO::Select->new($self->{select}->handles, $socket // ());

        for my $ready ($select->can_read(0.05)) {
            if (defined $socket && $ready == $socket) {
                $readable->();

            } elsif ($ready == $self->{listen}) {
                $self->{select}->add($self->{listen}->accept);

            } else {
                $self->step($ready);
            }
        }
    }

    return 1;
}


# a worker waits for its line before it sends another: one read is one step

sub step
{
    my ($self, $worker) = @_;

    if (!sysread $worker, my $line, 256) {
        $self->{select}->remove($worker);
        return;

    } else {
        my ($pid, $step) = $line =~ /^(\d+) (\S+)\n\z/
            or die "a worker says: $line\n";

        push @{ $self->{seen} }, "$pid $step";

        if (delete $self->{hold}{$step}) {
            $self->{held}{$step} = $worker;

        } else {
            $self->release($worker);
        }
    }
}


1;
