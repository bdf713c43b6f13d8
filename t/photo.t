# The photo flow of conf/nginx.conf, as it is: pictures are uploaded by signed
# URLs, a job is put down with the row that says so, and workers that are killed
# all the time make the thumbnails.  SCALE_SOAK=1: 200 of them.

use strict;
use warnings;
use lib 't/lib';
use File::Path qw(make_path);
use JSON::PP qw(decode_json encode_json);
use Scale qw(postgres memcached);
use Scale::Process qw(spawn stop wait_for slurp);
use Scale::Session qw(cookie write_secrets);
use Test::More;
use Time::HiRes qw(time);

my $photos = $ENV{SCALE_SOAK} ? 200 : 40;
my $workers = 4;
my $dir = Scale::dir();

make_path("$dir/objects", "$dir/temp", "$dir/pictures");
write_secrets('a secret of the photo flow');
write_file('aws', "aws_access_key_id = demo\naws_secret_access_key = "
                  . "a secret of the store\n");
write_file('password', "none\n");

for my $n (1 .. 8) {
    system('vips', 'gaussnoise', "$dir/pictures/$n.jpg", 200 + 40 * $n, 240)
        == 0 or die "vips: $?\n";
}

Scale::sql(slurp("conf/sql/$_.sql")) for qw(demo);
Scale::sql("INSERT INTO users (id, name) VALUES (7, 'nginx')");
Scale::sql(slurp("conf/sql/$_.sql")) for qw(login queue photos);

my $port = Scale::nginx(demo())->{port};
my $url = "http://127.0.0.1:$port";
my %cookie;

ok(wait_for(sub { $cookie{Cookie} = cookie(post('/v1/session',
                      { name => 'nginx', password => 'demo' })) }, 20),
   'a user logs in');

my @names = map { "w$_" } 1 .. $workers;
my %worker = map { ($_ => worker($_)) } @names;
my ($killed, @id) = 0;

for my $n (1 .. $photos) {
    my $file = "$dir/pictures/" . (1 + $n % 8) . '.jpg';
    my $photo = decode_json(post('/v1/photos', { type => 'image/jpeg',
                                                 bytes => -s $file })->{body});

    my $status = Scale::Postgres::quietly('curl', '-s', '-o', '/dev/null', '-w',
        '%{http_code}', '-T', $file, '-H', 'Content-Type: image/jpeg', '-H',
        'If-None-Match: *', $photo->{url});

    push @id, $photo->{id}
        if $status eq '201'
           && post("/v1/photos/$photo->{id}/stored", {})->{code} == 202;

    kill_one() if $n % 5 == 0;
}

is(@id, $photos, "$photos pictures are uploaded");

# a job that dies with its worker five times is a dead letter, and rightly so

my $last = time;

ok(wait_for(sub {
       if ($killed < $photos / 3 && time - $last > 1) {
           kill_one();
           $last = time;
       }

       Scale::sql("SELECT count(*) FROM photos WHERE state = 'done'") == $photos
   }, 300), 'a thumbnail of each is made');

ok(wait_for(sub { Scale::sql('SELECT count(*) FROM scale.job') == 0 }, 60),
   'and no job is left');
diag("$killed workers were killed");
cmp_ok($killed, '>', $photos / 10, 'though workers were killed all along');
is(Scale::sql('SELECT count(*) FROM scale.job_dead'), 0, 'no letter is dead');

stop($_, 'TERM', 20) for values %worker;

my @thumbs = glob "$dir/objects/thumbnails/7/*";

is(@thumbs, $photos, 'the store has one of each');
is_deeply([ sort map { m{([^/]+)\z} } @thumbs ], [ sort @id ],
          'by its name, and no others');
is(scalar(grep { slurp($_) !~ /\A\xff\xd8.*\xff\xd9\z/s } @thumbs), 0,
   'each of them whole');

my $answer = Scale::get("/v1/photos/$id[0]", %cookie, ':port' => $port);
my $thumbnail = decode_json($answer->{body})->{thumbnail};

like(Scale::Postgres::quietly('curl', '-s', $thumbnail), qr/\A\xff\xd8/,
     'and its owner sees it');
is(Scale::get("/v1/photos/$id[0]", ':port' => $port)->{code}, 401,
   'nobody else does');

done_testing();


# what stands in http{} of the demo, with the servers of this test

sub demo
{
    my ($http) = slurp('conf/nginx.conf') =~ /^http \{\n(.*)^\}/ms;

    $http =~ s/^\s*\w+_temp_path .*\n//mg;
    $http =~ s/^\s*(?:access_log|password_file)  .*\n//mg;
    $http =~ s/"unix:\@RUN\@[^"]*"/127.0.0.1:$ENV{TEST_NGINX_PG_PORT}/;
    $http =~ s/\@MCPORT\@/$ENV{TEST_NGINX_MC_PORT}/g;
    $http =~ s/\@RUN\@/$dir/g;
    $http =~ s/\@PORT\@/\$ServerPort/g;

    return $http;
}


sub worker
{
    my ($name) = @_;

    local $ENV{TMPDIR} = $dir;

    return spawn({ log => "$dir/$name.log", dies => 'KILL' },
                 Scale::root() . '/conf/worker/thumbnail.sh',
                 "$url/queues/thumbs");
}


sub kill_one
{
    my $name = $names[rand @names];

    stop($worker{$name}, 'KILL', 1);
    $worker{$name} = worker($name);
    $killed++;
}


sub post
{
    my ($path, $body) = @_;

    return Scale::request('POST', $path, encode_json($body), %cookie,
                          'Content-Type' => 'application/json',
                          'Sec-Fetch-Site' => 'same-origin',
                          ':port' => $port);
}


sub write_file
{
    my ($name, $content) = @_;

    open my $out, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $out $content;
    close $out;
}
