# The protocol as a model, searched completely, and the mistakes it must find.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

my %models = (
    row_keys => { EARLY => 'a write is acknowledged before it is unmarked',
                  HALF  => 'a list the row has left is not marked',
                  BLIND => 'a filler does not look whose turn it is' },

    copies => { DELETE    => 'a session is removed without a tombstone',
                BLIND     => 'nobody looks whether all tombstones stand',
                FORMER    => 'who knows of a change reads by the ring before',
                SOON      => 'an end does not wait for those who do not know',
                HASTY     => 'what was found by a ring before is put back',
                UNGUARDED => 'a new session is stored without a stub' },
);

my $dir = tempdir(CLEANUP => 1);


# true, if no interleaving breaks an assertion

sub holds
{
    my ($model, @switches) = @_;

    my $source = abs_path("t/model/$model.pml");
    my $switches = join ' ', map { "-D$_" } @switches;
    my $said = `cd $dir && spin -a $switches $source 2>&1 \\
                && gcc -O1 -w -DSAFETY -o pan pan.c 2>&1 && ./pan -m100000`;

    my ($errors) = $said =~ /errors: (\d+)/ or die $said;
    my ($states) = $said =~ /(\d\S*) states, stored/;

    diag("$model @switches: $states states") if !$errors;
    $said !~ /max search depth too small/ or die $said;

    return $errors == 0;
}


for my $model (sort keys %models) {
    ok(holds($model), "$model: no read is older than what was acknowledged");

    my $mistakes = $models{$model};

    ok(!holds($model, $_), "$model: it is found if $mistakes->{$_}")
        for sort keys %$mistakes;
}

done_testing();
