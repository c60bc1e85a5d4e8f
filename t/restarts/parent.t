# A killed parent: its children end what they do and take nothing new, those
# that take too long are ended, and the next start finds port and store free.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../guards";
use IO::Select;
use RestartedHttpd;
use Test::More;
use Time::HiRes qw(sleep time);
use Writers;

my $mpm = RestartedHttpd::mpm();
my $GONE_WITHIN_S = 5;

# A PUT whose content is not yet all there.
sub begin {
    my ($httpd, $path) = @_;
    my $socket = $httpd->connect or die "no connection\n";

    $socket->autoflush(1);
    print $socket join("\r\n", "PUT $path HTTP/1.1", 'Host: localhost', 'Content-Type: application/json',
        'Content-Length: 12', '', '{"number"');
    return $socket;
}

sub finish {
    my ($socket) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print $socket ':2}';
    return IO::Select->new($socket)->can_read(10) && (<$socket> // '') =~ m{^HTTP/1.1 (\d+)} ? $1 : 'no answer';
}

sub all_gone { my ($httpd) = @_; return RestartedHttpd::until_true(sub { !$httpd->processes_left }, $GONE_WITHIN_S) }

for my $row (
    ['the parent',                        sub { () }],
    ['the parent and its keepers',        sub { $_[0]->keepers }],
    ['the parent and one of its keepers', sub { ($_[0]->keepers)[0] }],
) {
    my ($who, $also) = @$row;
    my $httpd = RestartedHttpd->new;

    ok $httpd->start, "$mpm: an httpd starts";
    my $clients = Writers->start($httpd);
    ok $clients->go_on, 'clients write';
    my @begun = map { begin($httpd, "/docs/begun-$_") } 1 .. 3;
    my $idle = $httpd->connect;
    sleep 0.5;
    my @killed = $also->($httpd);
    my $keeps = @killed < 2;
    my $died = time;
    $httpd->kill_parent;
    kill KILL => @killed;
    sleep 0.7;
    ok !$httpd->connect, "$who killed: nobody takes new connections";
    is finish($begun[0]), 201, 'a request that was begun gets its answer';
    is finish($begun[1]), 201, 'and another';

    # The third never ends.
    if ($keeps) {
        ok all_gone($httpd), 'all processes are gone within 5 seconds';
        diag sprintf 'after %.1f s', time - $died;
        ok $httpd->start, 'the next start works at once';
    }
    else {
        ok $httpd->start, 'the next start works at once, and ends those whom nobody else would end';
        diag sprintf 'after %.1f s', time - $died;
        cmp_ok time - $died, '<', $GONE_WITHIN_S + 1, 'within 5 seconds';
    }
    ok $clients->go_on, 'clients go on';
    $clients->end;
    is $httpd->get("/docs/begun-$_"), '{"number":2}', 'what was begun, and answered, is there' for 1, 2;
    is $httpd->ask('GET', '/docs/begun-3')->{status}, 404, 'what was not is not';
    is_deeply [$clients->lost], [], 'and nothing is lost';
    my $failures = $clients->failures;
    delete @$failures{qw(599 412)};
    is_deeply $failures, {}, 'no answer was an error of the server';
    ok RestartedHttpd::until_true(sub { $httpd->keepers == 2 }), 'the new one has its keepers';
    ok $httpd->stop, 'it ends';
}

# ---- started before the old children are gone ----

my $httpd = RestartedHttpd->new;
ok $httpd->start, 'an httpd starts';
for my $time (1 .. 3) {
    my $clients = Writers->start($httpd, paths => ["/docs/soon-$time"]);
    ok $clients->go_on, 'clients write';
    my $begun = begin($httpd, "/docs/begun-$time");
    sleep 0.3;
    $httpd->kill_parent;
    my $began = time;
    my $answer;
    my $finisher = fork // die "fork: $!";
    if (!$finisher) {
        sleep 1;
        POSIX::_exit(finish($begun) eq 201 ? 0 : 1);
    }
    close $begun;
    ok $httpd->start, 'its parent is killed, and it is started at once';
    diag sprintf 'after %.1f s', time - $began;
    waitpid $finisher, 0;
    is $?, 0, 'what the old children had begun was answered';
    is $httpd->get("/docs/begun-$time"), '{"number":2}', 'and is there';
    ok $clients->go_on, 'clients go on';
    $clients->end;
    is_deeply [$clients->lost], [], 'nothing is lost';
}

# ---- a housekeeper that nobody minds any more ----

# It was stopped, as it may wait for what one of the dead had locked.
my $house = RestartedHttpd->new;
ok $house->start, 'an httpd starts';
is $house->put('/docs/a', '{}'), 201, 'and stores a document';
ok RestartedHttpd::until_true(sub { $house->named('condreq-house') == 1 }), 'it has a housekeeper';
my ($left) = $house->named('condreq-house');
my @others = ($house->keepers, $house->children);
kill STOP => $left;
$house->kill_parent;
kill KILL => @others;
my $alone = time;
ok $house->start, 'all but the housekeeper are killed: the next start works';
cmp_ok time - $alone, '<', $GONE_WITHIN_S + 1, 'within 5 seconds';
is_deeply [grep { $_ == $left } $house->named('condreq-house')], [], 'and has ended it';
is $house->get('/docs/a'), '{}', 'the document is there';
ok $house->stop, 'it ends';

# ---- not two at once ----

my $second = RestartedHttpd->new(lines => "CondReqStore bdb:$httpd->{directory}/store cache=1M\n$RestartedHttpd::SERVED");
ok !$second->start, 'a second httpd on the store of one that lives does not start';
is $second->says('CR1101.*another httpd that runs has it'), 1, 'and says why';
is $httpd->put('/docs/after', '{}'), 201, 'which does the first no harm';
ok $httpd->stop, 'it ends';
ok $second->start, 'now the second one may have it';
is $second->get('/docs/after'), '{}', 'with all that is in it';
ok $second->stop, 'until it ends';

done_testing;
