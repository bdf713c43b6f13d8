package Scale::Door;

# Statements that run until the test lets them: through('name') waits in
# PostgreSQL until the door of that name is opened.
#
#     SELECT id, through('a') FROM items WHERE id = :id

use strict;
use warnings;


sub install
{
    Scale::sql(<<'SQL');
CREATE TABLE doors (name text PRIMARY KEY);
CREATE FUNCTION through(door text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 5000 LOOP
        IF EXISTS (SELECT FROM doors WHERE name = door) THEN
            RETURN;
        END IF;

        PERFORM pg_sleep(0.002);
    END LOOP;

    RAISE EXCEPTION 'nobody opened the door "%"', door;
END
$$;
SQL
}


sub unlock
{
    my ($name) = @_;

    Scale::sql("INSERT INTO doors VALUES ('$name') ON CONFLICT DO NOTHING");
}


# the backends that run statements LIKE this, as soon as there are so many

sub backends
{
    my ($like, $count) = @_;
    my @pids;

    Scale::wait_for(sub { (@pids = running($like)) == $count }, 10);

    return @pids;
}


sub running
{
    my ($like) = @_;

    $like =~ s/'/''/g;

    return split ' ', Scale::sql("SELECT pid FROM pg_stat_activity"
                                 . " WHERE state = 'active' AND usename = 'api'"
                                 . " AND query LIKE '%$like%'");
}


1;
