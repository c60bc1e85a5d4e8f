# The store and httpd's processes, where a test needs an httpd of its own:
# whose files they are, one httpd a store, none where nothing uses it, and
# under the worker MPM.
use strict;
use warnings;

use File::Find 'find';
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../../perl";
use Apache::TestConditional::Wire;
use OneHttpd;
use Test::More;
use Time::HiRes 'sleep';

die "no module is built\n" unless -e OneHttpd::module();

my $served = "<Location /docs>\nSetHandler condreq\nRequire all granted\n</Location>\n";

# An httpd with these lines, in which DIRECTORY is its own directory.
sub start {
    my ($lines) = @_;
    return OneHttpd->start(sub {
        my ($directory) = @_;
        return OneHttpd::load() . $lines =~ s/DIRECTORY/$directory/gr;
    });
}

# Why one does not start.
sub refusal {
    my ($lines) = @_;
    return eval { start($lines); 1 } ? 'it starts' : $@ =~ s/\s+/ /gr;
}

sub put {
    my ($httpd, $path, $content, %fields) = @_;
    return $httpd->ask('PUT', $path, \%fields, $content)->{status};
}

# By the name of a virtual host.
sub put_to_host {
    my ($httpd, $host, $path, $content) = @_;
    my $wire = Apache::TestConditional::Wire->connect('127.0.0.1', $httpd->{port});

    $wire->send_head("PUT $path HTTP/1.1", "Host: $host", 'Content-Type: application/json',
        'Content-Length: ' . length $content);
    return $wire->send($content)->answer;
}

sub until_true {
    my ($is_true) = @_;
    for (1 .. 600) {
        return 1 if $is_true->();
        sleep 0.1;
    }
    return 0;
}

