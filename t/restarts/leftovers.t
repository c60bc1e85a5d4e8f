# What a start finds: regions of a machine that crashed, of a stranger, or none;
# a store of another format, or of another Berkeley DB. Either it goes on as if
# nothing had been, or it says what is wrong and touches nothing, and goes on
# once that is put right.
use strict;
use warnings;

use File::Find 'find';
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../guards";
use RestartedHttpd;
use StoreFiles;
use Test::More;
use Writers;

my $mpm = RestartedHttpd::mpm();
my $httpd = RestartedHttpd->new;
my $store = "$httpd->{directory}/store";

sub as_it_was {
    is $httpd->get('/docs/a'), '{"n":1}', 'the documents are as they were';
    is $httpd->put('/docs/a', '{"n":2}', 'If-Match' => '"7"'), 412, 'and their tags';
    is $httpd->put('/docs/b', '{"n":3}'), 200, 'and are written';
    return;
}

# All of them, at once, while clients write.
sub kill_everything {
    my $clients = Writers->start($httpd, paths => ["/docs/k$$-" . scalar @{ $httpd->{sessions} }]);
    ok $clients->go_on, 'clients write';
    kill KILL => map { $_->{pid} } $httpd->processes_left;
    $httpd->has_ended or waitpid $httpd->{pid}, 0;
    $httpd->{pid} = 0;
    ok RestartedHttpd::until_true(sub { !$httpd->processes_left }), 'all processes are killed';
    $clients->end;
    return $clients;
}

ok $httpd->start, "$mpm: an httpd starts";
is $httpd->put("/docs/$_", '{"n":1}'), 201, 'a document is stored' for qw(a b);

# ---- regions ----

sub garbage_in {
    my ($directory) = @_;
    mkdir $directory or die "$directory: $!";
    chown +(stat $store)[4, 5], $directory;
    OneHttpd::write_file("$directory/__db.00$_", 'x' x 5000) for 1 .. 3;
    return;
}

sub remove_regions {
    my ($regions) = @_;
    unlink glob "$regions/__db.*";
    rmdir $regions;
    return;
}

# The directory that the next start would make.
sub next_regions {
    my $regions = StoreFiles::regions_of($store);
    return $regions =~ s/(\d+)$/$1 + 1/er;
}

my $foreign;
for my $row (
    ['a machine that crashed',        sub { change_boot($store); remove_regions(regions_of($store)) }],
    ['a run of the kernel before',    sub { change_boot($store) }],
    ['somebody who removed regions',  sub { remove_regions(regions_of($store)) }],
    ['a start that was killed',       sub { garbage_in(next_regions()) }],
    ['some starts that were killed',  sub { garbage_in(next_regions() . $_) for 1, 2 }],
    ['a stranger',                    sub { $foreign = next_regions(); mkdir $foreign; chown 1, 1, $foreign }],
    ['files without the control file', sub { unlink "$store/control" }],
    ['a control file cut short',      sub { truncate "$store/control", 100 }],
    ['a control file of garbage',     sub { OneHttpd::write_file("$store/control", 'x' x 100_000) }],
    ['a doorbell that is gone',       sub { unlink "$store/doorbell" }],
) {
    my ($of, $leave) = @$row;
    my $clients = kill_everything();

    $leave->();
    ok $httpd->start, "what is left of $of: httpd starts";
    as_it_was();
    is_deeply [$clients->lost], [], 'and nothing is lost';
    ok RestartedHttpd::until_true(sub { $httpd->keepers == 2 }), 'it is kept';
}
rmdir $foreign;
ok $httpd->stop, 'it ends';

# ---- formats ----

# Whatever is changed is in the files, and not only in the log.
sub settle {
    ok $httpd->start && $httpd->stop, 'a store at rest';
    return;
}

sub everything {
    my %bytes;
    find(sub { $bytes{$File::Find::name} = bytes_of($_) if -f }, "$store/data", "$store/log");
    return \%bytes;
}

sub raised { my ($number) = unpack 'Q>', $_[0]; return pack 'Q>', $number + 1 }
sub lowered { my ($number) = unpack 'Q>', $_[0]; return pack 'Q>', $number - 1 }

sub latest_log { return (sort glob "$store/log/log.*")[-1] }

for my $row (
    ['a later version of this module',
        sub { change_value("$store/data/counters.db", 'f', \&raised) },
        sub { change_value("$store/data/counters.db", 'f', \&lowered) },
        qr/another format than this version reads/],
    ['another libdb, by its trees', sub { change_tree_version("$store/data/versions.db", 1) },
        sub { change_tree_version("$store/data/versions.db", -1) }, qr/another format than this version reads|version/],
    ['another libdb, by its log', sub { change_log_version(latest_log(), 1) },
        sub { change_log_version(latest_log(), -1) }, qr/version/],
) {
    my ($of, $change, $change_back, $says) = @$row;

    settle();
    $change->();
    my $before = everything();
    my $said = $httpd->says('CR1101');
    ok !$httpd->start, "a store of $of: httpd does not start";
    is $httpd->says('CR1101'), $said + 1, 'it says so';
    my ($line) = $httpd->log =~ /.*(CR1101:.*)/s;
    like $line, $says, 'and why';
    like $line, qr/\Q$store\E/, 'and where';
    diag $line =~ s/\n.*//sr;
    is_deeply [grep { $before->{$_} ne (everything()->{$_} // '') } sort keys %$before], [], 'no file is changed';
    ok RestartedHttpd::until_true(sub { !$httpd->processes_left }), 'nobody is left';
    $change_back->();
    ok $httpd->start, 'put back it starts';
    as_it_was();
    ok $httpd->stop, 'and ends';
}

# ---- a single record ----

settle();
ok change_value("$store/data/versions.db", 'localhost/docs/a', sub { chr(9) . substr $_[0], 1 }),
    'a record of another format';
ok $httpd->start, 'httpd starts';
is $httpd->ask('GET', '/docs/a')->{status}, 500, 'it cannot be read';
is $httpd->put('/docs/a', '{"n":9}'), 500, 'nor replaced';
is $httpd->ask('DELETE', '/docs/a')->{status}, 500, 'nor removed';
ok $httpd->says('CR2101.*localhost/docs/a'), 'the log says which it is';
is $httpd->get('/docs/b'), '{"n":3}', 'others can';
is $httpd->put('/docs/b', '{"n":3}'), 200, 'and be written';
ok $httpd->stop, 'it ends';
settle();
ok change_value("$store/data/versions.db", 'localhost/docs/a', sub { chr(1) . substr $_[0], 1 }), 'put back';
ok $httpd->start, 'httpd starts';
as_it_was();
ok $httpd->stop, 'and ends';

done_testing;
