package Scale::Rows;

# Tables of so many rows of 1 KB, in a PostgreSQL that the benchmarks keep: what
# was loaded once is there in the next run.  SCALE_DAY says where, instead of
# build/bench/day; ten million rows take 12 GB.
#
# A table is rows_<count>; its ids are 1 to count.  It is loaded in one
# transaction, so it is there whole or not at all.

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Scale::Postgres;
use Time::HiRes qw(time);

# A table of another layout is loaded anew.
my $layout = 'layout 1';

my %setting = (
    shared_buffers           => '2GB',
    max_wal_size             => '4GB',
    fsync                    => 'on',
    shared_preload_libraries => '',
);

# nothing of the load goes through the log: the commit writes the table itself
my %loading = (
    wal_level            => 'minimal',
    max_wal_senders      => 0,
    maintenance_work_mem => '1GB',
    autovacuum           => 'off',
);


# starts PostgreSQL with these tables; $dir is for its sockets

sub start
{
    my ($root, $dir, @counts) = @_;

    my $home = $ENV{SCALE_DAY} || "$root/build/bench/day";
    my $start = sub { Scale::Postgres::kept($root, $home, $dir, %setting, @_) };

    my $server = $start->();
    my @missing = grep { !loaded($_) } @counts;

    if (@missing) {
        Scale::Postgres::leave();
        $server = $start->(%loading);
        load($server, $_) for @missing;
        Scale::Postgres::leave();
        $server = $start->();
    }

    # a system that runs has its tables in memory, as far as they fit
    for my $count (@counts) {
        Scale::Postgres::sql('CREATE EXTENSION IF NOT EXISTS pg_prewarm');
        Scale::Postgres::sql("SELECT pg_prewarm('rows_$count', 'read'),"
                             . " pg_prewarm('rows_${count}_pkey')");
    }

    return $server;
}


sub loaded
{
    my ($count) = @_;

    return Scale::Postgres::sql("SELECT obj_description("
                                . "to_regclass('rows_$count'), 'pg_class')")
           eq $layout;
}


sub load
{
    my ($server, $count) = @_;

    my $began = time;

    Scale::Postgres::sql("DROP TABLE IF EXISTS rows_$count");

    open my $psql, '|-', Scale::Postgres::psql('app', $server)
        or die "psql: $!\n";
    local $SIG{PIPE} = 'IGNORE';

    print $psql <<"END";
BEGIN;
CREATE TABLE rows_$count (
    id       bigint NOT NULL,
    version  bigint NOT NULL,
    title    text NOT NULL,
    body     text NOT NULL
);
COPY rows_$count FROM STDIN (FREEZE);
END
    print_rows($psql, $count);
    print $psql <<"END";
\\.
ALTER TABLE rows_$count ADD PRIMARY KEY (id);
COMMENT ON TABLE rows_$count IS '$layout';
COMMIT;
ANALYZE rows_$count;
CHECKPOINT;
END
    close $psql or die "rows_$count is not loaded\n";

    printf STDERR "rows_%d: loaded in %.0f s, %s\n", $count, time - $began,
                  Scale::Postgres::sql('SELECT pg_size_pretty('
                      . "pg_total_relation_size('rows_$count'))");
}


# the answer to one of them has 1 KB

sub print_rows
{
    my ($out, $count) = @_;

    my $step = int($count / (-t STDERR ? 200 : 10)) || 1;

    for my $id (1 .. $count) {
        my $body = md5_hex($id) x 30;

        print $out "$id\t1\tRow $id\t$body\n"
            or die "rows_$count: psql takes no more rows\n";
        bar($id, $count) if $id % $step == 0;
    }

    print STDERR "\n";
}


sub bar
{
    my ($done, $all) = @_;

    my $width = int 50 * $done / $all;

    printf STDERR "\r%d rows [%s%s] %3d %%", $all, '#' x $width,
                  '.' x (50 - $width), 100 * $done / $all;
}


1;
