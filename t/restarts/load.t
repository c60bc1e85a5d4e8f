# Restarts and stops while clients write. A graceful one fails no request; none
# loses what was acknowledged; SIGTERM ends in bounded time.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../guards";
use RestartedHttpd;
use Test::More;
use Time::HiRes 'time';
use Writers;

my $mpm = RestartedHttpd::mpm();

# ---- graceful: nobody notices ----

my $httpd = RestartedHttpd->new;
ok $httpd->start, "$mpm: an httpd starts";
my $writers = Writers->start($httpd);
ok $writers->go_on, 'four clients write, each on new connections';
for my $time (1 .. 5) {
    ok $httpd->restart('USR1'), "graceful restart $time";
    ok $writers->go_on, 'all clients go on';
}
$writers->end;
is_deeply $writers->failures, {}, 'no request failed';
is_deeply [$writers->lost], [], 'and each document is there as it was last acknowledged';

# ---- hard: connections may be cut, and nothing else ----

$writers = Writers->start($httpd, paths => ['/docs/hard']);
for my $time (1 .. 4) {
    ok $httpd->restart('HUP'), "hard restart $time";
    ok $writers->go_on, 'all clients go on';
}
$writers->end;
my $failures = $writers->failures;
# 599: no answer; 412: what an unanswered write had made of the tag.
delete @$failures{qw(599 412)};
is_deeply $failures, {}, 'no answer was an error of the server';
is_deeply [$writers->lost], [], 'each document is there as it was last acknowledged';

# ---- two generations at once, and a death in each ----

sub begin {
    my ($path, @fields) = @_;
    my $socket = $httpd->connect or die "no connection\n";

    print $socket join("\r\n", "PUT $path HTTP/1.1", 'Host: localhost', 'Content-Type: application/json',
        'Content-Length: 12', 'Connection: close', @fields, '', '{"number"');
    return $socket;
}

sub finish {
    my ($socket) = @_;
    print $socket ':2}';
    return (<$socket> // '') =~ m{^HTTP/1.1 (\d+)} ? $1 : 'no answer';
}

# Whose is the connection? The child that has its other end.
sub child_of {
    my ($socket) = @_;
    my $port = sprintf ':%04X', $socket->sockport;
    my ($inode) = map { (split)[9] } grep { (split)[2] =~ /$port$/ } split /\n/, RestartedHttpd::read_file('/proc/net/tcp');

    for my $child ($httpd->children) {
        return $child if grep { (readlink // '') eq "socket:[$inode]" } glob "/proc/$child/fd/*";
    }
    return;
}

is $httpd->put('/docs/generations', '{"number":1}'), 201, 'a document';
my @old = map { begin("/docs/old-$_") } 1 .. 12;
sleep 1;
my %generation = map { $_ => 1 } $httpd->children;
ok $httpd->restart('USR1'), 'a graceful restart while twelve clients send';
my ($killed) = grep { defined } map { child_of($_) } @old;
ok $generation{$killed}, 'some of them are served by a child of the old generation';
kill KILL => $killed;
my @mine = grep { my $child = child_of($_); defined $child && $child != $killed } @old;
ok RestartedHttpd::until_true(sub { $httpd->put('/docs/generations', '{"number":2}') == 200 }),
    'that one is killed, and the new generation writes on';
is_deeply [map { finish($_) } @mine], [(201) x @mine], 'as do the others of the old one: ' . @mine;

my @later = map { begin("/docs/later-$_") } 1 .. 3;
sleep 1;
ok $httpd->restart('USR1'), 'again';
my ($young) = grep { my $child = $_; !grep { (child_of($_) // 0) == $child } @later } $httpd->children;
kill KILL => $young;
is_deeply [map { finish($_) } @later], [(201) x 3], 'one of the new generation is killed, and the old one writes on';
ok RestartedHttpd::until_true(sub { $httpd->put('/docs/generations', '{"number":3}') == 200 }), 'as does the new one';

# ---- other numbers of threads ----

for my $row ([64, 16, 'USR1'], [4, 4, 'USR1'], [32, 32, 'stop'], [8, 2, 'stop'], [16, 16, 'HUP']) {
    my ($limit, $threads, $how) = @$row;

    $httpd->configure(thread_limit => $limit, threads => $threads);
    if ($how eq 'stop') {
        ok $httpd->stop, 'it stops';
        ok $httpd->start, "and starts with ThreadLimit $limit";
    }
    else {
        ok $httpd->restart($how), "SIG$how with ThreadLimit $limit";
    }
    my $clients = Writers->start($httpd, count => 6, paths => ["/docs/limit-$limit"]);
    ok $clients->go_on, 'six clients write';
    $clients->end;
    is_deeply $clients->failures, {}, 'without a failure';
    is_deeply [$clients->lost], [], 'and all of it is there';
    is $httpd->get('/docs/generations'), '{"number":3}', 'as is what was there before';
}

# ---- SIGTERM ----

for my $time (1 .. 3) {
    my $clients = Writers->start($httpd, count => 6, paths => ["/docs/term-$time"]);
    ok $clients->go_on, 'six clients write';
    my $began = time;
    ok $httpd->stop(5), 'SIGTERM ends httpd and all its processes within 5 seconds';
    diag sprintf 'after %.1f s', time - $began;
    $clients->end;
    ok $httpd->start, 'it starts again';
    my $failed = $clients->failures;
    delete @$failed{qw(599 412)};
    is_deeply $failed, {}, 'no answer was an error of the server';
    is_deeply [$clients->lost], [], 'each document is there as it was last acknowledged';
}
ok $httpd->stop, 'it ends';
unlike $httpd->log, qr/CR1[12]0[13]/, 'nothing was wrong with the store';

done_testing;
