# conf/worker/thumbnail.sh: pictures in, thumbnails out, whoever dies.

use strict;
use warnings;
use lib 't/lib';
use File::Path qw(make_path);
use JSON::PP qw(encode_json);
use Scale qw(postgres memcached);
use Scale::Process qw(spawn stop alive wait_for slurp);
use Time::HiRes qw(time sleep);
use Test::More;

my $jobs = 40;
my $dir = Scale::dir();

make_path("$dir/files/pictures", "$dir/files/thumbs");

for my $n (1 .. 4) {
    my $size = 300 + 100 * $n;

    system('vips', 'gaussnoise', "$dir/files/pictures/$n.jpg", $size, 240) == 0
        or die "vips: $?\n";
}

Scale::sql(slurp('conf/sql/queue.sql'));
Scale::sql(<<"SQL");
GRANT scale_queue TO api;
CREATE TABLE photos (id bigint PRIMARY KEY, thumbnail text);
INSERT INTO photos SELECT generate_series(1, $jobs);
GRANT ALL ON ALL TABLES IN SCHEMA public TO api;
SQL

my $nginx = Scale::nginx(Scale::http_config() . <<"END", workers => 2);
    scale_queue thumbs { visibility 10s; attempts 10; backoff 100ms; }
    scale_queue once { attempts 1; }

    server {
        listen 127.0.0.1:\$ServerPort;
        root $dir/files;

        location /pictures/ { }

        location /slow/ {
            alias $dir/files/pictures/;
            limit_rate 20k;
        }

        location /slower/ {
            alias $dir/files/pictures/;
            limit_rate 1k;
        }

        location /thumbs/ {
            dav_methods  PUT;
        }

        location ~ ^/photos/(?<id>\\d+)\$ {
            scale_route  photo;
            scale_param  id         \$id             bigint required;
            scale_param  thumbnail  json.thumbnail  text   required;
            scale_query  PATCH row "UPDATE photos SET thumbnail = :thumbnail
                                     WHERE id = :id RETURNING id";
        }

        location /q/thumbs { allow 127.0.0.1; deny all;
                             scale_queue_api thumbs; }
        location /q/once { allow 127.0.0.1; deny all;
                           scale_queue_api once; }
    }
END

my $url = "http://127.0.0.1:$nginx->{port}";


sub worker
{
    my ($name, $queue) = @_;

    local $ENV{METRICS} = "$dir/$name.prom";
    local $ENV{NAME} = $name;
    local $ENV{VISIBILITY} = 10;
    local $ENV{TMPDIR} = $dir;

    return spawn({ log => "$dir/$name.log", dies => 'KILL' },
                 Scale::root() . '/conf/worker/thumbnail.sh', "$url/q/$queue");
}


sub put
{
    my ($queue, $n, %more) = @_;

    my $payload = encode_json({ source => "$url/pictures/" . (1 + $n % 4)
                                          . '.jpg',
                                target => "$url/thumbs/$n.jpg",
                                done => "$url/photos/$n", %more });

    return Scale::sql("SELECT scale.enqueue('$queue', '$payload')");
}


# a claim alone is not known to the worker yet

sub is_busy
{
    my ($name) = @_;

    return -e "$dir/$name.prom"
           && slurp("$dir/$name.prom") =~ /^scale_worker_busy\S* 1$/m;
}


sub left { return Scale::sql('SELECT count(*) FROM scale.job') }
sub dead { return Scale::sql('SELECT count(*) FROM scale.job_dead') }


# any number of them, and some are killed

{
    my %worker = map { ($_ => worker($_, 'thumbs')) } qw(a b c);

    put('thumbs', $_) for 1 .. $jobs;

    for my $name (qw(a b)) {
        my $before = left();

        wait_for(sub { left() < $before - 3 }, 60);
        stop($worker{$name}, 'KILL', 1);
        $worker{$name} = worker("$name-again", 'thumbs');
    }

    wait_for(sub { left() == 0 }, 300);

    is(left(), 0, 'workers are killed: no job is left');
    is(dead(), 0, 'none is dead');
    is(scalar(() = glob "$dir/files/thumbs/*.jpg"), $jobs,
       'each picture has its thumbnail');
    is(Scale::sql('SELECT count(*) FROM photos'
                  . " WHERE thumbnail = '$url/thumbs/' || id || '.jpg'"),
       $jobs, 'as the database knows');

    my ($width) = qx(vipsheader -f width $dir/files/thumbs/1.jpg) =~ /(\d+)/;

    is($width, 200, 'of the size that was asked for');
    like(slurp("$dir/c.prom"),
         qr/^scale_worker_jobs_total\{worker="c",result="done"\} [1-9]/m,
         'a worker counts what it has done');

    # a client that leaves is out of the line, or the next job would be late

    my $begin = time;

    stop($_, 'TERM', 100) for values %worker;
    cmp_ok(time - $begin, '<', 15, 'who waits for a job leaves at once');
}


# TERM in the midst of a job

{
    my $pid = worker('d', 'thumbs');
    my $id = put('thumbs', 1, source => "$url/slow/4.jpg");

    wait_for(sub { is_busy('d') }, 30);
    kill 'TERM', $pid;
    wait_for(sub { !alive($pid) }, 60);
    is(Scale::sql("SELECT status FROM scale.job_status('thumbs', '$id')"),
       'done', 'who is told to stop ends its job');
}

{
    my $pid = worker('e', 'thumbs');
    my $id = put('thumbs', 1, source => "$url/slower/4.jpg");

    wait_for(sub { is_busy('e') }, 30);

    # a shell that is busy hears of two signals as of one

    wait_for(sub { kill 'TERM', $pid; sleep 0.5; !alive($pid) }, 60);
    is(Scale::sql('SELECT status || attempt'
                  . " FROM scale.job_status('thumbs', '$id')"),
       'waiting0', 'who is told twice gives it back');
    Scale::sql('TRUNCATE scale.job');
}


# what cannot be done

{
    my $pid = worker('f', 'once');

    put('once', 1, source => "$url/pictures/none.jpg");
    put('once', 1, source => 'file:///etc/passwd');
    put('once', 1, source => "$url/photos/1\nfile:///etc/passwd");
    put('once', 1, size => '1;2');
    wait_for(sub { dead() == 4 }, 60);

    is(Scale::sql('SELECT string_agg(error, $$, $$ ORDER BY id)'
                  . ' FROM scale.job_dead'),
       'the picture could not be fetched, a URL that is not allowed, '
       . 'a URL that is not allowed, a size that is none',
       'a job that cannot be done is a dead letter that says why');

    stop($pid, 'TERM', 100);
    like(slurp("$dir/f.prom"),
         qr/^scale_worker_jobs_total\{worker="f",result="failed"\} 4/m,
         'and is counted');
}

done_testing();
