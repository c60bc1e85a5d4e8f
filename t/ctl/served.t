# condreqctl beside a real httpd: what it shows is what is served, a backup of a
# server that clients write to, a restore in every tag over the wire, starts and
# stops of httpd while it works, and kills.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../guards";
use Ctl;
use OneHttpd;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

my $place = scratch();
my $store = "$place/store";

sub start {
    my (@lines) = @_;
    return OneHttpd->start(sub {
        return OneHttpd::load() . "CondReqStore bdb:$store cache=4M\n" . join '', map { "$_\n" } @lines,
            '<Location /docs>', 'SetHandler condreq', 'Require all granted', '</Location>';
    });
}

sub put {
    my ($httpd, $path, $content, %fields) = @_;
    return $httpd->ask('PUT', $path, \%fields, $content);
}

# Clients that write until they are ended, and note what was acknowledged: a
# line a write, document and number, as it begins and as it is answered.
sub start_clients {
    my ($httpd, $count) = @_;
    return map {
        my $client = $_;
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            open my $notes, '>>', "$place/notes-$client" or die "notes: $!";
            $notes->autoflush(1);
            for (my $number = 1; !-e "$place/end"; $number++) {
                my $document = $client * 100 + $number % 20;
                my $begun = time;
                my $answer = put($httpd, "/docs/$document", qq({"number":$number}));
                printf $notes "%d %d %.6f %.6f\n", $document, $number, $begun, time if $answer->{success};
            }
            _exit(0);
        }
        $pid;
    } 1 .. $count;
}

sub notes {
    return map { [split] } map { my $file = $_; do { local @ARGV = $file; <> } } glob "$place/notes-*";
}

# The numbers of all documents of a store that nobody serves, by condreqctl.
sub numbers {
    my ($path) = @_;
    my %number_of;

    for my $listed (@{ condreqctl(qw(--json --store), $path, 'list')->{json} }) {
        my ($document) = $listed->{key} =~ m{/docs/(\d+)$} or next;
        $number_of{$document} = condreqctl('--store', $path, 'get', $listed->{key})->{out} =~ /"number":(\d+)/ ? $1 : -1;
    }
    return \%number_of;
}

# ---- what it shows is what is served ----

my $httpd = start();
is put($httpd, '/docs/a', '{"a":1}')->{status}, 201, 'a document is served';
put($httpd, '/docs/%c3%a4%20%25', '{"a":"umlaut"}');
put($httpd, '/docs/gone', '{}');
$httpd->ask('DELETE', '/docs/gone');
is condreqctl('--store', $store, 'get', 'localhost/docs/a')->{out}, '{"a":1}', 'get gives its bytes';
is condreqctl('--store', $store, 'get', 'localhost/docs/%C3%A4%20%25')->{out}, '{"a":"umlaut"}',
    'a key is written as in a URL';
is condreqctl('--store', $store, 'get', 'localhost/docs/gone')->{code}, 3, 'a deleted document is not there';
my @listed = sort map { (split /\t/)[0] } split /\n/, condreqctl('--store', $store, 'list')->{out};
is_deeply \@listed, ['localhost/docs/%C3%A4%20%25', 'localhost/docs/a'], 'list names what get takes';
my $stat = condreqctl(qw(--json --store), $store, 'stat')->{json}[0];
is_deeply [@$stat{qw(documents tombstones incarnation durability)}], [2, 1, 0, 'sync'], 'stat counts';
cmp_ok $stat->{processes}, '>=', 1, 'the child has it open';
ok $stat->{keeper} && kill(0, $stat->{keeper}), 'its keeper lives';

# ---- refused while httpd runs ----

is condreqctl('--store', $store, 'backup', "$place/first")->{code}, 0, 'a backup';
my $refused = condreqctl('--store', $store, 'restore', "$place/first");
is $refused->{code}, 4, 'a restore under a running httpd is refused';
like $refused->{err}, qr/which a server may have: it is in use/, 'with the reason';
is condreqctl('--store', $store, 'salvage', "$place/s")->{code}, 4, 'as is a salvage';
is put($httpd, '/docs/a', '{"a":2}', 'If-Match' => '"1"')->{status}, 200, 'and does no harm';

# ---- a backup while clients write ----

my @clients = start_clients($httpd, 4);
my @backups;
for my $number (1 .. 3) {
    sleep 0.7;
    my $from = time;
    is condreqctl('--store', $store, 'backup', "$place/backup-$number")->{code}, 0, "backup $number under load";
    push @backups, [$from, time];
}