# A process is named by httpd, or by us.
sub children {
    my ($httpd, $name) = @_;
    return grep { (eval { OneHttpd::read_file("/proc/$_/stat") } // '') =~ /^\d+ \(\Q$name\E\) \S $httpd->{pid} / }
        map { m{(\d+)} } glob '/proc/[0-9]*';
}

# ---- whose files ----

# Where root starts httpd, its User has the store; else whoever started it.
my $user = $> == 0 ? getpwnam 'www-data' : $>;
my $first = start("CondReqStore bdb:DIRECTORY/store cache=1M\n$served");
my $store = "$first->{directory}/store";

is put($first, '/docs/a', '{}'), 201, 'a document is stored';
my (@others, $files);
find(sub {
    my ($mode, $owner) = (lstat)[2, 4];
    my $expected = -d _ ? 0700 : 0600;
    $files++;
    push @others, sprintf '%s %o %d', $File::Find::name, $mode & 07777, $owner
        if $owner != $user || ($mode & 07777) != $expected;
}, $store);
ok $files > 4, 'in files';
is_deeply \@others, [], 'of httpd\'s User, 0600, in directories 0700';
my ($keeper) = children($first, 'condreq-keeper');
is +(stat "/proc/$keeper")[4], $user, 'the keeper runs as that user, too';

# ---- one httpd a store ----

my $of_another = refusal("CondReqStore bdb:$store cache=1M\n$served");
like $of_another, qr/another httpd that runs has it: stop that one, or give this one a CondReqStore of its own/,
    'a second httpd on the store does not start';
like $of_another, qr/\Q$store\E/, 'and says which store';
is put($first, '/docs/b', '{}'), 201, 'which does the first no harm';
my ($right, $said) = OneHttpd::configtest(OneHttpd::load() . "CondReqStore bdb:$store cache=1M\n$served");
ok $right, 'configtest beside a running httpd is no second one' or diag $said;
is put($first, '/docs/c', '{}'), 201, 'and does no harm either';

# The next one takes over what it left, as soon as it is gone.
my $directory = $first->{directory};
undef $first;
my $second = start("CondReqStore bdb:$store cache=1M\n$served");
is $second->ask('GET', "/docs/$_")->{status}, 200, "the next httpd has document $_" for qw(a b c);
is put($second, '/docs/a', '{}', 'If-Match' => '"1"'), 200, 'under the tag that was handed out';
undef $second;

# ---- stores that cannot be ----

OneHttpd::write_file("$directory/file", '');
for my $row (
    [ "$directory/none/store", qr/its directory cannot be made: make the one above it, or name another/ ],
    [ "$directory/file",       qr/that is no directory/ ],
) {
    my ($path, $with) = @$row;
    my $refusal = refusal("CondReqStore bdb:$path cache=1M\n$served");

    like $refusal, $with, 'a path where no store can be: httpd says why';
    like $refusal, qr/\Q$path\E/, 'and where';
}

# ---- no use, no store ----

# What there may be of mod_condreq on this machine already stays as it is.
sub listing { return join ' ', map { my @is = stat; "$_ @is[1, 7, 9]" } grep { -e } glob '/var/lib/condreq{,/*}' }
my $before = listing();
my $unused = start('');
is $unused->ask('GET', '/docs/a')->{status}, 403, 'a server that only loads the module';
is listing(), $before, 'makes no store';
is scalar(children($unused, 'condreq-keeper')), 0, 'and no keeper';
unlike $unused->log, qr/CR1/, 'nor has anything to say';
undef $unused;

my $one_host = start(<<"END");
UseCanonicalName Off
<VirtualHost *:*>
ServerName a.test
CondReqStore bdb:DIRECTORY/a cache=1M
$served
</VirtualHost>
END
is put_to_host($one_host, 'a.test', '/docs/a', '{}'), 201, 'a virtual host with a store of its own';
ok -d "$one_host->{directory}/a", 'has it there';
is listing(), $before, 'and no other is made';
undef $one_host;

# ---- how a store may be written ----

for my $arguments ('bdb:store cache=1M', 'bdb:DIRECTORY/store/ cache=1M', '"bdb:DIRECTORY/two words" cache=1M',
    'bdb:store', 'bdb:store cache=2M durability=write_nosync', 'bdb:store durability=sync cache=1048576') {
    my $httpd = start("CondReqStore $arguments\n$served");

    is put($httpd, '/docs/a', '{"n":1}'), 201, "CondReqStore $arguments";
    is put($httpd, '/docs/a', '{"n":2}', 'If-Match' => '"0"'), 412, "CondReqStore $arguments: with preconditions";
    is $httpd->ask('GET', '/docs/a')->{content}, '{"n":1}', "CondReqStore $arguments: what was written is read";
}

# Two virtual hosts write one store, and another.
my $several = start(<<"END");
CondReqStore bdb:DIRECTORY/one cache=1M
$served
<VirtualHost *:*>
ServerName a.test
CondReqStore bdb:DIRECTORY/one/ cache=1M
</VirtualHost>
<VirtualHost *:*>
ServerName b.test
CondReqStore bdb:DIRECTORY/other cache=1M durability=write_nosync
</VirtualHost>
END
is put_to_host($several, $_, '/docs/a', '{}'), 201, "$_: several stores in one server" for qw(a.test b.test);
ok -d "$several->{directory}/$_", "$_ is a store" for qw(one other);
is scalar(children($several, 'condreq-keeper')), 4, 'two keepers for each';
undef $several;

# ---- as many threads as httpd may have ----

my $many = start(<<"END");
LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so
ServerLimit 64
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 8192
CondReqStore bdb:DIRECTORY/store cache=1M
$served
END
is put($many, '/docs/a', '{}'), 201, 'ServerLimit 64 and ThreadLimit 128, with HTTP/2: the store is made for them';
undef $many;

# ---- the worker MPM ----

{
    my $around = \&OneHttpd::around;
    no warnings 'redefine';
    local *OneHttpd::around = sub { return $around->(@_) =~ s/mpm_event/mpm_worker/gr };
    my $httpd = start("CondReqStore bdb:DIRECTORY/store cache=1M\n$served");

    is put($httpd, '/docs/a', '{"n":1}'), 201, 'worker: a document is stored';
    is put($httpd, '/docs/a', '{"n":2}', 'If-Match' => '"1"'), 200, 'worker: and updated';
    is put($httpd, '/docs/a', '{"n":3}', 'If-Match' => '"1"'), 412, 'worker: by who has seen it';
    for my $signal (qw(USR1 HUP USR1)) {
        my $restarts = () = $httpd->log =~ /resuming normal operations/g;

        kill $signal => $httpd->{pid};
        ok until_true(sub { $restarts < (() = $httpd->log =~ /resuming normal operations/g) }),
            "worker: SIG$signal restarts it";
        is $httpd->ask('GET', '/docs/a')->{content}, '{"n":2}', 'worker: the document is there';
        is put($httpd, "/docs/$signal", '{}'), $signal eq 'USR1' && $httpd->{usr1}++ ? 200 : 201,
            'worker: and another is stored';
    }
    ok until_true(sub { children($httpd, 'condreq-keeper') == 2 }), 'worker: two keepers are left';
    unlike $httpd->log, qr/CR1[12]\d\d/, 'worker: nothing went wrong with the store';
}

done_testing;