# ---- kills: httpd's keeper brings the store back ----

my @outages;
for my $number (1 .. 30) {
    my $pid = started("$place/said", '--store', $store, (qw(verify list stat))[$number % 3]);
    sleep 0.002 + rand 0.05;
    kill KILL => $pid;
    ended($pid);
    my $struck = time;
    # Whoever waits inside beside the dead may be ended, and its connections.
    my $tries = 0;
    $tries++ until put($httpd, "/docs/kill-$number", '{}')->{success} || $tries == 20;
    push @outages, time - $struck;
}
@outages = sort { $a <=> $b } @outages;
cmp_ok $outages[-1], '<', 5, '30 kills: each time a write is soon served again';
diag sprintf 'p50 %.3f s, worst %.3f s', $outages[15], $outages[-1];
open my $end, '>', "$place/end" or die "end: $!";
waitpid $_, 0 for @clients;

my %last;
$last{ $_->[0] } = $_ for notes();
my @lost = grep {
    ($httpd->ask('GET', "/docs/$_")->{content} =~ /"number":(\d+)/ ? $1 : 0) < $last{$_}[1]
} sort keys %last;
is_deeply \@lost, [], scalar(notes()) . ' acknowledged writes: none is lost';

for my $number (1 .. 3) {
    my ($from, $to) = @{ $backups[$number - 1] };
    my (%before, %begun, @wrong);

    condreqctl('--store', "$place/copy-$number", 'restore', "$place/backup-$number");
    my $is = numbers("$place/copy-$number");
    for my $note (notes()) {
        my ($document, $written, $begun, $acknowledged) = @$note;
        push @wrong, "lost: @$note" if $acknowledged < $from && ($is->{$document} // 0) < $written;
        push @wrong, "late: @$note" if $begun > $to && ($is->{$document} // 0) >= $written;
    }
    is_deeply \@wrong, [], "backup $number, document by document: all from before it and none from after it";
}

# ---- restore, over the wire ----

my $tag = $httpd->ask('GET', '/docs/a')->{headers}{etag};
is $tag, '"2"', 'a tag before';
undef $httpd;
is condreqctl('--store', $store, 'restore', "$place/first")->{code}, 0, 'httpd is stopped: the backup is restored';
$httpd = start();
my $answer = $httpd->ask('GET', '/docs/a');
is_deeply [$answer->{content}, $answer->{headers}{etag}], ['{"a":1}', '"1.1"'], 'the old document has another tag';
is put($httpd, '/docs/a', '{"a":3}', 'If-Match' => '"1"')->{status}, 412, 'a tag from before the backup is stale';
is put($httpd, '/docs/a', '{"a":3}', 'If-Match' => '"2"')->{status}, 412, 'one from after it, too';
is put($httpd, '/docs/a', '{"a":3}', 'If-Match' => '"1.1"')->{headers}{etag}, '"2.1"', 'the new one lets one write';
is $httpd->ask('GET', '/docs/a', { 'If-None-Match' => '"2"' })->{status}, 200, 'a cache with the lost version 2 is not told 304';
is put($httpd, '/docs/new', '{}')->{headers}{etag}, '"1.1"', 'a new document has it, too';
undef $httpd;

# ---- httpd starts while it works ----

# Not stopped, it would be over before httpd is up.
my $pid = started("$place/said", '--store', $store, 'backup', "$place/long");
for (1 .. 1000) {
    last if -e "$place/long/unfinished";
    sleep 0.002;
}
kill STOP => -$pid;
my $begun = time;
$httpd = start();
ok $httpd, 'httpd starts while condreqctl stands still';
cmp_ok time - $begun, '<', 8, 'within seconds';
is put($httpd, '/docs/b', '{}')->{status}, 201, 'and serves';
kill CONT => -$pid;
is ended($pid), 0, 'condreqctl goes on in the store that httpd has prepared';
is condreqctl('--store', "$place/long", 'verify')->{code}, 0, 'and its backup is good';
is put($httpd, '/docs/c', '{}')->{status}, 201, 'and does no harm';
is condreqctl('--store', $store, 'verify')->{code}, 0, 'all is well';
unlike $httpd->log, qr/CR1[12]0[13]/, 'httpd had nothing to complain about';

# ---- many come and go ----

condreqctl('--store', $store, 'stat') for 1 .. 40;
$stat = condreqctl(qw(--json --store), $store, 'stat')->{json}[0];
is $stat->{recoveries}, 0, '40 that come and go leave nothing behind';

done_testing;
